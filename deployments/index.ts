import { existsSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { AgentPool } from "@pulumi/pulumiservice/agentPool.js";
import { PROGRAM, readDeployments } from "./settings/read.ts";
import { StackDeployments } from "./stackDeployments.ts";
import { identityOf } from "./stackIdentity.ts";

const settings = await readDeployments();
const policyPacks = existsSync(join(PROGRAM, "policy", "PulumiPolicy.yaml")) ? ["policy"] : [];

const pools = Object.entries(settings.agentPools).map(([name, { description }]) => {
  const pool = new AgentPool(name, {
    name,
    organizationName: settings.organization,
    ...(description !== undefined && { description }),
  });
  return [name, pool] as const;
});
const poolOf = new Map(pools);

const clientIds: Record<string, object> = {};
for (const stack of settings.stacks) {
  const { deployer, reader } = identityOf(stack, settings);
  clientIds[stack.name] = { deployer, reader };
  new StackDeployments(stack.name, {
    stack,
    common: settings,
    deployer,
    reader,
    agentPoolId: stack.agentPool === undefined ? undefined : poolOf.get(stack.agentPool)?.agentPoolId,
    policyPacks,
  });
}

/** Client ids of the stacks' Entra applications. */
export const identities = clientIds;
/** Tokens with which the runners of each pool sign in to Pulumi Cloud: `pulumi stack output agentTokens --show-secrets`. */
export const agentTokens = pulumi.secret(Object.fromEntries(pools.map(([name, pool]) => [name, pool.tokenValue])));
