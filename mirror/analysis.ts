import { minorOf } from "../net/kubernetesVersion.ts";
import { REGISTRY_PLACEHOLDER } from "../net/registry/ownRegistry.ts";
import { type Base, type Effect, findEffects } from "./canary.ts";
import { type ChartContents, readChart } from "./chart.ts";
import { candidates, valuesFor } from "./chartValues.ts";
import { fieldKey, type ImageField, imageFields, isFilledIn } from "./imageFields.ts";
import { canonicalJson, type ImageRule, listedIn, type PostRenderImage, type PostRenderPatch, sha256 } from "./lock.ts";
import { imagesThatAreOff, joinedImages, type Offer } from "./offers.ts";
import { type Foreign, isListed, Outcome, type View } from "./outcome.ts";
import { keyOf, parseReference, type Reference, sourceOf } from "./reference.ts";
import {
  type Assignment,
  changesOf,
  fillDigests,
  leftBy,
  pinnedSuffixes,
  type Relocation,
  relocatingValues,
  suffixOf,
  TARGET,
} from "./relocation.ts";
import { type ChartFile, RenderError, type RenderedObject, Renderer } from "./render.ts";
import { changedPlaces, isRestless, mayHoldSum } from "./restless.ts";
import { formatPath, mergeValues, walk, type YamlMap } from "./tree.ts";
import { type ClusterFacts, KUBE_VERSIONS, SERVED_APIS, versionsBetween, type World, worldsOf } from "./worlds.ts";

/** To be raised when the analysis of a chart comes to other results. */
const ANALYSIS_VERSION = 4;

/** What a chart runs and how it is made to run it from another registry. Digests are marks (`digestMark`). */
export interface Analysis {
  readonly images: readonly Reference[];
  readonly values: YamlMap;
  readonly postRender: readonly PostRenderImage[];
  /** Texts that no value reaches. @default none */
  readonly patches?: readonly PostRenderPatch[];
  /** The images of `acceptForeign` without which something would stay foreign, as they are written there. @default none */
  readonly accepted?: readonly string[];
  /** What a person should look at. */
  readonly warnings: readonly string[];
  /** Images that may run without being named whole. @default none */
  readonly offers?: readonly Offer[];
}

/** An analysis with all that a person may want to know of it. */
export interface ChartPlan extends Required<Analysis> {
  /** Where each image stands, by {@link sourceOf}. */
  readonly places: ReadonlyMap<string, readonly string[]>;
  /** What comes from elsewhere whatever is done here. */
  readonly foreign: readonly Foreign[];
  /** What Helm said to values that the chart does not take. */
  readonly refusals: readonly string[];
  /** How often Helm ran. */
  readonly renderings: number;
}

/** What a person said about a chart's images, and what is known of the cluster. */
export interface AnalysisOptions extends ClusterFacts {
  /** Texts that are no images, or never run. @default none */
  readonly ignoreImages?: readonly ImageRule[] | undefined;
  /** Images that may come from elsewhere. @default none */
  readonly acceptForeign?: readonly ImageRule[] | undefined;
  /** Whether images are pinned by their digests. @default true */
  readonly pin?: boolean;
  /** Whether values are tried in groups. @default true */
  readonly together?: boolean;
  /** The folder of what was rendered in earlier runs. @default nothing is kept */
  readonly cache?: string | undefined;
  /** Told every 20 seconds how far a long analysis has come. @default nobody */
  readonly progress?: ((line: string) => void) | undefined;
}

/** A chart that cannot be made to use the mirrored images; the message names object and field. */
export class RelocationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RelocationError";
  }
}

/**
 * Hex SHA-256 of all that an analysis depends on.
 * @param chart by the name of its release, under which it is rendered; `kubeVersion` is the one that the cluster is
 * pinned to.
 */
