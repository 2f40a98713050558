// The examples that come with the project: each a folder with a README, its stacks' files, and in `repository/` what
// people have in Git before the first `pulumi up`.
import { existsSync, readdirSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { checkout, stackFiles } from "./session.ts";

const EXAMPLES = join(checkout, "examples");

/** The names of all examples. */
export function exampleNames(): string[] {
  return readdirSync(EXAMPLES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/**
 * The folder of an example's stack files.
 * @throws Error with the names that there are.
 */
export function exampleFolder(name: string): string {
  const names = exampleNames();
  if (!names.includes(name)) throw new Error(`There is no example "${name}". There are: ${names.join(", ")}.`);
  return join(EXAMPLES, name);
}

/** The stacks whose files a folder holds. */
export function stacksIn(folder: string): string[] {
  return readdirSync(folder)
    .flatMap((entry) => /^Pulumi\.(.+)\.yaml$/.exec(entry)?.[1] ?? [])
    .sort();
}

/** What people have in the GitOps repository of the stacks at hand: text by path; undefined where nobody says. */
export async function repositoryFiles(folder = stackFiles()): Promise<Record<string, string> | undefined> {
  const root = join(folder, "repository");
  if (!existsSync(root)) return undefined;
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = async (path: string) =>
    [relative(root, path).split(sep).join("/"), await readFile(path, "utf8")] as const;
  return Object.fromEntries(await Promise.all(paths.sort().map(read)));
}
