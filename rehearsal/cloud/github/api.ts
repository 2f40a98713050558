// GitHub's REST API, version 2022-11-28: repositories, branches, refs, commits, deploy keys, environments, pull requests and comments.
import { createHash } from "node:crypto";
import { listRefs, readCommit } from "../git/repository.ts";
import { type CloudRequest, type CloudResponse, ServiceError } from "../types.ts";
import { may, type Right, type Token, type Tokens } from "./access.ts";
import { Apps } from "./apps.ts";
import {
  branchBody,
  commitBody,
  deployKeyBody,
  organisationBody,
  refBody,
  repositoryBody,
  userBody,
} from "./bodies.ts";
import type { Repositories } from "./collection.ts";
import { Comments } from "./comments.ts";
import { Environments } from "./environments.ts";
import { fault, inaccessible, readBody } from "./faults.ts";
import type { DeployKey, Repository } from "./model.ts";
import { answerPulls } from "./pulls.ts";
import { changeRepository, deleteRepository, makeRepository, refuseArchived } from "./repositories.ts";

const HOURLY_LIMIT = 5000;
const HOUR = 60 * 60 * 1000;

interface Call {
  readonly request: CloudRequest;
  readonly token: Token | undefined;
  readonly repository: Repository;
  /** What follows `/repos/OWNER/NAME/`. */
  readonly path: string;
}

export class GitHubApi {
  readonly environments = new Environments();
  readonly #tokens: Tokens;
  readonly #apps: Apps;
  readonly #repositories: Repositories;
  readonly #comments = new Comments();
  #lastKey = 90_000_000;
  #burst = { requests: 0, status: 403, retryAfter: 0 };

  constructor(tokens: Tokens, repositories: Repositories, apps: Apps) {
    this.#tokens = tokens;
    this.#apps = apps;
    this.#repositories = repositories;
  }

  /** Lets the next requests that change something be too many at once. @param retryAfter in seconds. */
  slowDown(requests: number, status: 403 | 429, retryAfter: number): void {
    this.#burst = { requests, status, retryAfter };
  }

  async answer(request: CloudRequest): Promise<CloudResponse> {
    let token: Token | undefined;
    let response: CloudResponse;
    try {
      const asApp = this.#answerApp(request);
      if (asApp !== undefined) return asApp;
      token = this.#authenticate(request);
      this.#limit(request, token);
      response = await this.#route(request, token);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      response = error.response;
    }
    return { ...response, headers: { ...headersOf(token), ...etag(response), ...response.headers } };
  }

