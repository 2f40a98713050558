import { Registry } from "@pulumi/azure-native/containerregistry/registry.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString.js";
import type { RegistrySettings } from "../../settings/settings.ts";
import type { PullCredentials } from "../flux/repositoryContent.ts";
import { after } from "../shared/after.ts";
import { type EndpointNetwork, privateAccess } from "../shared/privateEndpoint.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import { PullPrincipal } from "./pullPrincipal.ts";

export interface ContainerRegistryArgs {
  readonly resourceGroupName: pulumi.Input<string>;
  readonly settings: RegistrySettings;
  /** Object id of the group that imports images and pushes charts. */
  readonly deployers: string;
  /** Object ids of the managed identities that pull, by a name for the assignment; those of nodes. */
  readonly pullers: Readonly<Record<string, pulumi.Input<string>>>;
  /** The network of the private endpoint; needed when the registry is private. */
  readonly network: EndpointNetwork;
}

/** The Azure Container Registry, who may pull from it, import and push into it. */
export class ContainerRegistry extends pulumi.ComponentResource {
  /** The registry's ARM id. */
  readonly registryId: pulumi.Output<string>;
  /** `<name>.azurecr.io`, as soon as the registry is there. */
  readonly loginServer: pulumi.Output<string>;
  /** The login server for one who imports: arrives when the deployers may. */
  readonly importServer: pulumi.Output<string>;
  /** The login server for one who pushes: arrives when the deployers may and the data plane can be reached. */
  readonly pushServer: pulumi.Output<string>;
  /** The login server for the cluster: arrives when its nodes may pull and reach the data plane. */
  readonly pullServer: pulumi.Output<string>;
  /** Credentials that pull; only where the settings ask for them. */
  readonly pullCredentials?: PullCredentials;

  constructor(name: string, args: ContainerRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:ContainerRegistry", name, {}, opts);
    const child = { parent: this };
    const registry = this.createRegistry(name, args);
    const access = args.settings.private
      ? privateAccess(
          name,
          {
            resourceGroupName: args.resourceGroupName,
            network: args.network,
            serviceId: registry.id,
            groupId: "registry",
            zone: "privatelink.azurecr.io",
          },
          child,
        )
      : [];
    const deployers = { principalId: args.deployers, principalType: "Group", scope: registry.id } as const;
    const importer = grant(`${name}-deployers-import`, { ...deployers, role: BUILT_IN.acrImporter }, child);
    const pusher = grant(`${name}-deployers-push`, { ...deployers, role: BUILT_IN.acrPush }, child);
    const pullers = Object.entries(args.pullers).map(([who, principalId]) =>
      grant(
        `${name}-${who}-pull`,
        { principalId, principalType: "ServicePrincipal", role: BUILT_IN.acrPull, scope: registry.id },
        child,
      ),
    );
    if (args.settings.pullPrincipal) {
      const principal = new PullPrincipal(`${name}-pull`, { registryId: registry.id }, child);
      this.pullCredentials = { username: principal.clientId, password: principal.clientSecret };
    }
    this.registryId = registry.id;
    this.loginServer = registry.loginServer;
    this.importServer = after(registry.loginServer, importer, ...access);
    this.pushServer = after(registry.loginServer, importer, pusher, ...access);
    this.pullServer = after(registry.loginServer, ...pullers, ...access);
    this.registerOutputs({ registryId: this.registryId, loginServer: this.loginServer });
  }

  private createRegistry(name: string, { resourceGroupName, settings }: ContainerRegistryArgs): Registry {
    return new Registry(
      name,
      {
        resourceGroupName,
        registryName: settings.name ?? this.randomName(name),
        sku: { name: settings.sku },
        adminUserEnabled: false,
        zoneRedundancy: settings.zoneRedundant ? "Enabled" : "Disabled",
        publicNetworkAccess: settings.private ? "Disabled" : "Enabled",
        // Microsoft's own services, ARM's import among them, get in although the public door is shut.
        networkRuleBypassOptions: "AzureServices",
      },
      { parent: this },
    );
  }

  // Names of registries are unique in all of Azure.
  private randomName(name: string): pulumi.Output<string> {
    const suffix = new RandomString(`${name}-suffix`, { length: 8, upper: false, special: false }, { parent: this });
    return pulumi.interpolate`${name.replaceAll("-", "")}${suffix.result}`;
  }
}
