// The environment's credential for a Git host.

import { takesGitHubToken } from "./gitAddress.ts";

/** What is said of the way to sign in. */
export interface GitSignIn {
  /** The variable that holds the credential. */
  readonly credential?: string | undefined;
  /** The GitHub App whose key that is. */
  readonly githubApp?: object | undefined;
  /** The user name beside a token. */
  readonly username?: string | undefined;
}

/** A secret for a Git host, with the name of the environment variable it came from. */
export interface Credential {
  readonly variable: string;
  /** A token; over SSH a private key. */
  readonly token: string;
  /** The user name beside a token. */
  readonly username: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const isSsh = (url: string): boolean => url.startsWith("ssh://");

/** The variables that are looked at for a URL, the first that is set counts. */
export function credentialVariables(
  url: string,
  { credential, githubApp }: GitSignIn = {},
  environment: Environment = process.env,
): readonly [string, ...string[]] {
  if (credential !== undefined) return [credential];
  if (githubApp !== undefined) return ["GITHUB_APP_KEY"];
  if (isSsh(url)) return ["GIT_SSH_KEY"];
  // The first says what it is for; the second is what every GitHub tool uses, and nobody else's to see.
  return takesGitHubToken(url, environment) ? ["GIT_TOKEN", "GITHUB_TOKEN"] : ["GIT_TOKEN"];
}

/** The environment's credential for a URL; undefined where there is none. */
export function findCredential(
  url: string,
  signIn: GitSignIn = {},
  environment: Environment = process.env,
): Credential | undefined {
  for (const variable of credentialVariables(url, signIn, environment)) {
    const token = environment[variable];
    // GitHub wants this name for an app's token; with other tokens, and mostly elsewhere, any name does.
    if (token) return { variable, token, username: signIn.username ?? "x-access-token" };
  }
  return undefined;
}
