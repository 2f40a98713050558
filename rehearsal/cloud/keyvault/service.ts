// Key Vault's data plane for keys, and the part of ARM's vaults/keys that makes them.
import { TokenError } from "../entra/errors.ts";
import type {
  Arm,
  ArmExtension,
  ArmResource,
  Caller,
  CloudRequest,
  CloudResponse,
  Directory,
  Place,
  Service,
} from "../types.ts";
import { actions, type Call, demandAllowed, demandReachable } from "./access.ts";
import { badParameter, challenge, keyNotFound, keyVaultError } from "./errors.ts";
import {
  attributesOf,
  describe,
  type Key,
  type KeyVersion,
  keyBundle,
  kid,
  newVersion,
  type Operation,
  operate,
} from "./keys.ts";

const AUDIENCE = "https://vault.azure.net";

export interface KeyVaultOptions {
  readonly arm: Arm;
  readonly directory: Directory;
}

export class KeyVault {
  readonly #arm: Arm;
  readonly #directory: Directory;
  readonly #keys = new Map<string, Key>();

  constructor({ arm, directory }: KeyVaultOptions) {
    this.#arm = arm;
    this.#directory = directory;
  }

  /** What ARM needs to make keys. A key's material outlives a soft-deleted vault, and is there again when it is recovered. */
  readonly extension: ArmExtension = {
    type: "Microsoft.KeyVault/vaults/keys",
    created: (resource) => this.#created(resource),
  };

  /** Whether there is a vault behind a host such as `kv-prod.vault.azure.net`; a new or a soft-deleted one has no address. */
  exists(host: string): boolean {
    const vault = this.#vault(host);
    return vault !== undefined && vault.properties.provisioningState !== "RegisteringDns";
  }

  /** Why a caller gets no connection to a host; see Arm.noWay. */
  noWay(host: string, place: Place): string | undefined {
    const vault = this.#vault(host);
    return vault && this.#arm.noWay(vault, host, place);
  }

  /** Answers for `*.vault.azure.net`. */
  readonly service: Service = async (request) => {
    const vault = this.#vault(request.url.hostname);
    if (!vault) throw new Error(`there is no vault behind ${request.url.hostname}`);
    const caller = this.#authenticate(request);
    const call: Call = { request, caller, vault, tenantId: this.#directory.tenantId };
    demandReachable(this.#arm, call);
    const version = request.url.searchParams.get("api-version");
    if (!version) throw badParameter("The request is missing the 'api-version' query parameter.");
    if (!/^(7\.[0-6]|2016-10-01|2025-\d\d-\d\d)(-preview(\.\d+)?)?$/.test(version)) {
      throw badParameter(
        `The specified version (${version}) is not recognized. Consider using the latest supported version (7.6).`,
      );
    }
    return this.#route(call);
  };

  #vault(host: string): ArmResource | undefined {
    const [name = ""] = host.toLowerCase().split(".");
    return this.#arm.list("Microsoft.KeyVault/vaults").find((vault) => vault.name.toLowerCase() === name);
  }

  #authenticate(request: CloudRequest): Caller {
    try {
      return this.#directory.authenticate(request.headers.authorization, AUDIENCE);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      throw challenge(this.#directory.tenantId, request.headers.authorization ? error.message : undefined);
    }
  }

