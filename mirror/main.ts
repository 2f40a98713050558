#!/usr/bin/env node
// Resolves charts and images anew into their lock: `npm run mirror -- update --stack prod` those of a stack's settings,
// `npx aks-gitops-mirror update --file mirror.yaml` those of a file of their own. `check` compares a lock with what is
// published.
import { useProxy } from "../net/proxy.ts";
import { CHECK_LOCK_USAGE, check } from "./commands/check.ts";
import { UPDATE_USAGE, update } from "./commands/update.ts";

const USAGE = `Usage: ${UPDATE_USAGE}

       ${CHECK_LOCK_USAGE}`;

const COMMANDS = { update, check };

async function main([command = "", ...args]: string[]): Promise<void> {
  if ([command, ...args].includes("--help")) return console.log(USAGE);
  if (!Object.hasOwn(COMMANDS, command)) throw new Error(`Unknown command "${command}".\n${USAGE}`);
  await COMMANDS[command as keyof typeof COMMANDS](args, USAGE);
}

try {
  useProxy();
  await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
