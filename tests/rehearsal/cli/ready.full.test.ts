// Prod, where the extension runs Flux: what an update says is in the cluster is there.
import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { eventually } from "../../support/cluster.ts";
import { Rehearsal } from "../../support/rehearsal.ts";

describe("a commit's way into prod", () => {
  const rehearsal = new Rehearsal("prod");
  const succeeds = (...args: string[]) => rehearsal.succeeds(...args);
  const pulumi = (...args: string[]) => succeeds("pulumi", ...args, "--non-interactive");
  const set = (key: string, value: number) =>
    succeeds("pulumi", "config", "set", "--path", `aks-gitops:${key}`, `${value}`);
  const apps = ["kustomizations.kustomize.toolkit.fluxcd.io", "apps", "-n", "flux-system"];
  const suspend = (value: boolean) =>
    rehearsal.output("kubectl", "patch", ...apps, "--type=merge", "-p", JSON.stringify({ spec: { suspend: value } }));
  const get = async (...what: string[]) => JSON.parse(await rehearsal.output("kubectl", "get", ...what, "-o", "json"));
  const LINE = /Kustomization flux-system\/apps: is suspended; `flux resume kustomization apps` lets it go on/;

  before(() => rehearsal.start());
  after(() => rehearsal.end());

  it("shows what was suspended, without a look into the cluster, and is red while it is so", async () => {
    await pulumi("preview", "--expect-no-changes");
    await suspend(true);
    const shown = await eventually(async () => {
      const { stdout, stderr } = await pulumi("preview");
      return LINE.test(stdout + stderr) ? stdout + stderr : undefined;
    });
    assert.match(shown, /FluxConfigurationReady flux update .*\[diff: ~wrong\]/);
    assert.match(shown, /~ 1 to update/);
    await set("flux.readyMinutes", 1);
    const red = await rehearsal.rehearse("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
    assert.notEqual(red.code, 0);
    assert.match(
      red.stdout + red.stderr,
      /not Ready after 1 minute:\n\s+Kustomization flux-system\/apps: is suspended/,
    );
    assert.equal((await get(...apps)).spec.suspend, true);
  });

  it("is green when a new commit is applied, and not before", async () => {
    await suspend(false);
    await set("flux.readyMinutes", 10);
    await set("demo.replicas", 4);
    await pulumi("up", "--yes", "--skip-preview");
    const commit = (await pulumi("stack", "output", "commit")).stdout.trim();
    assert.match(commit, /^[0-9a-f]{40}$/);
    assert.equal((await get(...apps)).status.lastAppliedRevision, `main@sha1:${commit}`);
    assert.equal((await get("deployment", "demo", "-n", "demo")).spec.replicas, 4);
    await pulumi("preview", "--expect-no-changes");
    await pulumi("refresh", "--yes", "--expect-no-changes");
  });
});
