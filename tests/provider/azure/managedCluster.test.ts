// A cluster in the simulated Azure Resource Manager: made, changed, taken over, and quiet about what Azure does by itself.
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { PartialFailure, type Properties, type ResourceHandler, UNKNOWN } from "../../../plugin/handler.ts";
import { agentPoolIn } from "../../../provider/azure/agentPool.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { managedClusterIn } from "../../../provider/azure/managedCluster.ts";
import type { ArmResource } from "../../../rehearsal/cloud/types.ts";
import { GROUP, LOCATION } from "../../rehearsal/cloud/arm/cloud.ts";
import {
  assignment,
  clusterProperties,
  cluster as ID,
  identity,
  systemPool,
  vnet,
} from "../../rehearsal/cloud/arm/platform.ts";
import { SimulatedArm } from "./simulatedArm.ts";

const POOL = {
  ...systemPool,
  type: "VirtualMachineScaleSets",
  osType: "Linux",
  upgradeSettings: { maxSurge: "33%", drainTimeoutInMinutes: 30 },
};
const { agentPoolProfiles: _pools, apiServerAccessProfile: PRIVATE, ...COMMON } = clusterProperties;
const PUBLIC = { disableRunCommand: true, authorizedIPRanges: ["198.51.100.0/24", "203.0.113.7/32"] };
const WANTED = {
  resourceGroupId: GROUP,
  name: "prod",
  location: LOCATION,
  sku: { name: "Base", tier: "Standard" },
  identity: { type: "UserAssigned", userAssignedIdentities: [identity("control")] },
  tags: { owner: "platform" },
  properties: { ...COMMON, apiServerAccessProfile: PUBLIC },
  systemPool: POOL,
} satisfies Properties;
const OWNER = "platform/prod/aks";

type Kept = { id: string; inputs: Properties; state: Properties };

