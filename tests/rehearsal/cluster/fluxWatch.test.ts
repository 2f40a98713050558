import { strict as assert } from "node:assert";
import { mock } from "node:test";
import { afterEach, beforeEach, describe, it } from "mocha";
import { KubernetesError } from "../../../net/kubernetesApi.ts";
import type { ClusterApi, KubeObject } from "../../../rehearsal/cluster/api.ts";
import { fluxObjects, nameOf } from "../../../rehearsal/cluster/fluxState.ts";
import { FluxWatch } from "../../../rehearsal/cluster/fluxWatch.ts";

const VERSIONS: Readonly<Record<string, string>> = {
  GitRepository: "source.toolkit.fluxcd.io/v1",
  OCIRepository: "source.toolkit.fluxcd.io/v1",
  HelmChart: "source.toolkit.fluxcd.io/v1",
  HelmRepository: "source.toolkit.fluxcd.io/v1",
  HelmRelease: "helm.toolkit.fluxcd.io/v2",
  Kustomization: "kustomize.toolkit.fluxcd.io/v1",
};

interface Given {
  readonly spec?: object;
  readonly status?: object;
  readonly labels?: Record<string, string>;
  /** Ready's status and reason; the message is about the reason. */
  readonly ready?: readonly [status: string, reason: string];
}

const object = (
  kind: string,
  name: string,
  { spec = {}, status = {}, labels = {}, ready }: Given = {},
): KubeObject => ({
  apiVersion: VERSIONS[kind] ?? "",
  kind,
  metadata: { name, namespace: "flux-system", generation: 2, labels },
  spec,
  status: {
    observedGeneration: 2,
    conditions: ready && [{ type: "Ready", status: ready[0], reason: ready[1], message: `because ${ready[1]}` }],
    ...status,
  },
});
const good = ["True", "Succeeded"] as const;

/** An API that has what is in `objects`, keeps what is patched, and can be made to answer such requests by itself. */
class FakeApi {
  objects: KubeObject[] = [];
  lists = 0;
  readonly asked: string[] = [];
  /** What the controller of an object does when it is asked. */
  onAsk: (name: string, word: string) => void = () => {};

  async list(path: string): Promise<KubeObject[]> {
    this.lists++;
    const plural = path.split("/").at(-1) ?? "";
    const found = Object.keys(VERSIONS).find((kind) => `${kind.toLowerCase().replace(/y$/, "ie")}s` === plural);
    if (found === undefined)
      throw new KubernetesError(404, "NotFound", "the server could not find the requested resource");
    return this.objects.filter(({ kind }) => kind === found);
  }

  async send(method: string, path: string, body: { metadata: { annotations: Record<string, string> } }): Promise<void> {
    const [kind = "", name = ""] = path.split("/").slice(-2);
    assert.equal(method, "PATCH");
    this.asked.push(`${kind} ${name}`);
    this.onAsk(name, body.metadata.annotations["reconcile.fluxcd.io/requestedAt"] ?? "");
  }
}

