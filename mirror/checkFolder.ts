// `npm run mirror -- check FOLDER`: whether people's own files of a GitOps repository name images of other registries.
import { glob, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { type FileObject, fileObjects, foreignImages, fullName } from "./foreignImages.ts";

export const CHECK_USAGE = `npm run mirror -- check <folder> [--registry HOST]... [--ignore IMAGE]...
  --registry  a registry that images may come from; default: any Azure container registry
  --ignore    an image that may come from elsewhere, of all tags or with one
  The exit status is 1 where an image comes from elsewhere.`;

/**
 * Checks a folder.
 * @returns what to print, and whether everything comes from the registry.
 */
export async function checkFolder(args: readonly string[]): Promise<{ text: string; isWhole: boolean }> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      registry: { type: "string", multiple: true, default: [] },
      ignore: { type: "string", multiple: true, default: [] },
    },
  });
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new Error(`Name one folder.\n${CHECK_USAGE}`);
  const found = foreignImages(await objectsIn(folder), { registries: values.registry, ignored: values.ignore });
  const lines = found.map(({ file, object, field, image }) => {
    return `${file}: ${object}, ${field}: ${image}\n  mirror it: aks-gitops:images: [${fullName(image)}]`;
  });
  const count = `${found.length === 0 ? "no image" : `${found.length} image${found.length === 1 ? "" : "s"}`} from elsewhere`;
  return { text: `${[...lines, `${folder}: ${count}`].join("\n")}\n`, isWhole: found.length === 0 };
}

/** The objects of all YAML files of a folder; files are relative to it. @throws Error when it cannot be read. */
async function objectsIn(folder: string): Promise<FileObject[]> {
  const files: string[] = [];
  for await (const file of glob("**/*.{yaml,yml}", { cwd: folder })) files.push(file);
  const found: FileObject[] = [];
  for (const file of files.sort())
    found.push(...fileObjects(relative(".", file), await readFile(join(folder, file), "utf8")));
  return found;
}
