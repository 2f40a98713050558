import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { isArm64, parseVmSize } from "../../net/vmSize.ts";

describe("the name of a size of virtual machines", () => {
  it("tells whether its processor is Arm's", () => {
    const arm = ["Standard_D8pds_v6", "Standard_D2pls_v5", "Standard_E4ps_v6", "Standard_B2pts_v2", "standard_d8PS_v6"];
    const grace = "Standard_ND128isr_NDR_GB200_v6";
    for (const size of [...arm, grace]) assert.equal(isArm64(size), true, size);
    const other = [
      "Standard_D4ds_v5",
      "Standard_NP10s",
      "Standard_NV24ads_V710_v5",
      "Standard_NC24ads_A100_v4",
      "Alpha",
    ];
    for (const size of other) assert.equal(isArm64(size), false, size);
  });

  it("falls into its parts", () => {
    assert.deepEqual(parseVmSize("Standard_NC24ads_A100_v4"), {
      ...{ family: "NC", digits: "24", features: "ads", accelerator: "A100", version: 4 },
    });
    assert.deepEqual(parseVmSize("Standard_E8-4ds_v5"), {
      ...{ family: "E", digits: "8", features: "ds", accelerator: undefined, version: 5 },
    });
    assert.equal(parseVmSize("large"), undefined);
  });
});
