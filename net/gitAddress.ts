// The addresses of Git repositories: people, the program, Flux and SSH each write them in another way.

/** A repository on a Git host. */
export interface RepositoryAddress {
  readonly scheme: "https" | "ssh";
  /** Who signs in; over SSH alone. */
  readonly user?: string;
  /** The host's name, with its port where one is written: `github.com`. */
  readonly host: string;
  /** Without a slash at either end: `acme/fleet.git`. */
  readonly path: string;
}

/** What is wrong with a text that shall be a repository's address; it tells nothing that may be a credential. */
export interface AddressFault {
  readonly problem: string;
  readonly remedy: string;
}

/** The words for whoever has to write an address. */
export const ADDRESS_REMEDY =
  "write the repository's address, https://<host>/<path> or ssh://git@<host>/<path>, for example https://github.com/acme/fleet";

const HOST = "[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\\d{1,5})?";
// Azure DevOps' names may have spaces, which an address writes as %20.
const STEP = "(?!\\.{1,2}(/|$))([A-Za-z0-9._~+-]|%20)+";
const USER = "[A-Za-z_][A-Za-z0-9._-]*";

/** The form of every address, in JavaScript and in an editor. */
export const ADDRESS = new RegExp(`^(https://|ssh://${USER}@)${HOST}/${STEP}(/${STEP})*/?$`);

const PARTS = new RegExp(`^(?<scheme>https|ssh)://((?<user>${USER})@)?(?<host>${HOST})/(?<path>.+?)/?$`);

/** The repository that an address names; undefined where {@link addressFault} finds something. */
export function parseRepositoryUrl(text: string): RepositoryAddress | undefined {
  return addressFault(text) === undefined ? partsOf(text) : undefined;
}

function partsOf(text: string): RepositoryAddress | undefined {
  const { scheme, user, host, path } = (ADDRESS.test(text) && PARTS.exec(text)?.groups) || {};
  if ((scheme !== "https" && scheme !== "ssh") || host === undefined || path === undefined) return undefined;
  return { scheme, ...(user === undefined ? {} : { user }), host, path };
}

/** Why a text is no repository's address, and what to write. */
export function addressFault(text: string): AddressFault | undefined {
  const address = partsOf(text);
  return address === undefined ? formFault(text) : hostFault(address);
}

