// Runs the program against the simulated Resource Manager, without an engine or a cluster: what it makes in Azure is there
// afterwards, beside what the company of the settings had.
import { setTimeout as sleep } from "node:timers/promises";
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
import { makeOwn, runMade, seedOf } from "./ownResources.ts";

/** The subscription of the mocks. */
export const SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a";

const WAITS = Array<number>(50).fill(5);

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
    const seed = seedOf(type, name);
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
    const made = await makeOwn(arm, WAITS, type, name, inputs);
    written.push(...arm.sent.splice(0).flatMap(({ method, path }) => (method === "PUT" ? [path] : [])));
    return made;
  };
  await runMade(config, {
    tenantId: TENANT_ID,
    make,
    async call(token, inputs) {
      const native = armTypes.get(token.replace(/:get([A-Z]\w*)$/, ":$1"));
      if (native === undefined) return undefined;
      const found = await cloud.call("GET", resourceId(native.path, { ...inputs, subscriptionId: SUBSCRIPTION }));
      return found.status === 200 ? toOutputs(native, found.body) : undefined;
    },
  });
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
