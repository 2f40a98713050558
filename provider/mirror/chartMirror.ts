// ChartMirror: a Helm chart in an Azure container registry, pushed byte for byte as the lock pinned it.

import { CHART_MEDIA_TYPES, chartManifest } from "../../net/chartManifest.ts";
import { RegistryClosed } from "../../net/registry/client.ts";
import { Again, retry, type Try } from "../../net/retry.ts";
import {
  type Context,
  type Diff,
  type Existing,
  type Properties,
  type ResourceHandler,
  UNKNOWN,
} from "../../plugin/handler.ts";
import {
  armIdOf,
  checkForm,
  type Form,
  isDigest,
  isLoginServer,
  isRepository,
  matching,
  REPOSITORY,
} from "../../plugin/inputs.ts";
import { azure, type Cloud, look } from "../azure/cloud.ts";
import { downloadChart } from "./chartSource.ts";
import { loginServerOf } from "./imageImportId.ts";

export interface ChartMirrorInputs {
  readonly registryId: string;
  readonly loginServer: string;
  readonly repository: string;
  readonly version: string;
  readonly url: string;
  readonly sha256: string;
  readonly created: string;
  readonly manifest: string;
}

const FORM: Form = {
  required: {
    registryId: armIdOf("Microsoft.ContainerRegistry/registries"),
    loginServer: isLoginServer,
    repository: isRepository,
    version: matching(
      /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/,
      "a chart's version (Semantic Versioning, a v before it or not): 6.1.0",
    ),
    url: matching(
      /^(https:\/\/[^/@\s]+\/\S+|oci:\/\/[^/@\s]+\/\S+:[^:/\s]+)$/,
      "an https:// URL of a tgz or oci://<host>/<repository>:<version>, both without credentials",
    ),
    sha256: matching(/^[a-f0-9]{64}$/, "a SHA-256: 64 hex digits in lower case"),
    created: matching(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
      "a time (RFC 3339): 2026-01-31T12:00:00Z",
    ),
    manifest: isDigest,
  },
};

/** Waits in milliseconds while a new role assignment makes its way to the registry: two minutes and a half in all. */
const RIGHT_WAITS = [1000, 2000, 4000, 8000, 15_000, 30_000, 30_000, 30_000, 30_000];

/** The handler of `gitops:index:ChartMirror` in a cloud. */
export function chartMirrorIn(cloud: Cloud): ResourceHandler {
  return {
    check: async (inputs) => ({ inputs, failures: checkForm(inputs, FORM) }),
    diff,
    preview: async (inputs) => outputs(inputs),
    async create(properties, context) {
      const inputs = properties as unknown as ChartMirrorInputs;
      await ensure(cloud, inputs, undefined, context);
      return { id: idOf(inputs), state: outputs(properties) };
    },
    async update(existing, properties, context) {
      await ensure(cloud, properties as unknown as ChartMirrorInputs, String(existing.inputs.manifest), context);
      return outputs(properties);
    },
    read: (id, inputs, _state, context) => read(cloud, id, inputs, context),
    // Nothing is removed from the registry: releases that run, or other stacks, may need the chart.
    async delete() {},
  };
}

/** The handler of `gitops:index:ChartMirror`. */
export const chartMirror: ResourceHandler = chartMirrorIn(azure);

async function diff({ inputs: old }: Existing, next: Properties): Promise<Diff> {
  const changed = Object.keys({ ...old, ...next }).filter((key) => old[key] !== next[key]);
  const identity = ["registryId", "repository", "version"];
  return { changes: changed.length > 0, replaces: changed.filter((key) => identity.includes(key)) };
}

/**
 * Makes the registry hold the chart.
 * @param own the manifest's digest that this resource pushed before; it may be replaced, another one may not.
 */
async function ensure(cloud: Cloud, inputs: ChartMirrorInputs, own: string | undefined, context: Context) {
  const once = async ({ wait }: Try): Promise<undefined | Again> => {
    try {
      await push(cloud, inputs, own, context);
      return undefined;
    } catch (error) {
      if (!(error instanceof RegistryClosed)) throw error;
      const problem = `the chart cannot be pushed: ${error.message}`;
      if (error.network)
        throw new Error(`${problem}. Run this inside the registry's network, or let its firewall admit this address`);
      if (wait === undefined) throw new Error(`${problem}. Whoever runs this needs the role AcrPush on the registry`);
      context.log("info", `${problem}; trying again in ${wait / 1000} s, as new roles take time`);
      return new Again();
    }
  };
  await retry(once, { waits: RIGHT_WAITS, signal: context.signal });
}

