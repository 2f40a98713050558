// GitHub: repositories in a folder, their Git over HTTPS (github.com) and the REST API (api.github.com).
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { serveGit } from "../git/http.ts";
import { commitFiles, initialise, readCommit } from "../git/repository.ts";
import type { CloudRequest, CloudResponse, Service } from "../types.ts";
import { may, type Right, type TokenOptions, Tokens } from "./access.ts";
import { GitHubApi } from "./api.ts";
import type { Repository } from "./model.ts";

export interface GitHubOptions {
  /** The folder of the bare repositories, `OWNER/NAME.git` below it. */
  readonly root: string;
}

export interface RepositoryOptions {
  /** Default: true. */
  readonly private?: boolean;
  /** Content of the first commit on main; default a README.md; without any file the repository stays empty. */
  readonly files?: Readonly<Record<string, string>>;
  /** Branches that nobody pushes to. */
  readonly protectedBranches?: readonly string[];
}

export class GitHub {
  /** Answers for api.github.com. */
  readonly api: Service;
  readonly #root: string;
  readonly #tokens = new Tokens();
  readonly #repositories = new Map<string, Repository>();
  readonly #organisations = new Set<string>();
  #lastId = 1_000_000;

  constructor({ root }: GitHubOptions) {
    this.#root = root;
    const api = new GitHubApi(this.#tokens, this);
    this.api = (request) => api.answer(request);
  }

  /**
   * Makes a repository. Where its folder is there already, from an earlier process, its content is kept.
   * @throws Error where the name is taken.
   */
  async createRepository(owner: string, name: string, options: RepositoryOptions = {}): Promise<Repository> {
    const key = `${owner}/${name}`.toLowerCase();
    if (this.#repositories.has(key)) throw new Error(`there is a repository ${owner}/${name} already`);
    const repository: Repository = {
      id: ++this.#lastId,
      owner,
      name,
      private: options.private ?? true,
      protectedBranches: options.protectedBranches ?? [],
      createdAt: new Date().toISOString().replace(/\.\d+/, ""),
      folder: join(this.#root, owner, `${name}.git`),
      deployKeys: [],
      settings: {},
    };
    this.#repositories.set(key, repository);
    await initialise(repository.folder, repository.protectedBranches);
    const files = options.files ?? { "README.md": `# ${name}\n` };
    const isEmpty = (await readCommit(repository.folder, "refs/heads/main")) === undefined;
    if (isEmpty && Object.keys(files).length > 0) await commitFiles(repository.folder, files);
    return repository;
  }

  /** All repositories. */
  get repositories(): Repository[] {
    return [...this.#repositories.values()];
  }

  /** A repository by its owner and name, in whatever case. */
  find(owner: string, name: string): Repository | undefined {
    return this.#repositories.get(`${owner}/${name}`.toLowerCase());
  }

  isOrganisation(name: string): boolean {
    return this.#organisations.has(name.toLowerCase());
  }

  /** Gives a repository another name, which must be free. */
  async rename(repository: Repository, name: string): Promise<void> {
    const folder = join(this.#root, repository.owner, `${name}.git`);
    await rename(repository.folder, folder);
    this.#repositories.delete(`${repository.owner}/${repository.name}`.toLowerCase());
    this.#repositories.set(`${repository.owner}/${name}`.toLowerCase(), repository);
    Object.assign(repository, { name, folder });
  }

  /** Deletes a repository with all it holds. */
  async remove(repository: Repository): Promise<void> {
    this.#repositories.delete(`${repository.owner}/${repository.name}`.toLowerCase());
    await rm(repository.folder, { recursive: true });
  }

  /** Adds a personal access token. Whatever it makes repositories in, but for its user, is an organisation. @returns its text. */
  addToken(options: TokenOptions): string {
    for (const owner of options.creates ?? [])
      if (owner !== options.login) this.#organisations.add(owner.toLowerCase());
    return this.#tokens.add(options);
  }

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
