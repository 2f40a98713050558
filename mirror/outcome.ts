// What a chart runs once values and post-renderers have moved its images: the proof of an analysis.
import { strangeImages } from "./closedWorld.ts";
import { describeField, fieldKey, type ImageField, imageFields, placeOf } from "./imageFields.ts";
import { type ImageRule, type PostRenderImage, type PostRenderPatch, sha256 } from "./lock.ts";
import { pointerTo, postRendered } from "./postRenderers.ts";
import { keyOf, nameOf, parseReference, type Reference, sourceOf } from "./reference.ts";
import { digestMark, fillDigests, nameWritten, pinnedSuffixes, suffixOf, TARGET, targetOf } from "./relocation.ts";
import type { RenderedObject, Renderer } from "./render.ts";
import { sideEffects, warningOf } from "./sideEffects.ts";
import { formatPath, valueAt, type YamlMap } from "./tree.ts";
import type { World } from "./worlds.ts";

/** What a chart renders for one cluster with nothing moved. */
export interface View {
  readonly world: World;
  readonly objects: readonly RenderedObject[];
  readonly fields: ReadonlyMap<string, ImageField>;
  /** What is in the target registry already. */
  readonly own: readonly Reference[];
}

/** An image that comes from elsewhere, whatever is done. */
export interface Foreign {
  readonly object: string;
  readonly field: string;
  readonly image: string;
  /** Why, where it is not that nothing reaches it. */
  readonly why?: string;
}

export interface Rules {
  readonly ignoreImages?: readonly ImageRule[] | undefined;
  readonly acceptForeign?: readonly ImageRule[] | undefined;
}

interface Before extends Rules {
  /** All renderings with nothing moved. */
  readonly all: readonly View[];
  /** Each field as it is first seen. */
  readonly fields: ReadonlyMap<string, ImageField>;
  /** The fields whose tag is the cluster's version. */
  readonly floating: ReadonlySet<string>;
  /** Whether images are pinned by digests. */
  readonly pin: boolean;
}

interface Finished {
  readonly images: readonly Reference[];
  readonly places: ReadonlyMap<string, readonly string[]>;
  readonly postRender: readonly PostRenderImage[];
  readonly patches: readonly PostRenderPatch[];
  readonly accepted: readonly string[];
  readonly foreign: readonly Foreign[];
  readonly warnings: readonly string[];
}

interface Left {
  readonly object: RenderedObject;
  readonly field: ImageField;
  readonly reference: Reference;
}

/** Takes every image that is rendered in the end, and says what is left to be done and what cannot be done. */
export class Outcome {
  readonly #before: Before;
  readonly #references = new Map<string, Reference>();
  readonly #own: ReadonlySet<string>;
  /** Digests that stand for those that are not known yet, with the images' sources. */
  readonly #issued = new Map<string, string>();
  readonly #rendered: { world: World; objects: readonly RenderedObject[] }[] = [];
  readonly #used = new Map<string, { reference: Reference; places: Set<string> }>();
  readonly #left: Left[] = [];
  readonly #foreign: Foreign[] = [];
  readonly #accepted = new Set<string>();
  /** The images that a kustomization sees under one name, and whether it has to change them. */
  readonly #byName = new Map<string, { sources: Map<string, Reference>; change: boolean; retag: boolean }>();
  /** What floating fields say in the end. */
  readonly #floats = new Map<string, Set<string>>();
  #damage = 0;

  constructor(before: Before) {
    this.#before = before;
    this.#own = new Set(before.all.flatMap(({ own }) => own.map(keyOf)));
    for (const { fields } of before.all)
      for (const { reference } of fields.values()) this.#references.set(keyOf(reference), reference);
  }

  /** Any digest will do for looking. */
  readonly digestOf = (source: string): string => {
    const digest = `sha256:${sha256(source)}`;
    this.#issued.set(digest, source);
    return digest;
  };

  /** Whether the values did nothing to images but move them. */
  get isSound(): boolean {
    return this.#damage === 0;
  }

