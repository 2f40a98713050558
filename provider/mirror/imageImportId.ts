// Import ids of images (`pulumi import`): `<registry's ARM id>/images/<repository>:<tag>` or `...@<digest>`.

import type { Context } from "../../plugin/handler.ts";
import { type Cloud, loginServerOf, look, registryUntil } from "../azure/cloud.ts";
import { REPOSITORY } from "./forms.ts";
import type { ImageTarget } from "./importer.ts";

const ID = new RegExp(
  `^(/subscriptions/[^?#]+/registries/[^/]+)/images/(${REPOSITORY})(?::(\\w[\\w.-]{0,127}))?(?:@(sha256:[a-f0-9]{64}))?(?:\\?source=(.+))?$`,
  "i",
);

/** The image and where it is, without what the registry does not tell. */
type Found = Pick<ImageTarget, "registryId" | "loginServer" | "source" | "digest" | "repository" | "tag">;

/**
 * The image that an import id names, as it stands in the registry. The source is `<repository>:<tag>`, since mirrored
 * repositories are named after their source; another one is added as `?source=<host>/<repository>:<tag>`.
 * @returns undefined when the registry does not hold it.
 * @throws Error when the id has another form, or names only a tag and the registry cannot be looked into from here.
 */
export async function findImage(cloud: Cloud, id: string, context: Context): Promise<Found | undefined> {
  const [, registryId, repository, tag, digest, source] = ID.exec(id) ?? [];
  const reference = tag ?? digest;
  if (registryId === undefined || repository === undefined || reference === undefined) {
    throw new Error(`"${id}" is not <ARM id of the registry>/images/<repository>:<tag>, nor ...@<digest>`);
  }
  const loginServer = await loginServerOf(cloud, registryId, context);
  if (loginServer === undefined) return undefined;
  const found = await look(registryUntil(cloud, loginServer, context.signal), repository, reference);
  if ("closed" in found && digest === undefined) {
    throw new Error(
      `the digest of ${repository}:${tag} cannot be read: ${found.closed.message}. Add it to the id: ...@<digest>`,
    );
  }
  const actual = "closed" in found ? digest : found.digest;
  if (actual === undefined) return undefined;
  const name = source ?? `${repository}${tag === undefined ? `@${actual}` : `:${tag}`}`;
  return { registryId, loginServer, source: name, digest: actual, repository, ...(tag === undefined ? {} : { tag }) };
}
