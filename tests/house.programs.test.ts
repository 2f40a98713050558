import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";

const checkout = resolve(import.meta.dirname, "..");
const bin = (name: string) => join(checkout, "node_modules", ".bin", name);

/** What a command prints where it fails, and nothing where it succeeds. */
async function complaint(command: string, args: string[]): Promise<string> {
  try {
    await promisify(execFile)(command, args, { cwd: checkout, maxBuffer: 2 ** 26 });
    return "";
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `${stdout}${stderr}`;
  }
}

describe("the sources", () => {
  it("have no type error", async () => {
    assert.equal(await complaint(bin("tsc"), ["--noEmit"]), "");
  });

  it("are formatted, and the linter finds nothing", async () => {
    assert.equal(
      await complaint(bin("biome"), [
        "ci",
        "--error-on-warnings",
        "--diagnostic-level=warn",
        "--colors=off",
        "--max-diagnostics=20",
        ".",
      ]),
      "",
    );
  });
});
