import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { getExistingIn } from "../../../provider/azure/getExisting.ts";
import { FakeCloud } from "../fakeCloud.ts";

const GROUP = "/subscriptions/s/resourceGroups/shared";
const REGISTRY = `${GROUP}/providers/Microsoft.ContainerRegistry/registries/acme`;
const VAULT = `${GROUP}/providers/Microsoft.KeyVault/vaults/kv`;
const KEY = `${VAULT}/keys/sops`;
const WORKSPACE = `${GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs`;

const PREMIUM = { sku: { name: "Premium" }, properties: { publicNetworkAccess: "Enabled" } };
const ROLES = { enableRbacAuthorization: true, enableSoftDelete: true, tenantId: "t", publicNetworkAccess: "Enabled" };
const RSA = { kty: "RSA", keySize: 3072, keyOps: ["encrypt", "decrypt"], attributes: { enabled: true } };

interface Answer {
  readonly id: string;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

describe("getExisting", () => {
  let cloud: FakeCloud;
  beforeEach(() => {
    cloud = new FakeCloud();
  });

  /** What is said of an id where Azure answers so. */
  async function look(
    args: Readonly<Record<string, unknown>> & { readonly id: string },
    found: object | undefined,
  ): Promise<Answer> {
    cloud.answer = ({ path }) => {
      if (found === undefined) throw new ArmError(404, "ResourceNotFound", "there is none");
      if (found instanceof Error) throw found;
      return { id: path, ...found };
    };
    return (await getExistingIn(cloud).call({ ...args })) as unknown as Answer;
  }
  const faults = async (id: string, found: object | undefined, args: object = {}) =>
    (await look({ id, ...args }, found)).faults;
  /** The one fault, up to its remedy. */
  const fault = async (...args: Parameters<typeof faults>) => {
    const found = await faults(...args);
    assert.equal(found.length, 1, found.join("\n"));
    return found[0] ?? "";
  };

  it("finds nothing wrong with what can be used, and asks ARM once for each, for nothing but to read", async () => {
    for (const [id, found] of [
      [GROUP, {}],
      [REGISTRY, PREMIUM],
      [VAULT, { properties: ROLES }],
      [KEY, { properties: RSA }],
      [WORKSPACE, {}],
    ] as const)
      assert.deepEqual(await look({ id }, found), { id, faults: [], warnings: [] });
    assert.deepEqual(
      cloud.calls.map(({ method, path }) => [method, path]),
      [GROUP, REGISTRY, VAULT, KEY, WORKSPACE].map((id) => ["GET", id]),
    );
  });

  it("gives the id in Azure's own letters, so that a stack lets go of what it made itself", async () => {
    const { id } = await look({ id: REGISTRY.toLowerCase() }, { ...PREMIUM, id: REGISTRY });
    assert.equal(id, REGISTRY);
  });

  it("names the types that it knows for an id of another one", async () => {
    const id = `${GROUP}/providers/Microsoft.Storage/storageAccounts/logs`;
    assert.equal(
      await fault(id, {}),
      "is the id of none of these: resource group, registry, vault, key, log workspace",
    );
    assert.deepEqual(cloud.calls, []);
    await assert.rejects(look({ id: "acme" }, {}), /^Error: id "acme" is not the ARM id of a resource group/);
  });

  it("tells how to find what is not there", async () => {
    assert.match(await fault(REGISTRY, undefined), /^is not there: .*`az acr list --query \[\]\.id --subscription s`/);
    assert.match(await fault(KEY, undefined), /`az keyvault key list --vault-name kv --query \[\]\.name /);
  });

  it("tells what is missing where it may not be read, and whose tenant it is", async () => {
    const forbidden = new ArmError(403, "AuthorizationFailed", "GET x: 403 AuthorizationFailed: no");
    assert.match(await fault(VAULT, forbidden), /^may not be read: GET x: .* Whoever runs this needs Reader there$/);
    const foreign = new ArmError(401, "InvalidAuthenticationTokenTenant", "GET x: 401: wrong issuer");
    assert.match(await fault(VAULT, foreign), /^is in another tenant than the one that is signed in to: GET x: 401/);
  });

  it("leaves to ARM's own words what says nothing of the resource", async () => {
    await assert.rejects(look({ id: VAULT }, new ArmError(503, "ServerBusy", "later")), /later/);
  });

  it("refuses a group of another subscription than the one that everything is made in", async () => {
    assert.deepEqual(await faults(GROUP, {}, { subscriptionId: "S" }), []);
    assert.match(
      await fault(GROUP, {}, { subscriptionId: "other" }),
      /^is in another subscription than other, in which everything is made\. /,
    );
  });

  it("refuses a registry whose roles are given repository by repository, where AcrPull has no effect", async () => {
    const abac = { ...PREMIUM, properties: { roleAssignmentMode: "AbacRepositoryPermissions" } };
    assert.match(
      await fault(REGISTRY, abac),
      /AcrPull has no effect.*`az acr update --name acme --role-assignment-mode rbac`/,
    );
    const legacy = { ...PREMIUM, properties: { roleAssignmentMode: "LegacyRegistryPermissions" } };
    assert.deepEqual(await faults(REGISTRY, legacy), []);
  });

  it("refuses a private endpoint of a registry that has none", async () => {
    const standard = { ...PREMIUM, sku: { name: "Standard" } };
    assert.deepEqual(await faults(REGISTRY, standard), []);
    assert.match(await fault(REGISTRY, standard, { privateEndpoint: true }), /^is of tier Standard.*--sku Premium`/);
  });

  it("refuses a vault of access policies, without soft delete, or of another tenant", async () => {
    const policies = { properties: { ...ROLES, enableRbacAuthorization: undefined } };
    assert.match(
      await fault(VAULT, policies),
      /^goes by access policies.*az keyvault update --name kv --enable-rbac-auth/,
    );
    const forgetful = { properties: { ...ROLES, enableSoftDelete: false } };
    assert.match(await fault(VAULT, forgetful), /^has no soft delete: .*--enable-soft-delete true`$/);
    assert.match(
      await fault(VAULT, { properties: ROLES }, { tenantId: "u" }),
      /^takes sign-ins of tenant t alone, and those who are to use it are of u\./,
    );
  });

  it("refuses a key that SOPS cannot encrypt or decrypt with", async () => {
    const key = (changed: object) => faults(KEY, { properties: { ...RSA, ...changed } });
    for (const [changed, expected] of [
      [{ kty: "EC", keySize: undefined }, /^is EC, and SOPS needs RSA of 2048 bits or more/],
      [{ keySize: 1024 }, /^is RSA of 1024 bits, and/],
      [{ keyOps: ["sign", "encrypt"] }, /^does not allow to decrypt\. /],
      [{ attributes: { enabled: false } }, /^is disabled\. /],
      [{ attributes: { enabled: true, exp: 86_400 } }, /^expired on 1970-01-02\. /],
      [{ attributes: { enabled: true, nbf: 4_102_444_800 } }, /^is not valid before 2100-01-01\. /],
    ] as const) {
      const [found = "", ...others] = await key(changed);
      assert.deepEqual(others, []);
      assert.match(found, expected);
    }
    assert.deepEqual(await key({ kty: "RSA-HSM", attributes: { enabled: true, exp: 4_102_444_800 } }), []);
  });

  describe("tells who may not get in, which is its owner's decision", () => {
    const warned = async (properties: object, args: object = {}) =>
      (await look({ id: VAULT, ...args }, { properties: { ...ROLES, ...properties } })).warnings;
    const some = { networkAcls: { defaultAction: "Deny", ipRules: [{ value: "203.0.113.0/24" }] } };
    const RUNNER = ["203.0.113.10/32"];

    it("where the public address is shut and no endpoint is made", async () => {
      const [shut = "", ...others] = await warned({ publicNetworkAccess: "Disabled" });
      assert.deepEqual(others, []);
      assert.match(shut, /kv is shut to the public, but for 0 networks, and gets no private endpoint here/);
      assert.deepEqual(await warned({ publicNetworkAccess: "Disabled" }, { privateEndpoint: true }), []);
    });

    it("where the runner's networks are not among those that are let in", async () => {
      const args = { privateEndpoint: true, callers: RUNNER };
      assert.deepEqual(await warned(some, args), []);
      assert.deepEqual(
        await warned({ networkAcls: { ...some.networkAcls, defaultAction: "Allow", ipRules: [] } }, args),
        [],
      );
      const [out = ""] = await warned(
        { networkAcls: { ...some.networkAcls, ipRules: [{ value: "198.51.100.7" }] } },
        args,
      );
      assert.match(out, /kv does not let in 203\.0\.113\.10\/32: ask its owner to$/);
      const single = { networkAcls: { defaultAction: "Deny", ipRules: [{ value: "203.0.113.10" }] } };
      assert.deepEqual(await warned(single, args), []);
    });

    it("of a registry too", async () => {
      const rules = { defaultAction: "Deny", ipRules: [{ action: "Allow", value: "203.0.113.10" }] };
      const registry = { ...PREMIUM, properties: { publicNetworkAccess: "Enabled", networkRuleSet: rules } };
      const { warnings } = await look({ id: REGISTRY, privateEndpoint: true, callers: ["198.51.100.0/24"] }, registry);
      assert.equal(warnings.length, 1);
    });
  });
});
