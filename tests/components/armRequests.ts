// The requests that the program makes of Azure Resource Manager for a stack's settings, without an engine or a cloud:
// bodies of azure-native's types as its stand-in makes them, those of the plugin's own as its handlers send them.
import { ArmError } from "../../provider/azure/armClient.ts";
import type { Cloud } from "../../provider/azure/cloud.ts";
import { resourceId } from "../../rehearsal/providers/azure-native/armType.ts";
import { withDefaults } from "../../rehearsal/providers/azure-native/check.ts";
import { toBody } from "../../rehearsal/providers/azure-native/shape.ts";
import { armTypes } from "../../rehearsal/providers/azure-native/types/index.ts";
import type { Maker } from "./deployment.ts";
import { makeOwn, runMade, seedOf } from "./ownResources.ts";

export interface ArmRequest {
  readonly method: "PUT";
  /** Path and query. */
  readonly url: string;
  readonly body: Record<string, unknown>;
}

const SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a";
const TENANT = "00000000-0000-0000-0000-00000000000b";

const HOST = "test-1234.hcp.westeurope.azmk8s.io";
const KUBECONFIG = `clusters: [{ cluster: { server: "https://${HOST}:443", certificate-authority-data: Q0E= } }]`;

/** What Azure says of a resource that it has made. */
function filledIn(id: string): Body {
  const state = { provisioningState: "Succeeded" };
  if (id.includes("/keys/")) return { keyUri: "", keyUriWithVersion: "" };
  if (id.includes("/virtualNetworkPeerings/"))
    return { ...state, peeringState: "Connected", peeringSyncLevel: "FullyInSync" };
  if (id.includes("/virtualNetworkLinks/")) return { ...state, virtualNetworkLinkState: "Completed" };
  if (id.includes("/publicIPAddresses/")) return { ...state, ipAddress: "203.0.113.7" };
  if (/\/managedClusters\/[^/]+$/.test(id))
    return { ...state, fqdn: HOST, oidcIssuerProfile: { enabled: true, issuerURL: "https://issuer/" } };
  return state;
}

/** An Azure Monitor workspace tells of the data collection rule that Azure made with it. */
const ownRule = (token: string, id: string): Body =>
  token === "azure-native:monitor:AzureMonitorWorkspace"
    ? { defaultIngestionSettings: { dataCollectionRuleResourceId: `${id}-rule` } }
    : {};

/** All PUTs of a first `up` with such settings, in the program's order. */
export async function armRequests(config: Record<string, unknown>): Promise<readonly ArmRequest[]> {
  const requests: ArmRequest[] = [];
  const resources = new Map<string, Record<string, unknown>>();
  const put = (id: string, apiVersion: string, body: Record<string, unknown>) => {
    requests.push({ method: "PUT", url: `${id}?api-version=${apiVersion}`, body });
    resources.set(id, body);
    // Azure makes a cluster's first pools with it; then they are not as they shall be yet.
    for (const { name, ...pool } of ((body.properties as Body)?.agentPoolProfiles ?? []) as Body[])
      resources.set(`${id}/agentPools/${name}`, { properties: { ...pool, maxCount: Number(pool.maxCount) + 1 } });
  };
  const shown = (id: string) => {
    const found = resources.get(id);
    return { location: "westeurope", ...found, id, properties: { ...(found?.properties as Body), ...filledIn(id) } };
  };
  const cloud = {
    arm: () => ({
      async request(method: string, path: string, version: string, body: Record<string, unknown> = {}) {
        if (path.endsWith("/listClusterUserCredential"))
          return { kubeconfigs: [{ value: Buffer.from(KUBECONFIG).toString("base64") }] };
        if (method === "PUT") put(path, version, body);
        // A list of what is below something.
        if (method === "GET" && path.split("/providers/").at(-1)?.split("/").length === 4)
          return { value: [...resources.keys()].filter((id) => id.startsWith(`${path}/`)).map(shown) };
        if (!resources.has(path)) throw new ArmError(404, "ResourceNotFound", `${path} is not there`);
        return shown(path);
      },
    }),
  } as unknown as Cloud;
  const make: Maker["make"] = async (type, name, inputs) => {
    const seed = seedOf(type, name);
    const native = armTypes.get(type);
    if (native !== undefined) {
      const locations = { configured: "westeurope", ofGroup: async () => undefined };
      const whole = await withDefaults(native, inputs, undefined, name, seed, locations);
      const id = resourceId(native.path, { ...whole, subscriptionId: SUBSCRIPTION });
      put(id, native.apiVersion, toBody(native, whole));
      const state = { name: id.slice(id.lastIndexOf("/") + 1), location: whole.location };
      return { id, state: { ...state, ...ownRule(native.token, id) } };
    }
    return makeOwn(cloud, [], type, name, inputs);
  };
  await runMade(config, { tenantId: TENANT, make });
  return requests;
}

type Body = Record<string, unknown>;
