import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { detect } from "../../../delivery/ci/detect.ts";

describe("the system that runs npm run ci", () => {
  it("is known by what it sets", async () => {
    const name = async (environment: Record<string, string>) => (await detect(environment)).name;
    assert.equal(await name({ GITHUB_ACTIONS: "true" }), "GitHub Actions");
    assert.equal(await name({ TF_BUILD: "True" }), "Azure Pipelines");
    // Its machines may be runners of another one.
    assert.equal(await name({ PULUMI_CI_SYSTEM: "Pulumi Deployments", GITHUB_ACTIONS: "true" }), "Pulumi Deployments");
    assert.equal(await name({ CI: "true", GITHUB_TOKEN: "x" }), "terminal");
  });

  it("is a pipeline, or somebody at a terminal, who has neither comments nor a page", async () => {
    assert.deepEqual(await detect({}), { name: "terminal", isPipeline: false, run: { run: 0, attempt: 1 } });
    const { isPipeline, run, url, pullRequest } = await detect({
      ...{ PULUMI_CI_SYSTEM: "Pulumi Deployments", PULUMI_CI_BUILD_NUMBER: "12" },
      PULUMI_CI_BUILD_URL: "https://app.pulumi.com/acme/aks-gitops/prod/deployments/12",
    });
    assert.deepEqual(
      [isPipeline, run, url, pullRequest],
      [true, { run: 12, attempt: 1 }, "https://app.pulumi.com/acme/aks-gitops/prod/deployments/12", undefined],
    );
  });
});
