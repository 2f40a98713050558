// Operations of the real engine on a rehearsal, as its events told them, cut down to what a review reads.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import type { StateResource } from "../../../delivery/review/engine.ts";
import { type Reviewed, reviewOf } from "../../../delivery/review/review.ts";

export interface Recorded {
  readonly events: readonly EngineEvent[];
  readonly resources: readonly StateResource[];
}

export const read = (...path: string[]) => readFileSync(join(import.meta.dirname, ...path), "utf8");

export const recorded = (name: string) => JSON.parse(read("recorded", `${name}.json`)) as Recorded;

/** The review of events. */
export const reviewed = ({ events, resources }: Recorded, options: Partial<Reviewed> = {}) =>
  reviewOf({
    project: { folder: "/project", name: "aks-gitops" },
    stack: "prod",
    operation: "preview",
    run: {
      events,
      ...((events.at(-1)?.summaryEvent as { result?: string } | undefined)?.result === "failed" && {
        failure: "error: preview failed",
      }),
    },
    resources,
    secrets: [],
    time: "2026-11-26T14:30:00.000Z",
    commit: "f00dfacef00dfacef00dfacef00dfacef00dface",
    ...options,
  });
