// ARM ids of a cluster's network, and what nodes are marked with; no Pulumi in here.

/** Whether two ARM ids are the same. */
export const sameId = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** The id of the virtual network that a subnet is in. */
export const networkOf = (subnetId: string): string => subnetId.replace(/\/subnets\/[^/]+$/i, "");

/** A label's name, but for AKS's own: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels */
export const LABEL =
  /^(?!([a-z0-9-]+\.)*kubernetes\.azure\.com\/)([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** A label's value. */
export const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** A node's taint: key, perhaps a value, and effect. */
export const TAINT =
  /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?(=([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?)?:(NoSchedule|PreferNoSchedule|NoExecute)$/;
