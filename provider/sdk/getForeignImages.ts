import * as pulumi from "@pulumi/pulumi";
import type { GitAccessArgs } from "./gitCommit.ts";

export interface GetForeignImagesArgs {
  /**
   * The repository's URL over HTTPS or SSH, without credentials: these are `GIT_TOKEN` or else, on GitHub, `GITHUB_TOKEN`,
   * and over SSH `GIT_SSH_KEY`, of the environment.
   */
  readonly url: string;
  /** How the repository is signed in to, where the environment's own ways do not do. */
  readonly access?: GitAccessArgs;
  /** The branch whose files count. */
  readonly branch: string;
  /** The folders that Flux applies, from the repository's root. */
  readonly folders: readonly string[];
  /** Files and folders that are somebody else's to look at. @default none */
  readonly without?: readonly string[];
  /** Names of sources that are no branch of this repository. @default none */
  readonly otherSources?: readonly string[];
  /** The OCIRepository that holds the repository's files. @default none, they are read from the branch alone */
  readonly artifact?: string;
  /**
   * Names of images, as the files have them, in whose place something outside of the files puts the registry's.
   * @default none
   */
  readonly replaced?: readonly string[];
  /** Names of images, as the files have them, whose digest something outside of the files pins. @default none */
  readonly pinned?: readonly string[];
  /** Images that may come from elsewhere, of all tags or with one. @default none */
  readonly accepted?: readonly string[];
}

/** An image that comes from elsewhere, and where it stands. */
export interface ForeignImage {
  /** The file, from the repository's root. */
  readonly file: string;
  /** The object's kind and name. */
  readonly object: string;
  /** The field of the object. */
  readonly field: string;
  /** The image as it stands there. */
  readonly image: string;
}

export interface GetForeignImagesResult {
  /** The first 10 of them. */
  readonly images: readonly ForeignImage[];
  /** How many there are beside those. */
  readonly more: number;
  /** Files in which Flux's image automation writes the tag of an image that is pinned, so that nobody ever runs it. */
  readonly unread: readonly string[];
}

/**
 * Looks through people's own files of a GitOps repository, those that Flux applies, for images that do not come from an
 * Azure container registry. It reads and changes nothing, and looks for 10 seconds at most. Secrets and encrypted files are
 * not looked into.
 */
export function getForeignImages(
  args: GetForeignImagesArgs,
  opts?: pulumi.InvokeOptions,
): Promise<GetForeignImagesResult> {
  const { invoke } = pulumi.runtime;
  return invoke("gitops:index:getForeignImages", { ...args }, opts ?? {}) as Promise<GetForeignImagesResult>;
}
