// Names that Flux, the program, Kubernetes or AKS have, and that settings may give to nothing else.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { ownedFiles } from "../../components/repository/files.ts";
import {
  appsFolder,
  clusterFolder,
  gitSecret,
  HELM_REPOSITORY,
  infrastructureFolder,
} from "../../components/repository/names.ts";
import { settingsOf as rehearsed } from "../../rehearsal/settings.ts";
import { examineSettings } from "../../settings/parse.ts";
import { readStackFile } from "../../settings/stackFile.ts";
import { checkout } from "../support/rehearsal.ts";
import { fault, faults, read, warnings } from "./faults.ts";
import { digest } from "./settingsOf.ts";

const charts = (...given: object[]) => ({
  "aks-gitops:charts": given.map((each) => ({
    ...{ name: "keda", repository: "https://a.b/c", version: "1.0.0", namespace: "keda" },
    ...each,
  })),
});
const secrets = (...given: object[]) => ({
  "aks-gitops:secrets": given.map((each) => ({ name: "a", namespace: "demo", generate: ["password"], ...each })),
});
const demo = { "aks-gitops:demo": { image: "ghcr.io/acme/demo:1" } };

const remedyOf = (config: Record<string, unknown>) => faults(config)[0]?.remedy ?? "";

describe("a name that is taken", () => {
  it("is no stack's: the folders that stacks share, and Flux's own", () => {
    assert.deepEqual(fault({}, { stack: "base" }), [
      "stack",
      "base",
      "is the name of folders that all stacks share: apps/base and infrastructure/base",
    ]);
    assert.deepEqual(fault({}, { stack: "flux-system" }), [
      "stack",
      "flux-system",
      "is the name of the folder that Flux keeps itself in: clusters/<stack>/flux-system",
    ]);
    for (const stack of ["bases", "base-eu", "constructor"]) assert.equal(read({}, { stack }).stack, stack);
  });

  it("is no secret's where Flux signs in to the repository with it, whoever brings Flux", () => {
    for (const mode of ["extension", "bootstrap"])
      for (const name of [gitSecret("bootstrap"), gitSecret("extension")]) {
        const flux = { "aks-gitops:flux": { repository: "https://github.com/acme/fleet", mode } };
        assert.deepEqual(fault({ ...flux, ...secrets({ name, namespace: "flux-system" }) }), [
          "aks-gitops:secrets[0].name",
          "[secret]",
          `is the name of the secret flux-system/${name}, with which Flux signs in to the repository`,
        ]);
      }
    assert.equal(remedyOf(secrets({ name: "flux-system", namespace: "flux-system" })), "choose another name");
  });

  it("is a secret's elsewhere, and a secret may stand beside Flux's own", () => {
    const free = [
      { name: "flux-system", namespace: "demo" },
      { name: "slack-url", namespace: "flux-system" },
      { name: "flux-helm-acr-credentials", namespace: "flux-system" },
    ];
    assert.equal(read(secrets(...free)).secrets.length, 3);
  });

  for (const namespace of ["kube-public", "kube-node-lease", "gatekeeper-system", "aks-command", "calico-system"])
    it(`is no namespace for charts and secrets: ${namespace}`, () => {
      const problem = namespace.startsWith("kube-")
        ? "belongs to Kubernetes itself"
        : "belongs to AKS, whose add-ons make it and keep it";
      assert.deepEqual(fault(charts({ namespace })), ["aks-gitops:charts[0].namespace", namespace, problem]);
      assert.deepEqual(fault(secrets({ namespace })), ["aks-gitops:secrets[0].namespace", "[secret]", problem]);
      assert.match(remedyOf(charts({ namespace })), /^choose a namespace of its own; the program makes /);
      assert.deepEqual(warnings({}), []);
    });

  it("is no chart's: Flux's and the HelmRepository's", () => {
    assert.deepEqual(fault(charts({ name: "flux-system" })), [
      "aks-gitops:charts[0].name",
      "flux-system",
      "is the name of Flux itself, and of its GitRepository flux-system/flux-system",
    ]);
    assert.deepEqual(fault(charts({ name: HELM_REPOSITORY })), [
      "aks-gitops:charts[0].name",
      "acr-private",
      "is the name of the HelmRepository flux-system/acr-private, which the program writes",
    ]);
  });

  it("is no chart's in the demo's namespace, where there is a demo", () => {
    const chart = charts({ name: "demo", namespace: "demo" });
    assert.deepEqual(fault({ ...chart, ...demo }), [
      "aks-gitops:charts[0].name",
      "demo",
      "is the name of the demo application, which is in namespace demo too",
    ]);
    assert.equal(read(chart).charts.length, 1);
    assert.equal(read({ ...demo, ...charts({ name: "demo" }, { name: "other", namespace: "demo" }) }).charts.length, 2);
  });

  it("is no secret's where the engine could not tell it from another's", () => {
    const key = "aks-gitops:secrets[1].name";
    const problem = (other: string) =>
      `cannot be told from secret ${other}: with their namespaces before them both are called the same`;
    assert.deepEqual(fault(secrets({ name: "b-c", namespace: "a" }, { name: "c", namespace: "a-b" })), [
      key,
      "[secret]",
      problem("a/b-c"),
    ]);
    const values = [
      { name: "b", namespace: "a", generate: ["c-d"] },
      { name: "b-c", namespace: "a", generate: ["d"] },
    ];
    assert.deepEqual(fault(secrets(...values)), [key, "[secret]", problem("a/b")]);
    const pull = { "aks-gitops:registry": { pullPrincipal: true } };
    const like = { name: "system-flux-helm-acr-credentials", namespace: "flux" };
    assert.equal(fault({ ...pull, ...secrets(like) })[2], problem("flux-system/flux-helm-acr-credentials"));
    assert.equal(
      read(secrets({ name: "b-c", namespace: "a" }, { name: "c", namespace: "ab" }, like)).secrets.length,
      3,
    );
  });
});

