import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { faults, read } from "./faults.ts";

const shop = { name: "shop", kind: "GitRepository", url: "https://git.acme.example/shop.git", branch: "main" };
const config = (
  sources: readonly unknown[],
  kustomizations: readonly unknown[] = [],
  more: Record<string, unknown> = {},
) => ({
  "aks-gitops:flux": { repository: "https://github.com/acme/fleet", sources, kustomizations },
  ...more,
});
const found = (...args: Parameters<typeof config>) =>
  faults(config(...args)).map(({ key, problem }) => `${key} ${problem}`);

describe("settings of further sources", () => {
  it("have the defaults of each, and are where Kustomizations come from", () => {
    const { sources = [], kustomizations = [] } = read(
      config([shop], [{ name: "shop", path: ".", source: "shop" }]),
    ).flux;
    const given = Object.fromEntries(Object.entries(sources[0] ?? {}).filter(([, value]) => value !== undefined));
    assert.deepEqual(given, { ...shop, interval: "5m0s" });
    assert.deepEqual([kustomizations[0]?.source, kustomizations[0]?.path], ["shop", "."]);
  });

  it("sign in with a secret of the stack in Flux's namespace", () => {
    const source = { ...shop, secret: "shop-git" };
    const data = { username: "git", password: "hush" };
    const secrets = (namespace: string) => ({ "aks-gitops:secrets": [{ name: "shop-git", namespace, data }] });
    assert.deepEqual(found([source], [], secrets("flux-system")), []);
    const fault = "aks-gitops:flux.sources[0].secret is no secret of namespace flux-system that the stack has";
    assert.deepEqual(found([source], [], secrets("shop")), [fault]);
    assert.deepEqual(found([source]), [fault]);
  });

  it("are refused where Flux would refuse them, each by its key", () => {
    const oci = {
      name: "kured",
      kind: "OCIRepository",
      url: "oci://ghcr.io/acme/shop",
      provider: "azure",
      branch: "main",
    };
    const [one] = faults(config([{ ...shop, kind: "Git" }]));
    assert.deepEqual([one?.key, one?.problem], ["aks-gitops:flux.sources[0].kind", "is not a known word"]);
    const charts = {
      "aks-gitops:charts": [{ name: "kured", version: "1.0.0", namespace: "a", repository: "https://a.example" }],
    };
    assert.deepEqual(found([oci], [], charts), [
      "aks-gitops:flux.sources[0].name is the name of a chart's release, whose source is called the same",
      "aks-gitops:flux.sources[0].tag is missing, and so are semver and digest",
      "aks-gitops:flux.sources[0].provider signs in to a registry of Azure alone",
      "aks-gitops:flux.sources[0].branch is nothing that an OCIRepository has",
    ]);
  });

  it("show no credential of an address", () => {
    const text = JSON.stringify(faults(config([{ ...shop, url: "https://u:hunter2@git.acme.example/shop" }])));
    assert.match(text, /holds a user name or a credential/);
    assert.doesNotMatch(text, /hunter2/);
  });

  it("are not named by a Kustomization where there is none of that name", () => {
    assert.deepEqual(found([shop], [{ name: "a", path: "a", source: "ship" }]), [
      "aks-gitops:flux.kustomizations[0].source is no source of this stack in namespace flux-system",
    ]);
  });
});
