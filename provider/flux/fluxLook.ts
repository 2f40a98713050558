// What of Flux is in a cluster, for previews and refreshes: one quick look, without rights that a reader may lack.

import { FLUX_SYSTEM, type RootArtifact } from "../../flux/bootstrap.ts";
import { definitionNames } from "../../flux/manifests.ts";
import { describe } from "../../net/describe.ts";
import {
  type KubeObject,
  type KubernetesApi,
  KubernetesError,
  nameOf,
  type ObjectRef,
  UnreachableError,
} from "../../net/kubernetesApi.ts";
import { equal } from "../../plugin/diff.ts";
import type { Context } from "../../plugin/handler.ts";
import { type ComponentInputs, deploymentsOf, isStopped } from "./fluxApply.ts";
import {
  type ClusterInputs,
  type FluxWorld,
  kustomizationRef,
  openCluster,
  ROOT_SOURCE,
  rootSource,
  statusOf,
} from "./fluxCluster.ts";
import { secretRefs } from "./fluxSecrets.ts";
import { SIGN_IN } from "./fluxToken.ts";
import { isDying, isMarked, NAMESPACE } from "./fluxUninstall.ts";
import { inTime } from "./glance.ts";

/** How long a look may take in all, in milliseconds: a preview must not wait for a server that is not to be reached. */
const LOOK_LIMIT = 5_000;

/** What the look needs to know of an installation. */
export interface LookInputs extends ComponentInputs, ClusterInputs {
  readonly url: string;
  readonly branch: string;
  readonly path: string;
  readonly pullSecret?: { readonly name: string };
  readonly provider?: "azure" | "github";
  readonly decryptSecret?: { readonly name: string };
  readonly artifact?: RootArtifact;
  readonly artifactSecrets?: readonly { readonly name: string }[];
}

/** What the root objects say. */
export interface Roots {
  readonly url?: string | undefined;
  readonly branch?: string | undefined;
  readonly path?: string | undefined;
  readonly artifact?: RootArtifact | undefined;
}

/** What a look found. */
export interface Looked {
  /**
   * What is not there or not as it was installed: `Deployment flux-system/source-controller`, with a reason where the
   * object is there. What could not be looked at is here if it is known to be missing.
   */
  readonly missing: readonly string[];
  /** Whether a component is among it: the namespace, a CRD or a controller. */
  readonly lacksComponents: boolean;
  /** Whether nothing is left of Flux. */
  readonly isGone: boolean;
  /** What the root objects say, as far as they are there. */
  readonly roots: Roots;
}

/** Why nothing at all could be looked at. */
export interface Closed {
  readonly closed: unknown;
}

/** Objects of one request. */
interface Part {
  readonly kind: string;
  readonly refs: readonly ObjectRef[];
  /** As they were found, one for each of them; none where the server refused to tell. */
  readonly found: readonly (KubeObject | undefined)[];
  readonly refusal?: unknown;
}

/**
 * Looks once for everything that an installation consists of, and warns of what it could not look at.
 * @param known what counts as missing where it cannot be looked at.
 */
