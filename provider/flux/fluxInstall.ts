// FluxInstall: Flux in a cluster as `flux bootstrap` would leave it, handed over to the files in Git.

import { randomUUID } from "node:crypto";
import * as z from "zod";
import { FLUX_SYSTEM, syncObjects } from "../../flux/bootstrap.ts";
import { describe } from "../../net/describe.ts";
import { type KubeObject, type KubernetesApi, type ObjectRef, UnreachableError } from "../../net/kubernetesApi.ts";
import { detailedDiff, equal } from "../../plugin/diff.ts";
import {
  type CheckFailure,
  type Context,
  type Diff,
  PartialFailure,
  type Properties,
  UNKNOWN,
} from "../../plugin/handler.ts";
import {
  changes,
  flag,
  handlerOf,
  type Inputs,
  instance,
  type Known,
  matching,
  type Previewed,
  resourceSchema,
  type SchemaHandler,
  type State,
  someText,
} from "../../plugin/schema.ts";
import { armGet } from "../azure/cloud.ts";
import { clusterId, loginServer } from "../azure/forms.ts";
import { sameName } from "../azure/names.ts";
import { lookingAgain, rootArtifact, rootOf } from "./artifact.ts";
import { applyComponents, deploymentsOf, handOver, isStopped, MANAGER, stopped } from "./fluxApply.ts";
import {
  entered,
  type FluxWorld,
  kustomizationRef,
  machine,
  openCluster,
  type Problem,
  requestReconcile,
  rootSource,
  settled,
  statusOf,
} from "./fluxCluster.ts";
import { unsettled } from "./fluxHealth.ts";
import { type Closed, type Looked, lookAtFlux, strayed } from "./fluxLook.ts";
import { applySecrets, artifactSecret, decryptSecret, pullSecret } from "./fluxSecrets.ts";
import { checkSignIn, chosenSignIn, githubApp, repositoryUrl, sshKey } from "./fluxSignIn.ts";
import { fingerprint, givenToken } from "./fluxToken.ts";
import { endingParts, finishDeletions, isMarked, NAMESPACE, resumeFlux, uninstallFlux } from "./fluxUninstall.ts";
import * as forms from "./forms.ts";

