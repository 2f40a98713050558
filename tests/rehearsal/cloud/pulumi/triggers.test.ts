import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { Settings, Vcs } from "../../../../rehearsal/cloud/pulumi/settings.ts";
import { type Change, passes, triggered } from "../../../../rehearsal/cloud/pulumi/triggers.ts";

const about = { repository: "acme/aks-gitops", commit: "0123abc" };
const push = (branch: string, ...files: string[]): Change => ({ ...about, kind: "push", branch, files });
const pull = (base: string, ...files: string[]): Change => ({ ...about, kind: "pull request", number: 7, base, files });
const tag = (name: string): Change => ({ ...about, kind: "tag", tag: name });
const settings = (vcs: Partial<Vcs>): Settings => ({
  sourceContext: { git: { branch: "refs/heads/main" } },
  vcs: { provider: "github", repository: "acme/aks-gitops", ...vcs },
});
const paths = ["Pulumi.dev.yaml", "components/**"];

describe("what a change starts in Pulumi Deployments", () => {
  it("is an update for a push to the branch that touches the paths", () => {
    const dev = settings({ deployCommits: true, paths });
    assert.equal(triggered(dev, push("main", "README.md", "components/cluster/pools.ts")), "update");
    assert.equal(triggered(dev, push("main", "README.md", "Pulumi.prod.yaml")), undefined);
    assert.equal(triggered(dev, push("feature", "Pulumi.dev.yaml")), undefined);
    assert.equal(triggered(settings({ paths }), push("main", "Pulumi.dev.yaml")), undefined);
    assert.equal(triggered(settings({ deployCommits: true }), push("main", "README.md")), "update");
  });

  it("is a preview for a pull request into the branch", () => {
    const dev = settings({ deployCommits: true, previewPullRequests: true, paths });
    assert.equal(triggered(dev, pull("main", "Pulumi.dev.yaml")), "preview");
    assert.equal(triggered(dev, pull("main", "docs/package.md")), undefined);
    assert.equal(triggered(dev, pull("release", "Pulumi.dev.yaml")), undefined);
    assert.equal(triggered(settings({ deployCommits: true }), pull("main", "Pulumi.dev.yaml")), undefined);
  });

  it("is an update for a tag that the filters let pass, whatever it touches", () => {
    const prod = settings({ deployTags: true, tagFilters: ["v*", "!*-rc*"], previewPullRequests: true, paths });
    assert.equal(triggered(prod, tag("v1.2.0")), "update");
    assert.equal(triggered(prod, tag("v1.2.0-rc1")), undefined);
    assert.equal(triggered(prod, tag("test")), undefined);
    assert.equal(triggered(prod, push("main", "Pulumi.dev.yaml")), undefined);
    assert.equal(triggered(settings({ tagFilters: ["v*"] }), tag("v1.2.0")), undefined);
  });

  it("is nothing in another repository, or without one", () => {
    const dev = settings({ deployCommits: true });
    assert.equal(triggered(dev, { ...push("main", "a"), repository: "acme/fleet" }), undefined);
    assert.equal(triggered({}, push("main", "a")), undefined);
    assert.equal(triggered(settings({ deployCommits: true, provider: "gitlab" }), push("main", "a")), undefined);
  });
});

describe("filters of Pulumi Deployments", () => {
  it("are about whole names, and what one takes away no other brings back", () => {
    assert.equal(passes(["a/**"], "a/b/c.ts"), true);
    assert.equal(passes(["a/*"], "a/b/c.ts"), false);
    assert.equal(passes(["a"], "a/b"), false);
    assert.equal(passes(["a.b"], "axb"), false);
    assert.equal(passes(["!foo/**", "foo/bar/**"], "foo/bar/main.ts"), false);
    assert.equal(passes(["!foo/**"], "bar/main.ts"), true);
    assert.equal(passes([], "anything"), true);
  });
});
