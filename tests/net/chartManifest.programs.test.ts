import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { CHART_MEDIA_TYPES, chartManifest } from "../../net/chartManifest.ts";
import { digestOf } from "../../net/values.ts";
import { gzip, tar } from "../../rehearsal/content/archive.ts";
import { findTool } from "../../tools/findTool.ts";
import { packChart } from "../mirror/charts.ts";

const CREATED = "2026-01-02T03:04:05Z";

const chart = packChart(
  {},
  {},
  {
    version: "1.2.3+build.4",
    files: { "charts/sub/Chart.yaml": "name: sub\nversion: 9.9.9\n" },
    meta: {
      home: "https://acme.example",
      sources: ["https://acme.example/source", "https://acme.example/other"],
      description: 'Cuts <wood> & "stone"',
      keywords: ["saw"],
      maintainers: [{ name: "Ann", email: "ann@acme.example", url: "https://ann.example" }, { name: "Bob" }],
      icon: "https://acme.example/icon.svg",
      deprecated: true,
      kubeVersion: ">=1.30.0-0",
      annotations: { "org.opencontainers.image.title": "mine", "acme.example/size": "large", "a.example/first": "1" },
      dependencies: [{ name: "sub", version: "9.9.9", repository: "", condition: "sub.enabled", alias: "below" }],
      type: "application",
    },
  },
);

describe("chartManifest", () => {
  it("describes the chart byte for byte the same every time", async () => {
    const made = await chartManifest(chart, CREATED);
    assert.deepEqual(made, await chartManifest(Buffer.from(chart), CREATED));
    assert.equal(made.name, "tool");
    assert.equal(made.version, "1.2.3+build.4");
    assert.deepEqual(JSON.parse(made.manifest.toString()), {
      schemaVersion: 2,
      config: {
        mediaType: "application/vnd.cncf.helm.config.v1+json",
        digest: made.configDigest,
        size: made.config.length,
      },
      layers: [
        {
          mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
          digest: made.layerDigest,
          size: chart.length,
        },
      ],
      annotations: {
        "a.example/first": "1",
        "acme.example/size": "large",
        "org.opencontainers.image.authors": "Ann (ann@acme.example), Bob",
        "org.opencontainers.image.created": CREATED,
        "org.opencontainers.image.description": 'Cuts <wood> & "stone"',
        "org.opencontainers.image.source": "https://acme.example/source",
        "org.opencontainers.image.title": "tool",
        "org.opencontainers.image.url": "https://acme.example",
        "org.opencontainers.image.version": "1.2.3+build.4",
      },
    });
    assert.equal(made.manifestDigest, digestOf(made.manifest));
    assert.equal(made.configDigest, digestOf(made.config));
    assert.equal(made.layerDigest, digestOf(chart));
  });

  it("changes with the pinned time", async () => {
    const other = await chartManifest(chart, "2026-01-02T03:04:06Z");
    assert.notEqual(other.manifestDigest, (await chartManifest(chart, CREATED)).manifestDigest);
    assert.equal(other.configDigest, (await chartManifest(chart, CREATED)).configDigest);
  });

  it("refuses an archive that is no chart", async () => {
    const pack = (path: string, text: string) => gzip(tar([{ path, body: Buffer.from(text) }]));
    await assert.rejects(chartManifest(pack("tool/readme", ""), CREATED), /holds no <name>\/Chart\.yaml/);
    await assert.rejects(
      chartManifest(pack("tool/Chart.yaml", "name: tool"), CREATED),
      /tool\/Chart\.yaml .* must have a name and a version/,
    );
  });

  it("is what `helm push` makes of the same file", async function () {
    // Where Helm must be built first.
    this.timeout(1_200_000);
    const helm = await findTool("helm");
    const folder = await mkdtemp(join(tmpdir(), "aks-gitops-push-"));
    const pushed = new Map<string, Buffer>();
    const server = createServer((request, response) => void registry(pushed, request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const file = join(folder, "tool.tgz");
      await writeFile(file, chart);
      await utimes(file, new Date(CREATED), new Date(CREATED));
      const target = `oci://127.0.0.1:${(server.address() as AddressInfo).port}/charts`;
      // Helm writes the file's time in the machine's zone.
      const env = {
        ...process.env,
        TZ: "UTC",
        HELM_CONFIG_HOME: folder,
        HELM_CACHE_HOME: folder,
        NO_PROXY: "127.0.0.1",
      };
      await promisify(execFile)(helm, ["push", file, target, "--plain-http"], { env });
      const made = await chartManifest(chart, CREATED);
      assert.equal(pushed.get("1.2.3_build.4")?.toString(), made.manifest.toString());
      assert.equal(pushed.get(made.configDigest)?.toString(), made.config.toString());
    } finally {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** As much of a registry as a push needs: it keeps by digest, and manifests by tag too. */
async function registry(pushed: Map<string, Buffer>, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? "", "http://registry");
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const manifest = /\/manifests\/(.+)$/.exec(url.pathname)?.[1];
  const known = manifest === undefined ? undefined : pushed.get(manifest);
  if (request.method === "POST") response.writeHead(202, { location: `${url.pathname}1` }).end();
  else if (request.method === "PUT") {
    pushed.set(digestOf(body), body);
    if (manifest !== undefined) pushed.set(manifest, body);
    response.writeHead(201, { "docker-content-digest": digestOf(body) }).end();
  } else if (known !== undefined) {
    const headers = { "content-type": CHART_MEDIA_TYPES.manifest, "content-length": known.length };
    response.writeHead(200, { ...headers, "docker-content-digest": digestOf(known) });
    response.end(request.method === "HEAD" ? undefined : known);
  } else response.writeHead(url.pathname === "/v2/" ? 200 : 404).end();
}
