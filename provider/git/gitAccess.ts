// How a repository is reached: what of it inputs may say, none of it a credential.

import * as z from "zod";
import { describe } from "../../net/describe.ts";
import { hostOf } from "../../net/gitAddress.ts";
import { type Credential, credentialVariables, findCredential, isSsh } from "../../net/gitCredential.ts";
import { installationToken } from "../../net/gitHubApp.ts";
import { matching } from "../../plugin/schema.ts";

/** GitHub numbers Apps and installations. */
const number = matching(/^[1-9]\d*$/, "a number, in digits");

/** The GitHub App that signs in. */
const gitHubApp = z
  .strictObject(
    {
      id: number.describe("Its id."),
      installationId: number
        .describe("The id of its installation. Default: the one that the repository belongs to.")
        .exactOptional(),
    },
    { error: "must be a map" },
  )
  .describe("A GitHub App that commits.")
  .meta({ id: "GitHubApp" });

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
      githubApp: gitHubApp
        .describe(
          "The GitHub App that signs in: the variable of `credential`, `GITHUB_APP_KEY` by default, holds its private key. " +
            "Default: none; it holds a token.",
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

/**
 * What signs in to a URL with the environment's credential: itself, or the token that it gets as a GitHub App's key.
 * @throws Error where the App gets none.
 */
export async function signInCredential(
  url: string,
  access: GitAccess,
  signal: AbortSignal,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Credential | undefined> {
  const found = findCredential(url, access, environment);
  if (access.githubApp === undefined || isSsh(url)) return found;
  if (found === undefined)
    throw new Error(
      `${credentialVariables(url, access).join()} is not set, and GitHub App ${access.githubApp.id} signs in to ${url} with ` +
        "its private key: set it to that",
    );
  const wish = { app: access.githubApp, url, privateKey: found.token, source: found.variable, signal };
  try {
    return { ...found, token: await installationToken(wish) };
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(describe(error).replaceAll(found.token, "***"));
  }
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
