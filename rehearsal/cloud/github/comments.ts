// Comments on pull requests through GitHub's REST API: https://docs.github.com/rest/issues/comments?apiVersion=2022-11-28

import type { CloudRequest, CloudResponse, ServiceError } from "../types.ts";
import { mayComment, type Token } from "./access.ts";
import { commentBody, urlOf } from "./bodies.ts";
import { fault, inaccessible, readBody } from "./faults.ts";
import type { IssueComment, PullRequest, Repository } from "./model.ts";

/** In characters. */
const LONGEST = 65_536;
const PER_PAGE = { usual: 30, most: 100 };

interface Call {
  readonly request: CloudRequest;
  readonly token: Token | undefined;
  readonly repository: Repository;
  /** What follows `/repos/OWNER/NAME/`. */
  readonly path: string;
}

export class Comments {
  #lastId = 2_000_000_000;

  /** Answers for everything below `issues/`. @throws ServiceError as GitHub refuses. */
  answer(call: Call): CloudResponse {
    const [, number, id] = /^issues\/(?:(\d+)\/comments|comments\/(\d+))$/.exec(call.path) ?? [];
    if (number !== undefined) return this.#ofPullRequest(call, Number(number));
    if (id !== undefined) return this.#one(call, Number(id));
    throw fault(404, "Not Found");
  }

  #ofPullRequest(call: Call, number: number): CloudResponse {
    const { request, repository, token } = call;
    const pullRequest = repository.pullRequests.find((each) => each.number === number);
    if (pullRequest === undefined) throw fault(404, "Not Found");
    if (request.method === "GET") return page(call, pullRequest);
    if (request.method !== "POST") throw fault(404, "Not Found");
    const author = demandComment(call);
    if (pullRequest.locked && token?.pullRequests !== "write")
      throw fault(403, "Unable to create comment because issue is locked.");
    const now = new Date().toISOString().replace(/\.\d+/, "");
    const comment: IssueComment = {
      ...{ id: ++this.#lastId, author: author.login, authorIsApp: author.isApp },
      ...{ body: textOf(request), createdAt: now, updatedAt: now },
    };
    pullRequest.comments.push(comment);
    return { status: 201, body: commentBody(repository, pullRequest, comment) };
  }

  #one(call: Call, id: number): CloudResponse {
    const { request, repository } = call;
    const pullRequest = repository.pullRequests.find(({ comments }) => comments.some((each) => each.id === id));
    const comment = pullRequest?.comments.find((each) => each.id === id);
    if (pullRequest === undefined || comment === undefined) throw fault(404, "Not Found");
    if (request.method === "GET") return { status: 200, body: commentBody(repository, pullRequest, comment) };
    // Who may write here may change what others wrote, too.
    demandComment(call);
    if (request.method === "DELETE") {
      pullRequest.comments.splice(pullRequest.comments.indexOf(comment), 1);
      return { status: 204 };
    }
    if (request.method !== "PATCH") throw fault(404, "Not Found");
    comment.body = textOf(request);
    comment.updatedAt = new Date().toISOString().replace(/\.\d+/, "");
    return { status: 200, body: commentBody(repository, pullRequest, comment) };
  }
}

/** @throws ServiceError as GitHub answers one who may read the repository but not comment. */
function demandComment({ token, repository }: Call): Token {
  if (token === undefined) throw fault(401, "Requires authentication");
  if (!mayComment(token, `${repository.owner}/${repository.name}`)) throw inaccessible(token.isApp);
  return token;
}

/** @throws ServiceError for a body that GitHub does not take. */
function textOf(request: CloudRequest): string {
  const { body } = readBody(request);
  if (body === undefined) throw fault(422, 'Invalid request.\n\n"body" wasn\'t supplied.');
  if (typeof body !== "string") throw fault(422, `Invalid request.\n\nFor 'properties/body', ${body} is not a string.`);
  if (body.trim() === "") throw invalid("Body cannot be blank");
  if ([...body].length > LONGEST) throw invalid(`Body is too long (maximum is ${LONGEST} characters)`);
  return body;
}

function invalid(message: string): ServiceError {
  const errors = [{ resource: "IssueComment", code: "unprocessable", field: "data", message }];
  return fault(422, "Validation Failed", { errors });
}

/** One page of a pull request's comments, with the way to the others. */
function page({ request, repository }: Call, pullRequest: PullRequest): CloudResponse {
  const { searchParams } = request.url;
  const natural = (name: string, usual: number) => {
    const value = Number(searchParams.get(name) ?? usual);
    return Number.isInteger(value) && value > 0 ? value : usual;
  };
  const size = Math.min(natural("per_page", PER_PAGE.usual), PER_PAGE.most);
  const at = natural("page", 1);
  const { comments } = pullRequest;
  const last = Math.max(1, Math.ceil(comments.length / size));
  const to = (number: number) => {
    const url = new URL(`${urlOf(repository)}/issues/${pullRequest.number}/comments`);
    url.search = new URLSearchParams({ ...Object.fromEntries(searchParams), page: String(number) }).toString();
    return url.href;
  };
  const links = [
    ...(at > 1 ? [`<${to(at - 1)}>; rel="prev"`] : []),
    ...(at < last ? [`<${to(at + 1)}>; rel="next"`, `<${to(last)}>; rel="last"`] : []),
    ...(at > 1 ? [`<${to(1)}>; rel="first"`] : []),
  ];
  return {
    status: 200,
    ...(links.length > 0 && { headers: { link: links.join(", ") } }),
    body: comments.slice((at - 1) * size, at * size).map((each) => commentBody(repository, pullRequest, each)),
  };
}
