// The form of `aks-gitops:flux` and of the token that goes with it.
import { COMMIT, CONFIGURATION, FLUX, FURTHER_CONFIGURATION } from "../../components/defaults.ts";
import { AUTHS } from "../../components/flux/signIn.ts";
import { DURATION } from "../../flux/duration.ts";
import { DOMAIN, LOG_LEVELS, TAINT_KEY } from "../../flux/installOptions.ts";
import { ADDRESS, ADDRESS_REMEDY, addressFault } from "../../net/gitAddress.ts";
import {
  defaulted,
  flag,
  forEditors,
  integer,
  list,
  map,
  oneOf,
  optional,
  refined,
  section,
  setting,
  text,
} from "../form.ts";
import { artifact } from "./artifact.ts";
import { kustomization } from "./kustomization.ts";
import { folder, label } from "./parts.ts";
import { source } from "./source.ts";

// The rules of `git check-ref-format --branch` (https://git-scm.com/docs/git-check-ref-format): last, every sign but
// spaces, control characters and ~ ^ : ? * [ \
const BRANCH =
  /^(?![-./])(?!(HEAD|@)$)(?!.*(\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|\/$|\.$))[!-)+-9;->@-Z\]_-}\u00a1-\uffff]+$/;

const USERNAME = /^[\w.@+~-]+$/;

const variable = () => text(/^[A-Z_][A-Z0-9_]*$/, "write the name of an environment variable, for example GIT_TOKEN");

const person = () =>
  map({
    name: setting(text(/^[^<>\p{Cc}]+$/u, "write a name"), "The name.", "Fleet"),
    email: setting(text(/^[^<>\s]+@[^<>\s]+$/, "write an address"), "The address.", "fleet@acme.example"),
  });

const githubApp = () =>
  map({
    id: setting(integer(1, Number.MAX_SAFE_INTEGER), "The App's id, as its settings at GitHub show it.", 123456),
    installationId: setting(
      optional(integer(1, Number.MAX_SAFE_INTEGER)),
      "The id of its installation, the last part of the address of its configuration at GitHub. Default: the one that the " +
        "repository's owner has.",
      45678901,
    ),
  });

const commit = map({
  credential: setting(
    optional(variable()),
    "The name of the environment variable with the credential: a token, or over SSH a private key in PEM. Another name is " +
      "how it rotates. Default: GIT_TOKEN, or else GITHUB_TOKEN on GitHub; over SSH GIT_SSH_KEY, or else the keys that SSH has.",
    "FLEET_TOKEN",
  ),
  githubApp: setting(
    optional(githubApp()),
    "The GitHub App that commits, over HTTPS: the variable of credential, GITHUB_APP_KEY by default, holds its private key. " +
      "Default: none; it holds a token.",
  ),
  username: setting(
    optional(text(USERNAME, "write a user name")),
    "The user name beside the token. Default: x-access-token, which most hosts take.",
    "x-token-auth",
  ),
  author: setting(
    optional(person()),
    "Whose name the commits bear, and whose address. Default: aks-gitops, of no domain.",
    { name: "Fleet", email: "fleet@acme.example" },
  ),
  committer: setting(optional(person()), "Who commits. Default: the author."),
  signingKey: setting(
    optional(variable()),
    "The name of the environment variable with the private SSH key, in PEM and without a passphrase, that signs the commits; " +
      "its public half is a signing key of the author's account. Default: they are not signed.",
    "FLEET_SIGNING_KEY",
  ),
  pullRequest: setting(
    optional(oneOf("leave", "wait", "never")),
    "What happens where the branch takes changes by pull request alone, on GitHub and Azure DevOps over HTTPS. leave: one is " +
      "opened from the branch aks-gitops/<stack>, or brought up to date, and the update fails with its address; the next " +
      "one after the merge goes on. wait: the update waits until it is merged. never: none is opened. The credential needs " +
      "the right to open one. Default: leave.",
    "wait",
  ),
  pullRequestMinutes: setting(
    optional(integer(1, 1440)),
    `With pullRequest wait: how many minutes an update waits. Default: ${COMMIT.pullRequestMinutes}.`,
    120,
  ),
});

