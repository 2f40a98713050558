import { commitUrl } from "../../net/gitAddress.ts";
import type { GitAccessArgs, PullRequestArgs } from "../../provider/sdk/gitCommit.ts";
import { COMMIT } from "../defaults.ts";
import type { GitHubAppArgs } from "./fluxBootstrapArgs.ts";
import type { FluxWanted } from "./fluxParts.ts";
import { hostKeys } from "./signIn.ts";

/** How a pull request is made where the branch takes no push; undefined where none may or can be. */
export function pullRequestOf({ address, stack, commit = {} }: FluxWanted): PullRequestArgs | undefined {
  const { pullRequest = COMMIT.pullRequest, pullRequestMinutes = COMMIT.pullRequestMinutes } = commit;
  if (pullRequest === "never" || address.scheme === "ssh") return undefined;
  return { branch: `aks-gitops/${stack}`, ...(pullRequest === "wait" && { waitMinutes: pullRequestMinutes }) };
}

const appOf = ({ id, installationId }: GitHubAppArgs) => ({
  id: String(id),
  ...(installationId === undefined ? {} : { installationId: String(installationId) }),
});

/** How the program reaches the repository to read and to commit; undefined where the environment's own ways do. */
export function gitAccessOf(args: FluxWanted): GitAccessArgs | undefined {
  const { commit: { credential, username, githubApp } = {}, address } = args;
  const knownHosts = address.scheme === "ssh" ? hostKeys(commitUrl(address), args) : undefined;
  const access = {
    ...(credential === undefined ? {} : { credential }),
    ...(githubApp === undefined ? {} : { githubApp: appOf(githubApp) }),
    ...(username === undefined ? {} : { username }),
    ...(knownHosts === undefined ? {} : { knownHosts }),
  };
  return Object.keys(access).length > 0 ? access : undefined;
}
