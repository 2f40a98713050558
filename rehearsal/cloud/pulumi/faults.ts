// Refusals of Pulumi Cloud, as its API answers them (pulumi, sdk/go/common/apitype/errors.go).
import { ServiceError } from "../types.ts";

/** A refusal: its status stands in its body too. */
export function fault(code: number, message: string): ServiceError {
  return new ServiceError({ status: code, body: { code, message } }, message);
}