export function analysisHash(chart: {
  sha256: string;
  name: string;
  namespace: string;
  values: YamlMap;
  ignoreImages?: readonly ImageRule[] | undefined;
  acceptForeign?: readonly ImageRule[] | undefined;
  kubeVersion?: string | undefined;
}): string {
  const { name, namespace, values, ignoreImages = [], acceptForeign = [], kubeVersion } = chart;
  const clusters = { kube: kubeVersion === undefined ? KUBE_VERSIONS : [kubeVersion], apis: SERVED_APIS };
  const rules = ignoreImages.length + acceptForeign.length > 0 ? { ignoreImages, acceptForeign } : {};
  return sha256(
    canonicalJson({ analysis: ANALYSIS_VERSION, clusters, chart: chart.sha256, name, namespace, values, ...rules }),
  );
}

/**
 * Finds a chart's images and the values that move them into another registry, by rendering it with values changed, and
 * proves the outcome by rendering it once more.
 * @param helm the path of Helm.
 * @throws RenderError when the chart does not render with the given values.
 * @throws RelocationError when an image stays that neither values nor a post-renderer reach.
 */
export async function analyseChart(
  helm: string,
  chart: ChartFile,
  given: YamlMap,
  options: AnalysisOptions = {},
): Promise<Analysis> {
  const plan = await planChart(helm, chart, given, options);
  const { images, values, postRender, patches, accepted, warnings, offers, foreign, refusals } = plan;
  if (foreign.length > 0) throw new RelocationError(describeForeign(chart, foreign, refusals));
  const more = {
    ...(patches.length > 0 ? { patches } : {}),
    ...(accepted.length > 0 ? { accepted } : {}),
    ...(offers.length > 0 ? { offers } : {}),
  };
  return { images, values, postRender, warnings, ...more };
}

function describeForeign(chart: ChartFile, foreign: readonly Foreign[], refusals: readonly string[]): string {
  const lines = foreign.map(
    ({ object, field, image, why }) => `\n  ${object}, ${field}: ${image}${why ? ` (${why})` : ""}`,
  );
  const refused = refusals.map((words) => `\n  ${words.replaceAll("\n", "\n  ")}`);
  const [first] = foreign;
  return (
    `The chart ${chart.name} cannot be made to use the mirrored images:${lines.join("")}\n` +
    (refused.length > 0 ? `Helm refuses other values:${refused.join("")}\n` : "") +
    `Set the chart's values in ${listedIn(chart)} so that these images are not rendered or come from a value, ` +
    `leave the chart out, or accept them under acceptForeign: { image: "${first?.image}", reason: "..." }.`
  );
}

/**
 * As {@link analyseChart}, with whatever stays foreign among the outcome.
 * @throws RenderError when the chart does not render with the given values.
 */
export async function planChart(
  helm: string,
  chart: ChartFile,
  given: YamlMap,
  options: AnalysisOptions = {},
): Promise<ChartPlan> {
  const contents = await readChart(chart.tgz);
  const own = JSON.parse(JSON.stringify(given).replaceAll(REGISTRY_PLACEHOLDER, TARGET)) as YamlMap;
  const action = async (renderer: Renderer) => {
    const since = Date.now();
    const heartbeat = setInterval(() => {
      const seconds = Math.round((Date.now() - since) / 1000);
      const times = renderer.runs === 1 ? "once" : `${renderer.runs} times`;
      options.progress?.(`${chart.name} ${contents.version}: rendered ${times}, ${seconds} s`);
    }, HEARTBEAT);
    try {
      return await new Analyst(renderer, chart, contents, own, options).plan();
    } finally {
      clearInterval(heartbeat);
    }
  };
  return Renderer.use(helm, chart, action, options.cache);
}

/** Milliseconds. */
const HEARTBEAT = 20_000;

/** A value that reaches every subchart, and that no template asks for. */
const UNASKED: YamlMap = { global: { unaskedFor: "unasked" } };

