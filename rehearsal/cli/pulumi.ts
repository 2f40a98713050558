// The real engine, run in a rehearsal's project.
import { dirname } from "node:path";
import { type FindOptions, findTool } from "../../tools/findTool.ts";
import { completeEngine } from "../languageHost/completeEngine.ts";
import { must, type Ran, run } from "../run.ts";
import { type CloudFile, environment, type IdentityName, type Paths } from "../session.ts";

/** The engine and its language host, found or built. */
export interface Engine {
  readonly pulumi: string;
  /** Folders that PATH needs. */
  readonly path: readonly string[];
}

export async function findEngine(options: FindOptions): Promise<Engine> {
  const found = await findTool("pulumi", options);
  const host = await findTool("pulumi-language-nodejs", options);
  const pulumi = await completeEngine(found, host);
  return { pulumi, path: [...new Set([dirname(pulumi), dirname(host)])] };
}

export interface PulumiOptions {
  readonly engine: Engine;
  readonly paths: Paths;
  readonly cloud: CloudFile;
  readonly as?: IdentityName;
  readonly input?: string;
  readonly log?: string;
  readonly line?: (line: string) => void;
  readonly started?: (pid: number) => void;
}

const runOptions = ({ engine, paths, cloud, as, ...rest }: PulumiOptions) => ({
  ...rest,
  cwd: paths.project,
  env: environment({ paths, cloud, path: engine.path, ...(as === undefined ? {} : { as }) }),
});

/** Runs a pulumi command without a terminal and gives its exit status and output. */
export const pulumi = (args: readonly string[], options: PulumiOptions): Promise<Ran> =>
  run(options.engine.pulumi, ["--non-interactive", ...args], runOptions(options));

/** As `pulumi`, but a failure is an error. */
export const mustPulumi = (args: readonly string[], options: PulumiOptions): Promise<Ran> =>
  must(options.engine.pulumi, ["--non-interactive", ...args], runOptions(options));
