// What it takes to mirror 100 images of three architectures and 20 charts: this program, which lets Azure copy, against
// `skopeo copy --all` and `helm pull` with `helm push` of as many at once, all against the same simulated services. Run it
// with: npm run bench -- mirror
import { execFile, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import pLimit from "p-limit";
import { chartManifest } from "../net/chartManifest.ts";
import type { Properties } from "../plugin/handler.ts";
import { digestOf, MEDIA } from "../rehearsal/cloud/registry/protocol.ts";
import type { UpstreamImage } from "../rehearsal/cloud/registry/upstream.ts";
import { descriptor, json } from "../rehearsal/content/image.ts";
import { packChart } from "../tests/mirror/charts.ts";
import { SimulatedRegistry } from "../tests/provider/mirror/simulated.ts";
import { listen } from "../tests/support/loopback.ts";
import { findTool } from "../tools/findTool.ts";
import type { MirrorResult, MirrorWork } from "./mirrorClient.ts";

const IMAGES = 100;
const CHARTS = 20;
/** Jobs at once, as many as the program's imports at most. */
const JOBS = 16;
/** Bytes of one layer; real ones are a hundred times as large. */
const LAYER = 100_000;
const CREATED = "2026-01-01T00:00:00Z";

/** An image of three architectures, of random bytes that nothing compresses. */
function image(number: number): UpstreamImage & { readonly digest: string } {
  const platforms = ["amd64", "arm64", "s390x"].map((architecture) => {
    const layer = randomBytes(LAYER);
    const config = json({ architecture, os: "linux", rootfs: { type: "layers", diff_ids: [digestOf(layer)] } });
    const layers = [descriptor("application/vnd.oci.image.layer.v1.tar", layer)];
    const described = descriptor("application/vnd.oci.image.config.v1+json", config);
    const body = json({ schemaVersion: 2, mediaType: MEDIA.ociManifest, config: described, layers });
    return { architecture, body, blobs: [config, layer] };
  });
  const manifests = platforms.map(({ architecture, body }) => ({
    ...descriptor(MEDIA.ociManifest, body),
    platform: { os: "linux", architecture },
  }));
  const index = json({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests });
  return {
    ...{ registry: "ghcr.io", repository: `acme/image${number}`, tags: ["1.0.0"], digest: digestOf(index) },
    blobs: platforms.flatMap(({ blobs }) => blobs),
    manifests: [
      ...platforms.map(({ body }) => ({ mediaType: MEDIA.ociManifest, body })),
      { mediaType: MEDIA.ociIndex, body: index },
    ],
  };
}

const images = Array.from({ length: IMAGES }, (_, number) => image(number));
const charts = await Promise.all(
  Array.from({ length: CHARTS }, async (_, number) => {
    const name = `chart${number}`;
    const tgz = packChart({}, {}, { name, files: { notes: randomBytes(LAYER) } });
    return { name, tgz, manifest: await chartManifest(tgz, CREATED) };
  }),
);
const repository = await listen(({ path }) => {
  const chart = charts.find(({ name }) => path === `/${name}-1.0.0.tgz`);
  return chart === undefined ? { status: 404 } : { body: chart.tgz };
});

async function world(): Promise<SimulatedRegistry> {
  const cloud = await SimulatedRegistry.start({ importDelay: 50 });
  for (const one of images) cloud.registries.upstream.add(one);
  return cloud;
}

function workOf(cloud: SimulatedRegistry, count = IMAGES): MirrorWork {
  const { id: registryId, loginServer } = cloud.target;
  const target = { registryId, loginServer };
  const wantedImages = images.slice(0, count).map(
    (one): Properties => ({
      ...target,
      ...{ source: `ghcr.io/${one.repository}:1.0.0`, digest: one.digest, repository: `ghcr.io/${one.repository}` },
      tag: "1.0.0",
    }),
  );
  const wantedCharts = (count === IMAGES ? charts : []).map(
    ({ name, manifest }): Properties => ({
      ...target,
      ...{ repository: `charts/${name}`, version: "1.0.0", url: `${repository.origin}/${name}-1.0.0.tgz` },
      ...{ sha256: manifest.layerDigest.replace("sha256:", ""), created: CREATED, manifest: manifest.manifestDigest },
    }),
  );
  return { arm: cloud.origin("arm"), registry: cloud.origin(loginServer), images: wantedImages, charts: wantedCharts };
}

/** What a piece of work took. */
async function measured<T>(cloud: SimulatedRegistry, work: () => Promise<T>) {
  const before = { ...cloud.traffic, charts: repository.requests.length };
  const result = await work();
  const downloads = repository.requests.length - before.charts;
  return {
    result,
    requests: cloud.traffic.requests - before.requests + downloads,
    megabytes: (cloud.traffic.bytes - before.bytes + downloads * (charts[0]?.tgz.length ?? 0)) / 1e6,
  };
}

/** Started as provider/pulumi-resource-gitops starts the plugin, whose memory is measured. */
async function client(work: MirrorWork): Promise<MirrorResult> {
  const compiled = join(import.meta.dirname, "../node_modules/.cache/gitops");
  const child = spawn(process.execPath, ["--max-semi-space-size=4", join(import.meta.dirname, "mirrorClient.ts")], {
    env: { ...process.env, NODE_COMPILE_CACHE: compiled },
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify(work));
  return JSON.parse(await text(child.stdout)) as MirrorResult;
}

const run = promisify(execFile);

async function byHand(cloud: SimulatedRegistry): Promise<number> {
  const start = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "aks-gitops-bench-"));
  const host = new URL(cloud.origin(cloud.target.loginServer)).host;
  const upstream = new URL(cloud.origin("ghcr.io")).host;
  const auth = Buffer.from("deployer:secret of deployer").toString("base64");
  const logins = join(folder, "auth.json");
  writeFileSync(logins, JSON.stringify({ auths: { [host]: { auth } } }));
  const helm = await findTool("helm");
  const env = { ...process.env, HELM_REGISTRY_CONFIG: logins, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder };
  const limit = pLimit(JOBS);
  const flags = ["--insecure-policy", "copy", "--all", "--preserve-digests", "--src-tls-verify=false"];
  const copies = images.map(({ repository: name }) =>
    limit(async () => {
      const from = `docker://${upstream}/${name}:1.0.0`;
      const to = `docker://${host}/ghcr.io/${name}:1.0.0`;
      await run("skopeo", [...flags, "--dest-tls-verify=false", "--dest-authfile", logins, from, to]);
    }),
  );
  const pushes = charts.map(({ name }) =>
    limit(async () => {
      await run(helm, ["pull", `${repository.origin}/${name}-1.0.0.tgz`, "--destination", folder], { env });
      await run(helm, ["push", join(folder, `${name}-1.0.0.tgz`), `oci://${host}/charts`, "--plain-http"], { env });
    }),
  );
  await Promise.all([...copies, ...pushes]);
  rmSync(folder, { recursive: true });
  return (performance.now() - start) / 1000;
}

