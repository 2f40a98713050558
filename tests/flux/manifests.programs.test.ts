import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, before, beforeEach, describe, it } from "mocha";
import { parseAllDocuments } from "yaml";
import type { InstallOptions } from "../../flux/installOptions.ts";
import { definitionNames, fluxControllers, fluxManifests, gotkComponents } from "../../flux/manifests.ts";
import { findTool } from "../../tools/findTool.ts";
import { CLUSTER_TIMEOUT } from "../support/cluster.ts";

const official = resolve(import.meta.dirname, "../../../shared/flux");
const VERSION = "2.9.4";
const IMAGES = [
  "ghcr.io/fluxcd/helm-controller:v1.6.3",
  "ghcr.io/fluxcd/kustomize-controller:v1.9.4",
  "ghcr.io/fluxcd/notification-controller:v1.9.3",
  "ghcr.io/fluxcd/source-controller:v1.9.4",
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flux-manifests-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the manifests of the real flux CLI", () => {
  let flux: string;
  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    flux = await findTool("flux");
  });
  const manifests = (imageAutomation: boolean, install?: InstallOptions) =>
    fluxManifests({ version: VERSION, imageAutomation, install }, { flux: async () => flux, cache: folder });

  it("name the images as they are called upstream, and have no registry of their own", async () => {
    const { text, sha256, images } = await manifests(false);
    assert.deepEqual(images, IMAGES);
    assert.equal(sha256, createHash("sha256").update(text).digest("hex"));
    assert.equal(text.match(/image: registry\.invalid\//g)?.length, 4);
    assert.equal(text.includes("image: ghcr.io"), false);
  });

  it("become gotk-components.yaml with every image from the mirror, and nothing else changed", async () => {
    const { text } = await manifests(false);
    const components = gotkComponents({ text }, "acme.azurecr.io");
    const images = parseAllDocuments(components)
      .map((document) => document.toJS())
      .filter((object) => object?.kind === "Deployment")
      .map((object) => object.spec.template.spec.containers[0].image);
    assert.deepEqual(
      images.sort(),
      IMAGES.map((image) => `acme.azurecr.io/${image}`),
    );
    const others = (all: string) => all.split("\n").filter((line) => !line.includes(" image: "));
    assert.deepEqual(others(components), others(text));
    assert.equal(components.includes("registry.invalid"), false);
  });

  it("have the Deployments that fluxControllers names, with the image controllers where they are asked for", async () => {
    for (const imageAutomation of [false, true]) {
      const { text, images } = await manifests(imageAutomation);
      const found = parseAllDocuments(text)
        .map((document) => document.toJS())
        .filter((object) => object?.kind === "Deployment")
        .map((object) => object.metadata.name);
      assert.deepEqual(found.sort(), fluxControllers({ imageAutomation }).sort());
      assert.equal(images.length, imageAutomation ? 6 : 4);
    }
    assert.deepEqual(await readdir(join(folder, "manifests")), [
      "flux-install-2.9.4-image-automation.yaml",
      "flux-install-2.9.4.yaml",
    ]);
  });

  it("have the CustomResourceDefinitions that definitionNames reads off them", async () => {
    for (const imageAutomation of [false, true]) {
      const { text } = await manifests(imageAutomation);
      const objects = parseAllDocuments(text).map((document) => document.toJS());
      const definitions = objects.filter((object) => object?.kind === "CustomResourceDefinition");
      assert.ok(definitions.length > 10);
      assert.deepEqual(
        definitionNames({ text }),
        definitions.map(({ metadata }) => metadata.name),
      );
    }
  });

  it("do not follow the variables of the environment", async () => {
    const saved = process.env.FLUX_SYSTEM_NAMESPACE;
    process.env.FLUX_SYSTEM_NAMESPACE = "elsewhere";
    try {
      assert.match((await manifests(false)).text, /\n {2}name: flux-system\n/);
    } finally {
      if (saved === undefined) delete process.env.FLUX_SYSTEM_NAMESPACE;
      else process.env.FLUX_SYSTEM_NAMESPACE = saved;
    }
  });

  for (const [file, imageAutomation, install] of [
    ["install-default.yaml", false, undefined],
    ["install-image-automation.yaml", true, undefined],
    [
      "install-options.yaml",
      false,
      {
        ...{ tolerationKeys: ["CriticalAddonsOnly"], clusterDomain: "cluster.internal", networkPolicy: false },
        ...({ logLevel: "debug", watchAllNamespaces: false } as const),
      },
    ],
  ] as const)
    if (existsSync(join(official, file)))
      it(`are those of the official ${file}, byte for byte but for the registry`, async () => {
        const theirs = readFileSync(join(official, file), "utf8");
        const ours = gotkComponents(await manifests(imageAutomation, install), "acme.azurecr.io");
        assert.equal(ours, theirs.replaceAll("image: ghcr.io/fluxcd/", "image: acme.azurecr.io/ghcr.io/fluxcd/"));
      });
});

