import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { examineSettings } from "../../settings/parse.ts";
import { readSettings } from "../../settings/settings.ts";
import { GROUP, MINIMUM, read, warnings } from "./faults.ts";

const stackFile = (stack: string): Record<string, unknown> =>
  parse(readFileSync(resolve(import.meta.dirname, `../../Pulumi.${stack}.yaml`), "utf8")).config;

describe("settings", () => {
  it("fill in every default", () => {
    const pool = {
      ...{ vmSize: "Standard_D4ds_v5", osDiskType: undefined, osDiskSizeGB: undefined, zones: [] },
      ...{
        minCount: 1,
        maxCount: 5,
        enableAutoScaling: true,
        nodeLabels: {},
        maxSurge: "33%",
        drainTimeoutInMinutes: 30,
      },
    };
    assert.deepEqual(read({}), {
      project: "aks-gitops",
      stack: "test",
      location: "westeurope",
      otherCluster: undefined,
      deployers: GROUP,
      runner: "outside",
      resourceGroup: undefined,
      protect: false,
      passwordDays: 90,
      tags: {},
      cluster: {
        sku: "Standard",
        private: false,
        authorizedIpRanges: [],
        adminGroups: [],
        access: [],
        identity: undefined,
        kubernetesVersion: undefined,
        upgradeAfter: undefined,
        network: {
          subnets: undefined,
          zones: undefined,
          vnet: "10.60.0.0/16",
          nodes: "10.60.0.0/20",
          apiServer: "10.60.16.0/28",
          endpoints: "10.60.17.0/24",
          pods: "10.244.0.0/16",
          services: "10.0.0.0/16",
        },
        egress: "natGateway",
        publicPorts: ["80", "443"],
        nodeProvisioning: "Manual",
        systemPool: pool,
        userPools: [],
        maintenance: {
          utcOffset: "+00:00",
          autoUpgrade: { dayOfWeek: "Sunday", startTime: "01:00", durationHours: 6 },
          nodeOSUpgrade: { dayOfWeek: "Saturday", startTime: "01:00", durationHours: 6 },
        },
        upgradeChannel: "stable",
        nodeOSUpgradeChannel: "NodeImage",
        metrics: undefined,
        alerts: { emails: [] },
        podSecurity: undefined,
        logWorkspaceId: undefined,
        defender: true,
        zoneRedundantEgress: true,
      },
      registry: {
        existing: undefined,
        name: undefined,
        sku: "Standard",
        private: false,
        pullPrincipal: false,
        zoneRedundant: false,
        auditLogs: true,
      },
      flux: {
        mode: "extension",
        repository: "https://github.com/acme/fleet",
        branch: "main",
        artifact: undefined,
        createRepository: false,
        imageAutomation: false,
        kustomizations: undefined,
        configuration: undefined,
        configurations: undefined,
        extensionVersion: undefined,
        githubApp: undefined,
        start: "apps",
        version: "2.9.4",
        auth: "deployKey",
        username: "git",
        knownHosts: undefined,
        install: undefined,
        interval: undefined,
        recurseSubmodules: undefined,
        sources: undefined,
        commit: undefined,
        readyMinutes: 15,
        owner: "acme",
        name: "fleet",
        path: "clusters/test",
      },
      sops: {
        existingVault: undefined,
        existingKey: undefined,
        keyName: undefined,
        vault: undefined,
        purgeProtection: true,
        auditLogs: true,
        editors: [],
        encrypters: [],
        roles: { encrypt: undefined, decrypt: undefined },
        publicKey: undefined,
      },
      gitToken: undefined,
      imageSourceCredentials: undefined,
      imageSources: [],
      promoteFrom: undefined,
      gitKey: undefined,
      charts: [],
      ignoreImages: [],
      acceptForeign: [],
      images: [],
      demo: undefined,
      secrets: [],
    });
  });

  it("of the Free tier leave Defender and purge protection off", () => {
    const { cluster, sops } = read({ "aks-gitops:cluster": { sku: "Free" } });
    assert.deepEqual([cluster.defender, sops.purgeProtection], [false, false]);
  });

  it("of the Premium tier stay on a minor version, as its long-term support does", () => {
    const channel = (cluster: object) => read({ "aks-gitops:cluster": cluster }).cluster.upgradeChannel;
    assert.deepEqual(
      [channel({ sku: "Premium" }), channel({ sku: "Premium", upgradeChannel: "node-image" }), channel({})],
      ["patch", "node-image", "stable"],
    );
  });

  it("make a Premium registry zone-redundant where the region has zones", () => {
    const registry = { sku: "Premium" };
    assert.equal(read({ "aks-gitops:registry": registry }).registry.zoneRedundant, true);
    assert.equal(
      read({ "aks-gitops:registry": registry, "azure-native:location": "westus" }).registry.zoneRedundant,
      false,
    );
  });

  it("take the repository's address as Flux shall read it, with .git or without", () => {
    const { flux } = read({ "aks-gitops:flux": { repository: "https://github.com/acme/fleet.git/" } });
    assert.deepEqual([flux.repository, flux.owner, flux.name], ["https://github.com/acme/fleet.git", "acme", "fleet"]);
  });

  it("mirror the demo's image, and each image once", () => {
    const demo = { image: "ghcr.io/acme/demo:1" };
    const { images } = read({ "aks-gitops:demo": demo, "aks-gitops:images": ["quay.io/a/b:1", "ghcr.io/acme/demo:1"] });
    assert.deepEqual(images, ["quay.io/a/b:1", "ghcr.io/acme/demo:1"]);
  });

  it("are frozen at any depth", () => {
    const settings = read({}) as unknown as { cluster: { network: { vnet: string } } };
    assert.throws(() => {
      settings.cluster.network.vnet = "10.1.0.0/16";
    }, TypeError);
  });

  it("keep nulls in a chart's values", () => {
    const chart = { name: "a", repository: "https://a.b/c", version: "1.0.0", namespace: "a", values: { x: null } };
    assert.deepEqual(read({ "aks-gitops:charts": [chart] }).charts[0]?.values, { x: null });
  });

  for (const stack of ["prod", "dev"])
    it(`of Pulumi.${stack}.yaml have no fault, and nothing to be warned of`, () => {
      // What has to be set by the one who deploys.
      const own = { "aks-gitops:gitToken": "token" };
      const config = { ...stackFile(stack), ...(stack === "prod" ? own : {}) };
      const source = { project: "aks-gitops", stack, config, secretKeys: Object.keys(own) };
      const { settings, warnings } = examineSettings(source);
      assert.equal(settings.stack, stack);
      assert.deepEqual(warnings, []);
    });

  it("are checked without zod's messages in other languages, whose files take longer to load than all else", () => {
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    assert.ok(loaded.some((file) => /zod\W.*mini/.test(file)));
    assert.deepEqual(
      loaded.filter((file) => /zod\W.*locales/.test(file)),
      [],
    );
  });

  it("leave keys of other namespaces alone", () => {
    assert.equal(read({ "other:key": 1, "azure-native:tenantId": "x" }).location, "westeurope");
  });
});

