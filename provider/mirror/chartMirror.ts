// ChartMirror: a Helm chart in an Azure container registry, pushed byte for byte as the lock pinned it.

import * as z from "zod";
import { CHART_MEDIA_TYPES, chartManifest } from "../../net/chartManifest.ts";
import { RegistryClosed, RegistryError } from "../../net/registry/client.ts";
import { Again, retry } from "../../net/retry.ts";
import { digestOf } from "../../net/values.ts";
import { type Context, UNKNOWN } from "../../plugin/handler.ts";
import {
  changes,
  handlerOf,
  type Inputs,
  type Kept,
  type Known,
  matching,
  type Previewed,
  resourceSchema,
  type SchemaHandler,
  type State,
} from "../../plugin/schema.ts";
import { azure, type Cloud, look, type Registry, registryUntil } from "../azure/cloud.ts";
import { loginServer, registryId } from "../azure/forms.ts";
import { ROLE_WAITS } from "../azure/patience.ts";
import { chartPlace, downloadChart } from "./chartSource.ts";
import * as forms from "./forms.ts";
import { loginServerOf } from "./imageImportId.ts";
import { type ImageTarget, Importer, type ImporterOptions } from "./importer.ts";

/** The schema of `gitops:index:ChartMirror`. */
export const CHART_MIRROR = resourceSchema({
  token: "gitops:index:ChartMirror",
  description:
    "A Helm chart in an Azure container registry, byte for byte what its publisher released. The registry must be " +
    "reachable from here. Deleting it removes nothing from the registry, since releases or other stacks may use the " +
    "chart.\n\n" +
    "Imported into a stack by the id in the state, `<registry's ARM id>/charts/<repository>:<version>`. The registry " +
    "does not know where a chart came from: its `url` is the one in the registry then, unless `?url=<where it comes " +
    "from>` is added to the id.",
  inputs: {
    registryId: registryId
      .describe("The target registry's ARM id. Another one makes another mirror.")
      .meta({ replaceOnChanges: true }),
    loginServer: loginServer.describe("The target registry's login server: `<name>.azurecr.io`."),
    registryCreated: forms.registryCreated,
    repository: forms.repository
      .describe(
        "The repository in the target; its last part is the chart's name: `charts/kured`. Another one makes another mirror.",
      )
      .meta({ replaceOnChanges: true }),
    version: matching(
      /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/,
      "a chart's version (Semantic Versioning, a v before it or not): 6.1.0",
    )
      .describe("The chart's version. Another one makes another mirror.")
      .meta({ replaceOnChanges: true }),
    url: matching(
      /^(https:\/\/[^/@\s]+\/\S+|oci:\/\/[^/@\s]+\/\S+:[^:/\s]+)$/,
      "an https:// URL of a tgz or oci://<host>/<repository>:<version>, both without credentials",
    ).describe(
      "Where the tgz is: `https://...`, or `oci://<host>/<repository>:<version>`; read only when the target lacks it.",
    ),
    sha256: matching(/^[a-f0-9]{64}$/, "a SHA-256: 64 hex digits in lower case").describe("SHA-256 of the tgz, hex."),
    created: matching(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
      "a time (RFC 3339): 2026-01-31T12:00:00Z",
    ).describe("The time that goes into the manifest (RFC 3339); pinned, or every push would be another digest."),
    manifest: forms.digest.describe("`sha256:<hex>` of the OCI manifest that must come out."),
    sourceRegistryId: forms.sourceRegistryId,
    sourceRepository: forms.sourceRepository,
    credentials: forms.credentials,
    publicKey: forms.publicKey,
    attached: forms.attached,
  },
  outputs: {
    reference: z.string().describe("`oci://<login server>/<repository>:<version>`, with `_` for a `+` of the version."),
    digest: z.string().describe("The digest of the manifest in the registry."),
  },
});

export type ChartMirrorInputs = Inputs<typeof CHART_MIRROR>;
type ChartMirrorState = State<typeof CHART_MIRROR>;

/** Waits in milliseconds, one after another, where nobody knows what came of a push. */
const UNSURE_WAITS = [1000, 4000];

/** The handler of `gitops:index:ChartMirror` in a cloud. */
export function chartMirrorIn(cloud: Cloud, options: ImporterOptions = {}): SchemaHandler {
  const mirror = { cloud, importer: new Importer(cloud, options), ...options };
  return handlerOf(CHART_MIRROR, {
    diff: async ({ inputs: old }, next) => changes(CHART_MIRROR, old, forms.comparable(old, next)),
    preview: async (inputs) => ({ ...inputs, reference: referenceOf(inputs), digest: inputs.manifest }),
    async create(inputs, context) {
      await ensure(mirror, inputs, undefined, context);
      return { id: idOf(inputs), state: stateOf(inputs) };
    },
    async update(existing, inputs, context) {
      await ensure(mirror, inputs, existing.inputs.manifest, context);
      return stateOf(inputs);
    },
    async read(id, known, context) {
      if (known !== undefined) return refresh(cloud, known, context);
      const found = await findChart(cloud, id, context);
      return found && { id: idOf(found), inputs: found, state: stateOf(found) };
    },
    // Nothing is removed from the registry: releases that run, or other stacks, may need the chart.
    async delete() {},
  });
}

