import * as pulumi from "@pulumi/pulumi";
import type { GitAccessArgs } from "./gitCommit.ts";

export interface FluxConfigurationReadyArgs {
  /** The configuration's ARM id. Another one is another configuration. */
  readonly configurationId: pulumi.Input<string>;
  /**
   * The repository's URL, without credentials: git is asked for what descends from the commit where Azure tells of
   * another one, with `GIT_TOKEN` or else, on GitHub, `GITHUB_TOKEN`, and over SSH `GIT_SSH_KEY`, of the environment.
   */
  readonly url: pulumi.Input<string>;
  /** How the repository is signed in to, where the environment's own ways do not do. */
  readonly access?: pulumi.Input<GitAccessArgs>;
  /** The branch that Flux reads. */
  readonly branch: pulumi.Input<string>;
  /** The commit that the cluster shall come to; a new one is waited for. */
  readonly commit: pulumi.Input<string>;
  /** The names of Flux's Kustomizations, as the cluster has them, that have to apply the commit. */
  readonly kustomizations: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** The names of HelmReleases that these write. @default none */
  readonly releases?: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** How long to wait, in minutes. @default 15 */
  readonly readyMinutes?: pulumi.Input<number>;
}

/**
 * Arrives when Azure tells that a Flux configuration has synced the commit or one that descends from it, that every
 * Kustomization named has applied such a one and no other one of the repository is behind, and that every object below the
 * configuration is compliant; otherwise it fails with the messages of all that is not. Azure has no way to ask Flux for a
 * look, so the configuration's own sync interval is waited for, and Azure's word on it, which is late by a minute or so.
 *
 * A refresh and a preview look at the same objects: what is missing, is suspended or has failed makes an update. Where
 * Azure may not be asked, that is told and what is known is kept. Deleting it does nothing.
 */
export class FluxConfigurationReady extends pulumi.CustomResource {
  declare readonly commit: pulumi.Output<string>;
  /** What was found missing, suspended or failed, each with its reason; none when all was well. */
  declare readonly wrong: pulumi.Output<readonly string[] | undefined>;

  constructor(name: string, args: FluxConfigurationReadyArgs, opts?: pulumi.CustomResourceOptions) {
    super("gitops:index:FluxConfigurationReady", name, { ...args, wrong: undefined }, opts);
  }
}
