// Azure Pipelines: https://learn.microsoft.com/azure/devops/pipelines/build/variables, and the threads of a pull request in
// Azure Repos: https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, send } from "../../net/http.ts";
import { CLOCK, type Clock } from "../../net/retry.ts";
import { type Board, type Comment, MayNotComment, Unavailable } from "./comment.ts";
import type { Environment, PullRequest, System } from "./system.ts";

/** In characters. */
const COMMENT_LIMIT = 150_000;
/** In bytes; no limit is written down, and nobody reads more. */
const SUMMARY_LIMIT = 1024 * 1024;
const API_VERSION = "7.1";
/** What marks a thread as one of these: people do not see it, and cannot set it by writing. */
const PROPERTY = "aks-gitops.review";

/** The system as a job's environment tells of it. */
export async function azurePipelines(environment: Environment, clock: Clock = CLOCK): Promise<System> {
  const { BUILD_BUILDID, SYSTEM_JOBATTEMPT, SYSTEM_COLLECTIONURI = "", SYSTEM_TEAMPROJECT = "" } = environment;
  return {
    name: "Azure Pipelines",
    isPipeline: true,
    commit: environment.SYSTEM_PULLREQUEST_SOURCECOMMITID || environment.BUILD_SOURCEVERSION,
    run: { run: Number(BUILD_BUILDID) || 0, attempt: Number(SYSTEM_JOBATTEMPT) || 1 },
    url:
      SYSTEM_COLLECTIONURI && BUILD_BUILDID
        ? `${SYSTEM_COLLECTIONURI}${encodeURIComponent(SYSTEM_TEAMPROJECT)}/_build/results?buildId=${BUILD_BUILDID}`
        : undefined,
    pullRequest: pullRequestOf(environment, clock),
    fold: (title) => [`##[group]${title}`, "##[endgroup]"],
    annotation: (severity, text) => `##vso[task.logissue type=${severity}]${escaped(text)}`,
    summary: {
      limit: SUMMARY_LIMIT,
      add: async (markdown) => {
        // The agent takes the file after the step, so nobody here may remove it.
        const folder = await mkdtemp(join(environment.AGENT_TEMPDIRECTORY || tmpdir(), "summary-"));
        const file = join(folder, "review.md");
        await writeFile(file, markdown);
        return `##vso[task.uploadsummary]${escaped(file)}`;
      },
    },
  };
}

