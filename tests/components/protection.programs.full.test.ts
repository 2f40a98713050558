import { strict as assert } from "node:assert";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import {
  ENGINE_TIMEOUT,
  type EngineEnvironment,
  engineEnvironment,
  ROOT,
  runPulumi,
  succeed,
  writeProject,
} from "../support/engine.ts";

/** Things below components of components, and a Protection of them all. */
const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Protection } from ${JSON.stringify(join(ROOT, "components/protection.ts"))};

class Thing extends pulumi.CustomResource {
  constructor(name, opts) {
    super("test:index:Thing", name, { name, value: "x", shout: undefined, token: undefined }, opts);
  }
}
class Inner extends pulumi.ComponentResource {
  constructor(name, opts) {
    super("test:index:Inner", name, {}, opts);
    new Thing(name + "-leaf", { parent: this });
  }
}
class Outer extends pulumi.ComponentResource {
  constructor(name, opts) {
    super("test:index:Outer", name, {}, opts);
    new Inner(name + "-inner", { parent: this });
    new Thing(name + "-thing", { parent: this });
  }
}
const config = new pulumi.Config();
const resources = [new Thing("first"), new Outer("outer"), ...(config.getBoolean("more") ? [new Thing("more")] : [])];
new Protection("protection", { protect: config.requireBoolean("protect"), resources });
`;

const THINGS = ["first", "more", "outer-inner-leaf", "outer-thing"];

describe("Protection under the real engine", () => {
  let engine: EngineEnvironment;
  let project: string;
  let env: Record<string, string>;

  const pulumi = (...args: string[]) => succeed(project, args, env);
  const up = async (settings: Record<string, boolean>) => {
    for (const [name, value] of Object.entries(settings)) await pulumi("config", "set", name, String(value));
    await pulumi("up", "--yes", "--skip-preview");
  };
  const refused = async (...args: string[]) => {
    const { code, stdout, stderr } = await runPulumi(project, ["destroy", "--yes", "--skip-preview", ...args], env);
    assert.notEqual(code, 0, stdout);
    return stdout + stderr;
  };
  const inCloud = async () => (await readdir(env.TEST_STORE ?? "")).map((file) => file.replace(".json", "")).sort();
  const inState = async () => {
    const { deployment } = JSON.parse(await pulumi("stack", "export")) as {
      deployment: { resources?: { urn: string; type: string }[] };
    };
    const things = (deployment.resources ?? []).filter(({ type }) => type === "test:index:Thing");
    return things.map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2)).sort();
  };

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    env = { ...engine.env, TEST_STORE: join(engine.directory, "store") };
    const plugins = { test: join(ROOT, "tests/plugin/testPlugin") };
    project = await writeProject(engine.directory, "things", { "index.ts": PROGRAM }, plugins);
    await pulumi("stack", "init", "dev");
  });

  after(() => engine?.close());

  it("is what a destroy comes to first, so that nothing is deleted", async () => {
    await up({ protect: true, more: true });
    for (const more of [[], ["--continue-on-error"]]) {
      assert.match(await refused(...more), /Protection::protection" cannot be deleted\s+because it is protected/);
      assert.deepEqual([await inState(), await inCloud()], [THINGS, THINGS]);
    }
    const without = await pulumi("destroy", "--yes", "--skip-preview", "--exclude-protected");
    assert.match(without, /There were no unprotected resources to destroy/);
  });

  it("is in the way of a destroy of one resource", async () => {
    const first = "urn:pulumi:dev::things::test:index:Thing::first";
    assert.match(
      await refused("--target", first),
      /index:Protection::protection' will be destroyed but was not specified/,
    );
    assert.match(await refused("--target", first, "--target-dependents"), /because it is protected/);
    assert.deepEqual(await inState(), THINGS);
  });

  it("lets an update delete what the program has no more", async () => {
    await up({ more: false });
    const fewer = THINGS.filter((name) => name !== "more");
    assert.deepEqual([await inState(), await inCloud()], [fewer, fewer]);
  });

  it("goes with the setting, and is in nobody's way then", async () => {
    await up({ protect: false });
    await pulumi("destroy", "--yes", "--skip-preview", "--target", "urn:pulumi:dev::things::test:index:Thing::first");
    assert.deepEqual(await inState(), ["outer-inner-leaf", "outer-thing"]);
    await pulumi("destroy", "--yes", "--skip-preview");
    assert.deepEqual([await inState(), await inCloud()], [[], []]);
  });
});
