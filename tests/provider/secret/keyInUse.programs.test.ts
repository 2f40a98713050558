import { strict as assert } from "node:assert";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type Context, type Existing, type Properties, UNKNOWN } from "../../../plugin/handler.ts";
import { keyInUse } from "../../../provider/secret/keyInUse.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";

const TOKEN = "ghp_wonderfulToken0815";
const url = (vault: string, version = "v1") => `https://${vault}.vault.azure.net/keys/sops/${version}`;
const file = (...vaults: string[]) =>
  `sops: {azure_kv: [${vaults.map((vault) => `{vault_url: "https://${vault}.vault.azure.net", name: sops}`).join(", ")}]}\n`;

describe("KeyInUse", () => {
  let server: GitServer;
  let logs: string[];
  const saved = process.env.GITHUB_TOKEN;

  beforeEach(async () => {
    server = await startGitServer(TOKEN);
    process.env.GITHUB_TOKEN = TOKEN;
    logs = [];
  });

  afterEach(async () => {
    if (saved === undefined) delete process.env.GITHUB_TOKEN;
    else process.env.GITHUB_TOKEN = saved;
    await server.close();
  });

  const context: Context = {
    urn: "urn:pulumi:prod::aks-gitops::gitops:index:KeyInUse::flux",
    type: "gitops:index:KeyInUse",
    name: "flux",
    preview: false,
    signal: new AbortController().signal,
    log: (severity, message) => severity === "debug" || logs.push(`${severity}: ${message}`),
  };
  const inputs = (keyUrl: unknown, more: Properties = {}): Properties => ({
    url: server.url,
    branch: "main",
    keyUrl,
    ownFiles: ["own.yaml"],
    ...more,
  });
  const create = async (keyUrl: string): Promise<Existing> => {
    const given = inputs(keyUrl);
    return { ...(await keyInUse.create(given, context)), inputs: given };
  };
  const diff = async (existing: Existing, given: Properties) => keyInUse.diff?.(existing, given, context);
  const remove = async (existing: Existing, successor?: Existing) => keyInUse.delete?.(existing, context, successor);

  it("stays as long as files can be decrypted with nothing else, and says which and what to do", async () => {
    const [old, next] = [await create(url("kv-old")), await create(url("kv-new", "v7"))];
    await server.commit("main", {
      "apps/prod/a.yaml": file("kv-old"),
      "apps/prod/b.env":
        "sops_azure_kv__list_0__map_vault_url=https://kv-old.vault.azure.net\nsops_azure_kv__list_0__map_name=sops\n",
      "apps/prod/both.yaml": file("kv-old", "kv-new"),
      "apps/prod/new.yaml": file("kv-new"),
      "README.md": "kv-old holds the key\n",
    });
    await assert.rejects(remove(old, next), {
      message:
        "the key https://kv-old.vault.azure.net/keys/sops stays, with its vault and all who may use it, because branch " +
        `main of ${server.url} has files that nothing else decrypts: apps/prod/a.yaml, apps/prod/b.env. Everything works ` +
        "meanwhile. Encrypt them for https://kv-new.vault.azure.net/keys/sops too: `sops updatekeys FILE` where a rule of " +
        ".sops.yaml is for the file, else `sops rotate -i --add-azure-kv " +
        "https://kv-new.vault.azure.net/keys/sops/v7 FILE`. Commit, push and run `pulumi up` again, which then deletes " +
        "the old key's vault",
    });
    await server.commit("main", { "apps/prod/a.yaml": file("kv-old", "kv-new"), "apps/prod/b.env": null });
    await remove(old, next);
  });

  it("goes without a question where nothing took its place", async () => {
    await server.commit("main", { "a.yaml": file("kv-old") });
    await remove(await create(url("kv-old")));
    assert.deepEqual(server.requests, []);
  });

  it("goes where another instance is of the same key", async () => {
    await server.commit("main", { "a.yaml": file("kv-old") });
    await remove(await create(url("kv-old")), await create(url("kv-old", "v2")));
    assert.deepEqual(server.requests, []);
  });

  it("stays where the repository cannot be read", async () => {
    process.env.GITHUB_TOKEN = "wrong";
    await assert.rejects(
      remove(await create(url("kv-old")), await create(url("kv-new"))),
      /^Error: whether a file still needs the key https:\/\/kv-old\.vault\.azure\.net\/keys\/sops is not known, so it stays: /,
    );
  });

  it("goes where the repository has no such branch", async () => {
    await remove(await create(url("kv-old")), await create(url("kv-new")));
  });

  it("is another one for another key, and the same for another version", async () => {
    const old = await create(url("kv-old"));
    assert.deepEqual((await diff(old, inputs(url("kv-new"))))?.replaces, ["keyUrl"]);
    assert.deepEqual((await diff(old, inputs(UNKNOWN)))?.replaces, ["keyUrl"]);
    const newer = await diff(old, inputs(url("KV-old", "v2")));
    assert.deepEqual([newer?.changes, newer?.replaces], [true, []]);
    assert.equal((await diff(old, inputs(url("kv-old"))))?.changes, false);
  });

  it("warns before anything is done of the files that keep the old key, but for those that follow by themselves", async () => {
    const old = await create(url("kv-old"));
    await server.commit("main", { "own.yaml": file("kv-old") });
    await diff(old, inputs(UNKNOWN));
    assert.deepEqual(logs, []);
    await server.commit("main", { "theirs.yaml": file("kv-old") });
    await diff(old, inputs(UNKNOWN));
    assert.deepEqual(logs, [
      "warning: another key takes the place of https://kv-old.vault.azure.net/keys/sops, and these files are encrypted " +
        "for the old one: theirs.yaml. The old key stays until they are encrypted for the new one, and `pulumi up` fails " +
        "at its end as long as they are not",
    ]);
    process.env.GITHUB_TOKEN = "wrong";
    await diff(old, inputs(UNKNOWN));
    assert.equal(logs.length, 1);
  });

  it("keeps what tells it from another instance", async () => {
    const old = await create(url("kv-old"));
    assert.match(String(old.state.instance), /^[0-9a-f]{16}$/);
    const state = await keyInUse.update?.(old, inputs(url("kv-old", "v2")), context);
    assert.equal(state?.instance, old.state.instance);
    assert.notEqual((await create(url("kv-old"))).state.instance, old.state.instance);
  });
});
