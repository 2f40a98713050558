// Who may do what in an Azure container registry: OAuth endpoints, tokens and the role actions behind them.
// Flow and words: github.com/Azure/acr docs/AAD-OAuth.md; role actions: the published definitions of AcrPull, AcrPush, AcrDelete,
// "Container Registry Repository Reader" and "Container Registry Data Importer and Data Reader"; tokens for all repositories,
// and where there are none: github.com/Azure/acr-cli internal/api/acrsdk.go and issue 501.

import type { Arm, ArmResource, Caller, CloudRequest, CloudResponse, Directory, Principal } from "../types.ts";
import { ServiceError } from "../types.ts";
import type { Guard, Need } from "./distribution.ts";
import { registryError } from "./protocol.ts";
import { type Access, parseScopes, TokenMint } from "./tokens.ts";

const REGISTRIES = "Microsoft.ContainerRegistry/registries";
const CONTROL_ACTIONS: Readonly<Record<string, string>> = {
  pull: `${REGISTRIES}/pull/read`,
  metadata_read: `${REGISTRIES}/pull/read`,
  catalog: `${REGISTRIES}/pull/read`,
  push: `${REGISTRIES}/push/write`,
  metadata_write: `${REGISTRIES}/push/write`,
  delete: `${REGISTRIES}/artifacts/delete`,
};
const DATA_ACTIONS: Readonly<Record<string, string>> = {
  pull: `${REGISTRIES}/repositories/content/read`,
  metadata_read: `${REGISTRIES}/repositories/metadata/read`,
  catalog: `${REGISTRIES}/catalog/read`,
  push: `${REGISTRIES}/repositories/content/write`,
  metadata_write: `${REGISTRIES}/repositories/metadata/write`,
  delete: `${REGISTRIES}/repositories/content/delete`,
};
/** Seconds, as Azure gives them: three hours and 75 minutes. */
const REFRESH_LIFETIME = 3 * 60 * 60;
const ACCESS_LIFETIME = 75 * 60;
/** The user name that says: the password is a refresh token. */
const NULL_USER = "00000000-0000-0000-0000-000000000000";
/** The name that says in a scope: every repository. */
const ALL = "*";
const WORDS = "authentication required, visit https://aka.ms/acr/authorization for more information.";

export interface AccessOptions {
  readonly arm: Arm;
  readonly directory: Directory;
  /** The service principal whose client secret this is; without it no password is ever right. */
  readonly passwordValid?: (clientId: string, secret: string) => Principal | undefined;
  /** The groups of a service principal that signs in with its password; none when left out. */
  readonly groupsOf?: (objectId: string) => readonly string[];
  /** Milliseconds since 1970; the clock when left out. */
  readonly now?: () => number;
}

