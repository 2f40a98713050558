// What the stacks' own files say, as far as it matters here; read without the engine, so that secrets stay sealed.
import { parseSettings } from "../../settings/parse.ts";
import { readStackFile } from "../../settings/stackFile.ts";
import type { Settings } from "../../settings/types.ts";

/** A stack's own file. */
export interface Root {
  readonly settings: Settings;
  /** From `azure-native:tenantId`. */
  readonly tenantId: string | undefined;
  /** From `azure-native:subscriptionId`. */
  readonly subscriptionId: string | undefined;
}

/**
 * Reads a stack's own file.
 * @param folder the folder of the program's Pulumi.yaml.
 * @throws Error where there is none, SettingsError where it has faults.
 */
export async function readRoot(folder: string, stack: string): Promise<Root> {
  const source = await readStackFile(folder, stack);
  const text = (key: string) => {
    const value = source.config[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  return {
    settings: parseSettings(source),
    tenantId: text("azure-native:tenantId"),
    subscriptionId: text("azure-native:subscriptionId"),
  };
}
