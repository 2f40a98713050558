// Versions of Kubernetes as AKS writes them: a minor such as 1.34, which stands for its patches, or a patch such as 1.34.1.

/** A version's form. */
export const KUBERNETES_VERSION = /^1\.(0|[1-9]\d*)(\.(0|[1-9]\d*))?$/;

/** The number of a version's minor: 34. */
export const minorOf = (version: string): number => Number(version.split(".")[1]);

/** The minor that a version is of: `1.34`. */
export const minorVersion = (version: string): string => `1.${minorOf(version)}`;

/** Whether a version is one patch, not a minor with all of its patches. */
export const isPatch = (version: string): boolean => version.split(".").length === 3;

/** Whether what runs is what was asked for: any patch of a minor, or the very patch. */
export function isVersion(asked: string, running: string): boolean {
  return isPatch(asked) && isPatch(running) ? asked === running : minorOf(asked) === minorOf(running);
}

/** Below zero where the first is the earlier one; a minor is as late as each of its patches. */
export function compareVersions(one: string, other: string): number {
  const patches =
    isPatch(one) && isPatch(other) ? [one, other].map((version) => Number(version.split(".")[2])) : [0, 0];
  return minorOf(one) - minorOf(other) || (patches[0] ?? 0) - (patches[1] ?? 0);
}
