import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { gunzipSync } from "node:zlib";
import { describe, it } from "mocha";
import { readTarGz } from "../../../net/archive.ts";
import { gzip, tar } from "../../../rehearsal/content/archive.ts";

const FILES = [
  { path: "a/empty", body: Buffer.alloc(0) },
  { path: "a/exact", body: Buffer.alloc(512, "x") },
  { path: "b.txt", body: Buffer.from("text\n") },
];

describe("Archives of the rehearsal's content", () => {
  it("are read by tar, with fixed owner, mode and time", () => {
    const { stdout, status } = spawnSync("tar", ["-tzv", "--utc", "--full-time", "--numeric-owner", "-f", "-"], {
      input: gzip(tar(FILES)),
      encoding: "utf8",
    });
    assert.equal(status, 0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/).join(" "));
    assert.deepEqual(lines, [
      "-rw-r--r-- 0/0 0 2026-01-01 00:00:00 a/empty",
      "-rw-r--r-- 0/0 512 2026-01-01 00:00:00 a/exact",
      "-rw-r--r-- 0/0 5 2026-01-01 00:00:00 b.txt",
    ]);
  });

  it("give back what was put in, whatever the size", async () => {
    assert.deepEqual(
      (await readTarGz(gzip(tar(FILES)))).map(({ path, content }) => ({ path, body: Buffer.from(content) })),
      FILES,
    );
    for (const size of [0, 1, 0xfffe, 0xffff, 0x10000, 0x1ffff]) {
      const body = Buffer.alloc(size, "content ");
      assert.deepEqual(gunzipSync(gzip(body)), body, `${size} bytes`);
    }
  });

  it("refuse a path that does not fit", () => {
    assert.throws(() => tar([{ path: "x".repeat(101), body: Buffer.alloc(0) }]), /longer than the 100 bytes/);
  });
});
