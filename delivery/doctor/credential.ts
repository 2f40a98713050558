// What the program would commit with.

import { takesGitHubToken } from "../../net/gitAddress.ts";
import type { Environment } from "../../net/signIn.ts";
import type { FluxSettings } from "../../settings/types.ts";

/** A token, and the variable that it is in. */
export interface GitToken {
  readonly variable: string;
  readonly token: string;
}

/** The token for a repository over HTTPS; undefined where the environment has none. */
export function gitToken(
  { repository, commit }: Pick<FluxSettings, "repository" | "commit">,
  environment: Environment,
) {
  const names = commit?.credential
    ? [commit.credential]
    : ["GIT_TOKEN", ...(takesGitHubToken(repository, environment) ? ["GITHUB_TOKEN"] : [])];
  const found = names.map((variable) => ({ variable, token: environment[variable] ?? "" }));
  return found.find(({ token }): boolean => token !== "") satisfies GitToken | undefined;
}
