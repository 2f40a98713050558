// Charts and images that a file of its own lists, as somebody has them who uses the components in another program.
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, it } from "mocha";
import { stringify } from "yaml";
import { readLockOf } from "../../mirror/lock.ts";
import { fileSource, readMirrorList } from "../../mirror/mirrorFile.ts";
import { imageContent } from "../../rehearsal/content/image.ts";
import { findTool } from "../../tools/findTool.ts";
import { deployment, packChart } from "./charts.ts";
import { type Upstream, upstream } from "./upstream.ts";

const REPOSITORY = "https://charts.acme.example/stable";
const IMAGE = "ghcr.io/acme/tool:1.4.0";
const EXTRA = "docker.io/library/nginx:1.29";
const tool = packChart({ image: IMAGE }, { "deployment.yaml": deployment("{{ .Values.image }}") });
const chart = { name: "tool", repository: REPOSITORY, version: "1.0.0", namespace: "tools" };

describe("a mirror file", () => {
  let world: Upstream;
  let file: string;
  before(async function () {
    // Where Helm must be built first.
    this.timeout(1_200_000);
    await findTool("helm");
  });
  beforeEach(async () => {
    world = await upstream();
    file = join(world.folder, "mirror.yaml");
    await world.publish({
      images: [imageContent(IMAGE), imageContent(EXTRA)],
      repositories: [{ url: REPOSITORY, charts: [tool] }],
    });
  });
  afterEach(() => world.close());

  const write = (content: unknown) => writeFile(file, typeof content === "string" ? content : stringify(content));
  const update = () => world.update({ list: ["--file", file] });
  const remedy = () => `Run: npx aks-gitops-mirror update --file ${file}`;

  async function refused(content: unknown, message: (file: string) => string): Promise<void> {
    await write(content);
    const { code, stdout, stderr } = await update();
    assert.deepEqual({ code, stdout, stderr }, { code: 1, stdout: "", stderr: `${message(file)}\n` });
  }

  it("is resolved into the lock beside it", async () => {
    await write({ charts: [chart], images: [EXTRA] });
    const { code, stdout, stderr } = await update();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\+ chart tool 1\.0\.0 .*\n.*\n.*\nmirror\.lock\.json: 1 chart, 2 images, written\n$/);
    const lock = await readLockOf(fileSource(file), await readMirrorList(file));
    assert.deepEqual(
      lock.images.map(({ source, digest }) => [source, digest]),
      [EXTRA, IMAGE].map((image) => [image, imageContent(image).digest]),
    );
    assert.deepEqual(lock.charts[0]?.values, {
      image: `{registry}/ghcr.io/acme/tool:1.4.0@${imageContent(IMAGE).digest}`,
    });
  });

  it("does not fit a lock of other charts or images", async () => {
    await write({ images: [EXTRA] });
    assert.equal((await update()).code, 0);
    await write({ charts: [chart] });
    await assert.rejects(readLockOf(fileSource(file), await readMirrorList(file)), {
      name: "LockError",
      message:
        `${join(world.folder, "mirror.lock.json")} does not fit mirror.yaml: chart tool is not in the lock; ` +
        `image ${EXTRA} is in the lock only. ${remedy()}`,
    });
  });

  it("may name a Flux to bootstrap, by default the one that the settings have", async () => {
    await write({ flux: { imageAutomation: true } });
    assert.deepEqual(await readMirrorList(file), {
      charts: [],
      images: [],
      ...{ ignoreImages: [], acceptForeign: [] },
      flux: { mode: "bootstrap", version: "2.9.4", imageAutomation: true, install: undefined },
    });
  });

  it("has charts rendered for the Kubernetes that it pins, and no other", async () => {
    const versioned = packChart(
      {},
      { "deployment.yaml": deployment("ghcr.io/acme/tool:{{ .Capabilities.KubeVersion.Minor }}") },
    );
    const images = [33, 34, 35, 36, 37].map((minor) => imageContent(`ghcr.io/acme/tool:${minor}`));
    await world.publish({ images, repositories: [{ url: REPOSITORY, charts: [versioned] }] });
    await write({ charts: [chart], cluster: { kubernetesVersion: "1.35" } });
    const { code, stderr } = await update();
    assert.equal(code, 0, stderr);
    const lock = await readLockOf(fileSource(file), await readMirrorList(file));
    assert.deepEqual(
      lock.images.map(({ source }) => source),
      ["ghcr.io/acme/tool:35"],
    );
    await write({ charts: [chart], cluster: { kubernetesVersion: "1.36" } });
    await assert.rejects(readLockOf(fileSource(file), await readMirrorList(file)), {
      message: /chart tool is rendered for Kubernetes 1\.35 in the lock, cluster\.kubernetesVersion is 1\.36/,
    });
  });

  it("keeps its lock when an image of other things is accepted, and not when one that a chart needs no longer is", async () => {
    const hook = "metadata:\n  annotations: {helm.sh/hook: pre-install}\n";
    const once = packChart({}, { "a.yaml": deployment("ghcr.io/acme/setup:1").replace("metadata:\n", hook) });
    await world.publish({
      images: [imageContent("ghcr.io/acme/setup:1")],
      repositories: [{ url: REPOSITORY, charts: [once] }],
    });
    const needed = { image: "ghcr.io/acme/setup", reason: "runs once" };
    const other = { image: "quay.io/acme/web:2", reason: "of our own files" };
    const accept = async (...acceptForeign: object[]) => {
      await write({ charts: [chart], acceptForeign });
      return readMirrorList(file);
    };
    await accept(needed, other);
    const { code, stderr } = await update();
    assert.equal(code, 0, stderr);
    const { charts } = await readLockOf(fileSource(file), await accept(needed));
    assert.deepEqual(charts[0]?.accepted, ["ghcr.io/acme/setup"]);
    await readLockOf(fileSource(file), await accept(other, { ...other, image: "quay.io/acme/y:1" }, needed));
    for (const rules of [[other], [], [{ ...needed, reason: "runs often" }]])
      await assert.rejects(
        readLockOf(fileSource(file), await accept(...rules)),
        /: chart tool has other values, or ignoreImages and acceptForeign say/,
      );
    // Taken over from the lock that is there, it needs what it needed.
    const anew = async () => {
      assert.equal((await update()).code, 0);
      return (await readLockOf(fileSource(file), await accept(needed))).charts;
    };
    await accept(needed);
    const first = await anew();
    assert.deepEqual(first[0]?.accepted, charts[0]?.accepted);
    assert.deepEqual(await anew(), first);
  });

  it("is told of all its faults, with key, value and remedy", () =>
    refused(
      {
        charts: [
          { ...chart, version: "latest" },
          { ...chart, namespace: "flux-system" },
        ],
        images: ["nginx"],
        image: [EXTRA],
        flux: { version: "v2.9.4" },
        cluster: { kubernetesVersion: 1.34 },
      },
      (file) => `7 faults in ${file}:

  image is not a known key
    value   ["${EXTRA}"]
    remedy  did you mean images? known keys are charts, images, ignoreImages, acceptForeign, flux, cluster

  charts[0].version does not have the right form
    value   latest
    remedy  write one exact version in quotes, for example 6.1.0, or a range, for example ~6.1 or >=6 <7

  images[0] does not have the right form
    value   nginx
    remedy  write the whole name with registry and tag, for example ghcr.io/stefanprodan/podinfo:6.14.1

  flux.version does not have the right form
    value   v2.9.4
    remedy  write one exact version in quotes and without v, for example 2.9.4

  cluster.kubernetesVersion is a number where a text is expected
    value   1.34
    remedy  write a minor version in quotes, for example "1.34", or a patch, for example "1.34.1"

  charts[1].name is the name of another chart
    value   tool
    remedy  list each chart once, or give each of its releases a name of its own with release

  charts[1].namespace belongs to Flux itself
    value   flux-system
    remedy  choose a namespace of the chart's own`,
    ));

  it("names itself where a chart or an image cannot be found", async () => {
    await write({ charts: [{ ...chart, version: "1.0.1" }], images: [] });
    const { code, stderr } = await update();
    assert.equal(code, 1);
    assert.match(stderr, /Correct name, version or repository of the chart tool in charts of mirror\.yaml\.\n$/);
    await write({ images: ["ghcr.io/acme/missing:1"] });
    assert.match((await update()).stderr, /\n {2}ghcr\.io\/acme\/missing:1 \(images of mirror\.yaml\): /);
  });

  it("is named where it is missing or no YAML", async () => {
    const { code, stderr } = await update();
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `${file} does not exist. Write the charts and images to mirror into it, or name another file.\n`,
    );
    await write("charts: [");
    assert.match(
      (await update()).stderr,
      new RegExp(`^${file}, line \\d+, column \\d+ is no YAML: .* Correct it there\\.\n$`),
    );
    await refused("- charts", (file) => `${file} holds a list where a map is expected. Write charts, images and flux.`);
  });

  it("is not read beside a stack", async () => {
    const { code, stderr } = await world.update({ list: ["--file", file, "--stack", "prod"] });
    assert.equal(code, 1);
    assert.match(stderr, /^--stack and --file exclude each other\.\nUsage: /);
    assert.match((await world.update({ list: [] })).stderr, /^--stack or --file is missing\.\nUsage: /);
  });
});
