import { strict as assert } from "node:assert";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { helmIdentity, type Kept, RenderingCache } from "../../mirror/renderingCache.ts";

const kept = (text: string): Kept => ({ documents: [[text, { kind: text }]] });

describe("the renderings of earlier runs", () => {
  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "aks-gitops-renderings-"));
    folder = join(root, "renderings");
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const files = async () => (await readdir(folder)).map((name) => join(folder, name));

  it("are told apart by all that they depend on, whatever its order", async () => {
    const cache = new RenderingCache(folder);
    await cache.put({ chart: "a", values: { one: 1, two: 2 } }, kept("first"));
    await cache.put({ chart: "a", values: { one: 1 } }, { refused: "no" });
    assert.deepEqual(await cache.get({ values: { two: 2, one: 1 }, chart: "a" }), kept("first"));
    assert.deepEqual(await cache.get({ chart: "a", values: { one: 1 } }), { refused: "no" });
    assert.equal(await cache.get({ chart: "b", values: { one: 1 } }), undefined);
  });

  it("are for one's own eyes: charts make passwords", async () => {
    await new RenderingCache(folder).put("it", kept("first"));
    for (const file of await files()) assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
  });

  it("are made again where a file is damaged, cut off, or holds something else", async () => {
    const cache = new RenderingCache(folder);
    await cache.put("it", kept("first"));
    const [file = ""] = await files();
    const whole = await readFile(file);
    const flipped = Buffer.from(whole);
    flipped.writeUInt8(whole.readUInt8(14) ^ 0xff, 14);
    for (const damaged of [flipped, whole.subarray(0, 20), Buffer.alloc(0), Buffer.from("text")]) {
      await writeFile(file, damaged);
      assert.equal(await cache.get("it"), undefined);
    }
    await cache.put("other", { documents: "none" } as unknown as Kept);
    assert.equal(await cache.get("other"), undefined);
    await cache.put("it", kept("again"));
    assert.deepEqual(await cache.get("it"), kept("again"));
  });

  it("are whole while several write at once", async () => {
    const text = "x".repeat(100_000);
    const caches = Array.from({ length: 8 }, () => new RenderingCache(folder));
    const reads = Promise.all(caches.map((cache) => cache.get("it")));
    await Promise.all(caches.map((cache) => cache.put("it", kept(text))));
    for (const read of await reads)
      assert.ok(read === undefined || JSON.stringify(read) === JSON.stringify(kept(text)));
    assert.deepEqual(await caches[0]?.get("it"), kept(text));
    assert.equal((await files()).length, 1);
  });

  it("take a limited room, and what was not used for longest goes first", async () => {
    const cache = new RenderingCache(folder);
    const times = new Map([
      ["old", 1_000],
      ["used", 2_000],
      ["new", 3_000],
    ]);
    for (const [name, time] of times) {
      const before = new Set(await files().catch(() => []));
      await cache.put(name, kept(name));
      for (const file of await files()) if (!before.has(file)) await utimes(file, time, time);
    }
    await cache.get("old");
    const sizes = await Promise.all((await files()).map(async (file) => (await stat(file)).size));
    const small = new RenderingCache(folder, sizes.reduce((sum, size) => sum + size, 0) - 1);
    await small.trim();
    assert.equal((await files()).length, 3, "nothing was written, so nothing has to go");
    await small.put("new", kept("new"));
    await small.trim();
    assert.deepEqual(await cache.get("old"), kept("old"));
    assert.equal(await cache.get("used"), undefined);
    assert.deepEqual(await cache.get("new"), kept("new"));
  });

  it("fail nothing where they cannot be kept", async () => {
    await writeFile(folder, "no folder");
    const cache = new RenderingCache(folder);
    await cache.put("it", kept("first"));
    assert.equal(await cache.get("it"), undefined);
    await cache.trim();
  });

  it("are of one Helm, which is another once its file is", async () => {
    const helm = join(root, "helm");
    await writeFile(helm, "one");
    const one = await helmIdentity(helm);
    assert.equal(await helmIdentity(helm), one);
    await writeFile(helm, "another");
    assert.notEqual(await helmIdentity(helm), one);
  });
});
