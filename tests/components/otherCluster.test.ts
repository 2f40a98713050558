// The program for a cluster that is not AKS: nothing of AKS is made, and who signs in there has a password.
import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { parse, parseAllDocuments, stringify } from "yaml";
import { setEnvironment } from "../support/environment.ts";
import { type Deployment, roleId } from "./deployment.ts";
import { run } from "./programRun.ts";

const SERVER = "https://factory.acme.com:6443";
const ISSUER = "https://oidc.acme.com/factory";

const CONFIG = {
  deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
  otherCluster: { context: "factory" },
  registry: { pullPrincipal: true },
  flux: { repository: "https://github.com/acme/fleet", mode: "bootstrap" },
  charts: [
    { name: "kured", repository: "https://kubereboot.github.io/charts", version: "6.1.0", namespace: "baseline" },
  ],
  demo: { image: "ghcr.io/stefanprodan/podinfo:6.14.1" },
};

describe("the program for a cluster that is not AKS", () => {
  let folder: string;
  let restore: () => void;
  let deployment: Deployment<Record<string, unknown>>;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
    const KUBECONFIG = join(folder, "config");
    writeFileSync(
      KUBECONFIG,
      stringify({
        contexts: [{ name: "factory", context: { cluster: "c", user: "u" } }],
        clusters: [{ name: "c", cluster: { server: SERVER, "certificate-authority-data": "QVVUSE9SSVRZ" } }],
        users: [{ name: "u", user: { token: "not-in-any-state" } }],
      }),
    );
    restore = setEnvironment({ KUBECONFIG });
    deployment = await run(CONFIG);
  });
  after(() => {
    restore();
    rmSync(folder, { recursive: true });
  });

  it("makes registry, vault and who pulls and decrypts, and nothing of AKS", () => {
    const { names, find, resources } = deployment;
    for (const type of ["ManagedCluster", "AgentPool", "VirtualNetwork", "UserAssignedIdentity", "Extension"])
      assert.deepEqual(names(type), [], type);
    assert.deepEqual(names("Application"), ["acr-test-pull", "kv-test-decrypt"]);
    assert.deepEqual(names("RoleAssignment"), [
      "acr-test-deployers-import",
      "acr-test-deployers-push",
      "acr-test-pull",
      "kv-test-decrypt",
      "kv-test-deployers-read",
    ]);
    const { roleDefinitionId, scope } = find("RoleAssignment", "kv-test-decrypt").inputs;
    // Key Vault Crypto User, on the key alone.
    assert.equal(
      String(roleDefinitionId).split("/").at(-1),
      roleId("12338af0-0e69-4776-bea7-57ae8d297424").split("/").at(-1),
    );
    assert.match(String(scope), /kv-test/);
    assert.doesNotMatch(JSON.stringify(resources), /not-in-any-state/);
  });

  it("installs Flux as the context's user, with what pulls its images and decrypts", () => {
    const { inputs, secrets } = deployment.find("FluxInstall", "flux");
    const { pullSecret, decryptSecret, ...rest } = inputs as Record<string, Record<string, unknown>>;
    assert.deepEqual(
      [rest.kubeContext, rest.endpoint, rest.certificateAuthority, rest.imagePullSecret],
      ["factory", SERVER, "QVVUSE9SSVRZ", "acr-pull"],
    );
    for (const absent of ["clusterId", "clientId", "tenantId"]) assert.equal(absent in rest, false, absent);
    assert.equal(pullSecret?.name, "flux-helm-acr-credentials");
    assert.deepEqual(Object.keys(decryptSecret ?? {}).sort(), ["clientId", "clientSecret", "name", "tenantId"]);
    assert.deepEqual([...secrets].sort(), ["decryptSecret", "pullSecret"]);
    assert.equal(deployment.find("FluxReady", "flux").inputs.kubeContext, "factory");
  });

  it("commits Kustomizations that decrypt by the Secret, and Secrets that pull in every namespace", () => {
    const { files, fluxComponents, kustomizations } = deployment.find("GitCommit", "flux").inputs as {
      files: Record<string, string>;
      fluxComponents: Record<string, { imagePullSecret?: string }>;
      kustomizations: Record<string, { components?: string[] }>;
    };
    for (const name of ["apps", "infrastructure"])
      assert.deepEqual(parse(files[`clusters/test/${name}.yaml`] ?? "").spec.decryption, {
        provider: "sops",
        secretRef: { name: "sops-azure-kv" },
      });
    assert.equal(Object.values(fluxComponents)[0]?.imagePullSecret, "acr-pull");
    assert.equal(Object.values(kustomizations)[0]?.components, undefined);
    assert.equal("clusters/test/flux-system/workload-identity/kustomization.yaml" in files, false);
    const accounts = parseAllDocuments(files["infrastructure/test/service-accounts.yaml"] ?? "").map((one) =>
      one.toJS(),
    );
    assert.deepEqual(
      accounts.map(({ metadata, imagePullSecrets }) => [metadata.namespace, metadata.name, imagePullSecrets]),
      ["baseline", "demo"].map((namespace) => [namespace, "default", [{ name: "acr-pull" }]]),
    );
    const { resources } = parse(files["infrastructure/test/kustomization.yaml"] ?? "");
    for (const namespace of ["baseline", "demo"]) {
      const { inputs, secrets } = deployment.find("EncryptedSecret", `flux-${namespace}-acr-pull`);
      const { type, stringData } = inputs as { type: string; stringData: Record<string, string> };
      assert.equal(type, "kubernetes.io/dockerconfigjson");
      const { auths } = JSON.parse(stringData[".dockerconfigjson"] ?? "");
      assert.deepEqual(Object.keys(auths), [deployment.find("FluxInstall", "flux").inputs.loginServer]);
      assert.deepEqual(secrets, ["stringData"]);
      assert.ok(resources.includes(`secrets/${namespace}/acr-pull.yaml`), resources.join());
    }
  });

  it("gives Flux an identity where the issuer is public, and no password that decrypts", async () => {
    const { names, find } = await run({ ...CONFIG, otherCluster: { context: "factory", issuer: ISSUER } });
    assert.deepEqual(names("Application"), ["acr-test-pull"]);
    assert.equal(find("FederatedIdentityCredential", "flux-test-kustomize-controller").inputs.issuer, ISSUER);
    const install = find("FluxInstall", "flux").inputs;
    assert.equal("decryptSecret" in install, false);
    assert.equal("clientId" in install, true);
    const { files } = find("GitCommit", "flux").inputs as { files: Record<string, string> };
    assert.deepEqual(parse(files["clusters/test/apps.yaml"] ?? "").spec.decryption, { provider: "sops" });
  });

  it("says which context is not there before it registers anything", async () => {
    await assert.rejects(
      run({ ...CONFIG, otherCluster: { context: "office" } }),
      /has no context office; it has factory/,
    );
  });
});
