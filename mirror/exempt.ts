// Images that Azure brings into a cluster by itself: nobody mirrors them, and no registry of one's own can be put in their place.

/** What Azure brings into a namespace. */
export interface Exempt {
  readonly namespace: string;
  /** Which parts, in words for a table. */
  readonly what: string;
  /** Whether every cluster of AksCluster has them; else they come with what somebody turns on there. */
  readonly isEverywhere: boolean;
  /** Why they are not mirrored. */
  readonly why: string;
}

/** Where all of them come from; nodes reach it whatever else they reach (https://learn.microsoft.com/azure/aks/outbound-rules-control-egress). */
export const MICROSOFT_REGISTRY = "mcr.microsoft.com";

const PUT_BACK = "AKS writes these objects, in the versions that fit the cluster's, and puts back what others change";

/**
 * By namespace (https://learn.microsoft.com/azure/aks/integrations, https://learn.microsoft.com/azure/azure-arc/kubernetes/conceptual-gitops-flux2).
 * The same namespaces and others are taken for charts and secrets: components/repository/taken.ts.
 */
export const EXEMPT: readonly Exempt[] = [
  {
    namespace: "kube-system",
    what:
      "Cilium and azure-cns, CoreDNS, metrics-server, konnectivity, the cloud node manager, the CSI drivers of disks and " +
      "files, workload identity's webhook, the image cleaner, Azure Policy's own pods, the agents of Defender, metrics and " +
      "cost analysis, the manager of extensions",
    isEverywhere: true,
    why: PUT_BACK,
  },
  {
    namespace: "gatekeeper-system",
    what: "Gatekeeper, which Azure Policy judges with",
    isEverywhere: true,
    why: PUT_BACK,
  },
  {
    namespace: "flux-system",
    what: "the extension microsoft.flux: Flux's controllers, `fluxconfig-agent` and `fluxconfig-controller`",
    isEverywhere: false,
    why: "the extension takes no other registry, and updates itself. A bootstrapped Flux is mirrored: its images come from the lock",
  },
  {
    namespace: "aks-command",
    what: "the pod of `az aks command invoke`",
    isEverywhere: false,
    why: "Azure makes it for one command",
  },
  {
    namespace: "app-routing-system",
    what: "the ingress controller of application routing",
    isEverywhere: false,
    why: PUT_BACK,
  },
  ...["aks-istio-system", "aks-istio-ingress", "aks-istio-egress"].map((namespace) => ({
    namespace,
    what: "Istio, as the add-on of AKS",
    isEverywhere: false,
    why: PUT_BACK,
  })),
  ...["calico-system", "tigera-operator"].map((namespace) => ({
    namespace,
    what: "Calico, as the network policy of AKS",
    isEverywhere: false,
    why: PUT_BACK,
  })),
  {
    namespace: "azure-arc",
    what: "the agents of a cluster that is connected to Azure Arc",
    isEverywhere: false,
    why: "Arc installs and updates its agents itself",
  },
];

const NAMESPACES: ReadonlySet<unknown> = new Set(EXEMPT.map(({ namespace }) => namespace));

/**
 * Whether an image of a namespace is one that Azure brings.
 * @param host the registry's, as the image names it.
 */
export function isExempt(host: string, namespace: unknown): boolean {
  return host === MICROSOFT_REGISTRY && NAMESPACES.has(namespace);
}