/** How a bootstrapped Flux's controllers are installed. */
const install = map({
  tolerationKeys: setting(
    optional(list(text(TAINT_KEY, "write a taint's key, for example CriticalAddonsOnly"))),
    "Keys of taints that the controllers' pods tolerate, whatever the taint's value. Default: none.",
    ["CriticalAddonsOnly"],
  ),
  clusterDomain: setting(
    optional(text(DOMAIN, "write a DNS domain without a dot at its end, for example cluster.local")),
    "The cluster's own DNS domain. Default: cluster.local.",
    "cluster.internal",
  ),
  networkPolicy: setting(
    optional(flag),
    "Whether other namespaces are kept from the controllers by network policies. Default: true.",
  ),
  logLevel: setting(optional(oneOf(...LOG_LEVELS)), "How much the controllers log. Default: info."),
  watchAllNamespaces: setting(
    optional(flag),
    "Whether Flux's objects of all namespaces count, and not only those of flux-system. Default: true.",
  ),
});

/** What decides about the images of a Flux that is bootstrapped. */
export const fluxSource = {
  imageAutomation: setting(defaulted(flag, FLUX.imageAutomation), "Whether Flux's image controllers run too."),
  version: setting(
    defaulted(
      text(/^\d+\.\d+\.\d+$/, "write one exact version in quotes and without v, for example 2.9.4"),
      FLUX.version,
    ),
    "The Flux that bootstrap installs; the extension brings its own.",
    FLUX.version,
  ),
  install: setting(
    optional(install),
    "How the controllers of a bootstrapped Flux are installed, in the words of `flux bootstrap`. Default: as it does by itself.",
  ),
};

/** The extension's configuration. */
const configuration = map({
  name: setting(
    defaulted(label(), CONFIGURATION.name),
    "Its name in Azure; its GitRepository has the same, and its Kustomization is <name>-cluster.",
    "bootstrap",
  ),
  namespace: setting(
    defaulted(label(), CONFIGURATION.namespace),
    "The namespace of all Flux's objects of the stack; the extension makes it.",
    "cluster-config",
  ),
  scope: setting(
    defaulted(oneOf("cluster", "namespace"), CONFIGURATION.scope),
    "Whether Flux may write in the whole cluster, or in that namespace alone.",
  ),
  syncSeconds: setting(
    defaulted(integer(10, 86400), CONFIGURATION.syncSeconds),
    "How often Flux looks into the repository, in seconds.",
  ),
});

/** A further configuration of the extension. */
const further = map({
  name: setting(
    label(),
    "Its name in Azure; its GitRepository has the same, and its Kustomization is <name>-cluster.",
    "team-a",
  ),
  namespace: setting(label(), "The namespace of its objects of Flux; the extension makes it.", "team-a"),
  path: setting(folder("teams/a"), "The folder of the repository that it applies.", "teams/a"),
  scope: setting(
    defaulted(oneOf("cluster", "namespace"), FURTHER_CONFIGURATION.scope),
    "Whether Flux may write in that namespace alone for it, or in the whole cluster.",
  ),
  syncSeconds: setting(
    defaulted(integer(10, 86400), FURTHER_CONFIGURATION.syncSeconds),
    "How often Flux looks into the repository, in seconds.",
  ),
});

