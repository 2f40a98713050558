// Pulumi Deployments in a rehearsal: the program's repository beside the GitOps repository, and what runs its deployments.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { findEngine } from "../cli/pulumi.ts";
import { type Deployment, Deployments } from "../cloud/pulumi/deployments.ts";
import type { GitHubEvent } from "../cloud/pulumi/events.ts";
import type { CloudStack } from "../cloud/pulumi/service.ts";
import { run } from "../run.ts";
import { type CloudFile, checkout, environment, type Paths } from "../session.ts";
import type { Services } from "./services.ts";

/** What a person needs to set up deployments. */
export interface DeploymentsAccess {
  /** What the person signs in to Azure with: an owner there, and in Entra an administrator of applications and groups. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** The person's token of Pulumi Cloud. */
  readonly accessToken: string;
  /** The person's token for the program's repository. */
  readonly gitHubToken: string;
}

/** Variables with which whoever runs a rehearsal's commands signs in; a deployment has its own. */
const CREDENTIALS = /^(AAD_|AZURE_|ARM_CLIENT_|ARM_TENANT_|ARM_SUBSCRIPTION_|GITHUB_|KUBECONFIG$|PULUMI_ACCESS_TOKEN$)/;

/** `npm ci` without a registry: the packages of this checkout, where the lock is the same. */
const NPM = `#!/bin/sh
if [ "$*" != ci ]; then echo "a rehearsal knows no npm $*" >&2; exit 1; fi
if ! cmp -s package-lock.json '${checkout}/package-lock.json'; then
  echo "package-lock.json is another one than that of ${checkout}, whose packages a rehearsal has" >&2; exit 1
fi
ln -s '${checkout}/node_modules' node_modules
`;

export class DeploymentsWorld {
  readonly #services: Services;
  readonly #paths: Paths;
  readonly #cloud: Omit<CloudFile, "pid" | "control">;
  #deployments: Deployments | undefined;

  constructor(services: Services, paths: Paths, cloud: Omit<CloudFile, "pid" | "control">) {
    this.#services = services;
    this.#paths = paths;
    this.#cloud = cloud;
  }

  /**
   * Makes the program's repository, empty, and the stack in Pulumi Cloud, where they are not there yet.
   * @param repository `owner/name` of the program's repository, which Pulumi's GitHub App may write to.
   * @param gitOps `owner/name` of the GitOps repository, which it may write to as well.
   */
  async setUp(stack: CloudStack, repository: string, gitOps: string): Promise<DeploymentsAccess> {
    const { gitHub, pulumi, issuers, entra, arm } = this.#services;
    const [owner = "", name = ""] = repository.split("/");
    if (!gitHub.find(owner, name)) await gitHub.createRepository(owner, name, { files: {} });
    pulumi.addStack(stack);
    const { root, env } = await this.#prepare();
    const folderOf = (fullName: string) => {
      const [of = "", called = ""] = fullName.split("/");
      const found = gitHub.find(of, called);
      if (!found) throw new Error(`there is no repository ${fullName}`);
      return found.folder;
    };
    this.#deployments = new Deployments({
      cloud: pulumi,
      root,
      environment: env,
      repository: folderOf,
      head: async (fullName, branch) => {
        const args = ["-C", folderOf(fullName), "rev-parse", `refs/heads/${branch}`];
        return (await run("git", args, { cwd: root, env })).stdout.trim();
      },
      oidcToken: (deployment) => issuers.deployment(deployment),
      gitHubToken: () =>
        gitHub.addToken({ login: "pulumi", repositories: { [repository]: "write", [gitOps]: "write" } }),
      accessToken: ({ organization }) => pulumi.addToken([organization]),
      open: (value) => pulumi.open(value),
      run: async (command, args, options) => {
        const { code, stdout, stderr } = await run(command, args, options);
        return { code, output: stdout + stderr };
      },
    });
    pulumi.onDeployment = (asked) => this.#running.start(asked);
    const person = entra.addClient("whoever sets up deployments");
    entra.grantGraph(person.objectId, "Application.ReadWrite.All", "GroupMember.ReadWrite.All");
    arm.assignRole(person.objectId, "Owner", `/subscriptions/${this.#cloud.subscriptionId}`);
    return {
      clientId: person.clientId,
      clientSecret: person.clientSecret,
      accessToken: pulumi.addToken([stack.organization]),
      gitHubToken: gitHub.addToken({ repositories: { [repository]: "admin" } }),
    };
  }

  /** Tells Pulumi's GitHub App of an event. @returns what it starts. */
  async receive(event: GitHubEvent): Promise<{ readonly started: readonly Deployment[] }> {
    return { started: await this.#running.receive(event) };
  }

  /** All deployments so far. */
  all(): { readonly deployments: readonly Deployment[] } {
    return { deployments: this.#running.all };
  }

  get #running(): Deployments {
    if (!this.#deployments) throw new Error("nobody has set up deployments here");
    return this.#deployments;
  }

  /** The folder of deployments, and the environment that all of them have. */
  async #prepare(): Promise<{ root: string; env: Record<string, string> }> {
    const root = join(this.#paths.dir, "deployments");
    const bin = join(root, "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "npm"), NPM);
    await chmod(join(bin, "npm"), 0o755);
    const engine = await findEngine({});
    const all = environment({ paths: this.#paths, cloud: this.#cloud, path: engine.path });
    const own = Object.entries(all).filter(([variable]) => !CREDENTIALS.test(variable));
    const env = Object.fromEntries(own);
    return { root, env: { ...env, PATH: [bin, env.PATH].join(delimiter) } };
  }
}
