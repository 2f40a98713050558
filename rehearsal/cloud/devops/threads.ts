// Threads of a pull request and their comments:
// https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads and .../pull-request-thread-comments

import type { CloudRequest, CloudResponse } from "../types.ts";
import { fault, mayNotContribute, wrongArgument } from "./faults.ts";
import type { Identity, Property, PullRequest, Repository, Thread, ThreadComment } from "./model.ts";

/** In characters; nobody wrote it down: https://github.com/runatlantis/atlantis/pull/1585 */
const LONGEST = 150_000;

/** The words, at the place of their numbers. */
const STATUSES = ["unknown", "active", "fixed", "wontFix", "closed", "byDesign", "pending"];
const COMMENT_TYPES = ["unknown", "text", "codeChange", "system"];

/** A request for a pull request's threads by one who may read it. */
export interface ThreadCall {
  readonly request: CloudRequest;
  readonly caller: Identity;
  readonly repository: Repository;
  readonly pullRequest: PullRequest;
  /** What follows `/threads`: the ids, and `comments` between them. */
  readonly path: readonly string[];
  /** Of the organisation, without a slash at its end. */
  readonly address: string;
}

/** Answers for what stands below `threads`; undefined where there is no such address. */
export function answerThreads(call: ThreadCall): CloudResponse | undefined {
  const { request, pullRequest, path } = call;
  const [threadId, comments, commentId, ...more] = path;
  const { method } = request;
  if (more.length > 0 || (comments !== undefined && comments !== "comments")) return undefined;
  if (method !== "GET" && !call.caller.contributes) throw mayNotContribute(`Build\\${call.caller.id}`);
  if (threadId === undefined) {
    if (method === "GET") return listed(pullRequest.threads.map((thread) => threadBody(call, thread)));
    return method === "POST" ? { status: 200, body: threadBody(call, addThread(call)) } : undefined;
  }
  const thread = pullRequest.threads.find(({ id }) => String(id) === threadId);
  if (thread === undefined)
    throw fault(404, "CommentThreadNotFoundException", `The comment thread ${threadId} could not be found.`);
  if (comments === undefined) {
    if (method === "PATCH") changeThread(thread, bodyOf(request));
    return method === "GET" || method === "PATCH" ? { status: 200, body: threadBody(call, thread) } : undefined;
  }
  if (commentId === undefined) {
    if (method === "GET") return listed(thread.comments.map((comment) => commentBody(call, thread, comment)));
    if (method !== "POST") return undefined;
    const comment = addComment(call, thread, bodyOf(request));
    return { status: 200, body: commentBody(call, thread, comment) };
  }
  return answerComment(call, thread, commentId);
}

function answerComment(call: ThreadCall, thread: Thread, id: string): CloudResponse | undefined {
  const { request, caller } = call;
  const comment = thread.comments.find((each) => String(each.id) === id);
  if (comment === undefined) throw fault(404, "CommentNotFoundException", `The comment ${id} could not be found.`);
  if (request.method === "GET") return { status: 200, body: commentBody(call, thread, comment) };
  if (request.method !== "PATCH" && request.method !== "DELETE") return undefined;
  // What somebody said is theirs.
  if (comment.author.id !== caller.id) throw mayNotContribute(`Build\\${caller.id}`);
  if (request.method === "DELETE") {
    comment.isDeleted = true;
    return { status: 200 };
  }
  comment.content = contentOf(bodyOf(request));
  comment.lastUpdatedDate = new Date().toISOString();
  return { status: 200, body: commentBody(call, thread, comment) };
}

function addThread(call: ThreadCall): Thread {
  const { request, pullRequest } = call;
  const { comments, status = "unknown", properties = {} } = bodyOf(request);
  if (!Array.isArray(comments) || comments.length === 0)
    throw wrongArgument("A comment thread must have at least one comment.", "commentThread");
  const thread: Thread = {
    id: Math.max(0, ...pullRequest.threads.map(({ id }) => id)) + 1,
    status: wordOf(status, STATUSES, "status"),
    properties: propertiesOf(properties),
    comments: [],
    publishedDate: new Date().toISOString(),
  };
  for (const comment of comments) addComment(call, thread, comment);
  pullRequest.threads.push(thread);
  return thread;
}

