// The import itself: what stands in the target decides what is to be done, and is looked at again afterwards.

import { Again, retry, type Try } from "../../net/retry.ts";
import type { Context } from "../../plugin/handler.ts";
import { ArmError } from "../azure/armClient.ts";
import { type Cloud, look, registryUntil } from "../azure/cloud.ts";
import { Limiter } from "../azure/limiter.ts";
import { isUnauthorized, ROLE_WAITS } from "../azure/patience.ts";

/** The image and where it goes. */
export interface ImageTarget {
  /** The registry's ARM id. */
  readonly registryId: string;
  readonly loginServer: string;
  /** With the source's host; its tag is only a name for people, the digest is what is imported. */
  readonly source: string;
  readonly digest: string;
  readonly repository: string;
  readonly tag?: string;
}

interface ImportOptions {
  /** Whether a tag that is there is replaced. */
  readonly force: boolean;
  /** Whether the image has arrived, whatever ARM says of the operation: some hang after they are done. */
  readonly settled?: () => Promise<boolean>;
}

const API_VERSION = "2023-01-01-preview";

/** Imports at once: in the beginning, and at most. ACR does not publish its limit and answers bursts with 429. */
const IMPORTS = { start: 8, most: 16 };

/** How long one import may run, in milliseconds: big images take minutes, a hanging operation never ends. */
const PATIENCE = 30 * 60_000;

/** Waits in milliseconds while another operation on the registry or the same tag is under way (409). */
const CONFLICT_WAITS = [1000, 2000, 4000, 8000, 15_000, 30_000];

/** Waits in milliseconds until the data plane shows what was imported. */
const ARRIVAL_WAITS = [250, 1000, 3000, 5000];

/** Imports images, with a limit that all of the process' imports share. */
export class Importer {
  readonly #cloud: Cloud;
  readonly #roleWaits: readonly number[];
  readonly #limiter = new Limiter(IMPORTS.start, IMPORTS.most);

  /** @param roleWaits in milliseconds, one after another, while ARM does not let the caller import. */
  constructor(cloud: Cloud, roleWaits = ROLE_WAITS) {
    this.#cloud = cloud;
    this.#roleWaits = roleWaits;
  }

  /**
   * Makes the target hold the image.
   * @param force whether the tag may hold another digest, which is then replaced.
   * @throws Error when the tag holds another digest, ARM refuses, or the target holds something else afterwards.
   */
  async ensure(target: ImageTarget, force: boolean, context: Context): Promise<void> {
    const before = await this.#look(target, context);
    if ("closed" in before) return this.#importUnseen(target, force, context, before.closed.message);
    if (before.digest === target.digest) return;
    if (before.digest !== undefined && !force) throw movedTag(target, before.digest);
    await this.#limiter.run(async () => {
      try {
        await this.#import(target, context, { force, settled: () => this.#hasArrived(target, context) });
      } catch (error) {
        // Somebody else may have imported it meanwhile: what stands there now decides.
        if (!isTaken(error)) throw error;
      }
    });
    await this.#verify(target, force, context);
  }

  /** The registry cannot be looked into from here: ARM's word has to do. */
  async #importUnseen(target: ImageTarget, force: boolean, context: Context, why: string): Promise<void> {
    context.log("info", `the digest in the registry is not compared, ARM's word is trusted: ${why}`);
    await this.#limiter.run(async () => {
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
    });
  }

  async #import(target: ImageTarget, context: Context, how: ImportOptions): Promise<void> {
    const once = async ({ wait }: Try): Promise<undefined | Again> => {
      try {
        await this.#importAllowed(target, context, how);
        return undefined;
      } catch (error) {
        if (!isUnauthorized(error) || wait === undefined) throw error;
        context.log("info", `${error.message}; trying again in ${wait / 1000} s, as new roles take time`);
        return new Again();
      }
    };
    await retry(once, { waits: this.#roleWaits, signal: context.signal });
  }

  async #importAllowed(target: ImageTarget, context: Context, how: ImportOptions): Promise<void> {
    const path = `${target.registryId}/importImage`;
    const options = {
      signal: context.signal,
      patience: PATIENCE,
      throttled: () => this.#limiter.throttled(),
      ...(how.settled === undefined ? {} : { settled: how.settled }),
    };
    const once = async ({ wait }: Try): Promise<undefined | Again> => {
      try {
        await this.#cloud.arm().request("POST", path, API_VERSION, requestOf(target, how.force), options);
        return undefined;
      } catch (error) {
        const isConflict = error instanceof ArmError && error.status === 409 && !isTaken(error);
        if (!isConflict || wait === undefined) throw explain(error, target);
        return new Again();
      }
    };
    await retry(once, { waits: CONFLICT_WAITS, signal: context.signal });
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
    await retry(once, { waits: ARRIVAL_WAITS, signal: context.signal });
  }

  async #hasArrived(target: ImageTarget, context: Context): Promise<boolean> {
    const found = await this.#look(target, context);
    return "digest" in found && found.digest === target.digest;
  }

  #look({ loginServer, repository, tag, digest }: ImageTarget, { signal }: Context) {
    return look(registryUntil(this.#cloud, loginServer, signal), repository, tag ?? digest);
  }
}

function requestOf({ source, digest, repository, tag }: ImageTarget, force: boolean): object {
  const slash = source.indexOf("/");
  // ACR takes a tag or a digest, not both.
  const name = source.slice(slash + 1).replace(/(:[\w.-]+)?(@.*)?$/, "");
  return {
    source: { registryUri: source.slice(0, slash), sourceImage: `${name}@${digest}` },
    ...(tag === undefined ? { untaggedTargetRepositories: [repository] } : { targetTags: [`${repository}:${tag}`] }),
    mode: force ? "Force" : "NoForce",
  };
}

/** NoForce's refusal: "Tag hello-world:v3 already exists in target registry." */
function isTaken(error: unknown): boolean {
  return error instanceof ArmError && /already exists in target registry/i.test(error.message);
}

function explain(error: unknown, { source, digest }: ImageTarget): unknown {
  if (!(error instanceof ArmError) || isTaken(error)) return error;
  return new ArmError(error.status, error.code, `importing ${source} (${digest}): ${error.message}`);
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
