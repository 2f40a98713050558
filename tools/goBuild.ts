import { execFile, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CATALOGUE, type ToolName } from "./catalogue.ts";

export interface GoBuild {
  /** Where the program is written; its folder must exist. */
  readonly output: string;
  /** The environment of Go: PATH finds it, GOFLAGS, GOCACHE, GOPROXY and the like are respected. */
  readonly env: NodeJS.ProcessEnv;
  /** Called for every package compiled and every module downloaded. */
  progress?(counts: { readonly packages: number; readonly modules: number }): void;
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

/**
 * Builds a tool from its pinned module in `tools/go/<tool>`, whose go.sum holds the checksum of every module.
 * Without optimisation: the programs start a second later, the build takes two thirds of the time.
 * @throws Error with Go's own words when the build fails.
 */
export async function goBuild(name: ToolName, { output, env, progress }: GoBuild): Promise<void> {
  const { package: path, stamp } = CATALOGUE[name].go;
  const linkerFlags = ["-s", "-w", ...(stamp === undefined ? [] : ["-X", `${stamp.variable}=${stamp.value}`])];
  const module = fileURLToPath(new URL(`go/${name}`, import.meta.url));
  const args = ["build", "-C", module, "-mod=readonly", "-v", "-gcflags=all=-N -l"];
  args.push(`-ldflags=${linkerFlags.join(" ")}`, "-o", output, path);
  // A workspace of the user's around the checkout would replace the pinned versions.
  const child = spawn("go", args, { env: { ...env, GOWORK: "off" }, stdio: ["ignore", "ignore", "pipe"] });
  const stop = () => child.kill("SIGINT");
  process.once("exit", stop);

  const counts = { packages: 0, modules: 0 };
  const words: string[] = [];
  let rest = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("go: downloading ")) counts.modules++;
      else if (/^[\w.~/-]+$/.test(line)) counts.packages++;
      else words.push(line);
    }
    progress?.(counts);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject).on("close", resolve);
    });
    if (code === 0) return;
    const said = [...words, rest].filter((line) => line !== "").slice(-12);
    throw new Error(`go build ${path} failed (exit code ${code ?? "none, killed"}):\n  ${said.join("\n  ")}`);
  } finally {
    process.off("exit", stop);
  }
}
