// Guards of Key Vaults.
import type { VaultArgs } from "@pulumi/azure-native/keyvault/vault.js";
import { found, type Given, type Guard, type Seen, text } from "../guard.ts";

const LEARN = "https://learn.microsoft.com/azure/key-vault/general";
const kinds = ["vault"] as const;

const vault = ({ props }: Seen) => (props as Given<VaultArgs>).properties ?? {};

export const vaultGuards: readonly Guard[] = [
  {
    name: "vault-cannot-be-purged",
    description: "Nobody removes a vault of production for good: without its key no secret in Git opens again.",
    level: "mandatory",
    production: true,
    remedy: "write aks-gitops:sops.purgeProtection: true; in another program set enablePurgeProtection: true",
    link: `${LEARN}/soft-delete-overview#purge-protection`,
    kinds,
    find: (seen) => found(!vault(seen).enablePurgeProtection && "The vault can be purged"),
  },
  {
    name: "vault-deletes-softly",
    description: "A vault that was deleted by mistake comes back.",
    level: "mandatory",
    remedy: "leave enableSoftDelete out, or set it to true",
    link: `${LEARN}/soft-delete-overview`,
    kinds,
    find: (seen) => found(vault(seen).enableSoftDelete === false && "The vault's soft delete is off"),
  },
  {
    name: "vault-is-closed",
    description: "A vault of production is reached by private endpoints, or from listed addresses only.",
    level: "mandatory",
    production: true,
    remedy: "write aks-gitops:registry: { sku: Premium, private: true }, which closes registry and vault",
    link: `${LEARN}/private-link-service`,
    kinds,
    find: (seen) => {
      const { publicNetworkAccess, networkAcls } = vault(seen);
      if (text(publicNetworkAccess)?.toLowerCase() === "disabled") return [];
      return found(networkAcls?.defaultAction !== "Deny" && "The vault is open to every address");
    },
  },
  {
    name: "vault-asks-azure-rbac",
    description: "Who may use a vault is said by roles, as everywhere in Azure, and not by access policies of its own.",
    level: "mandatory",
    remedy: "set enableRbacAuthorization: true and give roles",
    link: `${LEARN}/rbac-guide`,
    kinds,
    find: (seen) => found(!vault(seen).enableRbacAuthorization && "The vault has access policies of its own"),
  },
];
