import * as pulumi from "@pulumi/pulumi";
import { notRole, refuse } from "../shared/faults.ts";
import { type Rotation, rotationFaults } from "../shared/passwordSlots.ts";
import { BUILT_IN } from "../shared/roles.ts";
import { createPrincipal } from "../shared/servicePrincipal.ts";

/** Who signs in to the vault with a password. */
export interface DecryptCredentials {
  /** The id of its Entra tenant. */
  readonly tenantId: pulumi.Input<string>;
  /** Its client id. */
  readonly clientId: pulumi.Input<string>;
  /** A secret; another one after `passwordDays`. */
  readonly clientSecret: pulumi.Input<string>;
}

/** What a DecryptPrincipal may decrypt with. */
export interface DecryptPrincipalArgs extends Rotation {
  /** ARM id of the key. */
  readonly keyId: pulumi.Input<string>;
  /** The id of the Entra tenant that the key's vault is in. */
  readonly tenantId: pulumi.Input<string>;
  /** A role that reads a key and decrypts, by its definition's GUID or its whole id. @default Key Vault Crypto User */
  readonly decryptRole?: string | undefined;
}

/** A service principal that decrypts with a key, for a cluster whose pods have no identity in Entra. */
export class DecryptPrincipal extends pulumi.ComponentResource {
  /** What Flux signs in to the vault with, when it may decrypt; the password is a secret. */
  readonly credentials: DecryptCredentials;
  /** Its role on the key. */
  readonly roles: readonly pulumi.Resource[];

  /** @throws pulumi.ResourceError naming every argument that cannot work. */
  constructor(name: string, args: DecryptPrincipalArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:DecryptPrincipal", name, {}, opts);
    const { keyId: scope, tenantId, decryptRole, ...rotation } = args;
    refuse(this, name, [...notRole("decryptRole", decryptRole), ...rotationFaults(rotation)]);
    const role = decryptRole ?? BUILT_IN.keyVaultCryptoUser;
    const decrypts = { ...rotation, role, scope, purpose: "decrypt for Flux" };
    const { clientId, clientSecret, assignment } = createPrincipal(name, decrypts, this);
    this.credentials = { tenantId, clientId, clientSecret };
    this.roles = [assignment];
    this.registerOutputs({ clientId, clientSecret });
  }
}