export async function lookAtFlux(
  world: FluxWorld,
  inputs: LookInputs,
  known: readonly string[],
  context: Context,
): Promise<Looked | Closed> {
  try {
    const late = () => new UnreachableError(inputs.endpoint, new Error(`silent for ${LOOK_LIMIT / 1000} s`));
    return await inTime({ clock: world.clock, within: LOOK_LIMIT, late }, context.signal, async (signal) => {
      const api = openCluster(world, inputs, signal, 1);
      const rootRef = rootSource(inputs.artifact);
      // Who does not get through is told so at once.
      const namespace = await partOf([NAMESPACE], async () => [await api.metadataOf(NAMESPACE)]);
      const isThere = namespace.refusal !== undefined || namespace.found[0] !== undefined;
      const [definitions, source, root, ...others] = await Promise.all([
        definitionsOf(world, api, inputs),
        partOf([rootRef], async () => [await api.get(rootRef)]),
        partOf([ROOT], async () => [await api.get(ROOT)]),
        deploymentsIn(api, inputs),
        // The server keeps what the secrets hold.
        ...secretsOf(inputs).map((ref) => partOf([ref], async () => [await api.metadataOf(ref)])),
      ]);
      // With the namespace everything in it is gone.
      const parts = [source, root, namespace, definitions, ...others];
      const counted = isThere ? parts : [namespace, definitions];
      const refused = parts.filter(({ refusal }) => refusal !== undefined);
      if (refused.length === parts.length) return { closed: source.refusal };
      if (refused.length > 0) context.log("warning", partlySeen(refused));
      const [foundSource, foundRoot] = [source.found[0], root.found[0]];
      return {
        missing: [...new Set([...counted.flatMap((part) => missingOf(part, known, inputs)), ...missedBy(foundSource)])],
        lacksComponents: counted.some(
          (part) => COMPONENTS.includes(part.kind) && missingOf(part, known, inputs).length > 0,
        ),
        isGone: !isThere && !definitions.found.some(Boolean),
        roots: {
          ...(foundSource && (inputs.artifact ? { artifact: artifactIn(foundSource) } : addressOf(foundSource))),
          ...(foundRoot && { path: pathOf(foundRoot) }),
        },
      };
    });
  } catch (error) {
    context.signal.throwIfAborted();
    return { closed: error };
  }
}

/** How the root objects differ from what they were made as, in the manner of {@link Looked.missing}. */
export function strayed(roots: Roots, inputs: Roots): string[] {
  const differs = (name: keyof Roots) => name in roots && !equal(roots[name], inputs[name]);
  const { artifact } = inputs;
  const fields = Object.keys({ ...artifact, ...roots.artifact }) as (keyof RootArtifact)[];
  return [
    ...(["url", "branch"] as const).filter(differs).map((name) => `${nameOf(ROOT_SOURCE)}: has another ${name}`),
    ...fields
      .filter((name) => "artifact" in roots && roots.artifact?.[name] !== artifact?.[name])
      .map((name) => `${nameOf(rootSource(artifact))}: has another ${name}`),
    ...(differs("path") ? [`${nameOf(ROOT)}: has another path`] : []),
  ];
}

const ROOT = kustomizationRef(FLUX_SYSTEM);
const CRD = ["apiextensions.k8s.io/v1", "CustomResourceDefinition"] as const;
const COMPONENTS: readonly string[] = ["Namespace", "Deployment", CRD[1]];

async function partOf(refs: readonly ObjectRef[], get: () => Promise<Part["found"]>): Promise<Part> {
  const kind = refs[0]?.kind ?? "";
  try {
    return { kind, refs, found: await get() };
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    return { kind, refs, found: [], refusal: error };
  }
}

/** The CRDs that the version brings. With their schemas they are big: a list of names does. */
async function definitionsOf({ manifests }: FluxWorld, api: KubernetesApi, inputs: LookInputs): Promise<Part> {
  const [apiVersion, kind] = CRD;
  try {
    const names = definitionNames(await manifests(inputs));
    const refs = names.map((name) => ({ apiVersion, kind, metadata: { name } }));
    return await partOf(refs, async () => found(refs, await api.list(apiVersion, kind, { metadataOnly: true })));
  } catch (error) {
    if (error instanceof UnreachableError) throw error;
    return { kind, refs: [], found: [], refusal: error };
  }
}

function deploymentsIn(api: KubernetesApi, inputs: LookInputs): Promise<Part> {
  const refs = deploymentsOf(inputs);
  return partOf(refs, async () => found(refs, await api.list("apps/v1", "Deployment", { namespace: FLUX_SYSTEM })));
}

