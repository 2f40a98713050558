// Finds pulumi. Pulumi's library takes about as long to load as pulumi takes to say its version, so this loads next to none of
// it, and both can be at once.
import { PulumiCommand } from "@pulumi/pulumi/automation/cmd.js";

/** The pulumi on PATH. @throws Error where there is none, or one too old for the Automation API */
export async function findPulumi(): Promise<PulumiCommand> {
  try {
    return await PulumiCommand.get();
  } catch (cause) {
    throw new Error("pulumi cannot be run. Put it on PATH", { cause });
  }
}
