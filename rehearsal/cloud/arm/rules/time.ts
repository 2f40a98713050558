// What Azure changes in resources by itself as time passes, whether anybody looks or not.
import { randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import type { World } from "../behaviour.ts";
import { key } from "../ids.ts";
import { CLUSTER_TYPE } from "../types/containerService.ts";
import { EXTENSION_TYPE, FLUX_CONFIGURATION_TYPE } from "../types/kubernetesConfiguration.ts";
import { WORKSPACE_TYPE } from "../types/monitor.ts";
import { SUBNET_TYPE } from "../types/network.ts";
import { type Body, isObject, part } from "../validate.ts";
import { passClusterTime } from "./clusterTime.ts";
import { ENDPOINT_TYPE, endpointsOf, ZONE_TYPE } from "./endpoints.ts";
import { networkOf, showSubnets, usersOf } from "./network.ts";

type Change = (resource: ArmResource, world: World, now: string) => void;

const list = (value: unknown): Body[] => (Array.isArray(value) ? value.filter(isObject) : []);
const etag = () => `W/"${randomUUID()}"`;

/** An update of a service's own: a new etag. */
const restamp: Change = (resource) => {
  resource.etag = etag();
};

/** Registries and vaults list the endpoints that lead to them. */
const listEndpoints: Change = (resource, world) => {
  resource.properties.privateEndpointConnections = endpointsOf(world, resource.id).map(({ id, name }) => ({
    id: `${resource.id}/privateEndpointConnections/${name}`,
    properties: { privateEndpoint: { id }, privateLinkServiceConnectionState: { status: "Approved" } },
  }));
};

const changes: Readonly<Record<string, Change>> = {
  // Its pools with it.
  [CLUSTER_TYPE]: passClusterTime,
  [SUBNET_TYPE](subnet, world) {
    subnet.etag = etag();
    const users = usersOf(world, subnet.id);
    const isJoined = users.some((id) => world.store.get(id)?.type.startsWith("Microsoft.ContainerService/"));
    for (const delegation of list(subnet.properties.delegations)) {
      delegation.etag = subnet.etag;
      if (!isJoined) continue;
      part(delegation, "properties").actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"];
      subnet.properties.serviceAssociationLinks = [{ name: "AKSServiceAssociationLink" }];
    }
    if (isJoined) subnet.properties.ipConfigurations = [{ id: `${subnet.id}/ipConfigurations/nodes` }];
    showSubnets(world, networkOf(subnet.id));
  },
  "Microsoft.Network/virtualNetworks": restamp,
  "Microsoft.Network/natGateways": restamp,
  "Microsoft.Network/publicIPAddresses"(address) {
    address.etag = etag();
    address.properties.ipTags = [{ ipTagType: "FirstPartyUsage", tag: "/NonProd" }];
  },
  "Microsoft.Network/networkSecurityGroups"(group) {
    group.etag = etag();
    for (const rule of list(group.properties.securityRules)) rule.etag = group.etag;
  },
  [ENDPOINT_TYPE](endpoint) {
    endpoint.etag = etag();
    for (const connection of list(endpoint.properties.privateLinkServiceConnections))
      part(connection, "properties").privateLinkServiceConnectionState = {
        status: "Approved",
        actionsRequired: "None",
      };
  },
  [ZONE_TYPE](zone) {
    zone.properties.numberOfRecordSets = Number(zone.properties.numberOfRecordSets) + 1;
  },
  "Microsoft.ContainerRegistry/registries"(registry, world, now) {
    for (const name of ["retentionPolicy", "softDeletePolicy"])
      part(registry, `properties.policies.${name}`).lastUpdatedTime = now;
    listEndpoints(registry, world, now);
  },
  "Microsoft.KeyVault/vaults": listEndpoints,
  [WORKSPACE_TYPE](workspace, _world, now) {
    workspace.properties.modifiedDate = now;
    part(workspace, "properties.workspaceCapping").quotaNextResetTime = now;
    part(workspace, "properties.features").searchVersion = 2;
  },
  [EXTENSION_TYPE](extension, _world, time) {
    const version = String(extension.properties.currentVersion);
    extension.properties.currentVersion = version.replace(/\d+$/, (last) => String(Number(last) + 1));
    const status = { code: "InstallationSucceeded", displayStatus: "Installed", level: "Information", time };
    extension.properties.statuses = [status];
  },
  [FLUX_CONFIGURATION_TYPE](configuration, _world, now) {
    configuration.properties.statusUpdatedAt = now;
  },
};

const byType = new Map(Object.entries(changes).map(([type, change]) => [key(type), change]));

/** Lets every service do to the resources that stand what it does by itself in time. */
export function passTime(world: World): void {
  const now = new Date(world.settings.now()).toISOString();
  for (const resource of world.store.all()) {
    const { provisioningState } = resource.properties;
    if (provisioningState === undefined || provisioningState === "Succeeded")
      byType.get(key(resource.type))?.(resource, world, now);
  }
}
