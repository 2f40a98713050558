// How Flux signs in to a repository, and why some ways and hosts do not go together. Plain data in, data out.
import {
  addressFault,
  gitHubRepository,
  isDevOps,
  parseRepositoryUrl,
  type RepositoryAddress,
  sshUrl,
  written,
} from "../../net/gitAddress.ts";
import { appKeyProblem } from "../../net/gitHubApp.ts";
import { knownHostsFault, publishedKeys, scanCommand } from "../../net/knownHosts.ts";
import { publicKeyOf } from "../../net/sshKey.ts";
import { FLUX } from "../defaults.ts";

/**
 * The ways: a key that is added to the repository on GitHub, a token over HTTPS, a key that a person registered, the
 * identity of Flux's controllers, or a GitHub App.
 */
export const AUTHS = ["deployKey", "token", "sshKey", "workloadIdentity", "githubApp"] as const;
export type Auth = (typeof AUTHS)[number];

/** What decides about the way; what is faulty or absent may be undefined. */
export interface SignInOptions {
  readonly mode?: "extension" | "bootstrap" | undefined;
  readonly repository?: string | undefined;
  readonly auth?: Auth | undefined;
  readonly createRepository?: boolean | undefined;
  /** Lines of a known_hosts file. */
  readonly knownHosts?: string | undefined;
  /** How the program commits. */
  readonly commit?:
    | {
        readonly pullRequest?: "leave" | "wait" | "never" | undefined;
        readonly pullRequestMinutes?: number | undefined;
        readonly githubApp?: object | undefined;
      }
    | undefined;
  /** The GitHub App that Flux signs in as. */
  readonly githubApp?: { readonly id?: number | undefined; readonly installationId?: number | undefined } | undefined;
  /** The host of GitHub Enterprise that @pulumi/github talks to. */
  readonly githubHost?: string | undefined;
  /** What Flux reads in place of the repository, to which it does not sign in then. */
  readonly artifact?: object | undefined;
  /** The Flux that is bootstrapped. */
  readonly version?: string | undefined;
  /** The private key that a person registered, or of the App, or whatever stands for it where it is not to be read. */
  readonly gitKey?: unknown;
}

/** Why a way to sign in cannot be as it is. */
export interface SignInDisorder {
  readonly key: "repository" | "auth" | "createRepository" | "knownHosts" | "gitKey" | "githubApp";
  /** Left out where it may be a secret. */
  readonly value?: unknown;
  /** As a phrase that follows the property. */
  readonly problem: string;
  readonly remedy: string;
}

/** The way that is taken: the given one, or the host's and the mode's own. */
export function authOf({ mode = FLUX.mode, repository = "", auth }: SignInOptions): Auth {
  if (auth !== undefined) return auth;
  const address = parseRepositoryUrl(repository);
  if (address?.scheme === "ssh") return "sshKey";
  return mode === "extension" && (address === undefined || gitHubRepository(address)) ? "deployKey" : "token";
}

/** The keys of a host that is reached over SSH: those that are given, else those that it publishes. */
export function hostKeys(url: string, { knownHosts }: SignInOptions): string | undefined {
  return knownHosts ?? publishedKeys(hostIn(url));
}

const hostIn = (url: string): string => parseRepositoryUrl(url)?.host ?? "";

/** Everything about a repository and the way to it that cannot work. */
export function signInDisorders(options: SignInOptions): SignInDisorder[] {
  const { repository } = options;
  const address = repository === undefined ? undefined : parseRepositoryUrl(repository);
  if (address === undefined) return [];
  if (options.artifact !== undefined) {
    const { auth: _, ...committing } = options;
    return [
      ...gitHubAlone(committing, address),
      ...(address.scheme === "ssh" ? unknownHost(address.host, options) : []),
    ];
  }
  return [
    ...gitHubAlone(options, address),
    ...wayDisorders(options, address),
    ...keyDisorders(options, address),
    ...appDisorders(options),
  ];
}

/** Why it cannot be committed as it is asked for. */
export interface CommitDisorder {
  readonly key: "pullRequest" | "pullRequestMinutes" | "githubApp";
  readonly value: unknown;
  readonly problem: string;
  readonly remedy: string;
}

