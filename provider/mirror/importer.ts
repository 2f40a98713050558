// The import itself: what stands in the target decides what is to be done, and is looked at again afterwards.

import pLimit from "p-limit";
import { RegistryClosed, RegistryError, type RegistryLogin } from "../../net/registry/client.ts";
import { checkSignature } from "../../net/registry/signature.ts";
import { Again, CLOCK, type Clock, retry, type Try } from "../../net/retry.ts";
import type { Context } from "../../plugin/handler.ts";
import { ArmError } from "../azure/armClient.ts";
import { type Cloud, type Look, loginServerOf, look, type Registry, registryUntil } from "../azure/cloud.ts";
import { Limiter } from "../azure/limiter.ts";
import { isUnauthorized, ROLE_WAITS } from "../azure/patience.ts";

/** What belongs to an image or chart and is found by its digest alone, or by a tag made of it: a signature for example. */
export interface Attached {
  readonly digest: string;
  readonly tag?: string;
}

/** Where an import comes from, beside the name. */
export interface ImportSource {
  /** With the source's host; its tag is only a name for people, the digest is what is imported. */
  readonly source: string;
  /** The ARM id of the Azure registry that it is imported from; the source's host then is only a name. */
  readonly sourceRegistryId?: string;
  /** The repository there, where it is not that of the source. */
  readonly sourceRepository?: string;
  readonly credentials?: RegistryLogin;
  /** PEM; what is imported has to be signed by its private half. */
  readonly publicKey?: string;
}

/** The image or chart and where it goes. */
export interface ImageTarget extends ImportSource {
  /** The registry's ARM id. */
  readonly registryId: string;
  readonly loginServer: string;
  readonly digest: string;
  readonly repository: string;
  readonly tag?: string;
  readonly attached?: readonly Attached[];
}

interface ImportOptions {
  /** Whether a tag that is there is replaced. */
  readonly force: boolean;
  /** Whether the image has arrived, whatever ARM says of the operation: some hang after they are done. */
  readonly settled?: () => Promise<boolean>;
}

export interface ImporterOptions {
  /** In milliseconds, one after another, while ARM does not let the caller import. @default {@link ROLE_WAITS} */
  readonly roleWaits?: readonly number[] | undefined;
  /** @default the machine's */
  readonly clock?: Clock | undefined;
}

const API_VERSION = "2023-01-01-preview";

/** Imports at once: in the beginning, and at most. ACR does not publish its limit and answers bursts with 429. */
const IMPORTS = { start: 8, most: 16 };

/** Looks into a registry at once. */
const LOOKS = 16;

/** How long one import may run, in milliseconds: big images take minutes, a hanging operation never ends. */
const PATIENCE = 30 * 60_000;

/** Why an import is asked for again, and the waits in milliseconds, one after another. */
const WAITS = {
  /** Another operation on the registry or the same tag is under way (409). */
  conflict: [1000, 2000, 4000, 8000, 15_000, 30_000],
  /** Nobody knows whether the request had an effect: no answer came, or ARM broke down over it. */
  unsure: [2000, 10_000, 30_000],
  /** The operation hangs, and nothing arrived. */
  hanging: [10_000],
  /** The source lets Azure ask only so often; most count over an hour or more, in steps. */
  limited: [30_000, 60_000, 120_000, 240_000, 450_000],
} as const;

/** Waits in milliseconds until the data plane shows what was imported. */
const ARRIVAL_WAITS = [250, 1000, 3000, 5000];

/** Imports images, with limits that all of the process' imports share: one for each target, one for each source. */
export class Importer {
  readonly #cloud: Cloud;
  readonly #roleWaits: readonly number[];
  readonly #clock: Clock;
  readonly #looks = pLimit(LOOKS);
  readonly #targets = new Map<string, Limiter>();
  readonly #sources = new Map<string, Limiter>();
  /** Login servers that have answered from here: where one does not any more, that passes. */
  readonly #reached = new Set<string>();

  constructor(cloud: Cloud, { roleWaits = ROLE_WAITS, clock = CLOCK }: ImporterOptions = {}) {
    this.#cloud = cloud;
    this.#roleWaits = roleWaits;
    this.#clock = clock;
  }

  /**
   * Makes the target hold the image, and what belongs to it in the same repository.
   * @param force whether the tag may hold another digest, which is then replaced.
   * @throws Error when the tag holds another digest, the signature is not right, ARM refuses, or the target holds
   *   something else afterwards.
   */
  async ensure(target: ImageTarget, force: boolean, context: Context): Promise<void> {
    await this.check(target, context);
    await this.#ensure(target, force, context);
    await this.attach(target, context);
  }

