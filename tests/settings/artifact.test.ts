// What settings say of the artifact that the cluster reads in place of the repository, and what of it is refused.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { faults, read } from "./faults.ts";

const OWN = { url: "oci://{registry}/fleet" };
const config = (artifact: object, flux: object = {}, more: Record<string, unknown> = {}) => ({
  "aks-gitops:flux": { repository: "https://github.com/acme/fleet", mode: "bootstrap", artifact, ...flux },
  ...more,
});
const found = (...args: Parameters<typeof config>) =>
  faults(config(...args)).map(({ key, problem, remedy }) => `${key} ${problem}: ${remedy}`);

describe("settings of the artifact in place of the repository", () => {
  it("take one of the stack's own registry, and no way to sign in to the repository", () => {
    const { artifact, auth } = read(config(OWN)).flux;
    assert.deepEqual([artifact?.url, artifact?.tag, auth], [OWN.url, undefined, undefined]);
    assert.deepEqual(found({ ...OWN, semver: ">=1.0.0", provider: "azure" }), []);
    assert.deepEqual(found(OWN, { repository: "ssh://git@github.com/acme/fleet" }), []);
  });

  it("take one of another host, by a secret of Flux's namespace", () => {
    const artifact = { url: "oci://ghcr.io/acme/fleet", secret: "registry", verify: "cosign" };
    const auths = JSON.stringify({ auths: { "ghcr.io": { username: "bot", password: "x" } } });
    const registry = { name: "registry", type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": auths } };
    const cosign = { name: "cosign", data: { "fleet.pub": "x" } };
    const secrets = (namespace: string) => ({
      "aks-gitops:secrets": [registry, cosign].map((secret) => ({ ...secret, namespace })),
    });
    assert.deepEqual(found(artifact, {}, secrets("flux-system")), []);
    assert.deepEqual(
      found(artifact, {}, secrets("web")),
      ["secret", "verify"].map(
        (key) =>
          `aks-gitops:flux.artifact.${key} is no secret of namespace flux-system that the stack has: ` +
          "add it to aks-gitops:secrets with namespace: flux-system",
      ),
    );
    const random = [{ name: "cosign", namespace: "flux-system", generate: ["fleet.pub"] }];
    assert.deepEqual(found({ ...OWN, verify: "cosign" }, {}, { "aks-gitops:secrets": random }), [
      "aks-gitops:flux.artifact.verify has random values (generate), which the registry does not know: give its values as data",
    ]);
  });

  it("are refused where Flux would never read it, each by its key", () => {
    const remedy =
      "write oci://{registry}/<repository> for one in the stack's own registry, or oci://<host>/<repository>, without tag and digest";
    for (const url of ["oci://{registry}", "oci://ghcr.io/acme/fleet:v1", "https://ghcr.io/acme/fleet"])
      assert.deepEqual(found({ url }), [`aks-gitops:flux.artifact.url is no address of an OCI artifact: ${remedy}`]);
    assert.deepEqual(found({ ...OWN, tag: "v1", semver: ">=1.0.0" }), [
      "aks-gitops:flux.artifact.semver stands beside a tag: write one of tag and semver",
    ]);
    assert.deepEqual(found({ ...OWN, secret: "registry" }), [
      "aks-gitops:flux.artifact.secret signs in to the stack's own registry, to which Flux signs in by itself: leave it out",
    ]);
    assert.deepEqual(found({ url: "oci://ghcr.io/acme/fleet", provider: "azure" }), [
      "aks-gitops:flux.artifact.provider signs in to a registry of Azure alone: leave it out, and name a secret",
    ]);
  });

  it("are refused beside what says how the repository is read", () => {
    const beside = { auth: "githubApp", githubApp: { id: 1 }, username: "bot", recurseSubmodules: true };
    const signsIn = "says how Flux signs in to the repository, and it reads flux.artifact: leave it out";
    assert.deepEqual(found(OWN, beside), [
      ...["auth", "githubApp", "username"].map((key) => `aks-gitops:flux.${key} ${signsIn}`),
      "aks-gitops:flux.recurseSubmodules reads the repository's submodules, and Flux reads flux.artifact: " +
        "leave it out, and let the pipeline check them out before it pushes",
    ]);
  });

  it("show no credential of an address", () => {
    const text = JSON.stringify(faults(config({ url: "oci://u:hunter2@ghcr.io/acme/fleet" })));
    assert.match(text, /is no address of an OCI artifact/);
    assert.doesNotMatch(text, /hunter2/);
  });
});
