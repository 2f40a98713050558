import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../net/signIn.ts";
import { isMap } from "../net/values.ts";

/** The subscriptions of az's login; none where it has no login. */
export async function azSubscriptions(environment: Environment): Promise<readonly Record<string, unknown>[]> {
  const profile = join(environment.AZURE_CONFIG_DIR || join(homedir(), ".azure"), "azureProfile.json");
  try {
    // It begins with a byte order mark.
    const content: unknown = JSON.parse((await readFile(profile, "utf8")).replace(/^\ufeff/, ""));
    return isMap(content) && Array.isArray(content.subscriptions) ? content.subscriptions.filter(isMap) : [];
  } catch {
    return [];
  }
}
