// A key whose place another one takes, under the real engine: what is deleted when.
import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import {
  ENGINE_TIMEOUT,
  type EngineEnvironment,
  engineEnvironment,
  ROOT,
  runPulumi,
  succeed,
  writeProject,
} from "../../support/engine.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";

const TOKEN = "ghp_wonderfulToken0815";

/** The secret stands for the vault: another one for another key, and gone without asking anybody. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
const { vault, url, publicKey } = JSON.parse(readFileSync("given.json", "utf8"));
const resource = (type, name, inputs) => new pulumi.CustomResource("gitops:index:" + type, name, inputs);
const keyUrl = "https://" + vault + ".vault.azure.net/keys/sops/v1";
const key = resource("EncryptedSecret", "vault", { name: vault, namespace: "demo", stringData: {}, keyUrl, publicKey });
resource("KeyInUse", "use", { url, branch: "main", keyUrl: key.urn.apply(() => keyUrl) });
`;

describe("a key in use, under the real engine", () => {
  let engine: EngineEnvironment;
  let server: GitServer;
  let project: string;
  let env: Record<string, string>;

  const run = (...args: string[]) => runPulumi(project, [...args, "--yes", "--skip-preview"], env);
  const file = (...vaults: string[]) => {
    const keys = vaults.map((vault) => `{vault_url: "https://${vault}.vault.azure.net", name: sops}`);
    return server.commit("main", { "theirs.yaml": `sops: {azure_kv: [${keys.join(", ")}]}\n` });
  };
  const use = (vault: string) => {
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const publicKey = pair.publicKey.export({ type: "spki", format: "pem" });
    return writeFile(join(project, "given.json"), JSON.stringify({ vault, url: server.url, publicKey }));
  };
  /** What the state holds: resources that wait for their deletion too. */
  const kept = async () => {
    const { deployment } = JSON.parse(await succeed(project, ["stack", "export"], env)) as {
      deployment: { resources?: { type: string; inputs: { name?: string; keyUrl?: string } }[] };
    };
    return (deployment.resources ?? [])
      .filter(({ type }) => type.startsWith("gitops:"))
      .map(({ inputs }) => inputs.name ?? inputs.keyUrl?.replace(/^https:..([^.]+)\..*$/, "use of $1"))
      .sort();
  };

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    [engine, server] = await Promise.all([engineEnvironment(), startGitServer(TOKEN)]);
    env = { ...engine.env, GITHUB_TOKEN: TOKEN };
    project = await writeProject(engine.directory, "keys", { "index.ts": PROGRAM }, { gitops: join(ROOT, "provider") });
    await succeed(project, ["stack", "init", "test"], env);
  });

  after(async () => {
    await server?.close();
    await engine?.close();
  });

  it("keeps the old key in every up until its files are encrypted anew, and deletes it then", async () => {
    await file("one");
    await use("one");
    assert.equal((await run("up")).code, 0);
    await use("two");
    for (let tries = 0; tries < 2; tries++) {
      const { code, stdout, stderr } = await run("up");
      assert.notEqual(code, 0);
      assert.match(stdout + stderr, /nothing else decrypts: theirs\.yaml\. Everything works meanwhile/);
      assert.deepEqual(await kept(), ["one", "two", "use of one", "use of two"]);
    }
    await file("one", "two");
    assert.equal((await run("up")).code, 0);
    assert.deepEqual(await kept(), ["two", "use of two"]);
  });

  it("is destroyed with an old key that waits", async () => {
    await use("three");
    await file("two");
    assert.notEqual((await run("up")).code, 0);
    assert.deepEqual(await kept(), ["three", "two", "use of three", "use of two"]);
    assert.equal((await run("destroy")).code, 0);
    assert.deepEqual(await kept(), []);
  });
});
