// Microsoft.KubernetesConfiguration: extensions and Flux configurations of a managed cluster.
import {
  choice,
  fixed,
  flag,
  forgotten,
  hidden,
  kept,
  list,
  map,
  number,
  object,
  or,
  readOnly,
  required,
  type TypeDefinition,
  text,
} from "../schema.ts";
import { provisioningState } from "./common.ts";
import { CLUSTER_TYPE } from "./containerService.ts";

export const EXTENSION_TYPE = "Microsoft.KubernetesConfiguration/extensions";
export const FLUX_CONFIGURATION_TYPE = "Microsoft.KubernetesConfiguration/fluxConfigurations";
const VERSION = "2023-05-01";
const seconds = () => number(1, 86400 * 365);

const extension = object("ExtensionProperties", {
  extensionType: required(fixed(text({ min: 1 }))),
  autoUpgradeMinorVersion: or(flag(), true),
  releaseTrain: or(text(), "Stable"),
  version: text(),
  scope: fixed(
    kept(
      or(
        object("Scope", {
          cluster: object("ScopeCluster", { releaseNamespace: text() }),
          namespace: object("ScopeNamespace", { targetNamespace: text() }),
        }),
        { cluster: { releaseNamespace: "flux-system" } },
      ),
    ),
  ),
  configurationSettings: or(map(text()), {}),
  configurationProtectedSettings: hidden(map(text())),
  statuses: forgotten(
    list(
      object("ExtensionStatus", {
        code: text(),
        displayStatus: text(),
        level: text(),
        message: text(),
        time: text(),
      }),
    ),
  ),
  currentVersion: readOnly(text()),
  isSystemExtension: readOnly(flag()),
  aksAssignedIdentity: kept(
    object("ExtensionPropertiesAksAssignedIdentity", {
      type: choice("SystemAssigned", "UserAssigned"),
      principalId: readOnly(text()),
      tenantId: readOnly(text()),
    }),
  ),
  provisioningState,
});

const source = {
  timeoutInSeconds: or(seconds(), 600),
  syncIntervalInSeconds: or(seconds(), 600),
  localAuthRef: text(),
};

const gitRepository = object("GitRepositoryDefinition", {
  url: required(text({ pattern: /^(https?|ssh|git):\/\/|^[\w.-]+@[\w.-]+:/ })),
  ...source,
  repositoryRef: object("RepositoryRefDefinition", { branch: text(), tag: text(), semver: text(), commit: text() }),
  sshKnownHosts: text(),
  httpsUser: text(),
  httpsCACert: text(),
});

const kustomization = object("KustomizationDefinition", {
  name: readOnly(text()),
  path: or(text(), ""),
  dependsOn: or(list(text()), []),
  timeoutInSeconds: or(seconds(), 600),
  syncIntervalInSeconds: or(seconds(), 600),
  retryIntervalInSeconds: seconds(),
  prune: or(flag(), false),
  force: or(flag(), false),
  wait: or(flag(), true),
  postBuild: object("PostBuildDefinition", {
    substitute: map(text()),
    substituteFrom: list(
      object("SubstituteFromDefinition", {
        kind: choice("ConfigMap", "Secret"),
        name: text(),
        optional: or(flag(), false),
      }),
    ),
  }),
});

const status = object("ObjectStatusDefinition", { name: text(), namespace: text(), kind: text() });

const fluxConfiguration = object("FluxConfigurationProperties", {
  scope: fixed(kept(or(choice("cluster", "namespace"), "cluster"))),
  namespace: fixed(kept(or(text({ max: 63, pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/ }), "default"))),
  sourceKind: fixed(required(choice("GitRepository", "Bucket", "AzureBlob"))),
  suspend: or(flag(), false),
  gitRepository,
  bucket: object("BucketDefinition", {
    url: required(text()),
    bucketName: text(),
    insecure: or(flag(), false),
    accessKey: hidden(text()),
    ...source,
  }),
  kustomizations: map(kustomization),
  configurationProtectedSettings: hidden(map(text())),
  waitForReconciliation: or(flag(), false),
  reconciliationWaitDuration: text(),
  statuses: readOnly(list(status)),
  repositoryPublicKey: readOnly(text()),
  sourceSyncedCommitId: readOnly(text()),
  sourceUpdatedAt: readOnly(text()),
  statusUpdatedAt: readOnly(text()),
  complianceState: readOnly(choice("Compliant", "Non-Compliant", "Pending", "Suspended", "Unknown")),
  errorMessage: readOnly(text()),
  provisioningState,
});

export const kubernetesConfigurationTypes: readonly TypeDefinition[] = [
  {
    type: EXTENSION_TYPE,
    version: VERSION,
    home: "extension",
    on: [CLUSTER_TYPE],
    slow: true,
    stamped: true,
    name: /^[a-z0-9][-a-z0-9]{0,61}[a-z0-9]$/,
    body: object("Extension", { properties: required(extension) }),
  },
  {
    type: FLUX_CONFIGURATION_TYPE,
    version: VERSION,
    home: "extension",
    on: [CLUSTER_TYPE],
    slow: true,
    stamped: true,
    name: /^[a-z0-9](?:[-a-z0-9]{0,28}[a-z0-9])?$/,
    nameFault: [
      "InvalidResourceName",
      "Resource name '{name}' is invalid. Flux configuration names must be at most 30 characters of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character.",
    ],
    body: object("FluxConfiguration", { properties: required(fluxConfiguration) }),
  },
];
