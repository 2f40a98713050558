// The networks in which companies put a stack: it comes up in one `up` in each of them, and names lead where they should.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { ArmResource, Place } from "../../rehearsal/cloud/types.ts";
import { apiServerRefusal } from "../../rehearsal/cluster/apiServerAccess.ts";
import { type OnArm, onArm, SUBSCRIPTION } from "./onArm.ts";
import { shipped } from "./shipped.ts";

const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-network/providers/Microsoft.Network`;
const SPOKE = `${GROUP}/virtualNetworks/vnet-spoke`;
const PLATFORM =
  "/subscriptions/00000000-0000-0000-0000-00000000000c/resourceGroups/rg-hub/providers/Microsoft.Network";
const HUB = `${PLATFORM}/virtualNetworks/vnet-hub`;
const ZONE = `${PLATFORM}/privateDnsZones`;

const SUBNETS = {
  nodes: `${SPOKE}/subnets/snet-nodes`,
  apiServer: `${SPOKE}/subnets/snet-api-server`,
  endpoints: `${SPOKE}/subnets/snet-endpoints`,
};
const ZONES = { registry: `${ZONE}/privatelink.azurecr.io`, vault: `${ZONE}/privatelink.vaultcore.azure.net` };

const PRIVATE = { registry: { name: "acmeprod", sku: "Premium", private: true }, sops: { vault: "acme-prod" } };
const BASE = {
  deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
  flux: { repository: "https://github.com/acme/fleet" },
};
const inHub = { inside: { vnet: HUB } };

/** What a caller finds of a stack. */
function found({ cloud }: OnArm, place: Place) {
  const [registry, vault, cluster] = [
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.KeyVault/vaults",
    "Microsoft.ContainerService/managedClusters",
  ].map((type) => cloud.arm.list(type)[0]) as [ArmResource, ArmResource, ArmResource];
  const caller = { place, address: place === "outside" ? "203.0.113.7" : "10.50.0.4" };
  const reached = (resource: ArmResource) =>
    cloud.arm.noWay(resource, resource.name, place) ?? cloud.arm.unreachable(resource, caller);
  return { registry: reached(registry), vault: reached(vault), apiServer: cloud.arm.apiServerRoute(cluster, place) };
}

interface Cluster {
  readonly identity: { readonly userAssignedIdentities: object };
  readonly privateFQDN: string;
  readonly apiServerAccessProfile: { readonly subnetId: string; readonly authorizedIPRanges: readonly string[] };
  readonly networkProfile: { readonly outboundType: string };
  readonly agentPoolProfiles: readonly { readonly vnetSubnetID: string }[];
}

/** The cluster's properties and identity. */
function clusterOf({ cloud }: OnArm): Cluster {
  const [cluster] = cloud.arm.list("Microsoft.ContainerService/managedClusters");
  assert.ok(cluster);
  return { ...cluster.properties, identity: cluster.identity } as unknown as Cluster;
}

const ALL = { registry: undefined, vault: undefined, apiServer: { resolves: true, reaches: true } };

/** What was there before is as it was, but for links and roles, which are resources of their own. */
function isUntouched({ cloud, before, written }: OnArm): void {
  for (const [id, resource] of before) assert.deepEqual(cloud.arm.get(id), resource, id);
  const touched = written.filter((id) => before.has(id));
  assert.deepEqual(touched, []);
}

/** What the program wrote below the company's resources. */
const below = ({ before, written }: OnArm) =>
  written.filter((id) => [...before.keys()].some((one) => one.includes("/providers/") && id.startsWith(`${one}/`)));

describe("a stack's networks", () => {
  it("go out by a gateway that works as long as one zone does, from one public address that it lets in itself", async () => {
    const cluster = { authorizedIpRanges: ["198.51.100.0/24"] };
    const stack = await onArm({ ...BASE, cluster });
    const { arm } = stack.cloud;
    const [gateway] = arm.list("Microsoft.Network/natGateways");
    const [address] = arm.list("Microsoft.Network/publicIPAddresses");
    assert.deepEqual([gateway?.sku, address?.sku], [{ name: "StandardV2" }, { name: "StandardV2", tier: "Regional" }]);
    const subnets = arm.list("Microsoft.Network/virtualNetworks/subnets");
    const nodes = subnets.find(({ name }) => name === "nodes");
    assert.deepEqual(nodes?.properties.natGateway, { id: gateway?.id });
    const { authorizedIPRanges } = clusterOf(stack).apiServerAccessProfile;
    assert.deepEqual(authorizedIPRanges, ["198.51.100.0/24", `${address?.properties.ipAddress}/32`]);
  });

  it("(a) a network of its own is peered with the runner's hub, and names are found in both", async () => {
    const stack = await onArm({ ...BASE, ...PRIVATE, runner: inHub, cluster: { private: true } });
    assert.deepEqual(found(stack, "inside"), ALL);
    assert.deepEqual(found(stack, "cluster"), ALL);
    const outside = found(stack, "outside");
    assert.match(outside.registry ?? "", /public network access to acmeprod is disabled/);
    assert.match(outside.vault ?? "", /public network access to acme-prod is disabled/);
    assert.deepEqual(outside.apiServer, { resolves: true, reaches: false });
  });

  it("(a) is linked to the hub's own zones, in another subscription, and their names are found in both", async () => {
    const network = { zones: { ...ZONES, apiServer: `${ZONE}/private.westeurope.azmk8s.io` } };
    const stack = await onArm({ ...BASE, ...PRIVATE, runner: inHub, cluster: { private: true, network } });
    assert.deepEqual(found(stack, "inside"), ALL);
    assert.deepEqual(found(stack, "cluster"), ALL);
    const { apiServer } = found(stack, "outside");
    assert.deepEqual(apiServer, { resolves: false, reaches: false });
    assert.deepEqual(
      stack.cloud.arm
        .list("Microsoft.Network/privateDnsZones")
        .map(({ id }) => id)
        .sort(),
      [`${ZONE}/private.westeurope.azmk8s.io`, ZONES.registry, ZONES.vault],
    );
  });

  it("(b) takes subnets that are there, with a zone of its own for the API server, and leaves them as they are", async () => {
    const network = { subnets: SUBNETS, zones: { apiServer: "own" } };
    const stack = await onArm({ ...BASE, ...PRIVATE, runner: inHub, cluster: { private: true, network } });
    isUntouched(stack);
    for (const type of ["virtualNetworks", "networkSecurityGroups", "natGateways", "routeTables", "publicIPAddresses"])
      assert.deepEqual(
        stack.written.filter((id) => id.includes(`/Microsoft.Network/${type}/`) && !id.includes("/roleAssignments/")),
        [],
        type,
      );
    const { privateFQDN, apiServerAccessProfile, agentPoolProfiles } = clusterOf(stack);
    assert.match(privateFQDN, /^aks-test-[0-9a-f]{8}\.test\.private\.westeurope\.azmk8s\.io$/);
    assert.equal(apiServerAccessProfile.subnetId, SUBNETS.apiServer);
    assert.deepEqual([...new Set(agentPoolProfiles.map(({ vnetSubnetID }) => vnetSubnetID))], [SUBNETS.nodes]);
    assert.deepEqual(found(stack, "inside"), ALL);
    assert.deepEqual(found(stack, "cluster"), ALL);
    assert.deepEqual(found(stack, "outside").apiServer, { resolves: false, reaches: false });
  });

  it("(b) gives the cluster no more than its subnets, and with zones that are there leaves their links alone", async () => {
    const network = { subnets: SUBNETS, zones: ZONES };
    const stack = await onArm({ ...BASE, ...PRIVATE, runner: inHub, cluster: { private: true, network } });
    isUntouched(stack);
    assert.deepEqual(
      below(stack).map((id) => id.replace(/\/[^/]+$/, "")),
      [SUBNETS.nodes, SUBNETS.apiServer].map((id) => `${id}/providers/Microsoft.Authorization/roleAssignments`),
    );
    assert.deepEqual(found(stack, "inside"), ALL);
    assert.deepEqual(found(stack, "cluster"), ALL);
  });

  it("(b) takes an identity that has its roles on the company's subnets and zone, and assigns none there", async () => {
    const identity = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-identities/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-aks`;
    const zones = { ...ZONES, apiServer: `${ZONE}/prod.private.westeurope.azmk8s.io` };
    const network = { subnets: SUBNETS, zones };
    const stack = await onArm(
      { ...BASE, ...PRIVATE, runner: inHub, cluster: { private: true, identity, network } },
      async (cloud) => {
        await cloud.make(identity.split("/providers/")[0] ?? "", { location: "northeurope" });
        const { principalId } = (await cloud.make(identity, { location: "northeurope" })).properties;
        cloud.arm.assignRole(principalId, "Network Contributor", SPOKE);
        cloud.arm.assignRole(principalId, "Private DNS Zone Contributor", zones.apiServer);
      },
    );
    isUntouched(stack);
    assert.deepEqual(below(stack), []);
    assert.deepEqual(Object.keys(clusterOf(stack).identity.userAssignedIdentities), [identity]);
    assert.deepEqual(found(stack, "inside"), ALL);
  });

  it("(b) is run from the very network of its subnets too", async () => {
    const network = { subnets: SUBNETS };
    const stack = await onArm({ ...BASE, ...PRIVATE, runner: "inside", cluster: { private: true, network } });
    isUntouched(stack);
    assert.deepEqual(found(stack, "inside"), ALL);
  });

  for (const [what, egress] of [
    ["by routes to a firewall", { firewall: "10.50.1.4" }],
    ["by a load balancer of AKS's own", "loadBalancer"],
  ] as const)
    it(`(c) goes out ${what}`, async () => {
      const stack = await onArm({ ...BASE, ...PRIVATE, runner: inHub, cluster: { private: true, egress } });
      assert.deepEqual(found(stack, "inside"), ALL);
      const { arm } = stack.cloud;
      assert.deepEqual(arm.list("Microsoft.Network/natGateways"), []);
      const { outboundType } = clusterOf(stack).networkProfile;
      assert.equal(outboundType, egress === "loadBalancer" ? "loadBalancer" : "userDefinedRouting");
    });

  it("(c) goes out by the route table of subnets that are there", async () => {
    const egress = { routeTableId: `${GROUP}/routeTables/rt-spoke` };
    const network = { subnets: SUBNETS };
    const stack = await onArm({ ...BASE, ...PRIVATE, runner: inHub, cluster: { private: true, network, egress } });
    isUntouched(stack);
    assert.deepEqual(found(stack, "inside"), ALL);
  });

  it("(d) lets a runner outside in by its address, and nobody else outside", async () => {
    const runner = { outside: { addresses: ["203.0.113.7/32"] } };
    const cluster = { authorizedIpRanges: ["198.51.100.0/24"] };
    const stack = await onArm({ ...BASE, ...PRIVATE, runner, cluster });
    const [registry] = stack.cloud.arm.list("Microsoft.ContainerRegistry/registries");
    assert.ok(registry);
    assert.deepEqual([found(stack, "outside").registry, found(stack, "outside").vault], [undefined, undefined]);
    const stranger = stack.cloud.arm.unreachable(registry, { place: "outside", address: "192.0.2.1" });
    assert.match(stranger ?? "", /does not admit the client address 192\.0\.2\.1/);
    assert.equal(found(stack, "cluster").registry, undefined);
    const { authorizedIPRanges } = clusterOf(stack).apiServerAccessProfile;
    assert.deepEqual(authorizedIPRanges.slice(0, 2), ["198.51.100.0/24", "203.0.113.7/32"]);
  });
});

