/** Stands for the login server of the registry that a stack fills and its cluster pulls from. */
export const REGISTRY_PLACEHOLDER = "{registry}";

const OWN = /^oci:\/\/\{registry\}(?:\/(?<path>[a-z0-9]+(?:(?:[._]|__|-+|\/)[a-z0-9]+)*))?\/?$/;

/**
 * The path below the stack's own registry that a repository of charts names as `oci://{registry}/<path>`, empty for the
 * registry's root; undefined for every other repository.
 */
export function ownPath(repository: string | undefined): string | undefined {
  const found = OWN.exec(repository ?? "");
  return found === null ? undefined : (found.groups?.path ?? "");
}
