// The rehearsal's cluster: a real control plane on loopback, nodes and pods played by kwok, and Flux's real controllers.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterTool } from "../../tools/catalogue.ts";
import type { Jwk } from "../cloud/entra/jwt.ts";
import { azureRoles, SERVER_ID } from "./aksUsers.ts";
import { ClusterApi } from "./api.ts";
import { type Command, controlPlane } from "./controlPlane.ts";
import { type Credentials, kubeconfig, makeCredentials } from "./credentials.ts";
import { FluxHost } from "./fluxHost.ts";
import { Keeper } from "./keeper.ts";
import { type NodeOptions, node } from "./nodes.ts";
import { Program } from "./program.ts";
import { type Authenticate, TokenReviews } from "./tokenReviews.ts";

export interface ClusterOptions {
  /** A folder of the cluster's own; what it held before is removed. */
  readonly folder: string;
  readonly tools: Readonly<Record<ClusterTool, string>>;
  /** The issuer of service account tokens: `oidcIssuerProfile.issuerURL` of the managed cluster. */
  readonly issuer: string;
  readonly tenantId: string;
  /** Further host names of the API server: `fqdn` and `privateFQDN` of the managed cluster. */
  readonly hosts?: readonly string[];
  /** Default: `10.0.0.0/16`. */
  readonly services?: string;
  /** Default: `10.244.0.0/16`. */
  readonly pods?: string;
  /** Default: three nodes of a system pool. */
  readonly nodes?: readonly NodeOptions[];
  /** Whose a token of Entra is (see `aksUsers`); without it nobody but the cluster's own parts can sign in. */
  readonly authenticate?: Authenticate;
  /** The context's name in the users' kubeconfig of a cluster that is not AKS: whoever has the file has all rights there. */
  readonly context?: string;
  /** Groups with all rights: `aadProfile.adminGroupObjectIDs` of the managed cluster. */
  readonly adminGroups?: readonly string[];
  /** The port of the rehearsal's proxy for the cluster's place. */
  readonly proxyPort: number;
  /** The URL of a SOCKS proxy by which Flux reaches Git hosts over SSH; default: it reaches none. */
  readonly socks?: string;
  /** The rehearsal's authority, a PEM file. */
  readonly authority: string;
  /** Told when a part ends that should not, with the end of its log; default: standard error. */
  readonly log?: (line: string) => void;
}

/** How long the control plane may take, in milliseconds; unoptimised and warm it is up in less than ten seconds. */
const START_LIMIT = 120_000;

const systemPool: NodeOptions[] = [0, 1, 2].map((index) => ({
  name: `aks-system-10000000-vmss00000${index}`,
  labels: { agentpool: "system", "kubernetes.azure.com/agentpool": "system", "kubernetes.azure.com/mode": "system" },
}));

export class Cluster {
  /** The issuer of service account tokens. */
  readonly issuer: string;
  /** The API server on loopback, past any proxy. */
  readonly endpoint: string;
  readonly port: number;
  /** The API server's authority as PEM. */
  readonly certificateAuthority: string;
  /** A kubeconfig with all rights, for the rehearsal itself; a file. */
  readonly adminKubeconfig: string;
  /**
   * A kubeconfig with all rights, in a cluster that is not AKS; else one that asks kubelogin for a token, as AKS hands it out, but on loopback; a file. Who asks is named by
   * kubelogin's own AAD_*, so that it may be somebody else than who asks Azure.
   */
  readonly userKubeconfig: string;
  /** The API with all rights. */
  readonly api: ClusterApi;
  /** The folder of every part's log: `<part>.log`. */
  readonly logs: string;
  readonly #options: ClusterOptions;
  readonly #log: (line: string) => void;
  readonly #keeper: Keeper;
  readonly #reviews: TokenReviews | undefined;
  readonly #programs: Program[] = [];
  #keys: readonly Jwk[] = [];
  #flux: FluxHost | undefined;
  #stopping = false;

