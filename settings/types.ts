// The settings of a stack as the rest of the program sees them.
import type * as pulumi from "@pulumi/pulumi";
import type { Auth } from "../components/flux/signIn.ts";
import type { Form } from "./schema/settings.ts";

/** A secret's ciphertext as it stands in a stack file; only tools that read the file themselves meet it. */
export interface Sealed {
  readonly secure: string;
}

/** A secret's value: a text, secret within the engine; sealed where a stack file was read without it. */
export type SecretText = pulumi.Input<string> | Sealed;

/** A type with every property readonly, at any depth. */
type Frozen<T> = T extends readonly (infer I)[]
  ? readonly Frozen<I>[]
  : T extends Record<string, unknown>
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

type FrozenForm = Frozen<
  Omit<
    Form,
    "runner" | "flux" | "secrets" | "cluster" | "registry" | "sops" | "gitToken" | "gitKey" | "imageSourceCredentials"
  >
>;

/** A chart to mirror and release. */
export type ChartSetting = FrozenForm["charts"][number];
/** The cluster's settings. */
export type ClusterSettings = Frozen<Form["cluster"]> & {
  readonly upgradeChannel: NonNullable<Form["cluster"]["upgradeChannel"]>;
  readonly defender: boolean;
  /** Whether a NAT gateway that is made works as long as one zone does: where the region has such. */
  readonly zoneRedundantEgress: boolean;
};
/**
 * The registry's settings, and whether Azure spreads it over zones (Premium, where the region has them); an existing one
 * has no tier here.
 */
export type RegistrySettings = Omit<Frozen<Form["registry"]>, "sku"> & {
  readonly sku: Form["registry"]["sku"] | undefined;
  readonly zoneRedundant: boolean;
  readonly auditLogs: boolean;
};
/** Vault and key; purge protection and the key's name have their defaults by now, where they are made. */
export type SopsSettings = Frozen<Form["sops"]> & { readonly auditLogs: boolean };
/** The demo application. */
export type DemoSetting = NonNullable<FrozenForm["demo"]>;

/** How Flux comes into the cluster and where it reads. */
export interface FluxSettings extends Omit<Frozen<Form["flux"]>, "auth" | "path"> {
  /** How Flux signs in to the repository; not at all where it reads an artifact. */
  readonly auth: Auth | undefined;
  /** `https://<host>/<path>` or `ssh://<user>@<host>/<path>`, with `.git` where it was written so: Flux reads it by this very address. */
  readonly repository: string;
  /** The host of GitHub Enterprise that @pulumi/github talks to. */
  readonly githubHost?: string;
  /** The repository's owner, where the program reaches it on GitHub. */
  readonly owner?: string;
  /** The repository's name there. */
  readonly name?: string;
  /** The Secret that Flux's own images are pulled with, where the nodes may not pull. */
  readonly imagePullSecret?: string | undefined;
  /** The folder that the cluster reconciles, `clusters/<stack>` by default; as Git has it. */
  readonly path: string;
}

/** A Kubernetes secret that is encrypted into the repository. */
export interface SecretSetting extends Frozen<Omit<Form["secrets"][number], "data">> {
  /** Values by key. */
  readonly data: Readonly<Record<string, SecretText>>;
}

/** What signs in at a registry. */
export interface SourceCredentials {
  readonly username: string;
  readonly password: SecretText;
}

/** A stack's whole configuration, checked, with every default filled in; frozen. */
export interface Settings extends FrozenForm {
  readonly project: string;
  readonly stack: string;
  /** Azure's region, from `azure-native:location`. */
  readonly location: string;
  /** Where whoever runs `pulumi up` stands. */
  readonly runner: "inside" | "outside";
  /** What signs in at registries that images come from, by host. */
  readonly imageSourceCredentials?: Readonly<Record<string, SourceCredentials>> | undefined;
  /** ARM id of the network in which the runner stands, where the program is to peer it with the stack's. */
  readonly runnerNetworkId?: string;
  /** The runner's public addresses in CIDR notation, where it stands outside and is to be let in. */
  readonly runnerAddresses?: readonly string[];
  /** Tags of everything in Azure, by name. */
  readonly tags: Readonly<Record<string, string>>;
  readonly cluster: ClusterSettings;
  readonly registry: RegistrySettings;
  readonly flux: FluxSettings;
  readonly sops: SopsSettings;
  /** The token that the extension's Flux reads the repository with, where it is to. */
  readonly gitToken?: SecretText | undefined;
  /** The private key that Flux reads the repository with, where it is to. */
  readonly gitKey?: SecretText | undefined;
  /** All images to mirror but those of charts: the listed ones and the demo's, each once. */
  readonly images: readonly string[];
  readonly secrets: readonly SecretSetting[];
}

/** A configuration, however it was read. */
export interface SettingsSource {
  readonly project: string;
  readonly stack: string;
  /**
   * Values by whole key (`aks-gitops:charts`), as maps and lists or as the JSON text that the engine makes of them;
   * other namespaces' keys may be there too.
   */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whole keys whose values hold a secret in plain text; faults do not show them. Default none. */
  readonly secretKeys?: readonly string[];
  /**
   * Whether this is a stack file's own text, read without the engine: a secret in it is sealed, and one that the stack
   * needs may not be there yet. Default false.
   */
  readonly sealed?: boolean;
  /** The folder of the stacks' files. Default: not known, and what other stacks say is not looked at. */
  readonly folder?: string;
}
