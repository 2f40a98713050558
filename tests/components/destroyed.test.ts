// In which order a destroy may delete what the program registers: Flux goes while all is there that it cleans up with, so
// that no finalizer waits for a controller, a right or a network that is gone.
import { strict as assert } from "node:assert";
import { before, describe, it } from "mocha";
import { type Cloud, newCloud, outcome } from "../rehearsal/cloud/arm/cloud.ts";
import { cluster, clusterBody, identities, network } from "../rehearsal/cloud/arm/platform.ts";
import type { Registration } from "./deployment.ts";
import { run } from "./programRun.ts";

const CONFIG = {
  deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
  runner: {
    inside: {
      vnet: "/subscriptions/00000000-0000-0000-0000-00000000000c/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub",
    },
  },
  cluster: { private: true, userPools: [{ name: "apps" }] },
  registry: { sku: "Premium", private: true, pullPrincipal: true },
  charts: [
    { name: "kured", repository: "https://kubereboot.github.io/charts", version: "6.1.0", namespace: "baseline" },
  ],
  demo: { image: "ghcr.io/stefanprodan/podinfo:6.14.1" },
  secrets: [{ name: "demo-credentials", namespace: "demo", generate: ["password"] }],
};
const FLUX = { repository: "https://github.com/acme/fleet", auth: "deployKey" };

const keyOf = ({ type, name }: Pick<Registration, "type" | "name">) => `${type.split(":").at(-1)}::${name}`;

/**
 * An order in which the engine may delete: each when all that depends on it, or is below it, is gone. Of all of them the one
 * that is worst for `late`, which goes when nothing else can.
 */
function worstOrder(resources: readonly Registration[], late: string): string[] {
  const left = new Map(resources.map((one) => [keyOf(one), one]));
  const order: string[] = [];
  while (left.size > 0) {
    const held = new Set([...left.values()].flatMap(({ dependencies, parent }) => [...dependencies, parent]));
    const free = [...left.keys()].filter((key) => !held.has(key));
    const next = free.find((key) => key !== late) ?? free[0];
    assert.ok(next !== undefined, `nothing can go of ${[...left.keys()]}`);
    order.push(next);
    left.delete(next);
  }
  return order;
}

/** What may be gone when `late` goes. */
const goneBefore = (resources: readonly Registration[], late: string) => {
  const order = worstOrder(resources, late);
  assert.ok(order.includes(late), late);
  return order.slice(0, order.indexOf(late));
};

/** Types of what Flux needs when it cleans up: itself, its rights, what it reads, and the way there. */
const NEEDED = [
  ...["ManagedCluster", "VirtualNetwork", "NatGateway", "NetworkSecurityGroup", "NetworkPeering"],
  ...["Registry", "Vault", "VaultKey", "ImageImport", "ChartMirror", "GitCommit", "RepositoryDeployKey"],
  ...["FederatedIdentityCredential", "UserAssignedIdentity"],
  ...["PrivateEndpoint", "PrivateDnsZoneGroup", "PrivateZone", "ResourceGroup"],
];
/** More of the way there, of which a region or a wiring has some. */
const WAYS = ["PublicIPAddress", "VirtualNetworkLink", "ZoneLink"];
/** Role assignments without which it may not. */
const ROLES = ["flux-test-pull", "flux-test-decrypt", "acr-test-kubelet-pull", "aks-test-network", "aks-test-kubelet"];