export class RegistryAccess {
  readonly #options: AccessOptions;
  readonly #mint: TokenMint;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#mint = new TokenMint("Azure Container Registry", options.now ?? Date.now);
  }

  /** Whether roles let a caller do something in a registry; `action` as in scopes, or `catalog`. */
  allows(caller: Caller, registry: ArmResource, action: string): boolean {
    // The mode decides which half of a role counts: registries with repository permissions look at data actions alone.
    const data = hasRepositoryPermissions(registry);
    const roleAction = (data ? DATA_ACTIONS : CONTROL_ACTIONS)[action];
    return (
      roleAction !== undefined && this.#options.arm.allows(caller, roleAction, registry.id, data ? "data" : "control")
    );
  }

  /** The caller behind a service principal's client id and secret; the admin user does not exist here. */
  byPassword(clientId: string, secret: string): Caller | undefined {
    const principal = this.#options.passwordValid?.(clientId, secret);
    return principal && { principal, groups: this.#options.groupsOf?.(principal.objectId) ?? [] };
  }

  /** Answers `/oauth2/...`; undefined for another path. */
  oauth(registry: ArmResource, request: CloudRequest): CloudResponse | undefined {
    const { pathname, host } = request.url;
    if (pathname === "/oauth2/exchange" && request.method === "POST")
      return this.#exchange(registry, host, form(request));
    if (pathname !== "/oauth2/token") return undefined;
    if (request.method === "GET") {
      const caller = this.#basic(request.headers.authorization, host);
      return this.#token(registry, host, request.url.searchParams, caller);
    }
    if (request.method !== "POST") return undefined;
    const fields = form(request);
    return this.#token(registry, host, fields, this.#grant(fields, host));
  }

  /** Checks the requests of one caller against its Authorization header. */
  guard(registry: ArmResource, request: CloudRequest): Guard {
    const host = request.url.host;
    const authorization = request.headers.authorization;
    const bearer = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
    const access = bearer === undefined ? undefined : this.#mint.read(bearer, host, "access_token")?.access;
    const caller = this.#basic(authorization, host);
    const granted = (name: string, action: string): boolean =>
      caller ? this.allows(caller, registry, action) : covers(access ?? [], name, action);
    return {
      mayPull: (name) => granted(name, "pull"),
      require: (need) => {
        const known = caller !== undefined || access !== undefined;
        const missing = need.actions.filter(
          (action) => !granted(need.name, need.type === "catalog" ? "catalog" : action),
        );
        if (!known || missing.length)
          throw challenge(host, need, bearer === undefined ? "" : known ? "insufficient_scope" : "invalid_token");
      },
    };
  }

  #exchange(registry: ArmResource, host: string, fields: URLSearchParams): CloudResponse {
    const tenant = fields.get("tenant");
    const wrongTenant = tenant !== null && tenant.toLowerCase() !== this.#options.directory.tenantId.toLowerCase();
    if (fields.get("grant_type") !== "access_token" || fields.get("service") !== host || wrongTenant)
      throw badRequest();
    const caller = this.#entraCaller(registry, fields.get("access_token") ?? "");
    // An identity without any role in the registry is turned away here already.
    const known =
      caller && ["pull", "push", "delete", "catalog"].some((action) => this.allows(caller, registry, action));
    if (!known) throw registryError("UNAUTHORIZED", WORDS);
    const { principal, groups } = caller;
    const claims = { aud: host, sub: principal.objectId, grant_type: "refresh_token", groups } as const;
    return { status: 200, body: { refresh_token: this.#mint.issue(claims, REFRESH_LIFETIME) } };
  }

  #entraCaller(registry: ArmResource, token: string): Caller | undefined {
    const policies = registry.properties.policies as
      | { azureADAuthenticationAsArmPolicy?: { status?: string } }
      | undefined;
    const asArm = policies?.azureADAuthenticationAsArmPolicy?.status !== "disabled";
    for (const audience of [
      "https://containerregistry.azure.net",
      ...(asArm ? ["https://management.azure.com"] : []),
    ]) {
      try {
        return this.#options.directory.authenticate(`Bearer ${token}`, audience);
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
      }
    }
    return undefined;
  }

  #grant(fields: URLSearchParams, host: string): Caller | undefined {
    const grantType = fields.get("grant_type");
    if (grantType === "refresh_token") return this.#byRefreshToken(fields.get("refresh_token") ?? "", host);
    if (grantType === "password") return this.#byUser(fields.get("username") ?? "", fields.get("password") ?? "", host);
    throw badRequest();
  }

  #token(registry: ArmResource, host: string, fields: URLSearchParams, caller: Caller | undefined): CloudResponse {
    const scopes = parseScopes(fields.getAll("scope"));
    if (fields.get("service") !== host || !scopes) throw badRequest();
    if (!caller) throw registryError("UNAUTHORIZED", WORDS);
    const access = scopes
      .map((scope) => this.#granted(caller, registry, scope))
      .filter(({ actions }) => actions.length > 0);
    const claims = { aud: host, sub: caller.principal.objectId, grant_type: "access_token", access } as const;
    return { status: 200, body: { access_token: this.#mint.issue(claims, ACCESS_LIFETIME) } };
  }

  #granted(caller: Caller, registry: ArmResource, scope: Access): Access {
    if (scope.type === "registry") {
      const may = scope.name === "catalog" && this.allows(caller, registry, "catalog");
      return { ...scope, actions: may ? ["*"] : [] };
    }
    // What is decided repository by repository is granted for none of them in general.
    if (scope.name === ALL && hasRepositoryPermissions(registry)) return { ...scope, actions: [] };
    const wanted = scope.actions.includes("*")
      ? Object.keys(CONTROL_ACTIONS).filter((name) => name !== "catalog")
      : scope.actions;
    return {
      ...scope,
      actions: wanted.filter((action) => action !== "catalog" && this.allows(caller, registry, action)),
    };
  }

  #basic(authorization: string | undefined, host: string): Caller | undefined {
    const encoded = /^Basic (.+)$/i.exec(authorization ?? "")?.[1];
    if (encoded === undefined) return undefined;
    const text = Buffer.from(encoded, "base64").toString("utf8");
    const colon = text.indexOf(":");
    return colon < 0 ? undefined : this.#byUser(text.slice(0, colon), text.slice(colon + 1), host);
  }

  #byUser(user: string, password: string, host: string): Caller | undefined {
    return user === NULL_USER ? this.#byRefreshToken(password, host) : this.byPassword(user, password);
  }

  #byRefreshToken(token: string, host: string): Caller | undefined {
    const claims = this.#mint.read(token, host, "refresh_token");
    const principal = claims && this.#options.directory.find(claims.sub);
    return principal && { principal, groups: claims?.groups ?? [] };
  }
}

function hasRepositoryPermissions(registry: ArmResource): boolean {
  return registry.properties.roleAssignmentMode === "AbacRepositoryPermissions";
}

function covers(access: readonly Access[], name: string, action: string): boolean {
  if (action === "catalog") return access.some((entry) => entry.type === "registry" && entry.name === "catalog");
  const actions = access
    .filter((entry) => entry.type === "repository" && (entry.name === name || entry.name === ALL))
    .flatMap((entry) => entry.actions);
  return actions.includes(action) || (action === "metadata_read" && actions.includes("pull"));
}

function form(request: CloudRequest): URLSearchParams {
  const type = request.headers["content-type"]?.split(";")[0]?.trim();
  if (type !== "application/x-www-form-urlencoded") throw badRequest();
  return new URLSearchParams(request.body.toString("utf8"));
}

function badRequest(): ServiceError {
  const message = "the request is malformed: grant_type, service, scope or tenant is missing or wrong";
  const body = { errors: [{ code: "BAD_REQUEST", message }] };
  return new ServiceError({ status: 400, body }, message);
}

function challenge(host: string, need: Need, error: string): ServiceError {
  const type = need.type === "catalog" ? "registry" : "repository";
  const scope = need.type === "base" ? "" : `,scope="${type}:${need.name}:${need.actions.join(",")}"`;
  const reason = error ? `,error="${error}"` : "";
  const header = `Bearer realm="https://${host}/oauth2/token",service="${host}"${scope}${reason}`;
  const detail = need.actions.map((action) => ({ Type: type, Name: need.name, Action: action }));
  return registryError("UNAUTHORIZED", WORDS, detail.length ? detail : undefined, { "www-authenticate": header });
}
