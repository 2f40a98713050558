// What the resources of this plugin need of Azure; tests give something else.

import { once } from "node:events";
import { RegistryClient, RegistryClosed, type RegistryLogin } from "../../net/registry/client.ts";
import type { Context } from "../../plugin/handler.ts";
import { ArmClient, ArmError, credential } from "./armClient.ts";

/** A registry's data plane. */
export type Registry = Pick<RegistryClient, "head" | "manifest" | "blob" | "referrers" | "pushBlob" | "pushManifest">;

export interface Cloud {
  /** Azure Resource Manager. */
  arm(): Pick<ArmClient, "request">;
  /**
   * A registry's data plane; one client for each host and who asks there, so that tokens are shared.
   * @param login default: Entra at an Azure registry, nobody elsewhere.
   */
  registry(host: string, login?: RegistryLogin): Registry;
}

/** What registries are read and written by. */
export type Registries = Pick<Cloud, "registry">;

const REGISTRY_API = "2023-01-01-preview";

/** The cloud of the environment. */
export const azure: Cloud = createCloud();

function createCloud(): Cloud {
  let arm: ArmClient | undefined;
  const registries = new Map<string, RegistryClient>();
  return {
    arm() {
      arm ??= new ArmClient();
      return arm;
    },
    registry(host, login) {
      const key = JSON.stringify([host, login?.username, login?.password]);
      const known = registries.get(key) ?? new RegistryClient(host, { credential: credential(), login });
      registries.set(key, known);
      return known;
    },
  };
}

/**
 * A registry's data plane for one operation: every call rejects when the signal is aborted, though its request, whose
 * client other operations share, may go on for a while.
 */
export function registryUntil(cloud: Registries, host: string, signal: AbortSignal, login?: RegistryLogin): Registry {
  const registry = cloud.registry(host, login);
  const ended = async <T>(call: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    const over = new AbortController();
    const aborted = once(signal, "abort", { signal: over.signal }).then(
      () => Promise.reject(signal.reason),
      // The call was the first to end.
      () => new Promise<never>(() => {}),
    );
    try {
      return await Promise.race([call(), aborted]);
    } finally {
      over.abort();
    }
  };
  return {
    head: (...given) => ended(() => registry.head(...given)),
    manifest: (...given) => ended(() => registry.manifest(...given)),
    blob: (...given) => ended(() => registry.blob(...given)),
    referrers: (...given) => ended(() => registry.referrers(...given)),
    pushBlob: (...given) => ended(() => registry.pushBlob(...given)),
    pushManifest: (...given) => ended(() => registry.pushManifest(...given)),
  };
}

/** What a look into a registry found: the digest behind a reference, none, or no way to look (and why). */
export type Look = { readonly digest: string | undefined } | { readonly closed: RegistryClosed };

/** Looks for a tag or digest. @throws RegistryError for anything but a registry that is closed to this caller. */
export async function look(registry: Registry, repository: string, reference: string): Promise<Look> {
  try {
    const found = await registry.head(repository, reference);
    return { digest: found?.digest };
  } catch (error) {
    if (error instanceof RegistryClosed) return { closed: error };
    throw error;
  }
}

/** A resource as ARM has it; undefined when it is gone, or its resource group is. @throws ArmError */
export async function armGet<T>(
  cloud: Cloud,
  id: string,
  apiVersion: string,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await cloud.arm().request<T>("GET", id, apiVersion, undefined, { signal });
  } catch (error) {
    if (error instanceof ArmError && error.status === 404) return undefined;
    throw error;
  }
}

/** A registry's login server; undefined when there is no such registry. */
export async function loginServerOf(
  cloud: Cloud,
  registryId: string,
  { signal }: Pick<Context, "signal">,
): Promise<string | undefined> {
  type Registry = { properties?: { loginServer?: string } };
  const registry = await armGet<Registry>(cloud, registryId, REGISTRY_API, signal);
  return registry?.properties?.loginServer;
}
