import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { isMap } from "../net/values.ts";
import type { ChartSource } from "./lock.ts";
import type { YamlMap } from "./tree.ts";

/** The Kubernetes version that charts are rendered for; part of an analysis. */
export const KUBE_VERSION = "1.34.0";

/** One rendered Kubernetes object. */
export interface RenderedObject {
  /** `<kind> <namespace>/<name>`, with a number where it is not the only one. */
  readonly id: string;
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

/** Renders one chart again and again with the real `helm template`. */
export class Renderer {
  readonly #helm: string;
  readonly #chart: ChartFile;
  readonly #folder: string;
  readonly #bodies = new Map<string, unknown>();
  #runs = 0;

  private constructor(helm: string, chart: ChartFile, folder: string) {
    this.#helm = helm;
    this.#chart = chart;
    this.#folder = folder;
  }

  /** Runs an action with a renderer and removes its files afterwards. */
  static async use<T>(helm: string, chart: ChartFile, action: (renderer: Renderer) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "aks-gitops-chart-"));
    try {
      await writeFile(join(folder, "chart.tgz"), chart.tgz);
      return await action(new Renderer(helm, chart, folder));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * The objects of a release with these values: CRDs and hooks too, but no tests (Flux runs them only when asked to).
   * @throws RenderError
   */
  async render(values: YamlMap): Promise<RenderedObject[]> {
    const file = join(this.#folder, `values-${this.#runs++}.json`);
    await writeFile(file, JSON.stringify(values));
    const { name, release = name, namespace } = this.#chart;
    const args = ["template", release, join(this.#folder, "chart.tgz"), "--namespace", namespace, "--values", file];
    args.push("--include-crds", "--skip-tests", "--kube-version", KUBE_VERSION);
    // Nothing of the user's own Helm may change the outcome.
    const home = join(this.#folder, "helm");
    const env = { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
    try {
      const { stdout } = await promisify(execFile)(this.#helm, args, { env, maxBuffer: 2 ** 28 });
      return this.#objects(stdout);
    } catch (error) {
      const { stderr } = error as { stderr?: string };
      throw new RenderError((stderr || (error as Error).message).trim().replaceAll(this.#folder, ""));
    }
  }

  #objects(output: string): RenderedObject[] {
    const objects: RenderedObject[] = [];
    const seen = new Map<string, number>();
    for (const text of output.split(/^---\s*$/m)) {
      for (const body of this.#parsed(text)) {
        const metadata = isMap(body.metadata) ? body.metadata : {};
        const id = `${body.kind} ${metadata.namespace ?? this.#chart.namespace}/${metadata.name}`;
        const count = (seen.get(id) ?? 0) + 1;
        seen.set(id, count);
        const annotations = isMap(metadata.annotations) ? metadata.annotations : {};
        objects.push({ id: count === 1 ? id : `${id} (${count})`, text, body, hook: "helm.sh/hook" in annotations });
      }
    }
    return objects;
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
    return items.filter(isMap);
  }
}
