import type * as pulumi from "@pulumi/pulumi";
import { MOST_TAGS, OWNER_TAG } from "../defaults.ts";
import { type Fault, unlike } from "./faults.ts";

/**
 * Tags of Azure resources, by their names: at most 49, as the cluster has one of its own, `aks-gitops`; a name of at most
 * 512 characters, none of them one of `<>%&\?/`, a
 * value of at most 256: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
 */
export type Tags = Readonly<Record<string, pulumi.Input<string>>>;

/** The `tags` of a resource; none at all where there are none, so that those which others gave it stay unnoticed. */
export function tagged(tags: Tags | undefined): { readonly tags?: Record<string, pulumi.Input<string>> } {
  return tags && Object.keys(tags).length > 0 ? { tags: { ...tags } } : {};
}

/** Tags that Azure does not take. */
export function tagFaults(tags: Tags = {}): Fault[] {
  const names = Object.keys(tags);
  const problem = `are ${names.length}, and Azure takes ${MOST_TAGS} beside the cluster's own`;
  const taken = names.find((name) => name.toLowerCase() === OWNER_TAG);
  const remedy = "give a name of 1 to 512 characters, none of them one of <>%&\\?/";
  return [
    ...(names.length > MOST_TAGS ? [{ argument: "tags", problem, remedy: "leave some out" }] : []),
    ...(taken === undefined
      ? []
      : [{ argument: "tags", value: taken, problem: "says whose a cluster is", remedy: "give the tag another name" }]),
    ...names.flatMap((name) => unlike("tags", name, /^[^<>%&\\?/]{1,512}$/, "have a name that is none", remedy)),
    ...Object.entries(tags).flatMap(([name, value]) =>
      unlike(`tags.${name}`, value, /^.{0,256}$/s, "is too long", "give at most 256 characters"),
    ),
  ];
}
