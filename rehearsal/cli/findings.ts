// What a run led to, from what its cloud and its repository hold: lists for the report, and every fault in words.
import type { InspectedFluxObject, InspectedRegistry, Inspection } from "../world/inspection.ts";
import type { Facts, LookedAt } from "./facts.ts";
import { armFaults, fluxFaults, lookedAt, promiseFaults } from "./promises.ts";
import type { SecretInGit } from "./secretsInGit.ts";

/** A Flux object as the report lists it. */
export interface FoundObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly ready: boolean;
  readonly suspended: boolean;
  /** When its Ready condition last changed, in ISO 8601; empty where it has none. */
  readonly since: string;
  readonly revision: string;
  /** The object's own words. */
  readonly message: string;
}

export interface FoundKustomization extends FoundObject {
  readonly path: string;
  readonly dependsOn: readonly string[];
  /** How many objects it applied. */
  readonly objects: number;
}

export interface FoundRelease extends FoundObject {
  readonly chart: string;
  readonly targetNamespace: string;
}

export interface FoundSource extends FoundObject {
  readonly url: string;
}

export interface FoundImage {
  /** As the cluster would pull it. */
  readonly reference: string;
  readonly source: string;
  readonly digest: string;
  readonly found: boolean;
}

export interface FoundChart {
  readonly name: string;
  readonly version: string;
  readonly reference: string;
  readonly digest: string;
  readonly found: boolean;
}

export interface FoundPodImage {
  readonly image: string;
  readonly pods: readonly string[];
  /** Whether the cluster's nodes could pull it. */
  readonly found: boolean;
}

export interface FoundSecret {
  readonly name: string;
  readonly namespace: string;
  /** The encrypted file in the repository. */
  readonly file: string;
  /** The keys that the cluster has in plain text; none where it has not got the secret. */
  readonly keys: readonly string[];
  readonly decrypted: boolean;
}

export interface Findings {
  /** What was promised and therefore looked for. */
  readonly looked: readonly LookedAt[];
  readonly kustomizations: readonly FoundKustomization[];
  readonly helmReleases: readonly FoundRelease[];
  readonly sources: readonly FoundSource[];
  readonly images: readonly FoundImage[];
  readonly charts: readonly FoundChart[];
  readonly podImages: readonly FoundPodImage[];
  readonly secrets: readonly FoundSecret[];
  /** What is wrong; each names the object and why. */
  readonly faults: readonly string[];
}

/** What was found after a run. */
export function findings(facts: Facts): Findings {
  const { expected, inspection, lock, inGit } = facts;
  const registry = inspection.registries[0];
  const { objects = [], podImages = [] } = inspection.cluster ?? {};
  const of = (kind: string) => objects.filter((object) => object.kind === kind);
  const images = lock.images.map(({ source, digest, repository }) => ({
    source,
    digest,
    reference: registry === undefined ? "" : `${registry.loginServer}/${repository}@${digest}`,
    found: holds(registry, repository, digest),
  }));
  const charts = lock.charts.map(({ name, version, manifest }) => ({
    name,
    version,
    digest: manifest,
    reference: registry === undefined ? "" : `oci://${registry.loginServer}/charts/${name}:${version}`,
    found: holds(registry, `charts/${name}`, manifest),
  }));
  const secrets = inGit.map((secret) => foundSecret(secret, inspection));
  return {
    looked: lookedAt(facts),
    kustomizations: of("Kustomization").map((object) => ({
      ...listed(object),
      path: object.path ?? "",
      dependsOn: object.dependsOn,
      objects: object.inventory.length,
    })),
    helmReleases: of("HelmRelease").map((object) => ({
      ...listed(object),
      chart: object.chart ?? "",
      targetNamespace: object.targetNamespace ?? "",
    })),
    sources: objects
      .filter(({ kind }) => /^(GitRepository|OCIRepository|HelmRepository|HelmChart|Bucket)$/.test(kind))
      .map((object) => ({ ...listed(object), url: object.url ?? "" })),
    images,
    charts,
    podImages: podImages.map(({ image, pods, problem }) => ({ image, pods, found: problem === undefined })),
    secrets,
    faults: [
      ...promiseFaults(facts),
      ...(expected.hasIdentity ? rightFaults(inspection, secrets.length > 0) : []),
      ...(registry === undefined ? ["there is no container registry"] : contentFaults(images, charts)),
      ...podImages.flatMap(({ image, pods, problem }) =>
        problem === undefined ? [] : [`image ${image} of pod ${pods.join(", ")} ${problem}`],
      ),
      ...fluxFaults(facts),
      ...armFaults(facts),
      ...sharedObjects(objects),
      ...secretFaults(inGit, secrets),
    ],
  };
}

