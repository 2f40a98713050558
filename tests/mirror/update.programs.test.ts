import { strict as assert } from "node:assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, it } from "mocha";
import { parse, stringify } from "yaml";
import { chartSettings, lockText, readLock, sha256 } from "../../mirror/lock.ts";
import { chartManifest } from "../../net/chartManifest.ts";
import { cosignTag } from "../../net/registry/signature.ts";
import { MEDIA } from "../../rehearsal/cloud/registry/protocol.ts";
import type { UpstreamImage, UpstreamRegistries } from "../../rehearsal/cloud/registry/upstream.ts";
import { imageContent } from "../../rehearsal/content/image.ts";
import { findTool } from "../../tools/findTool.ts";
import { artifact } from "../rehearsal/cloud/registry/support.ts";
import { deployment, packChart } from "./charts.ts";
import { type Upstream, upstream } from "./upstream.ts";

const REPOSITORY = "https://charts.acme.example/stable";
const IMAGE = "ghcr.io/acme/tool:1.4.0";
const EXTRA = "docker.io/library/nginx:1.29";
// No Helm and no Go here, so nothing can be rendered.
const NO_HELM = "/nonexistent";

const tool = packChart(
  { image: { repository: "ghcr.io/acme/tool", tag: "" } },
  {
    "deployment.yaml": deployment("{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"),
  },
);
const setting = { name: "tool", repository: REPOSITORY, version: "1.0.0", namespace: "tools", values: { replicas: 2 } };

const MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n";

/** A chart without an image, so that one rendering is enough. */
const plain = (version: string, values: object = {}) => packChart(values, { "map.yaml": MAP }, { version });

/** The same tag with other content. */
function moved(reference: string): UpstreamImage & { digest: string } {
  const other = imageContent(reference.replace(/:.*/, ":moved"));
  return { ...other, tags: imageContent(reference).tags };
}

