import * as pulumi from "@pulumi/pulumi";

/** A creation rule of `.sops.yaml`, in the words of SOPS. */
export interface SopsRule {
  /** Which files the rule is for; also its identity: a repository has one rule of each `path_regex`. */
  readonly path_regex: pulumi.Input<string>;
  /** Below which keys values are encrypted. @default all of them */
  readonly encrypted_regex?: pulumi.Input<string>;
  /** URL of the vault's key. */
  readonly azure_keyvault: pulumi.Input<string>;
}

/** Entries of a kustomization.yaml, in the words of kustomize. */
export interface KustomizationEntries {
  /** Files and folders of resources. */
  readonly resources?: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** Folders of components. */
  readonly components?: pulumi.Input<readonly pulumi.Input<string>[]>;
}

/** How Flux's controllers are installed; what is left out is as the flux CLI has it. */
export interface FluxInstallOptionsArgs {
  /** Keys of taints that the controllers' pods tolerate, whatever the taint's value. @default none */
  readonly tolerationKeys?: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** The cluster's own DNS domain. @default `cluster.local` */
  readonly clusterDomain?: pulumi.Input<string>;
  /** Whether other namespaces are kept from the controllers by network policies. @default true */
  readonly networkPolicy?: pulumi.Input<boolean>;
  /** How much the controllers log. @default `info` */
  readonly logLevel?: pulumi.Input<"debug" | "info" | "error">;
  /** Whether Flux's objects of all namespaces count, and not only those of its own. @default true */
  readonly watchAllNamespaces?: pulumi.Input<boolean>;
}

/** A gotk-components.yaml: `flux install --export` with a registry. */
export interface FluxComponentsArgs {
  /** Flux's version, without `v`. */
  readonly version: pulumi.Input<string>;
  /** Whether the image controllers are in it. */
  readonly imageAutomation: pulumi.Input<boolean>;
  /** The Secret that the controllers' images are pulled with. @default none, as the nodes may pull */
  readonly imagePullSecret?: pulumi.Input<string>;
  /** How the controllers are installed. @default as the flux CLI does by itself */
  readonly install?: pulumi.Input<FluxInstallOptionsArgs>;
  /** Hex SHA-256 of the version's manifests; others are refused. */
  readonly manifests: pulumi.Input<string>;
  /** The registry that has Flux's images below `ghcr.io/fluxcd`: `<name>.azurecr.io`. */
  readonly loginServer: pulumi.Input<string>;
}

/** A GitHub App that commits. */
export interface GitHubAppArgs {
  /** Its id. */
  readonly id: pulumi.Input<string>;
  /** The id of its installation. @default the one that the repository belongs to */
  readonly installationId?: pulumi.Input<string>;
}

/** How a Git repository is signed in to. */
export interface GitAccessArgs {
  /**
   * The name of the environment variable with the credential: a token, or over SSH a private key.
   * @default `GIT_TOKEN`, or else on GitHub `GITHUB_TOKEN`; over SSH `GIT_SSH_KEY`, or else SSH's own agent and keys
   */
  readonly credential?: pulumi.Input<string>;
  /**
   * The GitHub App that signs in: the variable of `credential`, `GITHUB_APP_KEY` by default, holds its private key.
   * @default none; it holds a token
   */
  readonly githubApp?: pulumi.Input<GitHubAppArgs>;
  /** The user name beside a token. @default `x-access-token` */
  readonly username?: pulumi.Input<string>;
  /** The host's keys over SSH, as lines of a known_hosts file; no other is trusted then. @default the user's */
  readonly knownHosts?: pulumi.Input<string>;
}

/** Somebody in a commit. */
export interface PersonArgs {
  /** The name. */
  readonly name: pulumi.Input<string>;
  /** The address. */
  readonly email: pulumi.Input<string>;
}

/** How a pull request is made where the branch takes no push. */
export interface PullRequestArgs {
  /** The branch that it comes from: the resource's own, which no other commits to. */
  readonly branch: pulumi.Input<string>;
  /**
   * How many minutes an update waits until it is merged.
   * @default none; the update fails and names it, and the next one after the merge goes on
   */
  readonly waitMinutes?: pulumi.Input<number>;
}

