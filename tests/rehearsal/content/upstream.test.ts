import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { readTarGz } from "../../../net/archive.ts";
import { digestOf, MEDIA } from "../../../rehearsal/cloud/registry/protocol.ts";
import { gzip, tar } from "../../../rehearsal/content/archive.ts";
import { imageContent, parseReference } from "../../../rehearsal/content/image.ts";
import { kuredChart } from "../../../rehearsal/content/ownCharts.ts";
import { upstreamContent } from "../../../rehearsal/content/upstream.ts";

const KURED = { name: "kured", repository: "https://kubereboot.github.io/charts", version: "6.1.0" };
const NO_FOLDER = { realCharts: join(tmpdir(), "no such folder") };

function references(content: Awaited<ReturnType<typeof upstreamContent>>): string[] {
  return content.images.map(({ registry, repository, tags }) => `${registry}/${repository}:${tags.join()}`);
}

describe("Images made for the rehearsal", () => {
  it("are the same bytes on every machine", () => {
    const expected = "sha256:f8f8c44cd199982ab7f7ba625cca6ba61bd69e1ae8ddf0c1061a3cd640706ce2";
    assert.equal(imageContent("ghcr.io/kubereboot/kured:1.23.0").digest, expected);
    assert.notEqual(imageContent("ghcr.io/kubereboot/kured:1.24.0").digest, expected);
  });

  it("have an index of two architectures whose manifests, configs and layers are all there", () => {
    const { manifests, blobs, digest } = imageContent("ghcr.io/a/b:1");
    const index = JSON.parse(manifests.at(-1)?.body.toString() ?? "");
    assert.deepEqual([digestOf(manifests.at(-1)?.body ?? Buffer.alloc(0)), index.mediaType], [digest, MEDIA.ociIndex]);
    assert.deepEqual(
      index.manifests.map((entry: { platform: object }) => entry.platform),
      [
        { architecture: "amd64", os: "linux" },
        { architecture: "arm64", os: "linux" },
      ],
    );
    const known = new Set([...manifests.map(({ body }) => body), ...blobs].map(digestOf));
    for (const { digest: child } of index.manifests) {
      assert.ok(known.has(child));
      const manifest = manifests.find(({ body }) => digestOf(body) === child);
      const { config, layers } = JSON.parse(manifest?.body.toString() ?? "");
      assert.ok(known.has(config.digest) && known.has(layers[0].digest));
    }
  });

  it("are named as container engines name them", () => {
    const parts = (text: string) => Object.values(parseReference(text)).slice(0, 3);
    assert.deepEqual(parts("busybox"), ["docker.io", "library/busybox", "latest"]);
    assert.deepEqual(parts("acme/app:1"), ["docker.io", "acme/app", "1"]);
    assert.deepEqual(parts("registry.k8s.io/pause:3.10"), ["registry.k8s.io", "pause", "3.10"]);
    const digest = `sha256:${"a".repeat(64)}`;
    assert.deepEqual(Object.values(parseReference(`ghcr.io/a/b@${digest}`)), ["ghcr.io", "a/b", undefined, digest]);
    assert.throws(() => parseReference("a b@x"), /is not an image reference/);
  });
});

describe("The rehearsal's chart in Kured's shape", () => {
  it("is the same bytes on every machine", () => {
    assert.equal(digestOf(kuredChart().tgz), "sha256:6f087597e199ae293a3379fbb37bced01bd8ba68fef87a1c8ef36cb96adb278d");
  });

  it("has metadata, values and templates where Helm looks for them", async () => {
    const files = new Map((await readTarGz(kuredChart().tgz)).map(({ path, content }) => [path, content.toString()]));
    const chart = parse(files.get("kured/Chart.yaml") ?? "");
    assert.deepEqual([chart.name, chart.version, chart.appVersion], ["kured", "6.1.0", "1.23.0"]);
    const { image, tolerations } = parse(files.get("kured/values.yaml") ?? "");
    assert.deepEqual(
      [image.repository, image.tag, image.pullPolicy, tolerations],
      ["ghcr.io/kubereboot/kured", "", "IfNotPresent", []],
    );
    assert.ok(files.has("kured/templates/daemonset.yaml"));
    assert.deepEqual(
      [...files.keys()].filter((path) => path.endsWith(".gotmpl")),
      [],
    );
  });
});

