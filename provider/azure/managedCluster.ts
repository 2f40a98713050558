// ManagedCluster: an AKS cluster, quiet about all that Azure changes in it by itself.

import { randomUUID } from "node:crypto";
import * as z from "zod";
import { describe } from "../../net/describe.ts";
import { KUBERNETES_VERSION } from "../../net/kubernetesVersion.ts";
import { type Again, retry, type Try } from "../../net/retry.ts";
import { detailedDiff, parsePath } from "../../plugin/diff.ts";
import { type Context, type Diff, PartialFailure, type Properties, UNKNOWN } from "../../plugin/handler.ts";
import {
  handlerOf,
  type Inputs,
  instance,
  type Known,
  matching,
  type Previewed,
  resourceSchema,
  type SchemaHandler,
  type State,
} from "../../plugin/schema.ts";
import { armGet, azure, type Cloud } from "./cloud.ts";
import { type Addresses, accessTo } from "./clusterAccess.ts";
import {
  type ArmCluster,
  asAzureHas,
  bodyOf,
  dropped,
  fixedIn,
  isAs,
  OWNER,
  partOf,
  sameLocation,
} from "./clusterProperties.ts";
import * as forms from "./forms.ts";
import { renamed, sameName } from "./names.ts";
import { isAuto, refuseBesideAutoscaler } from "./nodeProvisioning.ts";
import { BUSY_WAITS, isPassing, later, lookingFor, removed } from "./patience.ts";
import { describeUpgrade, offerIn, poolsOf, refuseUpgrade, runningIn, upgradeOf } from "./upgrade.ts";

const API_VERSION = "2025-09-01";

const text = z.string().min(1).meta({ fault: "is not a text" });
const texts = z.array(z.string()).meta({ fault: "is not a list of texts" });
const object = z.record(z.string(), z.unknown()).meta({ fault: () => "is not an object", hidden: true });

