// Looks at a rehearsal's cloud after a run.

import type { RegistryStore } from "../cloud/registry/store.ts";
import type { ArmResource, Caller } from "../cloud/types.ts";
import { answeringCluster, inspectCluster } from "./inspectCluster.ts";
import type { InspectedArmFlux, InspectedKey, InspectedRegistry, Inspection } from "./inspection.ts";
import type { Services } from "./services.ts";

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** The identities whose rights decide whether a cluster can do its work. */
function identities({ arm, entra }: Services): {
  kubelet: Caller | undefined;
  flux: Caller | undefined;
  accounts: string[];
} {
  const caller = (objectId: string | undefined): Caller | undefined => {
    const principal = objectId === undefined ? undefined : entra.find(objectId);
    return principal === undefined ? undefined : { principal, groups: entra.groupsOf(principal.objectId) };
  };
  const cluster = arm.list("Microsoft.ContainerService/managedClusters")[0];
  const profile = cluster?.properties.identityProfile as { kubeletidentity?: { objectId?: string } } | undefined;
  const federated = arm
    .list("Microsoft.ManagedIdentity/userAssignedIdentities")
    .map((identity) => ({ identity, credentials: arm.federatedCredentials(identity.id) }))
    .find(({ credentials }) => credentials.length > 0);
  const accounts = (federated?.credentials ?? []).flatMap(({ subject }) => {
    const [, namespace, name] = SERVICE_ACCOUNT.exec(subject) ?? [];
    return namespace === undefined ? [] : [`${namespace}/${name}`];
  });
  return {
    kubelet: caller(profile?.kubeletidentity?.objectId),
    flux: caller(federated?.identity.properties.principalId as string | undefined),
    accounts,
  };
}

export async function inspect(services: Services): Promise<Inspection> {
  const { arm } = services;
  const { kubelet, flux, accounts } = identities(services);
  const at = new Date().toISOString();
  const answer = await answeringCluster(services);
  const cluster =
    typeof answer === "object"
      ? await inspectCluster(answer, services, kubelet).catch(({ message }: Error) => message)
      : answer;
  const may = (caller: Caller | undefined, action: string, resource: ArmResource, kind: "control" | "data") =>
    caller !== undefined && arm.allows(caller, action, resource.id, kind);
  const pull = "Microsoft.ContainerRegistry/registries/pull/read";
  return {
    at,
    // The subscription's own role assignments were there before, as was the runner's network.
    resources: arm
      .all()
      .filter((resource) => /\/resourceGroups\//i.test(resource.id) && !arm.hasBegun(resource))
      .map(({ type, name, id }) => ({ type, name, id })),
    softDeletedVaults: arm.deletedVaults(),
    registries: arm.list("Microsoft.ContainerRegistry/registries").map(
      (registry): InspectedRegistry => ({
        loginServer: String(registry.properties.loginServer),
        repositories: contents(services.registries.store(registry)),
        fluxPulls: may(flux, pull, registry, "control"),
      }),
    ),
    keys: arm.list("Microsoft.KeyVault/vaults/keys").map(
      (key): InspectedKey => ({
        url: String(key.properties.keyUri),
        fluxDecrypts: may(flux, "Microsoft.KeyVault/vaults/keys/decrypt/action", key, "data"),
      }),
    ),
    federatedServiceAccounts: accounts,
    extensions: arm.list("Microsoft.KubernetesConfiguration/extensions").map(armFlux),
    configurations: arm.list("Microsoft.KubernetesConfiguration/fluxConfigurations").map(armFlux),
    ...(typeof cluster === "object" && { cluster }),
    ...(typeof cluster === "string" && { clusterProblem: cluster }),
  };
}

function armFlux({ name, properties }: ArmResource): InspectedArmFlux {
  const { provisioningState, complianceState, sourceSyncedCommitId, statuses } = properties;
  return {
    name,
    provisioningState: String(provisioningState),
    ...(complianceState !== undefined && { complianceState: String(complianceState) }),
    ...(sourceSyncedCommitId !== undefined && { revision: String(sourceSyncedCommitId) }),
    ...(statuses !== undefined && {
      statuses: (statuses as NonNullable<InspectedArmFlux["statuses"]>).map(
        ({ kind, name, namespace, complianceState }) => ({ kind, name, namespace, complianceState }),
      ),
    }),
  };
}

const contents = (store: RegistryStore): InspectedRegistry["repositories"] =>
  Object.fromEntries(
    store.names().map((name) => {
      const repository = store.find(name);
      return [
        name,
        { tags: Object.fromEntries(repository?.tags ?? []), digests: [...(repository?.manifests.keys() ?? [])] },
      ];
    }),
  );
