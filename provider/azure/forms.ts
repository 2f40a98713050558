// Forms of what Azure gives names to, as resources' inputs.

import { ARM_GROUP, armIdPattern, armIdWords } from "../../net/armId.ts";
import { matching } from "../../plugin/schema.ts";

const armId = (type: string) =>
  matching(new RegExp(armIdPattern(type), "i"), `the ARM id of a resource: ${armIdWords(type)}`);

export const resourceGroupId = matching(
  new RegExp(`^${ARM_GROUP}$`, "i"),
  "the ARM id of a resource group: /subscriptions/<id>/resourceGroups/<name>",
);
export const registryId = armId("Microsoft.ContainerRegistry/registries");
export const clusterId = armId("Microsoft.ContainerService/managedClusters");
export const networkId = armId("Microsoft.Network/virtualNetworks");
export const zoneId = armId("Microsoft.Network/privateDnsZones");
export const vaultId = armId("Microsoft.KeyVault/vaults");

/** An Azure container registry's login server, without scheme. */
export const loginServer = matching(
  /^[a-z0-9]+(-[a-z0-9]+)*\.azurecr\.(io|cn|us)$/,
  "the login server of an Azure container registry, in lower case and without https://: <name>.azurecr.io",
);
