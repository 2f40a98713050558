// Further sources of a stack's Kustomizations, beside the repository, in the words of Flux
// (https://fluxcd.io/flux/components/source/): what they are, and why some cannot be. Plain data in, data out.
import { addressFault, isDevOps, parseRepositoryUrl } from "../../net/gitAddress.ts";
import { SOURCE } from "../defaults.ts";
import { FLUX_NAMESPACE, GIT_REPOSITORY, HELM_REPOSITORY, type Released, releaseName } from "./names.ts";
import { type Manifest, toYaml } from "./yaml.ts";

export const SOURCE_KINDS = ["GitRepository", "OCIRepository", "Bucket"] as const;

/** A further source of a stack's Kustomizations. */
export interface Source {
  /** Its name; Kustomizations name it as their source. */
  readonly name: string;
  readonly kind: (typeof SOURCE_KINDS)[number];
  /** Where it is: `https://` or `ssh://` of Git, `oci://`, or the endpoint of a Bucket's storage account. */
  readonly url: string;
  /** The branch of a GitRepository. @default none */
  readonly branch?: string | undefined;
  /** The tag of a GitRepository or an OCIRepository. @default none */
  readonly tag?: string | undefined;
  /** A range of versions, of which the newest tag is taken. @default none */
  readonly semver?: string | undefined;
  /** The commit of a GitRepository, by its SHA; with a branch, one of it. @default none */
  readonly commit?: string | undefined;
  /** The digest of an OCIRepository's artifact; with a tag, which then only tells people. @default none */
  readonly digest?: string | undefined;
  /** The container of a Bucket. @default none */
  readonly bucketName?: string | undefined;
  /** `azure`: the identity of Flux's controllers signs in, which has to have the right to. @default none */
  readonly provider?: "azure" | undefined;
  /** The Secret of Flux's namespace that signs in, one of the stack's. @default none: everybody may read it */
  readonly secret?: string | undefined;
  /** The Secret of Flux's namespace with the cosign keys that have to have signed an OCIRepository's artifact. @default none */
  readonly verify?: string | undefined;
  /** How often it is looked at, as Flux writes a duration. @default "5m0s" */
  readonly interval?: string | undefined;
}

/** What decides about a further source; what is faulty or absent may be undefined. */
export type SourceOptions = { readonly [K in keyof Source]?: Source[K] | undefined };

/** The files of sources, by path below the stack's infrastructure folder. */
export function sourceFiles(sources: readonly Source[], namespace = FLUX_NAMESPACE): Record<string, string> {
  return Object.fromEntries(
    sources.map((source) => [`sources/${source.name}.yaml`, toYaml(manifest(source, namespace))]),
  );
}

/** The sources that a look at the cluster finds: `<kind>/<name>`. */
export const sourceNames = (sources: readonly Source[]): string[] => sources.map(({ kind, name }) => `${kind}/${name}`);

/** The object that a Kustomization comes from: the named source, else the repository, or what is read in place of it. */
export function sourceRefOf(
  name: string | undefined,
  sources: readonly Source[],
  repository: { readonly kind: string; readonly name: string },
) {
  const found = name === undefined ? undefined : sources.find((source) => source.name === name);
  return found === undefined ? repository : { kind: found.kind, name: found.name };
}

function manifest(source: Source, namespace: string): Manifest {
  const { kind, name, interval = SOURCE.interval, url, provider, secret, verify, bucketName } = source;
  const { branch, tag, semver, commit, digest } = source;
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind,
    metadata: { name, namespace },
    // What is undefined is left out.
    spec: {
      interval,
      provider,
      ...(kind === "Bucket"
        ? { endpoint: url, bucketName }
        : { url, ref: kind === "GitRepository" ? { branch, tag, semver, commit } : { tag, semver, digest } }),
      secretRef: secret === undefined ? undefined : { name: secret },
      verify: verify === undefined ? undefined : { provider: "cosign", secretRef: { name: verify } },
    },
  };
}

/** Why one source of a list cannot be as it is. */
export interface SourceDisorder {
  /** Which one. */
  readonly at: number;
  readonly key: keyof SourceOptions;
  /** Left out where it may hold a credential. */
  readonly value?: unknown;
  /** As a phrase that follows the property. */
  readonly problem: string;
  readonly remedy: string;
}

/** What sources stand beside. */
export interface Beside {
  /** The stack's charts, whose sources are called as their releases. */
  readonly charts: readonly (Released | undefined)[];
  /** The stack's secrets; undefined where they are not to be read. */
  readonly secrets:
    | readonly ({ readonly name?: string | undefined; readonly namespace?: string | undefined } | undefined)[]
    | undefined;
}

/** Everything about a stack's further sources that Flux would refuse, or that would never become Ready. */
export function sourceDisorders(
  all: readonly SourceOptions[],
  beside: Beside,
  namespace = FLUX_NAMESPACE,
): SourceDisorder[] {
  return all.flatMap((source, at) => {
    const found = (key: keyof SourceOptions, problem: string, remedy: string): SourceDisorder => {
      const value = key === "url" ? undefined : source[key];
      return { at, key, ...(value === undefined ? {} : { value }), problem, remedy };
    };
    return [
      ...takenName(source, all.slice(0, at), beside, found),
      ...(source.kind === undefined ? [] : FORMS[source.kind](source, found)),
      ...foreignKeys(source, found),
      ...missingSecrets(source, beside, namespace, found),
    ];
  });
}