export interface GitCommitArgs {
  /**
   * The repository's URL over HTTPS or SSH, without credentials: these are `GIT_TOKEN` or else, on GitHub, `GITHUB_TOKEN`,
   * and over SSH `GIT_SSH_KEY`, of the environment. Another one makes another resource.
   */
  readonly url: pulumi.Input<string>;
  /** How the repository is signed in to, where the environment's own ways do not do. */
  readonly access?: pulumi.Input<GitAccessArgs>;
  /**
   * The branch. It is made by the first commit of an empty repository, else it must exist. Another one makes another
   * resource.
   */
  readonly branch: pulumi.Input<string>;
  /**
   * The files this resource owns, as text by path. They are written, restored when an update finds them changed, and
   * removed when they leave the map or the resource is deleted.
   */
  readonly files?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  /** gotk-components.yaml files, owned like `files`, as what the flux CLI makes them from; by path. */
  readonly fluxComponents?: pulumi.Input<Readonly<Record<string, pulumi.Input<FluxComponentsArgs>>>>;
  /** Files written where nothing is at their path, and from then on their editors' own: never changed, never removed. */
  readonly seeds?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  /** Rules merged into `/.sops.yaml`; others' rules, their order and all comments stay. */
  readonly sopsRules?: pulumi.Input<readonly pulumi.Input<SopsRule>[]>;
  /**
   * Entries of kustomization.yaml files that others may edit too, by path. A missing file is made; all else in it stays,
   * comments too. The file goes when nothing is left in it.
   */
  readonly kustomizations?: pulumi.Input<Readonly<Record<string, pulumi.Input<KustomizationEntries>>>>;
  /** Whose name the commits bear, and whose address. @default the program's */
  readonly author?: pulumi.Input<PersonArgs>;
  /** Who commits. @default the author */
  readonly committer?: pulumi.Input<PersonArgs>;
  /**
   * The name of the environment variable with the private SSH key, in PEM and without a passphrase, that signs the commits.
   * @default they are not signed
   */
  readonly signingKey?: pulumi.Input<string>;
  /**
   * Where the branch takes changes by pull request alone, on GitHub and Azure DevOps over HTTPS, one is opened, and brought
   * up to date while it is open. @default none is, and the update fails
   */
  readonly pullRequest?: pulumi.Input<PullRequestArgs>;
  /**
   * The same of kustomization.yaml files that are edited where people have them, and never made: from then on kustomize
   * takes what they list and nothing else beside them.
   */
  readonly listed?: pulumi.Input<Readonly<Record<string, pulumi.Input<KustomizationEntries>>>>;
  /**
   * Folders that are applied by themselves, by the folder that holds them and is applied too: that one has to have a
   * kustomization.yaml that leads to none of them, else nothing is committed.
   */
  readonly apart?: pulumi.Input<Readonly<Record<string, pulumi.Input<readonly pulumi.Input<string>[]>>>>;
  /** Commit message: a subject line, and after an empty line a body if wanted. A change of it alone commits nothing. */
  readonly message: pulumi.Input<string>;
  /** Take over files and rules that already stand there with other content. @default false: that is an error */
  readonly adopt?: pulumi.Input<boolean>;
}

/**
 * Files in a Git repository, kept by atomic commits: one when something changes, none when nothing does. At least one of
 * files, fluxComponents, seeds, sopsRules and kustomizations holds something.
 *
 * Imported into a stack by the id in the state, `<url>#<branch>`: it owns no file then, and the next update takes over
 * those that stand there with the very same content, without a commit. With `<url>#<branch>:<path>,<path>/` it owns
 * these files, whatever is in them; a path with a slash at its end takes every file below it. Creating the resource takes
 * over files of the very same content too, and those that it committed itself and nobody changed since, so an import is
 * seldom needed.
 */
export class GitCommit extends pulumi.CustomResource {
  /** The last commit this resource made, or the branch's head when there was nothing to commit. */
  declare readonly commit: pulumi.Output<string>;
  /** The object ids of the files of `fluxComponents` as they were left, by path. */
  declare readonly blobs: pulumi.Output<Readonly<Record<string, string>> | undefined>;
  /** Tells this resource from one that took its place; random. */
  declare readonly instance: pulumi.Output<string | undefined>;

  constructor(name: string, args: GitCommitArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { commit: undefined, blobs: undefined, instance: undefined };
    super("gitops:index:GitCommit", name, { ...args, ...outputs }, opts);
  }
}
