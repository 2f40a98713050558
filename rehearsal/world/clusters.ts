// Joins ARM's managed clusters with real control planes: what ARM creates is started, and goes when ARM deletes it.
import { setTimeout as sleep } from "node:timers/promises";
import { fluxManifests } from "../../flux/manifests.ts";
import { KubernetesError } from "../../net/kubernetesApi.ts";
import { CLUSTER_TOOLS } from "../../tools/catalogue.ts";
import { findTools } from "../../tools/findTool.ts";
import type { ArmSettings } from "../cloud/arm/behaviour.ts";
import type { ArmService } from "../cloud/arm/service.ts";
import type { Door } from "../cloud/door/door.ts";
import type { Jwk } from "../cloud/entra/jwt.ts";
import type { Entra } from "../cloud/entra/service.ts";
import type { ArmResource } from "../cloud/types.ts";
import { ServiceError } from "../cloud/types.ts";
import { aksUsers } from "../cluster/aksUsers.ts";
import { apiServerRefusal } from "../cluster/apiServerAccess.ts";
import { Cluster } from "../cluster/cluster.ts";
import { ExtensionAgent } from "../cluster/extensionAgent.ts";
import { FLUX_VERSION } from "../cluster/extensionManifests.ts";
import { FluxWatch } from "../cluster/fluxWatch.ts";
import { clusterOptionsOf, nodesOf } from "../cluster/fromArm.ts";
import { node } from "../cluster/nodes.ts";

/** Between two looks at Flux, in milliseconds. */
const INTERVAL = 500;

const CLUSTER_TYPE = "Microsoft.ContainerService/managedClusters";
const POOL_TYPE = `${CLUSTER_TYPE}/agentPools`;
const EXTENSION_TYPE = "Microsoft.KubernetesConfiguration/extensions";
const CONFIGURATION_TYPE = "Microsoft.KubernetesConfiguration/fluxConfigurations";

export interface ClustersOptions {
  /** The folder of the cluster that runs. */
  readonly folder: string;
  readonly tenantId: string;
  /** The rehearsal's authority, a PEM file. */
  readonly authority: string;
}

/** What the clusters live in. */
interface Surroundings {
  readonly arm: ArmService;
  readonly entra: Entra;
  readonly door: Door;
  /** The port of the door for the cluster's place. */
  readonly port: number;
}

interface Managed {
  readonly resource: ArmResource;
  readonly cluster: Promise<Cluster>;
  readonly agent: ExtensionAgent;
  readonly watch: Promise<FluxWatch>;
  readonly stop: AbortController;
}

export class Clusters {
  readonly #options: ClustersOptions;
  readonly #managed = new Map<string, Managed>();
  #surroundings: Surroundings | undefined;
  /** A cluster that is none of ARM's, with the end of the looks at its Flux. */
  #other: { readonly cluster: Cluster; readonly stop: AbortController } | undefined;
  /** The end of the cluster before: the next one takes its folder. */
  #ended: Promise<void> = Promise.resolve();

  constructor(options: ClustersOptions) {
    this.#options = options;
  }

  /** ARM's hooks. */
  readonly settings: Partial<ArmSettings> = {
    clusterEndpoint: async (resource) => {
      const cluster = await this.#running(resource.id);
      return { server: `https://${hostsOf(resource)[0]}:443`, certificateAuthority: cluster.certificateAuthority };
    },
    onFluxExtension: async (extension) => {
      await this.#running(clusterOf(extension.id));
      await this.#agent(extension.id).install(extension);
    },
    onFluxConfiguration: async (configuration, secrets) => {
      await this.#running(clusterOf(configuration.id));
      await this.#agent(configuration.id).configure(configuration, secrets);
    },
  };

