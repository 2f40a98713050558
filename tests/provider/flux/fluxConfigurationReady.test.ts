// FluxConfigurationReady before an Azure in memory that tells of a configuration as the service does.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeEach, describe, it } from "mocha";
import { type Context, PartialFailure, type Properties, UNKNOWN } from "../../../plugin/handler.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { type ConfigurationWorld, fluxConfigurationReadyIn } from "../../../provider/flux/fluxConfigurationReady.ts";
import { CLUSTER_ID, FakeCloud } from "../fakeCloud.ts";

const ID = `${CLUSTER_ID}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/flux-system`;
const ROOT = "flux-system-cluster";
const NAMES = [ROOT, "infrastructure", "apps"];
const URL = "https://github.com/acme/fleet";

interface Status {
  kind: string;
  name: string;
  namespace: string;
  complianceState: string;
  appliedBy: { name: string; namespace: string } | null;
  statusConditions: object[];
}

describe("FluxConfigurationReady", () => {
  let cloud: FakeCloud;
  let properties: Record<string, unknown> & { statuses: Status[] };
  /** The branch's commits as Git tells them, the oldest first; an error is what Git fails with. */
  let branch: readonly string[] | Error;
  /** How often Git was asked. */
  let asked: number;
  /** What happens before each look but the first, by its number. */
  let onLook: (look: number) => void;
  let looks: number;
  let now: number;
  let logs: string[];
  let context: Context;

  const status = (kind: string, name: string, appliedBy?: string): Status => ({
    ...{ kind, name, namespace: "flux-system", complianceState: "Compliant" },
    appliedBy: appliedBy === undefined ? null : { name: appliedBy, namespace: "flux-system" },
    statusConditions: [
      { type: "Ready", status: "True", reason: "Succeeded", message: "stored", lastTransitionTime: "then" },
    ],
  });
  const find = (name: string, kind = "Kustomization") => {
    const found = properties.statuses.find((one) => one.kind === kind && one.name === name);
    assert.ok(found, name);
    return found;
  };
  const tell = (name: string, complianceState: string, ready: string, reason: string, message: string, kind?: string) =>
    Object.assign(find(name, kind), {
      complianceState,
      statusConditions: [{ type: "Ready", status: ready, reason, message }],
    });
  const remove = (name: string, kind = "Kustomization") =>
    properties.statuses.splice(properties.statuses.indexOf(find(name, kind)), 1);
  const applied = (name: string, commit: string) =>
    tell(name, "Compliant", "True", "ReconciliationSucceeded", `Applied revision: main@sha1:${commit}`);
  /** The whole cluster at a commit. */
  const bring = (commit: string) => {
    properties.sourceSyncedCommitId = `main@sha1:${commit}`;
    for (const name of NAMES) applied(name, commit);
  };

  beforeEach(() => {
    cloud = new FakeCloud();
    [branch, asked, onLook, looks, now, logs] = [["old", "new"], 0, () => {}, 0, 0, []];
    properties = {
      ...{ namespace: "flux-system", suspend: false, complianceState: "Compliant", errorMessage: "" },
      statuses: [
        status("GitRepository", "flux-system"),
        status("Kustomization", ROOT),
        status("Kustomization", "infrastructure", ROOT),
        status("Kustomization", "apps", ROOT),
        status("OCIRepository", "kured", "infrastructure"),
        status("HelmRelease", "kured", "infrastructure"),
      ],
    };
    bring("new");
    cloud.answer = ({ method, path }) => {
      assert.deepEqual([method, path], ["GET", ID]);
      if (++looks > 1) onLook(looks);
      return { id: ID, name: "flux-system", properties: structuredClone(properties) };
    };
    context = { ...cloud.context, log: (severity, message) => logs.push(`${severity}: ${message}`) };
  });

  const world = (more: Partial<ConfigurationWorld> = {}): ConfigurationWorld => ({
    cloud,
    descent: async (url, name, commit) => {
      asked++;
      assert.deepEqual([url, name], [URL, "main"]);
      if (branch instanceof Error) throw branch;
      const at = branch.indexOf(commit);
      if (at < 0) return { later: new Set([commit]), earlier: new Set() };
      return { later: new Set(branch.slice(at)), earlier: new Set(branch.slice(0, at)) };
    },
    ...{ poll: 10_000, lag: 180_000, glance: 5_000 },
    clock: {
      now: () => now,
      async pause(milliseconds, signal) {
        now += milliseconds;
        signal?.throwIfAborted();
      },
    },
    ...more,
  });
  const handler = (more: Partial<ConfigurationWorld> = {}) => fluxConfigurationReadyIn(world(more));
  const inputs = (more: Properties = {}): Properties => ({
    ...{ configurationId: ID, url: URL, branch: "main", commit: "new" },
    ...{ kustomizations: NAMES, releases: ["kured"], readyMinutes: 15, ...more },
  });
  const existing = (state: Properties = {}) => ({ id: ID, inputs: inputs(), state: inputs(state) });
  const create = (more: Properties = {}) => handler().create(inputs(more), context);
  const preview = (state: Properties = {}, next = inputs()) => handler().diff?.(existing(state), next, context);
  const refresh = (state: Properties = {}) => handler().read?.(ID, inputs(), inputs(state), context);
  const failure = async (more: Properties = {}): Promise<string> => {
    const error = await create(more).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof PartialFailure, String(error));
    assert.equal(error.id, ID);
    const [reason = ""] = error.reasons;
    assert.deepEqual(error.state, inputs({ ...more, wrong: reason.split("\n  ").slice(1) }));
    return reason;
  };
  const UPDATE = { changes: true, replaces: [], detailed: { wrong: { kind: "update", inputDiff: false } } };
  const NOTHING = { changes: false, replaces: [] };

  describe("in an update", () => {
    it("arrives with one look where the commit is there already", async () => {
      assert.deepEqual(await create(), { id: ID, state: inputs() });
      assert.deepEqual([looks, now], [1, 0]);
      const before = { ...existing({ wrong: ["x"] }), inputs: inputs({ commit: "old" }) };
      assert.deepEqual(await handler().update?.(before, inputs(), context), inputs());
    });

    it("waits until the source has synced it and every Kustomization has applied it", async () => {
      bring("old");
      onLook = (look) => {
        if (look === 3) properties.sourceSyncedCommitId = "main@sha1:new";
        if (look === 4) applied(ROOT, "new");
        if (look === 5) tell("infrastructure", "Pending", "Unknown", "Progressing", "Reconciliation in progress");
        if (look === 6) applied("infrastructure", "new");
        if (look === 7) applied("apps", "new");
      };
      await create();
      assert.deepEqual(logs, [
        "info: waiting for GitRepository flux-system/flux-system: has synced old, not new yet",
        "info: waiting for Kustomization flux-system/flux-system-cluster: Applied revision: main@sha1:old, not new",
        "info: waiting for Kustomization flux-system/infrastructure: Applied revision: main@sha1:old, not new",
        "info: waiting for Kustomization flux-system/infrastructure: Progressing: Reconciliation in progress",
        "info: waiting for Kustomization flux-system/apps: Applied revision: main@sha1:old, not new",
      ]);
      assert.equal(now, 60_000);
    });

    it("takes a later commit of the branch, that is its head or was while this waited", async () => {
      branch = ["old", "new", "later"];
      bring("later");
      await create();
      bring("old");
      onLook = (look) => {
        // Azure tells of what was the head some looks ago.
        if (look === 3) branch = ["old", "new", "later", "newest"];
        if (look === 4) bring("later");
      };
      looks = 0;
      await create();
      assert.equal(looks, 4);
    });

    it("does not take a commit that Git does not tell to be later, and says why", async () => {
      bring("other");
      assert.equal(
        await failure(),
        "not Ready after 15 minutes:\n  GitRepository flux-system/flux-system: has synced other, not new yet",
      );
      branch = new Error("GITHUB_TOKEN is missing");
      assert.equal(
        await failure({ readyMinutes: 1 }),
        "not Ready after 1 minute:\n  GitRepository flux-system/flux-system: has synced other, not new yet, " +
          "or a later one: GITHUB_TOKEN is missing",
      );
    });

    it("takes for each Kustomization the commit or any that descends from it, as git decides", async () => {
      branch = ["old", "new", "later", "newest", "unseen"];
      bring("newest");
      applied("infrastructure", "new");
      applied("apps", "later");
      await create();
      assert.deepEqual([looks, asked], [1, 1]);
      // One of another branch is none, whenever it was made.
      applied("apps", "aside");
      const line = "Kustomization flux-system/apps: Applied revision: main@sha1:aside, not new";
      assert.equal(await failure({ readyMinutes: 1 }), `not Ready after 1 minute:\n  ${line}`);
      // What git said once is not asked again.
      assert.equal(asked, 2);
    });

    it("waits for the Kustomizations that people committed, and names them", async () => {
      properties.statuses.push(status("Kustomization", "theirs", "apps"), status("Kustomization", "others", "apps"));
      applied("theirs", "old");
      // It has another source: git knows nothing of its commit.
      applied("others", "elsewhere");
      assert.equal(
        await failure(),
        "not Ready after 15 minutes:\n  Kustomization flux-system/theirs: Applied revision: main@sha1:old, not new",
      );
      applied("theirs", "new");
      await create();
      // A tag of the same repository is read by another source, and so may an older commit be where there is one.
      tell("others", "Compliant", "True", "ReconciliationSucceeded", "Applied revision: v1@sha1:old");
      await create();
      properties.statuses.push(status("GitRepository", "elsewhere", "apps"));
      applied("others", "old");
      await create();
      // The program's own have the configuration's.
      applied("apps", "old");
      assert.match(await failure(), /\n {2}Kustomization flux-system\/apps: Applied revision: main@sha1:old, not new$/);
    });

    it("names what is missing, has failed or is no more than on its way when the time is over", async () => {
      remove("apps");
      tell("infrastructure", "Non-Compliant", "False", "HealthCheckFailed", `timeout:\n${"x ".repeat(400)}`);
      tell("kured", "Pending", "Unknown", "Progressing", "installing", "HelmRelease");
      const [first, infrastructure = "", ...rest] = (await failure()).split("\n  ");
      assert.equal(first, "not Ready after 15 minutes:");
      assert.match(infrastructure, /^Kustomization flux-system\/infrastructure: HealthCheckFailed: timeout: x x .*…$/);
      assert.ok(infrastructure.length < 380);
      assert.deepEqual(rest, [
        "HelmRelease flux-system/kured: Progressing: installing",
        "Kustomization flux-system/apps: is not among what Azure tells of the configuration",
      ]);
    });

    it("is not there before Azure has told of anything", async () => {
      properties.statuses = [];
      properties.sourceSyncedCommitId = null;
      properties.complianceState = null;
      assert.match(
        await failure(),
        /^not Ready after 15 minutes:\n {2}FluxConfiguration flux-system: has synced nothing/,
      );
      properties.sourceSyncedCommitId = "main@sha1:new";
      assert.match(await failure(), /\n {2}Kustomization flux-system\/apps: is not among what Azure tells/);
    });

    it("tells what the extension's agent says of the configuration itself", async () => {
      properties.complianceState = "Non-Compliant";
      properties.errorMessage = "the namespace is terminating";
      assert.match(await failure(), /\n {2}FluxConfiguration flux-system: the namespace is terminating$/);
    });

    it("fails at once where the configuration is suspended, or gone, with the way out", async () => {
      properties.suspend = true;
      assert.equal(
        await failure(),
        "not Ready, and waiting does not help:\n  FluxConfiguration flux-system: " +
          "is suspended; `az k8s-configuration flux update --suspend false` lets it go on",
      );
      cloud.answer = () => {
        throw new ArmError(404, "ResourceNotFound", "gone");
      };
      assert.equal(
        await failure(),
        "not Ready, and waiting does not help:\n  FluxConfiguration flux-system: " +
          "is not there; `pulumi up --refresh` makes it again",
      );
      assert.equal(now, 0);
    });

    it("gives Azure time to tell that something was resumed, and no more", async () => {
      find("infrastructure").complianceState = "Suspended";
      tell(
        "apps",
        "Non-Compliant",
        "False",
        "DependencyNotReady",
        "dependency 'flux-system/infrastructure' is not ready",
      );
      onLook = (look) => {
        if (look === 10) bring("new");
      };
      await create();
      assert.equal(now, 90_000);
      [looks, now, onLook] = [0, 0, () => {}];
      find("infrastructure").complianceState = "Suspended";
      const waits = "dependency 'flux-system/infrastructure' is not ready";
      tell("apps", "Non-Compliant", "False", "DependencyNotReady", waits);
      assert.equal(
        await failure(),
        "not Ready, and waiting does not help:\n  Kustomization flux-system/infrastructure: " +
          "is suspended; `flux resume kustomization infrastructure` lets it go on\n  " +
          `Kustomization flux-system/apps: DependencyNotReady: ${waits}`,
      );
      assert.equal(now, 180_000);
    });

    it("leaves people what they suspended of their own, and addresses of which nothing is told", async () => {
      const own = { ...status("HelmRelease", "theirs", "apps"), complianceState: "Suspended" };
      const address = {
        ...status("HelmRepository", "theirs", "apps"),
        complianceState: "Unknown",
        statusConditions: [],
      };
      properties.statuses.push(own, address);
      await create();
      assert.equal(looks, 1);
    });

    it("misses a release only where Azure tells of what stands beside releases", async () => {
      remove("kured", "HelmRelease");
      assert.match(await failure(), /\n {2}HelmRelease flux-system\/kured: is not among what Azure tells/);
      remove("kured", "OCIRepository");
      [looks, now] = [0, 0];
      await create();
    });
  });

  describe("in a preview and a refresh", () => {
    it("finds nothing where all is well, and asks neither Git nor Azure for more than a look", async () => {
      branch = new Error("is not asked");
      assert.deepEqual(await preview(), NOTHING);
      assert.deepEqual(await refresh(), existing());
      assert.deepEqual([looks, logs], [2, []]);
    });

    it("finds nothing in a Flux that is at work on a commit by hand", async () => {
      properties.sourceSyncedCommitId = "main@sha1:later";
      properties.complianceState = "Pending";
      tell(ROOT, "Pending", "Unknown", "Progressing", "Reconciliation in progress");
      tell(
        "apps",
        "Non-Compliant",
        "False",
        "DependencyNotReady",
        "dependency 'flux-system/infrastructure' is not ready",
      );
      assert.deepEqual(await preview(), NOTHING);
      assert.deepEqual(await refresh(), existing());
      properties.statuses = [];
      assert.deepEqual(await preview(), NOTHING);
    });

    for (const [what, spoil, line] of [
      [
        "a Kustomization that is missing",
        () => remove("apps"),
        "Kustomization flux-system/apps: is not among what Azure tells of the configuration",
      ],
      [
        "one that is suspended",
        () => Object.assign(find("apps"), { complianceState: "Suspended" }),
        "Kustomization flux-system/apps: is suspended; `flux resume kustomization apps` lets it go on",
      ],
      [
        "a release that is suspended",
        () => Object.assign(find("kured", "HelmRelease"), { complianceState: "Suspended" }),
        "HelmRelease flux-system/kured: is suspended; `flux resume helmrelease kured` lets it go on",
      ],
      [
        "a source that is suspended",
        () => Object.assign(find("flux-system", "GitRepository"), { complianceState: "Suspended" }),
        "GitRepository flux-system/flux-system: is suspended; `flux resume source git flux-system` lets it go on",
      ],
      [
        "a suspended configuration",
        () => Object.assign(properties, { suspend: true, complianceState: "Suspended" }),
        "FluxConfiguration flux-system: is suspended; `az k8s-configuration flux update --suspend false` lets it go on",
      ],
      [
        "what has failed",
        () => tell("apps", "Non-Compliant", "False", "BuildFailed", "no\nway"),
        "Kustomization flux-system/apps: BuildFailed: no way",
      ],
    ] as const)
      it(`sees ${what}, says so, and makes an update of it`, async () => {
        spoil();
        assert.deepEqual(await preview(), UPDATE);
        const warning = `warning: not all that was committed is well in the cluster; \`pulumi up\` asks Flux for it and waits:\n  ${line}`;
        assert.deepEqual(logs, [warning]);
        assert.deepEqual(await refresh(), { ...existing({ wrong: [line] }) });
      });

    it("after a failure wants the commit to have come, not only nothing to have failed", async () => {
      applied("apps", "old");
      const line = "Kustomization flux-system/apps: Applied revision: main@sha1:old, not new";
      assert.deepEqual(await refresh({ wrong: ["x"] }), existing({ wrong: [line] }));
      assert.deepEqual(await preview({ wrong: [line] }), UPDATE);
      applied("apps", "new");
      assert.deepEqual(await refresh({ wrong: [line] }), existing());
    });

    it("is gone with the configuration in a refresh, and an update that tells so in a preview", async () => {
      cloud.answer = () => {
        throw new ArmError(404, "ResourceNotFound", "gone");
      };
      assert.equal(await refresh(), undefined);
      assert.deepEqual(await preview(), UPDATE);
      assert.match(logs[0] ?? "", /FluxConfiguration flux-system: is not there; `pulumi up --refresh` makes it again$/);
    });

    it("keeps what is known, with one warning, where Azure may not be asked or does not answer", async () => {
      cloud.answer = () => {
        throw new ArmError(403, "AuthorizationFailed", "GET: 403 AuthorizationFailed: not you");
      };
      assert.deepEqual(await preview(), NOTHING);
      assert.deepEqual(logs, [
        "warning: what Flux made of the commit was not looked at, so it counts as before: GET: 403 AuthorizationFailed: not you",
      ]);
      assert.deepEqual(await refresh({ wrong: ["known"] }), existing({ wrong: ["known"] }));
      assert.deepEqual(await preview({ wrong: ["known"] }), UPDATE);
      cloud.answer = () => new Promise(() => {});
      assert.deepEqual(await handler({ glance: 20 }).diff?.(existing(), inputs(), context), NOTHING);
      assert.match(logs.at(-1) ?? "", /counts as before: no answer within 0\.02 s$/);
    });

    it("does not look where there is something to wait for anyway, or another configuration", async () => {
      const other = { changes: true, replaces: ["configurationId"] };
      assert.deepEqual(await preview({}, inputs({ commit: UNKNOWN })), { changes: true, replaces: [] });
      assert.deepEqual(await preview({}, inputs({ configurationId: UNKNOWN })), other);
      assert.deepEqual(await preview({}, inputs({ configurationId: `${ID}2` })), other);
      assert.equal(looks, 0);
      // ARM gives ids back in another spelling now and then; how long to wait changes nothing.
      assert.deepEqual(await preview({}, inputs({ configurationId: ID.toLowerCase(), readyMinutes: 5 })), NOTHING);
    });
  });

  it("only waits, so a replacement waits again and takes nothing away", async () => {
    assert.equal(handler().delete, undefined);
    await create();
    assert.deepEqual(new Set(cloud.calls.map(({ method }) => method)), new Set(["GET"]));
  });

  it("stands in no state when it is cut off, so that the next update waits again", async () => {
    bring("old");
    const stop = new AbortController();
    onLook = () => stop.abort(new Error("cancelled"));
    const cut = handler().create(inputs(), { ...context, signal: stop.signal });
    await assert.rejects(cut, (error: Error) => !(error instanceof PartialFailure) && error.message === "cancelled");
    const old = { ...existing(), inputs: inputs({ commit: "old" }) };
    assert.equal((await handler().diff?.(old, inputs(), context))?.changes, true);
  });

  it("is not imported, but declared", async () => {
    await assert.rejects(async () => handler().read?.(ID, {}, {}, context), {
      message: "FluxConfigurationReady needs no import: declare it, and it waits for what the cluster already has",
    });
  });

  it("is checked for its form", async () => {
    const given = { ...inputs(), configurationId: CLUSTER_ID, kustomizations: [], releases: "kured", readyMinutes: 0 };
    const { failures = [] } = (await handler().check?.(given, undefined, context, new Uint8Array())) ?? {};
    assert.deepEqual(
      failures.map(({ property, reason }) => `${property}: ${reason}`),
      [
        `configurationId: "${CLUSTER_ID}" is not the ARM id of a Flux configuration: <cluster's ARM id>/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/<name>`,
        "kustomizations: [] is no list of names",
        'releases: "kured" is no list of names',
        "readyMinutes: 0 is no number of minutes above 0",
      ],
    );
  });

  describe("with what Azure really answered", () => {
    const recordings = resolve(import.meta.dirname, "../../../../shared/recordings/flux.jsonl");
    it("tells of a Kustomization that failed, in its own words", async function () {
      let lines: string[];
      try {
        lines = readFileSync(recordings, "utf8").trim().split("\n");
      } catch {
        this.skip(); // The recordings are not part of this repository.
      }
      const answers = lines.map((line) => JSON.parse(line)).filter(({ method }) => method === "GET");
      const [first] = answers.filter(({ response }) => response?.properties?.complianceState === "Non-Compliant");
      const { id, properties: real } = first.response;
      cloud.answer = () => first.response;
      const [commit, name] = [real.sourceSyncedCommitId.split(":")[1], "acme-flux1-hello-world"];
      const own = inputs({ configurationId: id, commit, kustomizations: [name], releases: [] });
      const line = `Kustomization flux-ns/${name}: ReconciliationFailed: ConfigMap/the-map namespace not specified: the server could not find the requested resource`;
      const error = await handler()
        .create(own, context)
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof PartialFailure);
      assert.deepEqual(error.reasons, [`not Ready after 15 minutes:\n  ${line}`]);
      const found = await handler().read?.(id, own, own, context);
      assert.deepEqual(found?.state.wrong, [line]);
    });
  });
});
