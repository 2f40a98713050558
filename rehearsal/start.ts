// `npm start`: one stack from nothing to its end, by the real engine against the simulated cloud.
import { relative } from "node:path";
import { parseArgs } from "node:util";
import type { Settings } from "../components/settings.ts";
import { check } from "./check.ts";
import { updateClone } from "./clone.ts";
import { type CloudProcess, startCloud } from "./cloudProcess.ts";
import type { Inspection } from "./inspection.ts";
import { ensureLock } from "./lock.ts";
import { Phases } from "./phases.ts";
import { installProviders } from "./providers/install.ts";
import { type Engine, findEngine, mustPulumi, pulumi } from "./pulumi.ts";
import { countTypes, type Report, summary, writeReport } from "./report.ts";
import { checkout, control, makeFolders, type Paths, pathsOf, runningCloud } from "./session.ts";
import { settingsOf } from "./settings.ts";
import { clearRehearsal, syncProject } from "./workspace.ts";

const usage = `npm start -- [--stack STACK] [--keep]

Rehearses a stack: a simulated Azure, GitHub and the upstream registries on this machine, and the real Pulumi engine.
  --stack STACK  the stack to rehearse: a Pulumi.STACK.yaml of this folder (default: prod)
  --keep         leave the cloud running, for npm run rehearse`;

const print = (line: string) => void process.stdout.write(`${line}\n`);

interface Run {
  readonly stack: string;
  readonly paths: Paths;
  readonly settings: Settings;
  readonly engine: Engine;
  readonly process: CloudProcess;
  readonly phases: Phases;
}

async function prepare({ stack, paths, engine, process: { cloud } }: Run): Promise<void> {
  const options = { engine, paths, cloud };
  await installProviders(paths.pulumiHome);
  const setSecrets: [string, string][] = [];
  await syncProject(
    stack,
    paths,
    cloud.identities.reader.gitHubToken,
    async (path, value) => void setSecrets.push([path, value]),
  );
  await mustPulumi(["stack", "init", stack], options);
  for (const [path, value] of setSecrets)
    await mustPulumi(["config", "set", "--secret", "--path", path], { ...options, input: value });
}

/** Without the lines that only say that something was begun; up.log has them all. */
const worthReading = (line: string) =>
  line.trim() !== "" && !/ (creating|updating|deleting|reading) \(\d+s\)\s*$/.test(line);

async function up({ stack, paths, engine, process: { cloud, guard, unguard } }: Run): Promise<void> {
  let group = 0;
  const { code } = await pulumi(
    ["up", "--yes", "--skip-preview", "--suppress-progress", "--suppress-outputs", "--stack", stack],
    {
      engine,
      paths,
      cloud,
      log: paths.upLog,
      line: (line) => {
        if (worthReading(line)) print(`   ${line.trimEnd()}`);
      },
      started: (pid) => {
        group = pid;
        guard(pid);
      },
    },
  );
  unguard(group);
  if (code !== 0) throw new Error(`pulumi up ended with ${code}; its whole output is in ${paths.upLog}`);
}

async function report({ stack, paths, settings, process: { cloud }, phases }: Run): Promise<Report> {
  const { repository: url, branch, path, mode } = settings.flux;
  const { checks, commit, inspection } = await phases.run("Check what Flux would find", async () => {
    const head = await updateClone(paths, cloud, url, branch);
    const found = await control<Inspection>(cloud, "/inspection");
    const lock = await ensureLock(stack, paths, cloud, settings, print);
    return { checks: await check(paths.clone, lock, found), commit: head, inspection: found };
  });
  const made: Report = {
    stack,
    mode,
    reconciled: false,
    repository: { url, branch, path, commit },
    registry: { loginServer: inspection.registries[0]?.loginServer ?? "" },
    resources: countTypes(inspection),
    ...checks,
    phases: phases.done,
  };
  await writeReport(paths.report, made);
  return made;
}

/** Rehearses one stack from nothing; true when no fault was found. */
async function rehearse(stack: string, keep: boolean): Promise<boolean> {
  const paths = pathsOf(stack);
  const running = runningCloud(stack);
  if (running !== undefined)
    throw new Error(
      `A rehearsal of ${stack} is kept and runs. End it first: npm run rehearse -- --stack ${stack} stop`,
    );
  const settings = await settingsOf(stack);
  await clearRehearsal(paths);
  await makeFolders(paths);
  const phases = new Phases(print);
  const engine = await phases.run("Find the engine", () => findEngine((line) => print(`   ${line}`)));
  const cloudProcess = await phases.run("Start the simulated cloud", () => startCloud(stack, paths));
  let kept = false;
  try {
    const run: Run = { stack, paths, settings, engine, process: cloudProcess, phases };
    await phases.run("Prepare the project", () => prepare(run));
    await phases.run("Resolve charts and images", () => ensureLock(stack, paths, cloudProcess.cloud, settings, print));
    await phases.run("pulumi up", () => up(run));
    const made = await report(run);
    print(`\n${summary(made)}`);
    if (keep) {
      await cloudProcess.keep();
      kept = true;
      print(
        `\nKept. Go on with: npm run rehearse -- pulumi preview --diff\nEnd it with:      npm run rehearse -- stop`,
      );
    }
    print(
      `\nThe same as data: ${relative(checkout, paths.report)}; every ARM request: ${relative(checkout, paths.armRequests)}`,
    );
    return made.faults.length === 0;
  } finally {
    if (!kept) await cloudProcess.stop();
  }
}

try {
  const { values } = parseArgs({
    options: {
      stack: { type: "string", default: "prod" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean" },
    },
  });
  if (values.help) print(usage);
  else process.exitCode = (await rehearse(values.stack, values.keep)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`\n${(error as Error).message}\n`);
  process.exitCode = 1;
}
