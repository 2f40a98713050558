import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parse } from "yaml";
import type { KubernetesApi, ObjectRef } from "../../../net/kubernetesApi.ts";
import { applySecrets, type SecretInputs } from "../../../provider/flux/fluxSecrets.ts";

const loginServer = "acme.azurecr.io";
const pullSecret = { name: "pull", username: "puller", password: "hunter2" };
const decryptSecret = { name: "sops", tenantId: "tenant", clientId: "client", clientSecret: "s3cret: #1" };

interface Secret extends ObjectRef {
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

/** Applies the Secrets in a cluster where a field manager has made those that are there. */
async function applied(wanted: SecretInputs, before?: SecretInputs, manager = "aks-gitops") {
  const made: Secret[] = [];
  const deleted: string[] = [];
  const api = {
    apply: async (object: Secret) => void made.push(object),
    metadataOf: async (ref: ObjectRef) => ({ ...ref, metadata: { ...ref.metadata, managedFields: [{ manager }] } }),
    delete: async ({ metadata }: ObjectRef) => void deleted.push(metadata.name),
  };
  await applySecrets(api as unknown as KubernetesApi, wanted, before);
  const text = (data: Secret["data"]) =>
    Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
  return { secrets: made.map(({ type, metadata, data }) => ({ type, ...metadata, data: text(data) })), deleted };
}

describe("the Secrets that a FluxInstall keeps", () => {
  it("are what each reader of them takes: Flux, the kubelet, and SOPS", async () => {
    const { secrets } = await applied({ loginServer, pullSecret, imagePullSecret: "acr-pull", decryptSecret });
    const [charts, images, sops] = secrets;
    const namespace = "flux-system";
    assert.deepEqual(charts, {
      type: "Opaque",
      name: "pull",
      namespace,
      data: { username: "puller", password: "hunter2" },
    });
    assert.deepEqual(
      [images?.type, images?.name, images?.namespace],
      ["kubernetes.io/dockerconfigjson", "acr-pull", namespace],
    );
    const auth = Buffer.from("puller:hunter2").toString("base64");
    assert.deepEqual(JSON.parse(images?.data[".dockerconfigjson"] ?? ""), {
      auths: { [loginServer]: { username: "puller", password: "hunter2", auth } },
    });
    assert.deepEqual([sops?.type, sops?.name], ["Opaque", "sops"]);
    const { name: _, ...azure } = decryptSecret;
    assert.deepEqual(parse(sops?.data["sops.azure-kv"] ?? ""), azure);
    assert.equal(secrets.length, 3);
  });

  it("are what an artifact is read with, which stays where Git had it before", async () => {
    const registry = { name: "registry", type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": "{}" } };
    const cosign = { name: "cosign", type: "Opaque", data: { "fleet.pub": "PUBLIC" } };
    const wanted = { loginServer, artifactSecrets: [registry, cosign] };
    const stays = { namespace: "flux-system", annotations: { "kustomize.toolkit.fluxcd.io/prune": "disabled" } };
    assert.deepEqual(
      (await applied(wanted)).secrets,
      [registry, cosign].map((one) => ({ ...one, ...stays })),
    );
    assert.deepEqual((await applied({ loginServer }, wanted)).deleted, ["registry", "cosign"]);
  });

  it("are none where nobody needs one", async () => {
    assert.deepEqual(await applied({ loginServer }), { secrets: [], deleted: [] });
  });

  it("go when they are called otherwise or needed no more, but not where somebody else's has the name", async () => {
    const before = { loginServer, pullSecret, imagePullSecret: "acr-pull", decryptSecret };
    const after = { loginServer, pullSecret: { ...pullSecret, name: "other" } };
    assert.deepEqual((await applied(after, before)).deleted, ["pull", "acr-pull", "sops"]);
    assert.deepEqual((await applied(before, before)).deleted, []);
    assert.deepEqual((await applied(after, before, "kubectl")).deleted, []);
  });
});
