// ImageImport: an image in an Azure container registry, imported by ARM on the server's side, by digest.
// Rules and words of importImage: https://learn.microsoft.com/azure/container-registry/container-registry-import-images

import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { type CheckFailure, type Context, type Diff, UNKNOWN } from "../../plugin/handler.ts";
import {
  changes,
  flag,
  handlerOf,
  type Inputs,
  type Kept,
  type Known,
  type Previewed,
  resourceSchema,
  type SchemaHandler,
  type State,
} from "../../plugin/schema.ts";
import { azure, type Cloud, look, registryUntil } from "../azure/cloud.ts";
import { loginServer, registryId } from "../azure/forms.ts";
import * as forms from "./forms.ts";
import { findImage } from "./imageImportId.ts";
import { Importer, type ImporterOptions } from "./importer.ts";

const SOURCE = new RegExp(
  `^([a-z0-9-]+(?:\\.[a-z0-9-]+)+(?::\\d+)?|localhost(?::\\d+)?)/(${forms.REPOSITORY})(?::\\w[\\w.-]{0,127})?(?:@(sha256:[a-f0-9]{64}))?$`,
);

/** The schema of `gitops:index:ImageImport`. */
export const IMAGE_IMPORT = resourceSchema({
  token: "gitops:index:ImageImport",
  description:
    "An image in an Azure container registry, imported by Azure itself. Where the registry already holds the digest " +
    "nothing is done. Deleting it removes nothing from the registry, since pods or other stacks may use the image.\n\n" +
    "Imported into a stack by `<registry's ARM id>/images/<repository>:<tag>` (or `@<digest>`); with " +
    "`?source=<image>` where the repository is not named after its source.",
  inputs: {
    registryId: registryId
      .describe("The target registry's ARM id. Another one makes another import.")
      .meta({ replaceOnChanges: true }),
    loginServer: loginServer.describe("The target registry's login server: `<name>.azurecr.io`."),
    registryCreated: forms.registryCreated,
    source: z
      .string()
      .refine((value) => sourceFault(value) === undefined)
      .describe("The image with its registry's host and a tag or digest: `ghcr.io/kubereboot/kured:1.23.0`.")
      .meta({ fault: (value) => sourceFault(value) ?? "" }),
    digest: forms.digest.describe(
      "`sha256:<hex>` of the manifest, or of the index where there are several platforms; this is what is imported.",
    ),
    repository: forms.repository
      .describe(
        "The repository in the target: `<source host>/<full repository>` by convention. Another one makes another import.",
      )
      .meta({ replaceOnChanges: true }),
    tag: forms.tag
      .describe(
        "The tag in the target. Another one makes another import. Default: none: the image is there by its digest.",
      )
      .meta({ replaceOnChanges: true })
      .exactOptional(),
    allowMovedTag: flag
      .describe("Whether a tag that holds another digest is replaced; else that is an error. Default: false.")
      .exactOptional(),
    sourceRegistryId: forms.sourceRegistryId,
    sourceRepository: forms.sourceRepository,
    credentials: forms.credentials,
    publicKey: forms.publicKey,
    attached: forms.attached,
  },
  outputs: {
    reference: z.string().describe("`<login server>/<repository>@<digest>`, what a pod can run."),
  },
});

export type ImageImportInputs = Inputs<typeof IMAGE_IMPORT>;
type ImageImportState = State<typeof IMAGE_IMPORT>;

