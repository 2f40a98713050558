// What the doctor says of VM sizes and quota, and of where a stack departs from what is expected.
import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "mocha";
import type { Check } from "../../../delivery/doctor/check.ts";
import { defaults } from "../../../delivery/doctor/checks/defaults.ts";
import { kubernetesVersion } from "../../../delivery/doctor/checks/kubernetesVersion.ts";
import { quota } from "../../../delivery/doctor/checks/quota.ts";
import { vmSizes } from "../../../delivery/doctor/checks/vmSizes.ts";
import { SCOPE, World, type WorldOptions } from "./world.ts";

const cluster = (pool: object) => ({
  "aks-gitops:cluster": { sku: "Free", adminGroups: ["6f1f2b6e-1111-4e0a-9c60-000000000002"], systemPool: pool },
});

describe("the doctor, of virtual machines", () => {
  let world: World;
  afterEach(() => world.close());

  const begin = async (options: WorldOptions) => {
    world = await World.create({ stack: "dev", ...options });
  };
  const finds = async (check: Check, expected: readonly object[]) =>
    assert.deepEqual(await world.findings(check), expected);
  const lists = (letter: string) =>
    `\`az vm list-skus --location westeurope --size ${letter} --all --output table\` lists others`;

  it("says that a size is not sold in the region", async () => {
    await begin({ config: cluster({ vmSize: "Standard_D4ds_v9" }) });
    await finds(vmSizes, [
      {
        severity: "error",
        key: "the pool system",
        value: "Standard_D4ds_v9",
        problem: "is of a size that is not sold in westeurope",
        remedy: `write another vmSize: ${lists("D")}`,
      },
    ]);
  });

  it("says that the subscription may not have a size in the region", async () => {
    await begin({ arm: { compute: { restricted: { Standard_D4ds_v5: "all" } } } });
    await finds(vmSizes, [
      {
        severity: "error",
        key: "the pool system",
        value: "Standard_D4ds_v5",
        problem: "is of a size that the subscription may not have in westeurope (NotAvailableForSubscription)",
        remedy: `write another vmSize (${lists("D")}), or ask Azure's support for access to the size in that region`,
      },
    ]);
  });

  it("says in which zones the subscription does not get a size", async () => {
    await begin({ stack: "prod", arm: { compute: { restricted: { Standard_D8ds_v5: ["2"] } } } });
    await finds(vmSizes, [
      {
        severity: "error",
        key: "the pool apps",
        value: ["2"],
        problem: "names zones in which the subscription does not get Standard_D8ds_v5 in westeurope",
        remedy: `write zones: ["1","3"], or another vmSize: ${lists("D")}`,
      },
    ]);
  });

  it("says that a quota has not the processors that pools begin with, by family and in the whole region", async () => {
    await begin({
      arm: {
        compute: { quotas: { standardDDSv5Family: 10, cores: 100 }, used: { standardDDSv5Family: 8, cores: 97 } },
      },
    });
    const remedy =
      "ask for a larger one (portal, Quotas, or `az quota update`), or give the pool system another vmSize or fewer nodes";
    await finds(quota, [
      {
        severity: "error",
        key: "the quota Standard DDSv5 Family vCPUs in westeurope",
        value: "8 of 10 used",
        problem: "has 2 processors left, and the pool system begins with 4",
        remedy,
      },
      {
        severity: "error",
        key: "the quota Total Regional vCPUs in westeurope",
        value: "97 of 100 used",
        problem: "has 3 processors left, and the pool system begins with 4",
        remedy,
      },
    ]);
  });

  it("warns of a quota that pools may outgrow: all their nodes, and those of an upgrade", async () => {
    // Three nodes and one more, of four processors each.
    await begin({ arm: { compute: { quotas: { standardDDSv5Family: 15 } } } });
    await finds(quota, [
      {
        severity: "warning",
        key: "the quota Standard DDSv5 Family vCPUs in westeurope",
        value: "0 of 15 used",
        problem: "has not the 16 processors that the pool system may grow to, with the nodes that an upgrade adds",
        remedy:
          "ask for a larger one (portal, Quotas, or `az quota update`), or give the pool system another vmSize or fewer nodes",
      },
    ]);
    await world.close();
    await begin({ arm: { compute: { quotas: { standardDDSv5Family: 16 } } } });
    await finds(quota, []);
    await world.close();
    // Two nodes that nobody counts but the settings, and one more.
    const fixed = cluster({ minCount: 2, enableAutoScaling: false });
    await begin({ config: fixed, arm: { compute: { quotas: { standardDDSv5Family: 12 } } } });
    await finds(quota, []);
  });

  it("takes Spot nodes from their own quota", async () => {
    const pools = [{ name: "batch", vmSize: "Standard_D8ds_v5", minCount: 2, maxCount: 3, scaleSetPriority: "Spot" }];
    await begin({
      config: { "aks-gitops:cluster": { sku: "Free", systemPool: { maxCount: 3 }, userPools: pools } },
      arm: { compute: { quotas: { lowPriorityCores: 10, standardDDSv5Family: 16, cores: 16 } } },
    });
    const found = await world.findings(quota);
    assert.deepEqual(
      found.map(({ key, problem }) => [key, problem]),
      [
        [
          "the quota Total Regional Low-priority vCPUs in westeurope",
          "has 10 processors left, and the pool batch begins with 16",
        ],
      ],
    );
  });

  it("says that a pinned version of Kubernetes is not offered, or only with long-term support", async () => {
    const pinned = (kubernetesVersion: string) => ({ "aks-gitops:cluster": { sku: "Free", kubernetesVersion } });
    const key = "aks-gitops:cluster.kubernetesVersion";
    await begin({ config: pinned("1.33") });
    await finds(kubernetesVersion, []);
    await world.write({ config: pinned("1.20") });
    await finds(kubernetesVersion, [
      {
        severity: "error",
        ...{ key, value: "1.20", problem: "is out of AKS's support" },
        remedy: "write one that is supported: 1.32, 1.33, 1.34",
      },
    ]);
    await world.write({ config: pinned("1.31.13") });
    await finds(kubernetesVersion, [
      {
        severity: "error",
        ...{ key, value: "1.31.13", problem: "is supported by AKS with long-term support alone" },
        remedy: "write one that is supported: 1.32, 1.33, 1.34; or write sku: Premium",
      },
    ]);
  });

  it("counts the nodes of a cluster that is there once", async () => {
    await begin({
      arm: { compute: { quotas: { standardDDSv5Family: 16 }, used: { standardDDSv5Family: 12 } } },
    });
    const group = `${SCOPE}/resourceGroups/aks-gitops-dev0a1b2c3d`;
    world.arm.begin([
      { id: group, name: "aks-gitops-dev0a1b2c3d", type: "Microsoft.Resources/resourceGroups", properties: {} },
      {
        id: `${group}/providers/Microsoft.ContainerService/managedClusters/aks-dev1`,
        ...{ name: "aks-dev1", type: "Microsoft.ContainerService/managedClusters", properties: {} },
      },
    ]);
    await finds(quota, []);
  });

  it("finds no departure in the shipped stacks, and says of others why each matters", async () => {
    await begin({ stack: "prod" });
    await finds(defaults, []);
    await world.close();
    await begin({
      stack: "prod",
      config: {
        "aks-gitops:cluster": {
          private: true,
          sku: "Free",
          adminGroups: [],
          systemPool: { zones: ["1", "2", "3"], minCount: 3 },
        },
      },
    });
    const found = await world.findings(defaults);
    assert.deepEqual(
      found.map(({ severity, key, problem }) => [severity, key, problem.split(":")[0]]),
      [
        ["warning", "ManagedCluster aks-prod", "departs from cluster-has-a-paid-tier"],
        ["warning", "ManagedCluster aks-prod", "departs from cluster-has-defender"],
        ["warning", "Vault kv-prod", "departs from vault-cannot-be-purged"],
      ],
    );
    const { severity, ...tier } = found[0] ?? { severity: "error" };
    assert.deepEqual(tier, {
      key: "ManagedCluster aks-prod",
      value: undefined,
      problem:
        "departs from cluster-has-a-paid-tier: The cluster is of the Free tier, which has no SLA. A cluster of production " +
        "has a control plane with an SLA and room for load; the policy pack, where it is on, refuses it",
      remedy:
        "write aks-gitops:cluster.sku: Standard, or Premium (https://learn.microsoft.com/azure/aks/free-standard-pricing-tiers)",
    });
    assert.equal(severity, "warning");
  });

  it("says by the planned cluster, which has its version beside its properties, that the version is out of support", async () => {
    await begin({ config: { "aks-gitops:cluster": { sku: "Free", kubernetesVersion: "1.33" } } });
    const found = await world.findings(defaults);
    assert.deepEqual(
      found
        .filter(({ problem }) => problem.includes("kubernetes-is-supported"))
        .map(({ key, problem }) => [key, problem.split(". ")[0]]),
      [
        [
          "ManagedCluster aks-dev",
          "departs from kubernetes-is-supported: Kubernetes 1.33 is out of support since 2026-07-31",
        ],
      ],
    );
  });
});
