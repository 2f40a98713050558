import { strict as assert } from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import { before, describe, it } from "mocha";
import { stringify } from "yaml";
import { type Analysis, analyseChart, planChart, RelocationError } from "../../mirror/analysis.ts";
import { readChart } from "../../mirror/chart.ts";
import { sourceOf } from "../../mirror/reference.ts";
import { RenderError } from "../../mirror/render.ts";
import { findTool } from "../../tools/findTool.ts";
import { deployment, packChart } from "./charts.ts";
import { umbrella } from "./hardCharts.ts";

const REAL_CHARTS = new URL("../../../shared/charts/", import.meta.url);
const PINNED = `sha256:${"5".repeat(64)}`;

describe("analyseChart", () => {
  let helm: string;
  before(async function () {
    // Where Helm must be built first.
    this.timeout(1_200_000);
    helm = await findTool("helm");
  });

  const analyse = (tgz: Buffer, values = {}): Promise<Analysis> =>
    analyseChart(helm, { tgz, name: "tool", namespace: "tools" }, values);
  const digest = (source: string) => `{digest:${source}}`;

  it("relocates by repository and pins the digest in the tag, a tag that the chart itself fills in too", async () => {
    const chart = packChart(
      { image: { repository: "ghcr.io/acme/tool", tag: "", pullPolicy: "Always" } },
      {
        "deployment.yaml": deployment(
          "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}",
        ),
      },
    );
    const analysis = await analyse(chart);
    assert.deepEqual(analysis.images, [{ host: "ghcr.io", repository: "acme/tool", tag: "1.4.0" }]);
    assert.deepEqual(analysis.values, {
      image: { repository: "{registry}/ghcr.io/acme/tool", tag: `1.4.0@${digest("ghcr.io/acme/tool:1.4.0")}` },
    });
    assert.deepEqual(analysis.postRender, []);
    assert.deepEqual(analysis.warnings, []);
  });

  it("finds the values' images, not the defaults', where the settings set them", async () => {
    const chart = packChart(
      { image: { repository: "ghcr.io/acme/tool", tag: "1" } },
      { "deployment.yaml": deployment("{{ .Values.image.repository }}:{{ .Values.image.tag }}") },
    );
    const analysis = await analyse(chart, { image: { repository: "quay.io/fork/tool" } });
    assert.deepEqual(analysis.images.map(sourceOf), ["quay.io/fork/tool:1"]);
    assert.deepEqual(analysis.values, {
      image: { repository: "{registry}/quay.io/fork/tool", tag: `1@${digest("quay.io/fork/tool:1")}` },
    });
  });

  it("relocates by each image's own registry where one registry for all would be wrong", async () => {
    const image = (key: string) => {
      const value = `.Values.${key}`;
      return `{{ .Values.global.registry | default ${value}.registry }}/{{ ${value}.repository }}:{{ ${value}.tag }}`;
    };
    const chart = packChart(
      {
        global: { registry: null },
        one: { registry: "ghcr.io", repository: "acme/one", tag: "1" },
        two: { registry: "quay.io", repository: "acme/two", tag: "2" },
      },
      { "one.yaml": deployment(image("one"), { name: "one" }), "two.yaml": deployment(image("two"), { name: "two" }) },
    );
    assert.deepEqual((await analyse(chart)).values, {
      one: { registry: "{registry}/ghcr.io", tag: `1@${digest("ghcr.io/acme/one:1")}` },
      two: { registry: "{registry}/quay.io", tag: `2@${digest("quay.io/acme/two:2")}` },
    });
  });

  it("uses the one registry for all where nothing else reaches the images", async () => {
    const chart = packChart(
      { imageRegistry: "" },
      {
        "one.yaml": deployment("{{ with .Values.imageRegistry }}{{ . }}/{{ end }}acme/one:1", { name: "one" }),
        "two.yaml": deployment("{{ with .Values.imageRegistry }}{{ . }}/{{ end }}acme/two:1", { name: "two" }),
      },
    );
    const analysis = await analyse(chart);
    assert.deepEqual(analysis.values, { imageRegistry: "{registry}/docker.io" });
    assert.deepEqual(analysis.postRender, [
      {
        name: "{registry}/docker.io/acme/one",
        newName: "{registry}/docker.io/acme/one",
        digest: digest("docker.io/acme/one:1"),
      },
      {
        name: "{registry}/docker.io/acme/two",
        newName: "{registry}/docker.io/acme/two",
        digest: digest("docker.io/acme/two:1"),
      },
    ]);
  });

  it("uses a value for the digest where the chart has one, written in its values or not", async () => {
    const template = deployment(
      "{{ .Values.image.repository }}:{{ .Values.image.tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}",
    );
    for (const extra of [{ digest: "" }, {}]) {
      const chart = packChart(
        { image: { repository: "ghcr.io/acme/tool", tag: "1", ...extra } },
        { "deployment.yaml": template },
      );
      assert.deepEqual((await analyse(chart)).values, {
        image: { repository: "{registry}/ghcr.io/acme/tool", digest: digest("ghcr.io/acme/tool:1") },
      });
    }
  });

  it("keeps a digest that the chart names", async () => {
    const chart = packChart(
      { image: { registry: "registry.k8s.io", image: "acme/tool", tag: "v1", digest: PINNED } },
      {
        "deployment.yaml": deployment(
          "{{ .Values.image.registry }}/{{ .Values.image.image }}:{{ .Values.image.tag }}@{{ .Values.image.digest }}",
        ),
      },
    );
    const analysis = await analyse(chart);
    assert.deepEqual(analysis.images, [
      { host: "registry.k8s.io", repository: "acme/tool", tag: "v1", digest: PINNED },
    ]);
    assert.deepEqual(analysis.values, { image: { registry: "{registry}/registry.k8s.io" } });
    assert.deepEqual(analysis.postRender, []);
  });

  it("leaves a tag alone that is also a label or an argument, and pins the digest by postRender", async () => {
    const image = "{{ .Values.image.repository }}:{{ .Values.image.tag }}";
    const expected = {
      name: "{registry}/ghcr.io/acme/tool",
      newName: "{registry}/ghcr.io/acme/tool",
      digest: digest("ghcr.io/acme/tool:1.4"),
    };
    for (const options of [
      { labels: ', version: "{{ .Values.image.tag }}"' },
      { more: 'args: ["--version={{ .Values.image.tag }}"]' },
    ]) {
      const chart = packChart(
        { image: { repository: "ghcr.io/acme/tool", tag: "1.4" } },
        { "deployment.yaml": deployment(image, options) },
      );
      const analysis = await analyse(chart);
      assert.deepEqual(analysis.values, { image: { repository: "{registry}/ghcr.io/acme/tool" } });
      assert.deepEqual(analysis.postRender, [expected]);
    }
  });

  it("leaves a tag alone that the chart compares as a version", async () => {
    const chart = packChart(
      { image: { repository: "ghcr.io/acme/tool", tag: "1.4.0" } },
      {
        "deployment.yaml": `{{ if semverCompare "<1.0.0" .Values.image.tag }}{{ fail "too old" }}{{ end }}
${deployment("{{ .Values.image.repository }}:{{ .Values.image.tag }}")}`,
      },
    );
    const analysis = await analyse(chart);
    assert.deepEqual(analysis.values, { image: { repository: "{registry}/ghcr.io/acme/tool" } });
    assert.deepEqual(
      analysis.postRender.map(({ name }) => name),
      ["{registry}/ghcr.io/acme/tool"],
    );
  });

  it("relocates what no value reaches by postRender, with the name as the chart writes it", async () => {
    const more = `initContainers: []
command: [sh]`;
    const chart = packChart({}, { "deployment.yaml": deployment("busybox:1.36", { more }) });
    const analysis = await analyse(chart);
    assert.deepEqual(analysis.images.map(sourceOf), ["docker.io/library/busybox:1.36"]);
    assert.deepEqual(analysis.values, {});
    assert.deepEqual(analysis.postRender, [
      {
        name: "busybox",
        newName: "{registry}/docker.io/library/busybox",
        digest: digest("docker.io/library/busybox:1.36"),
      },
    ]);
  });

  it("takes an image without a tag as its latest", async () => {
    const chart = packChart({ image: "nginx" }, { "deployment.yaml": deployment("{{ .Values.image }}") });
    const analysis = await analyse(chart);
    assert.deepEqual(analysis.images.map(sourceOf), ["docker.io/library/nginx:latest"]);
    assert.deepEqual(analysis.values, {
      image: `{registry}/docker.io/library/nginx@${digest("docker.io/library/nginx:latest")}`,
    });
  });

  it("finds and relocates images in arguments, environment, custom resources and texts", async () => {
    const image = "{{ .Values.repository }}:{{ .Values.tag }}";
    const chart = packChart(
      {
        repository: "ghcr.io/acme/tool",
        tag: "1",
        reloader: "quay.io/acme/reloader:2",
        related: "acme/related:3",
        proxy: { repository: "ghcr.io/acme/proxy", tag: "4" },
        template: "ghcr.io/acme/template:5",
      },
      {
        "deployment.yaml": deployment(image, {
          more: `args: ["--reloader-image={{ .Values.reloader }}"]
env: [{name: RELATED_IMAGE_X, value: "{{ .Values.related }}"}]`,
        }),
        "resource.yaml": `apiVersion: acme.example/v1
kind: Proxy
metadata: {name: proxy}
spec:
  image: {repository: "{{ .Values.proxy.repository }}", tag: "{{ .Values.proxy.tag }}"}`,
        "config.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: template}
data:
  pod.yaml: |
    containers:
      - image: {{ .Values.template }}
      - image: {{ .Values.template }}`,
      },
    );
    const analysis = await analyse(chart);
    assert.deepEqual(analysis.images.map(sourceOf).sort(), [
      "docker.io/acme/related:3",
      "ghcr.io/acme/proxy:4",
      "ghcr.io/acme/template:5",
      "ghcr.io/acme/tool:1",
      "quay.io/acme/reloader:2",
    ]);
    const pin = (name: string, tag: string) => `${tag}@${digest(`${name}:${tag}`)}`;
    assert.deepEqual(analysis.values, {
      repository: "{registry}/ghcr.io/acme/tool",
      tag: pin("ghcr.io/acme/tool", "1"),
      reloader: `{registry}/quay.io/acme/reloader:${pin("quay.io/acme/reloader", "2")}`,
      related: `{registry}/docker.io/acme/related:${pin("docker.io/acme/related", "3")}`,
      proxy: { repository: "{registry}/ghcr.io/acme/proxy", tag: pin("ghcr.io/acme/proxy", "4") },
      template: `{registry}/ghcr.io/acme/template:${pin("ghcr.io/acme/template", "5")}`,
    });
    assert.deepEqual(analysis.postRender, []);
  });

  it("repeats a whole list of which it changes one part, since Helm does not merge lists", async () => {
    const chart = packChart(
      { args: ["--verbose", "--helper-image=ghcr.io/acme/helper:1"] },
      { "deployment.yaml": deployment("busybox:1", { more: "args: {{ toJson .Values.args }}" }) },
    );
    assert.deepEqual((await analyse(chart)).values, {
      args: ["--verbose", `--helper-image={registry}/ghcr.io/acme/helper:1@${digest("ghcr.io/acme/helper:1")}`],
    });
  });

  it("relocates subcharts by their names, packed or not", async () => {
    const values = { image: { repository: "ghcr.io/acme/sub", tag: "1" } };
    const template = deployment("{{ .Values.image.repository }}:{{ .Values.image.tag }}", {
      name: "{{ .Chart.Name }}",
    });
    const chart = packChart(
      {},
      {},
      {
        files: {
          "charts/packed.tgz": packChart(values, { "a.yaml": template }, { name: "packed" }),
          "charts/plain/Chart.yaml": stringify({ apiVersion: "v2", name: "plain", version: "1.0.0" }),
          "charts/plain/values.yaml": stringify(values),
          "charts/plain/templates/a.yaml": template,
        },
      },
    );
    const image = { repository: "{registry}/ghcr.io/acme/sub", tag: `1@${digest("ghcr.io/acme/sub:1")}` };
    assert.deepEqual((await analyse(chart)).values, { packed: { image }, plain: { image } });
  });

  it("relocates subcharts of the older kind by the names that requirements.yaml gives them", async () => {
    const dependencies = [
      { name: "sub", version: "1.0.0", alias: "first" },
      { name: "sub", version: "1.0.0", alias: "second" },
    ];
    const sub = packChart(
      { image: { repository: "ghcr.io/acme/sub", tag: "1" } },
      {
        "a.yaml": deployment("{{ .Values.image.repository }}:{{ .Values.image.tag }}", { name: "{{ .Chart.Name }}" }),
      },
      { name: "sub", meta: { apiVersion: "v1" } },
    );
    const chart = packChart(
      {},
      {},
      {
        meta: { apiVersion: "v1" },
        files: { "requirements.yaml": stringify({ dependencies }), "charts/sub-1.0.0.tgz": sub },
      },
    );
    const image = { repository: "{registry}/ghcr.io/acme/sub", tag: `1@${digest("ghcr.io/acme/sub:1")}` };
    assert.deepEqual((await analyse(chart)).values, { first: { image }, second: { image } });
  });

  it("takes nothing for an image that is none", async () => {
    const chart = packChart(
      {},
      {
        "config.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: texts
  labels: {app.kubernetes.io/version: "1.2.3"}
  annotations: {prometheus.io/port: "9090", doc: "https://ghcr.io/acme/tool:1"}
data:
  url: https://example.com/path:8080/x
  address: tool.tools.svc.cluster.local:8080
  time: "12:30"
  policy: IfNotPresent
  config: |
    registry: https://ghcr.io
    upstream: http://quay.io/v2/acme/tool:1
    schema: helm.sh/v1`,
        "crd.yaml": `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tools.acme.example}
spec: {versions: [{schema: {openAPIV3Schema: {description: "such as ghcr.io/acme/tool:1"}}}]}`,
      },
    );
    assert.deepEqual(await analyse(chart), { images: [], values: {}, postRender: [], warnings: [] });
  });

  const stuck: [string, string, RegExp][] = [
    [
      "an argument of a hook",
      deployment("ghcr.io/acme/tool:1", { more: "args: [--helper-image=ghcr.io/acme/helper:1]" }).replace(
        "  labels:",
        "  annotations: {helm.sh/hook: pre-install}\n  labels:",
      ),
      /Deployment tools\/tool, spec\.template\.spec\.containers\[0\]\.args\[0\]: ghcr\.io\/acme\/helper:1/,
    ],
    [
      "a Secret, whose text belongs into no lock",
      "apiVersion: v1\nkind: Secret\nmetadata: {name: tool}\nstringData: {image: ghcr.io/acme/tool:1}\n",
      /Secret tools\/tool, stringData\.image: ghcr\.io\/acme\/tool:1 \(a Secret's text is not patched\)/,
    ],
    [
      "a hook, which Helm runs apart",
      deployment("ghcr.io/acme/tool:1").replace("  labels:", "  annotations: {helm.sh/hook: pre-install}\n  labels:"),
      /Deployment tools\/tool, spec\.template\.spec\.containers\[0\]\.image: ghcr\.io\/acme\/tool:1/,
    ],
  ];
  for (const [where, template, message] of stuck) {
    it(`names object and field of an image that cannot be relocated: ${where}`, async () => {
      await assert.rejects(analyse(packChart({}, { "deployment.yaml": template })), (error: Error) => {
        assert.ok(error instanceof RelocationError);
        assert.match(error.message, message);
        assert.match(error.message, /Set the chart's values in aks-gitops:charts/);
        return true;
      });
    });
  }

  it("moves by a patch what no value reaches, and holds on to what stood there where it is one of a list", async () => {
    const chart = packChart(
      {},
      {
        "a.yaml": deployment("ghcr.io/acme/tool:1", { more: "args: [--helper-image=ghcr.io/acme/helper:1]" }),
        "b.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: pods, namespace: other}
data: {a/b.yaml: "image: busybox:1.28"}`,
      },
    );
    const analysis = await analyse(chart);
    const helper = `--helper-image={registry}/ghcr.io/acme/helper:1@${digest("ghcr.io/acme/helper:1")}`;
    const path = "/spec/template/spec/containers/0/args/0";
    assert.deepEqual(analysis.patches, [
      {
        target: { kind: "ConfigMap", name: "pods", namespace: "other" },
        ops: [
          {
            op: "replace",
            path: "/data/a~1b.yaml",
            value: `image: {registry}/docker.io/library/busybox:1.28@${digest("docker.io/library/busybox:1.28")}`,
          },
        ],
      },
      {
        target: { kind: "Deployment", name: "tool" },
        ops: [
          { op: "test", path, value: "--helper-image=ghcr.io/acme/helper:1" },
          { op: "replace", path, value: helper },
        ],
      },
    ]);
  });

  it("leaves one image under several versions its tags, and moves its name alone", async () => {
    const chart = packChart(
      {},
      {
        "a.yaml": deployment("ghcr.io/acme/tool:1", { name: "one" }),
        "b.yaml": deployment("ghcr.io/acme/tool:2", { name: "two" }),
      },
    );
    const analysis = await analyse(chart);
    assert.deepEqual(analysis.images.map(sourceOf), ["ghcr.io/acme/tool:1", "ghcr.io/acme/tool:2"]);
    assert.deepEqual(analysis.postRender, [{ name: "ghcr.io/acme/tool", newName: "{registry}/ghcr.io/acme/tool" }]);
  });

  it("pins no digest by a value where the name cannot move: no digest that nobody gave gets into a lock", async () => {
    const chart = packChart(
      { tag: "2", digest: "" },
      {
        "a.yaml": deployment("ghcr.io/acme/tool:{{ .Values.tag }}", { name: "one" }),
        "b.yaml": deployment("quay.io/acme/b{{ with .Values.digest }}@{{ . }}{{ else }}:1{{ end }}", { name: "two" }),
      },
    );
    const analysis = await analyse(chart);
    assert.deepEqual(analysis.values, {});
    assert.deepEqual(analysis.images.map(sourceOf), ["ghcr.io/acme/tool:2", "quay.io/acme/b:1"]);
    assert.deepEqual(
      analysis.postRender.map(({ digest }) => digest),
      [digest("ghcr.io/acme/tool:2"), digest("quay.io/acme/b:1")],
    );
  });

  it("leaves to others what they put the image in the place of, and says so", async () => {
    const chart = packChart(
      {},
      {
        "a.yaml": deployment("auto", { name: "gateway" }),
        "b.yaml": deployment("proxy", { name: "asked" }).replace(
          "metadata: {labels:",
          'metadata: {annotations: {sidecar.mesh.example/inject: "true"}, labels:',
        ),
      },
    );
    const analysis = await analyse(chart);
    assert.deepEqual(analysis.images, []);
    assert.deepEqual(analysis.warnings, [
      'Deployment tools/gateway, spec.template.spec.containers[0].image: "auto" is filled in by something else, so its image is not known here',
      'Deployment tools/asked, spec.template.spec.containers[0].image: "proxy" is filled in by something else, so its image is not known here',
    ]);
  });

  it("takes the settings' last word: what is ignored is no image, what is accepted may stay, and is mirrored", async () => {
    const hook = deployment("ghcr.io/acme/setup:1").replace(
      "  labels:",
      "  annotations: {helm.sh/hook: pre-install}\n  labels:",
    );
    const chart = packChart({}, { "a.yaml": hook, "b.yaml": deployment("ghcr.io/acme/sample:2", { name: "sample" }) });
    const rules = {
      ignoreImages: [{ image: "ghcr.io/acme/sample", reason: "never runs" }],
      acceptForeign: [{ image: "ghcr.io/acme/setup:1", reason: "runs once" }],
    };
    const chartFile = { tgz: chart, name: "tool", namespace: "tools" };
    const analysis = await analyseChart(helm, chartFile, {}, rules);
    assert.deepEqual(analysis.images.map(sourceOf), ["ghcr.io/acme/setup:1"]);
    assert.deepEqual(analysis.postRender, []);
    assert.deepEqual(analysis.accepted, ["ghcr.io/acme/setup:1"]);
    assert.deepEqual(analysis.warnings, [
      "Deployment tools/tool, spec.template.spec.containers[0].image: ghcr.io/acme/setup:1 stays there; it is accepted: runs once",
    ]);
    const other = [{ image: "ghcr.io/acme/setup:2", reason: "another one" }];
    await assert.rejects(analyseChart(helm, chartFile, {}, { acceptForeign: other }), RelocationError);
  });

  it("mirrors what a person moved already, and leaves alone what is the registry's own", async () => {
    const chart = packChart(
      { image: "ghcr.io/acme/tool:1", agent: "" },
      {
        "a.yaml": deployment("{{ .Values.image }}", {
          more: 'env: [{name: AGENT_IMAGE, value: "{{ .Values.agent }}"}]',
        }),
      },
    );
    const moved = await analyse(chart, { image: "{registry}/quay.io/acme/tool:2", agent: "{registry}/web:7" });
    assert.deepEqual(moved, {
      images: [{ host: "quay.io", repository: "acme/tool", tag: "2" }],
      values: {},
      postRender: [],
      warnings: [],
    });
  });

  it("says what a chart asks for that it is not given, and what clusters it is for", async () => {
    const limited = packChart(
      { image: "ghcr.io/acme/tool:1" },
      { "a.yaml": deployment("{{ .Values.image }}") },
      { meta: { kubeVersion: "<1.36.0-0" } },
    );
    const [warning, ...more] = (await analyse(limited)).warnings;
    assert.deepEqual(more, []);
    assert.match(warning ?? "", /^it does not render for Kubernetes 1\.37\.0.*requires kubeVersion: <1\.36\.0-0/);
    const needing = packChart({}, { "a.yaml": '{{ required "say who you are" .Values.name }}' });
    await assert.rejects(
      analyse(needing),
      /^RenderError: The chart tool does not render with the values that it is given: [\s\S]*say who you are[\s\S]*Set what it asks for as its values in aks-gitops:charts\.$/,
    );
  });

  it("warns of a name without a tag, to which a program may put one", async () => {
    const more = "env: [{name: HELPER, value: quay.io/acme/helper}]";
    const chart = packChart({}, { "deployment.yaml": deployment("ghcr.io/acme/tool:1", { more }) });
    assert.deepEqual((await analyse(chart)).warnings, [
      "Deployment tools/tool, spec.template.spec.containers[0].env[0].value: quay.io/acme/helper may be an image, but has no tag; it is not mirrored",
    ]);
  });

  it("warns of each of several names without a tag, and not of the labels of nodes", async () => {
    const more =
      "env:\n  - {name: DATABASES, value: 'mirror.gcr.io/acme/database, ghcr.io/acme/database'}\n" +
      "  - {name: NODES, value: eks.amazonaws.com/compute-type}\n" +
      "  - {name: OTHER, value: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/other}";
    const chart = packChart({}, { "deployment.yaml": deployment("ghcr.io/acme/tool:1", { more }) });
    assert.deepEqual(
      (await analyse(chart)).warnings.map((warning) => /\]\.value: (\S+) may be/.exec(warning)?.[1]),
      [
        "mirror.gcr.io/acme/database",
        "ghcr.io/acme/database",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/other",
      ],
    );
  });

  const image = ".Values.image";
  const composed = `{{ ${image}.registry | default .Values.global.registry | default "quay.io" }}/{{ ${image}.repository }}:{{ ${image}.tag | default .Chart.AppVersion }}`;
  const few: [string, Buffer, number, object][] = [
    [
      "one image: as it is, with its values changed, and as proof",
      packChart(
        { image: { repository: "ghcr.io/acme/tool", tag: "1" } },
        { "a.yaml": deployment("{{ .Values.image.repository }}:{{ .Values.image.tag }}") },
      ),
      3,
      { image: { repository: "{registry}/ghcr.io/acme/tool", tag: `1@${digest("ghcr.io/acme/tool:1")}` } },
    ],
    [
      "a registry and a tag that are made up where none are given",
      packChart(
        { global: { registry: null }, image: { registry: null, repository: "acme/tool", tag: null } },
        { "a.yaml": deployment(`"${composed}"`) },
      ),
      4,
      { global: { registry: "{registry}/quay.io" }, image: { tag: `1.4.0@${digest("quay.io/acme/tool:1.4.0")}` } },
    ],
    [
      "a level of logs that is by chance a part of an image's name, and may be no other",
      packChart(
        { logLevel: "info", image: { repository: "ghcr.io/acme/podinfo", tag: "1" } },
        {
          "a.yaml": deployment("{{ .Values.image.repository }}:{{ .Values.image.tag }}", {
            more: `args: [--level={{ if ne .Values.logLevel "info" }}{{ fail "no level" }}{{ end }}info]`,
          }),
        },
      ),
      3,
      { image: { repository: "{registry}/ghcr.io/acme/podinfo", tag: `1@${digest("ghcr.io/acme/podinfo:1")}` } },
    ],
    [
      "a registry that is a component of the chart, with values of its own",
      packChart(
        { registry: { mode: "full", image: { repository: "ghcr.io/acme/registry", tag: "2" } } },
        {
          "a.yaml": deployment("{{ .Values.registry.image.repository }}:{{ .Values.registry.image.tag }}", {
            more: `args: [{{ if ne .Values.registry.mode "full" }}{{ fail "no mode" }}{{ end }}full]`,
          }),
        },
      ),
      3,
      {
        registry: {
          image: { repository: "{registry}/ghcr.io/acme/registry", tag: `2@${digest("ghcr.io/acme/registry:2")}` },
        },
      },
    ],
  ];
  for (const [what, tgz, renderings, values] of few) {
    it(`needs few renderings for ${what}`, async () => {
      const plan = await planChart(helm, { tgz, name: "tool", namespace: "tools" }, {});
      assert.deepEqual(plan.values, values);
      assert.equal(plan.renderings, renderings);
    });
  }

  /** Values and templates of as many Deployments, each with an image that its own value moves. */
  const several = (count: number) => {
    const names = Array.from({ length: count }, (_, number) => `tool${number}`);
    return {
      names,
      values: Object.fromEntries(names.map((name) => [name, { repository: `ghcr.io/acme/${name}`, tag: "1" }])),
      templates: Object.fromEntries(
        names.map((name) => [
          `${name}.yaml`,
          deployment(`"{{ .Values.${name}.repository }}:{{ .Values.${name}.tag }}"`, { name }),
        ]),
      ),
    };
  };

  /** A Job whose name holds a sum of all values, and whose image no value moves; beside others. */
  const summed = (count: number): Buffer => {
    const { values, templates } = several(count);
    const job = `apiVersion: batch/v1\nkind: Job\nmetadata: {name: "made-{{ toYaml .Values | sha256sum | trunc 7 }}"}\nspec: {template: {spec: {containers: [{name: a, image: "ghcr.io/acme/job:1"}]}}}\n`;
    return packChart(values, { ...templates, "z.yaml": job });
  };

  it("needs no more renderings for eight images than for two where objects' names hold sums of the values", async () => {
    const [two, eight] = await Promise.all(
      [2, 8].map((count) => planChart(helm, { tgz: summed(count), name: "tool", namespace: "tools" }, {})),
    );
    assert.equal(eight?.renderings, two?.renderings);
    assert.deepEqual(eight?.images.map(sourceOf).sort(), [
      "ghcr.io/acme/job:1",
      ...Array.from({ length: 8 }, (_, number) => `ghcr.io/acme/tool${number}:1`),
    ]);
    assert.deepEqual(eight?.foreign, []);
    // A patch would not find an object by a name that the digests change.
    assert.deepEqual(eight?.patches, []);
    assert.deepEqual(
      eight?.postRender.map(({ name }) => name),
      ["ghcr.io/acme/job"],
    );
  });

  it("says of a text in an object whose name holds a sum of the values that no patch can find it", async () => {
    const config = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "made-{{ toYaml .Values | sha256sum | trunc 7 }}"}\ndata: {text: "run ghcr.io/acme/other:1 now"}\n`;
    const chart = packChart(
      { image: { repository: "ghcr.io/acme/tool", tag: "1" } },
      { "a.yaml": deployment("{{ .Values.image.repository }}:{{ .Values.image.tag }}"), "b.yaml": config },
    );
    const plan = await planChart(helm, { tgz: chart, name: "tool", namespace: "tools" }, {});
    assert.deepEqual(plan.patches, []);
    assert.deepEqual(
      plan.foreign.map(({ field, image }) => [field, image]),
      [["data.text", "ghcr.io/acme/other:1"]],
    );
  });

  /** Helm takes a default of null for nothing, but for a value as soon as another one beside it is given. */
  const withNulls = (className: unknown, count: number): Buffer => {
    const { values, templates } = several(count);
    const ingress = `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: sub}\nspec:\n{{ if hasKey .Values.ingress "class" }}\n  ingressClassName: other\n{{ else }}\n  ingressClassName: own\n{{ end }}\n`;
    const sub = packChart(
      { ingress: { class: className }, ...values },
      { ...templates, "ingress.yaml": ingress },
      { name: "sub" },
    );
    const dependencies = [{ name: "sub", version: "1.0.0" }];
    return packChart({ sub: { more: 1 } }, {}, { meta: { dependencies }, files: { "charts/sub-1.0.0.tgz": sub } });
  };

  it("says what else changes where Helm takes a default of null otherwise because images are moved", async () => {
    const [two, eight, without] = await Promise.all(
      [withNulls(null, 2), withNulls(null, 8), withNulls("yes", 2)].map((tgz) =>
        planChart(helm, { tgz, name: "tool", namespace: "tools" }, {}),
      ),
    );
    assert.deepEqual(two?.warnings, [
      "the values that move its images change more than images: Ingress tools/sub, spec.ingressClassName: " +
        '"own" becomes "other". Set in the chart\'s values what it is to be (Helm may take a default of null ' +
        "otherwise as soon as a value beside it is set).",
    ]);
    assert.deepEqual(without?.warnings, []);
    assert.equal(eight?.renderings, two?.renderings);
  });

  /** Images whose names a chart compares, and says which it does not know, as Bitnami's do. */
  const guarded = (count: number, refuse: (name: string) => string): Buffer => {
    const { names, values, templates } = several(count);
    const guard = `{{ $bad := "" }}${names.map(refuse).join("")}{{ if $bad }}{{ fail (printf "unknown: %s" $bad) }}{{ end }}\n`;
    return packChart(values, { ...templates, "guard.yaml": guard });
  };

  it("needs no more renderings for eight images than for two where the chart names those that it refuses", async () => {
    const refuse = (name: string) =>
      `{{ $image := printf "%s:%s" .Values.${name}.repository .Values.${name}.tag }}{{ if ne $image "ghcr.io/acme/${name}:1" }}{{ $bad = printf "%s %s" $bad $image }}{{ end }}`;
    const [two, eight] = await Promise.all(
      [2, 8].map((count) => planChart(helm, { tgz: guarded(count, refuse), name: "tool", namespace: "tools" }, {})),
    );
    assert.equal(eight?.renderings, two?.renderings);
    assert.deepEqual(eight?.values, {});
    assert.equal(eight?.postRender.length, 8);
    assert.deepEqual(eight?.foreign, []);
  });

  it("moves by values what the chart takes, though it names all its values where it refuses one", async () => {
    const refuse = (name: string) =>
      name === "tool0"
        ? `{{ if ne .Values.tool0.repository "ghcr.io/acme/tool0" }}{{ $bad = toJson .Values }}{{ end }}`
        : "";
    const tgz = guarded(8, refuse);
    const { values, postRender } = await planChart(helm, { tgz, name: "tool", namespace: "tools" }, {});
    const moved = Array.from({ length: 7 }, (_, number) => `tool${number + 1}`);
    assert.deepEqual(
      values,
      Object.fromEntries(
        moved.map((name) => {
          const source = `ghcr.io/acme/${name}`;
          return [name, { repository: `{registry}/${source}`, tag: `1@${digest(`${source}:1`)}` }];
        }),
      ),
    );
    assert.deepEqual(
      postRender.map(({ name }) => name),
      ["ghcr.io/acme/tool0"],
    );
  });

  it("says nothing of the maps around its values where a chart writes down what it is given", async () => {
    // As Istio's do, which lay what they are given over defaults of their own.
    const defaults = "_internal_defaults_do_not_set";
    const own = `(omit .Values "${defaults}")`;
    const given = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: given}\ndata:\n  values: |-\n{{ toPrettyJson ${own} | indent 4 }}\n`;
    const laid = `{{ $image := (mustMergeOverwrite (deepCopy .Values.${defaults}) (deepCopy ${own})).main.image }}`;
    const chart = packChart(
      { [defaults]: { main: { image: { repository: "ghcr.io/acme/tool", tag: "1" } } } },
      { "a.yaml": laid + deployment(`"{{ $image.repository }}:{{ $image.tag }}"`), "given.yaml": given },
    );
    const { values, warnings } = await planChart(helm, { tgz: chart, name: "tool", namespace: "tools" }, {});
    const repository = "{registry}/ghcr.io/acme/tool";
    assert.deepEqual(values, { main: { image: { repository } } });
    assert.deepEqual(warnings, []);
  });

  it("tells how far it has come where an analysis takes long", async () => {
    const chart = packChart(
      { image: { repository: "ghcr.io/acme/tool", tag: "1" } },
      { "a.yaml": deployment("{{ .Values.image.repository }}:{{ .Values.image.tag }}") },
    );
    const told: string[] = [];
    mock.timers.enable({ apis: ["setInterval"] });
    try {
      const progress = (line: string) => told.push(line.replace(/\d+ s$/, "- s"));
      const analysis = analyseChart(helm, { tgz: chart, name: "tool", namespace: "tools" }, {}, { progress });
      await readChart(chart);
      await new Promise((resolve) => setTimeout(resolve, 50));
      mock.timers.tick(20_000);
      await analysis;
      mock.timers.tick(20_000);
    } finally {
      mock.timers.reset();
    }
    assert.deepEqual(told, ["tool 1.0.0: rendered once, - s"]);
  });

  it("needs no more renderings for eight charts in one than for one of them", async () => {
    const [one, eight] = await Promise.all(
      [1, 8].map((count) => planChart(helm, { tgz: umbrella(count), name: "tool", namespace: "tools" }, {})),
    );
    assert.equal(eight?.images.length, 16);
    assert.equal(eight?.renderings, one?.renderings);
  });

  it("runs Helm for what is new to it alone, and comes to the same, also where a chart is never the same", async () => {
    const cache = await mkdtemp(join(tmpdir(), "aks-gitops-renderings-"));
    const chart = packChart(
      { image: { repository: "ghcr.io/acme/tool", tag: "1" }, more: "" },
      {
        "a.yaml": deployment("{{ .Values.image.repository }}:{{ .Values.image.tag }}"),
        "b.yaml": `apiVersion: v1\nkind: Secret\nmetadata: {name: made}\ndata: {password: "{{ randAlphaNum 20 | b64enc }}"}\n`,
        "c.yaml": `{{ if .Values.more }}\n{{ fail "no more" }}\n{{ end }}`,
      },
    );
    const file = { tgz: chart, name: "tool", namespace: "tools" };
    const told = async (values: object, options: object = { cache }) => {
      const { renderings, ...plan } = await planChart(helm, file, { ...values }, options);
      return { renderings, plan };
    };
    try {
      const [without, first, again] = [await told({}, {}), await told({}), await told({})];
      assert.equal(first.renderings, without.renderings);
      assert.equal(again.renderings, 0);
      assert.deepEqual(again.plan, first.plan);
      assert.deepEqual(first.plan, without.plan);
      assert.ok((await told({ image: { tag: "2" } })).renderings > 0);
      const refused = /does not render with the values that it is given: .*no more/;
      for (const options of [{}, { cache }, { cache }]) await assert.rejects(told({ more: "x" }, options), refused);
    } finally {
      await rm(cache, { recursive: true });
    }
  });

  it("passes Helm's words on when the chart does not render", async () => {
    const chart = packChart({}, { "deployment.yaml": `{{ required "a name is needed" .Values.name }}` });
    await assert.rejects(
      analyse(chart),
      (error: Error) => error instanceof RenderError && /a name is needed/.test(error.message),
    );
  });

  const real: Record<string, Record<string, unknown>> = {
    "kured-6.1.0": {
      image: {
        repository: "{registry}/ghcr.io/kubereboot/kured",
        tag: `1.23.0@${digest("ghcr.io/kubereboot/kured:1.23.0")}`,
      },
    },
    "ingress-nginx-4.15.1": {
      controller: {
        image: { registry: "{registry}/registry.k8s.io" },
        admissionWebhooks: { patch: { image: { registry: "{registry}/registry.k8s.io" } } },
      },
    },
    "keda-2.20.2": {
      image: {
        keda: { registry: "{registry}/ghcr.io", tag: `2.20.2@${digest("ghcr.io/kedacore/keda:2.20.2")}` },
        metricsApiServer: {
          registry: "{registry}/ghcr.io",
          tag: `2.20.2@${digest("ghcr.io/kedacore/keda-metrics-apiserver:2.20.2")}`,
        },
        webhooks: {
          registry: "{registry}/ghcr.io",
          tag: `2.20.2@${digest("ghcr.io/kedacore/keda-admission-webhooks:2.20.2")}`,
        },
      },
    },
  };
  for (const [name, values] of Object.entries(real)) {
    const file = new URL(`${name}.tgz`, REAL_CHARTS);
    if (!existsSync(file)) continue;
    it(`relocates the real chart ${name} by values alone`, async () => {
      const analysis = await analyse(readFileSync(file));
      assert.deepEqual(analysis.values, values);
      assert.deepEqual(analysis.postRender, []);
      assert.deepEqual(analysis.warnings, []);
    });
  }
});
