import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { resolved } from "../deployment.ts";
import { CONFIG, deployFlux, filesOf, KEY_URL } from "./fluxDeployment.ts";

describe("FluxBootstrap", () => {
  it("encrypts given and generated values, which stay secret", async () => {
    const { find } = await deployFlux();
    assert.deepEqual(find("RandomPassword", "flux-demo-demo-credentials-password").inputs, {
      length: 32,
      special: false,
    });
    const secret = find("EncryptedSecret", "flux-demo-demo-credentials");
    assert.deepEqual(secret.inputs, {
      name: "demo-credentials",
      namespace: "demo",
      type: "Opaque",
      stringData: { username: "admin", password: "r4ndom" },
      keyUrl: KEY_URL,
    });
    assert.deepEqual(secret.secrets, ["stringData"]);
  });

  it("encrypts the pull principal's credentials for Flux's namespace", async () => {
    const { find } = await deployFlux({}, { password: "hunter2" });
    const secret = find("EncryptedSecret", "flux-flux-system-flux-helm-acr-credentials");
    assert.deepEqual(secret.inputs.stringData, { username: "puller", password: "hunter2" });
    assert.deepEqual(secret.secrets, ["stringData"]);
    assert.ok(
      "infrastructure/test/secrets/flux-system/flux-helm-acr-credentials.yaml" in filesOf(find("GitCommit", "flux")),
    );
  });

  it("commits everything at once: files it owns, files to begin with and the rule of SOPS", async () => {
    const { find, names, result } = await deployFlux();
    assert.deepEqual(names("GitCommit"), ["flux"]);
    const commit = find("GitCommit", "flux");
    const { files, seeds, ...rest } = commit.inputs as { files: object; seeds: object };
    assert.deepEqual(rest, {
      url: "https://github.com/acme/fleet",
      branch: "main",
      sopsRules: [
        {
          path_regex: "^(apps/test|infrastructure/test)/.*\\.yaml$",
          encrypted_regex: "^(data|stringData)$",
          azure_keyvault: KEY_URL,
        },
      ],
      listed: { "clusters/test/kustomization.yaml": { resources: ["infrastructure.yaml", "apps.yaml"] } },
      message: "Update stack test",
      pullRequest: { branch: "aks-gitops/test" },
    });
    assert.deepEqual(Object.keys(files).sort(), [
      "clusters/test/apps.yaml",
      "clusters/test/infrastructure.yaml",
      "infrastructure/test/kustomization.yaml",
      "infrastructure/test/namespaces.yaml",
      "infrastructure/test/releases/kured.yaml",
      "infrastructure/test/secrets/demo/demo-credentials.yaml",
      "infrastructure/test/sources/kured.yaml",
    ]);
    assert.equal(
      filesOf(commit)["infrastructure/test/secrets/demo/demo-credentials.yaml"],
      "encrypted flux-demo-demo-credentials\n",
    );
    assert.deepEqual(Object.keys(seeds).sort(), [
      "apps/base/demo/deployment.yaml",
      "apps/base/demo/kustomization.yaml",
      "apps/base/demo/service.yaml",
      "apps/test/kustomization.yaml",
    ]);
    assert.equal(await resolved(result.commit), "0123abc");
    assert.ok(result.complianceState);
    assert.equal(await resolved(result.complianceState), "Compliant");
  });

  it("starts people off with an image that image automation finds, where the demo has an ImagePolicy", async () => {
    const { find } = await deployFlux({ demo: { ...CONFIG.demo, imagePolicy: "demo" } });
    const { seeds } = find("GitCommit", "flux").inputs as { seeds: Record<string, string> };
    assert.match(
      seeds["apps/test/kustomization.yaml"] ?? "",
      /newName: acme\.azurecr\.io\/ghcr\.io\/stefanprodan\/podinfo # \{"\$imagepolicy": "flux-system:demo:name"\}/,
    );
  });

  it("names its files for a kustomization.yaml that people have beside them, and folders within each other", async () => {
    const commit = async (args: object) => (await deployFlux(args)).find("GitCommit", "flux").inputs;
    const listed = (...resources: string[]) => ({ "clusters/test/kustomization.yaml": { resources } });
    const one = await commit({});
    assert.deepEqual([one.listed, "apart" in one], [listed("infrastructure.yaml", "apps.yaml"), false]);
    const kustomizations = [
      { name: "all", path: "apps" },
      { name: "team", path: "apps/team" },
    ];
    const two = await commit({ mode: "bootstrap", demo: undefined, kustomizations });
    assert.deepEqual(two.listed, listed("flux-system", "infrastructure.yaml", "all.yaml", "team.yaml"));
    assert.deepEqual(two.apart, { apps: ["apps/team"] });
  });

  it("commits nothing secret", async () => {
    const { find } = await deployFlux();
    assert.deepEqual(find("GitCommit", "flux").secrets, []);
  });
});
