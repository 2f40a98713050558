// `check`: whether a lock still fits its settings and what is published; for a job that runs every night.
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { checkLock } from "../lockCheck.ts";
import { count, LIST_OPTIONS, registries, wanted } from "./wanted.ts";

export const CHECK_LOCK_USAGE = `npm run mirror -- check --stack <stack> [--project <folder>]
       npx aks-gitops-mirror check --file <file>
  ends with 1 where the lock does not fit the settings, or something of it was moved or is gone; tells newer versions`;

export async function check(args: string[], usage: string): Promise<void> {
  const { values } = parseArgs({ args, options: LIST_OPTIONS });
  const { source, settings } = await wanted(values, usage);
  const { lock, faults, news } = await checkLock({ source, settings, registry: registries() });
  for (const line of [...faults, ...news]) console.log(line);
  const counts = lock ? `${count(lock.charts, "chart")}, ${count(lock.images, "image")}, ` : "";
  console.log(`${basename(source.lock)}: ${counts}${faults.length === 0 ? "as published" : count(faults, "fault")}`);
  if (faults.length > 0) process.exitCode = 1;
}
