import { strict as assert } from "node:assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { plan } from "../../mirror/plan.ts";
import { deployment, packChart } from "./charts.ts";
import { planning, REGISTRY, sources } from "./planning.ts";

describe("mirror plan", () => {
  const { tools, folder, planned } = planning();

  it("tells what stays, where, and Helm's own words about why", async () => {
    const guard = `{{ if ne .Values.registry "docker.io" }}{{ fail "set allowOthers to take other registries" }}{{ end }}`;
    const tgz = packChart(
      { registry: "docker.io" },
      {
        "a.yaml": `${guard}\n${deployment("{{ .Values.registry }}/acme/tool:1").replace("  labels:", "  annotations: {helm.sh/hook: post-install}\n  labels:")}`,
      },
    );
    const { isWhole, foreign } = await planned(tgz);
    assert.equal(isWhole, false);
    assert.equal(foreign.length, 1);
    const [{ object, field, image, remedy } = { object: "", field: "", image: "", remedy: "" }] = foreign;
    assert.equal(object, "Deployment default/tool");
    assert.equal(field, "spec.template.spec.containers[0].image");
    assert.equal(image, "docker.io/acme/tool:1");
    assert.match(remedy, /set allowOthers to take other registries/);
  });

  it("offers what a program joins and what other values turn on, with the line to write", async () => {
    const tgz = packChart(
      {
        mesh: { hub: "quay.io/mesh", tag: "1.2", proxy: { image: "proxy" } },
        metrics: { enabled: false, image: { repository: "quay.io/acme/metrics", tag: "3" } },
      },
      {
        "a.yaml": deployment('"{{ .Values.mesh.hub }}/pilot:{{ .Values.mesh.tag }}"', {
          more: "env: [{name: WORKER_IMAGE, value: quay.io/acme/worker}, {name: WORKER_TAG, value: '5'}]",
        }),
        "b.yaml":
          "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mesh}\ndata:\n  values: {{ toJson .Values.mesh | squote }}\n",
        "c.yaml": `{{ if .Values.metrics.enabled }}\n${deployment("{{ .Values.metrics.image.repository }}:{{ .Values.metrics.image.tag }}", { name: "metrics" })}{{ end }}`,
      },
    );
    const { offered, images } = await planned(tgz);
    assert.deepEqual(
      images.map(({ source }) => source),
      ["quay.io/mesh/pilot:1.2"],
    );
    assert.deepEqual(
      offered.map(({ image, line }) => [image, line]),
      [
        ["quay.io/mesh/proxy:1.2", "aks-gitops:images: [quay.io/mesh/proxy:1.2]"],
        ["quay.io/acme/worker:5", "aks-gitops:images: [quay.io/acme/worker:5]"],
        ["quay.io/acme/metrics:3", "aks-gitops:images: [quay.io/acme/metrics:3]"],
      ],
    );
  });

  it("takes a version of Kubernetes and APIs as they are given", async () => {
    const tgz = packChart(
      {},
      {
        "a.yaml": deployment('"ghcr.io/acme/tool:{{ .Capabilities.KubeVersion.Version }}"'),
        "b.yaml": `{{ if .Capabilities.APIVersions.Has "acme.example/v1" }}\n${deployment("ghcr.io/acme/with:1", { name: "with" })}{{ else }}\n${deployment("ghcr.io/acme/without:1", { name: "without" })}{{ end }}`,
      },
    );
    const report = await planned(tgz, {}, ["--kube-version", "v1.36.2", "--api", "acme.example/v1"]);
    assert.deepEqual(sources(report), ["ghcr.io/acme/tool:v1.36.2", "ghcr.io/acme/with:1"]);
    assert.deepEqual(report.warnings, []);
  });

  it("takes a minor of Kubernetes for any of its patches, so that a tag of the cluster's own version is none of them", async () => {
    const driver = `{{ if semverCompare ">=1.36-0" .Capabilities.KubeVersion.Version }}2{{ else }}1{{ end }}`;
    const tgz = packChart(
      {},
      {
        "a.yaml": deployment('"ghcr.io/acme/tool:{{ .Capabilities.KubeVersion.Version }}"'),
        "b.yaml": deployment(`"ghcr.io/acme/driver:${driver}"`, { name: "driver" }),
      },
    );
    const report = await planned(tgz, {}, ["--kube-version", "1.35"]);
    assert.deepEqual(sources(report), ["ghcr.io/acme/driver:1", "ghcr.io/acme/tool:v1.35.0"]);
    const name = "ghcr.io/acme/tool";
    assert.deepEqual(report.postRenderers, [
      {
        kustomize: {
          images: [
            { name: "ghcr.io/acme/driver", newName: `${REGISTRY}/ghcr.io/acme/driver` },
            { name, newName: `${REGISTRY}/${name}`, newTag: "v1.35.0" },
          ],
        },
      },
    ]);
    assert.deepEqual(report.warnings, []);
  });

  it("reads for people as text", async () => {
    const chart = join(folder(), "text.tgz");
    writeFileSync(chart, packChart({ image: "nginx:1" }, { "a.yaml": deployment("{{ .Values.image }}") }));
    const { text, isWhole } = await plan([chart], tools);
    assert.equal(isWhole, true);
    assert.equal(
      text,
      `chart tool 1.0.0: 1 image

docker.io/library/nginx:1
  -> {registry}/docker.io/library/nginx:1
     Deployment default/tool, spec.template.spec.containers[0].image

values:
  image: "{registry}/docker.io/library/nginx:1"
`,
    );
  });
});
