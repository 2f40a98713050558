import { strict as assert } from "node:assert";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { stringify } from "yaml";
import { UNKNOWN } from "../../../plugin/handler.ts";
import { apiServerOf } from "../../../rehearsal/providers/kubernetes/kubeconfig.ts";
import { managerOf, takenOver } from "../../../rehearsal/providers/kubernetes/managers.ts";
import { kubernetes } from "../../../rehearsal/providers/kubernetes/provider.ts";
import { objectDiff } from "../../../rehearsal/providers/kubernetes/replacement.ts";

interface Given {
  readonly cluster?: object;
  readonly user?: object;
  readonly namespace?: string;
}

const kubeconfig = ({ cluster, user, namespace }: Given = {}) =>
  stringify({
    clusters: [{ name: "c", cluster: { server: "https://api.example", ...cluster } }],
    users: [{ name: "u", user: user ?? { token: "t" } }],
    contexts: [{ name: "first", context: { cluster: "c", user: "u", namespace } }],
    "current-context": "first",
  });

describe("the kubeconfig of the stand-in for kubernetes", () => {
  let folder: string;
  /** An exec plugin that keeps what it was asked and gives a token of its own each time. */
  let plugin: string;
  const exec = (more: object = {}) => ({
    exec: { apiVersion: "client.authentication.k8s.io/v1beta1", command: plugin, args: ["get-token"], ...more },
  });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "aks-gitops-kubeconfig-"));
    plugin = join(folder, "plugin");
    const script = `#!/bin/sh
echo "$1 $KUBERNETES_EXEC_INFO $WHO" >> ${join(folder, "calls")}
printf '{"status":{"token":"token %s","expirationTimestamp":"%s"}}' "$(wc -l < ${join(folder, "calls")})" "$ENDS"
`;
    await writeFile(plugin, script);
    await chmod(plugin, 0o755);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("gives server, authority, token and namespace of the current context or a named one", async () => {
    const data = Buffer.from("PEM").toString("base64");
    const text = kubeconfig({ cluster: { "certificate-authority-data": data }, namespace: "apps" });
    const { endpoint, authority, token, namespace } = apiServerOf(text);
    assert.deepEqual([endpoint, authority, await token?.(), namespace], ["https://api.example", "PEM", "t", "apps"]);
    assert.equal(apiServerOf(kubeconfig(), "first").namespace, "default");
    assert.throws(
      () => apiServerOf(text, "other"),
      /^Error: the kubeconfig has no context other with cluster and user$/,
    );
  });

  it("asks an exec plugin for a token, and again only when that one is about to end", async () => {
    const ends = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    const env = (seconds: number) => [
      { name: "WHO", value: "somebody" },
      { name: "ENDS", value: ends(seconds) },
    ];
    const lasting = apiServerOf(kubeconfig({ user: exec({ env: env(3600) }) }));
    assert.deepEqual([await lasting.token?.(), await lasting.token?.()], ["token 1", "token 1"]);
    const ending = apiServerOf(kubeconfig({ user: exec({ env: env(30) }) }));
    assert.deepEqual([await ending.token?.(), await ending.token?.()], ["token 2", "token 3"]);
    const [first = ""] = (await readFile(join(folder, "calls"), "utf8")).split("\n");
    const info = {
      apiVersion: "client.authentication.k8s.io/v1beta1",
      kind: "ExecCredential",
      spec: { interactive: false },
    };
    assert.equal(first, `get-token ${JSON.stringify(info)} somebody`);
  });

  it("says which plugin is missing, with the hint of the kubeconfig, and why one failed", async () => {
    const missing = apiServerOf(kubeconfig({ user: exec({ command: "no-such-plugin", installHint: "install it" }) }));
    await assert.rejects(
      async () => missing.token?.(),
      /^Error: exec: executable no-such-plugin not found: install it$/,
    );
    const failing = apiServerOf(
      kubeconfig({ user: exec({ command: "sh", args: ["-c", "echo no right >&2; exit 3"] }) }),
    );
    await assert.rejects(
      async () => failing.token?.(),
      /^Error: getting credentials: exec: executable sh failed: no right$/,
    );
  });

  it("refuses forms that it does not know by their names, never by their values", () => {
    const refused: [Given, RegExp][] = [
      [
        { user: { "client-certificate-data": "c2VjcmV0", "client-key-data": "c2VjcmV0" } },
        /user u has client-certificate-data, client-key-data; the stand-in for kubernetes knows exec, token alone$/,
      ],
      [{ cluster: { "certificate-authority": "/ca.pem" } }, /cluster c has certificate-authority; /],
      [{ cluster: { "insecure-skip-tls-verify": true } }, /cluster c has insecure-skip-tls-verify; /],
      [{ user: exec({ provideClusterInfo: true }) }, /exec plugin .* has provideClusterInfo; /],
      [
        { user: exec({ apiVersion: "client.authentication.k8s.io/v1alpha1" }) },
        /apiVersion client\.authentication\.k8s\.io\/v1alpha1 is none of client/,
      ],
    ];
    for (const [given, words] of refused) assert.throws(() => apiServerOf(kubeconfig(given)), words);
    const neither = /^Error: the kubeconfig is neither a file that is there nor a kubeconfig's YAML$/;
    for (const text of ["/no/such/file", "token: [secret"]) assert.throws(() => apiServerOf(text), neither);
  });
});

