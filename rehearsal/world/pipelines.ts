// What happens where repositories live, for those who try pipelines: repositories, pull requests, and jobs with tokens.
import type { GitHubJob, JobVariables } from "../cloud/issuers/gitHubJobs.ts";
import type { CloudFile, IdentityName } from "../session.ts";
import type { Services } from "./services.ts";

/** A job of GitHub Actions that starts. */
export interface GitHubJobStart extends Pick<GitHubJob, "event" | "ref" | "environment" | "fromFork"> {
  /** `owner/name`. */
  readonly repository: string;
  /** What its token may do, by GitHub's names: `contents`, `pull-requests`, `id-token`. */
  readonly rights: Readonly<Record<string, "none" | "read" | "write">>;
}

/** What that job gets. */
export interface GitHubJobStarted {
  /** `github.token` */
  readonly token: string;
  /** What its runner finds in its environment, to ask for a token that says who it is. */
  readonly variables: JobVariables;
}

/** A job of Azure Pipelines that starts. */
export interface DevOpsJobStart {
  readonly project: string;
  /** The subjects of the service connections that it may use, by the connections' ids. */
  readonly connections: Readonly<Record<string, string>>;
}

/** What that job gets. */
export interface DevOpsJobStarted {
  /** `System.AccessToken` */
  readonly token: string;
  /** Where tokens of connections are asked for. */
  readonly oidcRequestUri: string;
  /** Those that tasks are given when they begin, by the connections' ids. */
  readonly idTokens: Readonly<Record<string, string>>;
}

/** A comment on GitHub, or the beginning of a thread in Azure Repos. */
export interface ShownComment {
  readonly author: string;
  readonly body: string;
  /** Of a thread. */
  readonly status?: string;
}

type Used = Pick<Services, "entra" | "gitHub" | "devOps" | "issuers">;

export class Pipelines {
  readonly #services: Used;
  readonly #identities: CloudFile["identities"];
  #credentials = 0;

  constructor(services: Used, identities: CloudFile["identities"]) {
    this.#services = services;
    this.#identities = identities;
  }

  /** What the world's control port offers, by path. */
  get routes(): Readonly<Record<string, (body: string) => Promise<object>>> {
    const route =
      <T>(answer: (asked: T) => object | Promise<object>) =>
      async (body: string) =>
        answer(JSON.parse(body) as T);
    return {
      "/trust": route((asked: Parameters<Pipelines["trust"]>[0]) => this.trust(asked)),
      "/gitHub/repository": route((asked: { name: string }) => this.gitHubRepository(asked.name)),
      "/gitHub/pullRequest": route((asked: { repository: string; title: string }) => {
        const { number } = this.#services.gitHub.openPullRequest(this.#repository(asked.repository), asked.title);
        return { number };
      }),
      "/gitHub/job": route((asked: GitHubJobStart) => this.gitHubJob(asked)),
      "/gitHub/comments": route((asked: { repository: string; number: number }) => this.gitHubComments(asked)),
      "/devOps/repository": route((asked: { project: string; name: string }) => {
        const { id, project } = this.#services.devOps.createRepository(asked.project, asked.name);
        return { id, projectId: project.id, organization: this.#services.devOps.organization };
      }),
      "/devOps/pullRequest": route((asked: { repository: string }) => {
        const { id } = this.#services.devOps.openPullRequest(this.#devOpsRepository(asked.repository));
        return { id };
      }),
      "/devOps/job": route((asked: DevOpsJobStart) => this.devOpsJob(asked)),
      "/devOps/threads": route((asked: { repository: string; id: number }) => this.devOpsThreads(asked)),
    };
  }

  /** Lets an identity sign in with tokens of an issuer about a subject, as a federated credential does. */
  trust({ identity, issuer, subject }: { identity: IdentityName; issuer: string; subject: string }): object {
    const application = this.#services.entra.applicationByClientId(this.#identities[identity].clientId);
    const name = `pipeline-${++this.#credentials}`;
    const audiences = ["api://AzureADTokenExchange"];
    application?.federatedCredentials.push({ id: name, name, issuer, subject, audiences, description: null });
    return {};
  }

  /** Makes an empty repository. @returns a token that may push to it. */
  async gitHubRepository(name: string): Promise<{ token: string }> {
    const [owner = "", repository = ""] = name.split("/");
    await this.#services.gitHub.createRepository(owner, repository, { files: {} });
    return { token: this.#services.gitHub.addToken({ login: owner, repositories: { [name]: "admin" } }) };
  }

  gitHubJob({ repository, rights, ...job }: GitHubJobStart): GitHubJobStarted {
    const { id } = this.#repository(repository);
    const { contents = "none" } = rights;
    const token = this.#services.gitHub.addToken({
      ...{ login: "github-actions[bot]", of: "app" },
      pullRequests: rights["pull-requests"] === "write" ? "write" : "read",
      repositories: { [repository]: contents === "none" ? "metadata" : contents },
    });
    const identity: GitHubJob = { ...job, repository, repositoryId: id, ownerId: 7, subjectHasIds: false };
    return { token, variables: rights["id-token"] === "write" ? this.#services.issuers.gitHub.start(identity) : {} };
  }

  gitHubComments({ repository, number }: { repository: string; number: number }): readonly ShownComment[] {
    const found = this.#repository(repository).pullRequests.find((each) => each.number === number);
    return (found?.comments ?? []).map(({ author, body }) => ({ author, body }));
  }

  /** A job as the project's build service, which may contribute to pull requests. */
  devOpsJob({ project, connections }: DevOpsJobStart): DevOpsJobStarted {
    const { devOps, issuers } = this.#services;
    const found = devOps.repositories.find((each) => each.project.name === project);
    if (found === undefined) throw new Error(`There is no project ${project}.`);
    const issued = Object.entries(connections).map(([id, subject]) => [id, () => issuers.connection(subject)] as const);
    const { token, oidcRequestUri } = devOps.startJob(found.project, {
      contributes: true,
      connections: Object.fromEntries(issued),
    });
    return { token, oidcRequestUri, idTokens: Object.fromEntries(issued.map(([id, issue]) => [id, issue()])) };
  }

  devOpsThreads({ repository, id }: { repository: string; id: number }): readonly ShownComment[] {
    const found = this.#devOpsRepository(repository).pullRequests.find((each) => each.id === id);
    return (found?.threads ?? []).flatMap(({ status, comments }) => {
      const [first] = comments;
      return first === undefined ? [] : [{ author: first.author.displayName, body: first.content, status }];
    });
  }

  #repository(name: string) {
    const [owner = "", repository = ""] = name.split("/");
    const found = this.#services.gitHub.find(owner, repository);
    if (found === undefined) throw new Error(`There is no repository ${name}.`);
    return found;
  }

  #devOpsRepository(name: string) {
    const found = this.#services.devOps.repositories.find((each) => each.name === name);
    if (found === undefined) throw new Error(`There is no repository ${name}.`);
    return found;
  }
}
