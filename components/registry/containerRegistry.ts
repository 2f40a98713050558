import { Registry } from "@pulumi/azure-native/containerregistry/registry.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString.js";
import { REGISTRY } from "../defaults.ts";
import { after } from "../shared/after.ts";
import { auditLogs } from "../shared/auditLogs.ts";
import { existing, meaningless, notArmId } from "../shared/existing.ts";
import { type Fault, notObjectId, refuse, unlike } from "../shared/faults.ts";
import { newFirst } from "../shared/newFirst.ts";
import { type EndpointNetwork, notAddresses, privateAccess } from "../shared/privateEndpoint.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import { type Tags, tagFaults, tagged } from "../shared/tags.ts";
import { withDefaults } from "../shared/withDefaults.ts";
import type { PullCredentials } from "./pullCredentials.ts";
import { PullPrincipal } from "./pullPrincipal.ts";

/** What a ContainerRegistry is to be; only the resource group has no default. */
export interface ContainerRegistryArgs {
  /** Name of the resource group that everything is made in, in its region. */
  readonly resourceGroupName: pulumi.Input<string>;
  /**
   * ARM id of a registry that is there already, in any subscription of the tenant. It stays its owner's: it is neither
   * changed nor deleted, and gets nothing but private endpoint, images, charts and the roles of those who pull.
   * @default none: one is made
   */
  readonly existing?: pulumi.Input<string> | undefined;
  /** The registry's name, unique in all of Azure: 5 to 50 letters and digits. @default the component's and 8 random ones */
  readonly registryName?: string | undefined;
  /** Azure's tier; only Premium has private endpoints and zones. @default "Standard" */
  readonly sku?: "Basic" | "Standard" | "Premium" | undefined;
  /** Whether Azure spreads it over availability zones; needs Premium and a region that has them. @default false */
  readonly zoneRedundant?: boolean | undefined;
  /**
   * Where its private endpoint stands, and who else gets in then; needs Premium. Who gets in by the public address of an
   * existing registry is its owner's decision. @default none: it has a public address
   */
  readonly network?: EndpointNetwork | undefined;
  /**
   * Object id of the Entra group that imports images and pushes charts. On an existing registry its owner lets it (AcrPush,
   * and Container Registry Data Importer and Data Reader): Azure has one assignment of a group, role and registry, which
   * two stacks cannot both own.
   * @default none: whoever runs the program may do so already
   */
  readonly deployers?: pulumi.Input<string> | undefined;
  /** Object ids of the managed identities that pull, such as nodes', by a name for the assignment. @default none */
  readonly pullers?: Readonly<Record<string, pulumi.Input<string>>> | undefined;
  /** Whether a service principal that pulls is made, for what has no managed identity. @default false */
  readonly pullPrincipal?: boolean | undefined;
  /**
   * ARM id of a Log Analytics workspace that keeps who signed in, pulled, pushed and deleted. The logs of an existing
   * registry are its owner's. @default none: nothing is kept
   */
  readonly logWorkspaceId?: pulumi.Input<string> | undefined;
  /** Tags of every resource that can have them. @default none */
  readonly tags?: Tags | undefined;
}

/** The Azure Container Registry, who may pull from it, import and push into it. */
export class ContainerRegistry extends pulumi.ComponentResource {
  /** The registry's ARM id. */
  readonly registryId: pulumi.Output<string>;
  /** When Azure made it; one that was made anew under its name is empty. */
  readonly registryCreated: pulumi.Output<string>;
  /** `<name>.azurecr.io`, as soon as the registry is there. */
  readonly loginServer: pulumi.Output<string>;
  /** The login server for one who imports: arrives when the deployers may. */
  readonly importServer: pulumi.Output<string>;
  /** The login server for one who pushes: arrives when the deployers may and the data plane can be reached. */
  readonly pushServer: pulumi.Output<string>;
  /** The login server for the cluster: arrives when its nodes may pull and reach the data plane. */
  readonly pullServer: pulumi.Output<string>;
  /**
   * Where the next private endpoint stands; only where network was given. It arrives when this registry's is there, for
   * Azure refuses to write two endpoints of a subnet at a time.
   */
  readonly network?: EndpointNetwork;
  /** Credentials that pull, the password a secret; only where pullPrincipal was set. */
  readonly pullCredentials?: PullCredentials;

  /** @throws pulumi.ResourceError naming every argument that cannot work. */
  constructor(name: string, args: ContainerRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:ContainerRegistry", name, {}, opts);
    refuse(this, name, registryFaults(args));
    const registry =
      args.existing === undefined ? this.#createRegistry(name, args) : this.#existing(name, args.existing, args);
    if (args.logWorkspaceId !== undefined)
      auditLogs(
        name,
        {
          ...{ resourceUri: registry.id, workspaceId: args.logWorkspaceId },
          categories: ["ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents"],
        },
        { parent: this },
      );
    const access = this.#createAccess(name, args, registry);
    const { importers, pushers } = this.#grantDeployers(name, args, registry);
    const pullers = Object.entries(args.pullers ?? {}).map(([who, principalId]) =>
      grant(
        `${name}-${who}-pull`,
        { principalId, principalType: "ServicePrincipal", role: BUILT_IN.acrPull, scope: registry.id },
        { parent: this },
      ),
    );
    if (args.pullPrincipal ?? REGISTRY.pullPrincipal) {
      const principal = new PullPrincipal(`${name}-pull`, { registryId: registry.id }, { parent: this });
      this.pullCredentials = { username: principal.clientId, password: principal.clientSecret };
    }
    const { network } = args;
    if (network) this.network = { ...network, subnetId: after(network.subnetId, ...access) };
    this.registryId = registry.id;
    this.registryCreated = registry.creationDate;
    this.loginServer = registry.loginServer;
    this.importServer = after(registry.loginServer, ...importers, ...access);
    this.pushServer = after(registry.loginServer, ...importers, ...pushers, ...access);
    this.pullServer = after(registry.loginServer, ...pullers, ...access);
    this.registerOutputs({ registryId: this.registryId, loginServer: this.loginServer });
  }

