// Refusals in Key Vault's words and shape.
import { ServiceError } from "../types.ts";

/** @param inner code of the inner error, where Key Vault gives one. */
export function keyVaultError(status: number, code: string, message: string, inner?: string): ServiceError {
  const innererror = inner === undefined ? {} : { innererror: { code: inner } };
  return new ServiceError({ status, body: { error: { code, message, ...innererror } } }, message);
}

export function badParameter(message: string): ServiceError {
  return keyVaultError(400, "BadParameter", message);
}

export function keyNotFound(name: string): ServiceError {
  const word =
    `A key with (name/id) ${name} was not found in this key vault. If you recently deleted this key you may be able to ` +
    "recover it using the correct recovery command. For help resolving this issue, please see " +
    "https://go.microsoft.com/fwlink/?linkid=2125182";
  return keyVaultError(404, "KeyNotFound", word);
}

/** The challenge that tells a client where to get a token. */
export function challenge(tenantId: string, fault: string | undefined): ServiceError {
  const message = "AKV10000: Request is missing a Bearer or PoP token.";
  const header =
    `Bearer authorization="https://login.microsoftonline.com/${tenantId}", resource="https://vault.azure.net"` +
    (fault === undefined ? "" : `, error="invalid_token", error_description="${fault}"`);
  const body = {
    error: { code: "Unauthorized", message: fault === undefined ? message : `AKV10022: Invalid token. ${fault}` },
  };
  return new ServiceError({ status: 401, headers: { "www-authenticate": header }, body }, body.error.message);
}
