// What the simulated services have in common: a request as it comes through the door, and the services' view of each other.

/** Where in the network a caller stands; each place has its own proxy port. */
export type Place = "outside" | "inside" | "cluster";

/** A request for a cloud host, decrypted by the door, its body read whole. */
export interface CloudRequest {
  readonly method: string;
  /** The real URL, for example `https://management.azure.com/subscriptions/...`. */
  readonly url: URL;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly place: Place;
  /** The caller's address as the service sees it: public for `outside`, a private one of the VNet otherwise. */
  readonly address: string;
}

export interface CloudResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
}

/** One simulated service: it answers every request for the hosts it was registered for. */
export type Service = (request: CloudRequest) => Promise<CloudResponse>;

/** Thrown by a service to answer with an error in the service's own words. */
export class ServiceError extends Error {
  readonly response: CloudResponse;
  constructor(response: CloudResponse, message: string) {
    super(message);
    this.name = "ServiceError";
    this.response = response;
  }
}

/** Somebody that Entra knows: a person, a group, an application's service principal or a managed identity. */
export interface Principal {
  readonly objectId: string;
  readonly kind: "User" | "Group" | "ServicePrincipal";
  readonly displayName: string;
  /** The application (client) id of service principals and managed identities. */
  readonly clientId?: string;
  /** A managed identity's ARM id; absent for others. */
  readonly identityId?: string;
}

/** A caller of a service: who it is, and every group it belongs to. */
export interface Caller {
  readonly principal: Principal;
  readonly groups: readonly string[];
}

/** A federated identity credential as ARM stores it below a user-assigned identity. */
export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
}

/** Entra's directory, as far as other services use it. */
export interface Directory {
  readonly tenantId: string;
  find(objectId: string): Principal | undefined;
  findByClientId(clientId: string): Principal | undefined;
  /** The object ids of all groups that an object belongs to, through other groups too. */
  groupsOf(objectId: string): readonly string[];
  /** Adds a managed identity's service principal (called by ARM). */
  addManagedIdentity(displayName: string, identityId: string): Principal;
  remove(objectId: string): void;
  /**
   * The caller whose bearer token this is.
   * @param authorization the request's Authorization header.
   * @param audience the resource that the token must be for, without a trailing slash.
   * @throws ServiceError 401 in the words of Entra's validation where it is missing, expired, forged or for somebody else.
   */
  authenticate(authorization: string | undefined, audience: string): Caller;
}

/** A resource as ARM keeps it: the body of a GET. */
export interface ArmResource {
  readonly id: string;
  readonly name: string;
  /** As Microsoft spells it, for example `Microsoft.KeyVault/vaults`. */
  readonly type: string;
  location?: string;
  tags?: Record<string, string>;
  properties: Record<string, unknown>;
  [key: string]: unknown;
}

/** What ARM offers to the services whose control plane it is. */
export interface Arm {
  readonly subscriptionId: string;
  /** The resource of an id, compared without case; undefined where there is none. */
  get(id: string): ArmResource | undefined;
  /** All resources of a type (compared without case). */
  list(type: string): ArmResource[];
  /** Shows a resource that its own data plane has made or written. */
  adopt(resource: ArmResource): void;
  /** The federated credentials of a managed identity that have taken effect. */
  federatedCredentials(identityId: string): FederatedCredential[];
  /**
   * Whether role assignments that have taken effect, direct or through a group, at the scope or above it, allow an action.
   * @param action for example `Microsoft.KeyVault/vaults/keys/decrypt/action`.
   * @param kind `control` compares actions and notActions, `data` dataActions and notDataActions.
   */
  allows(caller: Caller, action: string, scope: string, kind: "control" | "data"): boolean;
  /**
   * Whether a caller in this place reaches the data plane of a registry or vault: public access with its firewall, or an
   * approved private endpoint whose private DNS zone is linked to the caller's network.
   * @returns undefined when it does, else the reason in plain words.
   */
  unreachable(resource: ArmResource, request: Pick<CloudRequest, "place" | "address">): string | undefined;
  /**
   * Why a connection to a registry or vault does not come about from a place: its name is not found there, or nothing
   * leads to the private address that it stands for.
   * @returns undefined when it does come about, in the words of a client otherwise.
   */
  noWay(resource: ArmResource, host: string, place: Place): string | undefined;
}

/** What a service plugs into ARM for a resource type of its own. */
export interface ArmExtension {
  readonly type: string;
  /** Called when the resource was accepted and before it is answered; may fill in read-only properties. */
  created?(resource: ArmResource): Promise<void>;
  deleted?(resource: ArmResource): Promise<void>;
  /** POST actions by name, for example `importImage`; role assignments were checked before. */
  readonly actions?: Readonly<
    Record<string, (resource: ArmResource, body: Record<string, unknown>, caller: Caller) => Promise<CloudResponse>>
  >;
}
