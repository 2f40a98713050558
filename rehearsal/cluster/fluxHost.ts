// Runs the Flux controllers whose Deployments run in the cluster: a changed Deployment restarts its process, a removed one
// ends it, as it would be with pods.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterTool } from "../../tools/catalogue.ts";
import type { ClusterApi, KubeObject } from "./api.ts";
import { kubeconfig } from "./credentials.ts";
import {
  type ControllerPlan,
  type ControllerPorts,
  controllerArgs,
  controllerEnvironment,
  controllerPlan,
  type FluxController,
  fluxControllers,
} from "./fluxController.ts";
import type { Keeper } from "./keeper.ts";
import { freePorts } from "./ports.ts";
import { Program } from "./program.ts";
import { keepToken, type TokenFile } from "./serviceAccountTokens.ts";

const NAMESPACE = "flux-system";
/** How often the Deployments are looked at, in milliseconds. */
const INTERVAL = 500;
/** The longest wait before a controller that ended by itself is started again, in milliseconds. */
const LONGEST_WAIT = 30_000;

export interface FluxHostOptions {
  readonly api: ClusterApi;
  readonly server: string;
  readonly certificateAuthority: string;
  readonly tools: Readonly<Record<ClusterTool, string>>;
  /** The cluster's folder. */
  readonly folder: string;
  readonly logs: string;
  readonly keeper: Keeper;
  readonly proxyPort: number;
  /** The URL of a SOCKS proxy that leads to Git hosts over SSH; default: none. */
  readonly socks?: string | undefined;
  /** The rehearsal's authority, a PEM file. */
  readonly authority: string;
  readonly tenantId: string;
  readonly log: (line: string) => void;
}

/** A controller's process and what it was started for. */
interface Running {
  readonly fingerprint: string;
  readonly program: Program;
  readonly tokens: readonly TokenFile[];
}

export class FluxHost {
  readonly #options: FluxHostOptions;
  readonly #ports: Readonly<Record<FluxController, ControllerPorts>>;
  readonly #running = new Map<FluxController, Running>();
  /** How often a controller ended by itself since its plan changed, and when it may start again. */
  readonly #crashes = new Map<FluxController, { count: number; until: number }>();
  readonly #stopped = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #lastProblem = "";

  private constructor(options: FluxHostOptions, ports: Record<FluxController, ControllerPorts>) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Looks at the Deployments once, and goes on looking until `stop`. */
  static async start(options: FluxHostOptions): Promise<FluxHost> {
    const free = await freePorts(fluxControllers.length * 4);
    const ports = fluxControllers.map((name, index) => {
      const [metrics = 0, health = 0, main = 0, receivers = 0] = free.slice(index * 4);
      return [name, { metrics, health, main, receivers }] as const;
    });
    const host = new FluxHost(options, Object.fromEntries(ports) as Record<FluxController, ControllerPorts>);
    await host.#look();
    host.#loop = host.#watch();
    return host;
  }

  /** The processes that run now, by controller. */
  get programs(): ReadonlyMap<FluxController, Program> {
    return new Map([...this.#running].map(([name, { program }]) => [name, program]));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    await Promise.all([...this.#running.keys()].map((name) => this.#end(name, "kill")));
  }

  async #watch(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await sleep(INTERVAL, undefined, { signal: this.#stopped.signal }).catch(() => {});
      if (!this.#stopped.signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    try {
      const [deployments, accounts] = await Promise.all([
        this.#options.api.list(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`),
        this.#options.api.list(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`),
      ]);
      await Promise.all(fluxControllers.map((name) => this.#reconcile(name, deployments, accounts)));
      this.#lastProblem = "";
    } catch (error) {
      // The next look tries again; what lasts is said once.
      const { message } = error as Error;
      if (message !== this.#lastProblem && !this.#stopped.signal.aborted)
        this.#options.log(`Flux's controllers: ${message}`);
      this.#lastProblem = message;
    }
  }

  async #reconcile(name: FluxController, deployments: readonly KubeObject[], accounts: readonly KubeObject[]) {
    const deployment = deployments.find((each) => each.metadata.name === name);
    const plan = deployment && controllerPlan(deployment, accounts);
    const fingerprint = plan && deployment ? fingerprintOf(deployment, plan, accounts) : undefined;
    const running = this.#running.get(name);
    if (running !== undefined && running.fingerprint !== fingerprint) {
      this.#crashes.delete(name);
      await this.#end(name, "stop");
    }
    const wait = (this.#crashes.get(name)?.until ?? 0) > Date.now();
    if (plan !== undefined && fingerprint !== undefined && !this.#running.has(name) && !wait)
      await this.#begin(name, plan, fingerprint);
  }

  async #begin(name: FluxController, plan: ControllerPlan, fingerprint: string): Promise<void> {
    const { api, server, certificateAuthority, tools, logs, keeper, log, ...options } = this.#options;
    const folder = join(options.folder, "flux", name);
    const storage = join(folder, "artifacts");
    for (const each of [storage, join(folder, "tmp")]) await mkdir(each, { recursive: true, mode: 0o700 });
    const onError = (error: Error) => log(`${name}: its token could not be renewed: ${error.message}`);
    const { serviceAccount } = plan;
    const tokenFile = join(folder, "token");
    const federatedTokenFile = join(folder, "azure-identity-token");
    const tokens = [await keepToken(api, { namespace: NAMESPACE, serviceAccount, file: tokenFile }, onError)];
    if (plan.identity !== undefined) {
      const audience = "api://AzureADTokenExchange";
      tokens.push(
        await keepToken(api, { namespace: NAMESPACE, serviceAccount, audience, file: federatedTokenFile }, onError),
      );
    }
    const config = join(folder, "kubeconfig");
    await writeFile(config, kubeconfig({ server, certificateAuthority, user: { tokenFile } }), { mode: 0o600 });
    const events = `http://127.0.0.1:${this.#ports["notification-controller"].main}/`;
    const program = new Program({
      name,
      path: tools[name],
      args: controllerArgs(name, plan.args, this.#ports[name], { storage, events }),
      env: controllerEnvironment(plan, {
        ...options,
        folder,
        kubeconfig: config,
        namespace: NAMESPACE,
        federatedTokenFile,
      }),
      home: folder,
      logs,
      keeper,
    });
    const running = { fingerprint, program, tokens };
    this.#running.set(name, running);
    void program.ended.then((word) => this.#whenEnded(name, running, word));
  }

  #whenEnded(name: FluxController, running: Running, word: string): void {
    if (this.#running.get(name) !== running) return; // It was ended here.
    this.#running.delete(name);
    for (const token of running.tokens) token.close();
    const count = (this.#crashes.get(name)?.count ?? 0) + 1;
    const wait = Math.min(1_000 * 2 ** (count - 1), LONGEST_WAIT);
    this.#crashes.set(name, { count, until: Date.now() + wait });
    this.#options.log(`${word}\n${name} starts again in ${wait / 1000} s`);
  }

  async #end(name: FluxController, how: "stop" | "kill"): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    for (const token of running.tokens) token.close();
    await running.program[how]();
  }
}

/**
 * What makes new pods when it changes. The service account's annotations are not in it: the workload identity webhook
 * looks at them when a pod is made, and so do we.
 */
function fingerprintOf(deployment: KubeObject, plan: ControllerPlan, accounts: readonly KubeObject[]): string {
  const account = accounts.find((each) => each.metadata.name === plan.serviceAccount);
  // A token ends with its account, even where another one of that name follows.
  return JSON.stringify([deployment.metadata.uid, account?.metadata.uid, deployment.spec.template]);
}