/** The schema of `gitops:index:FluxInstall`. */
export const FLUX_INSTALL = resourceSchema({
  token: "gitops:index:FluxInstall",
  description:
    "Flux in a cluster, as `flux bootstrap` leaves it: installed once, then handed over to the files in Git, which " +
    "alone change it from then on. A Flux that reconciles the same folder already is taken over as it is.\n\n" +
    "Flux reads the repository with the token of FLUX_GIT_TOKEN, or else on GitHub GITHUB_TOKEN, of the environment; another " +
    "FLUX_GIT_TOKEN than the cluster has is an update, while a GITHUB_TOKEN never replaces one that works. The caller " +
    "signs in to AKS's API server with its Entra token, and to another one as the user of a kubeconfig's context.\n\n" +
    "Every preview and refresh looks at what was installed: what is missing is an update, which puts it back and touches " +
    "nothing that Git rules.\n\n" +
    "Deleting it uninstalls Flux; what Flux deployed stays.",
  inputs: {
    clusterId: clusterId
      .describe("The AKS cluster's ARM id. Another one makes another installation. Default: a cluster that is not AKS.")
      .meta({ replaceOnChanges: true })
      .exactOptional(),
    kubeContext: forms.kubeContext.exactOptional(),
    endpoint: forms.endpoint
      .describe("The API server's URL, as ClusterAccess gives it. Another one makes another installation.")
      .meta({ replaceOnChanges: true }),
    certificateAuthority: someText.describe("The API server's authority: PEM, base64."),
    version: forms.fluxVersion.describe("Flux's version, without `v`."),
    imageAutomation: flag.describe("Whether the image controllers run too."),
    install: forms.install
      .describe("How the controllers are installed. Default: as the flux CLI does by itself.")
      .exactOptional(),
    manifests: forms.manifests.describe("Hex SHA-256 of the version's manifests; others are refused."),
    loginServer: loginServer.describe(
      "The registry that has Flux's images below `ghcr.io/fluxcd`, for one who pulls: `<name>.azurecr.io`.",
    ),
    clientId: someText
      .describe("Client id of the identity that the controllers act as. Default: they act as none.")
      .exactOptional(),
    tenantId: someText.describe("The identity's tenant.").exactOptional(),
    url: repositoryUrl.describe(
      "The repository as Flux reads it: `https://<host>/<owner>/<name>`, or `ssh://git@<host>/<owner>/<name>` with a key.",
    ),
    username: someText.describe("The user name beside the token. Default: `git`.").exactOptional(),
    provider: z
      .enum(["azure", "github"], { error: "is no provider: azure and github are the two" })
      .describe(
        "`azure`: Flux reads a repository of Azure DevOps as the identity of its controllers, without any token. `github`: as " +
          "githubApp. Default: with a token or a key.",
      )
      .exactOptional(),
    branch: someText.describe("The branch that Flux reads."),
    interval: matching(/^(\d+(\.\d+)?(ms|s|m|h))+$/, "a duration of Flux: 1m0s")
      .describe("How often Flux looks into the repository. Default: `1m0s`.")
      .exactOptional(),
    recurseSubmodules: flag.describe("Whether its submodules are read too. Default: false.").exactOptional(),
    path: matching(/^[^\s/.][^\s]*$/, "a folder of the repository: clusters/<stack>").describe(
      "The cluster's folder, such as `clusters/<stack>`. Its `flux-system/` must be committed before this is made.",
    ),
    readyMinutes: forms.readyMinutes
      .describe("How long to wait until Flux reconciles itself, in minutes. Default: 15.")
      .default(15),
    sshKey: sshKey
      .describe(
        "The key that Flux reads an `ssh://` URL with; the repository has to know it. Default: a token of the environment.",
      )
      .exactOptional(),
    githubApp: githubApp
      .describe("The GitHub App that Flux reads the repository as, with provider github. Default: none.")
      .exactOptional(),
    artifact: rootArtifact
      .describe(
        "The artifact that Flux reads in place of the repository, from which a pipeline pushes it. Default: none; Flux reads " +
          "the repository itself.",
      )
      .exactOptional(),
    artifactSecrets: z
      .array(artifactSecret)
      .describe("The Secrets that the artifact names; they cannot come from it. Default: none.")
      .meta({ hidden: true, fault: "is no list of Secrets" })
      .exactOptional(),
    pullSecret: pullSecret
      .describe("Signs in to a registry from Flux's namespace; another password changes the Secret. Default: none.")
      .exactOptional(),
    imagePullSecret: someText
      .describe(
        "The Secret with which the controllers' own images are pulled, by pullSecret's credentials. Default: none, as the " +
          "nodes may pull.",
      )
      .exactOptional(),
    decryptSecret: decryptSecret
      .describe("Signs in to the Key Vault of SOPS; another password changes the Secret. Default: none.")
      .exactOptional(),
  },
  outputs: {
    instance,
    missing: z
      .array(z.string())
      .describe(
        "What of Flux was not there, or not as it was installed, when a refresh looked: kind and name. Empty after an update.",
      ),
    tokenFingerprint: z
      .string()
      .describe(
        "Tells whether the token that Flux reads with is another one, without telling it; none with a key or an App.",
      )
      .exactOptional(),
  },
});

type FluxInstallInputs = Inputs<typeof FLUX_INSTALL>;
type FluxInstallState = State<typeof FLUX_INSTALL>;
type KnownInstall = Known<FluxInstallInputs, FluxInstallState>;

