// Plays the agent of the extension microsoft.flux in a cluster: it installs Flux, makes Flux's objects of every
// fluxConfiguration, and reports to ARM what becomes of them.
import { setTimeout as sleep } from "node:timers/promises";
import { KubernetesError } from "../../net/kubernetesApi.ts";
import type { ArmResource } from "../cloud/types.ts";
import type { ClusterApi, KubeObject } from "./api.ts";
import { applyAll, removeAll } from "./apply.ts";
import type { Cluster } from "./cluster.ts";
import { type ExtensionSettings, extensionObjects, FLUX_NAMESPACE } from "./extensionManifests.ts";
import { belonging, complianceOf, statusesOf, verdictOf } from "./fluxCompliance.ts";
import { type ConfigurationObjects, configurationObjects, type FluxConfiguration } from "./fluxConfiguration.ts";
import { type FluxObject, fluxObjects, nameOf } from "./fluxState.ts";
import type { FluxWatch, Verdict } from "./fluxWatch.ts";
import { listPath, objectPath } from "./paths.ts";

export interface AgentOptions {
  /** The cluster, once its control plane runs. */
  readonly cluster: Promise<Cluster>;
  /** Looks at Flux's objects there. */
  readonly watch: Promise<FluxWatch>;
  /** The output of `flux install --export`. */
  readonly manifests: () => Promise<string>;
  /** Changes what ARM shows of a configuration. */
  readonly report: (configurationId: string, report: Readonly<Record<string, unknown>>) => void;
}

/** Between two looks at a configuration, in milliseconds. */
const INTERVAL = 500;
/** The longest that anything here waits, in milliseconds: a rehearsal is over before Azure's minutes are. */
const LONGEST = 240_000;

interface Followed {
  readonly objects: ConfigurationObjects;
  readonly stop: AbortController;
}

export class ExtensionAgent {
  readonly #options: AgentOptions;
  readonly #followed = new Map<string, Followed>();
  #installed: readonly KubeObject[] = [];

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  /**
   * Installs Flux, or changes it to other settings.
   * @throws Error in the words that the extension's status shall have.
   */
  async install(extension: ArmResource): Promise<void> {
    const settings = (extension.properties.configurationSettings ?? {}) as ExtensionSettings;
    const objects = extensionObjects(await this.#options.manifests(), settings);
    const cluster = await this.#options.cluster;
    await applyAll(cluster.api, objects);
    const gone = this.#installed.filter(
      (old) => !objects.some(({ kind, metadata }) => kind === old.kind && metadata.name === old.metadata.name),
    );
    this.#installed = objects;
    await removeAll(cluster.api, gone);
    await until("Flux's controllers to be ready", async () => {
      const found = await cluster.api.list(listPath("apps/v1", "Deployment", FLUX_NAMESPACE));
      const wanted = objects.filter(({ kind }) => kind === "Deployment").length;
      return found.filter(({ status }) => status?.readyReplicas > 0).length >= wanted;
    });
  }

