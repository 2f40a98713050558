// What breaks behind the back of a living dev is seen, named and mended; what is replaced is renewed.
import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import { before, describe, it } from "mocha";
import { callArm, callGraph } from "../../support/arm.ts";
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

  it("brings back controllers, secrets, a Kustomization and a release, and what they had applied", async () => {
    await kubectl("delete", "deployment/source-controller", "deployment/kustomize-controller");
    await kubectl("delete", "secret/flux-system", "secret/flux-helm-acr-credentials");
    await kubectl("patch", "helmrelease/kured", "--type=merge", "--patch", '{"metadata":{"finalizers":null}}');
    await kubectl("delete", "helmrelease/kured", "--wait=false");
    await kubectl("patch", "kustomization/apps", "--type=merge", "--patch", '{"metadata":{"finalizers":null}}');
    await kubectl("delete", "kustomization/apps");
    await dev.output("kubectl", "-n", "demo", "delete", "deployment/demo");
    const names = [
      /Deployment flux-system\/source-controller/,
      /Deployment flux-system\/kustomize-controller/,
      /Secret flux-system\/flux-system/,
      /Secret flux-system\/flux-helm-acr-credentials/,
      /Kustomization flux-system\/apps/,
      /HelmRelease flux-system\/kured/,
    ];
    const { code, stdout } = await preview("--expect-no-changes");
    assert.notEqual(code, 0, stdout);
    const told = await faults();
    for (const name of names) {
      assert.match(stdout, name);
      assert.match(told, name);
    }
    // Whoever may preview need not see all of it.
    const read = await dev.rehearse("--as", "reader", "pulumi", "preview", "--non-interactive");
    assert.equal(read.code, 0, read.stdout + read.stderr);
    await up();
    await isWell();
    assert.equal(
      await dev.output("kubectl", "-n", "demo", "get", "deployment", "demo", "-o", "name"),
      "deployment.apps/demo",
    );
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

  /** The ids of the stack's resources of a type. */
  async function idsOf(type: string): Promise<string[]> {
    const { resources } = JSON.parse((await dev.succeeds("pulumi", "stack", "export")).stdout).deployment;
    return (resources as { type: string; id: string }[]).filter((one) => one.type === type).map(({ id }) => id);
  }

  /** Seen by a refresh, put right by an update. */
  async function isPutRight(...types: readonly string[]): Promise<void> {
    const { code, stdout } = await preview("--refresh", "--expect-no-changes");
    assert.notEqual(code, 0, stdout);
    for (const type of types) assert.match(stdout, new RegExp(`\\+ +\\S*${type}\\b.* create`), type);
    await up("--refresh");
    await isWell();
  }

  it("gets back the pull principal's password", async () => {
    const [id = ""] = await idsOf("azuread:index/applicationPassword:ApplicationPassword");
    const [application, keyId] = id.split("/password/");
    await callGraph(dev, "POST", `/applications/${application}/removePassword`, { keyId });
    await isPutRight("ApplicationPassword");
  });

  it("gets back the pull principal's application, and the identity of Flux's controllers, with all that was theirs", async () => {
    const [id = ""] = await idsOf("azuread:index/application:Application");
    await callGraph(dev, "DELETE", id);
    const ids = await idsOf("azure-native:managedidentity:UserAssignedIdentity");
    await callArm(dev, "DELETE", `${ids.find((one) => /\/flux-/.test(one))}?api-version=2023-01-31`);
    await isPutRight(
      ...["Application", "ServicePrincipal", "ApplicationPassword"],
      ...["UserAssignedIdentity", "FederatedIdentityCredential"],
    );
  });

  it("renews what is replaced by hand, and takes nothing away", async () => {
    const kinds = "namespaces,deployments,daemonsets,kustomizations,secrets";
    const uids = () => dev.output("kubectl", "get", "-A", kinds, "-o", "jsonpath={.items[*].metadata.uid}");
    const before = { uids: await uids(), commits: await commits() };
    const replaced = ["FluxInstall", "GitCommit", "FluxReady"].flatMap((type) => [
      ...["--replace", `**gitops:index:${type}::flux`],
    ]);
    const { stdout } = await up(...replaced);
    assert.match(stdout, /3 replaced/);
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
