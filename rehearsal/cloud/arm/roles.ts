// Azure's built-in roles, as far as the product and its users need them.
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles

/** A role definition, built-in or of the organisation. Wildcards match any part of an action. */
export interface Role {
  /** The GUID of the definition. */
  readonly id: string;
  readonly name: string;
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly dataActions?: readonly string[];
  readonly notDataActions?: readonly string[];
}

const common = [
  "Microsoft.Authorization/*/read",
  "Microsoft.Insights/alertRules/*",
  "Microsoft.ResourceHealth/availabilityStatuses/read",
  "Microsoft.Resources/deployments/*",
  "Microsoft.Resources/subscriptions/resourceGroups/read",
  "Microsoft.Support/*",
];
const vaultReader = [
  ...common,
  "Microsoft.KeyVault/checkNameAvailability/read",
  "Microsoft.KeyVault/deletedVaults/read",
  "Microsoft.KeyVault/locations/*/read",
  "Microsoft.KeyVault/vaults/*/read",
  "Microsoft.KeyVault/operations/read",
];
const CLUSTER = "Microsoft.ContainerService/managedClusters";
const VAULT = "Microsoft.KeyVault/vaults";

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Kubernetes' objects that those see who only read. */
const SEEN = words(`
  apps/controllerrevisions apps/daemonsets apps/deployments apps/replicasets apps/statefulsets
  autoscaling/horizontalpodautoscalers batch/cronjobs batch/jobs configmaps discovery.k8s.io/endpointslices endpoints
  events.k8s.io/events events extensions/daemonsets extensions/deployments extensions/ingresses
  extensions/networkpolicies extensions/replicasets limitranges metrics.k8s.io/pods metrics.k8s.io/nodes namespaces
  networking.k8s.io/ingresses networking.k8s.io/networkpolicies persistentvolumeclaims pods policy/poddisruptionbudgets
  replicationcontrollers resourcequotas serviceaccounts services
`);
/** Those that others see and do not change. */
const FIXED = words(`
  apps/controllerrevisions discovery.k8s.io/endpointslices events.k8s.io/events limitranges metrics.k8s.io/pods
  metrics.k8s.io/nodes namespaces resourcequotas
`);
const REGISTRY = "Microsoft.ContainerRegistry/registries";
const IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities";

