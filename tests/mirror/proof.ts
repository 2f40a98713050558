// The proof that a plan holds: the chart rendered by Helm with the plan's values, changed as Flux's post-renderers would,
// and read as text. None of the product's own ways of reading a rendering is used.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import type { PlanReport } from "../../mirror/plan.ts";

interface Kustomize {
  readonly images?: readonly { name: string; newName: string; newTag?: string; digest?: string }[];
  readonly patches?: readonly { target: { kind: string; name: string }; patch: string }[];
}

type Node = Record<string, unknown>;

/** What a plan says of moving a chart, with the registry's real name in it. */
export type Moves = Pick<PlanReport, "values" | "postRenderers">;

/** Every line of a rendering that still names a host of the world outside, or an image without a host. */
export function foreignLines(
  helm: string,
  tgz: Buffer,
  { values, postRenderers }: Moves,
  { registry, given = {}, args = [] }: { registry: string; given?: object; args?: readonly string[] },
): string[] {
  const folder = mkdtempSync(join(tmpdir(), "proof-"));
  try {
    writeFileSync(join(folder, "chart.tgz"), tgz);
    writeFileSync(join(folder, "given.yaml"), stringify(given));
    writeFileSync(join(folder, "values.yaml"), stringify(values));
    const files = ["--values", join(folder, "given.yaml"), "--values", join(folder, "values.yaml")];
    const all = ["template", "tool", join(folder, "chart.tgz"), "--include-crds", "--skip-tests", ...files, ...args];
    const text = execFileSync(helm, all, { encoding: "utf8", maxBuffer: 2 ** 28 });
    const { images = [], patches = [] } = (postRenderers[0]?.kustomize ?? {}) as Kustomize;
    const documents = parseAllDocuments(text).map((document) => document.toJS() as Node | null);
    return documents.flatMap((body) => {
      if (body === null || body.kind === "CustomResourceDefinition") return [];
      const isHook = JSON.stringify(body.metadata ?? {}).includes("helm.sh/hook");
      return linesOf(isHook ? body : patched(body, patches), isHook ? [] : images, registry);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function patched(body: Node, patches: NonNullable<Kustomize["patches"]>) {
  for (const { target, patch } of patches) {
    const items = body.kind === "List" ? (body.items as Node[]) : [body];
    for (const item of items) {
      if (item.kind !== target.kind || (item.metadata as { name?: string }).name !== target.name) continue;
      for (const { op, path, value } of JSON.parse(patch) as { op: string; path: string; value: string }[]) {
        const keys = path
          .slice(1)
          .split("/")
          .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
        const last = keys.pop() ?? "";
        const parent = keys.reduce((node, key) => node[key] as Node, item);
        if (op === "test" && parent[last] !== value) throw new Error(`${path} is ${parent[last]}, not ${value}`);
        if (op === "replace") parent[last] = value;
      }
    }
  }
  return body;
}

const HOSTS =
  /(?<![\w./-])((?:[a-z0-9-]+\.)*(?:docker\.io|ghcr\.io|quay\.io|registry\.k8s\.io|gcr\.io|mcr\.microsoft\.com|registry\.mesh\.example))\/[a-z0-9]/;

function linesOf(body: object, images: NonNullable<Kustomize["images"]>, registry: string): string[] {
  const found: string[] = [];
  const kind = (body as { kind?: string }).kind;
  const visit = (node: unknown, key: string, parents: readonly string[]): void => {
    if (Array.isArray(node)) for (const item of node) visit(item, key, [...parents, key]);
    else if (typeof node === "object" && node !== null)
      for (const [name, item] of Object.entries(node)) visit(item, name, [...parents, key]);
    else if (typeof node === "string") {
      const decoded = kind === "Secret" && parents.includes("data") ? Buffer.from(node, "base64").toString() : node;
      const inContainer = key === "image" && parents.some((parent) => /ontainers$/.test(parent));
      const entry = images.find(
        ({ name }) => decoded === name || decoded.startsWith(`${name}:`) || decoded.startsWith(`${name}@`),
      );
      const final =
        inContainer && entry
          ? `${entry.newName}${entry.newTag ? `:${entry.newTag}` : decoded.slice(entry.name.length)}`
          : decoded;
      for (const line of final.split("\n")) {
        const named = /^\s*(- )?[\w-]*image[:=] */i;
        const bare = inContainer || named.test(line) ? line.replace(named, "") : undefined;
        const isWord =
          bare === undefined ||
          bare === "auto" ||
          bare.includes("{{") ||
          bare.replaceAll(/["']/g, "").startsWith(`${registry}/`);
        if (!isWord || HOSTS.test(line.replaceAll(`${registry}/`, `${registry}-`)))
          found.push(`${kind}: ${line.trim()}`);
      }
    }
  };
  visit(body, "", []);
  return found;
}
