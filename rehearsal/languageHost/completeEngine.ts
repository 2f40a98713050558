import { copyFile, link, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { cacheFolder } from "../../tools/cacheFolder.ts";
import { checkout } from "../session.ts";

/**
 * An engine that runs policy packs. The language host that Go builds runs none, so there another one stands before it; and
 * as an engine warns of a host that does not lie beside it, this is the same engine at another place. One from PATH, whose
 * own host runs packs, is given back as it is.
 * @param pulumi the engine that was found.
 * @param host the language host that was found for it.
 * @returns the engine's path; its folder holds the language host.
 */
export async function completeEngine(pulumi: string, host: string): Promise<string> {
  if (!host.startsWith(join(cacheFolder(), sep)) || process.platform === "win32") return pulumi;
  const folder = join(checkout, ".rehearsal", ".engine");
  await mkdir(folder, { recursive: true });
  const engine = join(folder, "pulumi");
  if (!(await isSame(pulumi, engine)))
    await put(engine, (path) => link(pulumi, path).catch(() => copyFile(pulumi, path)));
  const main = join(import.meta.dirname, "main.ts");
  const script = `#!/bin/sh\nexec '${process.execPath}' '${main}' '${host}' "$@"\n`;
  await put(join(folder, "pulumi-language-nodejs"), (path) => writeFile(path, script, { mode: 0o755 }));
  return engine;
}

/** Puts a file into its place at once, whoever uses or makes it at the same time. */
async function put(path: string, make: (path: string) => Promise<void>): Promise<void> {
  const made = `${path}-${process.pid}`;
  await rm(made, { force: true });
  await make(made);
  await rename(made, path);
}

async function isSame(program: string, other: string): Promise<boolean> {
  const [one, two] = await Promise.all([program, other].map((path) => stat(path).catch(() => undefined)));
  return one !== undefined && two !== undefined && one.size === two.size && one.mtimeMs <= two.mtimeMs;
}
