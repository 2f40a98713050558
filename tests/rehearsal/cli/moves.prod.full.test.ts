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
  const unset = (key: string) => prod.succeeds("pulumi", "config", "rm", "--path", `aks-gitops:${key}`);
  const up = () => prod.succeeds("pulumi", "up", ...QUIET);

  /** Everything is Ready, and there is nothing left to do. */
  async function isWell(): Promise<void> {
    await prod.succeeds("check");
    assert.deepEqual(prod.report().faults, []);
    await prod.succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
  }

  /** The resources of a type: their URNs by name. */
  async function urns(type: string): Promise<Map<string, string>> {
    const { deployment } = JSON.parse((await prod.succeeds("pulumi", "stack", "export")).stdout);
    const found = (deployment.resources as { urn: string; type: string }[]).filter((one) =>
      one.type.endsWith(`:${type}`),
    );
    return new Map(found.map(({ urn }) => [urn.split("::").at(-1) ?? "", urn]));
  }

  before(() => prod.start());

  after(() => prod.end());

  for (const [what, change] of [
    ["gets a name", () => set("registry.name", "acmeprodone")],
    ["gets another name", () => set("registry.name", "acmeprodtwo")],
    ["gets a random name again", () => unset("registry.name")],
    ["gets zones", () => set("registry.zoneRedundant", "true")],
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
});
