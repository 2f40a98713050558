// A cluster that reads an artifact in place of the repository: what is committed, installed and waited for.
import { strict as assert } from "node:assert";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { parse, parseAllDocuments } from "yaml";
import { FluxBootstrap } from "../../../components/flux/fluxBootstrap.ts";
import type { FluxBootstrapArgs } from "../../../components/flux/fluxBootstrapArgs.ts";
import { refused } from "../refused.ts";
import { CONFIG, deployFlux, filesOf, fluxArgs } from "./fluxDeployment.ts";

const OWN = { mode: "bootstrap", artifact: { url: "oci://{registry}/fleet" } } as const;
const SYNC = "clusters/test/flux-system/gotk-sync.yaml";
const sourceOf = (files: Record<string, string>) => parseAllDocuments(files[SYNC] ?? "")[0]?.toJS().spec;

describe("a cluster that reads an artifact in place of the repository", () => {
  it("has it from the stack's own registry as its controllers' identity, and all Kustomizations of it", async () => {
    const { find, names } = await deployFlux({ ...OWN, interval: "5m0s" });
    const files = filesOf(find("GitCommit", "flux"));
    assert.deepEqual(sourceOf(files), {
      ...{ interval: "5m0s", provider: "azure", ref: { tag: "latest" }, url: "oci://acme.azurecr.io/fleet" },
    });
    for (const path of ["clusters/test/infrastructure.yaml", "clusters/test/apps.yaml"])
      assert.deepEqual(parse(files[path] ?? "").spec.sourceRef, { kind: "OCIRepository", name: "flux-system" });
    // The identity's component patches no GitRepository, which there is not.
    assert.doesNotMatch(files["clusters/test/flux-system/workload-identity/kustomization.yaml"] ?? "", /GitRepository/);
    const { inputs } = find("FluxInstall", "flux");
    assert.deepEqual(inputs.artifact, { url: "oci://acme.azurecr.io/fleet", tag: "latest", provider: "azure" });
    for (const absent of ["sshKey", "provider", "artifactSecrets"]) assert.equal(absent in inputs, false, absent);
    assert.deepEqual(find("FluxReady", "flux").inputs.artifact, {
      ...{ url: "oci://acme.azurecr.io/fleet", tag: "latest" },
      ...{ source: "https://github.com/acme/fleet", branch: "main" },
    });
    assert.equal(names("RepositoryDeployKey").length, 0);
  });

  it("is told beside the commit how the repository is reached, and no tag where a range decides", async () => {
    const { find } = await deployFlux({
      ...{ mode: "bootstrap", artifact: { url: "oci://ghcr.io/acme/fleet", semver: ">=1.0.0" } },
      commit: { credential: "FLEET_TOKEN" },
    });
    assert.deepEqual(find("FluxReady", "flux").inputs.artifact, {
      ...{ url: "oci://ghcr.io/acme/fleet", source: "https://github.com/acme/fleet", branch: "main" },
      access: { credential: "FLEET_TOKEN" },
    });
    assert.deepEqual(find("FluxInstall", "flux").inputs.artifact, {
      ...{ url: "oci://ghcr.io/acme/fleet", semver: ">=1.0.0" },
    });
  });

  it("is given straight what it reads the artifact with, which is in no file", async () => {
    const data = { ".dockerconfigjson": pulumi.secret("hunter2") };
    const secrets = [
      { name: "registry", namespace: "flux-system", type: "kubernetes.io/dockerconfigjson", data },
      { name: "cosign", namespace: "flux-system", data: { "fleet.pub": "PUBLIC" } },
      // Of the same name elsewhere.
      { name: "cosign", namespace: "demo", data: { a: "b" } },
      ...CONFIG.secrets,
    ];
    const artifact = { url: "oci://ghcr.io/acme/fleet", tag: "prod", secret: "registry", verify: "cosign" };
    const { find, names } = await deployFlux({ mode: "bootstrap", artifact, secrets });
    const install = find("FluxInstall", "flux");
    assert.deepEqual(install.inputs.artifactSecrets, [
      { name: "registry", type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": "hunter2" } },
      { name: "cosign", type: "Opaque", data: { "fleet.pub": "PUBLIC" } },
    ]);
    assert.ok(install.secrets.includes("artifactSecrets"));
    assert.deepEqual(names("EncryptedSecret"), ["flux-demo-cosign", "flux-demo-demo-credentials"]);
    const files = filesOf(find("GitCommit", "flux"));
    assert.doesNotMatch(JSON.stringify(files), /hunter2/);
    assert.deepEqual(sourceOf(files), {
      ...{ interval: "1m0s", ref: { tag: "prod" }, secretRef: { name: "registry" }, url: artifact.url },
      verify: { provider: "cosign", secretRef: { name: "cosign" } },
    });
  });

  it("pulls it from the stack's registry with a password where there is no identity", async () => {
    const decryptCredentials = { tenantId: "t", clientId: "c", clientSecret: "s" };
    const more = { identity: undefined, imagePullSecret: "acr-pull", decryptCredentials };
    const { find } = await deployFlux({ ...OWN, ...more }, { password: "hunter2" });
    const read = { url: "oci://acme.azurecr.io/fleet", tag: "latest", secret: "acr-pull" };
    assert.deepEqual(find("FluxInstall", "flux").inputs.artifact, read);
    assert.deepEqual(sourceOf(filesOf(find("GitCommit", "flux"))).secretRef, { name: "acr-pull" });
  });

  it("is refused by the extension, and beside what signs in to the repository", async () => {
    const faults = (args: Partial<FluxBootstrapArgs>) =>
      refused(() => new FluxBootstrap("flux", { ...fluxArgs(), ...args }));
    assert.deepEqual(await faults({ artifact: OWN.artifact }), [
      "artifact cannot be said to the extension: its API 2023-05-01 knows no OCIRepository",
    ]);
    assert.deepEqual(await faults({ ...OWN, auth: "deployKey" }), [
      "auth says how Flux signs in to the repository, and it reads flux.artifact",
    ]);
    assert.deepEqual(await faults({ ...OWN, artifact: { url: "oci://ghcr.io/acme/fleet", secret: "registry" } }), [
      "artifact.secret is no secret of namespace flux-system that the stack has",
    ]);
  });
});
