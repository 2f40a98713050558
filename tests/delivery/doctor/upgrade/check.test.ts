// What the doctor says before another version of Kubernetes: each finding provoked once.
import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "mocha";
import { stringify } from "yaml";
import { upgrade } from "../../../../delivery/doctor/checks/upgrade.ts";
import { CATALOGUE } from "../../../../tools/catalogue.ts";
import { SCOPE, World, type WorldOptions } from "../world.ts";

const cluster = (settings: object) => ({ "aks-gitops:cluster": { sku: "Free", ...settings } });
const uncharted = { "aks-gitops:charts": [] };
const PINNED = { ...uncharted, ...cluster({ kubernetesVersion: "1.34" }) };

const FLUX = {
  ...{ mode: "bootstrap", repository: "https://github.com/acme/fleet", branch: "main", createRepository: true },
  sources: [{ name: "shop", kind: "GitRepository", url: "https://github.com/acme/shop", branch: "main" }],
};
const CHARTS = [
  { name: "kured", repository: "https://kubereboot.github.io/charts", version: "6.1.0", namespace: "baseline" },
  { name: "shop", repository: "oci://{registry}/charts", version: "1.0.0", namespace: "shop" },
];

const object = (apiVersion: string, kind: string, name: string, spec: object = {}) =>
  stringify({ apiVersion, kind, metadata: { name, namespace: "shop" }, spec });
