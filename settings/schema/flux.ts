// The form of `aks-gitops:flux` and of the token that goes with it.
import { CONFIGURATION, FLUX, FURTHER_CONFIGURATION } from "../../components/defaults.ts";
import { defaulted, flag, integer, list, map, oneOf, optional, section, setting, text } from "../form.ts";
import { kustomization } from "./kustomization.ts";
import { folder, label } from "./parts.ts";

// The rules of `git check-ref-format --branch` (https://git-scm.com/docs/git-check-ref-format): last, every sign but
// spaces, control characters and ~ ^ : ? * [ \
const BRANCH =
  /^(?![-./])(?!(HEAD|@)$)(?!.*(\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|\/$|\.$))[!-)+-9;->@-Z\]_-}\u00a1-\uffff]+$/;

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
      text(
        /^https:\/\/github\.com\/[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+?(\.git)?\/?$/,
        "write the address of a repository on GitHub, for example https://github.com/acme/fleet",
      ),
      "The GitOps repository on GitHub, without any credential.",
      "https://github.com/acme/fleet",
    ),
    createRepository: setting(
      defaulted(flag, FLUX.createRepository),
      "Whether the repository is made, private, with this stack; else it has to exist. It stays when the stack goes: " +
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
    auth: setting(
      optional(oneOf("deployKey", "token")),
      "How Flux signs in to the repository. Default: deployKey with the extension, token with bootstrap. " +
        "deployKey: with a key of its own that is added to the repository, over SSH; adding it takes the permission " +
        "Administration: write, an organisation may forbid it, and the key dies with the personal token that made it. token: over HTTPS; the extension's " +
        "Flux with aks-gitops:gitToken, a bootstrapped one with FLUX_GIT_TOKEN, or else GITHUB_TOKEN, of the environment.",
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
