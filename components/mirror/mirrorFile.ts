import * as pulumi from "@pulumi/pulumi";
import { type Lock, LockError, readLockOf } from "../../mirror/lock.ts";
import { fileSource, MirrorFileError, readMirrorList } from "../../mirror/mirrorFile.ts";

/**
 * The lock of the charts and images that a file lists: `charts`, `images` and `flux`, as in a stack's settings. The
 * command `aks-gitops-mirror` makes it.
 * @param file such as `mirror.yaml`; a relative path starts at the working directory.
 * @throws pulumi.RunError when the file has faults, or when its lock is missing, damaged or stale, so that the engine
 * shows the remedy without a stack trace.
 */
export async function readMirrorFile(file: string): Promise<Lock> {
  try {
    return await readLockOf(fileSource(file), await readMirrorList(file));
  } catch (error) {
    throw error instanceof LockError || error instanceof MirrorFileError ? new pulumi.RunError(error.message) : error;
  }
}
