// A living prod in which Azure changed by itself all that it changes in the course of time: nobody has anything to do, and
// what is changed later reaches Azure in a form that it takes.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { ArmLog, callArm } from "../../support/arm.ts";
import { checkout, Rehearsal } from "../../support/rehearsal.ts";

interface Kept {
  readonly type: string;
  readonly id: string;
  readonly inputs: Record<string, unknown>;
  readonly outputs: { readonly azureApiVersion: string };
}

/** Where NAT gateways are in one zone, and so of azure-native's own types. */
const ELSEWHERE = "qatarcentral";

describe("a living prod in which time passes", () => {
  const prod = new Rehearsal("prod", (config) => ({ ...config, "azure-native:location": ELSEWHERE }));
  const log = new ArmLog(prod);

  before(() => prod.start());

  after(() => prod.end());

  const pulumi = (...args: string[]) => prod.succeeds("pulumi", ...args, "--non-interactive");

  async function find(type: string): Promise<Kept> {
    const state = JSON.parse((await pulumi("stack", "export")).stdout);
    const found = (state.deployment.resources as Kept[]).find((one) => one.type === `azure-native:${type}`);
    assert.ok(found, type);
    return found;
  }

  it("has nothing to do, before a refresh and after it", async () => {
    await prod.passTime();
    await pulumi("preview", "--expect-no-changes");
    await pulumi("refresh", "--preview-only", "--expect-no-changes");
    // As nightly pipelines look, which may read alone.
    const { stdout } = await prod.succeeds("--as", "reader", "ci", "drift");
    assert.match(stdout, /^✅ prod: nothing has drifted/m);
    await pulumi("refresh", "--yes", "--skip-preview");
    await pulumi("preview", "--expect-no-changes");
    await prod.passTime();
    await pulumi("refresh", "--yes", "--skip-preview");
    await pulumi("preview", "--expect-no-changes");
    // What this is about: the refresh has taken it for inputs.
    const seen = async (type: string, of: (inputs: Record<string, unknown>) => unknown) =>
      assert.notEqual(of((await find(type)).inputs), undefined, type);
    await seen("network:PublicIPAddress", ({ natGateway }) => natGateway);
    await seen("network:PublicIPAddress", ({ ipTags }) => ipTags);
    await seen("network:PrivateEndpoint", ({ customDnsConfigs }) => customDnsConfigs);
    await seen("network:VirtualNetwork", ({ subnets }) => (subnets as { etag?: string }[])[0]?.etag);
    await seen("kubernetesconfiguration:Extension", ({ statuses }) => statuses);
  });

  it("has nothing that would stop an update, as the doctor sees it, but for a reader", async () => {
    const { stdout } = await prod.succeeds("doctor");
    assert.match(stdout, /^Stack prod: nothing that was looked at would stop an update/m);
    const { code, stdout: json } = await prod.rehearse("--as", "reader", "doctor", "--json");
    assert.equal(code, 1);
    const { checks } = JSON.parse(json) as { checks: { name: string; findings: { severity: string }[] }[] };
    const stopping = checks.filter(({ findings }) => findings.some(({ severity }) => severity === "error"));
    assert.deepEqual(
      stopping.map(({ name }) => name),
      ["rights", "github"],
    );
  });

  it("keeps to the guard rails, by the command of their page", async () => {
    const page = readFileSync(join(checkout, "docs/policy.md"), "utf8");
    const [, command = ""] = /^npm run rehearse -- (.*)$/m.exec(page) ?? [];
    const { stdout } = await prod.succeeds(...command.split(" "), "--non-interactive", "--color=never");
    assert.match(stdout, /✅ aks-gitops@v/);
    assert.doesNotMatch(stdout, /- \[(?:advisory|mandatory)\]/);
  });

  it("sends what Azure takes when something is changed then", async () => {
    log.mark();
    await pulumi("config", "set", "--path", "aks-gitops:tags.owner", "platform");
    await pulumi("up", "--yes", "--skip-preview");
    const written = log.since().filter((request) => request.startsWith("PUT "));
    for (const type of [
      "managedClusters",
      "agentPools",
      "publicIPAddresses",
      "virtualNetworks",
      "natGateways",
      "privateEndpoints",
      "registries",
      "vaults",
    ])
      assert.ok(
        // What is below another resource has that one before it.
        written.some((request) => request.split(/[ /]/).at(-2) === type),
        `${type} in ${written.join("\n")}`,
      );
    for (const type of ["network:PublicIPAddress", "network:VirtualNetwork", "network:PrivateEndpoint"]) {
      const { id, outputs } = await find(type);
      const { tags } = (await callArm(prod, "GET", `${id}?api-version=${outputs.azureApiVersion}`)) as { tags: object };
      assert.deepEqual(tags, { owner: "platform" }, type);
    }
    await pulumi("refresh", "--yes", "--skip-preview");
    await pulumi("preview", "--expect-no-changes");
    await prod.succeeds("check");
  });
});
