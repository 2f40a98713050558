// graph.microsoft.com, v1.0: applications with their secrets and federated credentials, service principals, groups and
// their members, and users to look up.

import type { Application } from "../entra/directory.ts";
import { TokenError } from "../entra/errors.ts";
import type { Entra } from "../entra/service.ts";
import type { Caller, CloudRequest, CloudResponse, Principal, Service } from "../types.ts";
import {
  applicationEntity,
  type Body,
  collection,
  entity,
  notSupported,
  ORIGIN,
  readBody,
  readPassword,
  secretEntity,
} from "./entities.ts";
import { denied, GraphFault, notFound } from "./errors.ts";
import { FederatedCredentials } from "./federatedCredentials.ts";
import { answerMembers, checkMemberObjects, isOfMembers } from "./members.ts";
import { query, select } from "./query.ts";
import { applicationSchema, checkBody, servicePrincipalSchema } from "./schema.ts";

const MANAGE_ALL = "Application.ReadWrite.All";
const MANAGE_OWNED = "Application.ReadWrite.OwnedBy";
const MANAGE_MEMBERS = ["GroupMember.ReadWrite.All", "Group.ReadWrite.All"];
const readDirectory = ["Directory.Read.All", "Directory.ReadWrite.All"];

interface Call {
  readonly request: CloudRequest;
  readonly caller: Caller;
  /** The object that the path names, if any, and what follows it. */
  readonly id: string;
  readonly tail: string;
}

/** Microsoft Graph over a directory. */
export class Graph {
  readonly #entra: Entra;
  readonly #federated = new FederatedCredentials();
  /** Owners of applications and service principals, and what Graph was told of service principals. */
  readonly #owners = new Map<string, string[]>();
  readonly #properties = new Map<string, Body>();

  constructor(entra: Entra) {
    this.#entra = entra;
  }

  /** Answers for graph.microsoft.com. */
  readonly service: Service = async (request) => {
    const caller = this.#authenticate(request);
    const path = decodeURIComponent(request.url.pathname).replace(/^\/v1\.0\//, "");
    if (path === request.url.pathname) throw new GraphFault(400, "BadRequest", "Invalid version.");
    const [, set = "", key, plain = "", tail = ""] =
      /^(directory\/deletedItems|\w+)(?:\(appId='([^']*)'\)|\/([^/]+))?(?:\/(.+))?$/.exec(path) ?? [];
    const call = { request, caller, id: key === undefined ? plain : this.#idOf(set, key), tail };
    switch (set) {
      case "applications":
        return this.#applications(call);
      case "servicePrincipals":
        return this.#servicePrincipals(call);
      case "directory/deletedItems":
        return this.#deletedItems(call);
      case "directoryObjects":
        return this.#directoryObjects(call);
      case "groups":
        return this.#lookUp(call, "Group", ["Group.Read.All", "GroupMember.Read.All"]);
      case "users":
        return this.#lookUp(call, "User", ["User.Read.All", "User.ReadBasic.All"]);
      case "me":
        throw new GraphFault(400, "BadRequest", "/me request is only valid with delegated authentication flow.");
      default:
        throw new GraphFault(400, "BadRequest", `Resource not found for the segment '${set || path}'.`);
    }
  };

  #authenticate(request: CloudRequest): Caller {
    try {
      return this.#entra.authenticate(request.headers.authorization, ORIGIN);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      const words = {
        AuthenticationFailed: "Access token is empty.",
        InvalidAuthenticationToken: "Access token validation failure. Invalid signature.",
        InvalidAuthenticationTokenAudience: "Access token validation failure. Invalid audience.",
        ExpiredAuthenticationToken: "Lifetime validation failed, the token is expired.",
      };
      throw new GraphFault(401, "InvalidAuthenticationToken", words[error.code]);
    }
  }

