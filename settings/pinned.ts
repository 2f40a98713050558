// The version of Kubernetes that another stack's file says.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { KUBERNETES_VERSION } from "../net/kubernetesVersion.ts";
import { isMap } from "../net/values.ts";
import { NAMESPACE } from "./check.ts";

/** The forms in which the engine takes the key, see stackFile.ts. */
const KEYS = [`${NAMESPACE}:cluster`, `${NAMESPACE}:config:cluster`, "cluster"];

/**
 * The version of Kubernetes in a stack's file; null where it says none, or none that is right.
 * @returns undefined where there is no such file.
 */
export function pinnedVersion(folder: string, stack: string): string | null | undefined {
  const config = configOf(join(folder, `Pulumi.${stack}.yaml`));
  if (config === undefined) return undefined;
  const cluster = KEYS.map((key) => config[key]).find((value) => value !== undefined);
  const version = isMap(cluster) ? cluster.kubernetesVersion : undefined;
  return typeof version === "string" && KUBERNETES_VERSION.test(version) ? version : null;
}

/** What is wrong with that file, that stack's own run tells. */
function configOf(path: string): Record<string, unknown> | undefined {
  try {
    const file: unknown = parse(readFileSync(path, "utf8"));
    return isMap(file) && isMap(file.config) ? file.config : {};
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : {};
  }
}
