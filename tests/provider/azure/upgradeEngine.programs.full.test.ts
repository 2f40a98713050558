// An upgrade of Kubernetes under the real engine, in the simulated Azure Resource Manager: dev first and prod after it, with
// what the previews say before and after, the pools that follow, and what is refused.
import { strict as assert } from "node:assert";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import type { Properties } from "../../../plugin/handler.ts";
import { LOCATION, SUBSCRIPTION_ID } from "../../rehearsal/cloud/arm/cloud.ts";
import { clusterProperties, identity, NODES } from "../../rehearsal/cloud/arm/platform.ts";
import { FakeCloud } from "../../rehearsal/providers/fakeCloud.ts";
import { ENGINE_TIMEOUT, ROOT, runPulumi, succeed, writeProject } from "../../support/engine.ts";
import { SimulatedArm } from "./simulatedArm.ts";

const { agentPoolProfiles: _pools, apiServerAccessProfile: _access, ...COMMON } = clusterProperties;
const POOL = {
  type: "VirtualMachineScaleSets",
  vmSize: "Standard_D4ds_v5",
  osType: "Linux",
  osSKU: "AzureLinux",
  vnetSubnetID: NODES,
  availabilityZones: ["1", "2", "3"],
  enableAutoScaling: true,
  minCount: 2,
  maxCount: 3,
  upgradeSettings: { maxSurge: "33%", drainTimeoutInMinutes: 30 },
};

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { AgentPool } from "${ROOT}provider/sdk/agentPool.ts";
import { ManagedCluster } from "${ROOT}provider/sdk/managedCluster.ts";

const settings = new pulumi.Config();
const version = settings.require("version");
const size = settings.get("size");
const pool = ${JSON.stringify(POOL)};
const properties = ${JSON.stringify({ ...COMMON, apiServerAccessProfile: { disableRunCommand: true } })};
properties.autoUpgradeProfile.upgradeChannel = "patch";
const cluster = new ManagedCluster("aks", {
  resourceGroupId: "/subscriptions/${SUBSCRIPTION_ID}/resourceGroups/rg", name: "aks-" + pulumi.getStack(),
  location: "${LOCATION}", sku: { name: "Base", tier: "Standard" },
  identity: { type: "UserAssigned", userAssignedIdentities: ["${identity("control")}"] },
  kubernetesVersion: version, properties, systemPool: { ...pool, name: "system", mode: "System" },
});
let last = [];
for (const [name, mode] of [["system", "System"], ["apps", "User"]])
  last = [new AgentPool("aks-" + name, {
    ...pool, clusterId: cluster.id, name, mode, orchestratorVersion: version,
    ...(mode === "User" && size ? { vmSize: size } : {}),
  }, { deletedWith: cluster, dependsOn: last, protect: mode === "User" && settings.getBoolean("protect") })];