describe("Upstream content of a stack", () => {
  it("holds its charts, the images they use and the images of the settings, each once", async () => {
    const images = ["ghcr.io/stefanprodan/podinfo:6.14.1", "ghcr.io/kubereboot/kured:1.23.0"];
    const content = await upstreamContent({ charts: [KURED], images }, { ...NO_FOLDER, extraImages: ["busybox:1.36"] });
    assert.deepEqual(references(content), [...images, "docker.io/library/busybox:1.36"]);
    assert.deepEqual(content.repositories, [{ url: KURED.repository, charts: [kuredChart().tgz] }]);
  });

  it("follows an image that the chart's values change", async () => {
    const chart = { ...KURED, values: { image: { repository: "ghcr.io/acme/kured", tag: "2.0.0" } } };
    assert.deepEqual(references(await upstreamContent({ charts: [chart], images: [] }, NO_FOLDER)), [
      "ghcr.io/acme/kured:2.0.0",
    ]);
  });

  it("puts charts of oci:// repositories into the registry", async () => {
    const chart = { ...KURED, repository: "oci://ghcr.io/acme/charts" };
    const content = await upstreamContent({ charts: [chart], images: [] }, NO_FOLDER);
    assert.deepEqual(references(content), ["ghcr.io/kubereboot/kured:1.23.0", "ghcr.io/acme/charts/kured:6.1.0"]);
    assert.deepEqual(content.repositories, []);
    assert.deepEqual(content.images[1]?.blobs[1], kuredChart().tgz);
  });

  it("prefers a real chart of the folder, and serves others from there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "charts-"));
    try {
      const file = (name: string, text: string) => ({ path: `other/${name}`, body: Buffer.from(text) });
      const other = gzip(tar([file("Chart.yaml", "{apiVersion: v2, name: other, version: 1.0.0, appVersion: 3}")]));
      writeFileSync(join(folder, "other-1.0.0.tgz"), other);
      const setting = {
        name: "other",
        version: "1.0.0",
        repository: "https://charts.example/x",
        values: { image: { repository: "quay.io/o/o" } },
      };
      const content = await upstreamContent({ charts: [setting], images: [] }, { realCharts: folder });
      assert.deepEqual(content.repositories, [{ url: "https://charts.example/x", charts: [other] }]);
      assert.deepEqual(references(content), ["quay.io/o/o:3"]);
      writeFileSync(join(folder, "kured-6.1.0.tgz"), other);
      assert.deepEqual(
        (await upstreamContent({ charts: [KURED], images: [] }, { realCharts: folder })).repositories[0]?.charts,
        [other],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("says which chart it has no content for, and what it can serve", async () => {
    const chart = { ...KURED, version: "6.2.0" };
    await assert.rejects(
      upstreamContent({ charts: [chart], images: [] }, NO_FOLDER),
      /cannot serve the chart kured 6\.2\.0 \(aks-gitops:charts, repository https:\/\/kubereboot\.github\.io\/charts\)\. It can serve cert-manager-v1\.19\.1\.tgz, kured-6\.1\.0\.tgz, traefik-37\.3\.0\.tgz\./,
    );
  });

  it("says where a missing chart is put and how it is had, and shows no password of its repository", async () => {
    const of = (repository: string) =>
      upstreamContent({ charts: [{ name: "other", version: "1.0.0", repository }], images: [] });
    const folder = join(import.meta.dirname, "../../../rehearsal-charts");
    await assert.rejects(of("https://user:hunter2@charts.test/x/"), ({ message }: Error) => {
      assert.ok(message.includes("(aks-gitops:charts, repository https://charts.test/x)"), message);
      const pull = `helm pull other --repo https://charts.test/x --version 1.0.0 --destination ${folder}`;
      assert.ok(message.includes(`Put other-1.0.0.tgz into ${folder}, with \`${pull}\``), message);
      return !message.includes("hunter2");
    });
    await assert.rejects(of("oci://charts.test/x"), /`helm pull oci:\/\/charts\.test\/x\/other --version 1\.0\.0 /);
  });

  it("refuses an image pinned to a digest that it cannot make", async () => {
    const pinned = (digest: string) => upstreamContent({ charts: [], images: [`ghcr.io/a/b:1@${digest}`] }, NO_FOLDER);
    const { digest } = imageContent("ghcr.io/a/b:1");
    assert.equal((await pinned(digest)).images.length, 1);
    await assert.rejects(pinned(`sha256:${"0".repeat(64)}`), new RegExp(`has the digest ${digest}`));
  });
});
