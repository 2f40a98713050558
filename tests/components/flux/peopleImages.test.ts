import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { FluxBootstrap } from "../../../components/flux/fluxBootstrap.ts";
import { foreignText, lookedFor, unreadText } from "../../../components/flux/peopleImages.ts";
import { ownedFiles, seedFiles } from "../../../components/repository/files.ts";
import { foreignOnBranch } from "../../../provider/git/foreignImages.ts";
import { deploy } from "../deployment.ts";
import { LOCK } from "../lock.ts";
import { CONFIG, fluxArgs } from "./fluxDeployment.ts";

const TOKEN = "gitops:index:getForeignImages";
const found = (field: string, image: string) => ({
  file: "apps/base/web.yaml",
  object: "Deployment web",
  field,
  image,
});
const CONTAINER = "spec.template.spec.containers[0].image";

describe("images of other registries in people's files", () => {
  /** What the plugin was asked. */
  async function asked(isPreview: boolean): Promise<Record<string, unknown>[]> {
    const calls: Record<string, unknown>[] = [];
    const call = async (token: string, inputs: Record<string, unknown>) => {
      if (token === TOKEN) calls.push(inputs);
      return undefined;
    };
    const maker = { tenantId: "tenant", make: async () => undefined, call };
    await deploy(() => void new FluxBootstrap("flux", { ...fluxArgs(), demo: CONFIG.demo }), isPreview, maker);
    return calls;
  }

  it("are looked for by a preview, and by no update", async () => {
    assert.deepEqual(await asked(false), []);
    assert.deepEqual(await asked(true), [
      {
        url: "https://github.com/acme/fleet",
        branch: "main",
        folders: ["apps/test"],
        without: ["clusters/test", "infrastructure/test"],
        otherSources: [],
        replaced: [],
        pinned: [],
        accepted: [CONFIG.demo.image],
      },
    ]);
  });

  it("are looked for where people's Kustomizations apply the repository, as the settings know images", () => {
    const kustomizations = [
      { name: "a", path: "./apps/a/", images: [{ name: "a", mirrored: "ghcr.io/acme/a:1" }] },
      {
        name: "b",
        path: "b",
        images: [
          { name: "b", newName: "{registry}/b" },
          { name: "x", newTag: "2" },
        ],
      },
      { name: "c", path: "c", source: "shop", images: [{ name: "c", newName: "acme.azurecr.io/c" }] },
      { name: "d", path: "d", suspend: true, images: [{ name: "d", newName: "{registry}/d" }] },
      { name: "e", path: "e", images: [{ name: "e", newName: "ghcr.io/acme/e" }] },
    ];
    const looked = lookedFor({
      stack: "prod",
      kustomizations,
      configurations: [{ path: "./team" }],
      sources: [{ name: "shop", kind: "GitRepository", url: "https://github.com/acme/shop", branch: "main" }],
      acceptForeign: [{ image: "quay.io/acme/y", reason: "ours" }],
    });
    assert.deepEqual(looked, {
      folders: ["apps/a", "b", "e", "team"],
      without: ["clusters/prod", "infrastructure/prod"],
      otherSources: ["shop"],
      replaced: ["a", "b", "c"],
      pinned: ["a"],
      accepted: ["quay.io/acme/y"],
    });
  });

  it("are none in what people begin with, the demo's and the overlays'", async () => {
    for (const start of ["apps", "overlays"] as const) {
      const content = { stack: "test", demo: CONFIG.demo, start, lock: LOCK };
      const registry = { loginServer: "acme.azurecr.io", charts: [], secrets: [] };
      const files = { ...seedFiles(content), ...ownedFiles({ ...content, ...registry }) };
      const branch = {
        paths: Object.keys(files),
        texts: async (paths: readonly string[]) => new Map(paths.map((path) => [path, files[path] ?? ""])),
      };
      const { signal } = new AbortController();
      const looked = await foreignOnBranch(branch, lookedFor(content), signal);
      assert.deepEqual(looked, { images: [], more: 0, unread: [] });
      // It is the acceptance that makes the demo's own none.
      const { images } = await foreignOnBranch(branch, { ...lookedFor(content), accepted: [] }, signal);
      assert.deepEqual(
        images.map(({ image }) => image),
        [CONFIG.demo.image],
      );
    }
  });

  it("are told with file, object, field, image and the line that mends each", () => {
    const locked = [{ source: "ghcr.io/acme/web:1", repository: "ghcr.io/acme/web" }];
    const images = [
      found(CONTAINER, "nginx:1.29"),
      found(CONTAINER, "ghcr.io/acme/web:1"),
      found("spec.values.image", "ghcr.io/acme/tool:1"),
    ];
    const at = "  apps/base/web.yaml: Deployment web,";
    const said = [
      "people's files in the repository name images that do not come from the registry. An image that shall is mirrored " +
        "and put in its place; another one is accepted by aks-gitops:acceptForeign:",
      `${at} ${CONTAINER}: nginx:1.29`,
      "    aks-gitops:images: [docker.io/library/nginx:1.29], and images of its Kustomization: " +
        '[{ name: nginx, newName: "{registry}/docker.io/library/nginx" }]',
      `${at} ${CONTAINER}: ghcr.io/acme/web:1`,
      '    images of its Kustomization: [{ name: ghcr.io/acme/web, newName: "{registry}/ghcr.io/acme/web" }]',
      `${at} spec.values.image: ghcr.io/acme/tool:1`,
      "    aks-gitops:images: [ghcr.io/acme/tool:1], and in the file: <login server>/ghcr.io/acme/tool",
    ];
    assert.equal(foreignText({ images, more: 0 }, locked), said.join("\n"));
    assert.match(
      foreignText({ images, more: 4 }, locked) ?? "",
      /\n {2}and 4 more: `npm run mirror -- check FOLDER` in a checkout names all$/,
    );
    assert.equal(foreignText({ images: [], more: 0 }, locked), undefined);
  });

  it("are told where image automation writes tags that the settings' digest wins over", () => {
    assert.equal(
      unreadText({ unread: ["apps/a.yaml", "apps/b.yaml"] }),
      "image automation writes tags in apps/a.yaml, apps/b.yaml that nobody runs: flux.kustomizations pins the image's " +
        'digest, which wins over every tag. Write newName: "{registry}/<image>" alone in the place of mirrored, and the ' +
        "files say the tag",
    );
    assert.equal(unreadText({ unread: [] }), undefined);
  });
});
