// Who calls Azure: the same variables as azure-native reads, so that one login serves the whole program.

import { readFile } from "node:fs/promises";
import type { AccessToken, TokenCredential } from "@azure/identity";
import { cloudOf } from "./azureCloud.ts";
import { send } from "./http.ts";
import { signInOf, signInVariable, tokenRequest } from "./signIn.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A token is renewed this many milliseconds before it ends. */
const RENEW_BEFORE = 300_000;

/** One credential for the whole process: it keeps tokens until shortly before they end. */
let shared: TokenCredential | undefined;

/** The credential of the environment, as `signInOf` decides. */
export function credential(): TokenCredential {
  shared ??= cached(() => createCredential(process.env));
  return shared;
}

/** Keeps tokens by scope, asks once for what many want, and makes the credential only when the first token is needed. */
export function cached(create: () => Promise<TokenCredential>): TokenCredential {
  let inner: Promise<TokenCredential> | undefined;
  const tokens = new Map<string, { token: Promise<AccessToken>; ends: number }>();
  const ask = async (scope: string): Promise<AccessToken> => {
    inner ??= create();
    const token = await (await inner).getToken(scope);
    if (token === null) throw new Error(`no Entra token for ${scope}`);
    return token;
  };
  return {
    getToken(scopes) {
      const scope = [scopes].flat().join(" ");
      const known = tokens.get(scope);
      if (known && known.ends - RENEW_BEFORE > Date.now()) return known.token;
      const entry = { token: ask(scope), ends: Number.POSITIVE_INFINITY };
      tokens.set(scope, entry);
      entry.token.then(
        ({ expiresOnTimestamp }) => {
          entry.ends = expiresOnTimestamp;
        },
        () => tokens.delete(scope),
      );
      return entry.token;
    },
  };
}

/**
 * The credential that an environment asks for.
 * @throws Error naming the variable that is missing beside others.
 */
export async function createCredential(environment: Environment): Promise<TokenCredential> {
  // Loaded only here: the library takes longer to load than the rest of the plugin.
  const identity = await import("@azure/identity");
  const { way } = signInOf(environment);
  const get = (name: string) => signInVariable(environment, name);
  const clientId = get("CLIENT_ID");
  const tenantId = get("TENANT_ID");
  const options = { authorityHost: cloudOf(environment).authority };

  if (way === "default") return new identity.DefaultAzureCredential({ ...options, ...(tenantId ? { tenantId } : {}) });
  if (way === "managedIdentity") return new identity.ManagedIdentityCredential(clientId ? { clientId } : {});
  if (way === "az") return new identity.AzureCliCredential(tenantId ? { tenantId } : {});
  if (clientId === undefined) throw missing("ARM_CLIENT_ID");
  if (tenantId === undefined) throw missing("ARM_TENANT_ID");
  if (way === "certificate") {
    const password = get("CLIENT_CERTIFICATE_PASSWORD");
    const certificatePath = get("CLIENT_CERTIFICATE_PATH") ?? "";
    const file = { certificatePath, ...(password ? { certificatePassword: password } : {}) };
    return new identity.ClientCertificateCredential(tenantId, clientId, file, options);
  }
  if (way === "secret")
    return new identity.ClientSecretCredential(tenantId, clientId, get("CLIENT_SECRET") ?? "", options);
  return new identity.ClientAssertionCredential(tenantId, clientId, () => federatedToken(environment), options);
}

function missing(name: string): Error {
  return new Error(
    `the environment has a credential of a service principal, but no ${name}: set it, or use \`az login\``,
  );
}

/** The token of another issuer: given, in a file, or (GitHub Actions) fetched from a URL of the workflow. */
async function federatedToken(environment: Environment): Promise<string> {
  if (environment.ARM_OIDC_TOKEN) return environment.ARM_OIDC_TOKEN;
  const file = environment.ARM_OIDC_TOKEN_FILE_PATH || environment.AZURE_FEDERATED_TOKEN_FILE;
  if (file) return (await readFile(file, "utf8")).trim();
  const { url, bearer } = tokenRequest(environment);
  if (!url || !bearer) {
    throw new Error(
      "ARM_USE_OIDC is set, but no token: set ARM_OIDC_TOKEN_FILE_PATH, or give the workflow `id-token: write`",
    );
  }
  const request = new URL(url);
  request.searchParams.set("audience", "api://AzureADTokenExchange");
  const headers = { authorization: `Bearer ${bearer}` };
  const { ok, status, body } = await send(request, { headers }, { repeatable: true });
  const { value } = ok ? (JSON.parse(body.toString()) as { value?: string }) : {};
  if (!value) throw new Error(`${request.host} gave no OIDC token: ${status}`);
  return value;
}