class Analyst {
  readonly #renderer: Renderer;
  readonly #chart: ChartFile;
  readonly #contents: ChartContents;
  readonly #given: YamlMap;
  readonly #effective: YamlMap;
  readonly #options: AnalysisOptions;
  readonly #pin: boolean;
  readonly #warnings: string[] = [];
  readonly #refusals = new Set<string>();
  readonly #restless = new Set<string>();
  #namesAreKnown = false;
  /** Texts of objects that nothing moves in by itself, as long as nothing does anywhere. */
  readonly #steady = new Set<string>();

  constructor(renderer: Renderer, chart: ChartFile, contents: ChartContents, given: YamlMap, options: AnalysisOptions) {
    this.#renderer = renderer;
    this.#chart = chart;
    this.#contents = contents;
    this.#given = given;
    this.#effective = mergeValues(contents.defaults, given);
    this.#options = options;
    this.#pin = options.pin ?? true;
  }

  async plan(): Promise<ChartPlan> {
    const views = await this.#views();
    const fields = new Map<string, ImageField>();
    for (const view of views) for (const [key, field] of view.fields) if (!fields.has(key)) fields.set(key, field);
    const floating = floatingTags(views);
    const relocation = await this.#relocation(views, fields, floating);
    const outcomeOf = (some: readonly View[], assignments: readonly Assignment[]) =>
      this.#outcome(some, { all: views, fields, floating }, assignments);
    const first = views.slice(0, 1);
    const assignments = await this.#settled(relocation, async (some) => (await outcomeOf(first, some)).isSound);
    const outcome = await outcomeOf(views, assignments);
    const finished = outcome.finish(this.#renderer, this.#restless);
    const { images, places, postRender, patches, accepted, foreign, warnings } = finished;
    const objects = views.flatMap((view) => view.objects);
    const joined = joinedImages(objects, images);
    const known = [...images, ...joined.flatMap(({ image }) => parseReference(image) ?? [])];
    this.#warnings.push(...dependences(views), ...warnings, ...lookedAt(objects));
    return {
      images,
      places,
      values: placeholders(valuesFor(this.#effective, changesOf(assignments))),
      postRender: placeholders(postRender),
      patches: placeholders(patches),
      accepted,
      warnings: [...new Set(this.#warnings)],
      foreign,
      offers: [...joined, ...imagesThatAreOff(this.#effective, known)],
      refusals: foreign.length > 0 ? [...this.#refusals] : [],
      renderings: this.#renderer.runs,
    };
  }

  /** What the chart renders for each cluster that it may meet. */
  async #views(): Promise<View[]> {
    const worlds = worldsOf(this.#contents, this.#options);
    const views: View[] = [];
    const refused: { world: World; error: RenderError }[] = [];
    const look = async (world: World) => {
      try {
        views.push(this.#view(world, await this.#objects(world)));
      } catch (error) {
        if (!(error instanceof RenderError)) throw error;
        refused.push({ world, error });
      }
    };
    // Until one renders: what moves by itself has to be known first.
    const rest = [...worlds];
    while (views.length === 0 && rest.length > 0) await look(rest.shift() as World);
    await Promise.all(rest.map(look));
    const [first] = refused;
    if (views.length === 0) throw this.#doesNotRender(first?.error.message ?? "");
    if (dependsOnVersion(views)) {
      const [like] = views;
      await Promise.all(versionsBetween(this.#options).map((kube) => look({ ...(like?.world as World), kube })));
    }
    for (const { world, error } of refused) this.#warnings.push(refusalOf(world, error));
    return views.sort((a, b) => order(worlds, a.world) - order(worlds, b.world));
  }

  #doesNotRender(words: string): RenderError {
    return new RenderError(
      `The chart ${this.#chart.name} does not render with the values that it is given: ${words}\n` +
        `Set what it asks for as its values in ${listedIn(this.#chart)}.`,
    );
  }

  async #objects(world: World): Promise<RenderedObject[]> {
    await this.#knowNames(world);
    const objects = await this.#renderer.render(this.#given, world);
    if (this.#restless.size > 0 || !isRestless(this.#contents.templates)) return objects;
    if (objects.every(({ text }) => this.#steady.has(text))) return objects;
    const [one, other] = await this.#renderer.renderTwice(this.#given, world);
    for (const place of changedPlaces(one, other)) this.#restless.add(place);
    for (const { text } of one) this.#steady.add(text);
    return one;
  }

  /** Learns once which names hold a sum of the values, by changing one that no template asks for. */
  async #knowNames(world: World): Promise<void> {
    const objects = await this.#renderer.render(this.#given, world);
    if (this.#namesAreKnown || !objects.some((object) => mayHoldSum(object) && !this.#renderer.isNameless(object)))
      return;
    this.#namesAreKnown = true;
    try {
      await this.#renderer.renderBeside(this.#given, mergeValues(this.#given, UNASKED), world);
    } catch (error) {
      // Its schema takes no further value: then a name stays what it is.
      if (!(error instanceof RenderError)) throw error;
    }
  }

  #view(world: World, objects: readonly RenderedObject[]): View {
    const found = objects
      .flatMap(imageFields)
      .filter(({ reference }) => !isListed(this.#options.ignoreImages, reference));
    return {
      world,
      objects,
      fields: keyed(found.filter(({ reference }) => reference.host !== TARGET)),
      own: ownNames(found),
    };
  }

  /** The values to set, from what each of the chart's values does. */
  async #relocation(
    views: readonly View[],
    fields: ReadonlyMap<string, ImageField>,
    floating: ReadonlySet<string>,
  ): Promise<Relocation> {
    if (fields.size === 0) return { names: [], pins: [] };
    const values = { given: this.#given, effective: this.#effective };
    const written = [...fields.values()].map((field) => field.written);
    const tried = candidates(this.#effective, written, this.#contents.templates).filter(
      // Without pins a digest only hides what is looked for.
      ({ kind, value }) => this.#pin || kind !== "digest" || value !== "",
    );
    const pins = (field: ImageField, key: string) => {
      if (this.#pin) return pinnedSuffixes(field);
      return floating.has(key) ? [suffixOf(field)] : undefined;
    };
    const effects = new Map<Effect["candidate"], Effect>();
    const seen = new Set<string>();
    for (const { world, objects, fields: own } of views) {
      // A field that another rendering has too is tried there.
      const fresh = new Map([...own].filter(([key]) => !seen.has(key)));
      for (const key of own.keys()) seen.add(key);
      if (fresh.size === 0) continue;
      const base: Base = { world, objects, fields: fresh, restless: this.#restless };
      const left = (some: readonly Effect[]) => leftBy(fresh, some, pins);
      const { together } = this.#options;
      const found = await findEffects(this.#renderer, values, base, tried, { together, left });
      for (const words of found.refusals) this.#refusals.add(words);
      for (const effect of found.effects) effects.set(effect.candidate, merged(effects.get(effect.candidate), effect));
    }
    return relocatingValues(fields, [...effects.values()], pins);
  }

  /** As many of the values as the chart takes together: some use a tag in places where no digest may stand. */
  async #settled(
    { names, pins }: Relocation,
    isSound: (assignments: readonly Assignment[]) => Promise<boolean>,
  ): Promise<readonly Assignment[]> {
    const grow = async (good: readonly Assignment[], more: readonly Assignment[]): Promise<readonly Assignment[]> => {
      if (more.length === 0 || (await isSound([...good, ...more]))) return [...good, ...more];
      if (more.length === 1) return good;
      const middle = Math.ceil(more.length / 2);
      return grow(await grow(good, more.slice(0, middle)), more.slice(middle));
    };
    if (await isSound([...names, ...pins])) return [...names, ...pins];
    const good = await grow([], names);
    const moved = new Set(good.flatMap(({ effect }) => [...effect.fields.keys()]));
    const useful = pins.filter(({ effect }) => [...effect.fields.keys()].every((key) => moved.has(key)));
    return grow(good, useful);
  }

  /** What is rendered with these values, in some of the worlds. */
  async #outcome(
    views: readonly View[],
    before: { all: readonly View[]; fields: ReadonlyMap<string, ImageField>; floating: ReadonlySet<string> },
    assignments: readonly Assignment[],
  ): Promise<Outcome> {
    const outcome = new Outcome({ ...before, ...this.#options, pin: this.#pin });
    const text = JSON.stringify(valuesFor(this.#effective, changesOf(assignments)));
    const filled = JSON.parse(fillDigests(text, outcome.digestOf)) as YamlMap;
    await Promise.all(
      alike(views).map(async ([{ world }, ...others]) => {
        try {
          const objects = await this.#renderer.render(mergeValues(this.#given, filled), world);
          for (const one of [world, ...others.map((view) => view.world)]) outcome.add(one, objects);
        } catch (error) {
          if (!(error instanceof RenderError)) throw error;
          this.#refusals.add(error.message);
          outcome.refuse(world, error.message);
        }
      }),
    );
    return outcome;
  }
}

/** Clusters that a chart cannot tell apart: one of them proves the others. */
function alike(views: readonly View[]): [View, ...View[]][] {
  const groups: [View, ...View[]][] = [];
  for (const view of views) {
    const group = groups.find(([{ objects }]) => isSame(objects, view.objects));
    if (group === undefined) groups.push([view]);
    else group.push(view);
  }
  return groups;
}

function isSame(some: readonly RenderedObject[], others: readonly RenderedObject[]): boolean {
  return some.length === others.length && some.every(({ text }, index) => text === others[index]?.text);
}

function order(worlds: readonly World[], world: World): number {
  const at = worlds.indexOf(world);
  return at === -1 ? worlds.length : at;
}

function keyed(found: readonly ImageField[]): Map<string, ImageField> {
  const fields = new Map<string, ImageField>();
  const numbers = new Map<string, number>();
  for (const field of found) {
    const place = fieldKey(field, 0);
    const number = numbers.get(place) ?? 0;
    numbers.set(place, number + 1);
    fields.set(fieldKey(field, number), field);
  }
  return fields;
}

/** What a person's own values take from the target registry: the names in it. */
function ownNames(found: readonly ImageField[]): Reference[] {
  return found.map(({ reference }) => reference).filter(({ host }) => host === TARGET);
}

function merged(one: Effect | undefined, other: Effect): Effect {
  if (one === undefined) return other;
  return {
    candidate: other.candidate,
    fields: new Map([...one.fields, ...other.fields]),
    inLabels: one.inLabels || other.inLabels,
    elsewhere: one.elsewhere || other.elsewhere,
  };
}

function placeholders<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll(TARGET, REGISTRY_PLACEHOLDER)) as T;
}

/** The fields whose tag is the cluster's own version, of which nobody knows the patch. */
function floatingTags(views: readonly View[]): Set<string> {
  const seen = new Map<string, Set<string>>();
  const raw = new Map<string, Set<string>>();
  for (const { world, fields } of views) {
    for (const [key, { reference }] of fields) {
      const source = sourceOf(reference);
      raw.set(key, (raw.get(key) ?? new Set()).add(source));
      seen.set(key, (seen.get(key) ?? new Set()).add(source.replaceAll(world.kube, "<version>")));
    }
  }
  return new Set(
    [...seen].filter(([key, { size }]) => size === 1 && (raw.get(key)?.size ?? 0) > 1).map(([key]) => key),
  );
}

function dependsOnVersion(views: readonly View[]): boolean {
  const floating = floatingTags(views);
  const images = ({ fields }: View) =>
    [...fields].map(([key, { reference }]) => (floating.has(key) ? key : keyOf(reference))).sort();
  const [first] = views;
  const others = views.filter(({ world }) => world.kube !== first?.world.kube);
  return others.some((view) => {
    const like = views.find(
      ({ world }) => world.kube === first?.world.kube && world.apis.length === view.world.apis.length,
    );
    return like !== undefined && canonicalJson(images(view)) !== canonicalJson(images(like));
  });
}

/** What is said of images that only some clusters run. */
function dependences(views: readonly View[]): string[] {
  const floating = floatingTags(views);
  const holders = new Map<string, View[]>();
  for (const view of views) {
    const own = new Set(
      [...view.fields].filter(([key]) => !floating.has(key)).map(([, { reference }]) => sourceOf(reference)),
    );
    for (const source of own) holders.set(source, [...(holders.get(source) ?? []), view]);
  }
  const warnings: string[] = [];
  const byVersion: string[] = [];
  for (const [source, those] of holders) {
    const others = views.filter((view) => !those.includes(view));
    if (others.length === 0) continue;
    const kubes = new Set(those.map(({ world }) => minorOf(world.kube)));
    if (others.some(({ world }) => !kubes.has(minorOf(world.kube))))
      byVersion.push(`${source} (${[...kubes].sort().join(", ")})`);
    const beside = (view: View) =>
      others.find(({ world }) => world.kube === view.world.kube && world.upgrade === view.world.upgrade);
    const [with_, without] = those.flatMap((view) => (beside(view) ? [[view, beside(view) as View]] : []))[0] ?? [];
    if (with_ === undefined || without === undefined) continue;
    const [more, less] = with_.world.apis.length > without.world.apis.length ? [with_, without] : [without, with_];
    const asked = more.world.apis.filter((api) => !less.world.apis.includes(api)).join(", ");
    const serves = more === with_ ? "serves" : "does not serve";
    warnings.push(`${source} runs only where the cluster ${serves} ${asked}, which is not known; it is mirrored too`);
  }
  if (byVersion.length > 0)
    warnings.push(
      `images depend on the cluster's Kubernetes version, all are mirrored: ${byVersion.sort().join(", ")}`,
    );
  return warnings;
}

function refusalOf({ kube, apis }: World, { message }: RenderError): string {
  const asked = apis.filter((api) => !SERVED_APIS.includes(api));
  const where = asked.length > 0 ? `Kubernetes ${kube} with ${asked.join(", ")}` : `Kubernetes ${kube}`;
  return `it does not render for ${where}, so it is not looked at there: ${message}`;
}

const REGISTRIES =
  /^((.+\.)?(docker\.io|gcr\.io|quay\.io|ghcr\.io|azurecr\.io|pkg\.dev)|\d+\.dkr\.ecr\..+\.amazonaws\.com|registry\.k8s\.io|mcr\.microsoft\.com|public\.ecr\.aws|registry\.gitlab\.com|cgr\.dev|lscr\.io|nvcr\.io)$/;

/** Texts that look like an image without a tag, to which a program may put one; and images that something else fills in. */
function lookedAt(objects: readonly RenderedObject[]): string[] {
  const warnings: string[] = [];
  for (const object of objects) {
    const { id, body } = object;
    if (body.kind === "CustomResourceDefinition") continue;
    // What is the name of an image in parts has its tag elsewhere.
    const named = new Set(
      imageFields(object).flatMap(({ path, parts }) => (parts ? [formatPath([...path, parts.repository])] : [])),
    );
    walk(body, (value, path) => {
      if (path.at(-1) === "annotations") return false;
      if (typeof value !== "string" || named.has(formatPath(path))) return true;
      const place = `${id}, ${formatPath(path)}`;
      if (path.at(-1) === "image" && /ontainers$/.test(String(path.at(-3)))) {
        if (isFilledIn(body, value, path) || parseReference(value) === undefined)
          warnings.push(`${place}: "${value}" is filled in by something else, so its image is not known here`);
        return true;
      }
      // A program may try one after the other.
      for (const word of value.split(/,\s*/)) {
        const reference = word.includes("/") ? parseReference(word) : undefined;
        if (reference === undefined || reference.tag !== undefined || reference.digest !== undefined) continue;
        if (word !== reference.repository && REGISTRIES.test(reference.host) && word.startsWith(reference.host))
          warnings.push(`${place}: ${word} may be an image, but has no tag; it is not mirrored`);
      }
      return true;
    });
  }
  return warnings;
}
