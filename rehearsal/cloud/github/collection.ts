// The repositories of the simulated GitHub, by owner and name, each a bare repository in a folder.
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { commitFiles, initialise, readCommit } from "../git/repository.ts";
import type { Repository } from "./model.ts";

export interface RepositoryOptions {
  /** Default: true. */
  readonly private?: boolean;
  /** Content of the first commit on main; default a README.md; without any file the repository stays empty. */
  readonly files?: Readonly<Record<string, string>>;
  /** Branches that take changes by pull request alone, as branch protection has it. */
  readonly protectedBranches?: readonly string[];
  /** The same, as a ruleset has it. */
  readonly ruledBranches?: readonly string[];
}

export class Repositories {
  readonly #root: string;
  readonly #repositories = new Map<string, Repository>();
  readonly #organisations = new Set<string>();
  readonly #withoutDeployKeys = new Set<string>();
  #lastId = 1_000_000;

  /** @param root the folder of the bare repositories, `OWNER/NAME.git` below it. */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Makes a repository. Where its folder is there already, from an earlier process, its content is kept.
   * @throws Error where the name is taken.
   */
  async create(owner: string, name: string, options: RepositoryOptions = {}): Promise<Repository> {
    const key = `${owner}/${name}`.toLowerCase();
    if (this.#repositories.has(key)) throw new Error(`there is a repository ${owner}/${name} already`);
    const repository: Repository = {
      id: ++this.#lastId,
      owner,
      name,
      private: options.private ?? true,
      protectedBranches: options.protectedBranches ?? [],
      ruledBranches: options.ruledBranches ?? [],
      createdAt: new Date().toISOString().replace(/\.\d+/, ""),
      folder: join(this.#root, owner, `${name}.git`),
      deployKeys: [],
      pullRequests: [],
      settings: {},
    };
    this.#repositories.set(key, repository);
    await initialise(repository.folder);
    const files = options.files ?? { "README.md": `# ${name}\n` };
    const isEmpty = (await readCommit(repository.folder, "refs/heads/main")) === undefined;
    if (isEmpty && Object.keys(files).length > 0) await commitFiles(repository.folder, files);
    return repository;
  }

  /** All repositories. */
  get all(): Repository[] {
    return [...this.#repositories.values()];
  }

  /** A repository by its owner and name, in whatever case. */
  find(owner: string, name: string): Repository | undefined {
    return this.#repositories.get(`${owner}/${name}`.toLowerCase());
  }

  /** Lets an owner be an organisation. */
  addOrganisation(name: string): void {
    this.#organisations.add(name.toLowerCase());
  }

  isOrganisation(name: string): boolean {
    return this.#organisations.has(name.toLowerCase());
  }

  /** Lets an organisation forbid deploy keys. */
  forbidDeployKeys(organisation: string): void {
    this.addOrganisation(organisation);
    this.#withoutDeployKeys.add(organisation.toLowerCase());
  }

  allowsDeployKeys(owner: string): boolean {
    return !this.#withoutDeployKeys.has(owner.toLowerCase());
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
}
