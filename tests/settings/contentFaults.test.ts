import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "mocha";
import { SettingsError } from "../../settings/settings.ts";
import { fault, faults, GROUP, warnings } from "./faults.ts";

describe("a fault of registry, keys, charts or secrets", () => {
  it("names a private registry that is not Premium", () => {
    assert.deepEqual(fault({ "aks-gitops:registry": { private: true }, "aks-gitops:runner": "inside" }), [
      "aks-gitops:registry.sku",
      "Standard",
      "has no private endpoints",
    ]);
  });

  it("names a runner outside that would have to push charts into a private registry", () => {
    const chart = { name: "a", repository: "https://a.b/c", version: "1.0.0", namespace: "a" };
    const config = { "aks-gitops:registry": { sku: "Premium", private: true }, "aks-gitops:charts": [chart] };
    assert.equal(fault(config)[0], "aks-gitops:runner");
  });

  it("names a runner outside that would have to read a private vault's key", () => {
    const secret = { name: "a", namespace: "b", data: { c: "d" } };
    const config = { "aks-gitops:registry": { sku: "Premium", private: true }, "aks-gitops:secrets": [secret] };
    assert.equal(fault(config)[0], "aks-gitops:runner");
  });

  it("names encrypters without a role that only encrypts", () => {
    assert.deepEqual(fault({ "aks-gitops:sops": { encrypters: [GROUP] } }), [
      "aks-gitops:sops.encrypters",
      [GROUP],
      "needs a role that can encrypt but not decrypt, and Azure has no built-in one",
    ]);
  });

  it("names a public key that is none, and does not show it: it may be the private one", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const publicKey = privateKey.export({ type: "pkcs8", format: "pem" });
    assert.deepEqual(fault({ "aks-gitops:sops": { publicKey } }), [
      "aks-gitops:sops.publicKey",
      "[secret]",
      "is no public key in PEM",
    ]);
  });

  it("names a public key that SOPS cannot use", () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const sops = { publicKey: publicKey.export({ type: "spki", format: "pem" }) };
    assert.equal(fault({ "aks-gitops:sops": sops })[2], "is no RSA key of 2048 bits or more");
  });

  for (const image of ["nginx", "nginx:1", "ghcr.io/acme/demo", "https://ghcr.io/acme/demo:1", "ghcr.io/Acme/demo:1"])
    it(`names ${image} as no whole image name`, () => {
      assert.equal(fault({ "aks-gitops:images": [image] })[0], "aks-gitops:images[0]");
    });

  it("names a marked image that has no tag to move on, and warns where nobody does", () => {
    const demo = (image: string) => ({ "aks-gitops:demo": { image, imagePolicy: "demo" } });
    assert.deepEqual(fault(demo(`ghcr.io/acme/demo@sha256:${"a".repeat(64)}`)).slice(0, 1), ["aks-gitops:demo.image"]);
    assert.deepEqual(warnings(demo("ghcr.io/acme/demo:1")), [
      "aks-gitops:demo.imagePolicy marks an image that nobody moves on: Flux's image controllers are not in the cluster. " +
        "Write flux.imageAutomation: true, or leave imagePolicy out.",
    ]);
    const flux = { "aks-gitops:flux": { repository: "https://github.com/acme/fleet", imageAutomation: true } };
    assert.deepEqual(warnings({ ...flux, ...demo("ghcr.io/acme/demo:1") }), []);
  });

  it("names a version of a chart that is neither one nor a range", () => {
    const chart = { name: "a", repository: "https://a.b/c", version: "latest", namespace: "a" };
    assert.equal(fault({ "aks-gitops:charts": [chart] })[0], "aks-gitops:charts[0].version");
  });

  it("names a chart that is there twice", () => {
    const chart = { name: "a", repository: "https://a.b/c", version: "1.0.0", namespace: "a" };
    assert.equal(fault({ "aks-gitops:charts": [chart, chart] })[0], "aks-gitops:charts[1].name");
  });

  it("names a key that is both given and generated, but no value", () => {
    const secret = { name: "a", namespace: "b", generate: ["c"], data: { c: "hunter2" } };
    assert.deepEqual(fault({ "aks-gitops:secrets": [secret] }), [
      "aks-gitops:secrets[0].generate",
      "[secret]",
      "is there twice",
    ]);
  });

  it("names a secret without keys", () => {
    assert.equal(fault({ "aks-gitops:secrets": [{ name: "a", namespace: "b" }] })[2], "has no keys");
  });

  it("names a secret whose name the pull principal's has", () => {
    const secret = { name: "flux-helm-acr-credentials", namespace: "flux-system", generate: ["a"] };
    const config = { "aks-gitops:registry": { pullPrincipal: true }, "aks-gitops:secrets": [secret] };
    assert.equal(fault(config)[0], "aks-gitops:secrets[0].name");
  });

  it("never shows a secret, not even under a misspelt key", () => {
    const secret = { name: "a", namespace: "b", generate: ["c"], dat: { password: "hunter2" }, data: { pin: 4711 } };
    const found = faults({ "aks-gitops:secrets": [secret] });
    assert.deepEqual(
      found.map(({ key, value }) => [key, value]),
      [
        ["aks-gitops:secrets[0].dat", "[secret]"],
        ["aks-gitops:secrets[0].data.pin", "[secret]"],
      ],
    );
    assert.doesNotMatch(new SettingsError("test", found).message, /hunter2|4711/);
  });

  it("names a secret in a chart's values, sealed in the file or opened by the engine", () => {
    const chart = { name: "a", repository: "https://a.b/c", version: "1.0.0", namespace: "a" };
    const sealed = { "aks-gitops:charts": [{ ...chart, values: { deep: [{ secure: "v1:abc" }] } }] };
    assert.deepEqual(fault(sealed).slice(0, 2), ["aks-gitops:charts[0].values.deep[0]", "[secret]"]);
    const opened = { "aks-gitops:charts": [{ ...chart, values: { password: "hunter2" } }] };
    assert.deepEqual(fault(opened, { secretKeys: ["aks-gitops:charts"] }), [
      "aks-gitops:charts",
      "[secret]",
      "holds a secret, but goes into Azure or Git as it is",
    ]);
  });

  it("comes together with all others, in a message that names key, value and remedy of each", () => {
    const config = { "aks-gitops:runner": "insid", "aks-gitops:cluster": { network: { vnet: "10.0.0.0/33" } } };
    assert.equal(
      new SettingsError("test", faults({ ...config, "aks-gitops:flux": {} })).message,
      `3 faults in the configuration of stack test (Pulumi.test.yaml):

  aks-gitops:runner is not a known word
    value   insid
    remedy  did you mean inside? write one of inside, outside

  aks-gitops:cluster.network.vnet is not an IPv4 network in CIDR notation
    value   10.0.0.0/33
    remedy  write its first address and a prefix length up to 32, for example 10.60.0.0/16

  aks-gitops:flux.repository is missing
    remedy  write the repository's address, https://<host>/<path> or ssh://git@<host>/<path>, for example https://github.com/acme/fleet`,
    );
  });
});
