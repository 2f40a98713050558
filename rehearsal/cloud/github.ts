// GitHub: repositories in a folder, their Git over HTTPS (github.com) and the REST API (api.github.com).
import { join } from "node:path";
import { serveGit } from "./gitHttp.ts";
import { may, type Right, type TokenOptions, Tokens } from "./githubAccess.ts";
import { GitHubApi } from "./githubApi.ts";
import { commitFiles, initialise, readCommit } from "./gitRepository.ts";
import type { CloudRequest, CloudResponse, Service } from "./types.ts";

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

export interface DeployKey {
  readonly id: number;
  readonly key: string;
  readonly title: string;
  readonly readOnly: boolean;
  readonly createdAt: string;
  readonly addedBy: string;
}

export interface Repository {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  readonly private: boolean;
  readonly protectedBranches: readonly string[];
  readonly createdAt: string;
  /** The bare repository. */
  readonly folder: string;
  readonly deployKeys: DeployKey[];
}

export class GitHub {
  /** Answers for api.github.com. */
  readonly api: Service;
  readonly #root: string;
  readonly #tokens = new Tokens();
  readonly #repositories = new Map<string, Repository>();

  constructor({ root }: GitHubOptions) {
    this.#root = root;
    const api = new GitHubApi(this.#tokens, this.#repositories);
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
      id: 1_000_001 + this.#repositories.size,
      owner,
      name,
      private: options.private ?? true,
      protectedBranches: options.protectedBranches ?? [],
      createdAt: new Date().toISOString().replace(/\.\d+/, ""),
      folder: join(this.#root, owner, `${name}.git`),
      deployKeys: [],
    };
    this.#repositories.set(key, repository);
    await initialise(repository.folder, repository.protectedBranches);
    const files = options.files ?? { "README.md": `# ${name}\n` };
    const isEmpty = (await readCommit(repository.folder, "refs/heads/main")) === undefined;
    if (isEmpty && Object.keys(files).length > 0) await commitFiles(repository.folder, files);
    return repository;
  }

  /** Adds a personal access token. @returns its text. */
  addToken(options: TokenOptions): string {
    return this.#tokens.add(options);
  }

  /** Answers for github.com: Git over HTTPS alone. */
  readonly git: Service = async (request) => {
    const [, owner = "", name = "", rest = ""] =
      /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/.exec(request.url.pathname) ??
      [];
    if (rest === "") return text(404, "Not Found");
    const isPush = rest.endsWith("receive-pack") || request.url.searchParams.get("service") === "git-receive-pack";
    const repository = this.#repositories.get(`${owner}/${name}`.toLowerCase());
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
