import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "mocha";
import { ROOT, runPulumi, succeed, writeProject } from "../../support/engine.ts";
import { FakeCloud, type Json, type Sent, SUBSCRIPTION, TENANT } from "./fakeCloud.ts";

/** Checks requests against Microsoft's published types, where it is at hand. */
const VALIDATOR = join(ROOT, "../shared/arm/validate.mjs");

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork.js";
import { Vault } from "@pulumi/azure-native/keyvault/vault.js";
import { Key } from "@pulumi/azure-native/keyvault/key.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { FederatedIdentityCredential } from "@pulumi/azure-native/managedidentity/federatedIdentityCredential.js";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { ManagedCluster } from "@pulumi/azure-native/containerservice/managedCluster.js";
import { AgentPool } from "@pulumi/azure-native/containerservice/agentPool.js";
import { getClientConfigOutput } from "@pulumi/azure-native/authorization/getClientConfig.js";

const settings = new pulumi.Config();
const group = new ResourceGroup("group");
const resourceGroupName = group.name;
const network = new VirtualNetwork("network", {
  resourceGroupName,
  addressSpace: { addressPrefixes: ["10.60.0.0/16"] },
  subnets: [{ name: "nodes", addressPrefix: "10.60.0.0/20" }],
});
const identity = new UserAssignedIdentity("identity", { resourceGroupName });
const credential = new FederatedIdentityCredential("flux", {
  resourceGroupName,
  resourceName: identity.name,
  issuer: "https://issuer.example/",
  subject: "system:serviceaccount:flux-system:kustomize-controller",
  audiences: ["api://AzureADTokenExchange"],
});
const vault = new Vault("vault", {
  resourceGroupName,
  vaultName: "vault-of-the-test",
  properties: { tenantId: "${TENANT}", sku: { family: "A", name: "standard" }, enableRbacAuthorization: true },
});
const key = new Key("key", {
  resourceGroupName,
  vaultName: vault.name,
  properties: { kty: "RSA", keySize: 3072, attributes: { enabled: true, expires: 1900000000 } },
});
const assignment = new RoleAssignment("assignment", {
  scope: group.id,
  principalId: "6f1f2b6e-1111-4e0a-9c60-000000000001",
  principalType: "Group",
  roleDefinitionId: "/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/12338af0-0e69-4776-bea7-57ae8d297424",
});
const cluster = new ManagedCluster("cluster", {
  resourceGroupName,
  dnsPrefix: "test",
  sku: { name: "Base", tier: settings.get("tier") ?? "Standard" },
  identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
  autoScalerProfile: { balanceSimilarNodeGroups: "true", expander: "least-waste" },
  oidcIssuerProfile: { enabled: true },
  networkProfile: { networkPlugin: "azure", podCidr: settings.get("pods") ?? "10.244.0.0/16" },
  agentPoolProfiles: [{ name: "system", mode: "System", count: 3, vmSize: "Standard_D4ds_v5", vnetSubnetID: network.subnets.apply((subnets) => subnets![0]!.id!) }],
});
const pool = new AgentPool("apps", { resourceGroupName, resourceName: cluster.name, count: 1, vmSize: "Standard_D8ds_v5", type: "VirtualMachineScaleSets" });

