import { rootKind } from "../../flux/bootstrap.ts";
import { KUSTOMIZATION } from "../defaults.ts";
import {
  CONFIGURATION,
  type Configuration,
  clusterFolder,
  DEMO,
  INFRASTRUCTURE,
  infrastructureFolder,
} from "./names.ts";
import { DEPENDS_ON, defaultKustomizations, folderOf, type Ordered } from "./order.ts";
import { type Source, sourceRefOf } from "./sources.ts";
import { type Manifest, toYaml } from "./yaml.ts";

/** An object whose health a Kustomization waits for. */
export interface HealthCheck {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** @default none: the object has none */
  readonly namespace?: string | undefined;
}

/** How the health of a kind of object is told from it, as CEL expressions. */
export interface HealthCheckExpr {
  readonly apiVersion: string;
  readonly kind: string;
  readonly current: string;
  readonly inProgress?: string | undefined;
  readonly failed?: string | undefined;
}

/** What `${name}` in the files is replaced with. */
export interface Substitution {
  /** Values by name; no secrets, for they are committed as they are. @default none */
  readonly substitute?: Readonly<Record<string, string>> | undefined;
  /** Objects of Flux's namespace that hold further ones. @default none */
  readonly substituteFrom?:
    | readonly {
        readonly kind: "ConfigMap" | "Secret";
        readonly name: string;
        /** Whether it may be missing. @default false */
        readonly optional?: boolean | undefined;
      }[]
    | undefined;
}

/** Which objects; each that is given has to fit, kind, namespace and name as regular expressions. */
export interface ObjectSelector {
  readonly group?: string | undefined;
  readonly version?: string | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly annotationSelector?: string | undefined;
}

/** A patch of what the files hold: a strategic merge patch or a JSON 6902 one, as YAML. */
export interface KustomizationPatch {
  readonly patch: string;
  /** Which objects. @default the one that a strategic merge patch names */
  readonly target?: ObjectSelector | undefined;
}

/** An image of the files, and what stands in its place. */
export interface KustomizationImage {
  readonly name: string;
  /** An image of the lock, upstream: the stack's registry has it, and its digest is run. Alone. @default none */
  readonly mirrored?: string | undefined;
  readonly newName?: string | undefined;
  readonly newTag?: string | undefined;
  readonly digest?: string | undefined;
}

/**
 * A Flux Kustomization of the stack's repository, in the words of Flux
 * (https://fluxcd.io/flux/components/kustomize/kustomizations/).
 */
export interface Kustomization extends Ordered {
  /** Its name; it stands in `<name>.yaml` of the cluster's folder. */
  readonly name: string;
  /** The source that its folder is in, by its name. @default the repository */
  readonly source?: string | undefined;
  /**
   * The folder that it applies, from its source's root; a dot is a further source's root. One within another's is left out by
   * a kustomization.yaml of that one.
   */
  readonly path: string;
  /** Which Kustomizations have to be Ready first. @default infrastructure, which is what the program itself writes */
  readonly dependsOn?: readonly string[] | undefined;
  /** Whether objects go from the cluster when they go from the files. @default true */
  readonly prune?: boolean | undefined;
  /** Whether it is Ready only when all its objects are. @default true, and false with healthChecks */
  readonly wait?: boolean | undefined;
  /** How often the cluster is brought back to what the files say, as Flux writes a duration. @default "10m0s" */
  readonly interval?: string | undefined;
  /** How soon it is tried again after a failure. @default "1m0s" */
  readonly retryInterval?: string | undefined;
  /** How long applying and waiting may take. @default "10m0s" */
  readonly timeout?: string | undefined;
  /** Whether files that SOPS encrypted with the stack's key are decrypted; people encrypt below it with `sops`. @default true */
  readonly decryption?: boolean | undefined;
  /** Whether Flux leaves it alone. @default false */
  readonly suspend?: boolean | undefined;
  /** Whether objects are made anew where they cannot be changed. @default false */
  readonly force?: boolean | undefined;
  /** The namespace that all its objects go into. @default none: the files say it */
  readonly targetNamespace?: string | undefined;
  /** The service account of Flux's namespace that it acts as. @default none: Flux's own */
  readonly serviceAccountName?: string | undefined;
  /** What becomes of its objects when it is deleted. @default none: as prune says */
  readonly deletionPolicy?: "MirrorPrune" | "Delete" | "WaitForTermination" | "Orphan" | undefined;
  /** Objects whose health decides, where wait is false. @default none */
  readonly healthChecks?: readonly HealthCheck[] | undefined;
  /** How the health of further kinds is told. @default none */
  readonly healthCheckExprs?: readonly HealthCheckExpr[] | undefined;
  /** Variables of the files. @default none */
  readonly postBuild?: Substitution | undefined;
  /** Patches of the files. @default none */
  readonly patches?: readonly KustomizationPatch[] | undefined;
  /** Images of the files. @default none */
  readonly images?: readonly KustomizationImage[] | undefined;
}