export const builtInRoles: readonly Role[] = [
  { id: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", name: "Owner", actions: ["*"] },
  {
    id: "b24988ac-6180-42a0-ab88-20f7382dd24c",
    name: "Contributor",
    actions: ["*"],
    notActions: [
      "Microsoft.Authorization/*/Delete",
      "Microsoft.Authorization/*/Write",
      "Microsoft.Authorization/elevateAccess/Action",
      "Microsoft.Blueprint/blueprintAssignments/write",
      "Microsoft.Blueprint/blueprintAssignments/delete",
      "Microsoft.Compute/galleries/share/action",
      "Microsoft.Purview/consents/write",
      "Microsoft.Purview/consents/delete",
      "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
      "Microsoft.Subscription/cancel/action",
      "Microsoft.Subscription/enable/action",
    ],
  },
  { id: "acdd72a7-3385-48ef-bd42-f606fba81ae7", name: "Reader", actions: ["*/read"] },
  {
    id: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    name: "User Access Administrator",
    actions: ["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
  },
  {
    id: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    name: "Role Based Access Control Administrator",
    actions: [
      "Microsoft.Authorization/roleAssignments/write",
      "Microsoft.Authorization/roleAssignments/delete",
      "*/read",
      "Microsoft.Support/*",
    ],
  },
  {
    id: "36243c78-bf99-498c-9df9-86d9f8d28608",
    name: "Resource Policy Contributor",
    actions: [
      "*/read",
      ...["policyassignments", "policydefinitions", "policyexemptions", "policysetdefinitions"].map(
        (kind) => `Microsoft.Authorization/${kind}/*`,
      ),
      "Microsoft.PolicyInsights/*",
      "Microsoft.Support/*",
    ],
  },
  { id: "43d0d8ad-25c7-4714-9337-8ba259a9fe05", name: "Monitoring Reader", actions: ["*/read", "Microsoft.Support/*"] },
  {
    id: "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
    name: "Virtual Machine Contributor",
    actions: [...common, "Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/virtualMachineScaleSets/*"],
  },
  {
    id: "4d97b98b-1d4f-4787-a291-c67834d212e7",
    name: "Network Contributor",
    actions: [...common, "Microsoft.Network/*"],
  },
  {
    id: "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
    name: "Private DNS Zone Contributor",
    actions: [...common, "Microsoft.Network/privateDnsZones/*", "Microsoft.Network/privateDnsOperationResults/*"],
  },
  {
    id: "f1a07417-d97a-45cb-824c-7a7467783830",
    name: "Managed Identity Operator",
    actions: [...common, `${IDENTITY}/*/read`, `${IDENTITY}/*/assign/action`],
  },
  {
    id: "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
    name: "Managed Identity Contributor",
    actions: [...common, `${IDENTITY}/read`, `${IDENTITY}/write`, `${IDENTITY}/delete`, `${IDENTITY}/*`],
  },
  { id: "7f951dda-4ed3-4680-a7ca-43fe172d538d", name: "AcrPull", actions: [`${REGISTRY}/pull/read`] },
  {
    id: "8311e382-0749-4cb8-b61a-304f252e45ec",
    name: "AcrPush",
    actions: [`${REGISTRY}/pull/read`, `${REGISTRY}/push/write`],
  },
  { id: "c2f4ef07-c644-48eb-af81-4b1b4947fb11", name: "AcrDelete", actions: [`${REGISTRY}/artifacts/delete`] },
  {
    id: "577a9874-89fd-4f24-9dbd-b5034d0ad23a",
    name: "Container Registry Data Importer and Data Reader",
    actions: [`${REGISTRY}/importImage/action`, `${REGISTRY}/pull/read`, `${REGISTRY}/read`],
  },
  {
    id: "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    name: "Key Vault Administrator",
    actions: vaultReader,
    dataActions: [`${VAULT}/*`],
  },
  {
    id: "21090545-7ca7-4776-b22c-e363652d74d2",
    name: "Key Vault Reader",
    actions: vaultReader,
    dataActions: [`${VAULT}/*/read`, `${VAULT}/secrets/readMetadata/action`],
  },
  {
    id: "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
    name: "Key Vault Crypto Officer",
    actions: vaultReader,
    dataActions: [`${VAULT}/keys/*`, `${VAULT}/keyrotationpolicies/*`],
  },
  {
    id: "12338af0-0e69-4776-bea7-57ae8d297424",
    name: "Key Vault Crypto User",
    dataActions: [
      `${VAULT}/keys/read`,
      ...["update", "backup", "encrypt", "decrypt", "wrap", "unwrap", "sign", "verify"].map(
        (operation) => `${VAULT}/keys/${operation}/action`,
      ),
    ],
  },
  {
    id: "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    name: "Key Vault Crypto Service Encryption User",
    actions: [
      "Microsoft.EventGrid/eventSubscriptions/write",
      "Microsoft.EventGrid/eventSubscriptions/read",
      "Microsoft.EventGrid/eventSubscriptions/delete",
    ],
    dataActions: [`${VAULT}/keys/read`, `${VAULT}/keys/wrap/action`, `${VAULT}/keys/unwrap/action`],
  },
  {
    id: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    name: "Key Vault Secrets Officer",
    actions: vaultReader,
    dataActions: [`${VAULT}/secrets/*`],
  },
  {
    id: "4633458b-17de-408a-b874-0445c86b69e6",
    name: "Key Vault Secrets User",
    dataActions: [`${VAULT}/secrets/getSecret/action`, `${VAULT}/secrets/readMetadata/action`],
  },
  {
    id: "f25e0fa2-a7c8-4377-a976-54943a77a395",
    name: "Key Vault Contributor",
    actions: [...common, "Microsoft.KeyVault/*"],
    notActions: [
      "Microsoft.KeyVault/locations/deletedVaults/purge/action",
      "Microsoft.KeyVault/hsmPools/*",
      "Microsoft.KeyVault/managedHsms/*",
    ],
  },
  {
    id: "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
    name: "Azure Kubernetes Service Cluster User Role",
    actions: [`${CLUSTER}/listClusterUserCredential/action`, `${CLUSTER}/read`],
  },
  {
    id: "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
    name: "Azure Kubernetes Service Cluster Admin Role",
    actions: [
      `${CLUSTER}/listClusterAdminCredential/action`,
      `${CLUSTER}/accessProfiles/listCredential/action`,
      `${CLUSTER}/read`,
      `${CLUSTER}/runcommand/action`,
    ],
  },
  {
    id: "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
    name: "Azure Kubernetes Service Contributor Role",
    actions: [
      "Microsoft.Authorization/*/read",
      "Microsoft.ContainerService/locations/*",
      `${CLUSTER}/*`,
      "Microsoft.ContainerService/managedclustersnapshots/*",
      "Microsoft.ContainerService/snapshots/*",
      "Microsoft.Insights/alertRules/*",
      "Microsoft.Resources/deployments/*",
      "Microsoft.Resources/subscriptions/resourceGroups/read",
    ],
  },
  ...(
    [
      ["b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b", "Azure Kubernetes Service RBAC Cluster Admin"],
      ["3498e952-d568-435e-9b2c-8d77e338d7f7", "Azure Kubernetes Service RBAC Admin"],
    ] as const
  ).map(([id, name]) => ({
    id,
    name,
    actions: [...common, `${CLUSTER}/listClusterUserCredential/action`],
    dataActions: [`${CLUSTER}/*`],
    ...(name.endsWith("RBAC Admin")
      ? {
          notDataActions: [
            `${CLUSTER}/resourcequotas/write`,
            `${CLUSTER}/resourcequotas/delete`,
            `${CLUSTER}/namespaces/write`,
            `${CLUSTER}/namespaces/delete`,
          ],
        }
      : {}),
  })),
  {
    id: "7f6c6a51-bcf8-42ba-9220-52d62157d7db",
    name: "Azure Kubernetes Service RBAC Reader",
    actions: common,
    dataActions: SEEN.map((kind) => `${CLUSTER}/${kind}/read`),
  },
  {
    id: "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb",
    name: "Azure Kubernetes Service RBAC Writer",
    actions: common,
    dataActions: [
      ...SEEN.map((kind) => `${CLUSTER}/${kind}/${FIXED.includes(kind) ? "read" : "*"}`),
      ...["read", "write", "delete"].map((verb) => `${CLUSTER}/coordination.k8s.io/leases/${verb}`),
      `${CLUSTER}/secrets/*`,
    ],
  },
  {
    id: "85cb6faf-e071-4c9b-8136-154b5a04f717",
    name: "Kubernetes Extension Contributor",
    actions: [
      ...common,
      ...["read", "write", "delete"].map((verb) => `Microsoft.KubernetesConfiguration/extensions/${verb}`),
      "Microsoft.KubernetesConfiguration/extensions/operations/read",
    ],
  },
  {
    id: "73c42c96-874c-492b-b04d-ab87d138a893",
    name: "Log Analytics Reader",
    actions: [
      "*/read",
      "Microsoft.OperationalInsights/workspaces/analytics/query/action",
      "Microsoft.OperationalInsights/workspaces/search/action",
      "Microsoft.Support/*",
    ],
    notActions: ["Microsoft.OperationalInsights/workspaces/sharedKeys/read"],
  },
];
