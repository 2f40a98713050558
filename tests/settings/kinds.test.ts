// Kinds of what AKS and Kubernetes refuse, by many inputs of each: what is refused, where and why; and what is next to it and
// is taken.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { faults } from "./faults.ts";

type Try = readonly [what: string, config: Record<string, unknown>, fault?: string];

const cluster = (settings: object) => ({ "aks-gitops:cluster": settings });
const network = (settings: object) => cluster({ network: settings });
const user = (settings: object) => cluster({ userPools: [{ name: "apps", ...settings }] });
const secret = (settings: object) => ({ "aks-gitops:secrets": [{ name: "web", namespace: "web", ...settings }] });
/** A virtual network with its three subnets, whose first address is given by two numbers. */
const vnet = (start: string, prefix: number) =>
  network({
    ...{ vnet: `${start}.0.0/${prefix}`, nodes: `${start}.0.0/20` },
    ...{ apiServer: `${start}.16.0/28`, endpoints: `${start}.17.0/24` },
  });
const K = "kubernetes.io";
const docker = (text: string) => secret({ type: `${K}/dockerconfigjson`, data: { ".dockerconfigjson": text } });
const disk = (vmSize: string, osDiskSizeGB?: number) => user({ vmSize, osDiskType: "Ephemeral", osDiskSizeGB });

