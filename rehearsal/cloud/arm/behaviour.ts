// What a resource type does beyond its schema. rules/ has one set per namespace.
import type { ArmResource, Caller, CloudRequest, CloudResponse, Directory, ServiceError } from "../types.ts";
import type { Access, RoleTimes } from "./access.ts";
import type { ResourceId } from "./ids.ts";
import type { TypeDefinition } from "./schema.ts";
import type { Store } from "./store.ts";
import type { Body } from "./validate.ts";

/** What rules may look at and use. */
export interface World {
  readonly store: Store;
  readonly access: Access;
  readonly directory: Directory;
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly settings: ArmSettings;
  /** Vaults in the recoverable state, by name in lower case. */
  readonly deletedVaults: Map<string, DeletedVault>;
  /**
   * When managed identities and federated credentials came into being, by object id or ARM id; young ones are not yet known
   * everywhere.
   */
  readonly born: Map<string, number>;
}

export interface DeletedVault {
  readonly vault: ArmResource;
  /** Resources below the vault at the time of its deletion. */
  readonly contents: readonly ArmResource[];
  readonly deletedAt: string;
  readonly purgeAt: string;
}

/** What a subscription may have, where it is not all. */
export interface ComputeLimits {
  /** Processors by the name of the quota, such as `standardDDSv5Family`; `cores` is that of the region. @default 350, 1000 */
  readonly quotas?: Readonly<Record<string, number>>;
  /** Processors that others in the subscription use, by quota. @default none */
  readonly used?: Readonly<Record<string, number>>;
  /** Sizes that it may not have: in the whole region (`all`), or in some zones. @default none */
  readonly restricted?: Readonly<Record<string, "all" | readonly string[]>>;
}

/** Simulated times and the rehearsal's own hooks. */
export interface ArmSettings extends RoleTimes {
  /** How long creating, changing or deleting takes, in milliseconds. */
  readonly duration: (type: string) => number;
  /** How long a new managed identity stays unknown to those who do not say its principalType, in milliseconds. */
  readonly replicationDelay: number;
  /** How long Entra does not take a new or changed federated credential yet, in milliseconds. */
  readonly federationDelay: number;
  /** What Microsoft.Compute sells to the subscription, where it is not all. */
  readonly compute?: ComputeLimits;
  /** The subscription's state. @default Enabled */
  readonly subscriptionState?: "Enabled" | "Warned" | "PastDue" | "Disabled" | "Deleted";
  /** Id of the virtual network in which callers of the place `inside` stand; without one they reach nothing private. */
  readonly runnerNetwork?: string;
  /** Endpoint and certificate authority (PEM) of a cluster's API server; by default ones that nobody answers at. */
  readonly clusterEndpoint?: (cluster: ArmResource) => Promise<{ server: string; certificateAuthority: string }>;
  /** Told of every accepted extension microsoft.flux; its operation waits for the answer. */
  readonly onFluxExtension?: (extension: ArmResource) => Promise<void>;
  /**
   * Told of every accepted Flux configuration with its protected settings; the operation waits for the answer where
   * `waitForReconciliation` is set.
   */
  readonly onFluxConfiguration?: (
    configuration: ArmResource,
    protectedSettings: Readonly<Record<string, string>>,
  ) => Promise<void>;
}

/** A PUT or PATCH on its way. */
export interface Write {
  readonly world: World;
  readonly caller: Caller;
  readonly id: ResourceId;
  readonly definition: TypeDefinition;
  /** What was sent, in the service's spelling. */
  readonly sent: Body;
  /** What will be: sent, kept and default values. Rules may fill it in. */
  readonly body: Body;
  readonly old: ArmResource | undefined;
}

/** A DELETE on its way. */
export interface Removal {
  readonly world: World;
  readonly caller: Caller;
  readonly resource: ArmResource;
  readonly force: boolean;
}

/** A POST on a resource. */
export interface Action {
  readonly world: World;
  readonly caller: Caller;
  readonly resource: ArmResource;
  readonly body: Body;
  readonly request: CloudRequest;
}

/** What recordings of Azure show of single types. */
export interface Answers {
  /** Status of the PUT that makes a resource. @default 201 */
  readonly created?: 200;
  /** What the header Location of a write says, beside where its operation is; `isNew` for the one that makes the resource. */
  location?(resource: ArmResource, isNew: boolean): string | undefined;
  /** Only making a resource takes a while. */
  readonly changesAtOnce?: true;
  readonly deletesAtOnce?: true;
  /** The one header that leads to the end of a deletion. @default both */
  readonly deletion?: "azure-asyncoperation" | "location";
  /** Whether a poll names what is done until it is done. @default it says InProgress */
  readonly namesVerb?: true;
  /** Whether a DELETE answers with the resource that it deletes. */
  readonly showsDeleted?: true;
  /** The error of a resource that is not there. */
  missing?(id: ResourceId): ServiceError;
}

export interface Behaviour {
  /** Before anything is completed: recovery, names, what is refused whatever the body says. */
  before?(write: Omit<Write, "body">): void;
  /** Defaults that depend on other properties. */
  derive?(write: Write): void;
  /** Refuses with ServiceError. */
  check?(write: Write): void;
  /** The resource was accepted: fills in what only the service knows. */
  accepted?(resource: ArmResource, write: Write): void;
  /** What a finished operation waits for. */
  wait?(resource: ArmResource, world: World): Promise<void> | undefined;
  /** The operation ended. */
  finished?(resource: ArmResource, world: World): void;
  mayDelete?(removal: Removal): void;
  /** How the type's answers differ from the common ones. */
  readonly answers?: Answers;
  /** The resource is gone. */
  gone?(resource: ArmResource, world: World): void;
  /** Further ids that an operation on the resource holds; before the body is read there is no resource. */
  holds?(id: ResourceId, resource: ArmResource | undefined): readonly string[];
  /** The error for a resource that an operation holds. */
  conflict?(id: ResourceId): { status: number; code: string; message: string };
  /** PUT takes this long before it is answered, in milliseconds, and only one may run for each parent. */
  readonly exclusive?: number;
  readonly actions?: Readonly<Record<string, (action: Action) => Promise<CloudResponse>>>;
}

/** The properties of a body or resource. */
export const propertiesOf = (body: Body): Body => body.properties as Body;
