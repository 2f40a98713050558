import * as pulumi from "@pulumi/pulumi";
import type { FluxInstallOptionsArgs } from "./gitCommit.ts";

/** A key pair that reads the repository over SSH. */
export interface SshKeyArgs {
  /** PEM; give it as a secret, then it is encrypted in the state. */
  readonly privateKey: pulumi.Input<string>;
  /** As OpenSSH writes it. */
  readonly publicKey: pulumi.Input<string>;
  /** The host's keys, as lines of a known_hosts file. */
  readonly knownHosts: pulumi.Input<string>;
}

/** A GitHub App that reads the repository. */
export interface ReadingAppArgs {
  /** Its id. */
  readonly id: pulumi.Input<string>;
  /** The id of its installation, or the account that it is installed in. */
  readonly installation: pulumi.Input<string>;
  /** PEM; give it as a secret, then it is encrypted in the state. */
  readonly privateKey: pulumi.Input<string>;
}

/** A Secret in Flux's namespace that signs in to a registry. */
export interface PullSecretArgs {
  /** The Secret's name. */
  readonly name: pulumi.Input<string>;
  /** Who pulls. */
  readonly username: pulumi.Input<string>;
  /** Give it as a secret, then it is encrypted in the state. */
  readonly password: pulumi.Input<string>;
}

/** A Secret in Flux's namespace that signs in to a Key Vault, for SOPS. */
export interface DecryptSecretArgs {
  /** The Secret's name. */
  readonly name: pulumi.Input<string>;
  /** The tenant of who decrypts. */
  readonly tenantId: pulumi.Input<string>;
  /** Its client id. */
  readonly clientId: pulumi.Input<string>;
  /** Give it as a secret, then it is encrypted in the state. */
  readonly clientSecret: pulumi.Input<string>;
}

/** An artifact that Flux reads in place of the repository. */
export interface RootArtifactArgs {
  /** Where it is: `oci://<host>/<repository>`. */
  readonly url: pulumi.Input<string>;
  /** Its tag. @default semver tells */
  readonly tag?: pulumi.Input<string>;
  /** A range of versions, of which the newest tag is taken. @default none */
  readonly semver?: pulumi.Input<string>;
  /** `azure`: the identity of Flux's controllers pulls. @default none */
  readonly provider?: pulumi.Input<"azure">;
  /** The Secret of Flux's namespace that signs in. @default none */
  readonly secret?: pulumi.Input<string>;
  /** The Secret of Flux's namespace with the cosign keys that have to have signed it. @default none */
  readonly verify?: pulumi.Input<string>;
}

/** A Secret in Flux's namespace that the artifact is read with. */
export interface ArtifactSecretArgs {
  /** The Secret's name. */
  readonly name: pulumi.Input<string>;
  /** Its type as Kubernetes names it. */
  readonly type: pulumi.Input<string>;
  /** Values by key; give them as secrets, then they are encrypted in the state. */
  readonly data: pulumi.Input<{ readonly [key: string]: pulumi.Input<string> }>;
}

