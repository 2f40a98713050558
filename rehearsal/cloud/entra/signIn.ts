// login.microsoftonline.com: discovery and the client credentials grant with a secret or a federated assertion.

import type { CloudRequest, CloudResponse, Principal } from "../types.ts";
import type { TenantDirectory } from "./directory.ts";
import { SignInFault, signInError } from "./errors.ts";
import { checkAssertion } from "./federation.ts";
import { resourceId, TOKEN_LIFETIME } from "./tokens.ts";

const HOST = "https://login.microsoftonline.com";
const openIdScopes = ["openid", "profile", "email", "offline_access"];
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

interface Client {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly assertion: string | undefined;
}

/** Answers one request. */
export async function signIn(directory: TenantDirectory, request: CloudRequest): Promise<CloudResponse> {
  try {
    return await answer(directory, request);
  } catch (error) {
    if (error instanceof SignInFault) throw signInError(error, request.headers["client-request-id"]);
    throw error;
  }
}

async function answer(directory: TenantDirectory, request: CloudRequest): Promise<CloudResponse> {
  const path = request.url.pathname;
  if (path === "/common/discovery/instance") return { status: 200, body: instance(directory.tenantId) };
  const [, tenant = "", rest = ""] = /^\/([^/]+)\/(.*)$/.exec(path) ?? [];
  const version = rest.includes("v2.0") ? 2 : 1;
  const kind = rest.replace("v2.0/", "");
  if (!["oauth2/token", "discovery/keys", ".well-known/openid-configuration"].includes(kind)) {
    return { status: 404, body: "" };
  }
  if (tenant.toLowerCase() !== directory.tenantId.toLowerCase() && !(kind !== "oauth2/token" && tenant === "common")) {
    const word =
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the ` +
      "correct cloud. Check with your subscription administrator, this may happen if there are no active " +
      "subscriptions for the tenant.";
    throw new SignInFault(kind === "oauth2/token" ? "invalid_request" : "invalid_tenant", 90002, word);
  }
  if (kind === "discovery/keys") {
    return { status: 200, body: { keys: [{ ...directory.issuer.jwk, issuer: issuerOf(directory.tenantId, 2) }] } };
  }
  if (kind === ".well-known/openid-configuration")
    return { status: 200, body: configuration(directory.tenantId, version) };
  if (request.method !== "POST") {
    throw new SignInFault(
      "invalid_request",
      900561,
      "The endpoint only accepts POST requests. Received a GET request.",
    );
  }
  return token(directory, request, version);
}

async function token(directory: TenantDirectory, request: CloudRequest, version: 1 | 2): Promise<CloudResponse> {
  const form = new URLSearchParams(request.body.toString());
  const grant = required(form, "grant_type");
  if (grant !== "client_credentials") {
    throw new SignInFault("unsupported_grant_type", 70003, `The app requested an unsupported grant type '${grant}'.`);
  }
  const client = readClient(form, request.headers.authorization);
  const audience = readAudience(directory, form, version);
  const principal = findPrincipal(directory, client.clientId);
  if (client.assertion === undefined) checkSecret(directory, client);
  else {
    const own = directory.applicationByClientId(client.clientId)?.federatedCredentials ?? [];
    await checkAssertion(principal, client.assertion, directory.federation, own, directory.now());
  }
  const roles =
    resourceId(audience) === resourceId("https://graph.microsoft.com")
      ? directory.graphPermissions(principal.objectId)
      : [];
  const accessToken = directory.issuer.issue(principal, audience, client.assertion === undefined ? "1" : "2", roles);
  return {
    status: 200,
    headers: { "cache-control": "no-store, no-cache", pragma: "no-cache" },
    body: version === 2 ? tokenBody(accessToken) : tokenBodyOfVersion1(accessToken, audience, directory.now()),
  };
}

function tokenBody(accessToken: string): object {
  const expiresIn = TOKEN_LIFETIME - 1;
  return { token_type: "Bearer", expires_in: expiresIn, ext_expires_in: expiresIn, access_token: accessToken };
}

function tokenBodyOfVersion1(accessToken: string, resource: string, now: Date): object {
  const seconds = Math.floor(now.getTime() / 1000);
  return {
    token_type: "Bearer",
    expires_in: String(TOKEN_LIFETIME - 1),
    ext_expires_in: String(TOKEN_LIFETIME - 1),
    expires_on: String(seconds + TOKEN_LIFETIME),
    not_before: String(seconds),
    resource,
    access_token: accessToken,
  };
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value) return value;
  throw new SignInFault("invalid_request", 900144, `The request body must contain the following parameter: '${name}'.`);
}

function readClient(form: URLSearchParams, authorization: string | undefined): Client {
  const basic = /^Basic +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (basic !== undefined) {
    const [id = "", secret = ""] = Buffer.from(basic, "base64").toString().split(":");
    return { clientId: decodeForm(id), clientSecret: decodeForm(secret), assertion: undefined };
  }
  const clientId = required(form, "client_id");
  const assertion = form.get("client_assertion") ?? undefined;
  if (assertion !== undefined && form.get("client_assertion_type") !== ASSERTION_TYPE) {
    throw new SignInFault(
      "invalid_request",
      900144,
      `The request body must contain the following parameter: 'client_assertion_type' with the value '${ASSERTION_TYPE}'.`,
    );
  }
  return { clientId, clientSecret: form.get("client_secret") ?? undefined, assertion };
}

/** RFC 6749, section 2.3.1: the parts of Basic are form-encoded. */
function decodeForm(text: string): string {
  return new URLSearchParams(`v=${text}`).get("v") ?? "";
}

/** The resource that the token shall be for, as it was asked for. */
function readAudience(directory: TenantDirectory, form: URLSearchParams, version: 1 | 2): string {
  const resource = version === 1 ? required(form, "resource") : resourceOfScope(required(form, "scope"));
  if (resourceId(resource) !== undefined) return resource;
  throw new SignInFault(
    "invalid_resource",
    500011,
    `The resource principal named ${resource} was not found in the tenant named ${directory.tenantId}. This can happen if ` +
      "the application has not been installed by the administrator of the tenant or consented to by any user in the " +
      "tenant. You might have sent your authentication request to the wrong tenant.",
  );
}

function resourceOfScope(scope: string): string {
  // MSAL asks for OpenID Connect's scopes, too; they mean nothing to an application.
  const scopes = scope.split(" ").filter((part) => part !== "" && !openIdScopes.includes(part));
  const [only = ""] = scopes;
  if (scopes.length === 1 && only.endsWith("/.default")) return only.slice(0, -"/.default".length);
  throw new SignInFault(
    "invalid_scope",
    1002012,
    `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with ` +
      "/.default suffixed to the resource identifier (application ID URI).",
  );
}

function findPrincipal(directory: TenantDirectory, clientId: string): Principal {
  const principal = directory.findByClientId(clientId);
  if (principal) return principal;
  if (directory.applicationByClientId(clientId)) {
    const word = `The client application ${clientId} is missing service principal in the tenant ${directory.tenantId}.`;
    throw new SignInFault("unauthorized_client", 7000229, word);
  }
  throw new SignInFault(
    "unauthorized_client",
    700016,
    `Application with identifier '${clientId}' was not found in the directory '${directory.tenantId}'. This can happen if ` +
      "the application has not been installed by the administrator of the tenant or consented to by any user in the " +
      "tenant. You may have sent your authentication request to the wrong tenant.",
  );
}

function checkSecret(directory: TenantDirectory, client: Client): void {
  if (client.clientSecret === undefined) {
    const word = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    throw new SignInFault("invalid_client", 7000218, word);
  }
  const secret = directory.secret(client.clientId, client.clientSecret);
  if (!secret) {
    const word =
      "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not " +
      `the client secret ID, for a secret added to app '${client.clientId}'.`;
    throw new SignInFault("invalid_client", 7000215, word);
  }
  if (new Date(secret.endDateTime) <= directory.now()) {
    const word =
      `The provided client secret keys for app '${client.clientId}' are expired. Visit the Azure portal to create new ` +
      "keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security.";
    throw new SignInFault("invalid_client", 7000222, word);
  }
}

function issuerOf(tenantId: string, version: 1 | 2): string {
  return version === 2 ? `${HOST}/${tenantId}/v2.0` : `https://sts.windows.net/${tenantId}/`;
}

function instance(tenantId: string): object {
  return {
    tenant_discovery_endpoint: `${HOST}/${tenantId}/v2.0/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [
      {
        preferred_network: "login.microsoftonline.com",
        preferred_cache: "login.windows.net",
        aliases: ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
      },
    ],
  };
}

function configuration(tenantId: string, version: 1 | 2): object {
  const infix = version === 2 ? "v2.0/" : "";
  return {
    token_endpoint: `${HOST}/${tenantId}/oauth2/${infix}token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: `${HOST}/${tenantId}/discovery/${infix}keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: openIdScopes,
    issuer: issuerOf(tenantId, version),
    authorization_endpoint: `${HOST}/${tenantId}/oauth2/${infix}authorize`,
    device_authorization_endpoint: `${HOST}/${tenantId}/oauth2/${infix}devicecode`,
    end_session_endpoint: `${HOST}/${tenantId}/oauth2/${infix}logout`,
    tenant_region_scope: "EU",
    cloud_instance_name: "microsoftonline.com",
    cloud_graph_host_name: "graph.windows.net",
    msgraph_host: "graph.microsoft.com",
  };
}
