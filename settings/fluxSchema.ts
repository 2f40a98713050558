// The form of `aks-gitops:flux`.
import { defaulted, flag, integer, map, oneOf, optional, text } from "./check.ts";

/** The Flux whose manifests tools/ can make everywhere; others need GitHub at hand. */
const FLUX_VERSION = "2.9.4";

/** How Flux comes into the cluster and where it reads. */
export const flux = map({
  mode: defaulted(oneOf("extension", "bootstrap"), "extension"),
  /** The GitOps repository on GitHub. */
  repository: text(
    /^https:\/\/github\.com\/[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+?(\.git)?\/?$/,
    "write the address of a repository on GitHub, for example https://github.com/acme/fleet",
  ),
  /**
   * Whether the repository is made, private, with this stack. Default false: it has to exist. It stays when the stack
   * goes: take this away before the stack is made anew. Where stacks share a repository, one of them makes it.
   */
  createRepository: defaulted(flag, false),
  /** Default main. */
  branch: defaulted(
    text(
      /^(?![/.])(?!.*(\.\.|\/\/|@\{|\.lock$|\/$))[^\s~^:?*[\\]+$/,
      "write a branch as git names it, for example main",
    ),
    "main",
  ),
  /** Whether Flux's image controllers run too; default false. */
  imageAutomation: defaulted(flag, false),
  /** The Flux that bootstrap installs; the extension brings its own. */
  version: defaulted(
    text(/^\d+\.\d+\.\d+$/, "write one exact version in quotes and without v, for example 2.9.4"),
    FLUX_VERSION,
  ),
  /**
   * How Flux signs in to the repository; default deployKey with the extension, token with bootstrap.
   * deployKey: with a key of its own that is added to the repository, over SSH.
   * token: over HTTPS; the extension's Flux with aks-gitops:gitToken, a bootstrapped one with FLUX_GIT_TOKEN, or else
   * GITHUB_TOKEN, of the environment.
   */
  auth: optional(oneOf("deployKey", "token")),
  /** How many minutes an update waits until everything that Flux bootstrapped is Ready; default 15. */
  readyMinutes: defaulted(integer(1, 120), 15),
});