/** The handler of `gitops:index:ChartMirror`. */
export const chartMirror = chartMirrorIn(azure);

/**
 * Makes the registry hold the chart.
 * @param own the manifest's digest that this resource pushed before; it may be replaced, another one may not.
 */
async function ensure(mirror: Mirror, inputs: ChartMirrorInputs, own: string | undefined, context: Context) {
  const target = targetOf(inputs);
  if (target !== undefined) await mirror.importer.check(target, context);
  const { roleWaits = ROLE_WAITS, clock } = mirror;
  const left = { role: roleWaits, unsure: UNSURE_WAITS };
  const once = async (): Promise<undefined | Again> => {
    try {
      await fill(mirror, inputs, own, context);
      return undefined;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined) throw explain(error);
      const [wait, ...later] = left[reason];
      if (wait === undefined) throw explain(error);
      left[reason] = later;
      const why = reason === "role" ? ", as new roles take time" : "";
      context.log("info", `${problemOf(error)}; trying again in ${wait / 1000} s${why}`);
      return new Again(wait);
    }
  };
  // The waits are those of the reasons.
  await retry(once, { waits: () => 0, signal: context.signal, clock });
  if (target !== undefined) await mirror.importer.attach(target, context);
}

/** Why a push may succeed if all of it is done again; what has arrived is not sent again. */
function reasonOf(error: unknown): "role" | "unsure" | undefined {
  if (!(error instanceof RegistryError)) return undefined;
  // A lost answer may have been that of the end of an upload, which then is not known any more.
  if (error.status >= 500 || error.status === 404) return "unsure";
  if (!(error instanceof RegistryClosed)) return undefined;
  if (!error.network) return "role";
  return error.status === 0 ? "unsure" : undefined;
}

const problemOf = (error: unknown): string => `the chart cannot be pushed: ${(error as Error).message}`;

function explain(error: unknown): unknown {
  if (!(error instanceof RegistryClosed)) return error;
  const remedy = error.network
    ? "Run this inside the registry's network, or let its firewall admit this address"
    : "Whoever runs this needs the role AcrPush on the registry";
  return new Error(`${problemOf(error)}. ${remedy}`);
}

interface Mirror extends ImporterOptions {
  readonly cloud: Cloud;
  readonly importer: Importer;
}

