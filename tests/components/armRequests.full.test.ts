import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { ROOT } from "../support/engine.ts";
import { type ArmRequest, armRequests } from "./armRequests.ts";
import { shipped } from "./shipped.ts";

const VALIDATOR = join(ROOT, "../shared/arm/validate.mjs");

const [DEPLOYERS, ADMINS, EDITORS, ENCRYPTERS] = [1, 2, 3, 4].map(
  (number) => `6f1f2b6e-1111-4e0a-9c60-00000000000${number}`,
);
const FLUX = { repository: "https://github.com/acme/fleet" };
const KURED = {
  ...{ name: "kured", repository: "https://kubereboot.github.io/charts", version: "6.1.0", namespace: "baseline" },
};
const PODINFO = "ghcr.io/stefanprodan/podinfo:6.14.1";

const HUB =
  "/subscriptions/00000000-0000-0000-0000-00000000000c/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub";

const SPOKE =
  "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-spoke/subnets";
const ZONE =
  "/subscriptions/00000000-0000-0000-0000-00000000000c/resourceGroups/hub/providers/Microsoft.Network/privateDnsZones";
/** What is there already, in another subscription. */
const SHARED = "/subscriptions/00000000-0000-0000-0000-00000000000d/resourceGroups/shared/providers";

/** Settings files, each for what it is named after. */
const FILES: Readonly<Record<string, Record<string, unknown>>> = {
  "dev as it is shipped": shipped("dev"),
  "prod as it is shipped": { ...shipped("prod"), gitToken: "token" },
  "the least": {},
  "the free tier in a region of its own": { cluster: { sku: "Free", defender: true } },
  "long-term support": { cluster: { sku: "Premium", nodeOSUpgradeChannel: "SecurityPatch" } },
  "alerts, and a Flux of the extension that is watched": { cluster: { alerts: { emails: ["a@acme.example"] } } },
  "no metrics": { cluster: { metrics: false } },
  "one pool for everything": { cluster: { systemPool: { minCount: 2, maxCount: 8, vmSize: "Standard_D8s_v5" } } },
  "many pools, some of them spread over zones": {
    cluster: {
      systemPool: { zones: ["1", "2", "3"], minCount: 3 },
      userPools: [
        { name: "apps", zones: ["1"], minCount: 1, maxCount: 20 },
        { name: "batch", vmSize: "Standard_E8ds_v5", maxCount: 40 },
      ],
    },
  },
  "a private cluster that is bootstrapped from inside": {
    runner: "inside",
    cluster: { private: true, adminGroups: [ADMINS] },
    flux: { ...FLUX, mode: "bootstrap" },
  },
  "a runner in the hub of another subscription": {
    runner: { inside: { vnet: HUB } },
    cluster: { private: true },
    registry: { sku: "Premium", private: true },
  },
  "a public API server that few networks reach": {
    cluster: { authorizedIpRanges: ["203.0.113.0/24", "198.51.100.7/32"] },
  },
  "networks of its own": {
    cluster: {
      network: {
        vnet: "192.168.0.0/16",
        nodes: "192.168.0.0/22",
        apiServer: "192.168.4.0/28",
        endpoints: "192.168.5.0/26",
        pods: "100.64.0.0/10",
        services: "10.96.0.0/12",
      },
    },
  },
  "subnets that are there, and zones of a company's": {
    runner: { inside: { vnet: HUB } },
    cluster: {
      private: true,
      network: {
        subnets: { nodes: `${SPOKE}/nodes`, apiServer: `${SPOKE}/api-server`, endpoints: `${SPOKE}/endpoints` },
        zones: { registry: `${ZONE}/privatelink.azurecr.io`, apiServer: `${ZONE}/private.westeurope.azmk8s.io` },
      },
    },
    registry: { sku: "Premium", private: true },
  },
  "a network of its own that asks a company's zones": {
    runner: { inside: { vnet: HUB } },
    cluster: { network: { zones: { vault: `${ZONE}/privatelink.vaultcore.azure.net` } } },
    registry: { sku: "Premium", private: true },
  },
  "a private name for the API server, and routes to a firewall": {
    runner: "inside",
    cluster: { private: true, network: { zones: { apiServer: "own" } }, egress: { firewall: "10.50.1.4" } },
  },
  "a runner outside with addresses": {
    runner: { outside: { addresses: ["203.0.113.7/32"] } },
    registry: { sku: "Premium", private: true },
    cluster: { authorizedIpRanges: ["198.51.100.0/24"] },
  },
  "a basic registry": { registry: { sku: "Basic" }, images: [PODINFO] },
  "a private registry and vault with names of their own": {
    runner: "inside",
    registry: { name: "acmeprod", sku: "Premium", private: true },
    sops: { vault: "acme-prod", editors: [EDITORS] },
  },
  "a principal that pulls, and an application": {
    registry: { pullPrincipal: true },
    charts: [KURED],
    demo: { image: PODINFO, replicas: 3 },
    cluster: { nodeOSUpgradeChannel: "Unmanaged" },
  },
  "a group, registry, key and log workspace that are there already": {
    runner: "inside",
    resourceGroup: "rg-acme",
    registry: { existing: `${SHARED}/Microsoft.ContainerRegistry/registries/acmeshared`, private: true },
    sops: { existingKey: `${SHARED}/Microsoft.KeyVault/vaults/kv-shared/keys/sops-prod` },
    cluster: { logWorkspaceId: `${SHARED}/Microsoft.OperationalInsights/workspaces/logs` },
    images: [PODINFO],
  },
  "a key of its own in a vault that stacks share": {
    sops: { existingVault: `${SHARED}/Microsoft.KeyVault/vaults/kv-shared`, editors: [EDITORS] },
  },
  "pools of every kind, people's access, rules for pods and alerts": {
    cluster: {
      systemPool: { osDiskSizeGB: 64, nodeLabels: { team: "platform" }, maxSurge: "1", drainTimeoutInMinutes: 10 },
      userPools: [
        { name: "gpu", nodeTaints: ["gpu=true:NoSchedule"] },
        { name: "spot", scaleSetPriority: "Spot" },
      ],
      access: [
        { group: EDITORS, role: "Writer", namespaces: ["team-a"] },
        { group: ENCRYPTERS, role: "Reader" },
      ],
      podSecurity: { effect: "Deny", excludedNamespaces: ["baseline"] },
      alerts: { emails: ["platform@acme.example"] },
    },
  },
  tags: { tags: { costCenter: "4711", owner: "platform" }, protect: true },
  "image automation in a repository that is made": {
    flux: { ...FLUX, imageAutomation: true, createRepository: true, branch: "live", readyMinutes: 30 },
  },
  "people who encrypt, and a pinned key": {
    sops: {
      editors: [EDITORS],
      encrypters: [ENCRYPTERS],
      roles: { encrypt: "6f1f2b6e-2222-4e0a-9c60-000000000001", decrypt: "6f1f2b6e-2222-4e0a-9c60-000000000002" },
      purgeProtection: false,
    },
    secrets: [{ name: "demo-credentials", namespace: "demo", generate: ["password"], data: { username: "admin" } }],
  },
  "upgrades by image, at times of its own": {
    cluster: {
      upgradeChannel: "node-image",
      maintenance: {
        utcOffset: "-03:30",
        autoUpgrade: { dayOfWeek: "Monday", startTime: "22:30", durationHours: 4 },
        nodeOSUpgrade: { dayOfWeek: "Wednesday", startTime: "02:00", durationHours: 24 },
      },
    },
  },
};

