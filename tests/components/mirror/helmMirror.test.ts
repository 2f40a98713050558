import { strict as assert } from "node:assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { HelmMirror, type HelmMirrorArgs, readMirrorLock } from "../../../components/mirror/helmMirror.ts";
import type { Lock } from "../../../mirror/lock.ts";
import { digest, settingsOf } from "../../settings/settingsOf.ts";
import { deploy, resolved } from "../deployment.ts";
import { LOCK } from "../lock.ts";

const mirror = (lock: Lock = LOCK, more: Partial<HelmMirrorArgs> = {}) =>
  deploy(
    () =>
      new HelmMirror("mirror", {
        lock,
        registryId: "registry-id",
        importServer: "acme.azurecr.io",
        pushServer: "acme.azurecr.io",
        ...more,
      }),
  );

describe("HelmMirror", () => {
  it("imports each image of the lock by its digest", async () => {
    const { find, names } = await mirror();
    assert.deepEqual(names("ImageImport"), ["ghcr.io/kubereboot/kured:1.23.0", "ghcr.io/stefanprodan/podinfo:6.14.1"]);
    const { inputs, parent } = find("ImageImport", "ghcr.io/kubereboot/kured:1.23.0");
    assert.deepEqual(inputs, {
      registryId: "registry-id",
      loginServer: "acme.azurecr.io",
      source: "ghcr.io/kubereboot/kured:1.23.0",
      digest: digest("d"),
      repository: "ghcr.io/kubereboot/kured",
      tag: "1.23.0",
    });
    assert.equal(parent, "HelmMirror::mirror");
  });

  it("pushes each chart of the lock as it is", async () => {
    const { find, names } = await mirror();
    assert.deepEqual(names("ChartMirror"), ["kured"]);
    assert.deepEqual(find("ChartMirror", "kured").inputs, {
      registryId: "registry-id",
      loginServer: "acme.azurecr.io",
      repository: "charts/kured",
      version: "6.1.0",
      url: "https://kubereboot.github.io/charts/kured-6.1.0.tgz",
      sha256: "a".repeat(64),
      created: "2026-01-01T00:00:00Z",
      manifest: digest("b"),
    });
  });

  it("pushes a chart in one version once, whatever releases it has, and each other version beside", async () => {
    const [kured] = LOCK.charts;
    assert.ok(kured);
    const old = { ...kured, release: "old", version: "6.0.0", manifest: digest("1") };
    const lock = { ...LOCK, charts: [kured, { ...kured, release: "night" }, old] };
    const { names, find, result } = await mirror(lock);
    assert.deepEqual(names("ChartMirror"), ["kured", "old"]);
    const { repository, version } = find("ChartMirror", "old").inputs;
    assert.deepEqual([repository, version], ["charts/kured", "6.0.0"]);
    assert.equal(result.contents.length, 4);
    const where = await Promise.all(Object.values(result.charts).map((chart) => resolved(chart)));
    assert.deepEqual(Object.keys(result.charts), ["kured", "night", "old"]);
    assert.deepEqual(
      where.map((reference) => reference.replace("oci://acme.azurecr.io/charts/", "")),
      ["kured:6.1.0", "kured:6.1.0", "kured:6.0.0"],
    );
  });

  it("imports from where the sources say: by an Azure registry's id, with a sign-in, what is signed; the longest name counts", async () => {
    const [kured] = LOCK.charts;
    assert.ok(kured);
    const url = "oci://shared.azurecr.io/helm/kured:6.1.0";
    const attached = [{ digest: digest("9"), tag: "sha256-d.sig" }];
    const images = LOCK.images.map((image, index) => (index === 0 ? { ...image, attached } : image));
    const lock = { ...LOCK, images, charts: [{ ...kured, url, attached }] };
    const { find } = await mirror(lock, {
      sources: [
        { from: "shared.azurecr.io", resourceId: "shared-id", publicKey: "shared-key" },
        { from: "ghcr.io", publicKey: "other-key" },
        { from: "ghcr.io/kubereboot", publicKey: "kured-key" },
        { from: "ghcr.io/kube", publicKey: "no-path-ends-here" },
      ],
      credentials: { "ghcr.io": { username: "acme", password: "s3cret" } },
    });
    const { publicKey, credentials, attached: along } = find("ImageImport", "ghcr.io/kubereboot/kured:1.23.0").inputs;
    assert.deepEqual([publicKey, along], ["kured-key", attached]);
    assert.deepEqual(credentials, { username: "acme", password: "s3cret" });
    assert.equal(find("ImageImport", "ghcr.io/stefanprodan/podinfo:6.14.1").inputs.publicKey, "other-key");
    const chart = find("ChartMirror", "kured").inputs;
    assert.deepEqual(
      [chart.sourceRegistryId, chart.publicKey, chart.attached, chart.credentials],
      ["shared-id", "shared-key", attached, undefined],
    );
  });

  it("imports all by digest from another stack's registry, where one is given", async () => {
    const { find } = await mirror(LOCK, {
      promoteFrom: "dev-id",
      credentials: { "ghcr.io": { username: "a", password: "b" } },
    });
    const image = find("ImageImport", "ghcr.io/kubereboot/kured:1.23.0").inputs;
    assert.deepEqual(
      [image.sourceRegistryId, image.sourceRepository, image.credentials],
      ["dev-id", "ghcr.io/kubereboot/kured", undefined],
    );
    const chart = find("ChartMirror", "kured").inputs;
    assert.deepEqual([chart.sourceRegistryId, chart.sourceRepository], ["dev-id", "charts/kured"]);
  });

  it("tells where everything is in the registry", async () => {
    const { images, charts, contents } = (await mirror()).result;
    assert.equal(
      await resolved(images["ghcr.io/kubereboot/kured:1.23.0"] as pulumi.Output<string>),
      `acme.azurecr.io/ghcr.io/kubereboot/kured@${digest("d")}`,
    );
    assert.equal(await resolved(charts.kured as pulumi.Output<string>), "oci://acme.azurecr.io/charts/kured:6.1.0");
    assert.equal(contents.length, 3);
  });

  it("says without a stack trace that the lock is missing, and what to run", async () => {
    const root = await mkdtemp(join(tmpdir(), "aks-gitops-"));
    try {
      await assert.rejects(readMirrorLock(root, settingsOf()), (error) => {
        assert.ok(pulumi.RunError.isInstance(error));
        assert.match(String(error), /npm run mirror -- update --stack test/);
        return true;
      });
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
