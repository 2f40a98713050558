import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parseSettings } from "../../settings/parse.ts";
import { RULES } from "../../settings/rules.ts";
import { fault, faults, GROUP, MINIMUM, read, warnings } from "./faults.ts";

describe("the rules between settings", () => {
  it("are a table whose rows have a name of their own, a severity, a remedy and a link", () => {
    assert.equal(new Set(RULES.map(({ name }) => name)).size, RULES.length);
    for (const { name, severity, remedy, link } of RULES) {
      assert.match(name, /^[a-z]+(-[a-z]+)+$/);
      assert.ok(severity === "error" || severity === "warning");
      assert.match(remedy, /^[a-z]/);
      assert.match(link, /^https:\/\/[\w.-]+\//);
    }
  });

  it("are named by the faults that they find", () => {
    const [found] = faults({ "aks-gitops:registry": { private: true }, "aks-gitops:runner": "inside" });
    assert.equal(found?.rule, "private-registry-is-premium");
  });

  it("look at what is right where something else is wrong, and not at what is wrong", () => {
    const cluster = { sku: "Fre", network: { nodes: "10.99.0.0/20", pods: "nonsense" }, systemPool: { minCount: 9 } };
    const registry = { sku: "Premum", private: true };
    assert.deepEqual(
      faults({ "aks-gitops:cluster": cluster, "aks-gitops:registry": registry }).map(({ key }) => key),
      [
        "aks-gitops:cluster.sku",
        "aks-gitops:cluster.network.pods",
        "aks-gitops:registry.sku",
        "aks-gitops:cluster.network.nodes",
        "aks-gitops:cluster.systemPool.minCount",
      ],
    );
  });

  it("name an item by its own place, whatever stands before it", () => {
    const chart = { name: "a", repository: "https://a.b/c", version: "1.0.0", namespace: "a" };
    assert.deepEqual(
      faults({ "aks-gitops:charts": ["wrong", chart, chart] }).map(({ key }) => key),
      ["aks-gitops:charts[0]", "aks-gitops:charts[2].name"],
    );
  });
});

describe("a key outside the program's namespace", () => {
  const demo = { image: "ghcr.io/acme/demo:1" };

  for (const namespace of ["aksgitops", "aks_gitops", "AKS-GitOps", "aks-gitop"])
    it(`is named where it is a setting in ${namespace}, with the key that was meant`, () => {
      const [found, ...others] = faults({ [`${namespace}:demo`]: demo });
      assert.deepEqual(others, []);
      assert.deepEqual(
        [found?.key, found?.problem],
        [`${namespace}:demo`, "is not read: settings stand in the namespace aks-gitops"],
      );
      assert.equal(found?.remedy, "did you mean aks-gitops:demo? rename it, or remove it");
    });

  it("is named where the project has another name, whose namespace Pulumi gives to a key without one", () => {
    const config = { ...MINIMUM, "fleet:demo": demo };
    assert.throws(
      () => parseSettings({ project: "fleet", stack: "test", config }),
      /fleet:demo is not read: .*\n {4}remedy {2}did you mean aks-gitops:demo\?/,
    );
  });

  it("is warned of where it is no setting, and left alone where the namespace is somebody else's", () => {
    assert.deepEqual(warnings({ "fleet:colour": "red", "pulumi:tags": {}, "gitops:demo": 1 }, { project: "fleet" }), [
      "fleet:colour is not read: settings stand in the namespace aks-gitops, and none is named like it. Rename it, or " +
        "remove it, unless something of your own reads it.",
    ]);
  });
});

describe("a configuration that is too large for the engine to hand over", () => {
  // Linux's limit of one string is 131072 bytes, its end included.
  const chart = (note: string) => [
    { name: "a", repository: "https://a.b/c", version: "1.0.0", namespace: "a", values: { note } },
  ];

  it("is told with its largest key, its size, and what to do", () => {
    const [key, , problem] = fault({ "aks-gitops:charts": chart("x".repeat(140_000)) });
    assert.equal(key, "aks-gitops:charts");
    assert.match(
      problem,
      /^is too large: it takes 137 KiB of the 138 KiB .* more than 128 KiB with "argument list too long"$/,
    );
  });

  it("counts what the engine writes: all values together, with every quote and < escaped", () => {
    assert.equal(faults({ "aks-gitops:charts": chart("x".repeat(66_000)) }).length, 0);
    assert.equal(faults({ "aks-gitops:charts": chart('"'.repeat(66_000)) }).length, 1);
    assert.equal(faults({ "aks-gitops:charts": chart("<".repeat(22_000)) }).length, 1);
    assert.equal(faults({ "aks-gitops:charts": chart("x".repeat(66_000)), "other:key": "x".repeat(66_000) }).length, 1);
  });
});

describe("tags", () => {
  it("are taken as they are", () => {
    const tags = { environment: "prod", "cost center": "4711", Owner: "" };
    assert.deepEqual(read({ "aks-gitops:tags": tags }).tags, tags);
  });

  for (const name of [
    "a<b",
    "a>b",
    "a%b",
    "a&b",
    "a\\b",
    "a?b",
    "a/b",
    "a".repeat(513),
    "microsoft-x",
    "Azure",
    "WINDOWSx",
  ])
    it(`have no name like ${name.slice(0, 12)}`, () => {
      const [key, value, problem] = fault({ "aks-gitops:tags": { [name]: "x" } });
      assert.deepEqual(
        [key, value, problem],
        ["aks-gitops:tags", name, "has a name that does not have the right form"],
      );
    });

  it("have names that differ by more than upper and lower case", () => {
    assert.equal(fault({ "aks-gitops:tags": { env: "a", Env: "b" } })[2], "has Env twice");
  });

  it("have values of at most 256 characters, and texts", () => {
    assert.deepEqual(faults({ "aks-gitops:tags": { a: "x".repeat(256) } }), []);
    assert.equal(fault({ "aks-gitops:tags": { a: "x".repeat(257) } })[0], "aks-gitops:tags.a");
    assert.equal(fault({ "aks-gitops:tags": { costCenter: 4711 } })[2], "is a number where a text is expected");
  });

  it("leave the cluster its own", () => {
    assert.equal(
      fault({ "aks-gitops:tags": { "AKS-GitOps": "x" } })[2],
      "has AKS-GitOps, which says whose a cluster is",
    );
  });

  it("are at most 49", () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`tag${i}`, "x"]));
    assert.deepEqual(faults({ "aks-gitops:tags": many(49) }), []);
    assert.equal(fault({ "aks-gitops:tags": many(50) })[2], "has 50 tags");
  });
});