describe("a namespace that is shared with the system", () => {
  it("is warned of, and allowed", () => {
    const said = "is shared with Kubernetes and AKS, which undo changes of what is theirs there.";
    assert.deepEqual(
      warnings({ ...charts({ namespace: "kube-system" }), ...secrets({ namespace: "kube-system" }) }),
      ["charts", "secrets"].map(
        (key) => `aks-gitops:${key}[0].namespace ${said} Choose a namespace of its own, unless it has to be there.`,
      ),
    );
    assert.match(warnings(charts({ namespace: "kube-prometheus" }))[0] ?? "", /has a name that Kubernetes keeps/);
    assert.deepEqual(warnings({ ...charts({ namespace: "default" }), ...secrets({ namespace: "flux-system" }) }), []);
  });
});

describe("the stacks that are shipped", () => {
  for (const stack of ["dev", "prod"])
    it(`have no name that is taken: ${stack}`, async () => {
      const settings = await rehearsed(stack);
      assert.ok(settings.charts.length > 0 && settings.secrets.length > 0);
      assert.deepEqual(examineSettings(await readStackFile(checkout, stack)).warnings, []);
    });
});

describe("what the program writes for a stack", () => {
  it("has no folder that a stack's name could make another's, and no two objects of one name", () => {
    const folders = ["prod", "dev"].flatMap((stack) => [
      ...[clusterFolder(stack), infrastructureFolder(stack), appsFolder(stack)],
    ]);
    assert.equal(new Set(folders).size, folders.length);
    for (const pullSecret of [undefined, "flux-helm-acr-credentials"]) {
      const settings = read({
        ...charts({}, { name: "infrastructure" }, { name: "apps" }, { name: "namespaces" }),
        ...demo,
      });
      const locked = settings.charts.map(({ name }) => ({
        ...{ name, version: "1.0.0", manifest: digest("a"), values: {}, postRender: [] },
      }));
      const files = ownedFiles({
        stack: "test",
        loginServer: "acr.azurecr.io",
        charts: settings.charts,
        lock: {
          charts: locked as unknown as Parameters<typeof ownedFiles>[0]["lock"]["charts"],
          images: [{ source: "ghcr.io/acme/demo:1", digest: digest("b"), repository: "ghcr.io/acme/demo" }],
        },
        secrets: settings.secrets,
        pullSecret,
        demo: settings.demo,
      });
      const objects = Object.values(files)
        .flatMap((text) => text.split("---\n").map((document) => parse(document)))
        .filter(({ metadata }) => metadata !== undefined)
        .map(({ kind, metadata: { namespace = "", name } }) => `${kind} ${namespace}/${name}`);
      assert.ok(objects.length >= 8, objects.join());
      assert.equal(new Set(objects).size, objects.length);
    }
  });
});
