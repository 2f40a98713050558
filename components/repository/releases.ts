import type { LockedChart } from "../../mirror/lock.ts";
import { postRenderers } from "../../mirror/postRenderers.ts";
import { isMap } from "../../net/values.ts";
import { RELEASE } from "../defaults.ts";
import type { ObjectSelector } from "./kustomizations.ts";
import { CONFIGURATION, HELM_REPOSITORY } from "./names.ts";
import { type Manifest, toYaml } from "./yaml.ts";

/** An object of Flux's namespace that holds values of a chart. */
export interface ValuesReference {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  /** The key that holds them. @default "values.yaml" */
  readonly valuesKey?: string | undefined;
  /** The one value that they are, as `helm --set` names it. @default none: the key holds a YAML map of values */
  readonly targetPath?: string | undefined;
  /** Whether it may be missing. @default false */
  readonly optional?: boolean | undefined;
}

/** What Helm does with a chart's CustomResourceDefinitions. */
export type CrdsPolicy = "Skip" | "Create" | "CreateReplace";

/** What follows a failed install or upgrade. */
export interface Remediation {
  /** How often it is tried again; -1: without end. @default 3 */
  readonly retries?: number | undefined;
  /** Whether what the last try left is put right too. @default Flux's own: true for an upgrade, false for an install */
  readonly remediateLastFailure?: boolean | undefined;
}

/** How a release is installed. */
export interface InstallPolicy {
  /** Whether Helm makes the namespace, and nobody removes it; false: the program makes it, and removes it. @default false */
  readonly createNamespace?: boolean | undefined;
  /** @default Flux's own: Create */
  readonly crds?: CrdsPolicy | undefined;
  readonly remediation?: Remediation | undefined;
}

/** How a release is upgraded. */
export interface UpgradePolicy {
  /** @default Flux's own: Skip */
  readonly crds?: CrdsPolicy | undefined;
  /** Whether objects that a failed upgrade made go again. @default false */
  readonly cleanupOnFail?: boolean | undefined;
  readonly remediation?:
    | (Remediation & {
        /** @default Flux's own: rollback */
        readonly strategy?: "rollback" | "uninstall" | undefined;
      })
    | undefined;
}

/** What becomes of changes that somebody made in the cluster. */
export interface DriftDetection {
  /** enabled: they are told and undone; warn: they are told. */
  readonly mode: "enabled" | "warn" | "disabled";
  /** What somebody else may change. @default none */
  readonly ignore?:
    | readonly {
        /** JSON pointers, such as `/spec/replicas`. */
        readonly paths: readonly string[];
        /** Which objects. @default all of the release */
        readonly target?: ObjectSelector | undefined;
      }[]
    | undefined;
}

/** How a chart is released, in the words of Flux (https://fluxcd.io/flux/components/helm/helmreleases/). */
export interface ReleasePolicy {
  /** Releases of the stack that have to be Ready first, by name. @default none */
  readonly dependsOn?: readonly string[] | undefined;
  /** How often the release is looked at, as Flux writes a duration. @default "30m0s" */
  readonly interval?: string | undefined;
  /** How long an action of Helm may take. @default "10m0s" */
  readonly timeout?: string | undefined;
  /** Whether Flux leaves it alone. @default false */
  readonly suspend?: boolean | undefined;
  /** The service account of Flux's namespace that it acts as. @default none: Flux's own */
  readonly serviceAccountName?: string | undefined;
  /** Further values, each over the ones before; `values` is over all. @default none */
  readonly valuesFrom?: readonly ValuesReference[] | undefined;
  readonly install?: InstallPolicy | undefined;
  readonly upgrade?: UpgradePolicy | undefined;
  /**
   * The Secret of Flux's namespace with the public keys of cosign (`<name>.pub`), of which one has to have signed the chart.
   * @default none: the digest decides
   */
  readonly verify?: string | undefined;
  /** @default none: changes in the cluster stay until the next upgrade */
  readonly driftDetection?: DriftDetection | undefined;
}

/** Where a chart is in the registry: one that was mirrored, by its digest, or one that somebody else pushed there. */
export interface ChartPlace {
  /** The chart's name. */
  readonly name: string;
  /** The path in the registry that it is below: `charts` for those that were mirrored. */
  readonly path: string;
  /** One exact version, or the range that is followed. */
  readonly version: string;
  /** `sha256:<hex>` of the chart's OCI manifest; none where somebody else pushes it. */
  readonly digest?: string | undefined;
  /** Whether Flux takes the highest version within the range. */
  readonly follow?: boolean | undefined;
}

/** A chart in the registry and how it is released. */
export interface Release extends ReleasePolicy {
  /** Its name, Helm's and that of its objects. */
  readonly name: string;
  readonly chart: ChartPlace;
  /** The namespace of what it installs. */
  readonly namespace: string;
  readonly values: Manifest;
  /** Images that no value reaches, replaced after rendering. */
  readonly postRender: LockedChart["postRender"];
  /** Texts that no value reaches, replaced after rendering. @default none */
  readonly patches?: LockedChart["patches"];
}