describe("the settings of the stand-in for kubernetes", () => {
  const configure = async (config: object) => kubernetes.configure?.({ kubeconfig: kubeconfig(), ...config });

  it("are taken as the SDK sends them, and refused by name where it does not know them", async () => {
    await configure({ enableServerSideApply: "true", context: "first", namespace: "apps", version: "4.0.0" });
    await configure({ kubeconfig: UNKNOWN });
    await assert.rejects(configure({ enableServerSideApply: "false" }), /knows server-side apply alone: leave/);
    await assert.rejects(
      configure({ deleteUnreachable: "true", renderYamlToDirectory: "out" }),
      /^Error: the stand-in for kubernetes does not know the setting deleteUnreachable, renderYamlToDirectory$/,
    );
  });

  it("need a kubeconfig from somewhere", async () => {
    const { KUBECONFIG } = process.env;
    delete process.env.KUBECONFIG;
    try {
      await assert.rejects(configure({ kubeconfig: "" }), /needs a kubeconfig: give the provider one$/);
    } finally {
      if (KUBECONFIG !== undefined) process.env.KUBECONFIG = KUBECONFIG;
    }
  });
});

describe("what the stand-in for kubernetes replaces", () => {
  const object = (apiVersion: string, kind: string, more: object = {}, metadata: object = {}) => ({
    ...{ apiVersion, kind, metadata: { name: "x", namespace: "y", ...metadata } },
    ...more,
  });
  const replaced = (old: Record<string, unknown>, next: Record<string, unknown>, mutable: string[] = []) => {
    const { detailed = {}, deleteBeforeReplace } = objectDiff(old, next, new Set(mutable));
    const paths = Object.entries(detailed).filter(([, { kind }]) => kind.endsWith("-replace"));
    return [...paths.map(([path]) => path), deleteBeforeReplace];
  };

  it("is an object with another name or namespace, which comes before the old one goes", () => {
    const old = object("v1", "Namespace");
    assert.deepEqual(replaced(old, object("v1", "Namespace", {}, { name: "z" })), ["metadata.name", false]);
    assert.deepEqual(replaced(old, object("v1", "Namespace", {}, { namespace: UNKNOWN })), [
      "metadata.namespace",
      false,
    ]);
    assert.deepEqual(replaced(old, object("v1", "Namespace", {}, { labels: { a: "b" } })), [undefined]);
  });

  it("is a Secret or ConfigMap with other data, unless its provider may change it and it is not immutable", () => {
    const old = object("v1", "Secret", { stringData: { a: "1" } });
    const next = object("v1", "Secret", { stringData: { a: "2" } });
    assert.deepEqual(replaced(old, next), ["stringData.a", true]);
    assert.deepEqual(replaced(old, next, ["Secret"]), [undefined]);
    assert.deepEqual(replaced(old, { ...next, immutable: true }, ["Secret"]), ["stringData.a", true]);
    const map = (value: string) => object("v1", "ConfigMap", { data: { a: value } });
    assert.deepEqual(replaced(map("1"), map("2"), ["Secret"]), ["data.a", true]);
  });

  it("is what the API server would refuse to change: selectors, templates of Jobs, a binding's role", () => {
    const deployment = (app: string, replicas: number) =>
      object("apps/v1", "Deployment", { spec: { replicas, selector: { matchLabels: { app } } } });
    assert.deepEqual(replaced(deployment("a", 1), deployment("a", 2)), [undefined]);
    assert.deepEqual(replaced(deployment("a", 1), deployment("b", 2)), ["spec.selector.matchLabels.app", true]);
    const job = (image: string) =>
      object("batch/v1", "Job", { spec: { template: { spec: { containers: [{ image }] } } } });
    assert.deepEqual(replaced(job("a"), job("b")), ["spec.template.spec.containers[0].image", true]);
    const binding = (name: string) => object("rbac.authorization.k8s.io/v1", "RoleBinding", { roleRef: { name } });
    assert.deepEqual(replaced(binding("view"), binding("edit")), ["roleRef.name", true]);
  });

  it("comes beside the old one where the name was drawn", () => {
    const drawn = { annotations: { "pulumi.com/autonamed": "true" } };
    const map = (value: string) => object("v1", "ConfigMap", { data: { a: value } }, drawn);
    assert.deepEqual(replaced(map("1"), map("2")), ["data.a", false]);
  });
});

describe("the field managers of the stand-in for kubernetes", () => {
  const live = (...managedFields: object[]) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "x", managedFields },
  });

  it("are named by an annotation, else by the state, else anew", () => {
    const annotated = { metadata: { annotations: { "pulumi.com/patchFieldManager": "mine" } } };
    assert.equal(managerOf(annotated, { __fieldManager: "known" }), "mine");
    assert.equal(managerOf({}, { __fieldManager: "known" }), "known");
    assert.match(managerOf({}, undefined), /^pulumi-kubernetes-[0-9a-f]{8}$/);
  });

  it("take over what the provider itself and kubectl wrote, and nothing of others", () => {
    const other = { manager: "flux", operation: "Apply", fieldsV1: { "f:spec": {} } };
    const status = { manager: "kubectl", operation: "Update", subresource: "status", fieldsV1: { "f:status": {} } };
    const created = { manager: "pulumi-kubernetes", operation: "Update", fieldsV1: { "f:data": { "f:a": {} } } };
    const own = { manager: "me", operation: "Apply", fieldsV1: { "f:data": { "f:b": {} } } };
    assert.deepEqual(takenOver(live(other, status, created, own), "me"), [
      other,
      status,
      { manager: "me", operation: "Apply", fieldsV1: { "f:data": { "f:a": {}, "f:b": {} } } },
    ]);
    assert.equal(takenOver(live(other, own), "me"), undefined);
  });
});
