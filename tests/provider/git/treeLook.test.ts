import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { TreeEntry } from "../../../provider/git/git.ts";
import { applies, oddities, uneditable } from "../../../provider/git/treeLook.ts";

const entry = (mode: string): TreeEntry => ({ mode, oid: "a".repeat(40) });
const tree = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([path, mode]) => [path, entry(mode)] as const));
const POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";

describe("a file that others edit too", () => {
  it("is refused where it is a link, or a pointer of Git LFS", () => {
    assert.match(uneditable(".sops.yaml", entry("120000"), "x") ?? "", /^\.sops\.yaml is a link, /);
    assert.match(
      uneditable("a/kustomization.yaml", entry("100644"), POINTER) ?? "",
      /is a pointer of Git LFS, .*a\/kustomization\.yaml -filter/,
    );
    assert.equal(uneditable(".sops.yaml", entry("100644"), "creation_rules: []\n"), undefined);
    assert.equal(uneditable(".sops.yaml", undefined, undefined), undefined);
  });
});

describe("a repository", () => {
  it("in which a folder is a link or a submodule, Flux does not apply there", () => {
    const found = oddities(
      tree({ "apps/prod": "120000", clusters: "160000" }),
      ["apps/prod/a.yaml", "clusters/prod/a.yaml"],
      undefined,
    );
    assert.deepEqual(found, [
      "apps/prod is a link, which Flux leaves out of what it applies: put a folder there",
      "clusters is a submodule, which Flux leaves out of what it applies: put a folder there",
    ]);
  });

  it("has one folder on some machines for two that differ in case", () => {
    assert.deepEqual(
      oddities(tree({ "Infrastructure/prod/README.md": "100644" }), ["infrastructure/prod/a.yaml"], undefined),
      [
        "Infrastructure is there, and infrastructure is one folder with it on macOS and Windows: rename one of them",
        "Infrastructure/prod is there, and infrastructure/prod is one folder with it on macOS and Windows: rename one of them",
      ],
    );
    assert.deepEqual(
      oddities(tree({ "infrastructure/prod/README.md": "100644" }), ["infrastructure/prod/a.yaml"], undefined),
      [],
    );
  });

  it("gives Git LFS its YAML files", () => {
    const found = (attributes: string) => oddities(tree({}), ["a.yaml"], attributes).length;
    assert.equal(found("*.yaml filter=lfs diff=lfs merge=lfs -text\n"), 1);
    assert.equal(found("* text=auto\r\n* filter=lfs\r\n"), 1);
    assert.equal(found("*.png filter=lfs diff=lfs merge=lfs -text\n* text=auto\n"), 0);
  });
});

describe("folders within one that is applied", () => {
  const found = (files: Record<string, string>, apart: Record<string, string[]> = { apps: ["apps/team"] }) =>
    applies(apart, async (path) => files[path]);

  it("are applied twice where that has no kustomization.yaml", async () => {
    const [problem] = await found({ "apps/web.yaml": "kind: Namespace\n" });
    assert.match(problem ?? "", /^apps has no kustomization\.yaml, so that it applies apps\/team as well: /);
  });

  it("are applied twice where that leads to them, or to a file in them, however far away", async () => {
    assert.match(
      (await found({ "apps/kustomization.yaml": "resources: [web.yaml, ./team/]\n" }))[0] ?? "",
      /^apps\/kustomization\.yaml leads to apps\/team, and apps\/team is applied by itself: /,
    );
    const far = {
      "apps/kustomization.yml": "resources:\n- https://example.com/x.yaml\n- web\n",
      "apps/web/kustomization.yaml": "components: [../../shared]\n",
      "shared/Kustomization": "patches:\n- path: ../apps/team/patch.yaml\n- patch: |\n    a: b\n",
    };
    assert.match((await found(far))[0] ?? "", /^shared\/Kustomization leads to apps\/team\/patch\.yaml, /);
  });

  it("are left out where it leads elsewhere, even in a circle", async () => {
    const files = {
      "apps/kustomization.yaml": "resources: [web, teams.yaml, team2]\n",
      "apps/web/kustomization.yaml": "resources: [..]\n",
    };
    assert.deepEqual(await found(files), []);
    assert.deepEqual(await found({}, {}), []);
  });
});
