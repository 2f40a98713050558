// The same repository in Azure Repos: pull requests with their build policy, on the simulated Azure DevOps.
import type { DevOpsJobStarted, ShownComment } from "../../../rehearsal/world/pipelines.ts";
import { checkout, type Rehearsal } from "../../support/rehearsal.ts";
import { type Connection, runPipeline, type Stage } from "./azurePipeline.ts";
import type { Machine, Variables } from "./machine.ts";
import type { People, Platform } from "./platform.ts";

/** How a subject of a connection looks; nobody but the service makes them. */
const subjectOf = (connection: string) => `/eid1/c/pub/t/tenant/a/application/sc/acme/${connection}`;

/** A repository, by the ids that the service gives. */
interface Place {
  readonly id: string;
  readonly projectId: string;
  readonly organization: string;
}

export class DevOps {
  readonly #rehearsal: Rehearsal;
  readonly #machine: Machine;
  readonly #platform: Platform;
  readonly #repository: Place;
  readonly #connections: Readonly<Record<string, Connection>>;
  readonly #people: People;
  readonly #name: string;
  #builds = 0;

  private constructor(rehearsal: Rehearsal, machine: Machine, platform: Platform, repository: Place, people: People) {
    this.#rehearsal = rehearsal;
    this.#machine = machine;
    this.#platform = platform;
    this.#repository = repository;
    this.#people = people;
    this.#name = platform.name.split("/")[1] ?? "";
    const connection = (id: string, of: Variables) => ({
      ...{ id, clientId: of.ARM_CLIENT_ID ?? "", tenantId: of.ARM_TENANT_ID ?? "" },
    });
    this.#connections = {
      [`${platform.stack}-preview`]: connection("11111111-1111-1111-1111-111111111111", people.reader),
      [platform.stack]: connection("22222222-2222-2222-2222-222222222222", people.deployer),
    };
  }

  static async of(rehearsal: Rehearsal, machine: Machine, platform: Platform, people: People): Promise<DevOps> {
    // As on GitHub, in a project of that name.
    const [, name = ""] = platform.name.split("/");
    const repository = await rehearsal.control<Place>("/devOps/repository", { project: name, name });
    const devOps = new DevOps(rehearsal, machine, platform, repository, people);
    const issuer = `https://login.microsoftonline.com/${people.reader.ARM_TENANT_ID}/v2.0`;
    await rehearsal.control("/trust", { identity: "reader", issuer, subject: subjectOf(`${platform.stack}-preview`) });
    await rehearsal.control("/trust", { identity: "deployer", issuer, subject: subjectOf(platform.stack) });
    return devOps;
  }

  /** Opens a pull request. @returns its number. */
  async open(): Promise<number> {
    return (await this.#rehearsal.control<{ id: number }>("/devOps/pullRequest", { repository: this.#name })).id;
  }

  /** Builds a pull request's merge commit as its branch policy does. @returns the stages, and the threads after it. */
  async build(
    id: number,
    sha: string,
    isFork = false,
  ): Promise<{ stages: readonly Stage[]; threads: readonly ShownComment[] }> {
    const stages = await this.#run("preview.yml", sha, {
      ...{ "Build.Reason": "PullRequest", "Build.SourceBranch": `refs/pull/${id}/merge` },
      ...{ "System.PullRequest.PullRequestId": String(id), "System.PullRequest.IsFork": isFork ? "True" : "False" },
      "System.PullRequest.SourceCommitId": sha,
    });
    return { stages, threads: await this.#rehearsal.control("/devOps/threads", { repository: this.#name, id }) };
  }

  /** Runs the updates for a push. */
  push(ref: string, sha: string): Promise<readonly Stage[]> {
    return this.#run("up.yml", sha, { "Build.Reason": "IndividualCI", "Build.SourceBranch": ref });
  }

  #run(file: string, sha: string, system: Variables): Promise<readonly Stage[]> {
    const { id, projectId, organization } = this.#repository;
    const group = (of: Variables) => ({
      variables: {
        ...{ ARM_SUBSCRIPTION_ID: of.ARM_SUBSCRIPTION_ID ?? "", PULUMI_BACKEND_URL: of.PULUMI_BACKEND_URL ?? "" },
        ...{ PULUMI_CONFIG_PASSPHRASE: of.PULUMI_CONFIG_PASSPHRASE ?? "", GITHUB_TOKEN: of.GITHUB_TOKEN ?? "" },
      },
      secrets: ["GITHUB_TOKEN"],
    });
    const { reader, deployer } = this.#people;
    const nothing = { variables: {} };
    return runPipeline(file, {
      ...{ folder: checkout, machine: this.#machine, connections: this.#connections },
      system: {
        ...system,
        ...{
          TF_BUILD: "True",
          "Build.BuildId": String(++this.#builds),
          "Build.SourceVersion": sha,
          "System.JobAttempt": "1",
        },
        ...{ "Build.Repository.Provider": "TfsGit", "Build.Repository.Id": id, "System.TeamProjectId": projectId },
        ...{ "System.TeamProject": this.#name, "System.CollectionUri": `https://dev.azure.com/${organization}/` },
      },
      groups: {
        ...{ dev: nothing, "dev-preview": nothing },
        ...{ [`${this.#platform.stack}-preview`]: group(reader), [this.#platform.stack]: group(deployer) },
      },
      start: () =>
        this.#rehearsal.control<DevOpsJobStarted>("/devOps/job", {
          project: this.#name,
          connections: Object.fromEntries(
            Object.entries(this.#connections).map(([name, { id: connection }]) => [connection, subjectOf(name)]),
          ),
        }),
      checkOut: (folder, { depth }) => this.#platform.checkOut(folder, sha, depth),
    });
  }
}