describe("a warning", () => {
  const chart = { name: "kured", repository: "https://a.b/c", version: "1.0.0", namespace: "a" };

  for (const channel of [undefined, "SecurityPatch", "None"])
    it(`says that Kured finds nothing to do with the channel ${channel ?? "by default"}`, () => {
      const cluster = channel === undefined ? {} : { nodeOSUpgradeChannel: channel };
      const [warning, ...others] = warnings({ "aks-gitops:charts": [chart], "aks-gitops:cluster": cluster });
      assert.match(
        warning ?? "",
        new RegExp(
          "^aks-gitops:charts\\[0\\] releases kured, but it will find nothing to do: with " +
            `aks-gitops:cluster.nodeOSUpgradeChannel ${channel ?? "NodeImage"} .*Leave kured out, or set nodeOSUpgradeChannel: Unmanaged`,
        ),
      );
      assert.deepEqual(others, []);
    });

  it("is not given where nodes update themselves, nor without Kured", () => {
    const unmanaged = { "aks-gitops:cluster": { nodeOSUpgradeChannel: "Unmanaged" } };
    assert.deepEqual(warnings({ "aks-gitops:charts": [chart], ...unmanaged }), []);
    assert.deepEqual(warnings({}), []);
  });
});

describe("readSettings", () => {
  const secrets = [{ name: "a", namespace: "b", generate: [], data: { password: "hunter2" } }];

  async function run(config: Record<string, unknown>) {
    await pulumi.runtime.setMocks({ newResource: () => ({ id: "", state: {} }), call: () => ({}) }, "project", "test");
    const texts = Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    pulumi.runtime.setAllConfig(Object.fromEntries(texts), ["aks-gitops:secrets"]);
    return readSettings();
  }

  it("reads what the engine gives, and marks secrets' values as secret", async () => {
    const settings = await run({ ...MINIMUM, "aks-gitops:protect": true, "aks-gitops:secrets": secrets });
    assert.equal(settings.protect, true);
    const password = settings.secrets[0]?.data.password;
    assert.ok(pulumi.Output.isInstance(password));
    assert.equal(await pulumi.isSecret(password as pulumi.Output<string>), true);
    assert.equal(await new Promise((resolve) => password.apply(resolve)), "hunter2");
  });

  it("throws an error that the engine shows without a stack trace", async () => {
    await assert.rejects(run({ ...MINIMUM, "aks-gitops:runner": "nowhere" }), (error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.match(String(error), /aks-gitops:runner is not a known word/);
      return true;
    });
  });
});
