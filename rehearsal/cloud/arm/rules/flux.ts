// The extension microsoft.flux and its configurations.
import type { ArmResource } from "../../types.ts";
import { type Behaviour, propertiesOf, type World, type Write } from "../behaviour.ts";
import { armError } from "../errors.ts";
import { same } from "../ids.ts";
import { EXTENSION_TYPE, FLUX_CONFIGURATION_TYPE } from "../types/kubernetesConfiguration.ts";
import { type Body, isObject, part } from "../validate.ts";
import { newIdentity } from "./identity.ts";

const bad = (message: string) => armError(400, "InvalidRequest", message);

/** What each release train offers today; Flux itself is about two minors behind upstream. */
const newest: Readonly<Record<string, string>> = { Stable: "1.18.4", Preview: "1.19.1-preview" };

const CONTROLLERS = "(?:source|kustomize|helm|notification|image-automation|image-reflector)-controller";
const IS_TRUE_OR_FALSE = /^(true|false)$/i;

/**
 * The settings that the extension knows and the values they take.
 * https://learn.microsoft.com/azure/azure-arc/kubernetes/gitops-flux2-parameters
 */
const settings: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [new RegExp(`^${CONTROLLERS}\\.enabled$`), IS_TRUE_OR_FALSE],
  [/^multiTenancy\.enforce$/, IS_TRUE_OR_FALSE],
  [/^workloadIdentity\.enable$/, IS_TRUE_OR_FALSE],
  [/^workloadIdentity\.azure(Client|Tenant)Id$/, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i],
  [/^useKubeletIdentity$/, IS_TRUE_OR_FALSE],
  [/^helm-controller\.detectDrift$/, IS_TRUE_OR_FALSE],
  [/^helm-controller\.outOfMemoryWatch\.enabled$/, IS_TRUE_OR_FALSE],
  [/^helm-controller\.outOfMemoryWatch\.memoryThreshold$/, /^\d{1,3}$/],
  [/^helm-controller\.outOfMemoryWatch\.interval$/, /^\d+(ms|s|m)$/],
  [/^kustomize-controller\.(strict-substitution-mode|enable-in-memory-build)$/, IS_TRUE_OR_FALSE],
  [/^kustomize-controller\.concurrent$/, /^\d+$/],
  [/^kustomize-controller\.requeue-dependency$/, /^\d+(ms|s|m)$/],
  [
    new RegExp(`^${CONTROLLERS}\\.resources\\.(limits|requests)\\.(cpu|memory|ephemeral-storage)$`),
    /^\d+(\.\d+)?[a-zA-Z]*$/,
  ],
  [new RegExp(`^${CONTROLLERS}\\.log-level$`), /^(debug|info|error)$/],
  [/^source-controller\.ssh-host-key-args$/, /./],
];

const clusterOf = (world: World, id: string): ArmResource =>
  world.store.get(id.slice(0, id.toLowerCase().lastIndexOf("/providers/"))) as ArmResource;

/** @throws ServiceError where the cluster cannot take an agent's commands now. */
function demandReady(world: World, id: string): void {
  const cluster = clusterOf(world, id);
  if (["Creating", "Deleting", "Failed"].includes(String(cluster.properties.provisioningState)))
    throw armError(
      409,
      "OperationNotAllowed",
      `The cluster '${cluster.id}' is in state ${cluster.properties.provisioningState}. Wait until it has been provisioned.`,
    );
}

const siblings = (world: World, id: string, type: string): ArmResource[] =>
  world.store.below(clusterOf(world, id).id).filter((one) => same(one.type, type) && !same(one.id, id));

