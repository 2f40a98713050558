// Pull requests: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests

import { canMerge, mergeBranches, readCommit } from "../git/repository.ts";
import type { CloudRequest, CloudResponse } from "../types.ts";
import { fault, mayNotContribute, wrongArgument } from "./faults.ts";
import type { PullRequest, Repository } from "./model.ts";

/** A request for a repository's pull requests by one who may read it. */
export interface PullCall {
  readonly request: CloudRequest;
  /** As the service names the caller, and whether that one may contribute to pull requests. */
  readonly caller: { readonly name: string; readonly contributes: boolean };
  readonly repository: Repository;
  /** Of the bare repository. */
  readonly folder: string;
  /** What follows `/pullrequests`: nothing, or an id. */
  readonly path: readonly string[];
  /** Opens one. */
  readonly open: (given: Pick<PullRequest, "title" | "description" | "source" | "target">) => PullRequest;
}

/** Answers for a repository's pull requests; undefined where there is no such address. */
export async function answerPulls(call: PullCall): Promise<CloudResponse | undefined> {
  const { request, caller, repository, path } = call;
  const { method } = request;
  const [id, ...more] = path;
  if (more.length > 0) return undefined;
  if (method !== "GET" && !caller.contributes) throw mayNotContribute(caller.name);
  if (id === undefined) {
    if (method === "GET") return list(call);
    return method === "POST" ? { status: 201, body: await pullBody(call, await add(call)) } : undefined;
  }
  const pull = repository.pullRequests.find((each) => String(each.id) === id);
  if (pull === undefined)
    throw fault(404, "GitPullRequestNotFoundException", "TF401180: The requested pull request was not found.");
  if (method === "PATCH") await change(call, pull);
  return method === "GET" || method === "PATCH" ? { status: 200, body: await pullBody(call, pull) } : undefined;
}

async function list(call: PullCall): Promise<CloudResponse> {
  const given = (name: string) => call.request.url.searchParams.get(`searchCriteria.${name}`);
  const [source, target, status] = [given("sourceRefName"), given("targetRefName"), given("status") ?? "active"];
  const found = call.repository.pullRequests.filter(
    (pull) =>
      (status === "all" || pull.status === status) &&
      (source === null || source === refOf(pull.source)) &&
      (target === null || target === refOf(pull.target)),
  );
  const value = await Promise.all(found.toReversed().map((pull) => pullBody(call, pull)));
  return { status: 200, body: { value, count: value.length } };
}

async function add({ request, repository, folder, open }: PullCall): Promise<PullRequest> {
  const { title, description = "", sourceRefName, targetRefName } = bodyOf(request);
  if (typeof title !== "string" || title === "") throw wrongArgument("A pull request must have a title.", "title");
  const branch = async (ref: unknown, name: string): Promise<string> => {
    const isThere = typeof ref === "string" && ref.startsWith("refs/heads/") && (await readCommit(folder, ref));
    if (!isThere)
      throw fault(400, "GitPullRequestBranchException", `TF401398: The branch ${ref} of ${name} is not there.`);
    return String(ref).slice("refs/heads/".length);
  };
  const source = await branch(sourceRefName, "sourceRefName");
  const target = await branch(targetRefName, "targetRefName");
  const isOpen = (pull: PullRequest) => pull.status === "active" && pull.source === source && pull.target === target;
  if (repository.pullRequests.some(isOpen))
    throw fault(
      409,
      "GitPullRequestExistsException",
      "TF401179: An active pull request for the source and target branch already exists.",
    );
  return open({ title, description: String(description), source, target });
}

async function change({ request, folder }: PullCall, pull: PullRequest): Promise<void> {
  const { title, status, lastMergeSourceCommit, completionOptions } = bodyOf(request);
  if (typeof title === "string") pull.title = title;
  if (status === "abandoned") pull.status = "abandoned";
  if (status !== "completed") return;
  const { commitId } = (lastMergeSourceCommit ?? {}) as { commitId?: string };
  const { mergeStrategy = "noFastForward" } = (completionOptions ?? {}) as { mergeStrategy?: string };
  if (commitId !== (await readCommit(folder, refOf(pull.source)))?.sha)
    throw fault(409, "GitPullRequestStaleException", "TF401192: The source branch was updated since it was looked at.");
  await complete(folder, pull, mergeStrategy === "squash");
}

/** Completes a pull request; its branch stays. @returns the commit; undefined where it is not active or has conflicts. */
export async function complete(folder: string, pull: PullRequest, squash: boolean): Promise<string | undefined> {
  if (pull.status !== "active") return undefined;
  const { id, title, description, source: head, target: base } = pull;
  const message = `Merged PR ${id}: ${title}\n\n${description}`;
  const commit = await mergeBranches(folder, { base, head, message, squash });
  if (commit !== undefined) pull.status = "completed";
  return commit;
}

async function pullBody({ folder, repository }: PullCall, pull: PullRequest): Promise<object> {
  const { id, title, description, status, source, target } = pull;
  const commit = async (branch: string) => ({ commitId: (await readCommit(folder, refOf(branch)))?.sha });
  return {
    ...{ pullRequestId: id, title, description, status, isDraft: false },
    ...{ sourceRefName: refOf(source), targetRefName: refOf(target) },
    mergeStatus: status !== "active" || (await canMerge(folder, target, source)) ? "succeeded" : "conflicts",
    lastMergeSourceCommit: await commit(source),
    lastMergeTargetCommit: await commit(target),
    repository: { id: repository.id, name: repository.name, project: repository.project },
  };
}

const refOf = (branch: string): string => `refs/heads/${branch}`;

function bodyOf(request: CloudRequest): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(request.body.toString());
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw wrongArgument("The body is no JSON object.", "gitPullRequest");
}
