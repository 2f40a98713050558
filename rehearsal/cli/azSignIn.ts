// Signs az in to the simulated Azure, as `az login --service-principal` does, by the files in which it keeps that.
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CloudFile, IdentityName, Paths } from "../session.ts";

/** Makes an identity's folder of az (AZURE_CONFIG_DIR); what az has made of it since stays. */
export async function signInAz(paths: Paths, cloud: CloudFile, as: IdentityName): Promise<void> {
  const folder = join(paths.azure, as);
  if (existsSync(folder)) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { tenantId, subscriptionId, identities } = cloud;
  const { clientId, clientSecret } = identities[as];
  const write = (name: string, content: object) =>
    writeFile(join(folder, name), JSON.stringify(content), { mode: 0o600 });
  await write("service_principal_entries.json", [
    { client_id: clientId, tenant: tenantId, client_secret: clientSecret },
  ]);
  await write("azureProfile.json", {
    subscriptions: [
      {
        id: subscriptionId,
        name: "Rehearsal",
        state: "Enabled",
        user: { name: clientId, type: "servicePrincipal" },
        isDefault: true,
        tenantId,
        environmentName: "AzureCloud",
        homeTenantId: tenantId,
        managedByTenants: [],
      },
    ],
  });
}
