import { strict as assert } from "node:assert";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { FluxManifests, FluxOptions } from "../../flux/manifests.ts";
import { describeChanges } from "../../mirror/changes.ts";
import type { Registry } from "../../mirror/chartLookup.ts";
import { type FluxSource, type Lock, readLock, stackSource } from "../../mirror/lock.ts";
import { updateLock } from "../../mirror/update.ts";

const IMAGES = ["ghcr.io/fluxcd/kustomize-controller:v1.9.4", "ghcr.io/fluxcd/source-controller:v1.9.4"];
const EXTRA = "ghcr.io/acme/demo:1";
const bootstrap: FluxSource = { mode: "bootstrap", version: "2.9.4", imageAutomation: false };
const extension: FluxSource = { ...bootstrap, mode: "extension" };
const settings = (flux?: FluxSource) => ({ stack: "dev", charts: [], images: [EXTRA], ...(flux ? { flux } : {}) });
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

describe("the lock of a bootstrapped Flux", () => {
  let folder: string;
  let asked: FluxOptions[];
  let logged: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "aks-gitops-flux-lock-"));
    [asked, logged] = [[], []];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  // Every image is there, for all platforms.
  const found = { digest: digest("a"), mediaType: "application/vnd.oci.image.index.v1+json" };
  const platforms = ["amd64", "arm64"].map((architecture) => ({ platform: { os: "linux", architecture } }));
  const body = Buffer.from(JSON.stringify({ manifests: platforms }));
  // Nothing is signed.
  const head = async (_: string, reference: string) => (reference.startsWith("sha256-") ? undefined : found);
  const referrers = async () => [];
  const registry = { head, referrers, manifest: async () => ({ ...found, body }) } as unknown as Registry;

  const update = (flux: FluxSource | undefined, manifests: Partial<FluxManifests> = {}) =>
    updateLock({
      source: stackSource(folder, "dev"),
      settings: settings(flux),
      bases: [],
      registry: () => registry,
      flux: async (options) => {
        asked.push(options);
        return { text: "", sha256: "b".repeat(64), images: IMAGES, ...manifests };
      },
      helm: () => Promise.reject(new Error("there is no chart to render")),
      log: (line) => logged.push(line),
    });
  const remedy = "Run: npm run mirror -- update --stack dev";
  const stale = (flux: FluxSource, difference: string) =>
    assert.rejects(readLock(folder, settings(flux)), {
      name: "LockError",
      message: `${join(folder, "mirror.dev.lock.json")} does not fit the settings of stack dev: ${difference}. ${remedy}`,
    });

  it("pins version, manifests and images, which are mirrored as all others are", async () => {
    const { lock, changes } = await update(bootstrap);
    assert.deepEqual(asked, [{ version: "2.9.4", imageAutomation: false }]);
    assert.deepEqual(lock.flux, { version: "2.9.4", manifests: "b".repeat(64), images: IMAGES });
    assert.deepEqual(lock.images, [
      { source: EXTRA, digest: digest("a"), repository: "ghcr.io/acme/demo", tag: "1" },
      { source: IMAGES[0], digest: digest("a"), repository: "ghcr.io/fluxcd/kustomize-controller", tag: "v1.9.4" },
      { source: IMAGES[1], digest: digest("a"), repository: "ghcr.io/fluxcd/source-controller", tag: "v1.9.4" },
    ]);
    assert.deepEqual(changes, [
      "+ Flux 2.9.4",
      `+ image ${EXTRA} ${digest("a")}`,
      ...IMAGES.map((image) => `+ image ${image} ${digest("a")}`),
    ]);
    assert.deepEqual(logged, []);
    assert.deepEqual(await readLock(folder, settings(bootstrap)), lock);
  });

  it("is of the options that the settings have for the controllers", async () => {
    const install = { networkPolicy: false };
    await update({ ...bootstrap, install });
    assert.deepEqual(asked, [{ version: "2.9.4", imageAutomation: false, install }]);
  });

  it("holds no Flux, and asks for none, where the extension brings it", async () => {
    for (const flux of [extension, undefined]) {
      const { lock } = await update(flux);
      assert.equal("flux" in lock, false);
      assert.deepEqual(
        lock.images.map(({ source }) => source),
        [EXTRA],
      );
    }
    assert.deepEqual(asked, []);
  });

  it("fits no settings of another Flux, and says which", async () => {
    await update(bootstrap);
    await stale({ ...bootstrap, version: "2.8.0" }, "Flux is 2.9.4 in the lock, 2.8.0 in the settings");
    await stale(extension, "Flux is 2.9.4 in the lock, not bootstrapped in the settings");
    const controllers = "Flux's controllers or what installs them changed";
    await stale({ ...bootstrap, imageAutomation: true }, controllers);
    await stale({ ...bootstrap, install: { logLevel: "debug" } }, controllers);
    // What is said of nothing is nothing.
    await readLock(folder, settings({ ...bootstrap, install: { logLevel: undefined } }));
    await update(extension);
    await stale(bootstrap, "Flux is not in the lock, 2.9.4 in the settings");
  });

  it("fits, where the extension brings Flux, whatever version the settings name", async () => {
    await update(extension);
    const { version } = await readLock(folder, settings({ ...extension, version: "2.8.0", imageAutomation: true }));
    assert.equal(version, 2);
  });

  it("names Flux for an image that cannot be resolved", async () => {
    const gone = { ...registry, head: async () => undefined, manifest: async () => undefined } as unknown as Registry;
    const options = {
      source: stackSource(folder, "dev"),
      settings: settings(bootstrap),
      bases: [],
      registry: () => gone,
    };
    const flux = async () => ({ text: "", sha256: "b".repeat(64), images: IMAGES });
    const helm = async () => "";
    await assert.rejects(
      updateLock({ ...options, flux, helm, log: () => {} }),
      /source-controller:v1\.9\.4 \(Flux\): /,
    );
  });

  it("is written in the same bytes again when nothing changed", async () => {
    await update(bootstrap);
    const path = join(folder, "mirror.dev.lock.json");
    const first = await readFile(path, "utf8");
    assert.deepEqual((await update(bootstrap)).changes, []);
    assert.equal(await readFile(path, "utf8"), first);
  });

  it("is not what it was when other manifests bear the same version", async () => {
    await update(bootstrap);
    assert.deepEqual((await update(bootstrap, { sha256: "c".repeat(64) })).changes, ["~ Flux 2.9.4: other manifests"]);
    const older: Lock = { version: 2, charts: [], images: [] };
    const flux = { version: "2.8.0", manifests: "d".repeat(64), images: [] };
    await writeFile(join(folder, "mirror.dev.lock.json"), JSON.stringify({ ...older, flux }));
    assert.equal((await update(bootstrap)).changes[0], "~ Flux 2.8.0 -> 2.9.4");
    assert.deepEqual(describeChanges({ ...older, flux }, older), ["- Flux 2.8.0"]);
  });
});
