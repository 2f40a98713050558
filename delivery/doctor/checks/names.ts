import type { Azure } from "../azure.ts";
import { check, type Finding, stops } from "../check.ts";
import { groupOf, resourcesOf } from "../group.ts";

/** A setting that names what has a name unlike all others in Azure. */
interface Named {
  readonly key: string;
  readonly value: string;
  readonly type: string;
  readonly apiVersion: string;
}

export const names = check({
  name: "names",
  about: "whether the names that the settings give to registry and vault are free, and not those of a deleted vault",
  needs: ["azure", "settings"],
  find: async ({ azure, settings }) => {
    const { registry, sops } = settings;
    const named: Named[] = [
      ...(registry.name && registry.existing === undefined
        ? [
            {
              ...{ key: "aks-gitops:registry.name", value: registry.name },
              ...{ type: "Microsoft.ContainerRegistry/registries", apiVersion: "2023-07-01" },
            } as const,
          ]
        : []),
      ...(sops.vault && sops.existingVault === undefined && sops.existingKey === undefined
        ? [
            {
              ...{ key: "aks-gitops:sops.vault", value: sops.vault },
              ...{ type: "Microsoft.KeyVault/vaults", apiVersion: "2023-07-01" },
            } as const,
          ]
        : []),
    ];
    if (named.length === 0) return [];
    const group = await groupOf(azure, settings);
    const own =
      group === undefined
        ? []
        : await resourcesOf(
            azure,
            group,
            named.map(({ type }) => type),
          );
    const others = named.filter(({ value }) => !own.some(({ name }) => name.toLowerCase() === value.toLowerCase()));
    return (await Promise.all(others.map((one) => look(azure, one)))).flat();
  },
});

async function look(azure: Azure, { key, value, type, apiVersion }: Named): Promise<Finding[]> {
  const [namespace = ""] = type.split("/");
  const path = `${azure.root}/providers/${namespace}/checkNameAvailability`;
  const { nameAvailable, reason, message } = await azure.ask(path, apiVersion, { name: value, type });
  if (nameAvailable !== false) return [];
  const deleted = namespace === "Microsoft.KeyVault" ? await deletedVault(azure, value, apiVersion) : undefined;
  if (deleted !== undefined) return [recoverable(key, value, deleted)];
  const problem =
    reason === "Invalid" ? `is no name that Azure takes: ${message}` : "is taken by somebody, in whatever tenant";
  const remedy = "choose another name, or leave it out for one that is free";
  return [stops({ key, value, problem, remedy })];
}

type Deleted = { location?: string; scheduledPurgeDate?: string; purgeProtectionEnabled?: boolean };

/** A vault of that name that was deleted and not purged, in this subscription. */
async function deletedVault(azure: Azure, name: string, apiVersion: string): Promise<Deleted | undefined> {
  const all = await azure.list(`${azure.root}/providers/Microsoft.KeyVault/deletedVaults`, apiVersion);
  const found = all.find((vault) => String(vault.name).toLowerCase() === name.toLowerCase());
  return found?.properties as Deleted | undefined;
}

function recoverable(key: string, value: string, deleted: Deleted): Finding {
  const { location, scheduledPurgeDate = "its end", purgeProtectionEnabled } = deleted;
  const recover = `bring it back: \`az keyvault recover --name ${value} --location ${location}\``;
  const purge = `or purge it, with all its keys for good: \`az keyvault purge --name ${value} --location ${location}\``;
  // azure-native recovers no vault by itself.
  return stops({
    ...{
      key,
      value,
      problem: `is the name of a vault that was deleted; it can be brought back until ${scheduledPurgeDate}`,
    },
    remedy: purgeProtectionEnabled ? `${recover}; or choose another name` : `${recover}; ${purge}`,
  });
}
