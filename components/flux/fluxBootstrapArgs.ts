// What FluxBootstrap is made from.
import type * as pulumi from "@pulumi/pulumi";
import type { InstallOptions } from "../../flux/installOptions.ts";
import type { LockedFlux } from "../../mirror/lock.ts";
import type { ApiAccess } from "../cluster/apiAccess.ts";
import type { Artifact } from "../repository/artifact.ts";
import type { ContentArgs } from "./contentArgs.ts";
import type { Auth } from "./signIn.ts";

/** The identity that Flux's controllers act as, and what has to be there before they can; as FluxIdentity gives it. */
export interface ActingIdentity {
  /** Its client id. */
  readonly clientId: pulumi.Input<string>;
  /** The id of its Entra tenant. */
  readonly tenantId: pulumi.Input<string>;
  /** Federation and roles. */
  readonly requirements: readonly pulumi.Resource[];
  /** What has to be there before a commit leads it to another registry or key. @default none */
  readonly roles?: readonly pulumi.Resource[] | undefined;
}

/** A configuration of the AKS extension, which Azure shows as GitOps of the cluster. */
export interface FluxConfigurationArgs {
  /** Its name in Azure; its GitRepository has the same, and its Kustomization is `<name>-cluster`. @default "flux-system" */
  readonly name?: string | undefined;
  /** The namespace of all Flux's objects of the stack; the extension makes it. @default "flux-system" */
  readonly namespace?: string | undefined;
  /** Whether Flux may write in the whole cluster, or in that namespace alone. @default "cluster" */
  readonly scope?: "cluster" | "namespace" | undefined;
  /** How often Flux looks into the repository, in seconds. @default 60 */
  readonly syncSeconds?: number | undefined;
}

/** A further configuration of the AKS extension: a folder of people's own, kept in a namespace of its own. */
export interface FurtherConfigurationArgs {
  /** Its name in Azure; its GitRepository has the same, and its Kustomization is `<name>-cluster`. */
  readonly name: string;
  /** The namespace of its objects of Flux; the extension makes it. */
  readonly namespace: string;
  /** The folder of the repository that it applies. */
  readonly path: string;
  /** Whether Flux may write in that namespace alone for it, or in the whole cluster. @default "namespace" */
  readonly scope?: "cluster" | "namespace" | undefined;
  /** How often Flux looks into the repository, in seconds. @default 60 */
  readonly syncSeconds?: number | undefined;
}

/** A GitHub App where it is installed. */
export interface GitHubAppArgs {
  /** Its id. */
  readonly id: number;
  /** The id of its installation. @default the one that the repository's owner has */
  readonly installationId?: number | undefined;
}

/** How the program signs in to the repository that it commits to, and in whose name. */
export interface CommitArgs {
  /**
   * The name of the environment variable with the credential: a token, or over SSH and of a GitHub App a private key.
   * @default of a GitHub App "GITHUB_APP_KEY"; "GIT_TOKEN", or else on GitHub "GITHUB_TOKEN"; over SSH "GIT_SSH_KEY", or else SSH's own agent and keys
   */
  readonly credential?: string | undefined;
  /**
   * The GitHub App that commits, over HTTPS: the variable of credential holds its private key.
   * @default none: it holds a token
   */
  readonly githubApp?: GitHubAppArgs | undefined;
  /** The user name beside a token. @default "x-access-token" */
  readonly username?: string | undefined;
  /** Whose name the commits bear, and whose address. @default the program's, of no domain */
  readonly author?: Person | undefined;
  /** Who commits. @default the author */
  readonly committer?: Person | undefined;
  /**
   * The name of the environment variable with the private SSH key, in PEM and without a passphrase, that signs the commits.
   * @default none: they are not signed
   */
  readonly signingKey?: string | undefined;
  /**
   * What happens where the branch takes changes by pull request alone, on GitHub and Azure DevOps over HTTPS. leave: one is
   * opened from the branch `aks-gitops/<stack>`, or brought up to date, and the update fails with its address; the next one
   * after the merge goes on. wait: the update waits until it is merged. never: none is opened. @default "leave"
   */
  readonly pullRequest?: "leave" | "wait" | "never" | undefined;
  /** With pullRequest wait: how many minutes an update waits. @default 60 */
  readonly pullRequestMinutes?: number | undefined;
}

/** Somebody in a commit. */
export interface Person {
  readonly name: string;
  readonly email: string;
}

