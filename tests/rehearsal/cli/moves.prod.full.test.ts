// A living prod whose registry, vault and other parts are replaced: the new ones first, then the old ones, and Flux never
// without what it needs.
import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { ArmLog } from "../../support/arm.ts";
import { Rehearsal } from "../../support/rehearsal.ts";

const QUIET = ["--yes", "--skip-preview", "--non-interactive"];

describe("a living prod whose parts are replaced", () => {
  const prod = new Rehearsal("prod");
  const log = new ArmLog(prod);
  const set = (key: string, value: string) =>
    prod.succeeds("pulumi", "config", "set", "--path", `aks-gitops:${key}`, value);
  const up = () => prod.succeeds("pulumi", "up", ...QUIET);

  /** Everything is Ready, at the latest when Flux has looked into the repository again. */
  async function settles(): Promise<void> {
    let checked = await prod.rehearse("check");
    for (let tries = 0; tries < 5 && checked.code !== 0; tries++) checked = await prod.rehearse("check");
    assert.equal(checked.code, 0, checked.stdout);
  }

  /** Everything is Ready, and there is nothing left to do. */
  async function isWell(): Promise<void> {
    await settles();
    await prod.succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
  }

  before(() => prod.start());

  after(() => prod.end());

  for (const [what, change] of [
    ["gets a name", () => set("registry.name", "acmeprodone")],
    ["gets another name", () => set("registry.name", "acmeprodtwo")],
  ] as const)
    it(`fills a registry that ${what} before the old one goes`, async () => {
      const old = prod.report().registry.loginServer.split(".")[0];
      log.mark();
      await change();
      await up();
      await isWell();
      const now = prod.report().registry.loginServer.split(".")[0];
      assert.notEqual(now, old);
      const requests = log.since();
      const gone = requests.findIndex((it) => it.startsWith(`DELETE registries/${old}`));
      assert.ok(gone > 0, requests.join("\n"));
      const last = requests.findLastIndex((it) => /^(PUT|POST) /.test(it));
      assert.ok(last < gone, `${requests[last]} came after ${requests[gone]}`);
      assert.ok(requests.some((it) => it === `POST registries/${now}/importImage`));
      assert.deepEqual(
        requests.filter((it) => /^DELETE (fluxConfigurations|extensions|managedClusters|federated)/.test(it)),
        [],
      );
    });

  /** People's own secret: an editor encrypts it by the rules of the repository, and it is committed. */
  async function encryptByHand(name: string): Promise<void> {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: "demo" },
      stringData: { key: name },
    };
    const file = `apps/prod/${name}.yaml`;
    await as("editor", `printf '%s' '${JSON.stringify(secret)}' > ${file}; sops encrypt -i ${file}`);
    await as("deployer", `echo '  - ${name}.yaml' >> apps/prod/kustomization.yaml`);
    await push(`Add ${name}`);
  }
  const as = (who: string, script: string) =>
    prod.succeeds("--as", who, "exec", "--", "bash", "--norc", "-euc", script);
  const push = (message: string) => as("deployer", `git add -A; git commit -qm "${message}"; git push -q`);

  /** `pulumi up` that has to fail. @returns what it said. */
  async function fails(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await prod.rehearse("pulumi", "up", ...QUIET, ...args);
    assert.notEqual(code, 0, stdout);
    return stdout + stderr;
  }
  const vaults = async () =>
    (await prod.inspection()).resources.filter(({ type }) => type === "Microsoft.KeyVault/vaults").length;

  it("keeps a vault that people's files need, works with both, and lets it go when they are encrypted anew", async () => {
    await encryptByHand("by-hand");
    await isWell();
    log.mark();
    await set("sops.vault", "kv-acme-prod-one");
    const { stdout } = await prod.succeeds("pulumi", "preview", "--non-interactive");
    assert.match(stdout, /these files are encrypted for the old one: apps\/prod\/by-hand\.yaml\./);
    for (const said of [await fails(), await fails()]) {
      assert.match(
        said,
        /branch main of \S+ has files that nothing else decrypts: apps\/prod\/by-hand\.yaml\. Everything/,
      );
      assert.match(
        said,
        /Encrypt them for https:\/\/kv-acme-prod-one\.vault\.azure\.net\/keys\/sops too: `sops updatekeys FILE`/,
      );
      await settles();
      assert.deepEqual(
        prod.report().secrets.map(({ name, decrypted }) => [name, decrypted]),
        [
          ["by-hand", true],
          ["demo-credentials", true],
        ],
      );
      assert.equal(await vaults(), 2);
    }
    const kept = log.since().filter((it) => it.startsWith("DELETE "));
    assert.deepEqual(kept, []);
    await as("editor", "sops updatekeys --yes apps/prod/by-hand.yaml");
    await push("Encrypt by-hand for the new key");
    await up();
    await isWell();
    assert.equal(await vaults(), 1);
    assert.deepEqual(
      prod.report().secrets.map(({ name, decrypted }) => [name, decrypted]),
      [
        ["by-hand", true],
        ["demo-credentials", true],
      ],
    );
  });

  /** The engine's words for these resources to be replaced, each by its type and name. */
  async function replace(resources: readonly (readonly [type: string, name: string])[]): Promise<string[]> {
    const { deployment } = JSON.parse((await prod.succeeds("pulumi", "stack", "export")).stdout);
    const urns = (deployment.resources as { urn: string }[]).map(({ urn }) => urn);
    return resources.flatMap(([type, name]) => {
      const urn = urns.find((one) => one.endsWith(`:${type}::${name}`));
      return ["--replace", urn ?? assert.fail(`no ${type} ${name}`)];
    });
  }

  // Those that do not depend on each other, so that each is tried.
  for (const together of [
    [
      ["Registry", "acr-prod"],
      ["Vault", "kv-prod"],
      ["Extension", "flux"],
    ],
    [
      ["FederatedIdentityCredential", "flux-prod-kustomize-controller"],
      ["PrivateDnsZoneGroup", "acr-prod-records"],
      ["RoleAssignment", "flux-prod-decrypt"],
    ],
    [["FluxConfiguration", "flux"]],
  ] as const)
    it(`loses nothing where the new one would have the name of the old one: ${together.map(([type]) => type).join(", ")}`, async () => {
      log.mark();
      const said = await fails("--continue-on-error", ...(await replace(together)));
      for (const [type, name] of together) {
        const refusal = "cannot create already existing resource";
        assert.match(said, new RegExp(`:${type} ${name} \\*\\*creating failed\\*\\*.*${refusal}`));
      }
      assert.deepEqual(
        log.since().filter((it) => it.startsWith("DELETE ")),
        [],
      );
      await up();
      await isWell();
    });

  it("replaces what may have another name, and all that depends on it, without a gap", async () => {
    log.mark();
    const resources = await replace([
      ["VaultKey", "kv-prod"],
      ["KeyInUse", "flux"],
      // Of a private endpoint.
      ["RandomId", "kv-prod-endpoint-names"],
    ]);
    // The registry gets a random name again.
    await prod.succeeds("pulumi", "config", "rm", "--path", "aks-gitops:registry.name");
    await prod.succeeds("pulumi", "up", ...QUIET, ...resources);
    await isWell();
    const requests = log.since();
    const gone = requests.findIndex((it) => it.startsWith("DELETE "));
    const last = requests.findLastIndex((it) => /^(PUT|POST) /.test(it));
    assert.ok(last < gone, requests.join("\n"));
    for (const type of ["registries", "privateEndpoints", "roleAssignments"])
      assert.ok(
        requests.some((it) => it.startsWith(`DELETE ${type}/`)),
        type,
      );
  });

  it("would make everything anew before it deleted anything", async () => {
    const all = ["--replace", "**azure-native:**", "--show-replacement-steps"];
    const { stdout } = await prod.succeeds("pulumi", "preview", "--json", ...all, "--non-interactive");
    const ops = (JSON.parse(stdout).steps as { op: string; urn: string }[]).filter(({ op }) => op !== "same");
    const gone = ops.findIndex(({ op }) => op.startsWith("delete"));
    const last = ops.findLastIndex(({ op }) => op === "create-replacement");
    assert.ok(gone > 40);
    assert.ok(last < gone, ops.map(({ op, urn }) => `${op} ${urn}`).join("\n"));
  });

  it("is destroyed with what was not deleted yet", async () => {
    await encryptByHand("in-the-end");
    await set("sops.vault", "kv-acme-prod-two");
    assert.match(await fails(), /apps\/prod\/in-the-end\.yaml/);
    assert.equal(await vaults(), 2);
    await prod.succeeds("pulumi", "destroy", ...QUIET);
    assert.deepEqual((await prod.inspection()).resources, []);
  });
});
