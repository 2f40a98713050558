// What the doctor reads before another version of Kubernetes, with the real git and Helm.
import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "mocha";
import { upgrade } from "../../../../delivery/doctor/checks/upgrade.ts";
import { type BranchFiles, readBranch } from "../../../../provider/git/branch.ts";
import { findTool } from "../../../../tools/findTool.ts";
import { packChart } from "../../../mirror/charts.ts";
import { setEnvironment } from "../../../support/environment.ts";
import { startGitServer } from "../../../support/gitServer.ts";
import { World } from "../world.ts";

describe("the branch that the doctor reads", () => {
  let end: () => Promise<void> = async () => {};
  afterEach(() => end());

  const begin = async () => {
    const server = await startGitServer("token");
    const restore = setEnvironment({ GIT_TOKEN: "token" });
    end = async () => {
      restore();
      await server.close();
    };
    const read = <T>(branch: string, look: (files: BranchFiles) => Promise<T>) =>
      readBranch({ url: server.url, branch }, AbortSignal.timeout(60_000), look);
    return { server, read };
  };

  it("has the paths of its head, and the texts that are asked for", async () => {
    const { server, read } = await begin();
    await server.commit("main", {
      "apps/dev/a.yaml": "a: 1\n",
      "apps/dev/same.yaml": "a: 1\n",
      "README.md": "# fleet\n",
    });
    const found = await read("main", async ({ paths, texts }) => ({
      paths,
      texts: await texts(["apps/dev/a.yaml", "apps/dev/same.yaml", "none.yaml"]),
      none: await texts([]),
    }));
    assert.deepEqual([...found.paths].sort(), ["README.md", "apps/dev/a.yaml", "apps/dev/same.yaml"]);
    assert.deepEqual(
      [...found.texts],
      [
        ["apps/dev/a.yaml", "a: 1\n"],
        ["apps/dev/same.yaml", "a: 1\n"],
      ],
    );
    assert.equal(found.none.size, 0);
    assert.deepEqual(await read("other", async ({ paths }) => paths), []);
    assert.ok(server.requests.every((request) => !request.includes("receive-pack")));
  });

  it("is read with a credential, and without one says which it asks for", async () => {
    const { read } = await begin();
    const restore = setEnvironment({ GIT_TOKEN: undefined, GITHUB_TOKEN: undefined });
    try {
      await assert.rejects(
        read("main", async () => []),
        /asks for a credential: set GIT_TOKEN or GITHUB_TOKEN/,
      );
    } finally {
      restore();
    }
  });
});

describe("the charts that the doctor renders", () => {
  let world: World;
  afterEach(() => world.close());

  it("name objects of removed APIs and budgets, with the stack's values, in a cluster of the version ahead", async function () {
    // Where Helm must be built first.
    this.timeout(1_200_000);
    const chart = {
      name: "kured",
      repository: "https://kubereboot.github.io/charts",
      version: "6.1.0",
      namespace: "baseline",
    };
    const write = (values: object) => ({
      config: {
        "aks-gitops:cluster": { sku: "Free", kubernetesVersion: "1.34" },
        "aks-gitops:charts": [{ ...chart, values }],
      },
    });
    const templates = {
      "night.yaml": "apiVersion: {{ .Values.cron }}\nkind: CronJob\nmetadata: { name: {{ .Values.name }} }\n",
      "budget.yaml":
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: budget }\n" +
        "spec: { maxUnavailable: {{ .Values.most }} }\n",
      "note.yaml":
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: note }\ndata: { image: {{ .Values.image.repository }} }\n",
    };
    const tgz = (meta: object) =>
      packChart({ cron: "batch/v1", name: "night", most: 1, image: {} }, templates, {
        name: "kured",
        version: "6.1.0",
        meta,
      });
    world = await World.create({ stack: "dev", ...write({}) });
    world.cached.add("helm");
    world.real.set("helm", await findTool("helm"));
    world.archives.set("kured", tgz({}));
    assert.deepEqual(await world.findings(upgrade), []);

    await world.write(write({ cron: "batch/v1beta1", name: "{registry}", most: 0 }));
    assert.deepEqual(
      (await world.findings(upgrade)).map(({ severity, key, value, problem }) => [severity, key, value, problem]),
      [
        [
          "error",
          "chart kured: CronJob baseline/registry.invalid",
          "batch/v1beta1",
          "is of an API that Kubernetes serves no more from 1.25 on: Flux could not apply it",
        ],
        [
          "warning",
          "chart kured: PodDisruptionBudget baseline/budget",
          undefined,
          "lets no pod go (maxUnavailable is 0): the upgrade of a node that has one waits until its drain timeout, and fails",
        ],
      ],
    );

    world.archives.set("kured", tgz({ kubeVersion: "<1.34.0" }));
    const [finding, ...others] = await world.findings(upgrade);
    assert.deepEqual(others, []);
    assert.deepEqual([finding?.severity, finding?.key, finding?.value], ["warning", "chart kured", "6.1.0"]);
    assert.match(
      String(finding?.problem),
      /^was not looked at for Kubernetes 1\.34: chart requires kubeVersion: <1\.34\.0 which is incompatible with Kubernetes v1\.34\.0$/,
    );
  });
});
