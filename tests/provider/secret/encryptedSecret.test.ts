import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { type Context, type Properties, Secret, UNKNOWN } from "../../../plugin/handler.ts";
import { encryptedSecret } from "../../../provider/secret/encryptedSecret.ts";
import { parseKeyUrl, readKey } from "../../../provider/secret/keyVault.ts";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
const VERSIONED = "https://prod-kv.vault.azure.net/keys/sops/0123abcd";

const context: Context = {
  urn: "urn:pulumi:prod::aks-gitops::gitops:index:EncryptedSecret::demo",
  type: "gitops:index:EncryptedSecret",
  name: "demo",
  preview: false,
  signal: new AbortController().signal,
  log: () => {},
};
const inputs = (more: Properties = {}): Properties => ({
  name: "demo-credentials",
  namespace: "demo",
  type: "Opaque",
  stringData: { username: "admin", password: "hunter2" },
  keyUrl: VERSIONED,
  publicKey: pem,
  ...more,
});

describe("EncryptedSecret", () => {
  it("makes a whole Secret, sorted, with the values encrypted and the rest readable", async () => {
    const given = inputs({ labels: { "app.kubernetes.io/part-of": "demo", a: "b" } });
    const { id, state } = await encryptedSecret.create(given, context);
    assert.equal(id, "demo/demo-credentials");
    const { sops, stringData, ...rest } = parse(String(state.content));
    assert.deepEqual(rest, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: "demo-credentials",
        namespace: "demo",
        labels: { a: "b", "app.kubernetes.io/part-of": "demo" },
      },
      type: "Opaque",
    });
    assert.deepEqual(Object.keys(stringData), ["password", "username"]);
    assert.ok(Object.values(stringData).every((value) => /^ENC\[AES256_GCM,.*type:str\]$/.test(String(value))));
    assert.equal(sops.azure_kv[0].version, "0123abcd");
    assert.doesNotMatch(String(state.content), /hunter2|admin/);
  });

  it("keeps the plain values as secret outputs and names the key's version", async () => {
    const { state } = await encryptedSecret.create(inputs(), context);
    assert.deepEqual(state.stringData, new Secret({ username: "admin", password: "hunter2" }));
    assert.equal(state.keyUrl, VERSIONED);
  });

  it("encrypts anew in an update only", async () => {
    const { id, state } = await encryptedSecret.create(inputs(), context);
    const next = await encryptedSecret.update?.({ id, inputs: inputs(), state }, inputs(), context);
    assert.notEqual(next?.content, state.content);
  });

  const diff = (old: Properties, next: Properties) =>
    encryptedSecret.diff?.({ id: "x", inputs: old, state: {} }, next, context);

  it("has no change while no input changes", async () => {
    assert.deepEqual(await diff(inputs(), inputs()), { changes: false, replaces: [] });
    const changed = inputs({ stringData: { username: "admin", password: "other" } });
    assert.deepEqual(await diff(inputs(), changed), { changes: true, replaces: [] });
    assert.deepEqual(await diff(inputs(), inputs({ keyUrl: UNKNOWN })), { changes: true, replaces: [] });
  });

  it("is another Secret under another name or in another namespace", async () => {
    assert.deepEqual(await diff(inputs(), inputs({ name: "x" })), { changes: true, replaces: ["name"] });
    assert.deepEqual(await diff(inputs(), inputs({ namespace: "x" })), { changes: true, replaces: ["namespace"] });
  });

  it("does not know its content beforehand, nor the version of a key without one", async () => {
    const content = UNKNOWN;
    assert.deepEqual(await encryptedSecret.preview?.(inputs(), undefined, context), { ...inputs(), content });
    const open = inputs({ keyUrl: "https://prod-kv.vault.azure.net/keys/sops" });
    const seen = await encryptedSecret.preview?.(open, undefined, context);
    assert.deepEqual(seen, { ...open, content, keyUrl: UNKNOWN });
  });

  const check = async (given: Properties) => encryptedSecret.check?.(given, undefined, context, new Uint8Array());
  const reasons = async (more: Properties) => ((await check(inputs(more)))?.failures ?? []).map(({ reason }) => reason);

  it("is Opaque by default and accepts what is not known yet", async () => {
    const { type: _, ...given } = inputs({ stringData: { a: UNKNOWN }, keyUrl: UNKNOWN, publicKey: UNKNOWN });
    assert.deepEqual(await check(given), { inputs: { ...given, type: "Opaque" }, failures: [] });
    assert.deepEqual(await reasons({ stringData: UNKNOWN, name: UNKNOWN, labels: { a: UNKNOWN } }), []);
  });

  it("refuses the public part of one key for another one or another version", async () => {
    const faults = async (change: Properties) =>
      (await encryptedSecret.check?.(inputs(change), inputs(), context, new Uint8Array()))?.failures ?? [];
    const other = VERSIONED.replace("prod-kv", "other-kv");
    const remedy = "give that of the new key, or leave publicKey out: then it is read from the vault";
    assert.deepEqual(await faults({ keyUrl: other }), [
      { property: "", reason: `publicKey is still that of ${VERSIONED}, while keyUrl is ${other}: ${remedy}` },
    ]);
    assert.equal((await faults({ keyUrl: `${VERSIONED}1` })).length, 1);
    const unversioned = "https://prod-kv.vault.azure.net/keys/sops";
    const pemOfOther = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({
      type: "spki",
      format: "pem",
    });
    for (const change of [{}, { keyUrl: UNKNOWN }, { keyUrl: unversioned }, { keyUrl: other, publicKey: pemOfOther }])
      assert.deepEqual(await faults(change), []);
  });

  it("refuses names that Kubernetes would refuse", async () => {
    assert.deepEqual(await reasons({ name: "Demo", namespace: "a.b" }), [
      'name "Demo" is no name of a Secret: lower-case letters, digits, `-` and `.`, at most 253',
      'namespace "a.b" is no name of a namespace: lower-case letters, digits and `-`, at most 63',
    ]);
    for (const name of ["a".repeat(254), "a..b", "-a", "a-", "a_b", ""])
      assert.equal((await reasons({ name })).length, 1);
    for (const name of ["a", "a.b-c.0", "a".repeat(253)]) assert.deepEqual(await reasons({ name }), []);
    for (const key of ["a/b", "..", ".", "..a", "", "ü", "a".repeat(254)]) {
      assert.equal((await reasons({ stringData: { [key]: "x" } })).length, 1, key);
    }
    for (const key of [".dockerconfigjson", "tls.key", "A_b-1", "a".repeat(253)]) {
      assert.deepEqual(await reasons({ stringData: { [key]: "x" } }), []);
    }
    const labels = { "a/b/c": "x", "-a": "x", a: "x y", "UP/a": "x", "ok/a": "fine" };
    assert.equal((await reasons({ labels })).length, 4);
  });

  it("names every fault without a value of stringData, and of no property that the engine would print", async () => {
    const secret = "hunter2-is-my-password";
    const given = inputs({ stringData: { "a/b": secret, n: [secret] }, publicKey: secret, extra: 1 });
    const failures = (await check(given))?.failures ?? [];
    assert.deepEqual(
      failures.map(({ property }) => property),
      ["extra", "", "", ""],
    );
    assert.equal(JSON.stringify(failures).includes(secret), false);
    assert.deepEqual(await reasons({ stringData: { big: "x".repeat(1024 * 1024 + 1) } }), [
      "stringData holds 1048577 bytes: Kubernetes takes 1048576, split the Secret",
    ]);
  });

  it("refuses keys that SOPS cannot use", async () => {
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" });
    const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ type: "spki", format: "pem" });
    const full = pair.privateKey.export({ type: "pkcs8", format: "pem" });
    assert.deepEqual(
      await Promise.all([ec, small, full].map((publicKey) => reasons({ publicKey }).then(([reason]) => reason))),
      [
        "publicKey: SOPS needs an RSA key of at least 2048 bits, this is ec of 0 bits",
        "publicKey: SOPS needs an RSA key of at least 2048 bits, this is rsa of 1024 bits",
        "publicKey: this is a private key: give the public part only",
      ],
    );
    assert.deepEqual(await reasons({ keyUrl: "https://v.example.com/keys/sops" }), [
      'keyUrl "https://v.example.com/keys/sops" is no key of a vault: it reads https://<vault>.vault.azure.net/keys/<name>[/<version>]',
    ]);
  });
});

