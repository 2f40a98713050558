import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compare } from "bcryptjs";
import { after, before, describe, it } from "mocha";
import { runPulumi, succeed, writeProject } from "../../support/engine.ts";
import { FakeCloud, type Json } from "./fakeCloud.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { RepositoryDeployKey } from "@pulumi/github/repositoryDeployKey.js";
import { getRepositoryOutput } from "@pulumi/github/getRepository.js";
import { Application } from "@pulumi/azuread/application.js";
import { ServicePrincipal } from "@pulumi/azuread/servicePrincipal.js";
import { ApplicationPassword } from "@pulumi/azuread/applicationPassword.js";

const round = new pulumi.Config().get("round") ?? "1";
const password = new random.RandomPassword("password", { length: 24, minSpecial: 4, overrideSpecial: "-_", upper: false, keepers: { round } });
const text = new random.RandomString("text", { length: 8, special: false, numeric: false, lower: false });
const id = new random.RandomId("id", { byteLength: 4, prefix: "p-" });
const uuid = new random.RandomUuid("uuid");
const keys = ["RSA", "P224", "P256", "P384", "P521", "ED25519"].map((name) => new tls.PrivateKey(name,
  name.startsWith("P") ? { algorithm: "ECDSA", ecdsaCurve: name } : { algorithm: name }));
const deploy = new RepositoryDeployKey("deploy", { repository: "fleet", title: "flux", key: keys[5]!.publicKeyOpenssh, readOnly: true });
const application = new Application("puller", { displayName: "puller" });
const principal = new ServicePrincipal("puller", { clientId: application.clientId });
const secret = new ApplicationPassword("puller", { applicationId: application.id, endDateRelative: "240h" });

