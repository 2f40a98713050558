import * as pulumi from "@pulumi/pulumi";
import type { GitAccessArgs } from "./gitCommit.ts";

export interface KeyInUseArgs {
  /**
   * The repository's URL over HTTPS or SSH, without credentials: these are `GIT_TOKEN` or else, on GitHub, `GITHUB_TOKEN`,
   * and over SSH `GIT_SSH_KEY`, of the environment.
   */
  readonly url: pulumi.Input<string>;
  /** How the repository is signed in to, where the environment's own ways do not do. */
  readonly access?: pulumi.Input<GitAccessArgs>;
  /** The branch whose files count. */
  readonly branch: pulumi.Input<string>;
  /** `https://<vault>.vault.azure.net/keys/<name>/<version>`. Another vault or name is another key. */
  readonly keyUrl: pulumi.Input<string>;
  /** Paths of files that follow the key by themselves: a preview does not name them. @default none */
  readonly ownFiles?: pulumi.Input<readonly pulumi.Input<string>[]>;
}

/**
 * Keeps a key from being deleted while files of a repository can be decrypted with nothing else. It has nothing in the
 * cloud. Whoever makes it depend on the key, and on who may use it, keeps those too: where another key takes the key's
 * place, the old one's deletion waits for the old one of this resource, whose deletion fails with the names of the files
 * until they are encrypted for the new key. When both are destroyed nothing is asked.
 */
export class KeyInUse extends pulumi.CustomResource {
  /** Tells this resource from one that took its place; random. */
  declare readonly instance: pulumi.Output<string | undefined>;

  constructor(name: string, args: KeyInUseArgs, opts?: pulumi.CustomResourceOptions) {
    super("gitops:index:KeyInUse", name, { ...args, instance: undefined }, opts);
  }
}
