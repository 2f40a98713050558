import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { Danger } from "../../../delivery/review/model.ts";
import { event, resource, step, UNKNOWN, urnOf } from "./events.ts";
import { type Recorded, reviewed } from "./recorded.ts";

const CLUSTER = "gitops:index:ManagedCluster";
const POOL = "gitops:index:AgentPool";
const VAULT = "azure-native:keyvault:Vault";
const GROUP = "azure-native:resources:ResourceGroup";
const NAME = "random:index/randomId:RandomId";
const COMMIT = "gitops:index:GitCommit";

const dangers = (...recorded: [events: Recorded["events"], resources?: Recorded["resources"]]) =>
  reviewed({ events: recorded[0], resources: recorded[1] ?? [] }).dangers;

const told = ({ operation, noun, name, loses }: Danger) => [operation, noun, name, loses];

describe("what is replaced or deleted", () => {
  it("is told the worst first, and not at all where nobody notices it", () => {
    const events = [
      ...step("delete", "azure-native:authorization:RoleAssignment", "r"),
      ...step("delete", "gitops:index:ImageImport", "i"),
      ...step("replace", NAME, "n"),
      ...step("delete", CLUSTER, "c"),
      ...step("delete", VAULT, "v"),
      ...step("update", GROUP, "g"),
      ...step("delete", "some:other/type:Type", "t"),
    ];
    assert.deepEqual(dangers(events).map(told), [
      ["delete", "vault", "v", true],
      ["delete", "cluster", "c", true],
      ["delete", "Type", "t", true],
      ["delete", "role assignment", "r", false],
    ]);
  });

  it("makes a change dangerous only where something is lost", () => {
    const verdict = (type: string) => reviewed({ events: step("delete", type, "x"), resources: [] }).verdict;
    assert.equal(verdict("azure-native:authorization:RoleAssignment"), "changes");
    assert.equal(verdict(VAULT), "dangerous");
  });

  it("is told below what it goes because of: deleted with it, or made anew for its new id", () => {
    const events = [
      ...step("replace", CLUSTER, "c", {
        old: { location: "a" },
        new: { location: "b" },
        diff: { location: "update-replace" },
      }),
      ...step("replace", POOL, "p", {
        old: { clusterId: "c" },
        new: { clusterId: UNKNOWN },
        diff: { clusterId: "update-replace" },
      }),
      ...step("delete", VAULT, "v"),
      ...step("delete", "gitops:index:VaultKey", "k"),
    ];
    const resources = [
      resource(CLUSTER, "c"),
      resource(POOL, "p", { propertyDependencies: { clusterId: [urnOf(CLUSTER, "c")] } }),
      resource("gitops:index:VaultKey", "k", { dependencies: [urnOf(VAULT, "v")] }),
    ];
    const found = dangers(events, resources);
    assert.deepEqual(
      found.map(({ name, dependents }) => [name, dependents.map((one) => one.name)]),
      [
        ["v", ["k"]],
        ["c", ["p"]],
      ],
    );
    // What is as bad as that is said of it too.
    assert.match(found[0]?.dependents[0]?.meaning ?? "", /cannot be read any more/);
    assert.equal(found[1]?.dependents[0]?.meaning, undefined);
  });

  it("is told by itself where it goes for a reason of its own too", () => {
    const events = [
      ...step("replace", CLUSTER, "c", {
        old: { location: "a" },
        new: { location: "b" },
        diff: { location: "update-replace" },
      }),
      ...step("replace", POOL, "p", {
        old: { clusterId: "c", name: "a" },
        new: { clusterId: UNKNOWN, name: "b" },
        diff: { clusterId: "update-replace", name: "update-replace" },
      }),
    ];
    const resources = [resource(POOL, "p", { propertyDependencies: { clusterId: [urnOf(CLUSTER, "c")], name: [] } })];
    assert.deepEqual(
      dangers(events, resources).map(({ name }) => name),
      ["c", "p"],
    );
    const [, pool] = dangers(events, resources);
    assert.deepEqual(pool?.causes, [
      { path: "name", from: "a", to: "b", replaces: true },
      {
        path: "clusterId",
        from: "c",
        to: "[unknown]",
        replaces: true,
        comesFrom: [{ type: CLUSTER, name: "c", urn: urnOf(CLUSTER, "c") }],
      },
    ]);
  });

  it("is never hidden below what nobody notices, which is named as the cause", () => {
    const events = [
      ...step("replace", NAME, "n"),
      ...step("replace", CLUSTER, "c", {
        old: { name: "a" },
        new: { name: UNKNOWN },
        diff: { name: "update-replace" },
      }),
    ];
    const resources = [resource(CLUSTER, "c", { propertyDependencies: { name: [urnOf(NAME, "n")] } })];
    const [found, ...others] = dangers(events, resources);
    assert.deepEqual(others, []);
    assert.deepEqual(found?.causes[0]?.comesFrom, [{ type: NAME, name: "n", urn: urnOf(NAME, "n") }]);
  });

  it("names everything below a resource group, the worst first", () => {
    const gone = [CLUSTER, VAULT, "azure-native:authorization:RoleAssignment", NAME];
    const events = [...step("delete", GROUP, "g"), ...gone.flatMap((type) => step("delete", type, "x"))];
    const resources = gone.map((type) => resource(type, "x", { dependencies: [urnOf(GROUP, "g")] }));
    const [group, ...others] = dangers(events, resources);
    assert.deepEqual(others, []);
    assert.deepEqual(
      group?.dependents.map(({ noun, isNoticed, meaning }) => [noun, isNoticed, meaning !== undefined]),
      [
        ["vault", true, true],
        ["cluster", true, false],
        ["role assignment", true, false],
        ["random name", false, false],
      ],
    );
  });

  it("says of a replacement whether the old one goes first, and of each whether it is protected or a leftover", () => {
    const [create, replace, remove] = step("replace", CLUSTER, "c", { state: { protect: true } });
    const first = [remove, replace, create].flatMap((one) => one ?? []);
    const [found] = dangers(first);
    assert.deepEqual([found?.deletedFirst, found?.protected], [true, true]);
    assert.equal(dangers(step("replace", CLUSTER, "c"))[0]?.deletedFirst, undefined);
    const left = [...step("delete", CLUSTER, "c", { state: { delete: true } }), ...step("update", CLUSTER, "c")];
    assert.deepEqual(
      reviewed({ events: left, resources: [] }).resources.map(({ operation, leftover }) => [operation, leftover]),
      [
        ["delete", true],
        ["update", undefined],
      ],
    );
  });

  it("is no deletion where the resource is only forgotten, or the pool is the cluster's own", () => {
    assert.deepEqual(
      dangers(step("delete", "github:index/repository:Repository", "r", { state: { retainOnDelete: true } })),
      [],
    );
    assert.deepEqual(dangers(step("delete", POOL, "p", { old: { mode: "System" } })), []);
    assert.deepEqual(dangers(step("delete", POOL, "p", { old: { mode: "User" } })).length, 1);
  });

  it("is told once of a component, by its resources", () => {
    const component = step("delete", "aks-gitops:index:AksCluster", "c", { state: { custom: false } });
    const provider = step("delete", "pulumi:providers:gitops", "p");
    assert.deepEqual(reviewed({ events: [...component, ...provider], resources: [] }).resources, []);
  });
});

