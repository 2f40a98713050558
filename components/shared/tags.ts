import type * as pulumi from "@pulumi/pulumi";

/** Tags of Azure resources, by their names: at most 50, a name of at most 512 characters, a value of at most 256. */
export type Tags = Readonly<Record<string, pulumi.Input<string>>>;

/** The `tags` of a resource; none at all where there are none, so that those which others gave it stay unnoticed. */
export function tagged(tags: Tags | undefined): { readonly tags?: Record<string, pulumi.Input<string>> } {
  return tags && Object.keys(tags).length > 0 ? { tags: { ...tags } } : {};
}
