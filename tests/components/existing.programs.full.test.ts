// Registry, vault and resource group that are there already, under the real engine and in the simulated Azure Resource
// Manager: a stack leans on them, and its destroy takes nothing with it but what it made.
import { strict as assert } from "node:assert";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import type { Properties } from "../../plugin/handler.ts";
import { KeyVault } from "../../rehearsal/cloud/keyvault/service.ts";
import { SimulatedArm } from "../provider/azure/simulatedArm.ts";
import { LOCATION, ROOT as SUBSCRIPTION, SUBSCRIPTION_ID, TENANT_ID } from "../rehearsal/cloud/arm/cloud.ts";
import { FakeCloud, TENANT } from "../rehearsal/providers/fakeCloud.ts";
import { ENGINE_TIMEOUT, ROOT, runPulumi, succeed, writeProject } from "../support/engine.ts";

const SHARED = `${SUBSCRIPTION}/resourceGroups/rg-shared`;
const STACK = `${SUBSCRIPTION}/resourceGroups/rg-stack`;
const REGISTRY = `${SHARED}/providers/Microsoft.ContainerRegistry/registries/acmeshared`;
const VAULT = `${SHARED}/providers/Microsoft.KeyVault/vaults/kv-acme-shared`;

/** @param people object id of the group that deploys and edits. */
const program = (people: string) => `
import * as pulumi from "@pulumi/pulumi";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { ContainerRegistry, FluxIdentity, SopsKeyVault } from "${ROOT}components/index.ts";
import { stackGroup } from "${ROOT}components/resourceGroup.ts";

const settings = new pulumi.Config();
const { resourceGroup } = stackGroup("platform", { existing: "rg-stack", location: "${LOCATION}" });
const resourceGroupName = resourceGroup.name;
const nodes = new UserAssignedIdentity("nodes", { resourceGroupName });
const registry = new ContainerRegistry("acr", {
  resourceGroupName,
  ...(settings.get("registry") ? { existing: settings.get("registry") } : { registryName: "acmeown" }),
  deployers: "${people}",
  pullers: { kubelet: nodes.principalId },
});
const vault = new SopsKeyVault("kv", {
  resourceGroupName, existingVault: settings.require("vault"), keyName: "sops-prod", editors: ["${people}"],
});
new FluxIdentity("flux", { resourceGroupName, issuer: "https://issuer.example/", registryId: registry.registryId, keyId: vault.keyId });
export const loginServer = registry.pullServer;
export const keyUrl = vault.keyUrl;
`;

interface State {
  readonly deployment: { readonly resources: { readonly type: string; readonly external?: boolean }[] };
}

