// The form of `aks-gitops:sops`.
import { createPublicKey } from "node:crypto";
import { SOPS } from "../../components/defaults.ts";
import { defaulted, flag, optional, refined, section, setting, text } from "../form.ts";
import { armId, groups } from "./parts.ts";

const role = text(
  /^(\/\S+\/roleDefinitions\/)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/,
  "write a role definition's GUID or its whole id; `az role definition list --name NAME --query [].id` tells it",
);

const PUBLIC_KEY =
  "write the public part of the vault's key as PEM, as `az keyvault key download` gives it: RSA, 2048 bits or more";

function keyFault(value: string): string | undefined {
  if (!value.includes("PUBLIC KEY")) return "is no public key in PEM";
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(value);
    const fits = asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
    return fits ? undefined : "is no RSA key of 2048 bits or more";
  } catch {
    return "is no public key in PEM";
  }
}

/** Vault and key. */
export const sops = setting(
  section({
    existingVault: setting(
      optional(
        armId(
          "Microsoft.KeyVault/vaults",
          "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.KeyVault/vaults/<name>",
        ),
      ),
      "ARM id of a vault that is there already, in any subscription of the tenant, and goes by roles. It is neither changed " +
        "nor deleted: it gets a key, and a private endpoint where registry.private is true.",
      "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers/Microsoft.KeyVault/vaults/kv-shared",
    ),
    existingKey: setting(
      optional(
        armId(
          "Microsoft.KeyVault/vaults",
          "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.KeyVault/vaults/<name>/keys/<name>",
          "/keys/[^/]+",
        ),
      ),
      "ARM id of an RSA key that is there already. It is used as it is: Flux's identity may decrypt with it, and who else " +
        "may is its owner's decision; the deployers' group needs Key Vault Reader there.",
      "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers/Microsoft.KeyVault/vaults/kv-shared/keys/sops-prod",
    ),
    keyName: setting(
      optional(text(/^[a-zA-Z0-9-]{1,127}$/, "write 1 to 127 letters, digits and hyphens")),
      "Name of the key that is made; one of that name is taken over. Default: sops, and in an existing vault " +
        "<project>-<stack>.",
      "sops-prod",
    ),
    vault: setting(
      optional(
        text(
          /^[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/,
          "write 3 to 24 letters, digits and single hyphens, a letter first, no hyphen last; or leave it out for a random name",
        ),
      ),
      "The vault's name, globally unique. Default: a random one.",
      "kv-acme-prod",
    ),
    purgeProtection: setting(
      optional(flag),
      "Whether a deleted vault cannot be purged before its 90 days are over. Default: true unless cluster.sku is Free.",
    ),
    auditLogs: setting(
      optional(flag),
      "Whether who used the key and changed the vault is kept in the cluster's Log Analytics workspace. Default: true " +
        "unless cluster.sku is Free, or an existing vault or key or otherCluster is there.",
    ),
    editors: setting(defaulted(groups, [...SOPS.editors]), "Object ids of Entra groups that decrypt and encrypt."),
    encrypters: setting(
      defaulted(groups, [...SOPS.encrypters]),
      "Object ids of Entra groups that encrypt only; needs roles.encrypt.",
    ),
    roles: setting(
      section({
        encrypt: setting(optional(role), "A custom role that reads a key and encrypts; there is no built-in one."),
        decrypt: setting(
          optional(role),
          "A custom role that reads a key and decrypts. Default: Key Vault Crypto User, which does more.",
        ),
      }),
      "Custom roles, by GUID or whole id.",
    ),
    publicKey: setting(
      optional(
        refined(text(undefined, PUBLIC_KEY), (value) => {
          const problem = keyFault(value);
          return problem === undefined ? undefined : { problem, remedy: PUBLIC_KEY };
        }),
      ),
      "The key's public part as PEM, pinned for a runner that cannot reach the vault.",
    ),
  }),
  "The key vault, the key that SOPS encrypts with, and who may use it.",
);