const contentFaults = (images: readonly FoundImage[], charts: readonly FoundChart[]) => [
  ...images.filter(({ found }) => !found).map(({ source }) => `image ${source} is not in the registry`),
  ...charts.filter(({ found }) => !found).map(({ name }) => `chart ${name} is not in the registry`),
];

const holds = (registry: InspectedRegistry | undefined, repository: string, digest: string) =>
  registry?.repositories[repository]?.digests.includes(digest) === true;

const listed = (object: InspectedFluxObject): FoundObject => {
  const { kind, name, namespace, ready, suspended, since, revision, message } = object;
  return { kind, name, namespace, ready, suspended, since, revision, message };
};
/** Rights that are missing: Flux's own words on them speak of tokens and status codes. */
function rightFaults({ registries, keys, federatedServiceAccounts, cluster }: Inspection, hasSecrets: boolean) {
  const faults: string[] = [];
  if (cluster === undefined || cluster.objects.length === 0) return faults; // what is missing is told already
  // Without any credential nobody can say which identity is Flux's.
  const isKnown = federatedServiceAccounts.length > 0;
  for (const { loginServer, fluxPulls } of registries)
    if (isKnown && !fluxPulls)
      faults.push(`the identity of Flux's controllers may not pull from ${loginServer}: AcrPull is missing`);
  if (isKnown && hasSecrets && !keys.some(({ fluxDecrypts }) => fluxDecrypts))
    faults.push(
      "the identity of Flux's controllers may decrypt with no key: a role with keys/decrypt/action is missing on it",
    );
  for (const account of ["flux-system/source-controller", "flux-system/kustomize-controller"])
    if (!federatedServiceAccounts.includes(account))
      faults.push(
        `no federated credential of Flux's identity has the subject system:serviceaccount:${account.replace("/", ":")}: the controller gets no token`,
      );
  return faults;
}

/** Objects in the inventories of two Kustomizations: each would undo the other's. */
function sharedObjects(objects: readonly InspectedFluxObject[]): string[] {
  const owners = new Map<string, string[]>();
  for (const { name, namespace, inventory } of objects)
    for (const id of inventory) owners.set(id, [...(owners.get(id) ?? []), `${namespace}/${name}`]);
  return [...owners]
    .filter(([, names]) => names.length > 1)
    .map(([id, names]) => `${id} is in the inventories of two Kustomizations: ${names.join(" and ")}`);
}

function foundSecret({ name, namespace, file }: SecretInGit, { cluster }: Inspection): FoundSecret {
  const found = cluster?.secrets.find((secret) => secret.name === name && secret.namespace === namespace);
  return { name, namespace, file, keys: found?.keys ?? [], decrypted: found?.isDecrypted === true };
}

function secretFaults(inGit: readonly SecretInGit[], secrets: readonly FoundSecret[]): string[] {
  const plain = inGit
    .filter(({ isEncrypted }) => !isEncrypted)
    .map(({ file, namespace, name }) => `${file}: Secret ${namespace}/${name} is in Git without encryption`);
  const missing = secrets
    .filter(({ decrypted }) => !decrypted)
    .map(({ file, namespace, name, keys }) =>
      keys.length > 0
        ? `Secret ${namespace}/${name} of ${file} has ciphertext in the cluster`
        : `Secret ${namespace}/${name} of ${file} is not in the cluster`,
    );
  return [...plain, ...missing];
}
