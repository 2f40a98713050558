// The stand-in for Pulumi's azure-native: the provider as the engine sees it.

import type { Properties, Provider } from "../../../plugin/handler.ts";
import { claimsOf, type EntraClient, EntraTokens, entraClient } from "../shared/entra.ts";
import { sendJson } from "../shared/http.ts";
import { isFields, sdkVersion, text } from "../shared/values.ts";
import { ArmClient } from "./arm.ts";
import { type ArmType, resourceId } from "./armType.ts";
import { toOutputs } from "./shape.ts";
import { type Azure, TypeHandler } from "./typeHandler.ts";
import { armTypes } from "./types/index.ts";

const GRAPH = "https://graph.microsoft.com";
/** What azure-native asks with for a resource group's location. */
const GROUP_API = "2020-10-01";

interface Session extends Azure {
  readonly client: EntraClient;
  readonly tokens: EntraTokens;
}

/** A provider for the types of `armTypes`; credentials are read when it is configured. */
export function azureNative(): Provider {
  let session: Session | undefined;
  const current = () => {
    if (session === undefined) throw new Error("azure-native was not configured");
    return session;
  };
  return {
    name: "azure-native",
    version: sdkVersion("azure-native"),
    async configure(config) {
      session = open(config);
    },
    resource(token) {
      const type = armTypes.get(token);
      return type === undefined ? undefined : new TypeHandler(type, current);
    },
    async invoke(token, args) {
      if (token === "azure-native:authorization:getClientConfig") return clientConfig(current());
      const type = armTypes.get(token.replace(/:get([A-Z]\w*)$/, ":$1"));
      if (type === undefined) throw new Error(`the stand-in for azure-native has no function ${token}`);
      return look(type, args, current());
    },
  };
}

function open(config: Properties): Session {
  const client = entraClient(config);
  const subscriptionId = text(config.subscriptionId) || process.env.ARM_SUBSCRIPTION_ID;
  if (!subscriptionId) {
    throw new Error("no subscription: set ARM_SUBSCRIPTION_ID or `azure-native:subscriptionId`");
  }
  const tokens = new EntraTokens(client);
  const arm = new ArmClient(tokens);
  const known = new Map<string, string>();
  const locations = {
    configured: text(config.location) || process.env.ARM_LOCATION || undefined,
    async ofGroup(name: string) {
      const kept = known.get(name);
      if (kept !== undefined) return kept;
      const id = `/subscriptions/${subscriptionId}/resourceGroups/${encodeURIComponent(name)}`;
      const group = await arm.get(id, GROUP_API).catch(() => undefined);
      const location = text(group?.location);
      if (location !== undefined) known.set(name, location);
      return location;
    },
  };
  return { subscriptionId, client, tokens, arm, locations };
}

/** A resource that is there, as a function `get...` gives it. */
async function look(type: ArmType, args: Properties, { arm, subscriptionId }: Session): Promise<Properties> {
  const id = resourceId(type.path, { ...args, subscriptionId });
  const body = await arm.get(id, type.apiVersion);
  if (body === undefined)
    throw new Error(`Status=404 Code="ResourceNotFound" Message="The Resource '${id}' was not found."`);
  return { ...toOutputs(type, body), azureApiVersion: type.apiVersion };
}

/** The token tells who signed in; where it has no `oid`, Graph does. */
async function clientConfig({ client, tokens, subscriptionId }: Session): Promise<Properties> {
  const token = await tokens.token(`${GRAPH}/.default`);
  const claims = claimsOf(token);
  const clientId = claims.appId ?? client.clientId;
  const objectId = claims.objectId ?? (await lookUp(clientId, token));
  return { clientId, objectId, subscriptionId, tenantId: claims.tenantId ?? client.tenantId };
}

async function lookUp(clientId: string, token: string): Promise<string> {
  const url = `${GRAPH}/v1.0/servicePrincipals?$filter=${encodeURIComponent(`appId eq '${clientId}'`)}`;
  const { status, body } = await sendJson(url, { method: "GET", headers: { authorization: `Bearer ${token}` } });
  const found = isFields(body) && Array.isArray(body.value) ? body.value : [];
  const id = found.length === 1 ? text(found[0].id) : undefined;
  if (id === undefined) {
    throw new Error(`Graph gives ${found.length} service principals of client ${clientId} (status ${status}), not one`);
  }
  return id;
}
