// What is asked of every example when it was rehearsed.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { exampleFolder, repositoryFiles } from "../../rehearsal/examples.ts";
import { checkout, type Rehearsal } from "../support/rehearsal.ts";

/** An object of the cluster. */
export interface Found {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: differs by kind
  readonly [key: string]: any;
}

/** Objects of the cluster, as `kubectl get` finds them. */
export async function kubectl(rehearsal: Rehearsal, ...args: string[]): Promise<readonly Found[]> {
  const answer = JSON.parse(await rehearsal.output("kubectl", "get", ...args, "-o", "json"));
  return answer.kind === "List" ? answer.items : [answer];
}

/** The properties of a resource as the program asked Azure Resource Manager for it last. */
// biome-ignore lint/suspicious/noExplicitAny: differs by type
export function askedFor({ folder }: Rehearsal, url: RegExp): Record<string, any> {
  const lines = readFileSync(join(folder, "arm-requests.jsonl"), "utf8").trim().split("\n");
  const puts = lines.map((line) => JSON.parse(line)).filter((line) => line.method === "PUT" && url.test(line.url));
  assert.ok(puts.length > 0, `a request that fits ${url}`);
  return puts.at(-1).body.properties;
}

/** Runs what a guide shows of a rehearsal that is kept, but for its beginning and its end. */
export async function follows(rehearsal: Rehearsal, example: string): Promise<void> {
  const page = readFileSync(join(checkout, "docs/guides", `${example}.md`), "utf8");
  const commands = [...page.matchAll(/^npm run rehearse -- (exec -- .+)$/gm)].map(([, words = ""]) => words.split(" "));
  assert.ok(commands.length >= 3, example);
  for (const command of commands) assert.notEqual((await rehearsal.succeeds(...command)).stdout, "", command.join(" "));
}

/** A second `pulumi up` finds nothing to do. */
export async function changesNothing(rehearsal: Rehearsal): Promise<void> {
  await rehearsal.succeeds("pulumi", "up", "--yes", "--expect-no-changes", "--non-interactive", "--suppress-progress");
}

/** The files of the repository's branch, by path. */
async function filesInGit(rehearsal: Rehearsal): Promise<Record<string, string>> {
  const paths = (await rehearsal.output("git", "ls-tree", "-r", "--name-only", "origin/main")).split("\n");
  const read = async (path: string) => [
    path,
    (await rehearsal.succeeds("exec", "--", "git", "show", `origin/main:${path}`)).stdout,
  ];
  const found: (readonly string[])[] = [];
  for (const path of paths) found.push(await read(path));
  return Object.fromEntries(found);
}

/**
 * After `pulumi destroy` the repository is there with people's files, byte for byte, and a vault that can be recovered;
 * nothing else is.
 * @param more files that people have committed since, or that the program wrote once as a start.
 */
export async function leavesWhatIsPeoples(
  rehearsal: Rehearsal,
  example: string,
  more: readonly string[] = [],
): Promise<void> {
  await rehearsal.succeeds("pulumi", "destroy", "--yes", "--non-interactive", "--suppress-progress");
  const { resources, softDeletedVaults } = await rehearsal.inspection();
  assert.deepEqual([resources, softDeletedVaults.length], [[], 1]);
  const people = (await repositoryFiles(exampleFolder(example))) ?? {};
  const left = await filesInGit(rehearsal);
  assert.deepEqual(Object.keys(left).sort(), [...Object.keys(people), ...more].sort());
  for (const [path, text] of Object.entries(people)) assert.equal(left[path], text, path);
}
