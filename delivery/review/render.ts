// A review as text: for a comment, a terminal or a program.
import { documentOf } from "./document.ts";
import { markdown } from "./markdown.ts";
import type { Review } from "./model.ts";
import { plainText } from "./plainText.ts";

export const FORMATS = ["markdown", "text", "json"] as const;
export type Format = (typeof FORMATS)[number];

/**
 * The most that a comment may have, in bytes of UTF-8. GitHub takes 65,536 characters
 * (https://github.com/orgs/community/discussions/27190), Azure DevOps 150,000; a character has at least one byte.
 */
export const COMMENT_LIMIT = 65_000;

/**
 * The review in a format. The comment's first line is its marker.
 * @param limit the most bytes of UTF-8: whole items are left out, the least important ones first, and it is said.
 * @default limit {@link COMMENT_LIMIT} for markdown, none for the others; JSON is never cut
 */
export function renderReview(review: Review, format: Format, limit?: number): string {
  if (format === "json") return JSON.stringify(review, undefined, 2);
  const document = documentOf(review);
  const rest = `npm run review -- --stack ${review.stack} --format text`;
  if (format === "text") return plainText(document, limit ?? Number.POSITIVE_INFINITY, rest);
  return markdown(document, marker(review), limit ?? COMMENT_LIMIT, rest);
}

/** The first line of a comment, by which it is found again: it is shown to nobody. */
export function marker({ project, stack }: Pick<Review, "project" | "stack">): string {
  // Two hyphens would end it.
  const name = [project, stack].map((part) => encodeURIComponent(part).replaceAll("--", "-%2D")).join("/");
  return `<!-- aks-gitops review ${name} -->`;
}
