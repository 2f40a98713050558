import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { UNKNOWN } from "../../../plugin/handler.ts";
import { autoName, parseId, resourceId } from "../../../rehearsal/providers/azure-native/armType.ts";
import { applyDrift, inputDiff } from "../../../rehearsal/providers/azure-native/compare.ts";
import { addComputed, toBody, toInputs, toOutputs } from "../../../rehearsal/providers/azure-native/shape.ts";
import { armTypes } from "../../../rehearsal/providers/azure-native/types/index.ts";
import { ROOT } from "../../support/engine.ts";
import type { Json } from "./fakeCloud.ts";

const VALIDATOR = join(ROOT, "../shared/arm/validate.mjs");
const ID = "/subscriptions/00000000-0000-0000-0000-00000000aaaa/resourceGroups/g/providers/Microsoft.X/things/x";

function type(token: string) {
  const found = armTypes.get(`azure-native:${token}`);
  assert.ok(found, token);
  return found;
}

/** Inputs as the SDK sends them, and the body that ARM wants. */
const bodies: readonly [string, Json, Json][] = [
  [
    "network:PublicIPAddress",
    { location: "westeurope", publicIPAllocationMethod: "Static", sku: { name: "Standard" }, zones: ["1"] },
    {
      location: "westeurope",
      sku: { name: "Standard" },
      zones: ["1"],
      properties: { publicIPAllocationMethod: "Static" },
    },
  ],
  [
    "network:NatGateway",
    { location: "westeurope", publicIpAddresses: [{ id: ID }], sku: { name: "Standard" }, idleTimeoutInMinutes: 4 },
    {
      location: "westeurope",
      sku: { name: "Standard" },
      properties: { publicIpAddresses: [{ id: ID }], idleTimeoutInMinutes: 4 },
    },
  ],
  [
    "network:Subnet",
    {
      addressPrefix: "10.0.0.0/24",
      delegations: [{ name: "aks", serviceName: "Microsoft.ContainerService/managedClusters" }],
      natGateway: { id: ID },
    },
    {
      properties: {
        addressPrefix: "10.0.0.0/24",
        delegations: [{ name: "aks", properties: { serviceName: "Microsoft.ContainerService/managedClusters" } }],
        natGateway: { id: ID },
      },
    },
  ],
  [
    "network:PrivateEndpoint",
    {
      location: "westeurope",
      privateLinkServiceConnections: [{ name: "vault", privateLinkServiceId: ID, groupIds: ["vault"] }],
      subnet: { id: ID, privateEndpointNetworkPolicies: "Disabled" },
    },
    {
      location: "westeurope",
      properties: {
        privateLinkServiceConnections: [
          { name: "vault", properties: { privateLinkServiceId: ID, groupIds: ["vault"] } },
        ],
        subnet: { id: ID, properties: { privateEndpointNetworkPolicies: "Disabled" } },
      },
    },
  ],
  [
    "network:PrivateDnsZoneGroup",
    { privateDnsZoneConfigs: [{ name: "vault", privateDnsZoneId: ID }] },
    { properties: { privateDnsZoneConfigs: [{ name: "vault", properties: { privateDnsZoneId: ID } }] } },
  ],
  [
    "network:NetworkSecurityGroup",
    {
      location: "westeurope",
      securityRules: [
        {
          name: "https",
          access: "Allow",
          direction: "Inbound",
          priority: 100,
          protocol: "Tcp",
          destinationPortRange: "443",
        },
      ],
    },
    {
      location: "westeurope",
      properties: {
        securityRules: [
          {
            name: "https",
            properties: {
              access: "Allow",
              direction: "Inbound",
              priority: 100,
              protocol: "Tcp",
              destinationPortRange: "443",
            },
          },
        ],
      },
    },
  ],
  ["privatedns:PrivateZone", { location: "global", tags: { a: "b" } }, { location: "global", tags: { a: "b" } }],
  [
    "privatedns:VirtualNetworkLink",
    { location: "global", registrationEnabled: false, virtualNetwork: { id: ID } },
    { location: "global", properties: { registrationEnabled: false, virtualNetwork: { id: ID } } },
  ],
  [
    "operationalinsights:Workspace",
    { location: "westeurope", retentionInDays: 30, sku: { name: "PerGB2018" } },
    { location: "westeurope", properties: { retentionInDays: 30, sku: { name: "PerGB2018" } } },
  ],
  [
    "monitor:DiagnosticSetting",
    { name: "logs", resourceUri: ID, workspaceId: ID, logs: [{ category: "guard", enabled: true }] },
    { properties: { workspaceId: ID, logs: [{ category: "guard", enabled: true }] } },
  ],
  [
    "containerservice:MaintenanceConfiguration",
    {
      maintenanceWindow: {
        durationHours: 4,
        startTime: "02:00",
        utcOffset: "+00:00",
        schedule: { weekly: { dayOfWeek: "Sunday", intervalWeeks: 1 } },
      },
    },
    {
      properties: {
        maintenanceWindow: {
          durationHours: 4,
          startTime: "02:00",
          utcOffset: "+00:00",
          schedule: { weekly: { dayOfWeek: "Sunday", intervalWeeks: 1 } },
        },
      },
    },
  ],
  [
    "containerregistry:Registry",
    {
      location: "westeurope",
      sku: { name: "Premium" },
      adminUserEnabled: false,
      identity: { type: "UserAssigned", userAssignedIdentities: [ID] },
    },
    {
      location: "westeurope",
      sku: { name: "Premium" },
      identity: { type: "UserAssigned", userAssignedIdentities: { [ID]: {} } },
      properties: { adminUserEnabled: false },
    },
  ],
  [
    "containerregistry:CacheRule",
    { sourceRepository: "docker.io/library/*", targetRepository: "docker/*" },
    { properties: { sourceRepository: "docker.io/library/*", targetRepository: "docker/*" } },
  ],
  [
    "kubernetesconfiguration:Extension",
    {
      extensionType: "microsoft.flux",
      configurationSettings: { a: "b" },
      scope: { cluster: { releaseNamespace: "flux-system" } },
    },
    {
      properties: {
        extensionType: "microsoft.flux",
        configurationSettings: { a: "b" },
        scope: { cluster: { releaseNamespace: "flux-system" } },
      },
    },
  ],
  [
    "kubernetesconfiguration:FluxConfiguration",
    {
      namespace: "flux-system",
      gitRepository: { url: "https://github.com/acme/fleet", repositoryRef: { branch: "main" } },
      kustomizations: { apps: { path: "./apps", prune: true, dependsOn: ["infrastructure"] } },
    },
    {
      properties: {
        namespace: "flux-system",
        gitRepository: { url: "https://github.com/acme/fleet", repositoryRef: { branch: "main" } },
        kustomizations: { apps: { path: "./apps", prune: true, dependsOn: ["infrastructure"] } },
      },
    },
  ],
];

