// Kubernetes, charts, images and Flux in another version: what runs in the cluster after the change.
import type { Changed } from "./changes.ts";
import type { Artifact, ArtifactChange } from "./model.ts";
import type { Mask } from "./secrets.ts";
import { shownValue } from "./values.ts";

type Inputs = Readonly<Record<string, unknown>>;
type Kind = ArtifactChange["kind"];

interface One extends Artifact {
  readonly kind: Kind;
  readonly name: string;
}

/** What is there before and after of the artifacts that change. */
export function artifactsIn(changes: readonly Changed[], mask: Mask): ArtifactChange[] {
  const text = (value: unknown) => (value === undefined ? "" : shownValue(value, mask));
  const gone: One[] = [];
  const come: One[] = [];
  for (const { resource, old, new: next } of changes) {
    const read = READERS[resource.type];
    if (read === undefined) continue;
    if (resource.operation !== "create") gone.push(...read(old, text, resource.name));
    if (resource.operation !== "delete") come.push(...read(next, text, resource.name));
  }
  const isPair = (one: One) => (other: One) => one.kind === other.kind && one.name === other.name;
  const isSame = (one: One) => (other: One) =>
    isPair(one)(other) && one.version === other.version && one.digest === other.digest;
  // In another registry it is still the same.
  const removed = gone.filter((one) => !come.some(isSame(one)));
  const added = come.filter((one) => !gone.some(isSame(one)));
  const found: ArtifactChange[] = [];
  for (const one of added) {
    const at = removed.findIndex(isPair(one));
    const [before] = at < 0 ? [] : removed.splice(at, 1);
    found.push({ kind: one.kind, name: one.name, ...(before && { from: artifact(before) }), to: artifact(one) });
  }
  found.push(...removed.map((one) => ({ kind: one.kind, name: one.name, from: artifact(one) })));
  const order: readonly Kind[] = ["Kubernetes", "Flux", "chart", "image"];
  return found.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (a.name < b.name ? -1 : 1));
}

const artifact = ({ version, digest }: One): Artifact => ({ version, ...(digest !== undefined && { digest }) });

type Read = (inputs: Inputs, text: (value: unknown) => string, name: string) => readonly One[];

const READERS: Readonly<Record<string, Read>> = {
  // Where none is said, the channel decides.
  "gitops:index:ManagedCluster": ({ kubernetesVersion }, text, name) =>
    kubernetesVersion === undefined ? [] : [{ kind: "Kubernetes", name, version: text(kubernetesVersion) }],
  "gitops:index:ChartMirror": ({ repository, version, manifest }, text) => [
    {
      kind: "chart",
      name: text(repository).split("/").at(-1) ?? "",
      version: text(version),
      digest: text(manifest),
    },
  ],
  "gitops:index:ImageImport": ({ repository, tag, digest }, text) => [
    {
      kind: "image",
      name: text(repository),
      version: text(tag) || "by digest",
      digest: text(digest),
    },
  ],
  "gitops:index:FluxInstall": ({ version }, text) => [{ kind: "Flux", name: "Flux", version: text(version) }],
};
