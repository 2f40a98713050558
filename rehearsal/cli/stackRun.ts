// One stack from nothing to its end, by the real engine against the simulated cloud.
import { relative } from "node:path";
import type { Settings } from "../../settings/settings.ts";
import { upstreamContent } from "../content/upstream.ts";
import { installProviders } from "../providers/install.ts";
import { checkout, makeFolders, type Paths, pathsOf, runningCloud } from "../session.ts";
import { settingsOf } from "../settings.ts";
import { artifactFault } from "../world/artifactPipeline.ts";
import { handOver } from "./clone.ts";
import { type CloudProcess, startCloud } from "./cloudProcess.ts";
import { ensureLock } from "./lock.ts";
import { Phases } from "./phases.ts";
import { type Engine, mustPulumi, pulumi } from "./pulumi.ts";
import { makeReport, summary } from "./report.ts";
import { upLines } from "./upLines.ts";
import { clearRehearsal, syncProject } from "./workspace.ts";

/** What a run needs of the machine. */
export interface RunOptions {
  readonly engine: Engine;
  /** Arrives when the tools that the cluster is made of are at hand. */
  readonly clusterTools: Promise<unknown>;
  /** Whether the cloud stays. */
  readonly keep: boolean;
  /** The stack that was rehearsed before, whose repository is gone on with. @default none: it begins anew */
  readonly before?: string | undefined;
  readonly print: (line: string) => void;
}

interface Run extends RunOptions {
  readonly stack: string;
  readonly paths: Paths;
  readonly settings: Settings;
  readonly process: CloudProcess;
  readonly phases: Phases;
}

/**
 * The settings of a stack that can be rehearsed now.
 * @throws Error where a rehearsal of it runs already, and for charts, images and artifacts that a rehearsal cannot serve.
 */
export async function rehearsable(stack: string): Promise<Settings> {
  if (runningCloud(stack) !== undefined)
    throw new Error(
      `A rehearsal of ${stack} is kept and runs. End it first: npm run rehearse -- --stack ${stack} stop`,
    );
  const settings = await settingsOf(stack);
  upstreamContent(settings);
  const fault = artifactFault(settings);
  if (fault !== undefined) throw new Error(fault);
  return settings;
}

/** Rehearses one stack from nothing and prints what came of it; true when no fault was found. */
export async function rehearseStack(stack: string, settings: Settings, options: RunOptions): Promise<boolean> {
  const { keep, print } = options;
  const paths = pathsOf(stack);
  await clearRehearsal(paths);
  await makeFolders(paths);
  const phases = new Phases(print);
  const cloudProcess = await phases.run("Start the simulated cloud", () => startCloud(stack, paths));
  let kept = false;
  try {
    const run: Run = { ...options, stack, paths, settings, process: cloudProcess, phases };
    await phases.run("Prepare the project", () => prepare(run));
    await phases.run("Resolve charts and images", () => ensureLock(stack, paths, cloudProcess.cloud, settings, print));
    await phases.run("Find the cluster's tools", () => options.clusterTools);
    const fault = await phases.run("pulumi up", () => up(run));
    const made = await makeReport({
      ...run,
      cloud: cloudProcess.cloud,
      isFresh: fault === undefined,
      faults: fault ? [fault] : [],
    });
    print(`\n${summary(made)}`);
    if (keep) {
      await cloudProcess.keep();
      kept = true;
      print(
        `\nKept. Go on with: npm run rehearse -- --stack ${stack} pulumi preview --diff\nEnd it with:      npm run rehearse -- --stack ${stack} stop`,
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

async function prepare({ stack, paths, engine, settings, before, process: { cloud } }: Run): Promise<void> {
  const options = { engine, paths, cloud };
  if (before !== undefined) await handOver(pathsOf(before), settings.flux, paths, cloud);
  await installProviders(paths.pulumiHome);
  const setSecrets: [string, string][] = [];
  await syncProject(
    stack,
    paths,
    cloud.identities.reader.gitToken ?? cloud.identities.reader.gitHubToken,
    async (path, value) => void setSecrets.push([path, value]),
  );
  await mustPulumi(["stack", "init", stack], options);
  for (const [path, value] of setSecrets)
    await mustPulumi(["config", "set", "--secret", "--path", path], { ...options, input: value });
}

/** @returns what is to be told of an update that failed. */
async function up(run: Run): Promise<string | undefined> {
  const { stack, paths, engine, print, process } = run;
  const { cloud, guard, unguard } = process;
  const args = ["up", "--yes", "--skip-preview", "--suppress-progress", "--suppress-outputs", "--stack", stack];
  const line = upLines((text) => print(`   ${text}`));
  let group = 0;
  const started = (pid: number) => {
    group = pid;
    guard(pid);
  };
  try {
    const { code } = await pulumi(args, { engine, paths, cloud, log: paths.upLog, line, started });
    return code === 0
      ? undefined
      : `pulumi up ended with ${code}; its whole output is in ${relative(checkout, paths.upLog)}`;
  } finally {
    unguard(group);
  }
}
