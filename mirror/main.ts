#!/usr/bin/env node
// Resolves charts and images anew into their lock: `npm run mirror -- update --stack prod` those of a stack's settings,
// `npx aks-gitops-mirror update --file mirror.yaml` those of a file of their own. `check` compares a lock with what is
// published, or looks at a folder of people's own files; `plan` looks at one chart.
import { useProxy } from "../net/proxy.ts";
import { findTool } from "../tools/findTool.ts";
import { CHECK_USAGE, checkFolder } from "./checkFolder.ts";
import { CHECK_LOCK_USAGE, check } from "./commands/check.ts";
import { UPDATE_USAGE, update } from "./commands/update.ts";
import { registries, renderings } from "./commands/wanted.ts";
import { PLAN_USAGE, plan } from "./plan.ts";

const USAGE = `Usage: ${UPDATE_USAGE}

${PLAN_USAGE}

${CHECK_USAGE}

${CHECK_LOCK_USAGE}`;

/** A lock has a stack or a file, a folder stands by itself. */
const isOfLock = (args: readonly string[]): boolean => args.some((one) => /^--(stack|file)(=|$)/.test(one));

async function main([command = "", ...args]: string[]): Promise<void> {
  if ([command, ...args].includes("--help")) return console.log(USAGE);
  if (command === "update") return update(args, USAGE);
  if (command === "check" && isOfLock(args)) return check(args, USAGE);
  if (command === "check") return tell(await checkFolder(args));
  const log = (line: string) => console.error(line);
  const helm = () => findTool("helm", { log });
  if (command === "plan") return tell(await plan(args, { helm, cache: renderings(), registry: registries(), log }));
  throw new Error(`Unknown command "${command}".\n${USAGE}`);
}

function tell({ text, isWhole }: { text: string; isWhole: boolean }): void {
  process.stdout.write(text);
  if (!isWhole) process.exitCode = 1;
}

try {
  useProxy();
  await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
