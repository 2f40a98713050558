// The forms of ARM ids: https://learn.microsoft.com/rest/api/resources/resources/get-by-id

/** A name or id in an ARM id, as the source of a pattern. */
const SEGMENT = "[^/?#]+";

/** The ARM id of a resource group, as the source of a pattern: Azure itself gives the first letters in either case. */
export const ARM_GROUP = `/subscriptions/${SEGMENT}/[rR]esource[gG]roups/${SEGMENT}`;

/**
 * The ARM id of a resource in a group, as the source of a pattern for the whole text.
 * @param type such as Microsoft.Network/virtualNetworks.
 * @param below what follows its name, in words such as `/subnets/<name>`, or as the source of a pattern. @default nothing
 */
export function armIdPattern(type: string, below = ""): string {
  return `^${ARM_GROUP}/providers/${type.replaceAll(".", "\\.")}/${SEGMENT}${below.replace(/<\w+>/g, SEGMENT)}$`;
}

/** The same in words. */
export const armIdWords = (type: string, below = "") =>
  `/subscriptions/<id>/resourceGroups/<group>/providers/${type}/<name>${below}`;
