// A stack's project and the simulated services, as the doctor meets them: its requests go to them without a door.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Check, Finding, Place } from "../../../delivery/doctor/check.ts";
import { examine, type Outcome } from "../../../delivery/doctor/doctor.ts";
import { type Plan, type Program, plan } from "../../../delivery/doctor/program.ts";
import type { Ran, Reach } from "../../../delivery/doctor/reach.ts";
import type { Answer } from "../../../net/http.ts";
import type { BranchPlace } from "../../../provider/git/branch.ts";
import { type ArmOptions, ArmService } from "../../../rehearsal/cloud/arm/service.ts";
import { Entra } from "../../../rehearsal/cloud/entra/service.ts";
import { GitHub } from "../../../rehearsal/cloud/github/service.ts";
import { Graph } from "../../../rehearsal/cloud/graph/service.ts";
import type { Service } from "../../../rehearsal/cloud/types.ts";
import { parseSettings } from "../../../settings/parse.ts";
import { lockOf } from "../../components/programRun.ts";
import { ask } from "../../rehearsal/cloud/request.ts";
import { ROOT } from "../../support/engine.ts";

export const SUBSCRIPTION_ID = "11111111-2222-4333-8444-555555555555";
export const SCOPE = `/subscriptions/${SUBSCRIPTION_ID}`;
export const TENANT_ID = "99999999-2222-4333-8444-555555555555";
export const DEPLOYERS = "6f1f2b6e-1111-4e0a-9c60-000000000001";
export const NOW = new Date("2026-11-26T12:00:00Z");

/** A stack of the project: the shipped file, with other values. */
export interface StackOptions {
  readonly stack?: "prod" | "dev";
  /** Values by whole key that come over the file's; undefined takes a key away. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Whether there is no lock. */
  readonly unlocked?: true;
}

export interface WorldOptions extends StackOptions {
  readonly arm?: Partial<ArmOptions>;
}

const plans = new Map<string, Promise<Plan>>();

/** All that a doctor looks at; `close` takes its folder away. */
export class World {
  readonly entra: Entra;
  readonly arm: ArmService;
  readonly graph: Graph;
  readonly gitHub: GitHub;
  /** The object id of who calls. */
  caller: string;
  readonly folder: string;
  readonly stack: string;
  environment: Record<string, string | undefined>;
  node = "24.21.0";
  /** Programs on PATH, with what they answer. */
  readonly programs = new Map<string, (args: readonly string[], environment: Place["environment"]) => Ran>();
  /** Tools in the cache. */
  readonly cached = new Set<string>(["flux"]);
  /** Where those are that are to run. */
  readonly real = new Map<string, string>();
  /** What answers a host, beside the simulated services; undefined for what does not come about. */
  readonly hosts = new Map<
    string,
    (url: URL) => Partial<{ status: number; body: string; headers: object }> | undefined
  >();
  /** What the doctor sent: method and URL. */
  readonly sent: string[] = [];
  /** What the GitOps repository's branch has, text by path; an error where it is not read. */
  files: Readonly<Record<string, string>> | Error = {};
  /** The branches that were read. */
  readonly read: BranchPlace[] = [];
  /** Archives of charts, by name. */
  readonly archives = new Map<string, Buffer>();
  now = NOW;
  /** Why Entra gives no token, where it gives none. */
  refusal: string | undefined;

  private constructor(entra: Entra, folder: string, { stack = "prod", arm = {} }: WorldOptions) {
    this.entra = entra;
    this.folder = folder;
    this.stack = stack;
    this.arm = new ArmService({
      ...{ subscriptionId: SUBSCRIPTION_ID, tenantId: TENANT_ID, directory: entra, duration: () => 5 },
      ...arm,
    });
    this.graph = new Graph(entra);
    this.gitHub = new GitHub({ root: join(folder, "git") });
    entra.addGroup(DEPLOYERS, "deployers");
    const { objectId, clientId, clientSecret } = entra.addClient("deployer", [DEPLOYERS]);
    this.caller = objectId;
    entra.grantGraph(objectId, "Application.ReadWrite.OwnedBy");
    this.environment = {
      ...{ ARM_CLIENT_ID: clientId, ARM_CLIENT_SECRET: clientSecret, ARM_TENANT_ID: TENANT_ID },
      ARM_SUBSCRIPTION_ID: SUBSCRIPTION_ID,
      ...{ PULUMI_BACKEND_URL: "file:///state", PULUMI_CONFIG_PASSPHRASE: "passphrase" },
    };
    this.programs.set("pulumi", () => ({ code: 0, stdout: "v3.259.0\n", stderr: "" }));
    this.programs.set("git", () => ({ code: 0, stdout: "git version 2.50.0\n", stderr: "" }));
  }

