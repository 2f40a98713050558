// A prod on subnets that are there, with a zone of its own for the API server: it comes up in one `up` from the company's
// hub, lives, and goes without a trace in what is the company's.
import { strict as assert } from "node:assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { ArmLog, callArm } from "../../support/arm.ts";
import { type Config, Rehearsal } from "../../support/rehearsal.ts";

const SUBSCRIPTION = "c0ffee00-6a1d-4b52-8d35-2f7a9e4b1c02";
const SPOKE = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-spoke`;
const PLATFORM =
  "/subscriptions/6f1f2b6e-3333-4e0a-9c60-000000000001/resourceGroups/rg-hub/providers/Microsoft.Network";
const HUB = `${PLATFORM}/virtualNetworks/vnet-hub`;
const SUBNETS = {
  nodes: `${SPOKE}/subnets/snet-nodes`,
  apiServer: `${SPOKE}/subnets/snet-api-server`,
  endpoints: `${SPOKE}/subnets/snet-endpoints`,
};
const ZONES = {
  registry: `${PLATFORM}/privateDnsZones/privatelink.azurecr.io`,
  vault: `${PLATFORM}/privateDnsZones/privatelink.vaultcore.azure.net`,
};

const onSubnets = (config: Config): Config => ({
  ...config,
  "aks-gitops:cluster": {
    ...(config["aks-gitops:cluster"] as object),
    network: { subnets: SUBNETS, zones: { ...ZONES, apiServer: "own" } },
  },
});

describe("a prod on subnets that are there", () => {
  const rehearsal = new Rehearsal("prod", onSubnets);
  const rehearse = (...args: string[]) => rehearsal.rehearse(...args);
  const succeeds = (...args: string[]) => rehearsal.succeeds(...args);
  const set = (key: string, value: string) =>
    succeeds("pulumi", "config", "set", "--path", `aks-gitops:cluster.${key}`, value);

  /** What is the company's, as Azure has it. */
  const company = async () => {
    const found: unknown[] = [];
    // One after the other: each brings the one clone of the repository up to date.
    for (const path of [
      // With their subnets and peerings.
      ...[SPOKE, HUB].map((id) => `${id}?api-version=2024-05-01`),
      ...Object.values(ZONES).flatMap((id) => [
        `${id}?api-version=2024-06-01`,
        `${id}/virtualNetworkLinks?api-version=2024-06-01`,
      ]),
    ])
      found.push(await callArm(rehearsal, "GET", path));
    return found;
  };
  let began: unknown[];

  before(async () => {
    await rehearsal.start();
    began = await company();
  });

  after(() => rehearsal.end());

  it("comes up without a network of its own", async () => {
    const { resources } = await rehearsal.inspection();
    const count = (type: string) => resources.filter((one) => one.type === `Microsoft.Network/${type}`).length;
    for (const type of ["virtualNetworks", "networkSecurityGroups", "natGateways", "publicIPAddresses"])
      assert.equal(count(type), 0, type);
    assert.deepEqual(
      resources.filter(({ type }) => type === "Microsoft.Network/privateDnsZones").map(({ name }) => name),
      ["prod.private.westeurope.azmk8s.io"],
    );
    const written = new ArmLog(rehearsal).since().filter((it) => /^(PUT|PATCH|DELETE) virtualNetworks\//.test(it));
    assert.deepEqual(written, []);
  });

  it("has an API server that is found from the hub by its private name, and from elsewhere not at all", async () => {
    const { stdout } = await succeeds("pulumi", "stack", "output", "kubeconfig", "--show-secrets");
    assert.match(stdout, /server: https:\/\/aks-prod-[0-9a-f]{8}\.prod\.private\.westeurope\.azmk8s\.io:443$/m);
    const file = join(rehearsal.folder, "stack.kubeconfig");
    writeFileSync(file, stdout);
    // As somebody who may look there: whoever deploys need not.
    const look = (...env: string[]) => {
      const kubectl = ["kubectl", "--kubeconfig", file, "get", "namespace", "flux-system"];
      return rehearse("--as", "administrator", "exec", "--", "env", ...env, ...kubectl);
    };
    const found = await look();
    assert.equal(found.code, 0, found.stderr);
    const { ports } = JSON.parse(readFileSync(join(rehearsal.folder, "cloud.json"), "utf8"));
    const refused = await look(`HTTPS_PROXY=http://127.0.0.1:${ports.outside}`);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /Bad Gateway|no such host|Service Unavailable/i);
  });

  it("changes the system pool in place, and refuses what Azure cannot change", async () => {
    await set("systemPool.maxCount", "6");
    const { stdout } = await succeeds("pulumi", "preview", "--diff", "--non-interactive");
    assert.match(stdout, /maxCount\s*: 5 => 6/);
    assert.match(stdout, /~ 1 to update/);
    await succeeds("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
    await succeeds("pulumi", "refresh", "--yes", "--expect-no-changes", "--non-interactive");
    await succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
    await set("systemPool.vmSize", "Standard_D16ds_v5");
    const refused = await rehearse("pulumi", "preview", "--non-interactive");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout, /vmSize.*Standard_D4ds_v5.*Standard_D16ds_v5/s);
    await set("systemPool.vmSize", "Standard_D4ds_v5");
  });

  it("looks at the subnets in a preview, and says what Azure would refuse", async () => {
    await set("egress.routeTableId", `${SPOKE.replace(/virtualNetworks.*/, "")}routeTables/rt`);
    const refused = await rehearse("pulumi", "preview", "--non-interactive");
    assert.notEqual(refused.code, 0);
    const said = refused.stdout + refused.stderr;
    assert.match(said, /network\.subnets\.nodes has no route table, and egress\.routeTableId is another one/);
    assert.match(said, /remedy {2}give the route table that the subnet has/);
    assert.doesNotMatch(said, /^\s+at .*:\d+:\d+\)?$/m);
    await succeeds("pulumi", "config", "rm", "--path", "aks-gitops:cluster.egress");
  });

  it("is destroyed, and all that is the company's is as it was", async () => {
    await succeeds("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive");
    assert.deepEqual((await rehearsal.inspection()).resources, []);
    assert.deepEqual(await company(), began);
  });
});