describe("azure-native's shapes", () => {
  for (const [token, inputs, body] of bodies) {
    it(`turn the inputs of ${token} into ARM's body`, async () => {
      const { path, apiVersion } = type(token);
      assert.deepEqual(toBody(type(token), { ...inputs, resourceGroupName: "g", azureApiVersion: apiVersion }), body);
      if (!existsSync(VALIDATOR)) return;
      const { faults } = (await import(VALIDATOR)) as { faults(request: Json): string[] };
      const url = `${path.replace(/\{\w+\}/g, "x")}?api-version=${apiVersion}`;
      assert.deepEqual(faults({ method: "PUT", url, body }), []);
    });
  }

  it("turn answers into outputs, and outputs back into what a program may set", () => {
    const network = type("network:VirtualNetwork");
    const subnet = { addressPrefix: "10.0.0.0/24", provisioningState: "Succeeded" };
    const outputs = toOutputs(network, {
      id: ID,
      name: "x",
      properties: {
        subnets: [{ id: `${ID}/subnets/a`, name: "a", properties: subnet }],
        provisioningState: "Succeeded",
      },
    });
    const flat = { id: `${ID}/subnets/a`, name: "a", ...subnet };
    assert.deepEqual(outputs, { name: "x", subnets: [flat], provisioningState: "Succeeded" });
    // The merged types of the SDK take the state of a subnet for an input.
    assert.deepEqual(toInputs(network, outputs), { subnets: [{ name: "a", ...subnet }] });
    const computed = { ...outputs, subnets: [{ ...flat, ipConfigurations: [], privateEndpoints: [], purpose: "x" }] };
    assert.deepEqual(toInputs(network, computed), { subnets: [{ name: "a", ...subnet }] });
  });

  it("give identities as a list to programs and as ARM knows them in outputs", () => {
    const cluster = type("containerservice:ManagedCluster");
    const userAssignedIdentities = { [ID]: { clientId: "c", principalId: "p" } };
    const outputs = toOutputs(cluster, { identity: { type: "UserAssigned", userAssignedIdentities }, properties: {} });
    assert.deepEqual(outputs.identity, { type: "UserAssigned", userAssignedIdentities });
    assert.deepEqual(toInputs(cluster, outputs).identity, { type: "UserAssigned", userAssignedIdentities: [ID] });
  });

  it("leave unknown in a preview what ARM adds inside of inputs", () => {
    const cluster = type("containerservice:ManagedCluster");
    const inputs = { oidcIssuerProfile: { enabled: true }, addonProfiles: { azurepolicy: { enabled: true } } };
    assert.deepEqual(addComputed(cluster, inputs, UNKNOWN), {
      oidcIssuerProfile: { enabled: true, issuerURL: UNKNOWN },
      addonProfiles: { azurepolicy: { enabled: true, identity: UNKNOWN } },
    });
    assert.deepEqual(inputs.oidcIssuerProfile, { enabled: true });
  });
});

