// What a child `git` sees: no configuration of the machine or its user, and the credential only through the environment.

/** A secret for a Git host, with the name of the environment variable it came from. */
export interface Credential {
  readonly variable: "GIT_TOKEN" | "GITHUB_TOKEN";
  readonly token: string;
}

/** `GIT_TOKEN`, which says what it is for, else `GITHUB_TOKEN`, which every GitHub tool uses. */
export function findCredential(environment: NodeJS.ProcessEnv = process.env): Credential | undefined {
  for (const variable of ["GIT_TOKEN", "GITHUB_TOKEN"] as const) {
    const token = environment[variable];
    if (token) return { variable, token };
  }
  return undefined;
}

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

/**
 * The environment of a child git.
 *
 * @param folder an empty bare repository's folder; it is its home too, as git before 2.32 has no other switch for that
 */
export function gitEnvironment(
  folder: string,
  credential: Credential | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith("GIT_") || KEPT.has(name));
  const { GITHUB_TOKEN: _, ...rest } = Object.fromEntries(kept);
  return {
    GIT_SSH_COMMAND: "ssh -o BatchMode=yes",
    ...rest,
    ...(credential ? { [TOKEN]: credential.token } : {}),
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
 * Settings, given with `-c`, that let git ask for the credential. They name the variable only, never its value, and
 * hold for the URL's host alone: a redirect to another host gets nothing.
 */
export function helperSettings(url: string, credential: Credential | undefined): string[] {
  const off = ["-c", "credential.helper="];
  if (!credential || !URL.canParse(url)) return off;
  const { protocol, host } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return off;
  // GitHub wants this name for an app's token; with other tokens, and elsewhere, any name does.
  const helper = `!f() { test "$1" = get && printf 'username=x-access-token\\npassword=%s\\n' "$${TOKEN}"; }; f`;
  return [...off, "-c", `credential.${protocol}//${host}.helper=${helper}`];
}
