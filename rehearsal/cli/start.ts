// `npm start`: rehearses the stacks, one after the other.
import { parseArgs } from "node:util";
import { useProxy } from "../../net/proxy.ts";
import type { Settings } from "../../settings/settings.ts";
import { exampleFolder, stacksIn } from "../examples.ts";
import { Interrupted } from "../run.ts";
import { stackFiles } from "../session.ts";
import { rehearsable, rehearseStack } from "./stackRun.ts";
import { findAllTools } from "./tools.ts";

const USAGE = `npm start -- [--example NAME] [--stack STACK] [--keep]

Rehearses a stack: a simulated Azure, GitHub and the upstream registries on this machine, the real Pulumi engine, and a
real Kubernetes control plane with the real controllers of Flux.
  --example NAME  a folder of examples/: its settings, and what its repository/ holds in Git before the update
  --stack STACK   the stack to rehearse: a Pulumi.STACK.yaml of this folder (default: prod, then dev) or of the example
                  (default: all of them, one after the other and in one repository)
  --keep          leave cloud and cluster running, for npm run rehearse`;

const print = (line: string) => void process.stdout.write(`${line}\n`);

interface Asked {
  readonly example?: string | undefined;
  readonly stack?: string | undefined;
  readonly keep: boolean;
}

/** The stacks that are asked for, in the order of their rehearsals. @throws Error for an example that there is not. */
function stacksOf({ example, stack }: Asked): string[] {
  // For the processes that take part in the rehearsal, too.
  if (example !== undefined) process.env.AKS_GITOPS_STACKS = exampleFolder(example);
  if (stack !== undefined) return [stack];
  return example === undefined ? ["prod", "dev"] : stacksIn(stackFiles());
}

/** Whether two stacks keep their content in one branch of one repository. */
const share = (one: Settings | undefined, other: Settings) =>
  one?.flux.repository === other.flux.repository && one.flux.branch === other.flux.branch;

async function start(stacks: readonly string[], { example, keep }: Asked): Promise<boolean> {
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
    const before = example !== undefined && share(settings[index - 1], setting) ? stacks[index - 1] : undefined;
    faultless.push(await rehearseStack(stack, setting, { engine, clusterTools, keep, before, print }));
  }
  return faultless.every(Boolean);
}

try {
  useProxy();
  const { values } = parseArgs({
    options: {
      example: { type: "string" },
      stack: { type: "string" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean" },
    },
  });
  if (values.help) print(USAGE);
  else process.exitCode = (await start(stacksOf(values), values)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`\n${(error as Error).message}\n`);
  // As a shell says of a command that Ctrl-C ended.
  process.exitCode = error instanceof Interrupted ? 130 : 1;
}
