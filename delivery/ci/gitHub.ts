// GitHub Actions: https://docs.github.com/actions/reference/workflows-and-actions/variables, and its REST API 2022-11-28.

import { appendFile, readFile } from "node:fs/promises";
import { GITHUB_HEADERS } from "../../net/gitHubApi.ts";
import { type Answer, retryAfter, send } from "../../net/http.ts";
import { Again, CLOCK, type Clock, retry } from "../../net/retry.ts";
import { type Board, type Comment, MayNotComment, Unavailable } from "./comment.ts";
import type { Environment, PullRequest, System } from "./system.ts";

/** In characters. */
const COMMENT_LIMIT = 65_536;
/** In bytes. */
const SUMMARY_LIMIT = 1024 * 1024;
const PER_PAGE = 100;
/** Waits that a burst of requests may cost, in milliseconds. */
const WAITS: readonly number[] = [5000, 20_000, 60_000];

/** The parts of an event that are read. */
interface Event {
  readonly pull_request?: {
    readonly number: number;
    readonly head: { readonly sha: string; readonly repo: { readonly full_name: string } | null };
  };
}

/** The system as a workflow's environment tells of it. @throws Error where the event cannot be read. */
export async function gitHubActions(environment: Environment, clock: Clock = CLOCK): Promise<System> {
  const { GITHUB_EVENT_PATH, GITHUB_REPOSITORY = "", GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT } = environment;
  const event = GITHUB_EVENT_PATH ? await eventOf(GITHUB_EVENT_PATH) : {};
  const pull = event.pull_request;
  const server = environment.GITHUB_SERVER_URL || "https://github.com";
  const summary = environment.GITHUB_STEP_SUMMARY;
  return {
    name: "GitHub Actions",
    isPipeline: true,
    commit: pull?.head.sha ?? environment.GITHUB_SHA,
    run: { run: Number(GITHUB_RUN_ID) || 0, attempt: Number(GITHUB_RUN_ATTEMPT) || 1 },
    url: GITHUB_RUN_ID && `${server}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`,
    pullRequest: pull && pullRequestOf(pull, environment, clock),
    fold: (title) => [`::group::${escaped(title)}`, "::endgroup::"],
    annotation: (severity, text) => `::${severity}::${escaped(text)}`,
    ...(summary && {
      summary: {
        limit: SUMMARY_LIMIT,
        add: async (markdown) => {
          await appendFile(summary, `${markdown}\n`);
          return undefined;
        },
      },
    }),
  };
}

async function eventOf(path: string): Promise<Event> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Event;
  } catch (cause) {
    throw new Error(`GITHUB_EVENT_PATH names ${path}, which holds no event of GitHub`, { cause });
  }
}

/** The data of a workflow command. */
const escaped = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

function pullRequestOf(
  { number, head }: NonNullable<Event["pull_request"]>,
  environment: Environment,
  clock: Clock,
): PullRequest {
  const repository = environment.GITHUB_REPOSITORY ?? "";
  const token = environment.COMMENT_TOKEN || environment.GITHUB_TOKEN;
  return {
    name: `#${number}`,
    // The repository of a head is gone where the fork was deleted.
    isFork: head.repo?.full_name.toLowerCase() !== repository.toLowerCase(),
    board: token
      ? new GitHubBoard(environment.GITHUB_API_URL || "https://api.github.com", repository, number, token, clock)
      : {
          unable:
            "there is no token to comment with: set COMMENT_TOKEN to github.token in the step's env, and give the job " +
            "`permissions: { pull-requests: write }`",
        },
  };
}

/** What the API says of a comment. */
interface CommentBody {
  readonly id: number;
  readonly body: string | null;
  readonly html_url: string;
  readonly user: { readonly login: string; readonly type: string } | null;
}

/** The comments of a pull request on GitHub. */
export class GitHubBoard implements Board {
  readonly limit = COMMENT_LIMIT;
  readonly #api: string;
  readonly #repository: string;
  readonly #number: number;
  readonly #token: string;
  readonly #clock: Clock;

  /** @param api without a slash at its end: a GitHub Enterprise Server has its own. */
  constructor(api: string, repository: string, number: number, token: string, clock: Clock = CLOCK) {
    this.#api = api;
    this.#repository = repository;
    this.#number = number;
    this.#token = token;
    this.#clock = clock;
  }

