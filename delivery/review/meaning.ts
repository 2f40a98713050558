// What it means, in words, that a resource of a type is replaced or deleted.

/** What a type's replacement and deletion mean. */
export interface Meaning {
  /** What the resource is, in a word or two. */
  readonly noun: string;
  /** What its replacement means; undefined: nobody notices it. */
  readonly replaced?: Consequence;
  /** What its deletion means; undefined: nobody notices it. */
  readonly deleted?: Consequence;
  /** What is said of one that is replaced or deleted unnoticed. @default nothing */
  readonly stays?: string;
  /** Of which of them, by their inputs, nobody notices either. @default none */
  readonly unnoticed?: (inputs: Readonly<Record<string, unknown>>) => boolean;
}

export interface Consequence {
  /** How bad it is: 0 is the worst. */
  readonly rank: number;
  /** Whether something is lost that neither Git nor another update brings back. */
  readonly loses: boolean;
  readonly text: string;
}

const loses = (rank: number, text: string): Consequence => ({ rank, loses: true, text });
const notes = (text: string): Consequence => ({ rank: 100, loses: false, text });

const CLUSTER: Meaning = {
  noun: "cluster",
  replaced: loses(
    1,
    "Another cluster is made, and the old one is deleted with all that it holds: workloads, their volumes, Secrets and " +
      "objects that are not in Git, the addresses of its services and of its API server. Flux deploys anew what is in Git.",
  ),
  deleted: loses(
    1,
    "The cluster is deleted with all that it holds: workloads, their volumes, Secrets and objects that are not in Git, " +
      "the addresses of its services and of its API server.",
  ),
};

const OTHER_ADDRESS = "The cluster calls from another address: whoever admits the old one alone refuses it.";

