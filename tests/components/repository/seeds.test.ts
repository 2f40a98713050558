import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import {
  markedImage,
  ownedFiles,
  type RepositoryOptions,
  seedFiles,
  sopsRule,
} from "../../../components/repository/files.ts";
import { disorders } from "../../../components/repository/order.ts";
import { overlay } from "../../../components/repository/releases.ts";
import { OPTIONS } from "../flux/fluxOptions.ts";
import { LOCK } from "../lock.ts";

describe("the files that people begin with", () => {
  const seeds = seedFiles(OPTIONS);

  it("are an application that every stack may have written", () => {
    const of = (stack: string) =>
      Object.entries(seedFiles({ ...OPTIONS, stack })).filter(([path]) => path.startsWith("apps/base/"));
    assert.deepEqual(of("prod"), of("dev"));
  });

  it("are the stack's applications", () => {
    assert.equal(
      seeds["apps/prod/kustomization.yaml"],
      `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../base/demo
`,
    );
  });

  it("are a deployment that restricted namespaces take", () => {
    assert.equal(
      seeds["apps/base/demo/deployment.yaml"],
      `apiVersion: apps/v1
kind: Deployment
metadata:
  name: demo
  namespace: demo
  labels:
    app.kubernetes.io/name: demo
spec:
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: demo
  template:
    metadata:
      labels:
        app.kubernetes.io/name: demo
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: demo
          image: ghcr.io/stefanprodan/podinfo:6.14.1
          ports:
            - name: http
              containerPort: 9898
          envFrom:
            - secretRef:
                name: demo-credentials
                optional: true
          resources:
            requests:
              cpu: 10m
              memory: 32Mi
            limits:
              memory: 128Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop:
                - ALL
`,
    );
  });

  it("are a service for it", () => {
    assert.equal(
      seeds["apps/base/demo/service.yaml"],
      `apiVersion: v1
kind: Service
metadata:
  name: demo
  namespace: demo
  labels:
    app.kubernetes.io/name: demo
spec:
  selector:
    app.kubernetes.io/name: demo
  ports:
    - name: http
      port: 80
      targetPort: http
`,
    );
  });
});

describe("an image that is marked for Flux's image automation", () => {
  const marked = {
    ...OPTIONS,
    demo: { ...OPTIONS.demo, image: "ghcr.io/stefanprodan/podinfo:6.14.1", imagePolicy: "demo" },
  };

  it("stands by name and tag in people's own file, from the registry and without a digest that would win", () => {
    assert.equal(
      seedFiles(marked, markedImage(marked))["apps/prod/kustomization.yaml"],
      `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../base/demo
images:
  - name: ghcr.io/stefanprodan/podinfo
    newName: acme.azurecr.io/ghcr.io/stefanprodan/podinfo # {"$imagepolicy": "flux-system:demo:name"}
    newTag: 6.14.1 # {"$imagepolicy": "flux-system:demo:tag"}
`,
    );
  });

  it("is in no file of the program's own, which the next update would write over", () => {
    const own = (options: RepositoryOptions) => ownedFiles(options)["clusters/prod/apps.yaml"] ?? "";
    assert.match(own(OPTIONS), /podinfo@sha256/);
    assert.doesNotMatch(own(marked), /podinfo/);
    assert.match(own(marked), /^ {10}replicas: 5$/m);
  });

  it("cannot be one that the lock knows by its digest alone", () => {
    const images = LOCK.images.map(({ tag: _, ...image }) => image);
    assert.throws(() => markedImage({ ...marked, lock: { ...LOCK, images } }), /the lock has no tag of image ghcr\.io/);
    assert.equal(markedImage(OPTIONS), undefined);
  });
});

describe("a start with overlays", () => {
  const kustomizations = [
    { name: "infra", path: "infrastructure/overlays/prod" },
    { name: "apps", path: "apps/overlays/prod", dependsOn: ["infra"] },
  ];
  const seeds = seedFiles({ stack: "prod", kustomizations, start: "overlays" });

  it("is a base and an overlay for each stage, of applications and of infrastructure", () => {
    const folders = ["apps", "infrastructure"].flatMap((folder) =>
      ["base", "overlays/dev", "overlays/staging", "overlays/prod"].map((below) => `${folder}/${below}`),
    );
    const { "clusters/README.md": owners, ...rest } = seeds;
    assert.deepEqual(Object.keys(rest).sort(), folders.map((folder) => `${folder}/kustomization.yaml`).sort());
    assert.match(rest["apps/overlays/prod/kustomization.yaml"] ?? "", /^resources:\n {2}- \.\.\/\.\.\/base\n$/m);
    assert.match(owners ?? "", /^\| `clusters\/<stack>\/`, .* \| the program's \|/m);
  });

  it("has whatever its own Kustomizations apply, and is the same for every stack", () => {
    for (const { path } of kustomizations) assert.ok(`${path}/kustomization.yaml` in seeds);
    assert.deepEqual(seedFiles({ stack: "dev", kustomizations, start: "overlays" }), seeds);
    assert.deepEqual(disorders("prod", kustomizations), []);
  });

  it("goes beside the stack's applications where they are applied", () => {
    const both = Object.keys(seedFiles({ ...OPTIONS, start: "overlays" }));
    assert.ok(both.includes("apps/prod/kustomization.yaml") && both.includes("apps/base/demo/deployment.yaml"));
    assert.equal(Object.keys(seedFiles({ stack: "prod" })).length, 1);
  });
});

describe("the rule of SOPS", () => {
  const rule = new RegExp(sopsRule({ stack: "prod" }).path_regex);

  it("is for the stack's own files", () => {
    assert.ok(rule.test("infrastructure/prod/secrets/demo/demo-credentials.yaml"));
    assert.ok(rule.test("apps/prod/secret.yaml"));
  });

  it("is not for another stack's", () => {
    assert.ok(!rule.test("apps/dev/prod/secret.yaml"));
    assert.ok(!rule.test("apps/prod2/secret.yaml"));
    assert.ok(!rule.test("clusters/prod/apps.yaml"));
  });
});

describe("values laid over others", () => {
  it("merge maps and replace everything else", () => {
    const below = { a: { b: 1, c: [1, 2] }, d: "x", e: null };
    assert.deepEqual(overlay(below, { a: { c: [3] }, d: { f: 1 }, e: 2 }), { a: { b: 1, c: [3] }, d: { f: 1 }, e: 2 });
  });

  it("leave the values below as they were", () => {
    const below = { a: { b: 1 } };
    overlay(below, { a: { b: 2 } });
    assert.deepEqual(below, { a: { b: 1 } });
  });
});
