// How Azure's word of a pool compares with what is wanted, where one of them says nothing.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { changedIn, created, fixedIn, inline, observed, written } from "../../../provider/azure/poolProperties.ts";

const POOL = { upgradeSettings: { maxSurge: "33%", drainTimeoutInMinutes: 30 } };
const SPOT = {
  scaleSetPriority: "Spot",
  scaleSetEvictionPolicy: "Delete",
  upgradeSettings: { drainTimeoutInMinutes: 30 },
};

describe("an agent pool's properties", () => {
  it("leave to others the labels, the disk and the eviction of which the program says nothing", () => {
    const azure = { ...POOL, nodeLabels: { team: "a" }, osDiskSizeGB: 128, scaleSetEvictionPolicy: "Delete" };
    assert.deepEqual([changedIn(POOL, azure), fixedIn(POOL, azure), observed(POOL, azure)], [[], [], POOL]);
    assert.deepEqual(written(POOL, { ...azure, count: 1 }).nodeLabels, { team: "a" });
  });

  it("see other labels, and none where there were some", () => {
    const wanted = { ...POOL, nodeLabels: { team: "a" } };
    assert.deepEqual(changedIn(wanted, { ...POOL, nodeLabels: { team: "b" } }), ["nodeLabels"]);
    assert.deepEqual(changedIn(wanted, POOL), ["nodeLabels"]);
    assert.deepEqual(changedIn({ ...POOL, nodeLabels: {} }, wanted), ["nodeLabels"]);
    assert.deepEqual(changedIn({ ...POOL, nodeLabels: {} }, POOL), []);
  });

  it("take Regular for what is said where nothing is, and never change it", () => {
    assert.deepEqual(fixedIn(POOL, { ...POOL, scaleSetPriority: "Regular" }), []);
    assert.deepEqual(fixedIn({ ...POOL, scaleSetPriority: "Regular" }, POOL), []);
    assert.deepEqual(fixedIn(SPOT, POOL), ["scaleSetPriority", "scaleSetEvictionPolicy"]);
    assert.deepEqual(fixedIn(POOL, { ...POOL, scaleSetPriority: "Spot" }), ["scaleSetPriority"]);
    assert.deepEqual(fixedIn({ ...POOL, osDiskSizeGB: 64 }, { ...POOL, osDiskSizeGB: 128 }), ["osDiskSizeGB"]);
  });

  it("without the autoscaler are a number of nodes, and no limits, which Azure would refuse", () => {
    const wanted = { ...POOL, enableAutoScaling: false, minCount: 3, maxCount: 5 };
    const azure = { ...POOL, enableAutoScaling: false, count: 3 };
    assert.deepEqual(created(wanted), azure);
    assert.deepEqual([changedIn(wanted, azure), observed(wanted, azure)], [[], wanted]);
    const grown = { ...azure, count: 4 };
    assert.deepEqual([changedIn(wanted, grown), observed(wanted, grown).minCount], [["minCount"], 4]);
    assert.deepEqual(written(wanted, grown), azure);
    const scaled = { ...POOL, enableAutoScaling: true, minCount: 3, maxCount: 5, count: 4 };
    assert.deepEqual(changedIn(wanted, scaled), ["enableAutoScaling"]);
    assert.deepEqual(written(wanted, scaled), azure);
    assert.deepEqual(written({ ...wanted, enableAutoScaling: true }, azure), { ...scaled, count: 3 });
    assert.deepEqual([inline(scaled).count, inline(azure).count], [undefined, 3]);
  });

  it("make Spot nodes without a surge, and miss none afterwards", () => {
    assert.deepEqual(created({ ...SPOT, minCount: 0 }), { ...SPOT, minCount: 0, count: 0 });
    assert.deepEqual(changedIn(SPOT, SPOT), []);
    assert.deepEqual(changedIn(SPOT, { ...SPOT, upgradeSettings: { drainTimeoutInMinutes: 10 } }), ["upgradeSettings"]);
  });
});
