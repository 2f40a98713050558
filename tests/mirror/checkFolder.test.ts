import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { checkFolder } from "../../mirror/checkFolder.ts";

describe("mirror check of a folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "check-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  }
  const pod = (name: string, image: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: a, image: "${image}"}]}\n`;
  const check = async (...args: string[]) => {
    const { text, isWhole } = await checkFolder([folder, ...args]);
    return { lines: text.trimEnd().split("\n"), isWhole };
  };

  it("names file, object, field, image and the line that mirrors it", async () => {
    write({
      "apps/a.yaml": `${pod("one", "acme.azurecr.io/a:1")}---\n${pod("two", "nginx:1.29")}`,
      "apps/b.txt": pod("x", "b:1"),
    });
    assert.deepEqual(await check(), {
      lines: [
        "apps/a.yaml: Pod two, spec.containers[0].image: nginx:1.29",
        "  mirror it: aks-gitops:images: [docker.io/library/nginx:1.29]",
        `${folder}: 1 image from elsewhere`,
      ],
      isWhole: false,
    });
  });

  it("lets pass what a kustomization there, Flux's or its own, puts the registry's image in the place of", async () => {
    write({
      "base/pod.yaml": pod("one", "podinfo"),
      "base/other.yaml": pod("two", "ghcr.io/acme/tool:1"),
      "prod/kustomization.yaml":
        "resources: [../base]\nimages:\n  - {name: podinfo, newName: acme.azurecr.io/ghcr.io/stefanprodan/podinfo}\n",
      "clusters/apps.yaml": `kind: Kustomization\nmetadata: {name: apps}\nspec: {images: [{name: ghcr.io/acme/tool, newName: '\${registry}/ghcr.io/acme/tool'}]}\n`,
    });
    assert.deepEqual(await check(), { lines: [`${folder}: no image from elsewhere`], isWhole: true });
    write({ "prod/kustomization.yaml": "images:\n  - {name: podinfo, newName: quay.io/acme/podinfo, newTag: '1'}\n" });
    assert.equal((await check()).isWhole, false);
  });

  it("knows the registries that it is given alone, and what is to be ignored", async () => {
    write({ "a.yaml": pod("one", "acme.azurecr.io/a:1"), "b.yaml": pod("two", "docker.io/nginx:1") });
    const { lines } = await check("--registry", "other.azurecr.io", "--ignore", "nginx");
    assert.deepEqual(lines, [
      "a.yaml: Pod one, spec.containers[0].image: acme.azurecr.io/a:1",
      "  mirror it: aks-gitops:images: [acme.azurecr.io/a:1]",
      `${folder}: 1 image from elsewhere`,
    ]);
  });

  it("reads a release's values, where an image is written in parts", async () => {
    const release = (repository: string) =>
      `kind: HelmRelease\nmetadata: {name: web}\nspec: {values: {image: {repository: ${repository}, tag: "1"}}}\n`;
    write({ "a.yaml": release("ghcr.io/acme/web"), "b.yaml": release("acme.azurecr.io/ghcr.io/acme/web") });
    assert.deepEqual((await check()).lines, [
      "a.yaml: HelmRelease web, spec.values.image: ghcr.io/acme/web:1",
      "  mirror it: aks-gitops:images: [ghcr.io/acme/web:1]",
      `${folder}: 1 image from elsewhere`,
    ]);
  });

  it("lets pass what Azure itself brings into its own namespaces, and nowhere else", async () => {
    const at = (namespace: string, image: string) =>
      `kind: Pod\nmetadata: {name: ${namespace}, namespace: ${namespace}}\nspec: {containers: [{name: a, image: "${image}"}]}\n`;
    write({
      "a.yaml": at("kube-system", "mcr.microsoft.com/oss/kubernetes/coredns:v1.12.1"),
      "b.yaml": at("shop", "mcr.microsoft.com/dotnet/samples:aspnetapp"),
      "c.yaml": at("kube-system", "quay.io/acme/agent:1"),
    });
    assert.deepEqual(
      (await check()).lines.filter((line) => line.includes(": Pod")),
      [
        "b.yaml: Pod shop, spec.containers[0].image: mcr.microsoft.com/dotnet/samples:aspnetapp",
        "c.yaml: Pod kube-system, spec.containers[0].image: quay.io/acme/agent:1",
      ],
    );
  });

  it("leaves templates and damaged files to others", async () => {
    write({ "chart/templates/a.yaml": "{{- if .Values.x }}\nkind: Pod\n{{ end }}\n", "b.yaml": "a: [\n" });
    assert.equal((await check()).isWhole, true);
  });

  it("says how it is called where no folder is named", async () => {
    await assert.rejects(checkFolder([]), /^Error: Name one folder\.\nnpm run mirror -- check <folder>/);
  });
});