describe("ManagedCluster", () => {
  let azure: SimulatedArm;
  let handler: ResourceHandler;
  beforeEach(async () => {
    azure = await SimulatedArm.create();
    handler = managedClusterIn(azure, Array(5).fill(0));
  });

  const inAzure = () => azure.cloud.arm.get(ID) as ArmResource;
  const properties = (): Properties => inAzure().properties;
  const pool = (name: string) => azure.cloud.arm.get(`${ID}/agentPools/${name}`)?.properties as Properties;
  /** Changes the system pool where Azure tells of it: as a resource, and in the cluster. */
  const changePool = (more: Properties) => {
    const [system] = properties().agentPoolProfiles as Properties[];
    for (const one of [pool("system"), system]) Object.assign(one as object, more);
  };
  async function make(inputs: Properties = WANTED): Promise<Kept> {
    return { ...(await handler.create(inputs, azure.context)), inputs };
  }
  async function change({ id, inputs: old, state }: Kept, inputs: Properties): Promise<Kept> {
    const existing = { id, inputs: old, state };
    return { id, inputs, state: (await handler.update?.(existing, inputs, azure.context)) ?? assert.fail() };
  }
  async function refresh({ id, inputs, state }: Kept): Promise<Kept | undefined> {
    return handler.read?.(id, inputs, state, azure.context);
  }
  const diff = (kept: Kept, next: Properties) => handler.diff?.(kept, next, azure.context);
  /** A refresh shows nothing, and a preview after it neither. */
  async function isQuiet(kept: Kept, wanted: Properties = WANTED): Promise<Kept> {
    const seen = (await refresh(kept)) ?? assert.fail("it is gone");
    assert.deepEqual(seen, kept);
    const { changes, detailed } = (await diff(seen, wanted)) ?? assert.fail();
    assert.equal(changes, false, JSON.stringify(detailed));
    return seen;
  }
  /** Another pool, as the program's own resources or somebody else make it. */
  const addPool = (name: string) =>
    azure.cloud.make(`${ID}/agentPools/${name}`, {
      properties: { ...POOL, name: undefined, mode: "User", nodeTaints: [], minCount: 0, upgradeSettings: undefined },
    });
  const bodies = () => azure.writes().map(({ body }) => body);

  it("is made with its system pool, and gives the way to it without a credential", async () => {
    const { id, state } = await make();
    assert.equal(id, ID);
    const [body] = bodies();
    const { type: _, ...system } = POOL;
    assert.deepEqual(body.properties.agentPoolProfiles, [{ ...system, type: "VirtualMachineScaleSets", count: 3 }]);
    assert.deepEqual(body.tags, { owner: "platform", "aks-gitops": OWNER });
    assert.deepEqual(body.identity, { type: "UserAssigned", userAssignedIdentities: { [identity("control")]: {} } });
    assert.equal(state.name, "prod");
    assert.equal(state.oidcIssuerUrl, (properties().oidcIssuerProfile as Properties).issuerURL);
    assert.equal(state.endpoint, `https://${properties().fqdn}:443`);
    assert.match(String(state.kubeconfig), /command: kubelogin/);
    assert.doesNotMatch(JSON.stringify(state), /devicecode/);
    await isQuiet({ id, inputs: WANTED, state });
  });

  /** What Azure, or somebody beside the program, does to a cluster or its pools. */
  const happenings: [what: string, happen: () => unknown][] = [
    [
      "AKS upgrades the control plane to another patch",
      () => Object.assign(properties(), { currentKubernetesVersion: "1.33.6" }),
    ],
    [
      "AKS upgrades cluster and pools to another minor",
      () => {
        Object.assign(properties(), { kubernetesVersion: "1.34", currentKubernetesVersion: "1.34.1" });
        changePool({ orchestratorVersion: "1.34", currentOrchestratorVersion: "1.34.1" });
      },
    ],
    ["AKS brings another node image", () => changePool({ nodeImageVersion: "AKSAzureLinux-V3gen2-202512.01.0" })],
    ["the autoscaler changes the number of nodes", () => changePool({ count: 5 })],
    ["another pool is there", () => addPool("others")],
    ["the pool's limits are changed, which are another resource's", () => changePool({ maxCount: 9 })],
    ["a policy sets a tag", () => Object.assign(inAzure().tags as object, { "policy-owner": "governance" })],
    ["the cluster's tag of ownership is gone", () => delete (inAzure().tags as Record<string, string>)["aks-gitops"]],
    ["the eTag is another one", () => Object.assign(inAzure(), { eTag: "another" })],
    [
      "who wrote last is another one",
      () => Object.assign(inAzure().systemData as object, { lastModifiedBy: "somebody" }),
    ],
    ["somebody stops the cluster", () => Object.assign(properties(), { powerState: { code: "Stopped" } })],
    [
      "AKS writes what it works on",
      () => Object.assign(properties(), { provisioningState: "Upgrading", status: { errors: [] } }),
    ],
    [
      "somebody forces the next upgrade",
      () => Object.assign(properties(), { upgradeSettings: { overrideSettings: { forceUpgrade: true } } }),
    ],
    [
      "AKS fills in a profile that is new",
      () =>
        Object.assign(properties(), { schedulerProfile: { instances: {} }, hostedSystemProfile: { enabled: false } }),
    ],
    [
      "a policy switches an addon on",
      () =>
        Object.assign(properties().addonProfiles as object, {
          omsagent: { enabled: true, config: { logAnalyticsWorkspaceResourceID: "w" }, identity: { objectId: "o" } },
        }),
    ],
    [
      "AKS spells ids and choices in another way",
      () => {
        const { kubeletidentity } = properties().identityProfile as Record<string, { resourceId: string }>;
        Object.assign(kubeletidentity as object, { resourceId: identity("kubelet").toLowerCase() });
        Object.assign(properties().networkProfile as object, { outboundType: "UserAssignedNATGateway" });
        Object.assign(inAzure(), {
          identity: { type: "UserAssigned", userAssignedIdentities: { [identity("control").toLowerCase()]: {} } },
        });
      },
    ],
    [
      "AKS tells a list in another order, and an address alone",
      () =>
        Object.assign(properties().apiServerAccessProfile as object, {
          authorizedIPRanges: ["203.0.113.7", "198.51.100.0/24"],
        }),
    ],
    ["AKS no longer tells what is so anyway", () => delete (properties().aadProfile as Properties).adminGroupObjectIDs],
    [
      "AKS names the outbound addresses",
      () =>
        Object.assign(properties().networkProfile as object, {
          natGatewayProfile: { effectiveOutboundIPs: [{ id: "ip" }] },
        }),
    ],
  ];
  for (const [what, happen] of happenings)
    it(`is no difference when ${what}`, async () => {
      const kept = await make();
      await happen();
      await isQuiet(kept);
    });

  it("is no difference when all of it happens, and then sends a change that AKS takes", async () => {
    const kept = await make();
    for (const [what, happen] of happenings) if (!/stops|works on/.test(what)) await happen();
    const seen = await isQuiet(kept);
    const group = "6f1f2b6e-1111-4e0a-9c60-000000000002";
    const next = {
      ...WANTED,
      sku: { name: "Base", tier: "Premium" },
      properties: {
        ...WANTED.properties,
        supportPlan: "AKSLongTermSupport",
        autoUpgradeProfile: { upgradeChannel: "patch", nodeOSUpgradeChannel: "NodeImage" },
        aadProfile: { ...COMMON.aadProfile, adminGroupObjectIDs: [group] },
      },
    };
    assert.deepEqual(Object.keys((await diff(seen, next))?.detailed ?? {}), [
      "sku.tier",
      "properties.aadProfile.adminGroupObjectIDs[0]",
      "properties.autoUpgradeProfile.upgradeChannel",
      "properties.supportPlan",
    ]);
    azure.sent.length = 0;
    await isQuiet(await change(seen, next), next);
    const [{ properties: sent, tags }] = bodies() as [{ properties: Properties; tags: Properties }];
    const [system, ...others] = sent.agentPoolProfiles as Properties[];
    assert.deepEqual(others, []);
    const versions = Object.keys(system ?? {}).filter((name) => /version|count$/i.test(name));
    assert.deepEqual(versions, ["maxCount", "minCount"]);
    assert.deepEqual([system?.maxCount, system?.osDiskType], [9, "Ephemeral"]);
    assert.deepEqual(tags, { owner: "platform", "policy-owner": "governance", "aks-gitops": OWNER });
    assert.deepEqual(Object.keys(sent.addonProfiles as object).sort(), ["azurepolicy", "omsagent"]);
    assert.equal("kubernetesVersion" in sent, false);
    assert.deepEqual([pool("system").count, pool("others").minCount, properties().kubernetesVersion], [5, 0, "1.34"]);
  });

  it("goes through time with its pools, which are as quiet, and all of them can be changed then", async () => {
    const kept = await make();
    const pools = agentPoolIn(azure, [0, 0]);
    const wanted: Properties = { clusterId: ID, ...POOL };
    const made = { inputs: wanted, ...(await pools.create(wanted, azure.context)) };
    azure.sent.length = 0;
    for (let year = 0; year < 2; year++) azure.cloud.arm.passTime();
    assert.deepEqual([properties().kubernetesVersion, pool("system").count], ["1.34", 5]);
    await isQuiet(kept);
    assert.deepEqual(await pools.read?.(made.id, wanted, made.state, azure.context), made);
    assert.deepEqual(bodies(), []);
    await pools.update?.(made, { ...wanted, maxCount: 4 }, azure.context);
    const next = { ...WANTED, tags: { owner: "others" } };
    await isQuiet(await change(kept, next), next);
    assert.deepEqual([pool("system").maxCount, pool("system").count], [4, 4]);
    assert.deepEqual([properties().kubernetesVersion, pool("system").orchestratorVersion], ["1.34", "1.34"]);
  });

  it("shows what somebody changed of what is said here, and puts it right", async () => {
    const kept = await make();
    Object.assign(properties().autoUpgradeProfile as object, { upgradeChannel: "rapid" });
    Object.assign(inAzure().tags as object, { owner: "nobody" });
    Object.assign(properties(), { apiServerAccessProfile: undefined });
    const seen = (await refresh(kept)) ?? assert.fail();
    const { detailed = {} } = (await diff(seen, WANTED)) ?? {};
    assert.deepEqual(Object.keys(detailed), [
      "tags.owner",
      "properties.autoUpgradeProfile.upgradeChannel",
      "properties.apiServerAccessProfile.disableRunCommand",
      "properties.apiServerAccessProfile.authorizedIPRanges",
    ]);
    await isQuiet({ ...(await change(seen, WANTED)), state: kept.state }, WANTED);
  });

  it("writes nothing where Azure has it all", async () => {
    const kept = await make();
    azure.sent.length = 0;
    await change(kept, { ...WANTED, systemPool: { ...POOL, maxCount: 7 } });
    assert.deepEqual(bodies(), []);
    assert.equal((await diff(kept, { ...WANTED, systemPool: { ...POOL, maxCount: 7 } }))?.changes, false);
  });

  it("takes back what the program no longer says: tags, an addon, a list of networks", async () => {
    const addonProfiles = { azurepolicy: { enabled: true }, omsagent: { enabled: false } };
    const more = {
      ...WANTED,
      tags: { owner: "platform", old: "1" },
      properties: { ...WANTED.properties, addonProfiles },
    };
    const kept = await make(more);
    const untagged = await change(kept, { ...more, tags: WANTED.tags });
    assert.deepEqual(inAzure().tags, { owner: "platform", "aks-gitops": OWNER });
    Object.assign((properties().addonProfiles as Record<string, Properties>).omsagent as object, { enabled: true });
    const apiServerAccessProfile = { ...PUBLIC, authorizedIPRanges: [] };
    const less = { ...WANTED, properties: { ...WANTED.properties, apiServerAccessProfile } };
    await isQuiet(await change(untagged, less), less);
    assert.deepEqual(Object.keys(properties().addonProfiles as object), ["azurepolicy"]);
    assert.deepEqual(properties().apiServerAccessProfile, { disableRunCommand: true });
  });

  it("goes on with a cluster that an interrupted update left, and refuses a stranger's", async () => {
    azure.intercept = ({ method }) => {
      if (method === "POST") throw new Error("the plugin died");
    };
    await assert.rejects(make(), PartialFailure);
    azure.intercept = () => {};
    azure.sent.length = 0;
    const { id, state } = await make();
    assert.deepEqual(bodies(), []);
    assert.equal(state.endpoint, `https://${properties().fqdn}:443`);
    await isQuiet({ id, inputs: WANTED, state });
    Object.assign(inAzure().tags as object, { "aks-gitops": "platform/dev/aks" });
    await assert.rejects(
      make(),
      /prod is there already, and its tag aks-gitops is "platform\/dev\/aks", not "platform\/prod\/aks": another one made it/,
    );
    delete (inAzure().tags as Properties)["aks-gitops"];
    await assert.rejects(make(), /has no tag aks-gitops/);
    assert.deepEqual(bodies(), []);
  });

  it("waits for a cluster that is still being made, and writes one again that Azure failed to make", async () => {
    await make();
    Object.assign(properties(), { provisioningState: "Creating" });
    let looks = 0;
    azure.intercept = ({ method }) => {
      if (method === "GET" && ++looks === 3) Object.assign(properties(), { provisioningState: "Failed" });
    };
    azure.sent.length = 0;
    await make();
    assert.deepEqual(
      azure.sent.map(({ method }) => method),
      ["GET", "GET", "GET", "PUT", "POST"],
    );
    assert.deepEqual(azure.messages, Array(2).fill(`info: ${ID} is in the state Creating; trying again in 0 s`));
  });

  it("has patience while a role is not known everywhere yet, and while Azure does something else", async () => {
    const kubelet = assignment(identity("kubelet"), 2);
    const network = assignment(vnet, 1);
    const [role, networkRole] = [kubelet, network].map((one) => {
      const { principalId, principalType, roleDefinitionId } = azure.cloud.arm.get(one)?.properties ?? {};
      return { principalId, principalType, roleDefinitionId };
    });
    await azure.cloud.unmake(kubelet);
    await azure.cloud.unmake(network);
    let tries = 0;
    const { arm } = azure;
    azure.arm = () =>
      ({
        request: async (method: string, path: string, ...rest: [string, object?]) => {
          if (method === "PUT") tries++;
          if (method === "PUT" && tries === 2) await azure.cloud.make(kubelet, { properties: role });
          if (method === "PUT" && tries === 3) throw new ArmError(409, "OperationNotAllowed", "another operation");
          if (method === "PUT" && tries === 4) await azure.cloud.make(network, { properties: networkRole });
          return arm.call(azure).request(method as "PUT", path, ...rest);
        },
      }) as ReturnType<SimulatedArm["arm"]>;
    await make();
    const [kubeletRole = "", subnetRole = "", busy, ...more] = azure.messages;
    assert.match(
      kubeletRole,
      /^info: 400 CustomKubeletIdentityMissingPermissionError, as long as a new role is .*; trying again in 0 s$/,
    );
    assert.match(subnetRole, /^info: 403 LinkedAuthorizationFailed, as long as .*; trying again in 0 s$/);
    assert.deepEqual([busy, ...more], ["info: another operation; trying again in 0 s"]);
  });

  it("passes on what Azure refuses for good, and leaves nothing behind for the engine", async () => {
    const sku = { name: "Base", tier: "Free" };
    await assert.rejects(make({ ...WANTED, sku }), (error: Error) => {
      assert.ok(!(error instanceof PartialFailure));
      assert.match(error.message, /CostAnalysisNotSupportedInFreeTier/);
      return true;
    });
    const kept = await make();
    const older = { ...WANTED, properties: { ...WANTED.properties, kubernetesVersion: "1.32" } };
    await assert.rejects(change(kept, older), /400 OperationNotAllowed: Upgrading .* is not allowed/);
    assert.deepEqual(azure.messages, []);
  });

  it("is kept by the engine where an interruption may have left it, and made whole by the next update", async () => {
    const over = new AbortController();
    azure.intercept = ({ method }) => {
      if (method === "PUT") over.abort(new Error("cancelled"));
      over.signal.throwIfAborted();
    };
    const context = { ...azure.context, signal: over.signal };
    const failure = await handler.create(WANTED, context).catch((error: unknown) => error);
    assert.ok(failure instanceof PartialFailure);
    assert.equal(failure.id, ID);
    azure.intercept = () => {};
    const left = { id: ID, inputs: WANTED, state: failure.state };
    assert.deepEqual(await diff(left, WANTED), { changes: true });
    assert.equal(await refresh(left), undefined);
    // Azure had not even begun.
    const whole = await change(left, WANTED);
    assert.equal(whole.state.instance, failure.state.instance);
    await isQuiet(whole);
    // Or it had, and is at it.
    Object.assign(properties(), { provisioningState: "Creating" });
    azure.sent.length = 0;
    assert.deepEqual(await refresh(left), left);
    assert.deepEqual(await diff(left, WANTED), { changes: true });
    Object.assign(properties(), { provisioningState: "Succeeded" });
    await isQuiet(await change(left, WANTED));
    assert.deepEqual(bodies(), []);
  });

  it("says of a cluster that is gone, or going, what to do", async () => {
    const kept = await make();
    const next = { ...WANTED, sku: { name: "Base", tier: "Premium" } };
    Object.assign(properties(), { provisioningState: "Deleting" });
    await assert.rejects(change(kept, next), /prod is being deleted\. .* `pulumi up --refresh` when it is gone$/);
    Object.assign(properties(), { provisioningState: "Succeeded" });
    await handler.delete?.(kept, azure.context);
    assert.equal(azure.cloud.arm.get(ID), undefined);
    await assert.rejects(change(kept, next), /prod is not there\. .* `pulumi up --refresh`$/);
    assert.equal(await refresh(kept), undefined);
    await handler.delete?.(kept, azure.context);
  });

  it("stays where another resource has taken it over", async () => {
    const kept = await make();
    const successor = { ...kept, id: ID.toUpperCase(), state: { ...kept.state, instance: "new" } };
    await handler.delete?.(kept, azure.context, successor);
    assert.ok(inAzure());
  });

  it("is another one with another group, name or region, or with what a cluster keeps for good", async () => {
    const kept = await make();
    const replaced = async (more: Properties) => (await diff(kept, { ...WANTED, ...more }))?.replaces;
    assert.deepEqual(await replaced({ name: "prod2" }), ["name"]);
    assert.deepEqual(await replaced({ name: UNKNOWN, resourceGroupId: UNKNOWN }), ["resourceGroupId", "name"]);
    assert.deepEqual(await replaced({ location: "northeurope" }), ["location"]);
    assert.equal((await diff(kept, { ...WANTED, location: "West Europe" }))?.changes, false);
    assert.equal((await diff(kept, { ...WANTED, location: UNKNOWN }))?.changes, false);
    assert.equal((await diff(kept, { ...WANTED, resourceGroupId: GROUP.toUpperCase() }))?.changes, false);
    const networkProfile = { ...COMMON.networkProfile, serviceCidr: "10.1.0.0/16" };
    const before = { ...kept, inputs: { ...WANTED, properties: { ...COMMON, networkProfile } } };
    const after = { ...networkProfile, serviceCidr: "10.2.0.0/16" };
    const { detailed } = (await diff(before, { ...WANTED, properties: { ...COMMON, networkProfile: after } })) ?? {};
    assert.deepEqual(detailed, {
      "properties.networkProfile.serviceCidr": { kind: "update-replace", inputDiff: true },
    });
  });

  it("refuses to become what it cannot, with both values and a way", async () => {
    const kept = await make();
    const networkProfile = { ...COMMON.networkProfile, serviceCidr: "10.1.0.0/16" };
    const next = { ...WANTED, properties: { ...WANTED.properties, networkProfile } };
    azure.sent.length = 0;
    await assert.rejects(
      change(kept, next),
      /cannot change this of .*prod: networkProfile\.serviceCidr is "10\.0\.0\.0\/16", not "10\.1\.0\.0\/16"\. Take the old/,
    );
    assert.deepEqual(bodies(), []);
  });

  it("goes on with a state of azure-native's own resource, whatever the cluster is called, and writes nothing", async () => {
    const { inputs } = await make();
    const { resourceGroupId: _, name: __, properties: wanted, systemPool, ...rest } = inputs;
    const flat = { ...rest, ...(wanted as object), resourceGroupName: "rg", agentPoolProfiles: [systemPool] };
    const old = { id: ID, inputs: flat, state: { ...flat, fqdn: properties().fqdn, azureApiVersion: "2025-09-01" } };
    const next = { ...WANTED, name: "aks-1a2b3c4d" };
    assert.deepEqual(await diff(old, next), { changes: true });
    assert.equal((await handler.preview?.(next, old, azure.context))?.name, "prod");
    azure.sent.length = 0;
    const moved = await change(old, next);
    assert.deepEqual(bodies(), []);
    assert.equal(moved.state.name, "prod");
    await isQuiet(moved, next);
  });

  it("is imported into a stack by its id", async () => {
    await make();
    const found = await handler.read?.(ID, {}, {}, azure.context);
    assert.deepEqual(found?.inputs, {
      resourceGroupId: GROUP,
      name: "prod",
      location: LOCATION,
      sku: WANTED.sku,
      identity: { type: "UserAssigned" },
      properties: {},
      systemPool: {},
    });
    assert.equal(found?.state.endpoint, `https://${properties().fqdn}:443`);
    await assert.rejects(
      async () => handler.read?.(`${ID}/agentPools/system`, {}, {}, azure.context),
      /is not the ARM id/,
    );
  });

  it("has a group of its own for what AKS makes where the name of that would be too long", async () => {
    const name = "a".repeat(60);
    await make({ ...WANTED, name });
    const made = azure.cloud.arm.get(ID.replace(/prod$/, name))?.properties;
    assert.equal(made?.nodeResourceGroup, `MC_${name}`);
    azure.sent.length = 0;
    await make();
    assert.equal("nodeResourceGroup" in bodies()[0].properties, false);
  });

  it("says in the preview that node provisioning takes two updates while a pool has the autoscaler", async () => {
    const kept = await make();
    await addPool("apps");
    const next = { ...WANTED, properties: { ...WANTED.properties, nodeProvisioningProfile: { mode: "Auto" } } };
    const twice =
      /nodeProvisioning Auto of \S+prod takes two updates: .* counts the nodes of system, apps\. First leave nodeProvisioning out/;
    const preview = async (inputs: Properties) => handler.preview?.(inputs, kept, azure.context);
    azure.sent.length = 0;
    await assert.rejects(preview(next), twice);
    await assert.rejects(change(kept, next), twice);
    assert.deepEqual(bodies(), []);

    const pools = properties().agentPoolProfiles as Properties[];
    for (const one of [...pools, pool("system"), pool("apps")])
      Object.assign(one, { enableAutoScaling: false, minCount: undefined, maxCount: undefined });
    await preview(next);
    await isQuiet(await change(kept, next), next);
    assert.deepEqual((properties().nodeProvisioningProfile as Properties).mode, "Auto");
  });

  describe("of a version that is said", () => {
    const of = (kubernetesVersion: string) => ({ ...WANTED, kubernetesVersion });
    const versions = () => [properties().kubernetesVersion, properties().currentKubernetesVersion];
    const preview = async (kept: Kept, kubernetesVersion: string) => {
      azure.messages.length = 0;
      await handler.preview?.(of(kubernetesVersion), kept, azure.context);
      return azure.messages;
    };
    const refusal = (kept: Kept, kubernetesVersion: string, pattern: RegExp) =>
      Promise.all([
        assert.rejects(preview(kept, kubernetesVersion), pattern),
        assert.rejects(change(kept, of(kubernetesVersion)), pattern),
      ]);

    it("is made of it, and left to AKS's patches: neither a refresh nor a later write says it again", async () => {
      const kept = await make(of("1.33"));
      assert.deepEqual(versions(), ["1.33", "1.33.5"]);
      Object.assign(properties(), { kubernetesVersion: "1.33.6", currentKubernetesVersion: "1.33.6" });
      await isQuiet(kept, of("1.33"));
      azure.sent.length = 0;
      const next = { ...of("1.33"), tags: { owner: "others" } };
      await isQuiet(await change(kept, next), next);
      assert.equal("kubernetesVersion" in bodies()[0].properties, false);
      assert.deepEqual(versions(), ["1.33.6", "1.33.6"]);
    });

    it("goes to the next minor, which the preview tells: the control plane, and no pool", async () => {
      const kept = await make(of("1.33"));
      await addPool("apps");
      assert.deepEqual(await preview(kept, "1.34"), [
        "info: Kubernetes goes from 1.33.5 to 1.34 (now 1.34.1): the control plane first, while the pods run on; then " +
          "the agent pools, one after the other, node by node",
      ]);
      assert.deepEqual((await diff(kept, of("1.34")))?.detailed, {
        kubernetesVersion: { kind: "update", inputDiff: true },
      });
      azure.sent.length = 0;
      const upgraded = await change(kept, of("1.34"));
      const [{ properties: sent }] = bodies() as [{ properties: Properties }];
      assert.equal(sent.kubernetesVersion, "1.34");
      assert.deepEqual(
        (sent.agentPoolProfiles as Properties[]).map(({ name, orchestratorVersion }) => [name, orchestratorVersion]),
        [["system", undefined]],
      );
      assert.deepEqual(versions(), ["1.34", "1.34.1"]);
      assert.deepEqual(
        [pool("system"), pool("apps")].map((one) => one.currentOrchestratorVersion),
        ["1.33.5", "1.33.5"],
      );
      await isQuiet(upgraded, of("1.34"));
      // What was interrupted after it has nothing left to do.
      azure.sent.length = 0;
      await change(kept, of("1.34"));
      assert.deepEqual(bodies(), []);
    });

    it("goes to another patch, and is shown where AKS or somebody went beyond it", async () => {
      const kept = await make(of("1.33.4"));
      const patched = await change(kept, of("1.33.5"));
      assert.deepEqual(versions(), ["1.33.5", "1.33.5"]);
      await isQuiet(patched, of("1.33.5"));
      // The minor alone is what it has.
      assert.deepEqual(await preview(patched, "1.33"), ["info: Kubernetes stays at 1.33.5, which is 1.33"]);
      Object.assign(properties(), { kubernetesVersion: "1.34", currentKubernetesVersion: "1.34.0" });
      assert.equal((await refresh(patched))?.inputs.kubernetesVersion, "1.34.0");
      assert.equal((await refresh({ ...patched, inputs: of("1.33") }))?.inputs.kubernetesVersion, "1.34");
    });

    it("is refused where AKS would refuse it, in the preview too, with both versions and what to do", async () => {
      const kept = await make(of("1.32"));
      await refusal(
        kept,
        "1.34",
        /^Error: Kubernetes of \S+prod cannot go from 1\.32\.9 to 1\.34 at once: AKS takes one minor at a time\. Ask for 1\.33 first, and for 1\.34 when all agent pools have followed$/,
      );
      await refusal(kept, "1.31", /from 1\.32\.9 to 1\.31: AKS never goes back\. Ask for 1\.32, which it has; /);
      await refusal(kept, "1.32.8", /from 1\.32\.9 to 1\.32\.8: AKS never goes back\./);
      await refusal(
        kept,
        "1.33.99",
        /to 1\.33\.99: AKS does not offer 1\.33\.99 in westeurope\. Ask for one that it offers: 1\.33\.4, 1\.33\.5 \(az aks get-versions --location westeurope\)/,
      );
      const after = await change(kept, of("1.33"));
      await refusal(
        after,
        "1.34",
        /yet: the agent pool system is still of 1\.32\.9\. Ask for 1\.33 and run `pulumi up`, .* az aks nodepool upgrade --kubernetes-version 1\.33\.5$/,
      );
      assert.deepEqual(versions(), ["1.33", "1.33.5"]);
    });

    it("is previewed by one who may not look, too, with a warning", async () => {
      const kept = await make(of("1.33"));
      azure.intercept = () => {
        throw new ArmError(403, "AuthorizationFailed", "GET: 403 AuthorizationFailed");
      };
      assert.deepEqual(await preview(kept, "1.34"), [
        "warning: what becomes of Kubernetes 1.34 is not known, as whoever runs this may not look: GET: 403 AuthorizationFailed",
      ]);
      azure.intercept = () => {
        throw new ArmError(500, "InternalServerError", "broken");
      };
      await assert.rejects(preview(kept, "1.34"), /broken/);
    });

    it("may jump where AKS offers the minor between no more, and AKS has the last word", async () => {
      const kept = await make(of("1.32"));
      Object.assign(properties(), { currentKubernetesVersion: "1.29.9" });
      changePool({ currentOrchestratorVersion: "1.29.9" });
      assert.match(String(await preview(kept, "1.31")), /Kubernetes goes from 1\.29\.9 to 1\.31 \(now 1\.31\.13\)/);
    });

    it("is a version", async () => {
      for (const wrong of ["1", "2.0", "v1.33", "1.33.", "1.033"]) {
        const checked = await handler.check?.(of(wrong), undefined, azure.context, new Uint8Array());
        assert.match(String(checked?.failures?.[0]?.reason), /is not a version of Kubernetes: a minor such as 1\.34/);
      }
    });
  });

  it("is private as well, and names the faults of its inputs", async () => {
    const inputs = { ...WANTED, properties: { ...COMMON, apiServerAccessProfile: PRIVATE } };
    const { id, state } = await make(inputs);
    await isQuiet({ id, inputs, state }, inputs);
    const wrong = { ...inputs, resourceGroupId: "rg", name: "-", sku: "Standard", properties: 1, count: 3 };
    const checked = await handler.check?.(wrong, undefined, azure.context, new Uint8Array());
    const failures = checked?.failures ?? [];
    assert.deepEqual(
      failures.map(({ property, reason }) => property || reason),
      ["count", "resourceGroupId", "name", "sku", "properties is not an object"],
    );
  });
});
