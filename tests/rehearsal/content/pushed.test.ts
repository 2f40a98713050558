import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parseAllDocuments } from "yaml";
import { readTarGz } from "../../../net/archive.ts";
import type { RegistryStore } from "../../../rehearsal/cloud/registry/store.ts";
import { pushedContent } from "../../../rehearsal/content/pushed.ts";
import { FakeCloud, registryResource } from "../cloud/registry/support.ts";

const APPA = { name: "appawebapi", repository: "oci://{registry}/helm", version: "158.0.0" };
const KURED = { name: "kured", repository: "https://kubereboot.github.io/charts", version: "6.1.0" };

/** What a registry holds, as `repository:tag`. */
const held = (store: RegistryStore) =>
  store.names().flatMap((name) => [...(store.find(name)?.tags.keys() ?? [])].map((tag) => `${name}:${tag}`));

describe("what a company's pipelines have pushed", () => {
  it("is the charts of the own registry, at their place and version, and the image that each runs", async () => {
    const content = await pushedContent([APPA, KURED, { ...APPA, repository: "oci://{registry}" }], "fleet.azurecr.io");
    assert.deepEqual(
      content.map(({ registry, repository, tags }) => `${registry}/${repository}:${tags}`),
      [
        "fleet.azurecr.io/appawebapi:158",
        "fleet.azurecr.io/appawebapi:158",
        "fleet.azurecr.io/helm/appawebapi:158.0.0",
        "fleet.azurecr.io/appawebapi:158.0.0",
      ],
    );
    const tgz = content[2]?.blobs[1] ?? assert.fail("the chart has no archive");
    const files = await readTarGz(tgz);
    const values = files.find(({ path }) => path === "appawebapi/values.yaml");
    assert.equal(
      parseAllDocuments(values?.content.toString() ?? "")[0]?.toJS().image.repository,
      "fleet.azurecr.io/appawebapi",
    );
  });

  it("is the lowest version of a range that is followed", async () => {
    const of = async (version: string) =>
      (await pushedContent([{ ...APPA, version }], "fleet.azurecr.io")).at(-1)?.tags;
    assert.deepEqual(await of(">=158 <200"), ["158.0.0"]);
    assert.deepEqual(await of("~1.4"), ["1.4.0"]);
    await assert.rejects(
      of("<200"),
      /cannot tell which version of the chart appawebapi .* 200\.0\.0 is not within <200/,
    );
  });

  it("is in every registry that is there, and in each as soon as it is made", async () => {
    const cloud = new FakeCloud();
    const [fleet] = cloud.registries;
    assert.ok(fleet);
    await cloud.acr.push((loginServer) => pushedContent([APPA], loginServer));
    const expected = ["appawebapi:158", "helm/appawebapi:158.0.0"];
    assert.deepEqual(held(cloud.acr.store(fleet)), expected);
    const other = registryResource("Other");
    await cloud.acr.extension.created?.(other);
    assert.deepEqual(held(cloud.acr.store(other)), expected);
  });
});
