// The project as a rehearsal's engine sees it: the checkout's own files by link, and a stack file of its own, so that
// no passphrase salt and no value of a rehearsal ever reaches the checkout.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { lockName } from "../../mirror/lock.ts";
import { checkout, type Paths, stackFiles } from "../session.ts";
import { GIT_TOKEN_KEY, needsGitToken } from "../settings.ts";

/** A stack file's content as far as a rehearsal reads it. */
interface StackFile {
  readonly config?: Record<string, unknown>;
  readonly [key: string]: unknown;
}

/** The name of a stack's file. */
export const stackFileName = (stack: string) => `Pulumi.${stack}.yaml`;

/** A value that the stack's owner encrypted; a rehearsal cannot and must not read it. */
const isSecure = (value: unknown): value is { secure: string } =>
  typeof value === "object" && value !== null && Object.keys(value).length === 1 && "secure" in value;

/** The property paths of all encrypted values, in the syntax of `pulumi config set --path`. */
export function securePaths(config: Record<string, unknown>): string[] {
  const found: string[] = [];
  const walk = (value: unknown, path: string) => {
    if (isSecure(value)) found.push(path);
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) walk(item, `${path}[${i}]`);
    else if (typeof value === "object" && value !== null)
      for (const [key, item] of Object.entries(value))
        walk(item, /^\w+$/.test(key) ? `${path}.${key}` : `${path}["${key}"]`);
  };
  for (const [key, value] of Object.entries(config)) walk(value, key);
  return found;
}

/** How long a bootstrapped Flux may take in a rehearsal, in minutes, where the stack does not say: nobody pulls images. */
const READY_MINUTES = 3;

/** A stack file whose updates do not wait for what is wrong as long as those of Azure have to. */
function impatient({ config = {}, ...rest }: StackFile): StackFile {
  const flux = config["aks-gitops:flux"] as { mode?: string } | undefined;
  if (flux?.mode !== "bootstrap") return { ...rest, config };
  return { ...rest, config: { ...config, "aks-gitops:flux": { readyMinutes: READY_MINUTES, ...flux } } };
}

/** The configuration keys whose value differs between two stack files. */
const changedKeys = (before: StackFile, now: StackFile): string[] =>
  [...new Set([...Object.keys(before.config ?? {}), ...Object.keys(now.config ?? {})])].filter(
    (key) => JSON.stringify(before.config?.[key]) !== JSON.stringify(now.config?.[key]),
  );

/**
 * Brings changes of the checkout's stack file into the rehearsal's: a key that changed in the checkout since the last
 * time wins, every other key keeps what `pulumi config set` made of it in the rehearsal.
 */
export function mergeStackFile(rehearsed: StackFile, before: StackFile, now: StackFile): StackFile {
  const config: Record<string, unknown> = { ...rehearsed.config };
  for (const key of changedKeys(before, now)) {
    const value = now.config?.[key];
    if (value === undefined) delete config[key];
    else config[key] = value;
  }
  return { ...rehearsed, config };
}

const readYaml = async (file: string) => (parse(await readFile(file, "utf8")) ?? {}) as StackFile;

/** Runs `pulumi config set` in the project with a value on standard input. */
export type SetSecret = (path: string, value: string) => Promise<void>;

/**
 * Makes or refreshes the project folder of a rehearsal.
 * @param gitToken a token that reads the simulated repository.
 * @param setSecret called for every encrypted value of the stack file, with a value made up for the rehearsal.
 * @returns the paths of values that were made up.
 */
export async function syncProject(
  stack: string,
  paths: Paths,
  gitToken: string,
  setSecret: SetSecret,
): Promise<string[]> {
  const own = new Set([stackFileName(stack), lockName(stack), ".git", ".rehearsal"]);
  const present = new Set(await readdir(paths.project));
  const wanted = (await readdir(checkout)).filter(
    (name) => !own.has(name) && !/^(Pulumi\.[^.]+\.yaml|mirror\..*)$/.test(name),
  );
  for (const name of wanted) if (!present.has(name)) await symlink(join(checkout, name), join(paths.project, name));

  const file = join(paths.project, stackFileName(stack));
  const copy = join(paths.dir, "stack-file.json");
  const {
    encryptionsalt: _salt,
    encryptedkey: _key,
    secretsprovider: _provider,
    ...shipped
  } = await readYaml(join(stackFiles(), stackFileName(stack)));
  const now = impatient(shipped);
  const before = existsSync(copy) ? (JSON.parse(await readFile(copy, "utf8")) as StackFile) : {};
  const rehearsed = existsSync(file) ? await readYaml(file) : {};
  const merged = mergeStackFile(rehearsed, before, now);
  const changed = new Set(changedKeys(before, now));
  const madeUp = securePaths(Object.fromEntries(Object.entries(now.config ?? {}).filter(([key]) => changed.has(key))));
  if (JSON.stringify(merged) !== JSON.stringify(rehearsed)) await writeFile(file, stringify(merged));
  if (needsGitToken(merged.config ?? {}) && rehearsed.config?.[GIT_TOKEN_KEY] === undefined) madeUp.push(GIT_TOKEN_KEY);
  for (const path of new Set(madeUp))
    await setSecret(path, path === GIT_TOKEN_KEY ? gitToken : randomBytes(24).toString("base64url"));
  await writeFile(copy, JSON.stringify(now));
  return madeUp;
}

/** Removes what an earlier rehearsal of the stack left behind. */
export async function clearRehearsal(paths: Paths): Promise<void> {
  await rm(paths.dir, { recursive: true, force: true });
}
