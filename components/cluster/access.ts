// What Entra groups may do in the cluster, by Azure's own roles: https://learn.microsoft.com/azure/aks/manage-azure-rbac
import * as pulumi from "@pulumi/pulumi";
import { type Fault, notObjectId, unlike } from "../shared/faults.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import type { AccessArgs, Cluster } from "./aksClusterArgs.ts";
import { NAMESPACE, placesOf } from "./names.ts";

const ROLES = {
  Reader: BUILT_IN.aksRbacReader,
  Writer: BUILT_IN.aksRbacWriter,
  Admin: BUILT_IN.aksRbacAdmin,
  ClusterAdmin: BUILT_IN.aksRbacClusterAdmin,
} as const;

/** Lets groups work in a cluster, or in namespaces of it, which need not be there yet. */
export function grantAccess(
  name: string,
  access: readonly AccessArgs[],
  clusterId: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): void {
  const to = (principalId: string) => ({ principalId, principalType: "Group" }) as const;
  for (const group of new Set(access.map((one) => one.group)))
    grant(`${name}-${group}-user`, { ...to(group), role: BUILT_IN.aksClusterUser, scope: clusterId }, opts);
  for (const one of access)
    for (const [label, below] of placesOf(one))
      grant(
        `${name}-${one.group}-${label}`,
        { ...to(one.group), role: ROLES[one.role], scope: pulumi.interpolate`${clusterId}${below}` },
        opts,
      );
}

/** What cannot work of it. */
export function accessFaults({ access }: Pick<Cluster, "access">): Fault[] {
  const places = access.flatMap((one, index) =>
    placesOf(one).map(([label]) => ({ index, key: `${one.group.toLowerCase()} ${label}` })),
  );
  return [
    ...access.flatMap(({ group, role, namespaces }, index) => [
      ...notObjectId(`access[${index}].group`, group),
      ...(namespaces ?? []).flatMap((namespace, at) =>
        unlike(
          `access[${index}].namespaces[${at}]`,
          namespace,
          NAMESPACE,
          "is no name of a namespace",
          "give at most 63 lower-case letters, digits and hyphens, a letter or digit first and last",
        ),
      ),
      ...(role === "ClusterAdmin" && namespaces !== undefined
        ? [
            {
              ...{ argument: `access[${index}].namespaces`, value: namespaces },
              problem: "says nothing beside ClusterAdmin, who may everything in the cluster",
              remedy: "leave it out, or give the role Admin",
            },
          ]
        : []),
    ]),
    ...places
      .filter(({ key }, at) => places.findIndex((other) => other.key === key) < at)
      .map(({ index }) => ({
        argument: `access[${index}]`,
        value: access[index],
        problem: "gives a group a second time what it has",
        remedy: "leave it out: Azure has one assignment of a group, role and place",
      })),
  ];
}
