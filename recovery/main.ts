// `npm run recover`: makes a stack's own what an `up` that was killed has made in Azure without getting to know it, and
// takes back what it has made in Entra.

import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { useProxy } from "../net/proxy.ts";
import { ArmClient, ArmError } from "../provider/azure/armClient.ts";
import { graphOf, strays } from "./entra.ts";
import { adopted, type StackState, type Unfinished, unfinished } from "./pending.ts";

const USAGE = `npm run recover -- --stack STACK [--project FOLDER]

After \`pulumi up\` was killed: first \`pulumi cancel\`, then this, then \`pulumi up\`. What the update was making in
Azure when it died becomes the stack's, and the next update finishes it. Without this it ends with "cannot create
already existing resource". What it was making in Entra is removed there, and the next update makes it.

  --stack STACK     the stack
  --project FOLDER  the folder of Pulumi.yaml (default: here)

Signs in to Azure as the program does; the subscription is ARM_SUBSCRIPTION_ID, else azure-native:subscriptionId of the
stack.`;

const print = (line: string) => void process.stderr.write(`${line}\n`);

/** Runs pulumi. @returns what it printed. @throws Error with what it said where it fails. */
async function pulumi(args: readonly string[], cwd: string, input?: string): Promise<string> {
  const child = spawn("pulumi", [...args, "--non-interactive"], { cwd, stdio: ["pipe", "pipe", "pipe"] });
  const closed = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  child.stdin.on("error", () => {}).end(input);
  const [code, output, said] = await Promise.all([closed, text(child.stdout), text(child.stderr)]).catch(
    (cause: Error) => {
      throw new Error(`pulumi cannot be run: ${cause.message}. Put it on PATH`, { cause });
    },
  );
  if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}: ${said.trim()}`);
  return output;
}

async function subscriptionOf(stack: readonly string[], cwd: string): Promise<string> {
  const given = process.env.ARM_SUBSCRIPTION_ID;
  if (given) return given;
  const configured = await pulumi(["config", "get", "azure-native:subscriptionId", ...stack], cwd).catch(() => "");
  if (configured.trim() !== "") return configured.trim();
  throw new Error("no subscription: set ARM_SUBSCRIPTION_ID, or azure-native:subscriptionId of the stack");
}

async function isThere(arm: ArmClient, { id, apiVersion }: Unfinished): Promise<boolean> {
  try {
    await arm.request("GET", id, apiVersion);
    return true;
  } catch (error) {
    if (error instanceof ArmError && error.status === 404) return false;
    throw error;
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      stack: { type: "string" },
      project: { type: "string", default: "." },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help || values.stack === undefined) {
    print(USAGE);
    return values.help ? 0 : 2;
  }
  const { project: cwd } = values;
  const stack = ["--stack", values.stack];
  const state = JSON.parse(await pulumi(["stack", "export", ...stack], cwd)) as StackState;
  if ((state.deployment.pending_operations ?? []).length === 0) {
    print(`No update of ${values.stack} was cut off: there is nothing to recover.`);
    return 0;
  }
  const arm = new ArmClient();
  const found: Unfinished[] = [];
  for (const one of unfinished(state, await subscriptionOf(stack, cwd))) {
    const there = await isThere(arm, one);
    print(`${one.id}: ${there ? "there, and the stack's from now on" : "not there: the next update makes it"}`);
    if (there) found.push(one);
  }
  const graph = graphOf(process.env);
  for (const { what, removal } of await strays(state, graph)) {
    await graph.send(...removal);
    print(`${what}: removed, as no state knows it: the next update makes another`);
  }
  await pulumi(["stack", "import", ...stack], cwd, JSON.stringify(adopted(state, found)));
  print(`Now: pulumi up --stack ${values.stack}`);
  return 0;
}

try {
  useProxy();
  process.exitCode = await main();
} catch (error) {
  print((error as Error).message);
  process.exitCode = 1;
}
