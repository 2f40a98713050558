// `rehearse check` on a rehearsal of dev that is changed behind Flux's back: its exit status, and what it says. What is
// broken is put right by kubectl and git.
import { strict as assert } from "node:assert";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { devRehearsal } from "../../support/devRehearsal.ts";
import { processesOf } from "../../support/processes.ts";
import type { Rehearsal } from "../../support/rehearsal.ts";
import { assertApplied, check, commit, includes, inFlux, isGreen, note } from "./checked.ts";

describe("the check of dev", () => {
  let dev: Rehearsal;
  const kubectl = (...args: string[]) => dev.output("kubectl", ...args);

  before(async () => {
    ({ dev } = await devRehearsal());
  });

  it("is green, says what it looked at, since when it is so, and where the branch stands", async () => {
    const { stdout } = await isGreen(dev);
    assert.match(stdout, /^Stack dev, Flux by bootstrap, looked at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/m);
    assert.match(
      stdout,
      /^ {2}Deployment +4 of 4 +available +source-controller, kustomize-controller, helm-controller/m,
    );
    assert.match(stdout, /^ {2}Kustomization +3 of 3 +Ready at the head +flux-system, infrastructure, apps$/m);
    assert.match(
      stdout,
      /^ {2}apps +\.\/apps\/dev .* since \d\d:\d\d:\d\d, \d+ s ago +Ready +main@sha1:[0-9a-f]{12}$/m,
    );
    assert.match(stdout, /commit [0-9a-f]{12} {2}\d\d:\d\d:\d\d, \d+ (s|min) ago$/m);
    const { looked, kustomizations, repository } = dev.report();
    assert.equal(looked.find(({ kind }) => kind === "CustomResourceDefinition")?.right, 11);
    for (const { since } of kustomizations) assert.ok(Date.parse(since) > 0, since);
    assert.ok(Date.parse(repository.time) > 0);
  });

  it("waits for a commit that was pushed a moment ago", async () => {
    const head = await commit(dev, note("dev"));
    await isGreen(dev);
    assertApplied(dev, head);
    assert.match(await kubectl("get", "configmap", "-n", "demo", "by-hand", "-o", "name"), /by-hand/);
    const back = await commit(dev, "git revert --no-edit --no-commit HEAD");
    await isGreen(dev);
    assertApplied(dev, back);
  });

  it("is red where a commit is broken, with what Flux says and both commits", async () => {
    const { commit: good } = dev.report().repository;
    const head = await commit(dev, "echo '  - nowhere.yaml' >> apps/dev/kustomization.yaml");
    includes(
      await check(dev),
      new RegExp(
        `^Kustomization flux-system/apps is not Ready: BuildFailed: .*nowhere\\.yaml.*; it has applied main@sha1:${good.slice(0, 12)}, ` +
          `not the branch's head ${head.slice(0, 12)}$`,
      ),
    );
    await commit(dev, "git revert --no-edit --no-commit HEAD");
    await isGreen(dev);
  });

  it("is red where Flux's controllers are gone", async () => {
    await kubectl("delete", "deployments", ...inFlux, "--all", "--wait");
    const head = await commit(dev, note("dev"));
    const red = await check(dev);
    for (const name of ["source", "kustomize", "helm", "notification"])
      includes(red, new RegExp(`^Deployment flux-system/${name}-controller is missing$`));
    includes(
      red,
      new RegExp(`^Kustomization flux-system/apps has applied \\S+, not the branch's head ${head.slice(0, 12)}$`),
    );
    assert.match(red.stdout, /remedy: run `npm run rehearse -- pulumi up`/);
    assert.match(red.stdout, /^ {2}Deployment +0 of 4 /m);
    await kubectl("apply", "--server-side", "--force-conflicts", "-k", "clusters/dev/flux-system");
    await kubectl("wait", ...inFlux, "--for=condition=Available", "--timeout=60s", "deployments", "--all");
    await commit(dev, "git revert --no-edit --no-commit HEAD");
    await isGreen(dev);
  });

  it("is red where the secret of Flux's sign-in is gone", async () => {
    const { apiVersion, kind, type, data } = JSON.parse(
      await kubectl("get", "secret", ...inFlux, "flux-system", "-o", "json"),
    );
    await kubectl("delete", "secret", ...inFlux, "flux-system");
    const red = await check(dev);
    includes(red, /^Secret flux-system\/flux-system is missing$/);
    includes(red, /^GitRepository flux-system\/flux-system is not Ready: .*secrets? "?.*flux-system.* not found/);
    const file = join(dev.folder, "secret.json");
    writeFileSync(
      file,
      JSON.stringify({ apiVersion, kind, type, data, metadata: { name: "flux-system", namespace: "flux-system" } }),
    );
    await kubectl("apply", "-f", file);
    await isGreen(dev);
  });

  it("is red where a Kustomization was deleted, also when Flux has made it again meanwhile", async () => {
    await kubectl("delete", "kustomization", ...inFlux, "apps", "--wait");
    assert.deepEqual((await check(dev)).faults, [
      "Kustomization flux-system/apps was missing when the check began; Flux has made it again since, from Kustomization flux-system",
    ]);
    await isGreen(dev);
  });

  it("is red where a Kustomization is suspended, and its remedy helps", async () => {
    await dev.output("flux", "suspend", "kustomization", "apps");
    const red = await check(dev);
    assert.deepEqual(red.faults, ["Kustomization flux-system/apps is suspended"]);
    assert.match(red.stdout, /^ {2}apps .* SUSPENDED /m);
    const [, words = ""] = /remedy: run `npm run rehearse -- (.*)`/.exec(red.stdout) ?? [];
    await dev.succeeds(...words.split(" "));
    await isGreen(dev);
  });

  it("is red where the branch or the repository is gone", async () => {
    const bare = join(dev.folder, "git/acme/fleet.git");
    const rename = (from: string, to: string) => dev.output("git", "-C", bare, "branch", "-m", from, to);
    await rename("main", "other");
    includes(await check(dev), /^the GitOps repository https:\/\/github\.com\/acme\/fleet has no branch main$/);
    await rename("other", "main");
    renameSync(bare, `${bare}.away`);
    includes(await check(dev), /^there is no GitOps repository https:\/\/github\.com\/acme\/fleet$/);
    renameSync(`${bare}.away`, bare);
    await isGreen(dev);
  });

  it("is red where there is no Flux", async () => {
    await dev.output("flux", "uninstall", "--silent");
    const red = await check(dev);
    includes(red, /^Flux is not in the cluster: /);
    assert.equal(red.faults.filter((fault) => /is missing$/.test(fault)).length, 0);
  });

  it("is red where the cluster has ended", async () => {
    const server = processesOf(dev.folder).find(({ name }) => name === "kube-apiserver");
    assert.ok(server);
    process.kill(server.pid, "SIGKILL");
    includes(await check(dev), /^the cluster does not answer: no answer from the API server /);
  });
});
