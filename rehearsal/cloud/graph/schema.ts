// What Microsoft Graph v1.0 lets a caller write on applications and service principals.
// https://learn.microsoft.com/graph/api/resources/application and .../serviceprincipal
import { GraphFault } from "./errors.ts";

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const optionalText: Check = (value) => value === null || text(value);
const texts: Check = (value) => Array.isArray(value) && value.every(text);
const record: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const records: Check = (value) => Array.isArray(value) && value.every(record);
const oneOf =
  (...values: string[]): Check =>
  (value) =>
    text(value) && values.includes(value as string);

export interface EntitySchema {
  /** As Graph names it in errors. */
  readonly name: string;
  readonly writable: Readonly<Record<string, Check>>;
  readonly required: readonly string[];
  readonly readOnly: readonly string[];
}

export const applicationSchema: EntitySchema = {
  name: "Application",
  required: ["displayName"],
  readOnly: ["id", "appId", "createdDateTime", "deletedDateTime", "publisherDomain", "passwordCredentials"],
  writable: {
    displayName: (value) => text(value) && value !== "",
    description: optionalText,
    notes: optionalText,
    identifierUris: texts,
    tags: texts,
    signInAudience: oneOf(
      "AzureADMyOrg",
      "AzureADMultipleOrgs",
      "AzureADandPersonalMicrosoftAccount",
      "PersonalMicrosoftAccount",
    ),
    // An empty list says that there is no certificate; one with a certificate would have to be checked.
    keyCredentials: (value) => Array.isArray(value) && value.length === 0,
    groupMembershipClaims: optionalText,
    serviceManagementReference: optionalText,
    isDeviceOnlyAuthSupported: (value) => value === null || flag(value),
    isFallbackPublicClient: (value) => value === null || flag(value),
    api: record,
    appRoles: records,
    info: record,
    optionalClaims: (value) => value === null || record(value),
    publicClient: record,
    requiredResourceAccess: records,
    spa: record,
    web: record,
    "owners@odata.bind": texts,
  },
};

export const servicePrincipalSchema: EntitySchema = {
  name: "ServicePrincipal",
  required: ["appId"],
  readOnly: ["id", "appDisplayName", "appOwnerOrganizationId", "servicePrincipalType", "deletedDateTime"],
  writable: {
    appId: text,
    accountEnabled: flag,
    alternativeNames: texts,
    appRoleAssignmentRequired: flag,
    description: optionalText,
    loginUrl: optionalText,
    notes: optionalText,
    notificationEmailAddresses: texts,
    preferredSingleSignOnMode: optionalText,
    samlSingleSignOnSettings: (value) => value === null || record(value),
    tags: texts,
    "owners@odata.bind": texts,
  },
};

/**
 * Refuses a body that Graph would refuse.
 * @param creating whether required properties must be there.
 */
export function checkBody(schema: EntitySchema, body: Readonly<Record<string, unknown>>, creating: boolean): void {
  for (const [name, value] of Object.entries(body)) {
    if (schema.readOnly.includes(name)) {
      throw new GraphFault(400, "Request_BadRequest", `Property '${name}' is read-only and cannot be set.`);
    }
    const check = schema.writable[name];
    if (!check) throw new GraphFault(400, "Request_BadRequest", `Invalid property '${name}'.`);
    if (!check(value)) {
      const word = `Invalid value specified for property '${name}' of resource '${schema.name}'.`;
      throw new GraphFault(400, "Request_BadRequest", word);
    }
  }
  for (const name of creating ? schema.required : []) {
    if (body[name] === undefined) {
      const word = `A value is required for property '${name}' of resource '${schema.name}'.`;
      throw new GraphFault(400, "Request_BadRequest", word);
    }
  }
}
