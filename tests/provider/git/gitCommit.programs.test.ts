import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type Context, type Existing, type Properties, UNKNOWN } from "../../../plugin/handler.ts";
import { gitCommit } from "../../../provider/git/gitCommit.ts";
import { setEnvironment } from "../../support/environment.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";

const TOKEN = "ghp_wonderfulToken0815";

describe("GitCommit", () => {
  let server: GitServer;
  let temporary: string;
  let logs: string[];
  let restore: () => void;

  beforeEach(async () => {
    server = await startGitServer(TOKEN);
    temporary = await mkdtemp(join(tmpdir(), "git-commit-test-"));
    logs = [];
    restore = setEnvironment({
      GIT_TOKEN: undefined,
      GITHUB_TOKEN: TOKEN,
      TMPDIR: temporary,
      PATH: process.env.PATH,
      HOME: process.env.HOME,
    });
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
    log: (severity, message) => logs.push(`${severity}: ${message}`),
  });
  const inputs = (more: Properties): Properties => ({
    url: server.url,
    branch: "main",
    message: "Update clusters/prod",
    ...more,
  });
  const create = async (more: Properties): Promise<Existing> => {
    const given = inputs(more);
    return { ...(await gitCommit.create(given, context())), inputs: given };
  };
  const update = async (existing: Existing, more: Properties): Promise<Existing> => {
    const given = inputs(more);
    const state = (await gitCommit.update?.(existing, given, context())) ?? {};
    return { id: existing.id, inputs: given, state };
  };
  const remove = (existing: Existing) => gitCommit.delete?.(existing, context());
  const read = async (id: string, given: Properties, state: Properties) =>
    gitCommit.read?.(id, given, state, context());
  const head = () => server.git(["rev-parse", "main"]);
  const paths = async () => (await server.git(["ls-tree", "-r", "--name-only", "main"])).split("\n").filter(Boolean);
  const show = (path: string) => server.git(["show", `main:${path}`]);
  const count = async () => Number(await server.git(["rev-list", "--count", "main"]));

  describe("create", () => {
    it("makes the branch of an empty repository with one commit by aks-gitops", async () => {
      const { id, state } = await create({
        files: { "clusters/prod/a.yaml": "a: 1\n", "clusters/prod/ü b.yaml": "b: ü\n" },
        seeds: { "apps/base/README.md": "yours" },
        message: "Add prod\n\nIts first files.",
      });
      assert.equal(id, `${server.url}#main`);
      assert.equal(state.commit, await head());
      assert.equal(
        await server.git(["log", "--format=%an|%ae|%cn|%B", "main"]),
        "aks-gitops|noreply@aks-gitops.invalid|aks-gitops|Add prod\n\nIts first files.",
      );
      const listing = await server.git([
        "-c",
        "core.quotePath=false",
        "ls-tree",
        "-r",
        "--format=%(objectmode) %(path)",
        "main",
      ]);
      assert.deepEqual(listing.split("\n"), [
        "100644 apps/base/README.md",
        "100644 clusters/prod/a.yaml",
        "100644 clusters/prod/ü b.yaml",
      ]);
      assert.equal(await show("clusters/prod/ü b.yaml"), "b: ü");
      assert.deepEqual(await readdir(temporary), []);
    });

    it("commits on top of others' work and leaves it alone", async () => {
      const before = await server.commit("main", { "README.md": "theirs\n", "apps/x.yaml": "x\n" });
      const { state } = await create({ files: { "apps/y.yaml": "y\n" } });
      assert.equal(await server.git(["rev-parse", "main^"]), before);
      assert.equal(state.commit, await head());
      assert.deepEqual(await paths(), ["README.md", "apps/x.yaml", "apps/y.yaml"]);
      assert.equal(await show("README.md"), "theirs");
      await server.git(["fsck", "--strict"]);
    });

    it("takes over identical files without a commit", async () => {
      const before = await server.commit("main", { "a.yaml": "a\n" });
      const { state } = await create({ files: { "a.yaml": "a\n" } });
      assert.equal(state.commit, before);
      assert.equal(await head(), before);
    });

    it("refuses to overwrite other content and names every path in the way", async () => {
      const before = await server.commit("main", { "a.yaml": "theirs\n", "b/c.yaml": "theirs\n", d: "a file\n" });
      await assert.rejects(
        create({ files: { "a.yaml": "ours\n", b: "ours\n", "d/e.yaml": "ours\n", "f.yaml": "f\n" } }),
        {
          message:
            `branch main of ${server.url} already holds something else at: a.yaml, b, d/e.yaml. ` +
            "Remove or rename it in the repository, or give it the same content. It may also be a folder of that name, or " +
            "a file or link where a folder above it shall be",
        },
      );
      assert.equal(await head(), before);
    });

    it("overwrites other content with adopt, but never a folder", async () => {
      await server.commit("main", { "a.yaml": "theirs\n", "b/c.yaml": "theirs\n" });
      await create({ files: { "a.yaml": "ours\n" }, adopt: true });
      assert.equal(await show("a.yaml"), "ours");
      await assert.rejects(create({ files: { b: "ours\n" }, adopt: true }), /something else at: b\./);
    });

    it("writes seeds only where nothing is", async () => {
      await server.commit("main", { "apps/a.yaml": "theirs\n", "infra/x.yaml": "theirs\n" });
      await create({
        files: { "f.yaml": "f\n" },
        seeds: { "apps/a.yaml": "seed\n", infra: "seed\n", "apps/b.yaml": "seed\n" },
      });
      assert.deepEqual(await paths(), ["apps/a.yaml", "apps/b.yaml", "f.yaml", "infra/x.yaml"]);
      assert.equal(await show("apps/a.yaml"), "theirs");
      assert.equal(await show("apps/b.yaml"), "seed");
    });

    it("refuses a branch that is missing among others", async () => {
      await server.commit("trunk", { "a.yaml": "a\n" });
      await assert.rejects(create({ files: { "b.yaml": "b\n" } }), {
        message: `${server.url} has no branch main (it has trunk): push one first, or name another`,
      });
    });

    it("does not take refs that merely end alike for the branch", async () => {
      await server.commit("x/refs/heads/main", { "a.yaml": "a\n" });
      await assert.rejects(create({ files: { "b.yaml": "b\n" } }), /has no branch main/);
    });
  });

  describe("of its own, whose state got lost", () => {
    it("takes over what it committed and nobody changed since, whatever it shall be now", async () => {
      const rule = { path_regex: "^prod/", azure_keyvault: "https://v.vault.azure.net/keys/sops/1" };
      await create({ files: { "secrets/a.yaml": "one ciphertext\n", "b.yaml": "b\n" }, sopsRules: [rule] });
      await server.commit("main", { "theirs.yaml": "t\n" });
      const next = { ...rule, azure_keyvault: "https://v.vault.azure.net/keys/sops/2" };
      await create({ files: { "secrets/a.yaml": "another ciphertext\n", "b.yaml": "B\n" }, sopsRules: [next] });
      assert.deepEqual([await show("secrets/a.yaml"), await show("b.yaml")], ["another ciphertext", "B"]);
      assert.match(await show(".sops.yaml"), /keys\/sops\/2$/);
      assert.equal(await count(), 3);
      assert.deepEqual(logs, []);
    });

    it("refuses what others changed since, and what another resource committed", async () => {
      await create({ files: { "a.yaml": "a\n", "b.yaml": "b\n" } });
      await server.commit("main", { "b.yaml": "edited\n" });
      await assert.rejects(create({ files: { "a.yaml": "A\n", "b.yaml": "B\n" } }), /something else at: b\.yaml\./);
      const another = { ...context(), urn: "urn:pulumi:prod::other::gitops:index:GitCommit::fleet" };
      await assert.rejects(
        gitCommit.create(inputs({ files: { "a.yaml": "A\n" } }), another),
        /something else at: a\.yaml\./,
      );
      assert.equal(await show("a.yaml"), "a");
    });

    it("refuses what was committed too long ago to tell", async () => {
      await create({ files: { "a.yaml": "a\n" } });
      const commit = (number: number) =>
        `commit refs/heads/main\ncommitter S <s@example.com> 1700000000 +0000\ndata 1\nx\n${number === 0 ? "from refs/heads/main^0\n" : ""}M 100644 inline n.yaml\ndata ${String(number).length}\n${number}\n`;
      await server.git(["fast-import", "--quiet"], [...Array(250).keys()].map(commit).join(""));
      await assert.rejects(create({ files: { "a.yaml": "A\n" } }), /something else at: a\.yaml\./);
    });
  });

  describe("update", () => {
    it("writes what changed, removes what left, and keeps everything else, in one commit", async () => {
      const first = await create({ files: { "a.yaml": "a\n", "old/b.yaml": "b\n", "c.yaml": "c\n" } });
      await server.commit("main", { "theirs.yaml": "t\n" });
      const next = await update(first, { files: { "a.yaml": "A\n", "c.yaml": "c\n", "d.yaml": "d\n" } });
      assert.equal(await count(), 3);
      assert.equal(next.state.commit, await head());
      assert.equal(
        await server.git(["show", "--format=", "--name-status", "--no-renames", "main"]),
        "M\ta.yaml\nA\td.yaml\nD\told/b.yaml",
      );
    });

    it("makes no commit and keeps the last one's id when nothing changes", async () => {
      const first = await create({ files: { "a.yaml": "a\n" } });
      await server.commit("main", { "theirs.yaml": "t\n" });
      const next = await update(first, { files: { "a.yaml": "a\n" }, message: "Another" });
      assert.equal(next.state.commit, first.state.commit);
      assert.equal(await count(), 2);
    });

    it("restores files that others changed or removed, and says so", async () => {
      const first = await create({ files: { "a.yaml": "a\n", "b.yaml": "b\n", "c.yaml": "c\n" } });
      await server.commit("main", { "a.yaml": "changed\n", "b.yaml": null });
      await update(first, { files: { "a.yaml": "a\n", "b.yaml": "b\n", "c.yaml": "C\n" } });
      assert.deepEqual([await show("a.yaml"), await show("b.yaml"), await show("c.yaml")], ["a", "b", "C"]);
      assert.deepEqual(logs, ["warning: changed by others since the last commit: a.yaml, b.yaml"]);
    });

    it("turns a file into a folder of the same name", async () => {
      const first = await create({ files: { a: "a\n" } });
      await update(first, { files: { "a/b.yaml": "b\n" } });
      assert.deepEqual(await paths(), ["a/b.yaml"]);
    });

    it("leaves a file that became a seed to its editors", async () => {
      const first = await create({ files: { "a.yaml": "a\n", "b.yaml": "b\n" } });
      await server.commit("main", { "a.yaml": "edited\n" });
      await update(first, { files: { "b.yaml": "b\n" }, seeds: { "a.yaml": "a\n" } });
      assert.equal(await show("a.yaml"), "edited");
    });

    it("refuses a new path where somebody else's file stands", async () => {
      const first = await create({ files: { "a.yaml": "a\n" } });
      await server.commit("main", { "b.yaml": "theirs\n" });
      await assert.rejects(
        update(first, { files: { "a.yaml": "a\n", "b.yaml": "ours\n" } }),
        /something else at: b\.yaml\./,
      );
    });
  });

  describe("delete", () => {
    it("removes owned files and rules in one commit and keeps seeds and others' files", async () => {
      await server.commit("main", { "theirs.yaml": "t\n" });
      const first = await create({
        files: { "a.yaml": "a\n", "b/c.yaml": "c\n" },
        seeds: { "apps/s.yaml": "s\n" },
        sopsRules: [{ path_regex: "^b/", azure_keyvault: "https://v.vault.azure.net/keys/sops/1" }],
      });
      await remove(first);
      assert.deepEqual(await paths(), ["apps/s.yaml", "theirs.yaml"]);
      assert.equal(await count(), 3);
      assert.equal(await server.git(["log", "-1", "--format=%s", "main"]), "Remove the files of fleet");
    });

    it("is content when the branch, or all of it, is gone already", async () => {
      const first = await create({ files: { "a.yaml": "a\n" } });
      await server.commit("main", { "a.yaml": null, "b.yaml": "b\n" });
      const before = await head();
      await remove(first);
      assert.equal(await head(), before);
      await server.git(["update-ref", "-d", "refs/heads/main"]);
      await remove(first);
      assert.equal(await server.git(["for-each-ref"]), "");
    });
  });

  describe("read", () => {
    it("gives back what was written when nobody touched it", async () => {
      const first = await create({ files: { "a.yaml": "a\n" }, seeds: { "s.yaml": "s\n" } });
      await server.commit("main", { "theirs.yaml": "t\n", "s.yaml": "edited\n" });
      assert.deepEqual(await read(first.id, first.inputs, first.state), first);
    });

    it("shows changed files with their present text, and leaves missing ones out", async () => {
      const first = await create({ files: { "a.yaml": "a\n", "b.yaml": "b\n", "c.yaml": "c\n" } });
      await server.commit("main", { "a.yaml": "drift\n", "b.yaml": null });
      const found = await read(first.id, first.inputs, first.state);
      assert.deepEqual(found?.inputs.files, { "a.yaml": "drift\n", "c.yaml": "c\n" });
      assert.deepEqual(found?.state.files, found?.inputs.files);
      assert.equal(found?.state.commit, first.state.commit);
    });

    it("finds nothing when every owned file or the branch is gone", async () => {
      const first = await create({ files: { "a.yaml": "a\n" } });
      await server.commit("main", { "a.yaml": null, "b.yaml": "b\n" });
      assert.equal(await read(first.id, first.inputs, first.state), undefined);
      await server.git(["update-ref", "-d", "refs/heads/main"]);
      assert.equal(await read(first.id, first.inputs, first.state), undefined);
    });

    it("imports files and folders, fetching their texts in one request", async () => {
      const files = Object.fromEntries([...Array(30).keys()].map((n) => [`clusters/prod/${n}.yaml`, `n: ${n}\n`]));
      const commit = await server.commit("main", { ...files, "a.yaml": "a\n", "b.yaml": "b\n" }, "Start");
      const found = await read(`${server.url}#main:a.yaml,clusters/prod/`, {}, {});
      const expected = { url: server.url, branch: "main", message: "Start", files: { "a.yaml": "a\n", ...files } };
      assert.deepEqual(found, { id: `${server.url}#main`, inputs: expected, state: { ...expected, commit } });
      assert.equal(server.requests.filter((request) => request.startsWith("POST")).length, 4);
    });

    it("imports the id that stands in the state as owner of nothing, and takes identical files over with the next update", async () => {
      const commit = await server.commit("main", { "a.yaml": "a\n", "theirs.yaml": "t\n" }, "Start");
      const id = `${server.url}#main`;
      const found = await read(id, {}, {});
      const given = { url: server.url, branch: "main", message: "Start", files: {} };
      assert.deepEqual(found, { id, inputs: given, state: { ...given, commit } });
      const checked = await gitCommit.check?.(given, given, context(), new Uint8Array());
      assert.deepEqual(checked?.failures, []);
      const next = await gitCommit.update?.(
        { id, inputs: given, state: { ...given, commit } },
        inputs({ files: { "a.yaml": "a\n" } }),
        context(),
      );
      assert.equal(next?.commit, commit);
      assert.equal(await head(), commit);
      assert.equal(await read(`${server.url}#other`, {}, {}), undefined);
    });

    it("refuses to import what is not there", async () => {
      await server.commit("main", { "a.yaml": "a\n" });
      await assert.rejects(read(`${server.url}#main:a.yaml,b.yaml,c/`, {}, {}), {
        message: `branch main of ${server.url} does not have b.yaml, c/`,
      });
      await assert.rejects(read(server.url, {}, {}), /is no <url>#<branch>:<path>,<folder>\//);
      await assert.rejects(
        read(`${server.url}#main:,`, {}, {}),
        /is no <url>#<branch>:<path>,<folder>\/ or <url>#<branch>: names no path/,
      );
    });
  });

  describe("diff and preview", () => {
    const existing = (more: Properties): Existing => ({ id: "x", inputs: inputs(more), state: {} });
    const diff = (old: Properties, next: Properties) => gitCommit.diff?.(existing(old), inputs(next), context());

    it("names exactly the files that change", async () => {
      const found = await diff(
        { files: { "a/b.yaml": "1", same: "s", gone: "g" } },
        { files: { "a/b.yaml": "2", same: "s", "new.yaml": "n", unknown: UNKNOWN } },
      );
      assert.deepEqual(found, {
        changes: true,
        replaces: [],
        detailed: {
          'files["a/b.yaml"]': { kind: "update", inputDiff: true },
          "files.gone": { kind: "delete", inputDiff: true },
          'files["new.yaml"]': { kind: "add", inputDiff: true },
          "files.unknown": { kind: "add", inputDiff: true },
        },
      });
    });

    it("sees no change in message, adopt, and seeds that had their time", async () => {
      const old = { files: { a: "1" }, seeds: { s: "1", gone: "x" }, message: "One" };
      const found = await diff(old, { files: { a: "1" }, seeds: { s: "2" }, message: "Two", adopt: true });
      assert.equal(found?.changes, false);
      const more = await diff(old, { files: { a: "1" }, seeds: { s: "1", "t.yaml": "2" } });
      assert.deepEqual(more?.detailed, { 'seeds["t.yaml"]': { kind: "add", inputDiff: true } });
    });

    it("replaces for another repository or branch, the new one first", async () => {
      const found = await diff({ files: { a: "1" } }, { files: { a: "1" }, branch: "next" });
      assert.deepEqual([found?.replaces, found?.deleteBeforeReplace], [["branch"], undefined]);
    });

    it("does not know the commit beforehand", async () => {
      const given = inputs({ files: { a: UNKNOWN } });
      assert.deepEqual(await gitCommit.preview?.(given, undefined, context()), { ...given, commit: UNKNOWN });
    });
  });

  describe("check", () => {
    const reasons = async (given: Properties) =>
      ((await gitCommit.check?.(given, undefined, context(), new Uint8Array()))?.failures ?? []).map(
        ({ reason }) => reason,
      );

    it("accepts unknown values and every way to a repository that keeps the token secret", async () => {
      const unknown = { url: UNKNOWN, branch: "main", message: "m", files: { a: UNKNOWN }, sopsRules: UNKNOWN };
      assert.deepEqual(await reasons(unknown), []);
      for (const url of [
        "https://github.com/a/b",
        "ssh://git@github.com/a/b",
        "file:///tmp/a.git",
        "http://127.0.0.1:1/a",
      ]) {
        assert.deepEqual(await reasons({ ...unknown, url }), []);
      }
    });

    it("names all faults at once", async () => {
      const given = { url: "http://github.com/a/b", branch: "a..b", message: "One\ntwo", adopt: "yes", files: {} };
      assert.deepEqual(await reasons(given), [
        'url "http://github.com/a/b" must start with https://: no other way keeps the token secret',
        'branch "a..b" is no name of a branch',
        "message must have an empty line between its subject line and its body",
        "adopt must be a boolean",
        "files is empty, and so are fluxComponents, seeds, sopsRules, kustomizations: give one of them",
      ]);
    });

    it("refuses a URL with a credential without showing it", async () => {
      for (const url of ["https://user:hunter2@github.com/a/b", "https://hunter2@github.com/a/b"]) {
        const found = await reasons(inputs({ url, files: { a: "a" } }));
        assert.deepEqual(found, [
          "url has a credential in it: take it out, and give it as GIT_TOKEN or GITHUB_TOKEN in the environment",
        ]);
      }
    });

    it("refuses paths that Git or the branch could not hold", async () => {
      const bad = [
        "",
        "/a",
        "a/../b",
        "./a",
        "a//b",
        "a/",
        ".git/config",
        "x/.GIT/y",
        "a\nb",
        'a"b',
        "a\\b",
        ".sops.yaml",
      ];
      const files = Object.fromEntries(bad.map((path) => [path, "x"]));
      const found = await reasons(inputs({ files }));
      assert.deepEqual(
        found.map((reason) => JSON.parse(reason.slice("files[".length, reason.indexOf("] ")))),
        bad,
      );
      assert.deepEqual(await reasons(inputs({ files: { a: "1", n: 1 }, seeds: { a: "2" } })), [
        'files["n"] holds no text',
        'seeds["a"] is one of files too: it can be only one of them',
      ]);
    });

    it("looks into components and entries, and takes parts of them that are not known yet", async () => {
      const components = { version: "2.9.4", imageAutomation: false, manifests: UNKNOWN, loginServer: UNKNOWN };
      const fluxComponents = { "a.yaml": components, "/b.yaml": components, "c.yaml": UNKNOWN };
      assert.deepEqual(await reasons(inputs({ fluxComponents })), [
        'fluxComponents["/b.yaml"] must be relative: leave out the leading slash',
      ]);
      const { version: _, ...rest } = components;
      const wrong = { a: { ...components, version: "v2" }, b: rest, c: "2.9.4", d: { ...components, extra: 1 } };
      assert.deepEqual(await reasons(inputs({ fluxComponents: wrong })), [
        'fluxComponents["a"].version is not a version of Flux without v: 2.9.4',
        'fluxComponents["b"].version is missing',
        'fluxComponents["c"] must be a map',
        'fluxComponents["d"] has "extra", which is none of version, imageAutomation, imagePullSecret, install, manifests, loginServer',
      ]);
      const kustomizations = {
        a: { resources: ["x", UNKNOWN], components: UNKNOWN },
        b: { resources: [""] },
        c: { bases: ["x"] },
        d: UNKNOWN,
      };
      assert.deepEqual(await reasons(inputs({ kustomizations })), [
        'kustomizations["b"] must have lists of names, and no others than resources and components',
        'kustomizations["c"] must have lists of names, and no others than resources and components',
      ]);
    });

    it("refuses inputs that hold nothing, unless they were imported so", async () => {
      const old = { url: "https://github.com/a/b", branch: "main", message: "m", files: {} };
      const failures = async (before?: Properties) =>
        (await gitCommit.check?.(old, before, context(), new Uint8Array()))?.failures ?? [];
      assert.equal((await failures()).length, 1);
      assert.equal((await failures({ ...old, files: { a: "a" } })).length, 1);
      assert.deepEqual(await failures(old), []);
    });

    it("refuses rules that SOPS would not read or that repeat themselves", async () => {
      const rule = { path_regex: "^a", azure_keyvault: "https://v.vault.azure.net/keys/k/1" };
      assert.deepEqual(await reasons(inputs({ sopsRules: [rule, rule, { path_regex: "b", age: "x" }] })), [
        'sopsRules[1] repeats the path_regex "^a"',
        'sopsRules[2] has "age", which is none of path_regex, encrypted_regex, azure_keyvault',
        "sopsRules[2] needs azure_keyvault, a string",
      ]);
    });
  });

  describe("races", () => {
    /** Lets somebody else commit just before requests whose path and query fit. */
    const intrude = (fits: RegExp, times: number) => {
      let left = times;
      server.interrupt = async ({ path, query }) => {
        if (fits.test(path + query) && left-- > 0) await server.commit("main", { [`intruder${left}.yaml`]: "i\n" });
        return undefined;
      };
    };

    for (const [moment, fits] of [
      ["before the push starts", /info\/refs\?service=git-receive-pack/],
      ["while the push is under way", /\/git-receive-pack$/],
    ] as const) {
      it(`rebuilds on the new head when somebody pushes ${moment}`, async () => {
        await server.commit("main", { "README.md": "r\n" });
        intrude(fits, 2);
        const { state } = await create({ files: { "a.yaml": "a\n" } });
        assert.deepEqual(await paths(), ["README.md", "a.yaml", "intruder0.yaml", "intruder1.yaml"]);
        assert.equal(state.commit, await head());
        assert.equal(await count(), 4);
        assert.equal(logs.length, 2);
        assert.match(logs[0] ?? "", /^debug: somebody else pushed to branch main .* trying again \(1 of 20\)$/);
      });
    }

    it("rebuilds when somebody makes the first commit of an empty repository", async () => {
      intrude(/\/git-receive-pack$/, 1);
      await create({ files: { "a.yaml": "a\n" } });
      assert.deepEqual(await paths(), ["a.yaml", "intruder0.yaml"]);
    });

    it("notices that the winner put other content at an owned path", async () => {
      await server.commit("main", { "README.md": "r\n" });
      server.interrupt = async ({ path }) => {
        if (path.endsWith("/git-receive-pack")) await server.commit("main", { "a.yaml": "theirs\n" });
        return undefined;
      };
      await assert.rejects(create({ files: { "a.yaml": "ours\n" } }), /something else at: a\.yaml\./);
      assert.equal(await show("a.yaml"), "theirs");
    });

    it("lets concurrent writers all get their files in", async () => {
      await server.commit("main", { "README.md": "r\n" });
      const names = ["a", "b", "c", "d"];
      const made = await Promise.all(names.map((name) => create({ files: { [`${name}.yaml`]: `${name}\n` } })));
      assert.deepEqual(await paths(), ["README.md", "a.yaml", "b.yaml", "c.yaml", "d.yaml"]);
      assert.equal(new Set(made.map(({ state }) => state.commit)).size, 4);
      assert.equal(await count(), 5);
    });

    it("recognises its own commit when the answer to a push was lost", async () => {
      const first = await create({ files: { "a.yaml": "a\n" } });
      let left = 1;
      server.interrupt = async ({ path }) => {
        if (!path.endsWith("/git-receive-pack") || left-- === 0) return undefined;
        // The push arrives by another way, its answer does not.
        const [folder = ""] = (await readdir(temporary)).filter((name) => name.startsWith("aks-gitops-"));
        await server.git(["fetch", "--quiet", join(temporary, folder), "refs/aks-gitops/1:refs/heads/main"]);
        return 502;
      };
      const next = await update(first, { files: { "a.yaml": "A\n" } });
      assert.equal(next.state.commit, await head());
      assert.equal(await count(), 2);
      assert.equal(
        logs.some((line) => line.startsWith("warning")),
        false,
      );
    });

    it("leaves no trace when cancelled in the middle of a push", async () => {
      const before = await server.commit("main", { "README.md": "r\n" });
      const abort = new AbortController();
      server.interrupt = async ({ path }) => {
        if (!path.endsWith("/git-receive-pack")) return undefined;
        abort.abort();
        return new Promise(() => {});
      };
      await assert.rejects(gitCommit.create(inputs({ files: { "a.yaml": "a\n" } }), context(abort.signal)), /abort/i);
      assert.equal(await head(), before);
      assert.deepEqual(await readdir(temporary), []);
    });
  });

  describe("credentials", () => {
    it("go to git through the environment alone: no argument of any process holds them", async () => {
      const trace = join(temporary, "trace.json");
      const real = execFileSync("which", ["git"]).toString().trim();
      const wrapper = `#!/bin/sh\nexport GIT_TRACE2_EVENT='${trace}'\nexec '${real}' "$@"\n`;
      await writeFile(join(temporary, "git"), wrapper);
      await chmod(join(temporary, "git"), 0o755);
      process.env.PATH = `${temporary}:${process.env.PATH}`;
      const first = await create({ files: { "a.yaml": "a\n" } });
      await read(first.id, first.inputs, first.state);
      const events = await readFile(trace, "utf8");
      assert.match(events, /"push","--quiet"/);
      assert.match(events, /git-remote-http|remote-http/);
      assert.equal(events.includes(TOKEN), false);
      assert.equal(events.includes(Buffer.from(`x-access-token:${TOKEN}`).toString("base64")), false);
    });

    it("prefers GIT_TOKEN, and says which token was not accepted without showing it", async () => {
      process.env.GIT_TOKEN = "wrongToken4711";
      const failure = await create({ files: { "a.yaml": "a\n" } }).catch((error: Error) => error);
      assert.ok(failure instanceof Error);
      assert.equal(
        failure.message.split(": ")[0] + failure.message.slice(failure.message.indexOf(": it may")),
        `${server.url} does not accept the token in GIT_TOKEN: it may have expired or be for another host: fatal: Authentication failed for '${server.url}/'`,
      );
      assert.equal(failure.message.includes("wrongToken4711"), false);
      process.env.GIT_TOKEN = TOKEN;
      process.env.GITHUB_TOKEN = "wrongToken4711";
      await create({ files: { "a.yaml": "a\n" } });
    });

    it("are asked for when there are none", async () => {
      delete process.env.GITHUB_TOKEN;
      await assert.rejects(
        create({ files: { "a.yaml": "a\n" } }),
        /asks for a credential: set GIT_TOKEN or GITHUB_TOKEN/,
      );
    });

    it("without the right to push give a clear word", async () => {
      await server.commit("main", { "README.md": "r\n" });
      server.interrupt = async ({ query }) => (query.includes("receive-pack") ? 403 : undefined);
      await assert.rejects(
        create({ files: { "a.yaml": "a\n" } }),
        /^GitError: the token in GITHUB_TOKEN may not push to .*: it needs the right \(on GitHub: Contents, read and write\)/,
      );
    });

    it("cannot open a protected branch: the host's reason is shown, and no second try made", async () => {
      await server.commit("main", { "README.md": "r\n" });
      const hook = join(server.folder, "hooks", "pre-receive");
      await writeFile(hook, "#!/bin/sh\necho 'error: GH006: Protected branch update failed' >&2\nexit 1\n");
      await chmod(hook, 0o755);
      await assert.rejects(create({ files: { "a.yaml": "a\n" } }), (error: Error) => {
        assert.match(
          error.message,
          /refuses a push to branch main \(pre-receive hook declined\): let the token's owner push/,
        );
        assert.match(error.message, /remote: error: GH006: Protected branch update failed/);
        return true;
      });
      assert.deepEqual(logs, []);
    });

    it("are not needed to say that there is no such repository", async () => {
      const url = server.url.replace("fleet", "nothing");
      await assert.rejects(
        create({ url, files: { "a.yaml": "a\n" } }),
        /^GitError: there is no repository .*nothing\.git, or/,
      );
    });
  });

  describe("the machine's git", () => {
    it("is needed, in version 2.30 or newer", async () => {
      process.env.PATH = temporary;
      await assert.rejects(create({ files: { a: "a\n" } }), {
        message: "git is not on the PATH: install git 2.30 or newer",
      });
      await writeFile(join(temporary, "git"), "#!/bin/sh\necho git version 2.29.9\n");
      await chmod(join(temporary, "git"), 0o755);
      await assert.rejects(create({ files: { a: "a\n" } }), {
        message: "git version 2.29.9 is too old: install git 2.30 or newer",
      });
    });

    it("has no say through its configuration", async () => {
      const evil =
        '[url "http://127.0.0.1:1/"]\n\tinsteadOf = http://127.0.0.1\n[user]\n\tname = Me\n[commit]\n\tgpgSign = true\n';
      await writeFile(join(temporary, ".gitconfig"), evil);
      process.env.HOME = temporary;
      await create({ files: { "a.yaml": "a\n" } });
      assert.equal(await server.git(["log", "-1", "--format=%an", "main"]), "aks-gitops");
    });
  });
});
