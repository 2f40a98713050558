// Where images come from, in the settings: sign-in, signatures, another stack's registry.
import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "mocha";
import { faults, read } from "./faults.ts";

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PEM = String(publicKey.export({ type: "spki", format: "pem" }));
const ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/acmedev";
const CREDENTIALS = "aks-gitops:imageSourceCredentials";
const login = (password: unknown = "s3cret", host = "docker.io") => ({
  [CREDENTIALS]: { [host]: { username: "acme", password } },
});
const secretKeys = [CREDENTIALS];
const shown = (...given: Parameters<typeof faults>) =>
  faults(...given).map(({ key, value, problem }) => [key, value, problem]);

describe("the sources of images in the settings", () => {
  it("are asked by nobody in particular, for anything, where nothing is said", () => {
    const { imageSources, imageSourceCredentials, promoteFrom } = read({});
    assert.deepEqual([imageSources, imageSourceCredentials, promoteFrom], [[], undefined, undefined]);
  });

  it("may be Azure's, want a signature, or a sign-in that is a secret", () => {
    const sources = [
      { from: "shared.azurecr.io", resourceId: ID },
      { from: "ghcr.io/acme", publicKey: PEM },
    ];
    const config = { "aks-gitops:imageSources": sources, "aks-gitops:promoteFrom": ID, ...login() };
    const { imageSources, imageSourceCredentials, promoteFrom } = read(config, { secretKeys });
    assert.deepEqual(JSON.parse(JSON.stringify(imageSources)), sources);
    assert.deepEqual({ ...imageSourceCredentials?.["docker.io"] }, { username: "acme", password: "s3cret" });
    assert.equal(promoteFrom, ID);
  });

  it("have no password in plain text, which no message shows", () => {
    assert.deepEqual(shown(login()), [
      ["aks-gitops:imageSourceCredentials.docker.io.password", "[secret]", "stands in plain text"],
    ]);
    assert.doesNotMatch(JSON.stringify(faults(login())), /s3cret/);
    assert.doesNotMatch(JSON.stringify(faults({ [CREDENTIALS]: { Hub: { password: "s3cret" } } })), /s3cret/);
  });

  it("are named by what stands in images' names, and a private key is no public one and is not shown", () => {
    const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
    const sources = [{ from: "https://ghcr.io" }, { from: "ghcr.io", publicKey: pem, resourceId: "acme" }];
    const found = faults({ "aks-gitops:imageSources": sources, "aks-gitops:promoteFrom": "acmedev" });
    assert.deepEqual(
      found.map(({ key }) => key.replace("aks-gitops:", "")),
      ["imageSources[0].from", "imageSources[1].resourceId", "imageSources[1].publicKey", "promoteFrom"],
    );
    assert.doesNotMatch(JSON.stringify(found), /BEGIN PRIVATE/);
  });
});