const ZONE_LINK: Meaning = {
  noun: "link of a private DNS zone",
  deleted: notes("The zone's private names are not found from that network any more."),
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  "gitops:index:ManagedCluster": CLUSTER,
  "azure-native:containerservice:ManagedCluster": CLUSTER,
  "azure-native:keyvault:Vault": {
    noun: "vault",
    replaced: loses(
      2,
      "Another vault with another key is made. What people encrypted for the old key must be encrypted anew; until then " +
        "the old vault is kept.",
    ),
    deleted: loses(
      0,
      "What is encrypted with its key cannot be read any more, by Flux or by people, unless the vault is recovered while " +
        "Azure still keeps it.",
    ),
  },
  "gitops:index:VaultKey": {
    noun: "key",
    replaced: loses(2, "Another key is made. What people encrypted for the old one must be encrypted anew."),
    deleted: loses(
      0,
      "What is encrypted with it cannot be read any more, by Flux or by people, unless the key is recovered while Azure " +
        "still keeps it.",
    ),
  },
  "azure-native:resources:ResourceGroup": {
    noun: "resource group",
    replaced: loses(1, "Everything in it is made anew in another group, and what the old ones hold is deleted."),
    deleted: loses(0, "Azure deletes everything in it, also what this program did not make."),
  },
  "gitops:index:AgentPool": {
    noun: "node pool",
    replaced: loses(5, "Its nodes are deleted, and their pods stop. What stands on the nodes' own disks is lost."),
    deleted: loses(
      5,
      "Its nodes are drained and deleted: pods move to other pools where these have room, and what stands on the nodes' " +
        "own disks is lost.",
    ),
    // It is the cluster's own in Azure, whatever becomes of the resource.
    unnoticed: ({ mode }) => mode === "System",
  },
  "azure-native:containerregistry:Registry": {
    noun: "registry",
    replaced: loses(
      4,
      "Another registry is made and filled with the charts and images of the lock. Everything else in the old one is " +
        "lost, and whoever uses its name needs the new one.",
    ),
    deleted: loses(3, "All charts and images in it are lost: pods that start anew or move find no image."),
  },
  "gitops:index:GitCommit": {
    noun: "stack's files in Git",
    replaced: notes("The files are written to the new place first, and removed from the old one at the end."),
    deleted: loses(
      6,
      "The stack's files are removed from the repository: Flux removes from the cluster what they deployed.",
    ),
  },
  "azure-native:kubernetesconfiguration:FluxConfiguration": {
    noun: "Flux configuration",
    replaced: loses(7, "Flux removes what it deployed where pruning is on, and deploys it anew."),
    deleted: loses(6, "Flux removes from the cluster what it deployed where pruning is on, and deploys nothing more."),
  },
  "azure-native:kubernetesconfiguration:Extension": {
    noun: "Flux extension",
    replaced: loses(7, "Flux and its objects are removed from the cluster and installed anew."),
    deleted: loses(6, "Flux and its objects are removed from the cluster: nothing deploys or repairs any more."),
  },
  "gitops:index:FluxInstall": {
    noun: "Flux",
    replaced: notes("It is handed over to its successor in the same cluster, or installed in another one."),
    deleted: loses(8, "Flux is uninstalled. What it deployed stays, and nothing deploys or repairs it any more."),
  },
  "gitops:index:EncryptedSecret": {
    noun: "encrypted Secret",
    deleted: notes("Flux removes the Secret from the cluster: pods that need it do not start."),
  },
  "random:index/randomPassword:RandomPassword": {
    noun: "password",
    replaced: notes("Another password is drawn: whoever uses the old one needs the new one."),
    deleted: notes("The password is forgotten; what it opens still takes it."),
  },
  "azure-native:operationalinsights:Workspace": {
    noun: "log workspace",
    replaced: loses(9, "The logs in the old one are lost unless it is recovered within 14 days."),
    deleted: loses(9, "The logs in it are lost unless it is recovered within 14 days."),
  },
  "azure-native:network:VirtualNetwork": {
    noun: "virtual network",
    replaced: loses(5, "All that stands in it is made anew. Addresses, peerings and routes to it change."),
    deleted: loses(5, "All that stands in it goes, and its peerings and routes end."),
  },
  "azure-native:network:PublicIPAddress": {
    noun: "public address",
    replaced: loses(9, OTHER_ADDRESS),
    deleted: loses(9, "The address is given back and cannot be had again."),
  },
  "azure-native:network:NatGateway": {
    noun: "NAT gateway",
    replaced: notes("Connections from the cluster to the outside break once."),
    deleted: notes("The subnets that use it lose this way out."),
  },
  // Its public address is its own.
  "gitops:index:NatGateway": {
    noun: "NAT gateway",
    replaced: loses(9, OTHER_ADDRESS),
    deleted: loses(9, "The subnets that use it lose this way out, and its address cannot be had again."),
  },
  "azure-native:network:NetworkSecurityGroup": {
    noun: "network security group",
    deleted: notes("Its rules no longer hold."),
  },
  "azure-native:network:RouteTable": { noun: "route table", deleted: notes("Its routes no longer hold.") },
  "azure-native:network:PrivateEndpoint": {
    noun: "private endpoint",
    deleted: notes("What it leads to cannot be reached from the network any more."),
  },
  "azure-native:network:PrivateDnsZoneGroup": {
    noun: "private endpoint's DNS record",
    deleted: notes("The private endpoint's name no longer leads to it."),
  },
  "azure-native:privatedns:PrivateZone": {
    noun: "private DNS zone",
    deleted: notes("The private names in it are not found any more."),
  },
  "azure-native:privatedns:VirtualNetworkLink": ZONE_LINK,
  "gitops:index:ZoneLink": ZONE_LINK,
  "gitops:index:NetworkPeering": {
    noun: "network peering",
    deleted: notes("The two networks do not reach each other any more."),
  },
  "azure-native:managedidentity:UserAssignedIdentity": {
    noun: "identity",
    replaced: notes("What signs in as it has to sign in as the new one; rights that others gave it end."),
    deleted: notes("What signs in as it cannot any more, and all its rights end."),
  },
  "azure-native:managedidentity:FederatedIdentityCredential": {
    noun: "federated credential",
    deleted: notes("Who signs in by it cannot any more."),
  },
  "azure-native:authorization:RoleAssignment": {
    noun: "role assignment",
    deleted: notes("Who holds it may no longer do what it allows."),
  },
  "azure-native:authorization:PolicyAssignment": {
    noun: "policy assignment",
    deleted: notes("Pods that it keeps out, or tells of, are taken without a word."),
  },
  "azure-native:monitor:AzureMonitorWorkspace": {
    noun: "Azure Monitor workspace",
    replaced: loses(1, "The metrics in the old one are lost, and its queries lead nowhere."),
    deleted: loses(1, "All metrics in it are lost."),
  },
  "azure-native:monitor:DataCollectionRuleAssociation": {
    noun: "data collection rule's association",
    deleted: notes("The cluster's metrics are no longer kept."),
  },
  "azure-native:monitor:ActionGroup": {
    noun: "action group",
    deleted: notes("Nobody is told of its alerts any more."),
  },
  "azure-native:monitor:ScheduledQueryRule": {
    noun: "alert rule",
    deleted: notes("Nobody is told any more of what it looks for."),
  },
  "azure-native:alertsmanagement:PrometheusRuleGroup": {
    noun: "group of alert rules",
    deleted: notes("Nobody is told any more of what they look for."),
  },
  "azuread:index/application:Application": {
    noun: "Entra application",
    replaced: notes("It gets another client id, and the old one's credentials end."),
    deleted: notes("Who signs in as it cannot any more."),
  },
  "azuread:index/servicePrincipal:ServicePrincipal": {
    noun: "service principal",
    replaced: notes("Rights that others gave the old one end."),
    deleted: notes("Who signs in as it cannot any more, and all its rights end."),
  },
  "azuread:index/applicationPassword:ApplicationPassword": {
    noun: "application's password",
    deleted: notes("Who signs in with it cannot any more."),
  },
  "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential": {
    noun: "federated credential",
    deleted: notes("Who signs in by it cannot any more."),
  },
  "azure-native:monitor:DiagnosticSetting": {
    noun: "diagnostic setting",
    deleted: notes("Its logs are no longer kept."),
  },
  "azure-native:containerservice:MaintenanceConfiguration": {
    noun: "maintenance window",
    deleted: notes("Its upgrades may come at any time."),
  },
  "github:index/repository:Repository": {
    noun: "Git repository",
    replaced: loses(2, "The old repository is deleted with its history, issues and pull requests."),
    deleted: loses(2, "The repository is deleted with its history, issues and pull requests."),
  },
  "azuread:index/groupMember:GroupMember": {
    noun: "membership of a group",
    deleted: notes("It is no member any more, and may no longer do what the group may."),
  },
  "github:index/repositoryEnvironment:RepositoryEnvironment": {
    noun: "environment of a Git repository",
    replaced: notes("Its secrets and variables go with the old one, but for those that the program writes anew."),
    deleted: notes("Its secrets, variables and approvals go with it, and no pipeline signs in by it."),
  },
  "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy": {
    noun: "rule of an environment",
    deleted: notes("It no longer says which branches and tags may use the environment."),
  },
  "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable": {
    noun: "variable of an environment",
    deleted: notes("Pipelines that read it find nothing."),
  },
  "github:index/repositoryDeployKey:RepositoryDeployKey": {
    noun: "deploy key",
    deleted: notes("Who reads the repository with it cannot any more."),
  },
  "pulumiservice:api/deployments:Settings": {
    noun: "Pulumi Deployments' settings",
    deleted: notes("Pushes and pull requests no longer start anything for that stack."),
  },
  "pulumiservice:index:DeploymentSchedule": { noun: "schedule", deleted: notes("Nothing runs by it any more.") },
  "pulumiservice:index:DriftSchedule": { noun: "drift detection", deleted: notes("Nobody looks for drift any more.") },
  "pulumiservice:index:Webhook": { noun: "notification", deleted: notes("Nobody is told any more.") },
  "pulumiservice:index:AgentPool": {
    noun: "pool of deployment agents",
    deleted: notes("Its agents get no more work, and its token ends."),
  },
  "tls:index/privateKey:PrivateKey": { noun: "key pair", deleted: notes("The key is forgotten.") },
  "random:index/randomId:RandomId": { noun: "random name" },
  "random:index/randomString:RandomString": { noun: "random name" },
  "gitops:index:ImageImport": { noun: "image", stays: "stays in the registry" },
  "gitops:index:ChartMirror": { noun: "chart", stays: "the old one stays in the registry" },
  "gitops:index:KeyInUse": { noun: "look at who needs the key" },
  "gitops:index:AcceptedPassword": { noun: "look at which password Entra takes" },
  "gitops:index:FluxReady": { noun: "wait for Flux" },
  "gitops:index:FluxConfigurationReady": { noun: "wait for Flux" },
};

/** What a type's replacement and deletion mean. Of a type that is not known the worst is said. */
export function meaningOf(type: string): Meaning {
  return (
    MEANINGS[type] ?? {
      noun: type.split(":").at(-1) ?? type,
      replaced: loses(10, "It is made anew, and what only the old one holds is lost."),
      deleted: loses(10, "It is deleted with what it holds."),
    }
  );
}
