import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { budgetFindings, removedObjects } from "../../../../delivery/doctor/upgrade/findings.ts";
import { chartManifests } from "../../../../delivery/doctor/upgrade/manifests.ts";
import { findTool } from "../../../../tools/findTool.ts";
import { packChart } from "../../../mirror/charts.ts";

describe("a chart before an upgrade of Kubernetes", () => {
  it("is looked at as it renders with its values: objects of APIs that are gone, and budgets that let no pod go", async function () {
    // Where Helm must be built first.
    this.timeout(1_200_000);
    const tgz = packChart(
      { cron: "batch/v1", least: 1 },
      {
        "cron.yaml": "apiVersion: {{ .Values.cron }}\nkind: CronJob\nmetadata: { name: night }\n",
        "budget.yaml":
          "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: tool }\n" +
          "spec: { minAvailable: {{ .Values.least }}, selector: { matchLabels: { app: tool } } }\n",
        "web.yaml":
          "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: tool }\n" +
          "spec: { replicas: 2, template: { metadata: { labels: { app: tool } } } }\n",
      },
    );
    const helm = await findTool("helm");
    const keys = async (values: object) => {
      const manifests = await chartManifests(helm, { tgz, name: "tool", namespace: "tools" }, { ...values }, "1.34");
      return [...removedObjects(manifests, "1.34"), ...budgetFindings(manifests)].map(({ key }) => key);
    };
    assert.deepEqual(await keys({}), []);
    assert.deepEqual(await keys({ cron: "batch/v1beta1", least: 2 }), [
      "chart tool: CronJob tools/night",
      "chart tool: PodDisruptionBudget tools/tool",
    ]);
  });
});
