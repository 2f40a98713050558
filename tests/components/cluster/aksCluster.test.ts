import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { AksCluster } from "../../../components/cluster/aksCluster.ts";
import type { AksClusterArgs, UserPoolArgs } from "../../../components/cluster/aksClusterArgs.ts";
import { ContainerRegistry } from "../../../components/registry/containerRegistry.ts";
import { assigned, deploy, idOf, type Registration, resolved, roleId } from "../deployment.ts";

function cluster(args: Partial<AksClusterArgs>) {
  return deploy(() => new AksCluster("aks", { resourceGroupName: "group", ...args }));
}

const PROD: Partial<AksClusterArgs> & { adminGroups: string[]; userPools: [UserPoolArgs] } = {
  private: true,
  adminGroups: ["6f1f2b6e-1111-4e0a-9c60-000000000002"],
  systemPool: { zones: ["1", "2", "3"], minCount: 3, maxCount: 5 },
  userPools: [{ name: "apps", vmSize: "Standard_D8s_v5", minCount: 2, maxCount: 9 }],
};

const SPOKE =
  "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-spoke/subnets";

const propertiesOf = ({ inputs }: Registration) => inputs.properties as Record<string, unknown>;

const POOL = {
  type: "VirtualMachineScaleSets",
  vmSize: "Standard_D4ds_v5",
  osType: "Linux",
  osSKU: "AzureLinux",
  vnetSubnetID: `${idOf("VirtualNetwork", "aks")}/subnets/nodes`,
  availabilityZones: ["1", "2", "3"],
  enableAutoScaling: true,
  minCount: 3,
  maxCount: 5,
  upgradeSettings: { maxSurge: "33%", drainTimeoutInMinutes: 30 },
};

