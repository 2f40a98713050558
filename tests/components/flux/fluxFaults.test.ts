import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { FluxBootstrap } from "../../../components/flux/fluxBootstrap.ts";
import type { FluxBootstrapArgs } from "../../../components/flux/fluxBootstrapArgs.ts";
import { LOCK } from "../lock.ts";
import { refused } from "../refused.ts";
import { deployFlux, fluxArgs } from "./fluxDeployment.ts";

/** What FluxBootstrap has against arguments, the rest of them being faultless. */
function faults(args: Partial<FluxBootstrapArgs>): Promise<string[]> {
  return refused(() => new FluxBootstrap("flux", { ...fluxArgs(), ...args }));
}

describe("FluxBootstrap refuses", () => {
  it("an address of no repository, and names that Git or Kubernetes does not take", async () => {
    assert.deepEqual(
      await faults({ repository: "https://github.com/acme", stack: "Prod/EU", branch: "a..b", readyMinutes: 0 }),
      [
        "repository is no repository on GitHub",
        "stack cannot be the name of folders",
        "branch is no branch",
        "readyMinutes is no time to wait",
      ],
    );
  });

  it("a source that Flux would not read, and a Kustomization of none", async () => {
    const source = { name: "shop", kind: "OCIRepository", url: "oci://ghcr.io/acme/shop:v1", secret: "ghcr" } as const;
    const kustomizations = [
      { name: "shop", path: ".", source: "shop" },
      { name: "web", path: "web", source: "wed" },
      { name: "all", path: "." },
    ];
    assert.deepEqual(await faults({ sources: [source], kustomizations }), [
      "kustomizations[2].path does not have the right form",
      "demo stands in apps/test, which no Kustomization of the stack applies",
      "sources[0].url is no address of an OCI artifact",
      "sources[0].tag is missing, and so are semver and digest",
      "sources[0].secret is no secret of namespace flux-system that the stack has",
      "kustomizations[1].source is no source of this stack",
    ]);
  });

  it("a way to sign in without what it signs in with", async () => {
    assert.deepEqual(await faults({ auth: "token" }), [
      "gitToken is missing: with auth token the extension's Flux signs in to the repository with it",
    ]);
  });

  it("a bootstrap of no known Flux into a cluster that nobody reaches", async () => {
    assert.deepEqual(await faults({ mode: "bootstrap", access: undefined, lock: LOCK, deployers: "deployers" }), [
      "deployers is no object id",
      "access is missing: mode bootstrap installs Flux through the cluster's API server",
      "lock.flux is missing, so nothing says which Flux to bootstrap",
    ]);
  });

  it("Kustomizations that Flux would refuse or that would fight, and a demo that none of them applies", async () => {
    const kustomizations = [
      { name: "Web", path: "../web", dependsOn: ["api"] },
      { name: "flux-system", path: "infrastructure" },
    ];
    assert.deepEqual(await faults({ kustomizations, demo: { image: LOCK.images[0]?.source ?? "" } }), [
      "kustomizations[0].name is no name of a Kustomization",
      "kustomizations[0].path is no folder of the repository",
      "kustomizations[0].dependsOn is no Kustomization of this stack",
      "kustomizations[1].name is the name of Flux's own Kustomization",
      "kustomizations[1].path holds infrastructure/test, which Kustomization infrastructure applies: the same objects would be applied twice",
      "demo stands in apps/test, which no Kustomization of the stack applies",
    ]);
  });

  it("the extension's settings for a Flux that is bootstrapped, and an image that is not in the lock", async () => {
    const extension = { configuration: { name: "bootstrap" }, extensionVersion: "1.18.4" };
    assert.deepEqual(await faults({ mode: "bootstrap", ...extension }), [
      "configuration is of the AKS extension, but Flux is bootstrapped",
      "extensionVersion is of the AKS extension, but Flux is bootstrapped",
    ]);
    const own = {
      install: { tolerationKeys: ["a b"], clusterDomain: "x." },
      interval: "often",
      recurseSubmodules: true,
    };
    assert.deepEqual(
      await faults(own),
      ["install", "interval", "recurseSubmodules"].map(
        (name) => `${name} is of a bootstrapped Flux, but the AKS extension brings it`,
      ),
    );
    assert.deepEqual(await faults({ mode: "bootstrap", ...own }), [
      "install.tolerationKeys[0] is no key of a taint",
      "install.clusterDomain is no DNS domain",
      "interval is no duration of Flux",
    ]);
    const further = { name: "flux-system", namespace: "flux-system", path: "clusters/test/a" };
    assert.deepEqual(await faults({ configurations: [further, { name: "A", namespace: "a", path: "../a" }] }), [
      "configurations[1].name is no name of a configuration",
      "configurations[1].path is no folder of the repository",
      "configurations[0].name is the name of the program's own configuration",
      "configurations[0].namespace belongs to Flux itself",
      "configurations[0].path is within clusters/test, which Flux's own Kustomization applies (namespace flux-system): the same objects would be applied twice",
    ]);
    const azure = { name: "a", namespace: "azure-arc", path: "a" };
    assert.deepEqual(await faults({ configuration: { namespace: "kube-public" }, configurations: [azure] }), [
      "configuration.namespace belongs to Kubernetes itself",
      "configurations[0].namespace belongs to AKS, whose add-ons make it and keep it",
    ]);
    const images = [{ name: "web", mirrored: "ghcr.io/acme/web:1" }];
    assert.deepEqual(await faults({ demo: undefined, kustomizations: [{ name: "web", path: "web", images }] }), [
      "kustomizations[0].images[0].mirrored is no image of the lock, so nothing says which digest to run",
    ]);
  });

  it("a folder of the cluster that is none, or that the program's own payload is in", async () => {
    assert.deepEqual(await faults({ path: "/clusters" }), ["path is no folder of the repository"]);
    assert.deepEqual(await faults({ path: "infrastructure" }), [
      "path holds infrastructure/test, which Kustomization infrastructure applies: the same objects would be applied twice",
    ]);
  });

  it("charts and a demo that the lock does not know", async () => {
    assert.deepEqual(await faults({ charts: [{ name: "keda", namespace: "keda" }], demo: { image: "nginx:1.29" } }), [
      "charts[0].name is no chart of the lock, so nothing says what to release",
      "demo.image is no image of the lock, so nothing says which digest to run",
    ]);
  });

  it("releases that the lock does not know, that wait for nobody, or whose version nothing says", async () => {
    const own = { name: "web", repository: "oci://{registry}/helm", namespace: "web" };
    const charts = [
      { name: "kured", release: "night", namespace: "baseline" },
      { name: "kured", namespace: "baseline", dependsOn: ["web", "db"] },
      own,
    ];
    assert.deepEqual(await faults({ charts }), [
      "charts[0].release is no release of the chart kured in the lock, so nothing says what to release",
      "charts[1].dependsOn is no release of this stack",
      "charts[2].version is missing: the lock knows no chart of the stack's own registry",
    ]);
    assert.deepEqual(await faults({ charts: [{ ...own, version: "1.0.0" }], lock: { ...LOCK, charts: [] } }), []);
  });

  it("secrets that Kubernetes does not take, that are there twice, or that nobody opened", async () => {
    const sealed = { secure: "v1:ciphertext" } as unknown as string;
    const secrets = [
      { name: "Credentials", namespace: "demo" },
      { name: "a", namespace: "demo", generate: ["x", "x", "a b"], data: { "c d": "", token: sealed } },
      { name: "a", namespace: "demo" },
      { name: "flux-helm-acr-credentials", namespace: "flux-system" },
    ];
    assert.deepEqual(await faults({ secrets, pullCredentials: { username: "puller", password: "hunter2" } }), [
      "secrets[0].name is no name of a secret",
      "secrets[1].generate[2] is no key",
      "secrets[1].generate is there twice",
      "secrets[1].data has a key that is none",
      "secrets[1].data.token is still sealed",
      "secrets[2].name is the name of another secret of namespace demo",
      "secrets[3].name is the name of another secret of namespace flux-system",
    ]);
  });

  it("secrets without what Kubernetes asks of their type, and takes names with dots", async () => {
    const of = (type: string, data: Record<string, string>, generate: string[] = []) => ({
      ...{ name: `a.${type.replace("kubernetes.io/", "")}`, namespace: "demo" },
      ...{ type, data, generate },
    });
    const secrets = [
      of("kubernetes.io/tls", { "tls.crt": "x" }, ["tls.key"]),
      of("kubernetes.io/dockerconfigjson", { ".dockerconfigjson": "user:password" }),
      of("kubernetes.io/dockercfg", { dockercfg: "{}", "..": "x" }),
      of("kubernetes.io/basic-auth", { user: "admin" }),
      of("kubernetes.io/ssh-auth", { "ssh-privatekey": "x" }),
      of("kubernetes.io/service-account-token", {}),
    ];
    assert.deepEqual(await faults({ secrets }), [
      "secrets[0].generate[0] of type kubernetes.io/tls cannot be a random text",
      'secrets[1].data[".dockerconfigjson"] is no JSON',
      "secrets[2].data has a key that is none",
      "secrets[2].data has no .dockercfg, which Kubernetes asks of type kubernetes.io/dockercfg",
      "secrets[3].data has neither username nor password, and Kubernetes asks one of them of type kubernetes.io/basic-auth",
      "secrets[5].type is made by Kubernetes, which refuses one without its account",
    ]);
  });

  it("names that Flux, the program, Kubernetes or AKS have", async () => {
    const lock = {
      ...LOCK,
      charts: LOCK.charts.flatMap((chart) => ["flux-system", "demo", "a"].map((name) => ({ ...chart, name }))),
    };
    const charts = [
      { name: "flux-system", namespace: "flux-system" },
      { name: "demo", namespace: "demo" },
      { name: "a", namespace: "gatekeeper-system" },
    ];
    const secrets = [
      { name: "flux-system", namespace: "flux-system" },
      { name: "flux-system-auth", namespace: "flux-system" },
      { name: "a", namespace: "kube-public" },
      { name: "b-c", namespace: "a" },
      { name: "c", namespace: "a-b" },
    ];
    assert.deepEqual(await faults({ stack: "base", lock, charts, secrets }), [
      "stack is the name of folders that all stacks share: apps/base and infrastructure/base",
      "charts[0].name is the name of Flux itself, and of its GitRepository flux-system/flux-system",
      "charts[0].namespace belongs to Flux itself",
      "charts[1].name is the name of the demo application, which is in namespace demo too",
      "charts[2].namespace belongs to AKS, whose add-ons make it and keep it",
      "secrets[0].name is the name of the secret flux-system/flux-system, with which Flux signs in to the repository",
      "secrets[1].name is the name of the secret flux-system/flux-system-auth, with which Flux signs in to the repository",
      "secrets[2].namespace belongs to Kubernetes itself",
      "secrets[4].name cannot be told from secret a/b-c: with their namespaces before them both are called the same",
    ]);
  });

  it("nothing that works, and needs no more than what has no default", async () => {
    const { find } = await deployFlux({
      access: undefined,
      deployers: undefined,
      readableKeyUrl: undefined,
      contents: undefined,
      charts: undefined,
      demo: undefined,
      secrets: undefined,
    });
    assert.equal(find("FluxConfiguration", "flux").inputs.fluxConfigurationName, "flux-system");
    assert.equal(find("GitCommit", "flux").inputs.branch, "main");
  });
});
