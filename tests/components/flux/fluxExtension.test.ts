import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { resolved } from "../deployment.ts";
import { deployFlux, filesOf } from "./fluxDeployment.ts";

const TARGET = {
  resourceGroupName: "group",
  clusterRp: "Microsoft.ContainerService",
  clusterResourceName: "managedClusters",
  clusterName: "aks",
};

describe("FluxBootstrap by the extension", () => {
  it("installs the extension with Flux's own identity and tenants apart", async () => {
    const { find } = await deployFlux();
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
    const { find } = await deployFlux({ imageAutomation: true });
    const settings = find("Extension", "flux").inputs.configurationSettings as Record<string, string>;
    assert.equal(settings["image-automation-controller.enabled"], "true");
    assert.equal(settings["image-reflector-controller.enabled"], "true");
  });

  it("lets the cluster read the repository with a key of its own, and nothing more", async () => {
    const { find } = await deployFlux();
    assert.deepEqual(find("PrivateKey", "flux").inputs, { algorithm: "ECDSA", ecdsaCurve: "P384" });
    assert.deepEqual(find("RepositoryDeployKey", "flux").inputs, {
      repository: "fleet",
      title: "flux-system-main-flux-system-./clusters/test",
      key: "ecdsa-sha2-nistp384 AAAA",
      readOnly: true,
    });
  });

  it("reconciles the stack's folder over SSH and waits for it", async () => {
    const { find } = await deployFlux();
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

  it("waits, after the configuration, until Azure tells that the commit is in every Kustomization", async () => {
    const { find, result } = await deployFlux({ readyMinutes: 40, branch: "live" });
    const ready = find("FluxConfigurationReady", "flux");
    assert.deepEqual(ready.inputs, {
      configurationId: "/subscriptions/00000000-0000-0000-0000-00000000000a/FluxConfiguration/flux",
      url: "https://github.com/acme/fleet",
      branch: "live",
      commit: "0123abc",
      kustomizations: ["flux-system-cluster", "infrastructure", "apps"],
      releases: ["kured"],
      readyMinutes: 40,
    });
    assert.deepEqual(ready.dependencies, ["FluxConfiguration::flux", "GitCommit::flux"]);
    assert.equal(ready.parent, "FluxBootstrap::flux");
    assert.equal(await resolved(result.commit), "0123abc");
  });

  it("has another configuration, and stays at a version, where it is told so", async () => {
    const configuration = { name: "bootstrap", namespace: "cluster-config", syncSeconds: 120 };
    const { find } = await deployFlux({ configuration, extensionVersion: "1.18.4" });
    const { autoUpgradeMinorVersion, version } = find("Extension", "flux").inputs;
    assert.deepEqual([autoUpgradeMinorVersion, version], [false, "1.18.4"]);
    const { fluxConfigurationName, namespace, scope, gitRepository } = find("FluxConfiguration", "flux").inputs;
    assert.deepEqual([fluxConfigurationName, namespace, scope], ["bootstrap", "cluster-config", "cluster"]);
    assert.equal((gitRepository as { syncIntervalInSeconds: number }).syncIntervalInSeconds, 120);
    assert.deepEqual(find("FluxConfigurationReady", "flux").inputs.kustomizations, [
      ...["bootstrap-cluster", "infrastructure", "apps"],
    ]);
    const files = Object.values(filesOf(find("GitCommit", "flux"))).join("\n");
    assert.doesNotMatch(files, /flux-system/);
    // Kustomizations, source and release.
    assert.equal(files.match(/namespace: cluster-config$/gm)?.length, 4);
  });

  it("has further configurations with the same sign-in, which nobody waits for", async () => {
    const configurations = [{ name: "team-a", namespace: "team-a", path: "./apps/test/team-a/" }];
    const { find, names } = await deployFlux({ configurations });
    assert.deepEqual(names("FluxConfiguration").sort(), ["flux", "flux-team-a"]);
    const [own, further] = ["flux", "flux-team-a"].map((name) => find("FluxConfiguration", name));
    const { fluxConfigurationName, namespace, scope, kustomizations, waitForReconciliation, gitRepository, ...rest } =
      further?.inputs ?? {};
    assert.deepEqual([fluxConfigurationName, namespace, scope], ["team-a", "team-a", "namespace"]);
    const { path, wait, prune } = (kustomizations as { cluster: Record<string, unknown> }).cluster;
    assert.deepEqual([path, wait, prune], ["./apps/test/team-a", false, true]);
    assert.deepEqual([waitForReconciliation, "reconciliationWaitDuration" in rest], [false, false]);
    assert.deepEqual(gitRepository, own?.inputs.gitRepository);
    assert.deepEqual(further?.secrets, ["configurationProtectedSettings"]);
    assert.deepEqual(further?.dependencies, own?.dependencies);
    assert.deepEqual(find("GitCommit", "flux").inputs.apart, { "apps/test": ["apps/test/team-a"] });
  });

  it("keeps the private key secret", async () => {
    const { find } = await deployFlux();
    assert.deepEqual(find("FluxConfiguration", "flux").secrets, ["configurationProtectedSettings"]);
  });

  it("configures when extension, commit, deploy key, mirrored content and Flux's rights are there", async () => {
    const { find } = await deployFlux();
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

  it("reads over HTTPS with the token of the settings, where they ask for that", async () => {
    const { find, names } = await withToken();
    const { gitRepository, configurationProtectedSettings } = find("FluxConfiguration", "flux").inputs;
    assert.deepEqual(gitRepository, {
      url: "https://github.com/acme/fleet",
      httpsUser: "git",
      repositoryRef: { branch: "main" },
      syncIntervalInSeconds: 60,
      timeoutInSeconds: 600,
    });
    assert.deepEqual(configurationProtectedSettings, { httpsKey: Buffer.from("hunter2").toString("base64") });
    assert.deepEqual([names("PrivateKey"), names("RepositoryDeployKey")], [[], []]);
  });

  it("keeps the token secret, and gives it to nothing else", async () => {
    const { find, resources } = await withToken();
    assert.deepEqual(find("FluxConfiguration", "flux").secrets, ["configurationProtectedSettings"]);
    const encoded = Buffer.from("hunter2").toString("base64");
    const holders = resources.filter(({ inputs }) =>
      [encoded, "hunter2"].some((text) => JSON.stringify(inputs).includes(text)),
    );
    assert.deepEqual(
      holders.map(({ type }) => type),
      ["azure-native:kubernetesconfiguration:FluxConfiguration"],
    );
  });

  it("needs neither Flux in the lock nor anything of a bootstrap", async () => {
    const { names } = await deployFlux();
    for (const type of ["FluxInstall", "FluxReady", "Secret", "kubernetes", "RoleAssignment"])
      assert.deepEqual(names(type), [], type);
  });
});

const withToken = () => deployFlux({ auth: "token" }, { gitToken: "hunter2" });
