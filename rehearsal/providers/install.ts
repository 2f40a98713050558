// Puts the stand-ins where the engine looks for the plugins of the official SDKs.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sdkVersion } from "./shared/values.ts";

/** The providers that have a stand-in; each has the version of the installed SDK. */
export const providers = ["azure-native", "azuread", "github", "pulumiservice", "random", "tls"] as const;

/**
 * Writes one executable plugin for each provider, so that the engine never looks for an official one.
 * @param pulumiHome the folder of `PULUMI_HOME`; made where it is missing.
 */
export async function installProviders(pulumiHome: string): Promise<void> {
  await Promise.all(providers.map((name) => install(pulumiHome, name)));
}

async function install(pulumiHome: string, name: string): Promise<void> {
  const folder = join(pulumiHome, "plugins", `resource-${name}-v${sdkVersion(name)}`);
  const main = fileURLToPath(new URL(`./${name}/main.ts`, import.meta.url));
  const script = `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(main)} "$@"\n`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `pulumi-resource-${name}`), script, { mode: 0o755 });
}

/** A word for sh, whatever is in it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
