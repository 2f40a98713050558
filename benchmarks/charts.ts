// How often Helm renders, and how long an analysis takes, when values are tried in groups, against trying each alone:
// for a made chart of eight subcharts, and for the charts that are named on the command line.
// Run it with: npm run bench -- charts, or node benchmarks/charts.ts CHART.tgz...
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { type ChartPlan, planChart } from "../mirror/analysis.ts";
import { canonicalJson } from "../mirror/lock.ts";
import { umbrella } from "../tests/mirror/hardCharts.ts";
import { findTool } from "../tools/findTool.ts";

interface Sample {
  readonly renderings: number;
  readonly seconds: number;
  readonly plan: ChartPlan;
}

const helm = await findTool("helm", { log: (line) => console.error(line) });

async function sample(tgz: Buffer, together: boolean): Promise<Sample> {
  const start = performance.now();
  const plan = await planChart(helm, { name: "chart", namespace: "charts", tgz }, {}, { together });
  return { renderings: plan.renderings, seconds: (performance.now() - start) / 1000, plan };
}

/** What an analysis is for: it must be the same either way. */
const outcome = ({ images, values, postRender, patches, foreign }: ChartPlan) =>
  canonicalJson({ images, values, postRender, patches, foreign });

const given = await Promise.all(
  process.argv.slice(2).map(async (file) => ({ name: basename(file, ".tgz"), tgz: await readFile(file) })),
);
for (const { name, tgz } of [{ name: "eight subcharts", tgz: umbrella(8) }, ...given]) {
  const grouped = await sample(tgz, true);
  const alone = await sample(tgz, false);
  if (outcome(grouped.plan) !== outcome(alone.plan)) throw new Error(`${name}: the two ways come to other results`);
  const ratio = (a: number, b: number) => (a / b).toFixed(2);
  console.log(
    `${name}: ${grouped.renderings} renderings in ${grouped.seconds.toFixed(1)} s, alone ${alone.renderings} in ` +
      `${alone.seconds.toFixed(1)} s; ratio ${ratio(grouped.renderings, alone.renderings)} of the renderings, ` +
      `${ratio(grouped.seconds, alone.seconds)} of the time`,
  );
}
