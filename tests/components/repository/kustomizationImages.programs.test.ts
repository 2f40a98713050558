// What kustomize itself makes of the images of a Kustomization: who says the version, the settings or the files.

import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { parse } from "yaml";
import { ownedFiles } from "../../../components/repository/files.ts";
import type { KustomizationImage } from "../../../components/repository/kustomizations.ts";
import { findTool } from "../../../tools/findTool.ts";

const DIGEST = `sha256:${"4".repeat(64)}`;
const SOURCE = "ghcr.io/acme/web:1.0.0";
const LOCK = {
  charts: [],
  images: [
    { source: SOURCE, repository: "ghcr.io/acme/web", tag: "1.0.0", digest: DIGEST, mediaType: "", platforms: [] },
  ],
};

describe("a Kustomization's images, as kustomize takes them", () => {
  let folder: string;
  let kustomize: string;
  before(async function () {
    this.timeout(1_200_000);
    kustomize = await findTool("kustomize");
    folder = await mkdtemp(join(tmpdir(), "kustomize-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What runs where a file names an image and the settings say this of it. */
  async function runs(written: string, image: KustomizationImage): Promise<string> {
    const kustomizations = [{ name: "apps", path: "apps/prod", images: [image] }];
    const files = ownedFiles({
      ...{ stack: "prod", loginServer: "acme.azurecr.io", charts: [], secrets: [] },
      ...{ lock: LOCK as never, kustomizations },
    });
    const { spec } = parse(files["clusters/prod/apps.yaml"] ?? "");
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } };
    const containers = [{ name: "a", image: written }];
    await writeFile(join(folder, "pod.yaml"), JSON.stringify({ ...pod, spec: { containers } }));
    // As kustomize-controller does it.
    await writeFile(
      join(folder, "kustomization.yaml"),
      JSON.stringify({ resources: ["pod.yaml"], images: spec.images }),
    );
    const { stdout } = await promisify(execFile)(kustomize, ["build", folder]);
    return parse(stdout).spec.containers[0].image;
  }

  const NEW_NAME = { name: "ghcr.io/acme/web", newName: "{registry}/ghcr.io/acme/web" };

  it("come from the registry with the files' own tags where only a name is written, whatever automation makes of them", async () => {
    assert.equal(await runs("ghcr.io/acme/web:1.0.0", NEW_NAME), "acme.azurecr.io/ghcr.io/acme/web:1.0.0");
    assert.equal(await runs("ghcr.io/acme/web:1.7.3", NEW_NAME), "acme.azurecr.io/ghcr.io/acme/web:1.7.3");
    const digest = `sha256:${"7".repeat(64)}`;
    assert.equal(
      await runs(`ghcr.io/acme/web:1.7.3@${digest}`, NEW_NAME),
      `acme.azurecr.io/ghcr.io/acme/web:1.7.3@${digest}`,
    );
  });

  it("are of the lock, by digest, where mirrored says so: no tag of the files counts", async () => {
    const pinned = `acme.azurecr.io/ghcr.io/acme/web@${DIGEST}`;
    for (const written of ["ghcr.io/acme/web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:1.7.3"])
      assert.equal(await runs(written, { name: "ghcr.io/acme/web", mirrored: SOURCE }), pinned);
    assert.equal(await runs("web:dev", { name: "web", mirrored: SOURCE }), pinned);
  });

  it("are of the settings' tag where they say one beside the name", async () => {
    const image = { ...NEW_NAME, newTag: "1.0.0" };
    assert.equal(await runs("ghcr.io/acme/web:1.7.3", image), "acme.azurecr.io/ghcr.io/acme/web:1.0.0");
  });
});
