import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "mocha";
import {
  ENGINE_TIMEOUT,
  type EngineEnvironment,
  engineEnvironment,
  ROOT,
  runPulumi,
  succeed,
  writeProject,
} from "../support/engine.ts";

/** Makes what things.json names; `{$secret}` is a secret, `{$of, $output}` an output of an earlier thing. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
const made = {};
const value = (given) => {
  if (given?.$secret !== undefined) return pulumi.secret(given.$secret);
  if (given?.$of !== undefined) return made[given.$of][given.$output];
  return given;
};
for (const [name, { type = "Thing", options = {}, ...given }] of Object.entries(JSON.parse(readFileSync("things.json", "utf8")))) {
  const inputs = Object.fromEntries(Object.entries(given).map(([key, item]) => [key, value(item)]));
  made[name] = new pulumi.CustomResource("test:index:" + type, name, { shout: undefined, token: undefined, ...inputs }, options);
}
`;

interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly delete?: boolean;
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
  readonly initErrors?: string[];
}

interface PreviewStep {
  readonly op: string;
  readonly urn: string;
  readonly detailedDiff?: Record<string, { kind: string; inputDiff: boolean }>;
  readonly replaceReasons?: string[];
}

describe("a provider under the real engine", () => {
  let engine: EngineEnvironment;
  let project: string;
  let store: string;
  let env: Record<string, string>;

  const pulumi = (...args: string[]) => succeed(project, args, env);
  const up = () => pulumi("up", "--yes", "--skip-preview");
  const failingUp = async () => {
    const { code, stdout, stderr } = await runPulumi(project, ["up", "--yes", "--skip-preview"], env);
    assert.notEqual(code, 0, "the update should have failed");
    return stdout + stderr;
  };
  const declare = (things: object) => writeFile(join(project, "things.json"), JSON.stringify(things));
  const stored = async (id: string) => JSON.parse(await readFile(join(store, `${id}.json`), "utf8")) as unknown;
  const state = async (): Promise<Record<string, StateResource>> => {
    const { deployment } = JSON.parse(await pulumi("stack", "export")) as {
      deployment: { resources?: StateResource[] };
    };
    const things = (deployment.resources ?? []).filter(({ type }) => type.startsWith("test:"));
    return Object.fromEntries(things.map((thing) => [nameOf(thing.urn), thing]));
  };
  const steps = async (): Promise<Record<string, PreviewStep>> => {
    const { steps } = JSON.parse(await pulumi("preview", "--json")) as { steps: PreviewStep[] };
    return Object.fromEntries(
      steps
        .filter(({ urn, op }) => urn.includes("test:index") && op !== "same")
        .map((step) => [nameOf(step.urn), step]),
    );
  };

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    store = join(engine.directory, "store");
    env = { ...engine.env, TEST_STORE: store };
    project = await writeProject(
      engine.directory,
      "things",
      { "index.ts": PROGRAM, "things.json": "{}" },
      { test: join(ROOT, "tests/plugin/testPlugin") },
    );
    await pulumi("stack", "init", "dev");
  });

  after(() => engine?.close());

  it("previews outputs that are known, and unknown ones as unknown", async () => {
    await declare({
      a: { name: "a", value: "x" },
      b: { name: "b", value: { $of: "a", $output: "shout" } },
      c: { name: "c", value: { $of: "a", $output: "token" } },
    });
    const output = await pulumi("preview", "--diff");
    assert.match(output, /Thing::b\]\s+name : "b"\s+value: "X"/);
    assert.match(output, /Thing::c\]\s+name : "c"\s+value: \[unknown\]/);
  });

  it("creates, keeps secrets encrypted, shows messages, and then finds nothing to do", async () => {
    await declare({
      a: { name: "a", value: "x", list: [1, 2], map: { "k.l": "old", same: true }, password: { $secret: "hush-hush" } },
      b: { name: "b", value: { $of: "a", $output: "shout" } },
      bare: { type: "Bare", size: 1 },
    });
    const output = await up();
    assert.match(output, /making a of test:index:Thing/);
    assert.deepEqual(await stored("b"), { name: "b", value: "X" });

    const { a, b } = await state();
    assert.equal(a?.id, "a");
    assert.equal(b?.outputs?.shout, "X");
    assert.deepEqual([a?.inputs?.password, a?.outputs?.password, a?.outputs?.token].map(isEncrypted), [
      true,
      true,
      true,
    ]);
    const text = JSON.stringify(await state());
    assert.equal(text.includes("hush-hush") || text.includes("token-of-a"), false);
    await pulumi("preview", "--expect-no-changes");
  });

  it("previews every changed path, and a replacement where the handler asks for one or has no update", async () => {
    await declare({
      a: { name: "a", value: "y", list: [1, 3, 4], map: { "k.l": "new" }, password: { $secret: "hush-hush" } },
      b: { name: "b2", value: "X" },
      bare: { type: "Bare", size: 2 },
    });
    const { a, b, bare } = await steps();
    assert.equal(a?.op, "update");
    assert.deepEqual(
      Object.fromEntries(Object.entries(a?.detailedDiff ?? {}).map(([path, { kind }]) => [path, kind])),
      { value: "update", "list[1]": "update", "list[2]": "add", 'map["k.l"]': "update", "map.same": "delete" },
    );
    assert.deepEqual(b?.replaceReasons, ["name"]);
    assert.deepEqual(b?.detailedDiff, { name: { kind: "update-replace", inputDiff: true } });
    assert.deepEqual(bare?.replaceReasons, ["size"]);
  });

  it("updates and replaces", async () => {
    await up();
    const { a, b } = await state();
    assert.equal(a?.outputs?.shout, "Y");
    assert.deepEqual(await stored("a"), {
      name: "a",
      value: "y",
      list: [1, 3, 4],
      map: { "k.l": "new" },
      password: "hush-hush",
    });
    assert.equal(b?.id, "b2");
    await assert.rejects(stored("b"), /ENOENT/);
  });

  it("shows no change of an ignored property", async () => {
    await declare({
      a: { name: "a", value: "z", list: [], options: { ignoreChanges: ["value", "list", "map", "password"] } },
      b: { name: "b2", value: "X" },
      bare: { type: "Bare", size: 2 },
    });
    await pulumi("preview", "--expect-no-changes");
  });

  it("takes drift and a vanished resource into the state on refresh", async () => {
    await writeFile(join(store, "a.json"), JSON.stringify({ name: "a", value: "drifted", password: "hush-hush" }));
    await writeFile(join(store, "b2.json"), "gone");
    await pulumi("refresh", "--yes", "--skip-preview");
    const { a, b } = await state();
    assert.equal(a?.inputs?.value, "drifted");
    assert.equal(a?.outputs?.shout, "DRIFTED");
    assert.equal(isEncrypted(a?.inputs?.password), true);
    assert.equal(b, undefined);
  });

  it("deletes", async () => {
    await declare({});
    await up();
    assert.deepEqual(await state(), {});
    await assert.rejects(stored("a"), /ENOENT/);
  });

  it("imports by id", async () => {
    await writeFile(join(store, "there.json"), JSON.stringify({ name: "there", value: "v" }));
    await pulumi("import", "test:index:Thing", "d", "there", "--yes", "--protect=false", "--generate-code=false");
    assert.deepEqual((await state()).d?.inputs, { name: "there", value: "v" });
    await declare({ d: { name: "there", value: "v" } });
    await pulumi("preview", "--expect-no-changes");
  });

  it("keeps what was only partly made, and finishes it with the next update", async () => {
    await declare({ e: { name: "e", value: "half", password: { $secret: "hush-hush" } } });
    assert.match(await failingUp(), /it never became ready/);
    const { e } = await state();
    assert.equal(e?.id, "e");
    assert.deepEqual(e?.initErrors, ["it never became ready"]);
    assert.equal(isEncrypted(e?.outputs?.password), true);
    await declare({ e: { name: "e", value: "whole", password: { $secret: "hush-hush" } } });
    assert.match(await up(), /Thing e updated/);
    assert.equal((await state()).e?.initErrors, undefined);
  });

  it("says in one message what failed and why, for every resource", async () => {
    await declare({
      e: { name: "e", value: "whole", password: { $secret: "hush-hush" } },
      refused: { value: "refuse" },
      late: { value: "wait", options: { customTimeouts: { create: "1s" } } },
    });
    const output = await failingUp();
    assert.match(output, /Thing \(refused\):\s+making refused[^\n]*\s+error: the cloud refuses: no quota\n/);
    assert.match(output, /error: not done within its timeout of 1 s\n/);
    assert.doesNotMatch(output, /\bat .*\.ts:\d+/);
  });

  it("names the property that has a fault, and refuses a type that it does not have", async () => {
    await declare({ wrong: { value: "" } });
    const output = await failingUp();
    assert.match(output, /wrong.* has a problem: value "" is empty: give at least one letter/);
    await declare({ other: { type: "Other" } });
    assert.match(await failingUp(), /provider test 1\.2\.3 has no resource type test:index:Other/);
  });

  describe("replaces what its successor owns", () => {
    const urn = "urn:pulumi:dev::things::test:index:Shared::s";
    /** Who followed those that were deleted since this was last asked. */
    const followed = async () => {
      const file = join(store, "followed");
      const lines = existsSync(file) ? (await readFile(file, "utf8")).trim().split("\n") : [];
      await rm(file, { force: true });
      return lines;
    };
    /** Every instance that the state has, what lives first. */
    const instances = async () => {
      const { deployment } = JSON.parse(await pulumi("stack", "export")) as {
        deployment: { resources?: StateResource[] };
      };
      return (deployment.resources ?? []).filter(({ type }) => type === "test:index:Shared");
    };

    /** Replaces it, and kills the engine, and all that it started, before the old one is deleted. */
    const interrupt = async (...options: string[]) => {
      await writeFile(join(store, "hold"), "");
      await rm(join(store, "held"), { force: true });
      const args = ["up", "--yes", "--skip-preview", "--non-interactive", ...options];
      const engine = spawn("pulumi", args, { cwd: project, env, stdio: "ignore", detached: true });
      const exit = once(engine, "exit");
      while (!existsSync(join(store, "held"))) await new Promise((resolve) => setTimeout(resolve, 50));
      process.kill(-(engine.pid ?? Number.NaN), "SIGKILL");
      await exit;
      await Promise.all([rm(join(store, "hold")), followed()]);
      await pulumi("cancel", "--yes");
      const [, old] = await instances();
      assert.equal(old?.delete, true);
    };

    beforeEach(async () => {
      await declare({ s: { type: "Shared", name: "s", value: "v" } });
      await up();
      assert.equal((await instances()).length, 1);
      await followed();
    });

    it("with --replace: the old one's delete learns what lives", async () => {
      const [before] = await instances();
      await pulumi("up", "--yes", "--skip-preview", "--replace", urn);
      assert.deepEqual(await followed(), ["s"]);
      const [now, ...more] = await instances();
      assert.notEqual(now?.outputs?.instance, before?.outputs?.instance);
      assert.deepEqual(more, []);
      assert.deepEqual(await stored("s"), { name: "s", value: "v" });
    });

    it("with --target-replace, which looks at nothing else", async () => {
      await pulumi("up", "--yes", "--skip-preview", "--target-replace", urn);
      assert.deepEqual(await followed(), ["s"]);
      assert.deepEqual(await stored("s"), { name: "s", value: "v" });
    });

    it("by a setting: nothing that the old one alone had is left", async () => {
      await declare({ s: { type: "Shared", name: "s2", value: "v" } });
      await up();
      assert.deepEqual(await followed(), ["s2"]);
      await assert.rejects(stored("s"), /ENOENT/);
      assert.deepEqual(await stored("s2"), { name: "s2", value: "v" });
    });

    it("after kill -9 between the new one's create and the old one's delete", async () => {
      await interrupt("--replace", urn);
      await up();
      assert.deepEqual(await followed(), ["s"]);
      assert.deepEqual(await stored("s"), { name: "s", value: "v" });
      assert.equal((await instances()).length, 1);
    });

    it("after kill -9, when what is not meant is left for later, and the target is compared first", async () => {
      await declare({ s: { type: "Shared", name: "s", value: "v" }, t: { name: "t", value: "v" } });
      await interrupt("--replace", urn);
      await pulumi("up", "--yes", "--skip-preview", "--target", urn.replace("Shared::s", "Thing::t"));
      assert.deepEqual(await followed(), []);
      assert.equal((await instances()).length, 2);
      await pulumi("up", "--yes", "--skip-preview", "--target", urn);
      assert.deepEqual(await followed(), ["s"]);
      assert.deepEqual(await stored("s"), { name: "s", value: "v" });
    });

    for (const options of [[], ["--run-program"]]) {
      it(`destroys both after kill -9: ${["destroy", ...options].join(" ")}`, async () => {
        await interrupt("--replace", urn);
        await pulumi("destroy", "--yes", "--skip-preview", ...options);
        assert.deepEqual(await followed(), ["nothing", "nothing"]);
        await assert.rejects(stored("s"), /ENOENT/);
        assert.deepEqual(await instances(), []);
      });

      it(`destroys what lives after an up: ${["destroy", ...options].join(" ")}`, async () => {
        await pulumi("destroy", "--yes", "--skip-preview", ...options);
        assert.deepEqual(await followed(), ["nothing"]);
        await assert.rejects(stored("s"), /ENOENT/);
      });
    }

    it("removes it when it leaves the program, and both after kill -9", async () => {
      await interrupt("--replace", urn);
      await declare({});
      await up();
      assert.deepEqual(await followed(), ["nothing", "nothing"]);
      await assert.rejects(stored("s"), /ENOENT/);
    });

    it("after the new one was made only in part, with --continue-on-error too", async () => {
      await declare({ s: { type: "Shared", name: "s", value: "half" } });
      const args = ["up", "--yes", "--skip-preview", "--continue-on-error", "--replace", urn];
      const { code, stdout } = await runPulumi(project, args, env);
      assert.notEqual(code, 0, stdout);
      assert.deepEqual(await followed(), []);
      await declare({ s: { type: "Shared", name: "s", value: "whole" } });
      await up();
      assert.deepEqual(await followed(), ["s"]);
      assert.deepEqual(await stored("s"), { name: "s", value: "whole" });
    });
  });
});

function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

function isEncrypted(value: unknown): boolean {
  return typeof value === "object" && value !== null && "ciphertext" in value;
}