export interface FluxInstallArgs {
  /** The AKS cluster's ARM id. Another one makes another installation. @default a cluster that is not AKS */
  readonly clusterId?: pulumi.Input<string>;
  /**
   * The context of the machine's kubeconfig whose user signs in.
   * @default the caller's Entra token, as AKS takes it
   */
  readonly kubeContext?: pulumi.Input<string>;
  /** The API server's URL, as ClusterAccess gives it. Another one makes another installation. */
  readonly endpoint: pulumi.Input<string>;
  /** The API server's authority: PEM, base64. */
  readonly certificateAuthority: pulumi.Input<string>;
  /** Flux's version, without `v`. */
  readonly version: pulumi.Input<string>;
  /** Whether the image controllers run too. */
  readonly imageAutomation: pulumi.Input<boolean>;
  /** How the controllers are installed. @default as the flux CLI does by itself */
  readonly install?: pulumi.Input<FluxInstallOptionsArgs>;
  /** Hex SHA-256 of the version's manifests; others are refused. */
  readonly manifests: pulumi.Input<string>;
  /** The registry that has Flux's images below `ghcr.io/fluxcd`, for one who pulls: `<name>.azurecr.io`. */
  readonly loginServer: pulumi.Input<string>;
  /** Client id of the identity that the controllers act as. @default they act as none */
  readonly clientId?: pulumi.Input<string>;
  /** The identity's tenant. */
  readonly tenantId?: pulumi.Input<string>;
  /** The repository as Flux reads it: `https://<host>/<owner>/<name>`, or `ssh://git@<host>/<owner>/<name>` with a key. */
  readonly url: pulumi.Input<string>;
  /** The user name beside the token. @default `git` */
  readonly username?: pulumi.Input<string>;
  /**
   * `azure`: Flux reads a repository of Azure DevOps as the identity of its controllers, without any token. `github`: as
   * githubApp. @default with a token or a key
   */
  readonly provider?: pulumi.Input<"azure" | "github">;
  /** The key that Flux reads an `ssh://` URL with; the repository has to know it. @default a token of the environment */
  readonly sshKey?: pulumi.Input<SshKeyArgs>;
  /** The GitHub App that Flux reads the repository as, with provider github. @default none */
  readonly githubApp?: pulumi.Input<ReadingAppArgs>;
  /**
   * The artifact that Flux reads in place of the repository, from which a pipeline pushes it.
   * @default none; Flux reads the repository itself
   */
  readonly artifact?: pulumi.Input<RootArtifactArgs>;
  /** The Secrets that the artifact names; they cannot come from it. @default none */
  readonly artifactSecrets?: pulumi.Input<readonly pulumi.Input<ArtifactSecretArgs>[]>;
  /** Signs in to a registry from Flux's namespace; another password changes the Secret. @default none */
  readonly pullSecret?: pulumi.Input<PullSecretArgs>;
  /**
   * The Secret with which the controllers' own images are pulled, by pullSecret's credentials.
   * @default none, as the nodes may pull
   */
  readonly imagePullSecret?: pulumi.Input<string>;
  /** Signs in to the Key Vault of SOPS; another password changes the Secret. @default none */
  readonly decryptSecret?: pulumi.Input<DecryptSecretArgs>;
  /** The branch that Flux reads. */
  readonly branch: pulumi.Input<string>;
  /** How often Flux looks into the repository. @default `1m0s` */
  readonly interval?: pulumi.Input<string>;
  /** Whether its submodules are read too. @default false */
  readonly recurseSubmodules?: pulumi.Input<boolean>;
  /** The cluster's folder, such as `clusters/<stack>`. Its `flux-system/` must be committed before this is made. */
  readonly path: pulumi.Input<string>;
  /** How long to wait until Flux reconciles itself, in minutes. @default 15 */
  readonly readyMinutes?: pulumi.Input<number>;
}

/**
 * Flux in a cluster, as `flux bootstrap` leaves it: installed once, then handed over to the files in Git, which alone
 * change it from then on. A Flux that reconciles the same folder already is taken over as it is.
 *
 * Flux reads the repository with the token of FLUX_GIT_TOKEN, or else on GitHub GITHUB_TOKEN, of the environment; another
 * FLUX_GIT_TOKEN than the cluster has is an update, while a GITHUB_TOKEN never replaces one that works. The caller signs
 * in to AKS's API server with its Entra token, and to another one as the user of a kubeconfig's context.
 *
 * Every preview and refresh looks at what was installed: what is missing is an update, which puts it back and touches
 * nothing that Git rules.
 *
 * Deleting it uninstalls Flux; what Flux deployed stays.
 */
export class FluxInstall extends pulumi.CustomResource {
  declare readonly clusterId: pulumi.Output<string | undefined>;
  /** Tells whether the token that Flux reads with is another one, without telling it; none with a key or an App. */
  declare readonly tokenFingerprint: pulumi.Output<string | undefined>;
  /**
   * What of Flux was not there, or not as it was installed, when a refresh looked: kind and name. Empty after an update.
   */
  declare readonly missing: pulumi.Output<readonly string[]>;
  /** Tells this resource from one that took its place; random. */
  declare readonly instance: pulumi.Output<string | undefined>;

  constructor(name: string, args: FluxInstallArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "gitops:index:FluxInstall",
      name,
      { ...args, tokenFingerprint: undefined, missing: undefined, instance: undefined },
      opts,
    );
  }
}
