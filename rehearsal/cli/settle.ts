// Asks Flux to look at the repository now, and waits until it has made of it what it can.
import type { Clock } from "../../net/retry.ts";
import { type FluxReference, nameOf } from "../cluster/fluxState.ts";
import type { InspectedFluxObject } from "../world/inspection.ts";
import type { Expected } from "./expected.ts";
import { short } from "./short.ts";

/** How long all of it may take, in milliseconds. */
const PATIENCE = 90_000;
/** How long the others may go on where one fails: it may be tried again, and they may wait for it. */
const PATIENCE_WITH_FAILURE = 15_000;
/** How long a controller may take to see what it was asked for, in milliseconds. */
const ANSWER_LIMIT = 30_000;
/** How long whoever was asked is given to answer, whatever fails beside it, in milliseconds. */
const LEAST = 3_000;
/** Between two looks, in milliseconds. */
const INTERVAL = 250;
/** After which time somebody who waits is told for what, in milliseconds. */
const SILENCE = 5_000;
/** Between a source's new revision and the start of those that apply it, everything is at rest for a moment. */
const CALM_LOOKS = 5;

/** What waiting needs of the world. */
export interface Settling {
  /** Flux's objects as they stand; none where it has none. */
  readonly look: () => Promise<readonly InspectedFluxObject[]>;
  /** Asks Flux to reconcile objects now. */
  readonly ask: (objects: readonly FluxReference[]) => Promise<unknown>;
  /** Whether a revision is the branch's head or newer. */
  readonly isAtHead: (revision: string) => Promise<boolean>;
  /** Whether Flux was waited for just now: then it is asked only where somebody is behind or not Ready. */
  readonly isFresh: boolean;
  /** Whether a controller runs. */
  readonly runs: (controller: string) => boolean;
  readonly print: (line: string) => void;
  readonly clock: Clock;
}

/** The last failure of every object that failed, by its name: whoever tries again says nothing of it meanwhile. */
export type Failures = ReadonlyMap<string, string>;

/** Asks the source, then each Kustomization after those that it depends on, and returns when nothing is under way. */
export async function settle({ source, kustomizations }: Expected, world: Settling): Promise<Failures> {
  const wait = new Wait(world);
  const first = await wait.look();
  if (first.size === 0 || !world.runs("source-controller")) return wait.failures;
  if (world.isFresh && (await wait.areAtHead([source, ...kustomizations]))) {
    await wait.untilRest(CALM_LOOKS);
    return wait.failures;
  }
  const [fetched] = await wait.reconcile([source]);
  let goesOn = fetched?.ready === true && !fetched.isAsked && world.runs("kustomize-controller");
  // Whoever is not told of the source's revision could only apply the old one again.
  for (const level of goesOn ? levels(kustomizations, await wait.look()) : [])
    if (goesOn) goesOn = (await wait.reconcile(level)).every((object) => object.suspended || !isUnseen(object));
  const isCalm = fetched?.revision === first.get(nameOf(source))?.revision && wait.failures.size === 0;
  await wait.untilRest(isCalm ? 1 : CALM_LOOKS);
  return wait.failures;
}

/** Those that depend on none of the others, and then the rest. */
function levels(references: readonly FluxReference[], objects: ReadonlyMap<string, InspectedFluxObject>) {
  const names = new Set(references.map(({ name }) => name));
  const waits = (reference: FluxReference) =>
    objects.get(nameOf(reference))?.dependsOn.some((name) => names.has(name)) === true;
  return [references.filter((each) => !waits(each)), references.filter(waits)];
}

class Wait {
  readonly failures = new Map<string, string>();
  readonly #world: Settling;
  readonly #start: number;
  #failingSince: number | undefined;
  #told = "";

  constructor(world: Settling) {
    this.#world = world;
    this.#start = world.clock.now();
  }

