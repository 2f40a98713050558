import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parseAllDocuments } from "yaml";
import { ownedFiles, seedFiles } from "../../../components/repository/files.ts";
import { BOOTSTRAP_FILES, FLUX_SYSTEM, gotkSync } from "../../../flux/bootstrap.ts";
import { digest } from "../../settings/settingsOf.ts";
import { LOCK } from "../lock.ts";
import { OPTIONS } from "./fluxOptions.ts";

const PULL = { ...OPTIONS, secrets: OPTIONS.secrets.slice(0, 1), pullSecret: "flux-helm-acr-credentials" };

interface Found {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: {
    readonly path?: string;
    readonly sourceRef?: object;
    readonly dependsOn?: object;
    decryption?: object;
  };
}

const objects = (text: string): Found[] => parseAllDocuments(text).map((document) => document.toJS());

describe("the files of a stack that pulls charts with a secret", () => {
  const files = ownedFiles(PULL);

  it("hold the registry once, as an OCI HelmRepository with the secret", () => {
    assert.equal(
      files["infrastructure/prod/sources/acr-private.yaml"],
      `apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata:
  name: acr-private
  namespace: flux-system
spec:
  type: oci
  interval: 10m0s
  url: oci://acme.azurecr.io/charts
  secretRef:
    name: flux-helm-acr-credentials
`,
    );
  });

  it("release a chart of its own version from there, with the image from the registry", () => {
    assert.equal(
      files["infrastructure/prod/releases/kured.yaml"],
      `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: kured
  namespace: flux-system
spec:
  interval: 30m0s
  timeout: 10m0s
  chart:
    spec:
      chart: kured
      version: 6.1.0
      interval: 10m0s
      sourceRef:
        kind: HelmRepository
        name: acr-private
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
    );
  });

  it("name that one source for two charts", () => {
    const [kured] = LOCK.charts;
    assert.ok(kured);
    const [chart] = PULL.charts;
    assert.ok(chart);
    const two = ownedFiles({
      ...PULL,
      charts: [chart, { ...chart, name: "keda" }],
      lock: { ...LOCK, charts: [kured, { ...kured, name: "keda" }] },
    });
    const sources = Object.keys(two).filter((path) => path.includes("/sources/"));
    assert.deepEqual(sources, ["infrastructure/prod/sources/acr-private.yaml"]);
    assert.match(
      two["infrastructure/prod/kustomization.yaml"] ?? "",
      /resources:\n {2}- namespaces\.yaml\n {2}- sources\/acr-private\.yaml\n {2}- releases\/kured\.yaml\n {2}- releases\/keda\.yaml\n/,
    );
  });

  it("hold no source that nothing is released from", () => {
    const paths = Object.keys(ownedFiles({ ...PULL, charts: [] }));
    assert.deepEqual(
      paths.filter((path) => path.includes("/sources/")),
      [],
    );
  });
});

describe("the files of a stack beside those of flux bootstrap", () => {
  const owned = ownedFiles(PULL);
  const sync = gotkSync({ url: "https://github.com/acme/fleet", branch: "main", path: "clusters/prod" });

  it("hold nothing in the folder that bootstrap writes", () => {
    const all = Object.keys({ ...owned, ...seedFiles(PULL) });
    for (const path of Object.values(BOOTSTRAP_FILES)) assert.equal(all.includes(`clusters/prod/${path}`), false, path);
    assert.deepEqual(
      all.filter((path) => path.startsWith("clusters/prod/flux-system/")),
      [],
    );
  });

  it("hold no object that bootstrap makes: neither Flux's namespace nor its source", () => {
    const bootstrapped = objects(sync).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    assert.deepEqual(bootstrapped, ["GitRepository flux-system", "Kustomization flux-system"]);
    const inFluxSystem = { ...PULL, secrets: [{ name: "a", namespace: FLUX_SYSTEM }] };
    const own = Object.values(ownedFiles(inFluxSystem))
      .flatMap(objects)
      .map(({ kind, metadata }) => `${kind} ${metadata?.name}`);
    for (const name of [...bootstrapped, `Namespace ${FLUX_SYSTEM}`]) assert.equal(own.includes(name), false, name);
  });

  it("hang on bootstrap's source: infrastructure, then apps, both decrypted", () => {
    const found = Object.entries(owned)
      .filter(([path]) => path.startsWith("clusters/prod/"))
      .flatMap(([, text]) => objects(text));
    const [source] = objects(sync);
    assert.deepEqual(
      found.map(({ metadata }) => metadata.name),
      ["infrastructure", "apps"],
    );
    for (const { apiVersion, kind, metadata, spec } of found) {
      assert.deepEqual([apiVersion, kind], ["kustomize.toolkit.fluxcd.io/v1", "Kustomization"]);
      assert.equal(metadata.namespace, source?.metadata.namespace);
      assert.deepEqual(spec.sourceRef, { kind: source?.kind, name: source?.metadata.name });
      assert.deepEqual(spec.decryption, { provider: "sops" });
    }
    assert.deepEqual(
      found.map(({ spec }) => [spec.path, spec.dependsOn]),
      [
        ["./infrastructure/prod", undefined],
        ["./apps/prod", [{ name: "infrastructure" }]],
      ],
    );
  });
});
