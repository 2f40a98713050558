// What can be said of a stack without a cluster: does all that Flux would need exist, and may it be had?
import type { Lock } from "../mirror/lock.ts";
import type { InspectedRegistry, Inspection } from "./inspection.ts";
import { type FoundObject, imagesOf, objectName, objectsBelow, type Patch, patched } from "./objects.ts";

/** A Flux object as the report lists it. `ready` and `revision` are there once a cluster reconciled it. */
export interface CheckedObject {
  readonly name: string;
  readonly namespace: string;
  readonly checked: boolean;
  readonly ready?: boolean;
  readonly revision?: string;
}

export interface CheckedKustomization extends CheckedObject {
  readonly path: string;
  readonly dependsOn: readonly string[];
  /** How many objects are below its path. */
  readonly objects: number;
}

export interface CheckedRelease extends CheckedObject {
  readonly chart: string;
  readonly targetNamespace: string;
}

export interface CheckedSource extends CheckedObject {
  readonly kind: string;
  readonly url: string;
}

export interface CheckedImage {
  /** As the cluster would pull it. */
  readonly reference: string;
  readonly source: string;
  readonly digest: string;
  readonly found: boolean;
}

export interface Checks {
  readonly kustomizations: CheckedKustomization[];
  readonly helmReleases: CheckedRelease[];
  readonly sources: CheckedSource[];
  readonly images: CheckedImage[];
  readonly charts: {
    readonly name: string;
    readonly version: string;
    readonly reference: string;
    readonly digest: string;
    readonly found: boolean;
  }[];
  readonly secrets: { readonly name: string; readonly file: string }[];
  /** What would keep the stack from becoming Ready; each names the object and what is wrong. */
  readonly faults: string[];
}

interface FluxSpec {
  readonly path?: string;
  readonly dependsOn?: readonly { readonly name: string }[];
  readonly decryption?: { readonly provider: string };
  readonly patches?: readonly Patch[];
  readonly chartRef?: { readonly kind: string; readonly name: string; readonly namespace?: string };
  readonly targetNamespace?: string;
  readonly url?: string;
  readonly ref?: { readonly tag?: string; readonly digest?: string };
}

