// Forms of what the OCI distribution specification gives names to, as resources' inputs.

import { type Properties, UNKNOWN } from "../../plugin/handler.ts";
import { matching, someText } from "../../plugin/schema.ts";

export const digest = matching(/^sha256:[a-f0-9]{64}$/, "a digest: sha256:<64 hex digits in lower case>");

const REPOSITORY_PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";

/** The grammar of a repository's name. */
export const REPOSITORY = `${REPOSITORY_PART}(?:/${REPOSITORY_PART})*`;

export const repository = matching(
  new RegExp(`^${REPOSITORY}$`),
  "a repository: parts in lower case between slashes, without tag and digest, such as ghcr.io/kubereboot/kured",
);

export const tag = matching(/^\w[\w.-]{0,127}$/, "a tag: up to 128 letters, digits, dots, dashes and underscores");

export const registryCreated = someText
  .describe(
    "When the target registry was made, as Azure tells it. Another time is another registry, though of the same name: what " +
      "it holds is looked at again. Default: the registry counts as the same.",
  )
  .exactOptional();

/**
 * A preview's inputs for a comparison: a registry that is only changed does not tell when it was made, and one that is made
 * anew has no id yet either.
 */
export function comparable<I extends { readonly registryCreated?: unknown }>(old: Properties, next: I): I {
  return next.registryCreated === UNKNOWN ? { ...next, registryCreated: old.registryCreated } : next;
}
