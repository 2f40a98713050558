import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import { beforeEach, describe, it } from "mocha";
import { delegationCondition } from "../../../../components/pipeline/delegation.ts";
import type { Principal } from "../../../../rehearsal/cloud/types.ts";
import { type Cloud, newCloud, outcome, ROOT } from "./cloud.ts";

const ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168";

describe("simulated ARM: who may assign roles under a condition", () => {
  let cloud: Cloud;
  let delegate: Principal;
  let puller: Principal;

  const path = () => `${ROOT}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
  const assignment = (role: string, principal: Principal, more: object = {}) => ({
    properties: {
      roleDefinitionId: `${ROOT}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
      principalId: principal.objectId,
      principalType: principal.kind,
      ...more,
    },
  });

  beforeEach(async () => {
    cloud = await newCloud();
    delegate = cloud.directory.add("ServicePrincipal", "deployer");
    puller = cloud.directory.add("ServicePrincipal", "puller");
    const condition = { condition: delegationCondition([]), conditionVersion: "2.0" };
    await cloud.make(path(), assignment(ADMINISTRATOR, delegate, condition));
  });

  it("assigns and takes away the roles of its list, to those of its kinds", async () => {
    const at = path();
    assert.equal((await cloud.call("PUT", at, assignment(ACR_PULL, puller), { as: delegate })).status, 201);
    assert.equal((await cloud.call("DELETE", at, undefined, { as: delegate })).status, 200);
  });

  it("assigns no other role, to nobody of another kind, and takes no other one away", async () => {
    const refusal = async (role: string, principal: Principal) => {
      const [status, code, message] = await cloud.refused(path(), assignment(role, principal), { as: delegate });
      assert.match(
        message,
        /ABAC condition not fulfilled to perform action 'Microsoft.Authorization\/roleAssignments\/write'/,
      );
      return [status, code];
    };
    const denied = [403, "AuthorizationFailed"];
    assert.deepEqual(await refusal(OWNER, puller), denied);
    assert.deepEqual(await refusal(OWNER, delegate), denied);
    assert.deepEqual(await refusal(ADMINISTRATOR, delegate), denied);
    assert.deepEqual(await refusal(ACR_PULL, cloud.directory.add("User", "somebody")), denied);
    const owners = path();
    await cloud.make(owners, assignment(OWNER, puller));
    const [status] = outcome(await cloud.call("DELETE", owners, undefined, { as: delegate }));
    assert.equal(status, 403);
  });

  it("refuses a condition that it would not understand, and one of another version", async () => {
    const refusal = async (condition: string, conditionVersion?: string) =>
      (await cloud.refused(path(), assignment(ADMINISTRATOR, puller, { condition, conditionVersion })))[1];
    assert.equal(await refusal("(@Request[x:y] StringEquals 'a')", "2.0"), "InvalidCondition");
    assert.equal(await refusal(`${delegationCondition([])} OR (true)`, "2.0"), "InvalidCondition");
    assert.equal(await refusal(delegationCondition([]), "1.0"), "InvalidConditionVersion");
    assert.equal(await refusal(delegationCondition([])), "InvalidConditionVersion");
  });
});