const requestsOf = (name: string): Promise<readonly ArmRequest[]> =>
  armRequests({ deployers: DEPLOYERS, flux: FLUX, ...FILES[name] });

/** `Namespace/type/child` of a resource's URL. */
function typeOf({ url }: ArmRequest): string {
  const [namespace = "", ...rest] = url.replace(/\?.*$/, "").split("/providers/").at(-1)?.split("/") ?? [];
  return [namespace, ...rest.filter((_, index) => index % 2 === 0)].join("/");
}

describe("what the program sends to Azure Resource Manager", () => {
  for (const name of Object.keys(FILES))
    it(`is what Microsoft's published types allow, for ${name}`, async function () {
      // The published types are not part of this repository.
      if (!existsSync(VALIDATOR)) this.skip();
      const { faults, resourceType } = (await import(VALIDATOR)) as {
        faults(request: ArmRequest): string[];
        resourceType(url: string): string | undefined;
      };
      const requests = await requestsOf(name);
      for (const { url } of requests) assert.ok(resourceType(url), url);
      assert.deepEqual(requests.flatMap(faults), []);
    });

  it("peers the stack's network with the runner's, from both sides", async () => {
    const requests = await requestsOf("a runner in the hub of another subscription");
    const peerings = requests.filter(
      (one) => typeOf(one) === "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
    );
    assert.deepEqual(
      peerings.map(({ url }) => url.startsWith(`${HUB}/`)),
      [false, true],
    );
  });

  it("holds the plugin's own resources too, each at its place", async () => {
    const requests = await requestsOf("many pools, some of them spread over zones");
    const types = requests.map(typeOf);
    const count = (type: string) => types.filter((one) => one === type).length;
    assert.deepEqual(
      [
        count("Microsoft.ContainerService/managedClusters"),
        count("Microsoft.ContainerService/managedClusters/agentPools"),
        count("Microsoft.KeyVault/vaults/keys"),
      ],
      [1, 3, 1],
    );
    const [cluster] = requests.filter((one) => typeOf(one) === "Microsoft.ContainerService/managedClusters");
    const pools = requests.filter((one) => typeOf(one).endsWith("/agentPools"));
    const [id] = cluster?.url.split("?") ?? [];
    assert.deepEqual(
      pools.map(({ url }) => url.split("?")[0]).sort(),
      ["apps", "batch", "system"].map((name) => `${id}/agentPools/${name}`),
    );
  });
});
