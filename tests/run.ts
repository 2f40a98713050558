// `npm test` and `npm run test:full`: see HELP. `mocha FILE...` runs single files.
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import pLimit from "p-limit";
import { type Counts, closingLine, type Failure, type Message, type Outcome } from "./support/reporter.ts";

const HELP = `npm test [-- PATTERN...]             the fast tier: at most 10 minutes on two cores
npm run test:full [-- PATTERN...]    the long tier alone: at most 45 minutes
npm test -- --all [PATTERN...]       both
    --minutes N                      begins nothing more of the long tier when N minutes are over, and names what is left

The name of a file says where it belongs: NAME[.GROUP][.full].test.ts, where .full puts it into the long tier.
A group's files share one process, and what they started; groups run side by side.
  unit       neither engine nor cluster: no GROUP in the name; under 30 seconds; no tool can be found here
  programs   start programs: the Pulumi engine, helm, sops, flux, git a lot, compiler and linter
  cluster    one control plane, with Flux where a file wants it
  prod, dev  one rehearsal each
In the long tier a file without GROUP is a group of its own.

PATTERN runs a part: a group's name, else what stands in a file's path, else what stands in a test's full title.
Groups and paths together select more files; titles select among their tests. A PATTERN that fits nothing is an error.

The slowest tests and hooks of all groups come last, then whatever failed, before the closing line:
N passed, N failed[, N skipped].`;

/** The longest first. */
const GROUPS = ["dev", "prod", "cluster", "programs", "unit"];
/** Of the long tier's files that are groups of their own, those that take longest: the short ones are left for the end. */
const LONGEST = ["interrupted", "wirings", "pullRequests", "subnets", "ready", "killed", "green"];
/** How many of the slowest are told. */
const SLOWEST = 10;
const CORES = availableParallelism();
/** Whose files share nothing, and in how many parts they run; programs wait for each other as often as they work. */
const SPLIT = new Map([
  ["programs", CORES + 1],
  ["unit", CORES],
]);
/** How many processes run at once: in the fast tier a test waits as often as it works, in the long one each is heavy. */
const SIDE_BY_SIDE = { fast: CORES + 2, long: Math.max(2, CORES) };

const root = process.cwd();
const mocha = fileURLToPath(new URL("bin/mocha.js", import.meta.resolve("mocha/package.json")));
const reporter = resolve(import.meta.dirname, "support/reporter.ts");

interface TestFile {
  /** Below the root. */
  readonly path: string;
  readonly group: string;
  readonly isFull: boolean;
}

/** What one process runs. */
interface Part {
  /** Of the group, and which part of it where it has several. */
  readonly name: string;
  readonly group: string;
  readonly files: readonly string[];
}

interface Result {
  readonly name: string;
  readonly counts: Counts;
  readonly outcomes: readonly Outcome[];
  readonly failures: readonly Failure[];
  /** In milliseconds. */
  readonly duration: number;
}

/** @throws Error where a name has a word that says nothing. */
function testFile(path: string): TestFile {
  const [name = "", ...words] = basename(path, ".test.ts").split(".");
  const isFull = words.at(-1) === "full";
  if (isFull) words.pop();
  const [group = isFull ? name : "unit", ...more] = words;
  if (more.length > 0 || (words.length > 0 && !GROUPS.includes(group)))
    throw new Error(`${path}: "${words.join(".")}" is no group of tests; there are ${GROUPS.join(", ")}`);
  return { path, group, isFull };
}

/** Files by their group, in the order in which they are to start. */
function partsOf(files: readonly TestFile[]): Part[] {
  const all = [...GROUPS, ...LONGEST];
  const order = (group: string) => (all.includes(group) ? all.indexOf(group) : all.length);
  const groups = [...new Set(files.map(({ group }) => group))].sort((one, other) => order(one) - order(other));
  return groups.flatMap((group) => {
    const paths = files.filter((file) => file.group === group).map(({ path }) => path);
    const parts = SPLIT.get(group);
    if (parts === undefined) return [{ name: group, group, files: paths }];
    const count = Math.min(parts, paths.length);
    const deal = (part: number) => paths.filter((_, at) => at % count === part);
    return Array.from({ length: count }, (_, part) => ({
      name: count > 1 ? `${group} ${part + 1}` : group,
      group,
      files: deal(part),
    }));
  });
}

/** Node keeps what it compiled, for the hundreds of short processes of a run. */
const scratch = mkdtempSync(join(tmpdir(), "tests-"));

