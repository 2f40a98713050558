// getExisting: looks at what is in Azure already and stays somebody else's, before anything is made that leans on it.

import * as z from "zod";
import { ARM_GROUP, armIdPattern } from "../../net/armId.ts";
import { contains, parseNetwork } from "../../net/cidr.ts";
import { flag, functionOf, type Inputs, matching, resourceSchema, type SchemaFunction } from "../../plugin/schema.ts";
import { ArmError } from "./armClient.ts";
import { armGet, azure, type Cloud } from "./cloud.ts";
import { sameName } from "./names.ts";

const inGroup = (type: string, below = "") => new RegExp(armIdPattern(type, below), "i");

/** The schema of `gitops:index:getExisting`. */
export const GET_EXISTING = resourceSchema({
  token: "gitops:index:getExisting",
  description:
    "Looks at a resource group, registry, vault, key or log workspace that is there already, and says what keeps it from " +
    "being used. It needs Reader there and changes nothing.",
  inputs: {
    id: matching(
      /^\/subscriptions\/[^/?#]+\/resourceGroups\/[^/?#]+(\/providers\/[^?#]+)?$/i,
      "the ARM id of a resource group, or of a registry, vault, key or log workspace in one",
    ).describe("Its ARM id, in any letters."),
    privateEndpoint: flag.describe("Whether a private endpoint shall lead to it. Default: false.").exactOptional(),
    callers: z
      .array(z.string())
      .describe("Public networks in CIDR notation from which it is to be reached. Default: none that are known.")
      .meta({ fault: "is not a list of networks" })
      .exactOptional(),
    tenantId: z.string().describe("The tenant of those who are to use it. Default: any.").exactOptional(),
    subscriptionId: z.string().describe("The only subscription that it may be in. Default: any.").exactOptional(),
  },
  outputs: {
    id: z.string().describe("Its ARM id in Azure's own letters."),
    faults: z.array(z.string()).describe("What keeps it from being used, each with its remedy."),
    warnings: z.array(z.string()).describe("What may keep some from reaching it."),
  },
});

type Wanted = Inputs<typeof GET_EXISTING>;
type Properties = Readonly<Record<string, unknown>>;

interface Found {
  readonly id?: string;
  readonly sku?: { readonly name?: string };
  readonly properties?: Properties;
}

/** What is to be known of a type. */
interface Kind {
  /** As a fault calls it. */
  readonly name: string;
  readonly pattern: RegExp;
  readonly apiVersion: string;
  /** The command that lists those beside it. */
  readonly list: (id: string) => string;
  readonly faults?: (found: Found, wanted: Wanted) => readonly string[];
  /** Who gets in by its public address: networks, or all. Without it that is not a question. */
  readonly admitted?: (properties: Properties) => readonly string[] | "all";
}

const KINDS: readonly Kind[] = [
  {
    name: "resource group",
    pattern: new RegExp(`^${ARM_GROUP}$`, "i"),
    apiVersion: "2024-03-01",
    list: () => "az group list --query [].id",
  },
  {
    name: "registry",
    pattern: inGroup("Microsoft.ContainerRegistry/registries"),
    // The first stable one that tells how a registry takes roles.
    apiVersion: "2025-11-01",
    list: () => "az acr list --query [].id",
    faults: registryFaults,
    admitted: ({ publicNetworkAccess, networkRuleSet }) =>
      admitted(publicNetworkAccess, networkRuleSet as NetworkRules | undefined),
  },
  {
    name: "vault",
    pattern: inGroup("Microsoft.KeyVault/vaults"),
    apiVersion: "2024-11-01",
    list: () => "az keyvault list --query [].id",
    faults: vaultFaults,
    admitted: ({ publicNetworkAccess, networkAcls }) =>
      admitted(publicNetworkAccess, networkAcls as NetworkRules | undefined),
  },
  {
    name: "key",
    pattern: inGroup("Microsoft.KeyVault/vaults", "/keys/[^/?#]+"),
    apiVersion: "2024-11-01",
    list: (id) => `az keyvault key list --vault-name ${id.split("/")[8]} --query [].name`,
    faults: keyFaults,
  },
  {
    name: "log workspace",
    pattern: inGroup("Microsoft.OperationalInsights/workspaces"),
    apiVersion: "2023-09-01",
    list: () => "az monitor log-analytics workspace list --query [].id",
  },
];

/** The function `gitops:index:getExisting` in a cloud. */
export function getExistingIn(cloud: Cloud): SchemaFunction {
  return functionOf(GET_EXISTING, async (wanted) => {
    const kind = KINDS.find(({ pattern }) => pattern.test(wanted.id));
    const nothing = { id: wanted.id, warnings: [] };
    const fault = (text: string) => ({ ...nothing, faults: [text] });
    if (kind === undefined) return fault(`is the id of none of these: ${KINDS.map(({ name }) => name).join(", ")}`);
    const [, , subscription] = wanted.id.split("/");
    if (wanted.subscriptionId !== undefined && !sameName(subscription, wanted.subscriptionId))
      return fault(
        `is in another subscription than ${wanted.subscriptionId}, in which everything is made. Name a ${kind.name} of ` +
          "that subscription, or give the other one: ARM_SUBSCRIPTION_ID or `azure-native:subscriptionId`",
      );
    try {
      const found = await armGet<Found>(cloud, wanted.id, kind.apiVersion, AbortSignal.timeout(TIMEOUT));
      if (found === undefined) return fault(missing(kind, wanted.id));
      const faults = [...(kind.faults?.(found, wanted) ?? [])];
      return { id: found.id ?? wanted.id, faults, warnings: faults.length > 0 ? [] : shut(kind, found, wanted) };
    } catch (error) {
      const text = error instanceof ArmError ? refused(kind, error) : undefined;
      if (text === undefined) throw error;
      return fault(text);
    }
  });
}

/** The function `gitops:index:getExisting`. */
export const getExisting = getExistingIn(azure);

/** How long a look may take, in milliseconds; a preview waits for it. */
const TIMEOUT = 120_000;

const missing = ({ name, list }: Kind, id: string) =>
  `is not there: there is no such ${name} in subscription ${id.split("/")[2]}, or this sign-in does not know the ` +
  `subscription. \`${list(id)} --subscription ${id.split("/")[2]}\` tells those that there are`;

/** What ARM's refusal means here; undefined where it says nothing of the resource. */
function refused({ name }: Kind, { status, code, message }: ArmError): string | undefined {
  if (status === 401 && /tenant/i.test(`${code} ${message}`))
    return `is in another tenant than the one that is signed in to: ${message}. Sign in to its tenant, or name another ${name}`;
  if (status === 403) return `may not be read: ${message}. Whoever runs this needs Reader there`;
  return undefined;
}

const lastOf = (found: Found) => found.id?.split("/").at(-1) ?? "NAME";

function registryFaults(found: Found, { privateEndpoint = false }: Wanted): string[] {
  const { sku, properties = {} } = found;
  const name = lastOf(found);
  return [
    ...(properties.roleAssignmentMode === "AbacRepositoryPermissions"
      ? [
          "takes roles repository by repository (ABAC), where AcrPull has no effect: nodes and Flux could not pull. Name a " +
            `registry without, or change it: \`az acr update --name ${name} --role-assignment-mode rbac\``,
        ]
      : []),
    ...(privateEndpoint && sku?.name !== "Premium"
      ? [
          `is of tier ${sku?.name}, and private endpoints need Premium: \`az acr update --name ${name} --sku Premium\`, ` +
            "or use it without one",
        ]
      : []),
  ];
}

function vaultFaults(found: Found, { tenantId }: Wanted): string[] {
  const { properties = {} } = found;
  const name = lastOf(found);
  return [
    ...(tenantId !== undefined && !sameName(properties.tenantId, tenantId)
      ? [
          `takes sign-ins of tenant ${properties.tenantId} alone, and those who are to use it are of ${tenantId}. Name a ` +
            "vault of that tenant",
        ]
      : []),
    ...(properties.enableRbacAuthorization === true
      ? []
      : [
          "goes by access policies, where roles have no effect. Name a vault that goes by roles, or change it, whose " +
            `policies have no effect then: \`az keyvault update --name ${name} --enable-rbac-authorization true\``,
        ]),
    ...(properties.enableSoftDelete === false
      ? [
          "has no soft delete: with its key all that was encrypted would be lost at once. Turn it on: " +
            `\`az keyvault update --name ${name} --enable-soft-delete true\``,
        ]
      : []),
  ];
}

function keyFaults({ properties = {} }: Found): string[] {
  const { kty, keySize, keyOps, attributes } = properties as {
    kty?: string;
    keySize?: number;
    keyOps?: readonly string[];
    attributes?: { enabled?: boolean; exp?: number; nbf?: number };
  };
  const now = Date.now() / 1000;
  const lacking = ["encrypt", "decrypt"].filter((operation) => keyOps !== undefined && !keyOps.includes(operation));
  const another = "Name another one, or leave existingKey out: then one is made";
  return [
    ...(String(kty).startsWith("RSA") && (keySize ?? 2048) >= 2048
      ? []
      : [`is ${kty}${keySize ? ` of ${keySize} bits` : ""}, and SOPS needs RSA of 2048 bits or more. ${another}`]),
    ...(lacking.length > 0
      ? [`does not allow to ${lacking.join(" and to ")}. Allow it (\`az keyvault key set-attributes --ops\`)`]
      : []),
    ...(attributes?.enabled === false ? [`is disabled. Enable it, or name another one`] : []),
    ...(attributes?.exp !== undefined && attributes.exp <= now
      ? [`expired on ${dayOf(attributes.exp)}. Rotate it, or name another one`]
      : []),
    ...(attributes?.nbf !== undefined && attributes.nbf > now
      ? [`is not valid before ${dayOf(attributes.nbf)}. Name another one`]
      : []),
  ];
}

const dayOf = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);