describe("a vault's key", () => {
  const real = globalThis.fetch;
  const location = { vaultUrl: "https://prod-kv.vault.azure.net", name: "sops" };
  const jwk = pair.publicKey.export({ format: "jwk" });
  const found = () => Response.json({ key: { kid: VERSIONED, kty: "RSA-HSM", n: jwk.n, e: jwk.e } });
  const refused = (status: number, code: string, message: string) =>
    Response.json({ error: { code: "Forbidden", message, innererror: { code } } }, { status });

  /** Asks a vault that gives these answers one after the other; tells what it was asked and what was logged. */
  async function ask(...answers: (() => Response)[]) {
    const requests: string[] = [];
    const logs: string[] = [];
    globalThis.fetch = async (url, init) => {
      requests.push(`${url} ${new Headers(init?.headers).get("authorization")}`);
      return (answers.shift() ?? found)();
    };
    const credential = {
      getToken: async (scope: string | string[]) => ({ token: `token for ${scope}`, expiresOnTimestamp: 0 }),
    };
    const log = (message: string) => logs.push(message);
    try {
      const options = { signal: context.signal, log, credential, waits: [0, 0] };
      return { key: await readKey(location, options), requests, logs };
    } finally {
      globalThis.fetch = real;
    }
  }

  it("is read with its version, with a token for the vault's cloud", async () => {
    const { key, requests } = await ask();
    assert.deepEqual([key.vaultUrl, key.name, key.version], ["https://prod-kv.vault.azure.net", "sops", "0123abcd"]);
    assert.ok(key.publicKey.equals(pair.publicKey));
    assert.deepEqual(requests, [
      "https://prod-kv.vault.azure.net/keys/sops?api-version=7.4 Bearer token for https://vault.azure.net/.default",
    ]);
  });

  const rbac = () => refused(403, "ForbiddenByRbac", "Caller is not authorized.\r\nCaller: secret-looking details");

  it("is asked for again while a role assignment takes effect", async () => {
    const { key, logs } = await ask(rbac, rbac);
    assert.equal(key.version, "0123abcd");
    assert.deepEqual(
      logs[0],
      "the vault answered 403 for key sops of https://prod-kv.vault.azure.net (ForbiddenByRbac): Caller is not authorized. The caller needs a role with keys/read on it, such as Key Vault Reader. Trying again in 0 s.",
    );
    assert.equal(logs.length, 2);
    await assert.rejects(
      ask(rbac, rbac, rbac),
      /\(ForbiddenByRbac\): Caller is not authorized\. The caller needs a role/,
    );
  });

  it("is not waited for any longer once the engine cancels, while the vault is silent or between two tries", async () => {
    const silent = (signal: AbortSignal | null | undefined) =>
      new Promise<Response>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    for (const answer of [silent, async () => rbac()]) {
      const abort = new AbortController();
      globalThis.fetch = (_, init) => {
        setImmediate(() => abort.abort(new Error("cancelled")));
        return answer(init?.signal);
      };
      const credential = { getToken: async () => ({ token: "t", expiresOnTimestamp: 0 }) };
      const options = { signal: abort.signal, log: () => {}, credential, waits: [3600] };
      await assert.rejects(readKey(location, options), { message: "cancelled" }).finally(() => {
        globalThis.fetch = real;
      });
    }
  });

  it("behind a firewall is not asked for twice, and the way around is named", async () => {
    const firewall = () => refused(403, "ForbiddenByFirewall", "Client address is not authorized.");
    await assert.rejects(ask(firewall), /\(ForbiddenByFirewall\): Client address .* pin the key's public part/);
  });

  it("that is missing, or none of RSA, is refused", async () => {
    await assert.rejects(
      ask(() => refused(404, "KeyNotFound", "A key with (name/id) sops was not found.")),
      /answered 404 .*Check the key's URL/,
    );
    const ec = () => Response.json({ key: { kid: VERSIONED, kty: "EC", n: "", e: "" } });
    await assert.rejects(ask(ec), { message: `${VERSIONED} is a key of type EC: SOPS needs RSA` });
  });

  it("has a URL on a vault's host, so that tokens go nowhere else", () => {
    assert.deepEqual(parseKeyUrl(VERSIONED), { ...location, version: "0123abcd" });
    assert.deepEqual(parseKeyUrl("https://prod-kv.vault.azure.net/keys/sops/"), location);
    for (const url of [
      "http://prod-kv.vault.azure.net/keys/sops",
      "https://prod-kprod-kv.vault.azure.net.evil.com/keys/sops",
      "https://evil.com/prod-kv.vault.azure.net/keys/sops",
      "https://user@prod-kv.vault.azure.net/keys/sops",
      "https://prod-kv.vault.azure.net/secrets/sops",
    ]) {
      assert.equal(parseKeyUrl(url), undefined, url);
    }
  });
});