  /** Takes part in a world: from now on a managed cluster of ARM is a cluster. */
  join(surroundings: Surroundings): void {
    this.#surroundings = surroundings;
    const { arm } = surroundings;
    arm.extend({
      type: CLUSTER_TYPE,
      created: async (resource) => this.#start(resource),
      deleted: (resource) => this.#stop(resource.id),
    });
    arm.extend({
      type: POOL_TYPE,
      created: async (pool) => void this.#addNodes(pool),
      deleted: (pool) => this.#removeNodes(pool),
    });
    arm.extend({ type: EXTENSION_TYPE, deleted: ({ id }) => this.#ifThere(id, (agent) => agent.uninstall()) });
    arm.extend({ type: CONFIGURATION_TYPE, deleted: ({ id }) => this.#ifThere(id, (agent) => agent.remove(id)) });
  }

  /**
   * Starts a cluster that somebody has beside Azure: its nodes have no identity, and whoever has its kubeconfig has all rights.
   * @param context the context's name in that file.
   * @param issuer of its service account tokens; Entra reaches its keys.
   */
  async startOther({
    context,
    issuer,
  }: {
    readonly context: string;
    readonly issuer?: string | undefined;
  }): Promise<void> {
    const { port: proxyPort } = this.#surroundings as Surroundings;
    const { tenantId, authority, folder } = this.#options;
    const cluster = await Cluster.start({
      ...{ folder, tools: await findTools(CLUSTER_TOOLS), tenantId, proxyPort, authority, context },
      issuer: issuer ?? "https://kubernetes.default.svc.cluster.local",
    });
    const stop = new AbortController();
    this.#other = { cluster, stop };
    await cluster.startFlux();
    void keepLooking(Promise.resolve(new FluxWatch(cluster.api)), stop.signal);
  }

  /** Whether the cluster is none of ARM's. */
  get isOther(): boolean {
    return this.#other !== undefined;
  }

  /** The public keys of an issuer of service account tokens; undefined for one that no cluster is. */
  readonly issuerKeys = async (issuer: string): Promise<readonly Jwk[] | undefined> => {
    if (this.#other?.cluster.issuer === issuer) return this.#other.cluster.serviceAccountKeys();
    const found = [...this.#managed.values()].find(({ resource }) => issuerOf(resource) === issuer);
    return found === undefined ? undefined : (await found.cluster).serviceAccountKeys();
  };

  /** The cluster that runs, or undefined. */
  async current(): Promise<Cluster | undefined> {
    const [managed] = this.#managed.values();
    return managed?.cluster ?? this.#other?.cluster;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await Promise.all([...this.#managed.keys()].map((id) => this.#stop(id)));
    await this.#ended;
    this.#other?.stop.abort();
    await this.#other?.cluster.stop();
  }

  #start(resource: ArmResource): void {
    const { arm, entra, door, port } = this.#surroundings as Surroundings;
    const { tenantId, authority, folder } = this.#options;
    const hosts = hostsOf(resource);
    const cluster = this.#ended.then(async () => {
      const started = await Cluster.start({
        folder,
        tools: await findTools(CLUSTER_TOOLS),
        ...clusterOptionsOf(resource),
        tenantId,
        authenticate: aksUsers(entra, arm, resource.id),
        proxyPort: port,
        authority,
      });
      // Whoever installs Flux, the program or the extension's agent.
      await started.startFlux();
      return started;
    });
    // Who asks for the cluster gets the error; a rehearsal that never asks is not ended by it.
    cluster.catch((error: Error) => process.stderr.write(`${error.message}\n`));
    const report = (id: string, report: Readonly<Record<string, unknown>>) => {
      if (arm.get(id) !== undefined) arm.reportFlux(id, report);
    };
    const manifests = async () => (await fluxManifests({ version: FLUX_VERSION, imageAutomation: false })).text;
    const watch = cluster.then(({ api }) => new FluxWatch(api));
    const stop = new AbortController();
    const agent = new ExtensionAgent({ cluster, watch, manifests, report });
    this.#managed.set(keyOf(resource.id), { resource, cluster, agent, watch, stop });
    void keepLooking(watch, stop.signal);
    let apiPort: number | undefined;
    cluster.then(
      (started) => {
        apiPort = started.port;
      },
      () => {},
    );
    for (const host of hosts)
      door.lead(
        host,
        (tunnel) =>
          apiServerRefusal(resource, tunnel, arm.apiServerRoute(resource, tunnel.place)) ??
          apiPort ??
          `${host}: timeout`,
      );
  }

  async #stop(id: string): Promise<void> {
    const managed = this.#managed.get(keyOf(id));
    if (managed === undefined) return;
    this.#managed.delete(keyOf(id));
    managed.stop.abort();
    managed.agent.close();
    const ended = managed.cluster.then(
      (cluster) => cluster.stop(),
      () => {},
    );
    this.#ended = ended;
    await ended;
  }

  /** @throws ServiceError in ARM's form where the cluster could not be started. */
  async #running(id: string): Promise<Cluster> {
    const managed = this.#managed.get(keyOf(id));
    try {
      if (managed === undefined) throw new Error("it is gone");
      return await managed.cluster;
    } catch (error) {
      const message = `The rehearsal's cluster does not run: ${(error as Error).message}`;
      throw new ServiceError({ status: 500, body: { error: { code: "InternalServerError", message } } }, message);
    }
  }

  #agent(id: string): ExtensionAgent {
    return (this.#managed.get(keyOf(clusterOf(id))) as Managed).agent;
  }

  /** Lets the agent act as long as its cluster is there: with a cluster all in it goes. */
  async #ifThere(id: string, act: (agent: ExtensionAgent) => Promise<void>): Promise<void> {
    const managed = this.#managed.get(keyOf(clusterOf(id)));
    if (managed === undefined || this.#surroundings?.arm.get(managed.resource.id) === undefined) return;
    await act(managed.agent);
  }

  async #addNodes(pool: ArmResource): Promise<void> {
    const managed = this.#managed.get(keyOf(poolsCluster(pool.id)));
    const cluster = await managed?.cluster.catch(() => undefined);
    if (managed === undefined || cluster === undefined) return;
    const alone = { agentPoolProfiles: [{ ...pool.properties, name: pool.name }] };
    for (const each of nodesOf({ ...managed.resource, properties: alone }))
      await cluster.api.create("/api/v1/nodes", node(each)).catch((error: Error) => {
        if (!(error instanceof KubernetesError && error.status === 409))
          process.stderr.write(`${each.name}: ${error.message}\n`);
      });
  }

