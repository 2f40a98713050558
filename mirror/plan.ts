// `npm run mirror -- plan`: what a chart runs and how it is moved, for a person who has a chart at hand and no stack yet.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { describe } from "../net/describe.ts";
import { REGISTRY_PLACEHOLDER } from "../net/registry/ownRegistry.ts";
import { readYaml } from "../settings/stackFile.ts";
import { type ChartPlan, planChart } from "./analysis.ts";
import { readChart } from "./chart.ts";
import { lookUpChart, type Registry } from "./chartLookup.ts";
import { relocate } from "./lock.ts";
import { type PostRenderers, postRenderers } from "./postRenderers.ts";
import { nameOf, type Reference, sourceOf } from "./reference.ts";

export const PLAN_USAGE = `npm run mirror -- plan <chart.tgz> | <repository>/<chart> | oci://<registry>/<path>/<chart>
           [--version V] [--values FILE] [--release NAME] [--namespace NAME] [--registry R]
           [--kube-version V] [--api A]... [--json]
  --version       of the chart, or a range; default: the highest
  --values        a YAML file with the chart's values
  --registry      the registry that everything is to come from; default: {registry}, as the lock has it
  --kube-version  the cluster's Kubernetes version; default: whatever AKS supports
  --api           an API that the cluster serves beside those of every cluster of this program
  --json          {images, values, postRenderers, foreign, offered, warnings}
  The exit status is 1 where something stays foreign. Nothing is pinned here: \`update\` finds the digests.`;

/** What a command needs of the outside. */
export interface PlanTools {
  /** The path of Helm. */
  readonly helm: () => Promise<string>;
  /** The folder of what was rendered in earlier runs. @default nothing is kept */
  readonly cache?: string;
  /** A client of the registry with this host. */
  readonly registry: (host: string) => Registry;
  /** Told how far a long analysis has come. @default nobody */
  readonly log?: (line: string) => void;
}

/** What is said as JSON. */
export interface PlanReport {
  readonly images: readonly { readonly source: string; readonly fields: readonly string[]; readonly target: string }[];
  readonly values: Readonly<Record<string, unknown>>;
  readonly postRenderers: PostRenderers;
  readonly foreign: readonly {
    readonly object: string;
    readonly field: string;
    readonly image: string;
    readonly why?: string;
    readonly remedy: string;
  }[];
  /** Images that may run without being named whole. */
  readonly offered: readonly { readonly image: string; readonly where: string; readonly line: string }[];
  readonly warnings: readonly string[];
}

/**
 * Plans one chart.
 * @returns what to print, and whether everything comes from the registry.
 * @throws Error naming the chart, the file or what Helm says.
 */
export async function plan(args: readonly string[], tools: PlanTools): Promise<{ text: string; isWhole: boolean }> {
  const { positionals, values: flags } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      version: { type: "string", default: ">=0" },
      values: { type: "string" },
      release: { type: "string" },
      namespace: { type: "string", default: "default" },
      registry: { type: "string", default: REGISTRY_PLACEHOLDER },
      "kube-version": { type: "string" },
      api: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
    },
  });
  const [place, ...more] = positionals;
  if (place === undefined || more.length > 0) throw new Error(`Name one chart.\n${PLAN_USAGE}`);
  const tgz = await archiveOf(place, flags.version, tools);
  const { name, version } = await readChart(tgz);
  const { release, namespace } = flags;
  const chart = {
    name,
    tgz,
    namespace,
    listedIn: flags.values ?? "a file for --values",
    ...(release ? { release } : {}),
  };
  const given = flags.values === undefined ? {} : await readValues(flags.values);
  const kubeVersion = flags["kube-version"]?.replace(/^v/, "");
  const options = { kubeVersion, apis: flags.api, pin: false, cache: tools.cache, progress: tools.log };
  const found = await planChart(await tools.helm(), chart, given, options);
  const report = reportOf(found, flags.registry);
  const text = flags.json ? `${JSON.stringify(report, null, 2)}\n` : describePlan(`${name} ${version}`, report);
  return { text, isWhole: report.foreign.length === 0 };
}

