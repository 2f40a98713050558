import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parse, parseAllDocuments } from "yaml";
import { gotkSync, identityComponent } from "../../../flux/bootstrap.ts";
import { publishedKeys } from "../../../net/knownHosts.ts";
import { assigned, resolved, roleId } from "../deployment.ts";
import { CLUSTER_ID, deployFlux, filesOf } from "./fluxDeployment.ts";

const bootstrap = (flux: Parameters<typeof deployFlux>[0] = {}, more: Parameters<typeof deployFlux>[1] = {}) =>
  deployFlux({ mode: "bootstrap", ...flux }, more);

const INSTALL = {
  clusterId: CLUSTER_ID,
  endpoint: "https://aks.example:443",
  certificateAuthority: "QVVUSE9SSVRZ",
  version: "2.9.4",
  manifests: "f".repeat(64),
  imageAutomation: false,
  loginServer: "acme.azurecr.io",
  clientId: "client",
  tenantId: "tenant",
  url: "https://github.com/acme/fleet",
  branch: "main",
  path: "clusters/test",
  readyMinutes: 15,
};

describe("FluxBootstrap by Flux's own bootstrap", () => {
  it("installs the Flux of the lock with its identity, for the stack's folder", async () => {
    const { find } = await bootstrap();
    const install = find("FluxInstall", "flux");
    assert.deepEqual(install.inputs, INSTALL);
    assert.deepEqual(install.secrets, []);
    assert.equal(install.parent, "FluxBootstrap::flux");
  });

  it("installs image controllers and waits as the settings say", async () => {
    const { find } = await bootstrap({ imageAutomation: true, readyMinutes: 40, branch: "live" });
    assert.deepEqual(find("FluxInstall", "flux").inputs, {
      ...INSTALL,
      imageAutomation: true,
      readyMinutes: 40,
      branch: "live",
    });
  });

  it("installs and commits what bootstrap's own options ask for", async () => {
    const install = { tolerationKeys: ["CriticalAddonsOnly"], networkPolicy: false };
    const given = { install: { ...install, logLevel: undefined }, interval: "90s", recurseSubmodules: true };
    const { find } = await bootstrap(given);
    assert.deepEqual(find("FluxInstall", "flux").inputs, { ...INSTALL, ...given, install });
    const { fluxComponents, files } = find("GitCommit", "flux").inputs;
    assert.deepEqual(
      Object.values(fluxComponents as Record<string, { install: object }>).map((each) => each.install),
      [install],
    );
    const [source] = parseAllDocuments(
      (files as Record<string, string>)["clusters/test/flux-system/gotk-sync.yaml"] ?? "",
    );
    const { interval, recurseSubmodules } = source?.toJS().spec ?? {};
    assert.deepEqual([interval, recurseSubmodules], ["1m30s", true]);
    // An option of which nothing is said is none.
    assert.deepEqual((await bootstrap({ install: {} })).find("FluxInstall", "flux").inputs, INSTALL);
  });

  it("lets the deployers into the cluster, whose owner may not do so by that alone", async () => {
    const { find } = await bootstrap();
    assert.deepEqual(assigned(find("RoleAssignment", "flux-deployers").inputs), {
      principalId: "6f1f2b6e-1111-4e0a-9c60-000000000001",
      principalType: "Group",
      scope: CLUSTER_ID,
      // Azure Kubernetes Service RBAC Cluster Admin, in the cluster's subscription.
      roleDefinitionId: roleId("b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b").replace(
        /^\/subscriptions\/[^/]+/,
        "/subscriptions/s",
      ),
    });
  });

  it("installs when commit, content, the identity's rights and the deployers' own are there", async () => {
    const { find } = await bootstrap();
    assert.deepEqual(find("FluxInstall", "flux").dependencies, [
      "GitCommit::flux",
      "Requirement::federated",
      "Requirement::mirrored",
      "RoleAssignment::flux-deployers",
    ]);
  });

  it("has nothing of the extension", async () => {
    const { names, result } = await bootstrap();
    for (const type of ["Extension", "FluxConfiguration", "PrivateKey", "RepositoryDeployKey", "Repository"])
      assert.deepEqual(names(type), [], type);
    assert.equal(result.complianceState, undefined);
  });

  it("waits, after Flux and the pull secret, for the commit in every Kustomization", async () => {
    const { find, result } = await bootstrap({ readyMinutes: 40 }, { password: "hunter2" });
    const ready = find("FluxReady", "flux");
    assert.deepEqual(ready.inputs, {
      endpoint: "https://aks.example:443",
      certificateAuthority: "QVVUSE9SSVRZ",
      commit: "0123abc",
      kustomizations: ["flux-system", "infrastructure", "apps"],
      releases: ["kured"],
      sources: ["HelmRepository/acr-private"],
      readyMinutes: 40,
    });
    assert.deepEqual(ready.dependencies, ["FluxInstall::flux", "GitCommit::flux"]);
    assert.equal(await resolved(result.commit), "0123abc");
  });

  it("waits for the sources that Flux's own identity pulls from, and for none where there is no chart", async () => {
    const objects = async (...args: Parameters<typeof bootstrap>) => {
      const { releases, sources } = (await bootstrap(...args)).find("FluxReady", "flux").inputs;
      return { releases, sources };
    };
    assert.deepEqual(await objects(), { releases: ["kured"], sources: ["OCIRepository/kured"] });
    assert.deepEqual(await objects({ charts: [] }, { password: "hunter2" }), { releases: [], sources: [] });
  });

  it("puts the pull principal's credentials straight into Flux's namespace", async () => {
    const { find } = await bootstrap({}, { password: "hunter2" });
    const install = find("FluxInstall", "flux");
    assert.deepEqual(install.inputs, {
      ...INSTALL,
      pullSecret: { name: "flux-helm-acr-credentials", username: "puller", password: "hunter2" },
    });
    assert.deepEqual(install.secrets, ["pullSecret"]);
  });

  it("needs no pull secret where Flux's identity pulls", async () => {
    const { names, find } = await bootstrap();
    assert.deepEqual(names("Secret"), []);
    assert.equal("pullSecret" in find("FluxInstall", "flux").inputs, false);
    const files = filesOf(find("GitCommit", "flux"));
    assert.equal("infrastructure/test/sources/acr-private.yaml" in files, false);
    assert.equal(parse(files["infrastructure/test/sources/kured.yaml"] ?? "").spec.provider, "azure");
  });

  it("releases Kured into baseline from the registry that the pull secret opens", async () => {
    const { find } = await bootstrap({}, { password: "hunter2" });
    const files = filesOf(find("GitCommit", "flux"));
    assert.deepEqual(parse(files["infrastructure/test/sources/acr-private.yaml"] ?? ""), {
      apiVersion: "source.toolkit.fluxcd.io/v1",
      kind: "HelmRepository",
      metadata: { name: "acr-private", namespace: "flux-system" },
      spec: {
        type: "oci",
        interval: "10m0s",
        url: "oci://acme.azurecr.io/charts",
        secretRef: { name: "flux-helm-acr-credentials" },
      },
    });
    const { chart, chartRef, targetNamespace } = parse(files["infrastructure/test/releases/kured.yaml"] ?? "").spec;
    assert.deepEqual(chart.spec, {
      chart: "kured",
      version: "6.1.0",
      interval: "10m0s",
      sourceRef: { kind: "HelmRepository", name: "acr-private" },
    });
    assert.deepEqual([chartRef, targetNamespace], [undefined, "baseline"]);
    assert.equal("infrastructure/test/sources/kured.yaml" in files, false);
  });

  it("commits what flux bootstrap would, and the identity's component as one entry", async () => {
    const { find } = await bootstrap();
    const commit = find("GitCommit", "flux");
    const { fluxComponents, kustomizations } = commit.inputs;
    assert.deepEqual(fluxComponents, {
      "clusters/test/flux-system/gotk-components.yaml": {
        version: "2.9.4",
        imageAutomation: false,
        manifests: "f".repeat(64),
        loginServer: "acme.azurecr.io",
      },
    });
    assert.deepEqual(kustomizations, {
      "clusters/test/flux-system/kustomization.yaml": {
        resources: ["gotk-components.yaml", "gotk-sync.yaml"],
        components: ["workload-identity"],
      },
    });
    const files = filesOf(commit);
    const { url, branch, path } = INSTALL;
    assert.equal(files["clusters/test/flux-system/gotk-sync.yaml"], gotkSync({ url, branch, path }));
    assert.equal(
      files["clusters/test/flux-system/workload-identity/kustomization.yaml"],
      identityComponent({ clientId: "client", tenantId: "tenant" }, false),
    );
    assert.deepEqual(Object.keys(files).sort(), [
      "clusters/test/apps.yaml",
      "clusters/test/flux-system/gotk-sync.yaml",
      "clusters/test/flux-system/workload-identity/kustomization.yaml",
      "clusters/test/infrastructure.yaml",
      "infrastructure/test/kustomization.yaml",
      "infrastructure/test/namespaces.yaml",
      "infrastructure/test/releases/kured.yaml",
      "infrastructure/test/secrets/demo/demo-credentials.yaml",
      "infrastructure/test/sources/kured.yaml",
    ]);
  });

  it("writes the repository's address into Git as the cluster is given it, .git and all", async () => {
    const { find } = await bootstrap({ repository: "https://github.com/acme/fleet.git" });
    const sync = filesOf(find("GitCommit", "flux"))["clusters/test/flux-system/gotk-sync.yaml"] ?? "";
    const [source] = parseAllDocuments(sync).map((document) => document.toJS());
    assert.equal(source.spec.url, "https://github.com/acme/fleet.git");
    assert.equal(find("FluxInstall", "flux").inputs.url, "https://github.com/acme/fleet.git");
    assert.equal(find("GitCommit", "flux").inputs.url, "https://github.com/acme/fleet");
  });

  it("lets no secret into Git or into an input that is not secret", async () => {
    const { resources, find } = await bootstrap({ auth: "deployKey" }, { password: "hunter2" });
    assert.deepEqual(find("GitCommit", "flux").secrets, []);
    const values = ["hunter2", "r4ndom", "PRIVATE"];
    const holders = resources.flatMap(({ type, inputs, secrets }) =>
      Object.entries(inputs)
        .filter(([, input]) => values.some((value) => JSON.stringify(input).includes(value)))
        .map(([key]) => `${type.split(":").at(-1)}.${key}${secrets.includes(key) ? "" : " in plain text"}`),
    );
    assert.deepEqual(holders.sort(), ["EncryptedSecret.stringData", "FluxInstall.pullSecret", "FluxInstall.sshKey"]);
  });

  it("reads over SSH with a deploy key where the settings ask for one", async () => {
    const { find } = await bootstrap({ auth: "deployKey" });
    assert.deepEqual(find("PrivateKey", "flux").inputs, { algorithm: "ECDSA", ecdsaCurve: "P384" });
    assert.deepEqual(find("RepositoryDeployKey", "flux").inputs, {
      repository: "fleet",
      title: "flux-system-main-flux-system-./clusters/test",
      key: "ecdsa-sha2-nistp384 AAAA",
      readOnly: true,
    });
    const install = find("FluxInstall", "flux");
    const url = "ssh://git@github.com/acme/fleet";
    assert.deepEqual(install.inputs, {
      ...INSTALL,
      url,
      sshKey: {
        privateKey: "PRIVATE",
        publicKey: "ecdsa-sha2-nistp384 AAAA\n",
        knownHosts: publishedKeys("github.com"),
      },
    });
    assert.deepEqual(install.secrets, ["sshKey"]);
    assert.ok(install.dependencies.includes("RepositoryDeployKey::flux"));
    const { branch, path } = INSTALL;
    assert.equal(
      filesOf(find("GitCommit", "flux"))["clusters/test/flux-system/gotk-sync.yaml"],
      gotkSync({ url, branch, path }),
    );
  });

  it("waits for further sources, and commits them", async () => {
    const sources = [{ name: "shop", kind: "OCIRepository", url: "oci://ghcr.io/acme/shop", tag: "v1" } as const];
    const { find } = await deployFlux({ mode: "bootstrap", sources });
    assert.deepEqual(find("FluxReady", "flux").inputs.sources, ["OCIRepository/kured", "OCIRepository/shop"]);
    const files = filesOf(find("GitCommit", "flux"));
    assert.match(files["infrastructure/test/sources/shop.yaml"] ?? "", /url: oci:\/\/ghcr\.io\/acme\/shop\n/);
  });
});
