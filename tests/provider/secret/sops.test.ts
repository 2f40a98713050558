import { strict as assert } from "node:assert";
import { createDecipheriv, createHash, generateKeyPairSync, webcrypto } from "node:crypto";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { encryptDocument, type Plain, type VaultKey } from "../../../provider/secret/sops.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key: VaultKey = { vaultUrl: "https://v.vault.azure.net", name: "sops", version: "0123abcd", publicKey };
const now = new Date("2026-03-04T05:06:07.890Z");

interface Metadata {
  azure_kv: { created_at: string; enc: string; name: string; vault_url: string; version: string }[];
  encrypted_regex: string;
  lastmodified: string;
  mac: string;
  version: string;
}

/** Unwraps the data key as Key Vault does for RSA-OAEP-256: SHA-256 for the hash and for the mask. */
async function dataKey(metadata: Metadata): Promise<Buffer> {
  const algorithm = { name: "RSA-OAEP", hash: "SHA-256" };
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const imported = await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["decrypt"]);
  const wrapped = Buffer.from(metadata.azure_kv[0]?.enc ?? "", "base64url");
  return Buffer.from(await webcrypto.subtle.decrypt(algorithm, imported, wrapped));
}

/** Opens one `ENC[...]` and gives its text and type. */
function open(value: string, secret: Buffer, additionalData: string): [text: string, type: string] {
  const [, data = "", iv = "", tag = "", type = ""] =
    /^ENC\[AES256_GCM,data:([^,]+),iv:([^,]+),tag:([^,]+),type:(\w+)\]$/.exec(value) ?? [];
  const bytes = (text: string) => Buffer.from(text, "base64");
  assert.equal(bytes(iv).length, 32);
  const decipher = createDecipheriv("aes-256-gcm", secret, bytes(iv)).setAAD(Buffer.from(additionalData));
  decipher.setAuthTag(bytes(tag));
  return [Buffer.concat([decipher.update(bytes(data)), decipher.final()]).toString(), type];
}

const encrypt = (document: Record<string, Plain>) => {
  const text = encryptDocument(document, key, now);
  const { sops, ...body } = parse(text) as Record<string, Record<string, string>> & { sops: Metadata };
  return { text, body, sops };
};

describe("SOPS files", () => {
  it("have the shape and order that sops itself writes", () => {
    const { text } = encrypt({ kind: "Secret", metadata: { name: "demo" }, stringData: { password: "x", empty: "" } });
    const blurred = text.replace(/ENC\[.*\]/g, "ENC").replace(/enc: \S+/, "enc: ENC");
    assert.equal(
      blurred,
      `kind: Secret
metadata:
    name: demo
stringData:
    password: ENC
    empty: ""
sops:
    azure_kv:
        - created_at: "2026-03-04T05:06:07Z"
          enc: ENC
          name: sops
          vault_url: https://v.vault.azure.net
          version: 0123abcd
    encrypted_regex: ^(data|stringData)$
    lastmodified: "2026-03-04T05:06:07Z"
    mac: ENC
    version: 3.13.2
`,
    );
  });

  it("keep the data key in 256 bytes of base64url without padding", async () => {
    const { sops } = encrypt({ data: { a: "1" } });
    assert.match(sops.azure_kv[0]?.enc ?? "", /^[\w-]{342}$/);
    assert.equal((await dataKey(sops)).length, 32);
  });

  it("encrypt values with their path, without list indices, as additional data", async () => {
    const { body, sops } = encrypt({ stringData: { "a.b": "geheim ü" }, spec: { data: { list: ["x", ["y"]] } } });
    const secret = await dataKey(sops);
    assert.deepEqual(open(body.stringData?.["a.b"] ?? "", secret, "stringData:a.b:"), ["geheim ü", "str"]);
    const list = (body.spec as unknown as { data: { list: [string, [string]] } }).data.list;
    assert.deepEqual(open(list[0], secret, "spec:data:list:"), ["x", "str"]);
    assert.deepEqual(open(list[1][0], secret, "spec:data:list:"), ["y", "str"]);
  });

  it("write booleans and numbers as Python would", async () => {
    const { body, sops } = encrypt({ data: { yes: true, no: false, whole: -12, broken: 0.25 } });
    const secret = await dataKey(sops);
    const values = Object.entries(body.data ?? {}).map(([name, value]) => open(value, secret, `data:${name}:`));
    assert.deepEqual(values, [
      ["True", "bool"],
      ["False", "bool"],
      ["-12", "int"],
      ["0.25", "float"],
    ]);
  });

  it("leave empty strings, null and everything outside data and stringData as they are", () => {
    const { body } = encrypt({ metadata: { dataX: "plain", n: 1 }, type: "Opaque", data: { empty: "", none: null } });
    assert.deepEqual(body, { metadata: { dataX: "plain", n: 1 }, type: "Opaque", data: { empty: "", none: null } });
  });

  it("authenticate every leaf in order, the readable ones too", async () => {
    const document = { a: "x", n: 1.5, ok: true, list: ["p", 2, null], data: { s: "ü", e: "", t: false } };
    const { sops } = encrypt(document);
    const leaves = "x" + "1.5" + "True" + "p" + "2" + "ü" + "" + "False";
    const expected = createHash("sha512").update(leaves).digest("hex").toUpperCase();
    assert.deepEqual(open(sops.mac, await dataKey(sops), "2026-03-04T05:06:07Z"), [expected, "str"]);
  });

  it("quote readable text that sops would take for something else", () => {
    const words = ["yes", "n", "0o7", "007", "1_000", "12:30", "1e3", "~", "2026-01-01", ".5", "0x1f", "1.0", "null"];
    const { text } = encrypt({ labels: Object.fromEntries(words.map((word, index) => [`l${index}`, word])) });
    const lines = text.split("\n").slice(1, words.length + 1);
    assert.deepEqual(
      lines,
      words.map((word, index) => `    l${index}: "${word}"`),
    );
  });

  it("never repeat: each has a data key and vectors of its own", async () => {
    const [one, two] = [encrypt({ data: { a: "x", b: "x" } }), encrypt({ data: { a: "x", b: "x" } })];
    assert.notDeepEqual(await dataKey(one.sops), await dataKey(two.sops));
    assert.notEqual(one.body.data?.a, one.body.data?.b);
  });

  it("are refused for what is encrypted already, and for numbers that would change", () => {
    assert.throws(() => encrypt({ sops: {}, data: {} }), {
      message: "the document has a key `sops`: it is encrypted already",
    });
    for (const number of [2 ** 53, 1e-7, Number.NaN]) {
      assert.throws(() => encrypt({ data: { n: number } }), {
        message: "data.n holds a number that SOPS cannot keep exactly: pass it as a string",
      });
    }
  });
});
