// GitHub: repositories in a folder, their Git over HTTPS (github.com) and the REST API (api.github.com).
import { serveGit } from "../git/http.ts";
import { refusePush } from "../git/receive.ts";
import type { CloudRequest, CloudResponse, Service } from "../types.ts";
import { may, type Right, type TokenOptions, Tokens } from "./access.ts";
import { GitHubApi } from "./api.ts";
import { type AppOptions, Apps, type RegisteredApp } from "./apps.ts";
import { Repositories, type RepositoryOptions } from "./collection.ts";
import type { Environment } from "./environments.ts";
import type { PullRequest, Repository } from "./model.ts";
import { refusalOf } from "./protection.ts";
import { added, merge } from "./pulls.ts";

export interface GitHubOptions {
  /** The folder of the bare repositories, `OWNER/NAME.git` below it. */
  readonly root: string;
}

export class GitHub {
  /** Answers for api.github.com. */
  readonly api: Service;
  /** The environments of a repository, by their names in lower case. */
  readonly environments: (repository: Repository) => ReadonlyMap<string, Environment>;
  readonly #api: GitHubApi;
  readonly #root: string;
  readonly #tokens = new Tokens();
  readonly #apps = new Apps(this.#tokens);
  readonly #repositories: Repositories;

  constructor({ root }: GitHubOptions) {
    this.#root = root;
    this.#repositories = new Repositories(root);
    this.#api = new GitHubApi(this.#tokens, this.#repositories, this.#apps);
    this.api = (request) => this.#api.answer(request);
    this.environments = (repository) => this.#api.environments.of(repository);
  }

  /** Makes a repository. @throws Error where the name is taken. */
  createRepository(owner: string, name: string, options: RepositoryOptions = {}): Promise<Repository> {
    return this.#repositories.create(owner, name, options);
  }

  /** All repositories. */
  get repositories(): Repository[] {
    return this.#repositories.all;
  }

  /** A repository by its owner and name, in whatever case. */
  find(owner: string, name: string): Repository | undefined {
    return this.#repositories.find(owner, name);
  }

  /** Opens a pull request of somebody's. @returns it; its number is the next one of the repository. */
  openPullRequest(repository: Repository, title: string): PullRequest {
    return added(repository, { title, head: "change", base: "main", body: "", author: "somebody" });
  }

  /** Merges a pull request as somebody does in the browser. @throws Error where it is not open or has conflicts. */
  async mergePullRequest(
    repository: Repository,
    number: number,
    method: "merge" | "squash" = "merge",
  ): Promise<string> {
    const pull = repository.pullRequests.find((each) => each.number === number);
    const commit = pull && (await merge(repository, pull, method));
    if (commit === undefined) throw new Error(`pull request ${number} cannot be merged`);
    return commit;
  }

  /**
   * Lets the next requests that change something be too many, as a burst of them is: the secondary rate limit.
   * @param status what GitHub says then; it uses both.
   * @param retryAfter in seconds.
   */
  slowDown(requests: number, status: 403 | 429, retryAfter: number): void {
    this.#api.slowDown(requests, status, retryAfter);
  }

  /** Adds a personal access token, or one of an App. Whatever it makes repositories in, but for its user, is an organisation. @returns its text. */
  addToken(options: TokenOptions): string {
    for (const owner of options.creates ?? []) if (owner !== options.login) this.#repositories.addOrganisation(owner);
    return this.#tokens.add(options);
  }

  /** Registers a GitHub App and installs it in an account. */
  addApp(options: AppOptions): RegisteredApp {
    return this.#apps.add(options);
  }

  /** Lets the owner of an account suspend an App's installation. */
  suspendApp({ installationId }: RegisteredApp): void {
    this.#apps.suspend(installationId);
  }

  /** Takes a token away, and with it the deploy keys that it made, as GitHub does. */
  revokeToken(text: string): void {
    const token = this.#tokens.remove(text);
    if (token === undefined) return;
    for (const { deployKeys } of this.#repositories.all)
      deployKeys.splice(0, deployKeys.length, ...deployKeys.filter(({ madeWith }) => madeWith !== token));
  }

  /** Lets an organisation forbid deploy keys, as new ones do by themselves. */
  forbidDeployKeys(organisation: string): void {
    this.#repositories.forbidDeployKeys(organisation);
  }

  /** Answers for the host of an Enterprise server: Git, and the API below /api/v3. */
  readonly enterprise: Service = (request) => {
    const { pathname, search } = request.url;
    if (!pathname.startsWith("/api/v3/")) return this.git(request);
    return this.api({ ...request, url: new URL(`https://api.github.com${pathname.slice("/api/v3".length)}${search}`) });
  };

  /** Answers for github.com: Git over HTTPS alone. */
  readonly git: Service = async (request) => {
    const [, owner = "", name = "", rest = ""] =
      /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/.exec(request.url.pathname) ??
      [];
    if (rest === "") return text(404, "Not Found");
    const isPush = rest.endsWith("receive-pack") || request.url.searchParams.get("service") === "git-receive-pack";
    const repository = this.find(owner, name);
    const [user, refusal] = this.#admit(request, repository, isPush ? "write" : "read");
    if (refusal || !repository) return refusal ?? text(404, "Repository not found.");
    const refused = refusePush(request, (branch) => refusalOf(repository, branch));
    if (refused !== undefined) return refused;
    const path = `/${repository.owner}/${repository.name}.git${rest}`;
    return serveGit(request, { root: this.#root, path, user });
  };

  /** The user's name, or the refusal of a caller who may not do this; one who may not read learns of no repository. */
  #admit(request: CloudRequest, repository: Repository | undefined, right: Right): [string, CloudResponse | undefined] {
    const { authorization } = request.headers;
    const isPublic = repository?.private === false;
    if (authorization === undefined) {
      return ["", isPublic && right === "read" ? undefined : challenge("Repository not found.")];
    }
    const token = this.#tokens.find(authorization);
    if (!token) {
      const word = "Invalid username or token. Password authentication is not supported for Git operations.";
      return ["", challenge(word)];
    }
    const fullName = repository ? `${repository.owner}/${repository.name}` : "";
    if (!isPublic && !may(token, "read", fullName)) return ["", text(404, "Repository not found.")];
    if (right === "write" && repository?.settings.archived === true)
      return [token.login, text(403, "This repository was archived so it is read-only.")];
    const allowed = (isPublic && right === "read") || may(token, right, fullName);
    return [token.login, allowed ? undefined : text(403, `Permission to ${fullName}.git denied to ${token.login}.`)];
  }
}

function text(status: number, body: string): CloudResponse {
  return { status, headers: { "content-type": "text/plain; charset=UTF-8" }, body };
}

function challenge(body: string): CloudResponse {
  return { ...text(401, body), headers: { "content-type": "text/plain", "www-authenticate": 'Basic realm="GitHub"' } };
}
