import { FederatedIdentityCredential } from "@pulumi/azure-native/managedidentity/federatedIdentityCredential.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { after } from "../shared/after.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";

export interface FluxIdentityArgs {
  readonly resourceGroupName: pulumi.Input<string>;
  /** The cluster's OIDC issuer, whose service account tokens Entra shall take. */
  readonly issuer: pulumi.Input<string>;
  /** ARM id of the registry to pull charts from. */
  readonly registryId: pulumi.Input<string>;
  /** ARM id of the key to decrypt with. */
  readonly keyId: pulumi.Input<string>;
  /** A role that reads a key and decrypts. @default Key Vault Crypto User */
  readonly decryptRole?: string | undefined;
  /** Whether Flux's image controllers act as this identity too. */
  readonly imageAutomation: boolean;
}

/** The one Azure identity of Flux's controllers: it pulls from the registry and decrypts with the key. */
export class FluxIdentity extends pulumi.ComponentResource {
  readonly clientId: pulumi.Output<string>;
  readonly tenantId: pulumi.Output<string>;
  /** Its object id. */
  readonly principalId: pulumi.Output<string>;
  /** What has to be there before a controller can act: federation and roles. */
  readonly requirements: readonly pulumi.Resource[];

  constructor(name: string, args: FluxIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:FluxIdentity", name, {}, opts);
    const identity = new UserAssignedIdentity(name, { resourceGroupName: args.resourceGroupName }, { parent: this });
    const credentials = this.federate(name, args, identity);
    const principal = { principalId: identity.principalId, principalType: "ServicePrincipal" } as const;
    const pull = grant(
      `${name}-pull`,
      { ...principal, role: BUILT_IN.acrPull, scope: args.registryId },
      { parent: this },
    );
    const decrypt = grant(
      `${name}-decrypt`,
      { ...principal, role: args.decryptRole ?? BUILT_IN.keyVaultCryptoUser, scope: args.keyId },
      { parent: this },
    );
    this.clientId = identity.clientId;
    this.tenantId = identity.tenantId;
    this.principalId = identity.principalId;
    this.requirements = [...credentials, pull, decrypt];
    this.registerOutputs({ clientId: this.clientId, tenantId: this.tenantId, principalId: this.principalId });
  }

  private federate(name: string, args: FluxIdentityArgs, identity: UserAssignedIdentity): pulumi.Resource[] {
    const controllers = ["source-controller", "kustomize-controller"];
    if (args.imageAutomation) controllers.push("image-reflector-controller", "image-automation-controller");
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
          { parent: this },
        ),
      );
    return credentials;
  }
}
