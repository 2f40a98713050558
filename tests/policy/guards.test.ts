// Each guard rail by itself: what it lets pass, what it refuses, and that it says nothing of what is not known yet.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unknownCheckingProxy } from "@pulumi/policy";
import { describe, it } from "mocha";
import { type Facts, type Finding, findIn, findInStack, type Guard, messageOf, type Seen } from "../../policy/guard.ts";
import { GUARDS } from "../../policy/guards.ts";
import { endOfSupport, VERSIONS } from "../../settings/kubernetesVersions.ts";
import { ROOT } from "../support/engine.ts";
import { CASES, type Resource, TOKEN, UNKNOWN } from "./cases.ts";

/** What the engine sends for a text that it does not know yet. */
const NOT_KNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const FACTS: Facts = { isProduction: true, today: "2026-11-26", config: { tags: ["owner"] } };

const guard = (name: string) => {
  const found = GUARDS.find((each) => each.name === name);
  assert.ok(found, name);
  return found;
};

function seen({ type, props }: Resource, more: Partial<Seen> = {}): Seen {
  const sent = JSON.parse(JSON.stringify(props).replaceAll(UNKNOWN, NOT_KNOWN)) as Seen["props"];
  const open = JSON.parse(JSON.stringify(props).replaceAll(`"${UNKNOWN}"`, "null")) as unknown;
  const urn = `urn:pulumi:prod::x::${type}::it`;
  return { type, name: "it", urn, props: unknownCheckingProxy(sent), open, dependencies: [], ...more };
}

/** What a guard finds in a resource, alone in its stack. */
function ask(asked: Guard, one: Seen, facts: Partial<Facts> = {}, others: readonly Seen[] = []): readonly Finding[] {
  const all = { ...FACTS, ...facts };
  return "find" in asked ? findIn(asked, one, all) : findInStack(asked, [one, ...others], all);
}

const problems = (name: string, resource: Resource, facts: Partial<Facts> = {}) =>
  ask(guard(name), seen(resource), facts).map(({ problem }) => problem);

/** A cluster with properties of its own, as azure-native's resource. */
const cluster = (props: Resource["props"]): Resource => ({
  type: "azure-native:containerservice:ManagedCluster",
  props,
});

