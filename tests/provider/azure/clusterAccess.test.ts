import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { parse } from "yaml";
import { type Addresses, accessTo, type ClusterAccess } from "../../../provider/azure/clusterAccess.ts";
import { CLUSTER_ID, FakeCloud } from "../fakeCloud.ts";

const SERVER = "https://prod-abc.hcp.westeurope.azmk8s.io:443";
const CONFIG = `
clusters: [{name: prod, cluster: {server: "${SERVER}", certificate-authority-data: Q0E=}}]
users: [{name: u, user: {token: hush-hush, client-key-data: hush-hush}}]
`;

describe("the way to a cluster", () => {
  let cloud: FakeCloud;
  let config: string;
  let addresses: Addresses;
  beforeEach(() => {
    cloud = new FakeCloud();
    config = CONFIG;
    addresses = { fqdn: "prod-abc.hcp.westeurope.azmk8s.io" };
    cloud.answer = ({ path }) => {
      assert.equal(path, `${CLUSTER_ID}/listClusterUserCredential`);
      return { kubeconfigs: [{ name: "clusterUser", value: Buffer.from(config).toString("base64") }] };
    };
  });

  const access = (known: Partial<ClusterAccess> = {}) => accessTo(cloud, CLUSTER_ID, addresses, known, cloud.context);

  it("gives endpoint, authority and a kubeconfig that holds no credential", async () => {
    const state = await access();
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

  it("is only looked for, so looked for again after an interruption it is the same", async () => {
    const first = await access();
    assert.deepEqual(await access(), first);
    const path = `${CLUSTER_ID}/listClusterUserCredential`;
    assert.deepEqual(cloud.calls, Array(2).fill({ method: "POST", path, body: undefined }));
  });

  it("is known without listing credentials as long as the address is the same", async () => {
    const state = await access();
    cloud.calls.length = 0;
    assert.deepEqual(await access(state), state);
    assert.deepEqual(cloud.calls, []);
    addresses = { privateFQDN: "prod-abc.hcp.westeurope.azmk8s.io", fqdn: "public" };
    assert.deepEqual(await access(state), state);
  });

  it("is looked for anew when the address is another one", async () => {
    const state = await access();
    addresses = { fqdn: "prod-def.hcp.westeurope.azmk8s.io" };
    config = CONFIG.replace("prod-abc", "prod-def");
    assert.equal((await access(state)).endpoint, SERVER.replace("prod-abc", "prod-def"));
  });

  it("shows nothing of a kubeconfig that it does not understand", async () => {
    for (const broken of ["users: hush-hush", "hush-hush: [", ""]) {
      config = broken;
      await assert.rejects(access(), (error: Error) => {
        assert.equal(
          error.message,
          `${CLUSTER_ID}/listClusterUserCredential: the answer has no endpoint with its authority`,
        );
        return true;
      });
    }
  });
});
