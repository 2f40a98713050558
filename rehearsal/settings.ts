// The settings of a rehearsed stack, read without the engine.
import { authOf, type SignInOptions } from "../components/flux/signIn.ts";
import { parseSettings } from "../settings/parse.ts";
import { readStackFile } from "../settings/stackFile.ts";
import type { Settings } from "../settings/types.ts";
import { checkout, stackFiles } from "./session.ts";

/** The token that the extension's Flux reads the repository with. */
export const GIT_TOKEN_KEY = "aks-gitops:gitToken";

/** Whether a stack's Flux needs that token; a stack file without secrets of its own has none yet. */
export function needsGitToken(config: Record<string, unknown>): boolean {
  const flux = (config["aks-gitops:flux"] ?? {}) as SignInOptions;
  return (flux.mode ?? "extension") === "extension" && authOf(flux) === "token";
}

/**
 * The settings of a stack's file.
 * @param folder where the stacks' files are, or a rehearsal's own project.
 * @throws SettingsError with all faults of the file.
 */
export async function settingsOf(stack: string, folder = stackFiles()): Promise<Settings> {
  return parseSettings(await stackFileOf(stack, folder));
}

/** A stack's configuration; the project is the checkout's, wherever the stack's file is. */
export function stackFileOf(stack: string, folder = stackFiles()): ReturnType<typeof readStackFile> {
  return readStackFile(folder, stack, checkout);
}
