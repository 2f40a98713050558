// What GitHub makes of the workflows: which jobs run for which event, as whom, and beside which others.
import { strict as assert } from "node:assert";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { describe, it } from "mocha";
import {
  type Ended,
  type Event,
  type Job,
  type Outcome,
  type Repository,
  readWorkflow,
  runWorkflow,
} from "./gitHubWorkflow.ts";

const folder = resolve(import.meta.dirname, "../../..");
const files = globSync(".github/workflows/*.yml", { cwd: folder }).sort();

const repository: Repository = {
  name: "acme/platform",
  variables: { STACKS: "dev prod", STACKS_ON_MAIN: "dev", RUNNERS: '{"prod": ["self-hosted", "hub"]}' },
  secrets: { OTHER: "of the repository" },
  environments: {
    dev: { variables: { AZURE_CLIENT_ID: "deploys" }, secrets: { GITOPS_TOKEN: "writes" } },
    "dev-preview": { variables: { AZURE_CLIENT_ID: "reads" }, secrets: { GITOPS_TOKEN: "sees" } },
  },
};
const notSetUp: Repository = { name: repository.name };

function pullRequest(name: "pull_request" | "pull_request_target", from: string, action = "opened"): Event {
  const head = { ref: "change", repo: { full_name: from } };
  const payload = { action, number: 7, pull_request: { number: 7, base: { ref: "main" }, head } };
  return { name, ref: name === "pull_request" ? "refs/pull/7/merge" : "refs/heads/main", sha: "1".repeat(40), payload };
}

const OWN = pullRequest("pull_request", "acme/platform");
const FORK = pullRequest("pull_request", "somebody/platform");
const QUEUE: Event = {
  name: "merge_group",
  ref: "refs/heads/gh-readonly-queue/main/pr-7-1111",
  sha: "2".repeat(40),
  payload: { action: "checks_requested", merge_group: { base_sha: "1".repeat(40) } },
};
const push = (ref: string): Event => ({ name: "push", ref, sha: "3".repeat(40), payload: { before: "2".repeat(40) } });
const byHand = (ref: string): Event => ({
  ...{ name: "workflow_dispatch", ref, sha: "3".repeat(40) },
  payload: { inputs: { stack: "prod" } },
});

/** The stacks that are not among these. */
const rest = (stacks: readonly string[]) => ["dev", "prod"].filter((stack) => !stacks.includes(stack));

/** What an event starts, where the jobs named have another outcome than success, and these stacks are touched. */
async function run(
  file: string,
  event: Event,
  { of = repository, stacks = ["dev", "prod"], results = {} }: Given = {},
): Promise<readonly Ended[]> {
  const execute = async ({ id }: Job): Promise<Outcome> => ({
    result: results[id] ?? "success",
    outputs: id === "stacks" ? { stacks: JSON.stringify(stacks), untouched: JSON.stringify(rest(stacks)) } : {},
  });
  return (await runWorkflow(file, { folder, repository: of, event, execute })) ?? [];
}

interface Given {
  readonly of?: Repository;
  readonly stacks?: readonly string[];
  readonly results?: Readonly<Record<string, Outcome["result"]>>;
}

const ran = (jobs: readonly Ended[]) => jobs.filter(({ job }) => job !== undefined).map(({ id }) => id);

function find(jobs: readonly Ended[], id: string): Job {
  const found = jobs.find((each) => each.id === id)?.job;
  assert.ok(found, `${id} in ${ran(jobs).join(", ")}`);
  return found;
}

