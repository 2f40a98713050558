// An API server in memory with what an installation of Flux needs: discovery, server-side apply, merge patches, deletions
// that wait for finalizers, CRDs and namespaces that take along what is theirs, and controllers that do their part.
import { isMap } from "../../net/values.ts";
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, listen } from "./loopback.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind.
type Found = any;

const BUILT_IN: readonly (readonly [group: string, plural: string, kind: string, namespaced: boolean])[] = [
  ["/api/v1", "namespaces", "Namespace", false],
  ["/api/v1", "secrets", "Secret", true],
  ["/api/v1", "services", "Service", true],
  ["/api/v1", "serviceaccounts", "ServiceAccount", true],
  ["/api/v1", "resourcequotas", "ResourceQuota", true],
  ["/api/v1", "pods", "Pod", true],
  ["/apis/apps/v1", "deployments", "Deployment", true],
  ["/apis/networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", true],
  ["/apis/rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", false],
  ["/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", "ClusterRoleBinding", false],
  ["/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", false],
];
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";
const NAMESPACES = "/api/v1/namespaces/";
const REVISION = "main@sha1:1";

export class FakeKubernetes {
  /** Objects by path. */
  readonly objects = new Map<string, Found>();
  /** Called with every write that was done. */
  written: () => void = () => {};
  /** Whether kustomize-controller took away what a Kustomization had deployed. */
  hasPruned = false;
  #server: Loopback | undefined;
  #count = 0;

  async open(): Promise<void> {
    this.#server = await listen((request) => this.#answer(request));
  }

  get origin(): string {
    return this.#server?.origin ?? "";
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  #answer({ method, url, body }: LoopbackRequest): LoopbackAnswer {
    this.#control();
    const { pathname: path } = url;
    const content = body.length > 0 ? JSON.parse(body.toString()) : undefined;
    if (method === "GET") return this.#get(path, url.searchParams.get("labelSelector"));
    const answer = method === "DELETE" ? this.#delete(path) : this.#patch(path, content, url.searchParams);
    if (answer !== NOT_FOUND) this.written();
    return answer;
  }

