// What exists, and which long-running operations are under way. Operations end by the clock, seen at the next look.
import { randomUUID } from "node:crypto";
import type { ArmResource } from "../types.ts";
import { key, parseId, same } from "./ids.ts";
import type { Body } from "./validate.ts";

export type Verb = "Creating" | "Updating" | "Deleting";

export interface Operation {
  readonly id: string;
  readonly namespace: string;
  readonly location: string;
  readonly resourceId: string;
  readonly verb: Verb;
  readonly started: number;
  /** In milliseconds since 1970; the operation does not end before. */
  readonly endsAt: number;
  /** Ids whose further changes are refused until the end. */
  readonly holds: readonly string[];
  /** Called once at the end; throws nothing. */
  readonly finish: () => void;
  /** Still waiting for something other than the clock. */
  waiting: boolean;
  ended?: number;
  error?: { code: string; message: string };
}

export class Store {
  readonly subscriptionId: string;
  readonly operations = new Map<string, Operation>();
  readonly #resources = new Map<string, ArmResource>();
  /** Hidden properties (protected settings), by resource. */
  readonly #secrets = new Map<string, Body>();

  readonly #now: () => number;

  /** @param now the time in milliseconds since 1970. */
  constructor(subscriptionId: string, now: () => number) {
    this.subscriptionId = subscriptionId;
    this.#now = now;
  }

  get(id: string): ArmResource | undefined {
    this.settle();
    return this.#resources.get(key(id));
  }

  put(resource: ArmResource): void {
    this.#resources.set(key(resource.id), resource);
  }

  remove(id: string): void {
    this.#resources.delete(key(id));
    this.#secrets.delete(key(id));
  }

  /** Every resource, oldest first. */
  all(): ArmResource[] {
    this.settle();
    return [...this.#resources.values()];
  }

  list(type: string): ArmResource[] {
    return this.all().filter((resource) => same(resource.type, type));
  }

  /** Everything below an id, not itself. */
  below(id: string): ArmResource[] {
    return this.all().filter((resource) => key(resource.id).startsWith(`${key(id)}/`));
  }

  setSecrets(id: string, secrets: Body): void {
    this.#secrets.set(key(id), secrets);
  }

  secretsOf(id: string): Body {
    return this.#secrets.get(key(id)) ?? {};
  }

  /** The operation that holds an id; undefined where it is free. */
  busy(id: string): Operation | undefined {
    this.settle();
    return [...this.operations.values()].find(
      (operation) => operation.ended === undefined && operation.holds.some((held) => key(held) === key(id)),
    );
  }

  /**
   * Begins a long-running operation.
   * @param duration in milliseconds.
   * @param holds ids whose further changes are refused until the end.
   * @param wait what the operation also waits for; its rejection fails the operation.
   */
  begin(
    resource: ArmResource,
    verb: Verb,
    duration: number,
    holds: readonly string[],
    finish: () => void,
    wait?: Promise<void>,
  ): Operation {
    const operation: Operation = {
      id: randomUUID(),
      namespace: parseId(resource.id)?.type.split("/")[0] ?? "Microsoft.Resources",
      location: resource.location ?? "global",
      resourceId: resource.id,
      verb,
      started: this.#now(),
      endsAt: this.#now() + duration,
      holds,
      finish,
      waiting: wait !== undefined,
    };
    this.operations.set(operation.id, operation);
    wait
      ?.catch((error: unknown) => {
        operation.error = { code: "ReconciliationFailed", message: error instanceof Error ? error.message : "failed" };
      })
      .finally(() => {
        operation.waiting = false;
      });
    return operation;
  }

  /** Ends what is due. */
  settle(): void {
    const now = this.#now();
    for (const operation of this.operations.values()) {
      if (operation.ended !== undefined || operation.waiting || operation.endsAt > now) continue;
      operation.ended = now;
      operation.finish();
    }
  }
}
