// What the doctor says of Azure: each finding provoked once against the simulated services.
import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "mocha";
import type { Check } from "../../../delivery/doctor/check.ts";
import { deployers } from "../../../delivery/doctor/checks/deployers.ts";
import { existing } from "../../../delivery/doctor/checks/existing.ts";
import { names } from "../../../delivery/doctor/checks/names.ts";
import { principals } from "../../../delivery/doctor/checks/principals.ts";
import { privateZones } from "../../../delivery/doctor/checks/privateZones.ts";
import { providers } from "../../../delivery/doctor/checks/providers.ts";
import { region } from "../../../delivery/doctor/checks/region.ts";
import { rights } from "../../../delivery/doctor/checks/rights.ts";
import { routes } from "../../../delivery/doctor/checks/routes.ts";
import { subscription } from "../../../delivery/doctor/checks/subscription.ts";
import { DEPLOYERS, SCOPE, SUBSCRIPTION_ID, TENANT_ID, World, type WorldOptions } from "./world.ts";

const HUB = "6f1f2b6e-3333-4e0a-9c60-000000000001";

describe("the doctor, of Azure", () => {
  let world: World;
  afterEach(() => world.close());

  const begin = async (options: WorldOptions = {}) => {
    world = await World.create({ ...options, arm: { otherSubscriptions: [HUB], ...options.arm } });
    world.arm.assignRole(DEPLOYERS, "Network Contributor", `/subscriptions/${HUB}/resourceGroups/rg-hub`);
    return world;
  };
  const finds = async (check: Check, expected: readonly object[]) =>
    assert.deepEqual(await world.findings(check), expected);

  it("finds nothing where all is well", async () => {
    await begin();
    const checks = [subscription, providers, rights, deployers, region, names, existing, privateZones, routes];
    const outcomes = await world.examine(checks);
    assert.deepEqual(
      outcomes,
      checks.map((check) => ({ check, findings: [] })),
    );
  });

  it("says that a subscription is disabled, and that it will be", async () => {
    await begin({ arm: { subscriptionState: "Disabled" } });
    await finds(subscription, [
      {
        severity: "error",
        key: "ARM_SUBSCRIPTION_ID",
        value: SUBSCRIPTION_ID,
        problem: "is Disabled: nothing can be made in it",
        remedy: "enable it, or name another",
      },
    ]);
    await world.close();
    await begin({ arm: { subscriptionState: "PastDue" } });
    const [finding] = await world.findings(subscription);
    assert.deepEqual([finding?.severity, finding?.problem], ["warning", "is PastDue: Azure will disable it"]);
  });

  it("says that a subscription is not there", async () => {
    await begin();
    world.environment.ARM_SUBSCRIPTION_ID = "22222222-2222-4333-8444-555555555555";
    await finds(subscription, [
      {
        severity: "error",
        key: "ARM_SUBSCRIPTION_ID",
        value: "22222222-2222-4333-8444-555555555555",
        problem: `is not there for ${world.caller}, who is signed in`,
        remedy: "correct the id, or give the caller a role in it: docs/delivery/identity.md",
      },
    ]);
  });

  it("names each provider that is not registered, and the command that registers it", async () => {
    await begin({ arm: { unregistered: ["Microsoft.KubernetesConfiguration", "Microsoft.PolicyInsights"] } });
    await finds(
      providers,
      ["Microsoft.KubernetesConfiguration", "Microsoft.PolicyInsights"].map((key) => ({
        severity: "error",
        ...{ key, value: "NotRegistered", problem: `is not registered in subscription ${SUBSCRIPTION_ID}` },
        remedy: `run \`az provider register --namespace ${key} --subscription ${SUBSCRIPTION_ID} --wait\``,
      })),
    );
  });

  it("names what a caller may not do, and the roles that it lacks", async () => {
    await begin({ stack: "dev" });
    const { objectId } = world.entra.addClient("reader", [DEPLOYERS]);
    world.entra.removeMember(DEPLOYERS, objectId);
    world.arm.assignRole(objectId, "Reader", SCOPE);
    world.caller = objectId;
    const [writes, assigns, ...others] = await world.findings(rights);
    assert.deepEqual(others, []);
    const give = (role: string) =>
      `an Owner runs \`az role assignment create --assignee-object-id ${objectId} --role "${role}" --scope ${SCOPE}\`` +
      "; better to the deployers' group, and as docs/delivery/identity.md bounds it";
    const { value, ...rest } = writes ?? {};
    assert.deepEqual(rest, {
      severity: "error",
      key: `the caller ${objectId}`,
      problem: `may not do all on ${SCOPE}`,
      remedy: give("Contributor"),
    });
    for (const action of [
      "Microsoft.Resources/subscriptions/resourceGroups/write",
      "Microsoft.ContainerService/managedClusters/write",
      "Microsoft.ContainerRegistry/registries/importImage/action",
    ])
      assert.ok((value as string[]).includes(action), action);
    assert.deepEqual(assigns, {
      severity: "error",
      key: `the caller ${objectId}`,
      value: ["Microsoft.Authorization/roleAssignments/write"],
      problem: `may not assign roles, and the stack assigns some, on ${SCOPE}`,
      remedy: give("Role Based Access Control Administrator"),
    });
  });

  it("says that the caller may not peer the runner's network", async () => {
    world = await World.create({ arm: { otherSubscriptions: [HUB] } });
    const network = `/subscriptions/${HUB}/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub`;
    const [finding, ...others] = await world.findings(rights);
    assert.deepEqual(others, []);
    assert.equal(finding?.problem, `may not peer on ${network}`);
    assert.deepEqual(finding?.value, [
      "Microsoft.Network/virtualNetworks/peer/action",
      "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
    ]);
    assert.match(finding?.remedy ?? "", /--role "Network Contributor" --scope \S+vnet-hub`/);
  });

  it("looks for rights where the stack is by now: at its resource group", async () => {
    await begin({ stack: "dev" });
    const { objectId } = world.entra.addClient("deployer of the group");
    const group = `${SCOPE}/resourceGroups/aks-gitops-dev0a1b2c3d`;
    world.arm.begin([
      { id: group, name: "aks-gitops-dev0a1b2c3d", type: "Microsoft.Resources/resourceGroups", properties: {} },
    ]);
    world.arm.assignRole(objectId, "Owner", group);
    world.arm.assignRole(objectId, "Reader", SCOPE);
    world.caller = objectId;
    await finds(rights, []);
  });

  it("says that a role on the resource group alone does not connect a cluster with metrics that it has not yet", async () => {
    const name = "rg-prod";
    await begin({ config: { "aks-gitops:resourceGroup": name } });
    const { objectId } = world.entra.addClient("deployer of the group");
    const group = `${SCOPE}/resourceGroups/${name}`;
    const account = `${group}/providers/Microsoft.Monitor/accounts/aks-prod`;
    world.arm.begin([{ id: group, name, type: "Microsoft.Resources/resourceGroups", properties: {} }]);
    world.arm.assignRole(objectId, "Owner", group);
    world.arm.assignRole(objectId, "Network Contributor", `/subscriptions/${HUB}/resourceGroups/rg-hub`);
    world.caller = objectId;
    await finds(rights, [
      {
        severity: "error",
        key: `the caller ${objectId}`,
        value: ["Microsoft.Insights/dataCollectionRules/read"],
        problem: `may not read the rule that connects the cluster with its metrics, on ${SCOPE}`,
        remedy:
          `an Owner runs \`az role assignment create --assignee-object-id ${objectId} --role "Monitoring Reader" --scope ${SCOPE}\`` +
          "; better to the deployers' group, and as docs/delivery/identity.md bounds it",
      },
    ]);
    world.arm.begin([{ id: account, name: "aks-prod", type: "Microsoft.Monitor/accounts", properties: {} }]);
    await finds(rights, []);
    world.arm.forget(account);
    await world.write({ config: { "aks-gitops:resourceGroup": name, "aks-gitops:cluster": { metrics: false } } });
    await finds(rights, []);
  });

  it("says that the caller is not among the deployers, and that there is no such group", async () => {
    await begin();
    const { objectId } = world.entra.addClient("somebody");
    world.entra.grantGraph(objectId, "Application.Read.All", "Group.Read.All");
    world.arm.assignRole(objectId, "Owner", SCOPE);
    world.caller = objectId;
    const key = "aks-gitops:deployers";
    await finds(deployers, [
      {
        severity: "error",
        ...{ key, value: DEPLOYERS },
        problem: `does not hold the caller ${objectId}: registry, vault and cluster will not let it in`,
        remedy: `its owner runs \`az ad group member add --group ${DEPLOYERS} --member-id ${objectId}\`; a new membership is in tokens of a new sign-in`,
      },
    ]);
    const value = "6f1f2b6e-1111-4e0a-9c60-00000000000f";
    await world.write({ config: { [key]: value } });
    await finds(deployers, [
      {
        severity: "error",
        ...{ key, value, problem: "names no group of this tenant" },
        remedy: "correct the id; `az ad group show --group NAME --query id` tells it",
      },
    ]);
  });

  it("says where Graph does not tell who is in a group", async () => {
    await begin();
    const { objectId } = world.entra.addClient("somebody");
    world.caller = objectId;
    const [finding] = await world.findings(deployers);
    assert.equal(finding?.severity, "warning");
    assert.equal(
      finding?.problem,
      `could not be looked at by ${objectId}: Microsoft Graph does not let it read memberships`,
    );
    assert.equal(
      finding?.remedy,
      `let somebody look who may: \`az ad group member check --group ${DEPLOYERS} --member-id ${objectId}\``,
    );
  });

  it("says that Azure has nothing in a region", async () => {
    await begin({ config: { "azure-native:location": "moonbase" } });
    const [finding, ...others] = await world.findings(region);
    assert.deepEqual(others, []);
    assert.deepEqual([finding?.severity, finding?.key, finding?.value], ["error", "azure-native:location", "moonbase"]);
    assert.match(
      finding?.problem ?? "",
      /^is a region in which Azure has no .*Microsoft\.ContainerService\/managedClusters/,
    );
    assert.match(finding?.remedy ?? "", /^choose another one, for example australiaeast, /);
  });

  it("says that a name is taken by somebody", async () => {
    await begin({
      config: { "aks-gitops:registry": { name: "acmeprod", sku: "Premium", private: true } },
    });
    world.arm.begin([
      {
        id: `${SCOPE}/resourceGroups/other/providers/Microsoft.ContainerRegistry/registries/acmeprod`,
        ...{ name: "acmeprod", type: "Microsoft.ContainerRegistry/registries", properties: {} },
      },
    ]);
    await finds(names, [
      {
        severity: "error",
        key: "aks-gitops:registry.name",
        value: "acmeprod",
        problem: "is taken by somebody, in whatever tenant",
        remedy: "choose another name, or leave it out for one that is free",
      },
    ]);
  });

  it("takes the stack's own registry for no stranger's", async () => {
    await begin({
      config: { "aks-gitops:registry": { name: "acmeprod", sku: "Premium", private: true } },
    });
    const group = `${SCOPE}/resourceGroups/aks-gitops-prod0a1b2c3d`;
    world.arm.begin([
      { id: group, name: "aks-gitops-prod0a1b2c3d", type: "Microsoft.Resources/resourceGroups", properties: {} },
      {
        id: `${group}/providers/Microsoft.ContainerRegistry/registries/acmeprod`,
        ...{ name: "acmeprod", type: "Microsoft.ContainerRegistry/registries", properties: {} },
      },
    ]);
    await finds(names, []);
  });

  it("says how to bring back a deleted vault, and that it cannot be purged", async () => {
    await begin({ config: { "aks-gitops:sops": { vault: "kv-acme-prod" } } });
    const group = `${SCOPE}/resourceGroups/other`;
    world.arm.begin([
      { id: group, name: "other", type: "Microsoft.Resources/resourceGroups", location: "westeurope", properties: {} },
    ]);
    await deleteVault(world, `${group}/providers/Microsoft.KeyVault/vaults/kv-acme-prod`);
    const [finding, ...others] = await world.findings(names);
    assert.deepEqual(others, []);
    const { problem, ...rest } = finding ?? { problem: "" };
    assert.match(
      problem,
      /^is the name of a vault that was deleted; it can be brought back until 20\d\d-\d\d-\d\dT[\d:.]+Z$/,
    );
    assert.deepEqual(rest, {
      severity: "error",
      key: "aks-gitops:sops.vault",
      value: "kv-acme-prod",
      remedy:
        "bring it back: `az keyvault recover --name kv-acme-prod --location westeurope`; or purge it, with all its keys for " +
        "good: `az keyvault purge --name kv-acme-prod --location westeurope`",
    });
  });

  it("says that what the settings name is not there, or may not be read", async () => {
    const key = `${SCOPE}/resourceGroups/shared/providers/Microsoft.ContainerRegistry/registries/acmeshared`;
    await begin({ config: { "aks-gitops:registry": { existing: key, private: true } } });
    await finds(existing, [
      {
        severity: "error",
        ...{ key, value: undefined, problem: "is not there" },
        remedy: "correct the setting that names it, or have it made",
      },
    ]);
    const { objectId } = world.entra.addClient("somebody");
    world.caller = objectId;
    await finds(existing, [
      {
        severity: "warning",
        ...{ key, value: undefined, problem: `may not be read by ${objectId}` },
        remedy: "its owner gives the caller the role Reader on it",
      },
    ]);
  });

  it("says that the runner's network asks another zone of the name", async () => {
    await begin();
    const hub = `/subscriptions/${HUB}/resourceGroups/rg-hub`;
    const zone = `${hub}/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io`;
    const network = `${hub}/providers/Microsoft.Network/virtualNetworks/vnet-hub`;
    world.arm.assignRole(DEPLOYERS, "Reader", `/subscriptions/${HUB}`);
    world.arm.begin([
      { id: zone, name: "privatelink.azurecr.io", type: "Microsoft.Network/privateDnsZones", properties: {} },
      {
        id: `${zone}/virtualNetworkLinks/hub`,
        ...{ name: "hub", type: "Microsoft.Network/privateDnsZones/virtualNetworkLinks" },
        properties: { virtualNetwork: { id: network } },
      },
    ]);
    await finds(privateZones, [
      {
        severity: "error",
        ...{ key: network, value: zone },
        problem: "is linked to another zone privatelink.azurecr.io, and a network asks one of a name",
        remedy: `let the stack use that one: write aks-gitops:cluster.network.zones.registry: ${zone}`,
      },
    ]);
  });

  it("says that registry and vault are not reached, and that one lets nobody in", async () => {
    await begin();
    const group = `${SCOPE}/resourceGroups/aks-gitops-prod0a1b2c3d`;
    const provider = `${group}/providers`;
    world.arm.begin([
      { id: group, name: "aks-gitops-prod0a1b2c3d", type: "Microsoft.Resources/resourceGroups", properties: {} },
      {
        id: `${provider}/Microsoft.ContainerRegistry/registries/acrprod1`,
        ...{ name: "acrprod1", type: "Microsoft.ContainerRegistry/registries" },
        properties: { loginServer: "acrprod1.azurecr.io" },
      },
      {
        id: `${provider}/Microsoft.KeyVault/vaults/kv-prod1`,
        ...{ name: "kv-prod1", type: "Microsoft.KeyVault/vaults" },
        properties: { vaultUri: "https://kv-prod1.vault.azure.net/" },
      },
    ]);
    world.hosts.set("kv-prod1.vault.azure.net", () => ({
      status: 403,
      body: '{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByFirewall"}}}',
    }));
    const remedy =
      "run this where the settings say that the runner stands (aks-gitops:runner), in a network that knows the private names";
    await finds(routes, [
      {
        severity: "error",
        ...{ key: "the registry acrprod1", value: "acrprod1.azurecr.io", remedy },
        problem: "is not reached from here: fetch failed: getaddrinfo ENOTFOUND acrprod1.azurecr.io",
      },
      {
        severity: "error",
        ...{ key: "the vault kv-prod1", value: "kv-prod1.vault.azure.net", remedy },
        problem: "answers, but lets nobody in from here: its network rules refuse",
      },
    ]);
    world.hosts.set("acrprod1.azurecr.io", () => ({ status: 401 }));
    world.hosts.set("kv-prod1.vault.azure.net", () => ({ status: 200, body: "{}" }));
    await finds(routes, []);
  });

  it("says that a bootstrapped cluster's API server is not reached, and takes its own authority's certificate", async () => {
    await begin({ stack: "dev" });
    const group = `${SCOPE}/resourceGroups/aks-gitops-dev0a1b2c3d`;
    world.arm.begin([
      { id: group, name: "aks-gitops-dev0a1b2c3d", type: "Microsoft.Resources/resourceGroups", properties: {} },
      {
        id: `${group}/providers/Microsoft.ContainerService/managedClusters/aks-dev1`,
        ...{ name: "aks-dev1", type: "Microsoft.ContainerService/managedClusters" },
        properties: { fqdn: "aks-dev1.hcp.westeurope.azmk8s.io" },
      },
    ]);
    await finds(routes, [
      {
        severity: "error",
        ...{ key: "the API server aks-dev1", value: "aks-dev1.hcp.westeurope.azmk8s.io" },
        problem: "is not reached from here: fetch failed: getaddrinfo ENOTFOUND aks-dev1.hcp.westeurope.azmk8s.io",
        remedy: "run it inside the network, or let this address in: aks-gitops:runner: {outside: {addresses: [...]}}",
      },
    ]);
    world.hosts.set("aks-dev1.hcp.westeurope.azmk8s.io", () => {
      throw new Error("fetch failed", { cause: new Error("unable to verify the first certificate") });
    });
    await finds(routes, []);
  });

  it("says that the newest password of a pull principal ends soon, or has ended", async () => {
    await begin({ stack: "dev" });
    await finds(principals, []);
    const { objectId, clientId } = world.entra.addApplication({
      displayName: "acr-dev-pull",
      properties: { tags: ["aks-gitops:acr-dev-pull-0a1b2c3d"] },
    });
    world.entra.addSecret(objectId, { endDateTime: "2026-11-01T00:00:00Z" });
    world.entra.addSecret(objectId, { endDateTime: "2026-12-05T00:00:00Z" });
    const key = `the service principal acr-dev-pull (${clientId})`;
    const remedy = "run `pulumi up`, which makes the next one, and look that it runs on a schedule";
    await finds(principals, [
      {
        severity: "warning",
        ...{ key, value: "2026-12-05T00:00:00Z", problem: "has no password that is good in 14 days", remedy },
      },
    ]);
    world.now = new Date("2026-12-06T00:00:00Z");
    const [finding] = await world.findings(principals);
    assert.equal(finding?.problem, "has no password that is still good");
    world.entra.addSecret(objectId, { endDateTime: "2027-06-01T00:00:00Z" });
    await finds(principals, []);
  });

  it("says that the caller may make no service principal", async () => {
    await begin({ stack: "dev" });
    const { objectId } = world.entra.addClient("somebody");
    world.caller = objectId;
    await finds(principals, [
      {
        severity: "error",
        key: "the service principal acr-dev-pull",
        value: undefined,
        problem: `cannot be made by ${objectId}: Microsoft Graph does not let it look at applications`,
        remedy: "an administrator gives it Application.ReadWrite.OwnedBy: the end of docs/delivery/identity.md",
      },
    ]);
  });
});

/** Makes a vault and deletes it, without purge protection. */
async function deleteVault(world: World, id: string): Promise<void> {
  const { reach } = world.place;
  const headers = { authorization: `Bearer ${await reach.token("https://management.azure.com/.default")}` };
  const url = `https://management.azure.com${id}?api-version=2023-07-01`;
  const properties = {
    tenantId: TENANT_ID,
    sku: { family: "A", name: "standard" },
    enableRbacAuthorization: true,
    softDeleteRetentionInDays: 7,
  };
  const made = await reach.send(url, {
    ...{ method: "PUT", headers: { ...headers, "content-type": "application/json" } },
    body: JSON.stringify({ location: "westeurope", properties }),
  });
  assert.ok(made.ok, made.body.toString());
  for (let look = 0; look < 50; look++) {
    const { properties: now } = JSON.parse((await reach.send(url, { headers })).body.toString());
    if (now.provisioningState === "Succeeded") break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const deleted = await reach.send(url, { method: "DELETE", headers });
  assert.ok(deleted.ok, deleted.body.toString());
}
