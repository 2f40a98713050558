// What is replaced or deleted and missed by somebody: the worst first, each with why and with what goes because of it.
import { isMap } from "../../net/values.ts";
import { type Changed, causeOf, GIT_COMMIT, nameOf } from "./changes.ts";
import type { StateResource } from "./engine.ts";
import { type Consequence, meaningOf } from "./meaning.ts";
import type { Danger, Dependent } from "./model.ts";
import { removedObjects } from "./objects.ts";
import type { Mask } from "./secrets.ts";

/** The resources whose replacement or deletion somebody notices, but for those that go because another one does. */
export function dangersOf(changes: readonly Changed[], state: readonly StateResource[], mask: Mask): Danger[] {
  const gone = new Map(
    changes
      .filter(({ resource: { operation } }) => operation === "replace" || operation === "delete")
      .map((change) => [change.resource.urn, change]),
  );
  const known = new Map(state.map((resource) => [resource.urn, resource]));
  const reasons = new Map([...gone].map(([urn, change]) => [urn, goesBecauseOf(change, known.get(urn), gone)]));
  const roots = rootsOf(reasons, gone);
  const dangers = [...gone].flatMap(([urn, change]) => {
    const consequence = consequenceOf(change);
    if (consequence === undefined || roots.get(urn) !== urn) return [];
    const dependents = [...gone.values()].filter(
      ({ resource }) => resource.urn !== urn && roots.get(resource.urn) === urn,
    );
    return [{ rank: consequence.rank, danger: danger(change, consequence, dependents, known.get(urn), gone) }];
  });
  const all = [...dangers, ...changes.flatMap((change) => dangersInGit(change, mask))];
  return all.sort((a, b) => a.rank - b.rank).map(({ danger }) => danger);
}

interface Ranked {
  readonly rank: number;
  readonly danger: Danger;
}

/** What Flux deletes because its manifest goes; the whole commit's deletion is told by itself. */
function dangersInGit({ resource, old, new: next }: Changed, mask: Mask): Ranked[] {
  if (resource.type !== GIT_COMMIT || resource.operation === "delete" || resource.operation === "forget") return [];
  const [before, after] = [old.files, next.files];
  if (!isMap(before) || !isMap(after)) return [];
  return removedObjects(before, after).map(({ kind, name, noun, rank, loses, meaning }) => ({
    rank,
    danger: {
      type: kind,
      name: mask.text(name),
      urn: resource.urn,
      operation: "delete",
      properties: [],
      noun,
      loses,
      meaning,
      causes: [],
      dependents: [],
    },
  }));
}

/** What somebody notices when it goes. */
function consequenceOf({ resource, old }: Changed): Consequence | undefined {
  const { replaced, deleted, unnoticed } = meaningOf(resource.type);
  if (unnoticed?.(old)) return undefined;
  return resource.operation === "replace" ? replaced : deleted;
}

/** The resources of `gone` without which this one would stay. */
function goesBecauseOf(
  { resource, replacing }: Changed,
  state: StateResource | undefined,
  gone: ReadonlyMap<string, Changed>,
): string[] {
  const isGone = (urn: string) => gone.has(urn);
  if (resource.operation === "delete") {
    const others = [...(state?.deletedWith ? [state.deletedWith] : []), ...(state?.dependencies ?? [])];
    return others.filter((urn) => gone.get(urn)?.resource.operation === "delete");
  }
  const sources = replacing.map((cause) =>
    cause.isUnknown ? (state?.propertyDependencies?.[cause.property] ?? []).filter(isGone) : [],
  );
  // A property of its own changes: it would be replaced in any case.
  return sources.some((urns) => urns.length === 0) ? [] : sources.flat();
}

/** Of each the first noticed resource that it goes because of; itself where it goes for its own. */
function rootsOf(
  reasons: ReadonlyMap<string, readonly string[]>,
  gone: ReadonlyMap<string, Changed>,
): ReadonlyMap<string, string> {
  const roots = new Map<string, string>();
  const isNoticed = (urn: string) => {
    const change = gone.get(urn);
    return change !== undefined && consequenceOf(change) !== undefined;
  };
  const rootOf = (urn: string): string => {
    const known = roots.get(urn);
    if (known !== undefined) return known;
    // Until it is known it is its own, so that a circle would end.
    roots.set(urn, urn);
    const root = (reasons.get(urn) ?? []).map(rootOf).find(isNoticed) ?? urn;
    roots.set(urn, root);
    return root;
  };
  for (const urn of gone.keys()) rootOf(urn);
  return roots;
}

/** @param rank how bad that is because of which it goes. */
function dependent(change: Changed, rank: number): Dependent & { readonly rank: number } {
  const { type, name, urn, operation } = change.resource;
  const consequence = consequenceOf(change);
  return {
    rank: consequence?.rank ?? Number.POSITIVE_INFINITY,
    type,
    name,
    urn,
    operation,
    noun: meaningOf(type).noun,
    isNoticed: consequence !== undefined,
    ...(consequence !== undefined && consequence.rank <= rank && { meaning: consequence.text }),
  };
}

function danger(
  { resource, replacing }: Changed,
  { rank, loses, text }: Consequence,
  dependents: readonly Changed[],
  state: StateResource | undefined,
  gone: ReadonlyMap<string, Changed>,
): Danger {
  const causes = replacing.map((cause) => {
    const sources = cause.isUnknown ? (state?.propertyDependencies?.[cause.property] ?? []) : [];
    return causeOf(
      cause,
      sources
        .filter((urn) => gone.has(urn))
        .map((urn) => gone.get(urn)?.resource ?? nameOf(urn))
        .map(({ type, name, urn }) => ({ type, name, urn })),
    );
  });
  // What the change itself says comes before what follows from it.
  const own = (cause: (typeof causes)[number]) => (cause.comesFrom === undefined ? 0 : 1);
  return {
    ...resource,
    noun: meaningOf(resource.type).noun,
    loses,
    meaning: text,
    causes: causes.sort((a, b) => own(a) - own(b)),
    dependents: dependents
      .map((one) => dependent(one, rank))
      .sort((a, b) => a.rank - b.rank)
      .map(({ rank: _rank, ...rest }) => rest),
  };
}
