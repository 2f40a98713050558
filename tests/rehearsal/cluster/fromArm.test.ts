import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { clusterOptionsOf } from "../../../rehearsal/cluster/fromArm.ts";

const cluster = (properties: Record<string, unknown>) => ({
  id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c",
  name: "c",
  type: "Microsoft.ContainerService/managedClusters",
  location: "westeurope",
  properties,
});

describe("clusterOptionsOf", () => {
  it("takes names, issuer, networks and administrators from the managed cluster", () => {
    const { nodes, ...options } = clusterOptionsOf(
      cluster({
        fqdn: "c-1.hcp.westeurope.azmk8s.io",
        privateFQDN: "c-1.2.privatelink.westeurope.azmk8s.io",
        oidcIssuerProfile: { enabled: true, issuerURL: "https://issuer/" },
        networkProfile: { serviceCidr: "10.1.0.0/16", podCidr: "10.245.0.0/16" },
        aadProfile: { adminGroupObjectIDs: ["g1"] },
      }),
    );
    assert.deepEqual(options, {
      issuer: "https://issuer/",
      hosts: ["c-1.hcp.westeurope.azmk8s.io", "c-1.2.privatelink.westeurope.azmk8s.io"],
      services: "10.1.0.0/16",
      pods: "10.245.0.0/16",
      adminGroups: ["g1"],
    });
    assert.deepEqual(nodes, []);
  });

  it("makes the nodes of every pool, spread over its zones, with its labels and taints", () => {
    const { nodes = [] } = clusterOptionsOf(
      cluster({
        agentPoolProfiles: [
          {
            name: "system",
            mode: "System",
            count: 3,
            availabilityZones: ["1", "2"],
            nodeTaints: ["CriticalAddonsOnly=true:NoSchedule", "quiet:NoExecute"],
          },
          { name: "apps", count: 1, nodeLabels: { team: "a" } },
        ],
      }),
    );
    assert.deepEqual(
      nodes.map(({ name }) => name.replace(/-\d{8}-/, "-N-")),
      ["aks-system-N-vmss000000", "aks-system-N-vmss000001", "aks-system-N-vmss000002", "aks-apps-N-vmss000000"],
    );
    assert.deepEqual(
      nodes.map(({ labels }) => [labels?.["topology.kubernetes.io/zone"], labels?.["kubernetes.azure.com/mode"]]),
      [
        ["westeurope-1", "system"],
        ["westeurope-2", "system"],
        ["westeurope-1", "system"],
        ["0", "user"],
      ],
    );
    assert.deepEqual(nodes[0]?.taints, [
      { key: "CriticalAddonsOnly", value: "true", effect: "NoSchedule" },
      { key: "quiet", effect: "NoExecute" },
    ]);
    assert.equal(nodes[3]?.labels?.team, "a");
  });
});