describe("mirror update", () => {
  let world: Upstream;
  before(async function () {
    // Where Helm must be built first.
    this.timeout(1_200_000);
    await findTool("helm");
  });
  beforeEach(async () => {
    world = await upstream();
    await world.publish({
      images: [imageContent(IMAGE), imageContent(EXTRA)],
      repositories: [{ url: REPOSITORY, charts: [tool], urls: "relative" }],
    });
    await world.settings([setting], [EXTRA]);
  });
  afterEach(() => world.close());

  const settings = { stack: "prod", charts: [setting], images: [EXTRA] };

  async function succeed(options?: Parameters<Upstream["update"]>[0]): Promise<string> {
    const { code, stdout, stderr } = await world.update(options);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  it("pins charts and images, and the lock fits the settings", async () => {
    const stdout = await succeed();
    const digest = imageContent(IMAGE).digest;
    const created = "2026-01-01T00:00:00Z";
    const lock = await readLock(world.folder, settings);
    assert.equal(
      stdout,
      `+ chart tool 1.0.0 (${REPOSITORY}/tool-1.0.0.tgz)
+ image ${EXTRA} ${imageContent(EXTRA).digest}
+ image ${IMAGE} ${digest}
mirror.prod.lock.json: 1 chart, 2 images, written
`,
    );
    const [chart] = lock.charts;
    assert.deepEqual(
      { ...chart, analysis: undefined },
      {
        name: "tool",
        repository: REPOSITORY,
        version: "1.0.0",
        url: `${REPOSITORY}/tool-1.0.0.tgz`,
        sha256: sha256(tool),
        settings: chartSettings(setting),
        created,
        manifest: (await chartManifest(tool, created)).manifestDigest,
        analysis: undefined,
        images: [IMAGE],
        values: { image: { repository: "{registry}/ghcr.io/acme/tool", tag: `1.4.0@${digest}` } },
        postRender: [],
      },
    );
    assert.deepEqual(lock.images, [
      { source: EXTRA, digest: imageContent(EXTRA).digest, repository: "docker.io/library/nginx", tag: "1.29" },
      { source: IMAGE, digest, repository: "ghcr.io/acme/tool", tag: "1.4.0" },
    ]);
    assert.equal(await readFile(join(world.folder, "mirror.prod.lock.json"), "utf8"), lockText(lock));
  });

  it("changes nothing and needs no Helm the second time", async () => {
    await succeed();
    const first = await readFile(join(world.folder, "mirror.prod.lock.json"), "utf8");
    assert.equal(await succeed({ path: NO_HELM }), "mirror.prod.lock.json: 1 chart, 2 images, nothing changed\n");
    assert.equal(await readFile(join(world.folder, "mirror.prod.lock.json"), "utf8"), first);
  });

  it("calls out a tag that moved, and puts the new digest into the values without Helm", async () => {
    await succeed();
    const now = moved(IMAGE);
    await world.publish({ images: [now, imageContent(EXTRA)] });
    assert.equal(
      await succeed({ path: NO_HELM }),
      `! image ${IMAGE}: the tag moved, ${imageContent(IMAGE).digest} -> ${now.digest}
mirror.prod.lock.json: 1 chart, 2 images, written
`,
    );
    assert.deepEqual((await world.lock()).charts[0]?.values, {
      image: { repository: "{registry}/ghcr.io/acme/tool", tag: `1.4.0@${now.digest}` },
    });
  });

  it("uses another lock's analysis of the same chart and values, and only then", async () => {
    await succeed();
    const base = join(world.folder, "base.json");
    await writeFile(base, lockText(await world.lock()));
    await writeFile(join(world.folder, "mirror.prod.lock.json"), "<<<<<<< a merge conflict");
    await succeed({ path: NO_HELM, args: ["--base", base] });
    await readLock(world.folder, settings);

    await world.settings([{ ...setting, values: { replicas: 3 } }], [EXTRA]);
    const { code, stderr } = await world.update({ path: NO_HELM, args: ["--base", base] });
    assert.equal(code, 1);
    assert.match(stderr, /helm was not found\. Tried: PATH/);
  });

  it("keeps the time of a chart whose archive is the same, and calls out a changed archive", async () => {
    await succeed();
    const lock = await world.lock();
    const [chart] = lock.charts;
    assert.ok(chart !== undefined);
    const pinned = { ...chart, created: "2020-02-02T02:02:02Z" };
    await writeFile(join(world.folder, "mirror.prod.lock.json"), lockText({ ...lock, charts: [pinned] }));
    await succeed();
    assert.equal((await world.lock()).charts[0]?.created, "2020-02-02T02:02:02Z");
    assert.equal(
      (await world.lock()).charts[0]?.manifest,
      (await chartManifest(tool, "2020-02-02T02:02:02Z")).manifestDigest,
    );

    const other = packChart(
      { image: "ghcr.io/acme/tool:1.4.0" },
      { "deployment.yaml": deployment("{{ .Values.image }}") },
    );
    await world.publish({
      images: [imageContent(IMAGE), imageContent(EXTRA)],
      repositories: [{ url: REPOSITORY, charts: [other] }],
    });
    assert.match(
      await succeed(),
      new RegExp(`! chart tool 1\\.0\\.0: the published archive changed, SHA-256 ${sha256(tool)} -> ${sha256(other)}`),
    );
    assert.equal((await world.lock()).charts[0]?.created, "2026-01-01T00:00:00Z");
  });

  it("finds a chart in an OCI registry", async () => {
    const { manifest, config } = await chartManifest(tool, "2026-03-03T03:03:03Z");
    const chart: UpstreamImage = {
      registry: "ghcr.io",
      repository: "acme/charts/tool",
      tags: ["1.0.0"],
      blobs: [config, tool],
      manifests: [{ mediaType: MEDIA.ociManifest, body: manifest }],
    };
    await world.publish({ images: [imageContent(IMAGE), chart] });
    await world.settings([{ ...setting, repository: "oci://ghcr.io/acme/charts" }]);
    await succeed();
    const [locked] = (await world.lock()).charts;
    assert.equal(locked?.url, "oci://ghcr.io/acme/charts/tool:1.0.0");
    assert.equal(locked?.created, "2026-03-03T03:03:03Z");
    assert.equal(locked?.manifest, (await chartManifest(tool, "2026-03-03T03:03:03Z")).manifestDigest);
    assert.equal(locked?.sha256, sha256(tool));
  });

  it("renders for the Kubernetes that the settings pin alone, and a chart that asks for it anew once that is another", async () => {
    const asks = packChart(
      {},
      {
        "a.yaml": deployment(
          `"quay.io/acme/driver:{{ if semverCompare ">=1.36-0" .Capabilities.KubeVersion.Version }}2{{ else }}1{{ end }}"`,
        ),
      },
      { name: "driver" },
    );
    const driver = { ...setting, name: "driver", values: {} };
    const charts = [setting, driver];
    await world.publish({
      images: [IMAGE, "quay.io/acme/driver:1", "quay.io/acme/driver:2"].map(imageContent),
      repositories: [{ url: REPOSITORY, charts: [tool, asks] }],
    });
    const locked = async (kubernetesVersion?: string) => {
      const cluster = { ...(kubernetesVersion && { kubernetesVersion }) };
      await world.settings(charts, [], cluster);
      await succeed();
      const lock = await readLock(world.folder, { stack: "prod", charts, images: [], cluster });
      return lock.charts.map(({ name, kubernetes, images }) => [name, kubernetes, ...images]);
    };
    const alike = ["tool", undefined, IMAGE];
    assert.deepEqual(await locked("1.35.4"), [["driver", "1.35", "quay.io/acme/driver:1"], alike]);
    await assert.rejects(
      readLock(world.folder, { stack: "prod", charts, images: [], cluster: { kubernetesVersion: "1.36" } }),
      / stack prod: chart driver is rendered for Kubernetes 1\.35 in the lock, cluster\.kubernetesVersion is 1\.36\. Run: npm run mirror -- update --stack prod$/,
    );
    assert.deepEqual(await locked("1.36"), [["driver", "1.36", "quay.io/acme/driver:2"], alike]);
    assert.deepEqual(await locked(), [["driver", undefined, "quay.io/acme/driver:1", "quay.io/acme/driver:2"], alike]);
  });

  it("resolves a range to the highest version within it, and says when there is a higher one", async () => {
    const publish = (...versions: string[]) =>
      world.publish({ repositories: [{ url: REPOSITORY, charts: versions.map((version) => plain(version)) }] });
    const range = { ...setting, version: "~1.0" };
    await world.settings([range]);
    await publish("1.0.0", "1.0.9", "1.1.0");
    await succeed();
    assert.equal(
      (await readLock(world.folder, { stack: "prod", charts: [range], images: [] })).charts[0]?.version,
      "1.0.9",
    );
    await publish("1.0.0", "1.0.9", "1.0.10", "1.1.0");
    assert.match(await succeed(), /^~ chart tool 1\.0\.9 -> 1\.0\.10$/m);
    await world.settings([{ ...setting, version: ">=2" }]);
    const { code, stderr } = await world.update();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /stable\/ has no version of the chart tool within >=2; the newest are 1\.1\.0, 1\.0\.10, 1\.0\.9, 1\.0\.0\. Correct name, version/,
    );
  });

  it("resolves a range by the tags of an OCI registry", async () => {
    const tgz = plain("1.0.0");
    const { manifest, config } = await chartManifest(tgz, "2026-03-03T03:03:03Z");
    const chart: UpstreamImage = {
      registry: "ghcr.io",
      repository: "acme/charts/tool",
      tags: ["0.9.0", "1.0.0", "latest", "2.0.0"],
      blobs: [config, tgz],
      manifests: [{ mediaType: MEDIA.ociManifest, body: manifest }],
    };
    await world.publish({ images: [chart] });
    await world.settings([{ ...setting, repository: "oci://ghcr.io/acme/charts", version: "1.x" }]);
    await succeed();
    assert.equal((await world.lock()).charts[0]?.url, "oci://ghcr.io/acme/charts/tool:1.0.0");
    await world.settings([{ ...setting, repository: "oci://ghcr.io/acme/chart", version: "1.x" }]);
    assert.match((await world.update()).stderr, /^ghcr\.io has no chart acme\/chart\/tool\. Correct name, version/);
  });

  it("analyses each release of a chart by itself, and leaves charts of the own registry alone", async () => {
    const night = { ...setting, release: "night", namespace: "night", values: { image: { tag: "1.5.0" } } };
    const own = { name: "web", repository: "oci://{registry}/helm", version: "158.0.0", namespace: "web" };
    const other = imageContent("ghcr.io/acme/tool:1.5.0");
    await world.publish({ images: [imageContent(IMAGE), other] });
    await world.settings([setting, night, own]);
    const stdout = await succeed();
    assert.match(stdout, /^\+ chart tool \(release night\) 1\.0\.0 /m);
    assert.match(stdout, /^mirror\.prod\.lock\.json: 2 charts, 2 images, written$/m);
    const { charts } = await readLock(world.folder, { stack: "prod", charts: [setting, night, own], images: [] });
    assert.deepEqual(
      charts.map(({ name, release, images }) => [name, release, images]),
      [
        ["tool", "night", ["ghcr.io/acme/tool:1.5.0"]],
        ["tool", undefined, [IMAGE]],
      ],
    );
  });

  it("refuses two charts of one name and version that differ: the registry has one of them", async () => {
    const url = "https://charts.acme.example/fork";
    await world.publish({
      repositories: [
        { url: REPOSITORY, charts: [plain("1.0.0")] },
        { url, charts: [plain("1.0.0", { a: 1 })] },
      ],
    });
    await world.settings([setting, { ...setting, release: "fork", repository: url }]);
    const { code, stderr } = await world.update();
    assert.equal(code, 1);
    assert.match(stderr, /tool-1\.0\.0\.tgz and .*tool-1\.0\.0\.tgz are two charts tool 1\.0\.0 of other content/);
  });

  it("keeps a digest that the settings name, even where the tag has moved on", async () => {
    const now = moved(EXTRA);
    const old = imageContent(EXTRA);
    await world.publish({ images: [old, now] });
    await world.settings([], [`${EXTRA}@${old.digest}`]);
    await succeed();
    assert.deepEqual((await world.lock()).images, [
      { source: EXTRA, digest: old.digest, repository: "docker.io/library/nginx", tag: "1.29" },
    ]);
    await readLock(world.folder, { stack: "prod", charts: [], images: [`${EXTRA}@${old.digest}`] });
  });

  it("takes what is signed with its signatures, and a chart of a registry by the manifest that was pushed there", async () => {
    const { digest } = imageContent(EXTRA);
    const attachment = (text: string, more: Record<string, unknown> = {}) => artifact(text, more);
    const put = (repository: string, { config, layer, manifest }: ReturnType<typeof artifact>, tags: string[]) => {
      const manifests = [{ mediaType: MEDIA.ociManifest, body: manifest }];
      return { registry: "docker.io", repository, tags, blobs: [config, layer], manifests };
    };
    const subject = (of: string) => ({ subject: { mediaType: MEDIA.ociIndex, digest: of, size: 1 } });
    const [signature, sbom] = [attachment("signature"), attachment("sbom", subject(digest))];
    const ofSbom = attachment("signature of the sbom", subject(sbom.digest));
    const { manifest, config } = await chartManifest(plain("1.0.0"), "2026-03-03T03:03:03Z");
    const pushed = Buffer.from(`${manifest.toString()} `);
    const chartDigest = `sha256:${sha256(pushed)}`;
    const chartSignature = attachment("signature of the chart");
    await world.publish({
      images: [
        imageContent(EXTRA),
        put("library/nginx", signature, [cosignTag(digest, "sig")]),
        put("library/nginx", sbom, []),
        put("library/nginx", ofSbom, []),
        put("acme/charts/tool", chartSignature, [cosignTag(chartDigest, "sig")]),
        {
          ...put("acme/charts/tool", chartSignature, ["1.0.0"]),
          blobs: [config, plain("1.0.0")],
          manifests: [{ mediaType: MEDIA.ociManifest, body: pushed }],
        },
      ],
    });
    await world.settings([{ ...setting, repository: "oci://docker.io/acme/charts" }], [EXTRA]);
    await succeed();
    const { charts, images } = await world.lock();
    assert.deepEqual(images[0]?.attached, [
      { digest: signature.digest, tag: cosignTag(digest, "sig") },
      ...[sbom.digest, ofSbom.digest].sort().map((one) => ({ digest: one })),
    ]);
    assert.equal(charts[0]?.manifest, chartDigest);
    assert.deepEqual(charts[0]?.attached, [{ digest: chartSignature.digest, tag: cosignTag(chartDigest, "sig") }]);
  });

  it("resolves one chart alone where it is named, and leaves all else as it is locked", async () => {
    const other = { ...setting, name: "other", namespace: "other", values: {} };
    const named = (version: string) => packChart({}, { "map.yaml": MAP }, { name: "other", version });
    const publish = (images: UpstreamImage[], versions: string[]) =>
      world.publish({ images, repositories: [{ url: REPOSITORY, charts: [tool, ...versions.map(named)] }] });
    await publish([imageContent(IMAGE), imageContent(EXTRA)], ["1.0.0"]);
    await world.settings([setting, { ...other, version: "1.x" }], [EXTRA]);
    await succeed();
    const before = await world.lock();
    await publish([moved(IMAGE), moved(EXTRA)], ["1.0.0", "1.1.0"]);
    const stdout = await succeed({ args: ["other"] });
    assert.equal(stdout, "~ chart other 1.0.0 -> 1.1.0\nmirror.prod.lock.json: 2 charts, 2 images, written\n");
    const after = await world.lock();
    assert.deepEqual(after.images, before.images);
    assert.deepEqual(after.charts[1], before.charts[1]);
    const { code, stderr } = await world.update({ args: ["others"] });
    assert.deepEqual(
      [code, stderr],
      [1, '"others" is no chart or release of aks-gitops:charts; there are tool, other.\n'],
    );
  });

  it("compares a lock with its settings and with what is published: check", async () => {
    await succeed();
    const check = async () => {
      const { code, stdout, stderr } = await world.update({ command: "check", path: NO_HELM });
      assert.equal(stderr, "");
      return { code, lines: stdout.trimEnd().split("\n") };
    };
    assert.deepEqual(await check(), { code: 0, lines: ["mirror.prod.lock.json: 1 chart, 2 images, as published"] });
    const now = moved(IMAGE);
    const repositories = [{ url: REPOSITORY, charts: [tool, plain("1.1.0")] }];
    await world.publish({ images: [now, imageContent(IMAGE)].reverse(), repositories });
    assert.deepEqual(await check(), {
      code: 1,
      lines: [
        `! image ${EXTRA} is gone, and ${imageContent(EXTRA).digest} is gone`,
        `! image ${IMAGE}: the tag moved, ${imageContent(IMAGE).digest} -> ${now.digest}`,
        "~ chart tool 1.0.0: 1.1.0 is there, beyond 1.0.0 of the settings",
        "mirror.prod.lock.json: 1 chart, 2 images, 2 faults",
      ],
    });
    await world.settings([{ ...setting, version: "~1", values: {} }], [EXTRA]);
    const { code, lines } = await check();
    assert.equal(code, 1);
    assert.match(lines[0] ?? "", /does not fit the settings of stack prod: chart tool has other values/);
    assert.match(
      lines.join("\n"),
      /^~ chart tool 1\.0\.0: 1\.1\.0 is there, within ~1; take it: npm run mirror -- update tool$/m,
    );
  });

  it("asks as whom somebody signed in, and says how to where nobody has", async () => {
    const also = (registries: UpstreamRegistries) =>
      registries.restrict("ghcr.io", "acme", { username: "acme", password: "s3cret" });
    await world.publish({ images: [imageContent(IMAGE)], also });
    await world.settings([], [IMAGE]);
    const { code, stderr } = await world.update();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /ghcr\.io: no anonymous token .*\n.* ghcr\.io wants to know who asks: `docker login ghcr\.io` for this command, aks-gitops:imageSourceCredentials for the import\.$/m,
    );
    const file = join(world.folder, "auth.json");
    const auth = Buffer.from("acme:s3cret").toString("base64");
    await writeFile(file, JSON.stringify({ auths: { "ghcr.io": { auth } } }));
    await succeed({ env: { REGISTRY_AUTH_FILE: file } });
  });

  it("names every image that cannot be resolved, and leaves the lock alone", async () => {
    await world.settings([setting], ["ghcr.io/acme/missing:1", "quay.io/acme/missing:2"]);
    const { code, stdout, stderr } = await world.update();
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /2 images cannot be resolved:\n {2}ghcr\.io\/acme\/missing:1 \(aks-gitops:images\): .*\n {2}quay\.io\/acme\/missing:2/,
    );
    await assert.rejects(world.lock(), /ENOENT/);
  });

  it("warns of what a program joins while it runs, with the line to write, until it is listed", async () => {
    const mesh = packChart(
      { hub: "quay.io/mesh", tag: "1", image: "proxy" },
      {
        "map.yaml":
          "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata:\n  mesh: {{ toJson .Values | squote }}\n",
      },
    );
    await world.publish({
      images: [imageContent("quay.io/mesh/proxy:1")],
      repositories: [{ url: REPOSITORY, charts: [mesh] }],
    });
    await world.settings([setting]);
    const { code, stderr } = await world.update();
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /^warning: chart tool: ConfigMap tools\/map, data\.mesh: a program may put quay\.io\/mesh\/proxy:1 together .*: aks-gitops:images: \[quay\.io\/mesh\/proxy:1\]$/m,
    );
    await world.settings([setting], ["quay.io/mesh/proxy:1"]);
    await writeFile(join(world.folder, "mirror.prod.lock.json"), "{}");
    const listed = await world.update();
    assert.equal(listed.code, 0, listed.stderr);
    assert.equal(listed.stderr.includes("quay.io/mesh/proxy"), false);
    assert.equal((await world.lock()).images[0]?.repository, "quay.io/mesh/proxy");
  });

  it("warns of an image that AKS nodes cannot run", async () => {
    const image = imageContent(EXTRA);
    const index = image.manifests.at(-1);
    assert.ok(index !== undefined);
    const body = Buffer.from(index.body.toString().replaceAll('"amd64"', '"s390x"'));
    await world.publish({ images: [{ ...image, manifests: [...image.manifests.slice(0, -1), { ...index, body }] }] });
    await world.settings([], [EXTRA]);
    const { code, stderr } = await world.update();
    assert.equal(code, 0);
    assert.equal(stderr, `warning: ${EXTRA} (aks-gitops:images): no linux/amd64, only linux/s390x, linux/arm64\n`);
  });

  const faults: [string, object, RegExp][] = [
    [
      "a version that is not there",
      { version: "1.0.1" },
      /stable\/ has no version 1\.0\.1 of the chart tool; near it are 1\.0\.0\. Correct name, version or repository of the chart tool in aks-gitops:charts\./,
    ],
    ["a chart that is not there", { name: "tol" }, /stable\/ has no chart tol; among others it has tool\./],
    [
      "a repository that is not there",
      { repository: "https://charts.acme.example/nightly" },
      /nightly\/index\.yaml answers 404/,
    ],
    [
      "a host that is not there",
      { repository: "https://charts.nowhere.example" },
      /charts\.nowhere\.example\/index\.yaml cannot be reached: .* Check the network, HTTPS_PROXY/,
    ],
    [
      "a page that is no index",
      { repository: "https://www.acme.example" },
      /www\.acme\.example\/index\.yaml is not the index of a chart repository/,
    ],
  ];
  for (const [what, change, message] of faults) {
    it(`says what to do about ${what}`, async () => {
      world.serve("www.acme.example", "<html>Hello</html>");
      await world.settings([{ ...setting, ...change }]);
      const { code, stderr } = await world.update();
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.equal(stderr.split("\n").length, 2, stderr);
    });
  }

  it("refuses an archive that is not the one of the index", async () => {
    const entry = { name: "tool", version: "1.0.0", digest: sha256("another"), urls: [`${REPOSITORY}/tool-1.0.0.tgz`] };
    world.serve("other.example", JSON.stringify({ entries: { tool: [entry] } }));
    await world.settings([{ ...setting, repository: "https://other.example" }]);
    const { code, stderr } = await world.update();
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(`has the SHA-256 ${sha256(tool)}, but https://other\\.example/index\\.yaml says ${sha256("another")}`),
    );
  });

  it("needs no token of the stack, and says what else is wrong with its settings", async () => {
    const path = join(world.folder, "Pulumi.prod.yaml");
    const file = parse(await readFile(path, "utf8")) as { config: Record<string, object> };
    file.config["aks-gitops:flux"] = { ...file.config["aks-gitops:flux"], auth: "token" };
    await writeFile(path, stringify(file));
    await succeed();
    await readLock(world.folder, settings);

    file.config["aks-gitops:registry"] = { sku: "Premum" };
    await writeFile(path, stringify(file));
    const { code, stderr } = await world.update();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^1 fault in the configuration of stack prod \(Pulumi\.prod\.yaml\):\n\n {2}aks-gitops:registry\.sku /,
    );
  });

  it("names the stacks there are where a stack has no file", async () => {
    const { code, stderr } = await world.update({ args: ["--stack", "prdo"] });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /holds no Pulumi\.prdo\.yaml; there are prod\. Run `pulumi stack init prdo`, or correct --stack\./,
    );
  });
});
