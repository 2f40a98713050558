// FluxReady: a commit's way into the cluster, until all that it promised is Ready; and later, whether it still is.

import * as z from "zod";
import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import { describe } from "../../net/describe.ts";
import { contentOf, type KubeObject, type KubernetesApi, nameOf, type ObjectRef } from "../../net/kubernetesApi.ts";
import { equal } from "../../plugin/diff.ts";
import type { Context, Diff, Properties } from "../../plugin/handler.ts";
import {
  handlerOf,
  type Inputs,
  type Known,
  type Previewed,
  resourceSchema,
  type SchemaHandler,
  type State,
  someText,
} from "../../plugin/schema.ts";
import { lookingAgain, pushedArtifact, rootAt } from "./artifact.ts";
import {
  entered,
  type FluxWorld,
  kustomizationRef,
  machine,
  openCluster,
  type Problem,
  releaseRef,
  requestReconcile,
  settled,
  sourceRef,
  UnsettledError,
  unready,
} from "./fluxCluster.ts";
import { type Found, unsettled, unsettledIn, writersOf, wrongIn } from "./fluxHealth.ts";
import * as forms from "./forms.ts";
import { changesBy, glanced, inVain, seen, told } from "./glance.ts";
import { descent } from "./past.ts";

/** The schema of `gitops:index:FluxReady`. */
export const FLUX_READY = resourceSchema({
  token: "gitops:index:FluxReady",
  description:
    "Arrives when Flux has fetched the commit (or a later one) and every Kustomization named is Ready at that revision, " +
    "and every release and source named is Ready; otherwise it fails with the messages of all that is not. Flux is asked " +
    "for what is behind, has failed or is missing. What is suspended is named and left to people.\n\n" +
    "A refresh and a preview look at the same objects: what is missing, is suspended or has failed makes an update. " +
    "Who may not look, or does not reach the API server, is told so and keeps what is known. Deleting it does nothing.",
  inputs: {
    endpoint: forms.endpoint
      .describe("The API server's URL, as ClusterAccess gives it. Another one is another cluster.")
      .meta({ replaceOnChanges: true }),
    certificateAuthority: someText.describe("The API server's authority: PEM, base64."),
    kubeContext: forms.kubeContext.exactOptional(),
    commit: someText.describe("The commit that the cluster shall come to; a new one is waited for."),
    kustomizations: forms.kustomizations.describe("The names of Flux's Kustomizations that have to be Ready."),
    releases: forms.names.describe("The names of HelmReleases that these write. Default: none.").exactOptional(),
    sources: z
      .array(z.string().regex(/^(OCIRepository|HelmRepository|GitRepository|Bucket|HelmChart)\/[^/]+$/))
      .describe("The sources that these write: `<kind>/<name>`. Default: none.")
      .meta({ fault: "is no list of sources: OCIRepository/<name>, HelmRepository/<name>" })
      .exactOptional(),
    artifact: pushedArtifact
      .describe(
        "The artifact that Flux reads in place of the repository: it has to be of the commit, or of one that descends from " +
          "it. Default: none.",
      )
      .exactOptional(),
    readyMinutes: forms.readyMinutes.describe("How long to wait, in minutes. Default: 15.").default(15),
  },
  outputs: { wrong: forms.wrong },
});

type FluxReadyInputs = Inputs<typeof FLUX_READY>;
type FluxReadyState = State<typeof FLUX_READY>;
type KnownReady = Known<FluxReadyInputs, FluxReadyState>;

/** How long a look may take that is no wait, in milliseconds: a preview shall not hang where nothing answers. */
const GLANCE = 5_000;

