// The simulated Azure DevOps, as far as a pipeline's job calls it: threads of pull requests, who it is, and the tokens of
// service connections. REST API 7.1: https://learn.microsoft.com/rest/api/azure/devops

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { type CloudRequest, type CloudResponse, type Service, ServiceError } from "../types.ts";
import { fault } from "./faults.ts";
import { type GitOptions, GitRepositories, type RepositoryOptions, rightOf } from "./git.ts";
import type { Identity, PullRequest, Repository } from "./model.ts";
import { answerPulls, complete, type PullCall } from "./pulls.ts";
import { answerThreads } from "./threads.ts";

type PullCallGiven = Parameters<PullCall["open"]>[0];

/** The newest version that is no preview any more, and the newest of all. */
const VERSIONS = { released: 7.1, newest: 7.2 };

export interface JobOptions {
  /** Of the build service; default: as Azure DevOps makes it from the project's name. */
  readonly displayName?: string;
  /** Whether it has the permission "Contribute to pull requests", which a build service does not have by itself. */
  readonly contributes?: boolean;
  /** The service connections that the job may use, each with what issues its token. */
  readonly connections?: Readonly<Record<string, () => string>>;
}

/** A job, and what it finds in its environment. */
export interface Job {
  readonly identity: Identity;
  /** SYSTEM_ACCESSTOKEN. */
  readonly token: string;
  /** SYSTEM_OIDCREQUESTURI. */
  readonly oidcRequestUri: string;
}

interface KnownJob {
  readonly identity: Identity;
  readonly project: string;
  readonly path: string;
  readonly connections: Readonly<Record<string, () => string>>;
}

export class AzureDevOps {
  readonly organization: string;
  /** Its repositories as Git has them, and who may what there; none where no folder is theirs. */
  readonly git: GitRepositories | undefined;
  /** Jobs by the hash of their token. */
  readonly #jobs = new Map<string, KnownJob>();
  readonly #projects = new Map<string, Repository["project"]>();
  readonly #repositories: Repository[] = [];
  #lastPullRequest = 0;
  #burst = { requests: 0, retryAfter: 0 };

  constructor(organization: string, git?: GitOptions) {
    this.organization = organization;
    this.git = git && new GitRepositories(git);
  }

  /** Makes a repository with its Git, and its project where there is none. */
  async createGitRepository(project: string, name: string, options: RepositoryOptions = {}): Promise<Repository> {
    const repository = this.createRepository(project, name);
    await this.git?.create(repository, options);
    return repository;
  }

  /** All repositories. */
  get repositories(): readonly Repository[] {
    return this.#repositories;
  }

  /** Makes a repository, and its project where there is none. */
  createRepository(project: string, name: string): Repository {
    const known = this.#projects.get(project.toLowerCase()) ?? { id: randomUUID(), name: project };
    this.#projects.set(project.toLowerCase(), known);
    const repository: Repository = {
      ...{ id: randomUUID(), name, project: known },
      ...{ pullRequests: [], policies: new Set<string>() },
    };
    this.#repositories.push(repository);
    return repository;
  }

