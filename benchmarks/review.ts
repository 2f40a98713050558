// How long the review of a change of 2,000 lines of manifests takes, against the plain preview of the same change in the
// same rehearsal of prod: the part of it that is the review's. Run it with: npm run bench
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { must } from "../rehearsal/run.ts";
import { checkout, inRehearsedProd, median } from "./rehearsedProd.ts";

const ROUNDS = 3;
const LINES = 2_000;

/** Gives the first chart of a stack file so many values more, each a line of its release. */
function addValues(file: string): void {
  const settings = parse(readFileSync(file, "utf8"));
  const [chart] = settings.config["aks-gitops:charts"];
  chart.values.bulk = Object.fromEntries(
    Array.from({ length: LINES - 1 }, (_, line) => [`key${line}`, `value ${line}`]),
  );
  writeFileSync(file, stringify(settings));
}

await inRehearsedProd(async ({ paths, pulumi, env, rehearse }) => {
  addValues(join(paths.project, "Pulumi.prod.yaml"));
  // Brings the lock level with the settings.
  rehearse("pulumi", "stack", "ls");
  const timed = async (command: string, args: readonly string[]) => {
    const start = performance.now();
    const { stdout } = await must(command, args, { cwd: paths.project, env });
    return { seconds: (performance.now() - start) / 1000, stdout };
  };
  const review = [join(checkout, "delivery/review/main.ts"), "--stack", "prod", "--format"];
  const seconds: Record<"preview" | "review", number[]> = { preview: [], review: [] };
  let comment = "";
  // The first of each warms the caches; then in turn, so that a machine that slows down slows both.
  for (let round = 0; round <= ROUNDS; round++) {
    const plain = await timed(pulumi, ["preview", "--stack", "prod", "--policy-pack", "policy", "--non-interactive"]);
    const reviewed = await timed(process.execPath, [...review, "markdown"]);
    comment = reviewed.stdout;
    if (round === 0) continue;
    seconds.preview.push(plain.seconds);
    seconds.review.push(reviewed.seconds);
  }
  const { files } = JSON.parse((await timed(process.execPath, [...review, "json"])).stdout);
  const changed = files.reduce(
    (sum: number, { added, removed }: Record<string, number>) => sum + (added ?? 0) + (removed ?? 0),
    0,
  );
  const [preview, whole] = [median(seconds.preview), median(seconds.review)];
  console.log(
    `review of ${changed} changed lines: ${whole.toFixed(1)} s, plain preview ${preview.toFixed(1)} s, ` +
      `${(whole - preview).toFixed(1)} s beyond it, ratio ${(whole / preview).toFixed(2)} (medians of ${ROUNDS}); ` +
      `comment ${Buffer.byteLength(comment)} bytes`,
  );
});
