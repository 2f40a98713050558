// FluxInstall cut off after each of its writes, and what the next command makes of it; in a cluster that the caller gives.
import { strict as assert } from "node:assert";
import type { Context, Existing, Properties, ResourceHandler } from "../../../plugin/handler.ts";

/** A cluster without Flux, and the way to it. */
export interface Interruptible {
  readonly handler: ResourceHandler;
  /** Of FluxInstall. */
  readonly inputs: Properties;
  readonly context: Context;
  /** An object as it is; undefined where there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: objects of every kind.
  get(path: string): Promise<any>;
  /** Server-side apply. */
  apply(path: string, object: object): Promise<unknown>;
  /** Whether anything with Flux's labels is left. */
  isEmpty(): Promise<boolean>;
  /** Whatever has to hold at every moment. */
  holds(): void;
  /** Called with every write that the API server has done for FluxInstall. */
  onWrite(listener: () => void): void;
}

const NAMESPACE = "/api/v1/namespaces/flux-system";
const ROOT = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/flux-system";
const SOURCE = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system";
const BUCKETS = "/apis/source.toolkit.fluxcd.io/v1/namespaces/default/buckets";

/** More moments than there are. */
const MOST = 150;

/**
 * Walks through all moments, one walk after the other in this order.
 * @param given of the moment when a walk begins.
 * @param least how many moments there are at least.
 * @param step how many moments lie between two that are tried, where what is tried is a whole run of its own.
 */
export function interruptions(given: () => Interruptible, least: number, step = 1) {
  let existing: Existing;
  const create = async (context: Context) => {
    const { handler, inputs } = given();
    existing = { ...(await handler.create(inputs, context)), inputs };
  };
  const update = async (context: Context) => {
    const { handler, inputs } = given();
    existing = { ...existing, state: (await handler.update?.(existing, inputs, context)) ?? {} };
  };
  const remove = async (context: Context) => given().handler.delete?.(existing, context);
  const isChanged = async () => {
    const { handler, inputs, context } = given();
    return (await handler.diff?.(existing, inputs, context))?.changes;
  };

  /** Runs an operation and ends it when its nth write is done. @returns whether it was ended. */
  async function cutOff(nth: number, operation: (context: Context) => Promise<unknown>): Promise<boolean> {
    const { context, onWrite, holds } = given();
    const controller = new AbortController();
    let count = 0;
    onWrite(() => {
      if (++count === nth) controller.abort(new Error("killed"));
    });
    try {
      await operation({ ...context, signal: controller.signal });
      return false;
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      return true;
    } finally {
      onWrite(() => {});
      holds();
    }
  }

  async function assertWhole(moment: string): Promise<void> {
    const { get, holds } = given();
    assert.equal(await isChanged(), false, `${moment}: a preview sees a change`);
    for (const path of [NAMESPACE, ROOT, SOURCE]) {
      const { metadata, spec } = await get(path);
      assert.equal(metadata.annotations?.["aks-gitops/uninstalling"], undefined, `${moment}: ${path} is marked`);
      assert.equal(spec?.suspend, undefined, `${moment}: ${path} is suspended`);
    }
    holds();
  }

  async function assertGone(moment: string): Promise<void> {
    const { get, isEmpty, holds } = given();
    assert.equal(await get(NAMESPACE), undefined, `${moment}: the namespace`);
    assert.equal(await isEmpty(), true, `${moment}: something of Flux is left`);
    holds();
  }

  /** A source that somebody paused, and one that runs, in another namespace. */
  async function furnish(): Promise<void> {
    for (const name of ["paused", "running"]) {
      const spec = { interval: "10m", bucketName: "b", endpoint: "e.example", suspend: name === "paused" };
      const metadata = { name, namespace: "default" };
      const apiVersion = "source.toolkit.fluxcd.io/v1";
      await given().apply(`${BUCKETS}/${name}`, { apiVersion, kind: "Bucket", metadata, spec });
    }
  }
  const suspensions = async () => {
    const found = await Promise.all(["paused", "running"].map((name) => given().get(`${BUCKETS}/${name}`)));
    return found.map((one) => one && (one.spec.suspend ?? false));
  };

  async function installation(): Promise<void> {
    let moments = 0;
    while (moments < MOST && (await cutOff(moments + 1, create))) moments++;
    assert.ok(moments > least && moments < MOST, `${moments} moments`);
    await assertWhole("at the end");
  }

  async function uninstall(): Promise<void> {
    let runs = 0;
    // Each run marks the namespace and then comes one write further.
    while (runs < MOST && (await cutOff(2, remove))) runs++;
    assert.ok(runs > least / 2 && runs < MOST, `${runs} moments`);
    await assertGone("at the end");
  }

  async function uninstallTakenBack(): Promise<void> {
    await create(given().context);
    for (let nth = 1; nth < MOST; nth += step) {
      await furnish();
      if (!(await cutOff(nth, remove))) {
        assert.ok(nth > least / 2, `${nth} moments`);
        return;
      }
      const moment = `after ${nth} writes`;
      assert.equal(await isChanged(), true, `${moment}: a preview sees it`);
      await update(given().context);
      await assertWhole(moment);
      // What its CRD took along is gone; what is left is as it was.
      const found = await suspensions();
      assert.deepEqual(found, found[0] === undefined ? [undefined, undefined] : [true, false], moment);
    }
    assert.fail("it never came to its end");
  }

  async function takingBack(): Promise<void> {
    await create(given().context);
    // Before, while and after the controllers, the CRDs and the namespace go.
    for (let nth = 1; await cutOff(nth, remove); nth += 8) {
      for (let moment = 1; await cutOff(moment, update); moment += step)
        if (!(await isChanged())) await assertWhole(`after ${nth} and ${moment} writes`);
      await assertWhole(`after ${nth} writes`);
    }
  }

  async function installationDeleted(): Promise<void> {
    await remove(given().context);
    for (let nth = 1; await cutOff(nth, create); nth += step) {
      await remove(given().context);
      await assertGone(`after ${nth} writes`);
    }
    await assertWhole("at the end");
  }

  return { installation, uninstall, uninstallTakenBack, takingBack, installationDeleted };
}
