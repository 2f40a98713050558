import * as pulumi from "@pulumi/pulumi";
import type { GitAccessArgs } from "./gitCommit.ts";

/** An artifact that a pipeline pushes from the repository. */
export interface PushedArtifactArgs {
  /** Where it is: `oci://<host>/<repository>`. */
  readonly url: pulumi.Input<string>;
  /** The tag that is pushed. */
  readonly tag?: pulumi.Input<string>;
  /**
   * The URL of the repository that it is pushed from, without credentials: git is asked for what descends from the commit
   * where the artifact is of another one.
   */
  readonly source: pulumi.Input<string>;
  /** The branch that is pushed. */
  readonly branch: pulumi.Input<string>;
  /** How the repository is signed in to, where the environment's own ways do not do. */
  readonly access?: pulumi.Input<GitAccessArgs>;
}

export interface FluxReadyArgs {
  /** The API server's URL, as ClusterAccess gives it. Another one is another cluster. */
  readonly endpoint: pulumi.Input<string>;
  /** The API server's authority: PEM, base64. */
  readonly certificateAuthority: pulumi.Input<string>;
  /**
   * The context of the machine's kubeconfig whose user signs in.
   * @default the caller's Entra token, as AKS takes it
   */
  readonly kubeContext?: pulumi.Input<string>;
  /** The commit that the cluster shall come to; a new one is waited for. */
  readonly commit: pulumi.Input<string>;
  /** The names of Flux's Kustomizations that have to be Ready. */
  readonly kustomizations: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** The names of HelmReleases that these write. @default none */
  readonly releases?: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** The sources that these write: `<kind>/<name>`. @default none */
  readonly sources?: pulumi.Input<readonly pulumi.Input<string>[]>;
  /**
   * The artifact that Flux reads in place of the repository: it has to be of the commit, or of one that descends from it.
   * @default none
   */
  readonly artifact?: pulumi.Input<PushedArtifactArgs>;
  /** How long to wait, in minutes. @default 15 */
  readonly readyMinutes?: pulumi.Input<number>;
}

/**
 * Arrives when Flux has fetched the commit (or a later one) and every Kustomization named is Ready at that revision, and
 * every release and source named is Ready; otherwise it fails with the messages of all that is not. Flux is asked for what
 * is behind, has failed or is missing. What is suspended is named and left to people.
 *
 * A refresh and a preview look at the same objects: what is missing, is suspended or has failed makes an update. Who may
 * not look, or does not reach the API server, is told so and keeps what is known. Deleting it does nothing.
 */
export class FluxReady extends pulumi.CustomResource {
  declare readonly commit: pulumi.Output<string>;
  /** What was found missing, suspended or failed, each with its reason; none when all was well. */
  declare readonly wrong: pulumi.Output<readonly string[] | undefined>;

  constructor(name: string, args: FluxReadyArgs, opts?: pulumi.CustomResourceOptions) {
    super("gitops:index:FluxReady", name, { ...args, wrong: undefined }, opts);
  }
}
