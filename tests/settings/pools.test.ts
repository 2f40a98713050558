// Settings of pools beyond their size.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { fault, faults, read } from "./faults.ts";

const pools = (pool: object) => ({ "aks-gitops:cluster": { userPools: [{ name: "apps", ...pool }] } });
const KEY = "aks-gitops:cluster.userPools[0]";

describe("a pool's settings", () => {
  it("are taken as Azure and Kubernetes spell them", () => {
    const said = {
      ...{ nodeTaints: ["gpu=true:NoSchedule", "batch:NoExecute"], scaleSetPriority: "Spot" },
      ...{ nodeLabels: { "example.com/team": "data", empty: "" }, maxSurge: "2", drainTimeoutInMinutes: 60 },
      ...{ osDiskSizeGB: 64 },
    };
    const [pool] = read(pools(said)).cluster.userPools;
    for (const [name, value] of Object.entries(said)) assert.deepEqual({ ...pool }[name as "maxSurge"], value, name);
  });

  const WRONG: readonly [what: object, key: string, value: unknown][] = [
    [{ nodeTaints: ["gpu=true"] }, ".nodeTaints[0]", "gpu=true"],
    [{ nodeTaints: ["gpu=true:Evict"] }, ".nodeTaints[0]", "gpu=true:Evict"],
    [{ nodeLabels: { team: "two words" } }, ".nodeLabels.team", "two words"],
    [{ maxSurge: "0%" }, ".maxSurge", "0%"],
    [{ maxSurge: "101%" }, ".maxSurge", "101%"],
    [{ drainTimeoutInMinutes: 1441 }, ".drainTimeoutInMinutes", 1441],
    [{ osDiskSizeGB: 8 }, ".osDiskSizeGB", 8],
    [{ scaleSetPriority: "Low" }, ".scaleSetPriority", "Low"],
  ];
  for (const [said, key, value] of WRONG)
    it(`are refused where they are ${JSON.stringify(said)}`, () => {
      const [at, found] = fault(pools(said));
      assert.deepEqual([at, found], [`${KEY}${key}`, value]);
    });

  it("have no label of AKS's own, and none of another name than Kubernetes takes", () => {
    for (const name of ["kubernetes.azure.com/mode", "a b", "/team"]) {
      const found = faults(pools({ nodeLabels: { [name]: "x" } }));
      assert.equal(found.length, 1, name);
      assert.match(found[0]?.key ?? "", /nodeLabels/);
    }
  });
});
