// Rules of a cluster that is not AKS: what Azure would do for one of its own.
import { NAMESPACE, own } from "../check.ts";
import { type Rule, whole } from "./rule.ts";

const LEARN = "https://learn.microsoft.com/azure";

export const otherClusterRules: readonly Rule[] = [
  {
    name: "other-cluster-stands-alone",
    subject: "other cluster",
    severity: "error",
    remedy: "remove it, or remove aks-gitops:otherCluster",
    link: "https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/",
    check: whole(({ draft: { otherCluster }, config }) =>
      otherCluster !== undefined && config[`${NAMESPACE}:cluster`] !== undefined
        ? { path: own("cluster"), problem: "says nothing beside aks-gitops:otherCluster: no AKS cluster is made" }
        : undefined,
    ),
  },
  {
    name: "other-cluster-is-bootstrapped",
    subject: "other cluster",
    severity: "error",
    remedy: "write flux.mode: bootstrap",
    link: "https://fluxcd.io/flux/installation/bootstrap/",
    check: whole(({ draft: { otherCluster, flux } }) =>
      otherCluster !== undefined && flux !== undefined && flux.mode !== "bootstrap"
        ? {
            path: own("flux", "mode"),
            value: flux.mode,
            problem: "is AKS's: the cluster of aks-gitops:otherCluster has no such extension",
          }
        : undefined,
    ),
  },
  {
    name: "other-cluster-pulls-with-a-password",
    subject: "other cluster",
    severity: "error",
    remedy: "write registry.pullPrincipal: true",
    link: `${LEARN}/container-registry/container-registry-auth-kubernetes`,
    check: whole(({ draft: { otherCluster, registry } }) =>
      otherCluster !== undefined && registry !== undefined && !registry.pullPrincipal
        ? {
            path: own("registry", "pullPrincipal"),
            value: registry.pullPrincipal,
            problem: "has to be true: the nodes of aks-gitops:otherCluster have no identity that pulls",
          }
        : undefined,
    ),
  },
  {
    name: "other-cluster-has-no-log-workspace",
    subject: "other cluster",
    severity: "error",
    remedy: "remove it, and let its owner keep the logs: az monitor diagnostic-settings create",
    link: `${LEARN}/azure-monitor/essentials/diagnostic-settings`,
    check: ({ draft: { otherCluster, registry, sops } }) =>
      Object.entries({ registry, sops }).flatMap(([section, settings]) =>
        otherCluster !== undefined && settings?.auditLogs
          ? [
              {
                path: own(section, "auditLogs"),
                value: true,
                problem: "go to the workspace of an AKS cluster, and beside aks-gitops:otherCluster none is made",
              },
            ]
          : [],
      ),
  },
  {
    name: "other-cluster-comes-by-public-addresses",
    subject: "other cluster",
    severity: "error",
    remedy: "remove it",
    link: `${LEARN}/private-link/private-endpoint-overview`,
    check: (facts) => {
      const { otherCluster, registry, runner } = facts.draft;
      if (otherCluster === undefined) return [];
      const problem = "needs a network of AKS's, and aks-gitops:otherCluster has none that the program makes";
      const vnet = typeof runner === "object" ? runner.inside?.vnet : undefined;
      return [
        ...(registry?.private ? [{ path: own("registry", "private"), value: true, problem }] : []),
        ...(vnet === undefined ? [] : [{ path: own("runner", "inside", "vnet"), value: vnet, problem }]),
      ];
    },
  },
];
