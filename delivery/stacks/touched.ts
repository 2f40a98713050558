// Which stacks a change touches, by the paths of the files that it changes.

/** Folders of the project that no stack is made of: their change gives no other stack. */
export const BESIDE_THE_PROGRAM: readonly string[] = [
  ".ci",
  ".github",
  "azure-pipelines",
  "benchmarks",
  "deployments",
  "docs",
  "examples",
  "recovery",
  "rehearsal",
  "schema",
  "tests",
];

/** Texts, and what tells editors and linters how to behave. */
const BESIDE =
  /\.md$|^(LICENSE|biome\.json|tsconfig\.build\.json|\.(dependency-cruiser|mocharc)\.json)$|^\.(editorconfig|gitignore)$/;

/** A file of one stack alone; undefined where a file is none. */
function ownerOf(path: string): string | undefined {
  return /^(?:Pulumi\.(.+)\.yaml|mirror\.(.+)\.lock\.json)$/.exec(path)?.slice(1).find(Boolean);
}

const isBeside = (path: string) =>
  BESIDE.test(path) || BESIDE_THE_PROGRAM.some((folder) => path.startsWith(`${folder}/`));

/**
 * The stacks that a change touches, each with the first path that does it, in the order in which they were given. A file
 * of one stack touches that one; every other file is the program's, and so all stacks', but for those beside it.
 * @param changed paths below the project's folder.
 */
export function touched(changed: readonly string[], stacks: readonly string[]): ReadonlyMap<string, string> {
  const program = changed.find((path) => ownerOf(path) === undefined && !isBeside(path));
  const found = stacks.flatMap((stack): [string, string][] => {
    const path = changed.find((each) => ownerOf(each) === stack) ?? program;
    return path === undefined ? [] : [[stack, path]];
  });
  return new Map(found);
}
