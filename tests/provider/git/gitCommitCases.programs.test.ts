// Repositories as people have reported them, where such cases stand beside the checkout.
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, before, beforeEach, describe, it } from "mocha";
import type { Context } from "../../../plugin/handler.ts";
import { gitCommit } from "../../../provider/git/gitCommit.ts";

const CASES = resolve(import.meta.dirname, "../../../../shared/cases");

describe("GitCommit in a repository that somebody reported", () => {
  let folder: string;
  let logs: string[];

  before(function () {
    if (!existsSync(CASES)) this.skip(); // the cases are not part of this repository
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cases-"));
    logs = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const context: Context = {
    urn: "urn:pulumi:prod::aks-gitops::gitops:index:GitCommit::fleet",
    type: "gitops:index:GitCommit",
    name: "fleet",
    preview: false,
    signal: new AbortController().signal,
    log: (severity, message) => logs.push(`${severity}: ${message}`),
  };
  const bare = () => join(folder, "fleet.git");
  const git = (...args: string[]) => execFileSync("git", ["-C", bare(), ...args], { encoding: "utf8" });
  const commit = (more: object) =>
    gitCommit.create({ url: pathToFileURL(bare()).href, branch: "main", message: "Update", ...more }, context);

  /** A bare repository in a state of case 28. */
  function links(state: string, input = "") {
    execFileSync("sh", [join(CASES, "28-links-and-modes/make-repository.sh"), state, bare()], {
      input,
      stdio: ["pipe", "ignore", "inherit"],
    });
  }

  /** A bare repository of a folder's files. */
  function of(files: string) {
    const work = join(folder, "work");
    execFileSync("cp", ["-r", join(CASES, files), work]);
    const author = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "filter.lfs.clean=cat"];
    for (const args of [
      ["init", "-q", "-b", "main"],
      ["add", "-A"],
      ["commit", "-qm", "Start"],
    ])
      execFileSync("git", ["-C", work, ...author, ...args]);
    execFileSync("git", ["clone", "-q", "--bare", work, bare()]);
  }

  const files = { "infrastructure/prod/kustomization.yaml": "resources: []\n" };
  const sopsRules = [
    { path_regex: "^infrastructure/prod/", azure_keyvault: "https://kv.vault.azure.net/keys/sops/v1" },
  ];

  for (const state of ["link-folder", "submodule"])
    it(`refuses a folder that is none, by name: ${state}`, async () => {
      links(state);
      const before = git("rev-parse", "main");
      await assert.rejects(
        commit({ files }),
        /already holds something else at: infrastructure\/prod\/kustomization\.yaml\./,
      );
      assert.equal(git("rev-parse", "main"), before);
    });

  it("refuses .sops.yaml that is a link, and leaves it", async () => {
    links("link-sops");
    await assert.rejects(commit({ files, sopsRules }), /^Error: \.sops\.yaml is a link, /);
    assert.match(git("ls-tree", "main", ".sops.yaml"), /^120000 /);
  });

  it("warns of applications that are a link", async () => {
    links("link-apps");
    await commit({ files, seeds: { "apps/prod/kustomization.yaml": "resources: []\n" } });
    assert.match(logs.join("\n"), /^warning: apps\/prod is a link, which Flux leaves out of what it applies/m);
  });

  it("takes over its very bytes where they are executable", async () => {
    links("executable", "a: b\n");
    await commit({ files: { "clusters/prod/apps.yaml": "a: b\n" } });
    assert.match(git("ls-tree", "main", "clusters/prod/apps.yaml"), /^100644 /);
  });

  it("warns of a folder in other case", async () => {
    links("other-case");
    await commit({ files });
    assert.match(logs.join("\n"), /^warning: Infrastructure is there, and infrastructure is one folder with it/m);
  });

  it("refuses pointers of Git LFS where it would edit, and warns of owned files", async () => {
    of("27-lfs-attributes/repository");
    await assert.rejects(commit({ files, sopsRules }), /^Error: \.sops\.yaml is a pointer of Git LFS/);
    const kustomizations = { "clusters/dev/flux-system/kustomization.yaml": { resources: ["gotk-sync.yaml"] } };
    await assert.rejects(commit({ files, kustomizations }), /kustomization\.yaml is a pointer of Git LFS/);
    await commit({ files });
    assert.match(logs.join("\n"), /^warning: Git LFS takes YAML files/m);
  });

  it("is listed in the cluster's own kustomization.yaml, of which every other line stays", async () => {
    of("10-root-kustomization/repository");
    const path = "clusters/prod/kustomization.yaml";
    const theirs = readFileSync(join(CASES, "10-root-kustomization/repository", path), "utf8");
    await commit({
      files: { "clusters/prod/apps.yaml": "a: b\n" },
      listed: { [path]: { resources: ["flux-system", "apps.yaml"] } },
    });
    const lines = git("show", `main:${path}`).split("\n");
    assert.deepEqual(lines.filter((line) => !/^\s*- apps\.yaml$/.test(line)).join("\n"), theirs);
    assert.equal(lines.length, theirs.split("\n").length + 1);
  });
});