  /** The object id behind `applications(appId='...')`. */
  #idOf(set: string, appId: string): string {
    const found = set === "applications" ? this.#entra.applicationByClientId(appId) : this.#entra.findByClientId(appId);
    if (!found) throw notFound(appId);
    return found.objectId;
  }

  async #applications({ request, caller, id, tail }: Call): Promise<CloudResponse> {
    const { method, url } = request;
    if (id === "") {
      if (method === "POST") return this.#createApplication(request, caller);
      this.#demandRead(caller);
      return collection(
        method,
        "applications",
        query(this.#entra.applications().map(applicationEntity), url.searchParams),
      );
    }
    this.#demandRead(caller);
    const application = this.#entra.application(id);
    if (!application) throw notFound(id);
    if (method === "GET" && tail === "")
      return entity("applications", select(applicationEntity(application), url.searchParams));
    if (method === "GET" && tail === "owners") return this.#listOwners(id);
    if (FederatedCredentials.owns(tail))
      return this.#federated.answer(application, tail, request, () => this.#demandWrite(caller, id));
    this.#demandWrite(caller, id);
    if (method === "POST" && tail === "addPassword") return this.#addPassword(application, request);
    if (method === "POST" && tail === "removePassword") return this.#removePassword(application, request);
    if (method === "DELETE" && tail === "") {
      this.#entra.deleteApplication(id);
      return { status: 204 };
    }
    if (method !== "PATCH" || tail !== "") throw notSupported(method);
    const body = readBody(request);
    checkBody(applicationSchema, body, false);
    this.#demandFreeUris(body, application);
    const { displayName, ...properties } = body;
    if (displayName !== undefined) application.displayName = String(displayName);
    Object.assign(application.properties, properties);
    return { status: 204 };
  }

  #createApplication(request: CloudRequest, caller: Caller): CloudResponse {
    if (!this.#has(caller, MANAGE_ALL, MANAGE_OWNED)) throw denied();
    const body = readBody(request);
    checkBody(applicationSchema, body, true);
    this.#demandFreeUris(body);
    const owners = this.#readOwners(body, caller);
    const { displayName, "owners@odata.bind": _, ...properties } = body;
    const application = this.#entra.addApplication({ displayName: String(displayName), properties });
    this.#owners.set(application.objectId, owners);
    return entity("applications", applicationEntity(application), 201);
  }

  #demandFreeUris(body: Body, own?: Application): void {
    for (const uri of (body.identifierUris as string[] | undefined) ?? []) {
      const taken = this.#entra
        .applications()
        .some((other) => other !== own && ((other.properties.identifierUris as string[]) ?? []).includes(uri));
      if (!taken) continue;
      const word = "Another object with the same value for property identifierUris already exists.";
      throw new GraphFault(400, "Request_MultipleObjectsWithSameKeyValue", word);
    }
  }

  #addPassword(application: Application, request: CloudRequest): CloudResponse {
    const { secretText, ...secret } = this.#entra.addSecret(application.objectId, readPassword(readBody(request)));
    const context = `${ORIGIN}/v1.0/$metadata#microsoft.graph.passwordCredential`;
    return { status: 200, body: { "@odata.context": context, ...secretEntity(secret), secretText } };
  }

  #removePassword(application: Application, request: CloudRequest): CloudResponse {
    const { keyId } = readBody(request);
    const index = application.secrets.findIndex((secret) => secret.keyId === keyId);
    if (index < 0) throw new GraphFault(400, "Request_BadRequest", "No password credential found with keyId.");
    application.secrets.splice(index, 1);
    return { status: 204 };
  }

  async #servicePrincipals({ request, caller, id, tail }: Call): Promise<CloudResponse> {
    const { method, url } = request;
    if (id === "") {
      if (method === "POST") return this.#createServicePrincipal(request, caller);
      this.#demandRead(caller);
      const all = this.#entra.principals().filter(({ kind }) => kind === "ServicePrincipal");
      const entities = all.map((principal) => this.#servicePrincipalEntity(principal));
      return collection(method, "servicePrincipals", query(entities, url.searchParams));
    }
    this.#demandRead(caller);
    const principal = this.#entra.find(id);
    if (principal?.kind !== "ServicePrincipal") throw notFound(id);
    if (method === "GET" && tail === "") {
      return entity("servicePrincipals", select(this.#servicePrincipalEntity(principal), url.searchParams));
    }
    if (method === "GET" && tail === "owners") return this.#listOwners(id);
    if (method === "POST" && tail === "checkMemberObjects") return checkMemberObjects(this.#entra, id, request);
    this.#demandWrite(caller, id);
    if (method === "DELETE" && tail === "") {
      this.#entra.remove(id);
      return { status: 204 };
    }
    if (method !== "PATCH" || tail !== "") throw notSupported(method);
    const body = readBody(request);
    checkBody(servicePrincipalSchema, body, false);
    if (body.appId !== undefined)
      throw new GraphFault(400, "Request_BadRequest", "Property 'appId' is read-only and cannot be set.");
    this.#properties.set(id, { ...this.#properties.get(id), ...body });
    return { status: 204 };
  }

  #createServicePrincipal(request: CloudRequest, caller: Caller): CloudResponse {
    if (!this.#has(caller, MANAGE_ALL, MANAGE_OWNED)) throw denied();
    const body = readBody(request);
    checkBody(servicePrincipalSchema, body, true);
    const { appId, "owners@odata.bind": _, ...properties } = body;
    const application = this.#entra.applicationByClientId(String(appId));
    if (!application) {
      const word = `The appId '${appId}' of the service principal does not reference a valid application object.`;
      throw new GraphFault(400, "Request_BadRequest", word);
    }
    if (this.#entra.findByClientId(application.clientId)) {
      const word =
        "The service principal cannot be created, updated, or restored because the service principal name " +
        `${appId} is already in use.`;
      throw new GraphFault(409, "Request_MultipleObjectsWithSameKeyValue", word);
    }
    // Who only manages what it owns needs the application to be its own, too.
    this.#demandWrite(caller, application.objectId);
    const owners = this.#readOwners(body, caller);
    const principal = this.#entra.addServicePrincipal(application.clientId);
    this.#owners.set(principal.objectId, owners);
    this.#properties.set(principal.objectId, properties);
    return entity("servicePrincipals", this.#servicePrincipalEntity(principal), 201);
  }

  #servicePrincipalEntity(principal: Principal): Body {
    return {
      id: principal.objectId,
      accountEnabled: true,
      alternativeNames: principal.identityId === undefined ? [] : ["isExplicit=True", principal.identityId],
      appDisplayName: principal.displayName,
      appId: principal.clientId,
      appOwnerOrganizationId: this.#entra.tenantId,
      appRoleAssignmentRequired: false,
      appRoles: [],
      deletedDateTime: null,
      displayName: principal.displayName,
      oauth2PermissionScopes: [],
      servicePrincipalNames: [principal.clientId],
      servicePrincipalType: principal.identityId === undefined ? "Application" : "ManagedIdentity",
      signInAudience: "AzureADMyOrg",
      tags: [],
      ...this.#properties.get(principal.objectId),
    };
  }

  async #deletedItems({ request, caller, id, tail }: Call): Promise<CloudResponse> {
    this.#demandRead(caller);
    const deleted = this.#entra.deletedApplications();
    if (request.method === "GET" && id === "microsoft.graph.application" && tail === "") {
      return collection("GET", "applications", query(deleted.map(applicationEntity), request.url.searchParams));
    }
    const application = deleted.find(({ objectId }) => objectId === id);
    if (!application) throw notFound(id);
    if (request.method === "GET") return entity("applications", applicationEntity(application));
    if (request.method !== "DELETE") throw notSupported(request.method);
    this.#demandWrite(caller, id);
    this.#entra.purgeApplication(id);
    return { status: 204 };
  }

  /** https://learn.microsoft.com/graph/api/directoryobject-getbyids */
  async #directoryObjects({ request, caller, id, tail }: Call): Promise<CloudResponse> {
    this.#demandRead(caller);
    if (request.method !== "POST" || id !== "getByIds" || tail !== "") throw notSupported(request.method);
    const { ids } = readBody(request);
    if (!Array.isArray(ids)) throw new GraphFault(400, "Request_BadRequest", "A value is required for property 'ids'.");
    const types = { User: "user", Group: "group", ServicePrincipal: "servicePrincipal" };
    const value = ids
      .map((one) => this.#entra.find(String(one)))
      .filter((found): found is Principal => found !== undefined)
      .map((found) => ({
        "@odata.type": `#microsoft.graph.${types[found.kind]}`,
        ...(found.kind === "ServicePrincipal"
          ? this.#servicePrincipalEntity(found)
          : { id: found.objectId, displayName: found.displayName }),
      }));
    return { status: 200, body: { "@odata.context": `${ORIGIN}/v1.0/$metadata#directoryObjects`, value } };
  }

  async #lookUp(
    { request, caller, id, tail }: Call,
    kind: Principal["kind"],
    permissions: string[],
  ): Promise<CloudResponse> {
    if (!this.#has(caller, ...permissions, ...MANAGE_MEMBERS, ...readDirectory)) throw denied();
    if (kind === "Group" && isOfMembers(tail)) {
      const group = this.#entra.find(id);
      if (group?.kind !== kind) throw notFound(id);
      return answerMembers(this.#entra, group, tail, request, () => {
        if (!this.#has(caller, ...MANAGE_MEMBERS)) throw denied();
      });
    }
    if (request.method !== "GET" || tail !== "") throw notSupported(request.method);
    const set = kind === "Group" ? "groups" : "users";
    const describe = ({ objectId, displayName }: Principal) => ({
      id: objectId,
      displayName,
      ...(kind === "Group" ? { mailEnabled: false, securityEnabled: true } : { accountEnabled: true }),
    });
    if (id === "") {
      const all = this.#entra.principals().filter((principal) => principal.kind === kind);
      return collection("GET", set, query(all.map(describe), request.url.searchParams));
    }
    const principal = this.#entra.find(id);
    if (principal?.kind !== kind) throw notFound(id);
    return entity(set, select(describe(principal), request.url.searchParams));
  }

  #listOwners(id: string): CloudResponse {
    const value = (this.#owners.get(id) ?? []).map((owner) => ({ id: owner }));
    return { status: 200, body: { "@odata.context": `${ORIGIN}/v1.0/$metadata#directoryObjects`, value } };
  }

  /** The owners that a body binds; the caller without any. */
  #readOwners(body: Body, caller: Caller): string[] {
    const bound = (body["owners@odata.bind"] as string[] | undefined) ?? [];
    const owners = bound.map((url) => url.slice(url.lastIndexOf("/") + 1));
    for (const owner of owners) if (!this.#entra.find(owner)) throw notFound(owner);
    return owners.length > 0 ? owners : [caller.principal.objectId];
  }

  #has(caller: Caller, ...permissions: string[]): boolean {
    const granted = this.#entra.graphPermissions(caller.principal.objectId);
    return permissions.some((permission) => granted.includes(permission));
  }

  #demandRead(caller: Caller): void {
    if (!this.#has(caller, "Application.Read.All", MANAGE_ALL, MANAGE_OWNED, ...readDirectory)) throw denied();
  }

  #demandWrite(caller: Caller, id: string): void {
    if (this.#has(caller, MANAGE_ALL)) return;
    const isOwner = this.#owners.get(id)?.includes(caller.principal.objectId) ?? false;
    if (!isOwner || !this.#has(caller, MANAGE_OWNED)) throw denied();
  }
}
