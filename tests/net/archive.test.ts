import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { createGzip, gzipSync } from "node:zlib";
import { describe, it } from "mocha";
import { pack } from "tar-stream";
import { readTar, readTarGz } from "../../net/archive.ts";
import { tar } from "../../rehearsal/content/archive.ts";

/** A packed archive with one file of so many zeros, which is never in memory as a whole. */
async function zeros(size: number): Promise<Buffer> {
  const [header = Buffer.alloc(0)] = await tarHeader(size);
  function* content() {
    yield header;
    const block = Buffer.alloc(1024 ** 2);
    for (let at = 0; at < size; at += block.length) yield block;
    yield Buffer.alloc(1024);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of Readable.from(content()).pipe(createGzip({ level: 1 }))) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function tarHeader(size: number): Promise<Buffer[]> {
  const archive = pack();
  archive.entry({ name: "chart/values.yaml", size });
  for await (const chunk of archive) return [chunk as Buffer];
  return [];
}

const LONG = `chart/${"a-long-folder-name/".repeat(12)}über.yaml`;

describe("readTarGz", () => {
  for (const format of ["ustar", "gnu", "pax"]) {
    it(`reads what the system's tar writes as ${format}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "aks-gitops-tar-"));
      try {
        const files: Record<string, string> = {
          "chart/Chart.yaml": "name: chart\n",
          "chart/empty": "",
          "chart/big": "x".repeat(70_000),
        };
        if (format !== "ustar") files[LONG] = "long";
        for (const [path, text] of Object.entries(files)) {
          await mkdir(dirname(join(folder, path)), { recursive: true });
          await writeFile(join(folder, path), text);
        }
        await symlink("Chart.yaml", join(folder, "chart/link"));
        await promisify(execFile)("tar", [`--format=${format}`, "-czf", "a.tgz", "./chart"], { cwd: folder });
        const read = await readTarGz(await readFile(join(folder, "a.tgz")));
        assert.deepEqual(Object.fromEntries(read.map(({ path, content }) => [path, content.toString()])), files);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }

  it("refuses an archive that is cut short or damaged", async () => {
    const whole = tar([{ path: "a", body: Buffer.alloc(600, "x") }]);
    assert.equal((await readTar(whole))[0]?.content.length, 600);
    await assert.rejects(readTar(whole.subarray(0, 1024)), /ends inside the file at byte 0/);
    await assert.rejects(readTar(whole.subarray(0, 1536)), /no end mark/);
    const damaged = Buffer.from(whole);
    damaged[0] = 1;
    await assert.rejects(readTar(damaged), /the header at byte 0 has a wrong checksum/);
    const second = tar([
      { path: "a", body: Buffer.alloc(600, "x") },
      { path: "b", body: Buffer.alloc(600, "x") },
    ]);
    await assert.rejects(readTar(second.subarray(0, 2560)), /ends inside the file at byte 1536/);
    second[1536] = 1;
    await assert.rejects(readTar(second), /the header at byte 1536 has a wrong checksum/);
    await assert.rejects(readTarGz(whole), /incorrect header check/);
    await assert.rejects(readTarGz(gzipSync(whole).subarray(0, 60)), /unexpected end of file/);
  });

  it("stops at the allowance of a bomb, long before it is unpacked", async () => {
    const bomb = await zeros(400 * 1024 ** 2);
    assert.ok(bomb.length < 4 * 1024 ** 2, "the bomb is small as long as it is packed");
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 20);
    try {
      await assert.rejects(readTarGz(bomb), /^Error: The archive unpacks to more than 104857600 bytes: no chart is/);
    } finally {
      clearInterval(watch);
    }
    assert.ok(most - before < 300 * 1024 ** 2, `${most - before} bytes of memory`);
  });

  it("takes as many entries as the allowance has, and shares it between archives", async () => {
    const archive = tar([1, 2, 3].map((number) => ({ path: `${number}`, body: Buffer.from("x") })));
    const allowance = { bytes: 1_000_000, entries: 5 };
    assert.equal((await readTar(archive, allowance)).length, 3);
    await assert.rejects(readTar(archive, allowance), /^Error: The archive has more than 2 entries: no chart has/);
    assert.deepEqual(await readTar(archive, { bytes: archive.length, entries: 3 }), await readTar(archive));
    await assert.rejects(readTar(archive, { bytes: archive.length - 1, entries: 3 }), /unpacks to more than/);
  });
});