/** Which Kustomizations a stack has. */
export interface KustomizationsOf {
  readonly stack: string;
  /** The folder that they stand in. @default clusters/<stack> */
  readonly path?: string | undefined;
  /** Those that it names. @default apps, of the folder apps/<stack> */
  readonly kustomizations?: readonly Kustomization[] | undefined;
  /** Further sources that these may come from. @default none */
  readonly sources?: readonly Source[] | undefined;
}

export interface KustomizationOptions extends KustomizationsOf {
  /** The demo application as this stack runs it, in the Kustomization apps. @default none */
  readonly demo?: { readonly image?: string | undefined; readonly replicas: number } | undefined;
  /** The configuration that they belong to. @default flux-system, in the namespace of the same name */
  readonly configuration?: Configuration | undefined;
  /** The Secret of Flux's namespace that decrypts. @default none: Flux's own identity does */
  readonly decryptSecret?: string | undefined;
  /** What the cluster reads in place of the repository. @default none */
  readonly artifact?: object | undefined;
}

/** A stack's Kustomizations beside infrastructure: those that it names, else its applications. */
export function kustomizationsOf({ stack, kustomizations }: KustomizationsOf): readonly Kustomization[] {
  return kustomizations ?? defaultKustomizations(stack);
}

/** The names of all that have to become Ready, but for Flux's own. */
export function readyNames(options: KustomizationsOf): string[] {
  return [INFRASTRUCTURE, ...kustomizationsOf(options).flatMap(({ name, suspend }) => (suspend ? [] : [name]))];
}

/** The folders whose files the cluster decrypts. */
export function decryptedFolders(options: KustomizationsOf): string[] {
  const isDecrypted = ({ decryption = KUSTOMIZATION.decryption, source }: Kustomization) =>
    decryption && source === undefined;
  const all = kustomizationsOf(options).filter(isDecrypted);
  return [...all.map(({ path }) => folderOf(path)), infrastructureFolder(options.stack)];
}

/**
 * The cluster's Flux Kustomizations, one file each, and nothing else in their folder: Flux applies every file there, so
 * the payload itself would come without order and decryption.
 */
export function clusterFiles(options: KustomizationOptions): Record<string, string> {
  const { stack, path = clusterFolder(stack), demo } = options;
  const own: Kustomization = { name: INFRASTRUCTURE, path: infrastructureFolder(stack), dependsOn: [] };
  const [apps] = defaultKustomizations(stack);
  const all = [own, ...kustomizationsOf(options)].map((each) => {
    // The application's files are people's own; what the stack says about it is laid over them here.
    const isDemo = demo !== undefined && each.source === undefined && folderOf(each.path) === apps.path;
    return isDemo ? { ...each, patches: [...(each.patches ?? []), demoPatch(demo)] } : each;
  });
  return Object.fromEntries(all.map((each) => [`${path}/${each.name}.yaml`, toYaml(manifest(each, options))]));
}

function manifest(
  { name, path, source, dependsOn = DEPENDS_ON, ...given }: Kustomization,
  { configuration = CONFIGURATION, decryptSecret: secret, sources = [], artifact }: KustomizationOptions,
): Manifest {
  const { wait = (given.healthChecks ?? []).length === 0, decryption = KUSTOMIZATION.decryption } = given;
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name, namespace: configuration.namespace },
    // What is undefined is left out.
    spec: {
      interval: given.interval ?? KUSTOMIZATION.interval,
      retryInterval: given.retryInterval ?? KUSTOMIZATION.retryInterval,
      timeout: given.timeout ?? KUSTOMIZATION.timeout,
      path: `./${folderOf(path)}`,
      prune: given.prune ?? KUSTOMIZATION.prune,
      // With wait, Flux looks at no health check.
      wait,
      sourceRef: sourceRefOf(source, sources, { kind: rootKind(artifact), name: configuration.name }),
      decryption: decryption
        ? { provider: "sops", secretRef: secret === undefined ? undefined : { name: secret } }
        : undefined,
      dependsOn: dependsOn.length > 0 ? dependsOn.map((each) => ({ name: each })) : undefined,
      suspend: given.suspend || undefined,
      force: given.force || undefined,
      targetNamespace: given.targetNamespace,
      serviceAccountName: given.serviceAccountName,
      deletionPolicy: given.deletionPolicy,
      healthChecks: given.healthChecks,
      healthCheckExprs: given.healthCheckExprs,
      postBuild: given.postBuild,
      patches: given.patches,
      images: given.images,
    },
  };
}

function demoPatch({ image, replicas }: NonNullable<KustomizationOptions["demo"]>): KustomizationPatch {
  const template = { spec: { containers: [{ name: DEMO, image }] } };
  const patch = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: DEMO, namespace: DEMO },
    spec: { replicas, ...(image === undefined ? {} : { template }) },
  };
  return { target: { kind: "Deployment", name: DEMO, namespace: DEMO }, patch: toYaml(patch) };
}
