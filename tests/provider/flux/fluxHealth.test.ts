import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { KubeObject } from "../../../net/kubernetesApi.ts";
import { unsettledIn, wrongIn } from "../../../provider/flux/fluxHealth.ts";

/** What is told of a GitRepository that Flux cannot read. */
function told(spec: object, message: string): string | undefined {
  const ready = { type: "Ready", status: "False", reason: "GitOperationFailed", message };
  const source = {
    ...{ apiVersion: "source.toolkit.fluxcd.io/v1", kind: "GitRepository" },
    ...{ metadata: { name: "flux-system", namespace: "flux-system", generation: 1 }, spec },
    status: { observedGeneration: 1, conditions: [ready] },
  } as unknown as KubeObject;
  return unsettledIn(() => source, [])[0]?.problem;
}

describe("a repository that Flux cannot read", () => {
  const SSH = { url: "ssh://git@git.acme.example/fleet" };
  const DEVOPS = { url: "https://dev.azure.com/acme/platform/_git/fleet" };
  const cases: [string, object, string, RegExp | undefined][] = [
    ["over HTTPS", DEVOPS, "authentication required", /; set FLUX_GIT_TOKEN to a token that reads the repository, and/],
    [
      "over SSH",
      SSH,
      "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
      /; register the public half of the key at the host with the right to read/,
    ],
    [
      "by another host's key",
      SSH,
      "ssh: handshake failed: knownhosts: key mismatch",
      /; compare the host's keys .* flux\.knownHosts/,
    ],
    [
      "as the controllers' identity",
      { ...DEVOPS, provider: "azure" },
      "unexpected client error: TF401019: The Git repository does not exist or you do not have permissions",
      /; add the service principal of Flux's identity to the organisation, and to the Readers/,
    ],
    [
      "as a GitHub App",
      { url: "https://github.com/acme/fleet", provider: "github" },
      "POST https://api.github.com/app/installations/7/access_tokens: 401 A JSON web token could not be decoded []",
      /; install the GitHub App on the repository with the right Contents: read, compare flux\.githubApp with it/,
    ],
    ["for another reason", SSH, "dial tcp: lookup git.acme.example: no such host", undefined],
  ];
  for (const [how, spec, message, remedy] of cases)
    it(`${how} is told with ${remedy === undefined ? "its reason alone" : "what helps"}`, () => {
      const problem = told(spec, message) ?? "";
      assert.ok(problem.startsWith(`GitOperationFailed: ${message}`), problem);
      if (remedy === undefined) assert.equal(problem, `GitOperationFailed: ${message}`);
      else assert.match(problem, remedy);
    });
});

describe("a further source that Flux cannot read", () => {
  const source = (kind: string, spec: object, reason: string, message: string) =>
    ({
      ...{ apiVersion: "source.toolkit.fluxcd.io/v1", kind },
      ...{ metadata: { name: "shop", namespace: "flux-system", generation: 1 }, spec },
      status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "False", reason, message }] },
    }) as unknown as KubeObject;
  const secretRef = { name: "shop-git" };
  const REFUSED = "unable to clone: authentication required: Invalid username or token";
  const OCI = { url: "oci://acme.azurecr.io/manifests/shop" };
  const DENIED = "GET https://acme.azurecr.io/v2/manifests/shop/manifests/v1: DENIED: requested access is denied";
  const cases: [string, string, object, string, string, string | undefined][] = [
    [
      "by its token",
      ...([
        "GitRepository",
        { url: "https://gitlab.com/acme/shop", secretRef },
        "GitOperationFailed",
        REFUSED,
      ] as const),
      "give a token that may read the repository at gitlab.com as password of the secret shop-git (aks-gitops:secrets)",
    ],
    [
      "without a secret",
      ...(["GitRepository", { url: "https://gitlab.com/acme/shop" }, "GitOperationFailed", REFUSED] as const),
      "name a secret that reads the repository at gitlab.com with the source shop (aks-gitops:flux.sources)",
    ],
    [
      "in a registry without a secret",
      ...(["OCIRepository", OCI, "OCIArtifactPullFailed", DENIED] as const),
      "name a secret that may pull manifests/shop from acme.azurecr.io with the source shop (aks-gitops:flux.sources)",
    ],
    [
      "in a registry as the controllers' identity",
      ...(["OCIRepository", { ...OCI, provider: "azure" }, "OCIArtifactPullFailed", DENIED] as const),
      "give Flux's identity the role AcrPull at the registry acme.azurecr.io",
    ],
    [
      "for another reason",
      ...(["Bucket", { endpoint: "https://a.blob.core.windows.net" }, "BucketOperationFailed", "i/o timeout"] as const),
      undefined,
    ],
  ];
  for (const [how, kind, spec, reason, message, remedy] of cases)
    it(`${how} is told with ${remedy === undefined ? "its reason alone" : "which right is missing, and where"}`, () => {
      const object = source(kind, spec, reason, message);
      const expected = [`${reason}: ${message}`, ...(remedy === undefined ? [] : [remedy])].join("; ");
      assert.deepEqual(
        wrongIn(() => object, [object]).map(({ problem }) => problem),
        [expected],
      );
    });
});
