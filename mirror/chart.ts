// What a chart's archive says about itself: its own values, those of its subcharts, and what its templates ask of a cluster.
import { parse } from "yaml";
import { type Allowance, chartAllowance, readTarGz, type TarFile } from "../net/archive.ts";
import { isMap } from "../net/values.ts";
import { mergeValues, type YamlMap } from "./tree.ts";

export interface ChartContents {
  readonly name: string;
  readonly version: string;
  /** Its own defaults over those of its subcharts, which are below their names. */
  readonly defaults: YamlMap;
  /** The text of all its templates and those of its subcharts, helpers and notes too. */
  readonly templates: string;
  /** Whether it or a subchart is for some versions of Kubernetes alone. */
  readonly limitsKubernetes: boolean;
}

/** Reads a chart with all its subcharts, packed or not. */
export async function readChart(tgz: Buffer): Promise<ChartContents> {
  const allowance = chartAllowance();
  const files = await readTarGz(tgz, allowance);
  const root = files[0]?.path.split("/")[0] ?? "";
  return contentsOf(files, `${root}/`, allowance);
}

async function contentsOf(files: readonly TarFile[], folder: string, allowance: Allowance): Promise<ChartContents> {
  const own = yamlFile(files, `${folder}values.yaml`);
  const { name, version, kubeVersion, dependencies: listed } = yamlFile(files, `${folder}Chart.yaml`);
  // Charts of apiVersion v1 have them in a file of their own.
  const dependencies = listed ?? yamlFile(files, `${folder}requirements.yaml`).dependencies;
  const templates = files
    .filter(({ path }) => path.startsWith(`${folder}templates/`))
    .map(({ content }) => content.toString("utf8"));
  let limitsKubernetes = typeof kubeVersion === "string";
  let below: YamlMap = {};
  for await (const contents of subcharts(files, folder, allowance)) {
    const entries = (Array.isArray(dependencies) ? dependencies : [])
      .filter(isMap)
      .filter((entry) => entry.name === contents.name);
    // One subchart may be there several times, under other names.
    const names = entries.length === 0 ? [contents.name] : entries.map(({ alias, name }) => String(alias ?? name));
    for (const each of names) below = { ...below, [each]: contents.defaults };
    templates.push(contents.templates);
    limitsKubernetes ||= contents.limitsKubernetes;
  }
  return {
    name: String(name),
    version: String(version),
    defaults: mergeValues(below, own),
    templates: templates.join("\n"),
    limitsKubernetes,
  };
}

async function* subcharts(
  files: readonly TarFile[],
  folder: string,
  allowance: Allowance,
): AsyncGenerator<ChartContents> {
  const inside = files.filter(({ path }) => path.startsWith(`${folder}charts/`));
  for (const { path, content } of inside) {
    const rest = path.slice(folder.length + "charts/".length);
    if (/^[^/]+\.tgz$/.test(rest)) {
      const packed = await readTarGz(content, allowance);
      const root = packed[0]?.path.split("/")[0] ?? "";
      yield await contentsOf(packed, `${root}/`, allowance);
    } else if (/^[^/]+\/Chart\.yaml$/.test(rest)) {
      yield await contentsOf(files, path.slice(0, -"Chart.yaml".length), allowance);
    }
  }
}

function yamlFile(files: readonly TarFile[], path: string): YamlMap {
  const file = files.find((entry) => entry.path === path);
  const content: unknown = file === undefined ? {} : parse(file.content.toString("utf8"), { logLevel: "silent" });
  return isMap(content) ? content : {};
}
