import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import type { ArmOptions } from "../../../../rehearsal/cloud/arm/service.ts";
import type { ArmResource } from "../../../../rehearsal/cloud/types.ts";
import { type Cloud, newCloud, outcome } from "./cloud.ts";
import { cluster, clusterBody, identities, identity, network } from "./platform.ts";

const EXTENSION = `${cluster}/providers/Microsoft.KubernetesConfiguration/extensions/flux`;
const CONFIGURATION = `${cluster}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/flux-system`;
const CLIENT_ID = "99999999-2222-4333-8444-555555555555";

const extensionBody = (changes: object = {}) => ({
  properties: {
    extensionType: "microsoft.flux",
    autoUpgradeMinorVersion: true,
    configurationSettings: { "multiTenancy.enforce": "true", "image-automation-controller.enabled": "false" },
    ...changes,
  },
});

const secret = Buffer.from("the private key").toString("base64");
const git = { url: "ssh://git@github.com/acme/fleet", repositoryRef: { branch: "main" } };
const fluxBody = (changes: object = {}) => ({
  properties: {
    scope: "cluster",
    namespace: "flux-system",
    sourceKind: "GitRepository",
    gitRepository: git,
    configurationProtectedSettings: { sshPrivateKey: secret },
    kustomizations: { infra: { path: "./infra", prune: true }, apps: { path: "./apps", dependsOn: ["infra"] } },
    ...changes,
  },
});