describe("the workflows", () => {
  it("name every action by the commit of a release, which a comment tells", () => {
    const uses = files.flatMap((file) =>
      [...readFileSync(join(folder, file), "utf8").matchAll(/^ *(?:- )?uses: (.+)$/gm)].map(([, text = ""]) => text),
    );
    assert.ok(uses.length > 8);
    for (const text of uses)
      assert.match(text, /^\.\/\.github\/workflows\/\w+\.yml$|^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    // A release has one commit everywhere.
    const actions = new Set(uses.filter((text) => !text.startsWith("./")));
    assert.equal(new Set([...actions].map((text) => text.split("@")[0])).size, actions.size);
  });

  it("put nothing that somebody else has written into a script", () => {
    for (const file of files) {
      const jobs: { steps?: { run?: string }[] }[] = Object.values(readWorkflow(join(folder, file)).jobs);
      for (const { run: script = "" } of jobs.flatMap(({ steps = [] }) => steps))
        assert.doesNotMatch(script, /\$\{\{/, file);
    }
  });

  it("run commands that package.json has, as those of Azure Pipelines do", () => {
    const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const named = globSync([".github/workflows/*.yml", "azure-pipelines/*.yml"], { cwd: folder }).flatMap((file) =>
      [...readFileSync(join(folder, file), "utf8").matchAll(/npm run --silent (\w+)/g)].map(([, name = ""]) => name),
    );
    assert.deepEqual([...new Set(named)].sort(), ["ci", "stacks"]);
    for (const name of named) assert.ok(name in scripts, name);
  });

  it("give a job no right by themselves", () => {
    for (const file of files.filter((each) => basename(each) !== "stack.yml"))
      assert.deepEqual(readWorkflow(join(folder, file)).permissions, {}, file);
  });

  it("do nothing where nothing is set up, and say so", async () => {
    for (const [file, event] of [
      ["preview.yml", OWN],
      ["up.yml", push("refs/heads/main")],
      ["up.yml", push("refs/tags/prod/1")],
    ] as const) {
      const jobs = await run(file, event, { of: notSetUp });
      assert.deepEqual(
        ran(jobs).filter((id) => id !== "previews"),
        ["off"],
      );
      const [step] = find(jobs, "off").steps;
      assert.match(
        step?.run ?? "",
        /^echo "::notice title=Nothing is \w+::The repository has no variable STACKS\. See docs\/delivery\/github-actions\.md\."$/,
      );
      assert.ok(!ran(await run(file, event)).includes("off"));
    }
    assert.deepEqual(ran(await run("fork.yml", pullRequest("pull_request_target", "x/y"), { of: notSetUp })), []);
  });
});

describe("a pull request", () => {
  it("is previewed in each stack that it touches, as one who reads", async () => {
    const jobs = await run("preview.yml", OWN);
    assert.deepEqual(ran(jobs), ["stacks", "preview (dev).stack", "preview (prod).stack", "previews"]);
    const dev = find(jobs, "preview (dev).stack");
    assert.deepEqual(dev.rights, { contents: "read", "id-token": "write", "pull-requests": "write" });
    assert.deepEqual(dev.environment, { name: "dev-preview", deployment: false });
    assert.deepEqual(dev.contexts.vars, { ...repository.variables, AZURE_CLIENT_ID: "reads" });
    assert.deepEqual(dev.contexts.secrets, { OTHER: "of the repository", GITOPS_TOKEN: "sees" });
    assert.deepEqual(find(jobs, "stacks").rights, { contents: "read" });
    assert.deepEqual(find(jobs, "previews").rights, {});
    assert.deepEqual(ran(await run("preview.yml", OWN, { stacks: ["prod"] })), [
      "stacks",
      "preview (prod).stack",
      "previews",
    ]);
    assert.deepEqual(ran(await run("preview.yml", OWN, { stacks: [] })), ["stacks", "previews"]);
  });

  it("has one preview a stack at a time, and a newer one ends an older", async () => {
    const groups = async (event: Event) =>
      (await run("preview.yml", event)).flatMap(({ job }) => job?.concurrency ?? []);
    assert.deepEqual(await groups(OWN), [
      { group: "preview-refs/pull/7/merge-dev", cancels: true },
      { group: "preview-refs/pull/7/merge-prod", cancels: true },
    ]);
    const queued = (await groups(QUEUE)).map(({ group }) => group);
    assert.equal(new Set([...queued, ...(await groups(OWN)).map(({ group }) => group)]).size, 4);
  });

  it("is previewed again in the merge queue, by the environment that its ref cannot name", async () => {
    const jobs = await run("preview.yml", QUEUE);
    assert.deepEqual(ran(jobs), ["stacks", "preview (dev).stack", "preview (prod).stack", "previews"]);
    assert.equal(find(jobs, "preview (prod).stack").environment?.name, "prod-preview");
  });

  it("fails its one required check where a preview failed, was cancelled, or could not be chosen", async () => {
    /** Whether the step that fails is run. */
    const fails = async (results: Given["results"], stacks?: readonly string[]) => {
      const jobs = await run("preview.yml", OWN, { ...(results && { results }), ...(stacks && { stacks }) });
      const { steps, contexts } = find(jobs, "previews");
      const { needs } = contexts as { needs: Record<string, Outcome> };
      assert.deepEqual([steps.length, steps[0]?.run], [1, "exit 1"]);
      assert.equal(steps[0]?.if, "contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')");
      return Object.values(needs).some(({ result }) => result === "failure" || result === "cancelled");
    };
    assert.equal(await fails({}), false);
    assert.equal(await fails({}, []), false);
    assert.equal(await fails({ "preview (prod).stack": "failure" }), true);
    assert.equal(await fails({ "preview (dev).stack": "cancelled" }), true);
    assert.equal(await fails({ stacks: "failure" }), true);
  });

  it("from a fork gets neither secrets, nor an identity, nor a run of its code", async () => {
    const jobs = await run("preview.yml", FORK);
    assert.deepEqual(ran(jobs), ["previews"]);
    for (const { job } of jobs.filter((each) => each.job !== undefined)) {
      assert.deepEqual(job?.rights, {});
      assert.deepEqual(job?.contexts.secrets, {});
      assert.ok(job?.steps.every(({ uses }) => uses === undefined));
    }
  });

  it("from a fork gets a note by a workflow that may comment, and takes nothing of it", async () => {
    const jobs = await run("fork.yml", pullRequest("pull_request_target", "somebody/platform"));
    assert.deepEqual(ran(jobs), ["note"]);
    const { rights, environment, steps } = find(jobs, "note");
    assert.deepEqual([rights, environment], [{ "pull-requests": "write" }, undefined]);
    assert.ok(steps.every(({ uses }) => uses === undefined));
    for (const event of [
      pullRequest("pull_request_target", repository.name),
      pullRequest("pull_request_target", "somebody/platform", "synchronize"),
    ])
      assert.deepEqual(ran(await run("fork.yml", event)), []);
  });

  it("has the comments changed of stacks that an older commit may have touched, by a job that may do that alone", async () => {
    const pushed = pullRequest("pull_request", "acme/platform", "synchronize");
    const jobs = await run("preview.yml", pushed, { stacks: ["dev"] });
    assert.deepEqual(ran(jobs), ["stacks", "preview (dev).stack", "untouched (prod)", "previews"]);
    const { rights, environment, concurrency } = find(jobs, "untouched (prod)");
    assert.deepEqual(rights, { contents: "read", "pull-requests": "write" });
    assert.equal(environment, undefined);
    // That of the preview of an older commit, which would write its comment yet.
    assert.deepEqual(concurrency, [{ group: "preview-refs/pull/7/merge-prod", cancels: true }]);
    for (const [event, stacks] of [
      [pushed, ["dev", "prod"]],
      [OWN, ["dev"]],
      [QUEUE, ["dev"]],
      [pullRequest("pull_request", "somebody/platform", "synchronize"), ["dev"]],
    ] as const)
      assert.ok(!ran(await run("preview.yml", event, { stacks })).some((id) => id.startsWith("untouched")));
    // It holds up no merge.
    assert.ok(!readWorkflow(join(folder, ".github/workflows/preview.yml")).jobs.previews.needs.includes("untouched"));
  });

  it("runs on the stack's own runner where one is named", async () => {
    const jobs = await run("preview.yml", OWN);
    assert.equal(find(jobs, "preview (dev).stack").runsOn, "ubuntu-24.04");
    assert.deepEqual(find(jobs, "preview (prod).stack").runsOn, ["self-hosted", "hub"]);
  });
});

describe("an update", () => {
  const updates = async (event: Event, given?: Given) =>
    ran(await run("up.yml", event, given)).filter((id) => id.startsWith("up"));

  it("comes on main, by a tag and by hand, and by no other branch", async () => {
    assert.deepEqual(await updates(push("refs/heads/main"), { stacks: ["dev"] }), ["up (dev).stack"]);
    assert.deepEqual(await updates(push("refs/tags/prod/2026-11-26"), { stacks: ["prod"] }), ["up (prod).stack"]);
    assert.deepEqual(await updates(byHand("refs/heads/main"), { stacks: ["prod"] }), ["up (prod).stack"]);
    assert.deepEqual(await updates(byHand("refs/tags/prod/1"), { stacks: ["prod"] }), ["up (prod).stack"]);
    for (const event of [push("refs/heads/change"), push("refs/tags/v1"), byHand("refs/heads/change")])
      assert.deepEqual(await updates(event), []);
    assert.deepEqual(await updates(push("refs/heads/main"), { stacks: [] }), []);
  });

  it("asks for the stacks of main, of a tag, and of the hand that started it", async () => {
    const asked = async (event: Event) => {
      const { contexts, steps } = find(await run("up.yml", event), "stacks");
      const { resolve: of } = await import("./expression.ts");
      const { FUNCTIONS } = await import("./gitHubWorkflow.ts");
      return of(steps.at(-1)?.env ?? {}, { contexts, functions: FUNCTIONS });
    };
    assert.deepEqual(await asked(push("refs/heads/main")), { STACKS: "dev", BY: `--since=${"2".repeat(40)}` });
    assert.deepEqual(await asked(push("refs/tags/prod/1")), { STACKS: "dev prod", BY: "--tag=prod/1" });
    assert.deepEqual(await asked(byHand("refs/heads/main")), { STACKS: "prod", BY: "--since=" });
    assert.deepEqual(await asked(byHand("refs/tags/prod/1")), { STACKS: "prod", BY: "--since=" });
  });

  it("is never cancelled while it runs, and waits for the one before of its stack", async () => {
    const jobs = await run("up.yml", push("refs/heads/main"));
    for (const stack of ["dev", "prod"])
      assert.deepEqual(find(jobs, `up (${stack}).stack`).concurrency, [{ group: `up-${stack}`, cancels: false }]);
    // Whatever cancels is of another group.
    for (const event of [OWN, QUEUE])
      for (const { job } of await run("preview.yml", event))
        for (const { group } of job?.concurrency ?? []) assert.doesNotMatch(group, /^up-/);
  });

  it("runs as one who deploys, in the stack's environment, and may write nothing on GitHub", async () => {
    const jobs = await run("up.yml", push("refs/heads/main"));
    const dev = find(jobs, "up (dev).stack");
    assert.deepEqual(dev.rights, { contents: "read", "id-token": "write" });
    assert.deepEqual(dev.environment, { name: "dev", deployment: true });
    assert.deepEqual(dev.contexts.secrets, { OTHER: "of the repository", GITOPS_TOKEN: "writes" });
    assert.deepEqual(find(jobs, "stacks").rights, { contents: "read" });
  });

  it("of one stack goes on where that of another failed", async () => {
    const jobs = await run("up.yml", push("refs/heads/main"), { results: { "up (dev).stack": "failure" } });
    assert.equal(jobs.find(({ id }) => id === "up (prod).stack")?.result, "success");
    assert.equal(readWorkflow(join(folder, ".github/workflows/up.yml")).jobs.up.strategy["fail-fast"], false);
  });
});

describe("drift", () => {
  const NIGHT: Event = { name: "schedule", ref: "refs/heads/main", sha: "3".repeat(40), payload: {} };
  const of: Repository = { ...repository, variables: { ...repository.variables, STACKS_DRIFT: "dev" } };

  it("is looked for each night in the stacks that are named, as one who reads, in a group of its own", async () => {
    assert.deepEqual(readWorkflow(join(folder, ".github/workflows/drift.yml")).on.schedule, [{ cron: "17 3 * * *" }]);
    const jobs = await run("drift.yml", NIGHT, { of, stacks: ["dev"] });
    assert.deepEqual(ran(jobs), ["stacks", "drift (dev).stack"]);
    const { rights, environment, concurrency } = find(jobs, "drift (dev).stack");
    assert.deepEqual(rights, { contents: "read", "id-token": "write" });
    assert.deepEqual(environment, { name: "dev-preview", deployment: false });
    assert.deepEqual(concurrency, [{ group: "drift-dev", cancels: true }]);
    assert.deepEqual(ran(await run("drift.yml", byHand("refs/heads/main"), { of, stacks: ["dev"] })), ran(jobs));
  });

  it("is looked for nowhere where no stack is named, and from no other branch", async () => {
    assert.deepEqual(ran(await run("drift.yml", NIGHT)), []);
    assert.deepEqual(ran(await run("drift.yml", byHand("refs/heads/change"), { of })), []);
  });
});

describe("the reading of workflows", () => {
  const HEAD = "on: push\npermissions: {}\njobs:\n  one:\n    runs-on: ubuntu-24.04\n";

  /** Reads a workflow, and one that it may call. */
  async function read(text: string, called = ""): Promise<readonly Ended[]> {
    const root = mkdtempSync(join(tmpdir(), "workflow-"));
    try {
      mkdirSync(join(root, ".github/workflows"), { recursive: true });
      writeFileSync(join(root, ".github/workflows/a.yml"), text);
      writeFileSync(join(root, ".github/workflows/b.yml"), called);
      const execute = async (): Promise<Outcome> => ({ result: "success", outputs: {} });
      return (await runWorkflow("a.yml", { folder: root, repository, event: push("refs/heads/main"), execute })) ?? [];
    } finally {
      rmSync(root, { recursive: true });
    }
  }

  it("refuses what it does not know, instead of passing it over", async () => {
    await assert.rejects(read(`${HEAD}    container: x\n    steps: []\n`), /does not know container of a job/);
    await assert.rejects(
      read(`${HEAD}    steps: [{ run: x, working-directory: y }]\n`),
      /does not know working-directory of a step/,
    );
    await assert.rejects(read(`defaults: {}\n${HEAD}`), /does not know defaults of a workflow/);
    await assert.rejects(read(`${HEAD}    needs: two\n    steps: []\n`), /No job of one can begin/);
    await assert.rejects(read(`${HEAD.replace("permissions: {}\n", "")}    steps: []\n`), /A job without permissions/);
    await assert.rejects(read(`${HEAD}    if: secrets.X\n    steps: []\n`), /no context secrets here/);
    await assert.rejects(
      read(`${HEAD}    concurrency: { group: x, queue: max }\n    steps: []\n`),
      /does not know queue of concurrency/,
    );
  });

  it("gives a called workflow no more than its caller has", async () => {
    const call =
      "on: push\npermissions: {}\njobs:\n  one:\n    permissions: { contents: read }\n    uses: ./.github/workflows/b.yml\n";
    const called = (job: string) =>
      `on: { workflow_call: { inputs: { x: { type: string, required: true } } } }\njobs:\n  two:\n    runs-on: y\n    steps: []\n${job}`;
    await assert.rejects(read(call, called("")), /needs the input x/);
    await assert.rejects(read(`${call}    with: { x: 1, y: 2 }\n`, called("")), /has no input y/);
    await assert.rejects(
      read(`${call}    with: { x: 1 }\n`, called("    permissions: { contents: write }\n")),
      /asks for contents: write/,
    );
    const [job] = await read(`${call}    with: { x: 1 }\n`, called(""));
    assert.deepEqual([job?.id, job?.job?.rights, job?.job?.contexts.secrets], ["one.two", { contents: "read" }, {}]);
  });
});