/** Everything that is asked of commits, and that the host does not take. */
export function commitDisorders({ repository = "", commit = {} }: SignInOptions): CommitDisorder[] {
  const { pullRequest, pullRequestMinutes, githubApp } = commit;
  const address = parseRepositoryUrl(repository);
  const isAsked = pullRequest === "leave" || pullRequest === "wait";
  const known = address && hostWithout(WITHOUT_PULL_REQUESTS, address);
  const notGitHub = address && hostWithout(OTHER_HOSTS, address);
  return [
    ...(githubApp !== undefined && notGitHub !== undefined
      ? [
          {
            ...{ key: "githubApp" as const, value: githubApp },
            problem: `commits on GitHub alone, over HTTPS, and not ${notGitHub}`,
            remedy: "write the repository as https://<host>/<owner>/<repository> of GitHub, or leave it out",
          },
        ]
      : []),
    ...(isAsked && known !== undefined
      ? [
          {
            ...{ key: "pullRequest" as const, value: pullRequest },
            problem: `opens pull requests on GitHub and Azure DevOps alone, with a token over HTTPS, and not ${known}`,
            remedy: "leave it out, and let whoever commits push to the branch, or name another branch",
          },
        ]
      : []),
    ...(pullRequestMinutes !== undefined && pullRequest !== "wait"
      ? [
          {
            ...{ key: "pullRequestMinutes" as const, value: pullRequestMinutes },
            problem: "says how long a pull request is waited for, and none is",
            remedy: "write pullRequest: wait, or leave it out",
          },
        ]
      : []),
  ];
}

const WITHOUT_PULL_REQUESTS = named("gitlab.com", "bitbucket.org", "codeberg.org");

/** Hosts that are no GitHub; who knows what others are. */
const OTHER_HOSTS = named("dev.azure.com", "gitlab.com", "bitbucket.org", "codeberg.org");

/** Where something is not, in words: over SSH, or at one of some hosts. */
const hostWithout = (hosts: ReadonlyMap<string, string>, { scheme, host }: RepositoryAddress): string | undefined =>
  scheme === "ssh" ? "over SSH" : hosts.get(host);

function named(...hosts: string[]): ReadonlyMap<string, string> {
  return new Map(hosts.map((host) => [host, `at ${host}`]));
}

/** What is wrong with the address itself. @returns undefined where nothing is. */
export function repositoryDisorder(repository: string): SignInDisorder | undefined {
  const fault = addressFault(repository);
  return fault && { key: "repository", ...fault };
}

/** What belongs to github.com alone. */
function gitHubAlone(options: SignInOptions, address: RepositoryAddress): SignInDisorder[] {
  const { auth, createRepository, githubHost } = options;
  if (gitHubRepository(address, githubHost) !== undefined) return [];
  const asHttps = `write the repository as https://github.com/${address.path.replace(/\.git$/, "")}`;
  const isGitHub = address.host === "github.com";
  return [
    ...(createRepository
      ? [
          {
            key: "createRepository" as const,
            value: true,
            problem: "makes repositories on github.com alone, over HTTPS",
            remedy: isGitHub ? asHttps : `create ${written(address)} at its host, and leave this out`,
          },
        ]
      : []),
    ...(auth === "deployKey"
      ? [
          {
            key: "auth" as const,
            value: auth,
            problem: "adds a key to repositories on github.com alone, over HTTPS",
            remedy: isGitHub
              ? `${asHttps}, or write sshKey`
              : `register a key of your own with the repository at ${address.host}, give its private half as ` +
                "aks-gitops:gitKey, and write sshKey",
          },
        ]
      : []),
  ];
}

function wayDisorders(options: SignInOptions, address: RepositoryAddress): SignInDisorder[] {
  const { mode = FLUX.mode, auth } = options;
  const wrong = (problem: string, remedy: string): SignInDisorder[] => [{ key: "auth", value: auth, problem, remedy }];
  if (auth === "token" && address.scheme === "ssh")
    return wrong(
      "reads over HTTPS, and the repository's address is one of SSH",
      "write sshKey, or an address with https://",
    );
  if (auth === "sshKey" && sshUrl(address, options.githubHost) === undefined)
    return wrong(
      `reads over SSH, and the address does not tell where ${address.host} serves that`,
      "write the repository's address over SSH, ssh://git@<host>/<path>, or write token",
    );
  if (auth === "githubApp") {
    const other = hostWithout(OTHER_HOSTS, address);
    if (other !== undefined)
      return wrong(
        `signs in to GitHub alone, over HTTPS, and not ${other}`,
        "write the repository as https://<host>/<owner>/<repository> of GitHub, or another way",
      );
    if (mode === "extension")
      return wrong(
        "cannot be said to the extension: its API 2023-05-01 knows no GitHub App",
        "write mode: bootstrap, or write deployKey or token",
      );
  }
  if (auth !== "workloadIdentity") return [];
  if (!isDevOps(address))
    return wrong(
      "signs in to Azure DevOps alone, over HTTPS",
      "write https://dev.azure.com/<organization>/<project>/_git/<repository> as the repository, or another way",
    );
  if (mode === "extension")
    return wrong(
      "cannot be said to the extension: its API 2023-05-01 knows no identity for a repository",
      "write mode: bootstrap, or write token or sshKey",
    );
  return [];
}