describe("azure-native's names and ids", () => {
  it("are random for types of their own, copied for children, UUIDs for role assignments", () => {
    const kinds = [
      "resources:ResourceGroup",
      "keyvault:Vault",
      "keyvault:Key",
      "network:Subnet",
      "authorization:RoleAssignment",
    ];
    kinds.push("monitor:DiagnosticSetting", "kubernetesconfiguration:Extension");
    assert.deepEqual(
      kinds.map((token) => autoName(type(token).path)),
      ["random", "random", "copy", "copy", "uuid", "random", "random"],
    );
  });

  it("are read back from an id, whatever its case", () => {
    const { path } = type("authorization:RoleAssignment");
    const id = resourceId(path, { scope: ID, roleAssignmentName: "n" });
    assert.equal(id, `${ID}/providers/Microsoft.Authorization/roleAssignments/n`);
    assert.deepEqual(parseId(path, id.replace("Authorization", "authorization")), {
      scope: ID.slice(1),
      roleAssignmentName: "n",
    });
    assert.throws(() => parseId(type("keyvault:Vault").path, ID), /is no id of the form/);
  });
});

describe("azure-native's differences", () => {
  it("take a location's two spellings for the same", () => {
    const diff = inputDiff(type("resources:ResourceGroup"), { location: "West Europe" }, { location: "westeurope" });
    assert.equal(diff.changes, false);
  });

  it("replace for a path parameter, deleting first where the name is the program's", () => {
    const diff = inputDiff(type("keyvault:Vault"), { vaultName: "a" }, { vaultName: "b" });
    assert.deepEqual(diff.detailed, { vaultName: { kind: "update-replace", inputDiff: true } });
    assert.equal(diff.deleteBeforeReplace, true);
  });

  it("replace for a changed value below a create-only object, not for one that comes", () => {
    const address = type("network:PublicIPAddress");
    const diff = inputDiff(address, { sku: { name: "Basic" } }, { sku: { name: "Standard", tier: "Global" } });
    const kinds = Object.entries(diff.detailed ?? {}).map(([path, { kind }]) => [path, kind]);
    assert.deepEqual(Object.fromEntries(kinds), { "sku.name": "update-replace", "sku.tier": "add" });
  });

  it("replace for no change of a list that is create-only as a whole", () => {
    const zonal = { ...type("network:PublicIPAddress"), forceNew: ["zones"] };
    const kinds = (old: string[], next: string[]) =>
      Object.values(inputDiff(zonal, { zones: old }, { zones: next }).detailed ?? {}).map(({ kind }) => kind);
    assert.deepEqual(kinds(["1"], ["1", "2"]), ["add"]);
    assert.deepEqual(kinds(["1", "2"], ["1"]), ["delete"]);
    assert.deepEqual(kinds(["1"], ["2"]), ["update"]);
  });

  it("replace for a create-only value that comes, unless Azure has it so already", () => {
    const identity = type("managedidentity:UserAssignedIdentity");
    const kinds = (state: Json) =>
      Object.values(inputDiff(identity, {}, { location: "westeurope" }, state).detailed ?? {}).map(({ kind }) => kind);
    assert.deepEqual(kinds({}), ["add-replace"]);
    assert.deepEqual(kinds({ location: "westeurope" }), ["add"]);
  });

  it("take a group's name for the same whatever its case, and AKS's old words for its new ones", () => {
    const isChange = (old: Json, next: Json) => inputDiff(type("keyvault:Vault"), old, next).changes;
    assert.equal(isChange({ resourceGroupName: "Fleet" }, { resourceGroupName: "fleet" }), false);
    assert.equal(
      isChange({ sku: { name: "Basic", tier: "Paid" } }, { sku: { name: "Base", tier: "Standard" } }),
      false,
    );
    assert.equal(isChange({ sku: { name: "Base", tier: "Free" } }, { sku: { name: "Base", tier: "Standard" } }), true);
    assert.equal(isChange({ sku: { name: "Basic" } }, { sku: { name: "Base" } }), true);
  });

  it("bring into the inputs what comes later, whole, and of a list that changed every plain item", () => {
    assert.deepEqual(applyDrift({ name: "a" }, {}, { natGateway: { id: ID }, ipTags: [] }), {
      name: "a",
      natGateway: { id: ID },
      ipTags: [],
    });
    const inputs = { pools: [{ name: "a" }], ranges: ["One", "Two"] };
    const before = { pools: [{ name: "a", count: 1, version: "1" }], ranges: ["one", "two"] };
    const now = {
      pools: [
        { name: "a", count: 2, version: "1" },
        { name: "b", count: 1, version: "1" },
      ],
      ranges: ["one", "three"],
    };
    assert.deepEqual(applyDrift(inputs, before, now), {
      pools: [
        { name: "a", count: 2 },
        { name: "b", count: 1, version: "1" },
      ],
      ranges: ["one", "three"],
    });
  });

  it("bring into the inputs only what Azure changed since", () => {
    const inputs = { sku: { name: "Standard" }, tags: { a: "1" } };
    const before = { sku: { name: "Standard", capacity: 1 }, tags: { a: "1" }, kind: "k" };
    const now = { sku: { name: "Premium", capacity: 1 }, kind: "k", zones: ["1"] };
    assert.deepEqual(applyDrift(inputs, before, now), { sku: { name: "Premium" }, zones: ["1"] });
  });
});
