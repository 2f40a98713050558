import { FederatedIdentityCredential } from "@pulumi/azure-native/managedidentity/federatedIdentityCredential.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { FLUX } from "../defaults.ts";
import { after } from "../shared/after.ts";
import { notRole, refuse } from "../shared/faults.ts";
import { decideNames } from "../shared/names.ts";
import { newFirst } from "../shared/newFirst.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import { type Tags, tagFaults, tagged } from "../shared/tags.ts";

/** What a FluxIdentity is trusted by, and what it may. */
export interface FluxIdentityArgs {
  /** Name of the resource group that it is made in, in its region. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The cluster's OIDC issuer, whose service account tokens Entra shall take: an `https://` URL. */
  readonly issuer: pulumi.Input<string>;
  /** ARM id of the registry to pull charts from. @default none */
  readonly registryId?: pulumi.Input<string> | undefined;
  /** ARM id of the key to decrypt with. @default none */
  readonly keyId?: pulumi.Input<string> | undefined;
  /** A role that reads a key and decrypts, by its definition's GUID or its whole id. @default Key Vault Crypto User */
  readonly decryptRole?: string | undefined;
  /** Whether Flux's image controllers act as this identity too. @default false */
  readonly imageAutomation?: boolean | undefined;
  /** Tags of the identity. @default none */
  readonly tags?: Tags | undefined;
}

/** The one Azure identity of Flux's controllers: it pulls from the registry and decrypts with the key. */
export class FluxIdentity extends pulumi.ComponentResource {
  /** Its client id. */
  readonly clientId: pulumi.Output<string>;
  /** The id of its Entra tenant. */
  readonly tenantId: pulumi.Output<string>;
  /** Its object id. */
  readonly principalId: pulumi.Output<string>;
  /** What has to be there before a controller can act: federation and roles. */
  readonly requirements: readonly pulumi.Resource[];
  /** Of these its roles, which need no cluster. */
  readonly roles: readonly pulumi.Resource[];

  /** @throws pulumi.ResourceError naming every argument that cannot work. */
  constructor(name: string, args: FluxIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:FluxIdentity", name, {}, opts);
    const { resourceGroupName, decryptRole, tags } = args;
    refuse(this, name, [...notRole("decryptRole", decryptRole), ...tagFaults(tags)]);
    const identity = new UserAssignedIdentity(
      name,
      { resourceGroupName, resourceName: decideNames(name, { parent: this }).of(name), ...tagged(tags) },
      newFirst({ parent: this }),
    );
    const credentials = this.#federate(name, args, identity);
    const roles = this.#grantRoles(name, args, identity);
    this.clientId = identity.clientId;
    this.tenantId = identity.tenantId;
    this.principalId = identity.principalId;
    this.requirements = [...credentials, ...roles];
    this.roles = roles;
    this.registerOutputs({ clientId: this.clientId, tenantId: this.tenantId, principalId: this.principalId });
  }

  #grantRoles(name: string, args: FluxIdentityArgs, identity: UserAssignedIdentity): pulumi.Resource[] {
    const { registryId, keyId, decryptRole = BUILT_IN.keyVaultCryptoUser } = args;
    const principal = { principalId: identity.principalId, principalType: "ServicePrincipal" } as const;
    const child = { parent: this };
    return [
      ...(registryId === undefined
        ? []
        : [grant(`${name}-pull`, { ...principal, role: BUILT_IN.acrPull, scope: registryId }, child)]),
      ...(keyId === undefined
        ? []
        : [grant(`${name}-decrypt`, { ...principal, role: decryptRole, scope: keyId }, child)]),
    ];
  }

  #federate(name: string, args: FluxIdentityArgs, identity: UserAssignedIdentity): pulumi.Resource[] {
    const controllers = ["source-controller", "kustomize-controller"];
    if (args.imageAutomation ?? FLUX.imageAutomation)
      controllers.push("image-reflector-controller", "image-automation-controller");
    const credentials: FederatedIdentityCredential[] = [];
    for (const controller of controllers)
      credentials.push(
        new FederatedIdentityCredential(
          `${name}-${controller}`,
          {
            resourceGroupName: args.resourceGroupName,
            // One after the other: Azure refuses concurrent writes below one identity.
            resourceName: after(identity.name, ...credentials.slice(-1)),
            federatedIdentityCredentialResourceName: controller,
            issuer: args.issuer,
            subject: `system:serviceaccount:flux-system:${controller}`,
            audiences: ["api://AzureADTokenExchange"],
          },
          newFirst({ parent: this }),
        ),
      );
    return credentials;
  }
}