const specOf = (found: FoundObject) => (found.object.spec ?? {}) as FluxSpec;
const named = ({ object: { metadata } }: FoundObject) => ({ name: metadata.name, namespace: metadata.namespace ?? "" });
const trimmed = (path: string) => path.replace(/^\.\//, "");

/** Checks a stack's repository against what its cloud holds. */
export async function check(repository: string, lock: Lock, inspection: Inspection): Promise<Checks> {
  const faults: string[] = [];
  const registry = inspection.registries[0];
  const roots = inspection.configurations.flatMap(({ name, namespace, kustomizations }) =>
    kustomizations.map((kustomization) => ({ ...kustomization, name: `${name}-${kustomization.name}`, namespace })),
  );
  if (roots.length === 0) faults.push("no fluxConfiguration names a path: nothing would be reconciled");
  if (registry === undefined) faults.push("there is no container registry: no chart and no image could be pulled");

  const kustomizations: CheckedKustomization[] = [];
  const objects: FoundObject[] = [];
  const owners = new Map<string, string>();
  const take = async (
    name: string,
    namespace: string,
    path: string,
    dependsOn: readonly string[],
    decrypts: boolean,
    patches: readonly Patch[],
  ) => {
    try {
      const found = (await objectsBelow(repository, trimmed(path))).map(({ file, object }) => ({
        file,
        object: patched(object, patches),
      }));
      for (const item of found) {
        const key = objectName(item.object);
        const other = owners.get(key);
        if (other !== undefined && other !== name) faults.push(`${key} is in two Kustomizations: ${other} and ${name}`);
        owners.set(key, name);
        if (item.object.sops !== undefined && !decrypts)
          faults.push(
            `${item.file} is encrypted, but Kustomization ${name} has no decryption: the cluster would get the ciphertext`,
          );
      }
      objects.push(...found);
      kustomizations.push({ name, namespace, path, dependsOn, objects: found.length, checked: true });
      return found;
    } catch (error) {
      faults.push(`Kustomization ${namespace}/${name}: ${(error as Error).message}`);
      kustomizations.push({ name, namespace, path, dependsOn, objects: 0, checked: false });
      return [];
    }
  };
  for (const root of roots) {
    const children = (await take(root.name, root.namespace, root.path, root.dependsOn, false, [])).filter(
      ({ object }) => object.kind === "Kustomization",
    );
    for (const child of children) {
      const { path = "./", dependsOn = [], decryption, patches = [] } = specOf(child);
      const names = dependsOn.map(({ name }) => name);
      await take(
        child.object.metadata.name,
        child.object.metadata.namespace ?? "",
        path,
        names,
        decryption?.provider === "sops",
        patches,
      );
    }
  }
  const known = new Set(kustomizations.map(({ name }) => name));
  for (const { name, dependsOn } of kustomizations)
    for (const other of dependsOn)
      if (!known.has(other)) faults.push(`Kustomization ${name} depends on ${other}, which does not exist`);

  const sources = objects.filter(({ object }) =>
    /^(OCIRepository|GitRepository|HelmRepository|Bucket)$/.test(object.kind),
  );
  const secrets = objects.filter(({ object }) => object.kind === "Secret");
  for (const { file, object } of secrets)
    if (object.sops === undefined) faults.push(`${file}: ${objectName(object)} is in Git without encryption`);
  if (secrets.length > 0) faults.push(...decryptionFaults(inspection));
  return {
    kustomizations,
    helmReleases: objects
      .filter(({ object }) => object.kind === "HelmRelease")
      .map((release) => checkedRelease(release, sources, faults)),
    sources: sources.map((source) => checkedSource(source, registry, faults)),
    images: checkedImages(lock, objects, registry, faults),
    charts: checkedCharts(lock, registry, faults),
    secrets: secrets.map(({ file, object }) => ({ name: objectName(object), file })),
    faults,
  };
}

function decryptionFaults({ keys, federatedServiceAccounts }: Inspection): string[] {
  const faults = [];
  if (!keys.some(({ fluxDecrypts }) => fluxDecrypts))
    faults.push(
      "the identity of Flux's controllers may not decrypt with any key: it has no role with keys/decrypt/action",
    );
  if (!federatedServiceAccounts.includes("flux-system/kustomize-controller"))
    faults.push(
      "no federated credential admits system:serviceaccount:flux-system:kustomize-controller: it gets no token to decrypt with",
    );
  return faults;
}

function checkedRelease(release: FoundObject, sources: FoundObject[], faults: string[]): CheckedRelease {
  const { chartRef, targetNamespace = "" } = specOf(release);
  const { name, namespace } = named(release);
  const source = sources.find(
    ({ object }) =>
      object.kind === chartRef?.kind &&
      object.metadata.name === chartRef.name &&
      object.metadata.namespace === (chartRef.namespace ?? namespace),
  );
  if (source === undefined)
    faults.push(
      `HelmRelease ${namespace}/${name}: its chart's source ${chartRef?.kind} ${chartRef?.name} does not exist`,
    );
  else if (source.object.metadata.namespace !== namespace)
    faults.push(
      `HelmRelease ${namespace}/${name}: its source is in namespace ${source.object.metadata.namespace}, which multi-tenancy refuses`,
    );
  return { name, namespace, chart: chartRef?.name ?? "", targetNamespace, checked: source !== undefined };
}

function checkedSource(source: FoundObject, registry: InspectedRegistry | undefined, faults: string[]): CheckedSource {
  const { url = "", ref } = specOf(source);
  const { name, namespace } = named(source);
  const kind = source.object.kind;
  const prefix = `oci://${registry?.loginServer}/`;
  if (kind !== "OCIRepository" || !url.startsWith(prefix)) return { kind, name, namespace, url, checked: false };
  const repository = registry?.repositories[url.slice(prefix.length)];
  const found =
    ref?.digest === undefined
      ? ref?.tag !== undefined && repository?.tags[ref.tag] !== undefined
      : repository?.digests.includes(ref.digest);
  if (found !== true)
    faults.push(`${kind} ${namespace}/${name}: ${url} ${ref?.digest ?? ref?.tag} is not in the registry`);
  if (registry?.fluxPulls !== true)
    faults.push(
      `${kind} ${namespace}/${name}: the identity of Flux's controllers may not pull from ${registry?.loginServer}: AcrPull is missing`,
    );
  return { kind, name, namespace, url, checked: found === true && registry?.fluxPulls === true };
}

function checkedImages(
  lock: Lock,
  objects: FoundObject[],
  registry: InspectedRegistry | undefined,
  faults: string[],
): CheckedImage[] {
  if (registry !== undefined && !registry.kubeletPulls)
    faults.push(`the cluster's kubelet identity may not pull from ${registry.loginServer}: AcrPull is missing`);
  for (const { file, object } of objects)
    for (const image of imagesOf(object.spec))
      if (!image.startsWith(`${registry?.loginServer}/`))
        faults.push(`${file}: the image ${image} does not come from the registry`);
      else if (!inRegistry(image, registry)) faults.push(`${file}: the image ${image} is not in the registry`);
  return lock.images.map(({ source, digest, repository }) => {
    const found = registry?.repositories[repository]?.digests.includes(digest) === true;
    if (!found) faults.push(`the image ${source} (${digest}) is not in the registry`);
    return { source, digest, reference: `${registry?.loginServer}/${repository}@${digest}`, found };
  });
}

function inRegistry(image: string, registry: InspectedRegistry | undefined): boolean {
  const [, name = "", tag, digest] = /^[^/]+\/([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(image) ?? [];
  const repository = registry?.repositories[name];
  if (repository === undefined) return false;
  return digest === undefined ? repository.tags[tag ?? "latest"] !== undefined : repository.digests.includes(digest);
}

function checkedCharts(lock: Lock, registry: InspectedRegistry | undefined, faults: string[]): Checks["charts"] {
  return lock.charts.map(({ name, version, manifest }) => {
    const found = registry?.repositories[`charts/${name}`]?.digests.includes(manifest) === true;
    if (!found) faults.push(`the chart ${name} ${version} (${manifest}) is not in the registry`);
    return {
      name,
      version,
      digest: manifest,
      reference: `oci://${registry?.loginServer}/charts/${name}:${version}`,
      found,
    };
  });
}
