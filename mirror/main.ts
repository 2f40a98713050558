#!/usr/bin/env node
// Resolves charts and images anew into their lock: `npm run mirror -- update --stack prod` those of a stack's settings,
// `npx aks-gitops-mirror update --file mirror.yaml` those of a file of their own. `plan` looks at one chart, `check` at a
// folder of people's own files.
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import { fluxManifests } from "../flux/manifests.ts";
import { useProxy } from "../net/proxy.ts";
import { RegistryClient } from "../net/registry/client.ts";
import { parseSettings } from "../settings/parse.ts";
import { readStackFile } from "../settings/stackFile.ts";
import { cacheFolder } from "../tools/cacheFolder.ts";
import { findTool } from "../tools/findTool.ts";
import { CHECK_USAGE, checkFolder } from "./checkFolder.ts";
import { type MirrorList, type MirrorSource, stackSource } from "./lock.ts";
import { fileSource, readMirrorList } from "./mirrorFile.ts";
import { PLAN_USAGE, plan } from "./plan.ts";
import { updateLock } from "./update.ts";

const USAGE = `Usage: npm run mirror -- update --stack <stack> [--project <folder>] [--base <lock>]...
       npx aks-gitops-mirror update --file <file> [--base <lock>]...
  --stack    the stack whose Pulumi.<stack>.yaml is read and whose lock is written
  --project  the folder of Pulumi.yaml; default: this folder
  --file     a file with charts, images and flux; the lock of mirror.yaml is mirror.lock.json
  --base     a lock whose analyses of the same charts are used again, so that Helm is not needed

${PLAN_USAGE}

${CHECK_USAGE}`;

const log = (line: string) => console.error(line);
const helm = () => findTool("helm", { log });
const clients = new Map<string, RegistryClient>();
const registry = (host: string) => {
  const client = clients.get(host) ?? new RegistryClient(host);
  clients.set(host, client);
  return client;
};

async function main(args: string[]): Promise<void> {
  const [command, ...rest] = args;
  if (rest.includes("--help")) return console.log(USAGE);
  if (command === "plan") return tell(await plan(rest, { helm, registry }));
  if (command === "check") return tell(await checkFolder(rest));
  return update(args);
}

function tell({ text, isWhole }: { text: string; isWhole: boolean }): void {
  process.stdout.write(text);
  if (!isWhole) process.exitCode = 1;
}

async function update(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      stack: { type: "string" },
      project: { type: "string", default: "." },
      file: { type: "string" },
      base: { type: "string", multiple: true, default: [] },
      help: { type: "boolean" },
    },
  });
  if (values.help) return console.log(USAGE);
  if (positionals.join(" ") !== "update") throw new Error(`Unknown command "${positionals.join(" ")}".\n${USAGE}`);

  const { source, settings } = await wanted(values);
  const { lock, changes } = await updateLock({
    source,
    settings,
    bases: values.base,
    log,
    flux: (options) => fluxManifests(options, { flux: () => findTool("flux", { log }), cache: cacheFolder() }),
    helm,
    registry,
  });
  for (const change of changes) console.log(change);
  const counts = `${count(lock.charts, "chart")}, ${count(lock.images, "image")}`;
  console.log(`${basename(source.lock)}: ${counts}, ${changes.length === 0 ? "nothing changed" : "written"}`);
}

interface Wanted {
  readonly stack?: string | undefined;
  readonly project: string;
  readonly file?: string | undefined;
}

async function wanted({ stack, project, file }: Wanted): Promise<{ source: MirrorSource; settings: MirrorList }> {
  if (stack !== undefined && file !== undefined) throw new Error(`--stack and --file exclude each other.\n${USAGE}`);
  if (file !== undefined) return { source: fileSource(file), settings: await readMirrorList(file) };
  if (stack === undefined) throw new Error(`--stack or --file is missing.\n${USAGE}`);
  const root = resolve(project);
  return { source: stackSource(root, stack), settings: parseSettings(await readStackFile(root, stack)) };
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
