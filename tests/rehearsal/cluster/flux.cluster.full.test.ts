import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { before, describe, it } from "mocha";
import { syncObjects } from "../../../flux/bootstrap.ts";
import type { KubeObject as Found, KubernetesApi } from "../../../net/kubernetesApi.ts";
import { unsettledIn } from "../../../provider/flux/fluxHealth.ts";
import { chosenSignIn } from "../../../provider/flux/fluxSignIn.ts";
import { parseJwt } from "../../../rehearsal/cloud/entra/jwt.ts";
import type { RegisteredApp } from "../../../rehearsal/cloud/github/apps.ts";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { CLUSTER_TIMEOUT, eventually, type TestCluster, testClusterWithFlux } from "../../support/cluster.ts";

const configMap = (name: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: reconciled}
data: {from: git}
`;
const files = {
  "clusters/test/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: reconciled}\n",
  "clusters/test/config.yaml": configMap("config"),
};

// What a process was started with is read where Linux shows it.
const onLinux = globalThis.process.platform === "linux" ? it : it.skip;

describe("Flux in the rehearsal's cluster", () => {
  let all: TestCluster;
  let revision: string;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    all = await testClusterWithFlux();
    await all.gitHub.createRepository("acme", "flux-test", { files });
    const token = all.gitHub.addToken({ repositories: { "acme/flux-test": "read" } });
    await all.cluster.api.apply(`${core}/secrets/flux-test`, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "flux-test" },
      stringData: { username: "git", password: token },
    });
    await all.cluster.api.apply(`${sources}/gitrepositories/flux-test`, {
      apiVersion: "source.toolkit.fluxcd.io/v1",
      kind: "GitRepository",
      metadata: { name: "flux-test" },
      spec: {
        url: "https://github.com/acme/flux-test.git",
        interval: "10m",
        ref: { branch: "main" },
        secretRef: { name: "flux-test" },
      },
    });
  });

  const core = "/api/v1/namespaces/flux-system";
  const apps = "/apis/apps/v1/namespaces/flux-system/deployments";
  const sources = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system";
  const kustomizations = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";

  const kustomization = (name: string, spec: object = {}) =>
    all.cluster.api.apply(`${kustomizations}/${name}`, {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name },
      spec: {
        interval: "10m",
        retryInterval: "2s",
        prune: true,
        path: "./clusters/test",
        sourceRef: { kind: "GitRepository", name: "flux-test" },
        ...spec,
      },
    });

  /** The Ready condition of an object, once it is what is waited for. */
  const ready = (path: string, status: "True" | "False") =>
    eventually(async () => {
      const found = (await all.cluster.api.get(path)) as KubeObject;
      const conditions: { type: string; status: string; message: string }[] = found.status?.conditions ?? [];
      return conditions.find((each) => each.type === "Ready" && each.status === status);
    });

  const process = (name: string) =>
    eventually(async () => {
      const pid = all.cluster.processes.get(name);
      // A process may end while it is looked at; then the next one is.
      return pid === undefined ? undefined : await running(pid).catch(() => undefined);
    });
  const running = async (pid: number) => {
    const [args, env] = await Promise.all(
      ["cmdline", "environ"].map(async (file) => (await readFile(`/proc/${pid}/${file}`, "utf8")).split("\0")),
    );
    return { pid, args: args ?? [], env: Object.fromEntries((env ?? []).map((line) => line.split(/=(.*)/s))) };
  };

  onLinux("passes the flux CLI's own check", async () => {
    // The CLI writes its checks to standard error; a check that fails makes it fail.
    await all.runFlux("check");
    for (const name of ["source", "kustomize", "helm", "notification"]) await process(`${name}-controller`);
  });

  it("fetches from the simulated GitHub and applies what is there", async () => {
    const { message } = await ready(`${sources}/gitrepositories/flux-test`, "True");
    [revision = ""] = /main@sha1:[0-9a-f]{40}/.exec(message) ?? [];
    await kustomization("flux-test");
    assert.equal((await ready(`${kustomizations}/flux-test`, "True")).message, `Applied revision: ${revision}`);
    const { data } = await all.cluster.api.get("/api/v1/namespaces/reconciled/configmaps/config");
    assert.deepEqual(data, { from: "git" });
    assert.match(await all.runFlux("get", "kustomizations", "flux-test"), /\tTrue\s*\t/);
  });

  describe("as a GitHub App", () => {
    /** What the product tells Flux of an App, as a Secret and a source of another name. */
    const readAs = async (name: string, url: string, app: RegisteredApp, installation: string) => {
      const githubApp = { id: app.id, installation, privateKey: app.privateKey };
      // No token of anybody's is looked for.
      const nowhere = {} as KubernetesApi;
      const { secret } = await chosenSignIn({}, nowhere, { url, provider: "github", githubApp });
      const { data } = secret as unknown as { data: object };
      await all.cluster.api.apply(`${core}/secrets/${name}`, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name },
        data,
      });
      const [source] = syncObjects({ url, branch: "main", path: "clusters/test", provider: "github" });
      const spec = { ...(source?.spec as object), secretRef: { name } };
      await all.cluster.api.apply(`${sources}/gitrepositories/${name}`, { ...source, metadata: { name }, spec });
    };
    const register = (owner: string, repositories: Record<string, "read">) =>
      all.gitHub.addApp({ name: "flux-reader", owner, repositories });

    it("reads by the installation of the repository's owner, and by one that is named on an Enterprise server", async () => {
      const app = register("acme", { "acme/flux-test": "read" });
      await readAs("as-app", "https://github.com/acme/flux-test.git", app, "acme");
      assert.match((await ready(`${sources}/gitrepositories/as-app`, "True")).message, /main@sha1:/);
      all.door.route("github.acme.example", all.gitHub.enterprise);
      await readAs("on-server", "https://github.acme.example/acme/flux-test", app, app.installationId);
      assert.match((await ready(`${sources}/gitrepositories/on-server`, "True")).message, /main@sha1:/);
    });

    it("is told what helps where the App is not installed, or its key is another one's", async () => {
      const app = register("nobody", {});
      const wrong = { ...register("acme", { "acme/flux-test": "read" }), privateKey: app.privateKey };
      const url = "https://github.com/acme/flux-test";
      await readAs("not-installed", url, app, "acme");
      await readAs("wrong-key", url, wrong, "acme");
      for (const name of ["not-installed", "wrong-key"]) {
        await ready(`${sources}/gitrepositories/${name}`, "False");
        const source = (await all.cluster.api.get(`${sources}/gitrepositories/${name}`)) as unknown as Found;
        assert.match(
          unsettledIn(() => source, [])[0]?.problem ?? "",
          /; install the GitHub App on the repository with the right Contents: read/,
        );
      }
    });
  });

  onLinux("brings the controllers' events to the notification controller", async () => {
    const { args } = await process("notification-controller");
    const address = args.find((arg) => arg.startsWith("--metrics-addr="))?.split("=")[1];
    await eventually(async () => {
      const text = await (await fetch(`http://${address}/metrics`)).text();
      return /^gotk_event_http_request_duration_seconds_count\{code="202".*\} [1-9]/m.test(text) || undefined;
    });
  });

  it("gives each controller the rights of its own service account, and of the one it impersonates", async () => {
    await all.cluster.api.apply(`${core}/serviceaccounts/powerless`, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "powerless" },
    });
    await kustomization("powerless", { serviceAccountName: "powerless" });
    const { message } = await ready(`${kustomizations}/powerless`, "False");
    assert.match(message, /User "system:serviceaccount:flux-system:powerless" cannot patch resource "namespaces"/);
    await all.cluster.api.send("DELETE", `${kustomizations}/powerless`);
  });

  onLinux("restarts a controller whose Deployment changes, with the new arguments and identity", async () => {
    const before = await process("kustomize-controller");
    assert.equal(before.env.AZURE_CLIENT_ID, undefined);
    await all.cluster.api.send(
      "PATCH",
      `${core}/serviceaccounts/kustomize-controller`,
      { metadata: { annotations: { "azure.workload.identity/client-id": "11111111-2222-3333-4444-555555555555" } } },
      "application/merge-patch+json",
    );
    const args = (await all.cluster.api.get(`${apps}/kustomize-controller`)).spec.template.spec.containers[0].args;
    const patch = [
      {
        op: "replace",
        path: "/spec/template/spec/containers/0/args",
        value: [...args, "--no-cross-namespace-refs=true"],
      },
      { op: "add", path: "/spec/template/metadata/labels/azure.workload.identity~1use", value: "true" },
    ];
    await all.cluster.api.send("PATCH", `${apps}/kustomize-controller`, patch, "application/json-patch+json");
    const after = await eventually(async () => {
      const now = await process("kustomize-controller");
      return now.args.includes("--no-cross-namespace-refs=true") && now.env.AZURE_CLIENT_ID ? now : undefined;
    });
    assert.notEqual(after.pid, before.pid);
    assert.equal(after.env.AZURE_CLIENT_ID, "11111111-2222-3333-4444-555555555555");
    assert.equal(after.env.AZURE_AUTHORITY_HOST, "https://login.microsoftonline.com/");
    const { iss, sub, aud } =
      parseJwt(await readFile(after.env.AZURE_FEDERATED_TOKEN_FILE ?? "", "utf8"))?.claims ?? {};
    assert.deepEqual(
      [iss, sub, aud],
      [all.issuer, "system:serviceaccount:flux-system:kustomize-controller", ["api://AzureADTokenExchange"]],
    );
    // Its source lies in another namespace, which the new argument forbids.
    await all.cluster.api.apply("/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/default/kustomizations/other", {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: "other" },
      spec: {
        interval: "10m",
        prune: true,
        path: "./clusters/test",
        sourceRef: { kind: "GitRepository", name: "flux-test", namespace: "flux-system" },
      },
    });
    const { message } = await ready(
      "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/default/kustomizations/other",
      "False",
    );
    assert.match(message, /cross-namespace references have been blocked/);
  });

  onLinux("restarts a controller with a new pod, and gives it an identity no sooner", async () => {
    const before = await process("notification-controller");
    await all.cluster.api.send(
      "PATCH",
      `${core}/serviceaccounts/notification-controller`,
      { metadata: { annotations: { "azure.workload.identity/tenant-id": "other" } } },
      "application/merge-patch+json",
    );
    const restart = (annotations: object, labels: object) =>
      all.cluster.api.send(
        "PATCH",
        `${apps}/notification-controller`,
        { spec: { template: { metadata: { annotations, labels } } } },
        "application/merge-patch+json",
      );
    const another = (pid: number) =>
      eventually(async () => {
        const now = await process("notification-controller");
        return now.pid === pid ? undefined : now;
      });
    await restart({}, { "azure.workload.identity/use": "true" });
    const labelled = await another(before.pid);
    assert.equal(labelled.env.AZURE_TENANT_ID, "other");
    await restart({ "kubectl.kubernetes.io/restartedAt": "now" }, {});
    await another(labelled.pid);
  });

  onLinux("starts a controller again that ended by itself, and none whose Deployment has no pods", async () => {
    const before = await process("helm-controller");
    globalThis.process.kill(before.pid, "SIGKILL");
    const after = await eventually(async () => {
      const pid = all.cluster.processes.get("helm-controller");
      return pid !== undefined && pid !== before.pid ? pid : undefined;
    });
    assert.ok(after > 0);
    assert.match(
      all.lines.join("\n"),
      /^helm-controller ended \(signal SIGKILL\)\. [\s\S]*^helm-controller starts again in 1 s$/m,
    );
    const scale = (replicas: number) =>
      all.cluster.api.send("PATCH", `${apps}/helm-controller`, { spec: { replicas } }, "application/merge-patch+json");
    await scale(0);
    await eventually(async () => (all.cluster.processes.has("helm-controller") ? undefined : true));
    await scale(1);
    await process("helm-controller");
  });
});
