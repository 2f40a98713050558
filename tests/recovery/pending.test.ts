import { strict as assert } from "node:assert";
import { before, describe, it } from "mocha";
import { armIdOf, armTypeOf } from "../../recovery/armIds.ts";
import { adopted, type KeptResource, type StackState, unfinished } from "../../recovery/pending.ts";
import { pathParameters, resourceId } from "../../rehearsal/providers/azure-native/armType.ts";
import { armTypes } from "../../rehearsal/providers/azure-native/types/index.ts";
import { deploy } from "../components/deployment.ts";
import { EVERYTHING } from "../components/everything.ts";

const SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a";
const urn = (type: string, name: string) => `urn:pulumi:prod::aks-gitops::${type}::${name}`;
const GROUP = urn("azure-native:resources:ResourceGroup", "group");
const NETWORK = urn("azure-native:network:VirtualNetwork", "network");
const NETWORK_ID = `/subscriptions/${SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n2`;

const network = (name: string): KeptResource => ({
  urn: NETWORK,
  type: "azure-native:network:VirtualNetwork",
  custom: true,
  inputs: { azureApiVersion: "2024-05-01", resourceGroupName: "g", virtualNetworkName: name },
  parent: GROUP,
  dependencies: [GROUP],
});

const state = (resources: KeptResource[], pending: KeptResource[], type = "creating"): StackState => ({
  version: 3,
  deployment: {
    manifest: {},
    resources,
    pending_operations: pending.map((resource) => ({ type, resource })),
  },
});

describe("what an update that was killed was making", () => {
  const group = { urn: GROUP, type: "azure-native:resources:ResourceGroup", id: "/g" };

  it("is known by its id in Azure, where azure-native made it", () => {
    const key: KeptResource = { urn: urn("gitops:index:VaultKey", "key"), type: "gitops:index:VaultKey", inputs: {} };
    const found = unfinished(state([group], [network("n2"), key]), SUBSCRIPTION);
    assert.deepEqual(found, [{ urn: NETWORK, id: NETWORK_ID, apiVersion: "2024-05-01", resource: network("n2") }]);
    assert.deepEqual(unfinished(state([group], [network("n2")], "updating"), SUBSCRIPTION), []);
  });

  it("becomes the stack's, to be written anew, and nothing is pending then", () => {
    const before = state([group], [network("n2")]);
    const { deployment } = adopted(before, unfinished(before, SUBSCRIPTION));
    assert.deepEqual(deployment.pending_operations, []);
    assert.deepEqual(deployment.manifest, {});
    assert.deepEqual(deployment.resources, [
      group,
      { ...network("n2"), id: NETWORK_ID, outputs: {}, initErrors: ["the update that made it was cut off"] },
    ]);
  });

  it("takes the place of the old one that it was to replace, which is deleted after it", () => {
    const old = { ...network("n1"), id: "/n1", outputs: {} };
    const user = { urn: urn("test:index:User", "user"), type: "test:index:User", dependencies: [NETWORK] };
    const before = state([group, old, user], [network("n2")]);
    const { resources = [] } = adopted(before, unfinished(before, SUBSCRIPTION)).deployment;
    assert.deepEqual(
      resources.map(({ id, type, delete: isOld }) => [id ?? type, isOld]),
      [
        ["/g", undefined],
        [NETWORK_ID, undefined],
        ["/n1", true],
        ["test:index:User", undefined],
      ],
    );
  });

  it("is dropped where Azure has nothing of it", () => {
    const before = state([group], [network("n2")]);
    assert.deepEqual(adopted(before, []).deployment.resources, [group]);
  });
});

describe("ids of azure-native's resources", () => {
  let types: Set<string>;

  before(async () => {
    types = new Set(["azure-native:resources:ResourceGroup"]);
    for (const make of Object.values(EVERYTHING))
      for (const { type } of (await deploy(() => make({}, {}))).resources)
        if (type.startsWith("azure-native:")) types.add(type);
  });

  it("are known of every type that the program registers, as the provider makes them", () => {
    assert.ok(types.size > 12);
    for (const type of types) {
      const path = armTypes.get(type)?.path ?? assert.fail(type);
      const inputs = Object.fromEntries(pathParameters(path).map((name) => [name, `its-${name}`]));
      const scopes = { scope: "/subscriptions/s/scope", resourceUri: "/subscriptions/s/resource" };
      const given = { ...inputs, ...scopes, subscriptionId: SUBSCRIPTION };
      assert.equal(armIdOf(type, given, SUBSCRIPTION), resourceId(path, given), type);
    }
  });

  it("tell what Azure calls the type", () => {
    for (const type of types) {
      const path = armTypes.get(type)?.path ?? assert.fail(type);
      const [, named = ""] = /^.*\/providers\/([^{]+\/.*)$/.exec(path) ?? [];
      const expected = named
        .split("/")
        .filter((part) => !part.startsWith("{"))
        .join("/");
      assert.equal(armTypeOf(type), expected || "Microsoft.Resources/resourceGroups", type);
    }
    assert.equal(armTypeOf("azure-native:web:WebApp"), undefined);
  });

  it("are not guessed where an input is missing or the type is another", () => {
    assert.equal(armIdOf("azure-native:network:VirtualNetwork", { resourceGroupName: "g" }, SUBSCRIPTION), undefined);
    assert.equal(armIdOf("azure-native:web:WebApp", { resourceGroupName: "g", name: "n" }, SUBSCRIPTION), undefined);
  });
});
