// A cloud in memory for the handlers' tests: one ARM and one Azure registry, with the faults that a test wants.

import { createHash } from "node:crypto";
import type { RegistryClosed } from "../../net/registry/client.ts";
import type { Context } from "../../plugin/handler.ts";
import { ArmError } from "../../provider/azure/armClient.ts";
import type { Cloud, Registry } from "../../provider/azure/cloud.ts";

export const REGISTRY_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acme";
export const CLUSTER_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/prod";

export const digestOf = (body: Buffer | string) => `sha256:${createHash("sha256").update(body).digest("hex")}`;

export interface ArmCall {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

type ArmOptions = { readonly settled?: () => Promise<boolean>; readonly throttled?: () => void };

export class FakeCloud implements Cloud {
  /** Digests by `repository:tag`, or `repository@digest`. */
  readonly held = new Map<string, string>();
  readonly manifests = new Map<string, Buffer>();
  readonly blobs = new Map<string, Buffer>();
  readonly calls: ArmCall[] = [];
  readonly messages: string[] = [];
  /** Set: nobody can look into the registry. */
  closed: RegistryClosed | undefined;
  /** What ARM does with a call; default: imports like ACR. */
  answer: (call: ArmCall, options: ArmOptions) => unknown = (call) => this.import(call);

  arm(): ReturnType<Cloud["arm"]> {
    return {
      request: async <T>(method: string, path: string, _version: string, body?: unknown, options: ArmOptions = {}) => {
        const call = { method, path, body };
        this.calls.push(call);
        return (await this.answer(call, options)) as T | undefined;
      },
    };
  }

  /** importImage as ACR does it: NoForce refuses a tag that is there. */
  import({ method, path, body }: ArmCall): unknown {
    if (method === "GET") return { properties: { loginServer: "acme.azurecr.io" } };
    if (!path.endsWith("/importImage")) throw new Error(`unexpected ${method} ${path}`);
    const {
      source,
      targetTags = [],
      untaggedTargetRepositories = [],
      mode,
    } = body as {
      source: { sourceImage: string };
      targetTags?: string[];
      untaggedTargetRepositories?: string[];
      mode: string;
    };
    const digest = source.sourceImage.split("@")[1] ?? "";
    for (const tag of targetTags) {
      if (mode === "NoForce" && this.held.has(tag)) {
        throw new ArmError(409, "Conflict", `Tag ${tag} already exists in target registry.`);
      }
      this.held.set(tag, digest);
    }
    for (const repository of untaggedTargetRepositories) this.held.set(`${repository}@${digest}`, digest);
    return undefined;
  }

  registry(_host: string): Registry {
    const check = () => {
      if (this.closed) throw this.closed;
    };
    const find = (repository: string, reference: string) =>
      this.held.get(`${repository}${reference.includes(":") ? "@" : ":"}${reference}`);
    return {
      head: async (repository, reference) => {
        check();
        const digest = find(repository, reference);
        return digest === undefined ? undefined : { digest, mediaType: "" };
      },
      manifest: async (repository, reference) => {
        check();
        const digest = find(repository, reference);
        const body = digest === undefined ? undefined : this.manifests.get(digest);
        return body && digest !== undefined ? { digest, mediaType: "", body } : undefined;
      },
      blob: async (_repository, digest) => {
        check();
        const body = this.blobs.get(digest);
        if (!body) throw new Error(`no blob ${digest}`);
        return body;
      },
      referrers: async () => [],
      pushBlob: async (_repository, body) => {
        check();
        this.blobs.set(digestOf(body), body);
        return digestOf(body);
      },
      pushManifest: async (repository, reference, body) => {
        check();
        this.manifests.set(digestOf(body), body);
        this.held.set(`${repository}:${reference}`, digestOf(body));
        return digestOf(body);
      },
    };
  }

  readonly context: Context = {
    urn: "urn:x",
    type: "gitops:index:X",
    name: "x",
    preview: false,
    signal: new AbortController().signal,
    log: (severity, message) => this.messages.push(`${severity}: ${message}`),
  };
}