const ARTIFACTS = IMAGES + CHARTS;
const each = (requests: number) => (requests / ARTIFACTS).toFixed(2);

const ours = await world();
const alone = await measured(ours, () => client(workOf(ours, 1)));
const first = await measured(ours, () => client(workOf(ours)));
const again = await measured(ours, () => client(workOf(ours)));
console.log(
  `this program: ${first.result.seconds.toFixed(1)} s, ${first.megabytes.toFixed(1)} MB through the client, ` +
    `${each(first.requests)} requests an artifact; again, with nothing changed, ${each(again.requests)}; ` +
    `${alone.requests} round trips of one image with its tokens; ${first.result.stateBytes} bytes of state an image; ` +
    `${Math.max(first.result.megabytes, again.result.megabytes).toFixed(0)} MB of memory, ${alone.result.megabytes.toFixed(0)} MB for one image`,
);
await ours.close();
if (spawnSync("skopeo", ["--version"]).error !== undefined) {
  console.log("skopeo is not on PATH: nothing to compare with");
} else {
  const theirs = await world();
  const copied = await measured(theirs, () => byHand(theirs));
  const repeated = await measured(theirs, () => byHand(theirs));
  console.log(
    `skopeo and helm, ${JOBS} at once: ${copied.result.toFixed(1)} s, ${copied.megabytes.toFixed(1)} MB through the client, ` +
      `${each(copied.requests)} requests an artifact; again, with nothing changed, ${each(repeated.requests)}`,
  );
  console.log(
    `ratios: time ${(first.result.seconds / copied.result).toFixed(2)}, bytes ${(first.megabytes / copied.megabytes).toFixed(3)}, ` +
      `requests ${(first.requests / copied.requests).toFixed(2)}, again ${(again.requests / repeated.requests).toFixed(2)}`,
  );
  await theirs.close();
}
await repository.close();
