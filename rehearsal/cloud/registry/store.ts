// The content of one registry, in memory: blobs by digest, and for each repository its blobs, manifests, tags and uploads.
import { randomUUID } from "node:crypto";
import { digestOf } from "./protocol.ts";

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly body: Buffer;
}

/** A blob on its way up. */
export interface Upload {
  readonly id: string;
  chunks: Buffer[];
  /** Bytes received so far. */
  size: number;
  /** Counts the chunks: a Location is good for one request only. */
  state: number;
}

export class Repository {
  /** Digests of the blobs that this repository may serve; the bytes are the registry's. */
  readonly blobs = new Set<string>();
  readonly manifests = new Map<string, StoredManifest>();
  /** Tag to digest. */
  readonly tags = new Map<string, string>();
  readonly uploads = new Map<string, Upload>();

  /** A manifest by tag or digest. */
  manifest(reference: string): StoredManifest | undefined {
    return this.manifests.get(this.tags.get(reference) ?? reference);
  }

  /** Whether anything was ever completed here; a repository is born with its first manifest. */
  get exists(): boolean {
    return this.manifests.size > 0;
  }
}

export class RegistryStore {
  readonly #bytes = new Map<string, Buffer>();
  readonly #repositories = new Map<string, Repository>();

  /** The names of all repositories with a manifest, sorted. */
  names(): string[] {
    return [...this.#repositories]
      .filter(([, repository]) => repository.exists)
      .map(([name]) => name)
      .sort();
  }

  find(name: string): Repository | undefined {
    return this.#repositories.get(name);
  }

  /** The repository of a name, made where it is missing. */
  open(name: string): Repository {
    const repository = this.#repositories.get(name) ?? new Repository();
    this.#repositories.set(name, repository);
    return repository;
  }

  /** The bytes of a blob that a repository holds. */
  blob(name: string, digest: string): Buffer | undefined {
    return this.find(name)?.blobs.has(digest) ? this.#bytes.get(digest) : undefined;
  }

  /** Keeps a blob and returns its digest. */
  putBlob(name: string, body: Buffer): string {
    const digest = digestOf(body);
    this.#bytes.set(digest, body);
    this.open(name).blobs.add(digest);
    return digest;
  }

  /** Lets a repository serve a blob that another one has; false where that one has not got it. */
  mount(name: string, digest: string, from: string): boolean {
    if (!this.find(from)?.blobs.has(digest)) return false;
    this.open(name).blobs.add(digest);
    return true;
  }

  /** Keeps a manifest, unchecked (registryManifests.ts checks), and points a tag at it where one is given. */
  putManifest(name: string, body: Buffer, mediaType: string, tag?: string): string {
    const digest = digestOf(body);
    const repository = this.open(name);
    repository.manifests.set(digest, { digest, mediaType, body });
    if (tag !== undefined) repository.tags.set(tag, digest);
    return digest;
  }

  startUpload(name: string): Upload {
    const upload = { id: randomUUID(), chunks: [], size: 0, state: 0 };
    this.open(name).uploads.set(upload.id, upload);
    return upload;
  }
}
