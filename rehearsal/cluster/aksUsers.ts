// Who may do what in the cluster by Entra's tokens: AKS' sign-in with Azure RBAC, as far as whole roles go.

import { TokenError } from "../cloud/entra/errors.ts";
import type { Entra } from "../cloud/entra/service.ts";
import type { Arm, Caller } from "../cloud/types.ts";
import type { Authenticate } from "./tokenReviews.ts";

/** AKS' server application: the audience of its tokens. */
export const SERVER_ID = "6dae42f8-4368-4678-94ff-3960e28e3630";

/** Groups that stand for a role assignment of Azure on the cluster, and the ClusterRole each is bound to. */
export const azureRoles = [
  {
    group: "azure:cluster-admin",
    clusterRole: "cluster-admin",
    // Of the built-in roles only "Azure Kubernetes Service RBAC Cluster Admin" has it.
    action: "Microsoft.ContainerService/managedClusters/namespaces/write",
  },
  {
    group: "azure:view",
    clusterRole: "view",
    action: "Microsoft.ContainerService/managedClusters/pods/read",
  },
] as const;

/**
 * Looks up tokens in Entra and role assignments in ARM.
 * @param clusterId the managed cluster's id in ARM.
 */
export function aksUsers(entra: Entra, arm: Pick<Arm, "allows">, clusterId: string): Authenticate {
  return (token) => {
    let caller: Caller;
    try {
      caller = entra.authenticate(`Bearer ${token}`, SERVER_ID);
    } catch (error) {
      if (error instanceof TokenError) return undefined;
      throw error;
    }
    const roles = azureRoles.filter(({ action }) => arm.allows(caller, action, clusterId, "data"));
    // AKS names an application by its object id; people would have their user principal name.
    return { username: caller.principal.objectId, groups: [...caller.groups, ...roles.map(({ group }) => group)] };
  };
}
