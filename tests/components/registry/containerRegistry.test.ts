import { strict as assert } from "node:assert";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { ContainerRegistry, type ContainerRegistryArgs } from "../../../components/registry/containerRegistry.ts";
import { assigned, deploy, idOf, resolved, roleId } from "../deployment.ts";
import { refused } from "../refused.ts";

const DEPLOYERS = "6f1f2b6e-1111-4e0a-9c60-000000000001";

function registry(args: Partial<ContainerRegistryArgs>, preview = false) {
  return deploy(
    () =>
      new ContainerRegistry("acr-test", {
        resourceGroupName: "group",
        deployers: DEPLOYERS,
        pullers: { kubelet: "kubelet-principal" },
        ...args,
      }),
    preview,
  );
}

const PRIVATE: Partial<ContainerRegistryArgs> = {
  sku: "Premium",
  zoneRedundant: true,
  network: { vnetId: "vnet-id", subnetId: "subnet-id" },
};

describe("ContainerRegistry", () => {
  it("is private, without an admin user, and has a name that nobody else has", async () => {
    const { find } = await registry(PRIVATE);
    assert.deepEqual(find("RandomString", "acr-test-suffix").inputs, { length: 8, upper: false, special: false });
    assert.deepEqual(find("Registry", "acr-test").inputs, {
      resourceGroupName: "group",
      registryName: "acrtestabcd1234",
      sku: { name: "Premium" },
      adminUserEnabled: false,
      publicNetworkAccess: "Disabled",
      networkRuleBypassOptions: "AzureServices",
      zoneRedundancy: "Enabled",
      // The SDK's own default.
      anonymousPullEnabled: false,
    });
  });

  it("has an address in the network, and its name that address there", async () => {
    const { find } = await registry(PRIVATE);
    const zone = "privatelink.azurecr.io";
    assert.deepEqual(find("PrivateZone", "acr-test-zone").inputs, {
      resourceGroupName: "group",
      privateZoneName: zone,
      location: "Global",
    });
    assert.deepEqual(find("VirtualNetworkLink", "acr-test-link").inputs, {
      resourceGroupName: "group",
      privateZoneName: "acr-test-zone",
      location: "Global",
      virtualNetwork: { id: "vnet-id" },
      registrationEnabled: false,
    });
    assert.deepEqual(find("PrivateEndpoint", "acr-test-endpoint").inputs, {
      resourceGroupName: "group",
      privateEndpointName: "acr-test-endpointabcd1234",
      subnet: {
        id: "subnet-id",
        // The SDK's own defaults.
        privateEndpointNetworkPolicies: "Disabled",
        privateLinkServiceNetworkPolicies: "Enabled",
      },
      privateLinkServiceConnections: [
        { name: "registry", privateLinkServiceId: idOf("Registry", "acr-test"), groupIds: ["registry"] },
      ],
    });
    assert.deepEqual(find("PrivateDnsZoneGroup", "acr-test-records").inputs, {
      resourceGroupName: "group",
      privateEndpointName: "acr-test-endpoint",
      privateDnsZoneGroupName: "default",
      privateDnsZoneConfigs: [{ name: "registry", privateDnsZoneId: idOf("PrivateZone", "acr-test-zone") }],
    });
  });

  it("lets in whom it is told by the public address, and nobody else", async () => {
    const network = { vnetId: "vnet", subnetId: "subnet", allowedAddresses: ["203.0.113.10/32"] };
    const { find, names } = await registry({ ...PRIVATE, network });
    const { publicNetworkAccess, networkRuleSet } = find("Registry", "acr-test").inputs;
    const ipRules = [{ action: "Allow", iPAddressOrRange: "203.0.113.10/32" }];
    assert.deepEqual([publicNetworkAccess, networkRuleSet], ["Enabled", { defaultAction: "Deny", ipRules }]);
    assert.deepEqual(names("PrivateEndpoint"), ["acr-test-endpoint"]);
  });

  it("is public without an endpoint, under the name of the settings", async () => {
    const { find, names } = await registry({ registryName: "acmedev" });
    const { inputs } = find("Registry", "acr-test");
    assert.deepEqual([inputs.registryName, inputs.publicNetworkAccess], ["acmedev", "Enabled"]);
    assert.deepEqual([...names("PrivateEndpoint"), ...names("RandomString")], []);
  });

  it("lets deployers import and push, and nodes pull", async () => {
    const { resources } = await registry({});
    const grants = resources.filter(({ type }) => type.endsWith(":RoleAssignment"));
    const scope = idOf("Registry", "acr-test");
    const deployers = { principalId: DEPLOYERS, principalType: "Group", scope };
    assert.deepEqual(
      grants.map(({ name, inputs }) => [name, assigned(inputs)]),
      [
        [
          "acr-test-deployers-import",
          { ...deployers, roleDefinitionId: roleId("577a9874-89fd-4f24-9dbd-b5034d0ad23a") },
        ],
        ["acr-test-deployers-push", { ...deployers, roleDefinitionId: roleId("8311e382-0749-4cb8-b61a-304f252e45ec") }],
        [
          "acr-test-kubelet-pull",
          {
            principalId: "kubelet-principal",
            principalType: "ServicePrincipal",
            scope,
            roleDefinitionId: roleId("7f951dda-4ed3-4680-a7ca-43fe172d538d"),
          },
        ],
      ],
    );
  });

  it("tells its name to those who use it when they may and can reach it", async () => {
    const { result } = await registry(PRIVATE);
    const waitedFor = async (output: pulumi.Output<string>) => {
      assert.equal(await resolved(output), "acrtestabcd1234.azurecr.io");
      const resources = await (output as unknown as { allResources(): Promise<Set<pulumi.Resource>> }).allResources();
      const urns = await Promise.all([...resources].map(({ urn }) => resolved(urn)));
      return urns
        .map((urn) => urn.split("::").at(-1))
        .filter((name) => !/^acr-test(-suffix)?$/.test(name ?? ""))
        .sort();
    };
    const reachable = ["acr-test-link", "acr-test-records"];
    assert.deepEqual(await waitedFor(result.loginServer), []);
    assert.deepEqual(await waitedFor(result.importServer), ["acr-test-deployers-import", ...reachable]);
    assert.deepEqual(await waitedFor(result.pushServer), [
      "acr-test-deployers-import",
      "acr-test-deployers-push",
      ...reachable,
    ]);
    assert.deepEqual(await waitedFor(result.pullServer), ["acr-test-kubelet-pull", ...reachable]);
  });

  it("makes a principal that pulls and nothing else, its password a secret", async () => {
    const { find, names, result } = await registry({ pullPrincipal: true, now: new Date("2026-11-26T12:00:00Z") });
    assert.equal(find("Application", "acr-test-pull").inputs.displayName, "acr-test-pull");
    assert.equal(find("ServicePrincipal", "acr-test-pull").inputs.clientId, "application");
    const passwords = names("ApplicationPassword");
    assert.equal(passwords.length, 2);
    for (const password of passwords) {
      const { applicationId, endDate } = find("ApplicationPassword", password).inputs;
      assert.equal(applicationId, idOf("Application", "acr-test-pull"));
      assert.equal(password, `acr-test-pull-until-${String(endDate).slice(0, 10)}`);
    }
    const { tenantId, clientId } = find("AcceptedPassword", "acr-test-pull").inputs;
    assert.deepEqual([tenantId, clientId], ["tenant", "application"]);
    const { inputs, parent } = find("RoleAssignment", "acr-test-pull");
    assert.deepEqual(assigned(inputs), {
      principalId: "service-principal",
      principalType: "ServicePrincipal",
      scope: idOf("Registry", "acr-test"),
      roleDefinitionId: roleId("7f951dda-4ed3-4680-a7ca-43fe172d538d"),
    });
    assert.equal(parent, "PullPrincipal::acr-test-pull");
    const password = result.pullCredentials?.password as pulumi.Output<string>;
    assert.equal(await resolved(password), "application-password");
    assert.equal(await pulumi.isSecret(password), true);
  });

  it("renews the password after as many days as it is told", async () => {
    const ends = async (passwordDays: number) => {
      const now = new Date("2026-11-26T12:00:00Z");
      const { find, names } = await registry({ pullPrincipal: true, passwordDays, now });
      return names("ApplicationPassword").map((name) =>
        Date.parse(String(find("ApplicationPassword", name).inputs.endDate)),
      );
    };
    for (const passwordDays of [30, 90]) {
      const [before = 0, newest = 0] = await ends(passwordDays);
      assert.equal(newest - before, passwordDays * 24 * 3_600_000);
    }
  });

  it("previews no change of its own when a setting changes", async () => {
    const { find } = await registry({ pullPrincipal: true });
    assert.deepEqual(
      [find("ContainerRegistry", "acr-test").inputs, find("PullPrincipal", "acr-test-pull").inputs],
      [{}, {}],
    );
  });
});

