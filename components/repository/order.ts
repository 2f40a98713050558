// A stack's Flux Kustomizations and releases: which there are, and why some cannot stand beside each other. Plain data in,
// data out.
import {
  appsFolder,
  CONFIGURATION,
  clusterFolder,
  FLUX_NAMESPACE,
  GIT_REPOSITORY,
  INFRASTRUCTURE,
  infrastructureFolder,
  type Released,
  releaseName,
  rootKustomization,
} from "./names.ts";
import { takenNamespace } from "./taken.ts";

/** What decides about the order and the folders of Kustomizations; what is faulty or absent may be undefined. */
export interface Ordered {
  readonly name?: string | undefined;
  readonly path?: string | undefined;
  readonly dependsOn?: readonly (string | undefined)[] | undefined;
  /** A further source that the folder is in; the repository's folders are then others. */
  readonly source?: string | undefined;
}

/** What the program itself writes is applied first, unless something says otherwise. */
export const DEPENDS_ON = [INFRASTRUCTURE] as const;

/** A folder below a repository's root, with or without `./` before it. */
export const FOLDER = /^(\.\/)?(?!\.{0,2}(\/|$))[^\s/\\]+(\/(?!\.{0,2}(\/|$))[^\s/\\]+)*\/?$/;

/** A folder as Git has it: without `./` before it and without a slash behind it; the root is empty. */
export function folderOf(path: string): string {
  return path.replace(/^(\.\/+)+|^\.$/, "").replace(/\/+$/, "");
}

/** Whether everything of the second folder is in the first one too. */
function holds(outer: string, inner: string): boolean {
  return outer === "" || outer === inner || inner.startsWith(`${outer}/`);
}

/** The Kustomizations of a stack that names none: its applications, after what the program writes. */
export const defaultKustomizations = (stack: string) => [{ name: "apps", path: appsFolder(stack) }] as const;

/** A further configuration of the extension; what is faulty or absent may be undefined. */
export interface Further {
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly path?: string | undefined;
}

/** Why a further configuration cannot be as it is. */
export interface FurtherDisorder extends Omit<Disorder, "key"> {
  readonly key: "name" | "namespace" | "path";
}

/**
 * Everything about further configurations that Azure would refuse, or that would make them fight.
 * @param all those that there are.
 * @param beside the Kustomizations of the stack.
 * @param own the name of the program's own.
 */
export function furtherDisorders(
  stack: string,
  all: readonly Further[],
  beside: readonly Ordered[],
  { cluster, own = CONFIGURATION.name }: { cluster?: string | undefined; own?: string | undefined },
): FurtherDisorder[] {
  const named = all.flatMap(({ name }, at): FurtherDisorder[] => {
    if (name === undefined) return [];
    const isTaken = name === own || all.slice(0, at).some((other) => other.name === name);
    const problem = `is the name of ${name === own ? "the program's own configuration" : "another configuration"}`;
    return isTaken ? [{ at, key: "name", value: name, problem, remedy: "choose another name" }] : [];
  });
  const standing = all.flatMap(({ namespace }, at): FurtherDisorder[] => {
    const taken =
      namespace === FLUX_NAMESPACE
        ? { problem: "belongs to Flux itself", remedy: "give it a namespace of its own" }
        : takenNamespace(namespace);
    return taken === undefined ? [] : [{ at, key: "namespace", value: namespace, ...taken }];
  });
  const folders = [
    ...beside.map(({ name, path, source }) => ({ name, path, source })),
    ...all.map(({ path }) => ({ path })),
  ];
  const placed = disorders(stack, folders, cluster, own).flatMap(({ key, at, ...rest }) =>
    key === "path" && at >= beside.length ? [{ ...rest, key, at: at - beside.length } as FurtherDisorder] : [],
  );
  return [...named, ...standing, ...placed];
}

/** Why one Kustomization of a list cannot be as it is. */
export interface Disorder {
  /** Which one. */
  readonly at: number;
  /** Which of its properties. */
  readonly key: "name" | "path" | "dependsOn";
  readonly value: unknown;
  /** As a phrase that follows the property. */
  readonly problem: string;
  readonly remedy: string;
}

