import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { type Fault, parseSettings, readSettings, SettingsError } from "../../components/settings.ts";

const GROUP = "6f1f2b6e-1111-4e0a-9c60-000000000001";
const MINIMUM = {
  "azure-native:location": "westeurope",
  "aks-gitops:deployers": GROUP,
  "aks-gitops:flux": { repository: "https://github.com/acme/fleet" },
};

function read(config: Record<string, unknown>, more: { stack?: string; secretKeys?: string[] } = {}) {
  return parseSettings({ project: "aks-gitops", stack: "test", config: { ...MINIMUM, ...config }, ...more });
}

/** The faults of a configuration. */
function faults(
  config: Record<string, unknown>,
  more: { stack?: string; secretKeys?: string[] } = {},
): readonly Fault[] {
  try {
    read(config, more);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
  return [];
}

/** Its one fault in short. */
function fault(
  config: Record<string, unknown>,
  more: { stack?: string; secretKeys?: string[] } = {},
): [string, unknown, string] {
  const found = faults(config, more);
  assert.equal(found.length, 1, JSON.stringify(found, undefined, 1));
  const [{ key, value, problem, remedy } = { key: "", value: "", problem: "", remedy: "" }] = found;
  assert.notEqual(remedy, "");
  return [key, value, problem];
}

const stackFile = (stack: string): Record<string, unknown> =>
  parse(readFileSync(resolve(import.meta.dirname, `../../Pulumi.${stack}.yaml`), "utf8")).config;

describe("settings", () => {
  it("fill in every default", () => {
    const pool = { vmSize: "Standard_D4ds_v5", zones: [], minCount: 1, maxCount: 5 };
    assert.deepEqual(read({}), {
      project: "aks-gitops",
      stack: "test",
      location: "westeurope",
      deployers: GROUP,
      runner: "outside",
      protect: false,
      cluster: {
        sku: "Standard",
        private: false,
        authorizedIpRanges: [],
        adminGroups: [],
        network: {
          vnet: "10.60.0.0/16",
          nodes: "10.60.0.0/20",
          apiServer: "10.60.16.0/28",
          endpoints: "10.60.17.0/24",
          pods: "10.244.0.0/16",
          services: "10.0.0.0/16",
        },
        systemPool: pool,
        userPools: [],
        maintenance: {
          utcOffset: "+00:00",
          autoUpgrade: { dayOfWeek: "Sunday", startTime: "01:00", durationHours: 6 },
          nodeOSUpgrade: { dayOfWeek: "Saturday", startTime: "01:00", durationHours: 6 },
        },
        upgradeChannel: "stable",
        nodeOSUpgradeChannel: "NodeImage",
        defender: true,
      },
      registry: { name: undefined, sku: "Standard", private: false, pullPrincipal: false, zoneRedundant: false },
      flux: {
        mode: "extension",
        repository: "https://github.com/acme/fleet",
        branch: "main",
        imageAutomation: false,
        owner: "acme",
        name: "fleet",
        path: "clusters/test",
      },
      sops: {
        vault: undefined,
        purgeProtection: true,
        editors: [],
        encrypters: [],
        roles: { encrypt: undefined, decrypt: undefined },
        publicKey: undefined,
      },
      charts: [],
      images: [],
      demo: undefined,
      secrets: [],
    });
  });

  it("of the Free tier leave Defender and purge protection off", () => {
    const { cluster, sops } = read({ "aks-gitops:cluster": { sku: "Free" } });
    assert.deepEqual([cluster.defender, sops.purgeProtection], [false, false]);
  });

  it("make a Premium registry zone-redundant where the region has zones", () => {
    const registry = { sku: "Premium" };
    assert.equal(read({ "aks-gitops:registry": registry }).registry.zoneRedundant, true);
    assert.equal(
      read({ "aks-gitops:registry": registry, "azure-native:location": "westus" }).registry.zoneRedundant,
      false,
    );
  });

  it("take the repository's address with .git and a slash, and give it without", () => {
    const { flux } = read({ "aks-gitops:flux": { repository: "https://github.com/acme/fleet.git/" } });
    assert.deepEqual([flux.repository, flux.owner, flux.name], ["https://github.com/acme/fleet", "acme", "fleet"]);
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
    it(`of Pulumi.${stack}.yaml have no fault`, () => {
      assert.equal(parseSettings({ project: "aks-gitops", stack, config: stackFile(stack) }).stack, stack);
    });

  it("leave keys of other namespaces alone", () => {
    assert.equal(read({ "other:key": 1, "azure-native:tenantId": "x" }).location, "westeurope");
  });
});

describe("a fault of the settings", () => {
  it("names an unknown key and the nearest known one", () => {
    const [{ key, value, problem, remedy } = {} as Fault] = faults({ "aks-gitops:cluster": { privat: true } });
    assert.deepEqual([key, value, problem], ["aks-gitops:cluster.privat", true, "is not a known key"]);
    assert.match(remedy, /^did you mean private\? known keys are sku, private, /);
  });

  it("names a wrong type", () => {
    assert.deepEqual(fault({ "aks-gitops:demo": { image: "ghcr.io/a/b:1", replicas: "5" } }), [
      "aks-gitops:demo.replicas",
      "5",
      "is a text where a number is expected",
    ]);
  });

  it("names a missing repository", () => {
    assert.deepEqual(fault({ "aks-gitops:flux": null }), ["aks-gitops:flux.repository", undefined, "is missing"]);
  });

  it("names a missing region", () => {
    assert.deepEqual(fault({ "azure-native:location": undefined }), ["azure-native:location", undefined, "is missing"]);
  });

  it("names an unfit name of a stack", () => {
    assert.deepEqual(fault({}, { stack: "My_Stack" }), ["stack", "My_Stack", "does not have the right form"]);
  });

  for (const cidr of ["10.60.0.0/33", "10.60.1.0/16", "10.60.0/16", "10.60.0.0"])
    it(`names ${cidr} as no network`, () => {
      assert.deepEqual(fault({ "aks-gitops:cluster": { network: { vnet: cidr } } }), [
        "aks-gitops:cluster.network.vnet",
        cidr,
        "is not an IPv4 network in CIDR notation",
      ]);
    });

  it("names networks that overlap", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { network: { services: "10.244.128.0/20" } } }), [
      "aks-gitops:cluster.network.services",
      "10.244.128.0/20",
      "overlaps pods 10.244.0.0/16",
    ]);
  });

  it("names a subnet outside the network", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { network: { endpoints: "10.61.0.0/24" } } }), [
      "aks-gitops:cluster.network.endpoints",
      "10.61.0.0/24",
      "does not lie within vnet 10.60.0.0/16",
    ]);
  });

  it("names a network that is too small", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { network: { apiServer: "10.60.16.0/29" } } }), [
      "aks-gitops:cluster.network.apiServer",
      "10.60.16.0/29",
      "is too small",
    ]);
  });

  it("names address ranges of a private API server", () => {
    const cluster = { private: true, authorizedIpRanges: ["203.0.113.0/24"] };
    assert.deepEqual(fault({ "aks-gitops:cluster": cluster }), [
      "aks-gitops:cluster.authorizedIpRanges",
      ["203.0.113.0/24"],
      "cannot go with a private API server, which no public address reaches",
    ]);
  });

  it("names an upgrade channel that is never right", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { nodeOSUpgradeChannel: "Unmanaged" } }), [
      "aks-gitops:cluster.nodeOSUpgradeChannel",
      "Unmanaged",
      "is not a known word",
    ]);
  });

  it("names channels that exclude each other", () => {
    const cluster = { upgradeChannel: "node-image", nodeOSUpgradeChannel: "SecurityPatch" };
    assert.equal(fault({ "aks-gitops:cluster": cluster })[0], "aks-gitops:cluster.nodeOSUpgradeChannel");
  });

  it("names maintenance windows that overlap, across the end of the week too", () => {
    const maintenance = {
      autoUpgrade: { dayOfWeek: "Sunday", startTime: "22:00", durationHours: 8 },
      nodeOSUpgrade: { dayOfWeek: "Monday", startTime: "03:00", durationHours: 4 },
    };
    assert.equal(fault({ "aks-gitops:cluster": { maintenance } })[0], "aks-gitops:cluster.maintenance.nodeOSUpgrade");
  });

  it("names a burstable system pool", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { systemPool: { vmSize: "Standard_B4ms" } } }), [
      "aks-gitops:cluster.systemPool.vmSize",
      "Standard_B4ms",
      "is burstable and starves the system pods once its credits are spent",
    ]);
  });

  it("names counts the wrong way round", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { systemPool: { minCount: 6 } } }), [
      "aks-gitops:cluster.systemPool.minCount",
      6,
      "is more than maxCount 5",
    ]);
  });

  it("names zones of a region without any", () => {
    const config = { "azure-native:location": "westus", "aks-gitops:cluster": { systemPool: { zones: ["1"] } } };
    assert.deepEqual(fault(config), [
      "aks-gitops:cluster.systemPool.zones",
      ["1"],
      "do not exist in the region westus",
    ]);
  });

  for (const name of ["thirteenchars", "Apps", "a-b", "1st"])
    it(`names ${name} as no pool's name`, () => {
      assert.equal(
        fault({ "aks-gitops:cluster": { userPools: [{ name }] } })[0],
        "aks-gitops:cluster.userPools[0].name",
      );
    });

  it("names a pool that is there twice", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { userPools: [{ name: "system" }] } }), [
      "aks-gitops:cluster.userPools[0].name",
      "system",
      "is the name of another pool",
    ]);
  });

  for (const name of ["acr", "acr-prod", "a".repeat(51)])
    it(`names ${name.slice(0, 10)} as no registry's name`, () => {
      assert.equal(fault({ "aks-gitops:registry": { name } })[0], "aks-gitops:registry.name");
    });

  for (const vault of ["kv", "1vault", "a--b", "vault-", "v".repeat(25)])
    it(`names ${vault} as no vault's name`, () => {
      assert.equal(fault({ "aks-gitops:sops": { vault } })[0], "aks-gitops:sops.vault");
    });

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

  it("names the mode that is not there yet", () => {
    const flux = { mode: "bootstrap", repository: "https://github.com/acme/fleet" };
    assert.deepEqual(fault({ "aks-gitops:flux": flux }), [
      "aks-gitops:flux.mode",
      "bootstrap",
      "is not supported by this version",
    ]);
  });

  for (const repository of [
    "git@github.com:acme/fleet.git",
    "https://gitlab.com/acme/fleet",
    "https://github.com/acme",
  ])
    it(`names ${repository} as no repository on GitHub`, () => {
      assert.equal(fault({ "aks-gitops:flux": { repository } })[0], "aks-gitops:flux.repository");
    });

  for (const branch of ["a..b", "/a", "a b", "a.lock", "a/"])
    it(`names ${branch} as no branch`, () => {
      const flux = { repository: "https://github.com/acme/fleet", branch };
      assert.equal(fault({ "aks-gitops:flux": flux })[0], "aks-gitops:flux.branch");
    });

  for (const image of ["nginx", "nginx:1", "ghcr.io/acme/demo", "https://ghcr.io/acme/demo:1", "ghcr.io/Acme/demo:1"])
    it(`names ${image} as no whole image name`, () => {
      assert.equal(fault({ "aks-gitops:images": [image] })[0], "aks-gitops:images[0]");
    });

  it("names a version range of a chart", () => {
    const chart = { name: "a", repository: "https://a.b/c", version: "^1.0.0", namespace: "a" };
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
    remedy  write the address of an existing repository on GitHub, for example https://github.com/acme/fleet`,
    );
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