describe("what Flux says of an object", () => {
  let api: FakeApi;
  const states = async () => fluxObjects(api as unknown as ClusterApi);
  beforeEach(() => {
    api = new FakeApi();
  });

  it("is Ready or failing for what is asked for now, whatever it was before", async () => {
    const older = { observedGeneration: 1 };
    api.objects = [
      object("GitRepository", "now", { ready: good }),
      object("GitRepository", "before", { ready: good, status: older }),
      object("GitRepository", "failing", { ready: ["False", "GitOperationFailed"], status: older }),
      object("GitRepository", "failed", {
        status: { conditions: [{ type: "Ready", status: "False", observedGeneration: 1 }] },
      }),
      object("GitRepository", "trying", { ready: ["Unknown", "Progressing"] }),
      object("GitRepository", "new", { status: { conditions: undefined } }),
      object("HelmRepository", "acr", { spec: { type: "oci" } }),
      object("HelmRepository", "http", {}),
    ];
    assert.deepEqual(
      (await states()).map(({ name, ready }) => [name, ready]),
      [
        ["now", true],
        ["before", undefined],
        ["failing", false],
        ["failed", undefined],
        ["trying", undefined],
        ["new", undefined],
        ["acr", true],
        ["http", undefined],
      ],
    );
  });

  it("tells its revision, what it needs, and who applied it", async () => {
    const sourceRef = { kind: "HelmRepository", name: "acr", namespace: "sources" };
    api.objects = [
      object("GitRepository", "fleet", { status: { artifact: { revision: "main@sha1:1" } } }),
      object("Kustomization", "apps", {
        spec: { sourceRef: { kind: "GitRepository", name: "fleet" }, dependsOn: [{ name: "infrastructure" }] },
        status: { lastAppliedRevision: "main@sha1:2", inventory: { entries: [{ id: "a_b__Secret", v: "v1" }] } },
      }),
      object("HelmRelease", "kured", {
        spec: { chart: { spec: { sourceRef } } },
        status: { history: [{ chartVersion: "6.1.0" }], helmChart: "sources/flux-system-kured" },
        labels: { "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system" },
      }),
    ];
    const found = await states();
    assert.deepEqual(
      found.map(({ revision, needs, appliedBy, inventory }) => [revision, needs.map(nameOf), appliedBy, inventory]),
      [
        ["main@sha1:1", [], undefined, []],
        [
          "main@sha1:2",
          ["GitRepository flux-system/fleet", "Kustomization flux-system/infrastructure"],
          undefined,
          ["a_b__Secret"],
        ],
        [
          "6.1.0",
          ["HelmRepository sources/acr", "HelmChart sources/flux-system-kured"],
          { name: "apps", namespace: "flux-system" },
          [],
        ],
      ],
    );
  });

  it("tells of an artifact that a pipeline pushed the commit, and of any other its digest", async () => {
    const commit = `main@sha1:${"b".repeat(40)}`;
    const revision = `latest@sha256:${"c".repeat(64)}`;
    const metadata = { "org.opencontainers.image.revision": commit };
    api.objects = [
      object("OCIRepository", "fleet", { status: { artifact: { revision, metadata } } }),
      object("OCIRepository", "chart", {
        status: { artifact: { revision, metadata: { "org.opencontainers.image.revision": "v1" } } },
      }),
      object("Kustomization", "apps", {
        status: {
          ...{ lastAppliedRevision: revision, lastAppliedOriginRevision: commit },
          lastAttemptedRevision: revision,
        },
      }),
    ];
    assert.deepEqual(
      (await states()).map(({ name, revision, attempted }) => [name, revision, attempted]),
      [
        ["fleet", commit, ""],
        ["chart", revision, ""],
        ["apps", commit, ""],
      ],
    );
  });
});

