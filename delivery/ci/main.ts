// `npm run ci`: what every pipeline runs for a stack.

import { execFile } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { useProxy } from "../../net/proxy.ts";
import { readYaml } from "../../settings/stackFile.ts";
import { findTools } from "../../tools/findTool.ts";
import { misused, runCommand } from "../command.ts";
import { keepCompiled } from "../compiled.ts";
import { hasProgram } from "../programs.ts";
import { marker, renderReview } from "../review/render.ts";
import { detect } from "./detect.ts";
import { run } from "./run.ts";
import { untouched } from "./untouched.ts";

const USAGE = `npm run ci -- preview|up|drift|untouched --stack STACK [--project FOLDER]

  preview           shows what an update would do, and says so in a comment on the pull request
  up                updates the stack, after a preview of its own
  drift             looks whether what is there is as the stack says, and changes nothing
  untouched         says in the comment of a stack which the pull request does not touch any more that it is so; it signs
                    in nowhere, and needs no stack to be there

  --stack STACK     the stack; it has to be there: a person makes it, with pulumi stack init
  --project FOLDER  the folder of Pulumi.yaml (default: here)

Runs in GitHub Actions, Azure Pipelines and Pulumi Deployments, and on a terminal: see docs/delivery/ci.md. Ends with 0
where all is well, with 1 where it failed, a mandatory policy refused it, or something drifted.`;

const OPERATIONS = ["preview", "up", "drift", "untouched"] as const;

async function findEngine(log: (line: string) => void): Promise<string[]> {
  const found = await findTools(["pulumi", "pulumi-language-nodejs"], { log });
  return [...new Set(Object.values(found).map((tool) => dirname(tool)))];
}

/** Ends the run's operation where the run is ended, so that the engine leaves no lock and no half-made resource behind. */
function untilEnded(isPipeline: boolean): AbortSignal {
  const ended = new AbortController();
  process.on("SIGTERM", () => ended.abort());
  // A terminal sends Ctrl-C to the engine as well, and a second one would end it at once.
  process.on("SIGINT", () => isPipeline && ended.abort());
  return ended.signal;
}

async function main(): Promise<0 | 1 | 2> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    return usage((error as Error).message);
  }
  const { values, positionals } = parsed;
  const [operation, ...others] = positionals;
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const wanted = OPERATIONS.find((known) => known === operation);
  if (wanted === undefined || others.length > 0)
    return usage(`Say ${OPERATIONS.slice(0, -1).join(", ")} or ${OPERATIONS.at(-1)}, not "${positionals.join(" ")}".`);
  const { stack } = values;
  if (!stack) return usage("--stack is missing.");
  const project = resolve(values.project);
  useProxy();
  const system = await detect(process.env);
  const place = {
    ...{ environment: process.env, system },
    write: (text: string) => void process.stdout.write(text),
    projectName: async () => {
      const { name } = (await readYaml(join(project, "Pulumi.yaml")).catch(() => undefined)) ?? {};
      return typeof name === "string" ? name : "";
    },
  };
  if (wanted === "untouched") return untouched(stack, place);
  // Pulumi's library takes longer than all the rest: it is loaded beside what is looked at before, and compiled only once
  // on a machine.
  keepCompiled();
  const loading = import("../review/review.ts");
  return run(
    { operation: wanted, stack, project },
    {
      ...place,
      signal: untilEnded(system.isPipeline),
      review: { makeReview: async (options) => (await loading).makeReview(options), renderReview, marker },
      hasProgram,
      findEngine,
      outputs: async () => {
        const args = ["stack", "output", "--json", "--stack", stack, "--non-interactive"];
        const { stdout } = await promisify(execFile)("pulumi", args, { cwd: project });
        return JSON.parse(stdout) as Record<string, unknown>;
      },
    },
  );
}

const parse = () =>
  parseArgs({
    allowPositionals: true,
    options: {
      stack: { type: "string" },
      project: { type: "string", default: "." },
      help: { type: "boolean", default: false },
    },
  });

const usage = (problem: string) => misused(problem, USAGE);

await runCommand(main);