export const drawn = { password: password.result, bcrypt: password.bcryptHash, text: text.result, textId: text.id, uuid: uuid.result };
export const encoded = { hex: id.hex, dec: id.dec, b64Std: id.b64Std, b64Url: id.b64Url, id: id.id };
export const pairs = keys.map((key) => ({ open: key.privateKeyOpenssh, pem: key.privateKeyPem, pkcs8: key.privateKeyPemPkcs8, line: key.publicKeyOpenssh, md5: key.publicKeyFingerprintMd5, sha256: key.publicKeyFingerprintSha256, id: key.id }));
export const deployId = deploy.id;
export const clone = getRepositoryOutput({ fullName: "acme/fleet" }).apply(({ id, httpCloneUrl, defaultBranch, visibility }) => [id, httpCloneUrl, defaultBranch, visibility]);
export const missing = getRepositoryOutput({ fullName: "acme/nothing" }).id;
export const entra = { application: application.id, clientId: application.clientId, principal: principal.id, objectId: principal.objectId, secret: secret.value, secretId: secret.id };
`;

interface Pair {
  readonly open: string;
  readonly pem: string;
  readonly pkcs8: string;
  readonly line: string;
  readonly md5: string;
  readonly sha256: string;
  readonly id: string;
}

describe("the stand-ins for random, tls, github and azuread", () => {
  let cloud: FakeCloud;
  let project: string;
  let outputs: Record<string, Json>;
  const pulumi = (...args: string[]) => succeed(project, args, cloud.env);
  const read = async () => JSON.parse(await pulumi("stack", "output", "--json", "--show-secrets"));

  before(async () => {
    cloud = await FakeCloud.start();
    cloud.github = gitHub();
    cloud.graph = graph();
    project = await writeProject(cloud.engine.directory, "bridged", { "index.ts": PROGRAM }, {});
    await pulumi("stack", "init", "test");
    await pulumi("config", "set", "github:owner", "acme");
    await pulumi("preview");
    await pulumi("up", "--yes", "--skip-preview");
    outputs = await read();
  });
  after(() => cloud.close());

  it("draws passwords, strings, ids and UUIDs by their arguments", async () => {
    const { password, bcrypt, text, textId, uuid } = outputs.drawn as Record<string, string>;
    assert.match(password ?? "", /^[-_0-9a-z]{24}$/);
    assert.ok((password?.match(/[-_]/g) ?? []).length >= 4);
    assert.equal(await compare(password ?? "", bcrypt ?? ""), true);
    assert.match(bcrypt ?? "", /^\$2[aby]\$10\$/);
    assert.match(text ?? "", /^[A-Z]{8}$/);
    assert.equal(textId, text);
    assert.match(uuid ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const { hex, dec, b64Std, b64Url, id } = outputs.encoded as Record<string, string>;
    const bytes = Buffer.from(id ?? "", "base64url");
    assert.equal(bytes.length, 4);
    assert.deepEqual(
      [hex, dec, b64Std, b64Url],
      [`p-${bytes.toString("hex")}`, `p-${bytes.readUInt32BE()}`, `p-${bytes.toString("base64")}`, `p-${id}`],
    );
  });

  it("encodes keys as OpenSSH does", async function () {
    const pairs = outputs.pairs as unknown as Pair[];
    const types = pairs.map(({ line }) => line.split(" ")[0]);
    const ecdsa = ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];
    assert.deepEqual(types, ["ssh-rsa", "", ...ecdsa, "ssh-ed25519"]);
    const titles = pairs.map(({ pem }) => /^-----BEGIN (.*)-----/.exec(pem)?.[1]);
    const ec = Array(4).fill("EC PRIVATE KEY");
    assert.deepEqual(titles, ["RSA PRIVATE KEY", ...ec, "PRIVATE KEY"]);
    assert.ok(
      pairs.every(({ id, pkcs8 }) => /^[0-9a-f]{40}$/.test(id) && pkcs8.startsWith("-----BEGIN PRIVATE KEY-----")),
    );
    if (!hasSshKeygen()) this.skip();
    for (const [at, pair] of pairs.entries()) {
      if (pair.line === "") continue;
      const file = join(cloud.engine.directory, `key${at}`);
      await writeFile(file, pair.open, { mode: 0o600 });
      const line = execFileSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" });
      assert.equal(line.trim(), pair.line.trim());
      await writeFile(`${file}.pub`, pair.line);
      const fingerprint = (kind: string) =>
        execFileSync("ssh-keygen", ["-l", "-E", kind, "-f", `${file}.pub`], { encoding: "utf8" });
      assert.equal(fingerprint("sha256").split(" ")[1], pair.sha256);
      assert.equal(fingerprint("md5").split(" ")[1], `MD5:${pair.md5}`);
    }
  });

  it("adds deploy keys and looks repositories up", () => {
    assert.equal(outputs.deployId, "fleet:7");
    assert.deepEqual(outputs.clone, ["fleet", "https://github.com/acme/fleet.git", "main", "private"]);
    assert.equal(outputs.missing, undefined);
  });

  it("makes applications, service principals and client secrets through Graph", () => {
    assert.deepEqual(outputs.entra, {
      application: "/applications/app-object",
      clientId: "app-client",
      principal: "/servicePrincipals/sp-object",
      objectId: "sp-object",
      secret: "the client secret",
      secretId: "app-object/password/key-1",
    });
    const { body } = cloud.sent.find(({ path }) => path.endsWith("/addPassword")) ?? {};
    const { endDateTime } = (body?.passwordCredential ?? {}) as Json;
    const days = (Date.parse(String(endDateTime)) - Date.now()) / 86_400_000;
    assert.equal(Math.round(days), 10);
  });

  it("keeps passwords, private keys and client secrets encrypted in the state", async () => {
    const state = await pulumi("stack", "export");
    const { password } = outputs.drawn as Record<string, string>;
    for (const secret of [password ?? "", "the client secret", "BEGIN OPENSSH PRIVATE KEY"]) {
      assert.equal(state.includes(secret), false);
    }
  });

  it("draws nothing anew until a keeper changes, and then only that", async () => {
    await pulumi("preview", "--expect-no-changes");
    await pulumi("refresh", "--yes", "--expect-no-changes");
    await pulumi("config", "set", "round", "2");
    await pulumi("up", "--yes", "--skip-preview");
    const now = await read();
    assert.notEqual(now.drawn.password, (outputs.drawn as Json).password);
    assert.equal(now.drawn.uuid, (outputs.drawn as Json).uuid);
    assert.deepEqual(now.pairs, outputs.pairs);
  });

  it("adds a deploy key again that somebody removed", async () => {
    cloud.github = gitHub();
    cloud.sent.length = 0;
    const { code } = await runPulumi(project, ["preview", "--refresh", "--expect-no-changes"], cloud.env);
    assert.notEqual(code, 0);
    await pulumi("up", "--refresh", "--yes", "--skip-preview");
    const sent = cloud.sent.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(sent, ["POST /repos/acme/fleet/keys"]);
    await pulumi("preview", "--refresh", "--expect-no-changes");
  });

  it("names what is wrong with the arguments", async () => {
    const bad =
      'import { RandomPassword } from "@pulumi/random";\nnew RandomPassword("bad", { length: 3, minUpper: 4 });';
    const other = await writeProject(cloud.engine.directory, "bad", { "index.ts": bad }, {});
    await succeed(other, ["stack", "init", "test"], cloud.env);
    const { code, stdout } = await runPulumi(other, ["preview"], cloud.env);
    assert.notEqual(code, 0);
    assert.match(stdout, /length is 3; it must be a whole number of at least 4, the sum of the minimums/);
  });

  it("deletes what it made in GitHub and Entra", async () => {
    cloud.sent.length = 0;
    await pulumi("destroy", "--yes", "--skip-preview");
    const deleted = cloud.sent.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(deleted.sort(), [
      "DELETE /repos/acme/fleet/keys/7",
      "DELETE /v1.0/applications/app-object",
      "DELETE /v1.0/servicePrincipals/sp-object",
      "POST /v1.0/applications/app-object/removePassword",
    ]);
  });
});

function hasSshKeygen(): boolean {
  try {
    execFileSync("sh", ["-c", "command -v ssh-keygen"]);
    return true;
  } catch {
    return false;
  }
}

function gitHub(): FakeCloud["github"] {
  let key: Json | undefined;
  return ({ method, path, body }) => {
    if (path === "/repos/acme/fleet") {
      const clone_url = "https://github.com/acme/fleet.git";
      return { status: 200, body: { name: "fleet", id: 3, clone_url, default_branch: "main", visibility: "private" } };
    }
    if (!path.startsWith("/repos/acme/fleet/keys")) return undefined;
    if (method === "POST") key = { id: 7, ...body };
    if (method === "DELETE") return { status: 204 };
    return key && { status: method === "POST" ? 201 : 200, body: key };
  };
}

function graph(): FakeCloud["graph"] {
  const credential = { keyId: "key-1", startDateTime: "2026-01-01T00:00:00Z", endDateTime: "2026-01-11T00:00:00Z" };
  const application = { id: "app-object", appId: "app-client", displayName: "puller", signInAudience: "AzureADMyOrg" };
  const principal = {
    id: "sp-object",
    appId: "app-client",
    displayName: "puller",
    accountEnabled: true,
    appRoleAssignmentRequired: false,
  };
  return ({ method, path }) => {
    if (method === "DELETE" || path.endsWith("/removePassword")) return { status: 204 };
    if (path.endsWith("/addPassword")) return { status: 200, body: { ...credential, secretText: "the client secret" } };
    if (path === "/v1.0/servicePrincipals" && method === "GET") return { status: 200, body: { value: [] } };
    if (path.includes("/servicePrincipals")) return { status: 201, body: principal };
    return { status: 200, body: { ...application, passwordCredentials: [credential] } };
  };
}
