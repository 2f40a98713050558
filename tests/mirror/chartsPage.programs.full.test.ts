// What docs/charts.md says, done: its commands word for word, and its table as Helm's renderings give it.

import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { parse, parseAllDocuments, stringify } from "yaml";
import { parseReference, sourceOf } from "../../mirror/reference.ts";
import { isMap } from "../../net/values.ts";
import { imageContent } from "../../rehearsal/content/image.ts";
import { findTool } from "../../tools/findTool.ts";
import { faults } from "../settings/faults.ts";
import { deployment, packChart } from "./charts.ts";
import { HARD_CHARTS, type HardChart } from "./hardCharts.ts";
import { type Upstream, upstream } from "./upstream.ts";

const PAGE = fileURLToPath(new URL("../../docs/charts.md", import.meta.url));
const page = readFileSync(PAGE, "utf8");

/** The blocks of a language, in order. */
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);

/** The chart that the page has at hand. */
const SHOP = packChart(
  {
    image: { repository: "ghcr.io/acme/shop", tag: "2.3.0" },
    metrics: { enabled: false, image: "quay.io/acme/shop-metrics:1.4" },
  },
  {
    "shop.yaml": deployment("{{ .Values.image.repository }}:{{ .Values.image.tag }}", { name: "shop" }).replace(
      "      containers:",
      "      initContainers: [{name: wait, image: busybox:1.37}]\n      containers:",
    ),
    "metrics.yaml": `{{ if .Values.metrics.enabled }}\n${deployment("{{ .Values.metrics.image }}", { name: "metrics" })}{{ end }}`,
  },
  { name: "shop", version: "2.3.0" },
);
const IMAGES = ["ghcr.io/acme/shop:2.3.0", "docker.io/library/busybox:1.37", "docker.io/library/nginx:1.29"];

describe("the guide of a chart at hand", () => {
  let world: Upstream;
  before(async function () {
    this.timeout(1_200_000);
    await findTool("helm");
    world = await upstream();
    await world.publish({
      images: IMAGES.map(imageContent),
      repositories: [{ url: "https://charts.acme.example/stable", charts: [SHOP], urls: "relative" }],
    });
    writeFileSync(join(world.folder, "shop-2.3.0.tgz"), SHOP);
  });
  after(() => world?.close());

  /** Every command of the page with what it says, in order. */
  const steps = blocks("console").flatMap((text) =>
    text
      .split(/^(?=\$ )/m)
      .map((step) => /^\$ (.*)\n([\s\S]*)$/.exec(step))
      .flatMap((found) => (found ? [{ command: found[1] ?? "", said: found[2] ?? "" }] : [])),
  );
  const [settings = "", file = ""] = blocks("yaml");

  it("has settings without a fault", () => {
    assert.deepEqual(faults(parse(settings)), []);
  });

  it("says what its commands say, in its order", async () => {
    const { charts, images } = {
      charts: parse(settings)["aks-gitops:charts"] as object[],
      images: parse(settings)["aks-gitops:images"] as string[],
    };
    await world.settings(charts, images);
    const path = /^# (\S+)\n/.exec(file)?.[1] ?? "";
    mkdirSync(dirname(join(world.folder, path)), { recursive: true });
    writeFileSync(join(world.folder, path), file);
    assert.ok(steps.length >= 4);
    for (const { command, said } of steps) {
      const [, name = "", rest = ""] = /^npm run mirror -- (\S+) ?(.*)$/.exec(command) ?? [];
      // The engine's own two are run by every rehearsal.
      if (name === "") assert.match(command, /^pulumi (preview|up)$/);
      else {
        const args = rest.split(" ").filter(Boolean);
        const { stdout, stderr } = await world.update({ command: name, list: [], args, cwd: world.folder });
        const told = stderr.replace(/^helm .*\n/gm, "");
        assert.equal(told + stdout, said, command);
      }
    }
  });
});

/** Public reports of a structure. */
const REPORTS: Readonly<Record<string, string>> = {
  "a name in the template and a digest as the only value": "smallstep/helm-charts#87",
  "a checksum in the same line of JSON": "jenkinsci/helm-charts#1349",
  "texts, arguments and resources that no value reaches": "istio/istio#56907",
  "another tag for each minor version": "vmware-tanzu/helm-charts#302",
  "containers that come and go with an API": "helm/helm#9951",
};

/** An image's one name; undefined for what is none. */
function nameOfImage(text: unknown): string | undefined {
  const reference = typeof text === "string" ? parseReference(text) : undefined;
  return reference && sourceOf(reference);
}

/** What `containers` and `initContainers` hold, anywhere. */
function containerImages(node: unknown): unknown[] {
  if (Array.isArray(node)) return node.flatMap(containerImages);
  if (!isMap(node)) return [];
  return Object.entries(node).flatMap(([key, value]) => {
    const own = /^(c|initC)ontainers$/.test(key) && Array.isArray(value) ? value.filter(isMap) : [];
    return [...own.map(({ image }) => image), ...containerImages(value)];
  });
}

describe("the table of what others miss", () => {
  let helm: string;
  let folder: string;
  before(async function () {
    this.timeout(1_200_000);
    helm = await findTool("helm");
    folder = mkdtempSync(join(tmpdir(), "missed-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** How many of a chart's images two ways of others come to: of one rendering, as Helm gives it. */
  function counted({ tgz, values = {}, images }: HardChart): { lines: number; containers: number } {
    writeFileSync(join(folder, "chart.tgz"), tgz);
    writeFileSync(join(folder, "values.yaml"), stringify(values));
    const args = ["template", "tool", join(folder, "chart.tgz"), "--values", join(folder, "values.yaml")];
    const text = execFileSync(helm, args, { encoding: "utf8", maxBuffer: 2 ** 28 });
    const among = (found: readonly unknown[]) => {
      const names = new Set(found.map(nameOfImage));
      return images.filter((image) => names.has(image)).length;
    };
    const documents = parseAllDocuments(text, { logLevel: "silent" }).map((one) => one.toJS() as unknown);
    return {
      lines: among([...text.matchAll(/^[ \t-]*image: *["']?([^\s"'#]+)/gm)].map(([, image]) => image)),
      containers: among(containerImages(documents)),
    };
  }

  it("is that of the page", () => {
    const rows = HARD_CHARTS.map((chart) => {
      const { lines, containers } = counted(chart);
      const count = chart.images.length;
      const report = REPORTS[chart.name];
      const link = report ? `[${report}](https://github.com/${report.replace("#", "/issues/")})` : "";
      return `| ${chart.name} | ${lines} of ${count} | ${containers} of ${count} | ${count} | ${link} |`;
    });
    const head =
      "| the chart has | found by `image:` lines | reached by kustomize's `images` | found and moved here | a report |";
    const table = [head, "| --- | --- | --- | --- | --- |", ...rows].join("\n");
    assert.equal(/<!-- missed -->\n([\s\S]*?)\n?<!-- \/missed -->/.exec(page)?.[1], table);
    for (const name of Object.keys(REPORTS))
      assert.ok(
        HARD_CHARTS.some((chart) => chart.name === name),
        name,
      );
  });
});
