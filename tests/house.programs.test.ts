import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";

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

/** What is against the order of the rooms in a folder's program and rooms: rule, from and to. */
async function arrowsAgainst(folder: string): Promise<string[]> {
  const rooms = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
    .map(({ name }) => name);
  const config = ["--config", ".dependency-cruiser.json", "--output-type=json"];
  const args = [bin("depcruise"), ...config, "index.ts", ...rooms];
  // As JSON it is told with success, whatever it is.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 });
  const { violations } = (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary;
  return violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`).sort();
}

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
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

  it("have no import in a circle, and none against the order of the rooms", async () => {
    assert.deepEqual(await arrowsAgainst(checkout), []);
  });
});

describe("the order of the rooms", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "rooms-"));
    for (const name of [".dependency-cruiser.json", "tsconfig.json", "package.json"])
      copyFileSync(join(checkout, name), join(folder, name));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Writes modules that import others, and tells what is against the order in them. */
  async function refused(imports: Readonly<Record<string, readonly string[]>>): Promise<string[]> {
    for (const entry of readdirSync(folder)) if (!entry.includes(".")) rmSync(join(folder, entry), { recursive: true });
    const imported = Object.values(imports).flat();
    for (const path of new Set(["index.ts", ...Object.keys(imports), ...imported])) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      const up = "../".repeat(path.split("/").length - 1) || "./";
      // A type that is imported is an arrow too.
      const lines = (imports[path] ?? []).map((to, at) => `import type { T as T${at} } from "${up}${to}";\n`);
      writeFileSync(join(folder, path), `${lines.join("")}export type T = ${lines.length};\n`);
    }
    return arrowsAgainst(folder);
  }

  it("lets the arrows of the design pass", async () => {
    const imports = {
      "index.ts": ["settings/a.ts", "components/a.ts"],
      "settings/a.ts": ["components/defaults.ts", "components/cluster/names.ts", "net/a.ts"],
      "components/a.ts": ["provider/sdk/a.ts", "mirror/a.ts", "flux/a.ts", "net/a.ts", "components/defaults.ts"],
      "provider/a.ts": ["provider/sdk/a.ts", "plugin/a.ts", "net/a.ts", "flux/a.ts", "tools/a.ts"],
      "mirror/a.ts": ["net/a.ts", "flux/a.ts", "tools/a.ts", "settings/a.ts"],
      "flux/a.ts": ["tools/a.ts"],
      "plugin/a.ts": ["net/a.ts"],
      "tools/a.ts": ["net/a.ts"],
      "rehearsal/a.ts": ["index.ts", "components/a.ts", "provider/sdk/a.ts", "tools/a.ts"],
      "rehearsal/cloud/a.ts": ["net/a.ts"],
      "rehearsal/cluster/a.ts": ["rehearsal/cloud/a.ts", "net/a.ts", "tools/a.ts"],
      "rehearsal/providers/a.ts": ["plugin/a.ts", "net/a.ts"],
      "tests/a.ts": ["rehearsal/a.ts", "index.ts"],
    };
    assert.deepEqual(await refused(imports), []);
  });

  it("refuses every other one", async () => {
    const imports = {
      "components/a.ts": ["provider/a.ts", "settings/a.ts", "tools/a.ts"],
      "flux/a.ts": ["net/a.ts"],
      "index.ts": ["mirror/a.ts"],
      "mirror/b.ts": ["provider/a.ts"],
      "net/a.ts": ["mirror/a.ts"],
      "plugin/a.ts": ["provider/a.ts"],
      "provider/b.ts": ["settings/a.ts", "rehearsal/a.ts"],
      "settings/b.ts": ["components/cluster/b.ts"],
      "somewhere/a.ts": ["net/a.ts"],
      "tools/a.ts": ["tests/a.ts"],
    };
    assert.deepEqual(
      await refused(imports),
      Object.entries(imports).flatMap(([from, to]) => [...to].sort().map((one) => `not-in-allowed: ${from} → ${one}`)),
    );
  });

  it("refuses a plugin's SDK that needs the plugin, and a simulated cloud that knows the product", async () => {
    const imports = {
      "provider/sdk/a.ts": ["provider/a.ts", "plugin/a.ts"],
      "rehearsal/providers/a.ts": ["provider/a.ts", "rehearsal/cloud/a.ts"],
      "rehearsal/cluster/a.ts": ["components/a.ts"],
    };
    assert.deepEqual(await refused(imports), [
      "cloud-knows-no-product: rehearsal/cluster/a.ts → components/a.ts",
      "sdk-alone: provider/sdk/a.ts → plugin/a.ts",
      "sdk-alone: provider/sdk/a.ts → provider/a.ts",
      "stand-ins-of-the-kit: rehearsal/providers/a.ts → provider/a.ts",
      "stand-ins-of-the-kit: rehearsal/providers/a.ts → rehearsal/cloud/a.ts",
    ]);
  });

  it("refuses a circle, within a room too", async () => {
    assert.deepEqual(await refused({ "net/a.ts": ["net/b.ts"], "net/b.ts": ["net/c.ts"], "net/c.ts": ["net/b.ts"] }), [
      "no-cycle: net/b.ts → net/c.ts",
    ]);
  });
});
