import { execFile, spawn } from "node:child_process";
import { rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CATALOGUE, type ToolName, toolsOf } from "./catalogue.ts";

export interface GoBuild {
  /** The folder that the programs are written to, under the tools' names; it must exist. */
  readonly folder: string;
  /** The environment of Go: PATH finds it, GOFLAGS, GOCACHE, GOPROXY and the like are respected. */
  readonly env: NodeJS.ProcessEnv;
  /** What programs end in: `.exe` on Windows; default: nothing. */
  readonly suffix?: string;
  /** The module's folder; default: that of `pinnedModule`. */
  readonly module?: string;
  /** Called with the number of packages compiled so far. */
  progress?(packages: number): void;
}

/** What `go version` says; undefined where Go is missing. */
export async function goVersion(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("go", ["version"], { env });
    return stdout.trim();
  } catch {
    return undefined;
  }
}

/** The folder of the module that a tool or bundle is built from; its go.sum holds the checksum of every module. */
export const pinnedModule = (name: string) => fileURLToPath(new URL(`go/${name}`, import.meta.url));

/** The environment of every run of Go: a workspace of the user's around the checkout would replace pinned versions. */
export const goEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ ...env, GOWORK: "off" });

/** What Go builds for a tool: its package, and those of all others of its bundle. */
function packagesOf(name: ToolName): { readonly names: readonly ToolName[]; readonly packages: readonly string[] } {
  const { bundle } = CATALOGUE[name].go;
  const names = bundle === undefined ? [name] : toolsOf(bundle);
  return { names, packages: names.map((each) => CATALOGUE[each].go.package) };
}

/** The folder of the module that a tool is built from. */
function moduleOf(name: ToolName, { module }: Pick<GoBuild, "module">): string {
  const { bundle, own } = CATALOGUE[name].go;
  return module ?? pinnedModule(bundle ?? own?.module ?? name);
}

/**
 * Downloads the modules that a build will need, and compiles nothing, so that it may go on beside another build. What
 * cannot be had is the build's to tell.
 */
export async function goFetch(name: ToolName, options: Pick<GoBuild, "env" | "module">): Promise<void> {
  const args = ["list", "-C", moduleOf(name, options), "-mod=readonly", "-deps", ...packagesOf(name).packages];
  await promisify(execFile)("go", args, { env: goEnvironment(options.env), maxBuffer: 1 << 26 }).catch(() => undefined);
}

/**
 * Builds a tool, and with it all others of its bundle.
 * Without optimisation: the programs start a second later, the build takes two thirds of the time.
 * @throws Error with Go's own words when the build fails.
 */
export async function goBuild(name: ToolName, options: GoBuild): Promise<void> {
  const { folder, env, suffix = "", progress } = options;
  const { names, packages } = packagesOf(name);
  const stamps = Object.assign({}, ...names.map((each) => CATALOGUE[each].go.stamps)) as Record<string, string>;
  const linkerFlags = [
    "-s",
    "-w",
    ...Object.entries(stamps).flatMap(([variable, value]) => ["-X", `${variable}=${value}`]),
  ];
  const args = ["build", "-C", moduleOf(name, options), "-mod=readonly", "-v"];
  // An output with a separator at its end is a folder, where Go itself names the programs.
  args.push("-gcflags=all=-N -l", `-ldflags=${linkerFlags.join(" ")}`, "-o", join(folder, "/"), ...packages);
  await run(args, env, packages.join(" "), progress);
  for (const each of names) {
    const made = goName(CATALOGUE[each].go.package);
    if (made !== each) await rename(join(folder, made + suffix), join(folder, each + suffix));
  }
}

/** How Go names a package's program: the last element of its path, but for a major version. */
const goName = (path: string) => basename(path.replace(/\/v\d+$/, ""));

async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  what: string,
  progress: GoBuild["progress"],
): Promise<void> {
  const child = spawn("go", args, { env: goEnvironment(env), stdio: ["ignore", "ignore", "pipe"] });
  const stop = () => child.kill("SIGINT");
  process.once("exit", stop);

  let packages = 0;
  const words: string[] = [];
  let rest = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (/^[\w.~/-]+$/.test(line)) packages++;
      else if (!line.startsWith("go: downloading ")) words.push(line);
    }
    progress?.(packages);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject).on("close", resolve);
    });
    if (code === 0) return;
    const said = [...words, rest].filter((line) => line !== "").slice(-12);
    throw new Error(`go build ${what} failed (exit code ${code ?? "none, killed"}):\n  ${said.join("\n  ")}`);
  } finally {
    process.off("exit", stop);
  }
}
