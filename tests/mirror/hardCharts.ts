// Made charts, each with one of the structures that keep images from being found or moved.
import { stringify } from "yaml";
import { deployment, packChart } from "./charts.ts";

export interface HardChart {
  readonly name: string;
  readonly tgz: Buffer;
  readonly values?: Record<string, unknown>;
  /** All images that it may run. */
  readonly images: readonly string[];
}

const configMap = (name: string, data: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata:\n${data.replace(/^/gm, "  ")}\n`;

const job = (image: string, { name = "job", annotations = "" } = {}) => `apiVersion: batch/v1
kind: Job
metadata: {name: ${name}, annotations: {${annotations}}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: ${image}}]}}}
`;

const registryOf = (image: string) =>
  `{{ .Values.global.imageRegistry | default .Values.${image}.registry | default "docker.io" }}/{{ .Values.${image}.repository }}:{{ .Values.${image}.tag }}`;

const sub = packChart(
  { enabled: true, image: { registry: "quay.io", repository: "acme/sub", tag: "7" } },
  {
    "a.yaml": deployment(
      "{{ .Values.global.imageRegistry | default .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}",
      { name: "{{ .Chart.Name }}" },
    ),
  },
  { name: "sub" },
);

export const HARD_CHARTS: readonly HardChart[] = [
  {
    name: "a name in the template and a digest as the only value",
    tgz: packChart(
      { digest: "" },
      { "a.yaml": deployment("ghcr.io/acme/fixed{{ with .Values.digest }}@{{ . }}{{ else }}:1.0{{ end }}") },
    ),
    images: ["ghcr.io/acme/fixed:1.0"],
  },
  {
    name: "a checksum in the same line of JSON",
    tgz: packChart(
      { agent: { image: "quay.io/acme/agent:3" } },
      {
        "a.yaml": configMap(
          "agents",
          `agents.json: {{ dict "sum" (sha256sum (toJson .Values.agent)) "agent" .Values.agent.image "more" "x" | toJson | squote }}`,
        ),
      },
    ),
    images: ["quay.io/acme/agent:3"],
  },
  {
    name: "texts, arguments and resources that no value reaches",
    tgz: packChart(
      {},
      {
        "a.yaml": deployment("ghcr.io/acme/tool:1", { more: 'args: ["--helper-image=ghcr.io/acme/helper:2"]' }),
        "b.yaml": configMap(
          "pods",
          "pod.yaml: |\n  containers:\n    - image: busybox:1.28\n    - image: quay.io/acme/b:1",
        ),
        "c.yaml":
          "apiVersion: acme.example/v1\nkind: Proxy\nmetadata: {name: proxy}\nspec: {image: {repository: ghcr.io/acme/proxy, tag: '4'}}\n",
      },
    ),
    images: [
      "docker.io/library/busybox:1.28",
      "ghcr.io/acme/helper:2",
      "ghcr.io/acme/proxy:4",
      "ghcr.io/acme/tool:1",
      "quay.io/acme/b:1",
    ],
  },
  {
    name: "names, certificates and times that are made up anew each time",
    tgz: packChart(
      { image: { repository: "ghcr.io/acme/setup", tag: "1" } },
      {
        "a.yaml": job("{{ .Values.image.repository }}:{{ .Values.image.tag }}", {
          name: "setup-{{ randAlphaNum 5 | lower }}",
          annotations: "helm.sh/hook: pre-install",
        }),
        "b.yaml": `apiVersion: v1\nkind: Secret\nmetadata: {name: made}\ndata: {password: "{{ randAlphaNum 20 | b64enc }}"}\n`,
        "c.yaml": configMap(
          "clock",
          `text: |\n  made: {{ now | date "150405.000000" }}\n  image: {{ .Values.image.repository }}:{{ .Values.image.tag }}`,
        ),
      },
    ),
    images: ["ghcr.io/acme/setup:1"],
  },
  {
    name: "one image under two versions",
    tgz: packChart(
      {},
      {
        "a.yaml": deployment("ghcr.io/acme/tool:1", { name: "one" }),
        "b.yaml": deployment("ghcr.io/acme/tool:2", { name: "two" }),
      },
    ),
    images: ["ghcr.io/acme/tool:1", "ghcr.io/acme/tool:2"],
  },
  {
    name: "hub, variant and a word that is filled in at run time",
    tgz: packChart(
      { global: { hub: "docker.io/mesh", tag: "1.2", variant: "slim" }, pilot: { hub: "", image: "pilot" } },
      {
        "a.yaml": deployment(
          `"{{ .Values.pilot.hub | default .Values.global.hub }}/{{ .Values.pilot.image }}:{{ .Values.global.tag }}{{ with .Values.global.variant }}-{{ . }}{{ end }}"`,
        ),
        "b.yaml": deployment("auto", { name: "gateway" }),
      },
    ),
    images: ["docker.io/mesh/pilot:1.2-slim"],
  },
  {
    name: "repository and tag as keys of a program's settings",
    tgz: packChart(
      { scanner: { image: { registry: "ghcr.io", repository: "acme/scanner", tag: "0.60.0" } } },
      {
        "a.yaml": configMap(
          "scanner",
          `scanner.repository: "{{ .Values.scanner.image.registry }}/{{ .Values.scanner.image.repository }}"\nscanner.tag: "{{ .Values.scanner.image.tag }}"\nscanner.timeout: 5m`,
        ),
      },
    ),
    images: ["ghcr.io/acme/scanner:0.60.0"],
  },
  {
    name: "a registry for all over each image's own",
    tgz: packChart(
      {
        global: { imageRegistry: "" },
        one: { registry: "ghcr.io", repository: "acme/one", tag: "1" },
        two: { registry: "quay.io", repository: "acme/two", tag: "2" },
        three: { registry: "", repository: "acme/three", tag: "3" },
      },
      {
        "a.yaml": deployment(registryOf("one"), { name: "one" }),
        "b.yaml": deployment(registryOf("two"), { name: "two" }),
        "c.yaml": deployment(registryOf("three"), { name: "three" }),
      },
    ),
    images: ["docker.io/acme/three:3", "ghcr.io/acme/one:1", "quay.io/acme/two:2"],
  },
  {
    name: "a subchart twice, by other names, one of them off",
    tgz: packChart(
      { global: { imageRegistry: "" }, second: { enabled: false } },
      { "a.yaml": deployment("ghcr.io/acme/main:1", { name: "main" }) },
      {
        meta: {
          dependencies: [
            { name: "sub", alias: "first", version: "1.0.0", condition: "first.enabled" },
            { name: "sub", alias: "second", version: "1.0.0", condition: "second.enabled" },
          ],
        },
        files: { "charts/sub-1.0.0.tgz": sub },
      },
    ),
    images: ["ghcr.io/acme/main:1", "quay.io/acme/sub:7"],
  },
  {
    name: "another tag for each minor version",
    tgz: packChart(
      {},
      {
        "a.yaml": deployment(
          `"registry.k8s.io/scaler:v1.{{ int .Capabilities.KubeVersion.Minor }}{{ if eq .Capabilities.KubeVersion.Minor "35" }}-fix{{ end }}"`,
        ),
      },
    ),
    images: ["34", "35-fix", "36", "37"].map((minor) => `registry.k8s.io/scaler:v1.${minor}`),
  },
  {
    name: "containers that come and go with an API",
    tgz: packChart(
      { cert: { image: "ghcr.io/acme/certgen:1" }, exporter: "quay.io/acme/exporter:2" },
      {
        "a.yaml": `{{ if .Capabilities.APIVersions.Has "cert-manager.io/v1" }}\n${deployment("{{ .Values.exporter }}", { name: "exporter" })}{{ else }}\n${job("{{ .Values.cert.image }}", { name: "certgen", annotations: "helm.sh/hook: pre-install" })}{{ end }}`,
        "b.yaml": `{{ if .Capabilities.APIVersions.Has "cilium.io/v2/CiliumNetworkPolicy" }}\n${deployment("ghcr.io/acme/policy:3", { name: "policy" })}{{ end }}`,
      },
    ),
    images: ["ghcr.io/acme/certgen:1", "ghcr.io/acme/policy:3", "quay.io/acme/exporter:2"],
  },
  {
    name: "a hook of upgrades, a list of objects, a Secret's text",
    tgz: packChart(
      { migrate: { image: { repository: "ghcr.io/acme/migrate", tag: "1" } }, alert: "quay.io/acme/alert:1" },
      {
        "a.yaml": `{{ if .Release.IsUpgrade }}\n${job("{{ .Values.migrate.image.repository }}:{{ .Values.migrate.image.tag }}", { annotations: "helm.sh/hook: pre-upgrade" })}{{ end }}`,
        "b.yaml": `apiVersion: v1\nkind: List\nitems:\n  - ${deployment("ghcr.io/acme/listed:1", { name: "listed" }).trimEnd().replaceAll("\n", "\n    ")}\n`,
        "c.yaml": `apiVersion: v1\nkind: Secret\nmetadata: {name: settings}\ndata:\n  settings.yaml: {{ printf "image: %s\\nmore: 1\\n" .Values.alert | b64enc }}\n`,
      },
    ),
    images: ["ghcr.io/acme/listed:1", "ghcr.io/acme/migrate:1", "quay.io/acme/alert:1"],
  },
  {
    name: "an override and a digest that is there already",
    tgz: packChart(
      {
        image: {
          override: null,
          repository: "quay.io/acme/agent",
          tag: "v1.17",
          digest: `sha256:${"7".repeat(64)}`,
          useDigest: true,
        },
      },
      {
        "a.yaml": deployment(
          `"{{ if .Values.image.override }}{{ .Values.image.override }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag }}{{ if .Values.image.useDigest }}@{{ .Values.image.digest }}{{ end }}{{ end }}"`,
        ),
      },
    ),
    images: ["quay.io/acme/agent:v1.17"],
  },
  {
    name: "containers as a text among the values",
    tgz: packChart(
      { extra: "- name: extra\n  image: quay.io/acme/extra:1\n" },
      { "a.yaml": `${deployment("ghcr.io/acme/tool:1")}{{ tpl .Values.extra . | indent 8 }}\n` },
    ),
    images: ["ghcr.io/acme/tool:1", "quay.io/acme/extra:1"],
  },
  {
    name: "short names under keys that are named for images, in the settings of a program",
    tgz: packChart(
      { bus: { versions: [{ version: "2", busImage: "streams:2.1", "exporter-image": "acme/exporter:0.9" }] } },
      {
        "a.yaml": configMap(
          "controller",
          `controller.yaml: |\n  bus:\n    versions:\n{{ toYaml .Values.bus.versions | indent 6 }}\n  start: /run\n` +
            `controller.env: |\n  POD_IMAGE=busybox:1.36\n  LISTEN=local:80\n  imagePullPolicy: Always`,
        ),
      },
    ),
    images: ["docker.io/acme/exporter:0.9", "docker.io/library/busybox:1.36", "docker.io/library/streams:2.1"],
  },
  {
    name: "a tag that is compared as a version beside one that is not",
    tgz: packChart(
      {
        one: { repository: "ghcr.io/acme/one", tag: "1.4.0" },
        two: { repository: "ghcr.io/acme/two", tag: "2.0.0" },
      },
      {
        "a.yaml": `{{ if semverCompare "<1.0.0" .Values.one.tag }}{{ fail "too old" }}{{ end }}\n${deployment("{{ .Values.one.repository }}:{{ .Values.one.tag }}", { name: "one" })}`,
        "b.yaml": deployment("{{ .Values.two.repository }}:{{ .Values.two.tag }}", { name: "two" }),
      },
    ),
    images: ["ghcr.io/acme/one:1.4.0", "ghcr.io/acme/two:2.0.0"],
  },
];

/** A chart of several subcharts, each with images of its own and many values besides. */
export function umbrella(count: number): Buffer {
  const one = (index: number) => {
    const values = {
      replicas: 1,
      image: { registry: "ghcr.io", repository: `acme/app${index}`, tag: `${index}.0.0`, pullPolicy: "Always" },
      sidecar: { image: { repository: `quay.io/acme/sidecar${index}`, tag: "1.0.0", digest: "" } },
      metrics: { enabled: false, image: { registry: "quay.io", repository: `acme/metrics${index}`, tag: "3" } },
    };
    const { image, sidecar } = { image: ".Values.image", sidecar: ".Values.sidecar.image" };
    const name = `app${index}`;
    return packChart(
      values,
      {
        "a.yaml": deployment(
          `"{{ .Values.global.imageRegistry | default ${image}.registry }}/{{ ${image}.repository }}:{{ ${image}.tag }}"`,
          { name, more: "" },
        ),
        "b.yaml": deployment(
          `"{{ ${sidecar}.repository }}{{ if ${sidecar}.digest }}@{{ ${sidecar}.digest }}{{ else }}:{{ ${sidecar}.tag }}{{ end }}"`,
          { name: `${name}-sidecar` },
        ),
        "c.yaml": `{{ if .Values.metrics.enabled }}\n${deployment("{{ .Values.metrics.image.registry }}/{{ .Values.metrics.image.repository }}:{{ .Values.metrics.image.tag }}", { name: `${name}-metrics` })}{{ end }}`,
      },
      { name },
    );
  };
  const numbers = Array.from({ length: count }, (_, index) => index);
  return packChart(
    { global: { imageRegistry: "" } },
    {},
    {
      name: "umbrella",
      files: Object.fromEntries(numbers.map((index) => [`charts/app${index}-1.0.0.tgz`, one(index)])),
      meta: {
        dependencies: numbers.map((index) => ({ name: `app${index}`, version: "1.0.0" })),
        description: stringify(numbers).trim(),
      },
    },
  );
}
