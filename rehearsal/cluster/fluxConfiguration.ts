// The objects that the extension's agent makes of a fluxConfiguration.

import type { KubeObject } from "./api.ts";
import { APPLIER } from "./extensionManifests.ts";

/** A fluxConfiguration's properties as ARM keeps them, as far as the agent of a GitRepository reads them. */
export interface FluxConfiguration {
  readonly scope: "cluster" | "namespace";
  readonly namespace: string;
  readonly sourceKind: string;
  readonly suspend: boolean;
  readonly gitRepository: {
    readonly url: string;
    readonly repositoryRef: Readonly<Record<string, string>>;
    readonly syncIntervalInSeconds: number;
    readonly timeoutInSeconds: number;
    readonly sshKnownHosts?: string;
    readonly httpsUser?: string;
    readonly httpsCACert?: string;
    readonly localAuthRef?: string;
  };
  readonly kustomizations?: Readonly<Record<string, Kustomization>>;
  readonly waitForReconciliation: boolean;
  /** ISO 8601. */
  readonly reconciliationWaitDuration?: string;
}

interface Kustomization {
  readonly path: string;
  readonly dependsOn: readonly string[];
  readonly timeoutInSeconds: number;
  readonly syncIntervalInSeconds: number;
  readonly retryIntervalInSeconds?: number;
  readonly prune: boolean;
  readonly force: boolean;
  readonly wait: boolean;
  readonly postBuild?: object;
}

/** A configuration's objects in the cluster. */
export interface ConfigurationObjects {
  /** Namespace, service account and its rights: they stay when the configuration goes. */
  readonly surroundings: readonly KubeObject[];
  readonly secret: KubeObject | undefined;
  readonly source: KubeObject;
  readonly kustomizations: readonly KubeObject[];
}

const seconds = (value: number) => `${value}s`;

/**
 * The objects of a configuration.
 * @param name the configuration's.
 * @param secrets its `configurationProtectedSettings`: base64.
 * @throws Error where the rehearsal has no agent for its kind of source.
 */
export function configurationObjects(
  name: string,
  properties: FluxConfiguration,
  secrets: Readonly<Record<string, string>>,
): ConfigurationObjects {
  const { namespace, sourceKind, gitRepository: git, suspend, kustomizations = {} } = properties;
  if (sourceKind !== "GitRepository")
    throw new Error(`sourceKind ${sourceKind}: the rehearsal's agent knows GitRepository alone`);
  const data = secretData(git, secrets);
  const secretName = git.localAuthRef ?? (data && `${name}-auth`);
  return {
    surroundings: surroundings(properties),
    secret: data && { apiVersion: "v1", kind: "Secret", metadata: { name: `${name}-auth`, namespace }, data },
    source: {
      apiVersion: "source.toolkit.fluxcd.io/v1",
      kind: "GitRepository",
      metadata: { name, namespace },
      spec: {
        url: git.url,
        ref: git.repositoryRef,
        interval: seconds(git.syncIntervalInSeconds),
        timeout: seconds(git.timeoutInSeconds),
        suspend,
        ...(secretName && { secretRef: { name: secretName } }),
      },
    },
    kustomizations: Object.entries(kustomizations).map(([key, one]) => kustomization(name, key, one, properties)),
  };
}

function secretData(
  git: FluxConfiguration["gitRepository"],
  { sshPrivateKey, httpsKey }: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const data = {
    ...(sshPrivateKey && { identity: sshPrivateKey }),
    ...(git.sshKnownHosts && { known_hosts: git.sshKnownHosts }),
    ...(git.httpsUser && { username: base64(git.httpsUser) }),
    ...(httpsKey && { password: httpsKey }),
    ...(git.httpsCACert && { "ca.crt": git.httpsCACert }),
  };
  return Object.keys(data).length > 0 ? data : undefined;
}

function surroundings({ namespace, scope }: FluxConfiguration): KubeObject[] {
  const rbac = "rbac.authorization.k8s.io";
  const isWide = scope === "cluster";
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: APPLIER, namespace } },
    {
      apiVersion: `${rbac}/v1`,
      kind: isWide ? "ClusterRoleBinding" : "RoleBinding",
      metadata: isWide ? { name: `${APPLIER}-binding-${namespace}` } : { name: `${APPLIER}-binding`, namespace },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: isWide ? "cluster-admin" : "admin" },
      subjects: [{ kind: "ServiceAccount", name: APPLIER, namespace }],
    },
  ];
}

function kustomization(
  configuration: string,
  key: string,
  one: Kustomization,
  { namespace, suspend }: FluxConfiguration,
): KubeObject {
  const { retryIntervalInSeconds: retry, postBuild, path, dependsOn, prune, force, wait } = one;
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name: `${configuration}-${key}`, namespace },
    spec: {
      interval: seconds(one.syncIntervalInSeconds),
      timeout: seconds(one.timeoutInSeconds),
      ...(retry !== undefined && { retryInterval: seconds(retry) }),
      path: path === "" ? "./" : path,
      prune,
      force,
      wait,
      suspend,
      sourceRef: { kind: "GitRepository", name: configuration, namespace },
      dependsOn: dependsOn.map((other) => ({ name: `${configuration}-${other}`, namespace })),
      ...(postBuild && { postBuild }),
    },
  };
}
