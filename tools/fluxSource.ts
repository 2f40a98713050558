// The flux CLI's source with the manifests that its release makes: the published module lacks them.
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { goEnvironment, pinnedModule } from "./goBuild.ts";

const run = promisify(execFile);

export interface FluxSourceOptions {
  /** The environment of Go. */
  readonly env: NodeJS.ProcessEnv;
  /** The program that builds the manifests. */
  readonly kustomize: string;
}

/** The controllers that can be had as modules, and where each is pinned. source-watcher, an extra of 2.9, cannot. */
const controllers = [
  ["source-controller", "cluster"],
  ["kustomize-controller", "cluster"],
  ["helm-controller", "cluster"],
  ["notification-controller", "cluster"],
  ["image-reflector-controller", "flux"],
  ["image-automation-controller", "flux"],
] as const;

/**
 * Copies the CLI's module and writes its manifests as `manifests/scripts/bundle.sh` of flux2 does for a release.
 * What that script loads from the controllers' releases is built from their own modules: it is the same, byte for byte.
 * @param folder an existing folder for the copy.
 * @returns the folder of the complete module.
 */
export async function completedFlux(folder: string, options: FluxSourceOptions): Promise<string> {
  const env = goEnvironment(options.env);
  const { kustomize } = options;
  const build = async (path: string) => (await run(kustomize, ["build", path], { env, maxBuffer: 1 << 26 })).stdout;
  const copy = join(folder, "flux2");
  await cp(await moduleFolder("flux", "github.com/fluxcd/flux2/v2", env), copy, { recursive: true });
  await makeWritable(copy);
  const embedded = join(copy, "cmd", "flux", "manifests");
  await mkdir(embedded, { recursive: true });
  for (const [name, pinned] of controllers) {
    const config = join(await moduleFolder(pinned, `github.com/fluxcd/${name}`, env), "config");
    const base = join(copy, "manifests", "bases", name);
    for (const [part, source] of [
      ["crds", "crd"],
      ["deployment", "manager"],
    ] as const)
      await writeFile(join(base, `${name}.${part}.yaml`), await build(join(config, source)));
    const file = join(base, "kustomization.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(/^- https:\/\/.*\/([^/\n]+\.yaml)$/gm, "- $1"));
    await writeFile(join(embedded, `${name}.yaml`), await build(base));
  }
  for (const name of ["rbac", "policies"])
    await writeFile(join(embedded, `${name}.yaml`), await build(join(copy, "manifests", name)));
  return copy;
}

/** The folder of a pinned module in Go's module cache, downloaded and verified by Go. */
async function moduleFolder(pinned: string, path: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await run("go", ["mod", "download", "-C", pinnedModule(pinned), "-json", path], { env }).catch(
    (error: Error & { stdout?: string }) => {
      throw new Error(`${path} could not be loaded: ${error.stdout || error.message}`);
    },
  );
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** Go keeps its module cache read-only, and a copy of it too. */
async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
}
