// `npm run review`: what a change would do to a stack, as a reviewer needs it.
import { parseArgs } from "node:util";
import { keepCompiled } from "../compiled.ts";
import { findPulumi } from "./pulumi.ts";
import { FORMATS, type Format, renderReview } from "./render.ts";

const USAGE = `npm run review -- --stack STACK [--format FORMAT] [--project FOLDER]

Previews the stack and says what a reviewer needs: what is replaced or deleted, why and what that means; policies;
charts, images and manifests that change; then the rest. Nothing is changed, and no secret is shown.

  --stack STACK     the stack
  --format FORMAT   ${FORMATS.join(", ")} (default: text)
  --project FOLDER  the folder of Pulumi.yaml (default: here)

The exit status is 0 where there is a review, however dangerous the change is; 1 where the preview failed or a mandatory
policy forbids it, which the review tells too; 2 for wrong use.`;

const print = (line: string) => void process.stderr.write(`${line}\n`);

/** What the command line asks for; a text says what is wrong with it. */
function parsed(args: readonly string[]): { stack: string; format: Format; project: string } | "help" | Error {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        stack: { type: "string" },
        format: { type: "string", default: "text" },
        project: { type: "string", default: "." },
        help: { type: "boolean", default: false },
      },
    });
    const { stack, project, help } = values;
    const format = FORMATS.find((known) => known === values.format);
    if (help) return "help";
    if (stack === undefined || stack === "") return new Error("Say which stack: --stack STACK");
    if (format === undefined) return new Error(`--format ${values.format}: it is one of ${FORMATS.join(", ")}`);
    return { stack, project, format };
  } catch (error) {
    return error as Error;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = parsed(args);
  if (wanted === "help") {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  if (wanted instanceof Error) {
    print(`${wanted.message}\n\n${USAGE}`);
    return 2;
  }
  const { stack, format, project } = wanted;
  print(`Previewing ${stack} ...`);
  const pulumi = findPulumi();
  // It may fail before anybody waits for it.
  pulumi.catch(() => {});
  // Pulumi's SDK takes its time, which nobody who asks for help has; half of it only once on a machine.
  keepCompiled();
  const { makeReview } = await import("./review.ts");
  const review = await makeReview({ stack, project, pulumi });
  process.stdout.write(`${renderReview(review, format).trimEnd()}\n`);
  return review.verdict === "failed" || review.verdict === "blocked" ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  print((error as Error).message);
  process.exitCode = 1;
}