describe("a branch", () => {
  const flux = (branch: string) => ({ "aks-gitops:flux": { repository: "https://github.com/acme/fleet", branch } });

  // https://git-scm.com/docs/git-check-ref-format
  for (const branch of [
    "--upload-pack=x",
    "-",
    ".a",
    "a/.b",
    "a.lock",
    "a.lock/b",
    "a..b",
    "a b",
    "a\tb",
    "a\u007fb",
    "a~b",
    "a^b",
    "a:b",
    "a?b",
    "a*b",
    "a[b",
    "a\\b",
    "/a",
    "a/",
    "a//b",
    "a.",
    "a@{b",
    "@",
    "HEAD",
  ])
    it(`is not named ${JSON.stringify(branch)}`, () => {
      assert.equal(fault(flux(branch))[0], "aks-gitops:flux.branch");
    });

  for (const branch of ["main", "release/1.0", "a-b", "feature/-x", "a@b", "a.b", "HEADER", "größe", "x]y", "a{b"])
    it(`is named ${branch}`, () => {
      assert.equal(read(flux(branch)).flux.branch, branch);
    });
});

describe("a value that is empty", () => {
  it("says the same as none, in the file, in JSON and as the engine hands it over", () => {
    for (const empty of [null, "", "null", undefined]) {
      const settings = read({ "aks-gitops:cluster": empty, "aks-gitops:charts": empty, "aks-gitops:runner": empty });
      assert.deepEqual([settings.cluster.sku, settings.charts, settings.runner], ["Standard", [], "outside"]);
    }
    assert.deepEqual(
      read({ "aks-gitops:cluster": { network: null, userPools: [{ name: "a", zones: null }] } }).cluster.userPools,
      [
        {
          ...{ name: "a", vmSize: "Standard_D4ds_v5", osDiskType: undefined, osDiskSizeGB: undefined, zones: [] },
          ...{
            minCount: 1,
            maxCount: 5,
            enableAutoScaling: true,
            nodeLabels: {},
            maxSurge: "33%",
            drainTimeoutInMinutes: 30,
          },
          ...{ nodeTaints: [], scaleSetPriority: "Regular" },
        },
      ],
    );
    assert.equal(fault({ "aks-gitops:deployers": "" })[2], "is missing");
    assert.equal(read({ "aks-gitops:deployers": GROUP.toUpperCase() }).deployers, GROUP.toUpperCase());
  });
});
