// Commands that do not come to their end, on a rehearsal of prod, and what the next one makes of what they left.
import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { type Interruption, interrupt, type Moment, requestsOf } from "../../support/interruption.ts";
import { Rehearsal } from "../../support/rehearsal.ts";

describe("a command that does not come to its end", () => {
  const rehearsal = new Rehearsal("prod");
  const now = ["--yes", "--skip-preview"];
  /** How many resources of each type Azure has when prod stands. */
  let whole: Record<string, number>;

  const pulumi = (...args: string[]) => rehearsal.succeeds("pulumi", ...args, "--non-interactive");
  const stop = (what: string, moment: Moment, interruption: Interruption) =>
    interrupt(rehearsal, [what, ...now], moment, interruption).then(({ code, stdout, stderr }) =>
      assert.notEqual(code, 0, stdout + stderr),
    );
  const inAzure = async () => {
    const { resources } = await rehearsal.inspection();
    return Object.fromEntries(
      [...Map.groupBy(resources, ({ type }) => type)].map(([type, { length }]) => [type, length] as const).sort(),
    );
  };
  const isWhole = async () => {
    assert.deepEqual(await inAzure(), whole);
    await pulumi("preview", "--expect-no-changes");
  };
  const isNothing = async () => {
    assert.deepEqual(await inAzure(), {});
    const { deployment } = JSON.parse((await pulumi("stack", "export")).stdout) as { deployment: object };
    assert.equal("resources" in deployment, false);
  };
  /** Changes what a pool may have, and stops the update when Azure is asked for it. */
  const stopWrite = async (maxCount: number, interruption: Interruption) => {
    await pulumi("config", "set", "--path", "aks-gitops:cluster.userPools[0].maxCount", String(maxCount));
    await stop("up", { request: /^PUT \S+\/agentPools\/apps\?/ }, interruption);
  };
  const CLUSTER_GOES = { request: /^DELETE \S+\/managedClusters\/[^/]+\?/ };

  before(async () => {
    await rehearsal.start();
    whole = await inAzure();
  });

  after(() => rehearsal.end());

  it("an update by Ctrl-C, while a pool is written: up again", async () => {
    await stopWrite(11, "Ctrl-C");
    await pulumi("up", ...now);
    await isWhole();
  });

  it("an update whose plugin dies, while a pool is written: up again", async () => {
    await stopWrite(12, "plugin");
    await pulumi("up", ...now);
    await isWhole();
  });

  it("an update whose engine is killed, while a pool is written: cancel, and up again", async () => {
    await stopWrite(13, "engine");
    const locked = await rehearsal.rehearse("pulumi", "up", ...now, "--non-interactive");
    assert.match(locked.stdout + locked.stderr, /the stack is currently locked .* `pulumi cancel`/);
    await pulumi("cancel", "--yes");
    await pulumi("up", ...now);
    await isWhole();
  });

  it("an update whose language host dies: up again", async () => {
    // The program's own process, by its first argument: the host lives no longer than this does.
    await stop("up", { process: /@pulumi\/pulumi\/cmd\/run\// }, "host");
    await pulumi("up", ...now);
    await isWhole();
  });

  it("a destroy of a protected stack: refused before it deletes anything, and done when the setting is taken back", async () => {
    const protect = (value: boolean) => pulumi("config", "set", "aks-gitops:protect", String(value));
    await protect(true);
    await pulumi("up", ...now);
    const before = requestsOf(rehearsal).length;
    const { code, stdout, stderr } = await rehearsal.rehearse("pulumi", "destroy", ...now, "--non-interactive");
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /Protection::aks-gitops:protect" cannot be deleted\s+because it is protected/);
    assert.deepEqual(
      requestsOf(rehearsal)
        .slice(before)
        .filter((request) => request.startsWith("DELETE ")),
      [],
    );
    await isWhole();
    await protect(false);
    await pulumi("up", ...now);
  });

  it("a destroy by Ctrl-C, when it has just begun: up --refresh", async () => {
    await stop("destroy", { request: /^DELETE \S+\/fluxConfigurations\// }, "Ctrl-C");
    await pulumi("up", ...now, "--refresh");
    await isWhole();
  });

  it("a destroy by Ctrl-C, while the cluster goes: up --refresh", async () => {
    await stop("destroy", CLUSTER_GOES, "Ctrl-C");
    await pulumi("up", ...now, "--refresh");
    await isWhole();
  });

  it("a destroy whose engine is killed, while the cluster goes: cancel, and up --refresh", async () => {
    await stop("destroy", CLUSTER_GOES, "engine");
    await pulumi("cancel", "--yes");
    await pulumi("up", ...now, "--refresh");
    await isWhole();
  });

  it("a destroy whose plugin dies, and one by Ctrl-C, and one whose engine is killed: destroy --refresh", async () => {
    await stop("destroy", { line: /GitCommit flux deleting/ }, "plugin");
    await stop("destroy", CLUSTER_GOES, "Ctrl-C");
    await stop("destroy", { request: /^DELETE \S+\/virtualNetworks\/[^/]+\?/ }, "engine");
    await pulumi("cancel", "--yes");
    await pulumi("destroy", ...now, "--refresh");
    await isNothing();
  });

  it("an up from nothing whose engine is killed, while the cluster is made: cancel, recover, and up again with the same cluster", async () => {
    const clusterIn = async () =>
      (await rehearsal.inspection()).resources
        .filter(({ type }) => /\/managedClusters$/i.test(type))
        .map(({ id }) => id);
    // Its first look at how it goes: what it asked for before may have been refused, while a role was new.
    await stop("up", { request: /^GET \S+\/Microsoft\.ContainerService\/\S+\/operationStatuses\// }, "engine");
    const begun = await clusterIn();
    assert.equal(begun.length, 1);
    await pulumi("cancel", "--yes");
    await rehearsal.recover();
    await pulumi("up", ...now);
    await isWhole();
    assert.deepEqual(await clusterIn(), begun);
    await pulumi("destroy", ...now);
    await isNothing();
  });

  it("an up from nothing whose plugin dies, while images are imported: up again", async () => {
    await stop("up", { request: /^POST \S+\/importImage\?/ }, "plugin");
    await pulumi("up", ...now);
    await isWhole();
  });
});
