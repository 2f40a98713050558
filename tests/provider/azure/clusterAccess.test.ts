import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { parse } from "yaml";
import { type ResourceHandler, UNKNOWN } from "../../../plugin/handler.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { clusterAccessIn } from "../../../provider/azure/clusterAccess.ts";
import { CLUSTER_ID, FakeCloud } from "../fakeCloud.ts";

const SERVER = "https://prod-abc.hcp.westeurope.azmk8s.io:443";
const CONFIG = `
clusters: [{name: prod, cluster: {server: "${SERVER}", certificate-authority-data: Q0E=}}]
users: [{name: u, user: {token: hush-hush, client-key-data: hush-hush}}]
`;

describe("ClusterAccess", () => {
  let cloud: FakeCloud;
  let handler: ResourceHandler;
  let config: string;
  let properties: object | undefined;
  beforeEach(() => {
    cloud = new FakeCloud();
    handler = clusterAccessIn(cloud);
    config = CONFIG;
    properties = { fqdn: "prod-abc.hcp.westeurope.azmk8s.io" };
    cloud.answer = ({ method, path }) => {
      if (properties === undefined) throw new ArmError(404, "ResourceNotFound", "gone");
      if (method === "GET") return { properties };
      assert.equal(path, `${CLUSTER_ID}/listClusterUserCredential`);
      return { kubeconfigs: [{ name: "clusterUser", value: Buffer.from(config).toString("base64") }] };
    };
  });

  const create = () => handler.create({ clusterId: CLUSTER_ID }, cloud.context);
  const read = (state: Record<string, unknown>) =>
    handler.read?.(CLUSTER_ID, state.endpoint ? { clusterId: CLUSTER_ID } : {}, state, cloud.context);

  it("gives endpoint, authority and a kubeconfig that holds no credential", async () => {
    const { id, state } = await create();
    assert.equal(id, CLUSTER_ID);
    assert.equal(state.endpoint, SERVER);
    assert.equal(state.certificateAuthority, "Q0E=");
    const kubeconfig = parse(String(state.kubeconfig)) as Record<string, unknown>;
    assert.deepEqual(kubeconfig.clusters, [
      { name: "prod", cluster: { server: SERVER, "certificate-authority-data": "Q0E=" } },
    ]);
    const [user] = kubeconfig.users as { user: { exec: { command: string; args: string[] } } }[];
    assert.deepEqual(Object.keys(user?.user ?? {}), ["exec"]);
    assert.equal(user?.user.exec.command, "kubelogin");
    assert.equal(JSON.stringify(state).includes("hush"), false);
  });

  it("only looks, so made again after an interruption or with --replace it is the same", async () => {
    const first = await create();
    assert.deepEqual(await create(), first);
    const path = `${CLUSTER_ID}/listClusterUserCredential`;
    assert.deepEqual(cloud.calls, Array(2).fill({ method: "POST", path, body: undefined }));
    assert.equal(handler.delete, undefined);
  });

  it("reads without listing credentials as long as the address is the same", async () => {
    const { state } = await create();
    cloud.calls.length = 0;
    assert.deepEqual((await read(state))?.state, state);
    assert.deepEqual(
      cloud.calls.map(({ method, path }) => `${method} ${path}`),
      [`GET ${CLUSTER_ID}`],
    );
    properties = { privateFQDN: "prod-abc.hcp.westeurope.azmk8s.io", fqdn: "public" };
    assert.deepEqual((await read(state))?.state, state);
  });

  it("lists anew when the address is another one, and is gone with the cluster", async () => {
    const { state } = await create();
    properties = { fqdn: "prod-def.hcp.westeurope.azmk8s.io" };
    config = CONFIG.replace("prod-abc", "prod-def");
    assert.equal((await read(state))?.state.endpoint, SERVER.replace("prod-abc", "prod-def"));
    properties = undefined;
    assert.equal(await read(state), undefined);
  });

  it("is imported into a stack by the cluster's id", async () => {
    const imported = await read({});
    assert.deepEqual(imported?.inputs, { clusterId: CLUSTER_ID });
    assert.equal(imported?.state.endpoint, SERVER);
  });

  it("shows nothing of a kubeconfig that it does not understand", async () => {
    for (const broken of ["users: hush-hush", "hush-hush: [", ""]) {
      config = broken;
      await assert.rejects(create(), (error: Error) => {
        assert.equal(
          error.message,
          `${CLUSTER_ID}/listClusterUserCredential: the answer has no endpoint with its authority`,
        );
        return true;
      });
    }
  });

  it("is replaced with its cluster, whatever the case of its id", async () => {
    const diff = (clusterId: unknown) =>
      handler.diff?.({ id: CLUSTER_ID, inputs: { clusterId: CLUSTER_ID }, state: {} }, { clusterId }, cloud.context);
    assert.deepEqual(await diff(CLUSTER_ID.toUpperCase()), { changes: false, replaces: [] });
    assert.deepEqual(await diff(UNKNOWN), { changes: true, replaces: ["clusterId"] });
    assert.deepEqual(await diff(`${CLUSTER_ID}2`), { changes: true, replaces: ["clusterId"] });
  });

  it("names the form of a cluster's id", async () => {
    const checked = await handler.check?.({ clusterId: "prod" }, undefined, cloud.context, new Uint8Array());
    assert.match(
      checked?.failures?.[0]?.reason ?? "",
      /^"prod" is not the ARM id of a resource: .*managedClusters\/<name>$/,
    );
  });
});
