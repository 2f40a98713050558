import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import type { ArmResource } from "../../../../rehearsal/cloud/types.ts";
import { ask } from "../request.ts";
import { type Cloud, GROUP, id, LOCATION, newCloud, outcome, ROOT, SUBSCRIPTION_ID } from "./cloud.ts";
import { assignment, identity, NODES, network, registry, registryBody, role, vnet } from "./platform.ts";

const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

describe("simulated ARM: the service itself", () => {
  let cloud: Cloud;

  beforeEach(async () => {
    cloud = await newCloud();
  });

  it("asks for a token of its own or of the older audience", async () => {
    const bare = await ask(cloud.arm.service, "GET", `https://management.azure.com${GROUP}?api-version=2024-03-01`);
    assert.deepEqual(outcome(bare).slice(0, 2), [401, "AuthenticationFailed"]);
    const older = await cloud.call("GET", GROUP, undefined, { audience: "https://management.core.windows.net" });
    assert.equal(older.status, 200);
    const other = await cloud.call("GET", GROUP, undefined, { audience: "https://vault.azure.net" });
    assert.equal(other.status, 401);
  });

  it("asks for an API version, and reads each that Microsoft has published", async () => {
    const headers = { authorization: `Bearer ${cloud.owner.objectId}@https://management.azure.com` };
    const none = await ask(cloud.arm.service, "GET", `https://management.azure.com${GROUP}`, { headers });
    assert.deepEqual(outcome(none).slice(0, 2), [400, "MissingApiVersionParameter"]);
    for (const version of ["2015-11-01", "2025-04-01"])
      assert.equal((await cloud.call("GET", GROUP, undefined, { version })).status, 200);
    const [, code, message] = outcome(await cloud.call("GET", GROUP, undefined, { version: "2020-01-01" }));
    assert.equal(code, "InvalidApiVersionParameter");
    assert.match(
      message,
      /^The api-version '2020-01-01' is invalid\. The supported versions are '2025-04-01,.*,2015-11-01'\.$/,
    );
    const [status, other, words] = outcome(await cloud.call("GET", vnet, undefined, { version: "2020-01-01" }));
    assert.deepEqual([status, other], [400, "NoRegisteredProviderFound"]);
    assert.match(
      words,
      /for type 'virtualNetworks'\. The supported api-versions are '2015-06-15, .*, 2025-09-01, 2026-01-01'\./,
    );
  });

  it("writes in the versions whose bodies it knows, and takes no other", async () => {
    const put = (version: string) => cloud.call("PUT", identity("one"), { location: LOCATION }, { version });
    assert.equal((await put("2018-11-30")).status, 201);
    const [status, code, message] = outcome(await put("2015-08-31-preview"));
    assert.deepEqual([status, code], [400, "NoRegisteredProviderFound"]);
    assert.match(message, /API version '2015-08-31-preview' .* The supported api-versions are '2018-11-30, /);
    assert.equal((await cloud.call("GET", identity("one"), undefined, { version: "2015-08-31-preview" })).status, 200);
  });

  it("refuses what it does not know", async () => {
    assert.deepEqual(outcome(await cloud.call("PUT", id("Microsoft.Web/sites", "x"), {})).slice(0, 2), [
      404,
      "InvalidResourceNamespace",
    ]);
    assert.deepEqual(outcome(await cloud.call("PUT", id("Microsoft.Network/magic", "x"), {})).slice(0, 2), [
      404,
      "InvalidResourceType",
    ]);
    assert.deepEqual(outcome(await cloud.call("POST", `${GROUP}/nonsense`)).slice(0, 2), [404, "InvalidResourceType"]);
    assert.deepEqual(
      outcome(await cloud.call("GET", "/subscriptions/22222222-0000-4000-8000-000000000000/resourceGroups/rg")).slice(
        0,
        2,
      ),
      [404, "SubscriptionNotFound"],
    );
    assert.deepEqual(outcome(await cloud.call("GET", "/nothing")).slice(0, 2), [404, "NotFound"]);
  });

  it("refuses resources without their group, their parent, or a known place", async () => {
    const lost = vnet.replace("/rg/", "/none/");
    assert.deepEqual(await cloud.refused(lost, {}), [
      404,
      "ResourceGroupNotFound",
      "Resource group 'none' could not be found.",
    ]);
    assert.deepEqual((await cloud.refused(NODES, { properties: { addressPrefix: "10.0.0.0/24" } })).slice(0, 2), [
      404,
      "ParentResourceNotFound",
    ]);
    assert.deepEqual((await cloud.refused(`${ROOT}/resourceGroups/x`, { location: "mars" })).slice(0, 2), [
      400,
      "LocationNotAvailableForResourceType",
    ]);
    assert.deepEqual((await cloud.refused(GROUP, { location: "northeurope" })).slice(0, 2), [
      409,
      "InvalidResourceGroupLocation",
    ]);
    await cloud.make(identity("one"), { location: LOCATION });
    assert.deepEqual((await cloud.refused(identity("one"), { location: "northeurope" })).slice(0, 2), [
      409,
      "InvalidResourceLocation",
    ]);
  });

  it("answers 404 in its own words for what is not there", async () => {
    assert.deepEqual(outcome(await cloud.call("GET", vnet)), [
      404,
      "ResourceNotFound",
      "The Resource 'Microsoft.Network/virtualNetworks/vnet' under resource group 'rg' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    ]);
    assert.equal((await cloud.call("DELETE", vnet)).status, 204);
    assert.equal((await cloud.call("HEAD", vnet)).status, 404);
    assert.equal((await cloud.call("HEAD", GROUP)).status, 204);
    assert.deepEqual(outcome(await cloud.call("GET", `${ROOT}/resourceGroups/x`)).slice(0, 2), [
      404,
      "ResourceGroupNotFound",
    ]);
  });

  it("takes names as the provider takes them, and ids without case", async () => {
    assert.deepEqual((await cloud.refused(registry("my-registry"), registryBody("Basic"))).slice(0, 2), [
      400,
      "InvalidResourceName",
    ]);
    await cloud.make(identity("One"), { location: "West Europe" });
    const { body } = await cloud.call("GET", identity("one").toUpperCase().replace("/SUBSCRIPTIONS", "/subscriptions"));
    assert.equal(body.name, "One");
    assert.equal(body.location, "westeurope");
    const made = await cloud.make(registry("acrone"), registryBody("Basic"));
    assert.equal(made.systemData.createdBy, cloud.owner.clientId);
  });

  it("lets a reader read and refuses it everything else in ARM's sentence", async () => {
    const who = cloud.directory.add("ServicePrincipal", "reader");
    cloud.arm.assignRole(who.objectId, "Reader", ROOT);
    assert.equal((await cloud.call("GET", GROUP, undefined, { as: who })).status, 200);
    assert.deepEqual(await cloud.refused(identity("x"), { location: LOCATION }, { as: who }), [
      403,
      "AuthorizationFailed",
      `The client '${who.clientId}' with object id '${who.objectId}' does not have authorization to perform action 'Microsoft.ManagedIdentity/userAssignedIdentities/write' over scope '${identity("x")}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    ]);
    assert.deepEqual(outcome(await cloud.call("DELETE", GROUP, undefined, { as: who })).slice(0, 2), [
      403,
      "AuthorizationFailed",
    ]);
  });

  it("refuses the use of what somebody may not join", async () => {
    await network(cloud);
    const who = cloud.directory.add("ServicePrincipal", "narrow");
    cloud.arm.defineRole({ name: "Endpoints", actions: ["Microsoft.Network/privateEndpoints/*"] });
    cloud.arm.assignRole(who.objectId, "Endpoints", GROUP);
    await cloud.make(registry("acrone"), registryBody("Premium"));
    const body = {
      location: LOCATION,
      properties: {
        subnet: { id: `${vnet}/subnets/endpoints` },
        privateLinkServiceConnections: [
          { name: "acr", properties: { privateLinkServiceId: registry("acrone"), groupIds: ["registry"] } },
        ],
      },
    };
    const [status, code, message] = await cloud.refused(id("Microsoft.Network/privateEndpoints", "pe"), body, {
      as: who,
    });
    assert.deepEqual([status, code], [403, "LinkedAuthorizationFailed"]);
    assert.match(
      message,
      /'Microsoft\.Network\/virtualNetworks\/subnets\/join\/action' on the linked scope\(s\) '.*\/subnets\/endpoints'/,
    );
  });

  it("decides by scope, group, wildcard, notActions and plane", () => {
    const [owners] = cloud.directory.groups.get(cloud.owner.objectId) ?? [];
    const caller = (objectId: string, groups: string[] = []) => ({
      principal: { objectId, kind: "User" as const, displayName: "x" },
      groups,
    });
    const may = (who: string, action: string, scope: string, kind: "control" | "data" = "control") =>
      cloud.arm.allows(caller(who), action, scope, kind);
    assert.equal(cloud.arm.allows(caller("nobody", [owners ?? ""]), "Microsoft.X/y/write", GROUP, "control"), true);
    assert.equal(
      cloud.arm.allows(
        caller("nobody", [owners ?? ""]),
        "Microsoft.KeyVault/vaults/keys/decrypt/action",
        GROUP,
        "data",
      ),
      false,
    );
    cloud.arm.assignRole("a", "Contributor", GROUP);
    assert.equal(may("a", "Microsoft.Network/virtualNetworks/write", vnet), true);
    assert.equal(may("a", "Microsoft.Authorization/roleAssignments/write", vnet), false);
    assert.equal(may("a", "Microsoft.Network/virtualNetworks/write", ROOT), false);
    assert.equal(may("a", "Microsoft.Network/virtualNetworks/write", `${GROUP}2`), false);
    cloud.arm.assignRole("b", "Key Vault Crypto User", GROUP);
    assert.equal(may("b", "Microsoft.KeyVault/vaults/keys/decrypt/action", `${GROUP}/x`, "data"), true);
    assert.equal(may("b", "Microsoft.KeyVault/vaults/keys/create/action", `${GROUP}/x`, "data"), false);
    cloud.arm.assignRole("c", "f1a07417-d97a-45cb-824c-7a7467783830", GROUP);
    assert.equal(may("c", "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", identity("x")), true);
    cloud.arm.assignRole(
      "d",
      cloud.arm.defineRole({
        name: "Decrypt",
        dataActions: ["Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/decrypt/action"],
      }),
      GROUP,
    );
    assert.equal(may("d", "Microsoft.KeyVault/vaults/keys/decrypt/action", GROUP, "data"), true);
    assert.equal(may("d", "Microsoft.KeyVault/vaults/keys/encrypt/action", GROUP, "data"), false);
    assert.throws(() => cloud.arm.assignRole("e", "Emperor", GROUP), /There is no role "Emperor"/);
  });

  it("refuses namespaces that are not registered until they are", async () => {
    cloud = await newCloud({ unregistered: ["Microsoft.ContainerService"] });
    const cluster = id("Microsoft.ContainerService/managedClusters", "x");
    const [status, code, message] = await cloud.refused(cluster, {});
    assert.deepEqual([status, code], [409, "MissingSubscriptionRegistration"]);
    assert.match(message, /^The subscription is not registered to use namespace 'Microsoft\.ContainerService'\./);
    const provider = `${ROOT}/providers/Microsoft.ContainerService`;
    assert.equal((await cloud.call("GET", provider)).body.registrationState, "NotRegistered");
    assert.equal((await cloud.call("POST", `${provider}/register`)).body.registrationState, "Registered");
    assert.deepEqual((await cloud.refused(cluster, {})).slice(0, 2), [400, "InvalidRequestContent"]);
    assert.ok((await cloud.call("GET", `${ROOT}/providers`)).body.value.length > 10);
  });

  it("shows its subscription, lists by group and type, and role definitions by name", async () => {
    assert.equal((await cloud.call("GET", ROOT)).body.subscriptionId, SUBSCRIPTION_ID);
    await cloud.make(identity("one"), { location: LOCATION });
    const of = async (path: string) =>
      (await cloud.call("GET", path, undefined, { version: "2023-01-31" })).body.value.map(
        (one: { name: string }) => one.name,
      );
    assert.deepEqual(await of(`${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities`), ["one"]);
    assert.deepEqual(await of(`${ROOT}/providers/Microsoft.ManagedIdentity/userAssignedIdentities`), ["one"]);
    assert.deepEqual(await of(`${ROOT}/resourceGroups`), ["rg"]);
    assert.deepEqual(await of(`${GROUP}/resources`), ["one"]);
    const named = await cloud.call("GET", `${ROOT}/providers/Microsoft.Authorization/roleDefinitions`, undefined, {
      query: "&$filter=roleName eq 'AcrPull'",
    });
    assert.deepEqual(named.body.value[0].name, "7f951dda-4ed3-4680-a7ca-43fe172d538d");
  });

  it("lets a body say which resource it is, where that is true", async () => {
    const said = { id: identity("one"), name: "ONE", type: "Microsoft.ManagedIdentity/userAssignedIdentities" };
    const { body } = await cloud.call("PUT", identity("one"), { location: LOCATION, ...said });
    assert.deepEqual([body.id, body.name], [identity("one"), "one"]);
    const [status, code, message] = await cloud.refused(identity("one"), { location: LOCATION, ...said, name: "two" });
    assert.deepEqual([status, code], [400, "InvalidRequestContent"]);
    assert.match(message, /The name 'two' in the request content does not match 'one' of the request URL/);
  });

  it("passes over what only the service sets where a body repeats it, and refuses another value", async () => {
    const { properties } = await cloud.make(identity("one"), { location: LOCATION });
    assert.equal((await cloud.call("PUT", identity("one"), { location: LOCATION, properties })).status, 200);
    assert.deepEqual(
      (
        await cloud.refused(identity("one"), { location: LOCATION, properties: { ...properties, clientId: "other" } })
      ).slice(0, 2),
      [400, "InvalidRequestContent"],
    );
  });

  it("merges a PATCH and replaces tags as a whole", async () => {
    await cloud.make(identity("one"), { location: LOCATION, tags: { a: "1" } });
    const patched = await cloud.call("PATCH", identity("one"), { tags: { b: "2" } });
    assert.deepEqual([patched.status, patched.body.tags], [200, { b: "2" }]);
    assert.deepEqual(outcome(await cloud.call("PATCH", identity("one"), { colour: "red" })).slice(0, 2), [
      400,
      "InvalidRequestContent",
    ]);
    assert.equal((await cloud.call("PATCH", identity("two"), { tags: {} })).status, 404);
    const credential = `${identity("one")}/federatedIdentityCredentials/flux`;
    assert.deepEqual(outcome(await cloud.call("PATCH", credential, {})).slice(0, 2), [405, "MethodNotAllowed"]);
  });

  it("deletes a group with everything in it, as an operation", async () => {
    await network(cloud);
    const deleting = await cloud.call("DELETE", GROUP);
    assert.equal(deleting.status, 202);
    assert.match(deleting.headers.location ?? "", /\/operationResults\//);
    assert.equal(await cloud.finish(deleting), "Succeeded");
    assert.equal((await cloud.call("GET", GROUP)).status, 404);
    assert.deepEqual(
      cloud.arm.all().map(({ type }) => type),
      ["Microsoft.Authorization/roleAssignments"],
    );
  });

  it("lets extensions fill in, refuse and act", async () => {
    const seen: string[] = [];
    cloud.arm.extend({
      type: "microsoft.containerregistry/registries",
      created: async (resource: ArmResource) => {
        seen.push(`created ${resource.name}`);
        if (resource.name === "broken") throw new Error("broken");
        resource.properties.creationDate = "then";
      },
      deleted: async (resource: ArmResource) => void seen.push(`deleted ${resource.name}`),
      actions: { importImage: async (_, body) => ({ status: 200, body: { got: body } }) },
    });
    assert.equal((await cloud.make(registry("acrone"), registryBody("Basic"))).properties.creationDate, "then");
    await assert.rejects(cloud.call("PUT", registry("broken"), registryBody("Basic")), /broken/);
    assert.equal((await cloud.call("GET", registry("broken"))).status, 404);
    const imported = await cloud.call("POST", `${registry("acrone")}/importImage`, { mode: "Force" });
    assert.deepEqual(imported.body, { got: { mode: "Force" } });
    const who = cloud.directory.add("User", "ann");
    assert.deepEqual(
      outcome(await cloud.call("POST", `${registry("acrone")}/importImage`, {}, { as: who })).slice(0, 2),
      [403, "AuthorizationFailed"],
    );
    await cloud.unmake(registry("acrone"));
    assert.deepEqual(seen, ["created acrone", "created broken", "deleted acrone"]);
  });

  it("records every request without its secrets", async () => {
    await cloud.call("POST", `${registry("x")}/importImage`, {
      source: { credentials: { username: "u", password: "p4ss" } },
    });
    await cloud.call("PUT", id("Microsoft.Network/natGateways", "x"), {
      properties: { configurationProtectedSettings: { httpsKey: "k3y" } },
    });
    assert.deepEqual(cloud.recorded.slice(-2), [
      {
        method: "POST",
        url: `${registry("x")}/importImage?api-version=2023-01-01-preview`,
        body: { source: { credentials: { username: "u", password: "[redacted]" } } },
      },
      {
        method: "PUT",
        url: `${id("Microsoft.Network/natGateways", "x")}?api-version=2025-01-01`,
        body: { properties: { configurationProtectedSettings: { httpsKey: "[redacted]" } } },
      },
    ]);
  });

  it("refuses a body that is not JSON", async () => {
    const headers = { authorization: `Bearer ${cloud.owner.objectId}@https://management.azure.com` };
    const answer = await ask(cloud.arm.service, "PUT", `https://management.azure.com${GROUP}?api-version=2024-03-01`, {
      headers,
      body: "{",
    });
    assert.deepEqual(outcome(answer).slice(0, 2), [400, "InvalidRequestContent"]);
  });

  it("lists role assignments of a scope with those above it", async () => {
    const { principalId } = (await cloud.make(identity("one"), { location: LOCATION })).properties;
    await cloud.make(assignment(GROUP, 5), {
      properties: { principalId, principalType: "ServicePrincipal", roleDefinitionId: role(READER) },
    });
    const { body } = await cloud.call("GET", `${GROUP}/providers/Microsoft.Authorization/roleAssignments`);
    assert.equal(body.value.length, 2);
    const mine = await cloud.call("GET", `${GROUP}/providers/Microsoft.Authorization/roleAssignments`, undefined, {
      query: `&$filter=principalId eq '${principalId}'`,
    });
    assert.deepEqual(
      mine.body.value.map((one: ArmResource) => one.properties.roleDefinitionId),
      [role(READER)],
    );
  });
});
