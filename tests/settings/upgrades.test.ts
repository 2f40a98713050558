// The version of Kubernetes that a stack says, the channel beside it, and the stack that goes first.
import { strict as assert } from "node:assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { describeWarning, SettingsError } from "../../settings/errors.ts";
import { examineSettings } from "../../settings/parse.ts";
import { fault, faults, MINIMUM, read } from "./faults.ts";

describe("the version of Kubernetes", () => {
  const cluster = (more: object) => ({ "aks-gitops:cluster": more });
  const channelOf = (more: object) => read(cluster(more)).cluster.upgradeChannel;

  it("is AKS's to choose by default, and decides the default channel where it is said", () => {
    assert.equal(read({}).cluster.kubernetesVersion, undefined);
    assert.deepEqual(
      [{}, { sku: "Premium" }, { kubernetesVersion: "1.34" }, { kubernetesVersion: "1.34.1" }].map(channelOf),
      ["stable", "patch", "patch", "none"],
    );
    assert.equal(channelOf({ upgradeChannel: "none" }), "none");
    assert.equal(channelOf({ sku: "Premium", upgradeChannel: "none" }), "none");
  });

  for (const wrong of ["1", "v1.34", "1.34.x", "2.1", "1.034"])
    it(`is a minor or a patch: not ${wrong}`, () => {
      const [found] = faults(cluster({ kubernetesVersion: wrong }));
      assert.deepEqual([found?.key, found?.value], ["aks-gitops:cluster.kubernetesVersion", wrong]);
      assert.match(String(found?.remedy), /write a minor version in quotes, for example "1\.34"/);
    });

  it("stands in quotes, or YAML makes a number of it: 1.30 would be 1.3", () => {
    const [found] = faults(cluster({ kubernetesVersion: 1.3 }));
    assert.match(String(found?.remedy), /in quotes/);
  });

  for (const [kubernetesVersion, upgradeChannel, problem, remedy] of [
    [
      "1.34",
      "stable",
      /: AKS would go on to later minor versions by itself, and never back$/,
      /^write patch, node-image or none/,
    ],
    ["1.34", "rapid", /later minor versions/, /or leave kubernetesVersion out$/],
    ["1.34.1", "patch", /: AKS would go on to later patches by itself, and never back$/, /^write none or node-image/],
    ["1.34.1", "stable", /later minor versions/, /name the minor version alone$/],
  ] as const)
    it(`${kubernetesVersion} does not go with the channel ${upgradeChannel}`, () => {
      const [found, ...others] = faults(cluster({ kubernetesVersion, upgradeChannel }));
      assert.deepEqual(others, []);
      assert.deepEqual([found?.key, found?.value], ["aks-gitops:cluster.upgradeChannel", upgradeChannel]);
      assert.match(String(found?.problem), problem);
      assert.match(String(found?.remedy), remedy);
    });

  for (const [kubernetesVersion, upgradeChannel] of [
    ["1.34", "none"],
    ["1.34", "patch"],
    ["1.34", "node-image"],
    ["1.34.1", "none"],
    ["1.34.1", "node-image"],
  ])
    it(`${kubernetesVersion} goes with the channel ${upgradeChannel}`, () => {
      assert.deepEqual(faults(cluster({ kubernetesVersion, upgradeChannel })), []);
    });
});

describe("the stack that goes first", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "aks-gitops-stacks-"));
    await writeFile(join(folder, "Pulumi.dev.yaml"), 'config:\n  aks-gitops:cluster:\n    kubernetesVersion: "1.34"\n');
    await writeFile(join(folder, "Pulumi.free.yaml"), "config:\n  aks-gitops:cluster: { sku: Free }\n");
    await writeFile(join(folder, "Pulumi.torn.yaml"), "config: [\n");
  });
  after(() => rm(folder, { recursive: true }));

  /** Faults and warnings of a stack `prod` beside the others. */
  function found(cluster: object) {
    const config = { ...MINIMUM, "aks-gitops:cluster": cluster };
    try {
      const source = { project: "aks-gitops", stack: "prod", config, folder };
      return { warnings: examineSettings(source).warnings.map(describeWarning), faults: [] };
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      return { warnings: [], faults: error.faults.map(({ key, problem, remedy }) => ({ key, problem, remedy })) };
    }
  }
  const NOTHING = { warnings: [], faults: [] };

  for (const kubernetesVersion of ["1.33", "1.33.9", "1.34", "1.34.7"])
    it(`lets another one have ${kubernetesVersion} where it has 1.34 itself`, () => {
      assert.deepEqual(found({ kubernetesVersion, upgradeAfter: "dev" }), NOTHING);
    });

  it("keeps another one from being ahead of it, and says what to do in which order", () => {
    assert.deepEqual(found({ kubernetesVersion: "1.35", upgradeAfter: "dev" }).faults, [
      {
        key: "aks-gitops:cluster.kubernetesVersion",
        problem: "is ahead of 1.34 in Pulumi.dev.yaml, and upgradeAfter lets the stack dev go first",
        remedy:
          "write it in Pulumi.dev.yaml, run `pulumi up --stack dev`, and come back when all is well there; until then " +
          'write "1.34"',
      },
    ]);
  });

  it("is another one, and there", () => {
    const problem = (upgradeAfter: string) => found({ kubernetesVersion: "1.34", upgradeAfter }).faults[0]?.problem;
    assert.equal(problem("prod"), "is this stack itself");
    assert.equal(problem("stage"), "is no stack here: there is no Pulumi.stage.yaml");
    assert.match(String(problem("../dev")), /right form/);
  });

  it("is warned of where there is nothing to compare", () => {
    for (const first of ["free", "torn"])
      assert.deepEqual(found({ kubernetesVersion: "1.34", upgradeAfter: first }).warnings, [
        "aks-gitops:cluster.upgradeAfter compares nothing: that one's file says no kubernetesVersion, and AKS upgrades by " +
          `upgradeChannel. Write kubernetesVersion: "1.34" in Pulumi.${first}.yaml too, or leave upgradeAfter out.`,
      ]);
    assert.match(
      String(found({ upgradeAfter: "dev" }).warnings),
      /compares nothing: this stack says no kubernetesVersion, .* Write kubernetesVersion in both files/,
    );
  });

  it("is not looked for where the stacks' folder is not known", () => {
    assert.deepEqual(faults({ "aks-gitops:cluster": { kubernetesVersion: "1.99", upgradeAfter: "dev" } }), []);
    assert.equal(fault({ "aks-gitops:cluster": { upgradeAfter: "test" } })[2], "is this stack itself");
  });
});
