// Settings of a cluster that is not AKS.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { fault, faults, read, warnings } from "./faults.ts";

const OTHER = {
  "aks-gitops:otherCluster": { context: "factory" },
  "aks-gitops:flux": { repository: "https://github.com/acme/fleet", mode: "bootstrap" },
  "aks-gitops:registry": { pullPrincipal: true },
};

describe("settings of a cluster that is not AKS", () => {
  it("name its context, and how images are pulled there", () => {
    const { otherCluster, flux } = read(OTHER);
    assert.deepEqual(otherCluster, { context: "factory", issuer: undefined, imagePullSecret: "acr-pull" });
    assert.equal(flux.imagePullSecret, "acr-pull");
    const issuer = "https://oidc.acme.com/factory";
    const named = read({ ...OTHER, "aks-gitops:otherCluster": { context: "f", issuer, imagePullSecret: "pull" } });
    assert.deepEqual([named.otherCluster?.issuer, named.flux.imagePullSecret], [issuer, "pull"]);
    assert.equal("imagePullSecret" in read({}).flux, false);
    const kured = { name: "kured", repository: "https://kubereboot.github.io/charts", version: "6.1.0" };
    assert.deepEqual(warnings({ ...OTHER, "aks-gitops:charts": [{ ...kured, namespace: "baseline" }] }), []);
  });

  it("are refused where their form is wrong", () => {
    const wrong = (other: object) => fault({ ...OTHER, "aks-gitops:otherCluster": other })[0];
    assert.equal(wrong({}), "aks-gitops:otherCluster.context");
    assert.equal(wrong({ context: "f", issuer: "http://oidc.acme.com" }), "aks-gitops:otherCluster.issuer");
    assert.equal(wrong({ context: "f", imagePullSecret: "Pull" }), "aks-gitops:otherCluster.imagePullSecret");
  });

  it("have no AKS cluster, its extension or its network beside them", () => {
    const VNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/hub";
    const found = faults({
      ...OTHER,
      "aks-gitops:cluster": { sku: "Free" },
      "aks-gitops:runner": { inside: { vnet: VNET } },
      "aks-gitops:flux": { repository: "https://github.com/acme/fleet" },
      "aks-gitops:registry": { sku: "Premium", private: true },
    });
    assert.deepEqual(
      found.map(({ key, value, problem }) => [key, value, problem]),
      [
        ["aks-gitops:cluster", undefined, "says nothing beside aks-gitops:otherCluster: no AKS cluster is made"],
        ["aks-gitops:flux.mode", "extension", "is AKS's: the cluster of aks-gitops:otherCluster has no such extension"],
        [
          "aks-gitops:registry.pullPrincipal",
          false,
          "has to be true: the nodes of aks-gitops:otherCluster have no identity that pulls",
        ],
        ...["registry.private", "runner.inside.vnet"].map((key) => [
          `aks-gitops:${key}`,
          key === "registry.private" ? true : VNET,
          "needs a network of AKS's, and aks-gitops:otherCluster has none that the program makes",
        ]),
      ],
    );
  });
});
