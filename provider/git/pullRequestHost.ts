// Pull requests through the REST APIs of GitHub, of an Enterprise too, and of Azure DevOps:
// https://docs.github.com/rest/pulls/pulls and https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests

import * as z from "zod";
import type { Credential } from "../../net/gitCredential.ts";
import { GITHUB_HEADERS, gitHubApi, gitHubNames } from "../../net/gitHubApi.ts";
import { type Answer, send } from "../../net/http.ts";
import { GitError } from "./gitError.ts";

/** From which branch into which, and what people read of it. */
export interface Wish {
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
}

export interface PullRequest {
  readonly number: number;
  /** For people. */
  readonly url: string;
  readonly title: string;
  readonly state: "open" | "merged" | "closed";
  /** Whether the host says that it cannot be merged as it is. */
  readonly conflicts: boolean;
}

/** The pull requests of one repository. Every method throws a GitError that says what is refused, and what helps. */
export interface PullRequestHost {
  /** The open one between two branches. */
  find(head: string, base: string): Promise<PullRequest | undefined>;
  /** Opens one, or gives the one that somebody else has just opened. */
  open(wish: Wish): Promise<PullRequest>;
  retitle(number: number, title: string): Promise<void>;
  get(number: number): Promise<PullRequest>;
}

/** How a repository is asked. */
export interface HostAccess {
  /** The repository's, over HTTPS. */
  readonly url: string;
  /** The token; of a GitHub App's another one when it ends. */
  readonly credential: () => Promise<Credential>;
  readonly signal: AbortSignal;
}

export function pullRequestHost(kind: "GitHub" | "Azure DevOps", access: HostAccess): PullRequestHost {
  return kind === "GitHub" ? gitHub(access) : azureDevOps(access);
}

const gitHubPull = z.object({
  number: z.number(),
  html_url: z.string(),
  title: z.string(),
  state: z.enum(["open", "closed"]),
  merged_at: z.string().nullable(),
  // In the answer for one alone; null while GitHub works it out.
  mergeable: z.boolean().nullish(),
});

function gitHub({ url, credential, signal }: HostAccess): PullRequestHost {
  const { owner, name } = gitHubNames(url);
  const base = `${gitHubApi(url)}/repos/${owner}/${name}/pulls`;
  const right = "(on GitHub: Pull requests, read and write)";
  const ask = asking({ url, credential, signal, right }, (token) => ({
    ...GITHUB_HEADERS,
    authorization: `Bearer ${token}`,
  }));
  const told = (body: unknown): PullRequest => {
    const { number, html_url, title, state, merged_at, mergeable } = gitHubPull.parse(body);
    const now = state === "open" ? "open" : merged_at === null ? "closed" : "merged";
    return { number, url: html_url, title, state: now, conflicts: mergeable === false };
  };
  const get = async (number: number) => told(await ask("GET", `${base}/${number}`));
  const find = async (head: string, into: string) => {
    const query = new URLSearchParams({ state: "open", head: `${owner}:${head}`, base: into });
    const [found] = z.array(gitHubPull).parse(await ask("GET", `${base}?${query}`));
    return found && get(found.number);
  };
  return {
    get,
    find,
    open: async (wish) => opened(await ask("POST", base, wish, ALREADY_OPEN), told, () => find(wish.head, wish.base)),
    retitle: async (number, title) => void (await ask("PATCH", `${base}/${number}`, { title })),
  };
}

const devOpsPull = z.object({
  pullRequestId: z.number(),
  title: z.string(),
  status: z.enum(["active", "abandoned", "completed"]),
  mergeStatus: z.string().optional(),
});

const DEVOPS_STATES = { active: "open", abandoned: "closed", completed: "merged" } as const;

