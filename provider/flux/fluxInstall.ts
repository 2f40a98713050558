// FluxInstall: Flux in a cluster as `flux bootstrap` would leave it, handed over to the files in Git.

import { parseAllDocuments } from "yaml";
import * as z from "zod";
import { FLUX_SYSTEM, identifiedControllers, identityPatches, syncObjects } from "../../flux/bootstrap.ts";
import { fluxControllers } from "../../flux/manifests.ts";
import { describe } from "../../net/describe.ts";
import {
  type KubeObject,
  type KubernetesApi,
  KubernetesError,
  type ObjectRef,
  UnreachableError,
} from "../../net/kubernetesApi.ts";
import { isMap } from "../../net/values.ts";
import { detailedDiff } from "../../plugin/diff.ts";
import { type Context, type Diff, PartialFailure } from "../../plugin/handler.ts";
import {
  changes,
  flag,
  handlerOf,
  type Inputs,
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
import {
  entered,
  type FluxWorld,
  kustomizationRef,
  machine,
  openCluster,
  ROOT_SOURCE,
  requestReconcile,
  settled,
  statusOf,
  unavailable,
} from "./fluxCluster.ts";
import { componentsText } from "./fluxComponents.ts";
import { unsettled } from "./fluxHealth.ts";
import { checkSignIn, chosenSignIn, repositoryUrl, sshKey } from "./fluxSignIn.ts";
import { fingerprint, givenToken } from "./fluxToken.ts";
import { uninstallFlux } from "./fluxUninstall.ts";
import * as forms from "./forms.ts";

/** The schema of `gitops:index:FluxInstall`. */
export const FLUX_INSTALL = resourceSchema({
  token: "gitops:index:FluxInstall",
  description:
    "Flux in an AKS cluster, as `flux bootstrap` leaves it: installed once, then handed over to the files in Git, which " +
    "alone change it from then on. A Flux that reconciles the same folder already is taken over as it is.\n\n" +
    "Flux reads the repository with the token of FLUX_GIT_TOKEN, or else GITHUB_TOKEN, of the environment; another " +
    "FLUX_GIT_TOKEN than the cluster has is an update, while a GITHUB_TOKEN never replaces one that works. The caller " +
    "signs in to the API server with its Entra token.\n\n" +
    "Deleting it uninstalls Flux; what Flux deployed stays.",
  inputs: {
    clusterId: clusterId
      .describe("The AKS cluster's ARM id. Another one makes another installation.")
      .meta({ replaceOnChanges: true }),
    endpoint: forms.endpoint
      .describe("The API server's URL, as ClusterAccess gives it. Another one makes another installation.")
      .meta({ replaceOnChanges: true }),
    certificateAuthority: someText.describe("The API server's authority: PEM, base64."),
    version: forms.fluxVersion.describe("Flux's version, without `v`."),
    imageAutomation: flag.describe("Whether the image controllers run too."),
    manifests: forms.manifests.describe("Hex SHA-256 of the version's manifests; others are refused."),
    loginServer: loginServer.describe(
      "The registry that has Flux's images below `ghcr.io/fluxcd`, for one who pulls: `<name>.azurecr.io`.",
    ),
    clientId: someText.describe("Client id of the identity that the controllers act as."),
    tenantId: someText.describe("The identity's tenant."),
    url: repositoryUrl.describe(
      "The repository as Flux reads it: `https://<host>/<owner>/<name>`, or `ssh://git@<host>/<owner>/<name>` with a key.",
    ),
    branch: someText.describe("The branch that Flux reads."),
    path: matching(/^[^\s/.][^\s]*$/, "a folder of the repository: clusters/<stack>").describe(
      "The cluster's folder: `clusters/<stack>`. Its `flux-system/` must be committed before this is made.",
    ),
    readyMinutes: forms.readyMinutes
      .describe("How long to wait until Flux reconciles itself, in minutes. Default: 15.")
      .default(15),
    sshKey: sshKey
      .describe(
        "The key that Flux reads an `ssh://` URL with; the repository has to know it. Default: a token of the environment.",
      )
      .exactOptional(),
  },
  outputs: {
    tokenFingerprint: z
      .string()
      .describe("Tells whether the token that Flux reads with is another one, without telling it; none with a key.")
      .exactOptional(),
  },
});

type FluxInstallInputs = Inputs<typeof FLUX_INSTALL>;
type FluxInstallState = State<typeof FLUX_INSTALL>;
type KnownInstall = Known<FluxInstallInputs, FluxInstallState>;

/** As `flux bootstrap` itself is known to the API server. */
const MANAGER = { fieldManager: "flux", force: true } as const;

/** The handler of `gitops:index:FluxInstall` in a world. */
export function fluxInstallIn(world: FluxWorld): SchemaHandler {
  return handlerOf(FLUX_INSTALL, {
    rules: checkSignIn,
    diff: async (existing, inputs) => diff(world, existing, inputs),
    async create(inputs, context) {
      const state = await install(world, inputs, context);
      return { id: inputs.clusterId, state };
    },
    update: (_existing, inputs, context) => install(world, inputs, context),
    read: (_id, known, context) => read(world, known, context),
    delete: (existing, context) => remove(world, existing, context),
  });
}

/** The handler of `gitops:index:FluxInstall`. */
export const fluxInstall = fluxInstallIn(machine);

/**
 * A FLUX_GIT_TOKEN other than the cluster's is a rotation. GITHUB_TOKEN is whoever's runs this, so it says nothing; else
 * people and CI would replace each other's.
 */
function diff(world: FluxWorld, existing: KnownInstall, inputs: Previewed<FluxInstallInputs>): Diff {
  const detailed = { ...detailedDiff(existing.inputs, inputs) };
  // How long to wait changes nothing in the cluster.
  delete detailed.readyMinutes;
  const token = inputs.sshKey === undefined ? givenToken(world.environment) : undefined;
  if (token?.variable === "FLUX_GIT_TOKEN" && fingerprint(token.token) !== existing.state.tokenFingerprint)
    detailed.tokenFingerprint = { kind: "update", inputDiff: false };
  const { replaces } = changes(FLUX_INSTALL, existing.inputs, inputs);
  return { changes: Object.keys(detailed).length > 0, replaces, detailed };
}

async function install(world: FluxWorld, inputs: FluxInstallInputs, context: Context): Promise<FluxInstallState> {
  const api = openCluster(world, inputs, context.signal);
  await entered(world, api, context);
  const root = await api.get(kustomizationRef(FLUX_SYSTEM));
  refuseOther(root, inputs);
  const signIn = await chosenSignIn(world.environment, api, inputs);
  const deployments = deploymentsOf(inputs);
  if (!(await isHandedOver(api, root, deployments))) await applyComponents(world, api, inputs, context);
  if (signIn.secret !== undefined) await api.apply(signIn.secret, MANAGER);
  for (const object of syncObjects(inputs)) await api.apply(object as unknown as ObjectRef, MANAGER);

  const state = { ...inputs, ...signIn.state };
  const requestedAt = await requestReconcile(api, ROOT_SOURCE);
  if (root !== undefined) await requestReconcile(api, kustomizationRef(FLUX_SYSTEM));
  try {
    await settled(world, context, inputs.readyMinutes, async () => [
      ...(await stopped(api, deployments)),
      ...(await unsettled(api, [FLUX_SYSTEM], requestedAt)),
    ]);
  } catch (error) {
    context.signal.throwIfAborted();
    throw new PartialFailure(inputs.clusterId, state, [`Flux is installed, but ${describe(error)}`]);
  }
  return state;
}

function refuseOther(root: KubeObject | undefined, { path }: FluxInstallInputs): void {
  if (root === undefined) return;
  const { path: other = "./" } = root.spec as { path?: string };
  if (other.replace(/^\.?\/+|\/+$/g, "") === path) return;
  throw new Error(
    `Flux already reconciles ${other} into this cluster, not ./${path}: two folders would undo each other. ` +
      "Uninstall that Flux (`flux uninstall`), or use the stack that it belongs to.",
  );
}

function deploymentsOf(inputs: FluxInstallInputs): ObjectRef[] {
  return fluxControllers(inputs).map((name) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: FLUX_SYSTEM },
  }));
}

