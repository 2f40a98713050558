// What a rehearsal's cloud tells about itself after a run; data only, no secrets.

/** One resource that ARM holds. */
export interface InspectedResource {
  readonly type: string;
  readonly name: string;
  readonly id: string;
}

export interface InspectedRegistry {
  readonly loginServer: string;
  /** Tags with their digests and all digests, by repository. */
  readonly repositories: Readonly<
    Record<string, { readonly tags: Readonly<Record<string, string>>; readonly digests: readonly string[] }>
  >;
  /** Whether the identity of Flux's controllers may pull. */
  readonly fluxPulls: boolean;
}

export interface InspectedKey {
  /** `https://<vault>.vault.azure.net/keys/<name>`. */
  readonly url: string;
  /** Whether the identity of Flux's controllers may decrypt. */
  readonly fluxDecrypts: boolean;
}

/** A source, Kustomization or release as it stands in the cluster. */
export interface InspectedFluxObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly ready: boolean;
  /** Whether its controller is at it, so that neither success nor failure is said of it now. */
  readonly isBusy: boolean;
  readonly suspended: boolean;
  readonly reason: string;
  readonly message: string;
  /** When its Ready condition last changed, in ISO 8601; empty where it has none. */
  readonly since: string;
  /** The source's, applied or released revision; empty where there is none. */
  readonly revision: string;
  /** The revision that was tried last; empty where its kind says none. */
  readonly attempted: string;
  /** The last request to reconcile that its controller took up; empty where it had none. */
  readonly handled: string;
  /** Whether it was asked to reconcile and its controller did not take that up yet. */
  readonly isAsked: boolean;
  /** Ids of the objects that a Kustomization applied. */
  readonly inventory: readonly string[];
  readonly dependsOn: readonly string[];
  /** A Kustomization's. */
  readonly path?: string;
  /** A source's. */
  readonly url?: string;
  /** A release's. */
  readonly chart?: string;
  readonly targetNamespace?: string;
}

/** An image that pods run. */
export interface InspectedPodImage {
  readonly image: string;
  /** `namespace/name` of each. */
  readonly pods: readonly string[];
  /** Why a node could not pull it. */
  readonly problem?: string;
}

/** A secret that Flux made of a file, without its values. */
export interface InspectedSecret {
  readonly name: string;
  readonly namespace: string;
  readonly keys: readonly string[];
  /** Whether the cluster has plain values, not SOPS' ciphertext. */
  readonly isDecrypted: boolean;
}

/** A Deployment of Flux's namespace. */
export interface InspectedDeployment {
  readonly name: string;
  /** How many pods it shall have. */
  readonly wanted: number;
  readonly available: number;
}

/** What runs in the cluster. */
export interface InspectedCluster {
  readonly namespaces: readonly string[];
  /** Of Flux's namespace. */
  readonly deployments: readonly InspectedDeployment[];
  /** The CustomResourceDefinitions of Flux that are established. */
  readonly definitions: readonly string[];
  /** Every Secret, as `namespace/name`. */
  readonly secretNames: readonly string[];
  readonly objects: readonly InspectedFluxObject[];
  readonly podImages: readonly InspectedPodImage[];
  readonly secrets: readonly InspectedSecret[];
}

/** Flux's objects at one moment. */
export interface InspectedFlux {
  /** None where no cluster answers. */
  readonly objects: readonly InspectedFluxObject[];
}

/** The extension microsoft.flux, or a configuration of it, as ARM shows it. */
export interface InspectedArmFlux {
  readonly name: string;
  readonly provisioningState: string;
  /** A configuration's. */
  readonly complianceState?: string;
  /** The revision that a configuration's source has, in ARM's word. */
  readonly revision?: string;
  /** A configuration's objects in the cluster. */
  readonly statuses?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
    readonly complianceState: string;
  }[];
}

export interface Inspection {
  /** When it was looked, in ISO 8601. */
  readonly at: string;
  readonly resources: readonly InspectedResource[];
  /** Names of vaults that are deleted and can still be recovered. */
  readonly softDeletedVaults: readonly string[];
  readonly registries: readonly InspectedRegistry[];
  readonly keys: readonly InspectedKey[];
  /** Service accounts that may get a token of Flux's identity, as `namespace/name`. */
  readonly federatedServiceAccounts: readonly string[];
  readonly extensions: readonly InspectedArmFlux[];
  readonly configurations: readonly InspectedArmFlux[];
  /** Nothing where no cluster answers. */
  readonly cluster?: InspectedCluster;
  /** Why a cluster that ARM has does not answer. */
  readonly clusterProblem?: string;
}
