import { check, stops, warns } from "../check.ts";
import { offeredIn } from "../upgrade/ahead.ts";
import { supportFault } from "../upgrade/support.ts";

const KEY = "aks-gitops:cluster.kubernetesVersion";

export const kubernetesVersion = check({
  name: "kubernetes-version",
  about: "whether AKS offers and supports the version of Kubernetes in the region, where the settings pin one",
  needs: ["azure", "settings"],
  find: async ({ azure, settings: { location, cluster, otherCluster } }) => {
    const { kubernetesVersion: value, sku } = cluster;
    if (value === undefined || otherCluster !== undefined) return [];
    const fault = supportFault(value, await offeredIn(azure, location), sku === "Premium");
    if (fault === undefined) return [];
    const { isRefused, problem, remedy } = fault;
    return [(isRefused ? stops : warns)({ key: KEY, value, problem, remedy })];
  },
});
