// `npm run doctor`: what would stop an update, without changing anything.

import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { registries } from "../../mirror/commands/wanted.ts";
import { credential } from "../../net/credential.ts";
import { send } from "../../net/http.ts";
import { useProxy } from "../../net/proxy.ts";
import { readBranch } from "../../provider/git/branch.ts";
import { downloadChart } from "../../provider/mirror/chartSource.ts";
import { toolAtHand } from "../../tools/findTool.ts";
import { detect } from "../ci/detect.ts";
import { misused, runCommand } from "../command.ts";
import { keepCompiled } from "../compiled.ts";
import { hasProgram } from "../programs.ts";
import { CHECKS } from "./checks.ts";
import { examine } from "./doctor.ts";
import { plan } from "./program.ts";
import type { Ran, Reach } from "./reach.ts";
import { count, renderJson, renderText } from "./render.ts";

const USAGE = `npm run doctor -- --stack STACK [--project FOLDER] [--json]

Reads, changes nothing, and says what would stop \`pulumi up\`, with the remedy of each. docs/doctor.md lists the checks.

  --stack STACK     the stack
  --project FOLDER  the folder of Pulumi.yaml (default: here)
  --json            the same as data

Ends with 1 where something would stop an update, with 0 where there are warnings only.`;

/** The longest that a program may take, in milliseconds. */
const PATIENCE = 60_000;

const reach: Reach = {
  // A look is not worth the patience of an update.
  send: (url, init = {}) =>
    send(url, init, {
      repeatable: true,
      signal: AbortSignal.timeout(PATIENCE),
      limits: { silence: 15_000, window: 15_000, progress: 1, size: 64 * 1024 * 1024 },
    }),
  token: async (scope) => {
    const token = await credential().getToken(scope);
    if (token === null) throw new Error(`no Entra token for ${scope}`);
    return token.token;
  },
  atHand: (tool) => toolAtHand(tool),
  hasProgram,
  run: (command, args, environment = process.env) =>
    new Promise<Ran | undefined>((ended) => {
      const options = { env: environment as NodeJS.ProcessEnv, timeout: PATIENCE };
      execFile(command, args, options, (error, stdout, stderr) => {
        if (error?.code === "ENOENT") ended(undefined);
        else ended({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      });
    }),
  plan,
  readBranch: (place, look) => readBranch(place, AbortSignal.timeout(PATIENCE), look),
  chart: async (locked) => (await downloadChart({ registry: registries() }, locked, AbortSignal.timeout(PATIENCE))).tgz,
  now: () => new Date(),
};

function parse() {
  return parseArgs({
    options: {
      stack: { type: "string" },
      project: { type: "string", default: "." },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;
}

async function main(): Promise<0 | 1 | 2> {
  let values: ReturnType<typeof parse>;
  try {
    values = parse();
  } catch (error) {
    return usage((error as Error).message);
  }
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const { stack, json } = values;
  if (!stack) return usage("--stack is missing.");
  useProxy();
  keepCompiled();
  const place = {
    // As it is now: the program runs with other variables for a while.
    environment: { ...process.env },
    node: process.versions.node,
    project: resolve(values.project),
    stack,
    isPipeline: (await detect(process.env)).isPipeline,
    reach,
  };
  const outcomes = await examine(place, CHECKS);
  process.stdout.write(json ? renderJson(stack, outcomes) : renderText(stack, outcomes));
  return count(outcomes, "error") > 0 ? 1 : 0;
}

const usage = (problem: string) => misused(problem, USAGE);

await runCommand(main);
