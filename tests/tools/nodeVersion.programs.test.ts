// What a user is told whose Node is too old for the program.
import { strict as assert } from "node:assert";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { parse } from "yaml";
import { findTool } from "../../tools/findTool.ts";
import { ENGINE_TIMEOUT, type EngineEnvironment, engineEnvironment, ROOT, runPulumi } from "../support/engine.ts";

const GUARD = join(ROOT, "tools/nodeVersion.cjs");

/** What Node says of a program that prints "loaded" when the guard is told that it runs on a version. */
async function guarded(folder: string, version: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ["--require", posing(folder, version), "--require", GUARD, "--eval", "console.log('loaded')"];
  return promisify(execFile)(process.execPath, args).then(
    (ran) => ({ code: 0, ...ran }),
    (error) => error,
  );
}

/** A script that makes this Node pose as another version. */
function posing(folder: string, version: string): string {
  const file = join(folder, `pose-${version}.cjs`);
  const versions = JSON.stringify({ ...process.versions, node: version });
  writeFileSync(file, `Object.defineProperty(process, "versions", { value: ${versions} });\n`);
  return file;
}

/**
 * A folder with a language host that knows the options of Pulumi.yaml. Since 3.68, the last one that Go builds, engines
 * have passed them in a call that it does not know; by arguments, as the engines of its time did, it takes them.
 */
async function languageHost(folder: string): Promise<string> {
  const { runtime } = parse(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8"));
  const options = `-typescript=${runtime.options.typescript} '-nodeargs=${runtime.options.nodeargs}'`;
  const host = await findTool("pulumi-language-nodejs");
  const place = join(folder, "host");
  mkdirSync(place);
  writeFileSync(join(place, "pulumi-language-nodejs"), `#!/bin/sh\nexec '${host}' ${options} "$@"\n`, { mode: 0o755 });
  return place;
}

/** A folder with a `node` below 24: the machine's own, where it has one, else this one that poses as such. */
function oldNode(folder: string): string {
  for (const candidate of (process.env.PATH ?? "").split(delimiter)) {
    try {
      const version = execFileSync(join(candidate, "node"), ["--version"], { encoding: "utf8" });
      if (Number(/^v(\d+)\./.exec(version)?.[1]) < 24) return candidate;
    } catch {
      // There is none, or it does not run here.
    }
  }
  const script = `#!/bin/sh\nexec '${process.execPath}' --require '${posing(folder, "20.20.2")}' "$@"\n`;
  writeFileSync(join(folder, "node"), script, { mode: 0o755 });
  return folder;
}

describe("a Node that is too old", () => {
  let engine: EngineEnvironment;
  let project: string;
  let host: string;

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    host = await languageHost(engine.directory);
    project = join(engine.directory, "a project");
    mkdirSync(project);
    for (const name of readdirSync(ROOT))
      if (!/^(Pulumi\.[^.]+\.yaml|\..*)$/.test(name)) symlinkSync(join(ROOT, name), join(project, name));
    await runPulumi(project, ["stack", "init", "empty"], engine.env);
  });

  after(() => engine.close());

  const preview = (folder: string, path: string) =>
    runPulumi(folder, ["preview", "--stack", "empty"], {
      ...engine.env,
      PATH: [path, host, engine.env.PATH].join(delimiter),
    });

  it("is refused with what is needed and how to get it, from Node 24 on not", async () => {
    for (const version of ["18.20.8", "20.20.2", "23.11.1"]) {
      const { code, stdout, stderr } = await guarded(engine.directory, version);
      assert.equal(code, 32);
      assert.equal(stdout, "");
      assert.ok(stderr.startsWith(`aks-gitops needs Node.js 24 or newer, but this is ${version} (`), stderr);
      assert.match(stderr, /nodejs\.org.*PATH="\$PWD\/node_modules\/\.bin:\$PATH" pulumi up\n$/);
    }
    for (const version of ["24.0.0", "26.1.0"])
      assert.deepEqual(await guarded(engine.directory, version), { code: 0, stdout: "loaded\n", stderr: "" });
  });

  it("ends pulumi with that message alone, and the program is not loaded", async () => {
    const { code, stdout, stderr } = await preview(project, oldNode(engine.directory));
    const said = stdout + stderr;
    assert.notEqual(code, 0);
    assert.match(said, /aks-gitops needs Node\.js 24 or newer, but this is \d+\.\d+\.\d+ \(.*node\)/);
    assert.doesNotMatch(said, /ERR_|at .*\.js:\d+|non-zero exit code|aks-gitops:deployers/);
  });

  it("is no matter where a newer one comes first, wherever in the project pulumi is called", async () => {
    const below = join(project, "a folder");
    mkdirSync(below);
    for (const folder of [project, below]) {
      const { stdout, stderr } = await preview(folder, join(ROOT, "node_modules/.bin"));
      // The program was loaded: it is the settings that it finds fault with.
      assert.match(stdout + stderr, /aks-gitops:deployers/);
      assert.doesNotMatch(stdout + stderr, /needs Node\.js/);
    }
  });
});