export const names = { group: group.name, identity: identity.name, credential: credential.name, assignment: assignment.name };
export const issuer = cluster.oidcIssuerProfile.apply((profile) => profile!.issuerURL);
export const vaultUri = vault.properties.apply(({ vaultUri }) => vaultUri);
export const subnet = network.subnets.apply((subnets) => subnets![0]!.id);
export const keyState = key.provisioningState;
export const poolType = pool.type;
export const caller = getClientConfigOutput().objectId;
`;

interface Step {
  readonly op: string;
  readonly urn: string;
  readonly detailedDiff?: Readonly<Record<string, { kind: string }>>;
}

describe("the stand-in for azure-native", () => {
  let cloud: FakeCloud;
  let project: string;
  /** What the first deployment sent. */
  const written: Sent[] = [];
  const pulumi = (...args: string[]) => succeed(project, args, cloud.env);
  /** What a preview would do: logical name, operation, changed paths. */
  const changes = async () => {
    const { steps } = JSON.parse(await pulumi("preview", "--json")) as { steps: Step[] };
    return steps
      .filter(({ op }) => op !== "same")
      .map(({ urn, op, detailedDiff }) => {
        const paths = Object.entries(detailedDiff ?? {}).map(([path, { kind }]) => [path, kind]);
        return [urn.split("::").at(-1), op, Object.fromEntries(paths)];
      });
  };
  const outputs = async () => JSON.parse(await pulumi("stack", "output", "--json")) as Json;

  before(async () => {
    cloud = await FakeCloud.start();
    project = await writeProject(cloud.engine.directory, "azure", { "index.ts": PROGRAM }, {});
    await pulumi("stack", "init", "test");
    await pulumi("config", "set", "azure-native:location", "westeurope");
  });
  after(() => cloud.close());
  afterEach(() => {
    cloud.intercept = () => undefined;
    cloud.sent.length = 0;
  });

  it("previews a first deployment without asking ARM for anything that it would make", async () => {
    await pulumi("preview");
    assert.deepEqual(
      cloud.sent.filter(({ method }) => method !== "GET"),
      [],
    );
  });

  it("gives names, locations and ARM's own shape to what it creates", async () => {
    await pulumi("up", "--yes", "--skip-preview");
    written.push(...cloud.sent.filter(({ method }) => method === "PUT"));
    const puts = cloud.puts();
    const { names, ...others } = (await outputs()) as { names: Record<string, string> } & Json;

    assert.match(names.group ?? "", /^group[0-9a-f]{8}$/);
    assert.match(names.identity ?? "", /^identity[0-9a-f]{8}$/);
    assert.equal(names.credential, "flux");
    assert.match(names.assignment ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    const networkName = [...puts.keys()].find((name) => name.startsWith("network"));
    assert.deepEqual(others, {
      issuer: "https://issuer.example/",
      vaultUri: "https://vault-of-the-test.vault.azure.net/",
      subnet: `/subscriptions/${SUBSCRIPTION}/resourceGroups/${names.group}/providers/Microsoft.Network/virtualNetworks/${networkName}/subnets/nodes`,
      poolType: "Microsoft.ContainerService/managedClusters/agentPools",
      caller: "the-object-id",
    });

    assert.deepEqual(puts.get(names.group ?? ""), { location: "westeurope" });
    assert.deepEqual(puts.get(networkName ?? ""), {
      location: "westeurope",
      properties: {
        addressSpace: { addressPrefixes: ["10.60.0.0/16"] },
        enableDdosProtection: false,
        enableVmProtection: false,
        subnets: [
          {
            name: "nodes",
            properties: {
              addressPrefix: "10.60.0.0/20",
            },
          },
        ],
        virtualNetworkPeerings: [],
      },
    });
    assert.deepEqual(puts.get("key"), {
      properties: { kty: "RSA", keySize: 3072, attributes: { enabled: true, exp: 1900000000, exportable: false } },
    });
    const { accessPolicies } = (puts.get("vault-of-the-test")?.properties ?? {}) as Json;
    assert.deepEqual(accessPolicies, []);
    const cluster = [...puts].find(([name]) => name.startsWith("cluster"))?.[1] as { identity: Json; properties: Json };
    const identityId = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${names.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${names.identity}`;
    assert.deepEqual(cluster.identity, { type: "UserAssigned", userAssignedIdentities: { [identityId]: {} } });
    assert.deepEqual(cluster.properties.autoScalerProfile, {
      "balance-similar-node-groups": "true",
      expander: "least-waste",
    });
    assert.deepEqual(puts.get("apps"), {
      properties: { count: 1, vmSize: "Standard_D8ds_v5", type: "VirtualMachineScaleSets" },
    });
  });

  it("sends bodies that Microsoft's published types allow", async function () {
    if (!existsSync(VALIDATOR)) this.skip();
    const { faults } = (await import(VALIDATOR)) as { faults(request: Json): string[] };
    assert.equal(written.length, 9);
    const all = written.flatMap(({ method, path, apiVersion, body }) =>
      faults({ method, url: `${path}?api-version=${apiVersion}`, body }),
    );
    assert.deepEqual(all, []);
  });

  it("finds nothing to do and nothing drifted after a deployment", async () => {
    await pulumi("preview", "--expect-no-changes");
    await pulumi("refresh", "--yes", "--expect-no-changes");
    await pulumi("preview", "--expect-no-changes");
  });

  it("updates in place with a whole PUT", async () => {
    await pulumi("config", "set", "tier", "Free");
    await pulumi("up", "--yes", "--skip-preview");
    const puts = cloud.sent.filter(({ method }) => method === "PUT");
    assert.equal(puts.length, 1);
    assert.deepEqual(puts[0]?.body?.sku, { name: "Base", tier: "Free" });
    const { dnsPrefix } = (puts[0]?.body?.properties ?? {}) as Json;
    assert.equal(dnsPrefix, "test");
  });

  it("shows drift in a refresh and puts it right in an update", async () => {
    const id = cloud.idOf("/managedclusters/");
    cloud.arm.set(id, { ...cloud.arm.get(id), sku: { name: "Base", tier: "Premium" } });
    await pulumi("refresh", "--yes");
    assert.deepEqual(await changes(), [["cluster", "update", { "sku.tier": "update" }]]);
    await pulumi("up", "--yes", "--skip-preview");
    assert.deepEqual(cloud.arm.get(id)?.sku, { name: "Base", tier: "Free" });
  });

  it("replaces on create-only properties, creating first where the name is random", async () => {
    await pulumi("config", "set", "pods", "10.245.0.0/16");
    const [cluster] = await changes();
    assert.deepEqual(cluster, ["cluster", "replace", { "networkProfile.podCidr": "update-replace" }]);
    cloud.sent.length = 0;
    await pulumi("up", "--yes", "--skip-preview");
    const writes = cloud.sent.filter(({ method }) => method !== "GET");
    // The pool's name is fixed, so it goes before it comes; its cluster's is not.
    assert.deepEqual(
      writes.map(({ method, path }) => `${method} ${path.split("/").at(-2)}`),
      ["PUT managedClusters", "DELETE agentPools", "PUT agentPools", "DELETE managedClusters"],
    );
  });

  it("sends ARM's words and status where a request is refused", async () => {
    cloud.intercept = ({ method }) =>
      method === "PUT"
        ? { status: 409, body: { error: { code: "OperationNotAllowed", message: "Not while it is upgrading." } } }
        : undefined;
    await pulumi("config", "set", "tier", "Standard");
    const { code, stdout, stderr } = await runPulumi(project, ["up", "--yes", "--skip-preview"], cloud.env);
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /Status=409 Code="OperationNotAllowed" Message="Not while it is upgrading\."/);
  });

  it("waits for an operation and keeps what it made when the operation fails", async () => {
    let polls = 0;
    const operation = `https://management.azure.com/subscriptions/${SUBSCRIPTION}/operations/1`;
    cloud.intercept = ({ method, path }) => {
      if (path.endsWith("/operations/1")) {
        polls++;
        const error = { code: "QuotaExceeded", message: "No more cores." };
        return polls < 3
          ? { status: 200, headers: { "retry-after": "0" }, body: { status: "InProgress" } }
          : { status: 200, body: { status: "Failed", error } };
      }
      if (method !== "PUT") return undefined;
      return { status: 202, headers: { "azure-asyncoperation": operation, "retry-after": "0" } };
    };
    const { code, stdout } = await runPulumi(project, ["up", "--yes", "--skip-preview"], cloud.env);
    assert.notEqual(code, 0);
    assert.equal(polls, 3);
    assert.match(stdout, /QuotaExceeded.*No more cores/);
  });

  it("refuses to create what is there", async () => {
    const main = join(project, "index.ts");
    await writeFile(main, `${PROGRAM}\nnew ResourceGroup("again", { resourceGroupName: group.name });`);
    const { code, stdout } = await runPulumi(project, ["up", "--yes", "--skip-preview"], cloud.env);
    assert.notEqual(code, 0);
    assert.match(
      stdout,
      /cannot create already existing resource '\/subscriptions\/.*\/resourceGroups\/group[0-9a-f]{8}'/,
    );
    await writeFile(main, PROGRAM);
  });

  it("names what it does not know and what breaks ARM's rules for names", async () => {
    const main = join(project, "index.ts");
    const bad = `${PROGRAM}
new Vault("bad", { resourceGroupName, vaultName: "a", properties: { tenantId: "${TENANT}", sku: { family: "A", name: "standard" } } });`;
    await writeFile(main, bad);
    const { stdout } = await runPulumi(project, ["preview"], cloud.env);
    assert.match(stdout, /'vaultName' does not match expression '\^\[a-zA-Z0-9-\]\{3,24\}\$'/);
    await writeFile(main, `${PROGRAM}\nnew pulumi.CustomResource("azure-native:web:WebApp", "site", {});`);
    const unknown = await runPulumi(project, ["preview"], cloud.env);
    assert.match(unknown.stdout, /has no resource type azure-native:web:WebApp/);
    await writeFile(main, PROGRAM);
  });

  it("reads inputs back in an import", async () => {
    const canonical = String(cloud.arm.get(cloud.idOf("/virtualnetworks/"))?.id);
    // Writing a program needs the official schema, which the stand-in has not.
    const flags = ["--yes", "--protect=false", "--generate-code=false"];
    await pulumi("import", "azure-native:network:VirtualNetwork", "imported", canonical, ...flags);
    const state = JSON.parse(await pulumi("stack", "export")) as {
      deployment: { resources: { urn: string; inputs: Json }[] };
    };
    const { inputs } = state.deployment.resources.find(({ urn }) => urn.endsWith("::imported")) ?? {};
    assert.deepEqual(inputs?.addressSpace, { addressPrefixes: ["10.60.0.0/16"] });
    assert.equal(inputs?.virtualNetworkName, canonical.split("/").at(-1));
    // What the SDK takes of a subnet is an input, whoever sets it in Azure; what it does not take is none.
    const subnet = (inputs?.subnets as Json[] | undefined)?.[0];
    assert.deepEqual([subnet?.provisioningState, subnet?.purpose], ["Succeeded", undefined]);
    await pulumi("state", "delete", "urn:pulumi:test::azure::azure-native:network:VirtualNetwork::imported", "--yes");
  });

  it("deletes everything and takes what is gone for deleted", async () => {
    const vault = [...cloud.arm.keys()].find((key) => key.endsWith("/vaults/vault-of-the-test"));
    cloud.arm.delete(vault ?? "");
    await pulumi("destroy", "--yes", "--skip-preview");
    assert.deepEqual([...cloud.arm.keys()], []);
  });
});
