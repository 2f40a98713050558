// The plugin's resources that are written to ARM, made by their handlers where a program runs against the mocks.
import { createHash } from "node:crypto";
import type { Context } from "../../plugin/handler.ts";
import type { SchemaHandler } from "../../plugin/schema.ts";
import { agentPoolIn } from "../../provider/azure/agentPool.ts";
import type { Cloud } from "../../provider/azure/cloud.ts";
import { managedClusterIn } from "../../provider/azure/managedCluster.ts";
import { natGatewayIn } from "../../provider/azure/natGateway.ts";
import { networkPeeringIn } from "../../provider/azure/networkPeering.ts";
import { vaultKeyIn } from "../../provider/azure/vaultKey.ts";
import { zoneLinkIn } from "../../provider/azure/zoneLink.ts";
import type { Maker } from "./deployment.ts";
import { run } from "./programRun.ts";

const OWN: Readonly<Record<string, (cloud: Cloud, waits: readonly number[]) => SchemaHandler>> = {
  "gitops:index:AgentPool": agentPoolIn,
  "gitops:index:ManagedCluster": managedClusterIn,
  "gitops:index:NatGateway": natGatewayIn,
  "gitops:index:NetworkPeering": networkPeeringIn,
  "gitops:index:VaultKey": (cloud) => vaultKeyIn(cloud),
  "gitops:index:ZoneLink": zoneLinkIn,
};

/** What the engine gives a resource to draw names from. */
export const seedOf = (type: string, name: string) => createHash("sha256").update(`${type} ${name}`).digest();

/** Makes a resource of the plugin in a cloud; undefined where it is none of those. @param waits in milliseconds. */
export async function makeOwn(
  cloud: Cloud,
  waits: readonly number[],
  ...[type, name, inputs]: Parameters<Maker["make"]>
): ReturnType<Maker["make"]> {
  const handler = OWN[type]?.(cloud, waits);
  if (handler === undefined) return undefined;
  const context: Context = {
    ...{ urn: `urn:pulumi:test::project::${type}::${name}`, type, name, preview: false },
    ...{ signal: new AbortController().signal, log: () => {} },
  };
  const checked = await handler.check?.(inputs, undefined, context, seedOf(type, name));
  if (checked?.failures?.length) throw new Error(JSON.stringify(checked.failures));
  return handler.create(checked?.inputs ?? inputs, context);
}

/** Runs the program. @throws Error of the first resource that was not made, which the mocks keep to themselves. */
export async function runMade(config: Record<string, unknown>, maker: Maker): Promise<void> {
  const failures: unknown[] = [];
  const make: Maker["make"] = (...resource) =>
    maker.make(...resource).catch((error: unknown) => {
      failures.push(error);
      throw error;
    });
  await run(config, { ...maker, make });
  if (failures.length > 0) throw failures[0];
}
