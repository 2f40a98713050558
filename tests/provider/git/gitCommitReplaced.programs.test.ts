// What the deletion of a replaced GitCommit leaves to its successor, against a real Git host.

import { strict as assert } from "node:assert";
import { symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { setEnvironment } from "../../support/environment.ts";
import { gitCommits } from "../../support/gitCommits.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";

const TOKEN = "ghp_wonderfulToken0815";
const KEY = "https://v.vault.azure.net/keys/sops/1";
const RULE = { path_regex: "^prod/", azure_keyvault: KEY };
const ENTRIES = "clusters/prod/kustomization.yaml";

describe("a GitCommit that was replaced", () => {
  let server: GitServer;
  let restore: () => void;

  beforeEach(async () => {
    server = await startGitServer(TOKEN);
    restore = setEnvironment({ GIT_TOKEN: undefined, GITHUB_TOKEN: TOKEN });
  });

  afterEach(async () => {
    restore();
    await server.close();
  });

  const { create, remove } = gitCommits(() => server.url);
  const paths = async (branch = "main") =>
    (await server.git(["ls-tree", "-r", "--name-only", branch])).split("\n").filter(Boolean);
  const show = (path: string) => server.git(["show", `main:${path}`]);
  const head = (branch = "main") => server.git(["rev-parse", branch]);

  it("leaves the very same content to its successor, without a commit", async () => {
    const given = {
      files: { "a.yaml": "a\n", "b/c.yaml": "c\n" },
      seeds: { "apps/s.yaml": "s\n" },
      sopsRules: [RULE],
      kustomizations: { [ENTRIES]: { resources: ["gotk-sync.yaml"] } },
    };
    const old = await create(given);
    const before = await head();
    const next = await create(given);
    assert.notEqual(next.state.instance, old.state.instance);
    await remove(old, next);
    assert.equal(await head(), before);
    await remove(next);
    assert.deepEqual(await paths(), ["apps/s.yaml"]);
  });

  it("takes away what it alone had: files, rules and entries", async () => {
    const other = { path_regex: "^old/", azure_keyvault: KEY };
    const old = await create({
      files: { "a.yaml": "a\n", "old.yaml": "o\n" },
      sopsRules: [RULE, other],
      kustomizations: {
        [ENTRIES]: { resources: ["gotk-sync.yaml", "old.yaml"], components: ["../old"] },
        "old/kustomization.yaml": { resources: ["x.yaml"] },
      },
    });
    const next = await create({
      files: { "a.yaml": "a\n", "new.yaml": "n\n" },
      sopsRules: [RULE],
      kustomizations: { [ENTRIES]: { resources: ["gotk-sync.yaml"] } },
    });
    await remove(old, next);
    assert.deepEqual(await paths(), [".sops.yaml", "a.yaml", ENTRIES, "new.yaml"].sort());
    assert.equal(await show(".sops.yaml"), `creation_rules:\n  - path_regex: ^prod/\n    azure_keyvault: ${KEY}`);
    assert.match(await show(ENTRIES), /resources:\n- gotk-sync.yaml$/);
  });

  it("leaves what its successor has in another way: as a seed, or whole instead of by entries", async () => {
    const entries = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- x.yaml\n";
    const old = await create({
      files: { "seed.yaml": "s\n", [ENTRIES]: entries },
      kustomizations: { "whole/kustomization.yaml": { resources: ["x.yaml"] } },
    });
    const next = await create({
      files: { "whole/kustomization.yaml": entries },
      seeds: { "seed.yaml": "s\n" },
      kustomizations: { [ENTRIES]: { resources: ["x.yaml"] } },
    });
    const before = await head();
    await remove(old, next);
    assert.equal(await head(), before);
    assert.deepEqual(await paths(), [ENTRIES, "seed.yaml", "whole/kustomization.yaml"]);
  });

  it("takes all that it had away from another branch, and nothing from its successor's", async () => {
    const old = await create({ files: { "a.yaml": "a\n" }, sopsRules: [RULE] });
    await server.commit("main", { "theirs.yaml": "t\n" });
    await server.commit("live", { "theirs.yaml": "t\n" });
    const next = await create({ branch: "live", files: { "a.yaml": "a\n" }, sopsRules: [RULE] });
    await remove(old, next);
    assert.deepEqual(await paths(), ["theirs.yaml"]);
    assert.deepEqual(await paths("live"), [".sops.yaml", "a.yaml", "theirs.yaml"]);
  });

  it("takes all that it had away from another repository, also where its successor's branch is called alike", async () => {
    const elsewhere = await startGitServer(TOKEN);
    try {
      const old = await create({ files: { "a.yaml": "a\n" } });
      await server.commit("main", { "theirs.yaml": "t\n" });
      const next = await create({ url: elsewhere.url, files: { "a.yaml": "a\n" } });
      await remove(old, next);
      assert.deepEqual(await paths(), ["theirs.yaml"]);
      assert.equal(await elsewhere.git(["ls-tree", "-r", "--name-only", "main"]), "a.yaml");
    } finally {
      await elsewhere.close();
    }
  });

  it("leaves its content to its successor where the repository was renamed: then two URLs lead there", async () => {
    const made = await create({ files: { "a.yaml": "a\n", "old.yaml": "o\n" } });
    const old = { ...made, inputs: { ...made.inputs, url: server.url.replace("fleet", "before") } };
    await symlink(server.folder, join(dirname(server.folder), "before.git"));
    const next = await create({ files: { "a.yaml": "a\n" } });
    let intruders = 1;
    // Somebody pushes between the looks at the two URLs.
    server.interrupt = async ({ method, path }) => {
      if (method === "GET" && path.startsWith("/fleet.git") && intruders-- > 0)
        await server.commit("main", { "theirs.yaml": "t\n" });
      return undefined;
    };
    await remove(old, next);
    assert.deepEqual(await paths(), ["a.yaml", "theirs.yaml"]);
  });
});
