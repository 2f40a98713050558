import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { marker, renderReview } from "../../../delivery/review/render.ts";
import { diagnostic, ended, outputs, step } from "./events.ts";
import { read, recorded, reviewed } from "./recorded.ts";

describe("the review", () => {
  for (const [name, verdict] of [
    ["unchanged", "unchanged"],
    ["chart", "changes"],
    ["cluster", "dangerous"],
    ["failed", "failed"],
    ["policy", "blocked"],
    ["up", "changes"],
  ] as const)
    it(`says what a reviewer needs of what the engine told: ${name}`, () => {
      const review = reviewed(recorded(name), name === "up" ? { operation: "up" } : {});
      assert.equal(review.verdict, verdict);
      assert.equal(renderReview(review, "markdown"), read("expected", `${name}.md`));
    });

  it("says of outputs alone that only they change", () => {
    const review = reviewed({ events: [outputs({ a: "x", b: "y" }, { a: "z", b: "y" })], resources: [] });
    assert.equal(review.verdict, "changes");
    assert.deepEqual(review.outputs, [{ path: "a", from: "x", to: "z" }]);
    assert.match(renderReview(review, "text"), /^ℹ️ prod: only outputs change\n/);
  });

  it("says of drift what an update would put back, and not what was only looked at", () => {
    const type = "azure-native:network:VirtualNetwork";
    const [old, next] = [{ tags: { owner: "somebody" } }, { tags: { owner: "acme" } }];
    const events = [
      ...step("refresh", type, "same"),
      ...step("refresh", type, "changed", { old, new: old }),
      ...step("refresh", "azure-native:containerregistry:Registry", "gone"),
      ...step("same", type, "same"),
      ...step("update", type, "changed", { old, new: next, diff: { "tags.owner": "update" } }),
      ...step("create", "azure-native:containerregistry:Registry", "gone", { new: { sku: "Premium" } }),
      outputs({ a: "x" }, { a: "y" }),
    ];
    const review = reviewed({ events, resources: [] }, { operation: "drift" });
    assert.equal(review.verdict, "changes");
    assert.deepEqual(review.counts, { create: 1, update: 1, replace: 0, delete: 0, other: 0, unchanged: 1 });
    assert.deepEqual(
      review.resources.map(({ name, operation, properties }) => [name, operation, properties]),
      [
        ["changed", "update", [{ path: "tags.owner", from: "somebody", to: "acme" }]],
        ["gone", "create", [{ path: "sku", to: "Premium" }]],
      ],
    );
    assert.match(
      renderReview(review, "markdown"),
      /^<!-- .* -->\n### ⚠️ `prod`: drifted, 2 resources are not as the stack says\n\n1 to update, 1 to create, 1 unchanged\. Look for drift of `f00dface`, /,
    );
    const none = [...step("refresh", type, "same"), ...step("same", type, "same"), outputs({ a: "x" }, { a: "y" })];
    assert.equal(reviewed({ events: none, resources: [] }, { operation: "drift" }).verdict, "unchanged");
  });

  it("names a version whose content is another one, and none that only goes to another registry", () => {
    const image = (loginServer: string, digest: string) => ({ loginServer, repository: "a/b", tag: "1", digest });
    const [old, other] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
    const replaced = (next: object) =>
      reviewed({
        events: step("replace", "gitops:index:ImageImport", "i", {
          old: image("old", old),
          new: { ...next },
          diff: { loginServer: "update-replace" },
        }),
        resources: [],
      });
    assert.deepEqual(replaced(image("new", old)).artifacts, []);
    const moved = replaced(image("new", other));
    assert.deepEqual(moved.artifacts, [
      { kind: "image", name: "a/b", from: { version: "1", digest: old }, to: { version: "1", digest: other } },
    ]);
    assert.match(renderReview(moved, "markdown"), /`1` `sha256:b{12}` \(the same version with another content\) \|/);
  });

  it("names an upgrade of Kubernetes first, and says nothing of a version that is left to AKS", () => {
    const upgrade = (old: object, next: object) =>
      reviewed({
        events: [
          ...step("update", "gitops:index:ManagedCluster", "aks-prod", {
            old: { ...old },
            new: { ...next },
            diff: { kubernetesVersion: "update" },
          }),
          ...step("update", "gitops:index:AgentPool", "aks-prod-apps", {
            old: { orchestratorVersion: "1.33" },
            new: { orchestratorVersion: "1.34" },
            diff: { orchestratorVersion: "update" },
          }),
        ],
        resources: [],
      });
    const review = upgrade({ kubernetesVersion: "1.33" }, { kubernetesVersion: "1.34" });
    assert.deepEqual(review.artifacts, [
      { kind: "Kubernetes", name: "aks-prod", from: { version: "1.33" }, to: { version: "1.34" } },
    ]);
    assert.match(renderReview(review, "text"), /^ℹ️ prod: Kubernetes aks-prod 1\.33 → 1\.34, 2 resources in all\n/);
    assert.deepEqual(upgrade({ tags: { a: "b" } }, {}).artifacts, []);
  });

  it("says why something failed, once, and without colours and stack traces", () => {
    const thrown = [
      "<{%fg 1%}>Running program '/project/index.ts' failed with an unhandled exception:<{%reset%}>",
      "Error: the settings are wrong",
      "    at main (file:///project/index.ts:1:2)",
      "    at async Module.run (node:internal/modules/esm/loader:1:2)",
      "Node.js v24.0.0",
      "",
    ].join("\n");
    const events = [
      diagnostic("error", thrown),
      diagnostic("error", thrown),
      diagnostic("error", "preview failed"),
      ended("failed"),
    ];
    assert.deepEqual(reviewed({ events, resources: [] }).failures, [{ text: "Error: the settings are wrong" }]);
    const silent = reviewed({ events: [diagnostic("error", "preview failed"), ended("failed")], resources: [] });
    assert.deepEqual(silent.failures, [{ text: "pulumi ended without saying why." }]);
  });

  it("is found again by its first line, one of each stack of each project", () => {
    const review = reviewed(recorded("unchanged"));
    const [first] = renderReview(review, "markdown").split("\n");
    assert.equal(first, marker(review));
    assert.equal(first, "<!-- aks-gitops review aks-gitops/prod -->");
    assert.notEqual(marker({ ...review, stack: "prod-2" }), first);
    assert.equal(marker({ project: "a", stack: "b-->c" }), "<!-- aks-gitops review a/b-%2D%3Ec -->");
  });
});