describe("simulated ARM: Flux", () => {
  let cloud: Cloud;

  async function setUp(options: Partial<ArmOptions> = {}): Promise<void> {
    cloud = await newCloud(options);
    await network(cloud);
    await identities(cloud);
    await cloud.make(cluster, clusterBody());
  }

  beforeEach(() => setUp());

  it("installs the extension in its newest version, and never returns protected settings", async () => {
    const made = await cloud.make(EXTENSION, extensionBody({ configurationProtectedSettings: { a: "geheim" } }));
    assert.equal(made.properties.currentVersion, "1.18.4");
    assert.equal(made.properties.releaseTrain, "Stable");
    assert.equal(made.properties.provisioningState, "Succeeded");
    assert.deepEqual(made.properties.scope, { cluster: { releaseNamespace: "flux-system" } });
    assert.doesNotMatch(JSON.stringify(made), /geheim/);
    assert.doesNotMatch(JSON.stringify(cloud.recorded), /geheim/);
  });

  const wrongExtensions: [what: string, changes: object][] = [
    ["another type", { extensionType: "microsoft.dapr" }],
    ["an unknown setting", { configurationSettings: { "kustomize-controller.speed": "fast" } }],
    ["a value that a setting does not take", { configurationSettings: { "multiTenancy.enforce": "maybe" } }],
    ["workload identity without a client id", { configurationSettings: { "workloadIdentity.enable": "true" } }],
    ["a version with automatic upgrades", { version: "1.18.4" }],
    ["no version without automatic upgrades", { autoUpgradeMinorVersion: false }],
    ["an unknown release train", { releaseTrain: "Nightly" }],
  ];
  for (const [what, changes] of wrongExtensions)
    it(`refuses an extension with ${what}`, async () => {
      assert.deepEqual((await cloud.refused(EXTENSION, extensionBody(changes))).slice(0, 2), [400, "InvalidRequest"]);
    });

  it("takes every documented setting", async () => {
    await cloud.make(
      EXTENSION,
      extensionBody({
        configurationSettings: {
          "workloadIdentity.enable": "true",
          "workloadIdentity.azureClientId": CLIENT_ID,
          "workloadIdentity.azureTenantId": CLIENT_ID,
          "helm-controller.outOfMemoryWatch.memoryThreshold": "70",
          "helm-controller.detectDrift": "true",
          "source-controller.resources.limits.memory": "2Gi",
          "kustomize-controller.concurrent": "8",
          "kustomize-controller.requeue-dependency": "30s",
          "kustomize-controller.log-level": "debug",
        },
      }),
    );
  });

  it("has one Flux, on a cluster that is there", async () => {
    await cloud.make(EXTENSION, extensionBody());
    assert.deepEqual((await cloud.refused(EXTENSION.replace(/flux$/, "flux2"), extensionBody())).slice(0, 2), [
      409,
      "ExtensionAlreadyExists",
    ]);
    assert.deepEqual((await cloud.refused(EXTENSION.replace("/prod/", "/other/"), extensionBody())).slice(0, 2), [
      404,
      "ResourceNotFound",
    ]);
    const elsewhere = `${identity("control")}/providers/Microsoft.KubernetesConfiguration/extensions/flux`;
    assert.deepEqual((await cloud.refused(elsewhere, extensionBody())).slice(0, 2), [400, "BadRequest"]);
  });

  it("takes a configuration, names its Kustomizations, and does not claim compliance", async () => {
    await cloud.make(EXTENSION, extensionBody());
    const made = await cloud.make(CONFIGURATION, fluxBody());
    assert.equal(made.properties.complianceState, "Pending");
    assert.equal(made.properties.kustomizations.apps.name, "flux-system-apps");
    assert.equal(made.properties.kustomizations.apps.prune, false);
    assert.equal(made.properties.gitRepository.syncIntervalInSeconds, 600);
    assert.doesNotMatch(JSON.stringify([made, cloud.recorded]), new RegExp(secret));
    cloud.arm.reportFlux(CONFIGURATION, { complianceState: "Compliant" });
    assert.equal((await cloud.call("GET", CONFIGURATION)).body.properties.complianceState, "Compliant");
  });

  const wrongConfigurations: [what: string, changes: object][] = [
    ["a dependency that is not there", { kustomizations: { apps: { dependsOn: ["infra"] } } }],
    ["a circle of dependencies", { kustomizations: { a: { dependsOn: ["b"] }, b: { dependsOn: ["a"] } } }],
    ["a name that Kubernetes does not take", { kustomizations: { Apps: {} } }],
    ["a path out of the repository", { kustomizations: { apps: { path: "../x" } } }],
    ["no reference", { gitRepository: { url: git.url } }],
    ["two references", { gitRepository: { ...git, repositoryRef: { branch: "main", tag: "v1" } } }],
    ["an SSH key for HTTPS", { gitRepository: { ...git, url: "https://github.com/acme/fleet" } }],
    ["an HTTPS user for SSH", { gitRepository: { ...git, httpsUser: "git" } }],
    [
      "a user without a key",
      { gitRepository: { ...git, url: "https://x.example/y", httpsUser: "git" }, configurationProtectedSettings: {} },
    ],
    ["a local secret beside a key", { gitRepository: { ...git, localAuthRef: "x" } }],
    ["a key that is not base64", { configurationProtectedSettings: { sshPrivateKey: "-----BEGIN" } }],
    ["an unknown protected setting", { configurationProtectedSettings: { token: secret } }],
    ["a bucket for Git", { bucket: { url: "https://b.example" } }],
    ["no source", { gitRepository: undefined }],
  ];
  for (const [what, changes] of wrongConfigurations)
    it(`refuses a configuration with ${what}`, async () => {
      await cloud.make(EXTENSION, extensionBody());
      const [status, code, message] = await cloud.refused(CONFIGURATION, fluxBody(changes));
      assert.deepEqual([status, code], [400, "InvalidRequest"]);
      assert.doesNotMatch(message, /BEGIN/);
    });

  it("refuses a configuration without the extension, and changes of scope and namespace", async () => {
    assert.deepEqual((await cloud.refused(CONFIGURATION, fluxBody())).slice(0, 2), [400, "InvalidRequest"]);
    await cloud.make(EXTENSION, extensionBody());
    await cloud.make(CONFIGURATION, fluxBody());
    assert.deepEqual((await cloud.refused(CONFIGURATION, fluxBody({ namespace: "other" }))).slice(0, 2), [
      400,
      "PropertyChangeNotAllowed",
    ]);
    assert.deepEqual((await cloud.refused(CONFIGURATION, fluxBody({ scope: "namespace" }))).slice(0, 2), [
      400,
      "PropertyChangeNotAllowed",
    ]);
    assert.deepEqual((await cloud.refused(CONFIGURATION, fluxBody({ patches: [] }))).slice(0, 2), [
      400,
      "InvalidRequestContent",
    ]);
  });

  it("tells the rehearsal's agent of a configuration with its secrets, and waits where it was asked to", async () => {
    let done: () => void = () => {};
    const seen: [ArmResource, Readonly<Record<string, string>>][] = [];
    await setUp({
      onFluxConfiguration: (resource, secrets) => {
        seen.push([resource, secrets]);
        return new Promise((resolve) => {
          done = resolve;
        });
      },
    });
    await cloud.make(EXTENSION, extensionBody());
    const answer = await cloud.call("PUT", CONFIGURATION, fluxBody({ waitForReconciliation: true }));
    assert.deepEqual(
      seen.map(([resource, secrets]) => [resource.name, secrets]),
      [["flux-system", { sshPrivateKey: secret }]],
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal((await cloud.call("GET", CONFIGURATION)).body.properties.provisioningState, "Creating");
    cloud.arm.reportFlux(CONFIGURATION, { complianceState: "Compliant" });
    done();
    assert.equal(await cloud.finish(answer), "Succeeded");
    assert.equal((await cloud.call("GET", CONFIGURATION)).body.properties.complianceState, "Compliant");
  });

  it("fails the operation where reconciliation fails", async () => {
    await setUp({ onFluxConfiguration: async () => Promise.reject(new Error("no such branch")) });
    await cloud.make(EXTENSION, extensionBody());
    const answer = await cloud.call("PUT", CONFIGURATION, fluxBody({ waitForReconciliation: true }));
    assert.equal(await cloud.finish(answer), "Failed");
    assert.equal((await cloud.call("GET", CONFIGURATION)).body.properties.provisioningState, "Failed");
  });

  it("deletes a configuration only while its extension is there, and both with the cluster", async () => {
    await cloud.make(EXTENSION, extensionBody());
    await cloud.make(CONFIGURATION, fluxBody());
    await cloud.unmake(EXTENSION);
    assert.deepEqual(outcome(await cloud.call("DELETE", CONFIGURATION)).slice(0, 2), [409, "ExtensionNotInstalled"]);
    await cloud.make(EXTENSION, extensionBody());
    await cloud.unmake(CONFIGURATION);
    await cloud.make(CONFIGURATION, fluxBody());
    await cloud.unmake(cluster);
    assert.deepEqual(cloud.arm.list("Microsoft.KubernetesConfiguration/fluxConfigurations"), []);
    assert.deepEqual(cloud.arm.list("Microsoft.KubernetesConfiguration/extensions"), []);
  });
});
