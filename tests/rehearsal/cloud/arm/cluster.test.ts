import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { parse } from "yaml";
import { type Cloud, newCloud, outcome, ROOT, TENANT_ID } from "./cloud.ts";
import {
  assignment,
  cluster,
  clusterBody,
  clusterProperties,
  identities,
  identity,
  NODES,
  network,
  systemPool,
  vnet,
} from "./platform.ts";

describe("simulated ARM: managed clusters", () => {
  let cloud: Cloud;

  beforeEach(async () => {
    cloud = await newCloud();
    await network(cloud);
    await identities(cloud);
  });

  it("creates a cluster through a long-running operation and fills in what the service fills in", async () => {
    const answer = await cloud.call("PUT", cluster, clusterBody());
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    assert.equal(answer.body.properties.provisioningState, "Creating");
    assert.equal(await cloud.finish(answer), "Succeeded");
    const { body } = await cloud.call("GET", cluster);
    const { properties } = body;
    assert.equal(properties.provisioningState, "Succeeded");
    assert.equal(properties.kubernetesVersion, "1.33");
    assert.equal(properties.currentKubernetesVersion, "1.33.5");
    assert.equal(properties.nodeResourceGroup, "MC_rg_prod_westeurope");
    assert.equal(properties.networkProfile.podCidr, "10.244.0.0/16");
    assert.equal(properties.networkProfile.networkPolicy, "cilium");
    assert.match(
      properties.oidcIssuerProfile.issuerURL,
      new RegExp(`^https://westeurope.oic.prod-aks.azure.com/${TENANT_ID}/[0-9a-f-]{36}/$`),
    );
    assert.match(properties.privateFQDN, /^prod-[0-9a-f]{8}\.[0-9a-f-]{36}\.privatelink\.westeurope\.azmk8s\.io$/);
    assert.equal(properties.fqdn, undefined);
    assert.equal(properties.identityProfile.kubeletidentity.resourceId, identity("kubelet"));
    assert.equal(properties.agentPoolProfiles[0].maxPods, 250);
    assert.equal(properties.agentPoolProfiles[0].osDiskType, "Ephemeral");
    assert.equal(properties.agentPoolProfiles[0].count, 3);
    assert.equal(properties.autoScalerProfile["scale-down-unneeded-time"], "10m");
    assert.equal((await cloud.call("GET", `${ROOT}/resourceGroups/MC_rg_prod_westeurope`)).body.managedBy, cluster);
  });

  it("answers the same PUT with the same resource", async () => {
    const first = await cloud.make(cluster, clusterBody());
    const second = await cloud.make(cluster, clusterBody());
    for (const one of [first, second]) {
      delete one.eTag;
      delete one.systemData;
      for (const pool of one.properties.agentPoolProfiles) delete pool.eTag;
    }
    assert.deepEqual(second, first);
  });

  const refusals: [what: string, changes: object, outer: object, code: string][] = [
    ["an unknown Kubernetes version", { kubernetesVersion: "1.12.1" }, {}, "K8sVersionNotSupported"],
    ["a bad DNS prefix", { dnsPrefix: "-prod" }, {}, "InvalidDNSPrefix"],
    ["no pools", { agentPoolProfiles: [] }, {}, "InvalidParameter"],
    ["no system pool", { agentPoolProfiles: [{ ...systemPool, mode: "User" }] }, {}, "InvalidParameter"],
    ["cost analysis on Free", {}, { sku: { name: "Base", tier: "Free" } }, "CostAnalysisNotSupportedInFreeTier"],
    ["workload identity without an issuer", { oidcIssuerProfile: { enabled: false } }, {}, "OIDCIssuerNotEnabled"],
    ["local accounts off without Entra", { aadProfile: undefined }, {}, "DisableLocalAccountsNotSupported"],
    [
      "Cilium without overlay or pod subnets",
      { networkProfile: { ...clusterProperties.networkProfile, networkPluginMode: undefined } },
      {},
      "InvalidNetworkDataplane",
    ],
    [
      "a managed NAT gateway with an own network",
      { networkProfile: { ...clusterProperties.networkProfile, outboundType: "managedNATGateway" } },
      {},
      "InvalidParameter",
    ],
    [
      "a private cluster with authorized ranges",
      { apiServerAccessProfile: { ...clusterProperties.apiServerAccessProfile, authorizedIPRanges: ["192.0.2.0/24"] } },
      {},
      "InvalidParameter",
    ],
    [
      "services that overlap a subnet",
      {
        networkProfile: {
          ...clusterProperties.networkProfile,
          serviceCidr: "10.60.0.0/16",
          dnsServiceIP: "10.60.0.10",
        },
      },
      {},
      "ServiceCidrOverlapExistingSubnetsCidr",
    ],
    [
      "pods that overlap services",
      { networkProfile: { ...clusterProperties.networkProfile, podCidr: "10.0.0.0/8" } },
      {},
      "PodCidrOverlapServiceCidr",
    ],
    [
      "a DNS address outside the services",
      { networkProfile: { ...clusterProperties.networkProfile, dnsServiceIP: "10.9.0.10" } },
      {},
      "InvalidParameter",
    ],
    [
      "node provisioning with the autoscaler",
      { nodeProvisioningProfile: { mode: "Auto" } },
      {},
      "NodeAutoProvisioningNotSupportedWithClusterAutoscaler",
    ],
    [
      "an ephemeral disk on a size without one",
      { agentPoolProfiles: [{ ...systemPool, vmSize: "Standard_D4s_v5", osDiskType: "Ephemeral" }] },
      {},
      "InvalidParameter",
    ],
    ["an unknown addon", { addonProfiles: { kured: { enabled: true } } }, {}, "AddonInvalid"],
    ["an unknown property", { autoUpgrade: true }, {}, "InvalidRequestContent"],
    ["a read-only property", { fqdn: "x" }, {}, "InvalidRequestContent"],
    ["an unknown value", { supportPlan: "Gold" }, {}, "InvalidParameter"],
  ];
  for (const [what, changes, outer, code] of refusals)
    it(`refuses ${what}`, async () => {
      const [status, actual] = await cloud.refused(cluster, clusterBody(changes, outer));
      assert.deepEqual([status, actual], [400, code]);
    });

  it("refuses a zone in a region without zones", async () => {
    const away = { ...clusterBody({ agentPoolProfiles: [{ ...systemPool }] }), location: "westus" };
    assert.deepEqual((await cloud.refused(cluster, away)).slice(0, 2), [400, "AvailabilityZoneNotSupported"]);
  });

  it("refuses a cluster whose identity may not assign the kubelet's identity", async () => {
    await cloud.unmake(assignment(identity("kubelet"), 2));
    const [status, code, message] = await cloud.refused(cluster, clusterBody());
    assert.deepEqual([status, code], [400, "CustomKubeletIdentityMissingPermissionError"]);
    assert.equal(
      message,
      `The cluster user assigned identity must be given permission to assign kubelet identity ${identity("kubelet")}. Check access result not allowed for action Microsoft.ManagedIdentity/userAssignedIdentities/assign/action.`,
    );
  });

  it("refuses a cluster whose identity may not join the subnets", async () => {
    await cloud.unmake(assignment(vnet, 1));
    const [status, code, message] = await cloud.refused(cluster, clusterBody());
    assert.deepEqual([status, code], [403, "LinkedAuthorizationFailed"]);
    assert.match(message, /Microsoft\.Network\/virtualNetworks\/subnets\/read/);
  });

  it("refuses changes of what only a new cluster can have", async () => {
    await cloud.make(cluster, clusterBody());
    assert.deepEqual((await cloud.refused(cluster, clusterBody({ dnsPrefix: "other" }))).slice(0, 3), [
      400,
      "PropertyChangeNotAllowed",
      "Changing property 'properties.dnsPrefix' is not allowed.",
    ]);
    const pool = { ...systemPool, vmSize: "Standard_D8ds_v5" };
    assert.deepEqual((await cloud.refused(cluster, clusterBody({ agentPoolProfiles: [pool] }))).slice(0, 2), [
      400,
      "PropertyChangeNotAllowed",
    ]);
    assert.deepEqual(
      (await cloud.refused(cluster, clusterBody({ oidcIssuerProfile: { enabled: false }, securityProfile: {} }))).slice(
        0,
        2,
      ),
      [400, "OIDCIssuerFeatureCannotBeDisabled"],
    );
  });

  it("refuses downgrades and skipped minors", async () => {
    await cloud.make(cluster, clusterBody({ kubernetesVersion: "1.32" }));
    assert.deepEqual((await cloud.refused(cluster, clusterBody({ kubernetesVersion: "1.34.1" }))).slice(0, 2), [
      400,
      "OperationNotAllowed",
    ]);
    await cloud.make(cluster, clusterBody({ kubernetesVersion: "1.33.5" }));
    assert.deepEqual((await cloud.refused(cluster, clusterBody({ kubernetesVersion: "1.33.4" }))).slice(0, 2), [
      400,
      "OperationNotAllowed",
    ]);
    assert.equal((await cloud.call("GET", cluster)).body.properties.currentKubernetesVersion, "1.33.5");
  });

  it("refuses a pool that is new in the cluster's body, and takes it as a resource", async () => {
    await cloud.make(cluster, clusterBody());
    const apps = { ...systemPool, name: "apps", mode: "User", nodeTaints: undefined };
    const [status, code, message] = await cloud.refused(
      cluster,
      clusterBody({ agentPoolProfiles: [systemPool, apps] }),
    );
    assert.deepEqual([status, code], [400, "BadRequest"]);
    assert.match(message, /^A new agent pool was introduced\. /);
    const { name: _, ...properties } = apps;
    const pool = await cloud.make(`${cluster}/agentPools/apps`, { properties });
    assert.equal(pool.properties.maxPods, 250);
    const { body } = await cloud.call("GET", cluster);
    assert.deepEqual(
      body.properties.agentPoolProfiles.map((one: { name: string }) => one.name),
      ["system", "apps"],
    );
    assert.deepEqual((await cloud.make(cluster, clusterBody())).properties.agentPoolProfiles.length, 2);
  });

  it("does one operation on a pool at a time, and none while the cluster changes", async () => {
    cloud = await newCloud({ duration: (type) => (type.startsWith("Microsoft.ContainerService") ? 200 : 1) });
    await network(cloud);
    await identities(cloud);
    const creating = await cloud.call("PUT", cluster, clusterBody());
    const pool = { properties: { vmSize: "Standard_D4ds_v5", count: 1, vnetSubnetID: NODES } };
    assert.deepEqual((await cloud.refused(`${cluster}/agentPools/apps`, pool)).slice(0, 2), [
      409,
      "OperationNotAllowed",
    ]);
    assert.deepEqual((await cloud.refused(cluster, clusterBody())).slice(0, 2), [409, "OperationNotAllowed"]);
    await cloud.finish(creating);
    const first = await cloud.call("PUT", `${cluster}/agentPools/apps`, pool);
    assert.equal(first.status, 201);
    assert.deepEqual((await cloud.refused(`${cluster}/agentPools/apps`, pool)).slice(0, 2), [
      409,
      "OperationNotAllowed",
    ]);
    // Seen to be refused once and to be taken later.
    assert.deepEqual((await cloud.refused(`${cluster}/agentPools/more`, pool)).slice(0, 2), [
      409,
      "OperationNotAllowed",
    ]);
    assert.deepEqual((await cloud.refused(cluster, clusterBody())).slice(0, 2), [409, "OperationNotAllowed"]);
  });

  it("deletes a user pool in its own time, and not while the cluster is written", async () => {
    cloud = await newCloud({ duration: (type) => (type.startsWith("Microsoft.ContainerService") ? 500 : 1) });
    await network(cloud);
    await identities(cloud);
    await cloud.make(cluster, clusterBody());
    const properties = { count: 1, vmSize: "Standard_D4ds_v5", vnetSubnetID: NODES };
    await cloud.make(`${cluster}/agentPools/apps`, { properties });
    const writing = await cloud.call("PUT", cluster, clusterBody());
    const conflict = [409, "OperationNotAllowed"];
    assert.deepEqual(outcome(await cloud.call("DELETE", `${cluster}/agentPools/apps`)).slice(0, 2), conflict);
    await cloud.finish(writing);
    const going = await cloud.call("DELETE", `${cluster}/agentPools/apps`);
    assert.equal(going.status, 202);
    const { body } = await cloud.call("GET", `${cluster}/agentPools/apps`);
    assert.equal((body as { properties: { provisioningState: string } }).properties.provisioningState, "Deleting");
    assert.deepEqual(outcome(await cloud.call("DELETE", `${cluster}/agentPools/apps`)).slice(0, 2), conflict);
    await cloud.finish(going);
    assert.equal((await cloud.call("GET", `${cluster}/agentPools/apps`)).status, 404);
    assert.equal((await cloud.call("DELETE", `${cluster}/agentPools/apps`)).status, 204);
  });

  it("keeps the last system pool, and refuses wrong pools", async () => {
    await cloud.make(cluster, clusterBody());
    assert.deepEqual(outcome(await cloud.call("DELETE", `${cluster}/agentPools/system`)).slice(0, 2), [
      400,
      "OperationNotAllowed",
    ]);
    const pool = { vmSize: "Standard_D4ds_v5", vnetSubnetID: NODES };
    const wrong: object[] = [
      pool,
      { ...pool, count: 1, minCount: 1, maxCount: 2 },
      { ...pool, enableAutoScaling: true, minCount: 3, maxCount: 2 },
      { ...pool, count: 1, nodeTaints: ["nonsense"] },
      { ...pool, count: 1, vnetSubnetID: undefined },
    ];
    for (const properties of wrong)
      assert.deepEqual((await cloud.refused(`${cluster}/agentPools/apps`, { properties })).slice(0, 2), [
        400,
        "InvalidParameter",
      ]);
    assert.deepEqual(
      (await cloud.refused(`${cluster}/agentPools/apps`, { properties: { ...pool, count: 1, vmSize: "Huge" } })).slice(
        0,
        2,
      ),
      [400, "VMSizeNotSupported"],
    );
    assert.deepEqual((await cloud.refused(`${cluster}/agentPools/Apps`, { properties: pool })).slice(0, 2), [
      400,
      "InvalidResourceName",
    ]);
  });

  it("takes maintenance windows by their known names", async () => {
    await cloud.make(cluster, clusterBody());
    const window = {
      startTime: "01:00",
      durationHours: 4,
      schedule: { weekly: { intervalWeeks: 1, dayOfWeek: "Sunday" } },
    };
    const path = (name: string) => `${cluster}/maintenanceConfigurations/${name}`;
    const made = await cloud.make(path("aksManagedAutoUpgradeSchedule"), { properties: { maintenanceWindow: window } });
    assert.equal(made.properties.maintenanceWindow.utcOffset, "+00:00");
    const bad: [string, object][] = [
      ["mine", window],
      ["default", window],
      ["aksManagedNodeOSUpgradeSchedule", { ...window, durationHours: 3 }],
      ["aksManagedAutoUpgradeSchedule", { ...window, schedule: { daily: { intervalDays: 1 } } }],
      ["aksManagedNodeOSUpgradeSchedule", { ...window, schedule: {} }],
    ];
    for (const [name, maintenanceWindow] of bad)
      assert.deepEqual((await cloud.refused(path(name), { properties: { maintenanceWindow } })).slice(0, 2), [
        400,
        "InvalidParameter",
      ]);
  });

  it("hands out a kubeconfig without credentials to those who may, and no static one", async () => {
    await cloud.make(cluster, clusterBody());
    const path = `${cluster}/listClusterUserCredential`;
    const { status, body } = await cloud.call("POST", path);
    assert.equal(status, 200);
    const config = parse(Buffer.from(body.kubeconfigs[0].value, "base64").toString());
    assert.match(config.clusters[0].cluster.server, /^https:\/\/prod-.*:443$/);
    const authority = Buffer.from(config.clusters[0].cluster["certificate-authority-data"], "base64").toString();
    assert.match(authority, /^-----BEGIN CERTIFICATE-----/);
    assert.equal(config.users[0].user.exec.command, "kubelogin");
    assert.deepEqual((await cloud.call("POST", path)).body, body);
    const reader = cloud.directory.add("ServicePrincipal", "reader");
    cloud.arm.assignRole(reader.objectId, "Reader", ROOT);
    assert.deepEqual(outcome(await cloud.call("POST", path, undefined, { as: reader })).slice(0, 2), [
      403,
      "AuthorizationFailed",
    ]);
    cloud.arm.assignRole(reader.objectId, "Azure Kubernetes Service Cluster User Role", cluster);
    assert.equal((await cloud.call("POST", path, undefined, { as: reader })).status, 200);
    assert.deepEqual(outcome(await cloud.call("POST", `${cluster}/listClusterAdminCredential`)).slice(0, 2), [
      400,
      "BadRequest",
    ]);
  });

  it("keeps subnets in use, and takes everything of a cluster away with it", async () => {
    await cloud.make(cluster, clusterBody());
    assert.deepEqual(outcome(await cloud.call("DELETE", NODES)).slice(0, 2), [400, "InUseSubnetCannotBeDeleted"]);
    await cloud.unmake(cluster);
    assert.equal((await cloud.call("GET", cluster)).status, 404);
    assert.equal((await cloud.call("GET", `${ROOT}/resourceGroups/MC_rg_prod_westeurope`)).status, 404);
    await cloud.unmake(NODES);
  });
});
