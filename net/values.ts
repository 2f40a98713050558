// What every reader of parsed text and of bytes asks.

import { createHash } from "node:crypto";

/** Whether a parsed value is a map: neither a list, nor null, nor a plain value. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `sha256:<hex>` of some bytes, as OCI writes digests. */
export function digestOf(body: Buffer): string {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}