  private constructor(
    options: ClusterOptions,
    { certificateAuthority, tokens }: Credentials,
    keeper: Keeper,
    reviews: TokenReviews | undefined,
    port: number,
  ) {
    const { folder } = options;
    this.issuer = options.issuer;
    this.port = port;
    this.endpoint = `https://127.0.0.1:${port}`;
    this.certificateAuthority = certificateAuthority;
    this.adminKubeconfig = join(folder, "admin.kubeconfig");
    this.userKubeconfig = join(folder, "user.kubeconfig");
    this.api = new ClusterApi({ port, certificateAuthority, token: tokens["rehearsal-admin"] });
    this.logs = join(folder, "logs");
    this.#options = options;
    this.#log = options.log ?? ((line) => process.stderr.write(`${line}\n`));
    this.#keeper = keeper;
    this.#reviews = reviews;
  }

  /**
   * Starts the control plane and waits until its nodes are ready.
   * @throws Error naming the part that ended or is late, with the end of its log; nothing is left running then.
   */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const { folder, tools, issuer, authenticate, hosts = [] } = options;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc", ...hosts];
    const credentials = await makeCredentials(join(folder, "credentials"), names);
    const reviews = authenticate && (await TokenReviews.listen(authenticate));
    const plane = await controlPlane({
      folder,
      tools,
      credentials,
      issuer,
      services: options.services ?? "10.0.0.0/16",
      pods: options.pods ?? "10.244.0.0/16",
      ...(reviews && { tokenReviews: reviews.url }),
    });
    const cluster = new Cluster(options, credentials, new Keeper(), reviews, plane.port);
    try {
      await cluster.#writeKubeconfigs(credentials.tokens["rehearsal-admin"]);
      cluster.#run(plane.base);
      await cluster.#until(
        "the API server to be ready",
        async () => (await cluster.api.raw("GET", "/readyz")).status === 200,
      );
      cluster.#run(plane.rest);
      cluster.#keys = (await cluster.api.get<{ keys: Jwk[] }>("/openid/v1/jwks")).keys;
      await cluster.#furnish();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** The public keys of service account tokens, as the issuer's discovery document leads to them. */
  serviceAccountKeys(): readonly Jwk[] {
    return this.#keys;
  }

  /**
   * From now on the controllers of namespace `flux-system` run as processes, each as its Deployment there says and
   * as long as that has ready pods. May be called before Flux is installed.
   */
  async startFlux(): Promise<void> {
    const { tools, folder, proxyPort, socks, authority, tenantId } = this.#options;
    const { api, endpoint: server, certificateAuthority, logs } = this;
    const shared = { tools, folder, proxyPort, socks, authority, tenantId, api, server, certificateAuthority, logs };
    this.#flux ??= await FluxHost.start({ ...shared, keeper: this.#keeper, log: this.#log });
  }

