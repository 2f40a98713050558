import { strict as assert } from "node:assert";
import { before, describe, it } from "mocha";
import { BUILT_IN, grant } from "../../../components/shared/roles.ts";
import { autoName, pathParameters } from "../../../rehearsal/providers/azure-native/armType.ts";
import { armTypes } from "../../../rehearsal/providers/azure-native/types/index.ts";
import { type Deployment, deploy, idOf, type Registration } from "../deployment.ts";
import { EVERYTHING } from "../everything.ts";

describe("names of Azure resources", () => {
  let resources: Registration[];

  before(async () => {
    const deployments: Deployment<unknown>[] = [];
    for (const make of Object.values(EVERYTHING)) deployments.push(await deploy(() => make({}, {})));
    resources = deployments.flatMap((deployment) => deployment.resources);
  });

  it("are all decided by the program: azure-native's own are forgotten by an update that is killed", () => {
    const made = resources.filter(({ type }) => armTypes.has(type));
    assert.ok(made.length > 20);
    const left = made.filter(({ type, inputs }) => {
      const path = armTypes.get(type)?.path ?? "";
      return autoName(path) !== "copy" && inputs[pathParameters(path).at(-1) ?? ""] === undefined;
    });
    assert.deepEqual(
      left.map(({ type, name }) => `${type} ${name}`),
      [],
    );
  });

  it("are new ones where the old resource stays for a while: of an endpoint with its service and subnet", () => {
    const { replacementTrigger } = resources.find(({ name }) => name === "acr-endpoint-names") ?? {};
    assert.deepEqual(Object.keys(replacementTrigger as object).sort(), ["serviceId", "subnetId"]);
  });

  it("of a role assignment are made of scope, principal and role, whatever their case", async () => {
    const nameOf = async (principalId: string, role: string, scope: string) => {
      const { find } = await deploy(() => grant("one", { principalId, principalType: "Group", role, scope }, {}));
      return find("RoleAssignment", "one").inputs.roleAssignmentName;
    };
    const [who, other] = ["6f1f2b6e-1111-4e0a-9c60-000000000001", "6f1f2b6e-1111-4e0a-9c60-000000000002"];
    const scope = idOf("Registry", "acr");
    const name = await nameOf(who, BUILT_IN.acrPull, scope);
    assert.match(String(name), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(
      await nameOf(
        who.toUpperCase(),
        BUILT_IN.acrPull,
        scope.toUpperCase().replace("/SUBSCRIPTIONS", "/subscriptions"),
      ),
      name,
    );
    const others = [
      await nameOf(other, BUILT_IN.acrPull, scope),
      await nameOf(who, BUILT_IN.acrPush, scope),
      await nameOf(who, BUILT_IN.acrPull, idOf("Registry", "acr2")),
    ];
    assert.equal(new Set([name, ...others]).size, 4);
  });
});
