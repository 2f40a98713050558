// A preview's word on images of other registries in people's own files, which nobody mirrors by himself.
import * as pulumi from "@pulumi/pulumi";
import { fullName } from "../../mirror/foreignImages.ts";
import type { ImageRule, LockedImage } from "../../mirror/lock.ts";
import { nameOf, parseReference } from "../../mirror/reference.ts";
import {
  type ForeignImage,
  type GetForeignImagesResult,
  getForeignImages,
} from "../../provider/sdk/getForeignImages.ts";
import type { GitAccessArgs } from "../../provider/sdk/gitCommit.ts";
import type { Artifact } from "../repository/artifact.ts";
import { type Kustomization, kustomizationsOf } from "../repository/kustomizations.ts";
import { clusterFolder, GIT_REPOSITORY, infrastructureFolder } from "../repository/names.ts";
import { folderOf } from "../repository/order.ts";
import type { ContentArgs } from "./contentArgs.ts";

/** Where people's files are, and what is known of images. */
export interface PeopleImagesArgs
  extends Pick<ContentArgs, "stack" | "path" | "kustomizations" | "sources" | "demo" | "lock"> {
  /** The repository's address, when it is there. */
  readonly url: pulumi.Input<string>;
  readonly branch: string;
  readonly access?: GitAccessArgs | undefined;
  /** What the cluster reads in place of the repository, whose files it holds. @default none */
  readonly artifact?: Artifact | undefined;
  /** Folders that the extension's further configurations apply. @default none */
  readonly configurations?: readonly { readonly path: string }[] | undefined;
  /** Images that may come from elsewhere. @default none */
  readonly acceptForeign?: readonly ImageRule[] | undefined;
}

/**
 * Warns in a preview of images of other registries in the files that Flux applies for people. The look waits for nothing
 * and nothing waits for it; where the repository cannot be read, the update says so.
 * @param at what the warning is told at.
 */
export function warnOfPeopleImages(args: PeopleImagesArgs, at: pulumi.Resource): void {
  if (!pulumi.runtime.isDryRun()) return;
  const { url, access, branch, lock } = args;
  // Nothing is looked at while the repository is yet to be made.
  pulumi.all([url, access]).apply(async ([known, signIn]) => {
    try {
      const given = { url: known, branch, ...(signIn && { access: signIn as GitAccessArgs }), ...lookedFor(args) };
      const found = await getForeignImages(given, { parent: at });
      for (const text of [foreignText(found, lock.images), unreadText(found)])
        if (text !== undefined) await pulumi.log.warn(text, at);
    } catch (error) {
      await pulumi.log.debug(`images in people's files were not looked at: ${(error as Error).message}`, at);
    }
  });
}

/** What is looked for, and where: in all that people's Kustomizations apply of the repository. */
export function lookedFor({
  stack,
  path = clusterFolder(stack),
  kustomizations,
  configurations = [],
  sources = [],
  artifact,
  demo,
  acceptForeign = [],
}: Omit<PeopleImagesArgs, "url" | "branch" | "access" | "lock">) {
  const applied = kustomizationsOf({ stack, kustomizations }).filter(({ suspend }) => !suspend);
  const own = applied.filter(({ source }) => source === undefined);
  return {
    folders: [...own, ...configurations].map((one) => folderOf(one.path)),
    // What the program writes there is of its lock.
    without: [path, infrastructureFolder(stack)],
    otherSources: sources.map(({ name }) => name),
    ...(artifact && { artifact: GIT_REPOSITORY }),
    replaced: applied.flatMap(replacedIn),
    pinned: applied.flatMap(({ images = [] }) =>
      images.flatMap(({ name, mirrored, digest }) => ((mirrored ?? digest) === undefined ? [] : [name])),
    ),
    accepted: [...acceptForeign.map(({ image }) => image), ...(demo ? [demo.image] : [])],
  };
}

/** The names in whose place a Kustomization of the settings puts the registry's. */
const replacedIn = ({ images = [] }: Kustomization): string[] =>
  images
    .filter(
      ({ mirrored, newName = "" }) => mirrored !== undefined || /^(\{registry\}|[\w-]+\.azurecr\.\w+)\//.test(newName),
    )
    .map(({ name }) => name);

/** The warning; undefined where no image comes from elsewhere. */
export function foreignText(
  { images, more }: Pick<GetForeignImagesResult, "images" | "more">,
  locked: readonly Pick<LockedImage, "source" | "repository">[],
): string | undefined {
  if (images.length === 0) return undefined;
  const lines = images.flatMap((found) => {
    const { file, object, field, image } = found;
    return [`${file}: ${object}, ${field}: ${image}`, `  ${remedyOf(found, locked)}`];
  });
  const rest = more === 0 ? [] : [`and ${more} more: \`npm run mirror -- check FOLDER\` in a checkout names all`];
  const head =
    "people's files in the repository name images that do not come from the registry. An image that shall is mirrored and " +
    "put in its place; another one is accepted by aks-gitops:acceptForeign:";
  return [head, ...lines, ...rest].join("\n  ");
}

/** The warning of tags that are written in vain; undefined where none are. */
export function unreadText({ unread }: Pick<GetForeignImagesResult, "unread">): string | undefined {
  if (unread.length === 0) return undefined;
  return (
    `image automation writes tags in ${unread.join(", ")} that nobody runs: flux.kustomizations pins the image's digest, ` +
    'which wins over every tag. Write newName: "{registry}/<image>" alone in the place of mirrored, and the files say the tag'
  );
}

/** The line of the settings, or of the file, that mends it. */
function remedyOf(
  { image, field }: ForeignImage,
  locked: readonly Pick<LockedImage, "source" | "repository">[],
): string {
  const whole = fullName(image);
  const found = locked.find(({ source }) => source === whole);
  const reference = parseReference(image);
  const target = `{registry}/${found?.repository ?? (reference ? nameOf(reference) : image)}`;
  const name = image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  const mirrored = found === undefined ? `aks-gitops:images: [${whole}], and ` : "";
  // kustomize reaches no others.
  return /(^|\.)(c|initC)ontainers\[\d+\]\.image$/.test(field)
    ? `${mirrored}images of its Kustomization: [{ name: ${name}, newName: "${target}" }]`
    : `${mirrored}in the file: ${target.replace("{registry}", "<login server>")}`;
}