function secretsOf(inputs: LookInputs): ObjectRef[] {
  const hasOwn = inputs.provider !== "azure" && inputs.artifact === undefined;
  return [...(hasOwn ? [SIGN_IN] : []), ...secretRefs(inputs)];
}

function found(refs: readonly ObjectRef[], objects: readonly KubeObject[]): Part["found"] {
  return refs.map((ref) => objects.find(({ metadata }) => metadata.name === ref.metadata.name));
}

function missingOf({ kind, refs, found, refusal }: Part, known: readonly string[], inputs: LookInputs): string[] {
  if (refusal !== undefined)
    return known.filter((one) =>
      refs.length === 0 ? one.startsWith(`${kind} `) : refs.some((ref) => one.split(": ")[0] === nameOf(ref)),
    );
  return refs.flatMap((ref, index) => {
    const object = found[index];
    const problem = object && problemOf(object, inputs);
    if (object === undefined) return [nameOf(ref)];
    return problem === undefined ? [] : [`${nameOf(ref)}: ${problem}`];
  });
}

/** Why an object is not as it was installed. */
function problemOf(object: KubeObject, inputs: LookInputs): string | undefined {
  if (isDying(object)) return "is being deleted";
  if (isMarked(object)) return "was to be uninstalled, which was interrupted";
  if (object.kind === "Deployment" && isStopped(object)) return "is scaled to 0";
  if (object.kind !== ROOT_SOURCE.kind) return undefined;
  const { secretRef, provider } = object.spec as { secretRef?: { name?: string }; provider?: string };
  if (inputs.provider !== undefined && provider !== inputs.provider) return "has another provider";
  if (inputs.provider === "azure") return undefined;
  return secretRef?.name === FLUX_SYSTEM ? undefined : "has another secretRef";
}

/** Who may not look at secrets may still be told by Flux that its own is missing. */
function missedBy(source: KubeObject | undefined): string[] {
  const { conditions = [] } = source === undefined ? {} : statusOf(source);
  const said = conditions.find(({ type, status }) => type === "Ready" && status !== "True")?.message ?? "";
  return /\bsecrets? \W?(flux-system\/)?flux-system\W? not found/i.test(said) ? [nameOf(SIGN_IN)] : [];
}

function partlySeen(refused: readonly Part[]): string {
  const isClosed = ({ refusal }: Part) => refusal instanceof KubernetesError && [401, 403].includes(refusal.status);
  const kinds = [...new Set(refused.filter(isClosed).map(({ kind }) => kind))];
  const others = refused.filter((part) => !isClosed(part)).map(({ refusal }) => describe(refusal));
  const reasons = [...(kinds.length > 0 ? [`this caller may not read ${kinds.join(", ")}`] : []), ...others];
  return `Flux was not looked at in full, and the rest counts as it is known: ${reasons.join("; ")}`;
}

function addressOf({ spec }: KubeObject): Roots {
  const { url, ref } = spec as { url?: string; ref?: { branch?: string } };
  return { url, branch: ref?.branch };
}

/** As FluxInstall's inputs say it. */
function artifactIn({ spec }: KubeObject): RootArtifact {
  const {
    url = "",
    provider,
    ref,
    secretRef,
    verify,
  } = spec as {
    url?: string;
    provider?: string;
    ref?: { tag?: string; semver?: string };
    secretRef?: { name?: string };
    verify?: { secretRef?: { name?: string } };
  };
  return {
    url,
    ...(ref?.tag === undefined ? {} : { tag: ref.tag }),
    ...(ref?.semver === undefined ? {} : { semver: ref.semver }),
    ...(provider === "azure" ? { provider } : {}),
    ...(secretRef?.name === undefined ? {} : { secret: secretRef.name }),
    ...(verify?.secretRef?.name === undefined ? {} : { verify: verify.secretRef.name }),
  };
}

function pathOf({ spec }: KubeObject): string {
  const { path = "" } = spec as { path?: string };
  return path.replace(/^\.\//, "");
}
