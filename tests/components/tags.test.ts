import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { OWNER_TAG } from "../../components/defaults.ts";
import { OWNER } from "../../provider/azure/clusterProperties.ts";
import { deploy, type Registration } from "./deployment.ts";
import { EVERYTHING } from "./everything.ts";
import { refused } from "./refused.ts";

const TAGS = { costCenter: "4711", owner: "platform" };

/** Whether a resource of Azure takes tags, by the SDK's own declaration of its arguments; of the plugin's four do. */
function takesTags(type: string): boolean {
  const [name = "", module = "", sdk] = type.split(":").reverse();
  if (["AgentPool", "ManagedCluster", "NatGateway", "VaultKey"].map((one) => `gitops:index:${one}`).includes(type))
    return true;
  if (sdk !== "azure-native") return false;
  const file = `${name.charAt(0).toLowerCase()}${name.slice(1)}.d.ts`;
  const path = join(import.meta.dirname, "../../node_modules/@pulumi/azure-native", module, file);
  const [, args = ""] = readFileSync(path, "utf8").split(`export interface ${name}Args {`);
  assert.notEqual(args, "", type);
  return /^ {4}tags\?:/m.test(args);
}

async function everything(tags: Record<string, string>): Promise<Registration[]> {
  const all: Registration[] = [];
  for (const make of Object.values(EVERYTHING)) all.push(...(await deploy(() => make(tags, {}))).resources);
  return all.filter(({ type }) => takesTags(type));
}

const typesOf = (resources: readonly Registration[]) => [
  ...new Set(resources.map(({ type }) => type.split(":").slice(1).join(":"))),
];

describe("tags", () => {
  let resources: Registration[];
  before(async () => {
    resources = await everything(TAGS);
  });

  it("are on every resource that takes them", () => {
    for (const { type, name, inputs } of resources) assert.deepEqual(inputs.tags, TAGS, `${type} ${name}`);
    assert.deepEqual(typesOf(resources).sort(), [
      "alertsmanagement:PrometheusRuleGroup",
      "containerregistry:Registry",
      "index:AgentPool",
      "index:ManagedCluster",
      "index:NatGateway",
      "index:VaultKey",
      "keyvault:Vault",
      "managedidentity:UserAssignedIdentity",
      "monitor:ActionGroup",
      "monitor:AzureMonitorWorkspace",
      "monitor:ScheduledQueryRule",
      "network:NatGateway",
      "network:NetworkSecurityGroup",
      "network:PrivateEndpoint",
      "network:PublicIPAddress",
      "network:VirtualNetwork",
      "operationalinsights:Workspace",
      "privatedns:PrivateZone",
      "privatedns:VirtualNetworkLink",
    ]);
  });

  it("are on the nodes of the system pool, which the cluster is made with", () => {
    const cluster = resources.find(({ type }) => type.endsWith(":ManagedCluster"));
    assert.ok(cluster);
    const { tags } = cluster.inputs.systemPool as { tags: unknown };
    assert.deepEqual(tags, TAGS);
  });

  it("are not spoken of where there are none, so that those which others set stay unnoticed", async () => {
    const text = JSON.stringify((await everything({})).map(({ inputs }) => inputs));
    assert.match(text, /"dnsPrefix":/);
    assert.doesNotMatch(text, /"tags"/);
  });

  it("leave the name that the cluster's own has", () => {
    assert.equal(OWNER_TAG, OWNER);
  });

  it("that Azure does not take are refused by every component", async () => {
    const many = Object.fromEntries(Array.from({ length: 47 }, (_, index) => [`tag${index}`, ""]));
    const tags = { ...many, "AKS-GitOps": "", "cost/center": "4711", owner: "x".repeat(257) };
    const faults = [
      "tags are 50, and Azure takes 49 beside the cluster's own",
      "tags says whose a cluster is",
      "tags have a name that is none",
      "tags.owner is too long",
    ];
    for (const name of ["AksCluster", "ContainerRegistry", "SopsKeyVault", "FluxIdentity"])
      assert.deepEqual(await refused(() => EVERYTHING[name]?.(tags, {}) ?? assert.fail(name)), faults, name);
  });
});