  async look(): Promise<ReadonlyMap<string, InspectedFluxObject>> {
    const objects = await this.#world.look();
    let isFailing = false;
    for (const object of objects) {
      const name = nameOf(object);
      if (object.ready) this.failures.delete(name);
      else if (!object.isBusy) {
        isFailing = true;
        this.failures.set(name, wordsOf(object));
      }
    }
    this.#failingSince = isFailing ? (this.#failingSince ?? this.#world.clock.now()) : undefined;
    return new Map(objects.map((object) => [nameOf(object), object]));
  }

  /** Whether objects are there, Ready, and at the branch's head. */
  async areAtHead(references: readonly FluxReference[]): Promise<boolean> {
    const objects = await this.look();
    for (const reference of references) {
      const object = objects.get(nameOf(reference));
      if (!object?.ready || object.isBusy || !(await this.#world.isAtHead(object.revision))) return false;
    }
    return true;
  }

  /** Asks for objects that are there and go on, and returns how they are when they have done it or will not. */
  async reconcile(references: readonly FluxReference[]): Promise<readonly InspectedFluxObject[]> {
    const { ask, clock } = this.#world;
    const before = await this.look();
    const asked = references.filter((each) => before.get(nameOf(each))?.suspended === false);
    if (asked.length > 0) await ask(asked);
    const start = clock.now();
    for (;;) {
      const objects = await this.look();
      const all = references.flatMap((each) => objects.get(nameOf(each)) ?? []);
      const pending: InspectedFluxObject[] = [];
      for (const object of all) {
        if (object.suspended) continue;
        const isDone = object.handled !== before.get(nameOf(object))?.handled && !object.isBusy;
        if (!isDone || !(await this.#isLast(object))) pending.push(object);
      }
      const isOver = this.#isOver(start) || (pending.every(isUnseen) && clock.now() - start > ANSWER_LIMIT);
      if (pending.length === 0 || isOver) return all;
      await this.#pause(pending[0]);
    }
  }

  /** Whether what an object says, it says of the branch's head. */
  async #isLast({ ready, reason, revision, attempted }: InspectedFluxObject): Promise<boolean> {
    const { isAtHead } = this.#world;
    // Who waits for somebody else has tried nothing yet.
    return ready ? isAtHead(revision) : attempted === "" || reason === "DependencyNotReady" || isAtHead(attempted);
  }

  /** Returns when nothing is under way, so many times one after the other. */
  async untilRest(times: number): Promise<void> {
    const start = this.#world.clock.now();
    for (let calm = 0; ; ) {
      const busy = [...(await this.look()).values()].filter(({ isBusy }) => isBusy);
      calm = busy.length === 0 ? calm + 1 : 0;
      // Who does not see that it is asked has been waited for.
      if (calm >= times || this.#isOver(start) || (busy.length > 0 && busy.every(isUnseen))) return;
      await this.#pause(busy[0]);
    }
  }

  #isOver(start: number): boolean {
    const now = this.#world.clock.now();
    const hasFailed = this.#failingSince !== undefined && now - this.#failingSince > PATIENCE_WITH_FAILURE;
    return now - this.#start > PATIENCE || (hasFailed && now - start > LEAST);
  }

  async #pause(object: InspectedFluxObject | undefined): Promise<void> {
    const { clock, print } = this.#world;
    const line = object === undefined ? "" : `waiting for ${nameOf(object)}: ${wordsOf(object)}`;
    if (line !== "" && line !== this.#told && clock.now() - this.#start > SILENCE) {
      print(line);
      this.#told = line;
    }
    await clock.pause(INTERVAL);
  }
}

/** Whether its controller has only not seen yet that it was asked. */
const isUnseen = ({ isAsked, reason }: InspectedFluxObject) => isAsked && !/^Progressing/.test(reason);

const wordsOf = ({ reason, message, isAsked, ready, revision }: InspectedFluxObject): string => {
  if (!ready) return [reason, message.trim()].filter(Boolean).join(": ") || "it has no status";
  return isAsked ? "has not looked again yet" : `is at ${short(revision)}`;
};
