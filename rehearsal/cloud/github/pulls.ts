// Pull requests through GitHub's REST API: https://docs.github.com/rest/pulls/pulls?apiVersion=2022-11-28

import { canMerge, commitsBetween, mergeBranches, readCommit } from "../git/repository.ts";
import type { CloudRequest, CloudResponse, ServiceError } from "../types.ts";
import { may, mayComment, type Token } from "./access.ts";
import { pullBody } from "./bodies.ts";
import { fault, inaccessible, readBody } from "./faults.ts";
import type { PullRequest, Repository } from "./model.ts";

interface Call {
  readonly request: CloudRequest;
  readonly token: Token | undefined;
  readonly repository: Repository;
  /** What follows `/repos/OWNER/NAME/`. */
  readonly path: string;
}

/** Answers for everything at and below `pulls`. @throws ServiceError as GitHub refuses. */
export async function answerPulls(call: Call): Promise<CloudResponse> {
  const { request, repository } = call;
  const { method } = request;
  const [, number, merge] = /^pulls(?:\/(\d+)(\/merge)?)?$/.exec(call.path) ?? [];
  if (call.path === "pulls" && method === "GET") return list(call);
  if (call.path === "pulls" && method === "POST") return open(call);
  const pull = repository.pullRequests.find((each) => each.number === Number(number));
  if (number === undefined || pull === undefined) throw fault(404, "Not Found");
  if (merge !== undefined && method === "PUT") return mergeByApi(call, pull);
  if (merge !== undefined) throw fault(404, "Not Found");
  if (method === "PATCH") change(call, pull);
  else if (method !== "GET") throw fault(404, "Not Found");
  return { status: 200, body: await whole(repository, pull) };
}

async function whole(repository: Repository, pull: PullRequest): Promise<object> {
  const { folder } = repository;
  const { head, base, state } = pull;
  const sha = (await readCommit(folder, `refs/heads/${head}`))?.sha ?? "";
  const mergeable = state === "open" && sha !== "" ? await canMerge(folder, base, head) : null;
  return { ...pullBody(repository, pull), mergeable, merged: pull.mergedAt !== undefined, head: { ref: head, sha } };
}

function list({ request, repository }: Call): CloudResponse {
  const { searchParams } = request.url;
  const state = searchParams.get("state") ?? "open";
  const [head, base] = [searchParams.get("head"), searchParams.get("base")];
  // A head without its owner is no filter at all there.
  const isWanted = (pull: PullRequest) =>
    (state === "all" || pull.state === state) &&
    (!head?.includes(":") || head.toLowerCase() === `${repository.owner}:${pull.head}`.toLowerCase()) &&
    (base === null || base === pull.base);
  const found = repository.pullRequests.filter(isWanted).toReversed();
  return { status: 200, body: found.map((pull) => pullBody(repository, pull)) };
}

async function open({ request, repository, token }: Call): Promise<CloudResponse> {
  const author = demandWrite(token, repository);
  const { title, head, base, body = "" } = readBody(request);
  if (typeof title !== "string" || title === "") throw refused({ field: "title", code: "missing_field" });
  const { folder } = repository;
  for (const [field, branch] of Object.entries({ head, base }))
    if (typeof branch !== "string" || (await readCommit(folder, `refs/heads/${branch}`)) === undefined)
      throw refused({ field, code: "invalid" });
  const [from, to] = [String(head), String(base)];
  if (repository.pullRequests.some((each) => each.state === "open" && each.head === from && each.base === to))
    throw refused({
      code: "custom",
      message: `A pull request already exists for ${repository.owner}:${from}.`,
    });
  if ((await commitsBetween(folder, to, from)) === 0)
    throw refused({ code: "custom", message: `No commits between ${to} and ${from}` });
  const pull = added(repository, { title, head: from, base: to, body: String(body), author: author.login });
  return { status: 201, body: await whole(repository, pull) };
}

/** Adds an open pull request; its number is the next one of the repository. */
export function added(
  repository: Repository,
  given: Pick<PullRequest, "title" | "head" | "base" | "body" | "author">,
): PullRequest {
  const pull: PullRequest = {
    ...{ number: repository.pullRequests.length + 1, ...given },
    ...{ state: "open", mergedAt: undefined, locked: false, comments: [] },
  };
  repository.pullRequests.push(pull);
  return pull;
}

function change({ request, repository, token }: Call, pull: PullRequest): void {
  demandWrite(token, repository);
  const { title, body, state } = readBody(request);
  if (typeof title === "string") pull.title = title;
  if (typeof body === "string") pull.body = body;
  if (state === "closed" || state === "open") pull.state = state;
}

async function mergeByApi({ request, repository, token }: Call, pull: PullRequest): Promise<CloudResponse> {
  if (token === undefined || !may(token, "write", `${repository.owner}/${repository.name}`))
    throw inaccessible(token?.isApp);
  const { merge_method: method = "merge" } = request.body.length > 0 ? readBody(request) : {};
  if (method !== "merge" && method !== "squash") throw fault(405, "Rebase merges are not allowed on this repository.");
  const sha = await merge(repository, pull, method);
  if (sha === undefined) throw fault(405, "Pull Request is not mergeable");
  return { status: 200, body: { sha, merged: true, message: "Pull Request successfully merged" } };
}

/**
 * Merges a pull request; its branch stays.
 * @returns the commit on the base; undefined where it is not open or cannot be merged.
 */
export async function merge(
  repository: Repository,
  pull: PullRequest,
  method: "merge" | "squash",
): Promise<string | undefined> {
  if (pull.state !== "open") return undefined;
  const { base, head, title, number } = pull;
  const squash = method === "squash";
  // As long as a repository's settings say nothing else, the commit's own message stays below the title.
  const [, ...body] = (await readCommit(repository.folder, `refs/heads/${head}`))?.message.split("\n") ?? [];
  const message = squash
    ? `${title} (#${number})\n${body.join("\n")}`
    : `Merge pull request #${number} from ${repository.owner}/${head}\n\n${title}`;
  const sha = await mergeBranches(repository.folder, { base, head, message, squash });
  if (sha !== undefined) Object.assign(pull, { state: "closed", mergedAt: new Date().toISOString() });
  return sha;
}

function demandWrite(token: Token | undefined, { owner, name }: Repository): Token {
  if (token === undefined) throw fault(401, "Requires authentication");
  if (!mayComment(token, `${owner}/${name}`)) throw inaccessible(token.isApp);
  return token;
}

function refused(error: { field?: string; code: string; message?: string }): ServiceError {
  return fault(422, "Validation Failed", { errors: [{ resource: "PullRequest", ...error }] });
}