describe("fluxManifests", () => {
  const options = { version: "2.9.4", imageAutomation: false };
  const manifest = "# Flux Version: v2.9.4\n  image: registry.invalid/ghcr.io/fluxcd/one:v1\n";

  /** A flux CLI of a few lines; it notes its arguments. */
  const fake = async (script: string) => {
    const path = join(folder, "flux");
    await writeFile(
      path,
      `#!${process.execPath}\nrequire("fs").appendFileSync("${folder}/calls", process.argv.slice(2).join(" ") + "\\n");\n${script}\n`,
    );
    await chmod(path, 0o700);
    return path;
  };
  const make = async (script: string) => {
    const flux = await fake(script);
    return fluxManifests(options, { flux: async () => flux, cache: join(folder, "cache") });
  };
  const writing = (text: string) => `process.stdout.write(${JSON.stringify(text)});`;
  const calls = async () => (await readFile(join(folder, "calls"), "utf8")).split("\n").filter(Boolean);

  it("asks the CLI once and the cache from then on", async () => {
    const first = await make(writing(manifest));
    assert.deepEqual(first.images, ["ghcr.io/fluxcd/one:v1"]);
    assert.deepEqual(await make("process.exit(1)"), first);
    assert.deepEqual(await calls(), [
      "install --export --namespace=flux-system --version=v2.9.4 --registry=registry.invalid/ghcr.io/fluxcd",
    ]);
  });

  it("asks for the options of the controllers, and keeps what they give apart", async () => {
    const flux = await fake(writing(manifest));
    const tools = { flux: async () => flux, cache: join(folder, "cache") };
    const said = { tolerationKeys: ["one", "two"], clusterDomain: "x.example", logLevel: "debug" } as const;
    const no = { networkPolicy: false, watchAllNamespaces: false };
    for (const install of [undefined, {}, said, no]) await fluxManifests({ ...options, install }, tools);
    const plain =
      "install --export --namespace=flux-system --version=v2.9.4 --registry=registry.invalid/ghcr.io/fluxcd";
    assert.deepEqual(await calls(), [
      plain,
      `${plain} --toleration-keys=one,two --cluster-domain=x.example --log-level=debug`,
      `${plain} --network-policy=false --watch-all-namespaces=false`,
    ]);
    assert.equal((await readdir(join(folder, "cache", "manifests"))).length, 3);
  });

  it("leaves one whole file when several make it at once", async () => {
    const flux = await fake(writing(manifest));
    const tools = { flux: async () => flux, cache: join(folder, "cache") };
    const made = await Promise.all([1, 2, 3].map(() => fluxManifests(options, tools)));
    assert.deepEqual(new Set(made.map(({ text }) => text)), new Set([manifest]));
    assert.deepEqual(await readdir(join(folder, "cache", "manifests")), ["flux-install-2.9.4.yaml"]);
  });

  it("says what the CLI said when it fails, and caches nothing", async () => {
    const failing = make(`console.error("✗ no route to the manifests"); process.exit(1)`);
    await assert.rejects(failing, (error: Error) => {
      assert.match(error.message, /\/flux install --export .* failed: ✗ no route to the manifests$/);
      return true;
    });
    assert.deepEqual((await make(writing(manifest))).text, manifest);
  });

  it("takes neither another version's manifests nor what has no images", async () => {
    const message = "flux install --export --version=v2.9.4 gave no manifests of Flux 2.9.4 with images.";
    await assert.rejects(make(writing(manifest.replace("2.9.4", "2.9.40"))), { message });
    await assert.rejects(make(writing("# Flux Version: v2.9.4\n")), { message });
  });
});
