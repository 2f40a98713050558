// Entra's directory of one tenant: who there is, who belongs where, and who may ask for tokens.
import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Caller, Directory, FederatedCredential, Principal } from "../types.ts";
import { TokenError } from "./errors.ts";
import type { Federation } from "./federation.ts";
import type { TokenIssuer } from "./tokens.ts";

/** A client secret; its text is kept as a hash alone. */
export interface ApplicationSecret {
  readonly keyId: string;
  readonly displayName: string | null;
  readonly startDateTime: string;
  readonly endDateTime: string;
  /** From when on Entra takes it: it is not known everywhere at once. */
  readonly takenFrom: Date;
  /** The first three characters, as Graph shows them. */
  readonly hint: string;
  readonly hash: string;
}

/** A federated credential of an application. */
export interface ApplicationCredential extends FederatedCredential {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
}

/** An application's registration. */
export interface Application {
  readonly objectId: string;
  readonly clientId: string;
  readonly createdDateTime: string;
  displayName: string;
  /** Further properties as Graph was given them. */
  properties: Record<string, unknown>;
  readonly secrets: ApplicationSecret[];
  readonly federatedCredentials: ApplicationCredential[];
}

export interface DirectoryOptions {
  readonly tenantId: string;
  /** What decides about client assertions; without it each is refused. May be set later with `federate`. */
  readonly federation?: Federation;
  /** How long a new secret is not taken yet, in milliseconds; default 0. */
  readonly secretDelay?: number;
}

/** A client's way to sign in. */
export interface ClientCredential {
  readonly objectId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const TWO_YEARS = 2 * 365 * 24 * 60 * 60 * 1000;

export class TenantDirectory implements Directory {
  readonly tenantId: string;
  readonly issuer: TokenIssuer;
  readonly now: () => Date;
  readonly #principals = new Map<string, Principal>();
  readonly #members = new Map<string, Set<string>>();
  readonly #applications = new Map<string, Application>();
  readonly #deleted = new Map<string, Application>();
  readonly #permissions = new Map<string, Set<string>>();
  readonly #secretDelay: number;
  #federation: Federation | undefined;

  constructor(options: DirectoryOptions, issuer: TokenIssuer, now: () => Date) {
    this.tenantId = options.tenantId;
    this.issuer = issuer;
    this.now = now;
    this.#federation = options.federation;
    this.#secretDelay = options.secretDelay ?? 0;
  }

  get federation(): Federation | undefined {
    return this.#federation;
  }

  /** Lets managed identities sign in with the tokens of their federated credentials' issuers. */
  federate(federation: Federation): void {
    this.#federation = federation;
  }

  find(objectId: string): Principal | undefined {
    return this.#principals.get(objectId.toLowerCase());
  }

  findByClientId(clientId: string): Principal | undefined {
    const wanted = clientId.toLowerCase();
    return this.principals().find((principal) => principal.clientId?.toLowerCase() === wanted);
  }

