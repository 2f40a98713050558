import { REGISTRY_PLACEHOLDER } from "../net/registry/ownRegistry.ts";
import { effects } from "./canary.ts";
import { candidates, effectiveValues, valuesFor } from "./chartValues.ts";
import { describeField, fieldKey, type ImageField, imageFields } from "./imageFields.ts";
import { canonicalJson, listedIn, sha256 } from "./lock.ts";
import { nameOf, parseReference, type Reference, sourceOf } from "./reference.ts";
import { digestMark, fillDigests, relocatingValues, suffixOf, TARGET } from "./relocation.ts";
import { type ChartFile, KUBE_VERSION, RenderError, type RenderedObject, Renderer } from "./render.ts";
import { formatPath, mergeValues, walk, type YamlMap } from "./tree.ts";

/** To be raised when the analysis of a chart comes to other results. */
const ANALYSIS_VERSION = 1;

/** What a chart runs and how it is made to run it from another registry. Digests are marks (`digestMark`). */
export interface Analysis {
  readonly images: readonly Reference[];
  readonly values: YamlMap;
  readonly postRender: readonly { readonly name: string; readonly newName: string; readonly digest: string }[];
  /** What a person should look at. */
  readonly warnings: readonly string[];
}

/** A chart that cannot be made to use the mirrored images; the message names object and field. */
export class RelocationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RelocationError";
  }
}

/** Hex SHA-256 of all that an analysis depends on. @param chart by the name of its release, under which it is rendered. */
export function analysisHash(chart: { sha256: string; name: string; namespace: string; values: YamlMap }): string {
  const { name, namespace, values } = chart;
  return sha256(
    canonicalJson({ analysis: ANALYSIS_VERSION, kube: KUBE_VERSION, chart: chart.sha256, name, namespace, values }),
  );
}

/**
 * Finds a chart's images and the values that move them into another registry, by rendering it with one value changed
 * at a time, and proves the outcome by rendering it once more.
 * @param helm the path of Helm.
 * @throws RenderError when the chart does not render with the given values.
 * @throws RelocationError when an image stays that neither values nor a kustomization's `images` reach.
 */
export async function analyseChart(helm: string, chart: ChartFile, given: YamlMap): Promise<Analysis> {
  return Renderer.use(helm, chart, async (renderer) => {
    const objects = await renderer.render(given);
    const fields = fieldsOf(objects);
    if (fields.size === 0) return { images: [], values: {}, postRender: [], warnings: [] };
    const effective = await effectiveValues(chart.tgz, given);
    const written = [...fields.values()].map((field) => field.written);
    const found = await effects(renderer, { given, effective }, { objects, fields }, candidates(effective, written));
    let first: Attempt | undefined;
    // Some charts use a tag in places where no digest may stand; and the last way needs no values at all.
    for (const way of ["pinned", "named", "none"] as const) {
      const changes = way === "none" ? new Map() : relocatingValues(fields, found, way === "pinned");
      const values = valuesFor(effective, changes);
      const attempt = await tryValues(renderer, given, values, [...fields.values()]);
      if (attempt.problems.length === 0) return finished(attempt, values);
      first ??= attempt;
    }
    const problems = (first?.problems ?? []).map((problem) => `\n  ${problem}`).join("");
    throw new RelocationError(
      `The chart ${chart.name} cannot be made to use the mirrored images:${problems}\n` +
        `Set the chart's values in ${listedIn(chart)} so that these images are not rendered or come from a value, ` +
        "or leave the chart out.",
    );
  });
}

function fieldsOf(objects: readonly RenderedObject[]): Map<string, ImageField> {
  const fields = new Map<string, ImageField>();
  const numbers = new Map<string, number>();
  for (const field of objects.flatMap(imageFields)) {
    const place = fieldKey(field, 0);
    const number = numbers.get(place) ?? 0;
    numbers.set(place, number + 1);
    fields.set(fieldKey(field, number), field);
  }
  return fields;
}

interface Attempt {
  readonly problems: readonly string[];
  readonly images: readonly Reference[];
  readonly postRender: Analysis["postRender"];
  readonly warnings: readonly string[];
}

function finished({ images, postRender, warnings }: Attempt, values: YamlMap): Analysis {
  return { images, values: placeholders(values), postRender: placeholders(postRender), warnings };
}

function placeholders<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll(TARGET, REGISTRY_PLACEHOLDER)) as T;
}

