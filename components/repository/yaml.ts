import { Document } from "yaml";

/** A Kubernetes object, or a file in the same manner. */
export type Manifest = Readonly<Record<string, unknown>>;

/** Objects as the text of one YAML file, in their order. */
export function toYaml(...manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => textOf(new Document(manifest, { aliasDuplicateObjects: false }))).join("---\n");
}

/** A document as the text of a YAML file. */
export function textOf(document: Document): string {
  return document.toString({ lineWidth: 0 });
}
