// What Helm rendered, kept from one run to the next: the same chart with the same values, for the same cluster, by the same
// Helm, comes to the same.
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, realpath, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, gunzip, gzip } from "node:zlib";
import { isMap } from "../net/values.ts";
import { canonicalJson, sha256 } from "./lock.ts";

/** To be raised when something else is kept, or under the same key something else. */
const FORM = 1;

/** In bytes; the renderings of a hundred large charts. */
const LIMIT = 256 * 2 ** 20;

/** What came of one rendering: its documents, with what each was parsed to, or Helm's words. */
export type Kept =
  | { readonly documents: readonly (readonly [text: string, body?: unknown])[] }
  | { readonly refused: string };

/** What tells one Helm from another without running it. */
export async function helmIdentity(helm: string): Promise<string> {
  const path = await realpath(helm);
  const { size, mtimeMs } = await stat(path);
  return `${path} ${size} ${mtimeMs}`;
}

/**
 * Renderings in a folder, which may be written by several processes at once, and lose any of its files at any time.
 * Whatever goes wrong with it, nothing is kept and nothing fails.
 */
export class RenderingCache {
  readonly #folder: string;
  readonly #limit: number;
  #written = false;

  /** @param limit in bytes, of all files together; what was not used for longest goes first. */
  constructor(folder: string, limit = LIMIT) {
    this.#folder = folder;
    this.#limit = limit;
  }

  /** @param of all that a rendering depends on. */
  async get(of: unknown): Promise<Kept | undefined> {
    const path = this.#path(of);
    try {
      // A damaged file fails its checksum.
      const kept: unknown = JSON.parse((await promisify(gunzip)(await readFile(path))).toString("utf8"));
      if (!isKept(kept)) return undefined;
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return kept;
    } catch {
      return undefined;
    }
  }

  async put(of: unknown, kept: Kept): Promise<void> {
    const path = this.#path(of);
    const draft = `${path}.${process.pid}.${randomUUID()}`;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const level = constants.Z_BEST_SPEED;
      // Charts make passwords, and values may hold some.
      await writeFile(draft, await promisify(gzip)(JSON.stringify(kept), { level }), { mode: 0o600 });
      await rename(draft, path);
      this.#written = true;
    } catch {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }

  /** Brings the folder back below its limit. */
  async trim(): Promise<void> {
    if (!this.#written) return;
    const names = await readdir(this.#folder).catch(() => []);
    const found = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name);
        const { size, mtimeMs } = (await stat(path).catch(() => undefined)) ?? { size: 0, mtimeMs: 0 };
        return { path, size, mtimeMs };
      }),
    );
    let total = found.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of found.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (total <= this.#limit) return;
      await rm(path, { force: true }).catch(() => undefined);
      total -= size;
    }
  }

  #path(of: unknown): string {
    return join(this.#folder, `${sha256(canonicalJson({ form: FORM, of }))}.json.gz`);
  }
}

function isKept(value: unknown): value is Kept {
  if (!isMap(value)) return false;
  if (typeof value.refused === "string") return true;
  return (
    Array.isArray(value.documents) &&
    value.documents.every((document) => Array.isArray(document) && typeof document[0] === "string")
  );
}
