import { strict as assert } from "node:assert";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, it } from "mocha";
import { decryptsOnly, keysOf } from "../../../provider/secret/encryptedFiles.ts";
import { encryptDocument } from "../../../provider/secret/sops.ts";

const OLD = "https://kv-old.vault.azure.net/keys/sops";
const NEW = "https://kv-new.vault.azure.net/keys/sops";

const entry = (vault: string) =>
  `{"vault_url":"https://${vault}.vault.azure.net","name":"sops","version":"v1","created_at":"","enc":""}`;
const yaml = (...vaults: string[]) => `kind: Secret\nsops:\n  azure_kv: [${vaults.map(entry).join(", ")}]\n`;
const only = (text: string) => decryptsOnly(text, { by: OLD, notBy: NEW });

describe("a file that only one key decrypts", () => {
  it("is one of the old key and not of the new one", () => {
    assert.equal(only(yaml("kv-old")), true);
    assert.equal(only(yaml("kv-old", "kv-other")), true);
    assert.equal(only(yaml("kv-old", "kv-new")), false);
    assert.equal(only(yaml("kv-new")), false);
    assert.equal(only(yaml("kv-older")), false);
  });

  it("is any of the old key where the new one is not known yet", () => {
    assert.equal(decryptsOnly(yaml("kv-old", "kv-new"), { by: OLD, notBy: undefined }), true);
    assert.equal(decryptsOnly(yaml("kv-new"), { by: OLD, notBy: undefined }), false);
  });

  it("is what the program itself encrypted", () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = { vaultUrl: "https://kv-old.vault.azure.net", name: "sops", version: "v1" };
    const text = encryptDocument(
      { data: { a: "b" } },
      { ...key, publicKey: createPublicKey(publicKey.export({ type: "spki", format: "pem" })) },
    );
    assert.equal(only(text), true);
  });

  const formats: readonly [format: string, text: string][] = [
    ["JSON", `{"a":"b","sops":{"azure_kv":[${entry("kv-old")}]}}`],
    ["several documents", `a: 1\n---\n${yaml("kv-old")}`],
    ["key groups", `sops: {key_groups: [{azure_kv: [${entry("kv-old")}]}, {azure_kv: [${entry("kv-other")}]}]}\n`],
    [
      ".env",
      "A=b\nsops_azure_kv__list_0__map_name=sops\nsops_azure_kv__list_0__map_vault_url=https://kv-old.vault.azure.net\n",
    ],
    [
      ".ini",
      "[sops]\nazure_kv__list_0__map_vault_url = https://kv-old.vault.azure.net\nazure_kv__list_0__map_name = sops\n",
    ],
    ["a URL in capitals with a slash at its end", yaml("KV-OLD").replace(".net", ".net/")],
  ];
  for (const [format, text] of formats)
    it(`is found in every format of sops: ${format}`, () => assert.equal(only(text), true));

  it("is none that speaks of a vault without being encrypted", () => {
    for (const text of [
      `vault_url: ${OLD}\n`,
      `sops: {azure_kv: vault_url}\n`,
      "vault_url: {{ .Values.vault }}: [\n",
      "",
    ])
      assert.deepEqual([only(text), keysOf(text)], [false, []]);
  });
});
