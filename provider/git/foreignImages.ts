// getForeignImages: which images of other registries people's own files of the GitOps repository name, for a preview to tell.

import { setImmediate as nextTurn } from "node:timers/promises";
import * as z from "zod";
import { type FileObject, fileObjects, foreignImages, mayNameForeign, replacedIn } from "../../mirror/foreignImages.ts";
import { isMap } from "../../net/values.ts";
import { functionOf, type Inputs, resourceSchema, type SchemaFunction } from "../../plugin/schema.ts";
import { KEY_IN_USE } from "../secret/keyInUse.ts";
import { folderApplied, walkApplied } from "./applied.ts";
import { type BranchFiles, readBranch } from "./branch.ts";

/** How long a look may take, in milliseconds: nobody waits longer for a warning. */
const PATIENCE = 10_000;
/** More images are not named one by one. */
const MOST_NAMED = 10;
/** A larger file, in characters, holds data or definitions, not workloads. */
const LARGEST_FILE = 512_000;
/** What an image's name is long at most; nothing else is told. */
const LONGEST_NAME = 300;

const texts = (what: string, about: string) =>
  z
    .array(z.string())
    .describe(about)
    .meta({ fault: `is not a list of ${what}` });

/** The schema of `gitops:index:getForeignImages`. */
export const GET_FOREIGN_IMAGES = resourceSchema({
  token: "gitops:index:getForeignImages",
  description:
    "Looks through people's own files of a GitOps repository, those that Flux applies, for images that do not come from " +
    "an Azure container registry. It reads and changes nothing, and looks for 10 seconds at most. Secrets and encrypted " +
    "files are not looked into.",
  inputs: {
    url: KEY_IN_USE.inputs.shape.url,
    access: KEY_IN_USE.inputs.shape.access,
    branch: KEY_IN_USE.inputs.shape.branch,
    folders: texts("folders", "The folders that Flux applies, from the repository's root."),
    without: texts("paths", "Files and folders that are somebody else's to look at. Default: none.").exactOptional(),
    otherSources: texts(
      "names",
      "Names of sources that are no branch of this repository. Default: none.",
    ).exactOptional(),
    artifact: z
      .string()
      .describe(
        "The OCIRepository that holds the repository's files. Default: none, they are read from the branch alone.",
      )
      .exactOptional(),
    replaced: texts(
      "names",
      "Names of images, as the files have them, in whose place something outside of the files puts the registry's. Default: none.",
    ).exactOptional(),
    pinned: texts(
      "names",
      "Names of images, as the files have them, whose digest something outside of the files pins. Default: none.",
    ).exactOptional(),
    accepted: texts(
      "images",
      "Images that may come from elsewhere, of all tags or with one. Default: none.",
    ).exactOptional(),
  },
  outputs: {
    images: z
      .array(
        z
          .strictObject({
            file: z.string().describe("The file, from the repository's root."),
            object: z.string().describe("The object's kind and name."),
            field: z.string().describe("The field of the object."),
            image: z.string().describe("The image as it stands there."),
          })
          .describe("An image that comes from elsewhere, and where it stands.")
          .meta({ id: "ForeignImage" }),
      )
      .describe(`The first ${MOST_NAMED} of them.`),
    more: z.number().describe("How many there are beside those."),
    unread: z
      .array(z.string())
      .describe(
        "Files in which Flux's image automation writes the tag of an image that is pinned, so that nobody ever runs it.",
      ),
  },
});

type Wanted = Inputs<typeof GET_FOREIGN_IMAGES>;

/**
 * The images in what Flux applies of a branch.
 * @throws AbortError when the signal ends it.
 */
export async function foreignOnBranch(
  branch: BranchFiles,
  {
    folders,
    without = [],
    otherSources = [],
    artifact,
    replaced = [],
    pinned = [],
    accepted = [],
  }: Omit<Wanted, "url" | "branch" | "access">,
  signal: AbortSignal,
) {
  const objects: FileObject[] = [];
  const waiting: [path: string, text: string][] = [];
  const isOthers = (path: string) => without.some((one) => path === one || path.startsWith(`${one}/`));
  const read = { paths: branch.paths.filter((path) => !isOthers(path)), texts: branch.texts.bind(branch) };
  const take = (path: string, text: string) => {
    waiting.push([path, text]);
  };
  await walkApplied(read, folders, {
    without,
    kustomization: take,
    file: (path, text) => {
      take(path, text);
      if (!text.includes("kustomize.toolkit.fluxcd.io")) return [];
      return objectsOf(path, text).flatMap(({ body }) => folderApplied(body, { otherSources, artifact }) ?? []);
    },
  });
  // YAML takes longer to read than all else, so what puts images in the place of others is read first.
  const [first, second] = [waiting.filter(isReplacing), waiting.filter((one) => !isReplacing(one))];
  for (const [path, text] of first) objects.push(...objectsOf(path, text));
  const names = new Set([...replaced, ...replacedIn(objects)]);
  for (const [path, text] of second) {
    // The plugin has other things to do meanwhile.
    await nextTurn(undefined, { signal });
    if (mayNameForeign(text, names)) objects.push(...objectsOf(path, text));
  }
  const found = foreignImages(objects.filter(isOpen), { ignored: accepted, replaced }).filter(
    ({ image }) => image.length <= LONGEST_NAME,
  );
  const images = found.slice(0, MOST_NAMED);
  const marked = waiting.filter(([, text]) => namesMarked(text).some((name) => pinned.includes(name)));
  return { images, more: found.length - images.length, unread: marked.slice(0, MOST_NAMED).map(([path]) => path) };
}

/** The names of images whose tags image automation writes in a text (https://fluxcd.io/flux/guides/image-update/). */
function namesMarked(text: string): string[] {
  if (!text.includes('{"$imagepolicy"')) return [];
  const whole = [
    ...text.matchAll(/^[ \t-]*image: *["']?([^\s"'@]+?)(?::[\w.-]+)?(?:@\S+)?["']? +# *\{"\$imagepolicy"/gm),
  ];
  // In a kustomization.yaml the entry's own name is what the files say, and its new one what is left to be pinned.
  const entries = /newTag: *\S+ +# *\{"\$imagepolicy"/.test(text)
    ? [...text.matchAll(/^[ \t-]*(?:name|newName): *["']?([^\s"']+)/gm)]
    : [];
  return [...whole, ...entries].map(([, name = ""]) => name);
}

/** Whether a file puts images in the place of others: kustomize's `images`, wherever they stand. */
const isReplacing = ([, text]: readonly [path: string, text: string]): boolean => /images["']?\s*:/.test(text);

const DEFINITION = /^kind: *["']?CustomResourceDefinition\b/m;

/** The objects of a file, but for definitions. */
function objectsOf(path: string, text: string): FileObject[] {
  const documents = text.length > LARGEST_FILE ? [] : text.split(/^---(?=\s|$)/m);
  return documents.filter((one) => !DEFINITION.test(one)).flatMap((one) => fileObjects(path, one));
}

/** Whether an object is no secret. */
const isOpen = ({ body }: FileObject): boolean => body.kind !== "Secret" && !isMap(body.sops);

/** The function `gitops:index:getForeignImages`. */
export const getForeignImages: SchemaFunction = functionOf(
  GET_FOREIGN_IMAGES,
  async ({ url, branch, access, ...wanted }) => {
    const signal = AbortSignal.timeout(PATIENCE);
    return readBranch({ url, branch, access }, signal, (files) => foreignOnBranch(files, wanted, signal));
  },
);