  /** Everybody in the directory. */
  principals(): Principal[] {
    return [...this.#principals.values()];
  }

  /** @param objectId default: a new one. */
  addUser(displayName: string, objectId: string = randomUUID()): Principal {
    return this.#add({ objectId, kind: "User", displayName });
  }

  addGroup(objectId: string, displayName: string): Principal {
    return this.#add({ objectId, kind: "Group", displayName });
  }

  /** Adds a user, service principal or group to a group. */
  addMember(groupId: string, objectId: string): void {
    if (this.find(groupId)?.kind !== "Group") throw new Error(`there is no group ${groupId}`);
    if (!this.find(objectId)) throw new Error(`there is no object ${objectId} to add to group ${groupId}`);
    const members = this.#members.get(groupId.toLowerCase()) ?? new Set();
    this.#members.set(groupId.toLowerCase(), members.add(objectId.toLowerCase()));
  }

  removeMember(groupId: string, objectId: string): void {
    this.#members.get(groupId.toLowerCase())?.delete(objectId.toLowerCase());
  }

  /** Who belongs to a group itself. */
  membersOf(groupId: string): Principal[] {
    return [...(this.#members.get(groupId.toLowerCase()) ?? [])].flatMap((id) => this.find(id) ?? []);
  }

  /** The object ids of all groups that an object belongs to, through other groups too. */
  groupsOf(objectId: string): string[] {
    const found = new Set<string>();
    const pending = [objectId.toLowerCase()];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const [group, members] of this.#members) {
        if (!members.has(next) || found.has(group)) continue;
        found.add(group);
        pending.push(group);
      }
    }
    return [...found].map((group) => this.find(group)?.objectId ?? group);
  }

  /** Registers an application; it can sign in once it has a service principal and a secret. */
  addApplication(options: {
    readonly displayName: string;
    readonly objectId?: string;
    readonly clientId?: string;
    readonly properties?: Record<string, unknown>;
  }): Application {
    const application: Application = {
      objectId: options.objectId ?? randomUUID(),
      clientId: options.clientId ?? randomUUID(),
      createdDateTime: this.now().toISOString(),
      displayName: options.displayName,
      properties: options.properties ?? {},
      secrets: [],
      federatedCredentials: [],
    };
    this.#applications.set(application.objectId.toLowerCase(), application);
    return application;
  }

  application(objectId: string): Application | undefined {
    return this.#applications.get(objectId.toLowerCase());
  }

  applicationByClientId(clientId: string): Application | undefined {
    return this.applications().find((application) => application.clientId === clientId.toLowerCase());
  }

  applications(): Application[] {
    return [...this.#applications.values()];
  }

  /** Deleted applications, which Graph keeps for 30 days. */
  deletedApplications(): Application[] {
    return [...this.#deleted.values()];
  }

  /** Moves an application to the deleted items; its service principal goes with it. */
  deleteApplication(objectId: string): void {
    const application = this.application(objectId);
    if (!application) return;
    this.#applications.delete(objectId.toLowerCase());
    this.#deleted.set(objectId.toLowerCase(), application);
    const principal = this.findByClientId(application.clientId);
    if (principal) this.remove(principal.objectId);
  }

  /** Removes a deleted application for good. */
  purgeApplication(objectId: string): void {
    this.#deleted.delete(objectId.toLowerCase());
  }

  /** Adds the service principal of an application. */
  addServicePrincipal(clientId: string, objectId: string = randomUUID()): Principal {
    const application = this.applicationByClientId(clientId);
    if (!application) throw new Error(`there is no application with the client id ${clientId}`);
    return this.#add({
      objectId,
      kind: "ServicePrincipal",
      displayName: application.displayName,
      clientId: application.clientId,
    });
  }

  /**
   * Adds a secret to an application.
   * @param options.endDateTime when it expires; default: in two years.
   * @param delay how long it is not taken yet, in milliseconds; default: the directory's.
   * @returns its text too, which nobody can read again.
   */
  addSecret(
    applicationObjectId: string,
    options: {
      readonly displayName?: string | null;
      readonly startDateTime?: string;
      readonly endDateTime?: string;
    } = {},
    delay = this.#secretDelay,
  ): ApplicationSecret & { readonly secretText: string } {
    const application = this.application(applicationObjectId);
    if (!application) throw new Error(`there is no application ${applicationObjectId}`);
    const secretText = randomBytes(30).toString("base64url");
    const secret: ApplicationSecret = {
      keyId: randomUUID(),
      displayName: options.displayName ?? null,
      startDateTime: options.startDateTime ?? this.now().toISOString(),
      endDateTime: options.endDateTime ?? new Date(this.now().getTime() + TWO_YEARS).toISOString(),
      takenFrom: new Date(this.now().getTime() + delay),
      hint: secretText.slice(0, 3),
      hash: hashSecret(secretText),
    };
    application.secrets.push(secret);
    return { ...secret, secretText };
  }

  /** The secret of a client that has this text and is taken, expired or not. */
  secret(clientId: string, text: string): ApplicationSecret | undefined {
    const hash = hashSecret(text);
    const isIt = (secret: ApplicationSecret) => secret.hash === hash && secret.takenFrom <= this.now();
    return this.applicationByClientId(clientId)?.secrets.find(isIt);
  }

  /** The service principal that signs in with a secret which is taken and has not ended. */
  byPassword(clientId: string, text: string): Principal | undefined {
    const end = this.secret(clientId, text)?.endDateTime;
    return end !== undefined && new Date(end) > this.now() ? this.findByClientId(clientId) : undefined;
  }

  /** An application with service principal, secret and memberships: all that a process needs to sign in at once. */
  addClient(displayName: string, groups: readonly string[] = []): ClientCredential {
    const { objectId: applicationId, clientId } = this.addApplication({ displayName });
    const { objectId } = this.addServicePrincipal(clientId);
    for (const group of groups) this.addMember(group, objectId);
    return { objectId, clientId, clientSecret: this.addSecret(applicationId, {}, 0).secretText };
  }

  /** Gives a principal application permissions of Microsoft Graph, for example `Application.ReadWrite.All`. */
  grantGraph(objectId: string, ...permissions: string[]): void {
    const granted = this.#permissions.get(objectId.toLowerCase()) ?? new Set();
    for (const permission of permissions) granted.add(permission);
    this.#permissions.set(objectId.toLowerCase(), granted);
  }

  /** The permissions of Microsoft Graph that a principal was granted. */
  graphPermissions(objectId: string): string[] {
    return [...(this.#permissions.get(objectId.toLowerCase()) ?? [])];
  }

  addManagedIdentity(displayName: string, identityId: string): Principal {
    return this.#add({
      objectId: randomUUID(),
      kind: "ServicePrincipal",
      displayName,
      clientId: randomUUID(),
      identityId,
    });
  }

  remove(objectId: string): void {
    const id = objectId.toLowerCase();
    this.#principals.delete(id);
    this.#permissions.delete(id);
    this.#members.delete(id);
    for (const members of this.#members.values()) members.delete(id);
  }

  authenticate(authorization: string | undefined, audience: string): Caller {
    const objectId = this.issuer.verify(authorization, audience);
    const principal = this.find(objectId);
    if (!principal) {
      const message = `The identity '${objectId}' of the access token does not exist in tenant '${this.tenantId}'.`;
      throw new TokenError("InvalidAuthenticationToken", message, this.tenantId);
    }
    return { principal, groups: this.groupsOf(objectId) };
  }

  #add(principal: Principal): Principal {
    const id = principal.objectId.toLowerCase();
    if (this.#principals.has(id)) throw new Error(`the directory has an object ${principal.objectId} already`);
    this.#principals.set(id, principal);
    return principal;
  }
}

/** What is kept of a secret's text. */
function hashSecret(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
