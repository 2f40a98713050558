// Images that do not run on the nodes of a pool: what a lock keeps of that, and what a person is told.
import { strict as assert } from "node:assert";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, it } from "mocha";
import { readMirrorLock } from "../../components/mirror/helmMirror.ts";
import type { Registry } from "../../mirror/chartLookup.ts";
import { type Lock, type Pools, stackSource } from "../../mirror/lock.ts";
import { arm64Warnings, platformsOf } from "../../mirror/platforms.ts";
import { updateLock } from "../../mirror/update.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const CONFIG = { mediaType: "application/vnd.oci.image.config.v1+json", digest: `sha256:${"c".repeat(64)}` };
const index = (...architectures: string[]) => ({
  manifests: [
    ...architectures.map((architecture) => ({ platform: { os: "linux", architecture } })),
    { platform: { os: "unknown", architecture: "unknown" } },
  ],
});

/** What a registry has under each repository: a manifest, and the configuration of one that names it. */
type Content = Readonly<Record<string, { manifest: object; config?: object }>>;

function registryOf(content: Content) {
  const asked: string[] = [];
  const registry = {
    head: async (_: string, reference: string) => (reference.startsWith("sha256-") ? undefined : { digest: DIGEST }),
    referrers: async () => [],
    async manifest(repository: string) {
      asked.push(repository);
      return { digest: DIGEST, mediaType: "", body: Buffer.from(JSON.stringify(content[repository]?.manifest)) };
    },
    async blob(repository: string) {
      const { config } = content[repository] ?? {};
      if (config === undefined) throw new Error("the host of its blobs is not reached");
      return Buffer.from(JSON.stringify(config));
    },
  } as unknown as Registry;
  return { registry, asked };
}

const BOTH = "ghcr.io/acme/both:1";
const ONE = "ghcr.io/acme/one:1";
const ALONE = "ghcr.io/acme/alone:1";
const CONTENT: Content = {
  "acme/both": { manifest: index("amd64", "arm64") },
  "acme/one": { manifest: index("amd64", "s390x") },
  "acme/alone": { manifest: { config: CONFIG }, config: { os: "linux", architecture: "amd64" } },
};
const size = (vmSize: string) => ({ systemPool: { vmSize }, userPools: [] });
const AMD64 = size("Standard_D4ds_v5");
const MIXED: Pools = { ...AMD64, userPools: [{ name: "cobalt", vmSize: "Standard_D8pds_v6" }] };

describe("the platforms of an image", () => {
  it("are those of its index, or of the one manifest's configuration", async () => {
    const { registry } = registryOf(CONTENT);
    assert.deepEqual(await platformsOf("acme/both", DIGEST, registry), ["linux/amd64", "linux/arm64"]);
    assert.deepEqual(await platformsOf("acme/alone", DIGEST, registry), ["linux/amd64"]);
  });

  it("are not known of a signature, an artifact, or where blobs are not to be had", async () => {
    const { registry } = registryOf({
      signature: { manifest: { config: CONFIG }, config: { os: "", architecture: "" } },
      artifact: { manifest: { config: { mediaType: "application/vnd.cncf.helm.config.v1+json" } } },
      closed: { manifest: { config: CONFIG } },
    });
    for (const repository of ["signature", "artifact", "closed"])
      assert.equal(await platformsOf(repository, DIGEST, registry), undefined, repository);
  });
});

