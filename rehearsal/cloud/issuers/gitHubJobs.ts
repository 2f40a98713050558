// GitHub Actions: the tokens of jobs, as a runner asks for them.
// https://docs.github.com/actions/reference/security/oidc
import { randomBytes } from "node:crypto";
import type { CloudRequest, CloudResponse } from "../types.ts";
import { OidcIssuer } from "./oidcIssuer.ts";

/** Where the keys of the tokens are. */
export const GITHUB_ISSUER_HOST = "token.actions.githubusercontent.com";
/** Where a job asks for its token. */
export const GITHUB_JOBS_HOST = "pipelines.actions.githubusercontent.com";

/** A job of a workflow, as far as its token tells of it. */
export interface GitHubJob {
  /** `owner/name`. */
  readonly repository: string;
  readonly repositoryId: number;
  readonly ownerId: number;
  /** Whether the subject has the ids: the repository was made, renamed or moved since mid-2026. */
  readonly subjectHasIds: boolean;
  readonly event: "push" | "pull_request" | "merge_group" | "workflow_dispatch" | "schedule";
  /** `refs/heads/main`, `refs/pull/4/merge`, `refs/tags/v1`. */
  readonly ref: string;
  /** The job's environment. @default none */
  readonly environment?: string | undefined;
  /** Whether the pull request comes from a fork: then there is no token. @default false */
  readonly fromFork?: boolean | undefined;
}

/** What a runner finds in its environment, where the job has `id-token: write`; nothing for a fork's pull request. */
export type JobVariables = Readonly<
  Partial<Record<"ACTIONS_ID_TOKEN_REQUEST_URL" | "ACTIONS_ID_TOKEN_REQUEST_TOKEN", string>>
>;

export class GitHubJobs {
  readonly issuer: OidcIssuer;
  readonly #jobs = new Map<string, { readonly job: GitHubJob; readonly requestToken: string }>();

  private constructor(issuer: OidcIssuer) {
    this.issuer = issuer;
  }

  static async create(now?: () => Date): Promise<GitHubJobs> {
    return new GitHubJobs(await OidcIssuer.create(`https://${GITHUB_ISSUER_HOST}`, now));
  }

  /** Starts a job. @returns what its runner finds in its environment. */
  start(job: GitHubJob): JobVariables {
    if (job.event === "pull_request" && job.fromFork === true) return {};
    const id = randomBytes(16).toString("hex");
    const requestToken = randomBytes(24).toString("base64url");
    this.#jobs.set(id, { job, requestToken });
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `https://${GITHUB_JOBS_HOST}/${id}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
    };
  }

  /** The token of a job. @param audience default: the address of the repository's owner. */
  token(job: GitHubJob, audience = `https://github.com/${job.repository.split("/")[0]}`): string {
    const [owner = "", name = ""] = job.repository.split("/");
    return this.issuer.sign({
      sub: subjectOf(job),
      aud: audience,
      ref: job.ref,
      ref_type: job.ref.startsWith("refs/tags/") ? "tag" : "branch",
      repository: `${owner}/${name}`,
      repository_owner: owner,
      repository_id: String(job.repositoryId),
      repository_owner_id: String(job.ownerId),
      event_name: job.event,
      runner_environment: "github-hosted",
      ...(job.environment === undefined ? {} : { environment: job.environment }),
    });
  }

  /** Answers for the jobs' requests. */
  readonly service = async ({ method, url, headers }: CloudRequest): Promise<CloudResponse> => {
    const [, id = ""] = /^\/([^/]+)\/idtoken$/.exec(url.pathname) ?? [];
    const started = this.#jobs.get(id);
    if (!started || method !== "GET") return { status: 404, body: { message: "Not Found" } };
    if (/^bearer (.+)$/i.exec(headers.authorization ?? "")?.[1] !== started.requestToken)
      return { status: 401, body: { message: "Unauthorized" } };
    return {
      status: 200,
      body: { count: 1, value: this.token(started.job, url.searchParams.get("audience") ?? undefined) },
    };
  };
}

/** An environment comes first, then the event of a pull request, else it is the ref. */
function subjectOf({ repository, repositoryId, ownerId, subjectHasIds, event, ref, environment }: GitHubJob): string {
  const [owner, name] = repository.split("/");
  const whose = subjectHasIds ? `${owner}@${ownerId}/${name}@${repositoryId}` : `${owner}/${name}`;
  if (environment !== undefined) return `repo:${whose}:environment:${environment.replaceAll(":", "%3A")}`;
  return event === "pull_request" ? `repo:${whose}:pull_request` : `repo:${whose}:ref:${ref}`;
}