describe("a stack as it is shipped, in each position", () => {
  const NETWORK = { subnets: SUBNETS, zones: { ...ZONES, apiServer: "own" } };
  const positions: [what: string, runner: unknown, cluster: object][] = [
    ["(a) from the hub that it is peered with", inHub, { private: true }],
    ["(b) on subnets that are there", inHub, { private: true, network: NETWORK }],
    ["(c) with routes to the hub's firewall", inHub, { private: true, egress: { firewall: "10.50.1.4" } }],
    ["(d) from outside, with addresses", { outside: { addresses: ["203.0.113.7/32"] } }, {}],
  ];
  for (const name of ["prod", "dev"])
    for (const [what, runner, changes] of positions)
      it(`comes up in one update, and its names lead where they should: ${name} ${what}`, async () => {
        const own = shipped(name);
        const isOutside = what.startsWith("(d)");
        const shape = { ...(own.cluster as object), private: false, ...changes };
        const cluster = isOutside ? { ...shape, authorizedIpRanges: ["198.51.100.0/24"] } : shape;
        const { network, ...rest } = cluster as { network?: object };
        const stack = await onArm({
          ...own,
          ...PRIVATE,
          registry: { ...(own.registry as object), ...PRIVATE.registry },
          sops: { ...(own.sops as object), ...PRIVATE.sops },
          ...{ runner, gitToken: name === "prod" ? "token" : undefined },
          cluster: { ...rest, ...(network && { network: what.startsWith("(b)") ? NETWORK : network }) },
        });
        assert.deepEqual(found(stack, "cluster"), ALL);
        const runs = found(stack, isOutside ? "outside" : "inside");
        assert.deepEqual([runs.registry, runs.vault], [undefined, undefined]);
        const [made] = stack.cloud.arm.list("Microsoft.ContainerService/managedClusters");
        assert.ok(made);
        const host = String(made.properties.privateFQDN ?? made.properties.fqdn);
        const refusal = (place: Place, address: string) =>
          apiServerRefusal(made, { host, place, address }, stack.cloud.arm.apiServerRoute(made, place));
        assert.equal(isOutside ? refusal("outside", "203.0.113.7") : refusal("inside", "10.50.0.4"), undefined);
        assert.match(
          refusal("outside", "192.0.2.1") ?? "",
          isOutside ? /192\.0\.2\.1 is not in authorizedIPRanges/ : /the API server is private/,
        );
      });
});
