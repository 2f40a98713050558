// Managed clusters: what the service fills in, creates beside them and answers.
import { createHash, randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import { type Behaviour, propertiesOf, type World, type Write } from "../behaviour.ts";
import { armError } from "../errors.ts";
import { GROUP_TYPE } from "../ids.ts";
import { CLUSTER_TYPE } from "../types/containerService.ts";
import { autoScaler } from "../types/managedCluster.ts";
import { type Body, complete, isObject, part } from "../validate.ts";
import {
  agentPoolRules,
  clusterConflict,
  derivePool,
  invalid,
  poolResource,
  ranBy,
  showPools,
  surroundingsOf,
} from "./agentPool.ts";
import { linkZone, privateName } from "./apiServerZone.ts";
import { checkCluster } from "./clusterChecks.ts";
import { newIdentity } from "./identity.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { DEFAULT_VERSION, versionAfter } from "./versions.ts";

/** A GUID that is always the same for the same text. */
function guidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

function derive({ world, id, body, old }: Write): void {
  const properties = propertiesOf(body);
  properties.kubernetesVersion ??= DEFAULT_VERSION;
  properties.nodeResourceGroup ??= `MC_${id.group}_${id.name}_${body.location}`;
  properties.nodeResourceGroupProfile ??= { restrictionLevel: "Unrestricted" };
  deriveNetwork(part(properties, "networkProfile"));
  if (isObject(properties.aadProfile)) properties.aadProfile.tenantID ??= world.tenantId;
  const access = properties.apiServerAccessProfile;
  if (isObject(access) && access.enablePrivateCluster === true) {
    access.privateDNSZone ??= "system";
    access.enablePrivateClusterPublicFQDN ??= true;
  }
  const known = (old?.properties.agentPoolProfiles ?? []) as Body[];
  const pools = (properties.agentPoolProfiles ?? known) as Body[];
  properties.agentPoolProfiles = pools.map((pool) =>
    derivedPool(
      pool,
      known.find(({ name }) => name === pool.name),
      body,
    ),
  );
  if (pools.some(({ enableAutoScaling }) => enableAutoScaling === true))
    properties.autoScalerProfile ??= complete(autoScaler, {}, undefined);
}

/** What an inline pool does not say is as it was, where the service keeps it. */
function derivedPool(pool: Body, old: Body | undefined, cluster: Body): Body {
  const derived = { ...pool };
  for (const name of ["count", "vmSize", "osDiskSizeGB", "osDiskType", "maxPods", "orchestratorVersion"])
    derived[name] ??= old?.[name];
  derivePool(derived, surroundingsOf(cluster), old?.count);
  const changed = [
    "vmSize",
    "osType",
    "osDiskType",
    "osDiskSizeGB",
    "maxPods",
    "vnetSubnetID",
    "podSubnetID",
    "type",
  ].find((name) => old !== undefined && derived[name] !== old[name]);
  if (changed !== undefined)
    throw armError(400, "PropertyChangeNotAllowed", `Changing property 'agentPoolProfile.${changed}' is not allowed.`, {
      target: `agentPoolProfile.${changed}`,
    });
  if (old !== undefined && JSON.stringify(old.availabilityZones) !== JSON.stringify(derived.availabilityZones))
    throw armError(
      400,
      "PropertyChangeNotAllowed",
      "Changing property 'agentPoolProfile.availabilityZones' is not allowed.",
      { target: "agentPoolProfile.availabilityZones" },
    );
  return derived;
}

function deriveNetwork(network: Body): void {
  if (network.networkPluginMode === "overlay" || network.networkPlugin === "kubenet")
    network.podCidr ??= "10.244.0.0/16";
  if (network.networkDataplane === "cilium" && network.networkPolicy === "none") network.networkPolicy = "cilium";
  if (network.podCidr !== undefined) network.podCidrs ??= [network.podCidr];
  network.serviceCidrs ??= [network.serviceCidr];
  if (network.outboundType === "loadBalancer")
    network.loadBalancerProfile ??= { managedOutboundIPs: { count: 1 }, backendPoolType: "NodeIPConfiguration" };
}

function accepted(resource: ArmResource, { world, old }: Write): void {
  const properties = resource.properties;
  const { location } = resource;
  const creating = old === undefined;
  const hash = guidOf(resource.id).slice(0, 8);
  Object.assign(properties, {
    provisioningState: creating ? "Creating" : "Updating",
    powerState: { code: "Running" },
    maxAgentPools: 100,
    currentKubernetesVersion: currentVersion(properties, old?.properties),
    resourceUID: properties.resourceUID ?? guidOf(`${resource.id}/${Date.now()}`).replaceAll("-", "").slice(0, 24),
    azurePortalFQDN: `${properties.dnsPrefix}-${hash}.portal.hcp.${location}.azmk8s.io`,
  });
  resource.eTag = randomUUID();
  const access = part(properties, "apiServerAccessProfile");
  // What says nothing is not told.
  if (Array.isArray(access.authorizedIPRanges) && access.authorizedIPRanges.length === 0)
    delete access.authorizedIPRanges;
  if (access.disableRunCommand === false) delete access.disableRunCommand;
  if (access.enablePrivateCluster !== true || access.enablePrivateClusterPublicFQDN === true)
    properties.fqdn = `${properties.dnsPrefix}-${hash}.hcp.${location}.azmk8s.io`;
  else delete properties.fqdn;
  if (access.enablePrivateCluster === true)
    properties.privateFQDN = privateName(
      resource,
      hash,
      `${guidOf(`${resource.id}/zone`)}.privatelink.${location}.azmk8s.io`,
    );
  const oidc = part(properties, "oidcIssuerProfile");
  if (oidc.enabled === true)
    oidc.issuerURL ??= `https://${location}.oic.prod-aks.azure.com/${world.tenantId}/${guidOf(`${resource.id}/${properties.resourceUID}`)}/`;
  linkZone(world, resource);
  nodeGroup(world, resource);
  identities(world, resource);
  pools(world, resource, creating ? "Creating" : "Updating");
}

/** Another version is there at once; the same one stays at its patch until it is upgraded. */
function currentVersion({ kubernetesVersion }: Body, old: Body | undefined): string {
  return versionAfter(String(kubernetesVersion), old && String(old.currentKubernetesVersion));
}

/** The group that AKS makes for nodes and everything that belongs to them. */
function nodeGroup(world: World, cluster: ArmResource): void {
  const name = String(cluster.properties.nodeResourceGroup);
  const id = `/subscriptions/${world.subscriptionId}/resourceGroups/${name}`;
  const found = world.store.get(id);
  if (found !== undefined && found.managedBy !== cluster.id)
    throw invalid("nodeResourceGroup", `The resource group '${name}' exists already.`);
  if (found === undefined)
    world.store.put({
      id,
      name,
      type: GROUP_TYPE,
      location: cluster.location as string,
      managedBy: cluster.id,
      properties: { provisioningState: "Succeeded" },
    });
}

function identities(world: World, cluster: ArmResource): void {
  const identity = part(cluster, "identity");
  if (identity.type === "SystemAssigned" && identity.principalId === undefined) {
    identity.principalId = newIdentity(world, cluster.name, cluster.id).objectId;
    identity.tenantId = world.tenantId;
  }
  for (const [id, value] of Object.entries(part(identity, "userAssignedIdentities"))) {
    const { principalId, clientId } = world.store.get(id)?.properties ?? {};
    Object.assign(value as Body, { principalId, clientId });
  }
  const { properties } = cluster;
  const profile = isObject(properties.identityProfile) ? properties.identityProfile : {};
  properties.identityProfile = profile;
  profile.kubeletidentity = identityOf(
    world,
    cluster,
    `${cluster.name}-agentpool`,
    part(profile, "kubeletidentity").resourceId,
  );
  for (const [name, addon] of Object.entries(part(properties, "addonProfiles")))
    if (isObject(addon) && addon.enabled === true)
      addon.identity = identityOf(world, cluster, `${name.toLowerCase()}-${cluster.name}`);
}

/** An identity of the cluster's parts: the one that was brought along, else one in the node resource group. */
function identityOf(world: World, cluster: ArmResource, name: string, brought?: unknown): Body {
  const type = "Microsoft.ManagedIdentity/userAssignedIdentities";
  const group = `/subscriptions/${world.subscriptionId}/resourceGroups/${cluster.properties.nodeResourceGroup}`;
  const resourceId = typeof brought === "string" ? brought : `${group}/providers/${type}/${name}`;
  if (world.store.get(resourceId) === undefined) {
    const { objectId, clientId } = newIdentity(world, name, resourceId);
    world.store.put({
      id: resourceId,
      name,
      type,
      location: cluster.location as string,
      properties: { tenantId: world.tenantId, principalId: objectId, clientId },
    });
  }
  const { clientId, principalId } = (world.store.get(resourceId) as ArmResource).properties;
  return { resourceId, clientId, objectId: principalId };
}

function pools(world: World, cluster: ArmResource, state: string): void {
  const given = cluster.properties.agentPoolProfiles as Body[];
  for (const pool of given) {
    const ran = ranBy(world.store.get(`${cluster.id}/agentPools/${pool.name}`));
    const version = ran ?? String(cluster.properties.currentKubernetesVersion);
    world.store.put(poolResource(cluster.id, String(pool.name), pool, state, version));
  }
  const all = world.store.below(cluster.id).filter(({ type }) => type === `${CLUSTER_TYPE}/agentPools`);
  cluster.properties.agentPoolProfiles = all.map(({ name, properties }) => ({ name, ...properties }));
}

export const clusterRules: Readonly<Record<string, Behaviour>> = {
  ...agentPoolRules,
  [CLUSTER_TYPE]: {
    conflict: clusterConflict,
    before({ world, id }) {
      const busy = world.store
        .below(id.id)
        .find((one) => world.store.busy(one.id) !== undefined && one.type === `${CLUSTER_TYPE}/agentPools`);
      if (busy !== undefined)
        throw armError(409, "OperationNotAllowed", clusterConflict({ ...id, id: busy.id }).message);
    },
    derive,
    check: checkCluster,
    accepted,
    finished(resource, world) {
      for (const pool of world.store.below(resource.id))
        if (pool.type === `${CLUSTER_TYPE}/agentPools`) pool.properties.provisioningState = "Succeeded";
      showPools(world, resource.id);
    },
    gone(resource, world) {
      const group = `/subscriptions/${world.subscriptionId}/resourceGroups/${resource.properties.nodeResourceGroup}`;
      for (const one of world.store.below(group)) {
        world.directory.remove(String(one.properties.principalId));
        world.store.remove(one.id);
      }
      world.store.remove(group);
      const own = part(resource, "identity").principalId;
      if (typeof own === "string") world.directory.remove(own);
    },
    actions: {
      async listClusterUserCredential({ resource, world }) {
        if (resource.properties.provisioningState === "Creating")
          throw armError(409, "OperationNotAllowed", clusterConflict({ id: resource.id } as never).message);
        const value = Buffer.from(await kubeconfig(resource, world)).toString("base64");
        return { status: 200, body: { kubeconfigs: [{ name: "clusterUser", value }] } };
      },
      async listClusterAdminCredential({ resource }) {
        if (resource.properties.disableLocalAccounts === true)
          throw armError(
            400,
            "BadRequest",
            "Getting static credential is not allowed because this cluster is set to disable local accounts.",
          );
        throw armError(400, "BadRequest", "The rehearsal has no static credentials.");
      },
    },
  },
  [`${CLUSTER_TYPE}/maintenanceConfigurations`]: {
    check({ id, body }) {
      const { maintenanceWindow, timeInWeek } = propertiesOf(body);
      if (
        id.name === "default"
          ? maintenanceWindow !== undefined
          : maintenanceWindow === undefined || timeInWeek !== undefined
      )
        throw invalid(
          "maintenanceConfiguration",
          `Maintenance configuration '${id.name}' must ${id.name === "default" ? "use timeInWeek and no" : "have a"} maintenanceWindow.`,
        );
      const schedules = Object.keys(part(maintenanceWindow, "schedule"));
      if (maintenanceWindow !== undefined && schedules.length !== 1)
        throw invalid(
          "maintenanceWindow.schedule",
          `Exactly one schedule type must be set, there are ${schedules.length}.`,
        );
      if (id.name === "aksManagedAutoUpgradeSchedule" && schedules[0] === "daily")
        throw invalid(
          "maintenanceWindow.schedule",
          "The schedule type 'daily' is not supported for aksManagedAutoUpgradeSchedule.",
        );
    },
    accepted(resource) {
      const window = resource.properties.maintenanceWindow;
      if (isObject(window)) window.startDate ??= new Date().toISOString().slice(0, 10);
    },
  },
};
