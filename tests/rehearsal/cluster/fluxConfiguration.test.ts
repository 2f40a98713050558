import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { APPLIER, extensionObjects } from "../../../rehearsal/cluster/extensionManifests.ts";
import { belonging, complianceOf, statusesOf, verdictOf } from "../../../rehearsal/cluster/fluxCompliance.ts";
import { configurationObjects, type FluxConfiguration } from "../../../rehearsal/cluster/fluxConfiguration.ts";
import type { FluxObject } from "../../../rehearsal/cluster/fluxState.ts";
import type { Verdict } from "../../../rehearsal/cluster/fluxWatch.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const kustomization = {
  ...{ path: "clusters/prod", dependsOn: [], timeoutInSeconds: 600, syncIntervalInSeconds: 300 },
  ...{ prune: true, force: false, wait: true },
};
const properties = (more: Partial<FluxConfiguration> = {}): FluxConfiguration => ({
  ...{ scope: "cluster", namespace: "flux-system", sourceKind: "GitRepository", suspend: false },
  gitRepository: {
    url: "ssh://git@github.com/acme/fleet",
    repositoryRef: { branch: "main" },
    syncIntervalInSeconds: 60,
    timeoutInSeconds: 600,
    sshKnownHosts: base64("github.com key"),
  },
  kustomizations: {
    infrastructure: kustomization,
    apps: { ...kustomization, path: "", dependsOn: ["infrastructure"] },
  },
  waitForReconciliation: true,
  ...more,
});

describe("the objects of a fluxConfiguration", () => {
  it("are a source, what it signs in with, and Kustomizations named after the configuration", () => {
    const identity = base64("a private key");
    const { secret, source, kustomizations } = configurationObjects("fleet", properties(), { sshPrivateKey: identity });
    const namespace = "flux-system";
    assert.deepEqual(secret, {
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "fleet-auth", namespace } },
      data: { identity, known_hosts: base64("github.com key") },
    });
    assert.deepEqual([source.kind, source.metadata], ["GitRepository", { name: "fleet", namespace }]);
    assert.deepEqual(source.spec, {
      ...{ url: "ssh://git@github.com/acme/fleet", ref: { branch: "main" }, interval: "60s", timeout: "600s" },
      ...{ suspend: false, secretRef: { name: "fleet-auth" } },
    });
    const shared = {
      ...{ interval: "300s", timeout: "600s", prune: true, force: false, wait: true, suspend: false },
      sourceRef: { kind: "GitRepository", name: "fleet", namespace },
    };
    assert.deepEqual(
      kustomizations.map(({ metadata, spec }) => [metadata.name, spec]),
      [
        ["fleet-infrastructure", { ...shared, path: "clusters/prod", dependsOn: [] }],
        ["fleet-apps", { ...shared, path: "./", dependsOn: [{ name: "fleet-infrastructure", namespace }] }],
      ],
    );
  });

  it("hold user and token of a repository over HTTPS, and nothing for one that anybody may read", () => {
    const { sshKnownHosts: _, ...git } = properties().gitRepository;
    const open = configurationObjects("fleet", properties({ gitRepository: git }), {});
    assert.deepEqual([open.secret, open.source.spec.secretRef], [undefined, undefined]);
    const withUser = properties({ gitRepository: { ...git, httpsUser: "git" } });
    const { secret } = configurationObjects("fleet", withUser, { httpsKey: base64("token") });
    assert.deepEqual(secret?.data, { username: base64("git"), password: base64("token") });
    const local = configurationObjects("fleet", properties({ gitRepository: { ...git, localAuthRef: "mine" } }), {});
    assert.deepEqual([local.secret, local.source.spec.secretRef], [undefined, { name: "mine" }]);
  });

  it("give the applier all rights in the cluster, or an administrator's in its namespace alone", () => {
    const bindings = (scope: "cluster" | "namespace") =>
      configurationObjects("fleet", properties({ scope, namespace: "team" }), {}).surroundings.map(
        ({ kind, metadata, roleRef, subjects }) => [kind, metadata, roleRef?.name, subjects?.[0].name],
      );
    const others = [
      ["Namespace", { name: "team" }, undefined, undefined],
      ["ServiceAccount", { name: APPLIER, namespace: "team" }, undefined, undefined],
    ];
    const wide = { name: "flux-applier-binding-team" };
    const narrow = { name: "flux-applier-binding", namespace: "team" };
    assert.deepEqual(bindings("cluster"), [...others, ["ClusterRoleBinding", wide, "cluster-admin", APPLIER]]);
    assert.deepEqual(bindings("namespace"), [...others, ["RoleBinding", narrow, "admin", APPLIER]]);
  });

  it("are refused for a kind of source that is not played", () => {
    assert.throws(
      () => configurationObjects("fleet", properties({ sourceKind: "Bucket" }), {}),
      /^Error: sourceKind Bucket: the rehearsal's agent knows GitRepository alone$/,
    );
  });
});