/**
 * Everything about a stack's Kustomizations that Flux would refuse, or that would make two of them fight.
 * @param cluster the folder that they stand in.
 * @param configuration the name of the extension's configuration.
 */
export function disorders(
  stack: string,
  all: readonly Ordered[],
  cluster = clusterFolder(stack),
  configuration = CONFIGURATION.name,
): Disorder[] {
  const own = [
    { folder: folderOf(cluster), of: `Flux's own Kustomization applies (namespace ${FLUX_NAMESPACE})` },
    payloadOf(stack),
  ];
  return all.flatMap((one, at) => [
    ...nameDisorders(all, one, at, configuration),
    ...pathDisorders(own, all, one, at),
    ...waitDisorders(all, one, at, { kind: "Kustomization", always: [INFRASTRUCTURE] }),
  ]);
}

const OWN_NAMES: Readonly<Record<string, string>> = {
  [INFRASTRUCTURE]: "is the name of the Kustomization of what the program itself writes",
  [GIT_REPOSITORY]: "is the name of Flux's own Kustomization",
  // clusters/<stack>/kustomization.yaml would be read as a list of what stands beside it.
  kustomization: "would stand in a file that kustomize takes for its own, kustomization.yaml",
};

function nameDisorders(all: readonly Ordered[], { name }: Ordered, at: number, configuration: string): Disorder[] {
  if (name === undefined) return [];
  const remedy = "choose another name";
  const found = (problem: string): Disorder[] => [{ at, key: "name", value: name, problem, remedy }];
  const own = Object.hasOwn(OWN_NAMES, name) ? OWN_NAMES[name] : undefined;
  if (own !== undefined) return found(own);
  if (name === rootKustomization("extension", { ...CONFIGURATION, name: configuration }))
    return found("is the name of the Kustomization that the extension makes");
  return all.slice(0, at).some((other) => other.name === name) ? found("is the name of another Kustomization") : [];
}

/**
 * Folders of Kustomizations that lie within another one's, by that one: which has to leave them out by a
 * kustomization.yaml of its own, or the same objects would be applied twice.
 */
export function nestedFolders(all: readonly Ordered[]): Record<string, string[]> {
  const inside = all.filter(({ source }) => source === undefined);
  const folders = inside.flatMap(({ path }) => (path === undefined ? [] : [folderOf(path)]));
  const pairs = folders.map(
    (outer) => [outer, folders.filter((each) => each !== outer && holds(outer, each))] as const,
  );
  return Object.fromEntries(pairs.filter(([, inner]) => inner.length > 0));
}

/** A folder, and who applies it, as a phrase after "which". */
interface Applied {
  readonly folder: string;
  readonly of: string;
}

/** Why a folder cannot stand beside one that is applied: one is the other, or within it. */
function fight(folder: string, { folder: other, of }: Applied): string | undefined {
  if (!holds(other, folder) && !holds(folder, other)) return undefined;
  const where = other === folder ? "is" : holds(folder, other) ? "holds" : "is within";
  return `${where} ${other || "the whole repository"}, which ${of}: the same objects would be applied twice`;
}

/** What the program itself writes, and who applies it. */
const payloadOf = (stack: string): Applied => ({
  folder: infrastructureFolder(stack),
  of: `Kustomization ${INFRASTRUCTURE} applies`,
});

const NO_FOLDER = {
  problem: "does not have the right form",
  remedy: "write a folder from the repository's root, for example apps/overlays/prod",
};

/**
 * Flux applies every file below a path, so that an object of two Kustomizations would be applied, and pruned, by both. Of
 * folders within each other the repository decides ({@link nestedFolders}).
 */
function pathDisorders(own: readonly Applied[], all: readonly Ordered[], one: Ordered, at: number): Disorder[] {
  const { path, source } = one;
  if (path === undefined || source !== undefined) return [];
  if (path === ".") return [{ at, key: "path", value: path, ...NO_FOLDER }];
  const folder = folderOf(path);
  const others = all.slice(0, at).flatMap((other) =>
    other.path === undefined || other.source !== undefined || folderOf(other.path) !== folder
      ? []
      : [
          {
            folder: folderOf(other.path),
            of: other.name === undefined ? "another one applies" : `Kustomization ${other.name} applies`,
          },
        ],
  );
  const remedy = "give each Kustomization a folder of its own, beside the program's";
  const [problem] = [...own, ...others].flatMap((other) => fight(folder, other) ?? []);
  return problem === undefined ? [] : [{ at, key: "path", value: path, problem, remedy }];
}

