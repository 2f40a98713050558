// The whole of prod: one kept rehearsal, and everything that is promised of it, in the order a user would try.
import { strict as assert } from "node:assert";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "mocha";
import { parse } from "yaml";
import type { Report } from "../../rehearsal/report.ts";
import { type Ran, run } from "../../rehearsal/run.ts";
import { secretsIn } from "../support/secrets.ts";

const checkout = resolve(import.meta.dirname, "../..");
const validator = resolve(checkout, "../shared/arm/validate.mjs");

describe("the rehearsal of prod", () => {
  const folder = mkdtempSync(join(tmpdir(), "rehearsals-"));
  const prod = join(folder, "prod");
  const env = { ...(process.env as Record<string, string>), AKS_GITOPS_REHEARSALS: folder };
  const script = (file: string, args: readonly string[]) =>
    run(process.execPath, [join(checkout, "rehearsal", file), ...args], { cwd: checkout, env });
  const rehearse = (...args: string[]) => script("rehearse.ts", args);
  const succeeds = async (...args: string[]): Promise<Ran> => {
    const ran = await rehearse(...args);
    assert.equal(ran.code, 0, `${args.join(" ")}\n${ran.stdout}\n${ran.stderr}`);
    return ran;
  };
  const report = () => JSON.parse(readFileSync(join(prod, "report.json"), "utf8")) as Report;
  const log = async () => (await succeeds("exec", "--", "git", "log", "--format=%an: %s")).stdout.trim().split("\n");
  let started: Ran;

  before(async () => {
    started = await script("start.ts", ["--stack", "prod", "--keep"]);
    assert.equal(started.code, 0, `${started.stdout}\n${started.stderr}`);
  });

  after(async () => {
    await rehearse("--stack", "prod", "stop");
    rmSync(folder, { recursive: true, force: true });
  });

  it("ends with a summary that calls what no cluster reconciled checked, and finds no fault", () => {
    assert.match(started.stdout, /Kustomizations \(checked, not reconciled\)/);
    assert.doesNotMatch(started.stdout, /FAULT|MISSING/);
  });

  it("reports the same as data", () => {
    const { repository, registry, images, charts, kustomizations, helmReleases, sources, secrets, faults } = report();
    assert.equal(repository.url, "https://github.com/acme/fleet");
    assert.equal(repository.path, "clusters/prod");
    assert.match(repository.commit, /^[0-9a-f]{40}$/);
    assert.match(registry.loginServer, /^[a-z0-9]{5,50}\.azurecr\.io$/);
    assert.deepEqual(
      images.map(({ source, found }) => [source, found]),
      [
        ["ghcr.io/kubereboot/kured:1.23.0", true],
        ["ghcr.io/stefanprodan/podinfo:6.14.1", true],
      ],
    );
    assert.deepEqual(
      charts.map(({ name, version, found }) => [name, version, found]),
      [["kured", "6.1.0", true]],
    );
    assert.deepEqual(
      kustomizations.map(({ name, path, checked }) => [name, path, checked]),
      [
        ["flux-system-cluster", "./clusters/prod", true],
        ["apps", "./apps/prod", true],
        ["infrastructure", "./infrastructure/prod", true],
      ],
    );
    assert.deepEqual(
      helmReleases.map(({ name, namespace, targetNamespace, checked }) => [name, namespace, targetNamespace, checked]),
      [["kured", "flux-system", "baseline", true]],
    );
    assert.deepEqual(
      sources.map(({ kind, url, checked }) => [kind, url, checked]),
      [["OCIRepository", `oci://${registry.loginServer}/charts/kured`, true]],
    );
    assert.deepEqual(
      secrets.map(({ name }) => name),
      ["Secret demo/demo-credentials"],
    );
    assert.deepEqual(faults, []);
  });

  it("needs no helm, and has the lock that helm leads to", async () => {
    assert.doesNotMatch(started.stdout, /[Hh]elm/);
    const lock = readFileSync(join(prod, "project", "mirror.prod.lock.json"), "utf8");
    const other = mkdtempSync(join(tmpdir(), "mirror-"));
    for (const name of ["Pulumi.yaml", "Pulumi.prod.yaml"]) cpSync(join(checkout, name), join(other, name));
    const update = [join(checkout, "mirror", "main.ts"), "update", "--stack", "prod", "--project", other];
    const { stderr } = await succeeds("exec", "--", process.execPath, ...update);
    assert.match(stderr, /chart kured 6\.1\.0: rendering it with Helm/);
    assert.equal(readFileSync(join(other, "mirror.prod.lock.json"), "utf8"), lock);
    rmSync(other, { recursive: true });
  });

  it("previews no change right after up", async () => {
    await succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
  });

  it("made one commit, and an up that changes nothing makes none", async () => {
    assert.equal((await log()).length, 2, "the repository's first commit and ours");
    await succeeds("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
    assert.equal((await log()).length, 2);
  });

  it("finds nothing to refresh", async () => {
    const { stdout } = await succeeds("pulumi", "refresh", "--yes", "--expect-no-changes", "--non-interactive");
    assert.doesNotMatch(stdout, /[~+-]\s+\d+ (updated|created|deleted)/);
  });

  it("previews exactly the change of a changed setting", async () => {
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:cluster.userPools[0].maxCount", "12");
    const { stdout } = await succeeds("pulumi", "preview", "--diff", "--non-interactive");
    assert.match(stdout, /maxCount\s*: 10 => 12/);
    assert.match(stdout, /~ 1 to update/);
    assert.doesNotMatch(stdout, /to (create|delete|replace)/);
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:cluster.userPools[0].maxCount", "10");
  });

  it("changes the system pool in place, and refuses what Azure cannot change", async () => {
    const set = (key: string, value: string) =>
      succeeds("pulumi", "config", "set", "--path", `aks-gitops:cluster.systemPool.${key}`, value);
    await set("maxCount", "6");
    const { stdout } = await succeeds("pulumi", "preview", "--diff", "--non-interactive");
    assert.match(stdout, /maxCount\s*: 5 => 6/);
    assert.match(stdout, /~ 1 to update/);
    await succeeds("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
    await succeeds("pulumi", "refresh", "--yes", "--expect-no-changes", "--non-interactive");
    await succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
    await set("vmSize", "Standard_D16ds_v5");
    const refused = await rehearse("pulumi", "preview", "--non-interactive");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout, /vmSize.*Standard_D4ds_v5.*Standard_D16ds_v5/s);
    await set("vmSize", "Standard_D4ds_v5");
  });

  it("lets a read-only identity preview, and refuses it an up", async () => {
    await succeeds("--as", "reader", "pulumi", "preview", "--expect-no-changes", "--non-interactive");
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:cluster.userPools[0].maxCount", "12");
    const refused = await rehearse("--as", "reader", "pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout + refused.stderr, /AuthorizationFailed/);
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:cluster.userPools[0].maxCount", "10");
    await succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
  });

  const secretFile = () => report().secrets[0]?.file ?? "";

  it("lets an editor decrypt the secret with the real sops, and refuses one who may only encrypt", async () => {
    const read = await succeeds("--as", "editor", "exec", "--", "sops", "decrypt", secretFile());
    assert.match(read.stdout, /username: admin/);
    const refused = await rehearse("--as", "encrypter", "exec", "--", "sops", "decrypt", secretFile());
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout + refused.stderr, /403|Forbidden/);
    assert.doesNotMatch(refused.stdout, /username: admin/);
  });

  it("keeps every generated secret out of state, logs, Git history and report", async () => {
    const read = await succeeds("--as", "editor", "exec", "--", "sops", "decrypt", secretFile());
    const password: unknown = parse(read.stdout).stringData?.password;
    assert.ok(typeof password === "string" && password.length >= 16, "the generated password was read");
    const exported = JSON.parse((await succeeds("pulumi", "stack", "export", "--show-secrets")).stdout);
    const plain = secretsIn(exported).flatMap((secret) => secret.split("\n"));
    assert.ok(plain.includes(password), "the state keeps the password as a secret");
    assert.ok(
      plain.some((line) => /^MIGkAgEBBD/.test(line)),
      "the state keeps the deploy key as a secret",
    );
    const cloud = JSON.parse(readFileSync(join(prod, "cloud.json"), "utf8"));
    const tokens = Object.values(cloud.identities).flatMap((identity) => {
      const { clientSecret, gitHubToken } = identity as Record<string, string>;
      return [clientSecret ?? "", gitHubToken ?? ""];
    });
    const history = (await succeeds("exec", "--", "git", "log", "-p", "--all")).stdout;
    const texts = new Map([
      ["the Git history", history],
      ["the output of up", started.stdout + started.stderr],
    ]);
    for (const name of readdirSync(prod, { recursive: true, encoding: "utf8" })) {
      const file = join(prod, name);
      if (name === "cloud.json" || /(^|\/)(node_modules|plugins|objects)(\/|$)/.test(name)) continue;
      if (name.startsWith("project/") && !/^project\/(Pulumi|mirror)\./.test(name)) continue;
      if (statSync(file).isFile()) texts.set(name, readFileSync(file, "latin1"));
    }
    assert.ok(
      [...texts.keys()].some((name) => /^state\/.*prod\.json$/.test(name)),
      "the state file was searched",
    );
    for (const [name, text] of texts)
      for (const secret of [...plain, ...tokens].filter((line) => line.length > 12 && !line.startsWith("-----")))
        assert.ok(!text.includes(secret), `a secret stands in ${name}`);
  });

  it("sent Azure Resource Manager nothing that Microsoft's published types refuse", async function () {
    if (!existsSync(validator)) {
      this.skip(); // the published types are not part of this repository
    }
    const { code, stdout } = await run(process.execPath, [validator, join(prod, "arm-requests.jsonl")], {
      cwd: checkout,
      env,
    });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /, 0 faults$/m);
  });

  it("tells all faults of a bad configuration at once, before anything is registered", async () => {
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:cluster.network.vnet", "10.60.0.0/33");
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:registri.sku", "Premium");
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:demo.replicas", "many");
    const { code, stdout, stderr } = await rehearse("pulumi", "preview", "--non-interactive");
    assert.notEqual(code, 0);
    const said = stdout + stderr;
    for (const word of [
      "aks-gitops:cluster.network.vnet",
      "10.60.0.0/33",
      "aks-gitops:registri",
      "aks-gitops:demo.replicas",
      "many",
    ])
      assert.ok(said.includes(word), `${word} in:\n${said}`);
    assert.doesNotMatch(said, /azure-native:/);
    await succeeds("pulumi", "config", "rm", "--path", "aks-gitops:cluster.network.vnet");
    await succeeds("pulumi", "config", "rm", "aks-gitops:registri");
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:demo.replicas", "5");
    await succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
  });

  it("leaves nothing but the soft-deleted vault after destroy, and comes up again", async () => {
    await succeeds("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive");
    const cloud = JSON.parse(readFileSync(join(prod, "cloud.json"), "utf8"));
    const inspection = await (
      await fetch(`http://127.0.0.1:${cloud.control.port}/inspection`, {
        headers: { authorization: `Bearer ${cloud.control.token}` },
      })
    ).json();
    assert.deepEqual(inspection.resources, []);
    assert.equal(inspection.softDeletedVaults.length, 1);
    await succeeds("pulumi", "up", "--yes", "--non-interactive");
    await succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
  });

  it("does what the README says, to the last command", async () => {
    const readme = readFileSync(join(checkout, "README.md"), "utf8");
    const block = /## Work with a rehearsal\n\n```sh\n([^`]*)```/.exec(readme)?.[1] ?? "";
    const [first, ...commands] = block.trim().split("\n");
    assert.equal(first, "npm start -- --stack prod --keep");
    const { pid } = JSON.parse(readFileSync(join(prod, "cloud.json"), "utf8"));
    for (const command of commands) {
      const [, words = ""] = /^npm run rehearse -- (.+)$/.exec(command) ?? [];
      await succeeds(...words.split(" "));
    }
    assert.equal(commands.at(-1), "npm run rehearse -- stop");
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });
});
