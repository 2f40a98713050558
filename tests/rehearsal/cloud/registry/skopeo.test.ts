// skopeo is a client that nobody here wrote: what it can copy, speaks the protocol.
import { strict as assert } from "node:assert";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { before, describe, it } from "mocha";
import { UpstreamRegistries } from "../../../../rehearsal/cloud/registry/upstream.ts";
import { imageContent } from "../../../../rehearsal/content/image.ts";
import { FakeCloud, ROLES, serve } from "./support.ts";

const missing = spawnSync("skopeo", ["--version"]).error !== undefined;
const skopeo = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)("skopeo", ["--insecure-policy", ...args])).stdout;
const KURED = "ghcr.io/kubereboot/kured:1.23.0";

describe(`The registries through skopeo${missing ? " (skipped: skopeo is not in PATH)" : ""}`, () => {
  before(function () {
    if (missing) this.skip();
  });

  it("inspects and downloads an upstream image, both architectures, byte for byte", async () => {
    const { service } = new UpstreamRegistries([imageContent(KURED)]);
    const upstream = await serve(service, "ghcr.io");
    const folder = await mkdtemp(join(tmpdir(), "skopeo-"));
    try {
      const source = `docker://${upstream.address}/kubereboot/kured:1.23.0`;
      const inspected = JSON.parse(await skopeo("inspect", "--tls-verify=false", "--override-arch=arm64", source));
      assert.deepEqual(
        [inspected.Digest, inspected.Architecture, inspected.RepoTags],
        [imageContent(KURED).digest, "arm64", ["1.23.0"]],
      );
      await skopeo("copy", "--all", "--src-tls-verify=false", source, `dir:${folder}`);
      assert.deepEqual(await readFile(join(folder, "manifest.json")), imageContent(KURED).manifests.at(-1)?.body);
    } finally {
      await rm(folder, { recursive: true });
      await upstream.close();
    }
  });

  it("copies an image into a registry with AcrPush and out of it with AcrPull, at the same digest", async () => {
    const cloud = new FakeCloud();
    cloud.roles.set("pusher", ROLES.AcrPush);
    cloud.roles.set("puller", ROLES.AcrPull);
    const upstream = await serve(new UpstreamRegistries([imageContent(KURED)]).service, "ghcr.io");
    const acr = await serve(cloud.acr.service, "fleet.azurecr.io");
    const folder = await mkdtemp(join(tmpdir(), "skopeo-"));
    const insecure = ["--all", "--preserve-digests", "--src-tls-verify=false"];
    const source = `docker://${upstream.address}/kubereboot/kured:1.23.0`;
    const target = `docker://${acr.address}/ghcr.io/kubereboot/kured:1.23.0`;
    try {
      const push = (who: string) =>
        skopeo("copy", ...insecure, "--dest-tls-verify=false", `--dest-creds=${who}:secret of ${who}`, source, target);
      await assert.rejects(push("puller"), /unauthorized/);
      await push("pusher");
      await assert.rejects(
        skopeo("inspect", "--tls-verify=false", "--no-creds", target),
        /unauthorized|authentication required/,
      );
      await skopeo("copy", ...insecure, "--src-creds=puller:secret of puller", target, `dir:${folder}`);
      assert.deepEqual(await readFile(join(folder, "manifest.json")), imageContent(KURED).manifests.at(-1)?.body);
    } finally {
      await rm(folder, { recursive: true });
      await Promise.all([upstream.close(), acr.close()]);
    }
  });
});
