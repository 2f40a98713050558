// Chart repositories over HTTPS: index.yaml and the archives (helm.sh/docs/topics/chart_repository).
import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { chartManifest } from "../../../net/chartManifest.ts";
import type { CloudRequest, CloudResponse, Service } from "../types.ts";
import { ServiceError } from "../types.ts";
import { answering } from "./protocol.ts";

/** The time that every index says its charts were made. */
const CREATED = "2026-01-01T00:00:00Z";

export interface ChartRepository {
  /** For example `https://kubereboot.github.io/charts`. */
  readonly url: string;
  /** Packed charts. */
  readonly charts: readonly Buffer[];
  /** How the index names the archives; `absolute` when left out. Repositories of both kinds exist. */
  readonly urls?: "absolute" | "relative";
}

interface File {
  readonly type: string;
  readonly body: Buffer;
}

export class ChartRepositories {
  readonly #files = new Map<string, File>();

  /** @throws Error for an archive that is no chart. */
  /** Serves these repositories. */
  static async of(repositories: readonly ChartRepository[] = []): Promise<ChartRepositories> {
    const all = new ChartRepositories();
    for (const repository of repositories) await all.add(repository);
    return all;
  }

  /** Adds a repository, or gives the one of its URL another index. @throws Error for an archive that is no chart. */
  async add({ url, charts, urls = "absolute" }: ChartRepository): Promise<void> {
    const base = url.replace(/\/+$/, "");
    const entries: Record<string, object[]> = {};
    for (const tgz of charts) {
      const { name, version, config } = await chartManifest(tgz, CREATED);
      const file = `${name}-${version}.tgz`;
      this.#files.set(new URL(`${base}/${file}`).href, { type: "application/gzip", body: tgz });
      const place = urls === "absolute" ? `${base}/${file}` : file;
      const entry = { ...JSON.parse(config.toString("utf8")), created: CREATED, digest: sha256(tgz), urls: [place] };
      entries[name] = [...(entries[name] ?? []), entry];
    }
    const index = stringify({ apiVersion: "v1", entries, generated: CREATED });
    this.#files.set(new URL(`${base}/index.yaml`).href, { type: "text/yaml; charset=utf-8", body: Buffer.from(index) });
  }

  /** Every host name to route here. */
  get hosts(): string[] {
    return [...new Set([...this.#files.keys()].map((url) => new URL(url).hostname))];
  }

  readonly service: Service = (request) => answering(request, () => this.#answer(request));

  #answer(request: CloudRequest): CloudResponse {
    const { origin, pathname } = request.url;
    const file = this.#files.get(`${origin}${pathname}`);
    if (!file) throw text(404, `404: there is no ${pathname} here`);
    if (request.method !== "GET" && request.method !== "HEAD") throw text(405, `${request.method} is not allowed`);
    const etag = `"${sha256(file.body)}"`;
    if (request.headers["if-none-match"] === etag) return { status: 304, headers: { etag } };
    const headers = { "content-type": file.type, "content-length": String(file.body.length), etag };
    return { status: 200, headers, body: file.body };
  }
}

function sha256(body: Buffer): string {
  return createHash("sha256").update(body).digest("hex");
}

function text(status: number, message: string): ServiceError {
  return new ServiceError(
    { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: `${message}\n` },
    message,
  );
}
