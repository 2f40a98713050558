// A GitCommit that is interrupted anywhere, against a real Git host: what is done again ends as if nothing had been.

import { strict as assert } from "node:assert";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { Context, Existing, Properties } from "../../../plugin/handler.ts";
import { gitCommit } from "../../../provider/git/gitCommit.ts";
import { ROOT } from "../../support/engine.ts";
import { setEnvironment } from "../../support/environment.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";

const TOKEN = "ghp_wonderfulToken0815";
const RULE = { path_regex: "^prod/", azure_keyvault: "https://v.vault.azure.net/keys/sops/1" };
const BEFORE = {
  files: { "a.yaml": "a\n", "old.yaml": "o\n" },
  sopsRules: [RULE],
  kustomizations: { "k/kustomization.yaml": { resources: ["a.yaml"] } },
};
const AFTER = { files: { "a.yaml": "A\n", "new.yaml": "n\n" }, seeds: { "seed.yaml": "s\n" }, sopsRules: [RULE] };

/** Longer than git takes to end, shorter than anybody would wait. */
const SOON_MS = 10_000;

describe("a GitCommit that is interrupted", () => {
  let server: GitServer;
  let temporary: string;
  let warnings: string[];
  let restore: () => void;

  beforeEach(async () => {
    server = await startGitServer(TOKEN);
    temporary = await mkdtemp(join(tmpdir(), "git-commit-test-"));
    warnings = [];
    restore = setEnvironment({ GIT_TOKEN: undefined, GITHUB_TOKEN: TOKEN, TMPDIR: temporary });
  });

  afterEach(async () => {
    restore();
    await server.close();
    await rm(temporary, { recursive: true, force: true });
  });

  const context = (signal = new AbortController().signal): Context => ({
    urn: "urn:pulumi:prod::aks-gitops::gitops:index:GitCommit::fleet",
    type: "gitops:index:GitCommit",
    name: "fleet",
    preview: false,
    signal,
    log: (severity, message) => severity === "warning" && warnings.push(message),
  });
  const inputs = (more: Properties): Properties => ({ url: server.url, branch: "main", message: "Update", ...more });
  const create = async (more: Properties, by = context()): Promise<Existing> => {
    const given = inputs(more);
    return { ...(await gitCommit.create(given, by)), inputs: given };
  };
  const tree = () => server.git(["ls-tree", "-r", "main"]);
  const head = () => server.git(["rev-parse", "main"]);
  const reset = (commit: string) => server.git(["update-ref", "refs/heads/main", commit]);

  /**
   * Interrupts an operation at its first, second, ... request until it needs no more, each time before the request
   * arrives and, where it pushes, also before its answer does. After each it is done again, as by the next `up`.
   */
  const walk = async (start: string, operation: (by: Context) => Promise<unknown>) => {
    await reset(start);
    await operation(context());
    const wanted = await tree();
    let pushes = 0;
    for (let moment = 1, isOver = false; !isOver; moment++) {
      for (const isServed of [false, true]) {
        await reset(start);
        let requests = 0;
        let isPush = false;
        const abort = new AbortController();
        server.interrupt = async ({ method, path }) => {
          requests++;
          if (requests < moment) return undefined;
          if (requests === moment) isPush = method === "POST" && path.endsWith("/git-receive-pack");
          if (requests === moment && isServed) return isPush ? "lost" : undefined;
          abort.abort(new Error("cancelled"));
          return new Promise(() => {});
        };
        const outcome = await operation(context(abort.signal)).catch((error: Error) => error);
        isOver = requests < moment;
        assert.equal(
          outcome instanceof Error && outcome.message,
          isOver || !abort.signal.aborted ? false : "cancelled",
        );
        assert.deepEqual(await readdir(temporary), []);
        if (isPush) pushes++;
        if (isPush) assert.equal((await head()) !== start, isServed);
        server.interrupt = undefined;
        warnings.length = 0;
        await operation(context());
        assert.equal(await tree(), wanted, `interrupted at request ${moment}`);
        assert.equal(Number(await server.git(["rev-list", "--count", `${start}..main`])), 1);
        assert.deepEqual(warnings, []);
        if (isOver) break;
      }
    }
    assert.equal(pushes, 2);
    await server.git(["fsck", "--strict"]);
    server.interrupt = undefined;
  };

  it("at any moment of its create, is made by the next up", async () => {
    const start = await server.commit("main", { "theirs.yaml": "t\n" });
    await walk(start, (by) => create(BEFORE, by));
  });

  it("at any moment of its update, is as it shall be after the next up", async () => {
    await server.commit("main", { "theirs.yaml": "t\n" });
    const existing = await create(BEFORE);
    await walk(await head(), async (by) => gitCommit.update?.(existing, inputs(AFTER), by));
  });

  it("at any moment of its deletion, is gone after the next destroy", async () => {
    await server.commit("main", { "theirs.yaml": "t\n" });
    const existing = await create(BEFORE);
    await walk(await head(), async (by) => gitCommit.delete?.(existing, by));
    assert.match(await tree(), /^\S+ blob \S+\ttheirs\.yaml$/);
  });

  it("at any moment of the deletion of what was replaced, leaves its successor what that owns", async () => {
    await server.commit("main", { "theirs.yaml": "t\n" });
    const existing = await create(BEFORE);
    const successor = await create({ ...BEFORE, files: { "a.yaml": "a\n", "new.yaml": "n\n" } });
    await walk(await head(), async (by) => gitCommit.delete?.(existing, by, successor));
    assert.match(await tree(), /\ta\.yaml\n/);
  });

  it("leaves no git and no folder behind when its plugin ends with the engine", async () => {
    server.interrupt = () => new Promise(() => {});
    const script = `
      const { GitBranch } = await import(${JSON.stringify(join(ROOT, "provider/git/git.ts"))});
      process.stdin.on("end", () => process.exit(0)).resume();
      const branch = await GitBranch.open(${JSON.stringify(server.url)}, "main", new AbortController().signal);
      await branch.head();
    `;
    const plugin = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    while (server.requests.length === 0) await delay(50);
    assert.equal((await readdir(temporary)).length, 1);
    const exit = once(plugin, "exit");
    plugin.stdin?.end();
    await exit;
    assert.deepEqual(await readdir(temporary), []);
    const isRunning = async () => (await processes()).includes(server.url);
    const end = Date.now() + SOON_MS;
    while ((await isRunning()) && Date.now() < end) await delay(50);
    assert.equal(await isRunning(), false);
  });

  it("by kill -9 leaves a folder that a later operation removes, an hour on", async () => {
    const [old, recent, others] = ["aks-gitops-git-killed", "aks-gitops-git-recent", "git-others"].map((name) =>
      join(temporary, name),
    ) as [string, string, string];
    for (const folder of [old, recent, others]) await mkdir(join(folder, "objects"), { recursive: true });
    const anHourAgo = new Date(Date.now() - 61 * 60_000);
    for (const folder of [old, others]) await utimes(folder, anHourAgo, anHourAgo);
    await create(BEFORE);
    assert.deepEqual([old, recent, others].map(existsSync), [false, true, true]);
  });
});

/** The command lines of all processes. */
async function processes(): Promise<string> {
  return (await promisify(execFile)("ps", ["-eo", "args"])).stdout;
}
