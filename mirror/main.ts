// `npm run mirror -- update --stack prod`: resolves a stack's charts and images anew into its lock.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { fluxManifests } from "../flux/manifests.ts";
import { useProxy } from "../net/proxy.ts";
import { RegistryClient } from "../net/registry/client.ts";
import { parseSettings } from "../settings/parse.ts";
import { readStackFile } from "../settings/stackFile.ts";
import { cacheFolder, findTool } from "../tools/findTool.ts";
import { lockName } from "./lock.ts";
import { updateLock } from "./update.ts";

const USAGE = `Usage: npm run mirror -- update --stack <stack> [--project <folder>] [--base <lock>]...
  --stack    the stack whose Pulumi.<stack>.yaml is read and whose lock is written
  --project  the folder of Pulumi.yaml; default: this folder
  --base     a lock whose analyses of the same charts are used again, so that Helm is not needed`;

async function main(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      stack: { type: "string" },
      project: { type: "string", default: "." },
      base: { type: "string", multiple: true, default: [] },
      help: { type: "boolean" },
    },
  });
  if (values.help) return console.log(USAGE);
  if (positionals.join(" ") !== "update") throw new Error(`Unknown command "${positionals.join(" ")}".\n${USAGE}`);
  if (values.stack === undefined) throw new Error(`--stack is missing.\n${USAGE}`);

  const root = resolve(values.project);
  const settings = parseSettings(await readStackFile(root, values.stack));
  const clients = new Map<string, RegistryClient>();
  const log = (line: string) => console.error(line);
  const { lock, changes } = await updateLock({
    root,
    settings,
    bases: values.base,
    log,
    flux: (options) => fluxManifests(options, { flux: () => findTool("flux", { log }), cache: cacheFolder() }),
    helm: () => findTool("helm", { log }),
    registry: (host) => {
      const client = clients.get(host) ?? new RegistryClient(host);
      clients.set(host, client);
      return client;
    },
  });
  for (const change of changes) console.log(change);
  const counts = `${count(lock.charts, "chart")}, ${count(lock.images, "image")}`;
  console.log(`${lockName(settings.stack)}: ${counts}, ${changes.length === 0 ? "nothing changed" : "written"}`);
}

function count(items: readonly unknown[], noun: string): string {
  return `${items.length} ${noun}${items.length === 1 ? "" : "s"}`;
}

try {
  useProxy();
  await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