function environment(isUnit: boolean): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}`,
    NODE_COMPILE_CACHE: join(scratch, "compiled"),
    // Where nothing can be made, nothing is downloaded nor built; the path stands in the error that a test ends with.
    ...(isUnit ? { AKS_GITOPS_CACHE: "/dev/null/a unit test finds no tool: name it .programs.test.ts" } : {}),
  };
}

/** Runs a group's files in one process, and gives each line that it writes. */
async function run(
  { name, files }: Part,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<Result> {
  const started = Date.now();
  const child = spawn(process.execPath, [mocha, "--reporter", reporter, ...args, ...files], {
    ...{ cwd: root, env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const outcomes: Outcome[] = [];
  const failures: Failure[] = [];
  let counts: Counts | undefined;
  child.on("message", (message: Message) => {
    if ("outcome" in message) outcomes.push(message.outcome);
    else if ("failure" in message) failures.push(message.failure);
    else counts = message.counts;
  });
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on("line", (line) => line !== "" && print(line));
  const code = await new Promise<number | null>((done) => child.on("close", done));
  if (counts === undefined) {
    const error = `ended with ${code} before its tests did`;
    print(error);
    failures.push({ title: `the process ${name}`, error });
  }
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  // A run that fails without a failed test is a failure all the same.
  const sum = { passed, failed: code === 0 && counts !== undefined ? failed : Math.max(failed, 1), skipped };
  return { name, counts: sum, outcomes, failures, duration: Date.now() - started };
}

/** The files with a test whose full title has one of the words in it. @throws Error where a word is in none. */
async function filesWith(titles: readonly string[], files: readonly TestFile[]): Promise<TestFile[]> {
  const found: Outcome[] = [];
  for (const part of partsOf(files)) {
    const lines: string[] = [];
    // Nothing runs, but some files make a temporary folder when they are loaded.
    const { outcomes, counts } = await run(part, ["--dry-run"], { ...environment(true), TMPDIR: scratch }, (line) =>
      lines.push(line),
    );
    if (counts.failed > 0) throw new Error(`the tests of ${part.name} cannot be listed:\n${lines.join("\n")}`);
    found.push(...outcomes.filter(({ kind }) => kind === "test"));
  }
  for (const title of titles)
    if (!found.some((test) => test.title.includes(title)))
      throw new Error(
        `no file and no test of this tier fits "${title}"; \`npm run test:full\` runs the long tier, \`npm test -- --all\` both`,
      );
  const within = new Set(
    found.filter((test) => titles.some((title) => test.title.includes(title))).map(({ file }) => relative(root, file)),
  );
  return files.filter(({ path }) => within.has(path));
}

/** What patterns leave of a tier, and Mocha's arguments for it. @throws Error where one fits nothing. */
async function select(patterns: readonly string[], tier: readonly TestFile[]): Promise<[TestFile[], string[]]> {
  const fits = (pattern: string, { group, path }: TestFile) =>
    tier.some((file) => file.group === pattern) ? group === pattern : path.includes(pattern.replace(/^\.\//, ""));
  const isTitle = (pattern: string) => !tier.some((file) => fits(pattern, file));
  const titles = patterns.filter(isTitle);
  const others = patterns.filter((pattern) => !titles.includes(pattern));
  const files = others.length === 0 ? [...tier] : tier.filter((file) => others.some((each) => fits(each, file)));
  if (titles.length === 0) return [files, []];
  const escaped = titles.map((title) => title.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return [await filesWith(titles, files), ["--grep", escaped.join("|")]];
}

function add(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** The slowest of all groups, and how long each group took. */
function printTimes(results: readonly Result[]): void {
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1).padStart(6)} s`;
  const all = results.flatMap(({ name, outcomes }) => outcomes.map((outcome) => ({ ...outcome, name })));
  const slowest = all.sort((one, other) => other.duration - one.duration).slice(0, SLOWEST);
  console.log("\nThe slowest tests and hooks");
  for (const { duration, name, title } of slowest) console.log(`${seconds(duration)}  ${name.padEnd(8)}  ${title}`);
  console.log("The processes");
  for (const { duration, name } of results) console.log(`${seconds(duration)}  ${name}`);
}

/** What failed, once more: it stands at the end, where a reader of a long log looks first. */
function printFailures(results: readonly Result[]): void {
  const failures = results.flatMap((result) => result.failures.map((failure) => ({ ...failure, name: result.name })));
  if (failures.length > 0) console.log("\nFailed");
  for (const { name, title, error } of failures) console.log(`${name.padEnd(8)}  ${title}\n${error}\n`);
}

/** Runs what the command line asks for; gives the exit code. */
async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    ...{ args, allowPositionals: true },
    options: {
      ...{ help: { type: "boolean", short: "h" }, full: { type: "boolean" }, all: { type: "boolean" } },
      minutes: { type: "string" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const files = globSync("tests/**/*.test.ts", { cwd: root }).sort().map(testFile);
  const tier = values.all ? files : files.filter(({ isFull }) => isFull === (values.full ?? false));
  const [selected, mochaArgs] = await select(positionals, tier);
  if (selected.length === 0) throw new Error(`no test is below ${join(root, "tests")}`);
  const minutes = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: give how many, for example 50`);
  const end = Date.now() + minutes * 60_000;
  const leftOut: string[] = [];
  const results: Result[] = [];
  // One tier after the other: what the fast one tells is known soon.
  for (const isFull of [false, true]) {
    const limit = pLimit(isFull ? SIDE_BY_SIDE.long : SIDE_BY_SIDE.fast);
    const running = partsOf(selected.filter((file) => file.isFull === isFull)).map((part) => {
      const env = environment(!isFull && part.group === "unit");
      return limit(() => {
        if (!isFull || Date.now() < end)
          return run(part, mochaArgs, env, (line) => console.log(`${part.name.padEnd(8)} │ ${line}`));
        leftOut.push(...part.files);
        return undefined;
      });
    });
    results.push(...(await Promise.all(running)).filter((result) => result !== undefined));
  }
  printTimes(results);
  if (leftOut.length > 0) console.log(`\nLeft out, for the ${minutes} minutes were over:\n${leftOut.join("\n")}`);
  printFailures(results);
  const skipped = { passed: 0, failed: 0, skipped: leftOut.length };
  const counts = results.map((result) => result.counts).reduce(add, skipped);
  console.log(closingLine(counts));
  return counts.failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
