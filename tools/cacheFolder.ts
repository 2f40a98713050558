import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** The folder of everything that is downloaded, built or compiled: `AKS_GITOPS_CACHE`, else `aks-gitops` in the user's cache. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.AKS_GITOPS_CACHE) return resolve(env.AKS_GITOPS_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "aks-gitops");
}