async function push(cloud: Cloud, inputs: ChartMirrorInputs, own: string | undefined, context: Context): Promise<void> {
  const { repository, version, manifest: expected } = inputs;
  const registry = cloud.registry(inputs.loginServer);
  const tag = tagOf(version);
  const there = (await registry.head(repository, tag))?.digest;
  if (there === expected) return;
  if (there !== undefined && there !== own) throw taken(inputs, there);

  const tgz = await downloadChart(cloud, inputs.url, inputs.sha256, context.signal);
  const chart = await chartManifest(tgz, inputs.created);
  const name = repository.slice(repository.lastIndexOf("/") + 1);
  if (chart.name !== name || chart.version !== version) {
    throw new Error(`${inputs.url} is the chart ${chart.name} ${chart.version}, not ${name} ${version}`);
  }
  if (chart.manifestDigest !== expected) {
    const both = `the manifest of ${name} ${version} is ${chart.manifestDigest}, not ${expected}`;
    throw new Error(`${both} as in the lock: make the lock anew with \`npm run mirror -- update\``);
  }
  await registry.pushBlob(repository, tgz);
  await registry.pushBlob(repository, chart.config);
  await registry.pushManifest(repository, tag, chart.manifest, CHART_MEDIA_TYPES.manifest);
  const pushed = (await registry.head(repository, tag))?.digest;
  if (pushed !== expected) {
    throw new Error(
      `${inputs.loginServer}/${repository}:${tag} is ${pushed ?? "missing"} after the push of ${expected}`,
    );
  }
}

async function read(cloud: Cloud, id: string, inputs: Properties, context: Context) {
  if (Object.keys(inputs).length === 0) {
    const found = await findChart(cloud, id, context);
    return found && { id: idOf(found), inputs: { ...found }, state: outputs({ ...found }) };
  }
  const { loginServer, repository, version } = inputs as unknown as ChartMirrorInputs;
  const found = await look(cloud.registry(loginServer), repository, tagOf(version));
  if ("closed" in found) {
    context.log("info", `not compared with the registry: ${found.closed.message}`);
    return { id, inputs, state: outputs(inputs) };
  }
  if (found.digest === undefined) return undefined;
  const actual = { ...inputs, manifest: found.digest };
  return { id, inputs: actual, state: outputs(actual) };
}

const ID = new RegExp(`^(/subscriptions/[^?#]+/registries/[^/]+)/charts/(${REPOSITORY}):([^:?]+)\\?url=(.+)$`, "i");

/**
 * The chart that an import id names: `<registry's ARM id>/charts/<repository>:<version>?url=<where it comes from>`.
 * @returns undefined when the registry does not hold it.
 */
async function findChart(cloud: Cloud, id: string, context: Context): Promise<ChartMirrorInputs | undefined> {
  const [, registryId, repository, version, url] = ID.exec(id) ?? [];
  if (registryId === undefined || repository === undefined || version === undefined || url === undefined) {
    throw new Error(`"${id}" is not <ARM id of the registry>/charts/<repository>:<version>?url=<URL of the tgz>`);
  }
  const loginServer = await loginServerOf(cloud, registryId, context);
  const found = loginServer && (await cloud.registry(loginServer).manifest(repository, tagOf(version)));
  if (!loginServer || !found) return undefined;
  const body = JSON.parse(found.body.toString()) as {
    layers?: { digest: string }[];
    annotations?: Record<string, string>;
  };
  const sha256 = body.layers?.[0]?.digest.replace("sha256:", "") ?? "";
  const created = body.annotations?.["org.opencontainers.image.created"] ?? "";
  return { registryId, loginServer, repository, version, url, sha256, created, manifest: found.digest };
}

function idOf({ registryId, repository, version }: ChartMirrorInputs): string {
  return `${registryId}/charts/${repository}:${version}`;
}

/** A tag has no `+`; Helm writes `_` for it. */
function tagOf(version: string): string {
  return version.replaceAll("+", "_");
}

function outputs(inputs: Properties): Properties {
  const { loginServer, repository, version, manifest } = inputs;
  const isKnown = [loginServer, repository, version].every((value) => value !== UNKNOWN);
  const reference = isKnown ? `oci://${loginServer}/${repository}:${tagOf(String(version))}` : UNKNOWN;
  return { ...inputs, reference, digest: manifest };
}

function taken({ loginServer, repository, version, manifest }: ChartMirrorInputs, actual: string): Error {
  const name = `${repository}:${tagOf(version)}`;
  return new Error(
    `${loginServer}/${name} holds ${actual}, not ${manifest}, and was pushed by somebody else. Mirror another version, ` +
      `or remove it: az acr repository delete --name ${loginServer.split(".")[0]} --image ${name}`,
  );
}