interface NetworkRules {
  readonly defaultAction?: string;
  readonly ipRules?: readonly { readonly value?: string }[];
}

function admitted(publicNetworkAccess: unknown, rules: NetworkRules | undefined): readonly string[] | "all" {
  if (String(publicNetworkAccess).toLowerCase() === "disabled") return [];
  if (rules?.defaultAction !== "Deny") return "all";
  return (rules.ipRules ?? []).flatMap(({ value }) => value ?? []);
}

/** Its owner decides who gets in by the public address: that is told, not changed. */
function shut({ name, admitted: by }: Kind, { properties = {} }: Found, wanted: Wanted): string[] {
  const allowed = by?.(properties) ?? "all";
  if (allowed === "all") return [];
  const networks = allowed.flatMap((one) => parseNetwork(one.includes("/") ? one : `${one}/32`) ?? []);
  const out = (wanted.callers ?? []).filter((caller) => {
    const network = parseNetwork(caller);
    return network !== undefined && !networks.some((one) => contains(one, network));
  });
  return [
    ...(wanted.privateEndpoint
      ? []
      : [
          `the ${name} ${wanted.id} is shut to the public, but for ${allowed.length} networks, and gets no private ` +
            "endpoint here: nodes, Flux and whoever runs this reach it by a way that is there already, or not at all",
        ]),
    ...(out.length > 0
      ? [`the public address of the ${name} ${wanted.id} does not let in ${out.join(", ")}: ask its owner to`]
      : []),
  ];
}
