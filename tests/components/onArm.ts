// Runs the program against the simulated Resource Manager, without an engine or a cluster: what it makes in Azure is there
// afterwards, beside what the company of the settings had.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../../plugin/handler.ts";
import type { SchemaHandler } from "../../plugin/schema.ts";
import { agentPoolIn } from "../../provider/azure/agentPool.ts";
import type { Cloud as Azure } from "../../provider/azure/cloud.ts";
import { managedClusterIn } from "../../provider/azure/managedCluster.ts";
import { natGatewayIn } from "../../provider/azure/natGateway.ts";
import { networkPeeringIn } from "../../provider/azure/networkPeering.ts";
import { vaultKeyIn } from "../../provider/azure/vaultKey.ts";
import { zoneLinkIn } from "../../provider/azure/zoneLink.ts";
import { parseId } from "../../rehearsal/cloud/arm/ids.ts";
import { resourceId } from "../../rehearsal/providers/azure-native/armType.ts";
import { withDefaults } from "../../rehearsal/providers/azure-native/check.ts";
import { toBody, toOutputs } from "../../rehearsal/providers/azure-native/shape.ts";
import { armTypes } from "../../rehearsal/providers/azure-native/types/index.ts";
import { companyOf } from "../../rehearsal/world/company.ts";
import { SimulatedArm } from "../provider/azure/simulatedArm.ts";
import { Cloud, LOCATION, TENANT_ID } from "../rehearsal/cloud/arm/cloud.ts";
import { settingsOf } from "../settings/settingsOf.ts";
import type { Maker } from "./deployment.ts";
import { run } from "./programRun.ts";

/** The subscription of the mocks. */
export const SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a";

const WAITS = Array<number>(50).fill(5);

/** The plugin's resources that are written to ARM. */
const OWN: Readonly<Record<string, (cloud: Azure) => SchemaHandler>> = {
  "gitops:index:AgentPool": (cloud) => agentPoolIn(cloud, WAITS),
  "gitops:index:ManagedCluster": (cloud) => managedClusterIn(cloud, WAITS),
  "gitops:index:NatGateway": (cloud) => natGatewayIn(cloud, WAITS),
  "gitops:index:NetworkPeering": (cloud) => networkPeeringIn(cloud, WAITS),
  "gitops:index:VaultKey": vaultKeyIn,
  "gitops:index:ZoneLink": (cloud) => zoneLinkIn(cloud, WAITS),
};

/** The state of Azure after a first `up` with such settings, and what was asked of it. */
export interface OnArm {
  readonly cloud: Cloud;
  /** What was there before, as it was, by id. */
  readonly before: ReadonlyMap<string, unknown>;
  /** What the program asked to be written: ids in its order. */
  readonly written: readonly string[];
}

/**
 * Runs the program.
 * @param prepare makes what else is there before.
 * @throws Error of the first resource that Azure did not make.
 */
export async function onArm(
  config: Record<string, unknown>,
  prepare: (cloud: Cloud) => Promise<void> = async () => {},
): Promise<OnArm> {
  const settings = settingsOf(config);
  const company = companyOf(settings, SUBSCRIPTION);
  const cloud = new Cloud({
    subscriptionId: SUBSCRIPTION,
    otherSubscriptions: company.subscriptions,
    runnerNetwork: company.hub.id,
    duration: () => 1,
  });
  const { owner, directory } = cloud;
  for (const scope of [`/subscriptions/${SUBSCRIPTION}`, ...company.groups])
    cloud.arm.assignRole(owner.objectId, "Owner", scope);
  const { cluster, sops, deployers } = settings;
  for (const objectId of [deployers, ...cluster.adminGroups, ...sops.editors, ...sops.encrypters])
    directory.principals.set(objectId, { objectId, kind: "Group", displayName: objectId });
  for (const id of Object.values(sops.roles).filter((role) => role !== undefined))
    cloud.arm.defineRole({ id, name: id, dataActions: ["Microsoft.KeyVault/vaults/keys/read"] });
  cloud.arm.begin(structuredClone(company.resources));
  const before = new Map(
    company.resources.map((resource) => [resource.id, structuredClone(cloud.arm.get(resource.id))]),
  );
  await prepare(cloud);
  const arm = SimulatedArm.of(cloud);
  const written: string[] = [];

  const make: Maker["make"] = async (type, name, inputs) => {
    const seed = createHash("sha256").update(`${type} ${name}`).digest();
    const native = armTypes.get(type);
    if (native !== undefined) {
      const locations = { configured: LOCATION, ofGroup: async () => undefined };
      const whole = await withDefaults(native, inputs, undefined, name, seed, locations);
      const id = resourceId(native.path, { ...whole, subscriptionId: SUBSCRIPTION });
      written.push(id);
      const made = await patiently(cloud, id, toBody(native, whole));
      return { id, state: toOutputs(native, made) };
    }
    if (type.endsWith(":ServicePrincipal")) {
      const { objectId } = directory.add("ServicePrincipal", name);
      return { id: objectId, state: { objectId } };
    }
    const handler = OWN[type]?.(arm);
    if (handler === undefined) return undefined;
    const context: Context = {
      ...{ urn: `urn:pulumi:test::project::${type}::${name}`, type, name, preview: false },
      ...{ signal: new AbortController().signal, log: () => {} },
    };
    const checked = await handler.check?.(inputs, undefined, context, seed);
    if (checked?.failures?.length) throw new Error(JSON.stringify(checked.failures));
    const made = await handler.create(checked?.inputs ?? inputs, context);
    written.push(...arm.sent.splice(0).flatMap(({ method, path }) => (method === "PUT" ? [path] : [])));
    return made;
  };
  const failures: unknown[] = [];
  await run(config, {
    tenantId: TENANT_ID,
    make: (...resource) =>
      make(...resource).catch((error: unknown) => {
        failures.push(error);
        throw error;
      }),
    async call(token, inputs) {
      const native = armTypes.get(token.replace(/:get([A-Z]\w*)$/, ":$1"));
      if (native === undefined) return undefined;
      const found = await cloud.call("GET", resourceId(native.path, { ...inputs, subscriptionId: SUBSCRIPTION }));
      return found.status === 200 ? toOutputs(native, found.body) : undefined;
    },
  });
  if (failures.length > 0) throw failures[0];
  return { cloud, before, written };
}

/** A PUT that is repeated while Azure does something else, as azure-native does. */
async function patiently(cloud: Cloud, id: string, body: object): Promise<Record<string, unknown>> {
  for (let tries = 0; ; tries++) {
    const answer = await cloud.call("PUT", id, body);
    if (answer.status < 400) {
      await cloud.finish(answer);
      for (;;) {
        const { body: made } = await cloud.call("GET", id);
        if (!["RegisteringDns"].includes(made.properties?.provisioningState)) return made;
        await sleep(2);
      }
    }
    const isBusy = answer.status === 429 || answer.status === 409;
    if (!isBusy || tries > 200)
      throw new Error(`${parseId(id)?.type ?? ""} ${id}: ${answer.status} ${JSON.stringify(answer.body)}`);
    await sleep(5);
  }
}