  /**
   * A comment of anybody else with the same first line is not taken for one's own: whoever wrote it could change it
   * later. An App, as a workflow's token is one, cannot ask who it is, but people cannot be Apps.
   */
  async list(): Promise<readonly Comment[]> {
    const user = await this.#ask("GET", "/user", undefined, [403]);
    const login = user.ok ? (json(user) as { login: string }).login : undefined;
    const found: CommentBody[] = [];
    let next: string | undefined = `${this.#place}/issues/${this.#number}/comments?per_page=${PER_PAGE}`;
    while (next !== undefined) {
      const answer = await this.#ask("GET", next);
      found.push(...(json(answer) as CommentBody[]));
      next = nextPage(answer);
    }
    return found
      .filter(({ user: author }) => (login === undefined ? author?.type === "Bot" : author?.login === login))
      .map(({ id, body }) => ({ id: String(id), body: body ?? "" }));
  }

  async create(body: string): Promise<string> {
    return urlOf(await this.#ask("POST", `${this.#place}/issues/${this.#number}/comments`, { body }));
  }

  async change({ id }: Comment, body: string): Promise<string> {
    return urlOf(await this.#ask("PATCH", `${this.#place}/issues/comments/${id}`, { body }));
  }

  async remove({ id }: Comment): Promise<void> {
    // Another run may have been quicker.
    await this.#ask("DELETE", `${this.#place}/issues/comments/${id}`, undefined, [404]);
  }

  get #place(): string {
    return `/repos/${this.#repository}`;
  }

  /**
   * @param path below the API, or a whole URL of it.
   * @param accepted statuses that are no failure.
   * @throws MayNotComment, or Unavailable.
   */
  async #ask(method: string, path: string, body?: object, accepted: readonly number[] = []): Promise<Answer> {
    const url = path.startsWith("/") ? `${this.#api}${path}` : path;
    if (new URL(url).origin !== new URL(this.#api).origin)
      throw new Unavailable(`GitHub sends on to another host, ${new URL(url).host}`);
    const init = {
      method,
      headers: {
        ...GITHUB_HEADERS,
        authorization: `Bearer ${this.#token}`,
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    };
    const answer = await retry(
      async ({ wait }) => {
        const given = await this.#send(url, init, method);
        // A burst of requests is answered so as well as with 429.
        const pause = given.status === 403 ? retryAfter(given) : undefined;
        return pause === undefined || wait === undefined ? given : new Again(pause);
      },
      { waits: WAITS, clock: this.#clock },
    );
    if (answer.ok || accepted.includes(answer.status)) return answer;
    throw refusal(answer, `${method} ${new URL(url).pathname}`);
  }

  async #send(url: string, init: RequestInit, method: string): Promise<Answer> {
    try {
      return await send(url, init, { repeatable: method !== "POST", clock: this.#clock });
    } catch (cause) {
      throw new Unavailable(`GitHub cannot be reached: ${(cause as Error).message}`, { cause });
    }
  }
}

const json = ({ body }: Answer): unknown => JSON.parse(body.toString());
const urlOf = (answer: Answer) => (json(answer) as CommentBody).html_url;

/** The page that follows, by the header Link. */
function nextPage({ headers }: Answer): string | undefined {
  return /<([^>]+)>;\s*rel="next"/.exec(headers.get("link") ?? "")?.[1];
}

function refusal(answer: Answer, request: string): Error {
  const said = `GitHub answers ${request} with ${answer.status}${messageOf(answer)}`;
  if (answer.status === 401)
    return new MayNotComment(`${said}: the token in COMMENT_TOKEN or GITHUB_TOKEN is none of it, or has ended`);
  if (answer.headers.get("x-ratelimit-remaining") === "0" || answer.status === 429)
    return new Unavailable(`${said}: the token has asked too much in this hour`);
  if (answer.status === 403 || answer.status === 404)
    return new MayNotComment(`${said}: give the job \`permissions: { pull-requests: write }\``);
  return answer.status >= 500 ? new Unavailable(said) : new Error(said);
}

function messageOf({ body }: Answer): string {
  try {
    const { message, errors } = JSON.parse(body.toString()) as { message?: string; errors?: { message?: string }[] };
    const more = (errors ?? []).flatMap((error) => error.message ?? []).join(", ");
    return message === undefined ? "" : ` (${message}${more && `: ${more}`})`;
  } catch {
    return "";
  }
}
