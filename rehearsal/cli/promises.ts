// What the settings promise, held against what was found: every thing that is missing, suspended, behind or not Ready, in
// words with a remedy.
import { FLUX_NAMESPACE } from "../../components/repository/names.ts";
import { type FluxReference, nameOf } from "../cluster/fluxState.ts";
import type { InspectedArmFlux, InspectedCluster, InspectedFluxObject, Inspection } from "../world/inspection.ts";
import type { Expected } from "./expected.ts";
import type { Facts, LookedAt } from "./facts.ts";
import { short } from "./short.ts";

const REHEARSE = "npm run rehearse --";
const UP = `${REHEARSE} pulumi up`;
const RESTORES = `run \`${UP}\`, which makes it again`;

/** A fault, and on a line of its own what to do about it. */
const withRemedy = (fault: string, remedy: string) => `${fault}\nremedy: ${remedy}`;

/** One thing that is promised. */
interface Promised {
  /** `Kustomization flux-system/apps` */
  readonly name: string;
  /** The Kustomization that makes it again by itself; none where only the program or Azure does. */
  readonly owner?: FluxReference | undefined;
  /** Whether it is there. */
  readonly isThere: (cluster: InspectedCluster) => boolean;
  /** What to do where it is not. */
  readonly remedy: string;
}

/** How the stack's own Kustomizations are called by what they do. */
function kustomizationsOf({ kustomizations }: Expected) {
  const [root, infrastructure, ...rest] = kustomizations as [FluxReference, FluxReference, ...FluxReference[]];
  return { root, infrastructure, rest };
}

/** Everything in the cluster that is promised. @param told secrets whose files tell of them already. */
function promised(expected: Expected, told: ReadonlySet<string>): Promised[] {
  const { root, infrastructure } = kustomizationsOf(expected);
  // The extension's controllers are in no Kustomization.
  const flux = expected.mode === "bootstrap" ? root : undefined;
  const hasObject = (reference: FluxReference) => (cluster: InspectedCluster) => find(cluster, reference) !== undefined;
  const again = (owner: FluxReference) =>
    `run \`${REHEARSE} exec -- flux reconcile kustomization ${owner.name}\`, which makes it again from Git; where the settings ` +
    `name it since the last update, run \`${UP}\``;
  return [
    ...expected.namespaces.map((name) => ({
      name: `Namespace ${name}`,
      isThere: ({ namespaces }: InspectedCluster) => namespaces.includes(name),
      remedy: RESTORES,
    })),
    ...expected.definitions.map((name) => ({
      name: `CustomResourceDefinition ${name}`,
      owner: flux,
      isThere: ({ definitions }: InspectedCluster) => definitions.includes(name),
      remedy: RESTORES,
    })),
    ...expected.deployments.map((name) => ({
      name: `Deployment ${FLUX_NAMESPACE}/${name}`,
      owner: flux,
      isThere: ({ deployments }: InspectedCluster) => deployments.some((each) => each.name === name),
      remedy: RESTORES,
    })),
    ...expected.secrets
      .filter((name) => !told.has(name))
      .map((name) => ({
        name: `Secret ${name}`,
        isThere: ({ secretNames }: InspectedCluster) => secretNames.includes(name),
        remedy: RESTORES,
      })),
    ...[expected.source, root].map((reference) => ({
      name: nameOf(reference),
      isThere: hasObject(reference),
      remedy: RESTORES,
    })),
    ...expected.kustomizations.slice(1).map((reference) => ({
      name: nameOf(reference),
      owner: root,
      isThere: hasObject(reference),
      remedy: again(root),
    })),
    ...expected.releases.map((reference) => ({
      name: nameOf(reference),
      // A release makes its HelmChart whenever it wants one.
      ...(reference.kind !== "HelmChart" && { owner: infrastructure }),
      isThere: hasObject(reference),
      remedy: again(infrastructure),
    })),
  ];
}

const find = ({ objects }: InspectedCluster, reference: FluxReference) =>
  objects.find((object) => nameOf(object) === nameOf(reference));

/** Whether there is no Flux at all, so that there is no use in naming its parts. */
const isBare = ({ namespaces, definitions }: InspectedCluster) =>
  definitions.length === 0 && !namespaces.includes(FLUX_NAMESPACE);

