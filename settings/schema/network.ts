// The forms of subnets and private DNS zones that are there, of `aks-gitops:cluster.network`.
import { map, optional, setting, text } from "../form.ts";

const PLACE =
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-network/providers/Microsoft.Network";
const VNET = `${PLACE}/virtualNetworks/vnet-spoke`;
const ZONE = `${PLACE}/privateDnsZones`;

const GROUP = "/subscriptions/[^/]+/[rR]esource[gG]roups/[^/]+/providers/Microsoft\\.Network";

const subnetId = text(
  new RegExp(`^${GROUP}/virtualNetworks/[^/]+/subnets/[^/]+$`),
  "write its ARM id, <id of the virtual network>/subnets/<name>; " +
    "`az network vnet subnet show --resource-group GROUP --vnet-name NETWORK --name NAME --query id` tells it",
);

/** @param name what the zone's name has to match. @param words says that in words. */
const zoneId = (name: string, words: string, others = "") =>
  text(
    new RegExp(`^(${others}${GROUP}/privateDnsZones/${name})$`),
    `write the ARM id of a private DNS zone named ${words}; ` +
      "`az network private-dns zone show --resource-group GROUP --name NAME --query id` tells it",
  );

/** Subnets that are there. */
export const subnets = setting(
  optional(
    map({
      nodes: setting(subnetId, "ARM id of the nodes' subnet; delegated to nobody.", `${VNET}/subnets/snet-nodes`),
      apiServer: setting(
        optional(subnetId),
        "ARM id of a private API server's subnet: /28 or larger, delegated to Microsoft.ContainerService/managedClusters.",
        `${VNET}/subnets/snet-api-server`,
      ),
      endpoints: setting(
        optional(subnetId),
        "ARM id of the private endpoints' subnet; delegated to nobody.",
        `${VNET}/subnets/snet-endpoints`,
      ),
    }),
  ),
  "Subnets of one virtual network that is there, in the stack's region and subscription, instead of vnet, nodes, apiServer " +
    "and endpoints: nothing of it is made, changed or deleted. Others make another cluster.",
);

/** Private DNS zones that are there. */
export const zones = setting(
  optional(
    map({
      apiServer: setting(
        optional(
          zoneId(
            "([a-z0-9-]{1,32}\\.)?private\\.[a-z0-9]+\\.azmk8s\\.io",
            "[<subzone>.]private.<region>.azmk8s.io, the subzone of at most 32 characters, or own",
            "own|",
          ),
        ),
        "ARM id of a private API server's zone, or own for one that is made, <stack>.private.<region>.azmk8s.io. Default: " +
          "the private address has a public name, without a zone. Another one makes another cluster.",
        "own",
        `${ZONE}/private.westeurope.azmk8s.io`,
      ),
      registry: setting(
        optional(zoneId("privatelink\\.azurecr\\.io", "privatelink.azurecr.io")),
        "ARM id of the zone of private registries. Default: one is made.",
        `${ZONE}/privatelink.azurecr.io`,
      ),
      vault: setting(
        optional(zoneId("privatelink\\.vaultcore\\.azure\\.net", "privatelink.vaultcore.azure.net")),
        "ARM id of the zone of private vaults. Default: one is made.",
        `${ZONE}/privatelink.vaultcore.azure.net`,
      ),
    }),
  ),
  "Private DNS zones that are there, in any subscription; a network that is made is linked to them. A network asks one zone " +
    "of a name.",
);
