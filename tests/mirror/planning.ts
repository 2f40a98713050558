import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "mocha";
import { stringify } from "yaml";
import { type PlanReport, plan } from "../../mirror/plan.ts";
import { findTool } from "../../tools/findTool.ts";

/** Where the charts of a suite's plans go. */
export const REGISTRY = "acr.test";

/** The images of a plan as they are written, without digests. */
export const sources = ({ images }: PlanReport) => images.map(({ source }) => source.replace(/@.*/, ""));

/** What a suite plans charts with: Helm, a folder that goes with the suite, and no network. */
export function planning() {
  let helm: string;
  let folder: string;
  before(async function () {
    // Where Helm must be built first.
    this.timeout(1_200_000);
    helm = await findTool("helm");
    folder = mkdtempSync(join(tmpdir(), "plan-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const tools = {
    helm: async () => helm,
    registry: (host: string): never => assert.fail(`${host} is not asked: of an archive a plan needs no network`),
  };
  return {
    tools,
    helm: () => helm,
    folder: () => folder,
    /** `npm run mirror -- plan` of an archive, as data. */
    async planned(tgz: Buffer, values: object = {}, args: readonly string[] = []) {
      const [chart, file] = [join(folder, "chart.tgz"), join(folder, "values.yaml")];
      writeFileSync(chart, tgz);
      writeFileSync(file, stringify(values));
      const { text, isWhole } = await plan([chart, "--values", file, "--registry", REGISTRY, "--json", ...args], tools);
      return { ...(JSON.parse(text) as PlanReport), isWhole };
    },
  };
}