function keyDisorders(options: SignInOptions, address: RepositoryAddress): SignInDisorder[] {
  const way = authOf(options);
  const reading = way === "sshKey" || way === "deployKey" ? sshUrl(address, options.githubHost) : undefined;
  const hosts = new Set([address.scheme === "ssh" ? address.host : undefined, reading && hostIn(reading)]);
  hosts.delete(undefined);
  return [
    ...[...hosts].flatMap((host) => unknownHost(host ?? "", options)),
    ...(way === "sshKey" ? keyFaults(options, reading ?? "") : []),
  ];
}

/** What lacks of a GitHub App that reads, and one that nobody needs. */
function appDisorders(options: SignInOptions): SignInDisorder[] {
  const { githubApp, gitKey, version = FLUX.version } = options;
  const way = authOf(options);
  if (way !== "githubApp")
    return githubApp === undefined
      ? []
      : [
          {
            key: "githubApp",
            value: githubApp,
            problem: `says as which App Flux signs in, and it signs in by ${way}`,
            remedy: "write auth: githubApp, or leave it out",
          },
        ];
  const problem = typeof gitKey === "string" ? appKeyProblem(gitKey) : undefined;
  const key =
    "generate a private key in the App's settings at GitHub and give it: `pulumi config set --secret aks-gitops:gitKey < FILE`";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const knowsOwners = major > 2 || (major === 2 && minor >= 8);
  return [
    ...(githubApp === undefined
      ? [
          {
            key: "githubApp" as const,
            problem: "is missing: with auth githubApp Flux signs in to the repository as it",
            remedy: "write githubApp: {id: <the App's id>}",
          },
        ]
      : []),
    ...(githubApp !== undefined && githubApp.installationId === undefined && !knowsOwners
      ? [
          {
            key: "githubApp" as const,
            value: githubApp,
            problem: `names no installation, and Flux ${version} looks for none (2.8 does)`,
            remedy: "write githubApp.installationId too",
          },
        ]
      : []),
    ...(gitKey === undefined
      ? [
          {
            key: "gitKey" as const,
            problem: "is missing: with auth githubApp Flux signs in to the repository with the App's private key",
            remedy: key,
          },
        ]
      : []),
    ...(problem === undefined ? [] : [{ key: "gitKey" as const, problem, remedy: key }]),
  ];
}

function unknownHost(host: string, { knownHosts }: SignInOptions): SignInDisorder[] {
  const remedy =
    `run \`${scanCommand(host)}\`, compare the fingerprints (\`ssh-keygen -lf -\` shows them) with those that ${host} ` +
    "publishes or whoever runs it tells you, and write the lines as flux.knownHosts";
  if (knownHosts === undefined)
    return publishedKeys(host) === undefined
      ? [{ key: "knownHosts", problem: `is missing: nothing tells by which keys ${host} is known over SSH`, remedy }]
      : [];
  const problem = knownHostsFault(knownHosts, host);
  return problem === undefined ? [] : [{ key: "knownHosts", value: knownHosts, problem, remedy }];
}

function keyFaults({ gitKey }: SignInOptions, url: string): SignInDisorder[] {
  if (gitKey === undefined)
    return [
      {
        key: "gitKey",
        problem: "is missing: with auth sshKey Flux signs in to the repository with it",
        remedy:
          "make a key (`ssh-keygen -t rsa -b 4096 -N '' -f flux`), register flux.pub at the host with the right to read, and " +
          "give the private half: `pulumi config set --secret aks-gitops:gitKey < flux`",
      },
    ];
  const problem = typeof gitKey === "string" ? keyProblem(gitKey, url) : undefined;
  if (problem === undefined) return [];
  return [
    {
      key: "gitKey",
      problem,
      remedy: "make another one, without a passphrase: `ssh-keygen -t rsa -b 4096 -N '' -f flux`",
    },
  ];
}

/** Why a private key does not do for a repository; undefined where it does. */
export function keyProblem(privateKey: string, url: string): string | undefined {
  try {
    const { type } = publicKeyOf(privateKey);
    if (hostIn(url) !== "ssh.dev.azure.com" || type === "ssh-rsa") return undefined;
    return `is a key of kind ${type}, and Azure DevOps takes RSA alone`;
  } catch (error) {
    return (error as Error).message;
  }
}
