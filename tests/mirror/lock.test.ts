import { strict as assert } from "node:assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { chartSettings, type Lock, LockError, readLock, relocate } from "../../mirror/lock.ts";

const chart = {
  name: "kured",
  repository: "https://charts.example",
  version: "6.1.0",
  namespace: "baseline",
  values: { a: 1, b: [2] },
};
const settings = { stack: "prod", charts: [chart], images: ["ghcr.io/acme/demo:1"] };
const lock: Lock = {
  version: 2,
  charts: [
    {
      name: "kured",
      repository: "https://charts.example",
      version: "6.1.0",
      url: "https://charts.example/kured-6.1.0.tgz",
      sha256: "0".repeat(64),
      settings: chartSettings(chart),
      created: "2026-01-01T00:00:00Z",
      manifest: `sha256:${"1".repeat(64)}`,
      analysis: "2".repeat(64),
      images: ["ghcr.io/kubereboot/kured:1.23.0"],
      values: {},
      postRender: [],
    },
  ],
  images: [
    { source: "ghcr.io/acme/demo:1", digest: `sha256:${"3".repeat(64)}`, repository: "ghcr.io/acme/demo", tag: "1" },
    {
      source: "ghcr.io/kubereboot/kured:1.23.0",
      digest: `sha256:${"4".repeat(64)}`,
      repository: "ghcr.io/kubereboot/kured",
      tag: "1.23.0",
    },
  ],
};

describe("readLock", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "aks-gitops-lock-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const write = (content: unknown) =>
    writeFile(join(folder, "mirror.prod.lock.json"), typeof content === "string" ? content : JSON.stringify(content));
  const refused = (message: string, wanted = settings) =>
    assert.rejects(readLock(folder, wanted), (error: Error) => {
      assert.ok(error instanceof LockError);
      assert.equal(error.message, `${join(folder, "mirror.prod.lock.json")} ${message}`);
      return true;
    });
  const remedy = "Run: npm run mirror -- update --stack prod";

  it("gives the lock that fits the settings", async () => {
    await write(lock);
    assert.deepEqual(await readLock(folder, settings), lock);
  });

  it("says what to do about a missing, damaged or foreign lock", async () => {
    await refused(`does not exist, so nothing says which digests to mirror. ${remedy}`);
    await write({ ...lock, version: 1 });
    await refused(`has the format version 1, this program reads 2. ${remedy}`);
    await write({ version: 2, charts: [] });
    await refused(`lacks its charts or images. ${remedy}`);
    await write("<<<<<<< ours");
    await assert.rejects(readLock(folder, settings), /is no JSON \(a merge conflict\?\): .*Run: npm run mirror/);
  });

  const damaged: [string, (lock: Lock) => unknown, string][] = [
    ["null", () => null, "holds no lock."],
    ["a list", () => [], "holds no lock."],
    [
      "a chart without its SHA-256",
      ({ charts: [chart, ...rest], ...lock }) => ({ ...lock, charts: [{ ...chart, sha256: undefined }, ...rest] }),
      "is damaged: charts[0].sha256 is missing.",
    ],
    [
      "a chart whose SHA-256 is cut, and whose images are no list",
      ({ charts: [chart], ...lock }) => ({ ...lock, charts: [{ ...chart, sha256: "00", images: "x" }] }),
      "is damaged: charts[0].sha256 is no SHA-256 in hexadecimal; charts[0].images is not of type array.",
    ],
    [
      "an image that is no image",
      ({ images, ...lock }) => ({ ...lock, images: [null, { ...images[1], digest: "latest" }] }),
      "is damaged: images[0] is not of type object; images[1].digest is no digest sha256:<hex>.",
    ],
    [
      "an image twice, which two branches added",
      ({ images: [own, kured], ...lock }) => ({ ...lock, images: [own, kured, kured] }),
      "is damaged: image ghcr.io/kubereboot/kured:1.23.0 is there twice.",
    ],
    [
      "a digest of another branch",
      ({ charts: [chart], ...lock }) => ({
        ...lock,
        charts: [{ ...chart, values: { tag: `1.23.0@sha256:${"9".repeat(64)}` } }],
      }),
      `is damaged: chart kured runs sha256:${"9".repeat(64)}, which none of its images has.`,
    ],
    [
      "no image of a chart",
      ({ images: [own], ...lock }) => ({ ...lock, images: [own] }),
      "is damaged: image ghcr.io/kubereboot/kured:1.23.0 of chart kured is not among its images.",
    ],
    [
      "no image of Flux",
      (lock) => ({ ...lock, flux: { version: "2.9.4", manifests: "5".repeat(64), images: ["ghcr.io/fluxcd/x:1"] } }),
      "is damaged: image ghcr.io/fluxcd/x:1 of Flux is not among its images.",
    ],
    [
      "no chart, though it was made of one",
      ({ images: [own], ...lock }) => ({ ...lock, charts: [], images: [own] }),
      "does not fit the settings of stack prod: chart kured is not in the lock.",
    ],
  ];
  for (const [what, damage, message] of damaged) {
    it(`says what to do about a lock that holds ${what}`, async () => {
      await write(damage(lock));
      await refused(`${message} ${remedy}`);
    });
  }

  const stale: [string, Partial<typeof settings>, string][] = [
    [
      "another version",
      { charts: [{ ...chart, version: "6.2.0" }] },
      "chart kured is 6.1.0 in the lock, 6.2.0 in the settings",
    ],
    [
      "another repository",
      { charts: [{ ...chart, repository: "oci://x.example" }] },
      "chart kured comes from https://charts.example in the lock, not oci://x.example",
    ],
    ["another chart", { charts: [chart, { ...chart, name: "keda" }] }, "chart keda is not in the lock"],
    [
      "a chart less and an image more",
      { charts: [], images: [...settings.images, "nginx:1"] },
      "chart kured is in the lock only; image docker.io/library/nginx:1 is not in the lock",
    ],
    ["an image less", { images: [] }, "image ghcr.io/acme/demo:1 is in the lock only"],
    [
      "other values",
      { charts: [{ ...chart, values: { a: 1, b: [3] } }] },
      "chart kured has other values, or ignoreImages and acceptForeign say something else of its images",
    ],
  ];
  it("fits a range that the lock's version is within, and names the range that it is not within", async () => {
    await write(lock);
    assert.deepEqual(await readLock(folder, { ...settings, charts: [{ ...chart, version: "~6.1" }] }), lock);
    const difference = "chart kured is 6.1.0 in the lock, which is not within ~6.2 of aks-gitops:charts";
    const wanted = { ...settings, charts: [{ ...chart, version: "~6.2" }] };
    await refused(`does not fit the settings of stack prod: ${difference}. ${remedy}`, wanted);
  });

  it("holds a chart once for each of its releases, and none of the stack's own registry", async () => {
    const release = { ...chart, release: "night" };
    const own = { ...chart, name: "web", repository: "oci://{registry}/helm" };
    await write(lock);
    assert.deepEqual(await readLock(folder, { ...settings, charts: [chart, own] }), lock);
    await refused(
      `does not fit the settings of stack prod: chart kured (release night) is not in the lock. ${remedy}`,
      { ...settings, charts: [chart, release] },
    );
    const both = { ...settings, charts: [release, chart] };
    const locked = {
      ...lock,
      charts: [...lock.charts, { ...lock.charts[0], release: "night", settings: chartSettings(release) }],
    };
    await write(locked);
    assert.deepEqual(await readLock(folder, both), locked);
    await refused(
      `does not fit the settings of stack prod: chart kured (release night) is in the lock only. ${remedy}`,
    );
  });

  for (const [what, change, difference] of stale) {
    it(`names the difference of a stale lock: ${what}`, async () => {
      await write(lock);
      await refused(`does not fit the settings of stack prod: ${difference}. ${remedy}`, { ...settings, ...change });
    });
  }
});