/** The handler of `gitops:index:FluxInstall` in a world. */
export function fluxInstallIn(world: FluxWorld): SchemaHandler {
  /** What a refresh saw, by cluster: the engine compares right after that. */
  const seen = new Map<string, Looked | Closed>();
  return handlerOf(FLUX_INSTALL, {
    rules: (inputs) => [...checkSignIn(inputs), ...checkCaller(inputs), ...checkSecrets(inputs)],
    diff: async (existing, inputs, context) => diff(world, existing, inputs, context, seen.get(existing.id)),
    async create(inputs, context) {
      const state = await install(world, inputs, context);
      return { id: idOf(inputs), state };
    },
    update(existing, inputs, context) {
      seen.delete(existing.id);
      return install(world, inputs, context, existing);
    },
    async read(_id, known, context) {
      if (known === undefined)
        throw new Error(
          "FluxInstall needs no import: declare it, and a Flux of the same folder is taken over as it is",
        );
      const looked = await look(world, known, context);
      seen.set(known.id, looked);
      return read(world, known, looked, context);
    },
    delete: (existing, context, successor) => remove(world, existing, context, successor),
  });
}

/** The handler of `gitops:index:FluxInstall`. */
export const fluxInstall = fluxInstallIn(machine);

/**
 * A FLUX_GIT_TOKEN other than the cluster's is a rotation. GITHUB_TOKEN is whoever's runs this, so it says nothing; else
 * people and CI would replace each other's. What is missing in the cluster is an update too.
 * @param seen what a refresh has just seen of it.
 */
async function diff(
  world: FluxWorld,
  existing: KnownInstall,
  inputs: Previewed<FluxInstallInputs>,
  context: Context,
  seen: Looked | Closed | undefined,
): Promise<Diff> {
  const detailed = { ...detailedDiff(existing.inputs, inputs) };
  // How long to wait changes nothing in the cluster.
  delete detailed.readyMinutes;
  const hasToken = [inputs.sshKey, inputs.provider, inputs.artifact].every((one) => one === undefined);
  const token = hasToken && inputs.url !== UNKNOWN ? givenToken(world.environment, inputs.url) : undefined;
  if (token?.variable === "FLUX_GIT_TOKEN" && fingerprint(token.token) !== existing.state.tokenFingerprint)
    detailed.tokenFingerprint = { kind: "update", inputDiff: false };
  const { replaces } = changes(FLUX_INSTALL, existing.inputs, inputs);
  // What is replaced does not matter any more.
  if (replaces.length === 0) {
    const looked = seen ?? (await look(world, existing, context));
    const known = knownMissing(existing);
    const missing = "closed" in looked ? known : [...looked.missing, ...strayed(looked.roots, existing.inputs)];
    if (missing.length > 0)
      context.log("warning", `missing in the cluster, and restored by \`pulumi up\`: ${missing.join(", ")}`);
    if (missing.length > 0 || known.length > 0) detailed.missing = { kind: "update", inputDiff: false };
  }
  return { changes: Object.keys(detailed).length > 0, replaces, detailed };
}

async function look(world: FluxWorld, existing: KnownInstall, context: Context): Promise<Looked | Closed> {
  const looked = await lookAtFlux(world, existing.inputs, knownMissing(existing), context);
  if ("closed" in looked) context.log("warning", `Flux was not looked at: ${describe(looked.closed)}`);
  return looked;
}

function knownMissing({ state }: KnownInstall): readonly string[] {
  return state.missing ?? [];
}

/** Flux is installed all the same where somebody has suspended the root Kustomization: FluxReady tells of that. */
const isOurs = ({ ref, nature }: Problem) => nature !== "held" || ref.kind !== "Kustomization";