  /** Removes Flux from the cluster with all of its objects' kinds. */
  async uninstall(): Promise<void> {
    const { api } = await this.#options.cluster;
    const objects = [...this.#installed].reverse();
    this.#installed = [];
    await removeAll(api, objects);
    await until(`namespace ${FLUX_NAMESPACE} to be gone`, async () => {
      return (await api.raw("GET", `/api/v1/namespaces/${FLUX_NAMESPACE}`)).status === 404;
    });
  }

  /**
   * Makes or changes the objects of a configuration and goes on reporting.
   * @returns when everything is reconciled.
   * @throws Error naming the objects that are not, when one has failed for good or the wait was too long.
   */
  async configure(configuration: ArmResource, secrets: Readonly<Record<string, string>>): Promise<void> {
    const properties = configuration.properties as unknown as FluxConfiguration;
    const { api } = await this.#options.cluster;
    const objects = configurationObjects(configuration.name, properties, secrets);
    const before = this.#followed.get(configuration.id);
    before?.stop.abort();
    await applyAll(api, [
      ...objects.surroundings,
      ...(objects.secret === undefined ? [] : [objects.secret]),
      objects.source,
      ...objects.kustomizations,
    ]);
    const gone = (before?.objects.kustomizations ?? []).filter(
      (old) => !objects.kustomizations.some(({ metadata }) => metadata.name === old.metadata.name),
    );
    await removeAll(api, gone);
    const followed = { objects, stop: new AbortController() };
    this.#followed.set(configuration.id, followed);
    await this.#follow(configuration, followed, Math.min(LONGEST, milliseconds(properties.reconciliationWaitDuration)));
  }

  /** Removes a configuration's objects, and with them what they had applied where that is to be pruned. */
  async remove(configurationId: string): Promise<void> {
    const followed = this.#followed.get(configurationId);
    if (followed === undefined) return;
    followed.stop.abort();
    this.#followed.delete(configurationId);
    const { api } = await this.#options.cluster;
    const { kustomizations, source, secret } = followed.objects;
    const going = new Set((await left(api, followed.objects)).map(nameOf));
    await removeAll(api, kustomizations);
    await until("what the configuration had applied to be gone", async () => {
      const present = await fluxObjects(api);
      return !present.some((object) => going.has(nameOf(object)));
    });
    await removeAll(api, [source, ...(secret === undefined ? [] : [secret])]);
    await until("the configuration's source to be gone", async () => {
      return (await api.raw("GET", objectPath(source))).status === 404;
    });
  }

  /** Ends all reporting. */
  close(): void {
    for (const { stop } of this.#followed.values()) stop.abort();
    this.#followed.clear();
  }

  /** Reports until the configuration changes or goes; settles with the first verdict. */
  #follow(configuration: ArmResource, followed: Followed, limit: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const first = (verdict: Verdict) => {
        if (verdict.state === "ready") resolve();
        else reject(new Error(notReady(configuration.name, verdict)));
      };
      void this.#report(configuration, followed, Date.now() + limit, first);
    });
  }

  async #report(
    configuration: ArmResource,
    { objects, stop }: Followed,
    deadline: number,
    first: (verdict: Verdict) => void,
  ): Promise<void> {
    const watch = await this.#options.watch;
    const since = Date.now(); // What was seen before the objects were applied says nothing of them.
    let last = "";
    let isSettled = false;
    while (!stop.signal.aborted) {
      const seen = await watch.look(since).catch(() => undefined); // A cluster that is just ending has no word.
      const verdict = seen && verdictOf(objects, seen);
      if (verdict !== undefined) {
        const report = {
          complianceState: complianceOf(objects, verdict),
          statuses: statusesOf([...verdict.objects, ...(verdict.suspended ?? [])]),
          sourceSyncedCommitId: commitOf(objects, verdict),
        };
        const text = JSON.stringify(report);
        if (text !== last) this.#options.report(configuration.id, report);
        last = text;
        if (!isSettled && (verdict.state !== "waiting" || Date.now() > deadline)) {
          isSettled = true;
          first(verdict);
        }
      }
      await sleep(INTERVAL, undefined, { signal: stop.signal }).catch(() => {});
    }
    if (!isSettled) first({ state: "ready", objects: [], failed: [] });
  }
}

function commitOf({ source }: ConfigurationObjects, { objects, suspended = [] }: Verdict): string {
  const found = [...objects, ...suspended].find(
    ({ kind, name }) => kind === "GitRepository" && name === source.metadata.name,
  );
  return found?.revision ?? "";
}

function notReady(configuration: string, { objects, failed }: Verdict): string {
  const shown = failed.length > 0 ? failed : objects.filter(({ ready }) => ready !== true);
  const words = shown.map((object) => `${nameOf(object)}: ${object.reason} ${object.message}`.trim());
  return `The Flux configuration '${configuration}' is not reconciled. ${words.join("; ")}`;
}

/** What goes with a configuration and is still there: its Kustomizations, and what these prune. */
async function left(api: ClusterApi, configuration: ConfigurationObjects): Promise<FluxObject[]> {
  const all = await fluxObjects(api);
  const own = belonging(configuration, all, ({ spec }) => spec.prune === true);
  return own.filter(({ kind, name }) => !(kind === "GitRepository" && name === configuration.source.metadata.name));
}

/** Waits for a condition; an answer that cannot be had does not meet it. */
async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + LONGEST;
  for (let last = ""; ; await sleep(200)) {
    try {
      if (await condition()) return;
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error;
      last = ` ${error.message}`;
    }
    if (Date.now() > deadline) throw new Error(`waited ${LONGEST / 1000} s in vain for ${what}.${last}`);
  }
}

/** An ISO 8601 duration of hours, minutes and seconds; Azure's default is five minutes. */
function milliseconds(duration = "PT5M"): number {
  const [, hours = 0, minutes = 0, seconds = 0] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(duration) ?? [];
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}
