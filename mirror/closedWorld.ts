// The last look at what a cluster would run: every string of every object, read word by word. It shares nothing with the
// way in which images are found to be moved, so that what one overlooks the other sees.
import { isMap } from "../net/values.ts";
import { isFilledIn } from "./imageFields.ts";
import { formatPath, type Path, type YamlMap } from "./tree.ts";

/** An image that comes from elsewhere. */
export interface StrangeImage {
  /** Keys and indexes joined as people write them. */
  readonly field: string;
  readonly image: string;
}

/** Keys whose texts are for people. */
const FOR_PEOPLE = new Set(["description", "example", "examples", "pattern", "message", "summary", "runbook_url"]);

const DIGEST = /^(.+)@sha256:[0-9a-f]{64}$/;
const TAGGED = /^(.+):(\w[\w.-]*)$/;
const HOST = /^(([a-z0-9-]+\.)+[a-z]{2,}(:\d+)?|(?=[^:]*[a-z.])[a-z0-9.-]+:\d{2,5})$/;
const COMPONENT = /^[a-z0-9]+([._-]+[a-z0-9]+)*$/;
const WORD = /^[a-z0-9][\w./:@-]*$/i;

/**
 * The images in an object that do not come from a registry.
 * @param isOwn whether a host is that registry.
 */
export function strangeImages(body: YamlMap, isOwn: (host: string) => boolean): StrangeImage[] {
  const found: StrangeImage[] = [];
  const isSchema = body.kind === "CustomResourceDefinition";
  const look = (node: unknown, path: Path): void => {
    if (Array.isArray(node)) for (const [index, item] of node.entries()) look(item, [...path, index]);
    else if (isMap(node)) {
      for (const [key, value] of Object.entries(node)) {
        if ((isSchema && FOR_PEOPLE.has(key)) || (path.at(-1) === "metadata" && key === "annotations")) continue;
        look(value, [...path, key]);
      }
    } else if (typeof node === "string") {
      if (isContainerImage(path)) {
        const host = isFilledIn(body, node, path) ? undefined : hostOfContainer(node);
        if (host !== undefined && !isOwn(host)) found.push({ field: formatPath(path), image: node });
        return;
      }
      for (const word of node.split(/[\s"'`,;|=<>()[\]{}\\]+/)) {
        const image = word.replace(/[.:]+$/, "");
        const host = hostOf(image);
        if (host !== undefined && !isOwn(host)) found.push({ field: formatPath(path), image });
      }
    }
  };
  look(body, []);
  return found;
}

function isContainerImage(path: Path): boolean {
  return path.at(-1) === "image" && typeof path.at(-2) === "number" && /^(c|\w+C)ontainers$/.test(String(path.at(-3)));
}

/** Where a container's image comes from; undefined for what is no image's name. */
function hostOfContainer(image: string): string | undefined {
  const [first = "", ...rest] = image.split("/");
  if (!WORD.test(image)) return undefined;
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}

/** The host of a word that names an image with host and tag or digest. */
function hostOf(word: string): string | undefined {
  const name = DIGEST.exec(word)?.[1] ?? TAGGED.exec(word)?.[1];
  const bare = name === undefined ? undefined : TAGGED.exec(name)?.[1]?.includes("/") ? TAGGED.exec(name)?.[1] : name;
  const [host = "", ...path] = bare?.split("/") ?? [];
  return HOST.test(host) && path.length > 0 && path.every((part) => COMPONENT.test(part)) ? host : undefined;
}
