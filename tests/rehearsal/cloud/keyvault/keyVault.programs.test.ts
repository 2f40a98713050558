import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, it } from "mocha";
import { Authority } from "../../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../../rehearsal/cloud/door/door.ts";
import type { ClientCredential } from "../../../../rehearsal/cloud/entra/directory.ts";
import { Entra } from "../../../../rehearsal/cloud/entra/service.ts";
import { KeyVault } from "../../../../rehearsal/cloud/keyvault/service.ts";
import { type ArmResource, ServiceError } from "../../../../rehearsal/cloud/types.ts";
import { findTool } from "../../../../tools/findTool.ts";
import { FakeArm } from "../fakeArm.ts";
import { type Answer, ask, type Question } from "../request.ts";

const TENANT_ID = "6f1f2b6e-0000-4e0a-9c60-00000000aaaa";
const VAULT_ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-prod";
const KEY_TYPE = "Microsoft.KeyVault/vaults/keys";
const VAULT_URL = "https://kv-prod.vault.azure.net";

describe("Key Vault", () => {
  let arm: FakeArm;
  let entra: Entra;
  let vault: ArmResource;
  let keyVault: KeyVault;
  let client: ClientCredential;
  let authorization: string;

  beforeEach(async () => {
    arm = new FakeArm();
    entra = await Entra.create({ tenantId: TENANT_ID });
    keyVault = new KeyVault({ arm, directory: entra });
    vault = arm.add({
      id: VAULT_ID,
      name: "kv-prod",
      type: "Microsoft.KeyVault/vaults",
      location: "westeurope",
      properties: { enableRbacAuthorization: true },
    });
    client = entra.addClient("editor");
    authorization = bearer("https://vault.azure.net");
  });

  function bearer(audience: string): string {
    const principal = entra.find(client.objectId);
    if (!principal) throw new Error("the client is gone");
    return `Bearer ${entra.issuer.issue(principal, audience, "1", [])}`;
  }

  function allow(...verbs: string[]): void {
    for (const verb of verbs) arm.allowed.push(`${client.objectId} ${KEY_TYPE}/${verb} ${VAULT_ID}/keys/sops`);
  }

  /** Creates or writes the key `sops` as ARM does: what only the service sets is kept. */
  async function putKey(properties: Record<string, unknown> = {}): Promise<ArmResource> {
    const id = `${VAULT_ID}/keys/sops`;
    const { keyUri, keyUriWithVersion } = arm.get(id)?.properties ?? {};
    const kept = keyUri === undefined ? {} : { keyUri, keyUriWithVersion };
    const keyOps = ["encrypt", "decrypt", "wrapKey", "unwrapKey"];
    const key = {
      id,
      name: "sops",
      type: KEY_TYPE,
      properties: { kty: "RSA", keySize: 2048, keyOps, ...kept, ...properties },
    };
    await keyVault.extension.created?.(key);
    return arm.add(key);
  }

  function call(
    method: string,
    path: string,
    question: Question = {},
    apiVersion = "?api-version=7.4",
  ): Promise<Answer> {
    const headers = { authorization, ...question.headers };
    return ask(keyVault.service, method, `${VAULT_URL}${path}${apiVersion}`, { ...question, headers });
  }

  const fault = ({ status, body }: Answer) => `${status} ${body.error.code} ${body.error.innererror?.code}`;

  it("makes a key and a new version of it, which ARM shows", async () => {
    const create = (body: object) => call("POST", "/keys/sops/create", { body });
    assert.equal((await create({ kty: "RSA" })).body.error.innererror.code, "ForbiddenByRbac");
    allow("create/action", "read");
    const first = await create({ kty: "RSA", key_size: 3072, key_ops: ["encrypt", "decrypt"], tags: { a: "b" } });
    assert.deepEqual(
      [first.status, first.body.key.key_ops, first.body.tags],
      [200, ["encrypt", "decrypt"], { a: "b" }],
    );
    const { kty, keySize, keyUriWithVersion } = arm.get(`${VAULT_ID}/keys/sops`)?.properties ?? {};
    assert.deepEqual([kty, keySize, keyUriWithVersion], ["RSA", 3072, first.body.key.kid]);
    const second = await create({ kty: "RSA" });
    assert.notEqual(second.body.key.kid, first.body.key.kid);
    assert.equal((await call("GET", "/keys/sops/versions")).body.value.length, 2);
    assert.match((await create({ kty: "RSA", release_policy: {} })).body.error.message, /Property release_policy/);
    vault.properties.provisioningState = "RegisteringDns";
    assert.equal(keyVault.exists("kv-prod.vault.azure.net"), false);
  });

  it("makes a key of the size that ARM was asked for and tells its URLs", async () => {
    const { properties } = await putKey({ keySize: 3072 });
    assert.equal(properties.keyUri, `${VAULT_URL}/keys/sops`);
    assert.match(
      String(properties.keyUriWithVersion),
      /^https:\/\/kv-prod\.vault\.azure\.net\/keys\/sops\/[0-9a-f]{32}$/,
    );
    allow("read");
    const { status, body } = await call("GET", "/keys/sops");
    assert.equal(status, 200);
    assert.equal(body.key.kid, properties.keyUriWithVersion);
    assert.equal(body.attributes.enabled, true);
    assert.deepEqual(body.key.key_ops, ["encrypt", "decrypt", "wrapKey", "unwrapKey"]);
    const publicKey = createPublicKey({ key: { kty: "RSA", n: body.key.n, e: body.key.e }, format: "jwk" });
    assert.equal(publicKey.asymmetricKeyDetails?.modulusLength, 3072);
    assert.ok(!("d" in body.key));
  });

  it("keeps the version when ARM writes a key again, and makes a new key after a purge", async () => {
    const { properties: first } = await putKey();
    const { properties: again } = await putKey({ keyOps: ["decrypt"] });
    assert.equal(again.keyUriWithVersion, first.keyUriWithVersion);
    allow("read");
    assert.deepEqual((await call("GET", "/keys/sops")).body.key.key_ops, ["decrypt"]);
    arm.resources.delete(`${VAULT_ID}/keys/sops`.toLowerCase());
    assert.equal(fault(await call("GET", "/keys/sops")), "404 KeyNotFound undefined");
    const { properties: anew } = await putKey();
    assert.notEqual(anew.keyUriWithVersion, first.keyUriWithVersion);
  });

  it("challenges a caller without a token, and one with somebody else's", async () => {
    const anonymous = await call("GET", "/keys/sops", { headers: { authorization: "" } });
    assert.equal(anonymous.status, 401);
    assert.equal(anonymous.body.error.code, "Unauthorized");
    assert.equal(
      anonymous.headers["www-authenticate"],
      `Bearer authorization="https://login.microsoftonline.com/${TENANT_ID}", resource="https://vault.azure.net"`,
    );
    const foreign = await call("GET", "/keys/sops", {
      headers: { authorization: bearer("https://management.azure.com") },
    });
    assert.equal(foreign.status, 401);
    assert.match(foreign.headers["www-authenticate"] ?? "", /error="invalid_token"/);
  });

  for (const algorithm of ["RSA-OAEP", "RSA-OAEP-256"]) {
    it(`decrypts and unwraps what was encrypted with ${algorithm}, also outside the vault`, async () => {
      await putKey();
      allow("read", "encrypt/action", "decrypt/action", "wrap/action", "unwrap/action");
      const { body: bundle } = await call("GET", "/keys/sops");
      const path = new URL(bundle.key.kid).pathname;
      const plain = Buffer.from("0123456789abcdef");
      const value = plain.toString("base64url");
      const key = createPublicKey({ key: bundle.key, format: "jwk" });
      const oaepHash = algorithm === "RSA-OAEP" ? "sha1" : "sha256";
      const outside = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plain);
      for (const [to, back] of [
        ["encrypt", "decrypt"],
        ["wrapKey", "unwrapKey"],
      ]) {
        const encrypted = await call("POST", `${path}/${to}`, { body: { alg: algorithm, value } });
        assert.equal(encrypted.body.kid, bundle.key.kid);
        for (const cipher of [encrypted.body.value, outside.toString("base64url")]) {
          const answer = await call("POST", `${path}/${back}`, { body: { alg: algorithm, value: cipher } });
          assert.deepEqual(answer.body, { kid: bundle.key.kid, value });
        }
      }
    });
  }

  it("lets role assignments at the key decide each operation", async () => {
    await putKey();
    allow("encrypt/action");
    const encrypted = await call("POST", "/keys/sops/encrypt", { body: { alg: "RSA-OAEP-256", value: "YWJj" } });
    assert.equal(encrypted.status, 200);
    const body = { alg: "RSA-OAEP-256", value: encrypted.body.value };
    const refused = await call("POST", "/keys/sops/decrypt", { body });
    assert.equal(fault(refused), "403 Forbidden ForbiddenByRbac");
    assert.match(refused.body.error.message, /^Caller is not authorized to perform action on resource\.\r\n/);
    assert.match(refused.body.error.message, /\r\nAction: 'Microsoft\.KeyVault\/vaults\/keys\/decrypt\/action'\r\n/);
    // Whether a key is there is nobody's business who may not use it.
    assert.equal(fault(await call("GET", "/keys/other")), "403 Forbidden ForbiddenByRbac");
    assert.equal(fault(await call("GET", "/keys")), "403 Forbidden ForbiddenByRbac");
  });

  it("lets access policies decide in a vault without role-based access", async () => {
    await putKey();
    vault.properties.enableRbacAuthorization = false;
    assert.equal(fault(await call("GET", "/keys/sops")), "403 Forbidden AccessDenied");
    vault.properties.accessPolicies = [{ objectId: client.objectId, permissions: { keys: ["Get"] } }];
    assert.equal((await call("GET", "/keys/sops")).status, 200);
    const body = { alg: "RSA-OAEP", value: "YWJj" };
    assert.equal(fault(await call("POST", "/keys/sops/encrypt", { body })), "403 Forbidden AccessDenied");
  });

  it("refuses callers whom its firewall or its missing public access keeps out", async () => {
    await putKey();
    allow("read");
    arm.barrier = "no way";
    const firewall = await call("GET", "/keys/sops", { address: "203.0.113.77" });
    assert.equal(fault(firewall), "403 Forbidden ForbiddenByFirewall");
    assert.match(firewall.body.error.message, /\r\nClient address: 203\.0\.113\.77\r\n/);
    vault.properties.publicNetworkAccess = "Disabled";
    assert.equal(fault(await call("GET", "/keys/sops")), "403 Forbidden ForbiddenByConnection");
    assert.equal((await call("GET", "/keys/sops", { place: "inside" })).status, 200);
  });

  it("refuses what the key's attributes and operations forbid", async () => {
    allow("encrypt/action", "decrypt/action");
    const use = (operation: string) =>
      call("POST", `/keys/sops/${operation}`, { body: { alg: "RSA-OAEP", value: "YWJj" } });
    await putKey({ attributes: { enabled: false } });
    assert.equal(fault(await use("encrypt")), "403 Forbidden KeyDisabled");
    await putKey({ keyOps: ["decrypt"] });
    assert.equal(fault(await use("encrypt")), "403 Forbidden KeyOperationForbidden");
    await putKey({ attributes: { exp: 1 } });
    assert.equal(fault(await use("encrypt")), "403 Forbidden KeyExpired");
    await putKey({ attributes: { nbf: 4e9 } });
    assert.equal(fault(await use("encrypt")), "403 Forbidden KeyNotYetValid");
    assert.equal(fault(await use("decrypt")), "400 BadParameter undefined");
  });

  it("refuses requests that are not as they should be", async () => {
    await putKey();
    allow("read", "encrypt/action");
    assert.equal(fault(await call("GET", "/keys/sops", {}, "")), "400 BadParameter undefined");
    assert.equal(fault(await call("GET", "/keys/sops", {}, "?api-version=1.0")), "400 BadParameter undefined");
    assert.equal(fault(await call("GET", `/keys/sops/${"0".repeat(32)}`)), "404 KeyNotFound undefined");
    assert.equal(fault(await call("PUT", "/keys/sops")), "404 NotFound undefined");
    for (const body of [{ value: "YWJj" }, { alg: "A256KW", value: "YWJj" }, { alg: "RSA-OAEP", value: "!" }, "x"]) {
      assert.equal(fault(await call("POST", "/keys/sops/encrypt", { body })), "400 BadParameter undefined");
    }
  });

  it("lists keys and versions", async () => {
    await putKey();
    allow("read");
    arm.allowed.push(`${client.objectId} ${KEY_TYPE}/read ${VAULT_ID}`);
    const keys = await call("GET", "/keys");
    assert.deepEqual(
      keys.body.value.map(({ kid }: { kid: string }) => kid),
      [`${VAULT_URL}/keys/sops`],
    );
    const versions = await call("GET", "/keys/sops/versions");
    assert.deepEqual(
      versions.body.value.map(({ kid }: { kid: string }) => kid),
      [arm.get(`${VAULT_ID}/keys/sops`)?.properties.keyUriWithVersion],
    );
  });

  it("keeps a deleted key recoverable, its name taken", async () => {
    await putKey();
    allow("read", "delete");
    const deleted = await call("DELETE", "/keys/sops");
    assert.equal(deleted.body.recoveryId, `${VAULT_URL}/deletedkeys/sops`);
    assert.equal(fault(await call("GET", "/keys/sops")), "404 KeyNotFound undefined");
    assert.equal((await call("GET", "/deletedkeys/sops")).status, 200);
    await assert.rejects(putKey(), (error) => error instanceof ServiceError && error.response.status === 409);
  });

  it("has an address as long as the vault exists", () => {
    assert.equal(keyVault.exists("KV-prod.vault.azure.net"), true);
    assert.equal(keyVault.exists("kv-other.vault.azure.net"), false);
    arm.resources.clear();
    assert.equal(keyVault.exists("kv-prod.vault.azure.net"), false);
  });

  it("serves the real sops: encrypt, decrypt, and a refusal to decrypt", async function () {
    // Without a sops at hand it is built first.
    this.timeout(900_000);
    const sops = await findTool("sops");
    const folder = await mkdtemp(join(tmpdir(), "sops-"));
    const authority = await Authority.create();
    await writeFile(join(folder, "authority.pem"), authority.pem);
    await writeFile(join(folder, "secret.yaml"), "stringData:\n  password: tiger\n");
    const door = new Door(authority);
    door.route("login.microsoftonline.com", entra.service);
    door.route("*.vault.azure.net", keyVault.service, { exists: (host) => keyVault.exists(host) });
    const port = await door.listen("outside");
    const run = (...args: string[]) =>
      promisify(execFile)(sops, args, {
        cwd: folder,
        env: {
          HOME: folder,
          HTTPS_PROXY: `http://127.0.0.1:${port}`,
          SSL_CERT_FILE: join(folder, "authority.pem"),
          AZURE_TENANT_ID: TENANT_ID,
          AZURE_CLIENT_ID: client.clientId,
          AZURE_CLIENT_SECRET: client.clientSecret,
        },
      });
    try {
      const { properties } = await putKey();
      allow("encrypt/action");
      await run("encrypt", "--azure-kv", String(properties.keyUriWithVersion), "--in-place", "secret.yaml");
      const encrypted = await readFile(join(folder, "secret.yaml"), "utf8");
      assert.ok(!encrypted.includes("tiger"));
      assert.match(encrypted, /vault_url: https:\/\/kv-prod\.vault\.azure\.net/);
      await assert.rejects(run("decrypt", "secret.yaml"), /ForbiddenByRbac/);
      allow("decrypt/action");
      assert.equal((await run("decrypt", "secret.yaml")).stdout, "stringData:\n    password: tiger\n");
    } finally {
      await door.close();
      await rm(folder, { recursive: true });
    }
  });
});