/** The handler of `gitops:index:FluxReady` in a world. @param glance how long a preview's look may take, in milliseconds. */
export function fluxReadyIn(world: FluxWorld, glance = GLANCE): SchemaHandler {
  return handlerOf(FLUX_READY, {
    diff: (existing, next, context) => diff(world, glance, existing, next, context),
    async create(inputs, context) {
      const id = FLUX_SYSTEM;
      await wait(world, id, inputs, context);
      return { id, state: inputs };
    },
    async read(_id, known, context) {
      if (known === undefined)
        throw new Error("FluxReady needs no import: declare it, and it waits for what the cluster already has");
      return seen(known, await look(world, glance, known, context));
    },
    async update({ id }, inputs, context) {
      await wait(world, id, inputs, context);
      return inputs;
    },
  });
}

/** The handler of `gitops:index:FluxReady`. */
export const fluxReady = fluxReadyIn(machine);

const promised = ({ commit, kustomizations, releases, sources, artifact }: Properties) => ({
  commit,
  kustomizations,
  releases,
  sources,
  artifact,
});

/** What is to be waited for anyway is not looked at: Flux may be about to change it. */
async function diff(
  world: FluxWorld,
  glance: number,
  existing: KnownReady,
  next: Previewed<FluxReadyInputs>,
  context: Context,
): Promise<Diff> {
  const { inputs: old, state } = existing;
  if (!equal(old.endpoint, next.endpoint)) return { changes: true, replaces: ["endpoint"] };
  if (!equal(promised(old), promised(next))) return { changes: true, replaces: [] };
  const wrong = (await look(world, glance, existing, context)) ?? state.wrong ?? [];
  return changesBy(wrong);
}

/** Where Flux reads, and that it has to have come to the commit. */
const rootFor = ({ descent: known = descent }: FluxWorld, { artifact, commit }: FluxReadyInputs, signal: AbortSignal) =>
  rootAt(artifact, commit, known, signal);

const refsOf = ({ kustomizations, releases = [], sources = [] }: FluxReadyInputs): ObjectRef[] => [
  ...kustomizations.map(kustomizationRef),
  ...moreOf({ releases, sources }),
];

const moreOf = ({ releases = [], sources = [] }: Pick<FluxReadyInputs, "releases" | "sources">): ObjectRef[] => [
  ...sources.map(sourceRef),
  ...releases.map(releaseRef),
];

/**
 * Looks once, without asking Flux for anything, and tells what is wrong beside the resource. After a wait in vain all
 * that was waited for still has to come.
 * @returns undefined where there was nothing to be seen, which is told too.
 */
async function look(
  world: FluxWorld,
  glance: number,
  { inputs, state }: KnownReady,
  context: Context,
): Promise<string[] | undefined> {
  const refs = refsOf(inputs);
  const root = rootFor(world, inputs, context.signal);
  const found = await glanced(context, glance, (signal) =>
    present(openCluster(world, inputs, signal), [root.ref, ...refs]),
  );
  if (found === undefined) return undefined;
  const isAwaited = (state.wrong ?? []).length > 0;
  const problems = isAwaited ? unsettledIn(found, refs, root) : wrongIn(found, [root.ref, ...refs]);
  return told(problems, context);
}

async function wait(world: FluxWorld, id: string, inputs: FluxReadyInputs, context: Context): Promise<void> {
  const api = openCluster(world, inputs, context.signal);
  await entered(world, api, inputs, context);
  const refs = refsOf(inputs);
  const root = rootFor(world, inputs, context.signal);
  const requestedAt = await requestReconcile(api, root.ref);
  const again = lookingAgain(world, api, root.ref);
  const asking = new Asking(api, refs);
  for (const ref of refs) {
    const object = await api.get(ref);
    // It tries again by itself, but may have chosen to wait for long.
    if (object !== undefined && unready(object) !== undefined) await asking.ask(ref);
  }
  try {
    await settled(world, context, inputs.readyMinutes, async () => {
      const problems = await unsettled(api, inputs.kustomizations, requestedAt, moreOf(inputs), root);
      await again(problems);
      await asking.askFor(problems);
      return problems;
    });
  } catch (error) {
    context.signal.throwIfAborted();
    const isHeld = error instanceof UnsettledError && error.isHeld;
    const reasons = [describe(error), ...(isHeld ? [] : await others(api, [root.ref, ...refs]))];
    throw inVain(id, inputs, error, reasons.join("\n  "));
  }
}