/** What is promised and missing, or was missing a moment ago. */
export function promiseFaults({ inspection, before, expected, inGit, atHead }: Facts): string[] {
  const { cluster, clusterProblem } = inspection;
  if (clusterProblem !== undefined)
    return [
      withRemedy(
        `the cluster does not answer: ${clusterProblem}`,
        `end this rehearsal (\`${REHEARSE} stop\`) and start another`,
      ),
    ];
  if (cluster === undefined) return [withRemedy("there is no cluster", `run \`${UP}\`, which makes one`)];
  if (isBare(cluster)) {
    const problem = `Flux is not in the cluster: it has neither the namespace ${FLUX_NAMESPACE} nor any kind of Flux's`;
    return [withRemedy(problem, `run \`${UP}\`, which installs it`)];
  }
  const all = promised(expected, new Set(inGit.map(({ namespace, name }) => `${namespace}/${name}`)));
  const missing = all
    .filter(({ isThere }) => !isThere(cluster))
    .map(({ name, remedy }) => withRemedy(`${name} is missing`, remedy));
  const unavailable = cluster.deployments
    .filter(({ name, wanted, available }) => expected.deployments.includes(name) && !isAvailable({ wanted, available }))
    .map(({ name, wanted, available }) => {
      const fault = `Deployment ${FLUX_NAMESPACE}/${name} has ${available} of ${Math.max(1, wanted)} pods available`;
      return withRemedy(fault, `run \`${REHEARSE} exec -- kubectl describe pods -n ${FLUX_NAMESPACE}\``);
    });
  return [...missing, ...unavailable, ...restored(all, before, cluster, atHead)];
}

/** Without a pod a controller does nothing, also where somebody asks for none. */
const isAvailable = ({ wanted, available }: { wanted: number; available: number }) => available >= Math.max(1, wanted);

/** What was deleted behind Flux's back, and made again by it when this look made it reconcile. */
function restored(
  all: readonly Promised[],
  { cluster: before }: Inspection,
  cluster: InspectedCluster,
  atHead: ReadonlySet<string>,
): string[] {
  if (before === undefined) return [];
  return all
    .filter(({ owner, isThere }) => {
      const applier = owner && find(before, owner);
      // What comes with a new commit was not there before either.
      const hadIt = applier !== undefined && atHead.has(applier.revision);
      return hadIt && !isThere(before) && isThere(cluster);
    })
    .map(({ name, owner }) =>
      withRemedy(
        `${name} was missing when the check began; Flux has made it again since, from Kustomization ${owner?.name}`,
        "look who deleted it, and what went with it; the next check is green when nothing else is wrong",
      ),
    );
}

/** What is suspended, behind the branch, or not Ready. */
export function fluxFaults({ inspection, expected, head, atHead, failures }: Facts): string[] {
  const { objects = [] } = inspection.cluster ?? {};
  const promisedNames = new Set([expected.source, ...expected.kustomizations, ...expected.releases].map(nameOf));
  const followers = new Set([expected.source, ...expected.kustomizations].map(nameOf));
  return objects.flatMap((object) => {
    const name = nameOf(object);
    const { kind, name: own, revision, ready, suspended, isAsked } = object;
    const verb = kind === "Kustomization" ? "applied" : "fetched";
    const isBehind = head !== undefined && followers.has(name) && !atHead.has(revision);
    const lag = `has ${verb} ${short(revision) || "nothing yet"}, not the branch's head ${short(head ?? "")}`;
    if (suspended && promisedNames.has(name))
      return withRemedy(
        `${name} is suspended${isBehind ? `; it ${lag}` : ""}`,
        `run \`${REHEARSE} exec -- flux resume ${resumed(kind)} ${own}\``,
      );
    if (!ready) return notReady(object, isBehind ? `; it ${lag}` : "", failures.get(name));
    if (isAsked && followers.has(name)) {
      const controller = kind === "Kustomization" ? "kustomize-controller" : "source-controller";
      const fault = `${name} was asked to reconcile and has not looked since${isBehind ? `; it ${lag}` : ""}`;
      return withRemedy(fault, `look what ${controller} says: \`${REHEARSE} exec -- flux logs --kind=${kind}\``);
    }
    return isBehind ? withRemedy(`${name} ${lag}`, `run \`${REHEARSE} check\` again, and look why if it stays so`) : [];
  });
}

/** A kind as the flux CLI names it. */
const resumed = (kind: string) =>
  ({ HelmRelease: "helmrelease", Kustomization: "kustomization", GitRepository: "source git" })[kind] ??
  `source ${kind === "HelmChart" ? "chart" : kind === "HelmRepository" ? "helm" : "oci"}`;

function notReady({ kind, name, namespace, reason, message, isBusy }: InspectedFluxObject, lag: string, last?: string) {
  const now = [reason, message.trim()].filter(Boolean).join(": ") || "it has no status";
  // While it is tried again, what failed before tells more.
  const said = isBusy && last !== undefined ? last : now;
  return `${kind} ${namespace}/${name} is not Ready: ${said}${lag}`;
}