  /** Opens a pull request; its number is the organisation's next. */
  openPullRequest(repository: Repository, given: Partial<PullCallGiven> = {}): PullRequest {
    const pullRequest: PullRequest = {
      ...{ title: "Change", description: "", source: "change", target: "main", ...given },
      ...{ id: ++this.#lastPullRequest, status: "active", threads: [] },
    };
    repository.pullRequests.push(pullRequest);
    return pullRequest;
  }

  /** Lets a branch take changes by pull request alone, as a policy of it does. */
  protect(repository: Repository, branch: string): void {
    repository.policies.add(branch);
  }

  /** Completes a pull request as somebody does in the browser. @throws Error where it is not active or has conflicts. */
  async completePullRequest(repository: Repository, id: number, { squash = false } = {}): Promise<string> {
    const pull = repository.pullRequests.find((each) => each.id === id);
    const commit = pull && this.git && (await complete(this.git.folder(repository), pull, squash));
    if (commit === undefined) throw new Error(`pull request ${id} cannot be completed`);
    return commit;
  }

  /** Starts a job of a project, as its build service. */
  startJob(project: Repository["project"], options: JobOptions = {}): Job {
    const { displayName = `${project.name} Build Service (${this.organization})` } = options;
    const { contributes = false, connections = {} } = options;
    const id = createHash("sha256").update(displayName).digest("hex");
    const identity = {
      id: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, "$1-$2-$3-$4-$5"),
      ...{ displayName, contributes },
    };
    const token = randomBytes(40).toString("base64url");
    const plan = `_apis/distributedtask/hubs/build/plans/${randomUUID()}/jobs/${randomUUID()}/oidctoken`;
    const path = `/${this.organization}/${project.id}/${plan}`;
    this.#jobs.set(hash(token), { identity, project: project.id, path, connections });
    return { identity, token, oidcRequestUri: `https://dev.azure.com${path}` };
  }

  /** Lets the next requests be too many. @param retryAfter in seconds. */
  slowDown(requests: number, retryAfter: number): void {
    this.#burst = { requests, retryAfter };
  }

  /** Answers for dev.azure.com. */
  readonly service: Service = async (request) => {
    try {
      return (await this.#answerGit(request)) ?? (await this.#answerPulls(request)) ?? this.#answer(request);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return error.response;
    }
  };

  /** Git's smart HTTP: https://git-scm.com/docs/http-protocol. Anything else is no request of it. */
  async #answerGit(request: CloudRequest): Promise<CloudResponse | undefined> {
    const path = decodeURIComponent(request.url.pathname);
    const [, organization = "", project = "", name = "", rest = ""] =
      /^\/([^/]+)\/([^/]+)\/_git\/([^/]+)(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/.exec(path) ?? [];
    if (this.git === undefined || rest === "" || organization.toLowerCase() !== this.organization.toLowerCase())
      return undefined;
    const repository = this.#repositories.find(
      (each) =>
        each.name.toLowerCase() === name.toLowerCase() && each.project.name.toLowerCase() === project.toLowerCase(),
    );
    return (await this.git.answer(request, repository, name, rest)) ?? unknownCaller;
  }

