// What previews and refreshes see of Flux in a cluster, and what they make of a server that does not tell all.
import { strict as assert } from "node:assert";
import { afterEach, beforeEach, describe, it } from "mocha";
import { CLOCK } from "../../../net/retry.ts";
import type { Properties } from "../../../plugin/handler.ts";
import type { FluxWorld } from "../../../provider/flux/fluxCluster.ts";
import { fluxInstallIn } from "../../../provider/flux/fluxInstall.ts";
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, listen } from "../../support/loopback.ts";
import { CLUSTER_ID, FakeCloud } from "../fakeCloud.ts";
import { installInputs } from "./installInputs.ts";

const NAMESPACE = "/api/v1/namespaces/flux-system";
const SECRET = `${NAMESPACE}/secrets/flux-system`;
const PULL_SECRET = `${NAMESPACE}/secrets/pull`;
const DEPLOYMENTS = "/apis/apps/v1/namespaces/flux-system/deployments";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const SOURCE = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system";
const OCI = SOURCE.replace("git", "oci");
const ROOT = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/flux-system";
const KINDS: Record<string, [string, string, boolean][]> = {
  "/api/v1": [
    ["namespaces", "Namespace", false],
    ["secrets", "Secret", true],
  ],
  "/apis/apps/v1": [["deployments", "Deployment", true]],
  "/apis/apiextensions.k8s.io/v1": [["customresourcedefinitions", "CustomResourceDefinition", false]],
  "/apis/source.toolkit.fluxcd.io/v1": [
    ["gitrepositories", "GitRepository", true],
    ["ocirepositories", "OCIRepository", true],
  ],
  "/apis/kustomize.toolkit.fluxcd.io/v1": [["kustomizations", "Kustomization", true]],
};
const DEFINITIONS = ["gitrepositories.source.toolkit.fluxcd.io", "kustomizations.kustomize.toolkit.fluxcd.io"];
const TEXT = DEFINITIONS.map(
  (name) =>
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  annotations:\n    a: b\n" +
    `  name: ${name}\nspec:\n  names:\n    name: no\n`,
).join("---\n");
const NOW = "2026-01-01T00:00:00Z";
const UPDATE = { missing: { kind: "update", inputDiff: false } };

