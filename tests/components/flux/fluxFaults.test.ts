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
  it("another host's repository, and names that Git or Kubernetes does not take", async () => {
    assert.deepEqual(
      await faults({ repository: "https://gitlab.com/acme/fleet", stack: "Prod/EU", branch: "a..b", readyMinutes: 0 }),
      [
        "repository is no repository on GitHub",
        "stack cannot be the name of folders",
        "branch is no branch",
        "readyMinutes is no time to wait",
      ],
    );
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

  it("charts and a demo that the lock does not know", async () => {
    assert.deepEqual(await faults({ charts: [{ name: "keda", namespace: "keda" }], demo: { image: "nginx:1.29" } }), [
      "charts[0].name is no chart of the lock, so nothing says what to release",
      "demo.image is no image of the lock, so nothing says which digest to run",
    ]);
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
