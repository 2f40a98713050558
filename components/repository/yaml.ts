import { Document } from "yaml";

/** A Kubernetes object, or a file in the same manner. */
export type Manifest = Readonly<Record<string, unknown>>;

/** Objects as the text of one YAML file, in their order. */
export function toYaml(...manifests: readonly Manifest[]): string {
  return manifests
    .map((manifest) => new Document(manifest, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 }))
    .join("---\n");
}