async function install(
  world: FluxWorld,
  inputs: FluxInstallInputs,
  context: Context,
  existing?: KnownInstall,
): Promise<FluxInstallState> {
  const api = openCluster(world, inputs, context.signal);
  await entered(world, api, inputs, context);
  refuseOther(await api.get(ROOT), inputs, existing?.inputs.path);
  const source = rootSource(inputs.artifact);
  const ending = await endingParts(api, source);
  const { tokenFingerprint } = existing?.state ?? {};
  const signIn = await chosenSignIn(world.environment, api, inputs, { tokenFingerprint, isEnding: ending.length > 0 });
  if (ending.length > 0) await finishDeletions(world, api, context, ending);
  const root = await api.get(ROOT);
  const deployments = deploymentsOf(inputs);
  const isWhole = (await isHandedOver(api, root, deployments)) && !(await lacksComponents(world, existing, context));
  if (!isWhole) await applyComponents(world, api, inputs, context);
  if (signIn.secret !== undefined) await api.apply(signIn.secret, MANAGER);
  await applySync(api, inputs);
  await applySecrets(api, inputs, existing?.inputs);
  const namespace = await api.metadataOf(NAMESPACE);
  if (namespace !== undefined && isMarked(namespace)) await resumeFlux(api);

  const own = { instance: existing?.state.instance ?? randomUUID(), missing: [] };
  const state = { ...inputs, ...signIn.state, ...own };
  const requestedAt = await requestReconcile(api, source);
  if (root !== undefined) await requestReconcile(api, ROOT);
  const from = rootOf(inputs.artifact, { source: inputs.url, branch: inputs.branch });
  const again = lookingAgain(world, api, source);
  try {
    await settled(world, context, inputs.readyMinutes, async () => {
      // While nobody has pushed the new artifact, the old one still says how it was.
      if (inputs.artifact !== undefined) await applySync(api, inputs);
      const problems = (await unsettled(api, [FLUX_SYSTEM], requestedAt, [], from)).filter(isOurs);
      await again(problems);
      return [...(await stopped(api, deployments)), ...problems];
    });
  } catch (error) {
    context.signal.throwIfAborted();
    throw new PartialFailure(idOf(inputs), state, [`Flux is installed, but ${describe(error)}`]);
  }
  await handOver(api, inputs);
  return state;
}

const ROOT = kustomizationRef(FLUX_SYSTEM);

async function applySync(api: KubernetesApi, inputs: FluxInstallInputs): Promise<void> {
  for (const object of syncObjects(inputs) as unknown as KubeObject[])
    if (!isLike(await api.get(object), object)) await api.apply(object, MANAGER);
}

/** Whether a root object says what it shall; how often it is looked at is up to Git. */
function isLike(found: KubeObject | undefined, { kind, spec }: KubeObject): boolean {
  const own = (found?.spec ?? {}) as Properties;
  const isLeft = (name: string) => Object.hasOwn(own, name) && !Object.hasOwn(spec as Properties, name);
  // What was applied here once stays in the cluster, though Git says it no more.
  if (own.recurseSubmodules === true && isLeft("recurseSubmodules")) return false;
  if (kind === "OCIRepository" && ["secretRef", "verify"].some(isLeft)) return false;
  return Object.entries(spec as Properties).every(([name, value]) => name === "interval" || equal(own[name], value));
}

/** Whether Flux lacks a part of itself, which it may not be able to bring back. */
async function lacksComponents(world: FluxWorld, existing: KnownInstall | undefined, context: Context) {
  if (existing === undefined) return false;
  const looked = await lookAtFlux(world, existing.inputs, knownMissing(existing), context);
  return "closed" in looked || looked.lacksComponents;
}

/** @param before the folder that it reconciled so far, if this installed it. */
function refuseOther(root: KubeObject | undefined, { path }: FluxInstallInputs, before: string | undefined): void {
  if (root === undefined) return;
  const { path: other = "./" } = root.spec as { path?: string };
  if ([path, before].includes(other.replace(/^\.?\/+|\/+$/g, ""))) return;
  throw new Error(
    `Flux already reconciles ${other} into this cluster, not ./${path}: two folders would undo each other. ` +
      "Uninstall that Flux (`flux uninstall`), or use the stack that it belongs to.",
  );
}

