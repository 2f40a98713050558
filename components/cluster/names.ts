// ARM ids of a cluster's network, what nodes are marked with, and namespaces; no Pulumi in here.

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

/** A namespace's name (RFC 1123). */
export const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Those that Azure's initiatives for pods leave out themselves: a list of one's own takes the place of theirs. */
export const NEVER_LOOKED_AT: readonly string[] = ["kube-system", "gatekeeper-system", "azure-arc"];

/**
 * Where a group may something: what tells it from other places, and what stands after the cluster's id.
 * @param role in the whole cluster, or in the namespaces alone.
 */
export function placesOf({
  role,
  namespaces,
}: {
  readonly role: string;
  readonly namespaces?: readonly string[] | undefined;
}): (readonly [label: string, below: string])[] {
  if (namespaces === undefined) return [[role, ""]];
  return namespaces.map((namespace) => [`${role}-${namespace}`, `/namespaces/${namespace}`]);
}

/** An address of mail, roughly. */
export const EMAIL = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/;
