// ImageImport: an image in an Azure container registry, imported by ARM on the server's side, by digest.
// Rules and words of importImage: https://learn.microsoft.com/azure/container-registry/container-registry-import-images

import type { CheckFailure, Context, Diff, Existing, Properties, ResourceHandler } from "../../plugin/handler.ts";
import { UNKNOWN } from "../../plugin/handler.ts";
import {
  armIdOf,
  checkForm,
  type Form,
  isBoolean,
  isDigest,
  isLoginServer,
  isRepository,
  isTag,
  REPOSITORY,
} from "../../plugin/inputs.ts";
import { azure, type Cloud, look } from "../azure/cloud.ts";
import { findImage } from "./imageImportId.ts";
import { type ImageTarget, Importer } from "./importer.ts";

export interface ImageImportInputs extends ImageTarget {
  readonly allowMovedTag?: boolean;
}

const SOURCE = new RegExp(
  `^([a-z0-9-]+(?:\\.[a-z0-9-]+)+(?::\\d+)?|localhost(?::\\d+)?)/(${REPOSITORY})(?::\\w[\\w.-]{0,127})?(?:@(sha256:[a-f0-9]{64}))?$`,
);

const FORM: Form = {
  required: {
    registryId: armIdOf("Microsoft.ContainerRegistry/registries"),
    loginServer: isLoginServer,
    source: sourceFault,
    digest: isDigest,
    repository: isRepository,
  },
  optional: { tag: isTag, allowMovedTag: isBoolean },
};

/** The handler of `gitops:index:ImageImport` in a cloud. */
export function imageImportIn(cloud: Cloud): ResourceHandler {
  const importer = new Importer(cloud);
  return {
    async check(inputs) {
      const failures = checkForm(inputs, FORM);
      return { inputs, failures: failures.length > 0 ? failures : digestFault(inputs) };
    },
    diff,
    preview: async (inputs) => outputs(inputs),
    async create(properties, context) {
      const inputs = properties as unknown as ImageImportInputs;
      await importer.ensure(inputs, inputs.allowMovedTag ?? false, context);
      return { id: idOf(inputs), state: outputs(properties) };
    },
    async update(existing, properties, context) {
      const inputs = properties as unknown as ImageImportInputs;
      // Another source of the same bytes needs no import.
      if (existing.inputs.digest !== inputs.digest)
        await importer.ensure(inputs, inputs.allowMovedTag ?? false, context);
      return outputs(properties);
    },
    async read(id, inputs, _state, context) {
      if (Object.keys(inputs).length === 0) {
        const found = await findImage(cloud, id, context);
        return found && { id: idOf(found), inputs: { ...found }, state: outputs({ ...found }) };
      }
      return refresh(cloud, id, inputs, context);
    },
    // Nothing is removed from the registry: pods that run, or other stacks, may need the image.
    async delete() {},
  };
}

/** The handler of `gitops:index:ImageImport`. */
export const imageImport: ResourceHandler = imageImportIn(azure);

async function diff({ inputs: old }: Existing, next: Properties): Promise<Diff> {
  const changed = Object.keys({ ...old, ...next }).filter((key) => (old[key] ?? null) !== (next[key] ?? null));
  // Without a tag the digest is the image's name.
  const identity = ["registryId", "repository", "tag", ...(next.tag === undefined ? ["digest"] : [])];
  return { changes: changed.length > 0, replaces: changed.filter((key) => identity.includes(key)) };
}

async function refresh(cloud: Cloud, id: string, inputs: Properties, context: Context) {
  const { loginServer, repository, tag, digest } = inputs as unknown as ImageImportInputs;
  const found = await look(cloud.registry(loginServer), repository, tag ?? digest);
  if ("closed" in found) {
    context.log("info", `not compared with the registry: ${found.closed.message}`);
    return { id, inputs, state: outputs(inputs) };
  }
  if (found.digest === undefined) return undefined;
  const actual = { ...inputs, digest: found.digest };
  return { id, inputs: actual, state: outputs(actual) };
}

function outputs(inputs: Properties): Properties {
  const { loginServer, repository, digest } = inputs;
  const isKnown = [loginServer, repository, digest].every((value) => value !== UNKNOWN);
  return { ...inputs, reference: isKnown ? `${loginServer}/${repository}@${digest}` : UNKNOWN };
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

function digestFault({ source, digest }: Properties): CheckFailure[] {
  const own = typeof source === "string" ? source.split("@")[1] : undefined;
  if (own === undefined || own === digest || digest === UNKNOWN) return [];
  return [{ property: "digest", reason: `"${digest}" is not the digest in the source "${source}": give the same` }];
}
