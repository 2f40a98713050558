// `npm run stacks`: the stacks that a pipeline has to look at.
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { touched } from "./touched.ts";

const USAGE = `npm run -s stacks -- [--since COMMIT [--untouched] | --tag TAG] [--only NAMES] [--format text|json] [--project FOLDER]

Prints the stacks of the project, those that have a Pulumi.<stack>.yaml, and says on standard error why.

  --since COMMIT    those that the change from COMMIT to HEAD touches: a stack's own files touch that stack, the program
                    touches all; all too where COMMIT is not there (the first push of a branch)
  --untouched       those that it does not touch instead
  --tag TAG         the stack that a tag STACK/ANYTHING asks for; none where there is no such stack
  --only NAMES      none but these, "dev prod"
  --format FORMAT   text, a line each (default), or json, a list
  --project FOLDER  the folder of Pulumi.yaml (default: here)`;

const say = (line: string) => void process.stderr.write(`${line}\n`);

const git = async (cwd: string, ...args: string[]) =>
  (await promisify(execFile)("git", args, { cwd, maxBuffer: 1 << 28 })).stdout;

/** The project's stacks by their files, in order. */
async function stacksOf(project: string): Promise<string[]> {
  return (await readdir(project)).flatMap((entry) => /^Pulumi\.(.+)\.yaml$/.exec(entry)?.[1] ?? []).sort();
}

/** The paths below a folder that differ between a commit and HEAD; undefined where there is no such commit. */
async function changedSince(commit: string, folder: string): Promise<string[] | undefined> {
  const isThere = await git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}^{commit}`).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  // Without a look for renames no content is read, so that a clone without blobs will do.
  const names = await git(folder, "diff", "--name-only", "--no-renames", "-z", "--relative", commit, "HEAD", "--");
  return names.split("\0").filter((name) => name !== "");
}

async function since(commit: string, project: string, stacks: readonly string[]): Promise<string[]> {
  const changed = await changedSince(commit, project);
  if (changed === undefined) {
    say(`${commit === "" ? "No commit to compare with" : `There is no commit ${commit} here`}: all stacks count.`);
    return [...stacks];
  }
  const found = touched(changed, stacks);
  for (const stack of stacks) {
    const path = found.get(stack);
    say(path === undefined ? `${stack}: not touched` : `${stack}: touched by ${path}`);
  }
  return [...found.keys()];
}

function tagged(tag: string, stacks: readonly string[]): string[] {
  const found = stacks.filter((stack) => tag.startsWith(`${stack}/`));
  if (found.length === 0)
    say(`The tag ${tag} is for no stack. One for ${stacks[0] ?? "dev"} is named ${stacks[0] ?? "dev"}/ANYTHING.`);
  return found;
}

/** @throws Error for what is used wrongly. */
async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      since: { type: "string" },
      untouched: { type: "boolean", default: false },
      tag: { type: "string" },
      only: { type: "string" },
      format: { type: "string", default: "text" },
      project: { type: "string", default: "." },
      help: { type: "boolean" },
    },
  });
  if (values.help) return console.log(USAGE);
  if (values.since !== undefined && values.tag !== undefined)
    throw new Error(`--since and --tag exclude each other.\n${USAGE}`);
  if (values.untouched && values.since === undefined) throw new Error(`--untouched needs --since.\n${USAGE}`);
  if (values.format !== "text" && values.format !== "json")
    throw new Error(`--format ${values.format}: there are text and json.`);
  const project = resolve(values.project);
  const there = await stacksOf(project);
  const only = values.only?.split(/[\s,]+/).filter((name) => name !== "");
  const missing = only?.find((name) => !there.includes(name));
  if (missing !== undefined)
    throw new Error(`--only ${missing}: ${project} holds no Pulumi.${missing}.yaml; there are ${there.join(", ")}.`);
  const stacks = only === undefined ? there : there.filter((stack) => only.includes(stack));
  const wanted =
    values.tag !== undefined
      ? tagged(values.tag, stacks)
      : values.since !== undefined
        ? await since(values.since, project, stacks).then((found) =>
            values.untouched ? stacks.filter((stack) => !found.includes(stack)) : found,
          )
        : stacks;
  if (values.format === "json") console.log(JSON.stringify(wanted));
  else for (const stack of wanted) console.log(stack);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say((error as Error).message);
  process.exitCode = 2;
}
