// What a child `git` sees: no configuration of the machine or its user, and the credential only through the environment or,
// for SSH, a file that nobody else may read.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "../../net/describe.ts";
import type { Credential } from "../../net/gitCredential.ts";
import { publicKeyOf } from "../../net/sshKey.ts";
import type { GitAccess } from "./gitAccess.ts";
import { GitError } from "./gitError.ts";

/** Git's variables that say how to reach a remote; all others could point git at other data or write the token. */
const KEPT = new Set([
  "GIT_EXEC_PATH",
  "GIT_HTTP_PROXY_AUTHMETHOD",
  "GIT_PROXY_SSL_CAINFO",
  "GIT_SSH",
  "GIT_SSH_COMMAND",
  "GIT_SSH_VARIANT",
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
]);

/** Where the helper reads the token: a name that no other tool takes for its own. */
const TOKEN = "AKS_GITOPS_GIT_TOKEN";

/** What git signs in with. */
export interface SignIn {
  readonly credential: Credential | undefined;
  /** What is added to the command of SSH. */
  readonly sshOptions: string;
}

/**
 * The environment of a child git.
 *
 * @param folder an empty bare repository's folder; it is its home too, as git before 2.32 has no other switch for that
 */
export function gitEnvironment(
  folder: string,
  { credential, sshOptions }: SignIn,
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const hidden = new Set(["GITHUB_TOKEN", credential?.variable]);
  const rest = Object.fromEntries(
    Object.entries(environment).filter(([name]) => (!name.startsWith("GIT_") || KEPT.has(name)) && !hidden.has(name)),
  );
  const ssh = rest.GIT_SSH_COMMAND ?? (rest.GIT_SSH === undefined ? "ssh -o BatchMode=yes" : undefined);
  return {
    ...rest,
    ...(ssh === undefined ? {} : { GIT_SSH_COMMAND: `${ssh}${sshOptions}` }),
    ...(credential?.token ? { [TOKEN]: credential.token } : {}),
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    GIT_DIR: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    // A remote that falls silent for two minutes is given up.
    GIT_HTTP_LOW_SPEED_LIMIT: "1",
    GIT_HTTP_LOW_SPEED_TIME: "120",
    // Dangerous transports such as ext:: run programs that the URL names.
    GIT_ALLOW_PROTOCOL: "https:http:ssh:file",
    // Messages are read by a program.
    LC_ALL: "C",
    LANGUAGE: "C",
  };
}

/**
 * Puts what SSH reads from files alone into a folder.
 *
 * @param folder nobody else may enter it.
 * @throws GitError where the credential is no private key.
 */
export async function sshSignIn(
  folder: string,
  url: string,
  credential: Credential | undefined,
  { knownHosts }: GitAccess,
): Promise<SignIn> {
  if (!url.startsWith("ssh://")) return { credential, sshOptions: "" };
  const options: string[] = [];
  if (credential !== undefined) {
    const path = join(folder, "ssh-key");
    await writeFile(path, keyText(credential), { mode: 0o600 });
    options.push(`IdentityFile=${path}`, "IdentitiesOnly=yes");
  }
  if (knownHosts !== undefined) {
    const path = join(folder, "ssh-known-hosts");
    await writeFile(path, `${knownHosts.trim()}\n`);
    options.push(
      `UserKnownHostsFile=${path}`,
      "GlobalKnownHostsFile=none",
      "StrictHostKeyChecking=yes",
      "UpdateHostKeys=no",
    );
  }
  // Git gives the key to no program through the environment.
  return {
    credential: credential && { ...credential, token: "" },
    sshOptions: options.map((option) => ` -o ${quoted(option)}`).join(""),
  };
}

/**
 * Puts a key that signs commits into a folder that nobody else may enter, with its public half, as ssh-keygen wants it.
 *
 * @param variable the environment's, which holds it.
 * @returns the file's path.
 * @throws GitError where the variable holds no private key.
 */
export async function writeSigningKey(
  folder: string,
  variable: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const token = environment[variable];
  if (!token) throw new GitError("other", `${variable} is not set, and commits are to be signed with the key in it`);
  const path = join(folder, "signing-key");
  await writeFile(path, keyText({ variable, token }), { mode: 0o600 });
  await writeFile(`${path}.pub`, `${publicKeyOf(token).line}\n`);
  return path;
}

function keyText({ variable, token }: Pick<Credential, "variable" | "token">): string {
  try {
    publicKeyOf(token);
  } catch (error) {
    throw new GitError("other", `the key in ${variable} ${describe(error)}: give a private key in PEM`);
  }
  return `${token.trim()}\n`;
}

/** Git gives the command of SSH to a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Settings, given with `-c`, that let git ask for the credential. They name the variable only, never its value, and
 * hold for the URL's host alone: a redirect to another host gets nothing.
 */
export function helperSettings(url: string, credential: Credential | undefined): string[] {
  const off = ["-c", "credential.helper="];
  if (!credential || !URL.canParse(url)) return off;
  const { protocol, host } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return off;
  const { username } = credential;
  const helper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' '${username}' "$${TOKEN}"; }; f`;
  return [...off, "-c", `credential.${protocol}//${host}.helper=${helper}`];
}