describe("the objects of the extension", () => {
  const controller = (name: string) => `---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: ${name}, labels: {app.kubernetes.io/component: ${name}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, labels: {app.kubernetes.io/component: ${name}}}
spec: {template: {metadata: {}, spec: {containers: [{name: manager, image: registry.invalid/fluxcd/${name}:v1, args: [--log-level=info]}]}}}
`;
  const names = ["source-controller", "kustomize-controller", "helm-controller", "notification-controller"];
  const manifests = names.map(controller).join("");
  const deployments = (settings: Record<string, string>) =>
    extensionObjects(manifests, settings).filter(({ kind }) => kind === "Deployment");
  const argsOf = ({ spec }: KubeObject): string[] => spec.template.spec.containers[0].args;

  it("keep tenants apart unless that is turned off", () => {
    const log = "--log-level=info";
    const own = `--default-service-account=${APPLIER}`;
    const apart = "--no-cross-namespace-refs=true";
    const kustomize = [log, apart, "--no-remote-bases=true", own];
    for (const settings of [{}, { "multiTenancy.enforce": "True" }])
      assert.deepEqual(deployments(settings).map(argsOf), [[log], kustomize, [log, apart, own], [log, apart]]);
    assert.deepEqual(deployments({ "multiTenancy.enforce": "false" }).map(argsOf), Array(4).fill([log]));
  });

  it("take images from Microsoft, flags and resources from settings, and leave out what is turned off", () => {
    const [source, ...others] = deployments({
      "source-controller.log-level": "debug",
      "source-controller.resources.limits.memory": "2Gi",
      "notification-controller.enabled": "false",
    });
    assert.deepEqual(source?.spec.template.spec.containers, [
      {
        ...{ name: "manager", image: "mcr.microsoft.com/oss/v2/fluxcd/source-controller:v1" },
        ...{ args: ["--log-level=debug"], resources: { limits: { memory: "2Gi" } } },
      },
    ]);
    assert.deepEqual(
      others.map(({ metadata }) => metadata.name),
      ["kustomize-controller", "helm-controller"],
    );
  });

  it("give those controllers an identity that ask Azure for something", () => {
    const settings = { "workloadIdentity.enable": "true", "workloadIdentity.azureClientId": "client" };
    const objects = extensionObjects(manifests, settings);
    const accounts = objects.filter(({ kind }) => kind === "ServiceAccount");
    const annotations = { "azure.workload.identity/client-id": "client" };
    assert.deepEqual(
      accounts.map(({ metadata }) => metadata.annotations),
      [annotations, annotations, undefined, undefined],
    );
    const labels = deployments(settings).map(({ spec }) => spec.template.metadata.labels);
    const use = { "azure.workload.identity/use": "true" };
    assert.deepEqual(labels, [use, use, undefined, undefined]);
  });

  it("are refused by the name of a setting that cannot be followed", () => {
    for (const [name, value] of [
      ["useKubeletIdentity", "true"],
      ["helm-controller.detectDrift", "true"],
      ["source-controller.ssh-host-key-args", "--ssh-hostkey-algos=rsa-sha2-512"],
    ] as const) {
      assert.throws(() => extensionObjects(manifests, { [name]: value }), {
        message: `${name}: the rehearsal's agent does not know how to follow this setting`,
      });
      assert.equal(extensionObjects(manifests, { [name]: "false" }).length, 8);
    }
    assert.throws(
      () => extensionObjects(manifests, { "image-automation-controller.enabled": "true" }),
      /^Error: image-automation-controller\.enabled: the rehearsal's cluster has no image-automation-controller; /,
    );
    assert.equal(extensionObjects(manifests, { "image-automation-controller.enabled": "false" }).length, 8);
  });
});