/** The data of a logging command. */
const escaped = (text: string) => text.replaceAll("%", "%AZP25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

function pullRequestOf(environment: Environment, clock: Clock): PullRequest | undefined {
  const id = environment.SYSTEM_PULLREQUEST_PULLREQUESTID;
  if (!id) return undefined;
  const isFork = environment.SYSTEM_PULLREQUEST_ISFORK?.toLowerCase() === "true";
  const name = `!${id}`;
  if (environment.BUILD_REPOSITORY_PROVIDER !== undefined && environment.BUILD_REPOSITORY_PROVIDER !== "TfsGit") {
    const number = environment.SYSTEM_PULLREQUEST_PULLREQUESTNUMBER || id;
    const unable = `the repository is not one of Azure Repos but of ${environment.BUILD_REPOSITORY_PROVIDER}`;
    return { name: `#${number}`, isFork, board: { unable } };
  }
  const { SYSTEM_ACCESSTOKEN: token, SYSTEM_COLLECTIONURI: collection } = environment;
  const { SYSTEM_TEAMPROJECTID: project, BUILD_REPOSITORY_ID: repository } = environment;
  if (!token)
    return {
      ...{ name, isFork },
      board: {
        unable: "there is no token to comment with: give the step `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }`",
      },
    };
  if (!collection || !project || !repository)
    return {
      ...{ name, isFork },
      board: { unable: "SYSTEM_COLLECTIONURI, SYSTEM_TEAMPROJECTID or BUILD_REPOSITORY_ID is not set" },
    };
  return { name, isFork, board: new ThreadBoard({ collection, project, repository, id, token }, clock) };
}

/** Where a pull request is. */
export interface Place {
  /** The organisation or collection, with a slash at its end: a server of one's own has another host. */
  readonly collection: string;
  /** Id or name. */
  readonly project: string;
  readonly repository: string;
  /** The pull request. */
  readonly id: string;
  /** A job's access token. */
  readonly token: string;
}

interface Thread {
  readonly id: number;
  readonly isDeleted?: boolean;
  readonly status?: string;
  readonly properties?: Readonly<Record<string, { readonly $value?: unknown } | undefined>> | null;
  readonly comments: readonly {
    readonly id: number;
    readonly content?: string;
    readonly isDeleted?: boolean;
    readonly author?: { readonly id?: string };
  }[];
}

/** The threads of a pull request in Azure Repos, of which a stack's comment begins one. */
export class ThreadBoard implements Board {
  readonly limit = COMMENT_LIMIT;
  readonly #place: Place;
  readonly #clock: Clock;

  constructor(place: Place, clock: Clock = CLOCK) {
    this.#place = place;
    this.#clock = clock;
  }

  async list(): Promise<readonly Comment[]> {
    // There is no version of it that is not a preview.
    const me = await this.#ask("GET", `${this.#place.collection}_apis/connectionData`, undefined, "7.1-preview.1");
    const { authenticatedUser } = json(me) as { authenticatedUser: { id: string } };
    const { value } = json(await this.#ask("GET", this.#threads)) as { value: Thread[] };
    return value.flatMap((thread) => {
      const [first] = thread.comments;
      const isOurs = thread.properties?.[PROPERTY] !== undefined && first?.author?.id === authenticatedUser.id;
      if (!isOurs || thread.isDeleted || first === undefined || first.isDeleted) return [];
      return [{ id: `${thread.id}/${first.id}`, body: first.content ?? "" }];
    });
  }

  async create(body: string, needsSomebody: boolean): Promise<string> {
    const answer = await this.#ask("POST", this.#threads, {
      comments: [{ parentCommentId: 0, content: body, commentType: "text" }],
      status: statusOf(needsSomebody),
      properties: { [PROPERTY]: { $type: "System.String", $value: "1" } },
    });
    return this.#url((json(answer) as Thread).id);
  }

  /** A thread that a person has closed stays so until there is news. */
  async change({ id }: Comment, body: string, needsSomebody: boolean, isNews: boolean): Promise<string> {
    const [thread, comment] = id.split("/");
    await this.#ask("PATCH", `${this.#threads}/${thread}/comments/${comment}`, { content: body });
    if (isNews) await this.#ask("PATCH", `${this.#threads}/${thread}`, { status: statusOf(needsSomebody) });
    return this.#url(Number(thread));
  }

  async remove({ id }: Comment): Promise<void> {
    const [thread, comment] = id.split("/");
    await this.#ask("DELETE", `${this.#threads}/${thread}/comments/${comment}`);
  }

  get #threads(): string {
    const { collection, project, repository, id } = this.#place;
    const [of, name] = [project, repository].map(encodeURIComponent);
    return `${collection}${of}/_apis/git/repositories/${name}/pullRequests/${id}/threads`;
  }

  #url(thread: number): string {
    const { collection, project, repository, id } = this.#place;
    const [of, name] = [project, repository].map(encodeURIComponent);
    return `${collection}${of}/_git/${name}/pullrequest/${id}?discussionId=${thread}`;
  }

  /** @throws MayNotComment, Unavailable, or Error with what the service says. */
  async #ask(method: string, path: string, body?: object, version = API_VERSION): Promise<Answer> {
    const url = new URL(path);
    url.searchParams.set("api-version", version);
    const init = {
      method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${this.#place.token}`,
        // Else one that is not signed in is sent to a page for people.
        "x-tfs-fedauthredirect": "Suppress",
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    };
    let answer: Answer;
    try {
      answer = await send(url, init, { repeatable: method !== "POST", clock: this.#clock });
    } catch (cause) {
      throw new Unavailable(`Azure DevOps cannot be reached: ${(cause as Error).message}`, { cause });
    }
    // 203 is a page for people, too.
    if (answer.ok && answer.status !== 203) return answer;
    throw refusal(answer, `${method} ${url.pathname}`);
  }
}

const json = ({ body }: Answer): unknown => JSON.parse(body.toString());
const statusOf = (needsSomebody: boolean) => (needsSomebody ? "active" : "closed");

function refusal(answer: Answer, request: string): Error {
  const said = `Azure DevOps answers ${request} with ${answer.status}${messageOf(answer)}`;
  if (answer.status === 203 || answer.status === 401)
    return new MayNotComment(`${said}: SYSTEM_ACCESSTOKEN is no token of it, or has ended`);
  if (answer.status === 403 || answer.status === 404)
    return new MayNotComment(
      `${said}: allow "Contribute to pull requests" to the project's build service, in Project settings, Repositories, ` +
        "Security",
    );
  return answer.status >= 500 || answer.status === 429 ? new Unavailable(said) : new Error(said);
}

function messageOf({ body }: Answer): string {
  try {
    const { message } = JSON.parse(body.toString()) as { message?: string };
    return message === undefined ? "" : ` (${message})`;
  } catch {
    return "";
  }
}
