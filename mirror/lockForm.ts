// What a lock's file must hold: a merge or a hand may have left something else in it.
import type * as zod from "zod/mini";
import { z } from "../settings/zod.ts";
import { parseReference } from "./reference.ts";
import { formatPath, type Path } from "./tree.ts";

const text = z.string().check(z.minLength(1, "is empty"));
const image = text.check(z.refine((name) => parseReference(name) !== undefined, "is no image's name"));
const hex = z.string().check(z.regex(/^[0-9a-f]{64}$/, "is no SHA-256 in hexadecimal"));
const digest = z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/, "is no digest sha256:<hex>"));

const attached = z.optional(z.array(z.object({ digest, tag: z.optional(text) })));
const patch = z.object({
  target: z.object({ kind: text, name: text, namespace: z.optional(text) }),
  ops: z.array(z.object({ op: z.enum(["test", "replace"]), path: text, value: z.string() })),
});

const form = z.object({
  charts: z.array(
    z.object({
      name: text,
      release: z.optional(text),
      repository: text,
      version: text,
      url: text,
      sha256: hex,
      settings: hex,
      created: text,
      manifest: digest,
      analysis: hex,
      kubernetes: z.optional(text),
      accepted: z.optional(z.array(image)),
      images: z.array(image),
      pinned: z.optional(z.record(text, digest)),
      attached,
      values: z.record(z.string(), z.unknown()),
      postRender: z.array(
        z.object({ name: text, newName: text, digest: z.optional(digest), newTag: z.optional(text) }),
      ),
      patches: z.optional(z.array(patch)),
    }),
  ),
  images: z.array(
    z.object({
      source: image,
      digest,
      repository: text,
      tag: z.optional(text),
      platforms: z.optional(z.array(text)),
      attached,
    }),
  ),
  flux: z.optional(
    z.object({
      version: text,
      imageAutomation: z.optional(z.literal(true)),
      imagePullSecret: z.optional(text),
      install: z.optional(z.record(text, z.unknown())),
      manifests: hex,
      images: z.array(image),
    }),
  ),
});

/**
 * What is wrong with a lock of this version, a phrase each.
 * @param isBase whether nothing but its analyses is used; it may have those of several archives of a chart.
 */
export function lockFaults(content: object, isBase: boolean): string[] {
  const { error, data } = form.safeParse(content, { reportInput: true });
  if (error !== undefined) return error.issues.map((issue) => `${formatPath(issue.path as Path)} ${problemOf(issue)}`);
  return [...unlisted(data), ...(isBase ? [] : doubled(data)), ...unknownDigests(data)];
}

/** What both branches of a merge added. */
function doubled({ charts, images }: zod.infer<typeof form>): string[] {
  const names = [
    ...charts.map(({ name, release = name }) => (release === name ? `chart ${name}` : `release ${release} of ${name}`)),
    ...images.map(({ source }) => `image ${source}`),
  ];
  return [...new Set(names.filter((name, index) => names.indexOf(name) < index))].map(
    (name) => `${name} is there twice`,
  );
}

/** One branch of a merge may have moved an image on that a chart of the other one names by its digest. */
function unknownDigests({ charts, images }: zod.infer<typeof form>): string[] {
  const digests = new Map(images.map(({ source, digest }) => [source, digest]));
  return charts.flatMap((chart) => {
    const known = new Set(chart.images.map((source) => digests.get(source)));
    const named = JSON.stringify([chart.values, chart.postRender, chart.patches]).match(/sha256:[0-9a-f]{64}/g) ?? [];
    return [...new Set(named)]
      .filter((digest) => !known.has(digest))
      .map((digest) => `chart ${chart.name} runs ${digest}, which none of its images has`);
  });
}

/** Charts and Flux name images by their sources; what is not listed there has no digest. */
function unlisted({ charts, images, flux }: zod.infer<typeof form>): string[] {
  const listed = new Set(images.map(({ source }) => source));
  const users = [
    ...charts.map((chart) => ({ by: `chart ${chart.name}`, images: chart.images })),
    ...(flux ? [{ by: "Flux", images: flux.images }] : []),
  ];
  return users.flatMap(({ by, images }) =>
    images.filter((image) => !listed.has(image)).map((image) => `image ${image} of ${by} is not among its images`),
  );
}

function problemOf(issue: zod.core.$ZodIssue): string {
  if (issue.code !== "invalid_type") return issue.message;
  return issue.input === undefined ? "is missing" : `is not of type ${issue.expected}`;
}
