// All tools of a rehearsal, in the order in which it needs them.
import { CLUSTER_TOOLS } from "../../tools/catalogue.ts";
import { type FindOptions, findTools } from "../../tools/findTool.ts";
import { type Engine, findEngine } from "./pulumi.ts";

/**
 * Finds the engine and what the cluster is made of at once: downloads for one go on while the other is built. But the
 * engine is built first, its language host too: the cluster takes longest, and nothing begins without an engine.
 */
export function findAllTools(options: FindOptions): { engine: Promise<Engine>; clusterTools: Promise<unknown> } {
  const engine = findEngine(options);
  const { log } = options;
  const clusterTools = findTools([...CLUSTER_TOOLS, "flux"], {
    ...options,
    ...(log && { log: quietly(log) }),
    buildAfter: engine,
  });
  clusterTools.catch(() => {}); // told by whoever needs them
  return { engine, clusterTools };
}

/** Fourteen tools that are at hand are no news. */
const quietly = (log: (line: string) => void) => (line: string) => {
  if (!/: from (the cache|PATH)/.test(line)) log(line);
};
