// How `check` waits for Flux: whom it asks, what it waits for, and when it gives up.
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Settling, settle } from "../../../rehearsal/cli/settle.ts";
import { type FluxReference, nameOf } from "../../../rehearsal/cluster/fluxState.ts";
import type { InspectedFluxObject } from "../../../rehearsal/world/inspection.ts";
import { fullSettings, HEAD, healthy, OLD, revision } from "./healthy.ts";

const { expected, cluster } = healthy(fullSettings("bootstrap"));
const seconds = (count: number) => count * 1000;

describe("waiting for Flux", () => {
  let now: number;
  let objects: Map<string, InspectedFluxObject>;
  let asked: string[];
  let lines: string[];
  let stopped: string[];
  /** Changes that come at their time. */
  let coming: { readonly at: number; readonly change: () => void }[];
  /** What an object's controller makes of a request. */
  let answer: (reference: FluxReference) => void;

  const change = (name: string, more: Partial<InspectedFluxObject>) => {
    const found = [...objects.values()].find((object) => `${object.kind} ${object.name}` === name);
    assert.ok(found, name);
    objects.set(nameOf(found), { ...found, ...more });
  };
  const later = (after: number, act: () => void) => coming.push({ at: now + after, change: act });
  const take = (name: string, more: Partial<InspectedFluxObject> = {}) =>
    change(name, { handled: String(now), isAsked: false, isBusy: false, ...more });

  beforeEach(() => {
    now = 0;
    objects = new Map(cluster.objects.map((object) => [nameOf(object), object]));
    [asked, lines, stopped, coming] = [[], [], [], []];
    answer = ({ kind, name }) => later(seconds(1), () => take(`${kind} ${name}`));
  });

  const world = (): Settling => ({
    look: async () => {
      for (const due of coming.filter(({ at }) => at <= now)) due.change();
      coming = coming.filter(({ at }) => at > now);
      return [...objects.values()];
    },
    ask: async (references) => {
      asked.push(references.map(({ name }) => name).join());
      for (const reference of references) {
        change(`${reference.kind} ${reference.name}`, { isAsked: true, isBusy: true });
        answer(reference);
      }
    },
    isFresh: false,
    isAtHead: async (found) => found === revision(HEAD),
    runs: (controller) => !stopped.includes(controller),
    print: (line) => lines.push(line),
    clock: {
      now: () => now,
      pause: async (milliseconds) => {
        now += milliseconds;
      },
    },
  });

  it("asks the source, then the Kustomizations, each after what it depends on, and has no word to say", async () => {
    assert.deepEqual(await settle(expected, world()), new Map());
    assert.deepEqual(asked, ["flux-system", "flux-system,infrastructure", "apps"]);
    assert.deepEqual(lines, []);
    assert.ok(now < seconds(4), `${now}`);
  });

  it("waits until every Kustomization has applied the head, and says for whom after some seconds", async () => {
    for (const { kind, name } of [expected.source, ...expected.kustomizations])
      change(`${kind} ${name}`, { revision: revision(OLD) });
    answer = ({ kind, name }) =>
      later(seconds(1), () => {
        take(`${kind} ${name}`);
        if (kind === "GitRepository") change(`${kind} ${name}`, { revision: revision(HEAD) });
        else later(seconds(8), () => change(`${kind} ${name}`, { revision: revision(HEAD), since: "now" }));
      });
    await settle(expected, world());
    for (const { kind, name } of expected.kustomizations)
      assert.equal(objects.get(`${kind} flux-system/${name}`)?.revision, revision(HEAD));
    assert.deepEqual(
      [...new Set(lines.map((line) => line.split(":")[0]))],
      ["flux-system", "apps"].map((name) => `waiting for Kustomization flux-system/${name}`),
    );
  });

  it("asks nobody who is suspended, or whose controller does not run", async () => {
    change("Kustomization apps", { suspended: true });
    await settle(expected, world());
    assert.deepEqual(asked, ["flux-system", "flux-system,infrastructure"]);
    asked = [];
    stopped = ["kustomize-controller"];
    await settle(expected, world());
    assert.deepEqual(asked, ["flux-system"]);
    asked = [];
    stopped = ["source-controller"];
    await settle(expected, world());
    objects.clear();
    stopped = [];
    await settle(expected, world());
    assert.deepEqual(asked, []);
  });

  it("asks no Kustomization where the source is not fetched, and keeps why", async () => {
    answer = ({ kind, name }) =>
      later(seconds(1), () =>
        take(`${kind} ${name}`, { ready: false, reason: "AuthenticationFailed", message: "no secret" }),
      );
    const failures = await settle(expected, world());
    assert.deepEqual(asked, ["flux-system"]);
    assert.deepEqual([...failures], [["GitRepository flux-system/flux-system", "AuthenticationFailed: no secret"]]);
  });

  it("takes a failure for the last word only where it is one on the head, or a wait for somebody else", async () => {
    const failed = { ready: false, reason: "BuildFailed", message: "no such file" };
    let took = 0;
    const attempts = async (first: Partial<InspectedFluxObject>) => {
      const start = now;
      change("Kustomization apps", { ready: true });
      answer = ({ kind, name }) => {
        later(seconds(1), () => take(`${kind} ${name}`, name === "apps" ? { ...failed, ...first } : {}));
        if (name === "apps") later(seconds(9), () => take("Kustomization apps", { ready: true, reason: "Succeeded" }));
      };
      const failures = [...(await settle(expected, world())).keys()];
      [took, coming] = [now - start, []];
      return failures;
    };
    assert.deepEqual(await attempts({ attempted: revision(OLD) }), []);
    assert.deepEqual(await attempts({ attempted: revision(HEAD) }), ["Kustomization flux-system/apps"]);
    assert.ok(took < seconds(5), `${took}`);
    assert.deepEqual(await attempts({ attempted: revision(OLD), reason: "DependencyNotReady" }), [
      "Kustomization flux-system/apps",
    ]);
  });

  it("waits no longer than some seconds where the others fail", async () => {
    answer = ({ kind, name }) =>
      later(seconds(1), () =>
        name === "infrastructure"
          ? take(`${kind} ${name}`, { ready: false, reason: "BuildFailed", attempted: revision(HEAD) })
          : kind === "GitRepository"
            ? take(`${kind} ${name}`)
            : change(`${kind} ${name}`, { isBusy: true, ready: false, reason: "Progressing" }),
      );
    await settle(expected, world());
    assert.ok(now > seconds(15) && now < seconds(25), `${now}`);
  });

  it("asks nobody right after an update that waited, but where somebody is behind", async () => {
    await settle(expected, { ...world(), isFresh: true });
    assert.deepEqual(asked, []);
    change("Kustomization apps", { revision: revision(OLD) });
    answer = ({ kind, name }) => later(seconds(1), () => take(`${kind} ${name}`, { revision: revision(HEAD) }));
    await settle(expected, { ...world(), isFresh: true });
    assert.deepEqual(asked, ["flux-system", "flux-system,infrastructure", "apps"]);
  });

  it("waits for a Kustomization that Flux makes again", async () => {
    const apps = objects.get("Kustomization flux-system/apps");
    assert.ok(apps);
    objects.delete(nameOf(apps));
    answer = ({ kind, name }) =>
      later(seconds(1), () => {
        if (kind === "Kustomization" && name === "flux-system") {
          objects.set(nameOf(apps), { ...apps, ready: false, isBusy: true, revision: "", handled: "" });
          later(seconds(5), () =>
            change("Kustomization apps", { ready: true, isBusy: false, revision: revision(HEAD) }),
          );
        }
        take(`${kind} ${name}`);
      });
    await settle(expected, world());
    assert.equal(objects.get(nameOf(apps))?.ready, true);
  });

  it("gives up where nobody answers, and where somebody never ends", async () => {
    answer = () => {};
    await settle(expected, world());
    assert.ok(now <= seconds(31), `${now}`);
    const start = now;
    for (const [name, object] of objects) objects.set(name, { ...object, isAsked: false, isBusy: false });
    answer = ({ kind, name }) =>
      later(0, () =>
        kind === "GitRepository"
          ? take(`${kind} ${name}`)
          : change(`${kind} ${name}`, { ready: false, isBusy: true, reason: "Progressing", message: "in progress" }),
      );
    await settle(expected, world());
    assert.ok(now - start > seconds(80) && now - start < seconds(95), `${now - start}`);
    assert.match(lines.at(-1) ?? "", /^waiting for Kustomization .*: Progressing: in progress$/);
  });

  it("waits for what others have under way", async () => {
    const release = "HelmRelease kured";
    change(release, { ready: false, isBusy: true, reason: "Progressing" });
    later(seconds(20), () => change(release, { ready: true, isBusy: false }));
    await settle(expected, world());
    assert.ok(now >= seconds(20), `${now}`);
  });
});