/** What an import of the chart would be; undefined for a chart repository, whose charts are no artifacts yet. */
function targetOf(inputs: ChartMirrorInputs): ImageTarget | undefined {
  const { registryId, loginServer, repository, version, manifest: digest } = inputs;
  const { sourceRegistryId, sourceRepository, credentials, publicKey, attached } = inputs;
  const place = chartPlace(inputs.url);
  if (place === undefined && sourceRegistryId === undefined) return undefined;
  const source =
    place === undefined
      ? `${loginServer}/${repository}:${tagOf(version)}`
      : `${place.host}/${place.repository}:${place.tag}`;
  return {
    ...{ registryId, loginServer, repository, digest, source, tag: tagOf(version) },
    ...(sourceRegistryId === undefined ? {} : { sourceRegistryId }),
    ...(sourceRepository === undefined ? {} : { sourceRepository }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(attached === undefined ? {} : { attached }),
  };
}

/** Without what is done before and after. */
function alone(target: ImageTarget | undefined): ImageTarget | undefined {
  if (target === undefined) return undefined;
  const { attached: _attached, publicKey: _publicKey, ...rest } = target;
  return rest;
}

/** Whether Azure can import a chart by itself: that is documented of its own registries alone, to which it has to sign in. */
function isImported({ url, sourceRegistryId, credentials }: ChartMirrorInputs): boolean {
  const isAzures = /\.azurecr\.(io|cn|us)$/.test(chartPlace(url)?.host ?? "");
  return sourceRegistryId !== undefined || (isAzures && credentials !== undefined);
}

async function fill(
  { cloud, importer }: Mirror,
  inputs: ChartMirrorInputs,
  own: string | undefined,
  context: Context,
): Promise<void> {
  const { repository, version, manifest: expected } = inputs;
  const registry = registryUntil(cloud, inputs.loginServer, context.signal);
  const target = isImported(inputs) ? alone(targetOf(inputs)) : undefined;
  const tag = tagOf(version);
  const found = await look(registry, repository, tag);
  if ("closed" in found) {
    // Azure imports without anybody looking.
    if (target !== undefined) return importer.ensure(target, own !== undefined, context);
    throw found.closed;
  }
  const there = found.digest;
  if (there === expected) return;
  if (there !== undefined && there !== own) throw taken(inputs, there);
  if (target !== undefined) return importer.ensure(target, there !== undefined, context);
  await push(cloud, registry, inputs, context);
}

async function push(cloud: Cloud, registry: Registry, inputs: ChartMirrorInputs, context: Context): Promise<void> {
  const { repository, version, manifest: expected } = inputs;
  const tag = tagOf(version);
  const { tgz, artifact } = await downloadChart(cloud, inputs, context.signal);
  const chart = await chartManifest(tgz, inputs.created);
  const name = repository.slice(repository.lastIndexOf("/") + 1);
  if (chart.name !== name || chart.version !== version) {
    throw new Error(`${inputs.url} is the chart ${chart.name} ${chart.version}, not ${name} ${version}`);
  }
  // Signatures are of the very bytes that the publisher pushed.
  const published = artifact && digestOf(artifact.manifest) === expected ? artifact : undefined;
  if (published === undefined && chart.manifestDigest !== expected) {
    const both = `the manifest of ${name} ${version} is ${chart.manifestDigest}, not ${expected}`;
    throw new Error(`${both} as in the lock: make the lock anew with \`npm run mirror -- update\``);
  }
  for (const blob of published?.blobs ?? [tgz, chart.config]) await registry.pushBlob(repository, blob);
  const [manifest, mediaType] = published
    ? [published.manifest, published.mediaType]
    : [chart.manifest, CHART_MEDIA_TYPES.manifest];
  await registry.pushManifest(repository, tag, manifest, mediaType);
  const pushed = (await registry.head(repository, tag))?.digest;
  if (pushed !== expected) {
    throw new Error(
      `${inputs.loginServer}/${repository}:${tag} is ${pushed ?? "missing"} after the push of ${expected}`,
    );
  }
}

async function refresh(cloud: Cloud, { id, inputs }: Known<ChartMirrorInputs, ChartMirrorState>, context: Context) {
  const { loginServer, repository, version } = inputs;
  const found = await look(registryUntil(cloud, loginServer, context.signal), repository, tagOf(version));
  if ("closed" in found) {
    context.log("info", `not compared with the registry: ${found.closed.message}`);
    return { id, inputs, state: stateOf(inputs) };
  }
  if (found.digest === undefined) return undefined;
  const actual = { ...inputs, manifest: found.digest };
  return { id, inputs: actual, state: stateOf(actual) };
}

const ID = new RegExp(
  `^(/subscriptions/[^?#]+/registries/[^/]+)/charts/(${forms.REPOSITORY}):([^:?]+)(?:\\?url=(.+))?$`,
  "i",
);

/**
 * The chart that an id names: `<registry's ARM id>/charts/<repository>:<version>`, with `?url=<where it comes from>` if
 * that is not to be the registry itself.
 * @returns undefined when the registry does not hold it.
 */
async function findChart(cloud: Cloud, id: string, context: Context): Promise<ChartMirrorInputs | undefined> {
  const [, registryId, repository, version, origin] = ID.exec(id) ?? [];
  if (registryId === undefined || repository === undefined || version === undefined) {
    throw new Error(
      `"${id}" is not <ARM id of the registry>/charts/<repository>:<version>, nor that with ?url=<URL of the tgz>`,
    );
  }
  const loginServer = await loginServerOf(cloud, registryId, context);
  if (loginServer === undefined) return undefined;
  const found = await registryUntil(cloud, loginServer, context.signal).manifest(repository, tagOf(version));
  if (found === undefined) return undefined;
  const body = JSON.parse(found.body.toString()) as {
    layers?: { digest: string }[];
    annotations?: Record<string, string>;
  };
  const sha256 = body.layers?.[0]?.digest.replace("sha256:", "") ?? "";
  const created = body.annotations?.["org.opencontainers.image.created"] ?? "";
  const url = origin ?? `oci://${loginServer}/${repository}:${version}`;
  return { registryId, loginServer, repository, version, url, sha256, created, manifest: found.digest };
}

function idOf({ registryId, repository, version }: ChartMirrorInputs): string {
  return `${registryId}/charts/${repository}:${version}`;
}

/** A tag has no `+`; Helm writes `_` for it. */
function tagOf(version: string): string {
  return version.replaceAll("+", "_");
}

function stateOf(inputs: ChartMirrorInputs): Kept<ChartMirrorState> {
  return { ...forms.kept(inputs), reference: chartReference(inputs), digest: inputs.manifest };
}

function referenceOf({ loginServer, repository, version }: Previewed<ChartMirrorInputs>) {
  const isKnown = loginServer !== UNKNOWN && repository !== UNKNOWN && version !== UNKNOWN;
  return isKnown ? chartReference({ loginServer, repository, version }) : UNKNOWN;
}

function chartReference({
  loginServer,
  repository,
  version,
}: Pick<ChartMirrorInputs, "loginServer" | "repository" | "version">) {
  return `oci://${loginServer}/${repository}:${tagOf(version)}`;
}

function taken({ loginServer, repository, version, manifest }: ChartMirrorInputs, actual: string): Error {
  const name = `${repository}:${tagOf(version)}`;
  return new Error(
    `${loginServer}/${name} holds ${actual}, not ${manifest}, and was pushed by somebody else. Mirror another version, ` +
      `or remove it: az acr repository delete --name ${loginServer.split(".")[0]} --image ${name}`,
  );
}
