// What all commands of a lock are told: which lock, and from where registries are asked.
import { join, resolve } from "node:path";
import type { ParseArgsOptionsConfig } from "node:util";
import { RegistryClient } from "../../net/registry/client.ts";
import { dockerLogin } from "../../net/registry/dockerConfig.ts";
import { parseSettings } from "../../settings/parse.ts";
import { readStackFile } from "../../settings/stackFile.ts";
import { cacheFolder } from "../../tools/cacheFolder.ts";
import { type MirrorList, type MirrorSource, stackSource } from "../lock.ts";
import { fileSource, readMirrorList } from "../mirrorFile.ts";

export const LIST_OPTIONS = {
  stack: { type: "string" },
  project: { type: "string", default: "." },
  file: { type: "string" },
} as const satisfies ParseArgsOptionsConfig;

export interface Wanted {
  readonly stack?: string | undefined;
  readonly project: string;
  readonly file?: string | undefined;
}

/** The charts and images that are listed, and where their lock is. @throws Error where it is not said which. */
export async function wanted(
  { stack, project, file }: Wanted,
  usage: string,
): Promise<{ source: MirrorSource; settings: MirrorList }> {
  if (stack !== undefined && file !== undefined) throw new Error(`--stack and --file exclude each other.\n${usage}`);
  if (file !== undefined) return { source: fileSource(file), settings: await readMirrorList(file) };
  if (stack === undefined) throw new Error(`--stack or --file is missing.\n${usage}`);
  const root = resolve(project);
  return { source: stackSource(root, stack), settings: parseSettings(await readStackFile(root, stack)) };
}

/** Clients of registries, one for each host; they ask as whom somebody signed in by `docker login`. */
export function registries(): (host: string) => RegistryClient {
  const clients = new Map<string, RegistryClient>();
  return (host) => {
    const client = clients.get(host) ?? new RegistryClient(host, { login: () => dockerLogin(host, process.env) });
    clients.set(host, client);
    return client;
  };
}

/** The folder of what Helm rendered in earlier runs. */
export function renderings(): string {
  return join(cacheFolder(), "renderings");
}

/** `1 chart`, `2 charts`. */
export function count(items: readonly unknown[], noun: string): string {
  return `${items.length} ${noun}${items.length === 1 ? "" : "s"}`;
}
