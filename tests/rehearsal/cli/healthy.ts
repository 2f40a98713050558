// A stack as it is when all is well: what its settings promise, and an inspection that finds just that.

import { type Expected, expectedOf } from "../../../rehearsal/cli/expected.ts";
import type { Facts } from "../../../rehearsal/cli/facts.ts";
import type { FluxReference } from "../../../rehearsal/cluster/fluxState.ts";
import type { InspectedCluster, InspectedFluxObject, Inspection } from "../../../rehearsal/world/inspection.ts";
import type { Settings } from "../../../settings/settings.ts";
import { digest, settingsOf } from "../../settings/settingsOf.ts";

export const HEAD = "b".repeat(40);
export const OLD = "a".repeat(40);
export const revision = (commit: string) => `main@sha1:${commit}`;

export const DEFINITIONS = ["gitrepositories.source.toolkit.fluxcd.io", "kustomizations.kustomize.toolkit.fluxcd.io"];

/** Settings with everything that a stack may promise. */
export function fullSettings(mode: "extension" | "bootstrap", more: Record<string, unknown> = {}): Settings {
  return settingsOf({
    flux: { repository: "https://github.com/acme/fleet", mode },
    charts: [{ name: "kured", repository: "https://a.b/c", version: "1.0.0", namespace: "baseline" }],
    secrets: [{ name: "credentials", namespace: "demo", generate: ["password"] }],
    ...more,
  });
}

/** One of Flux's objects, Ready for a minute. */
export function object(reference: FluxReference, more: Partial<InspectedFluxObject> = {}): InspectedFluxObject {
  return {
    ...reference,
    ready: true,
    isBusy: false,
    suspended: false,
    reason: "Succeeded",
    message: "",
    since: "2026-11-26T07:59:00Z",
    revision: /^(GitRepository|Kustomization)$/.test(reference.kind) ? revision(HEAD) : "1.0.0",
    attempted: "",
    handled: "",
    isAsked: false,
    inventory: [],
    dependsOn: reference.name === "apps" ? ["infrastructure"] : [],
    ...more,
  };
}

const registryHas = (name: string, hash: string) => ({ [name]: { tags: {}, digests: [hash] } });

export interface Healthy {
  readonly expected: Expected;
  readonly cluster: InspectedCluster;
  readonly inspection: Inspection;
}

/** What is found where all that the settings promise is there. */
export function healthy(settings: Settings): Healthy {
  const expected = expectedOf(settings, DEFINITIONS);
  const references = [expected.source, ...expected.kustomizations, ...expected.releases];
  const cluster: InspectedCluster = {
    namespaces: ["default", ...expected.namespaces],
    deployments: expected.deployments.map((name) => ({ name, wanted: 1, available: 1 })),
    definitions: expected.definitions,
    secretNames: expected.secrets,
    objects: references.map((reference) => object(reference)),
    podImages: [],
    secrets: [{ name: "credentials", namespace: "demo", keys: ["password"], isDecrypted: true }],
  };
  const statuses = references
    .filter(({ kind }) => kind !== "HelmChart")
    .map((reference) => ({ ...reference, complianceState: "Compliant" }));
  const succeeded = { provisioningState: "Succeeded" };
  return {
    expected,
    cluster,
    inspection: {
      at: "2026-11-26T08:00:00.000Z",
      resources: [],
      softDeletedVaults: [],
      registries: [
        { loginServer: "acr.azurecr.io", repositories: registryHas("charts/kured", digest("c")), fluxPulls: true },
      ],
      keys: [{ url: "https://kv.vault.azure.net/keys/sops", fluxDecrypts: true }],
      federatedServiceAccounts: ["flux-system/source-controller", "flux-system/kustomize-controller"],
      extensions: expected.extensions.map((name) => ({ name, ...succeeded })),
      configurations: expected.configurations.map((name) => ({
        ...{ name, ...succeeded, complianceState: "Compliant", revision: revision(HEAD), statuses },
      })),
      cluster,
    },
  };
}

/** What is known of such a stack, but for what is said here. */
export function factsOf(
  { expected, cluster, inspection }: Healthy,
  change: Partial<InspectedCluster> = {},
  more: Partial<Facts> & { readonly found?: Partial<Inspection> } = {},
): Facts {
  const { found = {}, ...rest } = more;
  return {
    inspection: { ...inspection, cluster: { ...cluster, ...change }, ...found },
    before: inspection,
    lock: {
      charts: [{ name: "kured", version: "1.0.0", manifest: digest("c") } as Facts["lock"]["charts"][0]],
      images: [],
    },
    inGit: [{ name: "credentials", namespace: "demo", file: "infrastructure/test/secrets/a.yaml", isEncrypted: true }],
    expected,
    head: HEAD,
    atHead: new Set([revision(HEAD)]),
    failures: new Map(),
    ...rest,
  };
}