/** From then on Git alone changes the components; without its controllers Flux could not do that. */
async function isHandedOver(api: KubernetesApi, root: KubeObject | undefined, deployments: readonly ObjectRef[]) {
  if (root === undefined || statusOf(root).lastAppliedRevision === undefined) return false;
  // A controller that Git brings is not there before Flux had a look.
  const [source, kustomize] = deployments;
  const needed = await Promise.all([source, kustomize].map((ref) => ref && api.get(ref)));
  return needed.every((found) => found !== undefined);
}

async function applyComponents(world: FluxWorld, api: KubernetesApi, inputs: FluxInstallInputs, context: Context) {
  const objects = await componentObjects(world, inputs);
  const isFirst = ({ kind }: ObjectRef) => kind === "CustomResourceDefinition" || kind === "Namespace";
  const first = objects.filter(isFirst);
  for (const object of first) await api.apply(object, MANAGER);
  await settled(world, context, 1, async () => {
    const found = await Promise.all(first.map(async (ref) => ({ ref, problem: notThere(await api.get(ref)) })));
    return found.flatMap(({ ref, problem }) => (problem === undefined ? [] : [{ ref, problem }]));
  });
  for (const object of objects.filter((one) => !isFirst(one))) await api.apply(object, MANAGER);
}

/** Why a CRD or a namespace cannot be used yet. */
function notThere(object: KubeObject | undefined): string | undefined {
  if (object === undefined) return "is not there";
  const { conditions = [], phase } = statusOf(object);
  if (object.kind === "Namespace") return phase === "Active" ? undefined : `is ${String(phase)}`;
  const established = conditions.find(({ type }) => type === "Established");
  return established?.status === "True" ? undefined : (established?.message ?? "is not established");
}