  /** Makes the target hold what belongs to an image or chart that it holds. @throws Error as {@link ensure} does. */
  async attach(target: ImageTarget, context: Context): Promise<void> {
    const { attached = [], tag: _, ...image } = target;
    // A registry may refuse what refers to something that it has not got.
    const all = attached.map((one) => {
      const source = `${nameOf(image.source)}@${one.digest}`;
      // Whoever signs again moves the tag of the signatures.
      return this.#ensure({ ...image, ...one, source }, true, context);
    });
    const failed = (await Promise.allSettled(all)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /**
   * Checks the signature in the registry that is imported from, where there is a public key; in the one that the source
   * names where that other one cannot be looked into, since a signature is worth the same wherever it is found.
   * @throws Error when it is not right.
   */
  async check(from: ImportSource & { readonly digest: string }, context: Context): Promise<void> {
    const { source, sourceRegistryId, sourceRepository, credentials, digest, publicKey } = from;
    if (publicKey === undefined) return;
    const host = hostOf(source);
    const named = nameOf(source).slice(host.length + 1);
    const verify = (registry: Registry, repository: string) =>
      checkSignature(registry, { name: source, repository, digest }, publicKey);
    const server = sourceRegistryId && (await loginServerOf(this.#cloud, sourceRegistryId, context));
    if (server) {
      try {
        return await verify(registryUntil(this.#cloud, server, context.signal), sourceRepository ?? named);
      } catch (error) {
        if (!(error instanceof RegistryClosed)) throw error;
        context.log("info", `the signature is looked for at ${host}: ${error.message}`);
      }
    }
    await verify(registryUntil(this.#cloud, host, context.signal, credentials), named);
  }

  async #ensure(target: ImageTarget, force: boolean, context: Context): Promise<void> {
    const before = await this.#looks(() => this.#look(target, context));
    if ("closed" in before) return this.#importUnseen(target, force, context, before.closed.message);
    if (before.digest === target.digest) return;
    if (before.digest !== undefined && !force) throw movedTag(target, before.digest);
    try {
      await this.#import(target, context, { force, settled: () => this.#hasArrived(target, context) });
    } catch (error) {
      // Somebody else may have imported it meanwhile: what stands there now decides.
      if (!isTaken(error)) throw error;
    }
    await this.#verify(target, force, context);
  }

  /** The registry cannot be looked into from here: ARM's word has to do. */
  async #importUnseen(target: ImageTarget, force: boolean, context: Context, why: string): Promise<void> {
    context.log("info", `the digest in the registry is not compared, ARM's word is trusted: ${why}`);
    try {
      await this.#import(target, context, { force });
    } catch (error) {
      if (!isTaken(error)) throw error;
      // The tag is taken, by which digest cannot be seen. Without a tag the import only adds what may be missing.
      const { tag, ...untagged } = target;
      await this.#import(untagged, context, { force: true });
      const name = `${target.loginServer}/${target.repository}:${tag}`;
      context.log("warning", `${name} was there before and stays as it is; the image is there by its digest`);
    }
  }

  /** Asks for the import until it is done; what is asked again comes to the same. */
  async #import(target: ImageTarget, context: Context, how: ImportOptions): Promise<void> {
    const { signal } = context;
    const source = limiterOf(this.#sources, hostOf(target.source));
    const left: Record<Reason, readonly number[]> = { role: this.#roleWaits, ...WAITS };
    const once = async (): Promise<undefined | Again> => {
      try {
        await this.#request(target, context, how);
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        const reason = reasonOf(error);
        if (reason === "limited") source.throttled();
        if (reason === undefined) throw explain(error, target);
        const [wait, ...later] = left[reason];
        if (wait === undefined) throw explain(error, target);
        left[reason] = later;
        if ((reason === "unsure" || reason === "hanging") && (await how.settled?.())) return undefined;
        const words = told(reason, explain(error, target));
        if (words) context.log("info", `${words}; trying again in ${wait / 1000} s${WHY[reason] ?? ""}`);
        return new Again(wait);
      }
    };
    // The waits are those of the reasons.
    await source.run(() => retry(once, { waits: () => 0, signal, clock: this.#clock }));
  }

  async #request(target: ImageTarget, { signal }: Context, how: ImportOptions): Promise<void> {
    const limiter = limiterOf(this.#targets, target.registryId);
    const options = {
      signal,
      patience: PATIENCE,
      throttled: () => limiter.throttled(),
      ...(how.settled === undefined ? {} : { settled: how.settled }),
    };
    const path = `${target.registryId}/importImage`;
    await limiter.run(() =>
      this.#cloud.arm().request("POST", path, API_VERSION, requestOf(target, how.force), options),
    );
  }

  async #verify(target: ImageTarget, force: boolean, context: Context): Promise<void> {
    const once = async ({ wait }: Try): Promise<undefined | Again> => {
      const after = await this.#look(target, context);
      if ("closed" in after) {
        context.log("info", `the digest in the registry is not compared: ${after.closed.message}`);
        return undefined;
      }
      if (after.digest === target.digest) return undefined;
      // A replaced tag may show its old digest for a moment, a new one shows nothing.
      if (after.digest !== undefined && (wait === undefined || !force)) throw movedTag(target, after.digest);
      if (wait === undefined) throw notArrived(target);
      return new Again();
    };
    await retry(once, { waits: ARRIVAL_WAITS, signal: context.signal, clock: this.#clock });
  }

  async #hasArrived(target: ImageTarget, context: Context): Promise<boolean> {
    const found = await this.#look(target, context);
    return "digest" in found && found.digest === target.digest;
  }

  #look({ loginServer, repository, tag, digest }: ImageTarget, { signal }: Context): Promise<Look> {
    const once = async ({ wait }: Try): Promise<Look | Again> => {
      const found = await look(registryUntil(this.#cloud, loginServer, signal), repository, tag ?? digest);
      if (!("closed" in found)) this.#reached.add(loginServer);
      else if (found.closed.status === 0 && wait !== undefined && this.#reached.has(loginServer)) return new Again();
      return found;
    };
    return retry(once, { waits: ARRIVAL_WAITS, signal, clock: this.#clock });
  }
}

function limiterOf(limiters: Map<string, Limiter>, key: string): Limiter {
  const limiter = limiters.get(key) ?? new Limiter(IMPORTS.start, IMPORTS.most);
  limiters.set(key, limiter);
  return limiter;
}

const hostOf = (source: string): string => source.slice(0, source.indexOf("/"));

/** Host and repository, without tag and digest. */
const nameOf = (source: string): string => source.replace(/(:[\w.-]+)?(@.*)?$/, "");

function requestOf(target: ImageTarget, force: boolean): object {
  const { source, sourceRegistryId, sourceRepository, credentials, digest, repository, tag } = target;
  const host = hostOf(source);
  const from = sourceRegistryId === undefined ? { registryUri: host } : { resourceId: sourceRegistryId };
  // ACR takes a tag or a digest, not both.
  const sourceImage = `${sourceRepository ?? nameOf(source).slice(host.length + 1)}@${digest}`;
  return {
    source: { ...from, ...(credentials === undefined ? {} : { credentials: { ...credentials } }), sourceImage },
    ...(tag === undefined ? { untaggedTargetRepositories: [repository] } : { targetTags: [`${repository}:${tag}`] }),
    mode: force ? "Force" : "NoForce",
  };
}

const isArmError = (error: unknown): error is ArmError => error instanceof ArmError;

type Reason = "role" | keyof typeof WAITS;

/** Why trying again may help; undefined where it does not. */
function reasonOf(error: unknown): Reason | undefined {
  // What a registry refuses was asked for again where that makes sense.
  if (error instanceof RegistryError) return undefined;
  if (isUnauthorized(error)) return "role";
  if (!isArmError(error)) return "unsure";
  if (isTaken(error)) return undefined;
  if (isLimited(error)) return "limited";
  if (error.status === 409) return "conflict";
  if (error.code === "OperationHangs") return "hanging";
  return error.status >= 500 ? "unsure" : undefined;
}

const WHY: Partial<Record<Reason, string>> = { role: ", as new roles take time" };

/** What is told of a try that comes again; conflicts are daily business. */
function told(reason: Reason, error: unknown): string | undefined {
  return reason === "conflict" ? undefined : (error as Error).message;
}

/** NoForce's refusal: "Tag hello-world:v3 already exists in target registry." */
function isTaken(error: unknown): boolean {
  return error instanceof ArmError && /already exists in target registry/i.test(error.message);
}

/** The source's refusal, within ARM's: "Too Many Requests {"errors":[{"code":"TOOMANYREQUESTS", ...". */
const isLimited = ({ status, message }: ArmError): boolean =>
  status !== 429 && /TOOMANYREQUESTS|too many requests|rate limit/i.test(message);

/** ARM's words where the source wants to know who asks, or does not know the one who does. */
const isRefused = ({ status, message }: ArmError): boolean =>
  status === 400 && /unauthorized|authentication|access (to the resource )?is denied/i.test(message);

function explain(error: unknown, { source, digest, credentials }: ImageTarget): unknown {
  if (!(error instanceof ArmError) || isTaken(error)) return error;
  const host = hostOf(source);
  const what = `importing ${source} (${digest}): `;
  const setting = `aks-gitops:imageSourceCredentials for ${host}`;
  const isAzures = /\.azurecr\.(io|cn|us)$/.test(host);
  const id = isAzures ? `the resourceId of ${host} in aks-gitops:imageSources or ` : "";
  const remedy = isLimited(error)
    ? credentials === undefined
      ? `. Wait, or sign in there: set ${setting}, as most registries let their users ask more often`
      : ". Wait until it is over, or take the image from another registry"
    : isRefused(error)
      ? `. ${credentials === undefined ? `Set ${id}${setting}` : `Correct ${setting}`}, or import from another registry`
      : "";
  const limit = isLimited(error) ? `the rate limit of ${host} is reached: ` : "";
  return new ArmError(error.status, error.code, `${what}${limit}${error.message}${remedy}`);
}

function movedTag({ loginServer, repository, tag, digest, source }: ImageTarget, actual: string): Error {
  return new Error(
    `${loginServer}/${repository}:${tag} holds ${actual}, but ${source} is ${digest}: one of the two tags was moved. ` +
      "Set allowMovedTag to true to replace what the registry holds, or mirror another tag",
  );
}

function notArrived({ loginServer, repository, tag, digest }: ImageTarget): Error {
  const name = `${loginServer}/${repository}${tag === undefined ? "" : `:${tag}`}`;
  return new Error(`ARM reports that ${name} was imported, but the registry has no ${digest} there: run this again`);
}
