// Forms of what the OCI distribution specification gives names to, as resources' inputs.

import * as z from "zod";
import { parsePublicKey } from "../../net/registry/signature.ts";
import { type Properties, Secret, UNKNOWN } from "../../plugin/handler.ts";
import { type Kept, matching, someText } from "../../plugin/schema.ts";
import { registryId } from "../azure/forms.ts";

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

export const sourceRegistryId = registryId
  .describe(
    "The ARM id of the Azure registry to import from; whoever runs this needs the right to pull there. Default: the registry " +
      "of the source's host.",
  )
  .exactOptional();

export const sourceRepository = repository
  .describe("The repository in the registry to import from. Default: that of the source.")
  .exactOptional();

export const credentials = z
  .strictObject({
    username: z.string({ error: "has no username that is a text" }).describe("The user, or what a token wants here."),
    password: z
      .string({ error: "has no password that is a text" })
      .describe("Give it as a secret, then it is encrypted in the state."),
  })
  .meta({ id: "SourceCredentials", description: "What signs in at a registry." })
  .describe("What signs in at the source's registry. Default: nobody signs in.")
  .meta({ secret: true })
  .exactOptional();

export const publicKey = z
  .string()
  .refine((value) => parsePublicKey(value) !== undefined)
  .describe(
    "A public key in PEM, as `cosign generate-key-pair` writes it: what is not signed by its private half is not imported. " +
      "The source has to be reachable from here. Default: signatures are not looked at.",
  )
  // It may be a private key by mistake.
  .meta({ hidden: true, fault: "is no public key in PEM: -----BEGIN PUBLIC KEY-----" })
  .exactOptional();

const attachedFault =
  "must be a list of what belongs to it, each with a digest and maybe a tag: signatures, attestations, bills of materials";

export const attached = z
  .array(
    z
      .strictObject({
        digest: digest.describe("`sha256:<hex>` of its manifest."),
        tag: tag.describe("Its tag, which is replaced where it has moved. Default: none.").exactOptional(),
      })
      .meta({ id: "Attached", description: "What belongs to an image or chart, by its manifest." }),
  )
  .describe(
    "What belongs to it and comes along into the same repository: signatures and attestations by their tags, and what refers " +
      "to its digest. Default: nothing.",
  )
  .meta({ fault: () => attachedFault })
  .exactOptional();

/** Inputs as a state keeps them. */
export function kept<I extends { readonly credentials?: unknown }>(inputs: I): Kept<I> {
  return inputs.credentials === undefined ? inputs : { ...inputs, credentials: new Secret(inputs.credentials) };
}

/**
 * A preview's inputs for a comparison: a registry that is only changed does not tell when it was made, and one that is made
 * anew has no id yet either.
 */
export function comparable<I extends { readonly registryCreated?: unknown }>(old: Properties, next: I): I {
  return next.registryCreated === UNKNOWN ? { ...next, registryCreated: old.registryCreated } : next;
}
