// Refusals in Entra's words: of its token endpoint (AADSTS codes), and of the services that check its tokens.
import { randomUUID } from "node:crypto";
import { ServiceError } from "../types.ts";

type OAuthError =
  | "invalid_client"
  | "invalid_request"
  | "invalid_scope"
  | "invalid_resource"
  | "invalid_tenant"
  | "unauthorized_client"
  | "unsupported_grant_type";

/** A refusal of the token endpoint, thrown while a request is looked at. */
export class SignInFault extends Error {
  readonly error: OAuthError;
  readonly code: number;

  /** @param code the number behind AADSTS; see Microsoft's reference of Entra's error codes. */
  constructor(error: OAuthError, code: number, message: string) {
    super(message);
    this.name = "SignInFault";
    this.error = error;
    this.code = code;
  }
}

/**
 * How the token endpoint puts a refusal.
 * @param correlationId the caller's `client-request-id`.
 */
export function signInError(fault: SignInFault, correlationId: string = randomUUID()): ServiceError {
  const { error, code } = fault;
  const trace = randomUUID();
  const timestamp = new Date().toISOString().replace("T", " ").replace(/\.\d+/, "");
  const description = `AADSTS${code}: ${fault.message}`;
  return new ServiceError(
    {
      status: error === "invalid_client" ? 401 : 400,
      headers: { "cache-control": "no-store, no-cache", pragma: "no-cache" },
      body: {
        error,
        error_description: `${description} Trace ID: ${trace} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
        error_codes: [code],
        timestamp,
        trace_id: trace,
        correlation_id: correlationId,
        error_uri: `https://login.microsoftonline.com/error?code=${code}`,
      },
    },
    description,
  );
}

export type TokenFault =
  | "AuthenticationFailed"
  | "InvalidAuthenticationToken"
  | "InvalidAuthenticationTokenAudience"
  | "ExpiredAuthenticationToken";

/** A refusal of a bearer token, as Azure Resource Manager words it. */
export class TokenError extends ServiceError {
  readonly code: TokenFault;

  constructor(code: TokenFault, message: string, tenantId: string) {
    const challenge =
      `Bearer authorization_uri="https://login.microsoftonline.com/${tenantId}", ` +
      `error="invalid_token", error_description="${message.replaceAll('"', "'")}"`;
    super({ status: 401, headers: { "www-authenticate": challenge }, body: { error: { code, message } } }, message);
    this.name = "TokenError";
    this.code = code;
  }
}
