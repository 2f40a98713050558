// `npm start`: rehearses the stacks, one after the other.
import { parseArgs } from "node:util";
import { useProxy } from "../../net/proxy.ts";
import { Interrupted } from "../run.ts";
import { rehearsable, rehearseStack } from "./stackRun.ts";
import { findAllTools } from "./tools.ts";

const USAGE = `npm start -- [--stack STACK] [--keep]

Rehearses a stack: a simulated Azure, GitHub and the upstream registries on this machine, the real Pulumi engine, and a
real Kubernetes control plane with the real controllers of Flux.
  --stack STACK  the stack to rehearse: a Pulumi.STACK.yaml of this folder (default: prod, then dev)
  --keep         leave cloud and cluster running, for npm run rehearse`;

const print = (line: string) => void process.stdout.write(`${line}\n`);

async function start(stacks: readonly string[], keep: boolean): Promise<boolean> {
  // Faults of every stack are told before anything is built.
  const settings = await Promise.all(stacks.map(rehearsable));
  print("\n== Find the engine");
  const { engine: found, clusterTools } = findAllTools({ log: (line) => print(`   ${line}`) });
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

try {
  useProxy();
  const { values } = parseArgs({
    options: { stack: { type: "string" }, keep: { type: "boolean", default: false }, help: { type: "boolean" } },
  });
  if (values.help) print(USAGE);
  else
    process.exitCode = (await start(values.stack === undefined ? ["prod", "dev"] : [values.stack], values.keep))
      ? 0
      : 1;
} catch (error) {
  process.stderr.write(`\n${(error as Error).message}\n`);
  // As a shell says of a command that Ctrl-C ended.
  process.exitCode = error instanceof Interrupted ? 130 : 1;
}
