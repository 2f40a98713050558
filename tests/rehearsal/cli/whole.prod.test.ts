// The whole of prod: one kept rehearsal, and everything that is promised of it, in the order a user would try.
import { strict as assert } from "node:assert";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "mocha";
import { type Ran, run } from "../../../rehearsal/run.ts";
import { checkout, Rehearsal } from "../../support/rehearsal.ts";
import { assertNoSecretStands } from "../../support/secrets.ts";

const validator = resolve(checkout, "../shared/arm/validate.mjs");

describe("the rehearsal of prod", () => {
  const rehearsal = new Rehearsal("prod");
  const { folder: prod, env } = rehearsal;
  const rehearse = (...args: string[]) => rehearsal.rehearse(...args);
  const succeeds = (...args: string[]) => rehearsal.succeeds(...args);
  const report = () => rehearsal.report();
  const log = async () => (await rehearsal.output("git", "log", "--format=%an: %s")).split("\n");
  let started: Ran;

  before(async () => {
    started = await rehearsal.start();
  });

  after(() => rehearsal.end());

  it("ends with a summary of what Flux made of it, and finds no fault", () => {
    assert.match(started.stdout, /^ {2}infrastructure +\.\/infrastructure\/prod .* Ready +main@sha1:[0-9a-f]{12}$/m);
    assert.match(started.stdout, /^ {2}kured +into namespace baseline +chart kured +Ready +6\.1\.0\+/m);
    assert.doesNotMatch(started.stdout, /FAULT|MISSING|NOT/);
  });

  it("reports the same as data", () => {
    const { repository, registry, images, charts, kustomizations, helmReleases, sources, secrets, podImages, faults } =
      report();
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
      kustomizations.map(({ name, path, ready, revision }) => [name, path, ready, revision]),
      [
        ["apps", "./apps/prod"],
        ["flux-system-cluster", "./clusters/prod"],
        ["infrastructure", "./infrastructure/prod"],
      ].map((one) => [...one, true, `main@sha1:${repository.commit}`]),
    );
    assert.deepEqual(
      helmReleases.map(({ name, namespace, targetNamespace, ready }) => [name, namespace, targetNamespace, ready]),
      [["kured", "flux-system", "baseline", true]],
    );
    assert.deepEqual(
      sources.map(({ kind, url, ready }) => [kind, url, ready]),
      [
        ["GitRepository", "https://github.com/acme/fleet", true],
        ["OCIRepository", `oci://${registry.loginServer}/charts/kured`, true],
      ],
    );
    assert.deepEqual(
      secrets.map(({ name, keys, decrypted }) => [name, keys, decrypted]),
      [["demo-credentials", ["password", "username"], true]],
    );
    assert.deepEqual(
      podImages.map(({ pods, found }) => [pods.length, found]),
      [[4, true], [5, true], ...["helm", "kustomize", "notification", "source"].map(() => [1, true])],
    );
    assert.deepEqual(faults, []);
  });

  it("needs no helm, and has the lock that helm leads to", async () => {
    assert.doesNotMatch(started.stdout, /with Helm/);
    const lock = readFileSync(join(prod, "project", "mirror.prod.lock.json"), "utf8");
    const other = mkdtempSync(join(tmpdir(), "mirror-"));
    for (const name of ["Pulumi.yaml", "Pulumi.prod.yaml"]) cpSync(join(prod, "project", name), join(other, name));
    const update = [join(checkout, "mirror", "main.ts"), "update", "--stack", "prod", "--project", other];
    const { stderr } = await succeeds("exec", "--", process.execPath, ...update);
    assert.match(stderr, /chart kured 6\.1\.0: rendering it with Helm/);
    assert.equal(readFileSync(join(other, "mirror.prod.lock.json"), "utf8"), lock);
    rmSync(other, { recursive: true });
  });

  it("finds nothing to refresh", async () => {
    const { stdout } = await succeeds("pulumi", "refresh", "--yes", "--expect-no-changes", "--non-interactive");
    assert.doesNotMatch(stdout, /[~+-]\s+\d+ (updated|created|deleted)/);
  });

  it("previews exactly the change of a changed setting", async () => {
    const set = await succeeds("pulumi", "config", "set", "--path", "aks-gitops:cluster.userPools[0].maxCount", "12");
    assert.match(
      set.stderr,
      /changed the rehearsal's own copy, \S+\/prod\/project\/Pulumi\.prod\.yaml;.* in Pulumi\.prod\.yaml\./,
    );
    const get = await succeeds("pulumi", "config", "get", "--path", "aks-gitops:cluster.userPools[0].maxCount");
    assert.deepEqual([get.stdout, get.stderr], ["12\n", ""]);
    const { stdout } = await succeeds("pulumi", "preview", "--diff", "--non-interactive");
    assert.match(stdout, /maxCount\s*: 10 => 12/);
    assert.match(stdout, /~ 1 to update/);
    assert.doesNotMatch(stdout, /to (create|delete|replace)/);
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:cluster.userPools[0].maxCount", "10");
  });

  it("refuses a read-only identity an up", async () => {
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:cluster.userPools[0].maxCount", "12");
    const refused = await rehearse("--as", "reader", "pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout + refused.stderr, /AuthorizationFailed/);
    await succeeds("pulumi", "config", "set", "--path", "aks-gitops:cluster.userPools[0].maxCount", "10");
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

  it("keeps every generated secret out of state, logs, Git history and report", () =>
    assertNoSecretStands(rehearsal, started));

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
    const faults = ["cluster.network.vnet=10.60.0.0/33", "registri.sku=Premium", "demo.replicas=many"];
    await succeeds(
      "pulumi",
      "config",
      "set-all",
      "--path",
      ...faults.flatMap((one) => ["--plaintext", `aks-gitops:${one}`]),
    );
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
  });

  it("does what the README says, to the last command, and what each of them promises", async function () {
    // Three minutes on an idle machine; a machine with other work takes three times as long.
    this.timeout(1_200_000);
    const readme = readFileSync(join(checkout, "README.md"), "utf8");
    const block = /## Work with a rehearsal\n\n```sh\n([^`]*)```/.exec(readme)?.[1] ?? "";
    const [first, ...commands] = block.trim().split("\n");
    assert.equal(first, "npm start -- --stack prod --keep");
    const { pid } = JSON.parse(readFileSync(join(prod, "cloud.json"), "utf8"));
    const noChange = ({ stdout }: Ran) => assert.doesNotMatch(stdout, /[~+-]+\s+\d+ (to |updated|created|deleted)/);
    const promises: Record<string, (ran: Ran) => unknown> = {
      "pulumi preview --diff": noChange,
      "pulumi up --yes": async (ran) => {
        noChange(ran);
        assert.equal((await log()).length, 2, "the repository's first commit and ours");
      },
      "--as reader pulumi preview": noChange,
      "pulumi destroy --yes": async () => {
        const { resources, softDeletedVaults } = await rehearsal.inspection();
        assert.deepEqual([resources, softDeletedVaults.length], [[], 1]);
        await succeeds("pulumi", "up", "--yes", "--non-interactive");
        await succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
      },
      stop: () => assert.throws(() => process.kill(pid, 0), /ESRCH/),
    };
    const kept: string[] = [];
    for (const command of commands) {
      const [, words = ""] = /^npm run rehearse -- (.+)$/.exec(command) ?? [];
      const ran = await succeeds(...words.split(" "));
      const promise = promises[words];
      if (promise === undefined) continue;
      await promise(ran);
      kept.push(words);
    }
    assert.deepEqual(kept, Object.keys(promises));
  });
});
