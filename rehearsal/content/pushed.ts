// What a company's own pipelines have pushed into the stack's registry: the charts that the settings release from there, and
// the image that each runs.
import { stringify } from "yaml";
import { chartManifest } from "../../net/chartManifest.ts";
import { ownPath } from "../../net/registry/ownRegistry.ts";
import { isExact, satisfies } from "../../net/versionRange.ts";
import type { ChartSetting } from "../../settings/settings.ts";
import { MEDIA } from "../cloud/registry/protocol.ts";
import type { UpstreamImage } from "../cloud/registry/upstream.ts";
import { gzip, tar } from "./archive.ts";
import { CREATED, imageContent } from "./image.ts";

type Pushed = Pick<ChartSetting, "name" | "repository" | "version">;

/**
 * Charts and images as they are in a registry when the pipelines have run: of each chart its version, or the lowest of its
 * range.
 * @throws Error for a range that does not say which version could be its lowest.
 */
export async function pushedContent(charts: readonly Pushed[], loginServer: string): Promise<UpstreamImage[]> {
  const own = charts.flatMap((chart) => {
    const path = ownPath(chart.repository);
    return path === undefined ? [] : [{ name: chart.name, path, version: lowestOf(chart) }];
  });
  const artifacts = own.map(async ({ name, path, version }): Promise<UpstreamImage> => {
    const tgz = standIn(name, version, loginServer);
    const { manifest, config } = await chartManifest(tgz, CREATED);
    return {
      registry: loginServer,
      repository: path === "" ? name : `${path}/${name}`,
      tags: [version.replaceAll("+", "_")],
      blobs: [config, tgz],
      manifests: [{ mediaType: MEDIA.ociManifest, body: manifest }],
    };
  });
  const images = own.map(({ name, version }) => imageContent(`${loginServer}/${name}:${tagOf(version)}`));
  return [...images, ...(await Promise.all(artifacts))];
}

function lowestOf({ name, version }: Pushed): string {
  if (isExact(version)) return version;
  const numbers = /\d+(\.\d+)*/.exec(version)?.[0] ?? "0";
  const lowest = `${numbers}.0.0`.split(".").slice(0, 3).join(".");
  if (satisfies(lowest, version)) return lowest;
  throw new Error(
    `The rehearsal cannot tell which version of the chart ${name} a pipeline would have pushed: ${lowest} is not within ` +
      `${version} (aks-gitops:charts). Write a range that begins with its lowest version, such as ~6.1 or >=6 <7.`,
  );
}

/** The image's tag: a build's number where the chart's version is made of it, as in 158.0.0. */
const tagOf = (version: string) => version.replace(/\.0\.0$/, "").replaceAll("+", "_");

/** A small application's chart, as `helm create` begins one. */
function standIn(name: string, version: string, loginServer: string): Buffer {
  const files = {
    "Chart.yaml": stringify({ apiVersion: "v2", type: "application", name, version, appVersion: tagOf(version) }),
    "values.yaml": stringify({
      replicaCount: 1,
      image: { repository: `${loginServer}/${name}`, tag: "" },
      imagePullSecrets: [],
    }),
    "templates/deployment.yaml": DEPLOYMENT,
    "templates/service.yaml": SERVICE,
  };
  return gzip(tar(Object.entries(files).map(([path, text]) => ({ path: `${name}/${path}`, body: Buffer.from(text) }))));
}

const LABELS = "{ app.kubernetes.io/name: {{ .Chart.Name }}, app.kubernetes.io/instance: {{ .Release.Name }} }";

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: ${LABELS}
spec:
  replicas: {{ .Values.replicaCount }}
  selector:
    matchLabels: ${LABELS}
  template:
    metadata:
      labels: ${LABELS}
    spec:
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets: {{ toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          ports: [{ name: http, containerPort: 8080 }]
`;

const SERVICE = `apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: ${LABELS}
  ports: [{ name: http, port: 80, targetPort: http }]
`;