  async #route(call: Call): Promise<CloudResponse> {
    const { method, url } = call.request;
    const [set = "", name, third, fourth, ...more] = url.pathname.split("/").filter((part) => part !== "");
    if (more.length === 0 && set === "keys") {
      if (name === undefined && method === "GET") return this.#list(call);
      if (name !== undefined && method === "GET" && fourth === undefined) {
        return third === "versions" ? this.#versions(call, name) : this.#get(call, name, third);
      }
      if (name !== undefined && method === "DELETE" && third === undefined) return this.#delete(call, name);
      if (name !== undefined && method === "POST" && third === "create" && fourth === undefined)
        return this.#create(call, name);
      // Without a version, the operation is the third part.
      const [version, operation] = fourth === undefined ? [undefined, third] : [third, fourth];
      if (name !== undefined && method === "POST" && operation !== undefined && operation in actions) {
        return this.#operate(call, name, version, operation as Operation);
      }
    }
    if (set === "deletedkeys" && name !== undefined && third === undefined && method === "GET") {
      return this.#getDeleted(call, name);
    }
    throw keyVaultError(404, "NotFound", `${method} ${url.pathname} is not part of this vault's interface.`);
  }

  /** A new key, or a new version of one, made by the data plane; ARM shows it as it shows its own. */
  async #create(call: Call, name: string): Promise<CloudResponse> {
    demandAllowed(this.#arm, call, "create/action", name);
    const { kty, key_size, crv, key_ops, attributes, tags, ...rest } = readBody(call.request);
    const [unknown] = Object.entries(rest).find(([, value]) => value !== null) ?? [];
    if (unknown !== undefined) throw badParameter(`Property ${unknown} is not supported.`);
    const id = keyId(call.vault, name);
    const known = this.#keys.get(id);
    if (known?.deleted !== undefined) throw recoverable(name);
    const version = await newVersion({ kty, keySize: key_size ?? undefined, curveName: crv ?? undefined });
    const key = known ?? emptyKey(name, urlOf(call.vault), version);
    if (known !== undefined) known.versions.push(version);
    this.#keys.set(id, key);
    const resource: ArmResource = {
      id: `${call.vault.id}/keys/${name}`,
      name,
      type: "Microsoft.KeyVault/vaults/keys",
      ...(call.vault.location === undefined ? {} : { location: call.vault.location }),
      ...(tags === undefined || tags === null ? {} : { tags: tags as Record<string, string> }),
      properties: {
        kty: version.kty,
        keyOps: key_ops ?? OPERATIONS,
        ...(version.kty.startsWith("RSA") ? { keySize: key_size ?? 2048 } : { curveName: crv ?? "P-256" }),
        attributes: {
          ...(attributes as object | undefined),
          recoveryLevel: call.vault.properties.enablePurgeProtection === true ? "Recoverable" : "Recoverable+Purgeable",
        },
      },
    };
    describe(key, resource);
    key.updated = version.created;
    this.#show(key, resource);
    this.#arm.adopt(resource);
    return { status: 200, body: keyBundle(key, version) };
  }

  #list(call: Call): CloudResponse {
    demandAllowed(this.#arm, call, "read");
    const keys = [...this.#keys.values()].filter(
      (key) => key.vaultUrl === urlOf(call.vault) && this.#isAlive(call.vault, key),
    );
    const value = keys.map((key) => {
      const version = newest(key);
      return { kid: `${key.vaultUrl}/keys/${key.name}`, attributes: attributesOf(key, version), tags: key.tags };
    });
    return { status: 200, body: { value, nextLink: null } };
  }

  #versions(call: Call, name: string): CloudResponse {
    demandAllowed(this.#arm, call, "read", name);
    const key = this.#find(call.vault, name);
    const value = key.versions.map((version) => ({ kid: kid(key, version), attributes: attributesOf(key, version) }));
    return { status: 200, body: { value, nextLink: null } };
  }

  #get(call: Call, name: string, version: string | undefined): CloudResponse {
    demandAllowed(this.#arm, call, "read", name);
    const key = this.#find(call.vault, name);
    return { status: 200, body: keyBundle(key, versionOf(key, version)) };
  }

  #operate(call: Call, name: string, version: string | undefined, operation: Operation): CloudResponse {
    demandAllowed(this.#arm, call, actions[operation], name);
    const key = this.#find(call.vault, name);
    const used = versionOf(key, version);
    const { alg, value } = readBody(call.request);
    if (typeof alg !== "string") throw badParameter("Property 'alg' is required.");
    if (typeof value !== "string" || !/^[\w-]+$/.test(value)) throw badParameter("Property 'value' is not base64url.");
    const result = operate(key, used, operation, alg, Buffer.from(value, "base64url"));
    return { status: 200, body: { kid: kid(key, used), value: result.toString("base64url") } };
  }

  #delete(call: Call, name: string): CloudResponse {
    demandAllowed(this.#arm, call, "delete", name);
    const key = this.#find(call.vault, name);
    key.deleted = Math.floor(Date.now() / 1000);
    return { status: 200, body: deletedBundle(call.vault, key, key.deleted) };
  }

  #getDeleted(call: Call, name: string): CloudResponse {
    demandAllowed(this.#arm, call, "read", name);
    const key = this.#keys.get(keyId(call.vault, name));
    if (key?.deleted === undefined) throw keyVaultError(404, "KeyNotFound", `Deleted Key not found: ${name}`);
    return { status: 200, body: deletedBundle(call.vault, key, key.deleted) };
  }

  #isAlive(vault: ArmResource, key: Key): boolean {
    return key.deleted === undefined && this.#arm.get(`${vault.id}/keys/${key.name}`) !== undefined;
  }

  #find(vault: ArmResource, name: string): Key {
    const key = this.#keys.get(keyId(vault, name));
    if (!key || !this.#isAlive(vault, key)) throw keyNotFound(name);
    return key;
  }

  async #created(resource: ArmResource): Promise<void> {
    const vault = this.#arm.get(resource.id.replace(/\/keys\/[^/]+$/i, ""));
    if (!vault) throw new Error(`there is no vault around ${resource.id}`);
    const { properties } = resource;
    let key = this.#keys.get(keyId(vault, resource.name));
    // ARM shows a resource's earlier URL when it is written again; a key of a vault that was purged since has none.
    const isNew = key === undefined || properties.keyUriWithVersion !== kid(key, newest(key));
    if (key?.deleted !== undefined && !isNew) throw recoverable(key.name);
    if (key === undefined || isNew) {
      const version = await newVersion(properties);
      key = emptyKey(resource.name, urlOf(vault), version);
      this.#keys.set(keyId(vault, resource.name), key);
    }
    describe(key, resource);
    key.updated = Math.floor(Date.now() / 1000);
    this.#show(key, resource);
  }

  /** What ARM shows of a key's newest version. */
  #show(key: Key, { properties }: ArmResource): void {
    properties.keyUri = `${key.vaultUrl}/keys/${key.name}`;
    properties.keyUriWithVersion = kid(key, newest(key));
    properties.attributes = attributesOf(key, newest(key));
  }
}

