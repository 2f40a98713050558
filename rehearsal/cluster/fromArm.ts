// What the simulated ARM says of a managed cluster, for the cluster that the rehearsal runs in its place.
import { createHash } from "node:crypto";
import type { ArmResource } from "../cloud/types.ts";
import type { ClusterOptions } from "./cluster.ts";
import type { NodeOptions } from "./nodes.ts";

interface ManagedCluster {
  readonly fqdn?: string;
  readonly privateFQDN?: string;
  readonly oidcIssuerProfile?: { readonly issuerURL?: string };
  readonly networkProfile?: { readonly serviceCidr?: string; readonly podCidr?: string };
  readonly aadProfile?: { readonly adminGroupObjectIDs?: readonly string[] };
  readonly agentPoolProfiles?: readonly (AgentPool & { readonly name: string })[];
}

interface AgentPool {
  readonly count?: number;
  readonly mode?: string;
  readonly availabilityZones?: readonly string[];
  readonly nodeLabels?: Readonly<Record<string, string>>;
  readonly nodeTaints?: readonly string[];
}

/** The options that follow from a managed cluster's properties; its pools as they are now. */
export function clusterOptionsOf(
  cluster: ArmResource,
): Pick<ClusterOptions, "issuer" | "hosts" | "services" | "pods" | "adminGroups" | "nodes"> {
  const properties: ManagedCluster = cluster.properties;
  const { serviceCidr, podCidr } = properties.networkProfile ?? {};
  return {
    // Without an issuer of its own a cluster's tokens are for itself alone.
    issuer: properties.oidcIssuerProfile?.issuerURL ?? "https://kubernetes.default.svc.cluster.local",
    hosts: [...new Set([properties.fqdn, properties.privateFQDN])].filter((host) => host !== undefined),
    ...(serviceCidr !== undefined && { services: serviceCidr }),
    ...(podCidr !== undefined && { pods: podCidr }),
    adminGroups: properties.aadProfile?.adminGroupObjectIDs ?? [],
    nodes: nodesOf(cluster),
  };
}

/** The nodes of all pools of a managed cluster, named and labelled as AKS does. */
export function nodesOf(cluster: ArmResource): NodeOptions[] {
  const { agentPoolProfiles = [] }: ManagedCluster = cluster.properties;
  // AKS' node names have a number that stays the same for a cluster.
  const hash = createHash("sha256").update(cluster.id.toLowerCase()).digest().readUInt32BE() % 90_000_000;
  return agentPoolProfiles.flatMap((pool) =>
    Array.from({ length: pool.count ?? 1 }, (_, index) => {
      const zones = pool.availabilityZones ?? [];
      const zone = zones.length === 0 ? "0" : `${cluster.location}-${zones[index % zones.length]}`;
      return {
        name: `aks-${pool.name}-${hash + 10_000_000}-vmss${index.toString(36).padStart(6, "0")}`,
        labels: {
          ...pool.nodeLabels,
          agentpool: pool.name,
          "kubernetes.azure.com/agentpool": pool.name,
          "kubernetes.azure.com/mode": (pool.mode ?? "User").toLowerCase(),
          "topology.kubernetes.io/region": cluster.location ?? "",
          "topology.kubernetes.io/zone": zone,
        },
        taints: (pool.nodeTaints ?? []).map(taint),
      };
    }),
  );
}

/** `key=value:effect` or `key:effect`. */
function taint(text: string): NonNullable<NodeOptions["taints"]>[number] {
  const [, key = "", value, effect = ""] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(text) ?? [];
  return { key, effect, ...(value !== undefined && { value }) };
}
