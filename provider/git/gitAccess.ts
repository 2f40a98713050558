// How a repository is reached: what of it inputs may say, none of it a credential.

import * as z from "zod";
import { hostOf, takesGitHubToken } from "../../net/gitAddress.ts";
import { matching } from "../../plugin/schema.ts";

/** How a Git repository is signed in to, where the environment's own ways do not do. */
export const gitAccess = z
  .strictObject(
    {
      credential: matching(/^[A-Z_][A-Z0-9_]*$/, "the name of an environment variable: GIT_TOKEN")
        .describe(
          "The name of the environment variable with the credential: a token, or over SSH a private key. Default: " +
            "`GIT_TOKEN`, or else on GitHub `GITHUB_TOKEN`; over SSH `GIT_SSH_KEY`, or else SSH's own agent and keys.",
        )
        .exactOptional(),
      username: matching(/^[\w.@+~-]+$/, "a user name")
        .describe("The user name beside a token. Default: `x-access-token`.")
        .exactOptional(),
      knownHosts: z
        .string()
        .describe(
          "The host's keys over SSH, as lines of a known_hosts file; no other is trusted then. Default: the user's.",
        )
        .exactOptional(),
    },
    { error: "must be a map" },
  )
  .describe("How a Git repository is signed in to.")
  .meta({ id: "GitAccess" });

export type GitAccess = z.output<typeof gitAccess>;

/** A secret for a Git host, with the name of the environment variable it came from. */
export interface Credential {
  readonly variable: string;
  /** A token; over SSH a private key. */
  readonly token: string;
  /** The user name beside a token. */
  readonly username: string;
}

const isSsh = (url: string): boolean => url.startsWith("ssh://");

/** The variables that are looked at for a URL, the first that is set counts. */
export function credentialVariables(
  url: string,
  { credential }: GitAccess = {},
  environment: NodeJS.ProcessEnv = process.env,
): readonly string[] {
  if (credential !== undefined) return [credential];
  if (isSsh(url)) return ["GIT_SSH_KEY"];
  // The first says what it is for; the second is what every GitHub tool uses, and nobody else's to see.
  return takesGitHubToken(url, environment) ? ["GIT_TOKEN", "GITHUB_TOKEN"] : ["GIT_TOKEN"];
}

/** The environment's credential for a URL; undefined where there is none. */
export function findCredential(
  url: string,
  access: GitAccess = {},
  environment: NodeJS.ProcessEnv = process.env,
): Credential | undefined {
  for (const variable of credentialVariables(url, access, environment)) {
    const token = environment[variable];
    // GitHub wants this name for an app's token; with other tokens, and mostly elsewhere, any name does.
    if (token) return { variable, token, username: access.username ?? "x-access-token" };
  }
  return undefined;
}

/** What a token's right is called where a repository is, to read it or to push to it. */
export function rightAt(url: string, action: "read" | "push"): string {
  const [read, push] = rightsAt(hostOf(url).replace(/:\d+$/, ""));
  return action === "push" ? push : read;
}

function rightsAt(host: string): readonly [read: string, push: string] {
  switch (host) {
    case "dev.azure.com":
    case "ssh.dev.azure.com":
      return [
        "(in Azure DevOps: Code, read; the permission Read)",
        "(in Azure DevOps: Code, read & write; the permission Contribute)",
      ];
    case "gitlab.com":
      return ["(in GitLab: read_repository, the role Reporter)", "(in GitLab: write_repository, the role Developer)"];
    case "bitbucket.org":
      return ["(in Bitbucket: Repositories, read)", "(in Bitbucket: Repositories, write)"];
    default:
      return ["(on GitHub: Contents, read)", "(on GitHub: Contents, read and write)"];
  }
}