describe("an object whose manifest goes from Git", () => {
  const manifest = (kind: string, name: string, more = "") => {
    const [group, short = ""] = kind.includes(" ") ? kind.split(" ") : ["", kind];
    return `apiVersion: ${group === "" ? "v1" : `${group}/v1`}\nkind: ${short}\nmetadata:\n  name: ${name}\n${more}`;
  };
  const goes = (before: Record<string, unknown>, after: Record<string, unknown>) =>
    dangers(step("update", COMMIT, "g", { old: { files: before }, new: { files: after }, diff: { files: "update" } }));

  it("is deleted by Flux, and with a namespace all that is in it", () => {
    const files = {
      "namespaces.yaml": `${manifest("Namespace", "a")}---\n${manifest("Namespace", "b")}`,
      "release.yaml": manifest("helm.toolkit.fluxcd.io HelmRelease", "r", "  namespace: flux-system\n"),
      "map.yaml": manifest("ConfigMap", "m"),
    };
    const found = goes(files, { "namespaces.yaml": manifest("Namespace", "b") });
    assert.deepEqual(found.map(told), [
      ["delete", "namespace", "a", true],
      ["delete", "release", "flux-system/r", false],
    ]);
    assert.match(found[0]?.meaning ?? "", /deletes it with everything in it/);
    assert.equal(found[0]?.urn, urnOf(COMMIT, "g"));
  });

  it("stays where it has moved to another file, or nothing is known of its file yet, or Flux may not prune it", () => {
    const a = manifest("Namespace", "a");
    assert.deepEqual(goes({ "a.yaml": a }, { "b.yaml": `# moved\n${a}` }), []);
    assert.deepEqual(goes({ "a.yaml": a }, { "a.yaml": UNKNOWN }), []);
    const kept = manifest("Namespace", "a", "  annotations:\n    kustomize.toolkit.fluxcd.io/prune: disabled\n");
    assert.deepEqual(goes({ "a.yaml": kept }, {}), []);
    assert.deepEqual(goes({ "a.yaml": "kind: {{ broken" }, {}), []);
  });

  it("goes unmentioned where the whole commit is deleted: that says it", () => {
    const found = dangers(step("delete", COMMIT, "g", { old: { files: { a: manifest("Namespace", "a") } } }));
    assert.deepEqual(
      found.map(({ noun }) => noun),
      ["stack's files in Git"],
    );
  });
});

describe("a replacement without details", () => {
  it("was asked for, or had a trigger", () => {
    const events = [
      event("resourcePreEvent", {
        metadata: {
          op: "replace",
          urn: urnOf(CLUSTER, "c"),
          type: CLUSTER,
          old: { custom: true, inputs: {} },
          new: { custom: true, inputs: {} },
        },
      }),
    ];
    assert.deepEqual(dangers(events)[0]?.causes, []);
  });
});
