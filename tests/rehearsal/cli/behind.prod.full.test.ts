// What somebody deletes or changes in Azure behind the back of a living prod: a refresh sees it, and up puts it right.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { callArm } from "../../support/arm.ts";
import { Rehearsal } from "../../support/rehearsal.ts";

interface Kept {
  readonly urn: string;
  readonly type: string;
  readonly id: string;
  readonly outputs: { readonly azureApiVersion: string };
}

type Body = { readonly properties?: object; readonly tags?: object };

/** What can be deleted alone, and what it is called in Azure. */
const DELETED = [
  "authorization:RoleAssignment",
  "managedidentity:FederatedIdentityCredential",
  "monitor:DiagnosticSetting",
  "containerservice:MaintenanceConfiguration",
  "network:PrivateDnsZoneGroup",
  "network:PrivateEndpoint",
  "privatedns:VirtualNetworkLink",
  "privatedns:PrivateZone",
  "operationalinsights:Workspace",
  "containerregistry:Registry",
  "kubernetesconfiguration:FluxConfiguration",
  "kubernetesconfiguration:Extension",
];

const tagged = (body: Body): Body => ({ ...body, tags: { changed: "by hand" } });
const changed = (properties: object) => (body: Body) => ({
  ...body,
  properties: { ...body.properties, ...properties },
});

/** What somebody makes of each. */
const CHANGED: Readonly<Record<string, (body: Body) => Body>> = {
  "resources:ResourceGroup": tagged,
  "containerregistry:Registry": tagged,
  "keyvault:Vault": tagged,
  "managedidentity:UserAssignedIdentity": tagged,
  "network:NatGateway": tagged,
  "network:PublicIPAddress": tagged,
  "network:PrivateEndpoint": tagged,
  "network:VirtualNetwork": tagged,
  "privatedns:PrivateZone": tagged,
  "privatedns:VirtualNetworkLink": tagged,
  "operationalinsights:Workspace": changed({ retentionInDays: 60 }),
  "managedidentity:FederatedIdentityCredential": changed({ audiences: ["api://AzureADTokenExchangeChina"] }),
  "containerservice:ManagedCluster": changed({
    autoUpgradeProfile: { upgradeChannel: "none", nodeOSUpgradeChannel: "None" },
  }),
};

describe("a living prod whose Azure somebody works in", () => {
  const prod = new Rehearsal("prod");
  const QUIET = ["--yes", "--skip-preview", "--non-interactive"];

  before(async () => {
    await prod.start();
    await prod.succeeds("pulumi", "config", "set", "--path", "aks-gitops:tags.owner", "platform");
    await prod.succeeds("pulumi", "up", ...QUIET);
  });

  after(() => prod.end());

  /** The stack's resources of azure-native, in the order in which they were made. */
  async function resources(): Promise<Kept[]> {
    const state = JSON.parse((await prod.succeeds("pulumi", "stack", "export")).stdout);
    return (state.deployment.resources as Kept[]).filter(({ type }) => type.startsWith("azure-native:"));
  }
  const kindOf = ({ type }: Kept) => type.replace("azure-native:", "");
  const call = (method: string, { id, outputs }: Kept, body?: object) =>
    callArm(prod, method, `${id}?api-version=${outputs.azureApiVersion}`, body);

  /** Returns when a condition holds. */
  async function eventually(condition: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (await condition()) return;
      await sleep(500);
    }
    assert.fail("it did not come to be");
  }

  /** What the program last asked ARM to make of a resource. */
  function lastBody({ id }: Kept): Body {
    const lines = readFileSync(join(prod.folder, "arm-requests.jsonl"), "utf8").trim().split("\n");
    const puts = lines.map((line) => JSON.parse(line) as { method: string; url: string; body: Body });
    const isThis = ({ method, url }: (typeof puts)[0]) =>
      method === "PUT" && new URL(url, "https://arm").pathname.toLowerCase() === id.toLowerCase();
    const found = puts.findLast(isThis);
    assert.ok(found, `${id} was asked for`);
    return found.body;
  }

  /** A refresh shows each of them, an update puts them right, and then there is nothing to do and nothing wrong. */
  async function isPutRight(touched: readonly Kept[]): Promise<void> {
    const seen = await prod.succeeds("pulumi", "preview", "--refresh", "--json", "--non-interactive");
    const { steps } = JSON.parse(seen.stdout) as { steps: { op: string; urn: string }[] };
    const shown = new Set(steps.filter(({ op }) => !["same", "refresh", "read"].includes(op)).map(({ urn }) => urn));
    for (const { urn } of touched) assert.ok(shown.has(urn), `${urn} in ${[...shown].join("\n")}`);
    await prod.succeeds("pulumi", "up", "--refresh", ...QUIET);
    await prod.succeeds("pulumi", "preview", "--refresh", "--expect-no-changes", "--non-interactive");
    await prod.succeeds("check");
  }

  it("gets back what was deleted", async () => {
    const all = await resources();
    const gone = all.filter((one) => DELETED.includes(kindOf(one))).reverse();
    assert.deepEqual([...new Set(gone.map(kindOf))].sort(), [...DELETED].sort());
    for (const one of gone) await call("DELETE", one);
    await isPutRight(gone);
    assert.deepEqual((await resources()).map(({ urn }) => urn).sort(), all.map(({ urn }) => urn).sort());
  });

  it("gets back what was changed", async () => {
    const touched = (await resources()).filter((one) => kindOf(one) in CHANGED);
    assert.deepEqual([...new Set(touched.map(kindOf))].sort(), Object.keys(CHANGED).sort());
    for (const one of touched) await call("PUT", one, CHANGED[kindOf(one)]?.(lastBody(one)));
    // Its body has the sign-in, which the log of requests does not tell.
    const configurations = (await resources()).filter(
      (one) => kindOf(one) === "kubernetesconfiguration:FluxConfiguration",
    );
    for (const one of configurations) await call("PATCH", one, { properties: { suspend: true } });
    await isPutRight([...touched, ...configurations]);
  });

  it("gets back everything when its resource group was deleted", async () => {
    const group = (await resources()).find((one) => kindOf(one) === "resources:ResourceGroup");
    assert.ok(group);
    await call("DELETE", group);
    await eventually(async () => (await prod.inspection()).resources.length === 0);
    await isPutRight([group]);
  });
});
