// The clusters that a chart may meet. Its templates can ask for a cluster's version and APIs, so it is rendered for each
// of those that make a difference.
import { isPatch } from "../net/kubernetesVersion.ts";
import { satisfies } from "../net/versionRange.ts";
import { SOURCE, VERSIONS } from "../settings/kubernetesVersions.ts";
import type { ChartContents } from "./chart.ts";

/** A cluster as a chart's templates see it. */
export interface World {
  /** Its Kubernetes version: `1.34.0`. */
  readonly kube: string;
  /** APIs beside those of Kubernetes itself. */
  readonly apis: readonly string[];
  /** Whether the release is there already. */
  readonly upgrade: boolean;
}

const SUPPORTED = VERSIONS.filter(({ end }) => end >= `${SOURCE.read}-01`).map(({ minor }) => `1.${minor}.0`);

/** The Kubernetes versions that AKS supports, each by its first patch, the lowest first. */
export const KUBE_VERSIONS: readonly string[] = SUPPORTED;

/**
 * What every cluster of this program serves beside Kubernetes' own: Cilium's dataplane, the disks' snapshots, the metrics
 * server, Azure Policy's Gatekeeper, Flux.
 */
export const SERVED_APIS: readonly string[] = [
  ...kinds("cilium.io/v2", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "CiliumEndpoint", "CiliumNode"),
  ...kinds("snapshot.storage.k8s.io/v1", "VolumeSnapshot", "VolumeSnapshotClass", "VolumeSnapshotContent"),
  ...kinds("metrics.k8s.io/v1beta1", "PodMetrics", "NodeMetrics"),
  ...kinds("templates.gatekeeper.sh/v1", "ConstraintTemplate"),
  ...kinds("config.gatekeeper.sh/v1alpha1", "Config"),
  ...kinds("source.toolkit.fluxcd.io/v1", "GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket"),
  ...kinds("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
  ...kinds("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
  ...kinds("notification.toolkit.fluxcd.io/v1", "Receiver"),
  ...kinds("notification.toolkit.fluxcd.io/v1beta3", "Alert", "Provider"),
];

function kinds(version: string, ...names: string[]): string[] {
  return [version, ...names.map((name) => `${version}/${name}`)];
}

/** What is known of the cluster. */
export interface ClusterFacts {
  /** Its Kubernetes version: a minor, which stands for all of its patches, or a patch. @default any that AKS supports */
  readonly kubeVersion?: string | undefined;
  /** APIs that it serves beside those of every cluster of this program. @default none are known */
  readonly apis?: readonly string[] | undefined;
}

/** The clusters to render a chart for: the first is the one that values are found in. */
export function worldsOf(chart: ChartContents, { kubeVersion, apis = [] }: ClusterFacts): World[] {
  const known = [...SERVED_APIS, ...apis];
  const asked = askedApis(chart.templates).filter((api) => !known.includes(api));
  const versions = dependingVersions(chart, kubeVersion);
  const worlds = versions.flatMap((kube) => [
    ...(asked.length > 0 ? [{ kube, apis: [...known, ...asked], upgrade: false }] : []),
    { kube, apis: known, upgrade: false },
  ]);
  const [first] = worlds;
  const upgrade =
    /\.Release\.Is(Upgrade|Install)\b/.test(chart.templates) && first ? [{ ...first, upgrade: true }] : [];
  return [...worlds, ...upgrade];
}

/** The versions between the lowest and the highest; none where the cluster's is known. */
export function versionsBetween({ kubeVersion }: ClusterFacts): readonly string[] {
  return kubeVersion === undefined ? KUBE_VERSIONS.slice(1, -1) : [];
}

/** Whether a chart may render other objects for another version of Kubernetes. */
export function dependsOnKubernetes({ templates, limitsKubernetes }: ChartContents): boolean {
  return limitsKubernetes || asksForVersion(templates, KUBE_VERSIONS);
}

/** The APIs beyond Kubernetes' own that templates ask a cluster for. */
export function askedApis(templates: string): string[] {
  const found = new Set<string>();
  if (!templates.includes("APIVersions")) return [];
  for (const [, api = ""] of templates.matchAll(
    /["`]([a-z0-9.-]+\.[a-z]{2,}\/v\d+(?:(?:alpha|beta)\d+)?(?:\/[A-Z]\w*)?)["`]/g,
  )) {
    // Helm knows Kubernetes' own; and AKS is no OpenShift.
    if (!OWN_GROUPS.test(api) && !/\.openshift\.io\//.test(api)) found.add(api);
  }
  return [...found].sort();
}

const OWN_GROUPS =
  /^(admissionregistration|apiextensions|apiregistration|authentication|authorization|certificates|coordination|discovery|events|flowcontrol\.apiserver|networking|node|rbac\.authorization|resource|scheduling|storage|internal\.apiserver|storagemigration)\.k8s\.io\//;

/** More patches than a minor gets. */
const LAST_PATCH = 40;

/** The lowest and the highest version; one alone where the templates cannot tell them apart. */
function dependingVersions({ templates, limitsKubernetes }: ChartContents, kubeVersion: string | undefined): string[] {
  if (kubeVersion !== undefined && isPatch(kubeVersion)) return [kubeVersion];
  // Which patch a cluster has, AKS decides.
  const all = kubeVersion === undefined ? KUBE_VERSIONS : [`${kubeVersion}.0`, `${kubeVersion}.${LAST_PATCH}`];
  const [lowest, highest] = [all[0] ?? "", all.at(-1) ?? ""];
  return limitsKubernetes || asksForVersion(templates, all) ? [lowest, highest] : [lowest];
}

const COMPARISON = /semverCompare\s+"([^"]+)"\s+\(?\s*[$.]*Capabilities\.KubeVersion\.(?:Git)?Version\b/g;

function asksForVersion(templates: string, versions: readonly string[]): boolean {
  const rest = templates.replaceAll(COMPARISON, (text, range: string) => {
    const answers = new Set(versions.map((version) => answer(version, range)));
    return answers.size === 1 && !answers.has(undefined) ? "" : text;
  });
  return /KubeVersion/.test(rest);
}

function answer(version: string, range: string): boolean | undefined {
  // Whether pre-releases count is said by `-0`; none is here.
  const plain = range.replaceAll(/-0\b/g, "");
  if (!/^\s*[<>=]{1,2}\s*v?\d+(\.\d+){0,2}\s*$/.test(plain)) return undefined;
  return satisfies(version, plain.replaceAll(/\s|v/g, ""));
}
