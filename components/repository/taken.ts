// Names that are taken: by Flux, by this program, by Kubernetes and by AKS. Nothing else may have them, since one writer
// would undo the other's.
import {
  CONFIGURATION,
  DEMO,
  FLUX_NAMESPACE,
  GIT_REPOSITORY,
  gitSecret,
  HELM_REPOSITORY,
  releaseName,
} from "./names.ts";

/** Why a name is taken, as a phrase that follows the argument, and what to do. */
export interface Taken {
  readonly problem: string;
  readonly remedy: string;
}

interface Named {
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Namespaces that every cluster begins with; Flux's own comes with Flux. The program writes none of them. */
export const EXISTING_NAMESPACES = [
  "default",
  "kube-system",
  "kube-public",
  "kube-node-lease",
  FLUX_NAMESPACE,
] as const;

/** Of those, the ones that are Kubernetes' own and where nobody else puts anything. */
const KUBERNETES = ["kube-public", "kube-node-lease"];

/**
 * Namespaces that AKS and its add-ons make and keep: Azure Policy (which AksCluster turns on), `az aks command`, application
 * routing, Istio, Calico, Arc. https://learn.microsoft.com/azure/aks/integrations
 */
const AKS = [
  "gatekeeper-system",
  "aks-command",
  "app-routing-system",
  "aks-istio-system",
  "aks-istio-ingress",
  "aks-istio-egress",
  "calico-system",
  "tigera-operator",
  "azure-arc",
];

/** The folders below `apps/`, `infrastructure/` and `clusters/` that no stack may have. */
const FOLDERS: Readonly<Record<string, string>> = {
  base: "is the name of folders that all stacks share: apps/base and infrastructure/base",
  [FLUX_NAMESPACE]: `is the name of the folder that Flux keeps itself in: clusters/<stack>/${FLUX_NAMESPACE}`,
};

/** Why a stack may not have a name. */
export function takenStack(stack: string): Taken | undefined {
  const problem = Object.hasOwn(FOLDERS, stack) ? FOLDERS[stack] : undefined;
  return problem === undefined ? undefined : { problem, remedy: "give the stack another name, for example prod" };
}

/** Why neither charts nor secrets may go into a namespace. */
export function takenNamespace(namespace: string | undefined): Taken | undefined {
  if (namespace === undefined) return undefined;
  const remedy =
    "choose a namespace of its own; the program makes the namespaces that it is told, and deletes them when they are told no more";
  if (KUBERNETES.includes(namespace)) return { problem: "belongs to Kubernetes itself", remedy };
  return AKS.includes(namespace) ? { problem: "belongs to AKS, whose add-ons make it and keep it", remedy } : undefined;
}

/** Why a namespace is better left alone. */
export function sharedNamespace(namespace: string | undefined): Taken | undefined {
  if (namespace === undefined || takenNamespace(namespace) !== undefined || !namespace.startsWith("kube-"))
    return undefined;
  const remedy = "choose a namespace of its own, unless it has to be there";
  return namespace === "kube-system"
    ? { problem: "is shared with Kubernetes and AKS, which undo changes of what is theirs there", remedy }
    : { problem: "has a name that Kubernetes keeps for namespaces of its own", remedy };
}

interface ReleaseNames extends Named {
  readonly release?: string | undefined;
}

/** Why a release may not have its name. @param hasDemo whether the stack has the demo application. */
export function takenRelease({ namespace, ...chart }: ReleaseNames, hasDemo: boolean): Taken | undefined {
  const name = releaseName(chart);
  const remedy = "give the chart's release another name with release";
  if (name === GIT_REPOSITORY)
    return { problem: `is the name of Flux itself, and of its GitRepository ${FLUX_NAMESPACE}/${name}`, remedy };
  if (name === HELM_REPOSITORY)
    return { problem: `is the name of the HelmRepository ${FLUX_NAMESPACE}/${name}, which the program writes`, remedy };
  if (hasDemo && name === DEMO && namespace === DEMO)
    return {
      problem: `is the name of the demo application, which is in namespace ${DEMO} too`,
      remedy: "choose another namespace, or leave aks-gitops:demo out",
    };
  return undefined;
}

/**
 * Why a secret may not have its name: Flux's sign-in, whoever brings Flux.
 * @param configuration the extension's; what it does not say is as where there is none.
 */
export function takenSecret({ name, namespace }: Named, configuration: Named = {}): Taken | undefined {
  const own = { name: configuration.name ?? CONFIGURATION.name, namespace: configuration.namespace ?? FLUX_NAMESPACE };
  const signIns = [`${FLUX_NAMESPACE}/${gitSecret("bootstrap")}`, `${own.namespace}/${gitSecret("extension", own)}`];
  return name !== undefined && signIns.includes(`${namespace}/${name}`)
    ? {
        problem: `is the name of the secret ${namespace}/${name}, with which Flux signs in to the repository`,
        remedy: "choose another name",
      }
    : undefined;
}

interface SecretNames extends Named {
  readonly generate?: readonly (string | undefined)[] | undefined;
}

/**
 * Whether the program's resources for two secrets have a name in common: it is put together of namespace, name and, for a
 * random value, key, with hyphens between them. The same secret twice is another fault.
 */
export function shareResources(one: SecretNames, other: SecretNames): boolean {
  if (one.namespace === other.namespace && one.name === other.name) return false;
  const own = ({ namespace, name }: SecretNames) => `${namespace}-${name}`;
  const values = (secret: SecretNames) => (secret.generate ?? []).map((key) => `${own(secret)}-${key}`);
  const all = new Set(values(one));
  return own(one) === own(other) || values(other).some((name) => all.has(name));
}