describe("the guard rails", () => {
  it("have a name of their own, a sentence, a remedy and a link", () => {
    assert.equal(new Set(GUARDS.map(({ name }) => name)).size, GUARDS.length);
    for (const { name, description, remedy, link } of GUARDS) {
      assert.match(name, /^[a-z]+(-[a-z]+)+$/);
      assert.match(description, /^[A-Z].*\.$/);
      assert.match(remedy, /^[a-z].*[^.]$/);
      assert.match(link, /^https:\/\/[\w.-]+\//);
    }
  });

  it("name settings that there are in their remedies", () => {
    const { properties } = JSON.parse(readFileSync(join(ROOT, "schema/settings.json"), "utf8")).properties.config;
    const paths = GUARDS.flatMap(({ remedy }) => [...remedy.matchAll(/(aks-gitops:\w+)((?:\.\w+)*)/g)]);
    assert.ok(paths.length > 10);
    for (const [path, key = "", rest = ""] of paths) {
      let at = properties[key];
      assert.ok(at, path);
      for (const step of rest.split(".").slice(1)) at = at.properties[step];
      assert.ok(at, path);
    }
  });

  it("have a case here, all of them", () => {
    const elsewhere = ["outputs-hide-credentials"];
    assert.deepEqual([...Object.keys(CASES), ...elsewhere].sort(), GUARDS.map(({ name }) => name).sort());
  });

  for (const [name, { passes, fails, problem, unknown }] of Object.entries(CASES)) {
    const logs = (one: Seen): Seen =>
      seen({ type: "azure-native:monitor:DiagnosticSetting", props: {} }, { dependencies: [one.urn] });

    it(`${name} tells one from the other`, () => {
      const good = seen(passes);
      assert.deepEqual(ask(guard(name), good, {}, [logs(good)]), []);
      assert.deepEqual(
        ask(guard(name), seen(fails)).map((found) => found.problem),
        [problem],
      );
    });

    if (unknown)
      it(`${name} says nothing of what is not known yet`, () => {
        assert.deepEqual(ask(guard(name), seen(unknown)), []);
      });
  }

  it("find no fault with what another case is about", () => {
    for (const [name, { passes, fails }] of Object.entries(CASES))
      for (const resource of [passes, fails])
        for (const other of GUARDS.filter((each) => each.name !== name && each.name !== "cluster-logs-are-kept"))
          assert.deepEqual(ask(other, seen(resource)), [], `${other.name} of a case of ${name}`);
  });

  it("of production leave other stacks alone, the others hold for all", () => {
    for (const [name, { fails }] of Object.entries(CASES)) {
      const told = ask(guard(name), seen(fails), { isProduction: false }).length > 0;
      assert.equal(told, guard(name).production !== true, name);
    }
  });

  it("know azure-native's types in every form", () => {
    for (const type of [
      "azure-native:keyvault/v20230701:Vault",
      "azure-native_keyvault_v20230701:keyvault:Vault",
      "azure-native:keyvault:Vault",
    ])
      assert.equal(problems("vault-asks-azure-rbac", { type, props: { properties: {} } }).length, 1, type);
    assert.equal(
      problems("vault-asks-azure-rbac", { type: "azure-native:keyvault:VaultOfOthers", props: {} }).length,
      0,
    );
  });

  it("tell what is wrong, what to do and where more is said", () => {
    const asked = guard("cluster-has-a-paid-tier");
    const [finding] = ask(asked, seen(CASES["cluster-has-a-paid-tier"]?.fails as Resource));
    assert.equal(
      finding && messageOf(asked, finding),
      "The cluster is of the Free tier, which has no SLA. What to do: write aks-gitops:cluster.sku: Standard, or Premium. " +
        "https://learn.microsoft.com/azure/aks/free-standard-pricing-tiers",
    );
  });
});

/** What becomes of a tree when any one of its parts is something else. */
function* spoilt(tree: unknown): Generator<unknown> {
  yield* [null, 42, [null]];
  if (typeof tree !== "object" || tree === null) return;
  for (const [key, part] of Object.entries(tree))
    for (const other of spoilt(part))
      yield Array.isArray(tree) ? tree.with(Number(key), other) : { ...tree, [key]: other };
}

describe("the guard rails, given what no provider takes", () => {
  it("leave that to the provider to refuse", () => {
    for (const { passes, fails } of Object.values(CASES))
      for (const { type, props } of [passes, fails])
        for (const [key, part] of Object.entries(props))
          for (const other of spoilt(part)) {
            const one = { ...seen({ type, props: {} }), props: { ...props, [key]: other } };
            for (const asked of GUARDS) assert.doesNotThrow(() => ask(asked, one), `${asked.name} of ${key}`);
          }
  });
});

describe("the guard rails of clusters", () => {
  it("leave to Azure what it decides for a cluster that manages itself", () => {
    const sku = { name: "Automatic", tier: "Standard" };
    for (const name of [
      "cluster-has-no-local-accounts",
      "cluster-signs-in-with-entra",
      "cluster-has-a-network-policy",
      "cluster-upgrades-itself",
    ]) {
      assert.deepEqual(problems(name, cluster({ sku })), [], name);
      assert.equal(problems(name, cluster({})).length, 1, name);
    }
  });

  it("see a door that is open to all in the list of those let in", () => {
    const apiServerAccessProfile = { authorizedIPRanges: [UNKNOWN, "0.0.0.0/0", "203.0.113.7/32"] };
    assert.deepEqual(problems("cluster-api-server-is-closed", cluster({ apiServerAccessProfile })), [
      "The API server takes connections from every address: 0.0.0.0/0",
    ]);
  });

  it("count RBAC that is off as nobody being known", () => {
    assert.deepEqual(problems("cluster-signs-in-with-entra", cluster({ enableRBAC: false })), [
      "The cluster has no RBAC: whoever reaches it may do everything",
    ]);
  });

  it("ask for no zones where there are none, and of a pool where its cluster's are", () => {
    const asked = guard("cluster-spans-zones");
    const westus = seen(cluster({ location: "West US", agentPoolProfiles: [] }));
    const pool = CASES["cluster-spans-zones"]?.fails as Resource;
    assert.equal(ask(asked, seen(pool), {}, [westus]).length, 1);
    assert.deepEqual(ask(asked, seen(pool, { dependencies: [westus.urn] }), {}, [westus]), []);
    assert.deepEqual(ask(asked, seen(cluster({ location: "westus", agentPoolProfiles: [{ name: "a" }] }))), []);
    const [found] = ask(asked, seen(cluster({ location: "northeurope", agentPoolProfiles: [{ name: "a" }] })));
    assert.equal(found?.problem, "Pool a names no zones");
  });

  it("take a cluster for a Free one where no tier is said, as Azure does", () => {
    assert.equal(problems("cluster-has-a-paid-tier", cluster({ sku: { name: "Base" } })).length, 1);
    assert.equal(problems("cluster-has-a-paid-tier", cluster({})).length, 1);
  });

  it("tell of nodes whose operating system nobody updates", () => {
    const profile = (nodeOSUpgradeChannel: string) =>
      cluster({ autoUpgradeProfile: { upgradeChannel: "patch", nodeOSUpgradeChannel } });
    assert.deepEqual(problems("cluster-upgrades-itself", profile("None")), [
      "The nodes do not update their operating system",
    ]);
    assert.deepEqual(problems("cluster-upgrades-itself", profile("Unmanaged")), []);
  });
});

describe("the support of Kubernetes versions", () => {
  const asked = (props: Resource["props"], today: string) =>
    problems("kubernetes-is-supported", cluster(props), { today });

  it("ends with the last day that Microsoft names, later with long-term support", () => {
    assert.deepEqual(asked({ kubernetesVersion: "1.35.1" }, "2027-03-31"), []);
    assert.deepEqual(asked({ kubernetesVersion: "1.35.1" }, "2027-04-01"), [
      "Kubernetes 1.35.1 is out of support since 2027-03-31",
    ]);
    const supportPlan = "AKSLongTermSupport";
    assert.deepEqual(asked({ supportPlan, kubernetesVersion: "1.35" }, "2027-04-01"), []);
    assert.equal(asked({ supportPlan, kubernetesVersion: "1.35" }, "2028-04-01").length, 1);
  });

  it("is asked of the version that the plugin's cluster says beside its properties", () => {
    const own: Resource = { type: "gitops:index:ManagedCluster", props: { kubernetesVersion: "1.28", properties: {} } };
    assert.deepEqual(problems("kubernetes-is-supported", own), ["Kubernetes 1.28 is not supported any more"]);
  });

  it("is asked of each pool too", () => {
    const agentPoolProfiles = [{ orchestratorVersion: "1.20" }, { orchestratorVersion: UNKNOWN }, {}];
    assert.deepEqual(asked({ kubernetesVersion: UNKNOWN, agentPoolProfiles }, "2026-11-26"), [
      "Kubernetes 1.20 is not supported any more",
    ]);
    const pool = (orchestratorVersion: string): Resource => ({
      type: "azure-native:containerservice:AgentPool",
      props: { orchestratorVersion },
    });
    // Its cluster may have long-term support, which a pool does not say.
    assert.deepEqual(problems("kubernetes-is-supported", pool("1.33.2"), { today: "2027-07-31" }), []);
    assert.equal(problems("kubernetes-is-supported", pool("1.33.2"), { today: "2027-08-01" }).length, 1);
  });

  it("is not judged of versions that came after the table was read, however old it is by now", () => {
    assert.deepEqual(asked({ kubernetesVersion: `1.${(VERSIONS.at(-1)?.minor ?? 0) + 1}.0` }, "2040-01-01"), []);
    for (const version of ["latest", "2.0", ""]) assert.equal(endOfSupport(version, false), undefined);
  });

  it("is a table without gaps, in which long-term support ends last", () => {
    for (const [index, { minor, end, longTermEnd }] of VERSIONS.entries()) {
      assert.equal(minor, (VERSIONS[0]?.minor ?? 0) + index);
      assert.match(`${end} ${longTermEnd}`, /^\d{4}-\d\d-\d\d \d{4}-\d\d-\d\d$/);
      assert.ok(end < longTermEnd);
    }
  });
});

describe("the guard rail of images", () => {
  const name = "images-come-from-azure-registries";
  const file = (text: string, path = "a.yaml"): Resource => ({
    type: "gitops:index:GitCommit",
    props: { files: { [path]: text } },
  });
  const release = (values: unknown) => file(JSON.stringify({ kind: "HelmRelease", spec: { values } }));

  it("sees the images that a chart's values name", () => {
    assert.deepEqual(problems(name, release({ image: { repository: "ghcr.io/a/b", tag: "1" } })), [
      "ghcr.io/a/b in a.yaml comes from ghcr.io",
    ]);
    assert.deepEqual(problems(name, release({ image: { registry: "quay.io", repository: "a/b" } })), [
      "quay.io/a/b in a.yaml comes from quay.io",
    ]);
    assert.deepEqual(problems(name, release({ sidecar: { initImage: "quay.io/a/b:1" } })), [
      "quay.io/a/b:1 in a.yaml comes from quay.io",
    ]);
    assert.deepEqual(problems(name, release({ global: { imageRegistry: "quay.io" } })), [
      "quay.io in a.yaml comes from quay.io",
    ]);
    const ours = { registry: "acme-a1b2c3.azurecr.io", repository: "a/b" };
    assert.deepEqual(problems(name, release({ image: ours, imagePullSecrets: [{ name: "x" }] })), []);
  });

  it("says nothing of images whose registry the values do not name: it is in the chart", () => {
    const global = { imageRegistry: "acme.azurecr.io" };
    for (const values of [
      { image: { repository: "a/b", tag: "1" } },
      { sidecar: { image: "busybox:1" } },
      { image: "" },
      { backgroundImage: "https://example.com/a.png" },
      { global, image: { registry: "docker.io", repository: "a/b" } },
    ])
      assert.deepEqual(problems(name, release(values)), [], JSON.stringify(values));
  });

  it("sees where charts come from, and containers of whatever kind", () => {
    const chart = (kind: string, url: string) => file(JSON.stringify({ kind, spec: { url } }));
    assert.equal(problems(name, chart("HelmRepository", "https://kubereboot.github.io/charts")).length, 1);
    assert.deepEqual(problems(name, chart("OCIRepository", "oci://acme.azurecr.io/charts/kured")), []);
    const job = { kind: "CronJob", spec: { jobTemplate: { spec: { initContainers: [{ image: "alpine" }] } } } };
    assert.deepEqual(problems(name, file(`${JSON.stringify(job)}\n---\nkind: Namespace\n`)), [
      "alpine in a.yaml comes from docker.io",
    ]);
  });

  it("sees what kustomize puts in the place of images", () => {
    const images = [{ name: "app", newName: "ghcr.io/a/app", newTag: "1" }];
    const piece = JSON.stringify({ kind: "Deployment", spec: { containers: [{ image: "nginx" }] } });
    const step = JSON.stringify([{ op: "replace", path: "/spec/containers/0/image", value: "nginx" }]);
    for (const object of [
      { kind: "Kustomization", images },
      { kind: "Kustomization", spec: { images } },
      { kind: "Kustomization", spec: { patches: [{ patch: piece }] } },
      { kind: "Kustomization", patches: [{ patch: step }] },
      { kind: "HelmRelease", spec: { postRenderers: [{ kustomize: { images } }] } },
    ])
      assert.equal(problems(name, file(JSON.stringify(object))).length, 1, JSON.stringify(object));
  });

  it("leaves to people what is written once as a start", () => {
    const seeds = { "apps/base/demo/deployment.yaml": '{"kind":"Pod","spec":{"containers":[{"image":"nginx"}]}}' };
    assert.deepEqual(problems(name, { type: "gitops:index:GitCommit", props: { seeds } }), []);
    const secret = { "apps/base/demo/secret.yaml": '{"kind":"Secret","data":{"a":"eA=="}}' };
    assert.equal(
      problems("git-has-no-open-secrets", { type: "gitops:index:GitCommit", props: { seeds: secret } }).length,
      1,
    );
  });

  it("sees Flux's own registry, and workloads of the provider for Kubernetes", () => {
    const flux = (loginServer: string): Resource => ({ type: "gitops:index:FluxInstall", props: { loginServer } });
    assert.deepEqual(problems(name, flux("ghcr.io")), ["ghcr.io in Flux comes from ghcr.io"]);
    assert.deepEqual(problems(name, flux("acme.azurecr.io")), []);
    assert.deepEqual(problems(name, flux(UNKNOWN)), []);
    const fluxComponents = { "gotk-components.yaml": { loginServer: "ghcr.io" } };
    assert.equal(problems(name, { type: "gitops:index:GitCommit", props: { fluxComponents } }).length, 1);
    const spec = { template: { spec: { containers: [{ image: "nginx" }] } } };
    assert.equal(problems(name, { type: "kubernetes:apps/v1:Deployment", props: { spec } }).length, 1);
    const values = { image: { repository: "docker.io/library/nginx" } };
    assert.equal(problems(name, { type: "kubernetes:helm.sh/v3:Release", props: { values } }).length, 1);
  });

  it("allows the registries of its configuration", () => {
    const text = JSON.stringify({ kind: "Pod", spec: { containers: [{ image: "mcr.microsoft.com/a/b:1" }] } });
    assert.equal(problems(name, file(text)).length, 1);
    assert.deepEqual(problems(name, file(text), { config: { registries: ["mcr.microsoft.com"] } }), []);
  });

  it("is not fooled by a host that only begins or ends as Azure's do", () => {
    for (const host of ["acme.azurecr.io.example.com", "azurecr.io", "x.acme.azurecr.io"])
      assert.equal(
        problems(name, file(`{"kind":"Pod","spec":{"containers":[{"image":"${host}/a:1"}]}}`)).length,
        1,
        host,
      );
  });

  it("reads what is YAML, and leaves alone what is not", () => {
    assert.deepEqual(problems(name, file("containers:\n  image: [", "a.yaml")), []);
    assert.deepEqual(problems(name, file("kind: Pod\ncontainers:\n- image: nginx\n- {{ more }\n")), []);
    assert.deepEqual(problems(name, file("containers: [{image: nginx}]", "README.md")), []);
    assert.deepEqual(problems(name, file("")), []);
  });
});

describe("the guard rail of tags", () => {
  const group = (tags?: Record<string, string>): Resource => ({
    type: "azure-native:resources:ResourceGroup",
    props: tags === undefined ? {} : { tags },
  });

  it("asks for those of its configuration, in whatever case, of what takes tags", () => {
    assert.deepEqual(problems("tags-are-there", group({ Owner: "a" })), []);
    assert.deepEqual(problems("tags-are-there", group()), ["The tag owner is missing"]);
    assert.deepEqual(problems("tags-are-there", { type: "azure-native:authorization:RoleAssignment", props: {} }), []);
    assert.deepEqual(problems("tags-are-there", { type: "random:index/randomString:RandomString", props: {} }), []);
    assert.deepEqual(problems("tags-are-there", group(), { config: {} }), []);
  });
});

describe("the guard rails of credentials", () => {
  const inputs = (open: unknown) =>
    ask(guard("inputs-hide-credentials"), { ...seen({ type: "x:y:Z", props: {} }), open }).map(
      ({ problem }) => problem,
    );

  it("know credentials by their form", () => {
    for (const [what, text] of [
      ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nx"],
      ["a token of GitHub", TOKEN],
      ["a token of GitHub", `github_pat_${"a_1".repeat(25)}`],
      ["a JSON web token", `eyJ${"a".repeat(20)}.eyJ${"b".repeat(20)}.${"c".repeat(20)}`],
      ["a key of an Azure service", `DefaultEndpointsProtocol=https;AccountKey=${"a".repeat(86)}==`],
      ["a key of an Azure service", `Endpoint=sb://x/;SharedAccessKey=${"a".repeat(43)}=`],
      ["a shared access signature", `https://x.blob.core.windows.net/a?sv=1&sig=${"a".repeat(43)}%3D`],
      ["a client secret of Entra", `abc8Q~${"x".repeat(34)}`],
      ["a token of Pulumi", `pul-${"0f".repeat(20)}`],
      ["a webhook of Slack", "https://hooks.slack.com/services/T0/B0/x1"],
      ["a kubeconfig with credentials", `users:\n- user:\n    client-key-data: ${"a".repeat(40)}\n`],
    ])
      assert.deepEqual(inputs({ a: [{ b: text }] }), [`The input a[0].b looks like ${what} and is no secret`], what);
  });

  it("know them by the name of a property that holds one word", () => {
    assert.equal(inputs({ adminPassword: "hunter2hunter2" }).length, 1);
    assert.equal(inputs({ client_secret: "hunter2hunter2" }).length, 1);
    for (const open of [
      { adminPassword: "" },
      { passwordSecretName: "flux-helm-acr-credentials" },
      { adminPassword: "see the vault of the team" },
      { clientSecret: "https://acme.vault.azure.net/secrets/x" },
    ])
      assert.deepEqual(inputs(open), []);
  });

  it("take no certificate, public key, digest or id for one, and say nothing where secrets cannot be told apart", () => {
    for (const text of [
      "-----BEGIN CERTIFICATE-----\nx",
      "-----BEGIN PUBLIC KEY-----\nx",
      `sha256:${"a".repeat(64)}`,
      "6f1f2b6e-1111-4e0a-9c60-000000000001",
      "ENC[AES256_GCM,data:abc,iv:def,tag:ghi,type:str]",
      "users:\n- user:\n    exec: {command: kubelogin}\n",
    ])
      assert.deepEqual(inputs({ a: text }), [], text);
    assert.deepEqual(inputs(undefined), []);
  });

  it("look at the outputs of the stack alone, at its end", () => {
    const asked = guard("outputs-hide-credentials");
    const stack = { type: "pulumi:pulumi:Stack", props: {} };
    const found = ask(asked, { ...seen(stack), open: { token: TOKEN } });
    assert.deepEqual(found, [
      {
        problem: "The output token looks like a token of GitHub and is no secret",
        urn: "urn:pulumi:prod::x::pulumi:pulumi:Stack::it",
      },
    ]);
    assert.deepEqual(ask(asked, { ...seen({ type: "a:b:C", props: {} }), open: { token: TOKEN } }), []);
  });
});