/** How Flux comes into the cluster and where it reads. */
export const flux = setting(
  section({
    mode: setting(
      defaulted(oneOf("extension", "bootstrap"), FLUX.mode),
      "How Flux comes into the cluster: as AKS's extension, or as `flux bootstrap` would bring it.",
    ),
    repository: setting(
      forEditors(refined(text(undefined, ADDRESS_REMEDY), addressFault), { pattern: ADDRESS.source }),
      "The GitOps repository on any Git host, over HTTPS or SSH, without any credential. The program commits over the same " +
        "way: with GIT_TOKEN, or else GITHUB_TOKEN on GitHub, or over SSH with GIT_SSH_KEY, of the environment.",
      "https://github.com/acme/fleet",
      "https://dev.azure.com/acme/platform/_git/fleet",
      "ssh://git@git.acme.example:2222/platform/fleet.git",
    ),
    artifact: setting(
      optional(artifact),
      "The artifact that a bootstrapped Flux reads in place of the repository: a pipeline pushes it from there after each " +
        "commit, by `flux push artifact`, and an update waits until it is of the commit (docs/sources.md). Default: none, " +
        "Flux reads the repository.",
    ),
    createRepository: setting(
      defaulted(flag, FLUX.createRepository),
      "Whether the repository is made, private, with this stack, on github.com alone; else it has to exist. It stays when the stack goes: " +
        "take this away before the stack is made anew. Where stacks share a repository, one of them makes it.",
    ),
    branch: setting(
      defaulted(text(BRANCH, "write a branch as git names it, for example main"), FLUX.branch),
      "The branch that Flux reads and the program writes.",
      "main",
    ),
    path: setting(
      optional(folder("clusters/prod")),
      "The folder that the cluster reconciles, from the repository's root; the program alone writes there. Default: clusters/<stack>.",
      "clusters/production",
    ),
    ...fluxSource,
    interval: setting(
      optional(text(DURATION, "write a duration as Flux does, in quotes, for example 5m0s")),
      "How often a bootstrapped Flux looks into the repository; the extension's has configuration.syncSeconds. Default: 1m0s.",
      "5m0s",
    ),
    recurseSubmodules: setting(
      optional(flag),
      "Whether a bootstrapped Flux reads the repository's submodules too, which its sign-in has to read. Default: false.",
    ),
    auth: setting(
      optional(oneOf(...AUTHS)),
      "How Flux signs in to the repository. Default: sshKey where its address is one of SSH, deployKey for the extension and " +
        "GitHub, else token. deployKey: with a key of its own that is added to the repository on GitHub, over SSH; adding it takes the permission " +
        "Administration: write, an organisation may forbid it, and the key dies with the personal token that made it. token: over HTTPS; the extension's " +
        "Flux with aks-gitops:gitToken, a bootstrapped one with FLUX_GIT_TOKEN, or else GITHUB_TOKEN, of the environment. " +
        "sshKey: over SSH with aks-gitops:gitKey, which a person registered at the host; RSA for Azure DevOps. " +
        "workloadIdentity: a bootstrapped Flux at Azure DevOps over HTTPS, as the identity of its controllers. githubApp: a " +
        "bootstrapped Flux on GitHub over HTTPS, as the App of githubApp with its private key as aks-gitops:gitKey.",
    ),
    githubApp: setting(optional(githubApp()), "The GitHub App that Flux with auth githubApp signs in as."),
    username: setting(
      defaulted(text(USERNAME, "write a user name"), FLUX.username),
      "The user name beside Flux's token. Most hosts take any; a deploy token of GitLab and Bitbucket's tokens have their own.",
      "x-token-auth",
    ),
    knownHosts: setting(
      optional(text(undefined, "write lines of a known_hosts file")),
      "By which keys the repository's host is known over SSH, as lines of a known_hosts file. Default: those that github.com, " +
        "gitlab.com, bitbucket.org and Azure DevOps publish; no others are known.",
      "git.acme.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI...",
    ),
    commit: setting(
      optional(commit),
      "How the program itself signs in to the repository and commits. Default: with GIT_TOKEN, or else GITHUB_TOKEN on " +
        "GitHub, or over SSH with GIT_SSH_KEY, of the environment.",
    ),
    sources: setting(
      optional(list(source)),
      "Further sources of kustomizations, beside the repository: other Git repositories, OCI artifacts and containers of " +
        "Azure Storage. Default: none.",
    ),
    kustomizations: setting(
      optional(list(kustomization)),
      "Flux's Kustomizations of the repository's folders, beside infrastructure, which applies what the program itself " +
        "writes. Default: one named apps, of the folder apps/<stack>.",
    ),
    configuration: setting(
      optional(configuration),
      "The extension's configuration. Another name or namespace makes it anew. Default: flux-system, of the whole cluster.",
    ),
    configurations: setting(
      optional(list(further)),
      "Further configurations of the extension, each of a folder of the same repository. An update does not wait until " +
        "what is in them is Ready. Default: none.",
    ),
    extensionVersion: setting(
      optional(
        text(
          /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/,
          "write one exact version of the extension in quotes, for example 1.18.4",
        ),
      ),
      "The version that the extension stays at. Default: Azure upgrades it by itself.",
      "1.18.4",
    ),
    start: setting(
      defaulted(oneOf("apps", "overlays"), FLUX.start),
      "What people begin with where their folders are empty. apps: apps/<stack>. overlays: a base and overlays for dev, " +
        "staging and prod of apps/ and infrastructure/ too, and a README of who owns what; kustomizations say which of " +
        "them the stack applies. What is written once is theirs.",
    ),
    readyMinutes: setting(
      defaulted(integer(1, 120), FLUX.readyMinutes),
      "How many minutes an update waits until everything that Flux reconciles is Ready.",
    ),
  }),
  "How Flux comes into the cluster, and where it reads.",
);