/** How Flux comes into the cluster and what it is to reconcile. */
export interface FluxBootstrapArgs extends ContentArgs {
  /** Name of the AKS cluster's resource group; mode extension needs it. @default none: the cluster is not AKS */
  readonly resourceGroupName?: pulumi.Input<string> | undefined;
  /** The AKS cluster's name, when pods can run in it; mode extension needs it. @default none: the cluster is not AKS */
  readonly clusterName?: pulumi.Input<string> | undefined;
  /** The cluster's API server; mode bootstrap installs Flux through it. @default none */
  readonly access?: ApiAccess | undefined;
  /**
   * Object id of the Entra group that installs Flux in mode bootstrap.
   * @default none: whoever runs the program may do so already
   */
  readonly deployers?: pulumi.Input<string> | undefined;
  /** The identity of Flux's controllers. @default none: the cluster is not AKS, and they sign in with passwords */
  readonly identity?: ActingIdentity | undefined;
  /** Whether the AKS extension brings Flux, or the program does what `flux bootstrap` does. @default "extension" */
  readonly mode?: "extension" | "bootstrap" | undefined;
  /** The extension's configuration. Another name or namespace makes it anew. @default flux-system, of the whole cluster */
  readonly configuration?: FluxConfigurationArgs | undefined;
  /**
   * Further configurations of the extension, each of a folder of the same repository, read with the same sign-in. An
   * update does not wait until what is in them is Ready. @default none
   */
  readonly configurations?: readonly FurtherConfigurationArgs[] | undefined;
  /**
   * The version that the AKS extension stays at, such as "1.18.4". @default none: Azure upgrades it by itself
   */
  readonly extensionVersion?: string | undefined;
  /** The GitOps repository on any Git host: `https://<host>/<path>` or `ssh://<user>@<host>/<path>`. */
  readonly repository: string;
  /**
   * The artifact that a bootstrapped Flux reads in place of the repository: a pipeline pushes it from there after each
   * commit, by `flux push artifact`, and an update waits until it is of the commit. @default none: Flux reads the repository
   */
  readonly artifact?: Artifact | undefined;
  /** Whether the repository is made, private, on github.com or githubHost alone; it stays when the stack goes. @default false: it has to exist */
  readonly createRepository?: boolean | undefined;
  /**
   * How Flux signs in to the repository: deployKey on GitHub with a key of its own, over SSH; token over HTTPS, the
   * extension's Flux with gitToken and a bootstrapped one with FLUX_GIT_TOKEN, or else on GitHub GITHUB_TOKEN, of the
   * environment; sshKey over SSH with gitKey; workloadIdentity at Azure DevOps as the identity of a bootstrapped Flux's
   * controllers; githubApp on GitHub as the App of githubApp, a bootstrapped Flux alone. A deploy key is
   * added with GITHUB_TOKEN, which needs the permission Administration: write for that; an organisation may forbid deploy
   * keys, and GitHub deletes a key with the personal token that made it: so better with a GitHub App's token, or by token.
   * @default "sshKey" where the repository's address is one of SSH, "deployKey" in mode extension on GitHub, else "token"
   */
  readonly auth?: Auth | undefined;
  /** A token that reads the repository; the extension's Flux with auth token signs in with it. @default none */
  readonly gitToken?: pulumi.Input<string> | undefined;
  /**
   * A private SSH key that reads the repository, in PEM and without a passphrase, RSA for Azure DevOps; Flux with auth sshKey
   * signs in with it. A person registers its public half at the host. With auth githubApp the App's private key.
   * @default none
   */
  readonly gitKey?: pulumi.Input<string> | undefined;
  /**
   * The host of GitHub Enterprise that @pulumi/github talks to (`github:baseUrl`): there a repository is looked up, made and
   * given a deploy key as on github.com. @default none
   */
  readonly githubHost?: string | undefined;
  /** The GitHub App that Flux with auth githubApp signs in as. @default none */
  readonly githubApp?: GitHubAppArgs | undefined;
  /** The user name beside Flux's token. @default "git" */
  readonly username?: string | undefined;
  /**
   * By which keys the repository's host is known over SSH, as lines of a known_hosts file.
   * @default those that github.com, gitlab.com, bitbucket.org and Azure DevOps publish
   */
  readonly knownHosts?: string | undefined;
  /** How the program commits. @default with GIT_TOKEN or GIT_SSH_KEY of the environment */
  readonly commit?: CommitArgs | undefined;
  /** Whether Flux's image controllers run too. @default false */
  readonly imageAutomation?: boolean | undefined;
  /** How a bootstrapped Flux's controllers are installed; the lock's Flux has to be of the same. @default as the flux CLI does by itself */
  readonly install?: InstallOptions | undefined;
  /** How often a bootstrapped Flux looks into the repository, as a duration of Flux. @default "1m0s" */
  readonly interval?: string | undefined;
  /** Whether a bootstrapped Flux reads the repository's submodules too. @default false */
  readonly recurseSubmodules?: boolean | undefined;
  /** How many minutes an update waits until everything that Flux reconciles is Ready. @default 15 */
  readonly readyMinutes?: number | undefined;
  /** What charts, images and, in mode bootstrap, Flux were resolved to. */
  readonly lock: ContentArgs["lock"] & { readonly flux?: LockedFlux | undefined };
}