  /** The chart does not render with the values. */
  refuse({ kube }: World, words: string): void {
    this.#damage++;
    this.#foreign.push({ object: `Kubernetes ${kube}`, field: "all", image: "none is rendered", why: words });
  }

  add(world: World, objects: readonly RenderedObject[]): void {
    this.#rendered.push({ world, objects });
    const numbers = new Map<string, number>();
    for (const object of objects) {
      for (const field of imageFields(object)) {
        const place = fieldKey(field, 0);
        const number = numbers.get(place) ?? 0;
        numbers.set(place, number + 1);
        this.#take(object, field, fieldKey(field, number));
      }
    }
  }

  #take(object: RenderedObject, field: ImageField, key: string): void {
    const relocated = field.reference.host === TARGET;
    if (relocated && this.#own.has(keyOf(field.reference))) {
      this.#takeOwn(field);
      return;
    }
    const found = relocated ? this.#origin(field.reference) : this.#asGiven(field.reference);
    if (found === undefined) {
      this.#damage++;
      const why = "it is not what it was before";
      this.#foreign.push({ object: field.object, field: formatPath(field.path), image: field.written, why });
      return;
    }
    if (isListed(this.#before.ignoreImages, found)) return;
    const floats = this.#before.floating.has(key);
    const reference = floats ? (this.#before.fields.get(key)?.reference ?? found) : found;
    if (floats) this.#floats.set(key, (this.#floats.get(key) ?? new Set()).add(field.written));
    this.#use(reference, field);
    if (!field.kustomizable) {
      if (!relocated) this.#left.push({ object, field, reference });
      else if ((this.#floats.get(key)?.size ?? 0) > 1) {
        const why = "its tag follows the cluster's version";
        this.#foreign.push({ object: field.object, field: formatPath(field.path), image: sourceOf(reference), why });
      }
      return;
    }
    const name = nameWritten(field);
    const entry = this.#byName.get(name) ?? { sources: new Map(), change: false, retag: false };
    entry.sources.set(keyOf(reference), reference);
    const retag = (this.#floats.get(key)?.size ?? 0) > 1;
    const unpinned = this.#before.pin && field.reference.digest === undefined;
    this.#byName.set(name, {
      ...entry,
      change: entry.change || !relocated || unpinned || retag,
      retag: entry.retag || retag,
    });
  }

  /** A name that a person wrote into the target registry: `<host>/<repository>` is where an image is mirrored to. */
  #takeOwn(field: ImageField): void {
    const { repository, tag, digest } = field.reference;
    const [first = ""] = repository.split("/");
    const suffix = `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
    const reference = /[.:]/.test(first) ? parseReference(repository + suffix) : undefined;
    if (reference !== undefined) this.#use(reference, field);
  }

  #use(reference: Reference, { object, path }: ImageField): void {
    const key = keyOf(reference);
    const used = this.#used.get(key) ?? { reference, places: new Set() };
    used.places.add(`${object}, ${formatPath(path)}`);
    this.#used.set(key, used);
  }

  /** The image that a relocated name stands for. */
  #origin({ repository, tag, digest }: Reference): Reference | undefined {
    return [...this.#references.values()].find((original) => {
      if (nameOf(original) !== repository) return false;
      if (digest !== undefined) return digest === (original.digest ?? this.digestOf(sourceOf(original)));
      return original.digest === undefined && tag === original.tag;
    });
  }

  /** An image that stayed where it is, without a digest that nobody gave. */
  #asGiven(reference: Reference): Reference | undefined {
    const source = reference.digest === undefined ? undefined : this.#issued.get(reference.digest);
    if (source === undefined) return reference;
    const original = parseReference(source);
    return original !== undefined && nameOf(original) === nameOf(reference) ? original : undefined;
  }

  /** All that a release needs, and whatever stays foreign. */
  finish(renderer: Renderer, restless: ReadonlySet<string>): Finished {
    const postRender = this.#images();
    const { patches, left } = this.#patches(renderer, restless);
    const warnings = this.#sideEffects(restless);
    for (const { field, reference } of left) {
      const accepted = this.#acceptedBy(reference);
      if (accepted) warnings.push(`${describeField(field)} stays there; it is accepted: ${accepted.reason}`);
      else
        this.#foreign.push({
          object: field.object,
          field: formatPath(field.path),
          image: field.written,
          ...whyLeft(field),
        });
    }
    this.#lookAgain(postRender, patches);
    this.#takeWhatIsGone();
    const images = [...this.#used.values()].map(({ reference }) => reference);
    const places = new Map<string, string[]>();
    for (const { reference, places: more } of this.#used.values())
      places.set(sourceOf(reference), [...(places.get(sourceOf(reference)) ?? []), ...more].sort());
    const accepted = [...this.#accepted].sort();
    return { images, places, postRender, patches, accepted, foreign: unique(this.#foreign), warnings };
  }

  /** What the values change beside images, in the first of the clusters. */
  #sideEffects(restless: ReadonlySet<string>): string[] {
    const [first] = this.#before.all;
    const after = this.#rendered.find(({ world }) => world === first?.world);
    if (first === undefined || after === undefined) return [];
    return warningOf(sideEffects(first.objects, after.objects, [...first.fields], restless));
  }

  #images(): PostRenderImage[] {
    const found: PostRenderImage[] = [];
    for (const [name, { sources, change, retag }] of this.#byName) {
      const [reference] = sources.values();
      if (!change || reference === undefined) continue;
      const newName = `${TARGET}/${nameOf(reference)}`;
      // Several images of one name keep their tags.
      if (sources.size > 1) {
        if (name !== newName) found.push({ name, newName });
      } else if (this.#before.pin) {
        found.push({ name, newName, digest: reference.digest ?? digestMark(sourceOf(reference)) });
      } else found.push({ name, newName, ...(retag && reference.tag ? { newTag: reference.tag } : {}) });
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Patches for texts that no value reaches, where they are the same in every cluster. */
  #patches(renderer: Renderer, restless: ReadonlySet<string>): { patches: PostRenderPatch[]; left: Left[] } {
    const left: Left[] = [];
    const places = new Map<string, Left[]>();
    for (const each of this.#left) {
      const place = `${each.field.object} ${placeOf(each.field)}`;
      const { object, field } = each;
      const isFixed =
        object.body.kind !== "Secret" && !object.hook && !renderer.isNameless(object) && !restless.has(place);
      if (isFixed && this.#isSameEverywhere(field)) places.set(place, [...(places.get(place) ?? []), each]);
      else left.push(each);
    }
    const patches = new Map<string, PostRenderPatch & { ops: PostRenderPatch["ops"][number][] }>();
    for (const group of places.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const target = targetObject(first.object);
      const key = JSON.stringify(target);
      const patch = patches.get(key) ?? { target, ops: [] };
      patch.ops.push(...this.#ops(group));
      patches.set(key, patch);
    }
    return { patches: [...patches.values()], left };
  }

  #isSameEverywhere({ object, path }: ImageField): boolean {
    const texts = this.#rendered.flatMap(({ objects }) => {
      const found = objects.find(({ id }) => id === object);
      return found === undefined ? [] : [JSON.stringify(valueAt(found.body, path)) ?? ""];
    });
    return new Set(texts).size === 1;
  }

  #ops(group: readonly Left[]): PostRenderPatch["ops"][number][] {
    const [{ field } = {}] = group;
    if (field === undefined) return [];
    if (field.parts !== undefined) return this.#partOps(field, field.parts);
    // Each cluster's rendering found it again.
    const fields = new Map(group.map((each) => [each.field.start, each.field]));
    let value = field.text;
    for (const each of [...fields.values()].sort((a, b) => b.start - a.start)) {
      const suffix = (this.#before.pin ? pinnedSuffixes(each)?.[0] : undefined) ?? suffixOf(each);
      value = value.slice(0, each.start) + targetOf(each) + suffix + value.slice(each.end);
    }
    const path = pointerTo(field.path);
    const replace = { op: "replace", path, value: this.#marked(value) } as const;
    // An index in a list may be another one's some day.
    const inList = field.path.some((part) => typeof part === "number");
    return inList ? [{ op: "test", path, value: this.#marked(field.text) }, replace] : [replace];
  }

  #partOps({ path, reference }: ImageField, { registry, repository }: NonNullable<ImageField["parts"]>) {
    const replace = (key: string, value: string) =>
      ({ op: "replace", path: pointerTo([...path, key]), value }) as const;
    if (registry === undefined) return [replace(repository, `${TARGET}/${nameOf(reference)}`)];
    return [replace(registry, `${TARGET}/${reference.host}`), replace(repository, reference.repository)];
  }

  /** A text with marks where digests stand that are not known yet. */
  #marked(text: string): string {
    let marked = text;
    for (const [digest, source] of this.#issued) marked = marked.replaceAll(`@${digest}`, `@${digestMark(source)}`);
    return marked;
  }

  /** Every string of every object once more, as the post-renderers leave it. */
  #lookAgain(postRender: readonly PostRenderImage[], patches: readonly PostRenderPatch[]): void {
    const fill = <T>(value: T) => JSON.parse(fillDigests(JSON.stringify(value), this.digestOf)) as T;
    const [images, changes] = [fill(postRender), fill(patches)];
    for (const { objects } of this.#rendered) {
      for (const { id, body, hook } of objects) {
        const after: YamlMap = hook ? body : postRendered(body, images, changes);
        for (const { field, image } of strangeImages(after, (host) => host === TARGET)) {
          const reference = parseReference(image);
          const known = this.#foreign.some((one) => one.object === id && image.startsWith(one.image));
          if (known || (reference !== undefined && this.#isAllowed(reference))) continue;
          this.#foreign.push({ object: id, field, image });
        }
      }
    }
  }

  #isAllowed(reference: Reference): boolean {
    return (isListed(this.#before.ignoreImages, reference) ?? this.#acceptedBy(reference)) !== undefined;
  }

  /** The rule that lets an image stay where it is, which is needed from now on. */
  #acceptedBy(reference: Reference): ImageRule | undefined {
    const rule = isListed(this.#before.acceptForeign, reference);
    if (rule !== undefined) this.#accepted.add(rule.image);
    return rule;
  }

  /** Images of fields that the values took away: they may be back another day. */
  #takeWhatIsGone(): void {
    const now = new Set(this.#rendered.flatMap(({ world, objects }) => objects.map(({ id }) => `${world.kube} ${id}`)));
    for (const { world, fields } of this.#before.all) {
      for (const field of fields.values()) {
        const isGone = !now.has(`${world.kube} ${field.object}`);
        if (isGone && ![...this.#used.values()].some(({ reference }) => nameOf(reference) === nameOf(field.reference)))
          this.#use(field.reference, field);
      }
    }
  }
}

function targetObject({ body }: RenderedObject): PostRenderPatch["target"] {
  const { name, namespace } = body.metadata as { name?: unknown; namespace?: unknown };
  return { kind: String(body.kind), name: String(name), ...(namespace ? { namespace: String(namespace) } : {}) };
}

function whyLeft({ object }: ImageField): { why?: string } {
  return object.startsWith("Secret ") ? { why: "a Secret's text is not patched" } : {};
}

function unique(foreign: readonly Foreign[]): Foreign[] {
  return [...new Map(foreign.map((one) => [JSON.stringify(one), one])).values()];
}

/** The rule that names an image: by its name alone, or with tag or digest. */
export function isListed(rules: readonly ImageRule[] | undefined, reference: Reference): ImageRule | undefined {
  return rules?.find(({ image }) => {
    const rule = parseReference(image);
    if (rule === undefined || nameOf(rule) !== nameOf(reference)) return false;
    return (rule.tag ?? reference.tag) === reference.tag && (rule.digest ?? reference.digest) === reference.digest;
  });
}