async function archiveOf(place: string, version: string, { registry }: PlanTools): Promise<Buffer> {
  if (!/^(https|oci):\/\//.test(place)) {
    return readFile(place).catch((error: unknown) => {
      throw new Error(
        `${place} cannot be read: ${describe(error)}. Name a chart's archive, or https://<repository>/<chart>, or ` +
          "oci://<registry>/<path>/<chart>.",
      );
    });
  }
  const [, repository = "", name = ""] = /^(.*)\/([^/]+)\/?$/.exec(place) ?? [];
  const source = { name, repository, version, namespace: "default", listedIn: "the command line" };
  return (await lookUpChart(source, registry)).tgz;
}

async function readValues(file: string): Promise<Record<string, unknown>> {
  const content = await readYaml(file, "Write the chart's values");
  if (content === undefined) throw new Error(`${file} does not exist. Name a file with the chart's values.`);
  return { ...content };
}

function reportOf(found: ChartPlan, registry: string): PlanReport {
  const images = found.images
    .map((image) => ({
      source: sourceOf(image),
      fields: found.places.get(sourceOf(image)) ?? [],
      target: `${registry}/${targetOf(image)}`,
    }))
    .sort((a, b) => (a.source < b.source ? -1 : 1));
  return {
    images,
    values: relocate(found.values, registry),
    postRenderers: relocate(postRenderers(found.postRender, found.patches), registry),
    foreign: found.foreign.map((one) => ({ ...one, remedy: remedyOf(one.image, found.refusals) })),
    offered: found.offers.map(({ image, where, kind }) => ({
      image,
      where: kind === "joined" ? `${where}: put together while it runs` : `${where}: not rendered with these values`,
      line: `aks-gitops:images: [${image}]`,
    })),
    warnings: found.warnings,
  };
}

function targetOf(image: Reference): string {
  if (image.tag === undefined && image.digest !== undefined) return `${nameOf(image)}@${image.digest}`;
  return `${nameOf(image)}:${image.tag ?? "latest"}`;
}

function remedyOf(image: string, refusals: readonly string[]): string {
  const [refusal] = refusals;
  return refusal === undefined
    ? `aks-gitops:acceptForeign: [{ image: "${image}", reason: "..." }]`
    : `Helm refuses other values: ${refusal.split("\n")[0]}`;
}

function describePlan(
  chart: string,
  { images, values, postRenderers, foreign, offered, warnings }: PlanReport,
): string {
  const yaml = (value: unknown) => stringify(value, { lineWidth: 0 }).replace(/^(?=.)/gm, "  ");
  const block = (title: string, body: string) => (body === "" ? "" : `\n${title}:\n${body}`);
  return [
    `chart ${chart}: ${images.length} image${images.length === 1 ? "" : "s"}\n`,
    ...images.map(({ source, target, fields }) => `\n${source}\n  -> ${target}\n${lines(fields, "     ")}`),
    block("values", Object.keys(values).length === 0 ? "" : yaml(values)),
    block("postRenderers", postRenderers.length === 0 ? "" : yaml(postRenderers)),
    block("look at", lines(warnings, "  ")),
    block(
      "not mirrored unless listed",
      lines(
        offered.map(({ image, where }) => `${image} (${where})`),
        "  ",
      ),
    ),
    block(
      "stays foreign",
      lines(
        foreign.map(({ object, field, image, why, remedy }) => {
          return `${object}, ${field}: ${image}${why ? ` (${why})` : ""}\n    ${remedy}`;
        }),
        "  ",
      ),
    ),
  ].join("");
}

function lines(items: readonly string[], indent: string): string {
  return items.map((item) => `${indent}${item}\n`).join("");
}