/** Where ARM does not say that all is well, or says other things than the cluster. */
export function armFaults({ inspection, expected, head, atHead }: Facts): string[] {
  const missing = (kind: string, name: string) => withRemedy(`${kind} ${name} is missing in ARM`, RESTORES);
  const { cluster } = inspection;
  return [
    ...expected.extensions.flatMap((name) => {
      const found = inspection.extensions.find((each) => each.name === name);
      return found === undefined ? missing("extension", name) : provisioningFaults("extension", found);
    }),
    ...expected.configurations.flatMap((name) => {
      const found = inspection.configurations.find((each) => each.name === name);
      if (found === undefined) return missing("fluxConfiguration", name);
      const { complianceState, revision = "" } = found;
      const isBehind = head !== undefined && cluster !== undefined && !atHead.has(revision);
      return [
        ...provisioningFaults("fluxConfiguration", found),
        ...(complianceState === "Compliant" ? [] : [`fluxConfiguration ${name} is ${complianceState} in ARM`]),
        ...(isBehind
          ? [
              `fluxConfiguration ${name} has ${short(revision) || "no revision"} in ARM, not the branch's head ${short(head)}`,
            ]
          : []),
        ...(cluster === undefined ? [] : disagreements(expected, cluster, found)),
      ];
    }),
  ];
}

const provisioningFaults = (kind: string, { name, provisioningState }: InspectedArmFlux) =>
  provisioningState === "Succeeded" ? [] : [`${kind} ${name} is ${provisioningState} in ARM`];

function disagreements(expected: Expected, cluster: InspectedCluster, { statuses = [] }: InspectedArmFlux): string[] {
  return [expected.source, ...expected.kustomizations, ...expected.releases].flatMap((reference) => {
    const name = nameOf(reference);
    const object = find(cluster, reference);
    // ARM shows what Kustomizations applied; a release's own HelmChart is not of them.
    if (object === undefined || object.suspended || reference.kind === "HelmChart") return [];
    const told = statuses.find((status) => nameOf(status) === name)?.complianceState;
    if (told === undefined) return [`ARM says nothing of ${name}, which is in the cluster`];
    return (told === "Compliant") === object.ready
      ? []
      : [`ARM calls ${name} ${told}, while it is ${object.ready ? "Ready" : "not Ready"} in the cluster`];
  });
}

/** What was promised, counted by kind, so that a reader sees that it was looked at. */
export function lookedAt({ inspection, expected, head, atHead }: Facts): LookedAt[] {
  const { cluster } = inspection;
  const row = (
    kind: string,
    names: readonly string[],
    state: string,
    isRight: (name: string) => boolean,
  ): LookedAt => ({
    kind,
    names,
    state,
    right: names.filter(isRight).length,
  });
  const followers = [expected.source, ...expected.kustomizations];
  const kinds = (references: readonly FluxReference[]) => [...new Set(references.map(({ kind }) => kind))];
  const arm = (all: readonly InspectedArmFlux[]) => (name: string) => {
    const found = all.find((each) => each.name === name);
    return found?.provisioningState === "Succeeded" && [undefined, "Compliant"].includes(found.complianceState);
  };
  const rows = [
    row("Namespace", expected.namespaces, "there", (name) => cluster?.namespaces.includes(name) === true),
    row(
      "CustomResourceDefinition",
      expected.definitions,
      "established",
      (name) => cluster?.definitions.includes(name) === true,
    ),
    row(
      "Deployment",
      expected.deployments,
      "available",
      (name) => cluster?.deployments.some((each) => each.name === name && isAvailable(each)) === true,
    ),
    row("Secret", expected.secrets, "there", (name) => cluster?.secretNames.includes(name) === true),
    ...[followers, expected.releases].flatMap((references) =>
      kinds(references).map((kind) => {
        const own = references.filter((reference) => reference.kind === kind);
        const follows = references === followers;
        return row(
          kind,
          own.map(({ name }) => name),
          follows ? "Ready at the head" : "Ready",
          (name) => {
            const object = cluster?.objects.find((each) => each.kind === kind && each.name === name);
            if (object === undefined || !object.ready || object.suspended) return false;
            return !follows || (head !== undefined && atHead.has(object.revision));
          },
        );
      }),
    ),
    row("extension", expected.extensions, "Succeeded in ARM", arm(inspection.extensions)),
    row("fluxConfiguration", expected.configurations, "Compliant in ARM", arm(inspection.configurations)),
  ];
  return rows.filter(({ names }) => names.length > 0);
}
