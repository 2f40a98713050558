import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { FluxIdentity } from "../../../components/flux/fluxIdentity.ts";
import { assigned, deploy, resolved, roleId } from "../deployment.ts";
import { refused } from "../refused.ts";

const REGISTRY = "/subscriptions/00000000-0000-0000-0000-00000000000a/registry";
const KEY = "/subscriptions/00000000-0000-0000-0000-00000000000a/key";

function identity(more: { decryptRole?: string; imageAutomation?: boolean } = {}) {
  const args = { resourceGroupName: "group", issuer: "https://issuer/", registryId: REGISTRY, keyId: KEY };
  return deploy(() => new FluxIdentity("flux", { ...args, ...more }));
}

describe("FluxIdentity", () => {
  it("is what source- and kustomize-controller may act as", async () => {
    const { find, names } = await identity();
    assert.deepEqual(names("FederatedIdentityCredential"), ["flux-kustomize-controller", "flux-source-controller"]);
    assert.deepEqual(find("FederatedIdentityCredential", "flux-kustomize-controller").inputs, {
      resourceGroupName: "group",
      resourceName: "flux",
      federatedIdentityCredentialResourceName: "kustomize-controller",
      issuer: "https://issuer/",
      subject: "system:serviceaccount:flux-system:kustomize-controller",
      audiences: ["api://AzureADTokenExchange"],
    });
  });

  it("is federated with the image controllers where they run, one credential after the other", async () => {
    const { find } = await identity({ imageAutomation: true });
    const previous = (controller: string) =>
      find("FederatedIdentityCredential", `flux-${controller}`).dependencies.filter((name) =>
        name.startsWith("Federated"),
      );
    assert.deepEqual(previous("source-controller"), []);
    assert.deepEqual(previous("kustomize-controller"), ["FederatedIdentityCredential::flux-source-controller"]);
    assert.ok(
      previous("image-reflector-controller").includes("FederatedIdentityCredential::flux-kustomize-controller"),
    );
    assert.ok(
      previous("image-automation-controller").includes("FederatedIdentityCredential::flux-image-reflector-controller"),
    );
  });

  it("pulls from the registry and decrypts with the key", async () => {
    const { find } = await identity();
    const principal = { principalId: "flux-principal", principalType: "ServicePrincipal" };
    assert.deepEqual(assigned(find("RoleAssignment", "flux-pull").inputs), {
      ...principal,
      scope: REGISTRY,
      roleDefinitionId: roleId("7f951dda-4ed3-4680-a7ca-43fe172d538d"),
    });
    assert.deepEqual(assigned(find("RoleAssignment", "flux-decrypt").inputs), {
      ...principal,
      scope: KEY,
      roleDefinitionId: roleId("12338af0-0e69-4776-bea7-57ae8d297424"),
    });
  });

  it("decrypts in the organisation's own role where there is one", async () => {
    const { find } = await identity({ decryptRole: "6f1f2b6e-2222-4e0a-9c60-000000000002" });
    const { roleDefinitionId } = find("RoleAssignment", "flux-decrypt").inputs;
    assert.equal(roleDefinitionId, roleId("6f1f2b6e-2222-4e0a-9c60-000000000002"));
  });

  it("tells what has to be there before Flux can act", async () => {
    const { result } = await identity();
    const urns = await Promise.all(result.requirements.map(({ urn }) => resolved(urn)));
    assert.deepEqual(
      urns.map((urn) => urn.split("::").at(-1)),
      ["flux-source-controller", "flux-kustomize-controller", "flux-pull", "flux-decrypt"],
    );
    assert.deepEqual([await resolved(result.clientId), await resolved(result.tenantId)], ["flux-client", "tenant"]);
  });

  it("previews no change of its own when a setting changes", async () => {
    const { find } = await identity();
    assert.deepEqual(find("FluxIdentity", "flux").inputs, {});
  });
});

describe("FluxIdentity alone", () => {
  const ARGS = { resourceGroupName: "group", issuer: "https://issuer/" };

  it("is federated, and may nothing that nobody named", async () => {
    const { names, result } = await deploy(() => new FluxIdentity("flux", ARGS));
    assert.deepEqual(names("RoleAssignment"), []);
    assert.equal(result.requirements.length, 2);
  });

  it("refuses a role that is none", async () => {
    const decryptRole = "Key Vault Crypto User";
    assert.deepEqual(await refused(() => new FluxIdentity("flux", { ...ARGS, decryptRole })), [
      "decryptRole is no role definition",
    ]);
  });
});
