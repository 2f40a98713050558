import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";

const MAIN = join(import.meta.dirname, "../../../delivery/review/main.ts");

/** `npm run review` with arguments, where there is no project. */
const review = (...args: string[]) =>
  new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { cwd: tmpdir() }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });

describe("npm run review", () => {
  it("says what is wrong with its use, and how it is used", async () => {
    for (const [args, word] of [
      [[], "Say which stack: --stack STACK"],
      [["--stack", ""], "Say which stack: --stack STACK"],
      [["--stack", "prod", "--format", "html"], "--format html: it is one of markdown, text, json"],
      [["--stack", "prod", "--fast"], "Unknown option '--fast'"],
      [["--stack", "prod", "dev"], "Unexpected argument 'dev'"],
    ] as const) {
      const { code, stdout, stderr } = await review(...args);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.ok(stderr.startsWith(word), stderr);
      assert.match(stderr, /\n\nnpm run review -- --stack STACK \[--format FORMAT\] \[--project FOLDER\]\n/);
    }
  });

  it("says how it is used where that is asked", async () => {
    const { code, stdout, stderr } = await review("--help");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^npm run review -- --stack STACK .*\n[\s\S]*The exit status is 0 /);
  });

  it("fails where there is no project", async () => {
    const { code, stdout, stderr } = await review("--stack", "prod");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /holds no Pulumi\.yaml\. Name the project's folder: --project FOLDER\n$/);
  });
});
