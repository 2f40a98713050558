// GitHub's refusals, in its words, and the bodies that it takes.

import { type CloudRequest, ServiceError } from "../types.ts";

export function fault(status: number, message: string, more: object = {}): ServiceError {
  const body = { message, ...more, documentation_url: "https://docs.github.com/rest", status: String(status) };
  return new ServiceError({ status, body }, message);
}

/** @param isApp whether the token is one of an App's installation. */
export function inaccessible(isApp = false): ServiceError {
  return fault(403, `Resource not accessible by ${isApp ? "integration" : "personal access token"}`);
}

/** @throws ServiceError for what is no JSON object. */
export function readBody(request: CloudRequest): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(request.body.toString());
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw fault(400, "Problems parsing JSON");
}
