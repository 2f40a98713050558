// Flux's objects behind an API server in memory, for tests of what looks at them. Its time passes with each wait.
import type { Context, ResourceHandler } from "../../../plugin/handler.ts";
import type { FluxWorld } from "../../../provider/flux/fluxCluster.ts";
import { fluxReadyIn } from "../../../provider/flux/fluxReady.ts";
import { type LoopbackRequest, listen } from "../../support/loopback.ts";
import { FakeCloud } from "../fakeCloud.ts";

const SOURCE = "source.toolkit.fluxcd.io/v1";
const VERSIONS = {
  GitRepository: [SOURCE, "gitrepositories"],
  OCIRepository: [SOURCE, "ocirepositories"],
  HelmRepository: [SOURCE, "helmrepositories"],
  HelmChart: [SOURCE, "helmcharts"],
  Kustomization: ["kustomize.toolkit.fluxcd.io/v1", "kustomizations"],
  HelmRelease: ["helm.toolkit.fluxcd.io/v2", "helmreleases"],
} as const;
type Kind = keyof typeof VERSIONS;
const KINDS = Object.keys(VERSIONS) as Kind[];
const REQUESTED_AT = "reconcile.fluxcd.io/requestedAt";

interface State {
  /** Of the Ready condition; undefined: nothing is said at all. @default "True" */
  readonly ready?: string | undefined;
  readonly reason?: string;
  readonly message?: string;
  readonly suspend?: boolean;
  readonly lastAppliedRevision?: string;
  /** Of a source's artifact. */
  readonly revision?: string;
  /** Of an OCI artifact: its annotations. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly dependsOn?: readonly object[];
}

interface Stored {
  readonly metadata: { readonly name: string; annotations: Record<string, string>; readonly generation: number };
  readonly spec: object;
  status: Record<string, unknown>;
}

export type Flux = Awaited<ReturnType<typeof fluxInMemory>>;

/** A Flux at the revision `main@sha1:2` whose GitRepository looks at once when it is asked to. */
export async function fluxInMemory() {
  const objects = new Map<string, Stored>();
  const patches: object[] = [];
  const logs: string[] = [];
  const requests: LoopbackRequest[] = [];
  let now = 0;
  const flux = {
    requests,
    patches,
    logs,
    /** How often something waited. */
    pauses: 0,
    /** A status that every answer has. */
    refuse: undefined as number | undefined,
    silent: false,
    /** Before each look but the first one: its number. */
    onLook: (_look: number): void => {},
    onAsked: (_kind: Kind, _name: string): unknown => undefined,
    object(kind: Kind, name: string, state: State = {}) {
      const {
        ready,
        reason = "Succeeded",
        message = "",
        suspend,
        type,
        dependsOn,
        revision,
        annotations,
        lastAppliedRevision,
      } = {
        ready: "True" as string | undefined,
        ...(kind === "GitRepository" ? { revision: "main@sha1:2" } : {}),
        ...state,
      };
      const conditions = ready === undefined ? [] : [{ type: "Ready", status: ready, reason, message }];
      objects.set(`${kind} ${name}`, {
        metadata: { name, annotations: {}, generation: 1 },
        spec: { ...(suspend && { suspend }), ...(type && { type }), ...(dependsOn && { dependsOn }) },
        status: {
          ...(ready !== undefined && { observedGeneration: 1, conditions }),
          ...(revision && { artifact: { revision, ...(annotations && { metadata: annotations }) } }),
          ...(lastAppliedRevision && { lastAppliedRevision }),
        },
      });
    },
    kustomization(name: string, state: State = {}) {
      flux.object("Kustomization", name, { lastAppliedRevision: "main@sha1:2", ...state });
    },
    fail(kind: Kind, name: string, reason: string, message: string, state: State = {}) {
      const at = kind === "Kustomization" ? { lastAppliedRevision: "main@sha1:2" } : {};
      flux.object(kind, name, { ...at, ...state, ready: "False", reason, message });
    },
    heal(kind: Kind, name: string) {
      if (kind === "Kustomization") flux.kustomization(name);
      else flux.object(kind, name);
    },
    remove: (kind: Kind, name: string) => void objects.delete(`${kind} ${name}`),
    /** What was asked to reconcile, each as often as it was asked, sorted. */
    asked: () => asked.toSorted(),
    /** All objects, without the marks of requests. */
    snapshot: () => [...objects].map(([name, { spec }]) => [name, structuredClone(spec)]),
    endpoint: "",
    close: () => server.close(),
    ready: (more: Partial<FluxWorld> = {}, glance?: number): ResourceHandler =>
      fluxReadyIn({ ...world, ...more }, glance),
    context: {} as Context,
  };
  const asked: string[] = [];
  const cloud = new FakeCloud();
  const world: FluxWorld = {
    cloud,
    token: async () => "token",
    manifests: () => Promise.reject(new Error("no manifests are asked for")),
    environment: {},
    poll: 2000,
    patience: 60_000,
    clock: {
      now: () => now,
      async pause(milliseconds, signal) {
        now += milliseconds;
        flux.onLook(++flux.pauses + 1);
        signal?.throwIfAborted();
      },
    },
  };
  const server = await listen(async (request) => {
    requests.push(request);
    if (flux.refuse) return { status: flux.refuse, body: { message: "not you" } };
    if (flux.silent) await new Promise(() => {});
    return answer(request);
  });

  function answer({ method, url: { pathname }, body }: LoopbackRequest) {
    if (pathname === "/api/v1/namespaces/flux-system") return { body: { metadata: { name: "flux-system" } } };
    if (pathname === "/api/v1")
      return { body: { resources: [{ name: "namespaces", kind: "Namespace", namespaced: false }] } };
    for (const kind of KINDS) {
      const [version, plural] = VERSIONS[kind];
      if (pathname === `/apis/${version}`) return { body: { resources: resourcesOf(version) } };
      const list = `/apis/${version}/namespaces/flux-system/${plural}`;
      const all = [...objects].filter(([key]) => key.startsWith(`${kind} `)).map(([, object]) => described(object));
      if (pathname === list || pathname === `/apis/${version}/${plural}`) return { body: { items: all } };
      if (!pathname.startsWith(`${list}/`)) continue;
      const name = pathname.slice(list.length + 1);
      const found = objects.get(`${kind} ${name}`);
      if (found === undefined) return { status: 404, body: { message: "not found" } };
      if (method === "PATCH") patched(kind, name, found, JSON.parse(body.toString()));
      return { body: { apiVersion: version, kind, ...described(found) } };
    }
    return { status: 404, body: { message: "not found" } };
  }

  function patched(
    kind: Kind,
    name: string,
    found: Stored,
    patch: { metadata: { annotations: Record<string, string> } },
  ) {
    patches.push(patch);
    asked.push(`${kind} ${name}`);
    Object.assign(found.metadata.annotations, patch.metadata.annotations);
    found.status.lastHandledReconcileAt = found.metadata.annotations[REQUESTED_AT];
    flux.onAsked(kind, name);
  }

  flux.endpoint = server.origin;
  flux.context = {
    ...cloud.context,
    log: (severity, message) => void (severity !== "info" && logs.push(`${severity}: ${message}`)),
  };
  flux.object("GitRepository", "flux-system");
  return flux;
}

const described = ({ metadata, ...rest }: Stored) => ({ metadata: { namespace: "flux-system", ...metadata }, ...rest });

const resourcesOf = (version: string) =>
  KINDS.filter((kind) => VERSIONS[kind][0] === version).map((kind) => ({
    ...{ name: VERSIONS[kind][1], kind, namespaced: true },
  }));