describe("AksCluster", () => {
  it("asks for a cluster with every default that production needs", async () => {
    const { find } = await cluster(PROD);
    const { inputs } = find("ManagedCluster", "aks");
    const workspace = idOf("Workspace", "aks");
    assert.deepEqual(inputs, {
      resourceGroupId: "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/group",
      name: "aks-abcd1234",
      sku: { name: "Base", tier: "Standard" },
      identity: { type: "UserAssigned", userAssignedIdentities: [idOf("UserAssignedIdentity", "aks-control")] },
      properties: {
        dnsPrefix: "aks",
        supportPlan: "KubernetesOfficial",
        identityProfile: {
          kubeletidentity: {
            resourceId: idOf("UserAssignedIdentity", "aks-kubelet"),
            clientId: "aks-kubelet-client",
            objectId: "aks-kubelet-principal",
          },
        },
        nodeResourceGroupProfile: { restrictionLevel: "ReadOnly" },
        enableRBAC: true,
        disableLocalAccounts: true,
        aadProfile: { managed: true, enableAzureRBAC: true, adminGroupObjectIDs: PROD.adminGroups },
        oidcIssuerProfile: { enabled: true },
        securityProfile: {
          workloadIdentity: { enabled: true },
          imageCleaner: { enabled: true, intervalHours: 168 },
          defender: { logAnalyticsWorkspaceResourceId: workspace, securityMonitoring: { enabled: true } },
        },
        addonProfiles: { azurepolicy: { enabled: true } },
        azureMonitorProfile: { metrics: { enabled: true } },
        metricsProfile: { costAnalysis: { enabled: true } },
        autoUpgradeProfile: { upgradeChannel: "stable", nodeOSUpgradeChannel: "NodeImage" },
        networkProfile: {
          networkPlugin: "azure",
          networkPluginMode: "overlay",
          networkDataplane: "cilium",
          networkPolicy: "cilium",
          outboundType: "userAssignedNATGateway",
          loadBalancerSku: "standard",
          podCidr: "10.244.0.0/16",
          serviceCidr: "10.0.0.0/16",
          dnsServiceIP: "10.0.0.10",
        },
        apiServerAccessProfile: {
          enablePrivateCluster: true,
          enablePrivateClusterPublicFQDN: true,
          privateDNSZone: "none",
          enableVnetIntegration: true,
          subnetId: `${idOf("VirtualNetwork", "aks")}/subnets/api-server`,
          disableRunCommand: true,
        },
      },
      systemPool: { ...POOL, name: "system", mode: "System", nodeTaints: ["CriticalAddonsOnly=true:NoSchedule"] },
    });
  });

  it("goes out through a gateway of its own network, with a subnet for the API server and one for endpoints", async () => {
    const { find } = await cluster({ ...PROD, privateEndpoints: true });
    assert.deepEqual(find("VirtualNetwork", "aks").inputs, {
      resourceGroupName: "group",
      virtualNetworkName: "aksabcd1234",
      addressSpace: { addressPrefixes: ["10.60.0.0/16"] },
      // The SDK's own defaults.
      enableDdosProtection: false,
      enableVmProtection: false,
      subnets: [
        {
          name: "nodes",
          addressPrefix: "10.60.0.0/20",
          natGateway: { id: idOf("NatGateway", "aks") },
          networkSecurityGroup: { id: idOf("NetworkSecurityGroup", "aks-nodes") },
          defaultOutboundAccess: false,
        },
        {
          name: "api-server",
          addressPrefix: "10.60.16.0/28",
          delegations: [{ name: "aks", serviceName: "Microsoft.ContainerService/managedClusters" }],
          networkSecurityGroup: { id: idOf("NetworkSecurityGroup", "aks-api-server") },
        },
        {
          name: "endpoints",
          addressPrefix: "10.60.17.0/24",
          networkSecurityGroup: { id: idOf("NetworkSecurityGroup", "aks-endpoints") },
          defaultOutboundAccess: false,
        },
      ],
    });
    assert.deepEqual(find("NatGateway", "aks").inputs.publicIpAddresses, [{ id: idOf("PublicIPAddress", "aks") }]);
  });

  it("guards every subnet: public services on their ports, and what VNet integration needs", async () => {
    const rule = (name: string, priority: number, from: string, to: string, ports: string[]) => ({
      ...{ name, priority, access: "Allow", direction: "Inbound", protocol: "Tcp" },
      ...{
        sourceAddressPrefix: from,
        sourcePortRange: "*",
        destinationAddressPrefix: to,
        destinationPortRanges: ports,
      },
    });
    const { find } = await cluster({ ...PROD, privateEndpoints: true });
    const rules = (name: string) => find("NetworkSecurityGroup", `aks-${name}`).inputs.securityRules;
    assert.deepEqual(rules("nodes"), [rule("public", 100, "Internet", "*", ["80", "443"])]);
    assert.deepEqual(rules("api-server"), [
      rule("nodes", 100, "10.60.0.0/20", "10.60.16.0/28", ["443", "4443"]),
      rule("probes", 110, "AzureLoadBalancer", "10.60.16.0/28", ["9988"]),
    ]);
    assert.deepEqual(rules("endpoints"), []);
    const closed = await cluster({ publicPorts: [] });
    assert.deepEqual(closed.find("NetworkSecurityGroup", "aks-nodes").inputs.securityRules, []);
    assert.deepEqual(closed.names("NetworkSecurityGroup"), ["aks-nodes"]);
  });

  const table = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/routeTables/to-firewall";
  const ways: [egress: NonNullable<AksClusterArgs["egress"]>, outboundType: string, routeTable: unknown][] = [
    ["loadBalancer", "loadBalancer", undefined],
    [{ firewall: "10.50.1.4" }, "userDefinedRouting", { id: idOf("RouteTable", "aks") }],
    [{ routeTableId: table }, "userDefinedRouting", { id: table }],
  ];
  for (const [egress, outboundType, routeTable] of ways)
    it(`goes out by ${JSON.stringify(egress)} without a gateway of its own`, async () => {
      const { find, names } = await cluster({ ...PROD, private: false, egress });
      assert.deepEqual([names("NatGateway"), names("PublicIPAddress")], [[], []]);
      const { subnets } = find("VirtualNetwork", "aks").inputs as { subnets: Record<string, unknown>[] };
      assert.deepEqual([subnets[0]?.natGateway, subnets[0]?.routeTable], [undefined, routeTable]);
      const { properties } = find("ManagedCluster", "aks").inputs as { properties: Record<string, unknown> };
      assert.equal((properties.networkProfile as { outboundType: string }).outboundType, outboundType);
      assert.deepEqual(names("RouteTable"), typeof egress === "object" && egress.firewall ? ["aks"] : []);
      if (typeof egress === "object" && egress.firewall)
        assert.deepEqual(find("RouteTable", "aks").inputs.routes, [
          {
            ...{ name: "firewall", addressPrefix: "0.0.0.0/0" },
            ...{ nextHopType: "VirtualAppliance", nextHopIpAddress: "10.50.1.4" },
          },
        ]);
    });

  it("peers its network with the runner's before anything goes into a subnet", async () => {
    const runnerNetworkId = "/subscriptions/hub/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub";
    const { find, result } = await cluster({ ...PROD, privateEndpoints: true, runnerNetworkId });
    const networkId = idOf("VirtualNetwork", "aks");
    assert.deepEqual(find("NetworkPeering", "aks").inputs, { networkId, remoteNetworkId: runnerNetworkId });
    for (const [type, name] of [
      ["ManagedCluster", "aks"],
      ["AgentPool", "aks-apps"],
    ] as const)
      assert.ok(find(type, name).dependencies.includes("NetworkPeering::aks"), name);
    const registry = await deploy(
      () => new ContainerRegistry("acr", { resourceGroupName: "group", sku: "Premium", network: result.network }),
    );
    assert.deepEqual(registry.find("VirtualNetworkLink", "acr-link").inputs.virtualNetwork, { id: networkId });
    const { inputs } = registry.find("VirtualNetworkLink", "acr-runner-link");
    assert.deepEqual(inputs.virtualNetwork, { id: runnerNetworkId });
  });

  it("may write its network and hand out the nodes' identity before the cluster is made", async () => {
    const { find } = await cluster(PROD);
    const principal = { principalId: "aks-control-principal", principalType: "ServicePrincipal" };
    assert.deepEqual(assigned(find("RoleAssignment", "aks-network").inputs), {
      ...principal,
      scope: idOf("VirtualNetwork", "aks"),
      roleDefinitionId: roleId("4d97b98b-1d4f-4787-a291-c67834d212e7"),
    });
    assert.deepEqual(assigned(find("RoleAssignment", "aks-kubelet").inputs), {
      ...principal,
      scope: idOf("UserAssignedIdentity", "aks-kubelet"),
      roleDefinitionId: roleId("f1a07417-d97a-45cb-824c-7a7467783830"),
    });
    const { dependencies } = find("ManagedCluster", "aks");
    assert.ok(dependencies.includes("RoleAssignment::aks-network"));
    assert.ok(dependencies.includes("RoleAssignment::aks-kubelet"));
  });

  it("keeps user pools apart from the cluster, on the disk that AKS chooses where the size has a local one or none", async () => {
    const { find } = await cluster(PROD);
    const pool = find("AgentPool", "aks-apps");
    assert.deepEqual(pool.inputs, {
      ...POOL,
      clusterId: idOf("ManagedCluster", "aks"),
      name: "apps",
      mode: "User",
      vmSize: "Standard_D8s_v5",
      availabilityZones: [],
      minCount: 2,
      maxCount: 9,
    });
    assert.equal(pool.deletedWith, "ManagedCluster::aks");
  });

  it("leaves the number of nodes to the autoscaler", async () => {
    const { find } = await cluster(PROD);
    for (const name of ["aks-apps", "aks-system"]) assert.equal("count" in find("AgentPool", name).inputs, false);
  });

  it("has the disk of nodes that was asked for, each pool its own", async () => {
    const [apps] = PROD.userPools;
    const { find } = await cluster({
      systemPool: { ...PROD.systemPool, osDiskType: "Managed" },
      userPools: [{ ...apps, vmSize: "Standard_D8ds_v5", osDiskType: "Ephemeral" }],
    });
    const diskOf = (pool: unknown) => (pool as { osDiskType: string }).osDiskType;
    assert.deepEqual(
      [find("ManagedCluster", "aks").inputs.systemPool, find("AgentPool", "aks-system").inputs].map(diskOf),
      ["Managed", "Managed"],
    );
    assert.equal(diskOf(find("AgentPool", "aks-apps").inputs), "Ephemeral");
  });

  it("gives the system pool to the cluster to be made with, and keeps it as a resource of its own from then on", async () => {
    const { find } = await cluster(PROD);
    const { inputs, deletedWith } = find("AgentPool", "aks-system");
    const { systemPool } = find("ManagedCluster", "aks").inputs;
    assert.deepEqual(inputs, { ...(systemPool as object), clusterId: idOf("ManagedCluster", "aks") });
    assert.equal(deletedWith, "ManagedCluster::aks");
  });

  it("is called by a name that is in the state before it is made, and another one where Azure makes another cluster", async () => {
    const nameOf = async (more: Partial<AksClusterArgs>) =>
      (await cluster({ ...PROD, ...more })).find("RandomId", "aks-name");
    const { inputs, replacementTrigger } = await nameOf({});
    assert.deepEqual(inputs, { byteLength: 4 });
    assert.deepEqual(replacementTrigger, (await nameOf({ sku: "Premium", adminGroups: [] })).replacementTrigger);
    assert.deepEqual(Object.keys(replacementTrigger as object).sort(), ["network", "resourceGroupName"]);
    const others = [
      { network: { pods: "10.245.0.0/16" } },
      { network: { subnets: { nodes: `${SPOKE}/nodes`, apiServer: `${SPOKE}/api-server` } } },
      { network: { zones: { apiServer: "own" } } },
      { resourceGroupName: "other" },
    ];
    for (const other of others) assert.notDeepEqual((await nameOf(other)).replacementTrigger, replacementTrigger);
  });

  it("has two maintenance windows", async () => {
    const { find, names } = await cluster({ maintenance: { utcOffset: "+01:00" } });
    assert.deepEqual(names("MaintenanceConfiguration"), [
      "aks-aksManagedAutoUpgradeSchedule",
      "aks-aksManagedNodeOSUpgradeSchedule",
    ]);
    assert.deepEqual(find("MaintenanceConfiguration", "aks-aksManagedNodeOSUpgradeSchedule").inputs, {
      resourceGroupName: "group",
      resourceName: "aks-abcd1234",
      configName: "aksManagedNodeOSUpgradeSchedule",
      maintenanceWindow: {
        schedule: { weekly: { intervalWeeks: 1, dayOfWeek: "Saturday" } },
        startTime: "01:00",
        durationHours: 6,
        utcOffset: "+01:00",
      },
    });
  });

  it("deletes by itself what an interrupted destroy would leave in Azure and the next up could not make", async () => {
    const { resources } = await cluster(PROD);
    const left = resources.filter(({ deletedWith }) => deletedWith !== "").map(({ name }) => name);
    // An agent pool is taken over where it is there.
    assert.deepEqual(left.sort(), ["aks-apps", "aks-system"]);
  });

  it("writes user pools one after the other, as Azure may refuse two at a time", async () => {
    const [apps] = PROD.userPools;
    const { find } = await cluster({
      ...PROD,
      userPools: [apps, { ...apps, name: "batch" }, { ...apps, name: "gpu" }],
    });
    const waitsFor = (name: string) =>
      find("AgentPool", name).dependencies.filter((one) => one.startsWith("AgentPool::aks-"));
    assert.deepEqual(waitsFor("aks-apps"), []);
    assert.deepEqual(waitsFor("aks-batch"), ["AgentPool::aks-apps"]);
    assert.deepEqual(waitsFor("aks-gpu"), ["AgentPool::aks-batch"]);
  });

  it("has the version of Kubernetes that is said: the control plane first, then pool after pool, the system's first", async () => {
    const [apps] = PROD.userPools;
    const userPools = [apps, { ...apps, name: "batch" }];
    const { find } = await cluster({ ...PROD, userPools, kubernetesVersion: "1.34" });
    const { inputs } = find("ManagedCluster", "aks");
    assert.equal(inputs.kubernetesVersion, "1.34");
    assert.equal((inputs.systemPool as Record<string, unknown>).orchestratorVersion, undefined);
    assert.deepEqual(propertiesOf(find("ManagedCluster", "aks")).autoUpgradeProfile, {
      upgradeChannel: "patch",
      nodeOSUpgradeChannel: "NodeImage",
    });
    const pools = ["aks-system", "aks-apps", "aks-batch"].map((name) => find("AgentPool", name));
    assert.deepEqual(
      pools.map((pool) => pool.inputs.orchestratorVersion),
      ["1.34", "1.34", "1.34"],
    );
    assert.deepEqual(
      pools.map(({ dependencies }) => dependencies.filter((one) => one.startsWith("AgentPool::aks-"))),
      [[], ["AgentPool::aks-system"], ["AgentPool::aks-apps"]],
    );
    for (const { dependencies } of pools) assert.ok(dependencies.includes("ManagedCluster::aks"));
    const patch = await cluster({ kubernetesVersion: "1.34.1" });
    const { upgradeChannel } = propertiesOf(patch.find("ManagedCluster", "aks")).autoUpgradeProfile as {
      upgradeChannel: string;
    };
    assert.equal(upgradeChannel, "none");
  });

  it("keeps the control plane's logs, without every read request", async () => {
    const { find } = await cluster(PROD);
    assert.deepEqual(find("DiagnosticSetting", "aks").inputs, {
      name: "aks",
      resourceUri: idOf("ManagedCluster", "aks"),
      workspaceId: idOf("Workspace", "aks"),
      logAnalyticsDestinationType: "Dedicated",
      logs: [
        "kube-audit-admin",
        "guard",
        "kube-controller-manager",
        "cluster-autoscaler",
        "cloud-controller-manager",
      ].map((category) => ({ category, enabled: true })),
    });
  });

  it("of the Free tier does without Defender and cost analysis, and runs applications on its only pool", async () => {
    const { find, names } = await cluster({ sku: "Free" });
    const { inputs } = find("ManagedCluster", "aks");
    assert.deepEqual(inputs.sku, { name: "Base", tier: "Free" });
    const { metricsProfile, securityProfile } = inputs.properties as Record<string, unknown>;
    assert.deepEqual(metricsProfile, { costAnalysis: { enabled: false } });
    assert.deepEqual((securityProfile as { defender: unknown }).defender, {
      securityMonitoring: { enabled: false },
    });
    assert.equal((inputs.systemPool as { nodeTaints?: string[] }).nodeTaints, undefined);
    assert.deepEqual(names("AgentPool"), ["aks-system"]);
  });

  it("of the Premium tier has long-term support", async () => {
    const { find } = await cluster({ sku: "Premium" });
    const { supportPlan, autoUpgradeProfile } = propertiesOf(find("ManagedCluster", "aks"));
    assert.equal(supportPlan, "AKSLongTermSupport");
    // It stays on a minor version.
    assert.deepEqual(autoUpgradeProfile, { upgradeChannel: "patch", nodeOSUpgradeChannel: "NodeImage" });
  });

  it("lets its own nodes reach a public API server that few networks reach", async () => {
    const { find } = await cluster({ authorizedIpRanges: ["198.51.100.0/24"] });
    assert.deepEqual(propertiesOf(find("ManagedCluster", "aks")).apiServerAccessProfile, {
      disableRunCommand: true,
      authorizedIPRanges: ["198.51.100.0/24", "203.0.113.7/32"],
    });
  });

  it("lets the runner's addresses reach a public API server where few networks do", async () => {
    const ranges = async (authorizedIpRanges: string[]) => {
      const runnerAddresses = ["203.0.113.10/32", "198.51.100.0/24"];
      const { find } = await cluster({ authorizedIpRanges, runnerAddresses });
      const { properties } = find("ManagedCluster", "aks").inputs as { properties: Record<string, unknown> };
      return (properties.apiServerAccessProfile as { authorizedIPRanges: string[] }).authorizedIPRanges;
    };
    assert.deepEqual(await ranges(["198.51.100.0/24"]), ["198.51.100.0/24", "203.0.113.10/32", "203.0.113.7/32"]);
    assert.deepEqual(await ranges([]), []);
  });

  it("is protected where the settings say so", async () => {
    const protection = async (protect: boolean) => (await cluster({ protect })).find("ManagedCluster", "aks").protect;
    assert.deepEqual([await protection(true), await protection(false)], [true, false]);
    for (const protect of [true, false]) {
      const { find } = await cluster({ ...PROD, protect });
      // The system pool is the cluster's own: without that it never goes.
      const pools = [find("AgentPool", "aks-apps").protect, find("AgentPool", "aks-system").protect ?? false];
      assert.deepEqual(pools, [protect, false]);
    }
  });

  it("previews no change of its own when a setting changes", async () => {
    const { find } = await cluster(PROD);
    assert.deepEqual([find("AksCluster", "aks").inputs, find("AksNetwork", "aks").inputs], [{}, {}]);
  });

  it("is the parent of all it makes, and gives what others need", async () => {
    const { resources, result } = await cluster(PROD);
    const strays = resources.filter(({ parent }) => !/^(AksCluster|AksNetwork)::aks$/.test(parent));
    assert.deepEqual(
      strays.map(({ type }) => type),
      ["aks-gitops:index:AksCluster"],
    );
    assert.equal(await resolved(result.oidcIssuerUrl), "https://issuer/");
    assert.equal(await resolved(result.kubeletPrincipalId), "aks-kubelet-principal");
    assert.equal(await resolved(result.readyClusterName), "aks-abcd1234");
    assert.equal(await resolved(result.kubeconfig), "kubeconfig");
  });

  it("stands alone: a resource group is all that it needs", async () => {
    const { find } = await cluster({});
    const { sku } = find("ManagedCluster", "aks").inputs;
    const { apiServerAccessProfile } = propertiesOf(find("ManagedCluster", "aks"));
    // An empty list clears the networks that there were.
    const open = { disableRunCommand: true, authorizedIPRanges: [] };
    assert.deepEqual([sku, apiServerAccessProfile], [{ name: "Base", tier: "Standard" }, open]);
    assert.deepEqual(find("VirtualNetwork", "aks").inputs.addressSpace, { addressPrefixes: ["10.60.0.0/16"] });
  });

  it("takes a part of a nested argument, and an undefined one as left out", async () => {
    const { find } = await cluster({
      network: { services: "10.1.0.0/16", pods: undefined },
      maintenance: { autoUpgrade: { durationHours: 8 } },
    });
    const { serviceCidr, podCidr } = propertiesOf(find("ManagedCluster", "aks")).networkProfile as Record<
      string,
      string
    >;
    assert.deepEqual([serviceCidr, podCidr], ["10.1.0.0/16", "10.244.0.0/16"]);
    assert.deepEqual(find("MaintenanceConfiguration", "aks-aksManagedAutoUpgradeSchedule").inputs.maintenanceWindow, {
      schedule: { weekly: { intervalWeeks: 1, dayOfWeek: "Sunday" } },
      startTime: "01:00",
      durationHours: 8,
      utcOffset: "+00:00",
    });
  });
});