  /** What an App asks as itself; undefined where the request is another one. */
  #answerApp(request: CloudRequest): CloudResponse | undefined {
    const [, set, owner = "", name = "", last] = decodeURIComponent(request.url.pathname).split("/");
    const isOfAccount = (set === "orgs" || set === "users") && name === "installation";
    const isApps = set === "app" || isOfAccount || (set === "repos" && last === "installation");
    if (!isApps) return undefined;
    if (!Apps.isOwn(request.headers.authorization)) throw fault(401, "A JSON web token could not be decoded");
    return this.#apps.answer(request, set === "repos" ? this.#repositories.find(owner, name) : undefined);
  }

  #authenticate({ headers }: CloudRequest): Token | undefined {
    if (!headers["user-agent"]) {
      const word = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header";
      throw new ServiceError({ status: 403, body: `${word} (https://docs.github.com).` }, word);
    }
    if (!headers.authorization) return undefined;
    const token = this.#tokens.find(headers.authorization);
    if (!token) throw fault(401, "Bad credentials");
    return token;
  }

  /** @throws ServiceError for a request too many: of the hour, or of a burst. */
  #limit({ method }: CloudRequest, token: Token | undefined): void {
    if (token && token.used >= HOURLY_LIMIT && token.reset > Date.now())
      throw fault(403, `API rate limit exceeded for ${token.isApp ? "installation" : "user"} ID 1.`);
    if (method === "GET" || this.#burst.requests === 0) return;
    this.#burst.requests--;
    const { status, retryAfter } = this.#burst;
    const word = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    const { response, message } = fault(status, word);
    throw new ServiceError({ ...response, headers: { "retry-after": String(retryAfter) } }, message);
  }

  async #route(request: CloudRequest, token: Token | undefined): Promise<CloudResponse> {
    const parts = decodeURIComponent(request.url.pathname).split("/").slice(1);
    const [set, owner = "", name = "", ...rest] = parts;
    if (set === "repos" && name !== "") {
      const repository = this.#repositories.find(owner, name);
      const visible = repository && (!repository.private || may(token, "metadata", nameOf(repository)));
      if (!visible) throw fault(404, "Not Found");
      return this.#repository({ request, token, repository, path: rest.join("/") });
    }
    if (request.method === "GET" && request.url.pathname === "/user") {
      if (!token) throw fault(401, "Requires authentication");
      if (token.isApp) throw inaccessible(true);
      return { status: 200, body: userBody(token.login) };
    }
    if (request.method === "GET" && set === "users" && owner !== "" && name === "") {
      return { status: 200, body: userBody(owner) };
    }
    if (request.method === "GET" && set === "orgs" && this.#repositories.isOrganisation(owner) && name === "") {
      return { status: 200, body: organisationBody(owner, this.#repositories.allowsDeployKeys(owner)) };
    }
    const isOwners = set === "orgs" && name === "repos" && rest.length === 0;
    if (request.method === "POST" && (isOwners || request.url.pathname === "/user/repos")) {
      const made = await makeRepository(this.#repositories, request, token, isOwners ? owner : undefined);
      return { status: 201, body: shown(made, token) };
    }
    throw fault(404, "Not Found");
  }

  async #repository(call: Call): Promise<CloudResponse> {
    const { request, repository, token, path } = call;
    if (path.startsWith("issues/")) return this.#comments.answer(call);
    if (path === "pulls" || path.startsWith("pulls/")) {
      if (repository.private) demand(call, "read");
      if (request.method !== "GET") refuseArchived(repository);
      return answerPulls(call);
    }
    if (path === "keys" || path.startsWith("keys/")) return this.#deployKeys(call);
    if (Environments.owns(path)) return this.environments.answer({ ...call, demand: (right) => demand(call, right) });
    if (path === "" && request.method === "DELETE") {
      await deleteRepository(this.#repositories, token, repository);
      return { status: 204 };
    }
    if (path === "" && request.method === "PATCH") {
      await changeRepository(this.#repositories, request, token, repository);
      return { status: 200, body: shown(repository, token) };
    }
    if (request.method !== "GET") {
      demand(call, "admin");
      throw fault(404, "Not Found");
    }
    const { folder } = repository;
    if (path === "") return { status: 200, body: shown(repository, token) };
    if (repository.private) demand(call, "read");
    const [, kind = "", rest = ""] = /^(branches|git\/ref|git\/matching-refs|commits)(?:\/(.+))?$/.exec(path) ?? [];
    if (kind === "branches" && rest !== "") {
      const commit = await readCommit(folder, `refs/heads/${rest}`);
      if (!commit) throw fault(404, "Branch not found");
      return { status: 200, body: branchBody(repository, rest, commit) };
    }
    if (kind === "git/ref" && rest !== "") {
      const found = (await listRefs(folder, `refs/${rest}`)).find(({ ref }) => ref === `refs/${rest}`);
      if (!found) throw fault(404, "Not Found");
      return { status: 200, body: refBody(repository, found) };
    }
    if (kind === "git/matching-refs") {
      const refs = await listRefs(folder, `refs/${rest}`);
      return { status: 200, body: refs.map((ref) => refBody(repository, ref)) };
    }
    if (kind === "commits" && rest !== "") {
      const commit = await readCommit(folder, rest);
      if (!commit) throw fault(422, `No commit found for SHA: ${rest}`);
      return { status: 200, body: commitBody(repository, commit) };
    }
    if (path === "branches") {
      const refs = await listRefs(folder, "refs/heads/");
      const commits = await Promise.all(refs.map(({ ref }) => readCommit(folder, ref)));
      const bodies = refs.flatMap(({ ref }, index) => {
        const commit = commits[index];
        return commit ? [branchBody(repository, ref.slice("refs/heads/".length), commit)] : [];
      });
      return { status: 200, body: bodies };
    }
    throw fault(404, "Not Found");
  }

  #deployKeys(call: Call): CloudResponse {
    const { request, repository, path } = call;
    demand(call, "admin");
    if (request.method !== "GET") refuseArchived(repository);
    if (path === "keys" && request.method === "POST") return this.#addDeployKey(call);
    if (path === "keys" && request.method === "GET") {
      return { status: 200, body: repository.deployKeys.map((key) => deployKeyBody(repository, key)) };
    }
    const id = Number(path.slice("keys/".length));
    const index = repository.deployKeys.findIndex((key) => key.id === id);
    const key = repository.deployKeys[index];
    if (!key) throw fault(404, "Not Found");
    if (request.method === "GET") return { status: 200, body: deployKeyBody(repository, key) };
    if (request.method !== "DELETE") throw fault(404, "Not Found");
    repository.deployKeys.splice(index, 1);
    return { status: 204 };
  }

  #addDeployKey({ request, repository, token }: Call): CloudResponse {
    if (!this.#repositories.allowsDeployKeys(repository.owner))
      throw fault(422, "Deploy keys are disabled for this repository");
    const { key, title, read_only: readOnly = false } = readBody(request);
    const normal = typeof key === "string" ? normalKey(key) : undefined;
    if (normal === undefined) throw invalidKey("key is invalid. You must supply a key in OpenSSH public key format");
    const all = this.#repositories.all.flatMap(({ deployKeys }) => deployKeys);
    if (all.some((other) => other.key === normal)) throw invalidKey("key is already in use");
    const added: DeployKey = {
      id: ++this.#lastKey,
      key: normal,
      title: typeof title === "string" && title !== "" ? title : (normal.split(" ")[0] ?? ""),
      readOnly: readOnly === true,
      createdAt: new Date().toISOString().replace(/\.\d+/, ""),
      addedBy: token?.login ?? "",
      madeWith: token,
    };
    repository.deployKeys.push(added);
    return { status: 201, body: deployKeyBody(repository, added) };
  }
}

function shown(repository: Repository, token: Token | undefined): object {
  return repositoryBody(repository, (right) => may(token, right, nameOf(repository)));
}

function nameOf({ owner, name }: Repository): string {
  return `${owner}/${name}`;
}

/** @throws ServiceError as GitHub answers one who may read the repository but not do this. */
function demand({ token, repository }: Call, right: Right): void {
  if (!token) throw fault(404, "Not Found");
  if (!may(token, right, nameOf(repository))) throw inaccessible(token.isApp);
}

/** A public key of OpenSSH without its comment; undefined where it is none. */
function normalKey(key: string): string | undefined {
  const [type = "", blob = ""] = key.trim().split(/\s+/);
  if (!/^(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)|sk-[\w-]+@openssh\.com)$/.test(type)) return undefined;
  const bytes = Buffer.from(blob, "base64");
  // The blob begins with the type again, as a string with its length.
  if (bytes.length < 8 + type.length || bytes.readUInt32BE(0) !== type.length) return undefined;
  return bytes.subarray(4, 4 + type.length).toString("latin1") === type ? `${type} ${blob}` : undefined;
}

function headersOf(token: Token | undefined): Record<string, string> {
  const now = Date.now();
  if (token && token.reset <= now) Object.assign(token, { used: 0, reset: now + HOUR });
  if (token) token.used++;
  const limit = token ? HOURLY_LIMIT : 60;
  const used = token?.used ?? 1;
  return {
    "x-github-media-type": "github.v3; format=json",
    "x-github-api-version-selected": "2022-11-28",
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(Math.max(0, limit - used)),
    "x-ratelimit-reset": String(Math.ceil((token?.reset ?? now + HOUR) / 1000)),
    "x-ratelimit-used": String(used),
    "x-ratelimit-resource": "core",
  };
}

function etag({ status, body }: CloudResponse): Record<string, string> {
  if (status >= 300 || body === undefined) return {};
  return { etag: `W/"${createHash("sha256").update(JSON.stringify(body)).digest("hex")}"` };
}

function invalidKey(message: string): ServiceError {
  const errors = [{ resource: "PublicKey", code: "custom", field: "key", message }];
  return fault(422, "Validation Failed", { errors });
}
