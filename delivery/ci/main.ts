// `npm run ci`: what every pipeline runs for a stack.

import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { describe } from "../../net/describe.ts";
import { useProxy } from "../../net/proxy.ts";
import { readYaml } from "../../settings/stackFile.ts";
import { findTools } from "../../tools/findTool.ts";
import { detect } from "./detect.ts";
import { run } from "./run.ts";

const USAGE = `npm run ci -- preview|up --stack STACK [--project FOLDER]

  preview           shows what an update would do, and says so in a comment on the pull request
  up                updates the stack, after a preview of its own

  --stack STACK     the stack; it has to be there: a person makes it, with pulumi stack init
  --project FOLDER  the folder of Pulumi.yaml (default: here)

Runs in GitHub Actions, Azure Pipelines and Pulumi Deployments, and on a terminal: see docs/delivery/ci.md. Ends with 0
where all is well, with 1 where the preview or the update failed or a mandatory policy refused it.`;

const SUFFIXES = process.platform === "win32" ? [".exe", ".cmd", ".bat"] : [""];

function hasProgram(name: string): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.some((folder) =>
    SUFFIXES.some((suffix) => {
      try {
        accessSync(join(folder, name + suffix), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    }),
  );
}

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
  if ((operation !== "preview" && operation !== "up") || others.length > 0)
    return usage(`Say preview or up, not "${positionals.join(" ")}".`);
  const { stack } = values;
  if (!stack) return usage("--stack is missing.");
  const project = resolve(values.project);
  useProxy();
  // Loaded only here: Pulumi's library takes longer than all the rest.
  const [{ makeReview }, { marker, renderReview }] = await Promise.all([
    import("../review/review.ts"),
    import("../review/render.ts"),
  ]);
  const system = await detect(process.env);
  return run(
    { operation, stack, project },
    {
      environment: process.env,
      system,
      signal: untilEnded(system.isPipeline),
      review: { makeReview, renderReview, marker },
      write: (text) => void process.stdout.write(text),
      hasProgram,
      findEngine,
      projectName: async () => {
        const { name } = (await readYaml(join(project, "Pulumi.yaml")).catch(() => undefined)) ?? {};
        return typeof name === "string" ? name : "";
      },
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

function usage(problem: string): 2 {
  process.stderr.write(`${problem}\n\n${USAGE}\n`);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = 1;
}