/** What is faulty of the form of a single source, and of the Secrets that it names. */
export function formDisorders(
  source: SourceOptions & Pick<Source, "kind">,
  secrets: Beside["secrets"],
  namespace = FLUX_NAMESPACE,
): Omit<SourceDisorder, "at">[] {
  const found: Found = (key, problem, remedy) => ({
    ...{ at: 0, key, problem, remedy },
    ...(key === "url" || source[key] === undefined ? {} : { value: source[key] }),
  });
  const beside = { charts: [], secrets };
  const all = [...FORMS[source.kind](source, found), ...missingSecrets(source, beside, namespace, found)];
  return all.map(({ at: _, ...fault }) => fault);
}

type Found = (key: keyof SourceOptions, problem: string, remedy: string) => SourceDisorder;

function takenName({ name }: SourceOptions, before: readonly SourceOptions[], { charts }: Beside, found: Found) {
  if (name === undefined) return [];
  const problem =
    name === GIT_REPOSITORY
      ? "is the name of the repository's own source"
      : before.some((other) => other.name === name)
        ? "is the name of another source"
        : charts.some((chart) => chart !== undefined && releaseName(chart) === name)
          ? "is the name of a chart's release, whose source is called the same"
          : name === HELM_REPOSITORY
            ? "is the name of the HelmRepository that the program writes"
            : undefined;
  return problem === undefined ? [] : [found("name", problem, "choose another name")];
}

/** Which properties each kind has, beside those of all. */
const KEYS: Readonly<Record<Source["kind"], readonly (keyof SourceOptions)[]>> = {
  GitRepository: ["branch", "tag", "semver", "commit"],
  OCIRepository: ["tag", "semver", "digest", "verify"],
  Bucket: ["bucketName"],
};

function foreignKeys(source: SourceOptions, found: Found): SourceDisorder[] {
  const { kind } = source;
  if (kind === undefined) return [];
  const others = [...new Set(Object.values(KEYS).flat())].filter((key) => !KEYS[kind].includes(key));
  return others
    .filter((key) => source[key] !== undefined)
    .map((key) =>
      found(
        key,
        `is nothing that ${kind === "OCIRepository" ? "an" : "a"} ${kind} has`,
        `leave it out; a ${kind} has ${KEYS[kind].join(", ")}`,
      ),
    );
}

const FORMS: Readonly<Record<Source["kind"], (source: SourceOptions, found: Found) => SourceDisorder[]>> = {
  GitRepository(source, found) {
    const { url, branch, tag, semver, commit, provider, secret } = source;
    const fault = url === undefined ? undefined : addressFault(url);
    const address = url === undefined ? undefined : parseRepositoryUrl(url);
    const named = [branch, tag, semver].filter((one) => one !== undefined).length;
    return [
      ...(fault ? [found("url", fault.problem, fault.remedy)] : []),
      ...(named > 1 || (commit !== undefined && (tag ?? semver) !== undefined)
        ? [found("branch", "stands beside another word on what is taken", "write one of branch, tag and semver")]
        : []),
      ...(named === 0 && commit === undefined
        ? [found("branch", "is missing, and so are tag, semver and commit", "write one of them")]
        : []),
      ...(address && provider === "azure" && !isDevOps(address)
        ? [found("provider", "signs in to Azure DevOps alone, over HTTPS", "leave it out, and name a secret")]
        : []),
      ...(address?.scheme === "ssh" && secret === undefined
        ? [
            found(
              "secret",
              "is missing: over SSH nobody reads without a key",
              "name one with the keys identity and known_hosts",
            ),
          ]
        : []),
      ...both(source, found),
    ];
  },
  OCIRepository(source, found) {
    const { url, tag, semver, digest, provider } = source;
    const isRegistry = url !== undefined && /^oci:\/\/[a-z0-9]+\.azurecr\.io\//.test(url);
    return [
      ...(url !== undefined && !/^oci:\/\/[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+$/.test(url)
        ? [
            found(
              "url",
              "is no address of an OCI artifact",
              "write oci://<host>/<repository> without tag and digest, for example oci://ghcr.io/acme/manifests",
            ),
          ]
        : []),
      ...(tag !== undefined && semver !== undefined
        ? [found("semver", "stands beside a tag", "write one of tag and semver")]
        : []),
      ...(tag === undefined && semver === undefined && digest === undefined
        ? [found("tag", "is missing, and so are semver and digest", "write one of them")]
        : []),
      ...(url !== undefined && provider === "azure" && !isRegistry
        ? [found("provider", "signs in to a registry of Azure alone", "leave it out, and name a secret")]
        : []),
      ...both(source, found),
    ];
  },
  Bucket(source, found) {
    const { url, bucketName, provider } = source;
    return [
      ...(url !== undefined && !/^https:\/\/[a-z0-9]{3,24}\.blob\.core\.windows\.net$/.test(url)
        ? [
            found(
              "url",
              "is no endpoint of a storage account",
              "write https://<account>.blob.core.windows.net, and the container as bucketName",
            ),
          ]
        : []),
      ...(bucketName === undefined ? [found("bucketName", "is missing", "write the container's name")] : []),
      ...(provider === undefined
        ? [found("provider", "is missing: a Bucket is one of Azure's here", "write azure")]
        : []),
    ];
  },
};

function both({ provider, secret }: SourceOptions, found: Found): SourceDisorder[] {
  if (provider === undefined || secret === undefined) return [];
  return [found("secret", "signs in beside the controllers' identity", "leave it or provider out")];
}

function missingSecrets(source: SourceOptions, { secrets }: Beside, namespace: string, found: Found): SourceDisorder[] {
  if (secrets === undefined) return [];
  const isThere = (name: string) => secrets.some((one) => one?.name === name && one.namespace === namespace);
  return (["secret", "verify"] as const).flatMap((key) => {
    const name = source[key];
    if (name === undefined || isThere(name)) return [];
    const problem = `is no secret of namespace ${namespace} that the stack has`;
    return [found(key, problem, `add it to aks-gitops:secrets with namespace: ${namespace}`)];
  });
}