/** @throws Error when the manifests are others than the program committed. */
async function componentObjects(world: FluxWorld, inputs: FluxInstallInputs): Promise<ObjectRef[]> {
  const text = await componentsText(inputs, world.manifests);
  const patches = identityPatches(inputs);
  const identified = identifiedControllers(inputs.imageAutomation);
  const documents = parseAllDocuments(text);
  const objects = documents.map((document) => document.toJS() as ObjectRef | null).filter((one) => one !== null);
  return objects.map((object) => {
    if (!identified.includes(object.metadata.name)) return object;
    if (object.kind === "ServiceAccount")
      return merged(object, { metadata: { annotations: patches.serviceAccount.metadata.annotations } });
    return object.kind === "Deployment" ? merged(object, { spec: patches.deployment.spec }) : object;
  });
}

/** Maps merged, everything else replaced. */
function merged<T>(below: T, above: unknown): T {
  if (!isMap(below) || !isMap(above)) return above as T;
  const result: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) result[key] = merged(result[key], value);
  return result as T;
}

async function stopped(api: KubernetesApi, deployments: readonly ObjectRef[]) {
  const found = await Promise.all(
    deployments.map(async (ref) => {
      const object = await api.get(ref);
      return { ref, problem: object === undefined ? "is not there" : await unavailable(api, object) };
    }),
  );
  return found.flatMap(({ ref, problem }) => (problem === undefined ? [] : [{ ref, problem }]));
}

/** Where the hand-over is undone, Flux is gone and will be installed anew; who may not look keeps what is known. */
async function read(world: FluxWorld, known: KnownInstall | undefined, context: Context) {
  if (known === undefined)
    throw new Error("FluxInstall needs no import: declare it, and a Flux of the same folder is taken over as it is");
  const { id, inputs, state } = known;
  const api = openCluster(world, inputs, context.signal);
  try {
    const [root, source] = await Promise.all([api.get(kustomizationRef(FLUX_SYSTEM)), api.get(ROOT_SOURCE)]);
    if (root === undefined || source === undefined) return undefined;
    const { url, ref } = source.spec as { url?: string; ref?: { branch?: string } };
    const { path = "" } = root.spec as { path?: string };
    const found = { ...inputs, url, branch: ref?.branch, path: path.replace(/^\.\//, "") };
    return { id, inputs: found, state: { ...state, ...found } };
  } catch (error) {
    const isClosed = error instanceof KubernetesError && [401, 403].includes(error.status);
    if (!isClosed && !(error instanceof UnreachableError)) throw error;
    if (!isClosed && (await isGone(world, id, inputs, context))) return undefined;
    context.log("warning", `Flux was not looked at: ${describe(error)}`);
    return { id, inputs, state };
  }
}

async function remove(world: FluxWorld, existing: KnownInstall, context: Context): Promise<void> {
  const api = openCluster(world, existing.inputs, context.signal);
  try {
    await entered(world, api, context);
    await uninstallFlux(world, api, context);
  } catch (error) {
    if (!(error instanceof UnreachableError) || !(await isGone(world, existing.id, existing.inputs, context)))
      throw error;
    context.log("info", "the cluster is gone, and Flux with it");
  }
}

interface ManagedCluster {
  readonly properties?: { readonly fqdn?: string; readonly privateFQDN?: string };
}

/** Whether the cluster itself is gone; one of the same id with another address is another one. */
async function isGone({ cloud }: FluxWorld, clusterId: string, { endpoint }: FluxInstallInputs, { signal }: Context) {
  const cluster = await armGet<ManagedCluster>(cloud, clusterId, "2025-09-01", signal);
  const { fqdn, privateFQDN } = cluster?.properties ?? {};
  const hosts = [fqdn, privateFQDN].filter(Boolean);
  return cluster === undefined || (hosts.length > 0 && !hosts.includes(new URL(endpoint).hostname));
}
