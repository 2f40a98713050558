import { check, stops } from "../check.ts";

const KEY = "aks-gitops:cluster.kubernetesVersion";

/** https://learn.microsoft.com/rest/api/aks/managed-clusters/list-kubernetes-versions */
interface Offered {
  readonly version: string;
  readonly isPreview?: boolean;
  readonly capabilities?: { readonly supportPlan?: readonly string[] };
  readonly patchVersions?: Readonly<Record<string, unknown>>;
}

export const kubernetesVersion = check({
  name: "kubernetes-version",
  about: "whether AKS offers the version of Kubernetes in the region, where the settings pin one",
  needs: ["azure", "settings"],
  find: async ({ azure, settings: { location, cluster, otherCluster } }) => {
    const { kubernetesVersion: value, sku } = cluster;
    if (value === undefined || otherCluster !== undefined) return [];
    const path = `${azure.root}/providers/Microsoft.ContainerService/locations/${location}/kubernetesVersions`;
    const { values = [] } = (await azure.read(path, "2025-09-01")) as { values?: readonly Offered[] };
    const plan = sku === "Premium" ? "AKSLongTermSupport" : "KubernetesOfficial";
    const offered = values.filter(({ isPreview }) => !isPreview);
    const fitting = offered.filter(({ capabilities }) => capabilities?.supportPlan?.includes(plan) ?? true);
    if (fitting.some((one) => offers(one, value))) return [];
    const write = `write one of ${fitting.map((one) => one.version).join(", ")}`;
    if (offered.some((one) => offers(one, value))) {
      const problem = `is offered in ${location} with long-term support alone`;
      return [stops({ key: KEY, value, problem, remedy: `${write}, or sku: Premium` })];
    }
    return [stops({ key: KEY, value, problem: `is not offered in ${location}`, remedy: write })];
  },
});

const offers = ({ version, patchVersions = {} }: Offered, asked: string) =>
  version === asked || Object.hasOwn(patchVersions, asked);