  /** A world in which nothing stops an update of a shipped stack. */
  static async create(options: WorldOptions = {}): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "doctor-"));
    const world = new World(await Entra.create({ tenantId: TENANT_ID, now: () => NOW }), folder, options);
    world.arm.assignRole(DEPLOYERS, "Contributor", SCOPE);
    world.arm.assignRole(DEPLOYERS, "Role Based Access Control Administrator", SCOPE);
    await world.write(options);
    return world;
  }

  /** Gives the deployer's environment a token of GitHub, and makes the repository. */
  async addRepository(right: "read" | "write" | "admin", protectedBranches: readonly string[] = []): Promise<void> {
    const files = { "README.md": "# fleet\n" };
    await this.gitHub.createRepository("acme", "fleet", { private: true, files, protectedBranches });
    this.environment.GITHUB_TOKEN = this.gitHub.addToken({ repositories: { "acme/fleet": right } });
  }

  /** Writes the project. */
  async write({ config = {}, unlocked }: StackOptions = {}): Promise<void> {
    const file = parse(await readFile(join(ROOT, `Pulumi.${this.stack}.yaml`), "utf8")) as { config: object };
    const whole: Record<string, unknown> = { ...file.config };
    if (this.stack === "prod") whole["aks-gitops:gitToken"] = { secure: "ciphertext" };
    for (const [key, value] of Object.entries(config)) {
      if (value === undefined) delete whole[key];
      else whole[key] = value;
    }
    await writeFile(join(this.folder, "Pulumi.yaml"), stringify({ name: "aks-gitops", main: join(ROOT, "index.ts") }));
    await writeFile(join(this.folder, `Pulumi.${this.stack}.yaml`), stringify({ config: whole }));
    if (!unlocked) await this.#lock(whole);
  }

  async #lock(config: Record<string, unknown>): Promise<void> {
    try {
      const settings = parseSettings({ project: "aks-gitops", stack: this.stack, config, sealed: true });
      await writeFile(join(this.folder, `mirror.${this.stack}.lock.json`), JSON.stringify(lockOf(settings)));
    } catch {
      // Faulty settings have no lock.
    }
  }

  get place(): Place {
    const { environment, node, folder: project, stack } = this;
    return { environment, node, project, stack, isPipeline: false, reach: this.#reach };
  }

  readonly #reach: Reach = {
    send: (url, init = {}) => this.#send(new URL(url), init),
    token: async (scope) => {
      const principal = this.entra.find(this.caller);
      if (this.refusal !== undefined || principal === undefined) throw new Error(this.refusal ?? "nobody");
      const audience = scope.replace(/\/\.default$/, "");
      return this.entra.issuer.issue(principal, audience, "1", []);
    },
    atHand: async (tool) =>
      this.cached.has(tool)
        ? { path: this.real.get(tool) ?? `/cache/${tool}`, version: "2.9.4", onPath: false }
        : undefined,
    hasProgram: (name) => this.programs.has(name),
    run: async (command, args, environment = {}) => this.programs.get(command)?.(args, environment),
    plan: (program) => this.#plan(program),
    readBranch: async (place, look) => {
      const { files } = this;
      this.read.push(place);
      if (files instanceof Error) throw files;
      const texts = async (paths: readonly string[]) =>
        new Map(paths.flatMap((path) => (files[path] === undefined ? [] : [[path, files[path]] as const])));
      return look({ paths: Object.keys(files), texts });
    },
    chart: async ({ name, url }) => {
      const archive = this.archives.get(name);
      if (archive === undefined) throw new Error(`${url} cannot be downloaded: 404 Not Found.`);
      return archive;
    },
    now: () => this.now,
  };

  /** The program takes a second: it is run once for each stack that tests have. */
  async #plan(program: Program): Promise<Plan> {
    const names = ["Pulumi.yaml", `mirror.${this.stack}.lock.json`];
    const files = names.map((name) => readFile(join(this.folder, name), "utf8").catch(() => ""));
    const { stack, config, subscriptionId } = program;
    const key = JSON.stringify([stack, config, subscriptionId, ...(await Promise.all(files))]);
    const planned = plans.get(key) ?? plan(program);
    plans.set(key, planned);
    return planned;
  }

  async #send(url: URL, { method = "GET", headers = {}, body }: RequestInit): Promise<Answer> {
    this.sent.push(`${method} ${url.host}${url.pathname}`);
    const own = this.hosts.get(url.host);
    const services: Readonly<Record<string, Service>> = {
      "management.azure.com": this.arm.service,
      "graph.microsoft.com": this.graph.service,
      "api.github.com": this.gitHub.api,
    };
    const service = services[url.host];
    if (own) {
      const given = own(url);
      if (given !== undefined) return answer(url, { status: 200, headers: {}, body: "", ...given });
    }
    if (service === undefined)
      throw new Error("fetch failed", { cause: new Error(`getaddrinfo ENOTFOUND ${url.host}`) });
    const asked = await ask(service, method, url.href, {
      headers: headers as Record<string, string>,
      ...(body === undefined ? {} : { body: String(body) }),
    });
    return answer(url, asked);
  }

  /** Runs checks. */
  examine(checks: readonly Check[]): Promise<readonly Outcome[]> {
    return examine(this.place, checks);
  }

  /** What one check finds; a check that lacks what it needs fails the test. */
  async findings(check: Check): Promise<readonly Finding[]> {
    const [outcome] = await this.examine([check]);
    if (outcome === undefined || outcome.lacks) throw new Error(`${check.name} lacks ${outcome?.lacks?.join()}`);
    return outcome.findings;
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

function answer(url: URL, { status, headers, body }: { status: number; headers: object; body: unknown }): Answer {
  const text = typeof body === "string" || body instanceof Buffer ? body : JSON.stringify(body ?? "");
  return {
    ...{ url: url.href, status, statusText: "", ok: status < 300 },
    headers: new Headers(headers as Record<string, string>),
    body: Buffer.from(text),
  };
}
