import { strict as assert } from "node:assert";
import { afterEach, before, beforeEach, describe, it } from "mocha";
import { type FluxManifests, fluxManifests, gotkComponents } from "../../../flux/manifests.ts";
import { type Existing, type Properties, UNKNOWN } from "../../../plugin/handler.ts";
import { gitCommit } from "../../../provider/git/gitCommit.ts";
import { blobId } from "../../../provider/git/gitPlan.ts";
import { CLUSTER_TIMEOUT } from "../../support/cluster.ts";
import { setEnvironment } from "../../support/environment.ts";
import { gitCommits } from "../../support/gitCommits.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";

const TOKEN = "ghp_wonderfulToken0815";
const FOLDER = "clusters/dev/flux-system";
const KUSTOMIZATION = `${FOLDER}/kustomization.yaml`;
const COMPONENTS = `${FOLDER}/gotk-components.yaml`;
const HEADER = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

describe("GitCommit beside others", () => {
  let server: GitServer;
  let manifests: FluxManifests;
  let restore: () => void;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    manifests = await fluxManifests({ version: "2.9.4", imageAutomation: false });
  });
  beforeEach(async () => {
    server = await startGitServer(TOKEN);
    logs.length = 0;
    restore = setEnvironment({ GIT_TOKEN: undefined, GITHUB_TOKEN: TOKEN });
  });
  afterEach(async () => {
    restore();
    await server.close();
  });

  const { logs, inputs, context, create, update, remove, refresh } = gitCommits(() => server.url, "dev");
  const diff = async (existing: Existing, more: Properties) =>
    (await gitCommit.diff?.(existing, inputs(more), context))?.detailed;
  const paths = async () => (await server.git(["ls-tree", "-r", "--name-only", "main"])).split("\n").filter(Boolean);
  const show = async (path: string) => `${await server.git(["show", `main:${path}`])}\n`;
  const count = async () => Number(await server.git(["rev-list", "--count", "main"]));
  const faults = async (more: Properties) =>
    (await gitCommit.check?.(inputs(more), undefined, context, new Uint8Array()))?.failures?.map(
      ({ reason }) => reason,
    );

  describe("in a shared kustomization.yaml", () => {
    const ours = { [KUSTOMIZATION]: { resources: ["gotk-sync.yaml"], components: ["workload-identity"] } };
    const MADE = `${HEADER}resources:\n- gotk-sync.yaml\ncomponents:\n- workload-identity\n`;
    const THEIRS = `${HEADER}resources:\n- gotk-sync.yaml\n- theirs.yaml # theirs\n`;

    it("makes the file, and takes it away again with the files", async () => {
      await server.commit("main", { "README.md": "r\n" });
      const made = await create({ files: { "a.yaml": "a\n" }, kustomizations: ours });
      assert.equal(await show(KUSTOMIZATION), MADE);
      await remove(made);
      assert.deepEqual(await paths(), ["README.md"]);
      assert.equal(await count(), 3);
    });

    it("adds what is missing to a file that is there, and leaves the others' entries when it goes", async () => {
      await server.commit("main", { [KUSTOMIZATION]: THEIRS });
      const made = await create({ kustomizations: ours });
      assert.equal(await show(KUSTOMIZATION), `${THEIRS}components:\n- workload-identity\n`);
      await remove(made);
      assert.equal(await show(KUSTOMIZATION), THEIRS.replace("- gotk-sync.yaml\n", ""));
    });

    it("makes no commit where all entries are there", async () => {
      const before = await server.commit("main", { [KUSTOMIZATION]: MADE });
      const { state } = await create({ kustomizations: ours });
      assert.equal(state.commit, before);
    });

    it("takes out what it no longer wants, and what it wants in no file any more", async () => {
      const other = "clusters/dev/kustomization.yaml";
      const made = await create({ kustomizations: { ...ours, [other]: { resources: ["x.yaml"] } } });
      await server.commit("main", { [other]: `${HEADER}resources:\n- x.yaml\n- y.yaml\n` });
      await update(made, { kustomizations: { [KUSTOMIZATION]: { resources: ["gotk-sync.yaml"] } } });
      assert.equal(await show(KUSTOMIZATION), `${HEADER}resources:\n- gotk-sync.yaml\n`);
      assert.equal(await show(other), `${HEADER}resources:\n- y.yaml\n`);
    });

    it("sees in a refresh which entries others took out, and puts them back", async () => {
      const made = await create({ kustomizations: ours });
      assert.deepEqual(await refresh(made), made);
      await server.commit("main", { [KUSTOMIZATION]: THEIRS });
      const found = await refresh(made);
      assert.deepEqual(found.inputs.kustomizations, {
        [KUSTOMIZATION]: { resources: ["gotk-sync.yaml"], components: [] },
      });
      assert.deepEqual(await diff(found, { kustomizations: ours }), {
        [`kustomizations["${KUSTOMIZATION}"].components[0]`]: { kind: "add", inputDiff: true },
      });
      await update(found, { kustomizations: ours });
      assert.equal(await show(KUSTOMIZATION), `${THEIRS}components:\n- workload-identity\n`);
    });

    it("makes the file again that others removed", async () => {
      const made = await create({ files: { "a.yaml": "a\n" }, kustomizations: ours });
      await server.commit("main", { [KUSTOMIZATION]: null });
      const found = await refresh(made);
      assert.deepEqual(found.inputs.kustomizations, {});
      await update(found, { files: { "a.yaml": "a\n" }, kustomizations: ours });
      assert.equal(await show(KUSTOMIZATION), MADE);
    });

    it("does away with no folder that is where the file shall be", async () => {
      const before = await server.commit("main", { [`${KUSTOMIZATION}/theirs.yaml`]: "t\n" });
      await assert.rejects(
        create({ kustomizations: ours }),
        new RegExp(`already holds something else at: ${KUSTOMIZATION}\\.`),
      );
      assert.equal(await server.git(["rev-parse", "main"]), before);
    });

    it("names a file that is no kustomization", async () => {
      await server.commit("main", { [KUSTOMIZATION]: "- a list\n" });
      await assert.rejects(create({ kustomizations: ours }), {
        message: `${KUSTOMIZATION} is no map, as kustomize wants it: mend it first`,
      });
    });

    it("refuses other lists, other entries, and a file that is one of its own too", async () => {
      const given = {
        files: { "a.yaml": "a\n" },
        kustomizations: { "x.yaml": { patches: ["p"] }, "y.yaml": { resources: [1] }, "/z": {}, "a.yaml": {} },
      };
      assert.deepEqual(await faults(given), [
        'kustomizations["x.yaml"] must have lists of names, and no others than resources and components',
        'kustomizations["y.yaml"] must have lists of names, and no others than resources and components',
        'kustomizations["/z"] must be relative: leave out the leading slash',
        'kustomizations["a.yaml"] is one of files too: it can be only one of them',
      ]);
      assert.deepEqual(await faults({ kustomizations: { "x.yaml": UNKNOWN, "y.yaml": { resources: UNKNOWN } } }), []);
    });
  });

  describe("with Flux's components", () => {
    const components = (loginServer = "acme.azurecr.io"): Properties => ({
      fluxComponents: {
        [COMPONENTS]: { version: "2.9.4", imageAutomation: false, manifests: manifests.sha256, loginServer },
      },
    });
    const text = (loginServer = "acme.azurecr.io") => gotkComponents(manifests, loginServer);
    const head = () => server.git(["rev-parse", `main:${COMPONENTS}`]);

    it("commits the whole file and keeps only what it is made from", async () => {
      const { state } = await create(components());
      assert.equal(await head(), blobId(text()));
      assert.deepEqual(state, {
        ...inputs(components()),
        blobs: { [COMPONENTS]: blobId(text()) },
        commit: state.commit,
        instance: state.instance,
      });
      assert.ok(JSON.stringify(state).length < 1000);
    });

    it("takes over the file of `flux bootstrap` without a commit", async () => {
      const before = await server.commit("main", { [COMPONENTS]: text() });
      assert.equal((await create(components())).state.commit, before);
    });

    it("changes the file with the registry, and removes it when it goes", async () => {
      const made = await create({ ...components(), files: { "a.yaml": "a\n" } });
      const next = await update(made, { ...components("other.azurecr.io"), files: { "a.yaml": "a\n" } });
      assert.equal(await head(), blobId(text("other.azurecr.io")));
      assert.deepEqual(next.state.blobs, { [COMPONENTS]: blobId(text("other.azurecr.io")) });
      await update(next, { files: { "a.yaml": "a\n" } });
      assert.deepEqual(await paths(), ["a.yaml"]);
    });

    it("sees in a refresh what others changed or removed, and puts it back", async () => {
      const made = await create({ ...components(), files: { "a.yaml": "a\n" } });
      assert.deepEqual(await refresh(made), made);
      for (const theirs of ["# Flux Version: v2.9.3\n", null]) {
        await server.commit("main", { [COMPONENTS]: theirs });
        const found = await refresh(made);
        assert.deepEqual(found.inputs.fluxComponents, {});
        assert.deepEqual(await diff(found, { ...components(), files: { "a.yaml": "a\n" } }), {
          [`fluxComponents["${COMPONENTS}"]`]: { kind: "add", inputDiff: true },
        });
        await update(found, { ...components(), files: { "a.yaml": "a\n" } });
        assert.equal(await head(), blobId(text()));
      }
      assert.deepEqual(logs, []);
    });

    it("puts back without a refresh too, and says so", async () => {
      const made = await create(components());
      await server.commit("main", { [COMPONENTS]: "theirs\n" });
      await update(made, { ...components(), files: { "a.yaml": "a\n" } });
      assert.equal(await head(), blobId(text()));
      assert.deepEqual(logs, [`warning: changed by others since the last commit: ${COMPONENTS}`]);
    });

    it("is gone when all of it is", async () => {
      const { id, inputs, state } = await create(components());
      await server.commit("main", { [COMPONENTS]: null, "b.yaml": "b\n" });
      assert.equal(await gitCommit.read?.(id, inputs, state, context), undefined);
    });

    it("refuses manifests that are not those of the lock, before it commits anything", async () => {
      const before = await server.commit("main", { "README.md": "r\n" });
      const file = { version: "2.9.4", imageAutomation: false, manifests: "0".repeat(64), loginServer: "a.azurecr.io" };
      await assert.rejects(create({ fluxComponents: { [COMPONENTS]: file } }), {
        message:
          `the manifests of Flux 2.9.4 have SHA-256 ${manifests.sha256}, not ${"0".repeat(64)} as the lock has it: ` +
          "run `npm run mirror -- update` for the stack and look at what changed",
      });
      assert.equal(await server.git(["rev-parse", "main"]), before);
    });

    it("takes components that are not known yet, and refuses what are none", async () => {
      assert.deepEqual(await faults({ fluxComponents: UNKNOWN }), []);
      assert.deepEqual(await faults({ fluxComponents: { "../x": {}, y: "text" } }), [
        'fluxComponents["../x"] must not have empty, `.` or `..` steps',
        'fluxComponents["y"] must be a map',
      ]);
    });
  });
});
