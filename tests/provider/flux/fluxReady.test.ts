// FluxReady before an API server in memory: what it asks Flux for, what it makes of what it sees, when it gives up.
import { strict as assert } from "node:assert";
import { afterEach, beforeEach, describe, it } from "mocha";
import { PartialFailure, type Properties } from "../../../plugin/handler.ts";
import { type Flux, fluxInMemory } from "./fluxInMemory.ts";

const HEAD = "main@sha1:2";

describe("FluxReady of a cluster", () => {
  let flux: Flux;
  beforeEach(async () => {
    flux = await fluxInMemory();
    for (const name of ["flux-system", "infrastructure", "apps"]) flux.kustomization(name);
    flux.object("HelmRelease", "kured");
    flux.object("OCIRepository", "kured");
  });
  afterEach(() => flux.close());

  const names = { kustomizations: ["flux-system", "infrastructure", "apps"] };
  const inputs = (more: Properties = {}): Properties => ({
    ...{ endpoint: flux.endpoint, certificateAuthority: "Q0E=", commit: "2", readyMinutes: 1 },
    ...{ ...names, releases: ["kured"], sources: ["OCIRepository/kured"] },
    ...more,
  });
  const existing = (state: Properties = {}) => ({ id: "flux-system", inputs: inputs(), state: inputs(state) });
  const create = (more: Properties = {}) => flux.ready().create(inputs(more), flux.context);
  const preview = (state: Properties = {}, next = inputs()) => flux.ready().diff?.(existing(state), next, flux.context);
  const refresh = async (state: Properties = {}) =>
    (await flux.ready().read?.("flux-system", inputs(), inputs(state), flux.context))?.state.wrong;
  /** The lines of a failure below its first one. */
  const failure = async (more: Properties = {}) => {
    const error = await create(more).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof PartialFailure, String(error));
    return error;
  };
  const UPDATE = { changes: true, replaces: [], detailed: { wrong: { kind: "update", inputDiff: false } } };
  const NOTHING = { changes: false, replaces: [] };

  describe("in an update", () => {
    it("arrives when all is Ready at the head, and leaves no word of a fault", async () => {
      const { state } = await create();
      assert.deepEqual(state, inputs());
      assert.deepEqual(flux.asked(), ["GitRepository flux-system"]);
      assert.deepEqual(await flux.ready().update?.(existing({ wrong: ["x"] }), inputs(), flux.context), inputs());
    });

    it("asks for what has failed, releases and sources too", async () => {
      flux.fail("Kustomization", "apps", "HealthCheckFailed", "timeout");
      flux.fail("HelmRelease", "kured", "InstallFailed", "no");
      flux.onAsked = (kind, name) => kind !== "GitRepository" && flux.heal(kind, name);
      await create();
      assert.deepEqual(flux.asked(), ["GitRepository flux-system", "HelmRelease kured", "Kustomization apps"]);
    });

    it("asks once for a Kustomization that stays behind, and not for one that begins by itself", async () => {
      flux.kustomization("apps", { lastAppliedRevision: "main@sha1:1" });
      flux.kustomization("infrastructure", { lastAppliedRevision: "main@sha1:1" });
      flux.onLook = (look) => {
        if (look === 2) flux.kustomization("infrastructure");
      };
      flux.onAsked = (_, name) => {
        if (name === "apps") flux.kustomization("apps");
      };
      await create();
      assert.deepEqual(flux.asked(), ["GitRepository flux-system", "Kustomization apps"]);
    });

    it("has the root write a Kustomization that is missing, and the Kustomizations a release", async () => {
      flux.remove("Kustomization", "apps");
      flux.remove("HelmRelease", "kured");
      flux.onAsked = (kind, name) => {
        if (kind === "Kustomization" && name === "flux-system") flux.kustomization("apps");
        if (name === "infrastructure") flux.object("HelmRelease", "kured");
      };
      await create();
      assert.deepEqual(flux.asked(), [
        "GitRepository flux-system",
        "Kustomization apps",
        "Kustomization flux-system",
        "Kustomization infrastructure",
      ]);
    });

    it("does not ask for what is missing while the root is still at work on it", async () => {
      flux.remove("Kustomization", "apps");
      flux.onLook = (look) => {
        if (look === 2) flux.kustomization("flux-system", { ready: "Unknown", reason: "Progressing" });
        if (look !== 5) return;
        flux.kustomization("flux-system");
        flux.kustomization("apps");
      };
      await create();
      assert.deepEqual(flux.asked(), ["GitRepository flux-system"]);
    });

    it("names at once what is suspended, with the way to resume it, and resumes nothing", async () => {
      // What is at work beside it is not the reason.
      flux.kustomization("theirs", { ready: "Unknown", reason: "Progressing" });
      flux.kustomization("apps", { suspend: true });
      flux.object("HelmRelease", "kured", { suspend: true });
      flux.object("OCIRepository", "kured", { suspend: true });
      const { reasons, state } = await failure();
      const lines = [
        "Kustomization flux-system/apps: is suspended; `flux resume kustomization apps` lets it go on",
        "OCIRepository flux-system/kured: is suspended; `flux resume source oci kured` lets it go on",
        "HelmRelease flux-system/kured: is suspended; `flux resume helmrelease kured` lets it go on",
      ];
      assert.deepEqual(reasons, [`not Ready, and waiting does not help:\n  ${lines.join("\n  ")}`]);
      assert.deepEqual(state, inputs({ wrong: lines }));
      assert.equal(flux.pauses, 0);
      assert.deepEqual(
        flux.patches.filter((patch) => JSON.stringify(patch).includes("suspend")),
        [],
      );
    });

    it("waits for all that is not suspended first, but not for what waits for that", async () => {
      flux.kustomization("infrastructure", { suspend: true, lastAppliedRevision: "main@sha1:1" });
      const waits = "dependency 'flux-system/infrastructure' revision is not up to date";
      flux.fail("Kustomization", "apps", "DependencyNotReady", waits, { dependsOn: [{ name: "infrastructure" }] });
      flux.object("HelmRelease", "kured", { ready: "Unknown" });
      flux.onLook = (look) => {
        if (look === 3) flux.object("HelmRelease", "kured");
      };
      const { reasons } = await failure();
      assert.match(reasons[0] ?? "", /^not Ready, and waiting does not help:\n {2}Kustomization flux-system\/infra/);
      assert.match(reasons[0] ?? "", /\n {2}Kustomization flux-system\/apps: DependencyNotReady: /);
      assert.equal(flux.pauses, 2);
    });

    it("does not wait for what only the suspended root could write", async () => {
      flux.kustomization("flux-system", { suspend: true });
      flux.remove("Kustomization", "apps");
      const { reasons } = await failure();
      assert.match(reasons[0] ?? "", /^not Ready, and waiting does not help:/);
      assert.match(reasons[0] ?? "", /\n {2}Kustomization flux-system\/apps: is not there yet$/);
    });

    it("names every object when the time is over, each in a line that can be read", async () => {
      flux.remove("OCIRepository", "kured");
      flux.fail("Kustomization", "apps", "HealthCheckFailed", `timeout:\n${"Deployment/demo/demo ".repeat(100)}`);
      const { reasons, state } = await failure();
      const [first, apps = "", source, ...rest] = (reasons[0] ?? "").split("\n  ");
      assert.equal(first, "not Ready after 1 minute:");
      assert.match(apps, /^Kustomization flux-system\/apps: HealthCheckFailed: timeout: Deployment\/demo\/demo .*…$/);
      assert.ok(apps.length < 350, apps);
      assert.equal(source, "OCIRepository flux-system/kured: is not there yet");
      assert.deepEqual(rest, []);
      assert.deepEqual(state.wrong, [apps, source]);
    });

    it("takes an OCI HelmRepository for what it is: an address of which nothing is said", async () => {
      flux.object("HelmRepository", "acr-private", { type: "oci", ready: undefined });
      await create({ sources: ["HelmRepository/acr-private"] });
    });
  });

  describe("in a preview and a refresh", () => {
    it("finds nothing where all is well, and asks Flux for nothing", async () => {
      assert.deepEqual(await preview(), NOTHING);
      assert.equal(await refresh(), undefined);
      assert.deepEqual([flux.asked(), flux.logs], [[], []]);
      // One look at each kind.
      assert.equal(flux.requests.length, 8);
    });

    for (const [what, spoil, line] of [
      ["a Kustomization", () => flux.remove("Kustomization", "apps"), "Kustomization flux-system/apps: is not there"],
      ["a release", () => flux.remove("HelmRelease", "kured"), "HelmRelease flux-system/kured: is not there"],
      ["a source", () => flux.remove("OCIRepository", "kured"), "OCIRepository flux-system/kured: is not there"],
      [
        "a suspended release",
        () => flux.object("HelmRelease", "kured", { suspend: true }),
        "HelmRelease flux-system/kured: is suspended; `flux resume helmrelease kured` lets it go on",
      ],
      [
        "the suspended repository",
        () => flux.object("GitRepository", "flux-system", { suspend: true }),
        "GitRepository flux-system/flux-system: is suspended; `flux resume source git flux-system` lets it go on",
      ],
      [
        "a failed Kustomization",
        () => flux.fail("Kustomization", "apps", "BuildFailed", "no\nway"),
        "Kustomization flux-system/apps: BuildFailed: no way",
      ],
    ] as const)
      it(`sees ${what}, says so, and makes an update of it`, async () => {
        spoil();
        assert.deepEqual(await preview(), UPDATE);
        const warning = `warning: not all that was committed is well in the cluster; \`pulumi up\` asks Flux for it and waits:\n  ${line}`;
        assert.deepEqual(flux.logs, [warning]);
        assert.deepEqual(await refresh(), [line]);
        assert.deepEqual(flux.asked(), []);
      });

    it("sees nothing in a Flux that is at work, or waits for what is", async () => {
      flux.object("GitRepository", "flux-system", { revision: "main@sha1:3" });
      flux.kustomization("infrastructure", { ready: "Unknown", reason: "Progressing" });
      flux.fail("Kustomization", "apps", "DependencyNotReady", "dependency 'flux-system/infrastructure' is not ready");
      flux.fail("HelmRelease", "kured", "ArtifactFailed", "Source artifact not found, retrying in 30s");
      flux.fail("OCIRepository", "kured", "HealthCheckCanceled", "new");
      assert.deepEqual(await preview(), NOTHING);
      assert.equal(await refresh(), undefined);
    });

    it("after a failure wants all to have come, not only nothing to have failed", async () => {
      flux.kustomization("apps", { lastAppliedRevision: "main@sha1:1" });
      const line = `Kustomization flux-system/apps: applied main@sha1:1, not ${HEAD}`;
      assert.deepEqual(await refresh({ wrong: ["Kustomization flux-system/apps: BuildFailed: no"] }), [line]);
      assert.deepEqual(await preview({ wrong: [line] }), UPDATE);
      flux.kustomization("apps");
      assert.equal(await refresh({ wrong: [line] }), undefined);
      assert.deepEqual(await preview({ wrong: [line] }), NOTHING);
    });

    for (const status of [401, 403])
      it(`keeps what is known, with one warning, where the caller may not look: ${status}`, async () => {
        flux.refuse = status;
        assert.deepEqual(await preview(), NOTHING);
        assert.equal(flux.logs.length, 1);
        assert.match(
          flux.logs[0] ?? "",
          /^warning: what Flux made of the commit was not looked at, so it counts as before: GET \/apis\/\S+: not you$/,
        );
        assert.deepEqual(await preview({ wrong: ["known"] }), UPDATE);
        assert.deepEqual(await refresh({ wrong: ["known"] }), ["known"]);
        assert.equal(await refresh(), undefined);
      });

    it("does not wait long for an API server that is silent, nor try one again that is not there", async () => {
      flux.silent = true;
      const look = async () => flux.ready({}, 50).diff?.(existing(), inputs(), flux.context);
      assert.deepEqual(await look(), NOTHING);
      assert.match(flux.logs[0] ?? "", / counts as before: (no answer within 0\.05 s|.*aborted due to timeout)$/);
      flux.silent = false;
      await flux.close();
      const started = performance.now();
      assert.deepEqual(await preview(), NOTHING);
      assert.ok(performance.now() - started < 400, "it was tried again");
      assert.match(flux.logs[1] ?? "", /no answer from the API server/);
    });

    it("does not look where there is something to wait for anyway, or another cluster", async () => {
      flux.remove("Kustomization", "apps");
      assert.deepEqual(await preview({}, inputs({ commit: "3" })), { changes: true, replaces: [] });
      const other = { changes: true, replaces: ["endpoint"] };
      assert.deepEqual(await preview({}, inputs({ endpoint: "https://other.example" })), other);
      assert.deepEqual(flux.requests, []);
    });
  });

  it("only waits, so a replacement waits again and takes nothing away", async () => {
    const handler = flux.ready();
    assert.equal(handler.delete, undefined);
    const before = flux.snapshot();
    await create();
    assert.deepEqual(flux.asked(), ["GitRepository flux-system"]);
    assert.deepEqual(flux.snapshot(), before);
  });

  it("stands in no state when it is cut off, so that the next update waits again", async () => {
    flux.kustomization("apps", { ready: "Unknown" });
    const stop = new AbortController();
    flux.onLook = (look) => {
      if (look === 2) stop.abort(new Error("cancelled"));
    };
    const cut = flux.ready().create(inputs(), { ...flux.context, signal: stop.signal });
    await assert.rejects(cut, (error: Error) => !(error instanceof PartialFailure) && error.message === "cancelled");
    // An update that is cut off leaves the old commit in the state: another one than is wanted.
    flux.kustomization("apps");
    const old = { ...existing(), inputs: inputs({ commit: "1" }), state: inputs({ commit: "1" }) };
    assert.equal((await flux.ready().diff?.(old, inputs(), flux.context))?.changes, true);
  });

  it("is not imported, but declared", async () => {
    await assert.rejects(async () => flux.ready().read?.("flux-system", {}, {}, flux.context), {
      message: "FluxReady needs no import: declare it, and it waits for what the cluster already has",
    });
  });
});
