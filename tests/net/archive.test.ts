import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { readTar, readTarGz } from "../../net/archive.ts";
import { tar } from "../../rehearsal/content/archive.ts";

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
        const read = readTarGz(await readFile(join(folder, "a.tgz")));
        assert.deepEqual(Object.fromEntries(read.map(({ path, content }) => [path, content.toString()])), files);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }

  it("refuses an archive that is cut short or damaged", () => {
    const whole = tar([{ path: "a", body: Buffer.alloc(600, "x") }]);
    assert.equal(readTar(whole)[0]?.content.length, 600);
    assert.throws(() => readTar(whole.subarray(0, 1024)), /ends inside the file at byte 0/);
    assert.throws(() => readTar(whole.subarray(0, 1536)), /no end mark/);
    const damaged = Buffer.from(whole);
    damaged[0] = 1;
    assert.throws(() => readTar(damaged), /the header at byte 0 has a wrong checksum/);
  });
});
