import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { isMap } from "../net/values.ts";
import { type ChartSource, sha256 } from "./lock.ts";
import { helmIdentity, RenderingCache } from "./renderingCache.ts";
import type { YamlMap } from "./tree.ts";
import type { World } from "./worlds.ts";

/** One rendered Kubernetes object. */
export interface RenderedObject {
  /** `<kind> <namespace>/<name>`, with a number where it is not the only one; the same in every rendering. */
  readonly id: string;
  /** Its kind, the template it comes from, and a number: what stays where its name is made up anew each time. */
  readonly place: string;
  /** The object's YAML; equal texts are equal objects. */
  readonly text: string;
  readonly body: YamlMap;
  /** Helm runs it as a hook, apart from the release. */
  readonly hook: boolean;
}

export interface ChartFile extends Pick<ChartSource, "name" | "release" | "namespace" | "listedIn"> {
  readonly tgz: Buffer;
}

/** A chart that does not render with some values; the message is Helm's. */
export class RenderError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RenderError";
  }
}

/** What Helm would say of a chart again; anything else may be the machine's fault. */
const OF_CHART = /execution error at|executing "|values don't meet the specifications|requires kubeVersion|parse error/;

/** A cache, and what all renderings of a chart depend on. */
interface Kept {
  readonly cache: RenderingCache;
  readonly of: { readonly helm: string; readonly chart: string; readonly release: string; readonly namespace: string };
}

async function keptIn(folder: string, helm: string, chart: ChartFile): Promise<Kept | undefined> {
  // Where there is no such Helm its run will say it.
  const identity = await helmIdentity(helm).catch(() => undefined);
  if (identity === undefined) return undefined;
  const { name, release = name, namespace, tgz } = chart;
  return { cache: new RenderingCache(folder), of: { helm: identity, chart: sha256(tgz), release, namespace } };
}

/** Renders one chart again and again with the real `helm template`. */
export class Renderer {
  readonly #helm: string;
  readonly #chart: ChartFile;
  readonly #folder: string;
  readonly #bodies = new Map<string, unknown>();
  readonly #renderings = new Map<string, Promise<RenderedObject[]>>();
  /** The places of objects whose names are made up anew each time, or hold a sum of the values. */
  readonly #nameless = new Set<string>();
  readonly #kept: Kept | undefined;
  #runs = 0;

  private constructor(helm: string, chart: ChartFile, folder: string, kept: Kept | undefined) {
    this.#helm = helm;
    this.#chart = chart;
    this.#folder = folder;
    this.#kept = kept;
  }

