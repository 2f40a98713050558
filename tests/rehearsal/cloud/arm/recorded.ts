// Exchanges with the real Azure as they were recorded: what of them there is, and how two answers are compared.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DEFAULT_VERSION, fullVersion } from "../../../../rehearsal/cloud/arm/rules/versions.ts";

/** A folder of recordings beside the checkout; not everybody has it. */
export const RECORDINGS = resolve(import.meta.dirname, "../../../../../shared/recordings");

export const hasRecordings = existsSync(RECORDINGS);

/** One request and its answer. */
export interface Exchange {
  readonly method: string;
  /** A path of ARM, or a whole URL of another service. */
  readonly url: string;
  readonly request: unknown;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly response: unknown;
  /** Seconds since the recording began. */
  readonly t?: number;
  /** Only what differs from the body before is there. */
  readonly abridged?: string;
  /** False where the answer is only quoted somewhere. */
  readonly recorded?: boolean;
  readonly source?: string;
}

/** Exchanges that followed each other. */
export interface Recording {
  readonly file: string;
  /** Number of the first line. */
  readonly line: number;
  readonly source: string;
  readonly exchanges: readonly Exchange[];
}

/** All recordings, each with the exchanges that followed each other; of errors each stands alone. */
export function recordings(): Recording[] {
  const files = readdirSync(RECORDINGS).filter((name) => name.endsWith(".jsonl") && name !== "timings.jsonl");
  return files.sort().flatMap((file) => {
    const parts: { line: number; texts: string[] }[] = [];
    for (const [index, text] of readFileSync(join(RECORDINGS, file), "utf8").trim().split("\n").entries()) {
      if ("source" in JSON.parse(text)) parts.push({ line: index + 1, texts: [] });
      parts.at(-1)?.texts.push(text);
    }
    return parts.map(({ line, texts }) => {
      const exchanges = today(texts.join("\n"))
        .split("\n")
        .map((text) => JSON.parse(text) as Exchange);
      return { file, line, source: exchanges[0]?.source ?? "", exchanges };
    });
  });
}

const VERSION = /("(?:current)?(?:kubernetes|orchestrator)version":\s*")(1\.\d+)(\.\d+)?"/gi;

/** A recording as if it were of today: with Kubernetes versions that are still offered, in regions open to all. */
function today(recorded: string): string {
  const minors = [...new Set([...recorded.matchAll(VERSION)].map(([, , minor = ""]) => minor))];
  const order = (minor: string) => Number(minor.split(".")[1]);
  minors.sort((a, b) => order(a) - order(b));
  const first = order(DEFAULT_VERSION);
  return recorded
    .replaceAll(VERSION, (_, key: string, minor: string, patch?: string) => {
      const now = `1.${first + minors.indexOf(minor)}`;
      return `${key}${patch === undefined ? now : fullVersion(now)}"`;
    })
    .replaceAll(/eastus2euap|centraluseuap/gi, "eastus2");
}

/** `error.code` of an answer; some services leave the envelope out. */
export function errorCode(body: unknown): string | undefined {
  const { error, code } = (body ?? {}) as { error?: { code?: string }; code?: string };
  return error?.code ?? (typeof code === "string" ? `${code} without envelope` : undefined);
}

/** Every value of a body by its path; empty lists and objects count as values. */
export function leaves(value: unknown, path = ""): Map<string, unknown> {
  if (typeof value !== "object" || value === null) return new Map([[path, value]]);
  const parts: [string, unknown][] = Array.isArray(value)
    ? value.map((item, index) => [`${path}[${index}]`, item])
    : Object.entries(value).map(([name, item]) => [path === "" ? name : `${path}.${name}`, item]);
  if (parts.length === 0) return new Map([[path, Array.isArray(value) ? "an empty list" : "an empty object"]]);
  return new Map(parts.flatMap(([at, item]) => [...leaves(item, at)]));
}

const GUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{11,12}/gi;

/** Whether a text is one GUID. */
export const isGuid = (value: unknown): value is string =>
  typeof value === "string" && new RegExp(`^${GUID.source}$`, "i").test(value);

/** A value without what nobody can foretell: ids, times, hashes. */
export function canonical(value: unknown): unknown {
  if (typeof value === "number" && value > 1_500_000_000 && value < 2_500_000_000) return "SECONDS";
  if (typeof value !== "string") return value;
  const text = value
    .replaceAll(GUID, "GUID")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?/g, "TIME")
    .replaceAll(/\b([0-9a-f]{24}|[0-9a-f]{32})\b/g, "HASH")
    .replaceAll(/-(x{8}|[0-9a-z]{8})(?=\.)/g, "-HASH");
  return /^\/subscriptions\//i.test(text) ? text.toLowerCase() : text;
}