/** Renders with relocating values and looks at every image that is there then: none may come from elsewhere. */
async function tryValues(
  renderer: Renderer,
  given: YamlMap,
  values: YamlMap,
  fields: readonly ImageField[],
): Promise<Attempt> {
  // Any digest will do for looking.
  const digestOf = (source: string) => `sha256:${sha256(source)}`;
  const filled = JSON.parse(fillDigests(JSON.stringify(values), digestOf)) as YamlMap;
  let objects: RenderedObject[];
  try {
    objects = await renderer.render(mergeValues(given, filled));
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    return { problems: [`Helm: ${error.message}`], images: [], postRender: [], warnings: [] };
  }
  const references = new Map(fields.map(({ reference }) => [keyOf(reference), reference]));
  const check = new ClosedWorld(references, digestOf);
  for (const object of objects) for (const field of imageFields(object)) check.add(field);
  check.finish();
  return { ...check, images: [...references.values()], warnings: untagged(objects) };
}

function keyOf(reference: Reference): string {
  return `${sourceOf(reference)} ${reference.digest ?? ""}`;
}

/** Takes every image that is rendered in the end, and says what is left to be done and what cannot be done. */
class ClosedWorld {
  readonly problems: string[] = [];
  readonly postRender: { name: string; newName: string; digest: string }[] = [];
  readonly #references: Map<string, Reference>;
  readonly #digestOf: (source: string) => string;
  /** The sources of all images that a kustomization sees under one name, and whether it has to change them. */
  readonly #byName = new Map<string, { sources: Map<string, Reference>; change: boolean }>();

  constructor(references: Map<string, Reference>, digestOf: (source: string) => string) {
    this.#references = references;
    this.#digestOf = digestOf;
  }

  add(field: ImageField): void {
    const relocated = field.reference.host === TARGET;
    const reference = relocated ? this.#origin(field.reference) : field.reference;
    if (reference === undefined) this.problems.push(`${describeField(field)} is not what it was before`);
    else if (!relocated && !field.kustomizable) this.problems.push(describeField(field));
    if (reference === undefined) return;
    this.#references.set(keyOf(reference), reference);
    if (!field.kustomizable) return;
    const name = field.written.slice(0, field.written.length - suffixOf(field).length);
    const entry = this.#byName.get(name) ?? { sources: new Map(), change: false };
    entry.sources.set(keyOf(reference), reference);
    this.#byName.set(name, { ...entry, change: entry.change || !relocated || field.reference.digest === undefined });
  }

  finish(): void {
    for (const [name, { sources, change }] of this.#byName) {
      const [reference] = sources.values();
      if (!change || reference === undefined) continue;
      if (sources.size > 1) {
        const list = [...sources.values()].map(sourceOf).join(", ");
        this.problems.push(`${name} is used in several versions (${list}), which a kustomization cannot tell apart`);
      }
      const newName = `${TARGET}/${nameOf(reference)}`;
      this.postRender.push({ name, newName, digest: reference.digest ?? digestMark(sourceOf(reference)) });
    }
    this.postRender.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The image that a relocated name stands for. */
  #origin({ repository, tag, digest }: Reference): Reference | undefined {
    return [...this.#references.values()].find((original) => {
      if (nameOf(original) !== repository) return false;
      if (digest !== undefined) return digest === (original.digest ?? this.#digestOf(sourceOf(original)));
      return original.digest === undefined && tag === original.tag;
    });
  }
}

const REGISTRIES =
  /^((.+\.)?(docker\.io|gcr\.io|quay\.io|ghcr\.io|azurecr\.io|pkg\.dev|amazonaws\.com)|registry\.k8s\.io|mcr\.microsoft\.com|public\.ecr\.aws|registry\.gitlab\.com|cgr\.dev|lscr\.io|nvcr\.io)$/;

/** Texts that look like an image without a tag: perhaps a program puts the tag to it. */
function untagged(objects: readonly RenderedObject[]): string[] {
  const warnings: string[] = [];
  for (const { id, body } of objects) {
    if (body.kind === "CustomResourceDefinition") continue;
    walk(body, (value, path) => {
      if (path.at(-1) === "annotations") return false;
      const reference = typeof value === "string" && value.includes("/") ? parseReference(value) : undefined;
      if (reference !== undefined && reference.tag === undefined && reference.digest === undefined) {
        if (
          value !== reference.repository &&
          REGISTRIES.test(reference.host) &&
          String(value).startsWith(reference.host)
        ) {
          warnings.push(`${id}, ${formatPath(path)}: ${value} may be an image, but has no tag; it is not mirrored`);
        }
      }
      return true;
    });
  }
  return warnings;
}