function checkExtension({ world, id, body }: Write): void {
  demandReady(world, id.id);
  const {
    extensionType: kind,
    version,
    autoUpgradeMinorVersion,
    releaseTrain,
    configurationSettings,
  } = propertiesOf(body);
  if (!same(String(kind), "microsoft.flux")) throw bad(`Extension type '${kind}' is not registered in the region.`);
  const other = siblings(world, id.id, EXTENSION_TYPE).find(({ properties }) =>
    same(String(properties.extensionType), String(kind)),
  );
  if (other !== undefined)
    throw armError(
      409,
      "ExtensionAlreadyExists",
      `An extension of type '${kind}' is already installed on the cluster as '${other.name}'.`,
    );
  if (version !== undefined && autoUpgradeMinorVersion === true)
    throw bad("The property 'version' cannot be set while 'autoUpgradeMinorVersion' is true.");
  if (version === undefined && autoUpgradeMinorVersion === false)
    throw bad("The property 'version' is required while 'autoUpgradeMinorVersion' is false.");
  if (newest[String(releaseTrain)] === undefined)
    throw bad(
      `Release train '${releaseTrain}' does not exist for extension type '${kind}': use ${Object.keys(newest).join(" or ")}.`,
    );
  checkSettings(configurationSettings as Record<string, string>);
}

function checkSettings(given: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(given)) {
    const known = settings.find(([pattern]) => pattern.test(name));
    if (known === undefined)
      throw bad(`The configuration setting '${name}' is not supported by extension type 'microsoft.flux'.`);
    if (!known[1].test(value)) throw bad(`The configuration setting '${name}' has the invalid value '${value}'.`);
  }
  if (given["workloadIdentity.enable"]?.toLowerCase() === "true" && !given["workloadIdentity.azureClientId"])
    throw bad(
      "The configuration setting 'workloadIdentity.azureClientId' is required where 'workloadIdentity.enable' is true.",
    );
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function checkConfiguration({ world, id, sent, body, old }: Write): void {
  demandReady(world, id.id);
  const extension = siblings(world, id.id, EXTENSION_TYPE).find(({ properties }) =>
    same(String(properties.extensionType), "microsoft.flux"),
  );
  if (extension?.properties.provisioningState !== "Succeeded")
    throw bad(
      "The extension microsoft.flux is not installed on the cluster. Install it before a Flux configuration is created.",
    );
  const properties = propertiesOf(body);
  const sources = { GitRepository: "gitRepository", Bucket: "bucket", AzureBlob: "azureBlob" } as const;
  const wanted = sources[properties.sourceKind as keyof typeof sources];
  for (const name of Object.values(sources)) {
    if (name === wanted && properties[name] === undefined)
      throw bad(`The property '${name}' is required for source kind '${properties.sourceKind}'.`);
    if (name !== wanted && properties[name] !== undefined)
      throw bad(`The property '${name}' must not be set for source kind '${properties.sourceKind}'.`);
  }
  const secrets = (propertiesOf(sent).configurationProtectedSettings ?? {}) as Record<string, string>;
  if (wanted === "gitRepository") checkGit(properties.gitRepository as Body, secrets, old !== undefined);
  checkKustomizations(id.name, (properties.kustomizations ?? {}) as Record<string, Body>);
}

function checkGit(git: Body, secrets: Readonly<Record<string, string>>, exists: boolean): void {
  const reference = Object.keys(isObject(git.repositoryRef) ? git.repositoryRef : {});
  if (reference.length !== 1)
    throw bad(
      `Exactly one of branch, tag, semver and commit must be set in 'gitRepository.repositoryRef', there are ${reference.length}.`,
    );
  for (const [name, value] of Object.entries(secrets)) {
    if (name !== "sshPrivateKey" && name !== "httpsKey")
      throw bad(
        `The protected setting '${name}' is not supported for source kind 'GitRepository': use sshPrivateKey or httpsKey.`,
      );
    if (!BASE64.test(value)) throw bad(`The protected setting '${name}' is not valid base64.`);
  }
  const https = /^https?:/i.test(String(git.url));
  const { sshPrivateKey, httpsKey } = secrets;
  if (https && (sshPrivateKey !== undefined || git.sshKnownHosts !== undefined))
    throw bad("SSH authentication (sshPrivateKey, sshKnownHosts) cannot be used with an HTTP(S) URL.");
  if (!https && (httpsKey !== undefined || git.httpsUser !== undefined || git.httpsCACert !== undefined))
    throw bad("HTTPS authentication (httpsUser, httpsKey, httpsCACert) cannot be used with an SSH URL.");
  if (git.httpsUser === undefined ? httpsKey !== undefined : httpsKey === undefined && !exists)
    throw bad("'httpsUser' and the protected setting 'httpsKey' must be set together.");
  if (git.localAuthRef !== undefined && (git.httpsUser !== undefined || sshPrivateKey !== undefined))
    throw bad("'localAuthRef' cannot be combined with other authentication.");
}

