// The rehearsal's own charts, each in the shape of the real one of its name, packed from the folders beside this file.
// Templates end with `.gotmpl` there, since they are no YAML before Helm rendered them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { gzip, tar } from "./archive.ts";

export interface PackedChart {
  readonly name: string;
  readonly version: string;
  readonly tgz: Buffer;
}

/** Kured 6.1.0 (appVersion 1.23.0): DaemonSet, RBAC, service. */
export const kuredChart = (): PackedChart => packed("kured");

/** All charts that the rehearsal has by itself; the same bytes on every machine. */
export const ownCharts = (): PackedChart[] => ["cert-manager", "kured", "traefik"].map(packed);

function packed(chart: string): PackedChart {
  const folder = join(import.meta.dirname, chart);
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll("\\", "/"),
    )
    .sort();
  const files = paths.map((path) => ({
    path: `${chart}/${path.replace(/\.gotmpl$/, "")}`,
    body: textFile(join(folder, path)),
  }));
  const { name, version } = parse(readFileSync(join(folder, "Chart.yaml"), "utf8")) as {
    name: string;
    version: string;
  };
  return { name, version, tgz: gzip(tar(files)) };
}

/** A checkout may have other line ends; the chart may not. */
function textFile(path: string): Buffer {
  return Buffer.from(readFileSync(path, "utf8").replaceAll("\r\n", "\n"));
}
