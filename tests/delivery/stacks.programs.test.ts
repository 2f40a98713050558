import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, describe, it } from "mocha";
import { type Ran, run } from "../../rehearsal/run.ts";

const command = resolve(import.meta.dirname, "../../delivery/stacks/main.ts");

describe("npm run stacks", () => {
  const folder = mkdtempSync(join(tmpdir(), "stacks-"));
  const commits: Record<string, string> = {};
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", ...args], {
      cwd: folder,
      encoding: "utf8",
    }).trim();

  /** Commits files, and keeps the commit's id under a name. */
  function commit(name: string, files: readonly string[]): void {
    for (const path of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${name}\n`);
    }
    git("add", "--all");
    git("commit", "--quiet", "--message", name);
    commits[name] = git("rev-parse", "HEAD");
  }

  const stacks = (...args: string[]): Promise<Ran> =>
    run(process.execPath, [command, ...args], { cwd: folder, env: process.env as Record<string, string> });

  async function given(...args: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await stacks(...args, "--format", "json");
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  before(() => {
    git("init", "--quiet", "--initial-branch=main");
    commit("start", ["Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "index.ts", "README.md"]);
    commit("text", ["README.md"]);
    commit("settings", ["Pulumi.prod.yaml"]);
    commit("program", ["index.ts"]);
    commit("nested", ["infra/Pulumi.yaml", "infra/Pulumi.test.yaml", "other/x.ts"]);
    // Moved, it is gone from where it was.
    git("mv", "Pulumi.prod.yaml", "Pulumi.live.yaml");
    commit("moved", []);
    commit("after", ["docs/x.md"]);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("prints those that a change touches, and says by what", async () => {
    git("checkout", "--quiet", commits.settings ?? "");
    const { stdout, stderr } = await stacks("--since", commits.start ?? "");
    assert.equal(stdout, "prod\n");
    assert.equal(stderr, "dev: not touched\nprod: touched by Pulumi.prod.yaml\n");
    assert.deepEqual(await given("--since", "HEAD^1"), ["prod"]);
    assert.deepEqual(await given("--since", commits.settings ?? ""), []);
    assert.deepEqual(await given("--since", "HEAD^1", "--untouched"), ["dev"]);
    assert.deepEqual(await given("--since", "HEAD^1", "--untouched", "--only", "prod"), []);
    git("checkout", "--quiet", commits.program ?? "");
    assert.deepEqual(await given("--since", commits.settings ?? ""), ["dev", "prod"]);
    assert.deepEqual(await given("--since", commits.settings ?? "", "--only", "prod"), ["prod"]);
  });

  it("counts all where there is nothing to compare with", async () => {
    git("checkout", "--quiet", commits.settings ?? "");
    for (const commit of ["", "0".repeat(40), "--output=x"])
      assert.deepEqual(await given(`--since=${commit}`), ["dev", "prod"]);
    assert.deepEqual(await given(), ["dev", "prod"]);
  });

  it("looks at the project's own folder, and at no stack that is gone", async () => {
    git("checkout", "--quiet", "main");
    assert.deepEqual(await given("--since", `${commits.nested}^`, "--project", "infra"), ["test"]);
    assert.deepEqual(await given("--since", commits.nested ?? "", "--project", "infra"), []);
    assert.deepEqual(await given("--since", `${commits.moved}^`), ["live"]);
  });

  it("takes a tag's stack from its name", async () => {
    git("checkout", "--quiet", commits.settings ?? "");
    assert.deepEqual(await given("--tag", "prod/2026-11-26"), ["prod"]);
    const { code, stdout, stderr } = await stacks("--tag", "v1.2.0");
    assert.deepEqual([code, stdout], [0, ""]);
    assert.equal(stderr, "The tag v1.2.0 is for no stack. One for dev is named dev/ANYTHING.\n");
    assert.deepEqual(await given("--tag", "prod/1", "--only", "dev"), []);
  });

  it("ends with 2 where it is used wrongly, and says how it is meant", async () => {
    for (const [args, word] of [
      [["--only", "dev staging"], /--only staging: .* holds no Pulumi\.staging\.yaml; there are dev, prod\./],
      [["--format", "yaml"], /--format yaml: there are text and json/],
      [["--since", "HEAD", "--tag", "prod/1"], /--since and --tag exclude each other/],
      [["--untouched"], /--untouched needs --since/],
      [["--stack", "dev"], /Unknown option '--stack'/],
    ] as const) {
      const { code, stdout, stderr } = await stacks(...args);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, word);
    }
  });
});
