// The plugin's part of the benchmark of the mirror, in a process of its own, so that its memory is its own: what it is to
// bring comes as JSON through its standard input, what it measured goes out as JSON.
import { text } from "node:stream/consumers";
import { RegistryClient } from "../net/registry/client.ts";
import type { Context, Properties, ResourceHandler } from "../plugin/handler.ts";
import { ArmClient } from "../provider/azure/armClient.ts";
import type { Cloud } from "../provider/azure/cloud.ts";
import { chartMirrorIn } from "../provider/mirror/chartMirror.ts";
import { imageImportIn } from "../provider/mirror/imageImport.ts";

export interface MirrorWork {
  readonly arm: string;
  readonly registry: string;
  readonly images: readonly Properties[];
  readonly charts: readonly Properties[];
}

export interface MirrorResult {
  readonly seconds: number;
  /** What the engine keeps of the largest image, in bytes. */
  readonly stateBytes: number;
  /** The most memory that the process held, in MB. */
  readonly megabytes: number;
}

const work = JSON.parse(await text(process.stdin)) as MirrorWork;
const ends = () => Date.now() + 3_600_000;
const arm = new ArmClient({
  endpoint: work.arm,
  credential: { getToken: async () => ({ token: "deployer", expiresOnTimestamp: ends() }) },
});
const registry = new RegistryClient("fleet.azurecr.io", {
  endpoint: work.registry,
  credential: {
    getToken: async () => ({ token: "https://containerregistry.azure.net|deployer", expiresOnTimestamp: ends() }),
  },
});
const cloud: Cloud = { arm: () => arm, registry: () => registry };
const context: Context = {
  ...{ urn: "urn:x", type: "gitops:index:ImageImport", name: "x", preview: false },
  signal: new AbortController().signal,
  log: (_, message) => console.error(message),
};
const start = performance.now();
const make = (handler: ResourceHandler, all: readonly Properties[]) =>
  all.map(async (inputs) => {
    const { state } = await handler.create(inputs, context);
    return Buffer.byteLength(JSON.stringify({ inputs, outputs: state }));
  });
const [images] = await Promise.all([
  Promise.all(make(imageImportIn(cloud), work.images)),
  Promise.all(make(chartMirrorIn(cloud), work.charts)),
]);
const result: MirrorResult = {
  seconds: (performance.now() - start) / 1000,
  stateBytes: Math.max(0, ...images),
  megabytes: process.resourceUsage().maxRSS / 1024,
};
console.log(JSON.stringify(result));
