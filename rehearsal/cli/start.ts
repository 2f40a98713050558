// `npm start`: rehearses the stacks, one after the other.
import { parseArgs } from "node:util";
import { useProxy } from "../../net/proxy.ts";
import { CLUSTER_TOOLS } from "../../tools/catalogue.ts";
import { findTools } from "../../tools/findTool.ts";
import { Interrupted } from "../run.ts";
import { findEngine } from "./pulumi.ts";
import { rehearsable, rehearseStack } from "./stackRun.ts";

const usage = `npm start -- [--stack STACK] [--keep]

Rehearses a stack: a simulated Azure, GitHub and the upstream registries on this machine, the real Pulumi engine, and a
real Kubernetes control plane with the real controllers of Flux.
  --stack STACK  the stack to rehearse: a Pulumi.STACK.yaml of this folder (default: prod, then dev)
  --keep         leave cloud and cluster running, for npm run rehearse`;

const print = (line: string) => void process.stdout.write(`${line}\n`);

async function start(stacks: readonly string[], keep: boolean): Promise<boolean> {
  // Faults of every stack are told before anything is built.
  const settings = await Promise.all(stacks.map(rehearsable));
  const log = (line: string) => print(`   ${line}`);
  print("\n== Find the engine");
  // At once: downloads for one go on while the other is built.
  const found = findEngine(log);
  const clusterTools = findTools([...CLUSTER_TOOLS, "flux"], { log: quietly(log) });
  clusterTools.catch(() => {}); // told by whoever needs them
  const engine = await found;
  const faultless: boolean[] = [];
  for (const [index, stack] of stacks.entries()) {
    const setting = settings[index];
    if (setting === undefined) continue;
    if (stacks.length > 1) print(`\n==== Stack ${stack}`);
    faultless.push(await rehearseStack(stack, setting, { engine, clusterTools, keep, print }));
  }
  return faultless.every(Boolean);
}

/** Fourteen tools that are at hand are no news. */
const quietly = (log: (line: string) => void) => (line: string) => {
  if (!/: from (the cache|PATH)/.test(line)) log(line);
};

try {
  useProxy();
  const { values } = parseArgs({
    options: { stack: { type: "string" }, keep: { type: "boolean", default: false }, help: { type: "boolean" } },
  });
  if (values.help) print(usage);
  else
    process.exitCode = (await start(values.stack === undefined ? ["prod", "dev"] : [values.stack], values.keep))
      ? 0
      : 1;
} catch (error) {
  process.stderr.write(`\n${(error as Error).message}\n`);
  // As a shell says of a command that Ctrl-C ended.
  process.exitCode = error instanceof Interrupted ? 130 : 1;
}
