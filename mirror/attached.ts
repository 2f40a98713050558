// What belongs to an image or chart beside its own manifests: signatures, attestations, bills of materials.

import { cosignTag } from "../net/registry/signature.ts";
import type { Registry } from "./chartLookup.ts";
import type { AttachedManifest } from "./lock.ts";

/** What cosign keeps under tags that are made of a digest. */
const KINDS = ["sig", "att", "sbom"];

/** What refers to what refers to a manifest is looked for so far: a signature of a bill of materials, and no more. */
const DEPTH = 2;

/** More than this nobody attaches by hand; a registry that lists more has another use of it. */
const MOST = 100;

/**
 * Finds what belongs to a manifest: under cosign's tags, and what refers to it or to what belongs to it.
 * @returns in the order of tags and digests.
 * @throws RegistryError
 */
export async function findAttached(
  registry: Registry,
  repository: string,
  digest: string,
): Promise<AttachedManifest[]> {
  const tags = KINDS.map((kind) => cosignTag(digest, kind));
  const [tagged, referring] = await Promise.all([
    Promise.all(tags.map(async (tag) => ({ tag, found: await registry.head(repository, tag) }))),
    referrersOf(registry, repository, digest),
  ]);
  const byTag = tagged.flatMap(({ tag, found }) => (found === undefined ? [] : [{ digest: found.digest, tag }]));
  const known = new Set(byTag.map((one) => one.digest));
  const byDigest = [...referring].filter((one) => !known.has(one)).sort();
  return [...byTag, ...byDigest.map((one) => ({ digest: one }))];
}

async function referrersOf(registry: Registry, repository: string, digest: string): Promise<Set<string>> {
  const found = new Set<string>();
  let subjects = [digest];
  for (let depth = 0; depth < DEPTH && subjects.length > 0; depth++) {
    const lists = await Promise.all(subjects.map((subject) => registry.referrers(repository, subject)));
    subjects = [...new Set(lists.flat().map((one) => one.digest))].filter((one) => !found.has(one) && one !== digest);
    for (const one of subjects) found.add(one);
    if (found.size > MOST)
      throw new Error(
        `${repository}@${digest} has more than ${MOST} signatures, attestations and bills of materials: pin another one`,
      );
  }
  return found;
}
