// The body of importImage, taken apart and checked (ImportImageParameters of the API Microsoft.ContainerRegistry 2023-01-01-preview).
import { armError } from "../arm/errors.ts";
import type { ServiceError } from "../types.ts";
import { isDigest, isName, isTag } from "./protocol.ts";

export interface Source {
  readonly registryUri?: string;
  readonly resourceId?: string;
  readonly credentials?: { readonly username?: string; readonly password?: string };
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

export interface Target {
  readonly repository: string;
  /** None for an import by digest alone. */
  readonly tag: string | undefined;
}

export interface ImportRequest {
  readonly source: Source;
  readonly targets: readonly Target[];
  readonly mode: "NoForce" | "Force";
}

/** Checks a request body. @throws ServiceError 400 that names the faulty parameter. */
export function parseImport(body: Record<string, unknown>): ImportRequest {
  checkMembers(body, "ImportImageParameters", ["source", "targetTags", "untaggedTargetRepositories", "mode"]);
  const mode = body.mode ?? "NoForce";
  if (mode !== "NoForce" && mode !== "Force") throw invalid(mode, "Mode");
  const source = parseSource(body.source);
  const tagged = strings(body.targetTags, "TargetTags").map((target) => parseTarget(target, source.reference));
  const untagged = strings(body.untaggedTargetRepositories, "UntaggedTargetRepositories").map((repository) => {
    if (!isName(repository)) throw invalid(repository, "UntaggedTargetRepositories");
    return { repository, tag: undefined };
  });
  if (tagged.length + untagged.length === 0) throw invalid(null, "TargetTags");
  return { source, targets: [...tagged, ...untagged], mode };
}

function parseSource(value: unknown): Source {
  if (typeof value !== "object" || value === null) throw invalid(value, "Source");
  const given = value as Record<string, unknown>;
  checkMembers(given, "ImportSource", ["registryUri", "resourceId", "credentials", "sourceImage"]);
  const { registryUri, resourceId, sourceImage } = given;
  if ((registryUri === undefined) === (resourceId === undefined)) throw invalid(registryUri, "Source.RegistryUri");
  if (registryUri !== undefined && (typeof registryUri !== "string" || !/^[a-z0-9.-]+(:\d+)?$/i.test(registryUri)))
    throw invalid(registryUri, "Source.RegistryUri");
  if (resourceId !== undefined && typeof resourceId !== "string") throw invalid(resourceId, "Source.ResourceId");
  const credentials = parseCredentials(given.credentials);
  return {
    ...(registryUri !== undefined && { registryUri }),
    ...(resourceId !== undefined && { resourceId }),
    ...(credentials && { credentials }),
    ...parseSourceImage(sourceImage),
  };
}

/** A repository with a tag or a digest, never both; `latest` where there is neither. */
function parseSourceImage(value: unknown): { repository: string; reference: string } {
  const match = typeof value === "string" ? /^([^:@]+)(?::([^:@]+)|@(sha256:[^:@]+))?$/.exec(value) : null;
  const [repository, reference] = [match?.[1] ?? "", match?.[2] ?? match?.[3] ?? "latest"];
  if (!isName(repository) || !(isTag(reference) || isDigest(reference))) throw invalid(value, "Source.SourceImage");
  return { repository, reference };
}

function parseTarget(target: string, sourceReference: string): Target {
  const match = /^([^:@]+)(?::([^:@]+))?$/.exec(target);
  const repository = match?.[1] ?? "";
  const tag = match?.[2] ?? (isDigest(sourceReference) ? "latest" : sourceReference);
  if (!isName(repository) || !isTag(tag)) throw invalid(target, "TargetTags");
  return { repository, tag };
}

function parseCredentials(value: unknown): Source["credentials"] {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object") throw invalid("(hidden)", "Source.Credentials");
  checkMembers(value as Record<string, unknown>, "ImportSourceCredentials", ["username", "password"]);
  const { username, password } = value as { username?: unknown; password?: unknown };
  if (typeof password !== "string") throw invalid("(hidden)", "Source.Credentials.Password");
  return typeof username === "string" ? { username, password } : { password };
}

function strings(value: unknown, parameter: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === "string")) throw invalid(value, parameter);
  return value;
}

function checkMembers(value: Record<string, unknown>, type: string, known: readonly string[]): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const words = `The request content was invalid and could not be deserialized: 'Could not find member '${unknown}' on object of type '${type}'.'.`;
  throw armError(400, "InvalidRequestContent", words);
}

function invalid(value: unknown, parameter: string): ServiceError {
  const shown = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return armError(400, "InvalidParameters", `Invalid value '${shown}' for parameters.${parameter}.`);
}
