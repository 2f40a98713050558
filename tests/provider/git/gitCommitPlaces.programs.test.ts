// Where a commit's files stand: beside people's kustomization.yaml, within folders of others, in repositories that are odd.
import { strict as assert } from "node:assert";
import { afterEach, beforeEach, describe, it } from "mocha";
import { UNKNOWN } from "../../../plugin/handler.ts";
import { gitCommit } from "../../../provider/git/gitCommit.ts";
import { plan } from "../../../provider/git/gitPlan.ts";
import { setEnvironment } from "../../support/environment.ts";
import { gitCommits } from "../../support/gitCommits.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";

const TOKEN = "ghp_wonderfulToken0815";
const ROOT = "clusters/prod/kustomization.yaml";
const HEADER = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

describe("GitCommit in people's repositories", () => {
  let server: GitServer;
  let restore: () => void;

  beforeEach(async () => {
    server = await startGitServer(TOKEN);
    logs.length = 0;
    restore = setEnvironment({ GIT_TOKEN: undefined, GITHUB_TOKEN: TOKEN });
  });
  afterEach(async () => {
    restore();
    await server.close();
  });

  const { logs, create, update, preview, context } = gitCommits(() => server.url);
  const show = async (path: string) => `${await server.git(["show", `main:${path}`])}\n`;
  const paths = async () => (await server.git(["ls-tree", "-r", "--name-only", "main"])).split("\n").filter(Boolean);

  const files = { "clusters/prod/apps.yaml": "a\n" };
  const listed = { [ROOT]: { resources: ["apps.yaml"] } };

  it("lists its files where people have a kustomization.yaml beside them, and takes them out again", async () => {
    const theirs = `${HEADER}resources:\n  - tenants.yaml # theirs\ntransformers:\n  - labels.yaml\n`;
    await server.commit("main", { [ROOT]: theirs });
    const made = await create({ files, listed });
    assert.equal(await show(ROOT), theirs.replace("# theirs\n", "# theirs\n  - apps.yaml\n"));
    const more = { ...files, "clusters/prod/web.yaml": "w\n" };
    const two = await update(made, { files: more, listed: { [ROOT]: { resources: ["web.yaml"] } } });
    assert.equal(await show(ROOT), theirs.replace("# theirs\n", "# theirs\n  - web.yaml\n"));
    await gitCommit.delete?.(two, context);
    assert.equal(await show(ROOT), theirs);
    assert.deepEqual(await paths(), [ROOT]);
  });

  it("makes no kustomization.yaml where people have none, and lists its files when they have one", async () => {
    const made = await create({ files, listed });
    assert.deepEqual(await paths(), ["clusters/prod/apps.yaml"]);
    await server.commit("main", { [ROOT]: `${HEADER}resources:\n- theirs.yaml\n` });
    await update(made, { files: { ...files, "clusters/prod/b.yaml": "b\n" }, listed });
    assert.equal(await show(ROOT), `${HEADER}resources:\n- theirs.yaml\n- apps.yaml\n`);
  });

  it("refuses in preview and update folders that one above them would apply again", async () => {
    await server.commit("main", { "apps/web.yaml": "w\n" });
    const apart = { apps: ["apps/team"] };
    const wrong = /^Error: apps has no kustomization\.yaml, so that it applies apps\/team as well/;
    await assert.rejects(async () => preview({ files: UNKNOWN, apart }), wrong);
    await assert.rejects(create({ files, apart }), wrong);
    assert.deepEqual(await paths(), ["apps/web.yaml"]);
    await server.commit("main", { "apps/kustomization.yaml": `${HEADER}resources:\n- web.yaml\n` });
    await preview({ files, apart });
    await create({ files, apart });
    assert.ok((await paths()).includes("clusters/prod/apps.yaml"));
  });

  it("says in a preview that it cannot look, and goes on", async () => {
    restore();
    restore = setEnvironment({ GIT_TOKEN: undefined, GITHUB_TOKEN: "wrong" });
    await preview({ files, apart: { apps: ["apps/team"] } });
    assert.match(logs.join("\n"), /^warning: whether apps apply folders twice is seen in the update: /);
    logs.length = 0;
    await preview({ url: UNKNOWN, files, apart: { apps: ["apps/team"] } });
    assert.deepEqual(logs, []);
  });

  it("begins nothing with a kustomization.yaml where people's files would be applied no more", async () => {
    await server.commit("main", { "apps/prod/web.yaml": "w\n", "apps/base/demo/a.yaml": "s\n" });
    const seeds = {
      "apps/prod/kustomization.yaml": `${HEADER}resources: []\n`,
      "apps/base/demo/kustomization.yaml": `${HEADER}resources:\n- a.yaml\n`,
      "apps/base/demo/a.yaml": "s\n",
      "apps/dev/kustomization.yaml": `${HEADER}resources: []\n`,
    };
    await create({ files, seeds });
    assert.deepEqual(await paths(), [
      "apps/base/demo/a.yaml",
      "apps/base/demo/kustomization.yaml",
      "apps/dev/kustomization.yaml",
      "apps/prod/web.yaml",
      "clusters/prod/apps.yaml",
    ]);
  });

  it("says what to do first where a Flux that was bootstrapped by hand is in the way", async () => {
    const [components, sync] = ["components", "sync"].map((name) => `clusters/dev/flux-system/gotk-${name}.yaml`);
    await server.commit("main", { [components ?? ""]: "c\n", [sync ?? ""]: "s\n", "a.yaml": "a\n" });
    const wanted = { [components ?? ""]: "C\n", [sync ?? ""]: "S\n", "a.yaml": "A\n" };
    await assert.rejects(create({ files: wanted }), (error: Error) => {
      assert.ok(
        error.message.includes(`. ${components} and ${sync}: a Flux that was bootstrapped by hand keeps itself there`),
      );
      assert.match(error.message, /run `flux suspend kustomization flux-system` in that cluster first$/);
      return true;
    });
    await assert.rejects(create({ files: { "a.yaml": "A\n" } }), (error: Error) => !error.message.includes("suspend"));
  });

  it("takes over the same bytes that are executable", async () => {
    await server.commit("main", { "clusters/prod/apps.yaml": "a\n" });
    const oid = (await server.git(["rev-parse", "main:clusters/prod/apps.yaml"])).trim();
    const { writes, conflicts } = plan({
      tree: new Map([["clusters/prod/apps.yaml", { mode: "100755", oid }]]),
      ...{ files, previous: new Map(), seeds: {}, adopt: false },
    });
    assert.deepEqual([[...writes.keys()], conflicts], [["clusters/prod/apps.yaml"], []]);
  });

  it("refuses to edit what is a pointer of Git LFS, and warns of attributes", async () => {
    const sopsRules = [{ path_regex: "^a/", azure_keyvault: "https://kv.vault.azure.net/keys/sops/v1" }];
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 412\n";
    await server.commit("main", { ".gitattributes": "*.yaml filter=lfs\n", ".sops.yaml": pointer });
    await assert.rejects(create({ files, sopsRules }), /^Error: \.sops\.yaml is a pointer of Git LFS/);
    assert.equal(await show(".sops.yaml"), pointer);
    await create({ files });
    assert.match(logs.join("\n"), /^warning: Git LFS takes YAML files by \.gitattributes/m);
    assert.equal(await show("clusters/prod/apps.yaml"), "a\n");
  });
});
