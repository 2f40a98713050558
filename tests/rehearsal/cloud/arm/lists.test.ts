import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { ask } from "../request.ts";
import { type Cloud, GROUP, LOCATION, newCloud, outcome, ROOT } from "./cloud.ts";
import { assignment, identity, registry, registryBody, role, vault, vaultBody } from "./platform.ts";

const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

describe("simulated ARM: lists and answers beside resources", () => {
  let cloud: Cloud;

  beforeEach(async () => {
    cloud = await newCloud();
    await cloud.make(registry("acrone"), { ...registryBody("Basic"), tags: { team: "platform", stage: "prod" } });
    await cloud.make(vault("kv-one"), { ...vaultBody(), tags: { team: "apps" } });
    await cloud.make(identity("one"), { location: "northeurope" });
  });

  const names = async (path: string, query = "") => {
    const { body } = await cloud.call("GET", path, undefined, { version: "2022-09-01", query });
    return body.value.map(({ name }: { name: string }) => name);
  };
  const filtered = (filter: string) => names(`${ROOT}/resources`, `&$filter=${encodeURIComponent(filter)}`);

  it("find resources by type, name, tag, place and group", async () => {
    assert.deepEqual(await filtered("resourceType eq 'microsoft.keyvault/VAULTS'"), ["kv-one"]);
    assert.deepEqual(await filtered("resourceType eq 'Microsoft.KeyVault/vaults' and name eq 'kv-two'"), []);
    assert.deepEqual(await filtered("tagName eq 'team'"), ["acrone", "kv-one"]);
    assert.deepEqual(await filtered("tagName eq 'team' and tagValue eq 'platform'"), ["acrone"]);
    assert.deepEqual(await filtered("tagName eq 'stage' and tagValue eq 'platform'"), []);
    assert.deepEqual(await filtered("location eq 'northeurope'"), ["one"]);
    assert.deepEqual(await filtered("location ne 'northeurope'"), ["acrone", "kv-one"]);
    await cloud.make(`${vault("kv-one")}/keys/sops`, { properties: { kty: "RSA" } });
    assert.deepEqual(await filtered("resourceGroup eq 'RG'"), ["acrone", "kv-one", "one"]);
  });

  it("refuse a filter that they do not understand, instead of listing everything", async () => {
    for (const filter of ["substringof('kv', name)", "colour eq 'red'", "name eq kv-one"]) {
      const answer = await cloud.call("GET", `${ROOT}/resources`, undefined, {
        query: `&$filter=${encodeURIComponent(filter)}`,
      });
      assert.deepEqual(outcome(answer).slice(0, 2), [400, "InvalidFilterInQueryString"]);
    }
  });

  it("come by pages where a client asks for them", async () => {
    const first = await cloud.call("GET", `${ROOT}/resources`, undefined, { query: "&$top=2" });
    assert.equal(first.body.value.length, 2);
    const headers = { authorization: `Bearer ${cloud.owner.objectId}@https://management.azure.com` };
    const second = await ask(cloud.arm.service, "GET", first.body.nextLink, { headers });
    assert.deepEqual(
      [second.body.value.map(({ name }: { name: string }) => name), second.body.nextLink],
      [["one"], undefined],
    );
  });

  it("of role assignments go by principal, by what is assigned through groups, and by scope", async () => {
    const { principalId } = (await cloud.make(identity("two"), { location: LOCATION })).properties;
    const properties = { principalId, principalType: "ServicePrincipal", roleDefinitionId: role(READER) };
    await cloud.make(assignment(identity("one"), 7), { properties });
    const list = async (scope: string, filter: string) => {
      const { body } = await cloud.call(
        "GET",
        `${scope}/providers/Microsoft.Authorization/roleAssignments`,
        undefined,
        {
          query: `&$filter=${encodeURIComponent(filter)}`,
        },
      );
      return body.value.map((one: { properties: { principalId: string } }) => one.properties.principalId);
    };
    assert.deepEqual(await list(ROOT, `principalId eq '${principalId}'`), [principalId]);
    assert.deepEqual(await list(GROUP, `atScope() and principalId eq '${principalId}'`), []);
    assert.equal((await list(GROUP, `assignedTo('${cloud.owner.objectId}')`)).length, 1, "through the group of owners");
    assert.equal((await list(GROUP, "atScope()")).length, 1);
    const { status, body } = await cloud.call(
      "GET",
      `${ROOT}/providers/Microsoft.Authorization/roleAssignments`,
      undefined,
      {
        query: "&$filter=createdBy eq 'me'",
      },
    );
    assert.deepEqual([status, body.error.code], [400, "BadRequestQuery"]);
    const gone = await cloud.call("DELETE", assignment(identity("one"), 7));
    assert.deepEqual([gone.status, gone.body.properties.principalId], [200, principalId]);
    assert.deepEqual(outcome(await cloud.call("GET", assignment(identity("one"), 7))), [
      404,
      "RoleAssignmentNotFound",
      "The role assignment '00000000-0000-4000-8000-000000000007' is not found.",
    ]);
  });

  it("tell whether a name is free in all of Azure", async () => {
    const check = async (namespace: string, type: string, name: string) => {
      const path = `${ROOT}/providers/${namespace}/checkNameAvailability`;
      return (await cloud.call("POST", path, { name, type }, { version: "2023-07-01" })).body;
    };
    const registries = "Microsoft.ContainerRegistry/registries";
    assert.deepEqual(await check("Microsoft.ContainerRegistry", registries, "acrtwo"), { nameAvailable: true });
    assert.deepEqual(await check("Microsoft.ContainerRegistry", registries, "ACRone"), {
      nameAvailable: false,
      reason: "AlreadyExists",
      message: "The registry ACRone is already in use.",
    });
    assert.equal((await check("Microsoft.ContainerRegistry", registries, "a-b")).reason, "Invalid");
    await cloud.unmake(vault("kv-one"));
    assert.equal((await check("Microsoft.KeyVault", "Microsoft.KeyVault/vaults", "kv-one")).nameAvailable, false);
  });

  it("tell regions, tenants, Kubernetes versions, and that there is no managed HSM", async () => {
    assert.ok((await names(`${ROOT}/locations`)).includes("westeurope"));
    assert.equal((await cloud.call("GET", "/tenants")).body.value.length, 1);
    assert.deepEqual(await names(`${ROOT}/providers/Microsoft.KeyVault/deletedManagedHSMs`), []);
    const path = `${ROOT}/providers/Microsoft.ContainerService/locations/westeurope/kubernetesVersions`;
    const { values } = (await cloud.call("GET", path)).body;
    const [first] = values;
    assert.deepEqual(first.capabilities.supportPlan, ["AKSLongTermSupport"]);
    const upgrades = Object.values(first.patchVersions).map(
      (patch) => (patch as { upgrades: string[] }).upgrades.length,
    );
    assert.ok(
      upgrades.every((count) => count > 0),
      "each patch of the oldest minor leads on",
    );
    assert.equal(values.filter((one: { isDefault?: boolean }) => one.isDefault).length, 1);
  });

  it("of a path with two slashes are those of the path with one", async () => {
    const path = `${GROUP}/providers/Microsoft.ContainerRegistry//registries/acrone`;
    assert.equal((await cloud.call("GET", path, undefined, { version: "2023-07-01" })).body.name, "acrone");
  });
});

describe("simulated ARM: a new vault", () => {
  it("registers its name first, and tells its URI without the last slash until then", async () => {
    let now = 0;
    const cloud = await newCloud({ now: () => now, duration: () => 1000 });
    const { status, body } = await cloud.call("PUT", vault("kv-one"), vaultBody());
    assert.deepEqual(
      [status, body.properties.provisioningState, body.properties.vaultUri],
      [200, "RegisteringDns", "https://kv-one.vault.azure.net"],
    );
    now = 1001;
    const { properties } = (await cloud.call("GET", vault("kv-one"))).body;
    assert.deepEqual(
      [properties.provisioningState, properties.vaultUri],
      ["Succeeded", "https://kv-one.vault.azure.net/"],
    );
  });
});
