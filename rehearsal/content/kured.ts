// The rehearsal's own chart in the shape of Kured's, packed from the files beside this one. Templates end with `.gotmpl`
// there, since they are no YAML before Helm rendered them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzip, tar } from "./archive.ts";

export interface PackedChart {
  readonly name: string;
  readonly version: string;
  readonly tgz: Buffer;
}

const FOLDER = join(import.meta.dirname, "kured");

/** Kured 6.1.0 (appVersion 1.23.0): DaemonSet, RBAC, service; the same bytes on every machine. */
export function kuredChart(): PackedChart {
  const paths = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(FOLDER.length + 1)
        .replaceAll("\\", "/"),
    )
    .sort();
  const files = paths.map((path) => ({
    path: `kured/${path.replace(/\.gotmpl$/, "")}`,
    body: textFile(join(FOLDER, path)),
  }));
  return { name: "kured", version: "6.1.0", tgz: gzip(tar(files)) };
}

/** A checkout may have other line ends; the chart may not. */
function textFile(path: string): Buffer {
  return Buffer.from(readFileSync(path, "utf8").replaceAll("\r\n", "\n"));
}
