import { commitUrl } from "../../net/gitAddress.ts";
import type { GitAccessArgs } from "../../provider/sdk/gitCommit.ts";
import type { FluxWanted } from "./fluxParts.ts";
import { hostKeys } from "./signIn.ts";

/** How the program reaches the repository to read and to commit; undefined where the environment's own ways do. */
export function gitAccessOf(args: FluxWanted): GitAccessArgs | undefined {
  const { commit: { credential, username } = {}, address } = args;
  const knownHosts = address.scheme === "ssh" ? hostKeys(commitUrl(address), args) : undefined;
  const access = {
    ...(credential === undefined ? {} : { credential }),
    ...(username === undefined ? {} : { username }),
    ...(knownHosts === undefined ? {} : { knownHosts }),
  };
  return Object.keys(access).length > 0 ? access : undefined;
}