  /** Pull requests of a repository, but for their threads; undefined where the request is another one. */
  async #answerPulls(request: CloudRequest): Promise<CloudResponse | undefined> {
    const [organization = "", project = "", api, git, repositories, name = "", pulls = "", ...path] =
      decodeURIComponent(request.url.pathname).split("/").slice(1);
    const isPulls = [api, git, repositories, pulls.toLowerCase()].join("/") === "_apis/git/repositories/pullrequests";
    const isOurs = organization.toLowerCase() === this.organization.toLowerCase();
    if (!isPulls || !isOurs || path.length > 1 || this.git === undefined) return undefined;
    const job = this.#authenticate(request);
    const user = this.git.userOf(request.headers.authorization);
    if (job === undefined && user === undefined) return signIn(request);
    checkVersion(request, false);
    checkContentType(request);
    const repository = this.#repositoryAt(project, name);
    const right = user && rightOf(user, repository);
    if (user !== undefined && right === undefined) throw noRepository(name);
    const caller = {
      name: job === undefined ? (user?.displayName ?? "") : `Build\\${job.identity.id}`,
      contributes: job?.identity.contributes ?? (right === "contribute" && user?.pullRequests !== false),
    };
    const open = (given: PullCallGiven) => this.openPullRequest(repository, given);
    return answerPulls({ request, caller, repository, folder: this.git.folder(repository), path, open });
  }

  /** @throws ServiceError where there is none. */
  #repositoryAt(projectName: string, name: string): Repository {
    const isNamed = (thing: { id: string; name: string }, by: string) =>
      thing.id === by.toLowerCase() || thing.name.toLowerCase() === by.toLowerCase();
    const project = [...this.#projects.values()].find((each) => isNamed(each, projectName));
    if (project === undefined)
      throw fault(
        404,
        "ProjectDoesNotExistWithNameException",
        `TF200016: The following project does not exist: ${projectName}. Verify that the name of the project is correct ` +
          "and that the project exists on the specified Azure DevOps Server.",
      );
    const repository = this.#repositories.find((each) => each.project === project && isNamed(each, name));
    if (repository === undefined) throw noRepository(name);
    return repository;
  }

  #answer(request: CloudRequest): CloudResponse {
    const job = this.#authenticate(request);
    if (job === undefined) return signIn(request);
    if (this.#burst.requests > 0) {
      this.#burst.requests--;
      const word = "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource.";
      const { response } = fault(429, "RequestBlockedException", word);
      return { ...response, headers: { ...response.headers, "retry-after": String(this.#burst.retryAfter) } };
    }
    const [organization = "", ...path] = decodeURIComponent(request.url.pathname).split("/").slice(1);
    if (organization.toLowerCase() !== this.organization.toLowerCase()) throw notFound(request);
    const answer =
      path.join("/") === "_apis/connectionData"
        ? connectionData(request, job)
        : path[1] === "_apis" && (this.#threads(request, job, path) ?? this.#connectionToken(request, job));
    if (!answer) throw notFound(request);
    return answer;
  }

  #authenticate({ headers }: CloudRequest): KnownJob | undefined {
    const [scheme = "", value = ""] = (headers.authorization ?? "").split(/ +/);
    const password = () =>
      Buffer.from(value, "base64")
        .toString()
        .replace(/^[^:]*:/, "");
    return this.#jobs.get(hash(scheme.toLowerCase() === "basic" ? password() : value));
  }

  /** What stands below `PROJECT/_apis/git/repositories/NAME/pullRequests/ID/threads`. */
  #threads(request: CloudRequest, { identity }: KnownJob, path: readonly string[]): CloudResponse | undefined {
    const [projectName = "", , git, repositories, name = "", pullRequests, id = "", threads, ...rest] = path;
    const isThreads =
      [git, repositories, pullRequests?.toLowerCase(), threads].join("/") === "git/repositories/pullrequests/threads";
    if (!isThreads) return undefined;
    checkVersion(request, false);
    checkContentType(request);
    const repository = this.#repositoryAt(projectName, name);
    const pullRequest = repository.pullRequests.find((each) => String(each.id) === id);
    if (pullRequest === undefined)
      throw fault(404, "GitPullRequestNotFoundException", "TF401180: The requested pull request was not found.");
    const address = `https://dev.azure.com/${this.organization}/${repository.project.id}`;
    return answerThreads({ request, caller: identity, repository, pullRequest, path: rest, address });
  }

  /** The token of a service connection: https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create */
  #connectionToken(request: CloudRequest, { path, connections }: KnownJob): CloudResponse | undefined {
    if (request.url.pathname.toLowerCase() !== path.toLowerCase()) return undefined;
    checkVersion(request, false);
    // azure-native asks with GET, as it does GitHub.
    if (request.method !== "POST")
      throw fault(
        405,
        "VssRequestMethodNotSupportedException",
        `The requested resource does not support http method '${request.method}'.`,
      );
    const id = request.url.searchParams.get("serviceConnectionId") ?? "";
    const issue = connections[id];
    if (issue === undefined)
      throw fault(
        404,
        "ServiceEndpointNotFoundException",
        `The service connection ${id} could not be found, or the pipeline may not use it.`,
      );
    return { status: 200, body: { oidcToken: issue() } };
  }
}

const hash = (token: string) => createHash("sha256").update(token).digest("base64");

