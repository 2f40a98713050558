// The private name of an API server: whose zone it stands in, and who sees it.
import type { ArmResource } from "../../types.ts";
import type { World } from "../behaviour.ts";
import { key } from "../ids.ts";
import { part } from "../validate.ts";
import { refuse } from "./clusterNetwork.ts";
import { ZONE_LINK_TYPE, zonesLinkedTo } from "./endpoints.ts";
import { networkOf } from "./network.ts";

const FIELD = "apiServerAccessProfile.privateDNSZone";

const accessOf = (body: unknown) => part(body, "properties.apiServerAccessProfile");

/** @throws ServiceError for a zone that AKS does not take, or takes for a new cluster alone. */
export function checkZone(body: Record<string, unknown>, old: ArmResource | undefined): void {
  const { enablePrivateCluster, enablePrivateClusterPublicFQDN, enableVnetIntegration, privateDNSZone } =
    accessOf(body);
  if (enablePrivateCluster !== true) return;
  if (privateDNSZone === "none" && enablePrivateClusterPublicFQDN === false)
    throw refuse(
      "InvalidParameter",
      "A private cluster with privateDNSZone none needs its public FQDN: enablePrivateClusterPublicFQDN cannot be false.",
      FIELD,
    );
  const before = old && accessOf(old).privateDNSZone;
  const zone = String(privateDNSZone);
  // A zone that a cluster was made with stays, and none is given to one that stands: `az aks update --private-dns-zone`
  // goes from system to none alone.
  const isOwn = [before, zone].some((one) => String(one).startsWith("/"));
  if (before !== undefined && isOwn && key(String(before)) !== key(zone))
    throw refuse("PropertyChangeNotAllowed", `Changing property '${FIELD}' is not allowed.`, FIELD);
  if (!zone.startsWith("/")) return;
  const start = enableVnetIntegration === true ? "private" : "privatelink";
  const form = new RegExp(`^([a-z0-9-]{1,32}\\.)?${start}\\.${body.location}\\.azmk8s\\.io$`);
  if (!form.test(zone.split("/").at(-1) ?? ""))
    throw refuse(
      "InvalidParameter",
      `The private DNS zone ${zone} must be named ${start}.${body.location}.azmk8s.io or <subzone>.${start}.${body.location}.azmk8s.io.`,
      FIELD,
    );
}

/**
 * The name of a private cluster's API server.
 * @param hash what AKS adds to the cluster's prefix.
 * @param system the zone of AKS's own.
 */
export function privateName({ properties }: ArmResource, hash: string, system: string): string {
  const zone = String(accessOf({ properties }).privateDNSZone);
  if (zone === "none") return String(properties.fqdn);
  return `${properties.dnsPrefix}-${hash}.${zone.startsWith("/") ? zone.split("/").at(-1) : system}`;
}

/** AKS links a zone that it was given to the cluster's network, where nobody did; its link is not taken back. */
export function linkZone(world: World, cluster: ArmResource): void {
  const zone = String(accessOf(cluster).privateDNSZone);
  const pools = (cluster.properties.agentPoolProfiles ?? []) as { vnetSubnetID?: string }[];
  const subnet = accessOf(cluster).subnetId ?? pools[0]?.vnetSubnetID;
  if (!zone.startsWith("/") || typeof subnet !== "string") return;
  const network = networkOf(subnet);
  if (zonesLinkedTo(world, network).some((one) => key(one.zone.id) === key(zone))) return;
  const name = `${cluster.properties.dnsPrefix}-link`;
  world.store.put({
    ...{ id: `${zone}/virtualNetworkLinks/${name}`, name, type: ZONE_LINK_TYPE, location: "global" },
    properties: {
      virtualNetwork: { id: network },
      registrationEnabled: false,
      virtualNetworkLinkState: "Completed",
      provisioningState: "Succeeded",
    },
  });
}
