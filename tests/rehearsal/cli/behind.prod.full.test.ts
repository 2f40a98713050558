// What somebody deletes in Azure behind the back of a living prod: a refresh sees it, and up puts it right.
import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { callArm } from "../../support/arm.ts";
import { Rehearsal } from "../../support/rehearsal.ts";

interface Kept {
  readonly urn: string;
  readonly type: string;
  readonly id: string;
  readonly outputs: { readonly azureApiVersion: string };
}

/** What can be deleted alone, and what it is called in Azure. */
const DELETED = [
  "authorization:RoleAssignment",
  "managedidentity:FederatedIdentityCredential",
  "monitor:DiagnosticSetting",
  "monitor:DataCollectionRuleAssociation",
  "monitor:AzureMonitorWorkspace",
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
  const remove = ({ id, outputs }: Kept) => callArm(prod, "DELETE", `${id}?api-version=${outputs.azureApiVersion}`);

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
    for (const one of gone) await remove(one);
    await isPutRight(gone);
    assert.deepEqual((await resources()).map(({ urn }) => urn).sort(), all.map(({ urn }) => urn).sort());
  });
});
