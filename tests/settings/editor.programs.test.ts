import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, describe, it } from "mocha";
import { stackFileSchema } from "../../settings/jsonSchema.ts";
import { LanguageServer } from "./languageServer.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const read = (name: string) => readFileSync(resolve(ROOT, name), "utf8");
const HEAD = "# yaml-language-server: $schema=./schema/settings.json\n";

describe("the JSON Schema of a stack file", function () {
  this.timeout(120_000);
  let server: LanguageServer;
  before(async () => {
    server = await LanguageServer.start();
  });
  after(() => server.stop());

  const open = (config: string) => server.open("Pulumi.try.yaml", `${HEAD}config:\n${config}`);
  const messages = async (config: string) => (await open(config)).map(({ message }) => message);

  it("is the one that the settings make; else run `npm run schema`", () => {
    assert.deepEqual(JSON.parse(read("schema/settings.json")), JSON.parse(JSON.stringify(stackFileSchema())));
  });

  for (const stack of ["dev", "prod"])
    it(`is named by Pulumi.${stack}.yaml, in which it finds nothing wrong`, async () => {
      const name = `Pulumi.${stack}.yaml`;
      assert.ok(read(name).startsWith(HEAD));
      assert.deepEqual(await server.open(name, read(name)), []);
      assert.match(await server.hover(name, "aks-gitops:clus"), /The cluster: tier, access, networks, pools/);
    });

  it("completes the keys of a setting", async () => {
    await open("  aks-gitops:cluster:\n    sku: Free\n    \n");
    const proposed = await server.completions("Pulumi.try.yaml", "sku: Free\n    ");
    for (const key of ["private", "network", "systemPool", "nodeOSUpgradeChannel"])
      assert.ok(proposed.includes(key), key);
    assert.ok(!proposed.includes("sku"), "what stands there already is not proposed again");
  });

  it("completes the words of a setting, and the settings themselves", async () => {
    await open("  aks-gitops:cluster:\n    sku: \n");
    assert.deepEqual((await server.completions("Pulumi.try.yaml", "sku: ")).sort(), ["Free", "Premium", "Standard"]);
    await open("  azure-native:location: westeurope\n  \n");
    const proposed = await server.completions("Pulumi.try.yaml", "westeurope\n  ");
    for (const key of ["aks-gitops:tags", "aks-gitops:flux", "github:owner"]) assert.ok(proposed.includes(key), key);
  });

  it("shows what a setting means, and its default", async () => {
    await open("  aks-gitops:cluster:\n    network:\n      pods: 10.244.0.0/16\n");
    const shown = await server.hover("Pulumi.try.yaml", "      po");
    assert.match(shown, /The overlay's addresses of pods; not routed outside the cluster\./);
  });

  it("names a wrong word, a wrong form, a wrong type and an unknown key, each in its line", async () => {
    const found = await open(
      "  aks-gitops:runner: insid\n  aks-gitops:cluster:\n    privat: true\n    network: { vnet: 10.0.0.0/33 }\n" +
        '  aks-gitops:demo: { image: "ghcr.io/a/b:1", replicas: "5" }\n  aks-gitops:clutser: {}\n',
    );
    const lines = found.map(({ message, range }) => [range.start.line - 1, message] as const);
    const at = (line: number) =>
      lines
        .filter(([other]) => other === line)
        .map(([, message]) => message)
        .join();
    assert.match(at(1), /Value is not accepted\. Valid values: "inside", "outside"/);
    assert.match(at(3), /privat/);
    assert.match(at(4), /does not match the pattern|10\.60\.0\.0\/16/);
    assert.match(at(5), /Incorrect type\. Expected "integer"/);
    assert.match(at(6), /clutser/);
    assert.equal(lines.length, 5, JSON.stringify(lines));
  });

  it("says what to do about a wrong form, in the words of the faults", async () => {
    assert.deepEqual(await messages("  aks-gitops:flux: { repository: git@github.com:acme/fleet.git }\n"), [
      "write the repository's address, https://<host>/<path> or ssh://git@<host>/<path>, for example https://github.com/acme/fleet",
    ]);
  });

  it("takes a sealed value where a secret may stand, and nowhere else", async () => {
    const sealed = "{ secure: v1:abc }";
    assert.deepEqual(await messages(`  aks-gitops:gitToken: ${sealed}\n  aks-gitops:secrets: ${sealed}\n`), []);
    const secret = `{ name: a, namespace: b, data: { user: admin, password: ${sealed} } }`;
    assert.deepEqual(await messages(`  aks-gitops:secrets: [${secret}]\n`), []);
    assert.equal((await messages(`  aks-gitops:registry: ${sealed}\n`)).length, 1);
    assert.equal((await messages("  aks-gitops:gitToken: hunter2\n")).length, 1);
  });

  it("leaves other namespaces and Pulumi's own keys alone", async () => {
    const text = `${HEAD}encryptionsalt: v1:abc\nsecretsprovider: passphrase\nconfig:\n  other:key: [1]\n  azure-native:tenantId: x\n`;
    assert.deepEqual(await server.open("Pulumi.try.yaml", text), []);
    assert.equal((await server.open("Pulumi.try.yaml", text.replace("config:", "confg:"))).length, 1);
  });

  it("takes a true as `pulumi config set` writes it", async () => {
    assert.deepEqual(await messages('  aks-gitops:protect: "true"\n'), []);
  });
});