/** The handler of `gitops:index:ImageImport` in a cloud. */
export function imageImportIn(cloud: Cloud, options?: ImporterOptions): SchemaHandler {
  const importer = new Importer(cloud, options);
  return handlerOf(IMAGE_IMPORT, {
    rules: digestFaults,
    diff,
    preview: async (inputs) => ({ ...inputs, reference: referenceOf(inputs) }),
    async create(inputs, context) {
      await importer.ensure(inputs, inputs.allowMovedTag ?? false, context);
      return { id: idOf(inputs), state: stateOf(inputs) };
    },
    async update(existing, inputs, context) {
      // Another source of the same bytes needs no import.
      const decides = ({ digest, registryCreated, publicKey, attached }: ImageImportInputs) => [
        digest,
        registryCreated,
        publicKey,
        attached,
      ];
      if (!isDeepStrictEqual(decides(existing.inputs), decides(inputs)))
        await importer.ensure(inputs, inputs.allowMovedTag ?? false, context);
      return stateOf(inputs);
    },
    async read(id, known, context) {
      if (known !== undefined) return refresh(cloud, known, context);
      const found = await findImage(cloud, id, context);
      return found && { id: idOf(found), inputs: found, state: stateOf(found) };
    },
    // Nothing is removed from the registry: pods that run, or other stacks, may need the image.
    async delete() {},
  });
}

/** The handler of `gitops:index:ImageImport`. */
export const imageImport = imageImportIn(azure);

async function diff(
  { inputs: old }: Known<ImageImportInputs, ImageImportState>,
  next: Previewed<ImageImportInputs>,
): Promise<Diff> {
  const found = changes(IMAGE_IMPORT, old, forms.comparable(old, next));
  // Without a tag the digest is the image's name.
  const isAnother = next.tag === undefined && old.digest !== next.digest;
  return { ...found, replaces: [...(isAnother ? ["digest"] : []), ...found.replaces] };
}

async function refresh(cloud: Cloud, { id, inputs }: Known<ImageImportInputs, ImageImportState>, context: Context) {
  const { loginServer, repository, tag, digest } = inputs;
  const found = await look(registryUntil(cloud, loginServer, context.signal), repository, tag ?? digest);
  if ("closed" in found) {
    context.log("info", `not compared with the registry: ${found.closed.message}`);
    return { id, inputs, state: stateOf(inputs) };
  }
  if (found.digest === undefined) return undefined;
  const actual = { ...inputs, digest: found.digest };
  return { id, inputs: actual, state: stateOf(actual) };
}

function stateOf(inputs: ImageImportInputs): Kept<ImageImportState> {
  return { ...forms.kept(inputs), reference: `${inputs.loginServer}/${inputs.repository}@${inputs.digest}` };
}

function referenceOf({ loginServer, repository, digest }: Previewed<ImageImportInputs>) {
  const isKnown = loginServer !== UNKNOWN && repository !== UNKNOWN && digest !== UNKNOWN;
  return isKnown ? `${loginServer}/${repository}@${digest}` : UNKNOWN;
}

/** `<registry's ARM id>/images/<repository>:<tag>`, or `...@<digest>` for an image without a tag. */
function idOf({ registryId, repository, tag, digest }: ImageImportInputs): string {
  return `${registryId}/images/${repository}${tag === undefined ? `@${digest}` : `:${tag}`}`;
}

function sourceFault(value: unknown): string | undefined {
  const [, host, repository, digest] = (typeof value === "string" && SOURCE.exec(value)) || [];
  if (host === undefined || repository === undefined) {
    return `${JSON.stringify(value)} is not an image with its registry's host: ghcr.io/kubereboot/kured:1.23.0`;
  }
  if (digest !== undefined && /:[\w.-]+@/.test(String(value).slice(host.length))) {
    return `"${value}" has a tag and a digest, which ACR refuses: leave the digest to the property digest`;
  }
  if (host === "docker.io" && !repository.includes("/")) {
    return `"${value}" lacks the namespace of Docker's official images: write docker.io/library/${repository}`;
  }
  return undefined;
}

function digestFaults({ source, digest }: Previewed<ImageImportInputs>): CheckFailure[] {
  if (source === UNKNOWN || digest === UNKNOWN) return [];
  const own = source.split("@")[1];
  if (own === undefined || own === digest) return [];
  return [{ property: "digest", reason: `"${digest}" is not the digest in the source "${source}": give the same` }];
}
