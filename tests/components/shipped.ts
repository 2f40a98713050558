import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "../support/engine.ts";

/** The program's own settings of a stack file as it is shipped. */
export function shipped(stack: string): Record<string, unknown> {
  const { config } = parse(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8")) as { config: object };
  const own = Object.entries(config).filter(([key]) => key.startsWith("aks-gitops:"));
  return Object.fromEntries(own.map(([key, value]) => [key.slice("aks-gitops:".length), value]));
}
