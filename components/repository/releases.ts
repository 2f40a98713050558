import type { LockedChart } from "../../mirror/lock.ts";
import { isMap } from "../../net/values.ts";
import { CONFIGURATION, HELM_REPOSITORY } from "./names.ts";
import { type Manifest, toYaml } from "./yaml.ts";

/** A chart in the registry and how it is released. */
export interface Release {
  /** The chart's name, the release's and its objects' too. */
  readonly name: string;
  readonly version: string;
  /** `sha256:<hex>` of the chart's OCI manifest. */
  readonly digest: string;
  /** The namespace of what it installs. */
  readonly namespace: string;
  readonly values: Manifest;
  /** Images that no value reaches, replaced after rendering. */
  readonly postRender: LockedChart["postRender"];
}

export interface ReleaseOptions {
  /** The registry that the charts were mirrored into. */
  readonly loginServer: string;
  /** A Secret of Flux's namespace whose user name and password pull; default: Flux's own identity pulls. */
  readonly pullSecret?: string | undefined;
  /** The namespace of Flux's objects; default: Flux's own. */
  readonly namespace?: string | undefined;
}

/**
 * The files of releases: where Flux gets the charts, and what it does with them.
 * @returns text by path, below the stack's infrastructure folder.
 */
export function releaseFiles(releases: readonly Release[], options: ReleaseOptions): Record<string, string> {
  const { loginServer, pullSecret, namespace = CONFIGURATION.namespace } = options;
  const files: Record<string, string> = {};
  if (pullSecret !== undefined && releases.length > 0)
    files[`sources/${HELM_REPOSITORY}.yaml`] = toYaml(helmRepository(loginServer, pullSecret, namespace));
  for (const release of releases) {
    if (pullSecret === undefined)
      files[`sources/${release.name}.yaml`] = toYaml(source(release, loginServer, namespace));
    const chart = pullSecret === undefined ? chartOfSource(release) : chartOfRepository(release);
    files[`releases/${release.name}.yaml`] = toYaml(helmRelease(release, chart, namespace));
  }
  return files;
}

function helmRepository(loginServer: string, pullSecret: string, namespace: string): Manifest {
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "HelmRepository",
    metadata: { name: HELM_REPOSITORY, namespace },
    spec: { type: "oci", interval: "10m0s", url: `oci://${loginServer}/charts`, secretRef: { name: pullSecret } },
  };
}

const chartOfSource = ({ name }: Release) => ({ chartRef: { kind: "OCIRepository", name } });

function chartOfRepository({ name, version }: Release) {
  const sourceRef = { kind: "HelmRepository", name: HELM_REPOSITORY };
  return { chart: { spec: { chart: name, version, interval: "10m0s", sourceRef } } };
}

function source({ name, version, digest }: Release, loginServer: string, namespace: string): Manifest {
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "OCIRepository",
    metadata: { name, namespace },
    spec: {
      interval: "10m0s",
      url: `oci://${loginServer}/charts/${name}`,
      // The source-controller's own identity; so no password has to be kept or rotated.
      provider: "azure",
      // The digest decides; the tag, in which helm writes _ for +, tells people which version it is.
      ref: { tag: version.replaceAll("+", "_"), digest },
      layerSelector: { mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", operation: "copy" },
    },
  };
}

function helmRelease(release: Release, chart: Manifest, besideSource: string): Manifest {
  const { name, namespace, values, postRender } = release;
  const remediation = { remediation: { retries: 3 } };
  const images = postRender.map((image) => ({ ...image }));
  return {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    // Beside its source; multi-tenancy allows no reference into another namespace.
    metadata: { name, namespace: besideSource },
    spec: {
      interval: "30m0s",
      timeout: "10m0s",
      ...chart,
      releaseName: name,
      targetNamespace: namespace,
      // So that `helm list --namespace` finds it where it runs.
      storageNamespace: namespace,
      install: remediation,
      upgrade: remediation,
      ...(Object.keys(values).length > 0 ? { values } : {}),
      ...(images.length > 0 ? { postRenderers: [{ kustomize: { images } }] } : {}),
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
