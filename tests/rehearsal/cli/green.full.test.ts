// What breaks behind the back of a living dev is seen, named and mended; what is replaced is renewed.
import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import { before, describe, it } from "mocha";
import { devRehearsal } from "../../support/devRehearsal.ts";
import { processesOf } from "../../support/processes.ts";
import type { Rehearsal } from "../../support/rehearsal.ts";

const UP = ["up", "--yes", "--skip-preview", "--non-interactive"];

describe("a living dev", () => {
  let dev: Rehearsal;

  before(async () => {
    ({ dev } = await devRehearsal());
  });

  const kubectl = (...args: string[]) => dev.output("kubectl", "-n", "flux-system", ...args);
  const commits = async () => (await dev.output("git", "rev-list", "origin/main")).split("\n").length;
  const up = (...args: string[]) => dev.succeeds("pulumi", ...UP, ...args);
  const preview = (...args: string[]) => dev.rehearse("pulumi", "preview", "--non-interactive", ...args);

  /** The faults of a check, which has to fail; the report has the same. */
  async function faults(): Promise<string> {
    const { code, stdout } = await dev.rehearse("check");
    assert.equal(code, 1, stdout);
    return dev.report().faults.join("\n");
  }

  /** Nothing to do, nothing wrong. */
  async function isWell(): Promise<void> {
    const { code, stdout, stderr } = await preview("--expect-no-changes");
    assert.equal(code, 0, stdout + stderr);
    await dev.succeeds("check");
  }

  /** What is gone is told by a preview, by a reader's too, and by check; an update brings it back. */
  async function isMended(names: readonly RegExp[], isToldToReaders = true): Promise<void> {
    const { code, stdout } = await preview("--expect-no-changes");
    assert.notEqual(code, 0, stdout);
    for (const name of names) assert.match(stdout, name);
    const read = await dev.rehearse("--as", "reader", "pulumi", "preview", "--non-interactive");
    assert.equal(read.code, 0, read.stdout + read.stderr);
    if (isToldToReaders) for (const name of names) assert.match(read.stdout, name);
    const told = await faults();
    for (const name of names) assert.match(told, name);
    await up();
    await isWell();
  }

  it("brings back Flux's controllers", async () => {
    await kubectl("delete", "deployment", "source-controller", "kustomize-controller");
    await isMended([/source-controller/, /kustomize-controller/], false);
  });

  it("brings back the Secret that Flux reads the repository with", async () => {
    await kubectl("delete", "secret", "flux-system");
    await isMended([/Secret flux-system\/flux-system/], false);
  });

  it("brings back the pull principal's Secret", async () => {
    await kubectl("delete", "secret", "flux-helm-acr-credentials");
    await isMended([/Secret flux-system\/flux-helm-acr-credentials/], false);
  });

  it("brings back a Kustomization and what it had applied", async () => {
    await kubectl("delete", "kustomization", "apps");
    await isMended([/Kustomization flux-system\/apps/], false);
    assert.equal(
      await dev.output("kubectl", "-n", "demo", "get", "deployment", "demo", "-o", "name"),
      "deployment.apps/demo",
    );
  });

  it("brings back a release", async () => {
    await kubectl("delete", "helmrelease", "kured");
    await isMended([/HelmRelease flux-system\/kured/], false);
  });

  it("names what is suspended and leaves it so", async () => {
    await dev.output("flux", "suspend", "kustomization", "apps");
    assert.match(await faults(), /Kustomization flux-system\/apps.*suspended/);
    const { code, stdout } = await dev.rehearse("pulumi", ...UP);
    assert.notEqual(code, 0);
    assert.match(stdout, /Kustomization flux-system\/apps.*suspended.*flux resume/s);
    assert.equal(await kubectl("get", "kustomization", "apps", "-o", "jsonpath={.spec.suspend}"), "true");
    await dev.output("flux", "resume", "kustomization", "apps");
    await up();
    await isWell();
  });

  for (const type of ["FluxInstall", "GitCommit", "FluxReady"])
    it(`renews ${type} and takes nothing away`, async () => {
      const uids = () =>
        dev.output(
          "kubectl",
          "get",
          "-A",
          "namespaces,deployments,daemonsets,kustomizations,secrets",
          "-o",
          "jsonpath={.items[*].metadata.uid}",
        );
      const before = { uids: await uids(), commits: await commits() };
      const { stdout } = await up("--replace", `**gitops:index:${type}::flux`);
      assert.match(stdout, /1 replaced/);
      assert.deepEqual({ uids: await uids(), commits: await commits() }, before);
      await isWell();
    });

  it("takes everything over when the state has lost the commit and what depends on it", async () => {
    const before = await commits();
    const { stdout } = await dev.succeeds("pulumi", "stack", "export");
    const { resources } = JSON.parse(stdout).deployment as { resources: { urn: string; type: string }[] };
    const commit = resources.find(({ type }) => type === "gitops:index:GitCommit");
    await dev.succeeds("pulumi", "state", "delete", "--yes", "--target-dependents", String(commit?.urn));
    await up();
    assert.equal(await commits(), before);
    await isWell();
  });

  it("installs Flux again when the plugin was killed in the middle of its end", async function () {
    if (processesOf("/").length === 0) this.skip(); // without Linux's /proc nothing tells whose a process is
    const target = ["--target", "**gitops:index:FluxInstall::flux", "--target-dependents"];
    const ended = dev.rehearse("pulumi", "destroy", ...target, "--yes", "--skip-preview", "--non-interactive");
    const left = () => kubectl("get", "deployments", "-o", "name");
    while ((await left()).includes("source-controller")) await sleep(100);
    const plugin = processesOf(dev.folder).find(({ args }) => args.some((word) => word.endsWith("provider/main.ts")));
    assert.ok(plugin, "the plugin runs");
    process.kill(plugin.pid, "SIGKILL");
    assert.notEqual((await ended).code, 0);
    await up();
    await isWell();
    assert.equal(await kubectl("get", "kustomizations,gitrepositories", "-o", "jsonpath={.items[*].spec.suspend}"), "");
  });
});
