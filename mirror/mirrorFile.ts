// A file of its own that lists what to mirror, for programs without this project's settings.
import { basename, dirname, extname, join } from "node:path";
import { describeFaults } from "../settings/errors.ts";
import { examineMirrorList } from "../settings/mirrorList.ts";
import { readYaml } from "../settings/stackFile.ts";
import type { MirrorList, MirrorSource } from "./lock.ts";

/** A mirror file; the lock of `mirror.yaml` is `mirror.lock.json`, beside it. */
export function fileSource(file: string): MirrorSource {
  const name = basename(file);
  return {
    lock: join(dirname(file), `${basename(file, extname(file))}.lock.json`),
    name,
    short: name,
    charts: `charts of ${name}`,
    images: `images of ${name}`,
    update: `npx aks-gitops-mirror update --file ${file}`,
  };
}

/** A mirror file that cannot be used; the message names the file, every fault and what to do. */
export class MirrorFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MirrorFileError";
  }
}

/**
 * The charts and images that a mirror file lists.
 * @throws MirrorFileError naming every fault of the file.
 */
export async function readMirrorList(file: string): Promise<MirrorList> {
  const content = await readYaml(file, "Write charts, images and flux").catch((error: Error) => {
    throw new MirrorFileError(error.message);
  });
  if (content === undefined)
    throw new MirrorFileError(
      `${file} does not exist. Write the charts and images to mirror into it, or name another file.`,
    );
  const { list, faults } = examineMirrorList(content);
  if (faults.length > 0) throw new MirrorFileError(describeFaults(file, faults));
  const { charts: listedIn } = fileSource(file);
  const { charts, images, ignoreImages, acceptForeign, flux, cluster } = list;
  return {
    charts: charts.map((chart) => ({ ...chart, listedIn })),
    images,
    ignoreImages,
    acceptForeign,
    ...(flux ? { flux: { mode: "bootstrap", ...flux } } : {}),
    ...(cluster ? { cluster } : {}),
  };
}
