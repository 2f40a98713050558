import { strict as assert } from "node:assert";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type KubeObject, KubernetesError } from "../../../net/kubernetesApi.ts";
import { CLOCK } from "../../../net/retry.ts";
import { type Properties, UNKNOWN } from "../../../plugin/handler.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import {
  entered,
  type FluxWorld,
  openCluster,
  settled,
  statusOf,
  unavailable,
  unready,
} from "../../../provider/flux/fluxCluster.ts";
import { unsettled } from "../../../provider/flux/fluxHealth.ts";
import { fluxInstallIn } from "../../../provider/flux/fluxInstall.ts";
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, listen } from "../../support/loopback.ts";
import { CLUSTER_ID, FakeCloud } from "../fakeCloud.ts";
import { installInputs } from "./installInputs.ts";

const FLUX = "/namespaces/flux-system";
const SOURCE = `/apis/source.toolkit.fluxcd.io/v1${FLUX}/gitrepositories/flux-system`;
const ROOT = `/apis/kustomize.toolkit.fluxcd.io/v1${FLUX}/kustomizations/flux-system`;
const NAMESPACE = "/api/v1/namespaces/flux-system";
const SECRET = `${NAMESPACE}/secrets/flux-system`;
const DEPLOYMENTS = `/apis/apps/v1${FLUX}/deployments`;
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const CRD = "gitrepositories.source.toolkit.fluxcd.io";
const TEXT = `---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: ${CRD}\nspec: {}\n`;
const KINDS: Record<string, [string, string, boolean][]> = {
  "/api/v1": [
    ["namespaces", "Namespace", false],
    ["secrets", "Secret", true],
    ["pods", "Pod", true],
  ],
  "/apis/apps/v1": [["deployments", "Deployment", true]],
  "/apis/apiextensions.k8s.io/v1": [["customresourcedefinitions", "CustomResourceDefinition", false]],
  "/apis/source.toolkit.fluxcd.io/v1": [["gitrepositories", "GitRepository", true]],
  "/apis/kustomize.toolkit.fluxcd.io/v1": [["kustomizations", "Kustomization", true]],
};
const refusal = (status: number, message: string): LoopbackAnswer => ({ status, body: { message, reason: "" } });
const object = (more: object = {}): KubeObject => ({ apiVersion: "v1", kind: "X", metadata: { name: "x" }, ...more });

