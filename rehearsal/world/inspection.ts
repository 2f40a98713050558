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
  readonly reason: string;
  readonly message: string;
  /** The source's, applied or released revision; empty where there is none. */
  readonly revision: string;
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

/** What runs in the cluster. */
export interface InspectedCluster {
  readonly objects: readonly InspectedFluxObject[];
  readonly podImages: readonly InspectedPodImage[];
  readonly secrets: readonly InspectedSecret[];
}

export interface Inspection {
  readonly resources: readonly InspectedResource[];
  /** Names of vaults that are deleted and can still be recovered. */
  readonly softDeletedVaults: readonly string[];
  readonly registries: readonly InspectedRegistry[];
  readonly keys: readonly InspectedKey[];
  /** Service accounts that may get a token of Flux's identity, as `namespace/name`. */
  readonly federatedServiceAccounts: readonly string[];
  /** Nothing where no cluster runs. */
  readonly cluster?: InspectedCluster;
}
