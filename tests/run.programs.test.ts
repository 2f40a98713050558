import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, beforeEach, describe, it } from "mocha";
import { run } from "../rehearsal/run.ts";
import { ROOT } from "./support/engine.ts";

const HEAD = `import { strict as assert } from "node:assert";\nimport { before, describe, it } from "mocha";\n`;
const FILES = {
  "tests/room/good.test.ts": `
    describe("a good room", () => {
      it("holds", () => {});
      it("is left out", function () { this.skip(); });
    });`,
  "tests/slow.programs.test.ts": `
    const sleep = (time: number) => new Promise((done) => setTimeout(done, time));
    describe("a slow room", () => {
      before(() => sleep(200));
      it("takes (some) time", () => sleep(100));
      it("takes no time", () => {});
    });`,
  "tests/long.full.test.ts": `describe("a long room", () => { it("holds for long", () => {}); });`,
};

describe("npm test", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tiers-"));
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    rmSync(join(folder, "tests"), { recursive: true, force: true });
    write(FILES);
  });

  const write = (files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), HEAD + text);
    }
  };
  const test = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(process.execPath, [join(ROOT, "tests/run.ts"), ...args], {
      cwd: folder,
      env: { ...(process.env as Record<string, string>), NO_COLOR: "1" },
    });
    const lines = stdout.trimEnd().split("\n");
    return { code, stdout, stderr, last: lines.at(-1) ?? "", lines };
  };
  const closed = async (...args: string[]) => (await test(...args)).last;

  it("runs the fast tier, tells the slowest, and closes with one line for all", async () => {
    const { code, lines, last } = await test();
    assert.equal(code, 0);
    assert.equal(last, "3 passed, 0 failed, 1 skipped");
    assert.equal(lines.filter((line) => / passed, /.test(line)).length, 1);
    const slowest = lines.slice(lines.indexOf("The slowest tests and hooks") + 1);
    assert.match(slowest[0] ?? "", /^ {3}0\.[2-9] s {2}programs {2}a slow room "before all" hook/);
    assert.match(slowest[1] ?? "", /^ {3}0\.1 s {2}programs {2}a slow room takes \(some\) time$/);
  });

  it("runs the long tier alone, or both", async () => {
    assert.equal(await closed("--full"), "1 passed, 0 failed");
    assert.equal(await closed("--all"), "4 passed, 0 failed, 1 skipped");
  });

  it("begins nothing more of the long tier when its minutes are over, and says what it left out", async () => {
    const { code, last, lines } = await test("--all", "--minutes", "0.001");
    assert.deepEqual([code, last], [0, "3 passed, 0 failed, 2 skipped"]);
    const at = lines.indexOf("Left out, for the 0.001 minutes were over:");
    assert.equal(lines[at + 1], "tests/long.full.test.ts");
    assert.equal(await closed("--all", "--minutes", "10"), "4 passed, 0 failed, 1 skipped");
    const wrong = await test("--all", "--minutes", "soon");
    assert.deepEqual([wrong.code, wrong.stderr.trim()], [2, "--minutes soon: give how many, for example 50"]);
  });

  it("runs the part that a group, a path or a title names", async () => {
    assert.equal(await closed("unit"), "1 passed, 0 failed, 1 skipped");
    assert.equal(await closed("./tests/room"), "1 passed, 0 failed, 1 skipped");
    assert.equal(await closed("good", "programs"), "3 passed, 0 failed, 1 skipped");
    assert.equal(await closed("slow room takes (some"), "1 passed, 0 failed");
    assert.equal(await closed("programs", "no time", "(some)"), "2 passed, 0 failed");
    assert.equal(await closed("--all", "hold"), "2 passed, 0 failed");
  });

  it("refuses a pattern that fits nothing, and says where it would", async () => {
    for (const args of [["holds nothing"], ["slow", "a good room"], ["long"], ["--full", "unit"]]) {
      const { code, stdout, stderr } = await test(...args);
      assert.deepEqual([code, stdout], [2, ""], args.join());
      assert.match(stderr, /^no file and no test of this tier fits ".+"/);
    }
    const { stderr } = await test("long room");
    assert.equal(
      stderr,
      'no file and no test of this tier fits "long room"; `npm run test:full` runs the long tier, `npm test -- --all` both\n',
    );
  });

  it("fails with a test that fails, with a file that does not load, and with a process that ends too soon", async () => {
    write({ "tests/bad.test.ts": `describe("bad", () => { it("fails", () => { assert.equal(1, 2); }); });` });
    const failed = await test();
    assert.deepEqual([failed.code, failed.last], [1, "3 passed, 1 failed, 1 skipped"]);
    const told = failed.lines.slice(failed.lines.indexOf("Failed") + 1);
    assert.equal(told[0], "unit 1    bad fails");
    assert.match(told[1] ?? "", /^AssertionError .*: Expected values to be strictly equal:$/);
    const long = 'Array.from({ length: 99 }, (_, at) => "line " + at).join("\\n")';
    write({ "tests/bad.test.ts": `describe("bad", () => { it("says much", () => assert.fail(${long})); });` });
    const much = (await test("bad")).stdout.split("\nFailed\n")[1] ?? "";
    assert.match(much, /line 5\n\.\.\. \d+ lines \.\.\.\n(line \d+\n)+line 98\n +at /);
    write({ "tests/bad.test.ts": `import "./nowhere.ts";` });
    const unloaded = await test("bad");
    assert.deepEqual([unloaded.code, unloaded.last], [1, "0 passed, 1 failed"]);
    write({ "tests/bad.test.ts": "process.exit(0);" });
    const ended = await test("bad");
    assert.deepEqual([ended.code, ended.last], [1, "0 passed, 1 failed"]);
    assert.match(ended.stdout, /^unit +│ ended with 0 before its tests did$/m);
    assert.match(ended.stdout, /^Failed\nunit +the process unit\nended with 0 before its tests did$/m);
  });

  it("lets no unit test find a tool that must be downloaded or built", async () => {
    write({
      "tests/tool.test.ts": `import { findTool } from "${ROOT}tools/findTool.ts";
        describe("a tool", () => { it("is there", () => findTool("helm", { env: { ...process.env, PATH: "" } })); });`,
    });
    const { code, stdout } = await test("tool");
    assert.equal(code, 1);
    assert.match(stdout, /a unit test finds no tool: name it \.programs\.test\.ts/);
  });

  it("refuses a file whose name has no group that there is", async () => {
    write({ "tests/a.progams.test.ts": "" });
    const { code, stderr } = await test();
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^tests\/a\.progams\.test\.ts: "progams" is no group of tests; there are dev, prod, cluster, /,
    );
  });

  it("has the same line where mocha runs single files", async () => {
    const args = [join(ROOT, "node_modules/mocha/bin/mocha.js"), "--reporter", join(ROOT, "tests/support/reporter.ts")];
    const { code, stdout } = await run(process.execPath, [...args, "tests/room/good.test.ts"], {
      cwd: folder,
      env: process.env as Record<string, string>,
    });
    assert.deepEqual([code, stdout.trimEnd().split("\n").at(-1)], [0, "1 passed, 0 failed, 1 skipped"]);
  });

  it("explains itself", async () => {
    assert.match((await test("--help")).stdout, /NAME\[\.GROUP\]\[\.full\]\.test\.ts/);
  });
});