describe("a pool of an arm64 size", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "aks-gitops-platforms-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const settings = (cluster?: Pools) => ({
    ...{ stack: "dev", charts: [], images: [BOTH, ONE, ALONE] },
    ...(cluster && { cluster }),
  });

  async function update(cluster?: Pools, content = CONTENT) {
    const { registry, asked } = registryOf(content);
    const logged: string[] = [];
    const { changes } = await updateLock({
      ...{ source: stackSource(folder, "dev"), settings: settings(cluster), bases: [] },
      registry: () => registry,
      flux: () => Promise.reject(new Error("there is no Flux")),
      helm: () => Promise.reject(new Error("there is no chart to render")),
      log: (line) => logged.push(line),
    });
    const lock = JSON.parse(await readFile(join(folder, "mirror.dev.lock.json"), "utf8")) as Lock;
    return { changes, asked, logged, lock, platforms: lock.images.map(({ platforms }) => platforms) };
  }

  const told = (source: string, only: string) =>
    `${source} has no linux/arm64, only ${only}, and the nodes of pool cobalt (Standard_D8pds_v6) are arm64: it does not ` +
    "start there. Give another vmSize, have its pods select nodes by kubernetes.io/arch: amd64, or take an image that has it.";
  const TOLD = [told(ALONE, "linux/amd64"), told(ONE, "linux/amd64, linux/s390x")];

  it("has an update warn of each image that has no linux/arm64, and no other pool has", async () => {
    const { logged, platforms } = await update(MIXED);
    assert.deepEqual(
      logged,
      TOLD.map((warning) => `warning: ${warning}`),
    );
    // In the order of the images' names: what runs everywhere leaves nothing in the lock.
    assert.deepEqual(platforms, [["linux/amd64"], undefined, ["linux/amd64", "linux/s390x"]]);
    assert.deepEqual((await update(AMD64)).logged, []);
    assert.deepEqual((await update()).logged, []);
  });

  it("has a preview warn of them too, by the lock alone", async () => {
    await update();
    const { log } = pulumi;
    const warn = log.warn;
    const warned: string[] = [];
    log.warn = async (message) => void warned.push(message);
    try {
      await readMirrorLock(folder, settings(AMD64));
      assert.deepEqual(warned, []);
      await readMirrorLock(folder, settings(MIXED));
    } finally {
      log.warn = warn;
    }
    assert.deepEqual(warned, TOLD);
  });

  it("has an update look again where a lock was made before platforms were kept, and only then", async () => {
    const { lock } = await update();
    const old = { ...lock, images: lock.images.map(({ platforms: _, ...image }) => image) };
    await writeFile(join(folder, "mirror.dev.lock.json"), JSON.stringify(old));
    assert.deepEqual((await update()).asked, []);
    const { asked, changes, logged } = await update(MIXED);
    assert.deepEqual(asked.sort(), ["acme/alone", "acme/both", "acme/one"]);
    assert.deepEqual(changes, [
      `~ image ${ALONE}: it runs on linux/amd64`,
      `~ image ${ONE}: it runs on linux/amd64, linux/s390x`,
    ]);
    assert.equal(logged.length, 2);
  });

  it("wants no linux/amd64 where no pool is amd64, and no node is there to be selected", async () => {
    const arm = { "acme/both": CONTENT["acme/both"], "acme/one": { manifest: index("arm64") } } as Content;
    const content = { ...CONTENT, ...arm };
    const { logged } = await update(size("Standard_D8pds_v6"), content);
    assert.deepEqual(logged, [
      `warning: ${ALONE} has no linux/arm64, only linux/amd64, and the nodes of pool system (Standard_D8pds_v6) are arm64: ` +
        "it does not start there. Give another vmSize, or take an image that has it.",
    ]);
    await rm(join(folder, "mirror.dev.lock.json"));
    assert.deepEqual((await update(AMD64, content)).logged, [
      `warning: ${ONE} (aks-gitops:images): no linux/amd64, only linux/arm64`,
    ]);
  });

  it("names the charts and the Flux that run an image", () => {
    const lock = {
      ...{ version: 2, images: [{ source: ONE, digest: DIGEST, repository: "", platforms: ["linux/amd64"] }] },
      charts: [
        { name: "tool", images: [ONE] },
        { name: "tool", release: "second", images: [ONE] },
        { name: "else", images: [] },
      ],
      flux: { images: [ONE] },
    } as unknown as Lock;
    assert.match(
      arm64Warnings(lock, MIXED)[0] ?? "",
      /^ghcr\.io\/acme\/one:1 \(chart tool, chart second, Flux\) has no /,
    );
  });
});
