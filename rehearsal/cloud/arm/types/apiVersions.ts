// Which API versions Microsoft has published of the types that the simulation knows: every one of them reads, and those
// from a certain one on write, because their bodies follow the same rules.
// https://github.com/Azure/bicep-types-az, generated/index.json; the newest that azure-cli 2.91 sends

import type { TypeDefinition } from "../schema.ts";

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const GROUPS = words(`
  2015-11-01 2016-02-01 2016-07-01 2016-09-01 2017-05-10 2018-02-01 2018-05-01 2019-03-01 2019-05-01 2019-05-10
  2019-07-01 2019-08-01 2019-10-01 2020-06-01 2020-08-01 2020-10-01 2021-01-01 2021-04-01 2022-09-01 2023-07-01
  2024-03-01 2024-07-01 2024-11-01 2025-03-01 2025-04-01
`);
const AKS = words(`
  2017-08-31 2018-03-31 2018-08-01-preview 2019-02-01 2019-04-01 2019-06-01 2019-08-01 2019-10-01 2019-11-01
  2020-01-01 2020-02-01 2020-03-01 2020-04-01 2020-06-01 2020-07-01 2020-09-01 2020-11-01 2020-12-01 2021-02-01
  2021-03-01 2021-05-01 2021-07-01 2021-08-01 2021-09-01 2021-10-01 2021-11-01-preview 2022-01-01 2022-01-02-preview
  2022-02-01 2022-02-02-preview 2022-03-01 2022-03-02-preview 2022-04-01 2022-04-02-preview 2022-05-02-preview
  2022-06-01 2022-06-02-preview 2022-07-01 2022-07-02-preview 2022-08-02-preview 2022-08-03-preview 2022-09-01
  2022-09-02-preview 2022-10-02-preview 2022-11-01 2022-11-02-preview 2023-01-01 2023-01-02-preview 2023-02-01
  2023-02-02-preview 2023-03-01 2023-03-02-preview 2023-04-01 2023-04-02-preview 2023-05-01 2023-05-02-preview
  2023-06-01 2023-06-02-preview 2023-07-01 2023-07-02-preview 2023-08-01 2023-08-02-preview 2023-09-01
  2023-09-02-preview 2023-10-01 2023-10-02-preview 2023-11-01 2023-11-02-preview 2024-01-01 2024-01-02-preview
  2024-02-01 2024-02-02-preview 2024-03-02-preview 2024-04-02-preview 2024-05-01 2024-05-02-preview
  2024-06-02-preview 2024-07-01 2024-07-02-preview 2024-08-01 2024-09-01 2024-09-02-preview 2024-10-01
  2024-10-02-preview 2025-01-01 2025-01-02-preview 2025-02-01 2025-02-02-preview 2025-03-01 2025-03-02-preview
  2025-04-01 2025-04-02-preview 2025-05-01 2025-05-02-preview 2025-06-02-preview 2025-07-01 2025-07-02-preview
  2025-08-01 2025-08-02-preview 2025-09-01 2025-09-02-preview 2025-10-01 2025-10-02-preview 2026-01-01
  2026-01-02-preview 2026-02-01 2026-02-02-preview 2026-03-01 2026-03-02-preview 2026-04-01 2026-04-02-preview
  2026-05-01 2026-05-02-preview
  2026-06-01
`);
const NETWORK = words(`
  2015-05-01-preview 2015-06-15 2016-03-30 2016-06-01 2016-09-01 2016-12-01 2017-03-01 2017-03-30 2017-06-01
  2017-08-01 2017-09-01 2017-10-01 2017-11-01 2018-01-01 2018-02-01 2018-04-01 2018-06-01 2018-07-01 2018-08-01
  2018-10-01 2018-11-01 2018-12-01 2019-02-01 2019-04-01 2019-06-01 2019-07-01 2019-08-01 2019-09-01 2019-11-01
  2019-12-01 2020-03-01 2020-04-01 2020-05-01 2020-06-01 2020-07-01 2020-08-01 2020-11-01 2021-02-01 2021-03-01
  2021-05-01 2021-08-01 2022-01-01 2022-05-01 2022-07-01 2022-09-01 2022-11-01 2023-02-01 2023-04-01 2023-05-01
  2023-06-01 2023-09-01 2023-11-01 2024-01-01 2024-03-01 2024-05-01 2024-07-01 2024-10-01 2025-01-01 2025-03-01
  2025-05-01 2025-07-01 2025-09-01 2026-01-01
`);
const DNS = words(`
  2018-09-01 2020-01-01 2020-06-01 2024-06-01
`);
const REGISTRY = words(`
  2017-03-01 2017-10-01 2019-05-01 2019-12-01-preview 2020-11-01-preview 2021-06-01-preview 2021-08-01-preview
  2021-09-01 2021-12-01-preview 2022-02-01-preview 2022-12-01 2023-01-01-preview 2023-06-01-preview 2023-07-01
  2023-08-01-preview 2023-11-01-preview 2024-11-01-preview 2025-03-01-preview 2025-04-01 2025-05-01-preview
  2025-06-01-preview 2025-11-01 2026-01-01-preview 2026-03-01-preview 2026-09-01-preview
`);
const VAULT = words(`
  2015-06-01 2016-10-01 2018-02-14 2018-02-14-preview 2019-09-01 2020-04-01-preview 2021-04-01-preview
  2021-06-01-preview 2021-10-01 2021-11-01-preview 2022-02-01-preview 2022-07-01 2022-11-01 2023-02-01 2023-07-01
  2024-04-01-preview 2024-11-01 2024-12-01-preview 2025-05-01 2026-02-01 2026-03-01-preview
`);
const IDENTITY = words(`
  2015-08-31-preview 2018-11-30 2021-09-30-preview 2022-01-31-preview 2023-01-31 2023-07-31-preview 2024-11-30
  2025-01-31-preview 2025-05-31-preview
`);
const ASSIGNMENT = words(`
  2015-07-01 2017-10-01-preview 2018-01-01-preview 2018-09-01-preview 2020-03-01-preview 2020-04-01-preview
  2020-08-01-preview 2020-10-01-preview 2022-04-01
`);
const ROLE = words(`
  2015-07-01 2018-01-01-preview 2022-04-01 2022-05-01-preview
`);
const EXTENSION = words(`
  2020-07-01-preview 2021-05-01-preview 2021-09-01 2021-11-01-preview 2022-01-01-preview 2022-03-01
  2022-04-02-preview 2022-07-01 2022-11-01 2023-05-01 2024-11-01 2025-03-01
`);
const FLUX = words(`
  2021-11-01-preview 2022-01-01-preview 2022-03-01 2022-07-01 2022-11-01 2023-05-01 2024-04-01-preview 2024-11-01
  2025-04-01
`);
const WORKSPACE = words(`
  2015-11-01-preview 2020-03-01-preview 2020-08-01 2020-10-01 2021-06-01 2021-12-01-preview 2022-10-01 2023-09-01
  2025-02-01 2025-07-01 2026-03-01
`);

