// The real Pulumi engine for tests: its own home, a file backend and a passphrase, all in a temporary folder.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { Authority } from "../../rehearsal/cloud/door/authority.ts";
import type { Door } from "../../rehearsal/cloud/door/door.ts";
import { completeEngine } from "../../rehearsal/languageHost/completeEngine.ts";
import { findTool } from "../../tools/findTool.ts";

/** The checkout's root. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface EngineEnvironment {
  /** Temporary; everything of this engine is in it, and projects may be too. */
  readonly directory: string;
  /** For every `pulumi` of this test. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes the directory. */
  close(): Promise<void>;
}

export interface PulumiResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long `engineEnvironment` may take where the engine must be built first, in milliseconds; for a hook's timeout. */
export const ENGINE_TIMEOUT = 1_200_000;

/** An engine of a test's own; the first one on a machine may have to be downloaded or built, see `tools/`. */
export async function engineEnvironment(): Promise<EngineEnvironment> {
  const [pulumi, host] = await Promise.all([findTool("pulumi"), findTool("pulumi-language-nodejs")]);
  const tools = [await completeEngine(pulumi, host), host];
  const directory = await mkdtemp(join(tmpdir(), "aks-gitops-engine-"));
  const backend = join(directory, "backend");
  const home = join(directory, "home");
  await Promise.all([mkdir(backend), mkdir(home)]);
  const env = {
    ...(process.env as Record<string, string>),
    PATH: [...tools.map(dirname), dirname(process.execPath), process.env.PATH].join(delimiter),
    PULUMI_HOME: home,
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE: "correct horse battery staple",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  return { directory, env, close: () => rm(directory, { recursive: true, force: true }) };
}

/** An engine's environment in which all that it runs reaches the world through a door, from outside of its networks. */
export async function throughDoor(
  { directory, env }: EngineEnvironment,
  door: Door,
  authority: Authority,
): Promise<Readonly<Record<string, string>>> {
  const port = await door.listen("outside");
  const authorityFile = join(directory, "authority.pem");
  await writeFile(authorityFile, authority.pem);
  return {
    ...env,
    HTTPS_PROXY: `http://127.0.0.1:${port}`,
    NO_PROXY: "127.0.0.1,localhost",
    NODE_USE_ENV_PROXY: "1",
    NODE_EXTRA_CA_CERTS: authorityFile,
  };
}

/**
 * Runs `pulumi` without questions or colours.
 * @returns its outcome, whatever it is; use `succeed` where a failure is a fault of the test.
 */
export function runPulumi(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<PulumiResult> {
  const all = [...args, "--non-interactive", "--color=never"];
  return new Promise((resolve, reject) => {
    execFile("pulumi", all, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Runs `pulumi` and gives its stdout. @throws Error with all its output where it fails. */
export async function succeed(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { code, stdout, stderr } = await runPulumi(cwd, args, env);
  if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}

/**
 * Writes a Pulumi project that runs a TypeScript program as this product does.
 * @param files further files by their name; `index.ts` is the program.
 * @param plugins folders of provider plugins by the provider's name.
 * @returns the project's folder, with the packages of the checkout.
 */
export async function writeProject(
  directory: string,
  name: string,
  files: Readonly<Record<string, string>>,
  plugins: Readonly<Record<string, string>>,
): Promise<string> {
  const project = join(directory, name);
  await mkdir(project);
  const description = {
    name,
    main: "index.ts",
    runtime: { name: "nodejs", options: { typescript: false, packagemanager: "npm" } },
    plugins: { providers: Object.entries(plugins).map(([plugin, path]) => ({ name: plugin, path })) },
  };
  const all: Record<string, string> = {
    "Pulumi.yaml": stringify(description),
    "package.json": JSON.stringify({ name, private: true, type: "module" }),
    ...files,
  };
  await Promise.all(Object.entries(all).map(([file, text]) => writeFile(join(project, file), text)));
  await symlink(join(ROOT, "node_modules"), join(project, "node_modules"));
  return project;
}