  /**
   * Runs an action with a renderer and removes its files afterwards.
   * @param cache the folder of what was rendered in earlier runs. @default nothing is kept
   */
  static async use<T>(
    helm: string,
    chart: ChartFile,
    action: (renderer: Renderer) => Promise<T>,
    cache?: string,
  ): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "aks-gitops-chart-"));
    const kept = cache === undefined ? undefined : await keptIn(cache, helm, chart);
    try {
      await writeFile(join(folder, "chart.tgz"), chart.tgz);
      return await action(new Renderer(helm, chart, folder, kept));
    } finally {
      await kept?.cache.trim();
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** How often Helm ran; what was kept from an earlier run does not count. */
  get runs(): number {
    return this.#runs;
  }

  /**
   * The objects of a release with these values: CRDs and hooks too, but no tests (Flux runs them only when asked to).
   * What was rendered once is not rendered again.
   * @throws RenderError
   */
  async render(values: YamlMap, world: World): Promise<RenderedObject[]> {
    const key = JSON.stringify([values, world]);
    const rendering = this.#renderings.get(key) ?? this.#run(values, world);
    this.#renderings.set(key, rendering);
    return (await rendering).map((object) => this.#called(object));
  }

  /**
   * Renders once more and tells what moves by itself: from now on an object has one id, whatever name a template makes up.
   * @returns both renderings.
   */
  async renderTwice(values: YamlMap, world: World): Promise<[RenderedObject[], RenderedObject[]]> {
    const [one, other] = await Promise.all([this.render(values, world), this.#run(values, world, true)]);
    this.#learnNames(one, other);
    return [one.map((object) => this.#called(object)), other.map((object) => this.#called(object))];
  }

  /**
   * Tells which objects are called otherwise with other values: from now on each has one id.
   * @throws RenderError when the chart does not render with the other values.
   */
  async renderBeside(values: YamlMap, others: YamlMap, world: World): Promise<void> {
    this.#learnNames(...(await Promise.all([this.render(values, world), this.render(others, world)])));
  }

  #learnNames(one: readonly RenderedObject[], other: readonly RenderedObject[]): void {
    for (const [here, there] of [
      [one, other],
      [other, one],
    ] as const) {
      const ids = new Set(there.map(({ id }) => id));
      for (const { id, place } of here) if (!ids.has(id)) this.#nameless.add(place);
    }
  }

  /** Whether an object has another name in every rendering, or with every change of a value. */
  isNameless({ place }: RenderedObject): boolean {
    return this.#nameless.has(place);
  }

  #called(object: RenderedObject): RenderedObject {
    return this.isNameless(object) ? { ...object, id: object.place } : object;
  }

  /** @param again whether it is the second time, to see what moves by itself. */
  async #run(values: YamlMap, world: World, again = false): Promise<RenderedObject[]> {
    const { cache, of } = this.#kept ?? {};
    const key = { ...of, values, world, again };
    const kept = await cache?.get(key);
    if (kept !== undefined) {
      if ("refused" in kept) throw new RenderError(kept.refused);
      for (const [text, body] of kept.documents) if (body !== undefined) this.#bodies.set(text, body);
      return this.#objects(kept.documents.map(([text]) => text));
    }
    try {
      const texts = (await this.#template(values, world)).split(/^---\s*$/m);
      const objects = this.#objects(texts);
      // JSON has no such numbers.
      const isExact = (text: string) => !/\.(inf|nan)\b/i.test(text);
      await cache?.put(key, {
        documents: texts.map((text) => (isExact(text) ? [text, this.#bodies.get(text)] : [text])),
      });
      return objects;
    } catch (error) {
      if (error instanceof RenderError && OF_CHART.test(error.message))
        await cache?.put(key, { refused: error.message });
      throw error;
    }
  }

  async #template(values: YamlMap, { kube, apis, upgrade }: World): Promise<string> {
    const file = join(this.#folder, `values-${this.#runs++}.json`);
    await writeFile(file, JSON.stringify(values));
    const { name, release = name, namespace } = this.#chart;
    const args = ["template", release, join(this.#folder, "chart.tgz"), "--namespace", namespace, "--values", file];
    args.push("--include-crds", "--skip-tests", "--kube-version", kube, ...(upgrade ? ["--is-upgrade"] : []));
    if (apis.length > 0) args.push("--api-versions", apis.join(","));
    // Nothing of the user's own Helm may change the outcome.
    const home = join(this.#folder, "helm");
    const env = { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
    try {
      const { stdout } = await promisify(execFile)(this.#helm, args, { env, maxBuffer: 2 ** 28 });
      return stdout;
    } catch (error) {
      const { stderr } = error as { stderr?: string };
      throw new RenderError((stderr || (error as Error).message).trim().replaceAll(this.#folder, ""));
    }
  }

  #objects(texts: readonly string[]): RenderedObject[] {
    const objects: RenderedObject[] = [];
    const numberOf = counter();
    for (const text of texts) {
      const template = /^# Source: (.*)$/m.exec(text)?.[1] ?? "";
      for (const body of this.#parsed(text)) {
        const metadata = isMap(body.metadata) ? body.metadata : {};
        const id = numbered(`${body.kind} ${metadata.namespace ?? this.#chart.namespace}/${metadata.name}`);
        const place = numbered(`${body.kind} of ${template}`);
        const annotations = isMap(metadata.annotations) ? metadata.annotations : {};
        objects.push({ id, place, text, body, hook: "helm.sh/hook" in annotations });
      }
    }
    return objects;

    function numbered(name: string): string {
      const number = numberOf(name);
      return number === 1 ? name : `${name} (${number})`;
    }
  }

  #parsed(text: string): YamlMap[] {
    // Most objects stay the same from one rendering to the next, and CRDs are long.
    let body = this.#bodies.get(text);
    if (body === undefined) {
      body = parse(text, { uniqueKeys: false, logLevel: "silent" }) ?? null;
      this.#bodies.set(text, body);
    }
    if (!isMap(body)) return [];
    const items = String(body.kind).endsWith("List") && Array.isArray(body.items) ? body.items : [body];
    return items.filter(isMap).map(readable);
  }
}

/** Counts names, from one. */
function counter(): (name: string) => number {
  const seen = new Map<string, number>();
  return (name) => {
    const number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    return number;
  };
}

/** An object whose values in base64 are the texts they stand for, as far as they are texts. */
function readable(body: YamlMap): YamlMap {
  if (body.kind !== "Secret" || !isMap(body.data)) return body;
  const data = Object.entries(body.data).map(([key, value]) => {
    const text = typeof value === "string" ? Buffer.from(value, "base64").toString("utf8") : "\ufffd";
    return [key, /[\ufffd\0]/.test(text) ? value : text];
  });
  return { ...body, data: Object.fromEntries(data) };
}
