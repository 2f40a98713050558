import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { KubernetesError } from "../../../net/kubernetesApi.ts";
import { isSignedBy, parseJwt } from "../../../rehearsal/cloud/entra/jwt.ts";
import { ClusterApi } from "../../../rehearsal/cluster/api.ts";
import { CLUSTER_TIMEOUT, eventually, type TestCluster, testCluster } from "../../support/cluster.ts";

describe("the rehearsal's cluster", () => {
  let all: TestCluster;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    all = await testCluster();
  });

  const namespace = async (name: string) => {
    await all.cluster.api.apply(`/api/v1/namespaces/${name}`, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    });
    await eventually(async () => {
      const { status } = await all.cluster.api.raw("GET", `/api/v1/namespaces/${name}/serviceaccounts/default`);
      return status === 200 || undefined;
    });
  };

  it("starts with every node ready, and says the release that it is", async () => {
    const nodes = await all.cluster.api.list("/api/v1/nodes");
    assert.deepEqual(
      nodes.map(({ metadata, status }) => [
        metadata.name,
        status.conditions.find(({ type }: { type: string }) => type === "Ready").status,
      ]),
      [0, 1, 2].map((index) => [`aks-system-10000000-vmss00000${index}`, "True"]),
    );
    assert.equal((await all.cluster.api.get<{ gitVersion: string }>("/version")).gitVersion, "v1.36.3");
  });

  it("brings a Deployment's pods to Ready and a Job's to an end", async () => {
    await namespace("workloads");
    const template = (restartPolicy: string) => ({
      metadata: { labels: { app: "demo" } },
      spec: { restartPolicy, containers: [{ name: "demo", image: "acme.azurecr.io/demo:1" }] },
    });
    const deployment = "/apis/apps/v1/namespaces/workloads/deployments/demo";
    const job = "/apis/batch/v1/namespaces/workloads/jobs/demo";
    const metadata = { name: "demo" };
    const selector = { matchLabels: { app: "demo" } };
    await all.cluster.api.apply(deployment, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: { replicas: 2, selector, template: template("Always") },
    });
    await all.cluster.api.apply(job, {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata,
      spec: { template: template("Never") },
    });
    const ready = await eventually(async () => {
      const { status } = await all.cluster.api.get(deployment);
      return status?.readyReplicas === 2 ? status : undefined;
    });
    assert.equal(ready.conditions.find(({ type }: { type: string }) => type === "Available").status, "True");
    await eventually(async () => (await all.cluster.api.get(job)).status?.succeeded === 1 || undefined);
  });

  it("takes tokens of Entra through kubelogin, with the rights of groups and of Azure's roles", async () => {
    const who = JSON.parse(await all.kubectl(["auth", "whoami", "-o", "json"]));
    assert.equal(who.status.userInfo.username, all.admin.objectId);
    assert.equal((await all.kubectl(["auth", "can-i", "delete", "namespaces"])).trim(), "yes");
    assert.match(await all.kubectl(["get", "pods", "-n", "default"], all.viewer).catch(String), /^$/);
    await assert.rejects(
      all.kubectl(["get", "secrets", "-n", "default"], all.viewer),
      /\(Forbidden\): secrets is forbidden/,
    );
    await assert.rejects(all.kubectl(["get", "pods"], all.stranger), /\(Forbidden\): pods is forbidden/);
  });

  it("says why nobody can sign in with a secret that is not theirs", async () => {
    // Somebody who has never signed in: kubelogin keeps tokens where the machine lets it.
    const wrong = { ...all.entra.addClient("newcomer"), clientSecret: "wrong" };
    await assert.rejects(all.kubectl(["get", "pods"], wrong), /failed to get token: .*AADSTS7000215/s);
  });

  it("turns away who has no token, or one that is for another service", async () => {
    const { port, certificateAuthority } = all.cluster;
    const principal = all.entra.find(all.admin.objectId);
    assert.ok(principal);
    const forArm = all.entra.issuer.issue(principal, "https://management.azure.com", "1", []);
    for (const token of ["", "x", forArm]) {
      const api = new ClusterApi({ port, certificateAuthority, token });
      await assert.rejects(api.get("/api"), (error) => error instanceof KubernetesError && error.status === 401);
      api.close();
    }
  });

  it("is reached by its own name through the door, from where the door lets one", async () => {
    const { fqdn, door, folder, cluster } = all;
    const kubeconfig = join(folder, "fqdn.kubeconfig");
    const config = JSON.parse(await all.kubectl(["config", "view", "--raw", "-o", "json"]));
    config.clusters[0].cluster.server = `https://${fqdn}:443`;
    await writeFile(kubeconfig, JSON.stringify(config));
    const args = [`--kubeconfig=${kubeconfig}`, "get", "--raw", "/version"];
    assert.match(await all.kubectl(args), /"gitVersion": "v1\.36\.3"/);
    const inside = await door.listen("inside");
    config.clusters[0].cluster["proxy-url"] = `http://127.0.0.1:${inside}`;
    await writeFile(kubeconfig, JSON.stringify(config));
    await assert.rejects(all.kubectl(args), new RegExp(`${fqdn} is not for those inside`));
    assert.ok(cluster.port > 0);
  });

  it("signs tokens of service accounts as the issuer that ARM gave it, with a key it shows", async () => {
    const { status } = await all.cluster.api.create<{ status: { token: string } }>(
      "/api/v1/namespaces/default/serviceaccounts/default/token",
      { spec: { audiences: ["api://AzureADTokenExchange"] } },
    );
    const jwt = parseJwt(status.token);
    assert.ok(jwt);
    const { iss, sub, aud } = jwt.claims;
    assert.deepEqual(
      [iss, sub, aud],
      [all.issuer, "system:serviceaccount:default:default", ["api://AzureADTokenExchange"]],
    );
    const key = all.cluster.serviceAccountKeys().find(({ kid }) => kid === jwt.header.kid);
    assert.ok(key && isSignedBy(jwt, key));
  });
});