/** Asks Flux to look at objects, each once: it works at what it has been asked for. */
class Asking {
  readonly #api: KubernetesApi;
  readonly #refs: readonly ObjectRef[];
  readonly #asked = new Set<string>();
  /** What was idle in the look before. */
  #idle = new Set<string>();

  constructor(api: KubernetesApi, refs: readonly ObjectRef[]) {
    this.#api = api;
    this.#refs = refs;
  }

  async ask(ref: ObjectRef): Promise<void> {
    if (this.#asked.has(nameOf(ref))) return;
    this.#asked.add(nameOf(ref));
    await requestReconcile(this.#api, ref);
  }

  /** Asks for what does not go on by itself: what stays behind, and what is missing though who writes it is content. */
  async askFor(problems: readonly Problem[]): Promise<void> {
    const isWrong = new Set(problems.map(({ ref }) => nameOf(ref)));
    const idle = problems.flatMap(({ ref, nature }) => {
      if (nature === "behind") return [ref];
      const writers = nature === "missing" ? writersOf(ref, this.#refs) : [];
      return writers.some((writer) => isWrong.has(nameOf(writer))) ? [] : writers;
    });
    // Flux hears of a new revision only a moment later than this, and then begins by itself.
    for (const ref of idle) if (this.#idle.has(nameOf(ref))) await this.ask(ref);
    this.#idle = new Set(idle.map(nameOf));
  }
}

const KINDS = [
  ["source.toolkit.fluxcd.io/v1", "OCIRepository"],
  ["source.toolkit.fluxcd.io/v1", "HelmRepository"],
  ["source.toolkit.fluxcd.io/v1", "HelmChart"],
  ["helm.toolkit.fluxcd.io/v2", "HelmRelease"],
  ["kustomize.toolkit.fluxcd.io/v1", "Kustomization"],
] as const;

/** What else is not Ready: a Kustomization tells which object it waits for, that object tells why. */
async function others(api: KubernetesApi, refs: readonly ObjectRef[]): Promise<string[]> {
  const told = new Set(refs.map(nameOf));
  const lists = await Promise.all(KINDS.map(([apiVersion, kind]) => api.list(apiVersion, kind)));
  return lists.flat().flatMap((object) => {
    const { status } = object;
    const isTold = told.has(nameOf(object));
    // A HelmRepository of type oci is only an address and has no status.
    const problem = isTold || status === undefined || !("conditions" in Object(status)) ? undefined : unready(object);
    return problem === undefined ? [] : [`${nameOf(object)}: ${problem}`];
  });
}

/** Objects of Flux's namespace, each kind asked for once; a kind that is not there has none. @throws KubernetesError */
async function present(api: KubernetesApi, refs: readonly ObjectRef[]): Promise<Found> {
  const kinds = new Map(refs.map(({ apiVersion, kind }) => [kind, apiVersion]));
  const lists = await Promise.all([...kinds].map(([kind, apiVersion]) => listed(api, apiVersion, kind)));
  const objects = new Map(lists.flat().map((object) => [nameOf(object), object]));
  return (ref) => objects.get(nameOf(ref));
}

async function listed(api: KubernetesApi, apiVersion: string, kind: string): Promise<KubeObject[]> {
  const plural = `${kind.toLowerCase().replace(/y$/, "ie")}s`;
  const path = `/apis/${apiVersion}/namespaces/${FLUX_SYSTEM}/${plural}`;
  const answer = await api.ask("GET", path);
  if (answer.status === 404) return [];
  const { items } = contentOf("GET", path, answer) as { items: KubeObject[] };
  return items.map((item) => ({ ...item, apiVersion, kind }));
}
