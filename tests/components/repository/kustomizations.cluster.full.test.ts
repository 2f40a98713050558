import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { clusterFiles } from "../../../components/repository/kustomizations.ts";
import { sourceFiles } from "../../../components/repository/sources.ts";
import { CLUSTER_TIMEOUT, type TestCluster, testClusterWithFlux } from "../../support/cluster.ts";
import { EVERY_PROPERTY, SOURCES } from "./everyProperty.ts";

describe("a Kustomization that says everything", () => {
  let all: TestCluster;
  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    all = await testClusterWithFlux();
  });

  it("is what the real Flux's definitions take, field by field", async () => {
    const files = clusterFiles({ stack: "prod", kustomizations: [EVERY_PROPERTY] });
    const path = join(all.folder, "every-property.yaml");
    const apply = async (text: string) => {
      await writeFile(path, text);
      return all.kubectl(["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", path]);
    };
    const text = files["clusters/prod/web.yaml"] ?? "";
    assert.match(await apply(text), /kustomization\.kustomize\.toolkit\.fluxcd\.io\/web serverside-applied/);
    await assert.rejects(apply(text.replace("retryInterval", "retryIntervall")), /retryIntervall/);
  });

  it("comes from sources that they take too", async () => {
    const path = join(all.folder, "sources.yaml");
    await writeFile(path, Object.values(sourceFiles(SOURCES)).join("---\n"));
    const applied = await all.kubectl(["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", path]);
    for (const { kind, name } of SOURCES)
      assert.match(
        applied,
        new RegExp(`${kind.toLowerCase()}\\.source\\.toolkit\\.fluxcd\\.io/${name} serverside-applied`),
      );
  });
});
