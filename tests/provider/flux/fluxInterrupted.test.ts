import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { CLOCK } from "../../../net/retry.ts";
import { fluxInstallIn } from "../../../provider/flux/fluxInstall.ts";
import { FakeKubernetes } from "../../support/fakeKubernetes.ts";
import { FakeCloud } from "../fakeCloud.ts";
import { installInputs } from "./installInputs.ts";
import { type Interruptible, interruptions } from "./interruptions.ts";

const PART_OF_FLUX = { "app.kubernetes.io/part-of": "flux", "app.kubernetes.io/instance": "flux-system" };
const DEFINITIONS = [
  ["source", "buckets", "Bucket"],
  ["source", "gitrepositories", "GitRepository"],
  ["kustomize", "kustomizations", "Kustomization"],
] as const;

/** One object of every kind that the real manifests have. */
function components(): object[] {
  const object = (apiVersion: string, kind: string, name: string, more: object = {}) => ({
    apiVersion,
    kind,
    metadata: { name, namespace: "flux-system", labels: PART_OF_FLUX },
    ...more,
  });
  const global = (...of: Parameters<typeof object>) => {
    const { metadata, ...rest } = object(...of);
    return { ...rest, metadata: { name: metadata.name, labels: metadata.labels } };
  };
  return [
    global("v1", "Namespace", "flux-system"),
    ...DEFINITIONS.map(([area, plural, kind]) => {
      const group = `${area}.toolkit.fluxcd.io`;
      const spec = { group, names: { plural, kind }, versions: [{ name: "v1", served: true, storage: true }] };
      return global("apiextensions.k8s.io/v1", "CustomResourceDefinition", `${plural}.${group}`, { spec });
    }),
    object("networking.k8s.io/v1", "NetworkPolicy", "allow-egress"),
    object("v1", "ResourceQuota", "critical-pods"),
    object("v1", "ServiceAccount", "source-controller"),
    object("v1", "Service", "source-controller"),
    global("rbac.authorization.k8s.io/v1", "ClusterRole", "flux-view"),
    global("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "cluster-reconciler"),
    ...["source", "kustomize", "helm", "notification"].map((name) =>
      object("apps/v1", "Deployment", `${name}-controller`, { spec: { replicas: 1 } }),
    ),
  ];
}

/** As `flux install --export` writes them, a key a line. */
function manifestsText(): string {
  const lines = (value: unknown, indent: string): string =>
    Object.entries(value as object)
      .map(([key, part]) =>
        typeof part === "object" && !Array.isArray(part)
          ? `${indent}${key}:\n${lines(part, `${indent}  `)}`
          : `${indent}${key}: ${typeof part === "string" ? part : JSON.stringify(part)}\n`,
      )
      .join("");
  return components()
    .map((object) => `---\n${lines(object, "")}`)
    .join("");
}

describe("FluxInstall, cut off after any of its writes", () => {
  const server = new FakeKubernetes();
  let given: Interruptible;
  before(async () => {
    await server.open();
    const text = manifestsText();
    const { objects } = server;
    objects.set("/api/v1/namespaces/default", { kind: "Namespace", metadata: { name: "default" } });
    const { context } = new FakeCloud();
    given = {
      handler: fluxInstallIn({
        ...{ cloud: new FakeCloud(), token: async () => "token", poll: 1, patience: 20_000, clock: CLOCK },
        environment: { GITHUB_TOKEN: "token" },
        manifests: async () => ({ text, sha256: "0".repeat(64), images: [] }),
      }),
      inputs: {
        ...installInputs(server.origin),
        readyMinutes: 0.2,
        pullSecret: { name: "pull", username: "u", password: "p" },
      },
      context,
      get: async (path) => objects.get(path),
      apply: async (path, object) => {
        const url = `${server.origin}${path}?fieldManager=people&force=true`;
        assert.equal((await fetch(url, { method: "PATCH", body: JSON.stringify(object) })).status, 200);
      },
      isEmpty: async () =>
        [...objects.values()].every(({ metadata }) => metadata.labels?.["app.kubernetes.io/part-of"] !== "flux"),
      holds: () => assert.equal(server.hasPruned, false, "what Flux deployed was taken away"),
      onWrite: (listener) => {
        server.written = listener;
      },
    };
  });
  after(() => server.close());

  const walks = interruptions(() => given, 15);
  it("in an installation: the next one goes on from there", () => walks.installation()).timeout(120_000);
  it("in an uninstall: the next one goes on from there", () => walks.uninstall()).timeout(120_000);
  it("in an uninstall: the next update sees it and installs Flux again", () => walks.uninstallTakenBack()).timeout(
    120_000,
  );
  it("in taking an uninstall back: the next update goes on from there", () => walks.takingBack()).timeout(120_000);
  it("in an installation: a deletion leaves nothing of it", () => walks.installationDeleted()).timeout(120_000);
});