  #get(path: string, labels: string | null): LoopbackAnswer {
    const kinds = this.#kinds();
    const group = kinds.filter(([prefix]) => prefix === path);
    if (group.length > 0)
      return { body: { resources: group.map(([, name, kind, namespaced]) => ({ name, kind, namespaced })) } };
    const object = this.objects.get(path);
    if (object !== undefined) return { body: object };
    const listed = kinds.find(([prefix, plural]) => path.startsWith(`${prefix}/`) && path.endsWith(`/${plural}`));
    if (listed === undefined) return NOT_FOUND;
    const [prefix, plural] = listed;
    const wanted = (labels ?? "")
      .split(",")
      .filter(Boolean)
      .map((label) => label.split("="));
    const items = [...this.objects]
      .filter(([at]) => at.startsWith(`${prefix}/`) && at.split("/").at(-2) === plural)
      .filter(([at]) => path === `${prefix}/${plural}` || at.startsWith(`${path}/`))
      .map(([, found]) => found)
      .filter(({ metadata }) => wanted.every(([key = "", value]) => metadata.labels?.[key] === value));
    return { body: { items } };
  }

  #kinds(): readonly (readonly [string, string, string, boolean])[] {
    const definitions = [...this.objects].filter(([path]) => path.startsWith(CRDS)).map(([, { spec }]) => spec);
    const own = definitions.flatMap(({ group, names, versions }) =>
      versions.map(({ name }: Found) => [`/apis/${group}/${name}`, names.plural, names.kind, true] as const),
    );
    return [...BUILT_IN, ...own];
  }

  #patch(path: string, patch: Found, query: URLSearchParams): LoopbackAnswer {
    const isApply = query.has("force");
    const old = this.objects.get(path);
    if (old === undefined) {
      const namespace = /\/namespaces\/([^/]+)\/./.exec(path)?.[1];
      const home = namespace === undefined ? {} : this.objects.get(NAMESPACES + namespace);
      if (!isApply || home === undefined) return NOT_FOUND;
      if (home.metadata?.deletionTimestamp)
        return { status: 403, body: { message: "is being terminated", reason: "" } };
    }
    const manager = query.get("fieldManager");
    const next = merged(old ?? { metadata: { uid: `${++this.#count}`, generation: 0 } }, patch);
    if (JSON.stringify(old?.spec) !== JSON.stringify(next.spec)) next.metadata.generation++;
    const managers = new Set([...(next.metadata.managedFields ?? []).map((one: Found) => one.manager), manager]);
    next.metadata.managedFields = [...managers].map((one) => ({ manager: one, fieldsV1: {} }));
    this.objects.set(path, next);
    this.#control();
    return { body: next };
  }

  #delete(path: string): LoopbackAnswer {
    const object = this.objects.get(path);
    if (object === undefined) return NOT_FOUND;
    object.metadata.deletionTimestamp ??= "2026-01-01T00:00:00Z";
    return { body: object };
  }

  /** What controllers do: each request finds them one step further. */
  #control(): void {
    for (const [path, object] of [...this.objects]) {
      const { metadata, kind } = object;
      if (metadata.deletionTimestamp) this.#finalize(path, object);
      else if (kind === "Namespace") object.status = { phase: "Active" };
      else if (kind === "CustomResourceDefinition")
        object.status = { conditions: [{ type: "Established", status: "True" }] };
      else if (kind === "Deployment") {
        const replicas = object.spec.replicas ?? 1;
        object.status = {
          observedGeneration: metadata.generation,
          updatedReplicas: replicas,
          availableReplicas: replicas,
        };
      } else if (path.includes(".toolkit.fluxcd.io/")) this.#reconcile(object);
    }
  }

  #runs(controller: string): boolean {
    const deployment = this.objects.get(`/apis/apps/v1/namespaces/flux-system/deployments/${controller}`);
    return deployment !== undefined && !deployment.metadata.deletionTimestamp;
  }

  #reconcile(object: Found): void {
    const { metadata, spec, kind } = object;
    if (!this.#runs(controllerOf(kind)) || spec.suspend) return;
    const asked = metadata.annotations?.["reconcile.fluxcd.io/requestedAt"];
    metadata.finalizers = ["finalizers.fluxcd.io"];
    object.status = {
      observedGeneration: metadata.generation,
      conditions: [{ type: "Ready", status: "True" }],
      lastHandledReconcileAt: asked,
      ...(kind === "Kustomization" ? { lastAppliedRevision: REVISION } : { artifact: { revision: REVISION } }),
    };
  }

  #finalize(path: string, { metadata, spec, kind }: Found): void {
    if (path.includes(".toolkit.fluxcd.io/") && metadata.finalizers && this.#runs(controllerOf(kind))) {
      if (kind === "Kustomization" && spec.prune && !spec.suspend) this.hasPruned = true;
      delete metadata.finalizers;
    }
    const inside = path.startsWith(CRDS)
      ? (at: string) => at.startsWith(`/apis/${spec.group}/`) && at.split("/").at(-2) === spec.names.plural
      : path.startsWith(NAMESPACES) && kind === "Namespace"
        ? (at: string) => at.includes(`/namespaces/${metadata.name}/`)
        : () => false;
    const left = [...this.objects.keys()].filter(inside);
    for (const at of left) this.#delete(at);
    if (left.length === 0 && !metadata.finalizers?.length) this.objects.delete(path);
  }
}

const NOT_FOUND: LoopbackAnswer = { status: 404, body: { message: "not found", reason: "NotFound" } };

function controllerOf(kind: string): string {
  return kind === "Kustomization" ? "kustomize-controller" : "source-controller";
}

/** As a JSON merge patch: null takes away. */
function merged(below: Found, above: Found): Found {
  if (!isMap(below) || !isMap(above)) return above;
  const result: Record<string, Found> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    if (value === null) delete result[key];
    else result[key] = merged(isMap(value) ? (result[key] ?? {}) : result[key], value);
  }
  return result;
}