describe("a look at Flux in a cluster", () => {
  let server: Loopback;
  let cloud: FakeCloud;
  /** What there is, by path. */
  let objects: Record<string, Properties>;
  let intercept: (request: LoopbackRequest) => LoopbackAnswer | undefined | Promise<LoopbackAnswer>;

  beforeEach(async () => {
    cloud = new FakeCloud();
    intercept = () => undefined;
    server = await listen(async (request) => {
      const kinds = KINDS[request.path]?.map(([name, kind, namespaced]) => ({ name, kind, namespaced }));
      const body = kinds ? { resources: kinds } : objects[request.url.pathname];
      const missing = { status: 404, body: { message: "not found", reason: "NotFound" } };
      return (await intercept(request)) ?? (body ? { body } : missing);
    });
    const named = (name: string, more: object = {}) => ({ metadata: { name }, ...more });
    const names = ["source", "kustomize", "helm", "notification"];
    const { url, branch } = inputs();
    objects = {
      [NAMESPACE]: named("flux-system"),
      [SECRET]: named("flux-system"),
      [PULL_SECRET]: named("pull"),
      [DEPLOYMENTS]: { items: names.map((name) => named(`${name}-controller`, { spec: { replicas: 1 } })) },
      [CRDS]: { items: [...DEFINITIONS, "others.example.com"].map((name) => named(name)) },
      [SOURCE]: named("flux-system", {
        kind: "GitRepository",
        spec: { url, ref: { branch }, secretRef: { name: "flux-system" } },
      }),
      [ROOT]: named("flux-system", { kind: "Kustomization", spec: { path: "./clusters/dev" } }),
    };
  });
  afterEach(() => server.close());

  const inputs = () => ({
    ...installInputs(server.origin),
    readyMinutes: 15,
    pullSecret: { name: "pull", username: "u", password: "hush" },
  });
  const handler = (more: Partial<FluxWorld> = {}) =>
    fluxInstallIn({
      ...{ cloud, token: async () => "token", environment: {}, poll: 4, patience: 60_000, clock: CLOCK },
      manifests: async () => ({ text: TEXT, sha256: "", images: [] }),
      ...more,
    });
  const existing = (missing: string[] = []) => ({ id: CLUSTER_ID, inputs: inputs(), state: { ...inputs(), missing } });
  const diff = (missing: string[] = [], more: Partial<FluxWorld> = {}) =>
    handler(more).diff?.(existing(missing), inputs(), cloud.context);
  const read = async (missing: string[] = []) => {
    const { id, inputs, state } = existing(missing);
    return handler().read?.(id, inputs, state, cloud.context);
  };
  const refuse = (...parts: string[]) => {
    intercept = ({ path }) =>
      parts.some((part) => path.includes(part)) ? { status: 403, body: { message: "not you", reason: "" } } : undefined;
  };
  const change = (path: string, more: Properties) => {
    objects[path] = { ...objects[path], ...more };
  };
  const controllers = () => (objects[DEPLOYMENTS] as { items: Properties[] }).items;
  const scaled = (managedFields: object[]) => {
    const [first = {}, ...rest] = controllers();
    const metadata = { ...(first.metadata as object), managedFields };
    objects[DEPLOYMENTS] = { items: [{ ...first, metadata, spec: { replicas: 0 } }, ...rest] };
  };
  const SOURCE_NAME = "GitRepository flux-system/flux-system";
  const ROOT_NAME = "Kustomization flux-system/flux-system";

  it("finds nothing where all is there, and lets no secret's value travel", async () => {
    assert.deepEqual(await diff(), { changes: false, replaces: [], detailed: {} });
    assert.deepEqual(await read(), existing());
    assert.deepEqual(cloud.messages, []);
    const secrets = server.requests.filter(({ path }) => path.includes("/secrets/"));
    assert.equal(secrets.length, 4);
    for (const { headers } of secrets)
      assert.equal(headers.accept, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    assert.deepEqual(new Set(server.requests.map(({ method }) => method)), new Set(["GET"]));
  });

  it("asks for no sign-in secret where the controllers' identity reads, and for the source's provider", async () => {
    delete objects[SECRET];
    const azure = { ...inputs(), provider: "azure" };
    const { url, branch } = inputs();
    const found = async (more: Properties) => {
      change(SOURCE, { spec: { url, ref: { branch }, ...more } });
      return handler().diff?.(
        { id: CLUSTER_ID, inputs: azure, state: { ...azure, missing: [] } },
        azure,
        cloud.context,
      );
    };
    assert.equal((await found({ provider: "azure" }))?.changes, false);
    assert.deepEqual((await found({ secretRef: { name: "flux-system" } }))?.detailed, UPDATE);
  });

  it("sees another artifact than the one that is read in place of the repository, and asks for no sign-in secret", async () => {
    delete objects[SECRET];
    delete objects[SOURCE];
    const artifact = { url: "oci://acme.azurecr.io/fleet", tag: "latest", provider: "azure", verify: "cosign" };
    const given = { ...inputs(), artifact, artifactSecrets: [{ name: "cosign", type: "Opaque", data: { a: "b" } }] };
    const spec = {
      ...{ url: artifact.url, ref: { tag: "latest" }, provider: "azure" },
      verify: { provider: "cosign", secretRef: { name: "cosign" } },
    };
    objects[`${NAMESPACE}/secrets/cosign`] = { metadata: { name: "cosign" } };
    const known = { id: CLUSTER_ID, inputs: given, state: { ...given, missing: [] } };
    const seen = async (more: Properties) => {
      objects[OCI] = { metadata: { name: "flux-system" }, kind: "OCIRepository", spec: { ...spec, ...more } };
      cloud.messages.length = 0;
      const diff = await handler().diff?.(known, given, cloud.context);
      return { diff, read: await handler().read?.(CLUSTER_ID, given, known.state, cloud.context) };
    };
    assert.deepEqual(await seen({}), { diff: { changes: false, replaces: [], detailed: {} }, read: known });
    const { diff, read } = await seen({ ref: { tag: "other" }, verify: null });
    assert.deepEqual(diff?.detailed, UPDATE);
    const told = ["tag", "verify"].map((name) => `OCIRepository flux-system/flux-system: has another ${name}`);
    assert.deepEqual(
      cloud.messages.filter((message) => message.includes("missing")),
      [`warning: missing in the cluster, and restored by \`pulumi up\`: ${told.join(", ")}`],
    );
    const { verify: _, ...left } = artifact;
    assert.deepEqual(read?.inputs.artifact, { ...left, tag: "other" });
    assert.equal(read?.inputs.url, given.url);
  });

  it("asks for the sign-in secret and the source's provider where a GitHub App reads", async () => {
    const app = { id: "1", installation: "acme", privateKey: "PEM" };
    const asApp = { ...inputs(), provider: "github", githubApp: app };
    const { url, branch } = inputs();
    const found = async (more: Properties) => {
      change(SOURCE, { spec: { url, ref: { branch }, secretRef: { name: "flux-system" }, ...more } });
      const known = { id: CLUSTER_ID, inputs: asApp, state: { ...asApp, missing: [] } };
      return handler().diff?.(known, asApp, cloud.context);
    };
    assert.equal((await found({ provider: "github" }))?.changes, false);
    assert.deepEqual((await found({}))?.detailed, UPDATE);
    assert.deepEqual((await found({ provider: "github", secretRef: { name: "other" } }))?.detailed, UPDATE);
    delete objects[SECRET];
    assert.deepEqual((await found({ provider: "github" }))?.detailed, UPDATE);
  });

  const CASES: [what: string, change: () => void, missing: string[]][] = [
    ["the sign-in secret", () => delete objects[SECRET], ["Secret flux-system/flux-system"]],
    ["the pull secret", () => delete objects[PULL_SECRET], ["Secret flux-system/pull"]],
    ["the root source", () => delete objects[SOURCE], [SOURCE_NAME]],
    ["the root Kustomization", () => delete objects[ROOT], [ROOT_NAME]],
    [
      "a controller",
      () => change(DEPLOYMENTS, { items: controllers().slice(1) }),
      ["Deployment flux-system/source-controller"],
    ],
    ["a CRD", () => change(CRDS, { items: [] }), DEFINITIONS.map((name) => `CustomResourceDefinition ${name}`)],
    ["the namespace", () => delete objects[NAMESPACE], ["Namespace flux-system"]],
    [
      "a namespace that is on its way out",
      () => change(NAMESPACE, { metadata: { name: "flux-system", deletionTimestamp: NOW } }),
      ["Namespace flux-system: is being deleted"],
    ],
    [
      "an uninstall that was interrupted",
      () => {
        const annotations = { "aks-gitops/uninstalling": "true" };
        change(NAMESPACE, { metadata: { name: "flux-system", annotations } });
        change(ROOT, { metadata: { name: "flux-system", annotations } });
      },
      [
        `${ROOT_NAME}: was to be uninstalled, which was interrupted`,
        "Namespace flux-system: was to be uninstalled, which was interrupted",
      ],
    ],
    [
      "a controller that somebody scaled to 0",
      () => scaled([{ manager: "kubectl", fieldsV1: { "f:spec": { "f:replicas": {} } } }]),
      ["Deployment flux-system/source-controller: is scaled to 0"],
    ],
    [
      "a root source that signs in with another secret",
      () => change(SOURCE, { spec: { url: inputs().url, ref: { branch: "main" }, secretRef: { name: "x" } } }),
      [`${SOURCE_NAME}: has another secretRef`],
    ],
  ];
  for (const [what, change, missing] of CASES)
    it(`sees ${what}, in a preview and in a refresh`, async () => {
      change();
      assert.deepEqual(await diff(), { changes: true, replaces: [], detailed: UPDATE });
      assert.deepEqual(cloud.messages, [
        `warning: missing in the cluster, and restored by \`pulumi up\`: ${missing.join(", ")}`,
      ]);
      assert.deepEqual(await read(), existing(missing));
    });

  it("leaves a controller that Git scales to 0", async () => {
    scaled([{ manager: "kustomize-controller", fieldsV1: { "f:spec": { "f:replicas": {} } } }]);
    assert.equal((await diff())?.changes, false);
  });

  it("sees root objects that lead elsewhere: a preview as missing, a refresh as another input", async () => {
    change(SOURCE, {
      spec: { url: "https://u:p@e.example", ref: { branch: "x" }, secretRef: { name: "flux-system" } },
    });
    change(ROOT, { spec: { path: "./elsewhere" } });
    assert.deepEqual((await diff())?.detailed, UPDATE);
    assert.deepEqual(cloud.messages, [
      "warning: missing in the cluster, and restored by `pulumi up`: " +
        `${SOURCE_NAME}: has another url, ${SOURCE_NAME}: has another branch, ${ROOT_NAME}: has another path`,
    ]);
    const found = await read();
    assert.deepEqual([found?.inputs.branch, found?.inputs.path, found?.state.missing], ["x", "elsewhere", []]);
  });

  it("is an update as long as the state says that something is missing", async () => {
    assert.deepEqual((await diff(["Secret flux-system/flux-system"]))?.detailed, UPDATE);
    assert.deepEqual(cloud.messages, []);
  });

  it("warns of what the caller may not read, once, and takes it as it is known", async () => {
    refuse("/secrets/", CRDS);
    delete objects[SECRET];
    assert.equal((await diff())?.changes, false);
    const told =
      "warning: Flux was not looked at in full, and the rest counts as it is known: " +
      "this caller may not read CustomResourceDefinition, Secret";
    assert.deepEqual(cloud.messages, [told]);
    const known = ["Secret flux-system/flux-system", `CustomResourceDefinition ${DEFINITIONS[0]}`, ROOT_NAME];
    assert.deepEqual((await read(known))?.state.missing, [known[1], known[0]]);
  });

  it("hears from Flux that its secret is missing, where the caller may not look", async () => {
    refuse("/secrets/");
    const message = "failed to get secret 'flux-system/flux-system': secrets \"flux-system\" not found";
    change(SOURCE, { status: { conditions: [{ type: "Ready", status: "False", message }] } });
    assert.deepEqual((await read())?.state.missing, ["Secret flux-system/flux-system"]);
  });

  it("says why the version's CRDs are not known, and looks at all else", async () => {
    delete objects[ROOT];
    const manifests = () => Promise.reject(new Error("no flux to be had"));
    assert.deepEqual((await diff([], { manifests }))?.detailed, UPDATE);
    assert.deepEqual(cloud.messages, [
      "warning: Flux was not looked at in full, and the rest counts as it is known: no flux to be had",
      `warning: missing in the cluster, and restored by \`pulumi up\`: ${ROOT_NAME}`,
    ]);
  });

  it("asks a busy server once", async () => {
    intercept = () => ({ status: 503, body: { message: "busy", reason: "" } });
    assert.equal((await diff())?.changes, false);
    assert.equal(cloud.messages.length, 1);
    const counts = Map.groupBy(server.requests, ({ path }) => path);
    for (const path of [NAMESPACE, SECRET, SOURCE]) assert.ok((counts.get(path)?.length ?? 0) <= 1, path);
  });

  it("does not wait for a server, nor for a token, that gives no answer", async () => {
    const silent = new Promise<never>(() => {});
    const pauses: number[] = [];
    const clock = { ...CLOCK, pause: async (milliseconds: number) => void pauses.push(milliseconds) };
    assert.equal((await diff([], { clock, token: () => silent }))?.changes, false);
    intercept = () => silent;
    assert.equal((await diff(["x"], { clock }))?.changes, true);
    const { origin } = server;
    const silence = `warning: Flux was not looked at: no answer from the API server ${origin}; does this machine reach it?: silent for 5 s`;
    assert.deepEqual(cloud.messages, [
      silence,
      silence,
      "warning: missing in the cluster, and restored by `pulumi up`: x",
    ]);
    assert.deepEqual(pauses, [5000, 5000]);
  });

  it("is not needed before a replacement", async () => {
    const next = { ...inputs(), endpoint: "https://another.example" };
    assert.deepEqual((await handler().diff?.(existing(), next, cloud.context))?.replaces, ["endpoint"]);
    assert.deepEqual(server.requests, []);
  });

  it("of a refresh serves the comparison right after it", async () => {
    delete objects[ROOT];
    const one = handler();
    const { id, inputs, state } = existing();
    const found = await one.read?.(id, inputs, state, cloud.context);
    assert.ok(found);
    const asked = server.requests.length;
    assert.deepEqual((await one.diff?.(found, inputs, cloud.context))?.detailed, UPDATE);
    assert.equal(server.requests.length, asked);
  });
});

describe("FluxInstall, replaced", () => {
  const OTHER = CLUSTER_ID.replace("prod", "other");
  const installation = (clusterId: string, instance: string) => {
    const inputs = { clusterId, endpoint: "http://127.0.0.1:1", certificateAuthority: "Q0E=" };
    return { id: clusterId, inputs, state: { ...inputs, instance } };
  };
  const deleted = async (successor: string) => {
    const cloud = new FakeCloud();
    cloud.answer = () => undefined;
    const world = { cloud, token: async () => "t", environment: {}, poll: 1, patience: 0, clock: CLOCK };
    const handler = fluxInstallIn({ ...world, manifests: () => Promise.reject(new Error("not asked for")) });
    await handler.delete?.(installation(CLUSTER_ID, "old"), cloud.context, installation(successor, "new"));
    return cloud.messages;
  };

  it("leaves Flux to the one that took its place in the same cluster", async () => {
    const stays = "info: Flux stays: it belongs to the installation that took this one's place in the same cluster";
    assert.deepEqual(await deleted(CLUSTER_ID), [stays]);
    assert.deepEqual(await deleted(CLUSTER_ID.toUpperCase()), [stays]);
  });

  it("uninstalls from the old cluster where the new one is in another", async () => {
    assert.deepEqual(await deleted(OTHER), ["info: the cluster is gone, and Flux with it"]);
  });
});
