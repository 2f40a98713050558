// `npm run rehearse`: commands against a kept rehearsal.
import { spawn } from "node:child_process";
import { dirname, join, relative } from "node:path";
import { useProxy } from "../../net/proxy.ts";
import { CATALOGUE, type ToolName } from "../../tools/catalogue.ts";
import { cachedFolders, findTools } from "../../tools/findTool.ts";
import { endWithChild, family, kill } from "../descendants.ts";
import {
  type CloudFile,
  checkout,
  environment,
  type IdentityName,
  identityNames,
  type Paths,
  pathsOf,
  runningCloud,
  runningStacks,
  stackFiles,
} from "../session.ts";
import { settingsOf } from "../settings.ts";
import { signInAz } from "./azSignIn.ts";
import { updateClone } from "./clone.ts";
import { stopCloud } from "./cloudProcess.ts";
import { signInAndAuthor } from "./gitSettings.ts";
import { ensureLock } from "./lock.ts";
import { Phases } from "./phases.ts";
import { type Engine, findEngine, mustPulumi } from "./pulumi.ts";
import { makeReport, summary } from "./report.ts";
import { stackFileName, syncProject } from "./workspace.ts";

const USAGE = `npm run rehearse -- [--stack STACK] [--as IDENTITY] COMMAND

  pulumi ARGUMENTS...   any pulumi command against the kept rehearsal, for example: pulumi preview --diff
  review ARGUMENTS...   npm run review of the rehearsal's project, for example: review --format markdown
  ci preview|up|drift   npm run ci of the rehearsal's project, as on a terminal
  doctor ARGUMENTS...   npm run doctor of the rehearsal's project, for example: doctor --json
  exec -- COMMAND...    any command with the rehearsal's environment, in a clone of the GitOps repository
  check                 wait until Flux has settled, and say what it made of the repository
  stop                  end the rehearsal

  --stack STACK         which rehearsal (default: the one that runs)
  --as IDENTITY         who runs the command: ${identityNames.join(", ")}
                        (default: deployer; in the cluster, for exec: administrator)
Start one with: npm start -- --keep`;

const print = (line: string) => void process.stderr.write(`${line}\n`);

/** A tool that was at hand is no news between a command and its output. */
const printNews = (line: string) => {
  if (!/: from (the cache|PATH)/.test(line)) print(line);
};

interface Call {
  readonly stack: string;
  readonly paths: Paths;
  readonly cloud: CloudFile;
  readonly as: IdentityName;
  /** Who signs in to the cluster: the deployer need not have a right there. */
  readonly inCluster: IdentityName;
}

/** Options before the command are ours, everything after it is the command's. */
function parse(args: readonly string[]): { stack?: string; as?: string; command: readonly string[] } {
  const rest = [...args];
  let stack: string | undefined;
  let as: string | undefined;
  while (rest[0] === "--stack" || rest[0] === "--as") {
    const [option, value] = rest.splice(0, 2);
    if (value === undefined) throw new Error(`${option} needs a value.\n\n${USAGE}`);
    if (option === "--stack") stack = value;
    else as = value;
  }
  return { command: rest, ...(as !== undefined && { as }), ...(stack !== undefined && { stack }) };
}

async function pick(stack: string | undefined): Promise<{ stack: string; cloud: CloudFile }> {
  const running = await runningStacks();
  const chosen = stack ?? (running.length === 1 ? running[0] : undefined);
  if (running.length === 0) throw new Error("No rehearsal is kept. Start one: npm start -- --keep");
  if (chosen === undefined)
    throw new Error(`Several rehearsals run: ${running.join(", ")}. Say which: --stack ${running[0]}`);
  const cloud = runningCloud(chosen);
  if (cloud === undefined) throw new Error(`No rehearsal of ${chosen} is kept. Those that are: ${running.join(", ")}.`);
  return { stack: chosen, cloud };
}

/** Runs a command with this terminal and gives its exit status. */
function inherit(command: string, args: readonly string[], cwd: string, env: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: "inherit" });
    endWithChild(child);
    // The terminal sends Ctrl-C to the child as well; it decides when to end, and what it leaves behind is ended then.
    let left: number[] = [];
    const wait = () => {
      if (child.pid !== undefined && child.exitCode === null) left = family(child.pid);
    };
    process.on("SIGINT", wait);
    child.on("error", reject).on("close", (code, signal) => {
      process.off("SIGINT", wait);
      kill(left);
      resolve(code ?? (signal === "SIGINT" ? 130 : 1));
    });
  });
}

/** Brings the rehearsal's project level with the checkout. */
async function sync({ stack, paths, cloud }: Call, engine: Engine): Promise<void> {
  const { gitToken, gitHubToken } = cloud.identities.reader;
  await syncProject(stack, paths, gitToken ?? gitHubToken, async (path, value) => {
    await mustPulumi(["config", "set", "--secret", "--path", path, "--stack", stack], {
      engine,
      paths,
      cloud,
      input: value,
    });
  });
  // A faulty configuration is the program's to tell; then there is nothing to resolve.
  const settings = await settingsOf(stack, paths.project).catch(() => undefined);
  if (settings !== undefined) await ensureLock(stack, paths, cloud, settings, print);
}

