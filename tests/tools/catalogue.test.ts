import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import {
  BUNDLES,
  CATALOGUE,
  CLUSTER_TOOLS,
  OFFICIAL_HOSTS,
  type ToolName,
  toolsOf,
  versionFits,
} from "../../tools/catalogue.ts";
import { publishedChecksum } from "../../tools/download.ts";

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../tools/go/${path}`, import.meta.url)), "utf8");

describe("the catalogue of tools", () => {
  it("compares versions as numbers, the lower bound included and the upper not", () => {
    const fits = { from: "3.14.2", below: "4.0.0" };
    const versions = ["v3.14.2", "3.14.10", "v3.100.0-dev.1", "4.0.0", "3.14.1", "3.9.9", "2.99.0", "no version"];
    assert.deepEqual(
      versions.map((version) => versionFits(version, fits)),
      [true, true, true, false, false, false, false, false],
    );
  });

  it("downloads what it also takes from PATH", () => {
    for (const tool of Object.values(CATALOGUE)) {
      if (tool.fits !== undefined) assert.ok(versionFits(tool.version, tool.fits), tool.version);
    }
  });

  it("names the releases as their publishers do", () => {
    const url = (name: ToolName, os: NodeJS.Platform, arch: NodeJS.Architecture) =>
      CATALOGUE[name].download?.({ os, arch }, OFFICIAL_HOSTS)?.url;
    assert.equal(
      url("pulumi", "darwin", "arm64"),
      "https://get.pulumi.com/releases/sdk/pulumi-v3.259.0-darwin-arm64.tar.gz",
    );
    assert.equal(url("pulumi", "win32", "x64"), "https://get.pulumi.com/releases/sdk/pulumi-v3.259.0-windows-x64.zip");
    assert.equal(url("helm", "linux", "arm64"), "https://get.helm.sh/helm-v4.2.4-linux-arm64.tar.gz");
    assert.equal(
      url("sops", "darwin", "x64"),
      "https://github.com/getsops/sops/releases/download/v3.13.3/sops-v3.13.3.darwin.amd64",
    );
    assert.equal(
      url("flux", "linux", "arm64"),
      "https://github.com/fluxcd/flux2/releases/download/v2.9.4/flux_2.9.4_linux_arm64.tar.gz",
    );
    assert.equal(
      url("kubelogin", "linux", "x64"),
      "https://github.com/Azure/kubelogin/releases/download/v0.2.22/kubelogin-linux-amd64.zip",
    );
    assert.equal(
      url("kubelogin", "win32", "arm64"),
      "https://github.com/Azure/kubelogin/releases/download/v0.2.22/kubelogin-win-arm64.zip",
    );
    assert.equal(url("kubectl", "linux", "x64"), "https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubectl");
    assert.equal(url("sops", "freebsd", "x64"), undefined);
    assert.equal(url("helm", "linux", "s390x"), undefined);
  });

  for (const [name, { version, go }] of Object.entries(CATALOGUE)) {
    it(`pins the module that ${name} is built from to its version, with checksums`, () => {
      const folder = go.bundle ?? go.own?.module ?? name;
      const pinnedBy = go.own?.versionOf ?? go.package;
      const module = read(`${folder}/go.mod`);
      const pins = [...module.matchAll(/^(?:require )?\t?(\S+) v(\S+)(?: \/\/ indirect)?$/gm)];
      const [, path, pinned] = pins.find(([, path]) => `${pinnedBy}/`.startsWith(`${path}/`)) ?? [];
      assert.equal(pinned, go.version ?? version);
      assert.ok(read(`${folder}/go.sum`).includes(`${path} v${pinned} h1:`));
    });
  }

  it("keeps another build of the bundle in another folder", () => {
    const { version } = CATALOGUE["kube-apiserver"];
    assert.equal(BUNDLES.cluster, `cluster-${version}-${CATALOGUE.flux.version}`);
  });

  it("pins the controllers' sources that the flux CLI is completed with, with checksums", () => {
    const pinned = [...read("flux/go.mod").matchAll(/^\t(\S+) (v\S+)$/gm)].map(
      ([, path, version]) => `${path} ${version}`,
    );
    assert.deepEqual(pinned.map((each) => each.split(/[/ ]/)[2]).sort(), [
      "flux2",
      "image-automation-controller",
      "image-reflector-controller",
    ]);
    for (const each of pinned) assert.ok(read("flux/go.sum").includes(`${each} h1:`), each);
  });

  it("lists a module's tools as the catalogue does", () => {
    const [, list = ""] = /^tool \(\n([^)]*)\)/m.exec(read("cluster/go.mod")) ?? [];
    const packages = toolsOf("cluster").map((name) => CATALOGUE[name].go.package);
    assert.deepEqual(list.trim().split(/\s+/), packages.sort());
    assert.deepEqual(toolsOf("cluster").sort(), [...CLUSTER_TOOLS].sort());
  });
});

describe("publishedChecksum", () => {
  const sum = "a".repeat(64);
  it("finds a file's line in text or binary mode, and no other file's", () => {
    const text = `${"b".repeat(64)}  tool-linux.sig\n${sum.toUpperCase()} *tool-linux\n`;
    assert.equal(publishedChecksum(text, "tool-linux"), sum);
    assert.equal(publishedChecksum(text, "tool"), undefined);
  });
  it("takes a text that is a checksum and nothing else", () => {
    assert.equal(publishedChecksum(`${sum}\n`, "kubectl"), sum);
  });
});