export interface ReleaseOptions {
  /** The registry that the charts are in. */
  readonly loginServer: string;
  /** A Secret of Flux's namespace whose user name and password pull; default: Flux's own identity pulls. */
  readonly pullSecret?: string | undefined;
  /** The namespace of Flux's objects; default: Flux's own. */
  readonly namespace?: string | undefined;
}

/** The path of the mirrored charts in the registry. */
const MIRRORED = "charts";

/** Where a chart of the lock is in the registry. */
export function mirroredPlace({ name, version, manifest }: LockedChart): ChartPlace {
  return { name, path: MIRRORED, version, digest: manifest };
}

/**
 * The files of releases: where Flux gets the charts, and what it does with them.
 * @returns text by path, below the stack's infrastructure folder.
 */
export function releaseFiles(releases: readonly Release[], options: ReleaseOptions): Record<string, string> {
  const { loginServer, pullSecret, namespace = CONFIGURATION.namespace } = options;
  const files: Record<string, string> = {};
  for (const release of releases) {
    const source =
      pullSecret === undefined
        ? ociRepository(release, loginServer, namespace)
        : helmRepository(release, loginServer, pullSecret, namespace);
    files[`sources/${source.metadata.name}.yaml`] = toYaml(source);
    const chart = pullSecret === undefined ? chartOfSource(release) : chartOfRepository(release);
    files[`releases/${release.name}.yaml`] = toYaml(helmRelease(release, chart, namespace));
  }
  return files;
}

/** The mirrored charts have one HelmRepository together. */
const repositoryName = ({ name, chart }: Release) => (chart.digest === undefined ? name : HELM_REPOSITORY);

const address = (loginServer: string, ...path: string[]) =>
  `oci://${[loginServer, ...path].filter((part) => part !== "").join("/")}`;

function helmRepository(release: Release, loginServer: string, pullSecret: string, namespace: string) {
  const url = address(loginServer, release.chart.path);
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "HelmRepository",
    metadata: { name: repositoryName(release), namespace },
    spec: { type: "oci", interval: "10m0s", url, secretRef: { name: pullSecret } },
  };
}

const chartOfSource = ({ name }: Release) => ({ chartRef: { kind: "OCIRepository", name } });

function chartOfRepository(release: Release) {
  const { name, version } = release.chart;
  const sourceRef = { kind: "HelmRepository", name: repositoryName(release) };
  const verify = verifyOf(release);
  return { chart: { spec: { chart: name, version, interval: "10m0s", sourceRef, ...(verify && { verify }) } } };
}

const verifyOf = ({ verify }: Release) =>
  verify === undefined ? undefined : { provider: "cosign", secretRef: { name: verify } };

function ociRepository(release: Release, loginServer: string, namespace: string) {
  const { name, chart } = release;
  const { version, digest } = chart;
  const verify = verifyOf(release);
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "OCIRepository",
    metadata: { name, namespace },
    spec: {
      interval: "10m0s",
      url: address(loginServer, chart.path, chart.name),
      // The source-controller's own identity; so no password has to be kept or rotated.
      provider: "azure",
      // The digest decides; the tag, in which helm writes _ for +, tells people which version it is.
      ref: chart.follow ? { semver: version } : { tag: version.replaceAll("+", "_"), digest },
      layerSelector: { mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", operation: "copy" },
      ...(verify && { verify }),
    },
  };
}

function helmRelease(release: Release, chart: Manifest, besideSource: string): Manifest {
  const { name, namespace, values, postRender, patches, ...policy } = release;
  const { dependsOn = [], valuesFrom = [], install, upgrade } = policy;
  const renderers = postRenderers(postRender, patches);
  return {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    // Beside its source; multi-tenancy allows no reference into another namespace.
    metadata: { name, namespace: besideSource },
    // What is undefined is left out.
    spec: {
      interval: policy.interval ?? RELEASE.interval,
      timeout: policy.timeout ?? RELEASE.timeout,
      ...chart,
      releaseName: name,
      targetNamespace: namespace,
      // So that `helm list --namespace` finds it where it runs.
      storageNamespace: namespace,
      install: { ...install, remediation: { retries: RELEASE.retries, ...install?.remediation } },
      upgrade: { ...upgrade, remediation: { retries: RELEASE.retries, ...upgrade?.remediation } },
      dependsOn: dependsOn.length > 0 ? dependsOn.map((each) => ({ name: each })) : undefined,
      suspend: policy.suspend || undefined,
      serviceAccountName: policy.serviceAccountName,
      driftDetection: policy.driftDetection,
      valuesFrom: valuesFrom.length > 0 ? valuesFrom : undefined,
      ...(Object.keys(values).length > 0 ? { values } : {}),
      ...(renderers.length > 0 ? { postRenderers: renderers } : {}),
    },
  };
}

/** Values with others laid over them: maps are merged, everything else is replaced. */
export function overlay(below: Manifest, above: Manifest): Manifest {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const under = merged[key];
    merged[key] = isMap(under) && isMap(value) ? overlay(under, value) : value;
  }
  return merged;
}