describe("the Kubernetes of a lock", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "aks-gitops-lock-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** What is said of a lock whose chart was rendered for one minor, or for all, beside settings that pin a version. */
  async function said(kubernetes: string | undefined, kubernetesVersion: string | undefined): Promise<string> {
    const [only] = lock.charts;
    const charts = [{ ...only, ...(kubernetes && { kubernetes }) }];
    await writeFile(join(folder, "mirror.prod.lock.json"), JSON.stringify({ ...lock, charts }));
    return readLock(folder, { ...settings, cluster: { kubernetesVersion } }).then(
      () => "fits",
      (error: Error) => /chart kured (.*)\. Run: npm run mirror/.exec(error.message)?.[1] ?? error.message,
    );
  }

  it("is any where a chart renders the same for all, or was rendered for all, that AKS supports", async () => {
    assert.equal(await said(undefined, undefined), "fits");
    assert.equal(await said(undefined, "1.35"), "fits");
    assert.equal(await said(undefined, "1.36.2"), "fits");
  });

  it("is the minor that the settings pin, whatever its patch", async () => {
    assert.equal(await said("1.35", "1.35"), "fits");
    assert.equal(await said("1.35", "1.35.4"), "fits");
  });

  it("no longer fits once another minor is pinned, or none", async () => {
    assert.equal(
      await said("1.35", "1.36"),
      "is rendered for Kubernetes 1.35 in the lock, cluster.kubernetesVersion is 1.36",
    );
    assert.equal(
      await said("1.35", undefined),
      "is rendered for Kubernetes 1.35 in the lock, and cluster.kubernetesVersion pins none",
    );
    // Supported for long alone, so that nothing is rendered for it where none is pinned.
    assert.equal(
      await said(undefined, "1.32"),
      "is rendered for Kubernetes 1.34 to 1.37 in the lock, cluster.kubernetesVersion is 1.32",
    );
  });
});

describe("the settings of a chart in the lock", () => {
  it("do not depend on the order of keys, nor on empty values", () => {
    const reordered = {
      values: { b: [2], a: 1 },
      namespace: "x",
      version: "6.1.0",
      repository: chart.repository,
      name: "kured",
    };
    assert.equal(chartSettings(chart), chartSettings(reordered));
    assert.notEqual(chartSettings(chart), chartSettings({ ...chart, values: { a: 1 } }));
    const ignoreImages = [{ image: "ghcr.io/acme/none", reason: "an example" }];
    assert.notEqual(chartSettings(chart), chartSettings(chart, { ignoreImages }));
    assert.equal(chartSettings(chart), chartSettings(chart, { ignoreImages: [], acceptForeign: [] }));
    const rules = { acceptForeign: ignoreImages };
    assert.equal(chartSettings(chart), chartSettings(chart, rules, ["ghcr.io/acme/other"]));
    assert.notEqual(chartSettings(chart), chartSettings(chart, rules, ["ghcr.io/acme/none"]));
    const { values: _, ...bare } = chart;
    assert.equal(chartSettings(bare), chartSettings({ ...chart, values: {} }));
  });
});

describe("relocate", () => {
  it("puts the login server into every text at any depth and leaves the rest", () => {
    assert.deepEqual(relocate({ a: ["{registry}/x", 1, null, { b: "--i={registry}/y" }], c: true }, "acr.azurecr.io"), {
      a: ["acr.azurecr.io/x", 1, null, { b: "--i=acr.azurecr.io/y" }],
      c: true,
    });
  });
});
