// Tokens of Microsoft Entra ID for a service principal, as the official providers get them in CI.

import { readFile } from "node:fs/promises";
import { sendJson } from "./http.ts";
import { isFields, text } from "./values.ts";

/** Who signs in. One of `clientSecret`, `oidcToken`, `oidcTokenFile` and `oidcRequest` is the proof. */
export interface EntraClient {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly oidcToken?: string | undefined;
  readonly oidcTokenFile?: string | undefined;
  /** Where a workflow of GitHub asks for its token, and with what. */
  readonly oidcRequest?: { readonly url: string; readonly bearer: string } | undefined;
}

/** The claims of an access token that providers look at. */
export interface Claims {
  readonly appId?: string | undefined;
  readonly objectId?: string | undefined;
  readonly tenantId?: string | undefined;
}

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/** Milliseconds before its end from which a token counts as old. */
const EXPIRY_MARGIN = 5 * 60_000;

/** Tokens of one client, kept until shortly before they end. */
export class EntraTokens {
  readonly #client: EntraClient;
  readonly #tokens = new Map<string, Promise<{ token: string; expires: number }>>();

  constructor(client: EntraClient) {
    this.#client = client;
  }

  /**
   * An access token.
   * @param scope for example `https://management.azure.com/.default`.
   * @throws Error in Entra's own words where it refuses.
   */
  async token(scope: string): Promise<string> {
    const kept = this.#tokens.get(scope);
    if (kept !== undefined) {
      const { token, expires } = await kept;
      if (expires - EXPIRY_MARGIN > Date.now()) return token;
    }
    const fresh = this.#request(scope);
    this.#tokens.set(scope, fresh);
    // A refusal must not stay: rights may be granted a moment later.
    fresh.catch(() => this.#tokens.delete(scope));
    return (await fresh).token;
  }

  async #request(scope: string): Promise<{ token: string; expires: number }> {
    const { tenantId, clientId } = this.#client;
    const form = new URLSearchParams({ grant_type: "client_credentials", client_id: clientId, scope });
    for (const [name, value] of Object.entries(await this.#proof())) form.set(name, value);
    const url = `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`;
    const { status, body } = await sendJson(url, { method: "POST", body: form });
    const answer = isFields(body) ? body : {};
    const token = text(answer.access_token);
    if (status !== 200 || token === undefined) {
      const reason = text(answer.error_description) ?? text(answer.error) ?? `status ${status}`;
      throw new Error(`Entra gives client ${clientId} no token for ${scope}: ${reason}`);
    }
    return { token, expires: Date.now() + Number(answer.expires_in ?? 0) * 1000 };
  }

  async #proof(): Promise<Record<string, string>> {
    const { clientSecret, oidcToken, oidcTokenFile, oidcRequest } = this.#client;
    if (clientSecret !== undefined) return { client_secret: clientSecret };
    const assertion =
      oidcToken ??
      (oidcTokenFile !== undefined
        ? await readFile(oidcTokenFile, "utf8")
        : oidcRequest && (await workflowToken(oidcRequest)));
    if (assertion === undefined)
      throw new Error(
        "no way to sign in: set ARM_CLIENT_SECRET, or ARM_USE_OIDC with ARM_OIDC_TOKEN or ARM_OIDC_TOKEN_FILE_PATH",
      );
    return { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion.trim() };
  }
}

/** The token that GitHub gives to a job. @throws Error where it gives none. */
async function workflowToken({ url, bearer }: NonNullable<EntraClient["oidcRequest"]>): Promise<string> {
  const whole = new URL(url);
  whole.searchParams.set("audience", "api://AzureADTokenExchange");
  const { status, body } = await sendJson(whole.href, {
    method: "GET",
    headers: { authorization: `Bearer ${bearer}` },
  });
  const token = isFields(body) ? text(body.value) : undefined;
  if (status === 200 && token !== undefined) return token;
  throw new Error(`${whole.host} gives no token: status ${status}`);
}

/** The claims of a token that is somebody else's to verify; empty where it is no JWT. */
export function claimsOf(token: string): Claims {
  try {
    const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    return { appId: text(payload.appid), objectId: text(payload.oid), tenantId: text(payload.tid) };
  } catch {
    return {};
  }
}

/**
 * The client that environment and provider configuration name; configuration goes first.
 * @param config the provider's configuration by its names (`clientId`, `tenantId`, ...).
 * @throws Error naming what is missing.
 */
export function entraClient(config: Readonly<Record<string, unknown>>): EntraClient {
  const setting = (name: string, variable: string) => text(config[name]) || process.env[variable] || undefined;
  const tenantId = setting("tenantId", "ARM_TENANT_ID");
  const clientId = setting("clientId", "ARM_CLIENT_ID");
  if (tenantId === undefined || clientId === undefined) {
    const missing = tenantId === undefined ? "ARM_TENANT_ID" : "ARM_CLIENT_ID";
    throw new Error(`no Azure credentials: set ${missing} in the environment (or in the provider's configuration)`);
  }
  const oidc = String(config.useOidc ?? process.env.ARM_USE_OIDC) === "true";
  if (!oidc) return { tenantId, clientId, clientSecret: setting("clientSecret", "ARM_CLIENT_SECRET") };
  const url = setting("oidcRequestUrl", "ARM_OIDC_REQUEST_URL") ?? process.env.ACTIONS_ID_TOKEN_REQUEST_URL;
  const bearer = setting("oidcRequestToken", "ARM_OIDC_REQUEST_TOKEN") ?? process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN;
  return {
    tenantId,
    clientId,
    oidcToken: setting("oidcToken", "ARM_OIDC_TOKEN"),
    oidcTokenFile: setting("oidcTokenFilePath", "ARM_OIDC_TOKEN_FILE_PATH"),
    oidcRequest: url && bearer ? { url, bearer } : undefined,
  };
}