async function runPulumi(call: Call, args: readonly string[]): Promise<number> {
  const engine = await findEngine({ log: printNews });
  await sync(call, engine);
  const { paths, cloud, as } = call;
  const code = await inherit(engine.pulumi, args, paths.project, environment({ paths, cloud, as, path: engine.path }));
  if (code === 0 && writesConfig(args)) print(wroteConfig(call));
  return code;
}

/** `npm run review`, `npm run ci` or `npm run doctor` of the rehearsal's project. */
async function runDelivery(call: Call, verb: "review" | "ci" | "doctor", args: readonly string[]): Promise<number> {
  const engine = await findEngine({ log: printNews });
  await sync(call, engine);
  const { stack, paths, cloud, as } = call;
  const script = join(checkout, "delivery", verb, "main.ts");
  const command = [script, "--stack", stack, "--project", paths.project, ...args];
  return inherit(process.execPath, command, checkout, environment({ paths, cloud, as, path: engine.path }));
}

/** Whether a pulumi command changes the stack file. */
const writesConfig = (args: readonly string[]) => {
  const at = args.indexOf("config");
  const action = args.slice(at + 1).find((argument) => !argument.startsWith("-")) ?? "";
  return at >= 0 && ["set", "set-all", "rm", "rm-all", "cp", "refresh", "env"].includes(action);
};

const wroteConfig = ({ stack, paths }: Call) =>
  `That changed the rehearsal's own copy, ${relative(checkout, join(paths.project, stackFileName(stack)))}; it goes with ` +
  `the rehearsal. To keep the change, make it in ${relative(checkout, join(stackFiles(), stackFileName(stack)))}.`;

/** Commands that ask no cluster, whatever their arguments. */
const ASK_NO_CLUSTER = ["az", "git", "pulumi", "sops"];

async function runExec({ stack, paths, cloud, as, inCluster }: Call, args: readonly string[]): Promise<number> {
  const [command, ...rest] = args[0] === "--" ? args.slice(1) : args;
  if (command === undefined) throw new Error(`exec needs a command.\n\n${USAGE}`);
  const { repository, branch } = (await settingsOf(stack, paths.project)).flux;
  const head = await updateClone(paths, cloud, repository, branch);
  if ("missing" in head) print(`There is nothing to clone: ${head.missing}. The command runs in the project's folder.`);
  const asked = command in CATALOGUE ? [command as ToolName] : [];
  // The cluster's kubeconfig signs in with it, and a script may call whatever reads that.
  const wanted = ASK_NO_CLUSTER.includes(command) ? asked : [...asked, "kubelogin" as const];
  const found = Object.values(await findTools([...new Set(wanted)], { log: printNews }));
  // A script may call the others.
  const path = [...found.map((tool) => dirname(tool)), ...(await cachedFolders())];
  const folder = "missing" in head ? paths.project : paths.clone;
  const env = environment({ paths, cloud, as, inCluster, path });
  await signInAz(paths, cloud, as);
  return inherit(command, rest, folder, { ...env, ...(await signInAndAuthor(as, folder, env)) });
}

async function runCheck({ stack, paths, cloud }: Call): Promise<number> {
  const settings = await settingsOf(stack, paths.project);
  const report = await makeReport({ stack, settings, paths, cloud, phases: new Phases(() => {}), print });
  process.stdout.write(`${summary(report)}\n`);
  return report.faults.length === 0 ? 0 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const { stack: wanted, as = "deployer", as: chosen = "administrator", command } = parse(args);
  const [verb, ...rest] = command;
  if (verb === undefined || verb === "--help" || verb === "help") {
    print(USAGE);
    return verb === undefined ? 2 : 0;
  }
  if (!["pulumi", "review", "ci", "doctor", "exec", "check", "stop"].includes(verb))
    throw new Error(`There is no command "${verb}".\n\n${USAGE}`);
  if (!(identityNames as readonly string[]).includes(as))
    throw new Error(`--as ${as}: a rehearsal knows ${identityNames.join(", ")}.`);
  const { stack, cloud } = await pick(wanted);
  // An example's stack is not the checkout's.
  process.env.AKS_GITOPS_STACKS = cloud.stackFiles;
  const call: Call = { stack, cloud, paths: pathsOf(stack), as: as as IdentityName, inCluster: chosen as IdentityName };
  if (verb === "pulumi") return runPulumi(call, rest);
  if (verb === "review" || verb === "ci" || verb === "doctor") return runDelivery(call, verb, rest);
  if (verb === "exec") return runExec(call, rest);
  if (verb === "check") return runCheck(call);
  await stopCloud(cloud, call.paths);
  print(`The rehearsal of ${stack} has ended.`);
  return 0;
}

try {
  useProxy();
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  print((error as Error).message);
  process.exitCode = 1;
}
