// Workload identity: which client assertions a managed identity or application may sign in with.

import type { Arm, FederatedCredential, Principal } from "../types.ts";
import { SignInFault } from "./errors.ts";
import { algorithms, isSignedBy, type Jwk, type Jwt, parseJwt } from "./jwt.ts";

/** What decides about client assertions. */
export interface Federation {
  readonly arm: Pick<Arm, "federatedCredentials">;
  /** The public keys of an issuer, as its discovery document leads to them; undefined where it cannot be reached. */
  readonly issuerKeys: (issuer: string) => Promise<readonly Jwk[] | undefined>;
}

/** Azure allows no more federated credentials on one identity. */
const CREDENTIAL_LIMIT = 20;

/**
 * A federated token is accepted where issuer, subject and audience are exactly those of one credential.
 * @param own the credentials of the application, where it is one.
 */
export async function checkAssertion(
  principal: Principal,
  assertion: string,
  federation: Federation | undefined,
  own: readonly FederatedCredential[],
  now: Date,
): Promise<void> {
  const fail = (code: number, word: string) => new SignInFault("invalid_client", code, word);
  const jwt = parseJwt(assertion);
  if (!jwt) throw fail(50027, "JWT token is invalid or malformed.");
  const algorithm = String(jwt.header.alg);
  if (!(algorithm in algorithms)) {
    const known = Object.keys(algorithms).join(", ");
    throw fail(
      5002738,
      `Invalid JWT token. '${algorithm}' is not a supported signature algorithm. Supported signing algorithms are: '${known}'.`,
    );
  }
  const all = principal.identityId === undefined ? own : federation?.arm.federatedCredentials(principal.identityId);
  const credentials = (all ?? []).slice(0, CREDENTIAL_LIMIT);
  if (!federation || credentials.length === 0) {
    throw fail(
      70025,
      `The client '${principal.clientId}'(${principal.displayName}) has no configured federated identity credentials.`,
    );
  }
  const { iss, sub, aud } = jwt.claims;
  const audiences = [aud].flat();
  const unmatched = (what: string, value: unknown) =>
    `No matching federated identity record found for presented assertion ${what} '${value}'. Check your federated ` +
    "identity credential Subject, Audience and Issuer against the presented assertion. " +
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation";
  const ofIssuer = credentials.filter((credential) => credential.issuer === iss);
  if (ofIssuer.length === 0) throw fail(700211, unmatched("issuer", iss));
  const ofSubject = ofIssuer.filter((credential) => credential.subject === sub);
  if (ofSubject.length === 0) throw fail(700213, unmatched("subject", sub));
  if (!ofSubject.some((credential) => credential.audiences.some((audience) => audiences.includes(audience)))) {
    throw fail(700212, unmatched("audience", audiences.join(",")));
  }
  checkTime(jwt, now);
  await checkSignature(federation, jwt, String(iss));
}

function checkTime(jwt: Jwt, now: Date): void {
  const from = new Date(Number(jwt.claims.nbf ?? jwt.claims.iat ?? 0) * 1000);
  const until = new Date(Number(jwt.claims.exp ?? 0) * 1000);
  // Entra tolerates clocks that differ by five minutes.
  const tolerance = 5 * 60 * 1000;
  if (now.getTime() >= from.getTime() - tolerance && now.getTime() < until.getTime() + tolerance) return;
  const word =
    `Client assertion is not within its valid time range. Current time: ${now.toISOString()}, assertion valid from ` +
    `${from.toISOString()}, expiry time of assertion ${until.toISOString()}.`;
  throw new SignInFault("invalid_client", 700024, word);
}

async function checkSignature(federation: Federation, jwt: Jwt, issuer: string): Promise<void> {
  const keys = await federation.issuerKeys(issuer);
  if (!keys) throw new SignInFault("invalid_request", 501661, "Request to External OIDC endpoint failed.");
  const key = keys.find((candidate) => candidate.kid === jwt.header.kid);
  if (!key) {
    const word =
      `The certificate with identifier ${jwt.header.kid} used to sign the federated credential could not be found in ` +
      `the metadata of identity provider ${issuer}.`;
    throw new SignInFault("invalid_client", 7000272, word);
  }
  if (!isSignedBy(jwt, key)) {
    throw new SignInFault("invalid_client", 50013, "Assertion failed signature validation.");
  }
}
