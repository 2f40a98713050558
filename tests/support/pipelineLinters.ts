// Judges of pipelines' files that no registry of npm has: each is brought into the cache of tools once.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Ran, run } from "../../rehearsal/run.ts";
import { cacheFolder } from "../../tools/cacheFolder.ts";
import { withLock } from "../../tools/cacheLock.ts";
import { goEnvironment } from "../../tools/goBuild.ts";

const ACTIONLINT = "1.7.12";
const CHECK_JSONSCHEMA = "0.39.0";

/** How long bringing one may take, in milliseconds. */
const LIMIT = 600_000;

/** A program that looks at files. */
export type Linter = (files: readonly string[], cwd: string) => Promise<Ran>;

/** The linter, or why there is none here. */
export type Found = { readonly linter: Linter } | { readonly missing: string };

/** actionlint for the workflows of GitHub. */
export async function actionlint(): Promise<Found> {
  if (!(await answers("go", "version"))) return { missing: "needs Go" };
  const program = await brought(`actionlint-${ACTIONLINT}`, "actionlint", async (folder) => {
    const args = ["install", `github.com/rhysd/actionlint/cmd/actionlint@v${ACTIONLINT}`];
    await promisify(execFile)("go", args, { env: { ...goEnvironment(process.env), GOBIN: folder }, timeout: LIMIT });
  });
  if (program === undefined) return { missing: "Go does not get actionlint here" };
  // What it may find beside itself differs from machine to machine.
  return { linter: (files, cwd) => start(program, ["-no-color", "-shellcheck=", "-pyflakes=", ...files], cwd) };
}

/**
 * check-jsonschema, which has the published schemas with it.
 * @param schema the name of a schema, with further options.
 */
export async function checkJsonSchema(...schema: readonly string[]): Promise<Found> {
  if (!(await answers("python3", "-c", "import venv, ensurepip"))) return { missing: "needs python3 with venv" };
  const program = await brought(`check-jsonschema-${CHECK_JSONSCHEMA}`, "bin/check-jsonschema", async (folder) => {
    await promisify(execFile)("python3", ["-m", "venv", folder], { timeout: LIMIT });
    const wanted = `check-jsonschema==${CHECK_JSONSCHEMA}`;
    const args = ["install", "--quiet", "--disable-pip-version-check", wanted];
    await promisify(execFile)(join(folder, "bin/pip"), args, { timeout: LIMIT });
  });
  if (program === undefined) return { missing: "pip does not get check-jsonschema here" };
  const [name = "", ...options] = schema;
  return { linter: (files, cwd) => start(program, ["--builtin-schema", name, ...options, ...files], cwd) };
}

const start = (program: string, args: readonly string[], cwd: string) =>
  run(program, args, { cwd, env: process.env as Record<string, string> });

async function answers(program: string, ...args: string[]): Promise<boolean> {
  return promisify(execFile)(program, args).then(
    () => true,
    () => false,
  );
}

/** The path of a program in a folder of the cache, which is filled where it is not there; none where it cannot be got. */
async function brought(name: string, path: string, fill: (folder: string) => Promise<void>) {
  const folder = join(cacheFolder(), "tools", `${name}-${process.platform}-${process.arch}`);
  const program = join(folder, path);
  await withLock(
    join(cacheFolder(), "locks", name),
    () => {},
    async () => {
      if (existsSync(program)) return;
      await mkdir(dirname(folder), { recursive: true });
      await rm(folder, { recursive: true, force: true });
      try {
        await fill(folder);
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        console.error(`${name}: ${(error as Error).message}`);
      }
    },
  );
  return existsSync(program) ? program : undefined;
}
