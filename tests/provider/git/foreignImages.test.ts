import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { BranchFiles } from "../../../provider/git/branch.ts";
import { foreignOnBranch } from "../../../provider/git/foreignImages.ts";

const branch = (files: Readonly<Record<string, string>>): BranchFiles & { readonly read: string[] } => {
  const read: string[] = [];
  return {
    read,
    paths: Object.keys(files),
    texts: async (paths) => {
      read.push(...paths);
      return new Map(paths.map((path) => [path, files[path] ?? ""]));
    },
  };
};
const pod = (name: string, image: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: a, image: "${image}"}]}\n`;
const look = (
  files: Readonly<Record<string, string>>,
  more: Partial<Parameters<typeof foreignOnBranch>[1]> = {},
  signal = new AbortController().signal,
) => foreignOnBranch(branch(files), { folders: ["apps/prod"], ...more }, signal);
const images = async (...args: Parameters<typeof look>) => (await look(...args)).images.map(({ image }) => image);

describe("images of other registries in people's files", () => {
  it("are those of what Flux applies, each with file, object and field", async () => {
    const found = await look({
      "apps/prod/kustomization.yaml": "resources: [../base, own.yaml]\n",
      "apps/prod/own.yaml": pod("own", "acme.azurecr.io/own:1"),
      "apps/prod/unlisted.yaml": pod("unlisted", "nginx:1"),
      "apps/base/kustomization.yaml": "resources: [pod.yaml]\n",
      "apps/base/pod.yaml": pod("web", "ghcr.io/acme/web:1"),
      "apps/dev/pod.yaml": pod("dev", "nginx:2"),
    });
    assert.deepEqual(found, {
      images: [
        {
          file: "apps/base/pod.yaml",
          object: "Pod web",
          field: "spec.containers[0].image",
          image: "ghcr.io/acme/web:1",
        },
      ],
      more: 0,
      unread: [],
    });
  });

  it("are looked for in what Kustomizations of the repository among them apply too, and no others", async () => {
    const kustomization = (name: string, source: string, more = "") =>
      `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${name}}\n` +
      `spec: {path: ./teams/${name}, sourceRef: {kind: GitRepository, name: ${source}}${more}}\n`;
    const files = {
      "apps/prod/a.yaml": kustomization("a", "flux-system"),
      "apps/prod/b.yaml": kustomization("b", "shop"),
      "apps/prod/c.yaml": kustomization("c", "flux-system", ", suspend: true"),
      ...Object.fromEntries(["a", "b", "c"].map((name) => [`teams/${name}/pod.yaml`, pod(name, `nginx:${name}`)])),
    };
    assert.deepEqual(await images(files, { otherSources: ["shop"] }), ["nginx:a"]);
  });

  it("are none where a kustomization, Flux's own or the settings put the registry's in their place", async () => {
    const files = {
      "apps/prod/kustomization.yaml":
        "resources: [a.yaml, b.yaml, c.yaml]\nimages: [{name: nginx, newName: acme.azurecr.io/docker.io/library/nginx}]\n",
      "apps/prod/a.yaml": pod("a", "nginx:1"),
      "apps/prod/b.yaml": pod("b", "ghcr.io/acme/web:1"),
      "apps/prod/c.yaml": pod("c", "quay.io/acme/c:1"),
    };
    assert.deepEqual(await images(files), ["ghcr.io/acme/web:1", "quay.io/acme/c:1"]);
    const known = { replaced: ["ghcr.io/acme/web"], accepted: ["quay.io/acme/c"] };
    assert.deepEqual(await images(files, known), []);
  });

  it("are not looked for in what is somebody else's, in secrets, in encrypted files and in definitions", async () => {
    const body = "metadata: {name: a}\nstringData: {a: 'ghcr.io/acme/secret:1'}\n";
    const files = {
      "apps/prod/secret.yaml": `apiVersion: v1\nkind: Secret\n${body}`,
      "apps/prod/sops.yaml": `${pod("a", "nginx:1")}sops: {mac: x}\n`,
      "apps/prod/crd.yaml": `kind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {default: "ghcr.io/acme/crd:1"}\n`,
      "apps/prod/own/a.yaml": pod("own", "nginx:3"),
    };
    assert.deepEqual(await images(files, { without: ["apps/prod/own"] }), []);
    assert.deepEqual(await images(files), ["nginx:3"]);
  });

  it("are told beside files that are strange: damaged, templates, without end, large, or of themselves", async () => {
    const files = {
      "apps/prod/a.yaml": "image: [\n",
      "apps/prod/b.yaml": "{{- if .Values.image }}\nkind: Pod\n{{ end }}\n",
      "apps/prod/c.yaml": "image: &a [*a, *a]\n",
      "apps/prod/d.yaml": `image: 1\n${Array.from({ length: 12 }, (_, n) => `l${n}: &l${n} [${n ? `*l${n - 1},`.repeat(9) : "a:1"}]\n`).join("")}`,
      "apps/prod/e.yaml": `${pod("large", "nginx:large")}# ${"x".repeat(600_000)}\n`,
      "apps/prod/f.yaml": `metadata: 3\nspec: null\nkind: [image]\n---\n${pod("z", "nginx:1")}`,
    };
    assert.deepEqual(await images(files), ["nginx:1"]);
  });

  it("are told where image automation writes a tag that is pinned elsewhere", async () => {
    const policy = '# {"$imagepolicy": "flux-system:web"}';
    const container = `kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - name: a\n      image: ghcr.io/acme/web:1.2.0 ${policy}\n`;
    const entry = `images:\n  - name: web\n    newName: acme.azurecr.io/web\n    newTag: 1.2.0 ${policy.replace("web", "web:tag")}\n`;
    const files = {
      "apps/prod/a.yaml": container,
      "apps/prod/b.yaml": container.replace(` ${policy}`, ""),
      "apps/prod/c/kustomization.yaml": entry,
    };
    const unread = async (pinned: string[]) => (await look(files, { pinned })).unread;
    assert.deepEqual(await unread(["ghcr.io/acme/web"]), ["apps/prod/a.yaml"]);
    assert.deepEqual(await unread(["web"]), ["apps/prod/c/kustomization.yaml"]);
    assert.deepEqual(await unread(["acme.azurecr.io/web"]), ["apps/prod/c/kustomization.yaml"]);
    assert.deepEqual(await unread(["ghcr.io/acme/other"]), []);
  });

  it("are named up to ten", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 13 }, (_, n) => [`apps/prod/${n}.yaml`, pod(`p${n}`, `nginx:${n}`)]),
    );
    const { images, more } = await look(files);
    assert.deepEqual([images.length, more], [10, 3]);
  });

  it("are looked for no longer than somebody waits", async () => {
    const signal = AbortSignal.abort(new Error("too long"));
    await assert.rejects(look({ "apps/prod/a.yaml": pod("a", "nginx:1") }, {}, signal), /abort/i);
  });

  it("are found wherever they stand, whatever else the file names", async () => {
    const own = "acme.azurecr.io/a:1";
    const config = (text: string) => `kind: ConfigMap\nmetadata: {name: a}\ndata: {a: ${own}, b: "${text}"}\n`;
    const files = {
      "apps/prod/a.yaml": config("run ghcr.io/acme/tool:1 now"),
      "apps/prod/b.yaml": config("registry.local:5000/acme/tool:2"),
      "apps/prod/c.yaml": `${pod("c", own)}---\n${pod("d", "nginx")}`,
      "apps/prod/d.yaml":
        "kind: X\nmetadata: {name: d}\nspec:\n  image:\n    repository: quay.io/acme/x\n    tag: '3'\n",
      "apps/prod/e.json.yaml": JSON.stringify({ kind: "Pod", spec: { containers: [{ image: "busybox:1.37" }] } }),
      "apps/prod/f.yaml": config("see https://docs.acme.com/guide and {registry}/x:1"),
    };
    assert.deepEqual(await images(files), [
      ...["ghcr.io/acme/tool:1", "registry.local:5000/acme/tool:2", "nginx", "quay.io/acme/x:3", "busybox:1.37"],
    ]);
  });

  it("cost the reading of what Flux applies, and no other file", async () => {
    const files = branch({
      "apps/prod/kustomization.yaml": "resources: [a.yaml]\n",
      "apps/prod/a.yaml": pod("a", "nginx:1"),
      "docs/large.yaml": "x",
    });
    await foreignOnBranch(files, { folders: ["apps/prod"] }, new AbortController().signal);
    assert.deepEqual(files.read, ["apps/prod/kustomization.yaml", "apps/prod/a.yaml"]);
  });
});
