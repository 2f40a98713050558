// The settings of a rehearsed stack, read without the engine.
import { parseSettings, type Settings } from "../components/settings.ts";
import { readStackFile } from "../mirror/stackFile.ts";
import { checkout } from "./session.ts";
import { gitTokenKey, needsGitToken } from "./workspace.ts";

/**
 * The settings of a stack's file.
 * @param folder the checkout, or a rehearsal's own project.
 * @throws SettingsError with all faults of the file.
 */
export async function settingsOf(stack: string, folder = checkout): Promise<Settings> {
  const { config, ...source } = await readStackFile(folder, stack);
  // The owner's token need not be in the checkout; a rehearsal gives the stack one of its own.
  const token = needsGitToken(config) && config[gitTokenKey] === undefined ? { [gitTokenKey]: { secure: "" } } : {};
  return parseSettings({ ...source, config: { ...config, ...token } });
}