function checkKustomizations(configuration: string, all: Readonly<Record<string, Body>>): void {
  for (const [name, { path, dependsOn }] of Object.entries(all)) {
    if (!/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(name) || `${configuration}-${name}`.length > 63)
      throw bad(
        `The kustomization name '${name}' is invalid. Lower case alphanumeric characters and '-' are allowed, and at most 63 characters together with the configuration's name.`,
      );
    if (String(path).split("/").includes(".."))
      throw bad(`The path '${path}' of kustomization '${name}' leaves the repository.`);
    for (const other of dependsOn as string[])
      if (all[other] === undefined)
        throw bad(`The kustomization '${name}' depends on '${other}', which is not in the configuration.`);
  }
  const cycle = Object.keys(all).find((name) => reaches(all, name, name, new Set()));
  if (cycle !== undefined) throw bad(`The kustomization '${cycle}' depends on itself.`);
}

/** Whether `to` is among what `from` depends on, directly or not. */
function reaches(all: Readonly<Record<string, Body>>, from: string, to: string, seen: Set<string>): boolean {
  return ((all[from]?.dependsOn ?? []) as string[]).some((next) => {
    if (next === to) return true;
    if (seen.has(next)) return false;
    seen.add(next);
    return reaches(all, next, to, seen);
  });
}

export const fluxRules: Readonly<Record<string, Behaviour>> = {
  [EXTENSION_TYPE]: {
    answers: { namesVerb: true, deletion: "azure-asyncoperation" },
    check: checkExtension,
    accepted(resource, { old }) {
      const properties = resource.properties;
      properties.currentVersion = properties.version ?? newest[String(properties.releaseTrain)];
      properties.isSystemExtension = false;
      properties.statuses ??= [];
      properties.provisioningState = old === undefined ? "Creating" : "Updating";
    },
    wait: (resource, world) => world.settings.onFluxExtension?.(structuredClone(resource)),
    finished({ name, id, properties }, world) {
      // The identity comes with the agent, and is not among those of the subscription.
      const { principalId } = part(properties, "aksAssignedIdentity");
      properties.aksAssignedIdentity = {
        principalId: principalId ?? newIdentity(world, name, id).objectId,
        tenantId: world.tenantId,
      };
    },
  },
  [FLUX_CONFIGURATION_TYPE]: {
    answers: { namesVerb: true, deletion: "azure-asyncoperation" },
    check: checkConfiguration,
    accepted(resource, { world, sent, old }) {
      const properties = resource.properties;
      for (const [name, kustomization] of Object.entries((properties.kustomizations ?? {}) as Record<string, Body>))
        kustomization.name = `${resource.name}-${name}`;
      const secrets = propertiesOf(sent).configurationProtectedSettings;
      if (secrets !== undefined) world.store.setSecrets(resource.id, secrets as Body);
      properties.statuses ??= [];
      properties.complianceState = properties.suspend === true ? "Suspended" : "Pending";
      properties.provisioningState = old === undefined ? "Creating" : "Updating";
    },
    wait(resource, world) {
      const told = world.settings.onFluxConfiguration?.(
        structuredClone(resource),
        world.store.secretsOf(resource.id) as Record<string, string>,
      );
      if (resource.properties.waitForReconciliation === true) return told;
      told?.catch((error: unknown) => {
        resource.properties.complianceState = "Non-Compliant";
        resource.properties.errorMessage = error instanceof Error ? error.message : "reconciliation failed";
      });
      return undefined;
    },
    mayDelete({ world, resource, force }) {
      const agent = siblings(world, resource.id, EXTENSION_TYPE).length > 0;
      if (!agent && !force)
        throw armError(
          409,
          "ExtensionNotInstalled",
          `The Flux configuration '${resource.name}' cannot be deleted because the extension microsoft.flux, whose agent removes it from the cluster, is not installed. Install it again or use forceDelete.`,
        );
    },
  },
};
