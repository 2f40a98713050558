// `update`: resolves charts and images anew into their lock, and tells what a review wants to know.
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { fluxManifests } from "../../flux/manifests.ts";
import { cacheFolder } from "../../tools/cacheFolder.ts";
import { findTool } from "../../tools/findTool.ts";
import { updateLock } from "../update.ts";
import { count, LIST_OPTIONS, registries, renderings, wanted } from "./wanted.ts";

export const UPDATE_USAGE = `npm run mirror -- update [<chart>] --stack <stack> [--project <folder>] [--base <lock>]...
       npx aks-gitops-mirror update [<chart>] --file <file> [--base <lock>]...
  <chart>    the chart, or the release, to resolve alone; all else stays as it is locked
  --stack    the stack whose Pulumi.<stack>.yaml is read and whose lock is written
  --project  the folder of Pulumi.yaml; default: this folder
  --file     a file with charts, images and flux; the lock of mirror.yaml is mirror.lock.json
  --base     a lock whose analyses of the same charts are used again, so that Helm is not needed`;

export async function update(args: string[], usage: string): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...LIST_OPTIONS, base: { type: "string", multiple: true, default: [] } },
  });
  const [only, ...more] = positionals;
  if (more.length > 0) throw new Error(`Name one chart, not ${positionals.join(" ")}.\n${usage}`);
  const { source, settings } = await wanted(values, usage);
  const log = (line: string) => console.error(line);
  const { lock, changes } = await updateLock({
    source,
    settings,
    bases: values.base,
    only,
    log,
    flux: (options) => fluxManifests(options, { flux: () => findTool("flux", { log }), cache: cacheFolder() }),
    helm: () => findTool("helm", { log }),
    cache: renderings(),
    registry: registries(),
  });
  for (const change of changes) console.log(change);
  const counts = `${count(lock.charts, "chart")}, ${count(lock.images, "image")}`;
  console.log(`${basename(source.lock)}: ${counts}, ${changes.length === 0 ? "nothing changed" : "written"}`);
}
