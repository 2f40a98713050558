import { strict as assert } from "node:assert";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { FluxBootstrap } from "../../components/fluxBootstrap.ts";
import { deploy, resolved } from "./deployment.ts";
import { LOCK } from "./lock.ts";
import { settingsOf } from "./settingsOf.ts";

const CONFIG = {
  charts: [
    { name: "kured", repository: "https://kubereboot.github.io/charts", version: "6.1.0", namespace: "baseline" },
  ],
  demo: { image: "ghcr.io/stefanprodan/podinfo:6.14.1", replicas: 5 },
  secrets: [{ name: "demo-credentials", namespace: "demo", generate: ["password"], data: { username: "admin" } }],
};
const KEY_URL = "https://kv.vault.azure.net/keys/sops/v1";

/** Something that others have to wait for. */
class Requirement extends pulumi.CustomResource {
  constructor(name: string) {
    super("test:index:Requirement", name);
  }
}

function bootstrap(config: Record<string, unknown> = {}, more: { password?: string } = {}) {
  return deploy(
    () =>
      new FluxBootstrap("flux", {
        resourceGroupName: "group",
        clusterName: "aks",
        settings: settingsOf({ ...CONFIG, ...config }),
        lock: LOCK,
        loginServer: "acme.azurecr.io",
        keyUrl: KEY_URL,
        readableKeyUrl: KEY_URL,
        contents: [new Requirement("mirrored")],
        identity: { clientId: "client", tenantId: "tenant", requirements: [new Requirement("federated")] },
        ...(more.password ? { pullCredentials: { username: "puller", password: pulumi.secret(more.password) } } : {}),
      }),
  );
}

const TARGET = {
  resourceGroupName: "group",
  clusterRp: "Microsoft.ContainerService",
  clusterResourceName: "managedClusters",
  clusterName: "aks",
};

describe("FluxBootstrap", () => {
  it("installs the extension with Flux's own identity and tenants apart", async () => {
    const { find } = await bootstrap();
    assert.deepEqual(find("Extension", "flux").inputs, {
      ...TARGET,
      extensionName: "flux",
      extensionType: "microsoft.flux",
      autoUpgradeMinorVersion: true,
      releaseTrain: "Stable",
      scope: { cluster: { releaseNamespace: "flux-system" } },
      configurationSettings: {
        "image-automation-controller.enabled": "false",
        "image-reflector-controller.enabled": "false",
        "multiTenancy.enforce": "true",
        "workloadIdentity.enable": "true",
        "workloadIdentity.azureClientId": "client",
        "workloadIdentity.azureTenantId": "tenant",
      },
    });
  });

  it("runs the image controllers where the settings ask for them", async () => {
    const flux = { repository: "https://github.com/acme/fleet", imageAutomation: true };
    const { find } = await bootstrap({ flux });
    const settings = find("Extension", "flux").inputs.configurationSettings as Record<string, string>;
    assert.equal(settings["image-automation-controller.enabled"], "true");
    assert.equal(settings["image-reflector-controller.enabled"], "true");
  });

  it("lets the cluster read the repository with a key of its own, and nothing more", async () => {
    const { find } = await bootstrap();
    assert.deepEqual(find("PrivateKey", "flux").inputs, { algorithm: "ECDSA", ecdsaCurve: "P384" });
    assert.deepEqual(find("RepositoryDeployKey", "flux").inputs, {
      repository: "fleet",
      title: "flux-system-main-flux-system-./clusters/test",
      key: "ecdsa-sha2-nistp384 AAAA",
      readOnly: true,
    });
  });

  it("reconciles the stack's folder over SSH and waits for it", async () => {
    const { find } = await bootstrap();
    const { inputs } = find("FluxConfiguration", "flux");
    const { gitRepository, ...rest } = inputs as { gitRepository: { sshKnownHosts: string } };
    assert.deepEqual(rest, {
      ...TARGET,
      fluxConfigurationName: "flux-system",
      scope: "cluster",
      namespace: "flux-system",
      sourceKind: "GitRepository",
      suspend: false,
      configurationProtectedSettings: { sshPrivateKey: Buffer.from("PRIVATE").toString("base64") },
      kustomizations: {
        cluster: {
          path: "./clusters/test",
          prune: true,
          wait: true,
          syncIntervalInSeconds: 600,
          retryIntervalInSeconds: 60,
          timeoutInSeconds: 600,
        },
      },
      waitForReconciliation: true,
      reconciliationWaitDuration: "PT20M",
    });
    const { sshKnownHosts, ...git } = gitRepository;
    assert.deepEqual(git, {
      url: "ssh://git@github.com/acme/fleet",
      repositoryRef: { branch: "main" },
      syncIntervalInSeconds: 60,
      timeoutInSeconds: 600,
    });
    assert.deepEqual(
      Buffer.from(sshKnownHosts, "base64")
        .toString()
        .trim()
        .split("\n")
        .map((line) => line.split(" ").slice(0, 2)),
      [
        ["github.com", "ssh-ed25519"],
        ["github.com", "ecdsa-sha2-nistp256"],
        ["github.com", "ssh-rsa"],
      ],
    );
  });

  it("keeps the private key secret", async () => {
    const { find } = await bootstrap();
    assert.deepEqual(find("FluxConfiguration", "flux").secrets, ["configurationProtectedSettings"]);
  });

  it("configures when extension, commit, deploy key, mirrored content and Flux's rights are there", async () => {
    const { find } = await bootstrap();
    const { dependencies } = find("FluxConfiguration", "flux");
    for (const needed of [
      "Extension::flux",
      "GitCommit::flux",
      "RepositoryDeployKey::flux",
      "Requirement::mirrored",
      "Requirement::federated",
    ])
      assert.ok(dependencies.includes(needed), needed);
    assert.ok(find("GitCommit", "flux").dependencies.includes("Requirement::mirrored"));
  });

  it("encrypts given and generated values, which stay secret", async () => {
    const { find } = await bootstrap();
    assert.deepEqual(find("RandomPassword", "flux-demo-demo-credentials-password").inputs, {
      length: 32,
      special: false,
    });
    const secret = find("EncryptedSecret", "flux-demo-demo-credentials");
    assert.deepEqual(secret.inputs, {
      name: "demo-credentials",
      namespace: "demo",
      type: "Opaque",
      stringData: { username: "admin", password: "generated" },
      keyUrl: KEY_URL,
    });
    assert.deepEqual(secret.secrets, ["stringData"]);
  });

  it("encrypts the pull principal's credentials for Flux's namespace", async () => {
    const { find } = await bootstrap({}, { password: "hunter2" });
    const secret = find("EncryptedSecret", "flux-flux-system-flux-helm-acr-credentials");
    assert.deepEqual(secret.inputs.stringData, { username: "puller", password: "hunter2" });
    assert.deepEqual(secret.secrets, ["stringData"]);
    assert.ok(
      "infrastructure/test/secrets/flux-system/flux-helm-acr-credentials.yaml" in filesOf(find("GitCommit", "flux")),
    );
  });

  it("commits everything at once: files it owns, files to begin with and the rule of SOPS", async () => {
    const { find, names, result } = await bootstrap();
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
      message: "Update stack test",
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
    assert.equal(await resolved(result.complianceState), "Compliant");
  });

  it("commits nothing secret", async () => {
    const { find } = await bootstrap();
    assert.deepEqual(find("GitCommit", "flux").secrets, []);
  });
});

const filesOf = ({ inputs }: { inputs: Record<string, unknown> }) => inputs.files as Record<string, string>;