describe("a cluster that does not answer as it shall", () => {
  let server: Loopback;
  let cloud: FakeCloud;
  /** What there is, by path. */
  let objects: Record<string, object>;
  let intercept: (request: LoopbackRequest) => LoopbackAnswer | undefined;
  let properties: object | undefined;

  beforeEach(async () => {
    objects = {};
    intercept = () => undefined;
    properties = { fqdn: "127.0.0.1" };
    cloud = new FakeCloud();
    cloud.answer = () => {
      if (properties === undefined) throw new ArmError(404, "ResourceNotFound", "gone");
      return { properties };
    };
    server = await listen((request) => {
      const kinds = KINDS[request.path]?.map(([name, kind, namespaced]) => ({ name, kind, namespaced }));
      const found = objects[request.url.pathname];
      const body = kinds ? { resources: kinds } : found;
      return intercept(request) ?? (body ? { body } : refusal(404, "not found"));
    });
  });
  afterEach(() => server.close());

  /** An installation of which nothing is missing. */
  const whole = () => {
    const names = ["source", "kustomize", "helm", "notification"];
    objects[NAMESPACE] = object({ metadata: { name: "flux-system" } });
    objects[SECRET] = object({ metadata: { name: "flux-system", namespace: "flux-system" } });
    objects[DEPLOYMENTS] = {
      items: names.map((name) => object({ metadata: { name: `${name}-controller` }, spec: { replicas: 1 } })),
    };
    objects[CRDS] = { items: [object({ metadata: { name: CRD } })] };
    const { url, branch, path } = inputs();
    objects[SOURCE] = object({
      kind: "GitRepository",
      spec: { url, ref: { branch }, secretRef: { name: "flux-system" } },
    });
    objects[ROOT] = object({ kind: "Kustomization", spec: { path: `./${path}` } });
  };
  const world = (more: Partial<FluxWorld> = {}): FluxWorld => ({
    cloud,
    token: async () => "token",
    manifests: async () => ({ text: TEXT, sha256: "", images: [] }),
    environment: {},
    poll: 4,
    patience: 60_000,
    clock: CLOCK,
    ...more,
  });
  const inputs = () => installInputs(server.origin);
  const open = () => openCluster(world(), inputs(), cloud.context.signal);
  const handler = (more: Partial<FluxWorld> = {}) => fluxInstallIn(world(more));
  const read = () => handler().read?.(CLUSTER_ID, inputs(), { tokenFingerprint: "f" }, cloud.context);
  const remove = () => handler().delete?.({ id: CLUSTER_ID, inputs: inputs(), state: {} }, cloud.context);
  const asIs = () => ({ id: CLUSTER_ID, inputs: inputs(), state: { tokenFingerprint: "f" } });

  describe("to a caller whose role assignment is new", () => {
    it("is waited for, and says so once", async () => {
      const refusals = [401, 403, 403];
      objects[`/api/v1/namespaces/flux-system`] = object();
      intercept = () => {
        const status = refusals.shift();
        return status ? refusal(status, "who are you?") : undefined;
      };
      await entered(world({ roleWaits: [1, 1, 1] }), open(), {}, cloud.context);
      assert.deepEqual(cloud.messages, ["info: waiting until the API server knows the role assignment"]);
    });

    it("is given up in the end with the remedy", async () => {
      intercept = () => refusal(403, 'User "u" cannot get resource "namespaces"');
      await assert.rejects(entered(world({ roleWaits: [] }), open(), {}, cloud.context), (error: KubernetesError) => {
        assert.ok(error instanceof KubernetesError);
        assert.equal(
          error.message,
          'GET /api/v1: User "u" cannot get resource "namespaces"; the deployers\' group needs the role ' +
            "Azure Kubernetes Service RBAC Cluster Admin on the cluster, and the caller must be in it",
        );
        return true;
      });
    });

    it("is told at once what its user lacks, where a kubeconfig names it", async () => {
      intercept = () => refusal(403, 'User "u" cannot get resource "namespaces"');
      const entering = entered(world({ roleWaits: [1] }), open(), { kubeContext: "factory" }, cloud.context);
      await assert.rejects(entering, /; the user of context factory needs the ClusterRole cluster-admin, as/);
      assert.deepEqual(cloud.messages, []);
    });

    it("is not taken for one that refuses something else", async () => {
      intercept = () => refusal(400, "bad");
      await assert.rejects(entered(world(), open(), {}, cloud.context), { message: "GET /api/v1: bad" });
    });
  });

  describe("by a context of the kubeconfig", () => {
    const context = (endpoint: string) => ({
      kube: async (name: string) => ({
        endpoint,
        certificateAuthority: "Q0E=",
        credential: async () => ({ token: `token of ${name}` }),
      }),
    });
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "flux-system" } };
    const get = (endpoint: string) =>
      openCluster(world(context(endpoint)), { ...inputs(), kubeContext: "factory" }, cloud.context.signal).get(
        namespace,
      );

    it("takes that one's credential, not the caller's Entra token", async () => {
      objects["/api/v1/namespaces/flux-system"] = object();
      await get(server.origin);
      assert.deepEqual(
        [...new Set(server.requests.map(({ headers }) => headers.authorization))],
        ["Bearer token of factory"],
      );
    });

    it("gives it to nobody but the stack's cluster", async () => {
      await assert.rejects(get("https://office.acme.com"), {
        message:
          `context factory of the kubeconfig is at https://office.acme.com, and the stack's cluster at ${server.origin}: ` +
          "point KUBECONFIG to the one of this stack",
      });
      assert.deepEqual(server.requests, []);
    });

    it("goes with no cluster of Azure, and needs one of both", async () => {
      const check = async (more: object) => {
        const { clusterId: _, ...rest } = inputs();
        const checked = await handler().check?.({ ...rest, ...more }, undefined, cloud.context, new Uint8Array());
        return JSON.stringify(checked?.failures);
      };
      assert.match(await check({ kubeContext: "factory", clusterId: CLUSTER_ID }), /does not go with kubeContext/);
      assert.match(await check({}), /clusterId.*is missing: give the AKS cluster's ARM id, or kubeContext/);
      assert.doesNotMatch(await check({ kubeContext: "factory" }), /clusterId/);
      assert.match(
        await check({ kubeContext: "factory", imagePullSecret: "x" }),
        /imagePullSecret.*has no credentials/,
      );
    });
  });

  describe("to a refresh", () => {
    it("leaves what is known, with a warning, where the caller may not look", async () => {
      intercept = () => refusal(403, "not you");
      assert.deepEqual(await read(), asIs());
      assert.equal(cloud.messages.length, 1);
      assert.match(cloud.messages[0] ?? "", /^warning: Flux was not looked at: GET \/apis\/\S+: not you$/);
    });

    it("leaves what is known where the machine does not reach it, and is gone with the cluster", async () => {
      await server.close();
      assert.deepEqual(await read(), asIs());
      assert.match(
        cloud.messages[0] ?? "",
        /^warning: Flux was not looked at: no answer from .*: connect ECONNREFUSED/,
      );
      properties = undefined;
      assert.equal(await read(), undefined);
    });

    it("says where the GitRepository and the Kustomization lead, and is gone with the namespace and the CRDs", async () => {
      assert.equal(await read(), undefined);
      whole();
      objects[SOURCE] = object({ spec: { url: "u", ref: { branch: "b" }, secretRef: { name: "flux-system" } } });
      objects[ROOT] = object({ spec: { path: "./p" } });
      const found = { ...inputs(), url: "u", branch: "b", path: "p" };
      const state = { tokenFingerprint: "f", ...found, missing: [] };
      assert.deepEqual(await read(), { id: CLUSTER_ID, inputs: found, state });
      delete objects[NAMESPACE];
      assert.deepEqual((await read())?.state.missing, ["Namespace flux-system"]);
      delete objects[CRDS];
      assert.equal(await read(), undefined);
    });

    it("is not imported, but taken over", async () => {
      await assert.rejects(async () => handler().read?.(CLUSTER_ID, {}, {}, cloud.context), {
        message: "FluxInstall needs no import: declare it, and a Flux of the same folder is taken over as it is",
      });
    });
  });

  describe("to a deletion", () => {
    it("is an error while the cluster is there", async () => {
      await server.close();
      await assert.rejects(async () => remove(), {
        message: `no answer from the API server ${server.origin}; does this machine reach it?`,
      });
    });

    it("has taken Flux along where it is gone, or another one has its id", async () => {
      await server.close();
      properties = undefined;
      await remove();
      properties = { fqdn: "dev-new.hcp.westeurope.azmk8s.io", privateFQDN: "" };
      await remove();
      assert.deepEqual(cloud.messages, Array(2).fill("info: the cluster is gone, and Flux with it"));
    });
  });

  it("is told that Flux needs a token before anything is applied", async () => {
    await assert.rejects(handler().create(inputs(), cloud.context), {
      message:
        "Flux needs a token that reads https://github.com/acme/fleet.git: " +
        "set FLUX_GIT_TOKEN (for Flux alone, best read-only) or GITHUB_TOKEN",
    });
    assert.deepEqual(new Set(server.requests.map(({ method }) => method)), new Set(["GET"]));
  });

  it("may have another Flux that reconciles the repository's root", async () => {
    for (const path of ["./", "/", undefined]) {
      objects[ROOT] = object({ spec: { path } });
      await assert.rejects(
        handler({ environment: { GITHUB_TOKEN: "t" } }).create(inputs(), cloud.context),
        /^Error: Flux already reconciles \.?\/ into this cluster, not \.\/clusters\/dev: /,
      );
    }
  });

  it("follows its own folder to another place, and nobody else's", async () => {
    const existing = { id: CLUSTER_ID, inputs: inputs(), state: { ...inputs(), missing: [] } };
    const move = () => handler().update?.(existing, { ...inputs(), path: "clusters/staging" }, cloud.context);
    objects[ROOT] = object({ spec: { path: "./clusters/prod" } });
    await assert.rejects(async () => move(), /^Error: Flux already reconciles \.\/clusters\/prod into this cluster/);
    objects[ROOT] = object({ spec: { path: "./clusters/dev" } });
    // What it asks for next.
    await assert.rejects(async () => move(), /^Error: Flux needs a token that reads /);
  });

  it("may have been asked by somebody else to look at the repository, which suffices", async () => {
    const source = (asked: string, handled: string | undefined) =>
      object({
        metadata: { name: "x", generation: 1, annotations: { "reconcile.fluxcd.io/requestedAt": asked } },
        spec: {},
        status: {
          observedGeneration: 1,
          conditions: [{ type: "Ready", status: "True" }],
          artifact: { revision: "main@sha1:1" },
          lastHandledReconcileAt: handled,
        },
      });
    const look = async (asked: string, handled: string | undefined) => {
      objects[SOURCE] = source(asked, handled);
      return (await unsettled(open(), [], "ours")).map(({ problem }) => problem);
    };
    assert.deepEqual(await look("ours", "before"), ["has not looked again yet"]);
    assert.deepEqual(await look("ours", undefined), ["has not looked again yet"]);
    assert.deepEqual(await look("theirs", "before"), ["has not looked again yet"]);
    assert.deepEqual(await look("ours", "ours"), []);
    assert.deepEqual(await look("theirs", "theirs"), []);
  });

  describe("about a Deployment", () => {
    const PODS = `/api/v1${FLUX}/pods`;
    const problem = (status: object) => {
      const metadata = { name: "source-controller", namespace: "flux-system", generation: 2 };
      return unavailable(open(), object({ metadata, spec: { replicas: 1 }, status }));
    };
    const running = { observedGeneration: 2, updatedReplicas: 1, availableReplicas: 1 };

    it("is content when its pods of this generation run", async () => {
      assert.equal(await problem(running), undefined);
      assert.equal(await problem({ ...running, observedGeneration: 1 }), "1 of 1 pods available");
      assert.equal(await problem({ ...running, updatedReplicas: 0 }), "1 of 1 pods available");
      assert.equal(await problem({}), "0 of 1 pods available");
    });

    it("names the image that a pod does not get, the node it lacks, and the quota that forbids it", async () => {
      const waiting = { reason: "ImagePullBackOff", message: 'Back-off pulling image "acme.azurecr.io/x": 401' };
      const status = { containerStatuses: [{ state: { running: {} } }, { state: { waiting } }] };
      objects[PODS] = { items: [object(), object({ status })] };
      assert.equal(await problem({}), 'ImagePullBackOff: Back-off pulling image "acme.azurecr.io/x": 401');
      assert.equal(server.requests.at(-1)?.url.search, "?labelSelector=app%3Dsource-controller");
      const unscheduled = { type: "PodScheduled", status: "False", message: "0/3 nodes are available" };
      objects[PODS] = { items: [object({ status: { conditions: [unscheduled] } })] };
      assert.equal(await problem({}), "0/3 nodes are available");
      const conditions = [{ type: "ReplicaFailure", status: "True", message: "exceeded quota" }];
      assert.equal(await problem({ conditions }), "exceeded quota");
    });
  });

  it("has objects of new CRDs, whose status is null in part", () => {
    assert.deepEqual(statusOf(object({ status: { conditions: null, artifact: null, observedGeneration: 1 } })), {
      observedGeneration: 1,
    });
    assert.equal(unready(object({ status: { conditions: null } })), "has no status yet; does its controller run?");
    const conditions = [{ type: "Ready", status: "True" }];
    const metadata = { name: "x", generation: 2 };
    const behind = object({ metadata, status: { conditions, observedGeneration: 1 } });
    assert.equal(unready(behind), "its last change is not seen yet");
    assert.equal(unready(object({ metadata, status: { conditions, observedGeneration: 2 } })), undefined);
  });

  it("is waited for with a word for each thing that is waited for", async () => {
    const looks = ["a", "a", "b"];
    await settled(world(), cloud.context, 1, async () =>
      looks.splice(0, 1).map((problem) => ({ ref: object(), problem })),
    );
    assert.deepEqual(cloud.messages, ["info: waiting for X x: a", "info: waiting for X x: b"]);
    const look = async () => [{ ref: object(), problem: "a" }];
    await assert.rejects(settled(world(), cloud.context, -1, look, "not gone"), {
      message: "not gone after -1 minutes:\n  X x: a",
    });
  });

  it("is another one by its id or endpoint, and the same whatever time there is to wait", async () => {
    whole();
    const old = { id: CLUSTER_ID, inputs: { ...inputs(), readyMinutes: 15 }, state: {} };
    const diff = (more: Properties) => handler().diff?.(old, { ...inputs(), readyMinutes: 15, ...more }, cloud.context);
    assert.deepEqual(await diff({ readyMinutes: 5 }), { changes: false, replaces: [], detailed: {} });
    assert.deepEqual((await diff({ endpoint: UNKNOWN, version: "2.9.5" }))?.replaces, ["endpoint"]);
    assert.deepEqual(await diff({ version: "2.9.5" }), {
      changes: true,
      replaces: [],
      detailed: { version: { kind: "update", inputDiff: true } },
    });
  });

  it("is checked for its form, all faults at once", async () => {
    const check = (given: Properties) => handler().check?.(given, undefined, cloud.context, new Uint8Array());
    assert.deepEqual(await check(inputs()), { inputs: { readyMinutes: 15, ...inputs() }, failures: [] });
    const wrong = {
      ...{ endpoint: "http://dev.example.com", version: "v2.9.4", path: "./clusters/dev", readyMinutes: 0 },
      url: "https://ghp_secret@github.com/acme/fleet.git",
    };
    const { failures = [] } = (await check({ ...inputs(), ...wrong })) ?? {};
    assert.deepEqual(
      failures.map(({ property, reason }) => `${property}: ${reason}`),
      [
        'endpoint: "http://dev.example.com" is not an API server\'s URL: https://<host>:443',
        'version: "v2.9.4" is not a version of Flux without v: 2.9.4',
        ": url is no repository's URL without a password: https://<host>/<owner>/<name> or ssh://git@<host>/<owner>/<name>",
        'path: "./clusters/dev" is not a folder of the repository: clusters/<stack>',
        "readyMinutes: 0 is no number of minutes above 0",
      ],
    );
  });
});
