// ARM ids of a cluster's network; no Pulumi in here.

/** Whether two ARM ids are the same. */
export const sameId = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** The id of the virtual network that a subnet is in. */
export const networkOf = (subnetId: string): string => subnetId.replace(/\/subnets\/[^/]+$/i, "");