/** From then on Git alone changes the components; without its controllers Flux could not do that. */
async function isHandedOver(api: KubernetesApi, root: KubeObject | undefined, deployments: readonly ObjectRef[]) {
  if (root === undefined || statusOf(root).lastAppliedRevision === undefined) return false;
  // A controller that Git brings is not there before Flux had a look.
  const [source, kustomize] = deployments;
  const needed = await Promise.all([source, kustomize].map((ref) => ref && api.get(ref)));
  return needed.every((found) => found !== undefined && !isStopped(found));
}

/** What is left is kept, with what is missing of it; who may not look keeps what is known. */
async function read(world: FluxWorld, { id, inputs, state }: KnownInstall, looked: Looked | Closed, context: Context) {
  if ("closed" in looked) {
    const isAway = looked.closed instanceof UnreachableError && (await isGone(world, inputs, context));
    return isAway ? undefined : { id, inputs, state };
  }
  if (looked.isGone) return undefined;
  const found = { ...inputs, ...looked.roots };
  return { id, inputs: found, state: { ...state, ...found, missing: looked.missing } };
}

async function remove(
  world: FluxWorld,
  existing: KnownInstall,
  context: Context,
  successor: KnownInstall | undefined,
): Promise<void> {
  if (successor !== undefined && isSameCluster(successor, existing)) {
    context.log("info", "Flux stays: it belongs to the installation that took this one's place in the same cluster");
    return;
  }
  const api = openCluster(world, existing.inputs, context.signal);
  try {
    await entered(world, api, existing.inputs, context);
    await uninstallFlux(world, api, context);
  } catch (error) {
    if (!(error instanceof UnreachableError) || !(await isGone(world, existing.inputs, context))) throw error;
    context.log("info", "the cluster is gone, and Flux with it");
  }
}

/** Of one id there is one cluster, whatever its address; where there is none, of one address. */
function isSameCluster(one: KnownInstall, other: KnownInstall): boolean {
  return sameName(idOf(one.inputs), idOf(other.inputs));
}

function idOf({ clusterId, endpoint }: FluxInstallInputs): string {
  return clusterId ?? endpoint;
}

/** Who calls: Azure knows the clusters that are its own, a kubeconfig the others. */
function checkCaller({ clusterId, kubeContext }: Previewed<FluxInstallInputs>): CheckFailure[] {
  if ((clusterId === undefined) !== (kubeContext === undefined)) return [];
  const reason =
    clusterId === undefined
      ? "is missing: give the AKS cluster's ARM id, or kubeContext for a cluster that is not AKS"
      : "does not go with kubeContext: AKS's API server takes the caller's Entra token. Leave one of them out";
  return [{ property: "clusterId", reason }];
}

function checkSecrets({ pullSecret, imagePullSecret }: Previewed<FluxInstallInputs>): CheckFailure[] {
  if (imagePullSecret === undefined || pullSecret !== undefined) return [];
  const reason = "has no credentials: give pullSecret, whose user pulls the images too, or leave imagePullSecret out";
  return [{ property: "imagePullSecret", reason }];
}

interface ManagedCluster {
  readonly properties?: { readonly fqdn?: string; readonly privateFQDN?: string };
}

/** Whether the cluster itself is gone; one of the same id with another address is another one. */
async function isGone({ cloud }: FluxWorld, { clusterId, endpoint }: FluxInstallInputs, { signal }: Context) {
  // Of a cluster that is not Azure's nobody says whether it is gone or cannot be reached.
  if (clusterId === undefined) return false;
  const cluster = await armGet<ManagedCluster>(cloud, clusterId, "2025-09-01", signal);
  const { fqdn, privateFQDN } = cluster?.properties ?? {};
  const hosts = [fqdn, privateFQDN].filter(Boolean);
  return cluster === undefined || (hosts.length > 0 && !hosts.includes(new URL(endpoint).hostname));
}
