// A living dev whose registry, vault and credentials are replaced: Flux is never without what it needs, nor is it touched.
import { strict as assert } from "node:assert";
import { before, describe, it } from "mocha";
import { devRehearsal } from "../../support/devRehearsal.ts";
import type { Rehearsal } from "../../support/rehearsal.ts";

const QUIET = ["--yes", "--skip-preview", "--non-interactive"];

describe("a living dev whose parts are replaced", () => {
  let dev: Rehearsal;

  before(async () => {
    ({ dev } = await devRehearsal());
  });

  const set = (key: string, value: string) =>
    dev.succeeds("pulumi", "config", "set", "--path", `aks-gitops:${key}`, value);
  const unset = (key: string) => dev.succeeds("pulumi", "config", "rm", "--path", `aks-gitops:${key}`);

  /** What a Flux that was made anew would have otherwise. */
  const flux = () =>
    dev.output(
      ...["kubectl", "get", "-n", "flux-system", "-o", "jsonpath={.items[*].metadata.uid}"],
      ...["namespace/flux-system", "gitrepository/flux-system", "secret/flux-helm-acr-credentials"],
      ...["source", "kustomize", "helm", "notification"].map((name) => `deployment/${name}-controller`),
    );

  async function urn(type: string, name: string): Promise<string> {
    const { deployment } = JSON.parse((await dev.succeeds("pulumi", "stack", "export")).stdout);
    const found = (deployment.resources as { urn: string }[]).find((one) => one.urn.endsWith(`:${type}::${name}`));
    return found?.urn ?? assert.fail(`no ${type} ${name}`);
  }

  /** The name of the pull principal's password that ends last. */
  async function newestPassword(): Promise<string> {
    const { deployment } = JSON.parse((await dev.succeeds("pulumi", "stack", "export")).stdout);
    const names = (deployment.resources as { urn: string }[]).flatMap(
      ({ urn }) => /:ApplicationPassword::(acr-dev-pull-until-.+)$/.exec(urn)?.[1] ?? [],
    );
    return names.sort().at(-1) ?? assert.fail("no password");
  }

  /** Changes the stack, and Flux works on as the very same: it was Ready on the new before the old was deleted. */
  async function moves(change: () => Promise<unknown>, deleted: RegExp, ...args: string[]): Promise<string> {
    const before = await flux();
    await change();
    const { stdout } = await dev.succeeds("pulumi", "up", ...QUIET, ...args);
    const lines = stdout.split("\n");
    const gone = lines.findIndex((line) => /^ -[- ] .* deleted/.test(line));
    assert.match(lines.slice(gone).join("\n"), deleted);
    const made = lines.findLastIndex((line) => /^ (\+\+|\+ |~ ) .* (created|updated)/.test(line));
    assert.ok(made >= 0 && made < gone, stdout);
    assert.doesNotMatch(stdout, /(FluxInstall|FluxReady).*(replac|delet|creat)/);
    assert.equal(await flux(), before);
    await dev.succeeds("check");
    assert.deepEqual(dev.report().faults, []);
    await dev.succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
    return stdout;
  }

  for (const [what, change] of [
    ["that gets a name", () => set("registry.name", "acmedevone")],
    ["that gets a random name again", () => unset("registry.name")],
  ] as const)
    it(`pulls from the registry ${what} before the old one goes`, async () => {
      const old = dev.report().registry.loginServer;
      await moves(change, /:Registry acr-dev deleted/);
      assert.notEqual(dev.report().registry.loginServer, old);
    });

  for (const [what, change] of [
    ["gets a name", () => set("sops.vault", "kv-acme-dev-one")],
    ["gets a random name again", () => unset("sops.vault")],
  ] as const)
    it(`decrypts with the key of the vault that ${what} before the old one goes`, async () => {
      await moves(change, /:Vault kv-dev deleted/);
      assert.deepEqual(
        dev.report().secrets.map(({ decrypted }) => decrypted),
        [true],
      );
    });

  for (const [type, given, replaced] of [
    // Another one has another name.
    ["UserAssignedIdentity", "flux-dev", ["RandomId", "flux-dev-names"]],
    ["ApplicationPassword"],
    ["Application", "acr-dev-pull"],
  ] as [type: string, name?: string, replaced?: [type: string, name: string]][])
    it(`goes on while it is replaced: ${type}`, async () => {
      const name = given ?? (await newestPassword());
      await moves(
        async () => {},
        new RegExp(`:${type} ${name} deleted`),
        "--replace",
        await urn(...(replaced ?? [type, name])),
      );
    });
});
