// How often Helm renders, and how long an analysis takes, when values are tried in groups, against trying each alone:
// for a made chart of eight subcharts, and for the charts that are named on the command line. Nothing that was rendered in an
// earlier run is used; how long a second run takes that may use it is told beside.
// Run it with: npm run bench -- charts, or node benchmarks/charts.ts CHART.tgz...
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
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

async function sample(tgz: Buffer, options: { together?: boolean; cache?: string } = {}): Promise<Sample> {
  const start = performance.now();
  const plan = await planChart(helm, { name: "chart", namespace: "charts", tgz }, {}, options);
  return { renderings: plan.renderings, seconds: (performance.now() - start) / 1000, plan };
}

/** A second run beside a folder of renderings that the first one filled. */
async function again(tgz: Buffer): Promise<Sample> {
  const cache = await mkdtemp(join(tmpdir(), "aks-gitops-renderings-"));
  try {
    await sample(tgz, { cache });
    return await sample(tgz, { cache });
  } finally {
    await rm(cache, { recursive: true });
  }
}

/** What an analysis is for: it must be the same either way. */
const outcome = ({ images, values, postRender, patches, foreign }: ChartPlan) =>
  canonicalJson({ images, values, postRender, patches, foreign });

const given = await Promise.all(
  process.argv.slice(2).map(async (file) => ({ name: basename(file, ".tgz"), tgz: await readFile(file) })),
);
for (const { name, tgz } of [{ name: "eight subcharts", tgz: umbrella(8) }, ...given]) {
  const grouped = await sample(tgz);
  const alone = await sample(tgz, { together: false });
  const second = await again(tgz);
  if (new Set([grouped, alone, second].map(({ plan }) => outcome(plan))).size > 1)
    throw new Error(`${name}: the ways come to other results`);
  const ratio = (a: number, b: number) => (a / b).toFixed(2);
  console.log(
    `${name}: ${grouped.renderings} renderings in ${grouped.seconds.toFixed(1)} s, alone ${alone.renderings} in ` +
      `${alone.seconds.toFixed(1)} s; ratio ${ratio(grouped.renderings, alone.renderings)} of the renderings, ` +
      `${ratio(grouped.seconds, alone.seconds)} of the time; a second run ${second.renderings} in ` +
      `${second.seconds.toFixed(1)} s`,
  );
}
