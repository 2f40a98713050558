import { strict as assert } from "node:assert";
import { exec, execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import type { Review } from "../../../delivery/review/model.ts";
import { makeReview } from "../../../delivery/review/review.ts";
import {
  ENGINE_TIMEOUT,
  type EngineEnvironment,
  engineEnvironment,
  ROOT,
  succeed,
  writeProject,
} from "../../support/engine.ts";

/** Makes what things.json names, each after the one before; `fault` ends the program. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
const word = new pulumi.Config("things").requireSecret("word");
const { fault, ...things } = JSON.parse(readFileSync("things.json", "utf8"));
let last = [];
for (const [name, inputs] of Object.entries(things))
  last = [new pulumi.CustomResource("test:index:Thing", name, { shout: undefined, word, ...inputs }, { dependsOn: last })];
if (fault) word.apply((plain) => { throw new Error(fault + " " + plain); });
`;
const WORD = "correct horse battery staple";

describe("the review of the real engine", () => {
  let engine: EngineEnvironment;
  let project: string;
  let original: NodeJS.ProcessEnv;
  const lines: string[] = [];

  const declare = (things: object) => writeFile(join(project, "things.json"), JSON.stringify(things));
  const pulumi = (...args: string[]) => succeed(project, args, engine.env);
  const up = () => makeReview({ stack: "prod", project, operation: "up", onOutput: (line) => lines.push(line) });

  /** `npm run review` of the stack. */
  const review = (...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      const command = [join(ROOT, "delivery/review/main.ts"), "--project", project, ...args];
      execFile(process.execPath, command, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
  const data = async () => {
    const { code, stdout } = await review("--stack", "prod", "--format", "json");
    return { code, review: JSON.parse(stdout) as Review };
  };

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    original = { ...process.env };
    Object.assign(process.env, engine.env, { TEST_STORE: join(engine.directory, "store") });
    const plugins = { test: join(ROOT, "tests/plugin/testPlugin") };
    const scripts = { review: `node ${join(ROOT, "delivery/review/main.ts")}` };
    const files = {
      "index.ts": PROGRAM,
      "things.json": "{}",
      "package.json": JSON.stringify({ name: "things", private: true, type: "module", scripts }),
    };
    project = await writeProject(engine.directory, "things", files, plugins);
    await pulumi("stack", "init", "prod");
    await pulumi("config", "set", "--secret", "word", WORD, "--stack", "prod");
    await pulumi("stack", "init", "other");
  });

  after(async () => {
    for (const name of Object.keys(process.env)) if (!(name in original)) delete process.env[name];
    Object.assign(process.env, original);
    await engine?.close();
  });

  it("says what would be made, changes nothing, and leaves the user's stack selected", async () => {
    await declare({ a: { name: "a", value: "x" }, b: { name: "b", value: `not ${WORD}` } });
    const { code, stdout } = await review("--stack", "prod");
    assert.equal(code, 0);
    assert.match(stdout, /^ℹ️ prod: 2 resources to create\n2 to create\. Preview of /);
    assert.match(
      stdout,
      /create Thing b \(test:index:Thing\)\n {4}name: b\n {4}value: not \[secret\]\n {4}word: \[hidden\]\n/,
    );
    const stacks = JSON.parse(await pulumi("stack", "ls", "--json")) as { name: string; current: boolean }[];
    assert.deepEqual(stacks.map(({ name, current }) => [name, current]).sort(), [
      ["other", true],
      ["prod", false],
    ]);
    assert.deepEqual(JSON.parse(await pulumi("stack", "export", "--stack", "prod")).deployment.resources ?? [], []);
  });

  it("says what an update did, and shows no secret of what it printed", async () => {
    const { verdict, counts, operation } = await up();
    assert.deepEqual([verdict, operation], ["changes", "up"]);
    assert.deepEqual(counts, { create: 2, update: 0, replace: 0, delete: 0, other: 0, unchanged: 0 });
    assert.ok(
      lines.some((line) => /test:index:Thing b created/.test(line)),
      lines.join("\n"),
    );
    assert.ok(!lines.join("\n").includes(WORD));
  });

  it("says what somebody changed behind the stack, and of a stack as it was left that nothing did", async () => {
    const drift = () => makeReview({ stack: "prod", project, operation: "drift" });
    const file = join(engine.directory, "store", "a.json");
    const kept = await readFile(file, "utf8");
    await writeFile(file, JSON.stringify({ ...JSON.parse(kept), value: "another's" }));
    const { verdict, counts, resources } = await drift();
    assert.equal(verdict, "changes");
    assert.deepEqual(counts, { create: 0, update: 1, replace: 0, delete: 0, other: 0, unchanged: 1 });
    assert.deepEqual(
      resources.map(({ name, operation, properties }) => [name, operation, properties]),
      [["a", "update", [{ path: "value", from: "another's", to: "x" }]]],
    );
    await writeFile(file, kept);
    const none = await drift();
    assert.deepEqual([none.verdict, none.counts.unchanged], ["unchanged", 2]);
  });

  it("says why a resource is replaced", async () => {
    await declare({ a: { name: "A", value: "x" }, b: { name: "b", value: `not ${WORD}` } });
    const { code, review } = await data();
    assert.equal(code, 0);
    assert.equal(review.verdict, "dangerous");
    assert.deepEqual(
      review.dangers.map(({ name, operation, causes }) => ({ name, operation, causes })),
      [{ name: "a", operation: "replace", causes: [{ path: "name", from: "a", to: "A", replaces: true }] }],
    );
  });

  it("says why a preview failed", async () => {
    await declare({ a: { name: "a", value: "" } });
    const { code, review } = await data();
    assert.equal(code, 1);
    assert.equal(review.verdict, "failed");
    assert.deepEqual(
      review.failures.map(({ text, resource }) => [text, resource?.name]),
      [
        [
          "test:index:Thing resource 'a': property value value {} has a problem: value \"\" is empty: give at least one letter",
          "a",
        ],
      ],
    );
  });

  it("says what a program said that ended, without its stack trace and the secret in it", async () => {
    await declare({ fault: "cannot use" });
    const { code, review } = await data();
    assert.equal(code, 1);
    assert.deepEqual(
      review.failures.map(({ text }) => text),
      ["Error: cannot use [secret]"],
    );
  });

  it("says how far an update came that failed", async () => {
    await declare({
      a: { name: "a", value: "y" },
      b: { name: "b", value: `not ${WORD}` },
      c: { name: "c", value: "refuse" },
      d: { name: "d", value: "z" },
    });
    const { verdict, counts, failures, resources } = await up();
    assert.equal(verdict, "failed");
    assert.deepEqual([counts.update, counts.create], [1, 0]);
    assert.match(failures.map(({ text }) => text).join("\n"), /the cloud refuses: no quota/);
    assert.deepEqual(
      resources.map(({ name, operation, unfinished }) => [name, operation, unfinished ?? false]),
      [
        ["a", "update", false],
        ["c", "create", true],
      ],
    );
  });

  it("is what the commands of its page give, as they stand there, with the fields that the page names", async () => {
    const page = await readFile(join(ROOT, "docs/delivery/review.md"), "utf8");
    const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) => block.trim().split("\n"));
    assert.equal(commands.length, 3);
    await declare({ a: { name: "a", value: "y" }, b: { name: "b", value: `not ${WORD}` } });
    const printed = await Promise.all(
      commands.map((command) => promisify(exec)(command.replace("npm run", "npm run --silent"), { cwd: project })),
    );
    const [text = "", markdown = "", json = ""] = printed.map(({ stdout }) => stdout);
    assert.match(text, /^✅ prod: nothing changes\. 2 unchanged\. Preview of .* UTC\.\n$/);
    assert.match(markdown, /^<!-- aks-gitops review things\/prod -->\n✅ `prod`: nothing changes\. /);
    const named = [...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(
      ([, cell = ""]) => cell.match(/\w+/g) ?? [],
    );
    for (const field of Object.keys(JSON.parse(json))) assert.ok(named.includes(field), field);
    const verdicts = ["unchanged", "changes", "dangerous", "blocked", "failed"] satisfies Review["verdict"][];
    for (const verdict of verdicts) assert.ok(named.includes(verdict), verdict);
  });

  it("is refused of a stack that is not there", async () => {
    const { code, stdout, stderr } = await review("--stack", "nope");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /There is no stack nope\. Make it: pulumi stack init nope/);
  });
});
