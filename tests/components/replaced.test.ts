// What becomes of a component's resources when they are replaced: the new one is there before the old one goes.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { ContainerRegistry, FluxBootstrap, FluxIdentity, SopsKeyVault } from "../../components/index.ts";
import { deploy } from "./deployment.ts";
import { EVERYTHING } from "./everything.ts";
import { fluxArgs } from "./flux/fluxDeployment.ts";

const GROUP = "6f1f2b6e-1111-4e0a-9c60-000000000003";

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

  it("is named in a commit, and let go, only when Flux's identity and people may use the new one", async () => {
    const { find } = await deploy(() => {
      const roles = { registryId: "registry", keyId: "key" };
      const identity = new FluxIdentity("id", { resourceGroupName: "group", issuer: "https://issuer/", ...roles });
      const { keyUsers } = new SopsKeyVault("kv", { resourceGroupName: "group", editors: [GROUP] });
      return new FluxBootstrap("flux", { ...fluxArgs(), identity, keyUsers });
    });
    const ofFlux = ["RoleAssignment::id-decrypt", "RoleAssignment::id-pull"];
    const dependencies = (type: string) => find(type, "flux").dependencies.filter((it) => it.startsWith("RoleAssign"));
    assert.deepEqual(dependencies("GitCommit"), ofFlux);
    assert.deepEqual(dependencies("KeyInUse"), [...ofFlux, `RoleAssignment::kv-editor-use-${GROUP}`]);
  });
});