/** What a new key can do unless it says otherwise. */
const OPERATIONS = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];

function recoverable(name: string) {
  const word =
    `Key ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, ` +
    "the key can only be recovered or purged.";
  return keyVaultError(409, "Conflict", word, "ObjectIsDeletedButRecoverable");
}

function emptyKey(name: string, vaultUrl: string, version: KeyVersion): Key {
  return {
    name,
    vaultUrl,
    versions: [version],
    operations: [],
    tags: undefined,
    enabled: true,
    updated: version.created,
    notBefore: undefined,
    expires: undefined,
    recoveryLevel: "",
    deleted: undefined,
  };
}

function keyId(vault: ArmResource, name: string): string {
  return `${vault.id}/keys/${name}`.toLowerCase();
}

function urlOf(vault: ArmResource): string {
  return `https://${vault.name.toLowerCase()}.vault.azure.net`;
}

function newest(key: Key): KeyVersion {
  const version = key.versions.at(-1);
  if (!version) throw new Error(`the key ${key.name} has no version`);
  return version;
}

function versionOf(key: Key, version: string | undefined): KeyVersion {
  if (version === undefined) return newest(key);
  const found = key.versions.find((candidate) => candidate.version === version);
  if (!found) throw keyNotFound(`${key.name}/${version}`);
  return found;
}

function deletedBundle(vault: ArmResource, key: Key, deleted: number): Record<string, unknown> {
  const days = Number(vault.properties.softDeleteRetentionInDays ?? 90);
  return {
    ...keyBundle(key, newest(key)),
    recoveryId: `${key.vaultUrl}/deletedkeys/${key.name}`,
    deletedDate: deleted,
    scheduledPurgeDate: deleted + days * 24 * 60 * 60,
  };
}

function readBody(request: CloudRequest): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(request.body.toString());
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw badParameter("The request body is not valid JSON.");
}
