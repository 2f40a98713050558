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
  /** Whether the cluster's kubelet identity may pull. */
  readonly kubeletPulls: boolean;
  /** Whether the identity of Flux's controllers may pull. */
  readonly fluxPulls: boolean;
}

export interface InspectedKey {
  /** `https://<vault>.vault.azure.net/keys/<name>`. */
  readonly url: string;
  /** Whether the identity of Flux's controllers may decrypt. */
  readonly fluxDecrypts: boolean;
}

/** A fluxConfiguration as the extension would take it up. */
export interface InspectedConfiguration {
  readonly name: string;
  readonly namespace: string;
  readonly url: string;
  readonly branch: string;
  readonly kustomizations: readonly {
    readonly name: string;
    readonly path: string;
    readonly dependsOn: readonly string[];
  }[];
}

export interface Inspection {
  readonly resources: readonly InspectedResource[];
  /** Names of vaults that are deleted and can still be recovered. */
  readonly softDeletedVaults: readonly string[];
  readonly registries: readonly InspectedRegistry[];
  readonly keys: readonly InspectedKey[];
  readonly configurations: readonly InspectedConfiguration[];
  /** Service accounts that may get a token of Flux's identity, as `namespace/name`. */
  readonly federatedServiceAccounts: readonly string[];
}
