// The settings of a rehearsed stack, read without the engine.
import { parseSettings, type Settings } from "../components/settings.ts";
import { readStackFile } from "../mirror/stackFile.ts";
import { checkout } from "./session.ts";

/**
 * The settings of a stack's file.
 * @param folder the checkout, or a rehearsal's own project.
 * @throws SettingsError with all faults of the file.
 */
export async function settingsOf(stack: string, folder = checkout): Promise<Settings> {
  return parseSettings(await readStackFile(folder, stack));
}
