// The charts and images of a file of its own, checked as those of a stack's settings are.
import type * as z from "zod/mini";
import { Faults, inspect, NAMESPACE, own } from "./check.ts";
import type { Fault } from "./errors.ts";
import { map, optional } from "./form.ts";
import { chartRules } from "./rules/content.ts";
import { applyRules, type Draft } from "./rules.ts";
import { kubernetesVersion } from "./schema/cluster.ts";
import { acceptForeign, charts, ignoreImages, images } from "./schema/content.ts";
import { fluxSource } from "./schema/flux.ts";

const form = map({
  charts,
  images,
  ignoreImages,
  acceptForeign,
  flux: optional(map(fluxSource)),
  cluster: optional(map({ kubernetesVersion })),
});

/** What such a file gives when it has no fault. */
export type MirrorForm = z.output<typeof form>;

/** Checks what such a file holds; the list is complete where there is no fault. */
export function examineMirrorList(content: Readonly<Record<string, unknown>>): {
  list: MirrorForm;
  faults: readonly Fault[];
} {
  const found = new Faults([]);
  const { draft, issues } = inspect(form, content);
  const { charts } = draft as Draft;
  const nothing = {
    faulty: new Set<string>(),
    config: {},
    secretKeys: [],
    sealed: true,
    project: "",
    stack: undefined,
    location: undefined,
  };
  const faults = [
    ...found.ofIssues(issues, (path) => own(...(path as [string, ...(string | number)[]]))),
    ...applyRules({ draft: { charts }, ...nothing }, "error", found, chartRules),
  ];
  // The namespace is that of a stack's file.
  const key = (fault: Fault) => fault.key.slice(NAMESPACE.length + 1);
  return { list: draft as MirrorForm, faults: faults.map((fault) => ({ ...fault, key: key(fault) })) };
}