describe("the watch over Flux", () => {
  let api: FakeApi;
  let watch: FluxWatch;
  const failing = object("Kustomization", "infrastructure", { ready: ["False", "BuildFailed"] });
  const waiting = (reason = "DependencyNotReady") =>
    object("Kustomization", "apps", { spec: { dependsOn: [{ name: "infrastructure" }] }, ready: ["False", reason] });
  /** A look some seconds later. */
  const later = async (seconds: number) => {
    mock.timers.tick(seconds * 1000);
    const { state, failed } = await watch.look();
    return [state, failed.map(nameOf)];
  };

  beforeEach(() => {
    mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-01-01T00:00:00Z") });
    api = new FakeApi();
    watch = new FluxWatch(api as unknown as ClusterApi);
  });
  afterEach(() => mock.timers.reset());

  it("finds all ready where nothing is left to wait for, and waits where there is nothing yet", async () => {
    assert.deepEqual(await later(1), ["waiting", []]);
    const asleep = object("Kustomization", "asleep", { spec: { suspend: true }, ready: ["False", "BuildFailed"] });
    api.objects = [object("GitRepository", "fleet", { ready: good }), asleep];
    assert.deepEqual(await later(1), ["ready", []]);
    api.objects = [object("GitRepository", "fleet", { ready: ["Unknown", "Progressing"] })];
    assert.deepEqual(await later(600), ["waiting", []]);
  });

  it("asks once to try again what has failed for a while, and takes a failure after that for good", async () => {
    api.objects = [failing];
    assert.deepEqual(await later(1), ["waiting", []]);
    assert.deepEqual([await later(7), api.asked], [["waiting", []], []]);
    api.onAsk = (_, word) => {
      api.objects = [{ ...failing, status: { ...failing.status, lastHandledReconcileAt: word } }];
    };
    assert.deepEqual(await later(2), ["waiting", []]);
    assert.deepEqual(api.asked, ["kustomizations infrastructure"]);
    // The others get a moment to end what they are at.
    assert.deepEqual(await later(1), ["waiting", ["Kustomization flux-system/infrastructure"]]);
    assert.deepEqual(await later(9), ["failed", ["Kustomization flux-system/infrastructure"]]);
    assert.equal(api.asked.length, 1);
  });

  it("takes a controller that does not answer for one that has failed", async () => {
    api.objects = [failing];
    await later(1);
    await later(9);
    assert.deepEqual(await later(39), ["waiting", []]);
    assert.deepEqual(await later(2), ["waiting", ["Kustomization flux-system/infrastructure"]]);
  });

  it("forgets a failure that ended, however late", async () => {
    api.objects = [failing];
    await later(1);
    await later(9);
    await later(50);
    assert.deepEqual(await later(9), ["failed", ["Kustomization flux-system/infrastructure"]]);
    api.objects = [object("Kustomization", "infrastructure", { ready: good })];
    assert.deepEqual(await later(1), ["ready", []]);
    api.objects = [failing];
    assert.deepEqual(await later(1), ["waiting", []]);
  });

  it("gives an object that is asked for something else another chance", async () => {
    api.objects = [failing];
    await later(1);
    await later(9);
    await later(50);
    assert.deepEqual(await later(9), ["failed", ["Kustomization flux-system/infrastructure"]]);
    api.objects = [{ ...failing, metadata: { ...failing.metadata, generation: 3 } }];
    assert.deepEqual(await later(1), ["waiting", []]);
    assert.equal(api.asked.length, 1);
    await later(9);
    assert.equal(api.asked.length, 2);
  });

  it("names with a failure those that wait for it, or for something that is not there, and never these alone", async () => {
    const needsSource = object("HelmRelease", "kured", {
      spec: { chart: { spec: { sourceRef: { kind: "HelmRepository", name: "acr" } } } },
      ready: ["False", "SourceNotReady"],
    });
    api.objects = [
      failing,
      waiting(),
      object("Kustomization", "last", {
        spec: { dependsOn: [{ name: "apps" }] },
        ready: ["False", "DependencyNotReady"],
      }),
    ];
    await later(1);
    await later(9);
    assert.deepEqual(await later(41), [
      "waiting",
      ["infrastructure", "apps", "last"].map((name) => `Kustomization flux-system/${name}`),
    ]);
    api.objects = [needsSource];
    assert.deepEqual(await later(1), ["waiting", ["HelmRelease flux-system/kured"]]);
    assert.deepEqual(await later(9), ["failed", ["HelmRelease flux-system/kured"]]);
    assert.deepEqual(api.asked, ["kustomizations infrastructure"]);
    api.objects = [object("Kustomization", "infrastructure", { ready: ["Unknown", "Progressing"] }), waiting()];
    assert.deepEqual(await later(600), ["waiting", []]);
  });

  it("tells those that waited when what they waited for is there, and again if that does not help", async () => {
    api.objects = [object("Kustomization", "infrastructure", { ready: ["Unknown", "Progressing"] }), waiting()];
    await later(1);
    assert.deepEqual(api.asked, []);
    api.objects = [object("Kustomization", "infrastructure", { ready: good }), waiting()];
    await later(1);
    await later(1);
    assert.deepEqual(api.asked, ["kustomizations apps"]);
    await later(3);
    assert.deepEqual(api.asked, ["kustomizations apps", "kustomizations apps"]);
  });

  it("looks once for all who ask at the same time, and anew for who wants the present", async () => {
    await Promise.all([watch.look(), watch.look()]);
    const once = api.lists;
    mock.timers.tick(100);
    await watch.look();
    assert.equal(api.lists, once);
    await watch.look(Date.now());
    assert.equal(api.lists, 2 * once);
    mock.timers.tick(500);
    await watch.look();
    assert.equal(api.lists, 3 * once);
  });
});