/** The schema of `gitops:index:ManagedCluster`. */
export const MANAGED_CLUSTER = resourceSchema({
  token: "gitops:index:ManagedCluster",
  description:
    "An AKS cluster, without its agent pools. Only what is said here is looked at and written: patches, counts, images " +
    "and whatever else Azure fills in and changes by itself are no difference. A write leaves every agent pool as it " +
    "is.\n\n" +
    `A cluster of the same name is taken over where its tag \`${OWNER}\` says that this resource made it: an interrupted ` +
    "update left it so. Another one is refused.\n\n" +
    "Imported into a stack by the cluster's ARM id. A state of azure-native's own resource is taken over as it is.",
  inputs: {
    resourceGroupId: forms.resourceGroupId
      .describe("ARM id of the resource group. Another one makes another cluster.")
      .meta({ replaceOnChanges: true }),
    name: matching(
      /^[a-zA-Z0-9]([-_a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/,
      "a cluster's name: 1 to 63 letters, digits, hyphens and underscores, no hyphen or underscore first or last",
    )
      .describe(
        "The cluster's name, decided before it is made, so that a cluster whose making was interrupted is found again. " +
          "Another one makes another cluster.",
      )
      .meta({ replaceOnChanges: true }),
    location: text.describe("The region. Another one makes another cluster.").meta({ replaceOnChanges: true }),
    sku: z
      .strictObject({
        name: text.describe("Base, or Automatic."),
        tier: text.describe("Free, Standard or Premium."),
      })
      .describe("A cluster's kind and tier.")
      .meta({ id: "ClusterSku", fault: 'is not {name: "Base", tier: "Standard"}' })
      .describe("Its kind and tier."),
    identity: z
      .strictObject({
        type: text.describe("UserAssigned or SystemAssigned."),
        userAssignedIdentities: texts.describe("Their ARM ids. Default: none.").exactOptional(),
      })
      .describe("Who a cluster's control plane is.")
      .meta({ id: "ClusterIdentity", fault: 'is not {type: "UserAssigned", userAssignedIdentities: ["<id>"]}' })
      .describe("Who the control plane is."),
    tags: z
      .record(z.string(), z.string())
      .describe("Its tags; those that others give it stay. Default: none.")
      .meta({ fault: "is not a map of texts" })
      .exactOptional(),
    kubernetesVersion: matching(
      KUBERNETES_VERSION,
      "a version of Kubernetes: a minor such as 1.34, or a patch such as 1.34.1",
    )
      .describe(
        "The version of Kubernetes: a minor such as `1.34`, whose patches are AKS's business, or a patch such as " +
          "`1.34.1`. The next minor upgrades the control plane, and an earlier or a later one is refused; the agent " +
          "pools' versions are their own. Default: what AKS takes for a new cluster, and makes of it then.",
      )
      .exactOptional(),
    properties: object.describe(
      "The cluster's properties by Azure's names, all but its pools. What only another cluster can have makes another one.",
    ),
    systemPool: object.describe(
      "The agent pool that the cluster is made with; from then on a resource of its own. A change of it changes nothing.",
    ),
  },
  outputs: {
    name: z.string().describe("The cluster's name in Azure."),
    oidcIssuerUrl: z.string().describe("Who signs its service accounts' tokens: an `https://` URL; empty without one."),
    endpoint: z.string().describe("The API server's URL."),
    certificateAuthority: z.string().describe("The API server's certificate authority: PEM, base64."),
    kubeconfig: z.string().describe("A kubeconfig (YAML) that gets its tokens through kubelogin; without credentials."),
    instance,
  },
});

type ClusterInputs = Inputs<typeof MANAGED_CLUSTER>;
type ClusterState = State<typeof MANAGED_CLUSTER>;
type KnownCluster = Known<ClusterInputs, ClusterState>;

/**
 * The handler of `gitops:index:ManagedCluster` in a cloud.
 * @param waits in milliseconds, one after another, while Azure does something else with the cluster.
 */
export function managedClusterIn(cloud: Cloud, waits: readonly number[] = BUSY_WAITS): SchemaHandler {
  return handlerOf(MANAGED_CLUSTER, {
    diff: async (existing, next) => diff(existing, next),
    async preview(inputs, existing, context) {
      await announceUpgrade(cloud, inputs, existing, context);
      await announceProvisioning(cloud, inputs, existing, context);
      const name = existing === undefined ? inputs.name : nameOf(existing.id);
      return { ...UNMADE, ...existing?.state, ...inputs, name };
    },
    create: (inputs, context) => create(cloud, waits, inputs, context),
    async update({ id, inputs: old, state }, inputs, context) {
      const target = isUnmade(state) ? { id, inputs } : { id, inputs, old };
      const found = await ensure(cloud, waits, target, context);
      return stateOf(cloud, id, inputs, found, state, context);
    },
    read: (id, known, context) => read(cloud, id, known, context),
    async delete({ id }, context, successor) {
      if (successor !== undefined && sameName(successor.id, id)) return;
      await removed(cloud, id, { apiVersion: API_VERSION, waits, passes: isPassing }, context);
    },
  });
}

/** The handler of `gitops:index:ManagedCluster`. */
export const managedCluster = managedClusterIn(azure);

const UNMADE = {
  oidcIssuerUrl: UNKNOWN,
  endpoint: UNKNOWN,
  certificateAuthority: UNKNOWN,
  kubeconfig: UNKNOWN,
} as const;

/**
 * Says of another version what it will do, as the cluster is by now.
 * @throws Error where AKS would refuse it.
 */
async function announceUpgrade(
  cloud: Cloud,
  { kubernetesVersion }: Previewed<ClusterInputs>,
  existing: KnownCluster | undefined,
  context: Context,
): Promise<void> {
  if (existing === undefined || typeof kubernetesVersion !== "string") return;
  if (existing.inputs.kubernetesVersion === kubernetesVersion) return;
  const look = async () => {
    const actual = await armGet<ArmCluster>(cloud, existing.id, API_VERSION, context.signal);
    if (actual === undefined) return;
    const words = await upgradeIn(cloud, existing.id, kubernetesVersion, actual, context);
    context.log("info", words ?? `Kubernetes stays at ${runningIn(actual.properties)}, which is ${kubernetesVersion}`);
  };
  await lookingFor(`what becomes of Kubernetes ${kubernetesVersion}`, look, context);
}

/** @throws Error where AKS would not take over from the autoscaler yet. */
async function announceProvisioning(
  cloud: Cloud,
  inputs: Previewed<ClusterInputs>,
  existing: KnownCluster | undefined,
  context: Context,
): Promise<void> {
  const wanted = propertiesOf(inputs);
  if (existing === undefined || !isAuto(wanted) || isAuto(existing.inputs.properties ?? {})) return;
  const look = async () => {
    const actual = await armGet<ArmCluster>(cloud, existing.id, API_VERSION, context.signal);
    if (actual !== undefined) refuseBesideAutoscaler(existing.id, wanted, actual);
  };
  await lookingFor("whether the autoscaler is on in a pool", look, context);
}

/**
 * The upgrade that is due, in words; undefined for none.
 * @throws Error where AKS would refuse it.
 */
async function upgradeIn(
  cloud: Cloud,
  id: string,
  asked: string | undefined,
  actual: ArmCluster,
  { signal }: Context,
): Promise<string | undefined> {
  const upgrade = upgradeOf(asked, actual.properties);
  if (upgrade === undefined) return undefined;
  const offer = await offerIn(cloud, id, String(actual.location), signal);
  refuseUpgrade(id, upgrade, offer, poolsOf(actual));
  return describeUpgrade(upgrade, offer);
}

/** Whether its making was interrupted: then it may be there or not. */
function isUnmade({ endpoint, instance }: Partial<ClusterState>): boolean {
  return endpoint === undefined && instance !== undefined;
}

/**
 * A state of azure-native's own resource, and one whose making was interrupted, are written anew whatever they say: what
 * the cluster is, is seen then.
 */
function diff({ inputs: old, state }: KnownCluster, next: Previewed<ClusterInputs>): Diff {
  if (state.endpoint === undefined) return { changes: true };
  const isElsewhere =
    typeof next.location === "string" && typeof old.location === "string" && !sameLocation(old.location, next.location);
  const replaces: string[] = [...renamed(["resourceGroupId", "name"], old, next), ...(isElsewhere ? ["location"] : [])];
  const fixed = fixedIn(propertiesOf(next), old.properties).map((path) => `properties.${path}`);
  const differing = Object.entries(detailedDiff(comparable(old), comparable(next)))
    .filter(([path]) => !["resourceGroupId", "location"].includes(path) || replaces.includes(path))
    .map(([path, change]) => [path, isBelow(path, fixed) ? { ...change, kind: `${change.kind}-replace` } : change]);
  return { changes: differing.length > 0, replaces, detailed: Object.fromEntries(differing) };
}

/** Without the pool: that is a resource of its own, and another one here changes nothing. */
function comparable({ systemPool: _, ...rest }: Properties): Properties {
  return rest;
}

function propertiesOf({ properties }: Previewed<ClusterInputs>): Properties {
  return typeof properties === "object" ? (properties as Properties) : {};
}

function isBelow(path: string, paths: readonly string[]): boolean {
  return paths.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`));
}

async function create(cloud: Cloud, waits: readonly number[], inputs: ClusterInputs, context: Context) {
  const id = `${inputs.resourceGroupId}/providers/Microsoft.ContainerService/managedClusters/${inputs.name}`;
  const own = { ...inputs, instance: randomUUID() };
  const target: Target = { id, inputs };
  try {
    const found = await ensure(cloud, waits, target, context);
    return { id, state: await stateOf(cloud, id, inputs, found, own, context) };
  } catch (error) {
    if (!(await mayBeThere(cloud, target, context))) throw error;
    // Known to the engine it is gone on with by the next `up`, and taken away by a `destroy`.
    throw new PartialFailure(id, own, [describe(error)]);
  }
}

interface Target {
  readonly id: string;
  readonly inputs: ClusterInputs;
  /** What was wanted before; undefined for a cluster that is to be made, or taken over. */
  readonly old?: Partial<ClusterInputs>;
  /** Whether Azure was asked to make it, or has it. */
  isSent?: boolean;
}

/** Whether what could not be made is there, as far as one can tell. */
async function mayBeThere(cloud: Cloud, { id, isSent = false }: Target, { signal }: Context): Promise<boolean> {
  if (!isSent || signal.aborted) return isSent;
  return armGet(cloud, id, API_VERSION, signal).then(
    (cluster) => cluster !== undefined,
    () => true,
  );
}

/**
 * Makes the cluster what is wanted; writes nothing where it is already.
 * @throws Error when it is somebody else's or going, when only another cluster could be so, or when ARM refuses.
 */
async function ensure(cloud: Cloud, waits: readonly number[], target: Target, context: Context): Promise<ArmCluster> {
  const { id, inputs, old } = target;
  const owner = ownerOf(context);
  const place = { group: nameOf(inputs.resourceGroupId), name: nameOf(id) };
  const once = async (current: Try): Promise<ArmCluster | Again> => {
    const actual = await armGet<ArmCluster>(cloud, id, API_VERSION, context.signal);
    if (actual === undefined && old !== undefined) throw gone(id, "not there");
    if (actual !== undefined) {
      if (old === undefined) refuseOthers(id, actual, owner);
      const state = String(actual.properties.provisioningState);
      if (state === "Deleting" && old !== undefined) throw gone(id, "being deleted");
      target.isSent = state !== "Deleting";
      // As an interrupted update left it, or Azure itself.
      if (!["Succeeded", "Failed", "Canceled"].includes(state))
        return later(`${id} is in the state ${state}`, current, context);
      refuseFixed(id, inputs, actual);
      refuseBesideAutoscaler(id, inputs.properties, actual);
      const words = await upgradeIn(cloud, id, inputs.kubernetesVersion, actual, context);
      if (words !== undefined && current.attempt === 1) context.log("info", words);
      if (state === "Succeeded" && isAs(inputs, actual) && dropped(old, inputs).length === 0) return actual;
    }
    target.isSent = true;
    const body = bodyOf(inputs, place, owner, actual, old);
    return send(cloud, target, body, current, context);
  };
  return retry(once, { waits, signal: context.signal });
}

/** A cluster that this resource did not make may be anybody's. */
function refuseOthers(id: string, { tags }: ArmCluster, owner: string): void {
  const mark = tags?.[OWNER];
  if (mark === owner) return;
  throw new Error(
    `${id} is there already, and ${mark === undefined ? `has no tag ${OWNER}` : `its tag ${OWNER} is "${mark}"`}, not ` +
      `"${owner}": another one made it. Give the cluster another name; or, if it is to be this one, set the tag ` +
      `(az aks update --tags replaces all of them, az tag update --operation Merge adds one) and run \`pulumi up\` again`,
  );
}

function gone(id: string, how: string): Error {
  return new Error(
    `the cluster ${id} is ${how}. After an interrupted \`pulumi destroy\` the stack may still list it: end that with ` +
      "another `pulumi destroy`, or have the cluster made anew with `pulumi up --refresh`" +
      (how === "not there" ? "" : " when it is gone"),
  );
}

/** @throws Error for what the cluster that is there can never be. */
function refuseFixed(id: string, { properties, location }: ClusterInputs, actual: ArmCluster): void {
  const paths = fixedIn(properties, actual.properties).map((path) => ({
    path,
    is: partOf(actual.properties, parsePath(path).map(String)),
    shall: partOf(properties, parsePath(path).map(String)),
  }));
  if (actual.location !== undefined && !sameLocation(location, actual.location))
    paths.push({ path: "location", is: actual.location, shall: location });
  if (paths.length === 0) return;
  const faults = paths.map(({ path, is, shall }) => `${path} is ${JSON.stringify(is)}, not ${JSON.stringify(shall)}`);
  throw new Error(
    `Azure cannot change this of ${id}: ${faults.join("; ")}. Take the old value back, or give the cluster another ` +
      "name: then the new one is made first, and the old one is deleted after it",
  );
}

/** The cluster as ARM has it when the PUT is done. */
async function send(
  cloud: Cloud,
  { id }: Target,
  body: object,
  current: Try,
  context: Context,
): Promise<ArmCluster | Again> {
  try {
    const made = await cloud.arm().request<ArmCluster>("PUT", id, API_VERSION, body, { signal: context.signal });
    if (made === undefined) throw new Error(`PUT ${id}: the answer is empty`);
    return made;
  } catch (error) {
    if (!isPassing(error, current.attempt)) throw error;
    return later(error.message, current, context, error);
  }
}

async function stateOf<T extends object>(
  cloud: Cloud,
  id: string,
  inputs: T,
  { properties }: ArmCluster,
  known: Partial<ClusterState>,
  context: Context,
) {
  const access = await accessTo(cloud, id, properties as Addresses, known, context);
  const own = { name: nameOf(id), instance: known.instance ?? randomUUID() };
  return { ...inputs, ...access, oidcIssuerUrl: issuerOf(properties), ...own };
}

function issuerOf(properties: Properties): string {
  return String(partOf(properties, ["oidcIssuerProfile", "issuerURL"]) ?? "");
}

const ID = /^(\/subscriptions\/[^/?#]+\/resourceGroups\/[^/?#]+)\/providers\/[^/]+\/managedClusters\/([^/?#]+)$/i;

async function read(cloud: Cloud, id: string, known: KnownCluster | undefined, context: Context) {
  const [, resourceGroupId, name] = ID.exec(id) ?? [];
  if (resourceGroupId === undefined || name === undefined)
    throw new Error(`"${id}" is not the ARM id of a cluster: <ARM id of the resource group>/providers/${TYPE}/<name>`);
  const actual = await armGet<ArmCluster>(cloud, id, API_VERSION, context.signal);
  if (actual === undefined) return undefined;
  const inputs = known === undefined ? found(resourceGroupId, name, actual) : known.inputs;
  const seen = { ...inputs, ...asAzureHas(inputs, actual) };
  // It may not be whole, and the next `up` goes on with it.
  if (known !== undefined && isUnmade(known.state)) return { id, inputs: seen, state: { ...known.state, ...seen } };
  return { id, inputs: seen, state: await stateOf(cloud, id, seen, actual, known?.state ?? {}, context) };
}

const TYPE = "Microsoft.ContainerService/managedClusters";

/** What an import finds; of the properties it says nothing, so that the program's are compared when they are written. */
function found(resourceGroupId: string, name: string, actual: ArmCluster): ClusterInputs {
  const { location = "", sku = {}, identity = {} } = actual;
  return {
    resourceGroupId,
    name,
    location,
    sku: { name: String(sku.name), tier: String(sku.tier) },
    identity: { type: String(identity.type) },
    properties: {},
    systemPool: {},
  };
}

/** Whose a cluster is, in the words of its tag: `<project>/<stack>/<resource>`. */
function ownerOf({ urn, name }: Context): string {
  const [stack = "", project = ""] = urn.replace(/^urn:pulumi:/, "").split("::");
  return `${project}/${stack}/${name}`;
}

function nameOf(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}
