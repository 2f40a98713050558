import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Properties, type ResourceHandler, UNKNOWN } from "../../../plugin/handler.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { vaultKeyIn } from "../../../provider/azure/vaultKey.ts";
import { FakeCloud } from "../fakeCloud.ts";

const VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv";
const ID = `${VAULT}/keys/sops`;
const URI = "https://kv.vault.azure.net/keys/sops";
const INPUTS = { vaultId: VAULT, name: "sops", kty: "RSA", keySize: 3072, keyOps: ["encrypt", "decrypt"] };

describe("VaultKey", () => {
  let cloud: FakeCloud;
  let handler: ResourceHandler;
  let key: Record<string, unknown> | undefined;
  beforeEach(() => {
    cloud = new FakeCloud();
    handler = vaultKeyIn(cloud);
    key = undefined;
    // ARM makes a key where none is, and else gives what is there.
    cloud.answer = ({ method, path, body }) => {
      assert.equal(path, ID);
      if (method === "PUT") key ??= { ...(body as { properties: object }).properties, version: "v1" };
      if (key === undefined) throw new ArmError(404, "KeyNotFound", "not there");
      return { id: ID, properties: { ...key, keyUri: URI, keyUriWithVersion: `${URI}/${key.version}` } };
    };
  });

  const create = (inputs: Properties = INPUTS) => handler.create(inputs, cloud.context);
  const check = async (inputs: Properties, old?: Properties) =>
    (await handler.check?.(inputs, old, cloud.context, new Uint8Array()))?.failures ?? [];
  const diff = (inputs: Properties) =>
    handler.diff?.({ id: ID, inputs: INPUTS, state: { ...INPUTS, keyUri: URI } }, inputs, cloud.context);

  it("is made by ARM with its tags, and tells where it is", async () => {
    const made = await create({ ...INPUTS, tags: { owner: "platform" } });
    assert.deepEqual(made, {
      id: ID,
      state: { ...INPUTS, tags: { owner: "platform" }, keyUri: URI, keyUriWithVersion: `${URI}/v1` },
    });
    const { vaultId: _, name: __, ...properties } = INPUTS;
    assert.deepEqual(cloud.calls, [{ method: "PUT", path: ID, body: { properties, tags: { owner: "platform" } } }]);
  });

  it("takes over what is there, whatever the order of its operations", async () => {
    key = { kty: "RSA", keySize: 3072, keyOps: ["decrypt", "encrypt"], version: "v7" };
    assert.equal((await create()).state.keyUriWithVersion, `${URI}/v7`);
  });

  it("does not take over another key than the one that is wanted", async () => {
    key = { kty: "RSA", keySize: 2048, keyOps: ["encrypt"], version: "v7" };
    await assert.rejects(create(), {
      message:
        "keySize of the key sops is 2048 and not 3072, and Azure Resource Manager changes no key. Take the old value " +
        "back, or give the key, or its vault, another name: then a new key is made; keyOps of the key sops is " +
        '["encrypt"] and not ["encrypt","decrypt"], and Azure Resource Manager changes no key. Take the old value back, ' +
        "or set them in the vault itself (`az keyvault key set-attributes --name sops --ops ...`), and refresh",
    });
  });

  it("says how a deleted key comes back", async () => {
    cloud.answer = () => {
      throw new ArmError(409, "Conflict", "Key sops is currently in a deleted but recoverable state.");
    };
    await assert.rejects(create(), /recoverable state\. .*`az keyvault key recover --vault-name kv --name sops`/);
  });

  it("is another key in another vault or under another name, and stays one with other tags", async () => {
    for (const change of [{ vaultId: VAULT.replace(/kv$/, "other") }, { vaultId: UNKNOWN }, { name: "other" }]) {
      const found = await diff({ ...INPUTS, ...change });
      assert.deepEqual([found?.changes, found?.replaces], [true, Object.keys(change)]);
      assert.deepEqual(await check({ ...INPUTS, ...change, keySize: 4096 }, INPUTS), []);
    }
    for (const change of [{ tags: { owner: "other" } }, { vaultId: VAULT.toUpperCase() }])
      assert.equal((await diff({ ...INPUTS, ...change }))?.changes, false);
  });

  it("refuses before anything what ARM never changes", async () => {
    const faults = await check({ ...INPUTS, kty: "RSA-HSM", keySize: 4096, keyOps: ["decrypt", "encrypt"] }, INPUTS);
    assert.deepEqual(
      faults.map(({ property }) => property),
      ["kty", "keySize"],
    );
    assert.deepEqual((await check({ ...INPUTS, keySize: 1024, kty: "EC", keyOps: ["eat"] })).length, 3);
  });

  it("reads what is there, and is gone when the key is", async () => {
    const { state } = await create();
    key = { ...key, keyOps: ["decrypt", "encrypt"], version: "v2" };
    const newer = { ...state, keyUriWithVersion: `${URI}/v2` };
    assert.deepEqual(await handler.read?.(ID, INPUTS, state, cloud.context), { id: ID, inputs: INPUTS, state: newer });
    key = { ...key, keyOps: ["encrypt"] };
    assert.deepEqual((await handler.read?.(ID, INPUTS, state, cloud.context))?.inputs.keyOps, ["encrypt"]);
    key = undefined;
    assert.equal(await handler.read?.(ID, INPUTS, state, cloud.context), undefined);
  });

  it("is imported into a stack by its ARM id", async () => {
    await create();
    assert.deepEqual((await handler.read?.(ID, {}, {}, cloud.context))?.inputs, INPUTS);
    await assert.rejects(async () => handler.read?.(VAULT, {}, {}, cloud.context), {
      message: `"${VAULT}" is not the ARM id of a key: <ARM id of the vault>/keys/<name>`,
    });
  });

  it("goes with its vault: deleting it asks Azure for nothing", async () => {
    const { state } = await create();
    cloud.calls.length = 0;
    await handler.delete?.({ id: ID, inputs: INPUTS, state }, cloud.context);
    assert.deepEqual(cloud.calls, []);
  });
});
