import * as pulumi from "@pulumi/pulumi";

/**
 * A value for those who need some resources to be there before they use it: it arrives when they are, and whoever takes
 * it as an input depends on them. The resources' URNs carry the dependency, because they are known in every preview, so
 * that a new role assignment does not make the value itself unknown.
 */
export function after<T>(value: pulumi.Input<T>, ...resources: readonly pulumi.Resource[]): pulumi.Output<T> {
  const there = resources.map((resource) => resource.urn);
  return pulumi.all([value, ...there]).apply(([known]) => known as T) as pulumi.Output<T>;
}
