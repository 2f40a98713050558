import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parse, parseAllDocuments } from "yaml";
import { ownedFiles, secretPath, seedFiles } from "../../../components/repository/files.ts";
import { digest } from "../../settings/settingsOf.ts";
import { OPTIONS } from "../flux/fluxOptions.ts";
import { LOCK } from "../lock.ts";

describe("the files of a stack", () => {
  const files = ownedFiles(OPTIONS);

  const expected: Record<string, string> = {
    "clusters/prod/infrastructure.yaml": `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: infrastructure
  namespace: flux-system
spec:
  interval: 10m0s
  retryInterval: 1m0s
  timeout: 10m0s
  path: ./infrastructure/prod
  prune: true
  wait: true
  sourceRef:
    kind: GitRepository
    name: flux-system
  decryption:
    provider: sops
`,
    "clusters/prod/apps.yaml": `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 10m0s
  retryInterval: 1m0s
  timeout: 10m0s
  path: ./apps/prod
  prune: true
  wait: true
  sourceRef:
    kind: GitRepository
    name: flux-system
  decryption:
    provider: sops
  dependsOn:
    - name: infrastructure
  patches:
    - target:
        kind: Deployment
        name: demo
        namespace: demo
      patch: |
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: demo
          namespace: demo
        spec:
          replicas: 5
          template:
            spec:
              containers:
                - name: demo
                  image: acme.azurecr.io/ghcr.io/stefanprodan/podinfo@${digest("e")}
`,
    "infrastructure/prod/namespaces.yaml": `apiVersion: v1
kind: Namespace
metadata:
  name: baseline
---
apiVersion: v1
kind: Namespace
metadata:
  name: demo
`,
    "infrastructure/prod/sources/kured.yaml": `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: kured
  namespace: flux-system
spec:
  interval: 10m0s
  url: oci://acme.azurecr.io/charts/kured
  provider: azure
  ref:
    tag: 6.1.0
    digest: ${digest("b")}
  layerSelector:
    mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip
    operation: copy
`,
    "infrastructure/prod/releases/kured.yaml": `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: kured
  namespace: flux-system
spec:
  interval: 30m0s
  timeout: 10m0s
  chartRef:
    kind: OCIRepository
    name: kured
  releaseName: kured
  targetNamespace: baseline
  storageNamespace: baseline
  install:
    remediation:
      retries: 3
  upgrade:
    remediation:
      retries: 3
  values:
    tolerations:
      - key: CriticalAddonsOnly
        operator: Exists
    image:
      repository: acme.azurecr.io/ghcr.io/kubereboot/kured
      tag: 1.23.0@${digest("d")}
`,
    "infrastructure/prod/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - namespaces.yaml
  - sources/kured.yaml
  - releases/kured.yaml
  - secrets/demo/demo-credentials.yaml
  - secrets/flux-system/flux-helm-acr-credentials.yaml
`,
  };

  for (const [path, text] of Object.entries(expected)) it(`hold ${path}`, () => assert.equal(files[path], text));

  it("are these and no others", () => {
    assert.deepEqual(Object.keys(files).sort(), Object.keys(expected).sort());
  });

  it("have the same paths whatever the registry is called", () => {
    assert.deepEqual(Object.keys(ownedFiles({ ...OPTIONS, loginServer: "" })), Object.keys(files));
  });

  it("hold no object that another Kustomization holds too", () => {
    const all = { ...files, ...seedFiles(OPTIONS) };
    // What Flux builds a Kustomization from: clusters/ itself, and what the two below it name.
    const folders = { cluster: ["clusters/prod/"], infrastructure: ["infrastructure/prod/"], apps: ["apps/"] };
    const secrets = OPTIONS.secrets.map(({ name, namespace }) => `infrastructure Secret ${namespace}/${name}`);
    const owners = Object.entries(folders).flatMap(([kustomization, prefixes]) =>
      Object.entries(all)
        .filter(([path]) => prefixes.some((prefix) => path.startsWith(prefix)))
        .flatMap(([, text]) => parseAllDocuments(text).map((document) => document.toJS()))
        .filter(({ apiVersion }) => !apiVersion.startsWith("kustomize.config.k8s.io/"))
        .map(({ kind, metadata }) => `${kustomization} ${kind} ${metadata.namespace ?? ""}/${metadata.name}`),
    );
    const objects = [...owners, ...secrets].map((owner) => owner.slice(owner.indexOf(" ") + 1));
    assert.deepEqual(objects, [...new Set(objects)]);
    assert.equal(objects.length, 10);
  });

  it("name every file of the payload once, so that Flux applies all of them", () => {
    const named = /resources:\n([\s\S]*)/.exec(files["infrastructure/prod/kustomization.yaml"] ?? "")?.[1] ?? "";
    const payload = Object.keys(files).filter((path) => /^infrastructure\/.*\/(?!kustomization)/.test(path));
    const secrets = OPTIONS.secrets.map((secret) => secretPath("prod", secret));
    assert.deepEqual(
      named
        .trim()
        .split("\n")
        .map((line) => `infrastructure/prod/${line.replace(/^ *- /, "")}`)
        .sort(),
      [...payload.filter((path) => !path.endsWith("/kustomization.yaml")), ...secrets].sort(),
    );
  });

  it("without demo, charts and secrets still let people add applications", () => {
    const bare = { ...OPTIONS, charts: [], secrets: [], demo: undefined };
    assert.doesNotMatch(ownedFiles(bare)["clusters/prod/apps.yaml"] ?? "", /patches/);
    assert.deepEqual(Object.keys(ownedFiles(bare)), [
      "clusters/prod/infrastructure.yaml",
      "clusters/prod/apps.yaml",
      "infrastructure/prod/kustomization.yaml",
    ]);
    assert.deepEqual(seedFiles(bare), {
      "apps/prod/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: []
`,
    });
  });

  it("replace after rendering the images that no value reaches", () => {
    const [kured] = LOCK.charts;
    assert.ok(kured);
    const postRender = [{ name: "quay.io/a/b", newName: "{registry}/quay.io/a/b", digest: digest("f") }];
    const lock = { ...LOCK, charts: [{ ...kured, postRender }] };
    assert.ok(
      ownedFiles({ ...OPTIONS, lock })["infrastructure/prod/releases/kured.yaml"]?.endsWith(`  postRenderers:
    - kustomize:
        images:
          - name: quay.io/a/b
            newName: acme.azurecr.io/quay.io/a/b
            digest: ${digest("f")}
`),
    );
  });

  it("replace after rendering the texts that no value reaches", () => {
    const [kured] = LOCK.charts;
    assert.ok(kured);
    const ops = [{ op: "replace" as const, path: "/data/pod.yaml", value: "image: {registry}/quay.io/a/b:1\n" }];
    const lock = { ...LOCK, charts: [{ ...kured, patches: [{ target: { kind: "ConfigMap", name: "pods" }, ops }] }] };
    const release = parse(ownedFiles({ ...OPTIONS, lock })["infrastructure/prod/releases/kured.yaml"] ?? "");
    assert.equal(release.spec.postRenderers.length, 1);
    const [{ target, patch }, ...more] = release.spec.postRenderers[0].kustomize.patches;
    assert.deepEqual(more, []);
    assert.deepEqual(target, { kind: "ConfigMap", name: "pods" });
    assert.deepEqual(JSON.parse(patch), [
      { op: "replace", path: "/data/pod.yaml", value: "image: acme.azurecr.io/quay.io/a/b:1\n" },
    ]);
  });

  it("put the registry's address into a chart's own values, those of the registry's own charts too", () => {
    const values = { agent: ["{registry}/quay.io/a/b:1"], more: { url: "https://{registry}/v2/" } };
    const own = { name: "web", repository: "oci://{registry}/helm", version: "1.0.0", namespace: "web", values };
    const [kured = own] = OPTIONS.charts;
    const files = ownedFiles({ ...OPTIONS, charts: [{ ...kured, values }, own] });
    for (const name of ["kured", "web"]) {
      const { agent, more } = parse(files[`infrastructure/prod/releases/${name}.yaml`] ?? "").spec.values;
      assert.deepEqual(agent, ["acme.azurecr.io/quay.io/a/b:1"]);
      assert.deepEqual(more, { url: "https://acme.azurecr.io/v2/" });
    }
  });

  it("run the demo of Docker Hub by whichever of its names, and with a digest beside its tag", () => {
    const source = "docker.io/library/nginx:1.27.5";
    const image = { source, digest: digest("e"), repository: "docker.io/library/nginx", tag: "1.27.5" };
    const lock = { ...LOCK, images: [...LOCK.images, image] };
    for (const name of ["docker.io/nginx:1.27.5", `registry-1.docker.io/library/nginx:1.27.5@${digest("e")}`]) {
      const files = ownedFiles({ ...OPTIONS, lock, demo: { image: name } });
      const texts = Object.values(files).join("\n");
      assert.ok(texts.includes(`image: acme.azurecr.io/docker.io/library/nginx@${digest("e")}`), name);
    }
  });

  it("name a version with + as its tag in the registry is named", () => {
    const [kured] = LOCK.charts;
    assert.ok(kured);
    const lock = { ...LOCK, charts: [{ ...kured, version: "6.1.0+1" }] };
    assert.match(ownedFiles({ ...OPTIONS, lock })["infrastructure/prod/sources/kured.yaml"] ?? "", /tag: 6\.1\.0_1\n/);
  });

  it("cannot be made for what the lock does not know", () => {
    assert.throws(() => ownedFiles({ ...OPTIONS, lock: { ...LOCK, charts: [] } }), /the lock has no chart kured/);
    assert.throws(() => ownedFiles({ ...OPTIONS, lock: { ...LOCK, images: [] } }), /the lock has no image ghcr\.io/);
  });
});
