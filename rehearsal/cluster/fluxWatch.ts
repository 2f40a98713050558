// Waits for Flux: until everything is Ready, or something has failed and would fail again.
import type { ClusterApi } from "./api.ts";
import { type FluxObject, type FluxReference, fluxObjects, nameOf, requestReconcile } from "./fluxState.ts";

/** How long a failure may last before its controller is asked to try again at once, in milliseconds. */
const PATIENCE = 8_000;
/** How long the answer may take. */
const ANSWER_LIMIT = 40_000;
/** How long an answer of the API counts as the present, in milliseconds. */
const PRESENT = 400;
/** How long one that was told may still wait: its controller may not have seen yet what we see, in milliseconds. */
const AGAIN = 3_000;
/** How long the others may go on when one has failed for good. */
const GRACE = 8_000;

/** Failures that only say that something else is not ready. */
const CONSEQUENCES = /^(DependencyNotReady|SourceNotReady|ArtifactFailed|ArtifactNotFound)$/;

interface Failing {
  readonly since: number;
  readonly generation: number;
  /** When its controller was asked to try again, and the words it was asked with. */
  asked?: { readonly at: number; readonly word: string };
}

export interface Verdict {
  readonly state: "ready" | "failed" | "waiting";
  readonly objects: readonly FluxObject[];
  /** What is suspended: nothing is waited for there. @default none */
  readonly suspended?: readonly FluxObject[];
  /** What has failed for good. */
  readonly failed: readonly FluxObject[];
}

export class FluxWatch {
  readonly #api: ClusterApi;
  readonly #failing = new Map<string, Failing>();
  /** When those that waited were told that what they waited for is there. */
  readonly #told = new Map<string, number>();
  #last: { readonly at: number; readonly verdict: Promise<Verdict> } | undefined;
  #failedSince: number | undefined;

  constructor(api: ClusterApi) {
    this.#api = api;
  }

  /**
   * Looks once, for all who ask at the same time. A failure that lasts is tried again at once, and so is what waited for
   * something that is there now: nobody waits for an interval in a rehearsal.
   * @param since a look that began before this time (in milliseconds) is too old, even if it was just now.
   */
  look(since = 0): Promise<Verdict> {
    if (this.#last === undefined || this.#last.at < since || Date.now() - this.#last.at > PRESENT)
      this.#last = { at: Date.now(), verdict: this.#look() };
    return this.#last.verdict;
  }

  async #look(): Promise<Verdict> {
    const present = await fluxObjects(this.#api);
    const objects = present.filter(({ suspended }) => !suspended);
    await this.#hurry(objects);
    const failed: FluxObject[] = [];
    for (const object of objects) if (await this.#hasFailed(object)) failed.push(object);
    const all = withConsequences(objects, failed);
    if (all.length === 0) this.#failedSince = undefined;
    else this.#failedSince ??= Date.now();
    const isReady = objects.length > 0 && objects.every(({ ready }) => ready === true);
    const isOver = this.#failedSince !== undefined && Date.now() - this.#failedSince > GRACE;
    return {
      state: isReady ? "ready" : isOver ? "failed" : "waiting",
      objects,
      suspended: present.filter(({ suspended }) => suspended),
      failed: all,
    };
  }

  async #hurry(objects: readonly FluxObject[]): Promise<void> {
    const ready = new Set(objects.filter(({ ready }) => ready === true).map(nameOf));
    for (const object of objects) {
      const name = nameOf(object);
      const waits = object.ready !== true && CONSEQUENCES.test(object.reason);
      if (!waits || !object.needs.every((need) => ready.has(nameOf(need)))) this.#told.delete(name);
      else if (Date.now() - (this.#told.get(name) ?? 0) > AGAIN) {
        this.#told.set(name, Date.now());
        await requestReconcile(this.#api, object);
      }
    }
  }

  async #hasFailed(object: FluxObject): Promise<boolean> {
    const name = nameOf(object);
    const known = this.#failing.get(name);
    if (object.ready === true) this.#failing.delete(name);
    // It may be trying again: that alone does not make it whole.
    if (object.ready !== false || CONSEQUENCES.test(object.reason)) return false;
    const { generation } = object;
    const failing: Failing = known?.generation === generation ? known : { since: Date.now(), generation };
    this.#failing.set(name, failing);
    if (failing.asked === undefined) {
      if (Date.now() - failing.since > PATIENCE)
        failing.asked = { at: Date.now(), word: await requestReconcile(this.#api, object) };
      return false;
    }
    return object.handled === failing.asked.word || Date.now() - failing.asked.at > ANSWER_LIMIT;
  }
}

/** With the objects that wait for something that has failed or is not there. */
function withConsequences(objects: readonly FluxObject[], failed: readonly FluxObject[]): FluxObject[] {
  const found = [...failed];
  const isHopeless = (need: FluxReference) =>
    found.some((other) => nameOf(other) === nameOf(need)) || !objects.some((other) => nameOf(other) === nameOf(need));
  for (let count = -1; count !== found.length; ) {
    count = found.length;
    for (const object of objects)
      if (object.ready === false && !found.includes(object) && object.needs.some(isHopeless)) found.push(object);
  }
  return found;
}
