// What Azure Pipelines makes of the files: which stages run for what, and in which order.
import { strict as assert } from "node:assert";
import { join, resolve } from "node:path";
import { describe, it } from "mocha";
import { readPipeline } from "./azurePipeline.ts";

const folder = resolve(import.meta.dirname, "../../../azure-pipelines");
const preview = readPipeline(join(folder, "preview.yml"));
const up = readPipeline(join(folder, "up.yml"));
const drift = readPipeline(join(folder, "drift.yml"));

describe("the pipelines of Azure DevOps", () => {
  it("have a stage a stack, and nothing but its name differs", () => {
    for (const { stages } of [preview, up, drift]) {
      assert.deepEqual(
        stages.map(({ stage }) => stage),
        ["dev", "prod"],
      );
      const plain = stages.map(({ stage, condition: _, ...rest }) => JSON.stringify(rest).replaceAll(stage, "STACK"));
      assert.equal(plain[0], plain[1]);
    }
  });

  it("preview by a branch policy alone, and not for a fork", () => {
    assert.deepEqual([preview.trigger, preview.pr, up.pr], ["none", "none", "none"]);
    for (const { condition } of preview.stages)
      assert.equal(condition, "and(succeeded(), ne(variables['System.PullRequest.IsFork'], 'True'))");
  });

  it("update dev on main and prod by a tag, as deployments that wait for each other", () => {
    assert.deepEqual(up.trigger, {
      batch: "true",
      branches: { include: ["main"] },
      tags: { include: ["prod/*"] },
      paths: { exclude: ["benchmarks", "docs", "rehearsal", "tests"] },
    });
    const conditions = up.stages.map(({ condition }) => condition);
    assert.deepEqual(conditions, [
      "and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))",
      "and(succeeded(), startsWith(variables['Build.SourceBranch'], 'refs/tags/prod/'))",
    ]);
    for (const { stage, lockBehavior, jobs } of up.stages) {
      assert.equal(lockBehavior, "sequential");
      assert.deepEqual([jobs[0].deployment, jobs[0].environment], ["up", stage]);
    }
  });

  it("look for drift each night, whether main has moved or not, and for nothing else", () => {
    assert.deepEqual([drift.trigger, drift.pr], ["none", "none"]);
    assert.deepEqual(drift.schedules, [
      { cron: "17 3 * * *", displayName: "Drift", branches: { include: ["main"] }, always: "true" },
    ]);
    for (const { jobs } of drift.stages)
      assert.match(jobs[0].steps.at(-1).inputs.inlineScript, /^npm run --silent ci -- drift --stack (dev|prod)$/);
  });

  it("say in the comment of a stack that is not touched any more that it is so, with the job's own token alone", () => {
    for (const { jobs, stage } of preview.stages) {
      const step = jobs[0].steps.at(-2);
      assert.equal(step.script, `npm run --silent ci -- untouched --stack ${stage}`);
      assert.equal(step.condition, "and(succeeded(), eq(variables['untouched'], 'true'))");
      assert.deepEqual(step.env, { SYSTEM_ACCESSTOKEN: "$(System.AccessToken)" });
    }
  });

  it("use for each stack one connection that reads and one that deploys, with variables of their own", () => {
    const used = ({ stages }: typeof up) =>
      stages.map(({ variables, jobs }) => [variables[0].group, jobs[0].steps.at(-1).inputs.azureSubscription]);
    assert.deepEqual(used(preview), [
      ["dev-preview", "dev-preview"],
      ["prod-preview", "prod-preview"],
    ]);
    assert.deepEqual(used(up), [
      ["dev", "dev"],
      ["prod", "prod"],
    ]);
    assert.deepEqual(used(drift), used(preview));
  });

  it("give the secrets that are named to the one step that needs them", () => {
    for (const { stages } of [preview, up, drift])
      for (const { jobs } of stages) {
        const [last, ...others] = [...jobs[0].steps].reverse();
        assert.deepEqual(last.env, {
          SYSTEM_ACCESSTOKEN: "$(System.AccessToken)",
          GITHUB_TOKEN: "$(GITHUB_TOKEN)",
        });
        for (const step of others.filter(({ script }) => !script?.includes("untouched")))
          assert.equal(step.env, undefined);
      }
  });
});