const OLD = object("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "shop");
const BUDGET = object("policy/v1", "PodDisruptionBudget", "web", { maxUnavailable: 0 });

const removed = (severity: "error" | "warning", path: string) => ({
  severity,
  key: `${path}: FlowSchema shop/shop`,
  value: "flowcontrol.apiserver.k8s.io/v1beta3",
  problem: "is of an API that Kubernetes serves no more from 1.32 on: Flux could not apply it",
  remedy:
    "write apiVersion: flowcontrol.apiserver.k8s.io/v1 and what it asks for; of a chart, take a later version of the chart",
});
const blocking = (severity: "error" | "warning", path: string) => ({
  severity,
  key: `${path}: PodDisruptionBudget shop/web`,
  value: undefined,
  problem:
    "lets no pod go (maxUnavailable is 0): the upgrade of a node that has one waits until its drain timeout, and fails",
  remedy: "write maxUnavailable: 1, or delete the budget for as long as the upgrade takes",
});

describe("the doctor, before another version of Kubernetes", () => {
  let world: World;
  afterEach(() => world.close());

  const begin = async (config: WorldOptions["config"], files: Readonly<Record<string, string>> = {}) => {
    world = await World.create({ stack: "dev", ...(config && { config }) });
    world.files = files;
  };
  const runs = (version: string, dnsPrefix = "aks-dev") => {
    const group = `${SCOPE}/resourceGroups/aks-gitops-dev0a1b2c3d`;
    const type = "Microsoft.ContainerService/managedClusters";
    const named = (name: string) => ({ id: `${group}/providers/${type}/${name}`, name, type });
    world.arm.begin([
      { id: group, name: "aks-gitops-dev0a1b2c3d", type: "Microsoft.Resources/resourceGroups", properties: {} },
      { ...named("another"), properties: { dnsPrefix: "another", currentKubernetesVersion: "1.20.1" } },
      { ...named("aks-dev1"), properties: { dnsPrefix, currentKubernetesVersion: version } },
    ]);
  };
  const finds = async (expected: readonly object[]) => assert.deepEqual(await world.findings(upgrade), expected);
  const keys = async () => (await world.findings(upgrade)).map(({ severity, key }) => [severity, key]);

  it("finds nothing where nothing is in the way, and reads the branch that the program commits to", async () => {
    await begin(PINNED, { "apps/dev/web.yaml": object("apps/v1", "Deployment", "web") });
    runs("1.33.5");
    await finds([]);
    assert.deepEqual(world.read, [{ url: "https://github.com/acme/fleet", branch: "main", access: undefined }]);
  });

  it("says that an object of a removed API and a budget stop the upgrade to the pinned version", async () => {
    await begin(PINNED, { "apps/dev/flow.yaml": OLD, "apps/dev/budget.yaml": BUDGET });
    runs("1.33.5");
    await finds([removed("error", "apps/dev/flow.yaml"), blocking("error", "apps/dev/budget.yaml")]);
  });

  it("only warns of a budget where the cluster runs the pinned version, or is not there yet", async () => {
    await begin(PINNED, { "apps/dev/flow.yaml": OLD, "apps/dev/budget.yaml": BUDGET });
    const expected = [removed("error", "apps/dev/flow.yaml"), blocking("warning", "apps/dev/budget.yaml")];
    await finds(expected);
    runs("1.34.0");
    await finds(expected);
  });

  it("warns without a pin of the minor that AKS may bring next, by the channel", async () => {
    await begin(uncharted, { "apps/dev/flow.yaml": OLD, "apps/dev/budget.yaml": BUDGET });
    runs("1.31.13");
    await finds([removed("warning", "apps/dev/flow.yaml"), blocking("warning", "apps/dev/budget.yaml")]);
    await world.write({ config: { ...uncharted, ...cluster({ upgradeChannel: "patch" }) } });
    await finds([blocking("warning", "apps/dev/budget.yaml")]);
    await world.write({ config: { ...uncharted, ...cluster({ upgradeChannel: "rapid" }) } });
    assert.equal((await world.findings(upgrade)).length, 2);
  });

  it("warns without a cluster of the version that a new one gets", async () => {
    await begin(uncharted, { "apps/dev/flow.yaml": OLD });
    await finds([removed("warning", "apps/dev/flow.yaml")]);
    // The simulated region's newest is 1.34.
    world.files = new Error("asleep");
    const version = async () =>
      / for Kubernetes (\S+): /.exec(String((await world.findings(upgrade))[0]?.problem))?.[1];
    assert.equal(await version(), "1.33");
    await world.write({ config: { ...uncharted, ...cluster({ upgradeChannel: "rapid" }) } });
    assert.equal(await version(), "1.34");
  });

  it("looks at what Flux applies alone: folders of the settings, what their kustomization.yaml leads to", async () => {
    const kustomization = (...resources: string[]) => stringify({ kind: "Kustomization", resources });
    await begin(PINNED, {
      "apps/dev/kustomization.yaml": kustomization("../base", "https://example.com/other.yaml"),
      "apps/dev/left-out.yaml": OLD,
      "apps/base/kustomization.yaml": kustomization("flow.yaml"),
      "apps/base/flow.yaml": OLD,
      "apps/base/left-out.yaml": OLD,
      "apps/prod/flow.yaml": OLD,
      "infrastructure/dev/deep/er/flow.yml": OLD,
      "infrastructure/dev/own/kustomization.yaml": kustomization("flow.yaml"),
      "infrastructure/dev/own/flow.yaml": OLD,
      "infrastructure/dev/own/left-out.yaml": OLD,
      "infrastructure/dev/flow.txt": OLD,
    });
    assert.deepEqual(await keys(), [
      ["error", "infrastructure/dev/deep/er/flow.yml: FlowSchema shop/shop"],
      ["error", "apps/base/flow.yaml: FlowSchema shop/shop"],
      ["error", "infrastructure/dev/own/flow.yaml: FlowSchema shop/shop"],
    ]);
  });

  it("goes on to the folders of Kustomizations that stand in Git, but for those that are suspended or elsewhere", async () => {
    const flux = (name: string, spec: object) =>
      object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, {
        path: `./teams/${name}`,
        sourceRef: { kind: "GitRepository", name: "flux-system" },
        ...spec,
      });
    await begin(
      { ...PINNED, "aks-gitops:flux": FLUX },
      {
        "clusters/dev/blue.yaml": flux("blue", {}),
        "clusters/dev/still.yaml": flux("still", { suspend: true }),
        "clusters/dev/shop.yaml": flux("shop", { sourceRef: { kind: "GitRepository", name: "shop" } }),
        "clusters/dev/oci.yaml": flux("oci", { sourceRef: { kind: "OCIRepository", name: "flux-system" } }),
        ...Object.fromEntries(["blue", "still", "shop", "oci"].map((name) => [`teams/${name}/flow.yaml`, OLD])),
      },
    );
    assert.deepEqual(await keys(), [["error", "teams/blue/flow.yaml: FlowSchema shop/shop"]]);
  });

  it("goes on to those of the artifact that is pushed from the repository, where the cluster reads it", async () => {
    const flux = (name: string, source: string) =>
      object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, {
        path: `./teams/${name}`,
        sourceRef: { kind: "OCIRepository", name: source },
      });
    await begin(
      { ...PINNED, "aks-gitops:flux": { ...FLUX, artifact: { url: "oci://{registry}/fleet" } } },
      {
        "clusters/dev/blue.yaml": flux("blue", "flux-system"),
        "clusters/dev/web.yaml": flux("web", "web"),
        ...Object.fromEntries(["blue", "web"].map((name) => [`teams/${name}/flow.yaml`, OLD])),
      },
    );
    assert.deepEqual(await keys(), [["error", "teams/blue/flow.yaml: FlowSchema shop/shop"]]);
  });

  it("judges no budget that is patched, and counts no pods of a workload that is", async () => {
    const labels = { app: "web" };
    const workload = object("apps/v1", "Deployment", "web", { template: { metadata: { labels } } });
    const one = object("policy/v1", "PodDisruptionBudget", "one", {
      minAvailable: 1,
      selector: { matchLabels: labels },
    });
    const files = (more: object): Record<string, string> => ({
      "apps/dev/kustomization.yaml": stringify({ resources: ["web.yaml", "one.yaml", "budget.yaml"], ...more }),
      "apps/dev/web.yaml": workload,
      "apps/dev/one.yaml": one,
      "apps/dev/budget.yaml": BUDGET,
    });
    const [ofOne, ofWeb] = ["apps/dev/one.yaml", "apps/dev/budget.yaml"].map(
      (path, at) => ["warning", `${path}: PodDisruptionBudget shop/${["one", "web"][at]}`] as const,
    );
    await begin(PINNED, files({}));
    assert.deepEqual(await keys(), [ofOne, ofWeb]);
    world.files = files({ replicas: [{ name: "web", count: 3 }] });
    assert.deepEqual(await keys(), []);
    world.files = files({ patches: [{ target: { kind: "Deploy.*" }, patch: "[]" }] });
    assert.deepEqual(await keys(), [ofWeb]);
    world.files = {
      ...files({ patches: [{ path: "less.yaml" }] }),
      "apps/dev/less.yaml": object("policy/v1", "PodDisruptionBudget", "web", { maxUnavailable: 1 }),
    };
    assert.deepEqual(await keys(), [ofOne]);
    const spec = {
      path: "apps/dev",
      sourceRef: { kind: "GitRepository", name: "flux-system" },
      patches: [{ patch: workload }],
    };
    world.files = {
      ...files({}),
      "clusters/dev/apps.yaml": object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "apps", spec),
    };
    assert.deepEqual(await keys(), [ofWeb]);
  });

  it("says that the repository was not looked at, and why, unless it is yet to be made", async () => {
    await begin(PINNED);
    world.files = new Error("https://github.com/acme/fleet asks for a credential: set GIT_TOKEN or GITHUB_TOKEN.");
    await finds([
      {
        severity: "warning",
        key: "aks-gitops:flux.repository",
        value: "https://github.com/acme/fleet",
        problem:
          "was not looked at for Kubernetes 1.34: https://github.com/acme/fleet asks for a credential: set GIT_TOKEN or " +
          "GITHUB_TOKEN",
        remedy: "see to it that the program reads the branch, and run it again",
      },
    ]);
    await world.write({ config: { ...PINNED, "aks-gitops:flux": FLUX } });
    await finds([]);
  });

  it("says that charts were not looked at: without Helm, one that cannot be had, one that somebody else pushes", async () => {
    await begin({ ...PINNED, "aks-gitops:charts": CHARTS });
    const shop = {
      severity: "warning",
      key: "chart shop",
      value: undefined,
      problem: "was not looked at for Kubernetes 1.34: somebody else pushes it into the stack's own registry",
      remedy: "look at its objects where it is made",
    };
    await finds([
      shop,
      {
        severity: "warning",
        key: "helm",
        value: CATALOGUE.helm.version,
        problem: "is neither on PATH nor in the cache: charts were not looked at for Kubernetes 1.34",
        remedy: "run `npm run tools -- helm`, and run this again",
      },
    ]);
    world.cached.add("helm");
    await finds([
      shop,
      {
        severity: "warning",
        key: "chart kured",
        value: "6.1.0",
        problem:
          "was not looked at for Kubernetes 1.34: https://kubereboot.github.io/charts/kured-6.1.0.tgz cannot be " +
          "downloaded: 404 Not Found",
        remedy: "see whether another version of the chart is made for it, or why the chart is not to be had",
      },
    ]);
  });

  it("says that charts of releases that people wrote into Git were not looked at, and is silent of the program's own", async () => {
    const release = object("helm.toolkit.fluxcd.io/v2", "HelmRelease", "web");
    await begin(PINNED, {
      "apps/dev/web.yaml": release,
      "apps/dev/other.yaml": object("helm.cattle.io/v1", "HelmRelease", "other"),
      "infrastructure/dev/kured.yaml": release,
    });
    await finds([
      {
        severity: "warning",
        key: "apps/dev/web.yaml: HelmRelease shop/web",
        value: undefined,
        problem: "was not looked at for Kubernetes 1.34: what its chart renders is in no lock",
        remedy:
          "look at what `helm template --kube-version` renders of it, or have the program release it: aks-gitops:charts",
      },
    ]);
  });
});