/** What Git gets, which follows no page for people. */
const unknownCaller: CloudResponse = {
  status: 401,
  headers: {
    "content-type": "text/html",
    "www-authenticate": 'Bearer authorization_uri=https://login.microsoftonline.com, Basic realm="Azure DevOps"',
  },
  body: "",
};

/** A page for people, unless the caller says that it is none. */
function signIn({ headers }: CloudRequest): CloudResponse {
  const challenge = {
    "www-authenticate": 'Bearer authorization_uri=https://login.microsoftonline.com, Basic realm="Azure DevOps"',
  };
  if (headers["x-tfs-fedauthredirect"]?.toLowerCase() === "suppress")
    return { status: 401, headers: { "content-type": "text/html", ...challenge }, body: "" };
  return {
    status: 203,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head></html>",
  };
}

function noRepository(name: string): ServiceError {
  return fault(
    404,
    "GitRepositoryNotFoundException",
    `TF401019: The Git repository with name or identifier ${name} does not exist or you do not have permissions for ` +
      "the operation you are attempting.",
  );
}

function notFound({ url }: CloudRequest): ServiceError {
  return fault(404, "VssResourceNotFoundException", `The resource ${url.pathname} is not registered.`);
}

/**
 * @param isPreview whether there is no version of the resource that is none.
 * @throws ServiceError where the version is missing, malformed, too new, or must be a preview.
 */
function checkVersion({ method, url, headers }: CloudRequest, isPreview: boolean): void {
  const inAccept = /api-version=([^;,\s]+)/.exec(headers.accept ?? "")?.[1];
  const version = url.searchParams.get("api-version") ?? inAccept;
  const wrong = (typeKey: string, word: string) => fault(400, typeKey, word);
  if (version === undefined)
    throw wrong(
      "VssVersionNotSpecifiedException",
      `No api-version was supplied for the "${method}" request. The version must be supplied either as part of the ` +
        'Accept header (e.g. "application/json; api-version=1.0") or as a query parameter (e.g. "?api-version=1.0").',
    );
  const [, number, preview] = /^(\d+\.\d+)(-preview(?:\.\d+)?)?$/.exec(version) ?? [];
  if (number === undefined)
    throw wrong(
      "VssInvalidApiResourceVersionException",
      `The api-version string "${version}" is in an invalid format. Valid formats are: {major}.{minor}, ` +
        "{major}.{minor}-preview.{resource-version}.",
    );
  if (Number(number) > VERSIONS.newest)
    throw wrong(
      "VssVersionOutOfRangeException",
      `The requested REST API version of ${number} is out of range for this server. The latest REST API version this ` +
        `server supports is ${VERSIONS.newest}.`,
    );
  if (preview === undefined && (isPreview || Number(number) > VERSIONS.released))
    throw wrong(
      "VssInvalidPreviewVersionException",
      `The requested version "${number}" of the resource is under preview. The -preview flag must be supplied in the ` +
        `api-version for such requests. For example: "${number}-preview"`,
    );
}

/** @throws ServiceError for a body that is not said to be JSON. */
function checkContentType({ method, headers, body }: CloudRequest): void {
  const type = headers["content-type"] ?? "";
  if (body.length === 0 || /^application\/json\b/i.test(type)) return;
  throw fault(
    415,
    "VssRequestContentTypeNotSupportedException",
    `The request indicated a Content-Type of "${type}" for method type "${method}" which is not supported. Valid ` +
      "content types for this method are: application/json, application/json-patch+json.",
  );
}

function connectionData(request: CloudRequest, { identity }: KnownJob): CloudResponse | undefined {
  if (request.method !== "GET") return undefined;
  checkVersion(request, true);
  const user = {
    id: identity.id,
    providerDisplayName: identity.displayName,
    isActive: true,
    subjectDescriptor: `svc.${Buffer.from(identity.id).toString("base64url")}`,
  };
  return { status: 200, body: { authenticatedUser: user, authorizedUser: user, deploymentType: "hosted" } };
}
