import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { ephemeralProblem, hasOneProcessor, localDisk } from "../../../components/cluster/localDisk.ts";

/** GiB of the larger of cache and temporary disk, as Azure's pages of the sizes tell them. */
const DISKS: readonly [vmSize: string, gib: number | undefined][] = [
  ["Standard_D2ds_v5", 75],
  ["Standard_D4ds_v5", 150],
  ["Standard_D4ads_v5", 150],
  ["Standard_E2ads_v5", 75],
  ["Standard_E8-4ds_v5", 300],
  ["Standard_D4plds_v5", 150],
  ["Standard_D8ds_v4", 300],
  ["Standard_DC4ads_v5", 150],
  ["Standard_D4s_v5", 0],
  ["Standard_D8as_v4", 200],
  ["Standard_D4s_v3", 100],
  ["Standard_E16s_v3", 400],
  ["Standard_DS2_v2", 86],
  ["Standard_DS3_v2", 172],
  ["Standard_F4s_v2", 64],
  ["Standard_F8s_v2", 128],
  ["Standard_L8s_v3", 80],
  ["Standard_L16as_v3", 160],
  ["Standard_B4ms", 0],
  ["Standard_D8ds_v6", 0],
  ["Standard_D8pds_v6", 0],
  ["Standard_NV24ads_V710_v5", 0],
  ["Standard_NC24ads_A100_v4", 64],
  // Azure is asked.
  ["Standard_NC4as_T4_v3", undefined],
  ["Standard_M64ms", undefined],
  ["Standard_D4_v3", undefined],
];

describe("the local disk of a size", () => {
  for (const [vmSize, gib] of DISKS)
    it(`is that of ${vmSize}, however it is spelt`, () => {
      assert.equal(localDisk(vmSize), gib);
      assert.equal(localDisk(vmSize.toLowerCase()), gib);
    });

  it("holds the nodes' system from 128 GiB on", () => {
    assert.equal(ephemeralProblem("Standard_F8s_v2"), undefined);
    assert.equal(ephemeralProblem("Standard_M64ms"), undefined);
    assert.equal(
      ephemeralProblem("Standard_F4s_v2"),
      "does not go with Standard_F4s_v2, which has a local disk of 64 GiB, and the nodes' system takes 128 GiB",
    );
  });

  it("does not matter where a size has one processor", () => {
    for (const vmSize of ["Standard_DS1_v2", "Standard_F1s", "Standard_A1_v2", "Standard_DC1s_v3", "Standard_B1ms"])
      assert.equal(hasOneProcessor(vmSize), true, vmSize);
    for (const vmSize of ["Standard_D2ds_v5", "Standard_DS11_v2", "Standard_F16s_v2", "Standard_D16s_v3"])
      assert.equal(hasOneProcessor(vmSize), false, vmSize);
  });
});