const KINDS: Readonly<Record<string, readonly Try[]>> = {
  "ranges that AKS or Azure keep": [
    ["services in the addresses of documents", network({ services: "192.0.2.0/24" }), "services touches 192.0.2.0/24"],
    ["services around them", network({ services: "192.0.0.0/16" }), "services touches 192.0.2.0/24"],
    ["services beside them", network({ services: "192.0.3.0/24" })],
    ["a part of a kept range", network({ services: "169.254.10.0/24" }), "services touches 169.254.0.0/16"],
    ["pods around two of them", network({ pods: "172.16.0.0/12" }), "pods touches 172.30.0.0/16"],
    ["pods below them", network({ pods: "172.16.0.0/13" })],
    ["a network around them", vnet("172.16", 12), "vnet touches 172.30.0.0/16"],
    ["a network of one of them", vnet("172.30", 16), "vnet touches 172.30.0.0/16"],
    ["a network beside them", vnet("172.29", 16)],
    ["pods of many receivers", network({ pods: "224.0.0.0/8" }), "pods touches 224.0.0.0/4"],
    ["pods around Azure's own address", network({ pods: "168.63.0.0/16" }), "pods touches 168.63.129.16/32"],
    ["pods of a carrier", network({ pods: "100.64.0.0/10" })],
    ["services that are too many", network({ services: "11.0.0.0/11" }), "services is too large"],
    ["as many as there may be", network({ services: "11.0.0.0/12" })],
    ["pods of IPv6", network({ pods: "fd00::/64" }), "pods is not an IPv4 network in CIDR notation"],
    ["pods that share the services' addresses", network({ pods: "10.0.128.0/17" }), "services overlaps pods"],
  ],
  "ranges that are too small for the pools": [
    ["5 nodes and 2 of an upgrade in 8 networks", network({ pods: "10.244.0.0/21" })],
    ["in 4 networks", network({ pods: "10.244.0.0/22" }), "pods is too small for 7 nodes"],
    [
      "a surge of a number",
      cluster({ network: { pods: "10.244.0.0/23" }, systemPool: { maxCount: 1, maxSurge: "2" } }),
      "pods is too small for 3 nodes",
    ],
    ["a surge of all", cluster({ network: { pods: "10.244.0.0/23" }, systemPool: { maxCount: 1, maxSurge: "100%" } })],
    [
      "Spot nodes, which have none",
      cluster({
        network: { pods: "10.244.0.0/22" },
        systemPool: { maxCount: 1, maxSurge: "1" },
        userPools: [{ name: "spot", maxCount: 2, scaleSetPriority: "Spot" }],
      }),
    ],
    [
      "a pool of a fixed number",
      cluster({ network: { pods: "10.244.0.0/22" }, systemPool: { enableAutoScaling: false, minCount: 3 } }),
    ],
    [
      "one of a larger number",
      cluster({ network: { pods: "10.244.0.0/22" }, systemPool: { enableAutoScaling: false, minCount: 4 } }),
      "pods is too small for 6 nodes",
    ],
    ["the 11 addresses of a /28", cluster({ network: { nodes: "10.60.0.0/28" }, systemPool: { maxCount: 8 } })],
    [
      "one node more",
      cluster({ network: { nodes: "10.60.0.0/28" }, systemPool: { maxCount: 9 } }),
      "nodes is too small for 12 nodes",
    ],
  ],
  "numbers of nodes": [
    ["applications' pools that may be empty", user({ minCount: 0 })],
    ["Spot pools too", user({ minCount: 0, scaleSetPriority: "Spot" })],
    ["a pool that is empty", user({ minCount: 0, enableAutoScaling: false })],
    ["a system pool", cluster({ systemPool: { minCount: 0 } }), "minCount is not within the limits"],
    ["no most", user({ minCount: 0, maxCount: 0 }), "maxCount is not within the limits"],
    [
      "a fixed number above what an autoscaler would start",
      cluster({ systemPool: { minCount: 8, enableAutoScaling: false } }),
    ],
    ["the same with an autoscaler", cluster({ systemPool: { minCount: 8 } }), "minCount is more than maxCount 5"],
    [
      "more fixed nodes than Free takes",
      cluster({
        sku: "Free",
        network: { pods: "10.128.0.0/9" },
        systemPool: { minCount: 1000, enableAutoScaling: false },
        userPools: [{ name: "one", maxCount: 1 }],
      }),
      "sku takes 1000 nodes at most, and the pools may have 1001",
    ],
  ],
  "tiers, channels and versions": [
    ["Premium alone", cluster({ sku: "Premium" })],
    ["Premium, never", cluster({ sku: "Premium", upgradeChannel: "none" })],
    ["Premium, its nodes alone", cluster({ sku: "Premium", upgradeChannel: "node-image" })],
    [
      "Premium, stable",
      cluster({ sku: "Premium", upgradeChannel: "stable" }),
      "upgradeChannel does not go with sku Premium",
    ],
    [
      "Premium, rapid",
      cluster({ sku: "Premium", upgradeChannel: "rapid" }),
      "upgradeChannel does not go with sku Premium",
    ],
    ["Premium of a minor", cluster({ sku: "Premium", kubernetesVersion: "1.33" })],
    [
      "Premium of a patch that is patched",
      cluster({ sku: "Premium", kubernetesVersion: "1.33.2", upgradeChannel: "patch" }),
      "upgradeChannel does not go with kubernetesVersion 1.33.2",
    ],
    [
      "nodes by image and by patches",
      cluster({ upgradeChannel: "node-image", nodeOSUpgradeChannel: "SecurityPatch" }),
      "nodeOSUpgradeChannel does not go with upgradeChannel node-image",
    ],
    ["a tier in another case", cluster({ sku: "premium" }), "sku is not a known word"],
    [
      "a version as it is tagged",
      cluster({ kubernetesVersion: "v1.34" }),
      "kubernetesVersion does not have the right form",
    ],
    [
      "a version without quotes",
      cluster({ kubernetesVersion: 1.3 }),
      "kubernetesVersion is a number where a text is expected",
    ],
  ],
  "system disks on local ones": [
    [
      "75 GiB",
      disk("Standard_D2ds_v5"),
      "osDiskType does not go with Standard_D2ds_v5, which has a local disk of 75 GiB",
    ],
    ["75 GiB for a smaller system", disk("Standard_D2ds_v5", 64)],
    ["150 GiB for a larger one", disk("Standard_D4ds_v5", 200), "osDiskType does not go with Standard_D4ds_v5"],
    [
      "none",
      disk("Standard_D4s_v5"),
      "osDiskType does not go with Standard_D4s_v5, which has no local disk that counts",
    ],
    ["NVMe of Arm", disk("Standard_D8pds_v6"), "osDiskType does not go with Standard_D8pds_v6"],
    ["SCSI of Arm", disk("Standard_D8pds_v5")],
    ["a cache of 86 GiB", disk("Standard_DS2_v2"), "osDiskType does not go with Standard_DS2_v2"],
    ["a cache of 172 GiB", disk("Standard_DS3_v2")],
    ["a cache of 128 GiB", disk("Standard_F8s_v2")],
    ["burstable", disk("Standard_B4ms"), "osDiskType does not go with Standard_B4ms"],
    ["of nobody's knowledge", disk("Standard_M8ms")],
    ["a name in small letters", user({ vmSize: "standard_d4ds_v5" }), "vmSize does not have the right form"],
    ["one processor", user({ vmSize: "Standard_DS1_v2" }), "vmSize has one processor"],
    ["more than one, of a number that begins so", user({ vmSize: "Standard_DS11_v2" })],
  ],
  "secrets of a type": [
    [
      "a key for ssh that is empty",
      secret({ type: `${K}/ssh-auth`, data: { "ssh-privatekey": "" } }),
      "ssh-privatekey is empty",
    ],
    ["a key for ssh", secret({ type: `${K}/ssh-auth`, data: { "ssh-privatekey": "x", known_hosts: "y" } })],
    ["a certificate that is empty", secret({ type: `${K}/tls`, data: { "tls.crt": "", "tls.key": "" } })],
    [
      "a certificate without its key",
      secret({ type: `${K}/tls`, data: { "tls.crt": "x", "ca.crt": "y" } }),
      "data has no tls.key",
    ],
    ["a password of its own", secret({ type: `${K}/basic-auth`, generate: ["password"] })],
    [
      "neither name nor password",
      secret({ type: `${K}/basic-auth`, data: { pass: "x" } }),
      "data has neither username nor password",
    ],
    ["registries in a list", docker('{"auths":[]}'), ".dockerconfigjson has no auths"],
    ["registries in base64", docker("eyJhdXRocyI6e319"), ".dockerconfigjson is no JSON"],
    ["registries without a name above", docker('{"ghcr.io":{"auth":"x"}}'), ".dockerconfigjson has no auths"],
    ["helpers beside them", docker('{"auths":{},"credHelpers":{"x.azurecr.io":"acr"}}')],
    [
      "the other type's key",
      secret({ type: `${K}/dockercfg`, data: { ".dockerconfigjson": "{}" } }),
      "data has no .dockercfg",
    ],
    ["the older form", secret({ type: `${K}/dockercfg`, data: { ".dockercfg": '{"ghcr.io":{"auth":"x"}}' } })],
    [
      "the older form in a list",
      secret({ type: `${K}/dockercfg`, data: { ".dockercfg": "[]" } }),
      ".dockercfg is no map in JSON",
    ],
    [
      "a service account's token",
      secret({ type: `${K}/service-account-token`, data: { token: "x" } }),
      "type is made by Kubernetes",
    ],
    ["somebody's own type", secret({ type: "acme.example/token", data: { token: "x" } })],
    ["a name of dots", secret({ name: "acme.registry.cred", data: { token: "x" } })],
    ["a key of dots", secret({ data: { "..": "x" } }), "data has a name that does not have the right form"],
  ],
};

describe("the settings, of", () => {
  for (const [kind, tries] of Object.entries(KINDS))
    describe(kind, () => {
      for (const [what, config, expected] of tries)
        it(`${expected === undefined ? "take" : "refuse"} ${what}`, () => {
          const found = faults(config);
          if (expected === undefined) return assert.deepEqual(found, []);
          const told = found.map(({ key, problem }) => `${key} ${problem}`);
          assert.ok(
            told.some((one) => one.includes(expected)),
            told.join("\n"),
          );
          for (const { remedy } of found) assert.notEqual(remedy, "");
        });
    });
});