function addComment({ caller }: ThreadCall, thread: Thread, body: Record<string, unknown>): ThreadComment {
  const { parentCommentId = 0, commentType = "text" } = body;
  const isThere = parentCommentId === 0 || thread.comments.some(({ id }) => id === parentCommentId);
  if (!isThere) throw wrongArgument(`There is no comment ${parentCommentId} to answer.`, "parentCommentId");
  const now = new Date().toISOString();
  const comment: ThreadComment = {
    ...{ id: thread.comments.length + 1, author: caller, content: contentOf(body), isDeleted: false },
    commentType: wordOf(commentType, COMMENT_TYPES, "commentType"),
    ...{ publishedDate: now, lastUpdatedDate: now },
  };
  thread.comments.push(comment);
  return comment;
}

function changeThread(thread: Thread, body: Record<string, unknown>): void {
  if (body.status !== undefined) thread.status = wordOf(body.status, STATUSES, "status");
  if (body.properties !== undefined) Object.assign(thread.properties, propertiesOf(body.properties));
}

function contentOf({ content }: Record<string, unknown>): string {
  if (typeof content !== "string" || content.trim() === "")
    throw wrongArgument("The comment content cannot be empty.", "comment.Content");
  if (content.length > LONGEST)
    throw wrongArgument(`A discussion comment cannot be longer than ${LONGEST} characters.`, "comment.Content");
  return content;
}

/** A word of an enumeration; its number is taken too. */
function wordOf(value: unknown, words: readonly string[], name: string): string {
  const word = typeof value === "number" ? words[value] : words.find((each) => each === value);
  if (word === undefined) throw wrongArgument(`Error converting value "${value}" to the type of ${name}.`, name);
  return word;
}

/** Properties come plain, or with their type. */
function propertiesOf(value: unknown): Record<string, Property> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrongArgument("The properties are no map.", "properties");
  const entries = Object.entries(value).map(([name, property]): [string, Property] => {
    const typed = typeof property === "object" && property !== null ? (property as Partial<Property>) : undefined;
    if (typed === undefined) return [name, { $type: "System.String", $value: property }];
    const { $type, $value } = typed;
    if (typeof $type !== "string" || !("$value" in typed))
      throw wrongArgument(`The property ${name} has no $type and $value.`, "properties");
    return [name, { $type, $value }];
  });
  return Object.fromEntries(entries);
}

/** @throws ServiceError for what is no JSON object. */
function bodyOf({ body }: CloudRequest): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw fault(400, "ArgumentNullException", "Value cannot be null.\r\nParameter name: commentThread");
}

const listed = (value: readonly object[]): CloudResponse => ({ status: 200, body: { value, count: value.length } });

const identityBody = ({ id, displayName }: Identity) => ({ id, displayName, uniqueName: `Build\\${id}` });

function threadBody(call: ThreadCall, thread: Thread): object {
  const { id, status, properties, publishedDate, comments } = thread;
  return {
    ...{ id, publishedDate, status, properties },
    lastUpdatedDate: comments.at(-1)?.lastUpdatedDate ?? publishedDate,
    threadContext: null,
    comments: comments.map((comment) => commentBody(call, thread, comment)),
    identities: null,
    isDeleted: comments.every(({ isDeleted }) => isDeleted),
    _links: { self: { href: addressOf(call, thread) } },
  };
}

function commentBody(call: ThreadCall, thread: Thread, comment: ThreadComment): object {
  const { id, author, content, commentType, isDeleted, publishedDate, lastUpdatedDate } = comment;
  return {
    ...{ id, parentCommentId: 0, author: identityBody(author), publishedDate, lastUpdatedDate, commentType },
    lastContentUpdatedDate: lastUpdatedDate,
    // What was deleted has no text any more.
    ...(isDeleted ? { isDeleted } : { content }),
    usersLiked: [],
    _links: { self: { href: `${addressOf(call, thread)}/comments/${id}` } },
  };
}

function addressOf({ address, repository, pullRequest }: ThreadCall, { id }: Thread): string {
  return `${address}/_apis/git/repositories/${repository.id}/pullRequests/${pullRequest.id}/threads/${id}`;
}