function azureDevOps({ url, credential, signal }: HostAccess): PullRequestHost {
  const base = `${url.replace("/_git/", "/_apis/git/repositories/")}/pullrequests`;
  const right = "(in Azure DevOps: Code, read & write; the permission Contribute to pull requests)";
  const ask = asking({ url, credential, signal, right }, (token) => ({
    authorization: `Basic ${Buffer.from(`:${token}`).toString("base64")}`,
    // Otherwise whoever is not known gets a page for people.
    "x-tfs-fedauthredirect": "Suppress",
  }));
  const at = (path = "", query: Record<string, string> = {}) =>
    `${base}${path}?${new URLSearchParams({ ...query, "api-version": "7.1" })}`;
  const told = (body: unknown): PullRequest => {
    const { pullRequestId, title, status, mergeStatus } = devOpsPull.parse(body);
    const state = DEVOPS_STATES[status];
    return {
      ...{ number: pullRequestId, url: `${url}/pullrequest/${pullRequestId}` },
      ...{ title, state, conflicts: mergeStatus === "conflicts" },
    };
  };
  const ref = (branch: string) => `refs/heads/${branch}`;
  const find = async (head: string, into: string) => {
    const criteria = { sourceRefName: ref(head), targetRefName: ref(into), status: "active" };
    const query = Object.entries(criteria).map(([key, value]) => [`searchCriteria.${key}`, value] as const);
    const { value } = z
      .object({ value: z.array(z.unknown()) })
      .parse(await ask("GET", at("", Object.fromEntries(query))));
    return value[0] === undefined ? undefined : told(value[0]);
  };
  return {
    find,
    get: async (number) => told(await ask("GET", at(`/${number}`))),
    open: async ({ head, base: into, title, body }) => {
      const wish = { sourceRefName: ref(head), targetRefName: ref(into), title, description: body };
      return opened(await ask("POST", at(), wish, ALREADY_OPEN), told, () => find(head, into));
    },
    retitle: async (number, title) => void (await ask("PATCH", at(`/${number}`), { title })),
  };
}

/** What hosts say where a pull request between two branches is open already: GitHub and Azure DevOps. */
const ALREADY_OPEN = /pull request already exists|TF401179/i;

/** What was opened; or what was there before, which somebody else opened, or a request whose answer was lost. */
async function opened(
  answer: unknown,
  told: (body: unknown) => PullRequest,
  find: () => Promise<PullRequest | undefined>,
): Promise<PullRequest> {
  if (answer !== undefined) return told(answer);
  const found = await find();
  if (found === undefined) throw new GitError("passing", "a pull request that was said to be open is not there");
  return found;
}

/** Asks a host's API. @returns its answer; undefined where it refuses in the words of `harmless`. */
function asking(
  { url, credential, signal, right }: HostAccess & { readonly right: string },
  headersOf: (token: string) => Record<string, string>,
) {
  return async (method: string, address: string, body?: object, harmless?: RegExp): Promise<unknown> => {
    const { token, variable } = await credential();
    const headers = headersOf(token);
    const init = {
      ...{ method, headers: { ...headers, ...(body && { "content-type": "application/json" }) } },
      ...(body && { body: JSON.stringify(body) }),
    };
    const answer = await send(address, init, { signal, repeatable: method === "GET" }).catch((error: Error) => {
      signal.throwIfAborted();
      throw new GitError("passing", `${new URL(address).host} does not answer about pull requests: ${error.message}`);
    });
    if (answer.ok && answer.status !== 203) return parsed(answer, url);
    const words = wordsOf(answer);
    if (harmless?.test(words)) return undefined;
    throw new GitError("other", refusal(answer, { url, right, variable, words }));
  };
}

/** @throws GitError where a host has no such API. */
function parsed({ body, url: address }: Answer, url: string): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new GitError("other", `${new URL(address).origin} does not answer as the API of pull requests beside ${url}`);
  }
}

function refusal(
  { status }: Answer,
  { url, right, variable, words }: { url: string; right: string; variable: string; words: string },
): string {
  const token = `the token in ${variable}`;
  if (status === 401 || status === 203) return `the API beside ${url} does not accept ${token}: it may have expired`;
  // GitHub hides what a token may not see.
  if (status === 403 || status === 404)
    return `${token} may not open pull requests in ${url}: it needs the right ${right}: ${status} ${words}`;
  return `the API beside ${url} refuses a pull request: ${status} ${words}`;
}

/** What a host says of a refusal: GitHub with its details. */
function wordsOf({ body }: Answer): string {
  try {
    const { message, errors } = refused.parse(JSON.parse(body.toString()));
    const details = (errors ?? []).map((each) =>
      typeof each === "string" ? each : (each.message ?? each.field ?? ""),
    );
    return [message, ...details].filter(Boolean).join("; ").slice(0, 500);
  } catch {
    return "";
  }
}

const refused = z.object({
  message: z.string(),
  errors: z
    .array(z.union([z.string(), z.object({ message: z.string().optional(), field: z.string().optional() })]))
    .optional(),
});
