// What becomes of a component's resources when they are replaced: the new one is there before the old one goes.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { ContainerRegistry, SopsKeyVault } from "../../components/index.ts";
import { deploy } from "./deployment.ts";
import { EVERYTHING } from "./everything.ts";

/** Providers that never delete first, and the cluster's objects, whose names are Flux's and the program's for good. */
const OTHERS = /^(gitops|kubernetes|pulumi|aks-gitops|test):/;

describe("a resource that is replaced", () => {
  for (const [name, make] of Object.entries(EVERYTHING))
    it(`is made anew before the old one is deleted: ${name}`, async () => {
      const { resources } = await deploy(() => make({}, {}));
      const early = resources
        .filter(({ type, deleteBeforeReplace }) => !OTHERS.test(type) && deleteBeforeReplace !== false)
        .map(({ type, name }) => `${type} ${name}`);
      assert.deepEqual(early, []);
    });

  it("has another name where Azure makes it another registry", async () => {
    const { find } = await deploy(() => new ContainerRegistry("acr", { resourceGroupName: "group", sku: "Premium" }));
    const { replacementTrigger } = find("RandomString", "acr-suffix");
    assert.deepEqual(replacementTrigger, { resourceGroupName: "group", zoneRedundant: false });
    assert.deepEqual(find("Registry", "acr").replaceOnChanges, ["zoneRedundancy"]);
  });

  it("has another name where Azure makes it another vault", async () => {
    const { find } = await deploy(() => new SopsKeyVault("kv", { resourceGroupName: "group" }));
    assert.deepEqual(find("RandomString", "kv-suffix").replacementTrigger, { resourceGroupName: "group" });
  });

  it("is another private endpoint where its service is another one", async () => {
    const { find } = await deploy(() => EVERYTHING.ContainerRegistry?.({}, {}));
    assert.deepEqual(find("PrivateEndpoint", "acr-endpoint").replaceOnChanges, [
      "privateLinkServiceConnections[*].privateLinkServiceId",
    ]);
  });
});