  async #removeNodes(pool: ArmResource): Promise<void> {
    const managed = this.#managed.get(keyOf(poolsCluster(pool.id)));
    if (managed === undefined || this.#surroundings?.arm.get(managed.resource.id) === undefined) return;
    const cluster = await managed.cluster.catch(() => undefined);
    await cluster?.api.send("DELETE", `/api/v1/nodes?labelSelector=agentpool%3D${pool.name}`);
  }
}

/** Looks at Flux now and then, so that it hurries; see FluxWatch. */
async function keepLooking(watch: Promise<FluxWatch>, signal: AbortSignal): Promise<void> {
  const found = await watch.catch(() => undefined);
  while (found !== undefined && !signal.aborted) {
    await found.look().catch(() => undefined); // An API server that is going has no word.
    await sleep(INTERVAL, undefined, { signal }).catch(() => {});
  }
}

const keyOf = (id: string) => id.toLowerCase();

const poolsCluster = (poolId: string) => poolId.replace(/\/agentPools\/[^/]+$/i, "");

/** The cluster that an extension resource's id stands on. */
const clusterOf = (id: string) => id.slice(0, id.toLowerCase().lastIndexOf("/providers/"));

const issuerOf = ({ properties }: ArmResource) =>
  String((properties.oidcIssuerProfile as { issuerURL?: string } | undefined)?.issuerURL);

/** The names of a cluster's API server, the one that a kubeconfig has first. */
const hostsOf = ({ properties: { privateFQDN, fqdn } }: ArmResource): string[] =>
  [...new Set([privateFQDN, fqdn])].filter((host): host is string => typeof host === "string");