/** @param always what is there besides. */
function waitDisorders(
  all: readonly Ordered[],
  one: Ordered,
  at: number,
  { kind, always }: { readonly kind: string; readonly always: readonly string[] },
) {
  const found = (value: unknown, problem: string, remedy: string) =>
    ({ at, key: "dependsOn", value, problem, remedy }) as const;
  const names = [...always, ...all.flatMap(({ name }) => name ?? [])];
  const given = (one.dependsOn ?? []).filter((name) => name !== undefined);
  const unknown = given.filter((name) => !names.includes(name));
  const known = names.join(", ");
  const circle = one.name === undefined ? undefined : circleOf(all, one.name);
  // Each circle is told once, of the first of those that are in it.
  const isFirst =
    circle !== undefined && !all.slice(0, at).some(({ name }) => name !== undefined && circle.includes(name));
  return [
    ...unknown.map((name) => found(name, `is no ${kind} of this stack`, `name some of ${known}`)),
    ...(isFirst
      ? [
          found(
            given,
            `goes in a circle: ${[...circle, circle[0]].join(" waits for ")}`,
            "let one of them wait for none of the others",
          ),
        ]
      : []),
  ];
}

/** The way from a Kustomization over those it waits for back to itself; none where there is none. */
function circleOf(all: readonly Ordered[], start: string): readonly string[] | undefined {
  const ways: (readonly string[])[] = [[start]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const last = way.at(-1);
    for (const next of all.find(({ name }) => name === last)?.dependsOn ?? []) {
      if (next === start) return way;
      if (next === undefined || seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}

/** Why one release of a list cannot be as it is. */
export type ReleaseDisorder = Omit<Disorder, "key"> & { readonly key: "name" | "release" | "dependsOn" };

/** Everything about the order of a stack's releases that would keep one from ever being, or make two of them one. */
export function releaseDisorders(
  charts: readonly (Released & Pick<Ordered, "dependsOn">)[],
): readonly ReleaseDisorder[] {
  const all = charts.map((chart) => ({ name: releaseName(chart), dependsOn: chart.dependsOn }));
  return charts.flatMap(({ release }, at): ReleaseDisorder[] => {
    const one: Ordered = all[at] ?? {};
    const isTwice = one.name !== undefined && all.slice(0, at).some(({ name }) => name === one.name);
    const key = release === undefined ? "name" : "release";
    const problem = release === undefined ? "is the name of another chart" : "is the name of another release";
    const remedy = "list each chart once, or give each of its releases a name of its own with release";
    return [
      ...(isTwice ? [{ at, key, value: one.name, problem, remedy } as const] : []),
      ...waitDisorders(all, one, at, { kind: "release", always: [] }),
    ];
  });
}

/** Why a stack with such Kustomizations cannot have the demo application: nothing would apply its folder. */
export function demoDisorder(stack: string, all: readonly Ordered[]): Pick<Disorder, "problem" | "remedy"> | undefined {
  const folder = appsFolder(stack);
  if (all.some(({ path, source }) => path !== undefined && source === undefined && folderOf(path) === folder))
    return undefined;
  return {
    problem: `stands in ${folder}, which no Kustomization of the stack applies`,
    remedy: `leave it out, or let a Kustomization have the path ${folder}`,
  };
}

/** Why the folder of a cluster's Kustomizations cannot be where it is: the program's payload would be applied twice. */
export function clusterDisorder(stack: string, path: string): Pick<Disorder, "problem" | "remedy"> | undefined {
  const problem = fight(folderOf(path), payloadOf(stack));
  return problem === undefined
    ? undefined
    : { problem, remedy: `give it a folder beside, for example ${clusterFolder(stack)}` };
}