describe("a destroy", () => {
  let extension: readonly Registration[];
  let bootstrap: readonly Registration[];

  before(async () => {
    extension = (await run({ ...CONFIG, flux: FLUX })).resources;
    bootstrap = (await run({ ...CONFIG, flux: { ...FLUX, mode: "bootstrap" } })).resources;
  });

  /** Of what has to be there, that which may be gone by then. */
  function tooEarly(resources: readonly Registration[], late: string, more: readonly string[]): string[] {
    const wanted = [...NEEDED, ...more];
    const all = resources.map(keyOf);
    for (const type of wanted)
      assert.ok(
        all.some((key) => key.startsWith(`${type}::`)),
        `there is no ${type}`,
      );
    for (const role of ROLES) assert.ok(all.includes(`RoleAssignment::${role}`), `there is no role ${role}`);
    return goneBefore(resources, late).filter((key) => {
      const [type = "", name = ""] = key.split("::");
      // What goes with the cluster asks Azure for nothing.
      return wanted.includes(type) || WAYS.includes(type) || ROLES.includes(name);
    });
  }

  it("takes Flux's configuration while the extension, its rights and the way to all it reads are there", () => {
    assert.deepEqual(tooEarly(extension, "FluxConfiguration::flux", ["Extension"]), []);
  });

  it("takes the extension while its cluster and the nodes of the applications are there", () => {
    const gone = goneBefore(extension, "Extension::flux");
    assert.ok(gone.includes("FluxConfiguration::flux"));
    assert.deepEqual(
      gone.filter((key) => /^(ManagedCluster|VirtualNetwork|NatGateway)::/.test(key)),
      [],
    );
  });

  it("uninstalls a bootstrapped Flux while its rights, the caller's and the way to all it reads are there", () => {
    assert.deepEqual(tooEarly(bootstrap, "FluxInstall::flux", []), []);
    assert.ok(!goneBefore(bootstrap, "FluxInstall::flux").includes("RoleAssignment::flux-deployers"));
  });

  it("asks Azure for no deletion of a pool, which disruption budgets would hold: they go with their cluster", () => {
    const pools = extension.filter(({ type }) => type.endsWith(":AgentPool"));
    assert.deepEqual(pools.map(({ name, deletedWith }) => [name, deletedWith]).sort(), [
      ["aks-test-apps", "ManagedCluster::aks-test"],
      ["aks-test-system", "ManagedCluster::aks-test"],
    ]);
  });

  describe("in the simulated Azure", () => {
    const EXTENSION = `${cluster}/providers/Microsoft.KubernetesConfiguration/extensions/flux`;
    const CONFIGURATION = `${cluster}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/flux-system`;
    const IDS: Readonly<Record<string, string>> = {
      "FluxConfiguration::flux": CONFIGURATION,
      "Extension::flux": EXTENSION,
      "ManagedCluster::aks-test": cluster,
    };

    async function standing(): Promise<Cloud> {
      const cloud = await newCloud();
      await network(cloud);
      await identities(cloud);
      await cloud.make(cluster, clusterBody());
      await cloud.make(EXTENSION, { properties: { extensionType: "microsoft.flux", autoUpgradeMinorVersion: true } });
      const git = { url: "https://github.com/acme/fleet", repositoryRef: { branch: "main" } };
      await cloud.make(CONFIGURATION, {
        properties: { scope: "cluster", namespace: "flux-system", sourceKind: "GitRepository", gitRepository: git },
      });
      return cloud;
    }

    /** What Azure says to each deletion, in an order that is worst for the configuration. */
    async function destroy(resources: readonly Registration[]): Promise<unknown[]> {
      const cloud = await standing();
      const answers: unknown[] = [];
      for (const key of worstOrder(resources, "FluxConfiguration::flux")) {
        const id = IDS[key];
        if (id === undefined) continue;
        const answer = await cloud.call("DELETE", id);
        answers.push(answer.status < 300 ? key : outcome(answer).slice(0, 2));
        if (answer.status < 300) await cloud.finish(answer);
      }
      return answers;
    }

    it("ends, in whichever order the engine takes", async () => {
      assert.deepEqual(await destroy(extension), [
        "FluxConfiguration::flux",
        "Extension::flux",
        "ManagedCluster::aks-test",
      ]);
    });

    it("would not, were the configuration not to hold on to its extension", async () => {
      const loose = extension.map((one) => ({
        ...one,
        dependencies: one.dependencies.filter((key) => key !== "Extension::flux"),
      }));
      const [first, second] = await destroy(loose);
      assert.deepEqual([first, second], ["Extension::flux", [409, "ExtensionNotInstalled"]]);
    });
  });
});
