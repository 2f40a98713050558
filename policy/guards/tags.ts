// A guard of tags.
import { each, type Guard, type Seen, typeOf } from "../guard.ts";

/** Types that Azure takes tags of, of those that stacks such as these have; others are asked where they have tags. */
const TAGGED = [
  "gitops:index:ManagedCluster",
  "gitops:index:AgentPool",
  "azure-native:resources:ResourceGroup",
  "azure-native:containerservice:ManagedCluster",
  "azure-native:containerservice:AgentPool",
  "azure-native:containerregistry:Registry",
  "azure-native:keyvault:Vault",
  "azure-native:managedidentity:UserAssignedIdentity",
  "azure-native:operationalinsights:Workspace",
  "azure-native:network:VirtualNetwork",
  "azure-native:network:NatGateway",
  "azure-native:network:PublicIPAddress",
  "azure-native:network:PrivateEndpoint",
  "azure-native:network:NetworkSecurityGroup",
  "azure-native:storage:StorageAccount",
];

const isTagged = ({ type, props }: Seen) =>
  TAGGED.includes(typeOf(type)) || (type.startsWith("azure-native") && "tags" in props);

export const tagGuards: readonly Guard[] = [
  {
    name: "tags-are-there",
    description: "Resources have the tags that the pack's configuration lists; it lists none unless you do.",
    level: "mandatory",
    remedy: "write them under aks-gitops:tags",
    link: "https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources",
    configSchema: {
      properties: {
        tags: { type: "array", items: { type: "string" }, default: [], description: "Names of tags." },
      },
    },
    find: (seen, { config }) => {
      if (!isTagged(seen)) return [];
      const tags = (seen.props.tags ?? {}) as Readonly<Record<string, unknown>>;
      // Azure knows tags in whatever case.
      const names = Object.keys(tags).map((name) => name.toLowerCase());
      return each((config.tags ?? []) as readonly string[], (tag) =>
        names.includes(tag.toLowerCase()) ? undefined : `The tag ${tag} is missing`,
      );
    },
  },
];