`;

describe("an upgrade of Kubernetes under the real engine", () => {
  let arm: SimulatedArm;
  let cloud: FakeCloud;
  let project: string;
  const pulumi = (...args: string[]) => succeed(project, args, cloud.env);
  const id = (stack: string) =>
    `/subscriptions/${SUBSCRIPTION_ID}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks-${stack}`;
  const runs = (stack: string) => {
    const { currentKubernetesVersion } = arm.cloud.arm.get(id(stack))?.properties ?? {};
    const pools = ["system", "apps"].map((name) => arm.cloud.arm.get(`${id(stack)}/agentPools/${name}`)?.properties);
    return [currentKubernetesVersion, ...pools.map((pool) => (pool as Properties).currentOrchestratorVersion)];
  };
  const ask = (stack: string, version: string) => pulumi("config", "set", "version", version, "--stack", stack);
  const up = (stack: string) => pulumi("up", "--yes", "--skip-preview", "--stack", stack);
  /** What was written since the last look, in order. */
  const writes = () => {
    const found = cloud.sent.filter(({ method }) => method !== "GET" && method !== "POST");
    cloud.sent.length = 0;
    return found.map(({ method, path }) => `${method} ${path.split("/").slice(-2).join("/")}`);
  };

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    arm = await SimulatedArm.create();
    const authorization = `Bearer ${arm.cloud.owner.objectId}@https://management.azure.com`;
    cloud = await FakeCloud.start((request) =>
      arm.cloud.arm.service({ ...request, headers: { ...request.headers, authorization } }),
    );
    cloud.env.ARM_SUBSCRIPTION_ID = SUBSCRIPTION_ID;
    project = await writeProject(
      cloud.engine.directory,
      "platform",
      { "index.ts": PROGRAM },
      { gitops: join(ROOT, "provider") },
    );
    for (const stack of ["dev", "prod"]) {
      await pulumi("stack", "init", stack);
      await ask(stack, "1.33");
      await up(stack);
    }
    writes();
  });

  after(() => cloud?.close());

  it("is said by the preview, then done in dev: the control plane, and pool after pool to its very patch", async () => {
    assert.deepEqual(runs("dev"), ["1.33.5", "1.33.5", "1.33.5"]);
    await pulumi("preview", "--stack", "dev", "--expect-no-changes");
    await ask("dev", "1.34");
    const preview = await pulumi("preview", "--stack", "dev");
    assert.match(preview, /Kubernetes goes from 1\.33\.5 to 1\.34 \(now 1\.34\.1\): the control plane first/);
    for (const name of ["system", "apps"])
      assert.match(
        preview,
        new RegExp(
          `the agent pool ${name} goes from 1\\.33\\.5 to 1\\.34 after the control plane: 2 nodes, 33% more of them`,
        ),
      );
    assert.match(preview, /~ 3 to update/);
    assert.deepEqual(writes(), []);
    await up("dev");
    assert.deepEqual(writes(), ["PUT managedClusters/aks-dev", "PUT agentPools/system", "PUT agentPools/apps"]);
    assert.deepEqual(runs("dev"), ["1.34.1", "1.34.1", "1.34.1"]);
    assert.deepEqual(runs("prod"), ["1.33.5", "1.33.5", "1.33.5"]);
    await pulumi("preview", "--stack", "dev", "--expect-no-changes");
    await pulumi("preview", "--stack", "dev", "--refresh", "--expect-no-changes");
  });

  it("comes to prod afterwards, and AKS's own patches are no difference there", async () => {
    Object.assign(arm.cloud.arm.get(id("prod"))?.properties ?? {}, { currentKubernetesVersion: "1.33.6" });
    await pulumi("preview", "--stack", "prod", "--refresh", "--expect-no-changes");
    await ask("prod", "1.34");
    assert.match(await pulumi("preview", "--stack", "prod"), /Kubernetes goes from 1\.33\.6 to 1\.34/);
    await up("prod");
    assert.deepEqual(runs("prod"), ["1.34.1", "1.34.1", "1.34.1"]);
    arm.cloud.arm.passTime();
    await pulumi("preview", "--stack", "prod", "--refresh", "--expect-no-changes");
  });

  it("leaves a user pool that Azure cannot change to one that is there before the old one goes", async () => {
    writes();
    const set = (key: string, value: string) => pulumi("config", "set", key, value, "--stack", "dev");
    await set("size", "Standard_D8ds_v5");
    const preview = await pulumi("preview", "--stack", "dev");
    assert.match(preview, /another agent pool, apps[0-9a-f]{4}, is made before apps goes: Azure never changes vmSize/);
    assert.match(preview, /\+-1 to replace/);
    await up("dev");
    const [made = "", gone, ...more] = writes();
    assert.match(made, /^PUT agentPools\/apps[0-9a-f]{4}$/);
    assert.deepEqual([gone, more], ["DELETE agentPools/apps", []]);
    await pulumi("preview", "--stack", "dev", "--refresh", "--expect-no-changes");
    await set("protect", "true");
    await up("dev");
    await set("size", "Standard_D16ds_v5");
    const { code, stdout, stderr } = await runPulumi(project, ["preview", "--stack", "dev"], cloud.env);
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /unable to replace resource[\s\S]*aks-apps[\s\S]*protection/);
    assert.deepEqual(writes(), []);
    await set("size", "Standard_D8ds_v5");
    await set("protect", "false");
  });

  it("is refused, before anything is written, as a jump, backwards, and where a pool has not followed", async () => {
    writes();
    const refused = async (version: string, stack = "dev") => {
      await ask(stack, version);
      const { code, stdout, stderr } = await runPulumi(project, ["preview", "--stack", stack], cloud.env);
      assert.notEqual(code, 0);
      return stdout + stderr;
    };
    assert.match(await refused("1.33"), /cannot go from 1\.34\.1 to 1\.33: AKS never goes back\. Ask for 1\.34/);
    for (const part of [id("dev"), `${id("dev")}/agentPools/apps`])
      Object.assign(arm.cloud.arm.get(part)?.properties ?? {}, {
        currentKubernetesVersion: "1.32.9",
        currentOrchestratorVersion: "1.32.9",
      });
    assert.match(
      await refused("1.34.0"),
      /from 1\.32\.9 to 1\.34\.0 at once: AKS takes one minor at a time\. Ask for 1\.33/,
    );
    const shown = arm.cloud.arm.get(id("prod"))?.properties.agentPoolProfiles as Properties[];
    Object.assign(arm.cloud.arm.get(id("prod"))?.properties ?? {}, { currentKubernetesVersion: "1.33.5" });
    for (const pool of shown) if (pool.name === "apps") pool.currentOrchestratorVersion = "1.32.9";
    assert.match(await refused("1.34.1", "prod"), /yet: the agent pool apps is still of 1\.32\.9\./);
    assert.deepEqual(writes(), []);
  });
});
