// Azure Repos over HTTPS: who signs in, what he may, and Git itself, which gives whole branches alone.

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { serveGit } from "../git/http.ts";
import { type Refusal, refusePush } from "../git/receive.ts";
import { commitFiles, initialise } from "../git/repository.ts";
import type { Caller, CloudRequest, CloudResponse } from "../types.ts";
import type { Repository } from "./model.ts";

/** The application id of Azure DevOps in Entra: https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/service-principal-managed-identity */
export const DEVOPS_APPLICATION = "499b84ac-1321-427f-aa17-267ca6975798";

/** Who may what: a member of a project's Readers reads, one of its Contributors pushes too. */
export type GitRight = "read" | "contribute";

export interface UserOptions {
  readonly displayName: string;
  /** Of somebody in Entra, such as a service principal that was added to the organisation; default: a person's own. */
  readonly objectId?: string;
  /** By `project/repository`. */
  readonly repositories: Readonly<Record<string, GitRight>>;
  /** Whether a contributor may contribute to pull requests too; default true. */
  readonly pullRequests?: boolean;
}

export interface User extends UserOptions {
  readonly id: string;
}

export interface GitOptions {
  /** The folder of the bare repositories, `PROJECT/NAME.git` below it. */
  readonly root: string;
  /** Tells whose a token of Entra is; throws where it is none. */
  readonly authenticate?: (authorization: string | undefined, audience: string) => Caller;
}

/** What a repository holds at first. */
export interface RepositoryOptions {
  /** Files of the branch main; default none, and no branch. */
  readonly files?: Readonly<Record<string, string>>;
}

export class GitRepositories {
  readonly #options: GitOptions;
  readonly #users: User[] = [];
  /** Whose a personal access token is, by its hash. */
  readonly #tokens = new Map<string, User>();

  constructor(options: GitOptions) {
    this.#options = options;
  }

  /** The folder of a repository's bare one. */
  folder({ project, name }: Repository): string {
    return join(this.#options.root, project.name, `${name}.git`);
  }

  async create(repository: Repository, { files = {} }: RepositoryOptions): Promise<void> {
    const folder = this.folder(repository);
    await initialise(folder, { whole: true });
    if (Object.keys(files).length > 0) await commitFiles(folder, files);
  }

  /** Adds a user to the organisation. @returns a personal access token; service principals have none. */
  addUser(options: UserOptions): string | undefined {
    const user = { ...options, id: options.objectId ?? randomUUID() };
    this.#users.push(user);
    if (options.objectId !== undefined) return undefined;
    const token = randomBytes(42).toString("base64url").toLowerCase();
    this.#tokens.set(hash(token), user);
    return token;
  }

  /** Ends a personal access token. */
  revoke(token: string): void {
    this.#tokens.delete(hash(token));
  }

  /** Answers a request of Git's smart HTTP for a repository; undefined where the caller has to sign in. */
  async answer(request: CloudRequest, repository: Repository | undefined, named: string, rest: string) {
    const user = this.userOf(request.headers.authorization);
    if (user === undefined) return undefined;
    const isPush = rest.endsWith("receive-pack") || request.url.searchParams.get("service") === "git-receive-pack";
    const right = repository && rightOf(user, repository);
    if (repository === undefined || right === undefined)
      return text(
        404,
        `TF401019: The Git repository with name or identifier ${named} does not exist or you do not have permissions for ` +
          "the operation you are attempting.",
      );
    if (isPush && right !== "contribute")
      return text(
        403,
        "TF401027: You need the Git 'GenericContribute' permission to perform this action. Details: identity " +
          `'${user.displayName}', scope 'repository'.`,
      );
    const refused = refusePush(request, (branch) => (repository.policies.has(branch) ? POLICY : undefined));
    if (refused !== undefined) return refused;
    const path = `/${repository.project.name}/${repository.name}.git${rest}`;
    // Nobody there speaks Git's second protocol.
    const { "git-protocol": _, ...headers } = request.headers;
    return serveGit({ ...request, headers }, { root: this.#options.root, path, user: user.displayName });
  }

  /** Who signs in; undefined where nobody known does. */
  userOf(authorization = ""): User | undefined {
    const [scheme = "", value = ""] = authorization.split(/ +/);
    if (scheme.toLowerCase() === "basic")
      return this.#tokens.get(
        hash(
          Buffer.from(value, "base64")
            .toString()
            .replace(/^[^:]*:/, ""),
        ),
      );
    const { authenticate } = this.#options;
    if (scheme.toLowerCase() !== "bearer" || authenticate === undefined) return undefined;
    try {
      const { principal } = authenticate(authorization, DEVOPS_APPLICATION);
      return this.#users.find(({ objectId }) => objectId?.toLowerCase() === principal.objectId.toLowerCase());
    } catch {
      return undefined;
    }
  }
}

/** What a user may do with a repository; undefined where it is hidden. */
export function rightOf(user: UserOptions, { project, name }: Repository): GitRight | undefined {
  return user.repositories[`${project.name}/${name}`];
}

const POLICY: Refusal = {
  reason: "TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.",
  lines: [],
};

const hash = (token: string) => createHash("sha256").update(token).digest("base64");

function text(status: number, body: string): CloudResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body };
}
