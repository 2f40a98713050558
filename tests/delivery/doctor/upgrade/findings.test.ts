// What stands in the way of an upgrade of Kubernetes, as files say it.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { stringify } from "yaml";
import { appliedManifests } from "../../../../delivery/doctor/upgrade/applied.ts";
import { blockingBudgets } from "../../../../delivery/doctor/upgrade/budgets.ts";
import { budgetFindings, removedObjects } from "../../../../delivery/doctor/upgrade/findings.ts";
import { type Manifest, objectsIn } from "../../../../delivery/doctor/upgrade/manifests.ts";
import { REMOVED_APIS, SOURCE } from "../../../../delivery/doctor/upgrade/removedApis.ts";

const object = (apiVersion: string, kind: string, name: string, spec: object = {}, namespace = "shop") => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  spec,
});
const all = (...objects: object[]) => objects.flatMap((one) => objectsIn(stringify(one), "shop.yaml"));
const inTheWay = (manifests: readonly Manifest[], to: string) => [
  ...removedObjects(manifests, to),
  ...budgetFindings(manifests),
];
const found = (to: string, ...objects: object[]) => inTheWay(all(...objects), to);

describe("an object of an API that Kubernetes lets go of", () => {
  const flow = object("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "shop");

  it("is named with its file, the minor that serves it no more, and what to write instead", () => {
    assert.deepEqual(found("1.32", flow), [
      {
        key: "shop.yaml: FlowSchema shop/shop",
        value: "flowcontrol.apiserver.k8s.io/v1beta3",
        problem: "is of an API that Kubernetes serves no more from 1.32 on: Flux could not apply it",
        remedy:
          "write apiVersion: flowcontrol.apiserver.k8s.io/v1 and what it asks for; of a chart, take a later version of " +
          "the chart",
      },
    ]);
  });

  it("is none before that minor, and is one in every later version and each of its patches", () => {
    assert.deepEqual(found("1.31.13", flow), []);
    assert.equal(found("1.40", flow).length, 1);
    assert.equal(found("1.32.0", flow).length, 1);
  });

  it("is told by kind and API version together", () => {
    const budget = object("policy/v1beta1", "PodSecurityPolicy", "old");
    assert.match(String(found("1.34", budget)[0]?.remedy), /^remove it, nothing takes the place of PodSecurityPolicy/);
    assert.deepEqual(found("1.34", object("apps/v1", "Deployment", "web"), object("batch/v1", "CronJob", "night")), []);
    assert.deepEqual(found("1.34", object("policy.example.com/v1beta1", "PodSecurityPolicy", "own")), []);
  });

  it("stands in a table that goes up minor by minor and has nothing twice", () => {
    assert.match(SOURCE.url, /^https:\/\/kubernetes\.io\//);
    const minors = REMOVED_APIS.map(({ minor }) => minor);
    assert.deepEqual(
      minors,
      [...minors].sort((one, other) => one - other),
    );
    const names = REMOVED_APIS.flatMap(({ apiVersion, kinds }) => kinds.map((kind) => `${apiVersion} ${kind}`));
    assert.equal(new Set(names).size, names.length);
    for (const { apiVersion, instead } of REMOVED_APIS) {
      assert.match(apiVersion, /^[a-z0-9.]+\/v\d+beta\d+$/);
      assert.ok(!REMOVED_APIS.some((one) => one.apiVersion === instead));
    }
  });
});

describe("a disruption budget", () => {
  const budget = (spec: object) => object("policy/v1", "PodDisruptionBudget", "web", spec);
  const selector = { matchLabels: { app: "web" } };
  const workload = (replicas?: number, labels: object = { app: "web", tier: "front" }, kind = "Deployment") =>
    object("apps/v1", kind, "web", { ...(replicas !== undefined && { replicas }), template: { metadata: { labels } } });
  const why = (...objects: object[]) => blockingBudgets(all(...objects)).map((one) => one.why);

  it("that lets no pod go blocks, whatever there is", () => {
    for (const maxUnavailable of [0, "0%", "0"])
      assert.deepEqual(why(budget({ maxUnavailable, selector })), [`maxUnavailable is ${maxUnavailable}`]);
    assert.deepEqual(why(budget({ minAvailable: "100%", selector })), ["minAvailable is 100%"]);
  });

  it("blocks where as many pods have to stay as there are", () => {
    assert.deepEqual(why(budget({ minAvailable: 1, selector }), workload()), [
      "minAvailable is 1 and Deployment web has 1 pod",
    ]);
    assert.deepEqual(why(budget({ minAvailable: 3, selector }), workload(2, undefined, "StatefulSet")), [
      "minAvailable is 3 and StatefulSet web has 2 pods",
    ]);
    // Two thirds of two pods are two.
    assert.equal(why(budget({ minAvailable: "60%", selector }), workload(2)).length, 1);
    assert.equal(why(budget({ minAvailable: 2, selector: {} }), workload(2)).length, 1);
  });

  it("lets pods go, or may, where it is one of others", () => {
    assert.deepEqual(why(budget({ maxUnavailable: 1, selector }), workload(1)), []);
    assert.deepEqual(why(budget({ maxUnavailable: "50%", selector }), workload(1)), []);
    assert.deepEqual(why(budget({ minAvailable: 1, selector }), workload(2)), []);
    assert.deepEqual(why(budget({ minAvailable: "50%", selector }), workload(2)), []);
    // Its pods are not known, or are nobody's now.
    assert.deepEqual(why(budget({ minAvailable: 1, selector })), []);
    assert.deepEqual(why(budget({ minAvailable: 1, selector }), workload(0)), []);
    assert.deepEqual(why(budget({ minAvailable: 1, selector }), workload(1, { app: "other" })), []);
  });

  it("counts the pods of its namespace that its whole selector takes", () => {
    const elsewhere = { ...workload(1), metadata: { name: "web", namespace: "other" } };
    assert.deepEqual(why(budget({ minAvailable: 1, selector }), elsewhere), []);
    const by = (operator: string, values?: string[]) =>
      why(
        budget({
          minAvailable: 1,
          selector: { matchExpressions: [{ key: "tier", operator, ...(values && { values }) }] },
        }),
        workload(1),
      ).length;
    assert.deepEqual(
      [by("In", ["front"]), by("In", ["back"]), by("NotIn", ["back"]), by("NotIn", ["front"])],
      [1, 0, 1, 0],
    );
    assert.deepEqual([by("Exists"), by("DoesNotExist")], [1, 0]);
  });

  it("is not judged by a number of pods that an autoscaler changes", () => {
    const scaler = object("autoscaling/v2", "HorizontalPodAutoscaler", "web", {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
    });
    assert.deepEqual(why(budget({ minAvailable: 1, selector }), workload(1), scaler), []);
    assert.equal(why(budget({ maxUnavailable: 0, selector }), workload(1), scaler).length, 1);
  });

  it("is told as what becomes of the upgrade, with the way out", () => {
    assert.deepEqual(found("1.34", budget({ minAvailable: 1, selector }), workload(1)), [
      {
        key: "shop.yaml: PodDisruptionBudget shop/web",
        problem:
          "lets no pod go (minAvailable is 1 and Deployment web has 1 pod): the upgrade of a node that has one waits " +
          "until its drain timeout, and fails",
        remedy: "write maxUnavailable: 1, or delete the budget for as long as the upgrade takes; or have more pods",
      },
    ]);
  });
});

describe("the manifests of a branch", () => {
  it("are all objects of all its YAML, those in lists and in many documents too", async () => {
    const files: Readonly<Record<string, string>> = {
      "README.md": "kind: Secret",
      "apps/many.yml":
        "apiVersion: v1\nkind: List\nitems:\n- { apiVersion: batch/v1beta1, kind: CronJob, metadata: { name: a, namespace: b } }\n",
      "apps/web.yaml": "---\napiVersion: v1\nkind: Service\nmetadata: { name: web }\n---\n# nothing\n---\n- a\n",
      "broken.yaml": "kind: {{ .Values.kind }}\n",
      "values.yaml": "kind: of values\n",
    };
    const branch = {
      paths: Object.keys(files),
      texts: async (paths: readonly string[]) => new Map(paths.map((path) => [path, files[path] ?? ""])),
    };
    const manifests = await appliedManifests(branch, ["."], { otherSources: [], without: [] });
    assert.deepEqual(
      manifests.map(({ from, apiVersion, kind, name, namespace }) => [from, apiVersion, kind, name, namespace]),
      [
        ["apps/many.yml", "batch/v1beta1", "CronJob", "a", "b"],
        ["apps/web.yaml", "v1", "Service", "web", undefined],
      ],
    );
    assert.deepEqual(
      inTheWay(manifests, "1.33").map(({ key }) => key),
      ["apps/many.yml: CronJob b/a"],
    );
  });
});