describe("what is there already, under the real engine", () => {
  let arm: SimulatedArm;
  let cloud: FakeCloud;
  let project: string;
  const pulumi = (...args: string[]) => succeed(project, args, cloud.env);
  const now = ["--yes", "--skip-preview"];
  const QUIET = "--expect-no-changes";
  /** What was written since the last look: the last two parts of the path, random digits left out. */
  const writes = () => {
    const found = cloud.sent.filter(({ method }) => ["PUT", "DELETE", "PATCH"].includes(method));
    cloud.sent.length = 0;
    return found.map(
      ({ method, path }) =>
        `${method} ${path
          .split("/")
          .slice(-2)
          .join("/")
          .replace(/[0-9a-f]{8}$/, "")}`,
    );
  };
  /** Who has a role on something, and on what is below it: how many. */
  const rolesOn = (id: string) =>
    arm.cloud.arm
      .all()
      .filter((one) => one.id.toLowerCase().startsWith(`${id.toLowerCase()}/`) && /roleAssign/i.test(one.id)).length;
  const inAzure = () =>
    [SHARED, STACK, REGISTRY, VAULT, `${VAULT}/keys/sops-prod`].filter((id) => arm.cloud.arm.get(id) !== undefined);
  const makeVault = async (id: string, more: object) => {
    const sku = { family: "A", name: "standard" };
    await arm.cloud.make(id, { location: LOCATION, properties: { tenantId: TENANT_ID, sku, ...more } });
    // Whoever runs the engine here has signed in to another tenant than the simulation's.
    Object.assign(arm.cloud.arm.get(id)?.properties ?? {}, { tenantId: TENANT });
  };

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    arm = await SimulatedArm.create();
    for (const id of [SHARED, STACK]) await arm.cloud.make(id, { location: LOCATION });
    await arm.cloud.make(REGISTRY, { location: LOCATION, sku: { name: "Standard" } });
    await makeVault(VAULT, { enableRbacAuthorization: true });
    const { owner, directory } = arm.cloud;
    arm.cloud.arm.extend(new KeyVault({ arm: arm.cloud.arm, directory }).extension);
    const people = directory.add("Group", "platform").objectId;
    const authorization = `Bearer ${owner.objectId}@https://management.azure.com`;
    cloud = await FakeCloud.start((request) =>
      arm.cloud.arm.service({ ...request, headers: { ...request.headers, authorization } }),
    );
    cloud.env.ARM_SUBSCRIPTION_ID = SUBSCRIPTION_ID;
    project = await writeProject(
      cloud.engine.directory,
      "shared",
      { "index.ts": program(people) },
      { gitops: join(ROOT, "provider") },
    );
    await pulumi("stack", "init", "prod");
    await pulumi("config", "set", "azure-native:location", LOCATION);
    await pulumi("config", "set", "registry", REGISTRY);
    await pulumi("config", "set", "vault", VAULT);
  });

  after(() => cloud?.close());

  it("says at the first look what cannot be used and what to do, and makes nothing that would lean on it", async () => {
    const policies = `${SHARED}/providers/Microsoft.KeyVault/vaults/kv-policies`;
    await makeVault(policies, { accessPolicies: [] });
    await pulumi("config", "set", "vault", policies);
    await pulumi("config", "set", "registry", `${REGISTRY}2`);
    const { code, stdout, stderr } = await runPulumi(project, ["up", ...now], cloud.env);
    const said = stdout + stderr;
    assert.notEqual(code, 0);
    assert.match(said, /ContainerRegistry \(acr\):\s+error: existing \S+acmeshared2 is not there: .*az acr list/);
    assert.match(
      said,
      /SopsKeyVault \(kv\):\s+error: existingVault \S+kv-policies goes by access policies.*--enable-rbac/,
    );
    assert.doesNotMatch(said, /at .*\.ts:\d+/);
    assert.deepEqual(
      writes().filter((write) => !/userAssignedIdentities|federatedIdentityCredentials/.test(write)),
      [],
    );
    await pulumi("config", "set", "vault", VAULT);
    await pulumi("config", "set", "registry", REGISTRY);
  });

  it("is read and gets roles and a key, and nothing else", async () => {
    await pulumi("up", ...now);
    const made = writes();
    assert.deepEqual(
      made.filter((write) => !/federatedIdentityCredentials|userAssignedIdentities|roleAssignments/.test(write)),
      ["PUT keys/sops-prod"],
    );
    assert.deepEqual([rolesOn(REGISTRY), rolesOn(VAULT)], [2, 2]);
    const outputs = JSON.parse(await pulumi("stack", "output", "--json")) as Properties;
    assert.equal(outputs.loginServer, "acmeshared.azurecr.io");
    assert.match(String(outputs.keyUrl), /^https:\/\/kv-acme-shared\.vault\.azure\.net\/keys\/sops-prod\//);
    const { resources } = (JSON.parse(await pulumi("stack", "export")) as State).deployment;
    const external = resources.filter((one) => one.external).map(({ type }) => type.split(":").at(-1));
    assert.deepEqual(external.sort(), ["Registry", "ResourceGroup", "Vault"]);
  });

  it("makes no difference in a preview, whatever its owner changes in it, and nothing is written", async () => {
    const registry = arm.cloud.arm.get(REGISTRY);
    assert.ok(registry);
    Object.assign(registry, { tags: { owner: "platform" }, sku: { name: "Premium", tier: "Premium" } });
    await pulumi("preview", QUIET);
    // The state has what was read.
    await pulumi("refresh", "--yes");
    await pulumi("preview", QUIET);
    await pulumi("refresh", "--yes", QUIET);
    assert.deepEqual(writes(), []);
  });

  it("stays when the stack is destroyed, and loses the stack's roles and nothing else", async () => {
    await pulumi("destroy", ...now);
    assert.deepEqual([...new Set(writes().map((write) => write.replace(/\/.*/, "")))].sort(), [
      "DELETE federatedIdentityCredentials",
      "DELETE roleAssignments",
      "DELETE userAssignedIdentities",
    ]);
    // A key is never deleted: what it encrypted could not be read again.
    assert.deepEqual(inAzure(), [SHARED, STACK, REGISTRY, VAULT, `${VAULT}/keys/sops-prod`]);
    assert.deepEqual([rolesOn(REGISTRY), rolesOn(VAULT)], [0, 0]);
  });

  it("can be what the stack has made itself: it lets go of it, and the next destroy leaves it", async () => {
    await pulumi("config", "rm", "registry");
    await pulumi("up", ...now);
    const own = `${STACK}/providers/Microsoft.ContainerRegistry/registries/acmeown`;
    assert.notEqual(arm.cloud.arm.get(own), undefined);
    writes();
    // In letters of one's own, as people write ids.
    await pulumi("config", "set", "registry", own.replace("rg-stack", "RG-Stack"));
    await pulumi("up", ...now);
    assert.deepEqual(
      writes().filter((write) => !write.includes("roleAssignments")),
      [],
    );
    await pulumi("destroy", ...now);
    assert.notEqual(arm.cloud.arm.get(own), undefined);
    assert.equal(rolesOn(own), 0);
  });
});