describe("ContainerRegistry alone", () => {
  it("needs a resource group and nothing else, and lets in whom Azure lets in", async () => {
    const { find, names, result } = await deploy(
      () => new ContainerRegistry("acr-test", { resourceGroupName: "group" }),
    );
    const { sku, zoneRedundancy, publicNetworkAccess } = find("Registry", "acr-test").inputs;
    assert.deepEqual([sku, zoneRedundancy, publicNetworkAccess], [{ name: "Standard" }, "Disabled", "Enabled"]);
    assert.deepEqual(names("RoleAssignment"), []);
    assert.equal(await resolved(result.pushServer), "acrtestabcd1234.azurecr.io");
    assert.equal(result.pullCredentials, undefined);
  });

  it("refuses what Azure would refuse late", async () => {
    const faults = (args: Partial<ContainerRegistryArgs>) =>
      refused(() => new ContainerRegistry("acr-test", { resourceGroupName: "group", ...args }));
    assert.deepEqual(await faults(PRIVATE), []);
    assert.deepEqual(await faults({ ...PRIVATE, sku: undefined, registryName: "acme-dev", deployers: "deployers" }), [
      "registryName is no name of a registry",
      "deployers is no object id",
      "sku has no private endpoints",
      "sku has no zones",
    ]);
    assert.deepEqual(await faults({ passwordDays: 366 }), [
      "passwordDays is no number of days after which a password is renewed",
    ]);
  });
});