  /** Makes the cluster's nodes these: adds and removes what differs, and waits until all are ready. */
  async setNodes(nodes: readonly NodeOptions[]): Promise<void> {
    const present = new Set((await this.api.list("/api/v1/nodes")).map(({ metadata }) => metadata.name));
    for (const each of nodes) if (!present.delete(each.name)) await this.api.create("/api/v1/nodes", node(each));
    for (const name of present) await this.api.send("DELETE", `/api/v1/nodes/${name}`);
    await this.#until("the nodes to be ready", async () => {
      const found = await this.api.list("/api/v1/nodes");
      return found.length === nodes.length && found.every(({ status, spec }) => isReady(status) && !isTainted(spec));
    });
  }

  /** Ends the controllers; the cluster goes on. */
  async stopFlux(): Promise<void> {
    const flux = this.#flux;
    this.#flux = undefined;
    await flux?.stop();
  }

  /** The ids of all processes that belong to the cluster, by name. */
  get processes(): ReadonlyMap<string, number> {
    const all = [...this.#programs, ...(this.#flux?.programs.values() ?? [])];
    const running = all.flatMap(({ name, pid, running }) =>
      running && pid !== undefined ? [[name, pid] as const] : [],
    );
    return new Map([...running, ...(this.#keeper.pid === undefined ? [] : [["keeper", this.#keeper.pid] as const])]);
  }

  /** Ends every process of the cluster and waits until they are gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.stopFlux();
    // Nothing of it will be used again, so nobody needs to tidy up.
    await Promise.all(this.#programs.map((program) => program.kill()));
    this.api.close();
    await this.#reviews?.close();
    await this.#keeper.close();
  }

  #run(commands: readonly Command[]): void {
    for (const command of commands) {
      const program = new Program({ ...command, home: this.#options.folder, logs: this.logs, keeper: this.#keeper });
      this.#programs.push(program);
      void program.ended.then((word) => {
        if (!this.#stopping) this.#log(word);
      });
    }
  }

  /** The nodes, the rights of the administrators, and what the controllers make first. */
  async #furnish(): Promise<void> {
    const { nodes = systemPool, adminGroups = [] } = this.#options;
    await this.#bind("aks-cluster-admin-binding-aad", "cluster-admin", adminGroups);
    for (const { group, clusterRole } of azureRoles) await this.#bind(group, clusterRole, [group]);
    await this.setNodes(nodes);
    await this.#until("the default service account", async () => {
      const { status } = await this.api.raw("GET", "/api/v1/namespaces/default/serviceaccounts/default");
      return status === 200;
    });
  }

  /** Gives groups a ClusterRole. */
  async #bind(name: string, clusterRole: string, groups: readonly string[]): Promise<void> {
    const apiGroup = "rbac.authorization.k8s.io";
    await this.api.apply(`/apis/${apiGroup}/v1/clusterrolebindings/${name}`, {
      apiVersion: `${apiGroup}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup, kind: "ClusterRole", name: clusterRole },
      subjects: groups.map((group) => ({ apiGroup, kind: "Group", name: group })),
    });
  }

  /** Waits for a condition; an API server that cannot be reached yet does not meet it. */
  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + START_LIMIT;
    const ended = Promise.race(this.#programs.map(({ ended }) => ended));
    let failure = "";
    void ended.then((word) => {
      failure = word;
    });
    for (let last = ""; ; await sleep(50)) {
      if (failure !== "") throw new Error(failure);
      try {
        if (await condition()) return;
      } catch (error) {
        last = (error as Error).message;
      }
      if (Date.now() < deadline) continue;
      const logs = this.#programs.map((each) => `${each.name}:\n${each.endOfLog(6)}`).join("\n");
      throw new Error(`waited ${START_LIMIT / 1000} s in vain for ${what}. ${last}\n${logs}`);
    }
  }

  async #writeKubeconfigs(token: string): Promise<void> {
    const { endpoint: server, certificateAuthority } = this;
    // kubelogin would take AZURE_* before its own.
    const unset = ["-u", "AZURE_CLIENT_ID", "-u", "AZURE_CLIENT_SECRET"];
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1beta1",
      command: "env",
      args: [...unset, "kubelogin", "get-token", "--environment", "AzurePublicCloud", "--server-id", SERVER_ID],
      interactiveMode: "Never",
      installHint: "kubelogin is not at hand: run `npm run tools -- kubelogin`",
    };
    const { context } = this.#options;
    const write = (file: string, user: object, context?: string) =>
      writeFile(file, kubeconfig({ server, certificateAuthority, user, context }), { mode: 0o600 });
    await write(this.adminKubeconfig, { token });
    await write(this.userKubeconfig, context === undefined ? { exec } : { token }, context);
  }
}

const isReady = (status: { conditions?: { type: string; status: string }[] } | undefined) =>
  status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** The node lifecycle controller takes its taint away a moment after a node is ready. */
const isTainted = (spec: { taints?: { key: string }[] }) =>
  spec.taints?.some(({ key }) => key.startsWith("node.kubernetes.io/")) === true;
