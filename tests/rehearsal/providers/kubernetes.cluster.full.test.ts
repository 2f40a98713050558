import { strict as assert } from "node:assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { installProviders } from "../../../rehearsal/providers/install.ts";
import { CLUSTER_TIMEOUT, type TestCluster, testCluster } from "../../support/cluster.ts";
import { type EngineEnvironment, engineEnvironment, runPulumi, succeed, writeProject } from "../../support/engine.ts";
import { secretsIn } from "../../support/secrets.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { RandomId } from "@pulumi/random/randomId.js";

const { KUBECONFIG_TEXT, TEAM, PASSWORD, MUTABLE, FORCE } = process.env;
// As of a cluster that is yet to be made.
const start = new RandomId("start", { byteLength: 4 });
const kubeconfig = start.hex.apply(() => KUBECONFIG_TEXT!);
const provider = new Provider("cluster", { kubeconfig, enableServerSideApply: true, enableSecretMutable: MUTABLE === "true" });
const annotations = FORCE ? { "pulumi.com/patchForce": "true" } : undefined;
const space = new Namespace("space", { metadata: { annotations, labels: { team: TEAM! } } }, { provider });
const namespace = space.metadata.name;
const stringData = { username: "puller", password: pulumi.secret(PASSWORD!) };
const pull = new Secret("pull", { metadata: { name: "pull", namespace }, stringData }, { provider, customTimeouts: { delete: "2s" } });
export const ids = [space.id, pull.id];
`;

interface Step {
  readonly op: string;
  readonly urn: string;
  readonly detailedDiff?: Readonly<Record<string, { kind: string }>>;
}

interface Saved {
  readonly urn: string;
  readonly inputs: Record<string, unknown>;
  readonly outputs: Record<string, unknown>;
}

describe("the stand-in for kubernetes", () => {
  let all: TestCluster;
  let engine: EngineEnvironment;
  let project: string;
  /** The namespace's name, once it is there. */
  let space: string;
  /** What the program reads. */
  const settings: Record<string, string> = { TEAM: "a", PASSWORD: "a first password" };
  const env = (as = all.admin) => {
    const { PATH, ...others } = all.environment(as);
    return { ...engine.env, ...others, ...settings, PATH: `${engine.env.PATH}:${PATH}` };
  };
  const pulumi = (...args: string[]) => succeed(project, args, env());
  const up = () => pulumi("up", "--yes", "--skip-preview");
  const failing = async (args: readonly string[], as = all.admin) => {
    const { code, stdout, stderr } = await runPulumi(project, args, env(as));
    assert.notEqual(code, 0, stdout);
    return stdout + stderr;
  };
  /** What a preview would do: logical name, operation, changed paths. */
  const changes = async (...flags: string[]) => {
    const { steps } = JSON.parse(await pulumi("preview", "--json", ...flags)) as { steps: Step[] };
    const changed = steps.filter(({ op }) => op !== "same" && op !== "refresh");
    return changed.map(({ urn, op, detailedDiff }) => {
      const paths = Object.entries(detailedDiff ?? {}).map(([path, { kind }]) => [path, kind]);
      return [urn.split("::").at(-1), op, Object.fromEntries(paths)];
    });
  };
  const saved = async (name: string): Promise<Saved> => {
    const state = JSON.parse(await pulumi("stack", "export")) as { deployment: { resources: Saved[] } };
    const found = state.deployment.resources.find(({ urn }) => urn.endsWith(`::${name}`));
    assert.ok(found);
    return found;
  };
  const theNamespace = () => all.cluster.api.get(`/api/v1/namespaces/${space}`);
  const theSecret = () => all.cluster.api.get(`/api/v1/namespaces/${space}/secrets/pull`);
  const managers = ({ metadata }: KubeObject) => {
    const { managedFields } = metadata as unknown as { managedFields: { manager: string; operation: string }[] };
    return managedFields.map(({ manager, operation }) => `${manager} ${operation}`);
  };
  /** Somebody else's server-side apply. */
  const labelled = (manager: string, team: string) =>
    all.cluster.api.send(
      "PATCH",
      `/api/v1/namespaces/${space}?fieldManager=${manager}&force=true`,
      { apiVersion: "v1", kind: "Namespace", metadata: { labels: { team } } },
      "application/apply-patch+yaml",
    );

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    [all, engine] = await Promise.all([testCluster(), engineEnvironment()]);
    await installProviders(engine.env.PULUMI_HOME ?? "");
    project = await writeProject(engine.directory, "objects", { "index.ts": PROGRAM }, {});
    // As AKS hands it out: by the cluster's own name, with kubelogin, without credentials.
    const kubeconfig = await readFile(all.cluster.userKubeconfig, "utf8");
    await pulumi("stack", "init", "test");
    settings.KUBECONFIG_TEXT = kubeconfig.replace(all.cluster.endpoint, `https://${all.fqdn}:443`);
  });
  after(() => engine.close());

  it("previews what comes into a cluster whose kubeconfig is not known yet", async () => {
    const planned = (await changes()).map(([name, op]) => `${op} ${name}`);
    assert.deepEqual(planned.sort(), [
      "create cluster",
      "create objects-test",
      "create pull",
      "create space",
      "create start",
    ]);
  });

  it("creates objects as the official provider does: under a name it draws, and without a label of its own", async () => {
    await up();
    const [id = "", secretId] = JSON.parse(await pulumi("stack", "output", "ids")) as string[];
    space = id;
    assert.match(space, /^space-[0-9a-f]{8}$/);
    assert.equal(secretId, `${space}/pull`);
    const { metadata } = await theNamespace();
    assert.deepEqual(metadata.annotations, { "pulumi.com/autonamed": "true" });
    assert.deepEqual(metadata.labels, { team: "a", "kubernetes.io/metadata.name": space });
    const secret = await theSecret();
    assert.deepEqual(managers(secret), ["pulumi-kubernetes Update"]);
    assert.equal(secret.metadata.labels, undefined);
    assert.deepEqual(secret.data, { username: base64("puller"), password: base64("a first password") });
    const { outputs } = await saved("pull");
    assert.match(String(outputs.__fieldManager), /^pulumi-kubernetes-[0-9a-f]{8}$/);
  });

  it("finds nothing to do afterwards, and keeps a Secret's values encrypted in the state", async () => {
    await pulumi("refresh", "--yes", "--expect-no-changes");
    await pulumi("preview", "--expect-no-changes");
    const values = ["a first password", base64("a first password"), base64("puller")];
    const [state, shown] = [await pulumi("stack", "export"), await pulumi("stack", "export", "--show-secrets")];
    const secrets = secretsIn(JSON.parse(shown));
    const open = values.filter((value) => state.includes(value) || !secrets.includes(value));
    assert.deepEqual(open, []);
  });

  it("updates in place by server-side apply, as a field manager of the resource's own", async () => {
    const { uid } = (await theNamespace()).metadata;
    settings.TEAM = "b";
    assert.deepEqual(await changes(), [["space", "update", { "metadata.labels.team": "update" }]]);
    await up();
    const { metadata, ...rest } = await theNamespace();
    assert.deepEqual([metadata.uid, metadata.labels?.team], [uid, "b"]);
    const { outputs } = await saved("space");
    assert.deepEqual(managers({ metadata, ...rest }), [`${outputs.__fieldManager} Apply`]);
  });

  it("replaces a Secret whose values change, and changes it in place where the provider is told that it may", async () => {
    const { uid } = (await theSecret()).metadata;
    settings.PASSWORD = "a second password";
    const [change] = await changes();
    assert.deepEqual(change, ["pull", "replace", { "stringData.password": "update-replace" }]);
    await up();
    const replaced = await theSecret();
    assert.notEqual(replaced.metadata.uid, uid);
    assert.equal(replaced.data.password, base64("a second password"));
    settings.MUTABLE = "true";
    settings.PASSWORD = "a third password";
    await up();
    const updated = await theSecret();
    assert.equal(updated.metadata.uid, replaced.metadata.uid);
    assert.deepEqual(updated.data, { username: base64("puller"), password: base64("a third password") });
  });

  it("does not take a field from another manager unless it is told to", async () => {
    await labelled("another", "theirs");
    settings.TEAM = "c";
    const said = await failing(["up", "--yes", "--skip-preview"]);
    assert.match(said, /failed to fully initialize or become live: Server-Side Apply field conflict detected/);
    assert.match(said, /Apply failed with 1 conflict: conflict with "another": \.metadata\.labels\.team/);
    assert.equal((await theNamespace()).metadata.labels?.team, "theirs");
    settings.FORCE = "true";
    await up();
    assert.equal((await theNamespace()).metadata.labels?.team, "c");
    settings.FORCE = "";
    await up();
  });

  it("shows drift in a refresh and puts it right in an update", async () => {
    await all.cluster.api.send(
      "PATCH",
      `/api/v1/namespaces/${space}/secrets/pull`,
      { data: { username: base64("somebody"), more: base64("others'") } },
      "application/merge-patch+json",
    );
    assert.deepEqual(await changes("--refresh"), [["pull", "update", { "stringData.username": "update" }]]);
    await pulumi("up", "--yes", "--skip-preview", "--refresh");
    const { data } = await theSecret();
    assert.deepEqual(data, {
      username: base64("puller"),
      password: base64("a third password"),
      more: base64("others'"),
    });
  });

  it("does not take what is there for its own, and reads its inputs in an import", async () => {
    await all.cluster.api.send("DELETE", `/api/v1/namespaces/${space}/secrets/pull`);
    await pulumi("refresh", "--yes");
    await all.cluster.api.create(`/api/v1/namespaces/${space}/secrets`, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "pull", labels: { a: "b" } },
      data: { username: base64("puller"), password: base64("found") },
    });
    const said = await failing(["up", "--yes", "--skip-preview"]);
    assert.match(said, /secrets "pull" already exists.* `pulumi import` to adopt it/);
    const provider = (await saved("cluster")).urn;
    const flags = ["--yes", "--protect=false", "--generate-code=false", `--provider=default=${provider}`];
    await pulumi("import", "kubernetes:core/v1:Secret", "pull", `${space}/pull`, ...flags);
    const { inputs } = await saved("pull");
    assert.deepEqual(inputs.metadata, { name: "pull", namespace: space, labels: { a: "b" } });
    assert.equal(JSON.stringify(await saved("pull")).includes(base64("found")), false);
  });

  it("has the rights of whom kubelogin signs in, and says in the API server's words what these do not reach", async () => {
    const said = await failing(["refresh", "--yes"], all.viewer);
    assert.match(said, new RegExp(`secrets "pull" is forbidden: User "${all.viewer.objectId}" cannot get`));
    const wrong = await failing(["refresh", "--yes"], { ...all.admin, clientSecret: "wrong" });
    assert.match(wrong, /getting credentials: exec: executable kubelogin failed: .*AADSTS7000215/);
    assert.equal(wrong.includes("does this machine reach it"), false);
  });

  it("refuses fields and kinds that the API server or it does not know", async () => {
    const main = join(project, "index.ts");
    const custom = (type: string, args: string) =>
      `new pulumi.CustomResource("${type}", "odd", ${args}, { provider });`;
    const odd = [
      custom("kubernetes:core/v1:Secret", `{ metadata: { name: "odd", namespace: "default" }, stringdata: {} }`),
      custom("kubernetes:core/v1:SecretPatch", "{}"),
      custom("kubernetes:helm.sh/v3:Release", "{}"),
    ];
    const words = [
      /strict decoding error: unknown field "stringdata"/,
      /kubernetes:core\/v1:SecretPatch: the stand-in for kubernetes knows whole objects alone: no lists, no patches/,
      /kubernetes:helm\.sh\/v3:Release: the stand-in for kubernetes knows objects of the API server alone/,
    ];
    for (const [at, line] of odd.entries()) {
      await writeFile(main, `${PROGRAM}\n${line}`);
      assert.match(await failing(["preview"]), words[at] ?? /^$/);
    }
    await writeFile(main, PROGRAM);
  });

  it("deletes, and waits until an object is gone", async () => {
    const finalizers = (list: string[] | null) =>
      all.cluster.api.send(
        "PATCH",
        `/api/v1/namespaces/${space}/secrets/pull`,
        { metadata: { finalizers: list } },
        "application/merge-patch+json",
      );
    await up();
    await finalizers(["example.com/hold"]);
    assert.match(await failing(["destroy", "--yes", "--skip-preview"]), /not done within its timeout of 2 s/);
    assert.ok((await theSecret()).metadata);
    await finalizers(null);
    await pulumi("destroy", "--yes", "--skip-preview");
    assert.equal((await all.cluster.api.raw("GET", `/api/v1/namespaces/${space}`)).status, 404);
  });
});

const base64 = (text: string) => Buffer.from(text).toString("base64");