describe("the compliance of a fluxConfiguration", () => {
  const namespace = "flux-system";
  const objects = configurationObjects("fleet", properties(), {});
  const blank: Omit<FluxObject, "kind" | "name"> = {
    ...{ apiVersion: "v1", generation: 1, namespace, ready: true, reason: "", message: "", revision: "" },
    ...{
      suspended: false,
      needs: [],
      appliedBy: undefined,
      handled: "",
      isAsked: false,
      attempted: "",
      conditions: [],
      inventory: [],
    },
    spec: { prune: true },
  };
  const flux = (kind: string, name: string, more: Partial<FluxObject> = {}): FluxObject => ({
    ...{ ...blank, kind, name },
    ...more,
  });
  const roots = [
    flux("GitRepository", "fleet"),
    flux("Kustomization", "fleet-infrastructure"),
    flux("Kustomization", "fleet-apps"),
  ];
  const child = flux("Kustomization", "team", { appliedBy: { name: "fleet-apps", namespace } });
  const grandchild = flux("HelmRelease", "kured", { ready: undefined, appliedBy: { name: "team", namespace } });
  const foreign = flux("Kustomization", "foreign", { ready: false });
  const verdict = (state: Verdict["state"], all: FluxObject[], failed: FluxObject[] = []) =>
    verdictOf(objects, { state, objects: all, failed });
  const compliance = (...given: Parameters<typeof verdict>) => complianceOf(objects, verdict(...given));

  it("follows its own objects and what these applied, whatever others in the cluster do", () => {
    assert.equal(compliance("failed", [...roots, foreign], [foreign]), "Compliant");
    assert.equal(compliance("waiting", [...roots, child, grandchild]), "Pending");
    assert.equal(compliance("waiting", roots.slice(1)), "Pending");
    const failed = { ...grandchild, ready: false };
    assert.equal(compliance("waiting", [...roots, child, failed], [failed]), "Non-Compliant");
    const { state, failed: own } = verdict("failed", [...roots, child, failed, foreign], [failed, foreign]);
    assert.deepEqual([state, own], ["failed", [failed]]);
    assert.equal(verdict("failed", [...roots, child, grandchild, foreign], [foreign]).state, "waiting");
  });

  it("is Suspended where it is, and waits for nothing then", () => {
    const suspended = configurationObjects("fleet", properties({ suspend: true }), {});
    const { state, ...rest } = verdictOf(suspended, { state: "waiting", objects: [], failed: [] });
    assert.deepEqual([state, complianceOf(suspended, { state, ...rest })], ["ready", "Suspended"]);
  });

  it("waits for nothing that people suspended in the cluster, and tells of it", () => {
    const [source, infrastructure, apps] = roots as [FluxObject, FluxObject, FluxObject];
    const held = { ...apps, suspended: true, ready: undefined };
    const below = { ...child, suspended: true };
    const theirs = { ...foreign, suspended: true };
    const objects_ = { objects: [source, infrastructure], suspended: [held, below, theirs] };
    const { state, suspended = [], ...rest } = verdictOf(objects, { state: "waiting", ...objects_, failed: [] });
    assert.equal(state, "ready");
    assert.equal(complianceOf(objects, { state, ...rest }), "Compliant");
    assert.deepEqual(
      statusesOf(suspended).map((status) => Object.values(status).slice(0, 4)),
      [
        ["fleet-apps", namespace, "Kustomization", "Suspended"],
        ["team", namespace, "Kustomization", "Suspended"],
      ],
    );
  });

  it("ends with what a Kustomization keeps when it goes", () => {
    const keeping = roots.map((root) => (root.name === "fleet-apps" ? { ...root, spec: { prune: false } } : root));
    const names = (all: FluxObject[]) =>
      belonging(objects, all, ({ spec }) => spec.prune === true).map(({ name }) => name);
    assert.deepEqual(names([...roots, child, grandchild, foreign]).slice(3), ["team", "kured"]);
    assert.deepEqual(names([...keeping, child, grandchild]).slice(3), []);
  });

  it("is told for each object with its conditions and who applied it", () => {
    const condition = {
      ...{ type: "Ready", status: "False", reason: "BuildFailed", message: "no path", lastTransitionTime: "now" },
    };
    assert.deepEqual(statusesOf([{ ...child, ready: false, conditions: [condition] }]), [
      {
        ...{ name: "team", namespace, kind: "Kustomization", complianceState: "Non-Compliant" },
        ...{ appliedBy: { name: "fleet-apps", namespace }, statusConditions: [condition] },
      },
    ]);
    assert.deepEqual(statusesOf([flux("GitRepository", "fleet", { ready: undefined })]), [
      { name: "fleet", namespace, kind: "GitRepository", complianceState: "Pending", statusConditions: [] },
    ]);
  });
});
