// What the mirror pushes and imports, replaced, removed and interrupted anywhere: what is done again ends as if nothing had
// been.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "mocha";
import { chartManifest } from "../../../net/chartManifest.ts";
import { CLOCK } from "../../../net/retry.ts";
import type { Context, Existing, Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import type { Cloud, Registry } from "../../../provider/azure/cloud.ts";
import { chartMirrorIn } from "../../../provider/mirror/chartMirror.ts";
import { imageImportIn } from "../../../provider/mirror/imageImport.ts";
import { type Loopback, listen } from "../../support/loopback.ts";
import { FakeCloud, REGISTRY_ID } from "../fakeCloud.ts";
import { chart } from "./chart.ts";

/** A moment: before the request of a number takes effect, or after it has and before its answer. */
interface Moment {
  readonly request: number;
  readonly hasEffect: boolean;
}

/** A cloud that falls silent at a moment; the operation is cancelled then. */
class SilentCloud implements Cloud {
  requests = 0;
  readonly #cloud: FakeCloud;
  readonly #moment: Moment;
  readonly #abort = new AbortController();

  constructor(cloud: FakeCloud, moment: Moment) {
    this.#cloud = cloud;
    this.#moment = moment;
  }

  get context(): Context {
    return { ...this.#cloud.context, signal: this.#abort.signal };
  }

  arm(): ReturnType<Cloud["arm"]> {
    const { request } = this.#cloud.arm();
    return {
      request: <T>(...given: Parameters<typeof request>) => {
        const aborted = new Promise<never>((_, reject) =>
          this.#abort.signal.addEventListener("abort", () => reject(this.#abort.signal.reason)),
        );
        return Promise.race([this.#call(() => request<T>(...given)), aborted]);
      },
    };
  }

  registry(host: string): Registry {
    const registry = this.#cloud.registry(host);
    return {
      head: (...given) => this.#call(() => registry.head(...given)),
      manifest: (...given) => this.#call(() => registry.manifest(...given)),
      blob: (...given) => this.#call(() => registry.blob(...given)),
      referrers: (...given) => this.#call(() => registry.referrers(...given)),
      pushBlob: (...given) => this.#call(() => registry.pushBlob(...given)),
      pushManifest: (...given) => this.#call(() => registry.pushManifest(...given)),
    };
  }

  async #call<T>(request: () => Promise<T>): Promise<T> {
    if (++this.requests !== this.#moment.request) return request();
    if (this.#moment.hasEffect) await request().catch(() => {});
    this.#abort.abort(new Error("cancelled"));
    return new Promise(() => {});
  }
}

const CREATED = "2026-01-31T12:00:00Z";
const TGZ = chart("kured", "6.1.0");
const NEXT_TGZ = chart("kured", "6.1.0", "a note that came later");
const [MANIFEST, NEXT_MANIFEST] = await Promise.all([chartManifest(TGZ, CREATED), chartManifest(NEXT_TGZ, CREATED)]);
const [DIGEST, NEXT_DIGEST] = ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];
const TAG = "ghcr.io/kubereboot/kured:1.23.0";

describe("what is mirrored, replaced or interrupted", () => {
  let server: Loopback;
  beforeEach(async () => {
    server = await listen(({ path }) => ({ body: path === "/next.tgz" ? NEXT_TGZ : TGZ }));
  });
  afterEach(() => server.close());

  const chartInputs = (tgz: Buffer, manifest: string, path: string): Properties => ({
    registryId: REGISTRY_ID,
    loginServer: "acme.azurecr.io",
    repository: "charts/kured",
    version: "6.1.0",
    url: `${server.origin}/${path}`,
    sha256: createHash("sha256").update(tgz).digest("hex"),
    created: CREATED,
    manifest,
  });
  const first = () => chartInputs(TGZ, MANIFEST.manifestDigest, "first.tgz");
  const next = () => chartInputs(NEXT_TGZ, NEXT_MANIFEST.manifestDigest, "next.tgz");
  const image = (digest: string): Properties => ({
    registryId: REGISTRY_ID,
    loginServer: "acme.azurecr.io",
    source: "ghcr.io/kubereboot/kured:1.23.0",
    digest,
    repository: "ghcr.io/kubereboot/kured",
    tag: "1.23.0",
    allowMovedTag: true,
  });

  /** What is in a registry. */
  const heldBy = ({ held, manifests, blobs }: FakeCloud) => ({
    held: [...held].sort(),
    manifests: [...manifests.keys()].sort(),
    blobs: [...blobs.keys()].sort(),
  });

  /** Interrupts an operation at every moment, and does it again after each. */
  const walk = async (
    start: () => Promise<FakeCloud>,
    handlerIn: (cloud: Cloud) => ResourceHandler,
    operation: (handler: ResourceHandler, context: Context) => Promise<unknown>,
  ) => {
    const reference = await start();
    const wanted = await operation(handlerIn(reference), reference.context);
    for (let request = 1, isOver = false; !isOver; request++) {
      for (const hasEffect of [false, true]) {
        const cloud = await start();
        const silent = new SilentCloud(cloud, { request, hasEffect });
        const outcome = await operation(handlerIn(silent), silent.context).catch((error: Error) => error);
        isOver = silent.requests < request;
        if (!isOver) assert.equal(outcome instanceof Error && outcome.message, "cancelled");
        const again = await operation(handlerIn(cloud), cloud.context);
        assert.deepEqual(again, wanted);
        assert.deepEqual(heldBy(cloud), heldBy(reference), `interrupted at request ${request}`);
      }
      assert.ok(request < 20, "it never needs fewer requests");
    }
  };
  const empty = async () => new FakeCloud();

  const MIRRORED = [
    {
      handlerIn: chartMirrorIn,
      inputs: first,
      leaves: "leaves the chart in the registry when it is replaced or deleted",
      sees: "sees in a refresh that somebody removed the chart, and brings it back",
    },
    {
      handlerIn: imageImportIn,
      inputs: () => image(DIGEST),
      leaves: "leaves the image in the registry when it is replaced or deleted",
      sees: "sees in a refresh that somebody removed the image, and brings it back",
    },
  ];

  for (const { handlerIn, inputs, leaves, sees } of MIRRORED) {
    const made = async () => {
      const cloud = new FakeCloud();
      const handler = handlerIn(cloud);
      const existing: Existing = { inputs: inputs(), ...(await handler.create(inputs(), cloud.context)) };
      return { cloud, handler, existing };
    };

    it(leaves, async () => {
      const { cloud, handler, existing } = await made();
      const before = heldBy(cloud);
      assert.notEqual(before.held.length, 0);
      await handler.create(existing.inputs, cloud.context);
      await handler.delete?.(existing, cloud.context);
      assert.deepEqual(heldBy(cloud), before);
    });

    it(sees, async () => {
      const { cloud, handler, existing } = await made();
      const before = heldBy(cloud);
      for (const map of [cloud.held, cloud.manifests, cloud.blobs]) map.clear();
      assert.equal(await handler.read?.(existing.id, existing.inputs, existing.state, cloud.context), undefined);
      await handler.create(existing.inputs, cloud.context);
      assert.deepEqual(heldBy(cloud), before);
    });
  }

  it("at any moment of a chart's push, has it after the next up", () =>
    walk(empty, chartMirrorIn, (handler, context) => handler.create(first(), context)));

  it("at any moment of the push of another content, has it after the next up", () =>
    walk(
      async () => {
        const cloud = new FakeCloud();
        await chartMirrorIn(cloud).create(first(), cloud.context);
        return cloud;
      },
      chartMirrorIn,
      async (handler, context) => {
        const existing: Existing = { id: "x", inputs: first(), state: first() };
        return handler.update?.(existing, next(), context);
      },
    ));

  it("at any moment of an image's import, has it after the next up", () =>
    walk(empty, imageImportIn, (handler, context) => handler.create(image(DIGEST), context)));

  it("at any moment of the import of another digest, has it after the next up", () =>
    walk(
      async () => {
        const cloud = new FakeCloud();
        await imageImportIn(cloud).create(image(DIGEST), cloud.context);
        return cloud;
      },
      imageImportIn,
      async (handler, context) => {
        const existing: Existing = { id: "x", inputs: image(DIGEST), state: image(DIGEST) };
        return handler.update?.(existing, image(NEXT_DIGEST), context);
      },
    ));

  it("while Azure still imports the image, waits for that import", async () => {
    const cloud = new FakeCloud();
    const { allowMovedTag: _, ...inputs } = image(DIGEST);
    const abort = new AbortController();
    const started = CLOCK.now();
    // Azure has taken the first request and is busy with it for a while.
    cloud.answer = async () => {
      abort.abort(new Error("cancelled"));
      throw abort.signal.reason;
    };
    const handler = imageImportIn(cloud);
    await assert.rejects(handler.create(inputs, { ...cloud.context, signal: abort.signal }), /cancelled/);
    let conflicts = 1;
    cloud.answer = (call) => {
      if (conflicts-- > 0) throw new ArmError(409, "Conflict", "an operation is in progress");
      cloud.held.set(TAG, DIGEST);
      return cloud.import(call);
    };
    await handler.create(inputs, cloud.context);
    assert.equal(cloud.calls.length, 3);
    assert.equal(cloud.held.get(TAG), DIGEST);
    assert.ok(CLOCK.now() - started < 10_000);
  });
});