  /** Read and never written. Where the stack has made it itself it lets go of it. */
  #existing(name: string, id: pulumi.Input<string>, { network }: ContainerRegistryArgs): Registry {
    const use = { privateEndpoint: network !== undefined, callers: network?.allowedAddresses ?? [] };
    return Registry.get(name, existing("existing", id, use, this), { parent: this });
  }

  #createRegistry(name: string, args: ContainerRegistryArgs): Registry {
    const { sku } = withDefaults(args, { sku: REGISTRY.sku });
    return new Registry(
      name,
      {
        resourceGroupName: args.resourceGroupName,
        registryName: args.registryName ?? this.#randomName(name, args),
        sku: { name: sku },
        adminUserEnabled: false,
        zoneRedundancy: args.zoneRedundant ? "Enabled" : "Disabled",
        ...publicAccess(args.network),
        // Microsoft's own services, ARM's import among them, get in although the public door is shut.
        networkRuleBypassOptions: "AzureServices",
        ...tagged(args.tags),
      },
      // Azure does not change the zones of a registry that stands:
      // https://learn.microsoft.com/azure/container-registry/zone-redundancy
      newFirst({ parent: this, replaceOnChanges: ["zoneRedundancy"] }),
    );
  }

  // Names of registries are unique in all of Azure, so a registry that takes another's place has another name.
  #randomName(
    name: string,
    { resourceGroupName, zoneRedundant = false }: ContainerRegistryArgs,
  ): pulumi.Output<string> {
    const suffix = new RandomString(
      `${name}-suffix`,
      { length: 8, upper: false, special: false },
      newFirst({ parent: this, replacementTrigger: { resourceGroupName, zoneRedundant } }),
    );
    return pulumi.interpolate`${name.replaceAll("-", "")}${suffix.result}`;
  }

  #createAccess(name: string, args: ContainerRegistryArgs, registry: Registry): pulumi.Resource[] {
    const { resourceGroupName, network, tags } = args;
    if (network === undefined) return [];
    const service = { serviceId: registry.id, groupId: "registry", zone: "privatelink.azurecr.io" };
    return privateAccess(name, { resourceGroupName, network, tags, ...service }, { parent: this });
  }

  #grantDeployers(name: string, { deployers, existing: isThere }: ContainerRegistryArgs, registry: Registry) {
    if (deployers === undefined || isThere !== undefined) return { importers: [], pushers: [] };
    const group = { principalId: deployers, principalType: "Group", scope: registry.id } as const;
    const child = { parent: this };
    return {
      importers: [grant(`${name}-deployers-import`, { ...group, role: BUILT_IN.acrImporter }, child)],
      pushers: [grant(`${name}-deployers-push`, { ...group, role: BUILT_IN.acrPush }, child)],
    };
  }
}

/** Who gets in by the public address. */
function publicAccess(network: EndpointNetwork | undefined) {
  const { allowedAddresses = [] } = network ?? {};
  if (network === undefined) return { publicNetworkAccess: "Enabled" };
  if (allowedAddresses.length === 0) return { publicNetworkAccess: "Disabled" };
  const ipRules = allowedAddresses.map((iPAddressOrRange) => ({ action: "Allow", iPAddressOrRange }));
  return { publicNetworkAccess: "Enabled", networkRuleSet: { defaultAction: "Deny", ipRules } };
}

function registryFaults({
  existing: isThere,
  registryName,
  sku,
  zoneRedundant,
  network,
  deployers,
  logWorkspaceId,
  tags,
}: ContainerRegistryArgs): Fault[] {
  // Of one that is there Azure tells the tier.
  const isPremium = sku === "Premium" || isThere !== undefined;
  const value = sku ?? REGISTRY.sku;
  return [
    ...notArmId("existing", isThere, "Microsoft.ContainerRegistry/registries"),
    ...(isThere === undefined ? [] : meaningless("existing", { registryName, sku, zoneRedundant, logWorkspaceId })),
    ...notArmId("logWorkspaceId", logWorkspaceId, "Microsoft.OperationalInsights/workspaces"),
    ...unlike(
      "registryName",
      registryName,
      /^[a-zA-Z0-9]{5,50}$/,
      "is no name of a registry",
      "give 5 to 50 letters and digits, nothing else; or leave it out for a random name",
    ),
    ...notObjectId("deployers", deployers),
    ...notAddresses(network?.allowedAddresses),
    ...tagFaults(tags),
    ...(network && !isPremium
      ? [{ argument: "sku", value, problem: "has no private endpoints", remedy: "give Premium, or leave network out" }]
      : []),
    ...(zoneRedundant && !isPremium
      ? [{ argument: "sku", value, problem: "has no zones", remedy: "give Premium, or leave zoneRedundant out" }]
      : []),
  ];
}
