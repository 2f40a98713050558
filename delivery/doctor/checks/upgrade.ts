import { appsFolder, GIT_REPOSITORY, infrastructureFolder } from "../../../components/repository/names.ts";
import { called, type LockedChart, lockedRelease, mirrored, readLock, relocate } from "../../../mirror/lock.ts";
import { mergeValues } from "../../../mirror/tree.ts";
import { describe } from "../../../net/describe.ts";
import type { BranchPlace } from "../../../provider/git/branch.ts";
import type { ChartSetting, Settings } from "../../../settings/types.ts";
import { CATALOGUE } from "../../../tools/catalogue.ts";
import { check, type Finding, type Place, stops, warns } from "../check.ts";
import { type Plan, UNKNOWN } from "../program.ts";
import type { Reach } from "../reach.ts";
import { type Ahead, aheadOf } from "../upgrade/ahead.ts";
import { appliedManifests } from "../upgrade/applied.ts";
import { budgetFindings, keyOf, removedObjects } from "../upgrade/findings.ts";
import { chartManifests, type Manifest } from "../upgrade/manifests.ts";

export const upgrade = check({
  name: "upgrade",
  about:
    "before the version of Kubernetes that is pinned, or that AKS may bring next: objects of removed APIs, and disruption " +
    "budgets that let no pod go, in what Flux applies from Git and in the charts of the lock",
  needs: ["azure", "settings", "plan"],
  find: async ({ place, azure, settings, plan }) => {
    const ahead = await aheadOf(azure, settings, plan);
    if (ahead === undefined) return [];
    const both = await Promise.all([inGit(place, settings, plan, ahead), inCharts(place, settings, ahead)]);
    return both.flat();
  },
});

/** What objects that belong together have against a version. */
function look(manifests: readonly Manifest[], { to, isPinned, isUpgrade }: Ahead): Finding[] {
  return [
    ...removedObjects(manifests, to).map(isPinned ? stops : warns),
    // Where nothing is upgraded now, it only will be.
    ...budgetFindings(manifests).map(isUpgrade ? stops : warns),
  ];
}

async function inGit({ reach }: Place, settings: Settings, plan: Plan, ahead: Ahead): Promise<Finding[]> {
  const inputs = plan.resources.find(({ type }) => type === "gitops:index:GitCommit")?.inputs;
  const { url, branch, access, fluxComponents = {} } = inputs ?? {};
  // A repository that is yet to be made holds nothing.
  if (typeof url !== "string" || typeof branch !== "string" || [url, branch].includes(UNKNOWN)) return [];
  const { flux } = settings;
  const otherSources = (flux.sources ?? []).map(({ name }) => name);
  const options = {
    otherSources,
    ...(flux.artifact && { artifact: GIT_REPOSITORY }),
    without: Object.keys(fluxComponents as object),
  };
  try {
    const manifests = await reach.readBranch({ url, branch, access } as BranchPlace, (files) =>
      appliedManifests(files, foldersOf(settings), options),
    );
    return [...look(manifests, ahead), ...unrendered(manifests, settings, ahead)];
  } catch (error) {
    if (flux.createRepository) return [];
    const problem = `was not looked at for Kubernetes ${ahead.to}: ${told(error)}`;
    const remedy = "see to it that the program reads the branch, and run it again";
    return [warns({ key: "aks-gitops:flux.repository", value: flux.repository, problem, remedy })];
  }
}

/** The releases that people wrote themselves: the lock has no chart of theirs that could be rendered. */
const unrendered = (manifests: readonly Manifest[], { stack }: Settings, { to }: Ahead): Finding[] =>
  manifests
    .filter(({ kind, apiVersion, from }) => {
      const isRelease = kind === "HelmRelease" && apiVersion.startsWith("helm.toolkit.fluxcd.io/");
      return isRelease && !from.startsWith(`${infrastructureFolder(stack)}/`);
    })
    .map((release) =>
      warns({
        key: keyOf(release),
        problem: `was not looked at for Kubernetes ${to}: what its chart renders is in no lock`,
        remedy:
          "look at what `helm template --kube-version` renders of it, or have the program release it: aks-gitops:charts",
      }),
    );

/** The folders of the repository that are applied by the settings. */
function foldersOf({ stack, flux }: Settings): string[] {
  const { path, kustomizations = [{ path: appsFolder(stack), source: undefined }], configurations = [] } = flux;
  const own = kustomizations.filter(({ source }) => source === undefined);
  return [path, infrastructureFolder(stack), ...[...own, ...configurations].map((one) => one.path)];
}

/** Charts that are rendered at once. */
const PARALLEL = 4;

async function inCharts({ reach, project }: Place, settings: Settings, ahead: Ahead): Promise<Finding[]> {
  const charts = mirrored(settings.charts);
  const pushed = settings.charts.filter((chart) => !charts.includes(chart));
  const others = pushed.map((chart) =>
    warns({
      key: called(chart),
      problem: `was not looked at for Kubernetes ${ahead.to}: somebody else pushes it into the stack's own registry`,
      remedy: "look at its objects where it is made",
    }),
  );
  if (charts.length === 0) return others;
  const helm = await reach.atHand("helm");
  if (helm === undefined) {
    const problem = `is neither on PATH nor in the cache: charts were not looked at for Kubernetes ${ahead.to}`;
    const remedy = "run `npm run tools -- helm`, and run this again";
    return [...others, warns({ key: "helm", value: CATALOGUE.helm.version, problem, remedy })];
  }
  const lock = await readLock(project, settings);
  const pairs = charts.flatMap((chart) => {
    const locked = lock.charts.find(lockedRelease(chart));
    return locked === undefined ? [] : [{ chart, locked }];
  });
  const found: Finding[] = [];
  for (let at = 0; at < pairs.length; at += PARALLEL) {
    const some = pairs.slice(at, at + PARALLEL).map((pair) => inChart(reach, helm.path, pair, ahead));
    found.push(...(await Promise.all(some)).flat());
  }
  return [...others, ...found];
}

interface Pair {
  readonly chart: ChartSetting;
  readonly locked: LockedChart;
}

async function inChart(reach: Reach, helm: string, { chart, locked }: Pair, ahead: Ahead): Promise<Finding[]> {
  const { name, release, namespace, values = {} } = chart;
  try {
    const tgz = await reach.chart(locked);
    // Which registry it is, no object's API depends on.
    const all = relocate(mergeValues(values, locked.values), "registry.invalid");
    const file = { tgz, name, namespace, ...(release !== undefined && { release }) };
    return look(await chartManifests(helm, file, all, ahead.to), ahead);
  } catch (error) {
    const problem = `was not looked at for Kubernetes ${ahead.to}: ${told(error)}`;
    const remedy = "see whether another version of the chart is made for it, or why the chart is not to be had";
    return [warns({ key: called(chart), value: locked.version, problem, remedy })];
  }
}

/** An error's words on one line, without what Helm says around them. */
const told = (error: unknown): string =>
  describe(error)
    .split("\n")
    .map((line) => line.trim().replace(/^Error: /, ""))
    .filter((line) => line !== "" && !line.startsWith("Use --debug flag"))
    .join("; ")
    .replace(/\.$/, "");