function formFault(text: string): AddressFault {
  const short = /^git@([a-z0-9.-]+):(?!\/)([A-Za-z0-9._~/-]+)$/.exec(text);
  if (short) {
    const [, host = "", path = ""] = short;
    const whole = { scheme: "ssh", user: "git", host, path } as const;
    const problem = "is SSH's short form, which Flux does not take";
    return { problem, remedy: `write ${told(path) ? written(whole) : ADDRESS_REMEDY.slice("write ".length)}` };
  }
  const named = /^https:\/\/[A-Za-z0-9._-]+@(dev\.azure\.com)\/(.+?)\/?$/.exec(text);
  if (named && told(named[2] ?? "") && DEVOPS_PATH.test(named[2] ?? ""))
    return { problem: "names who signs in", remedy: `write https://${named[1]}/${named[2]}` };
  if (/^https:\/\/[^/]*@/.test(text) || /^ssh:\/\/[^/]*:[^/]*@/.test(text))
    return {
      problem: "holds a user name or a credential",
      remedy:
        "write it without what stands before the host; the credentials are GIT_TOKEN or GIT_SSH_KEY of the environment",
    };
  if (text.startsWith("http://"))
    return { problem: "would show the token to everybody on the way", remedy: "write it with https://" };
  if (/^ssh:\/\/[^@]*$/.test(text))
    return { problem: "does not say who signs in", remedy: "write ssh://git@<host>/<path>" };
  if (text.startsWith("oci://"))
    return {
      problem: "is an OCI artifact, and the program commits to a Git repository",
      remedy: `${ADDRESS_REMEDY}; the artifact that the cluster reads in place of it is flux.artifact, further ones are flux.sources`,
    };
  if (/^(git|file|ftp|ftps|rsync):\/\//.test(text))
    return { problem: "is read over neither HTTPS nor SSH", remedy: ADDRESS_REMEDY };
  return { problem: "does not have the right form", remedy: ADDRESS_REMEDY };
}

/** Whether a path may be shown: no step of it looks like a token. */
const told = (path: string): boolean => !/gh[a-z]_|github_pat_|gl[a-z]{2,5}-|[A-Za-z0-9_-]{36,}/.test(path);

const GITHUB_PATH = /^[A-Za-z0-9][A-Za-z0-9-]*\/(?!\.git$)[A-Za-z0-9._-]+$/;
const DEVOPS_PATH = /^[^/]+\/[^/]+\/_git\/[^/]+$/;
const DEVOPS_SSH_PATH = /^v3\/[^/]+\/[^/]+\/[^/]+$/;

/** What the hosts that are known by name do not take. */
function hostFault({ scheme, user, host, path }: RepositoryAddress): AddressFault | undefined {
  const steps = told(path) ? path.split("/") : [];
  const remedy = (exact: string | undefined, form: string) => ({ remedy: `write ${exact ?? form}` });
  if (host === "www.github.com" || (host === "github.com" && !GITHUB_PATH.test(path))) {
    const exact = steps.length > 1 ? `https://github.com/${steps[0]}/${steps[1]}` : undefined;
    return { problem: "is no repository on GitHub", ...remedy(exact, "https://github.com/<owner>/<repository>") };
  }
  if (host === "dev.azure.com" && (scheme !== "https" || !DEVOPS_PATH.test(path))) {
    const isShort = steps.length === 3 && steps[1] === "_git";
    const exact = isShort ? `https://dev.azure.com/${steps[0]}/${steps[2]}/_git/${steps[2]}` : undefined;
    const form = "https://dev.azure.com/<organization>/<project>/_git/<repository>";
    return { problem: "is no repository of Azure DevOps", ...remedy(exact, form) };
  }
  if (host === "ssh.dev.azure.com" && (scheme !== "ssh" || user !== "git" || !DEVOPS_SSH_PATH.test(path))) {
    const form = "ssh://git@ssh.dev.azure.com/v3/<organization>/<project>/<repository>";
    return { problem: "is no repository of Azure DevOps", ...remedy(undefined, form) };
  }
  if (host.endsWith(".visualstudio.com"))
    return {
      problem: "is an address that Azure DevOps had before",
      ...remedy(undefined, "https://dev.azure.com/<organization>/<project>/_git/<repository>"),
    };
  return undefined;
}

/** An address as a text. */
export function written({ scheme, user, host, path }: RepositoryAddress): string {
  return `${scheme}://${user === undefined ? "" : `${user}@`}${host}/${path}`;
}

/**
 * Who has a repository on GitHub, and its name there; undefined elsewhere, and over SSH.
 * @param enterprise a host of GitHub Enterprise beside github.com.
 */
export function gitHubRepository(
  address: RepositoryAddress,
  enterprise?: string,
): { owner: string; name: string } | undefined {
  if (address.scheme !== "https" || !["github.com", enterprise].includes(address.host)) return undefined;
  const [owner = "", name = ""] = address.path.split("/");
  return { owner, name: name.replace(/\.git$/, "") };
}

/** The host of GitHub Enterprise that a configuration of @pulumi/github names by `github:baseUrl`; undefined without one. */
export function enterpriseHost(config: Readonly<Record<string, unknown>>): string | undefined {
  const base = config["github:baseUrl"];
  if (typeof base !== "string" || !URL.canParse(base)) return undefined;
  const host = new URL(base).host.replace(/^api\.(?=.+\.ghe\.com$)/, "");
  return host === "api.github.com" || host === "" ? undefined : host;
}

/**
 * The one address for all who write to it. On GitHub without `.git`, so another way of writing it is no other repository;
 * elsewhere as it was written, since not every host knows both.
 */
export function commitUrl(address: RepositoryAddress): string {
  const gitHub = gitHubRepository(address);
  return gitHub === undefined ? written(address) : `https://github.com/${gitHub.owner}/${gitHub.name}`;
}

/** Azure DevOps' names of a repository. */
function devOpsRepository({ scheme, host, path }: RepositoryAddress) {
  if (scheme !== "https" || host !== "dev.azure.com") return undefined;
  const [organization = "", project = "", , repository = ""] = path.split("/");
  return { organization, project, repository };
}

/** Whether a repository is read at Azure DevOps over HTTPS, where Entra's identities may sign in. */
export const isDevOps = (address: RepositoryAddress): boolean => devOpsRepository(address) !== undefined;

/**
 * The address over SSH, in the form that `flux bootstrap` writes; undefined where a host's address over HTTPS does not tell
 * it.
 * @param enterprise a host of GitHub Enterprise, which has one name for both.
 */
export function sshUrl(address: RepositoryAddress, enterprise?: string): string | undefined {
  if (address.scheme === "ssh") return written(address);
  const devOps = devOpsRepository(address);
  if (devOps !== undefined) {
    const { organization, project, repository } = devOps;
    return `ssh://git@ssh.dev.azure.com/v3/${organization}/${project}/${repository}`;
  }
  if (!SAME_NAME.has(address.host) && address.host !== enterprise) return undefined;
  return `ssh://git@${address.host}/${address.path.replace(/\.git$/, "")}`;
}

/** Hosts that have one name, and one path of a repository, over HTTPS and over SSH. */
const SAME_NAME = new Set(["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"]);

/** The address that a bootstrapped Flux reads over HTTPS: as people wrote it, `.git` and all, but for a slash at its end. */
export function writtenUrl(text: string): string {
  return text.replace(/\/$/, "");
}

/** The host in a URL of Git, with its port; empty where there is none. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "";
}

/**
 * Whether GITHUB_TOKEN is for a host: github.com, GitHub Enterprise Cloud, the server that a workflow runs on
 * (GITHUB_SERVER_URL), and this machine, which it does not leave. No other host is to see it.
 */
export function takesGitHubToken(url: string, environment: Readonly<Record<string, string | undefined>>): boolean {
  const host = hostOf(url);
  const { hostname } = URL.canParse(url) ? new URL(url) : { hostname: "" };
  const isHere = ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  return (
    isHere || host === "github.com" || host.endsWith(".ghe.com") || host === hostOf(environment.GITHUB_SERVER_URL ?? "")
  );
}