const COLLECTION = words(`
  2019-11-01-preview 2021-04-01 2021-09-01-preview 2022-06-01 2023-03-11 2024-03-11
`);
const ACTIONS = words(`
  2017-04-01 2018-03-01 2018-09-01 2019-03-01 2019-06-01 2021-09-01 2022-04-01 2022-06-01 2023-01-01
  2023-09-01-preview 2024-10-01-preview
`);

interface Published {
  readonly versions: readonly string[];
  /** The first version that has the type; default: the first one. */
  readonly since?: string;
  /** The first version whose bodies follow the rules of the simulation. */
  readonly writes: string;
}

const network = (since: string): Published => ({ versions: NETWORK, since, writes: "2020-11-01" });
const cluster = (since?: string): Published => ({
  versions: AKS,
  writes: "2024-02-01",
  ...(since === undefined ? {} : { since }),
});

const published: Readonly<Record<string, Published>> = {
  "Microsoft.Resources/resourceGroups": { versions: GROUPS, writes: "2015-11-01" },
  "Microsoft.ContainerService/managedClusters": cluster(),
  "Microsoft.ContainerService/managedClusters/agentPools": cluster("2019-02-01"),
  "Microsoft.ContainerService/managedClusters/maintenanceConfigurations": cluster("2020-12-01"),
  "Microsoft.Network/virtualNetworks": network("2015-06-15"),
  "Microsoft.Network/virtualNetworks/subnets": network("2016-03-30"),
  "Microsoft.Network/virtualNetworks/virtualNetworkPeerings": network("2016-06-01"),
  "Microsoft.Network/natGateways": network("2019-02-01"),
  "Microsoft.Network/publicIPAddresses": network("2015-05-01-preview"),
  "Microsoft.Network/networkSecurityGroups": network("2015-05-01-preview"),
  "Microsoft.Network/networkSecurityGroups/securityRules": network("2015-05-01-preview"),
  "Microsoft.Network/routeTables": network("2015-05-01-preview"),
  "Microsoft.Network/routeTables/routes": network("2015-05-01-preview"),
  "Microsoft.Network/networkInterfaces": network("2015-05-01-preview"),
  "Microsoft.Network/azureFirewalls": network("2018-04-01"),
  "Microsoft.Network/privateEndpoints": network("2019-04-01"),
  "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": network("2020-03-01"),
  "Microsoft.Network/privateDnsZones": { versions: DNS, writes: "2018-09-01" },
  "Microsoft.Network/privateDnsZones/A": { versions: DNS, writes: "2018-09-01" },
  "Microsoft.Network/privateDnsZones/virtualNetworkLinks": { versions: DNS, writes: "2018-09-01" },
  "Microsoft.ContainerRegistry/registries": { versions: REGISTRY, writes: "2021-08-01-preview" },
  "Microsoft.KeyVault/vaults": { versions: VAULT, writes: "2021-10-01" },
  "Microsoft.KeyVault/vaults/keys": { versions: VAULT, since: "2019-09-01", writes: "2021-10-01" },
  "Microsoft.ManagedIdentity/userAssignedIdentities": { versions: IDENTITY, writes: "2018-11-30" },
  "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": {
    versions: IDENTITY,
    since: "2022-01-31-preview",
    writes: "2022-01-31-preview",
  },
  "Microsoft.Authorization/roleAssignments": { versions: ASSIGNMENT, writes: "2018-09-01-preview" },
  "Microsoft.Authorization/roleDefinitions": { versions: ROLE, writes: "2018-01-01-preview" },
  "Microsoft.KubernetesConfiguration/extensions": { versions: EXTENSION, writes: "2022-11-01" },
  "Microsoft.KubernetesConfiguration/fluxConfigurations": { versions: FLUX, writes: "2022-11-01" },
  "Microsoft.Insights/actionGroups": { versions: ACTIONS, writes: "2021-09-01" },
  "Microsoft.Insights/dataCollectionEndpoints": { versions: COLLECTION, since: "2021-04-01", writes: "2022-06-01" },
  "Microsoft.Insights/dataCollectionRules": { versions: COLLECTION, writes: "2022-06-01" },
  "Microsoft.Insights/dataCollectionRuleAssociations": { versions: COLLECTION, writes: "2022-06-01" },
  "Microsoft.OperationalInsights/workspaces": { versions: WORKSPACE, writes: "2021-06-01" },
};

const byType = new Map(Object.entries(published).map(([type, one]) => [type.toLowerCase(), one]));

/** The versions in which a type can be read, oldest first; only its own where no more are known. */
export function readVersions({ type, version }: TypeDefinition): readonly string[] {
  const found = byType.get(type.toLowerCase());
  if (found === undefined) return [version];
  return found.versions.filter((one) => one >= (found.since ?? ""));
}

/** The versions in which a type can be written, oldest first. */
export function writeVersions(definition: TypeDefinition): readonly string[] {
  const { writes } = byType.get(definition.type.toLowerCase()) ?? { writes: "" };
  return readVersions(definition).filter((one) => one >= writes);
}
