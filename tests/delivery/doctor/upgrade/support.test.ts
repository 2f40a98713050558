import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { type OfferedMinor, supportFault } from "../../../../delivery/doctor/upgrade/support.ts";
import { newCloud, ROOT } from "../../../rehearsal/cloud/arm/cloud.ts";

describe("AKS's support of a version", () => {
  /** The list of the region, in which 1.31 has long-term support alone. */
  async function offered(): Promise<OfferedMinor[]> {
    const path = `${ROOT}/providers/Microsoft.ContainerService/locations/westeurope/kubernetesVersions`;
    return (await (await newCloud()).call("GET", path)).body.values;
  }
  const BOTH = ["KubernetesOfficial", "AKSLongTermSupport"];

  it("is there for a minor that the region's list has, and for each of its patches", async () => {
    for (const version of ["1.32", "1.34", "1.33.5"])
      assert.equal(supportFault(version, await offered(), false), undefined);
    assert.equal(supportFault("1.31", await offered(), true), undefined);
  });

  it("is over, not there yet, or another plan's", async () => {
    const write = "write one that is supported: 1.32, 1.33, 1.34";
    assert.deepEqual(supportFault("1.29.4", await offered(), false), {
      isRefused: true,
      problem: "is out of AKS's support",
      remedy: write,
    });
    assert.deepEqual(supportFault("1.40", await offered(), false), {
      isRefused: true,
      problem: "is not offered by AKS in this region",
      remedy: write,
    });
    assert.deepEqual(supportFault("1.31", await offered(), false), {
      isRefused: true,
      problem: "is supported by AKS with long-term support alone",
      remedy: `${write}; or write sku: Premium`,
    });
  });

  it("is not there for a patch that the list has not, nor in full for a preview", async () => {
    assert.deepEqual(supportFault("1.33.99", await offered(), false), {
      isRefused: true,
      problem: "is no patch that AKS offers in this region: 1.33.4, 1.33.5 are",
      remedy: 'write "1.33.5", or "1.33" alone',
    });
    const preview = { version: "1.35", isPreview: true, capabilities: { supportPlan: BOTH }, patchVersions: {} };
    assert.deepEqual(supportFault("1.35", [...(await offered()), preview], false), {
      isRefused: false,
      problem: "is a preview, which AKS does not support in production",
      remedy: "write one that is supported: 1.32, 1.33, 1.34",
    });
  });
});
