// The runner itself: what it does with steps, without a machine to speak of.
import { strict as assert } from "node:assert";
import { appendFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, describe, it } from "mocha";
import { isKnownAction, type RunnerOptions, runJob } from "./gitHubRunner.ts";
import type { Event, Job, Step } from "./gitHubWorkflow.ts";
import { assignments, type Variables } from "./machine.ts";

const checkout = resolve(import.meta.dirname, "../../..");
const EVENT: Event = { name: "push", ref: "refs/heads/main", sha: "1".repeat(40), payload: { before: "0" } };

describe("a runner", () => {
  const folder = mkdtempSync(join(tmpdir(), "runner-"));
  after(() => rmSync(folder, { recursive: true }));

  /** Runs steps; a script writes what it is into its output, and fails where it says so. */
  async function run(steps: readonly Step[], more: Partial<Job> = {}) {
    const ran: { script: string; env: Variables; shell: readonly string[] }[] = [];
    const workspace = join(mkdtempSync(join(folder, "job-")), "work");
    mkdirSync(workspace);
    const options: RunnerOptions = {
      machine: {
        workspace: async () => workspace,
        run: async (shell, script, _, env) => {
          ran.push({ shell, script, env });
          if (env.GITHUB_OUTPUT !== undefined) appendFileSync(env.GITHUB_OUTPUT, `said=${script}\n`);
          return { code: script.startsWith("fail") ? 1 : 0, log: `${script}\n` };
        },
      },
      ...{ repository: { name: "acme/platform" }, event: EVENT, run: 4 },
      start: async () => ({ token: "the job's", variables: { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x" } }),
    };
    const contexts = { github: { repository: "acme/platform" }, vars: { X: "x" }, secrets: { S: "s" } };
    const job: Job = {
      ...{ id: "one", name: "One", rights: {}, runsOn: "y", concurrency: [], steps, env: { JOB: "job" }, contexts },
      ...{ outputs: {}, ...more },
    };
    return { ran, ...(await runJob(job, options)) };
  }

  const braces = (source: string) => `\${{ ${source} }}`;

  it("runs scripts with the environment of GitHub, of the job and of the step", async () => {
    const env = { A: braces("vars.X"), B: braces("secrets.S"), C: braces("github.token") };
    const { ran, log, result, steps } = await run([
      { run: `echo ${braces("vars.X")}`, env },
      { run: "two", shell: "bash" },
    ]);
    assert.deepEqual([result, log], ["success", "echo x\ntwo\n"]);
    assert.deepEqual(steps, [
      [`echo ${braces("vars.X")}`, "success"],
      ["two", "success"],
    ]);
    const [first, second] = ran;
    assert.deepEqual(
      [first?.shell, second?.shell],
      [
        ["bash", "-e"],
        ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
      ],
    );
    const { A, B, C, JOB, GITHUB_RUN_ID, ACTIONS_ID_TOKEN_REQUEST_URL, GITHUB_TOKEN } = first?.env ?? {};
    assert.deepEqual([A, B, C, JOB, GITHUB_RUN_ID], ["x", "s", "the job's", "job", "4"]);
    // A token is nobody's that does not ask for it.
    assert.deepEqual([ACTIONS_ID_TOKEN_REQUEST_URL, GITHUB_TOKEN, second?.env.A], ["https://x", undefined, undefined]);
  });

  it("leaves out what waits for success after a failure, and gives outputs on", async () => {
    const { result, outputs, steps } = await run(
      [
        { id: "a", run: "first" },
        { id: "b", run: "fail" },
        { id: "c", run: "third" },
        { id: "d", if: "always()", run: `after ${braces("steps.a.outputs.said")}` },
        { id: "e", if: "failure() && vars.X == 'y'", run: "never" },
      ],
      { outputs: { told: braces("steps.d.outputs.said"), none: braces("steps.c.outputs.said") } },
    );
    assert.equal(result, "failure");
    assert.deepEqual(
      steps.map(([, conclusion]) => conclusion),
      ["success", "failure", "skipped", "success", "skipped"],
    );
    assert.deepEqual(outputs, { told: "after first", none: "" });
  });

  it("fails for an action, an input and a shell that it does not know, and for a secret in a condition", async () => {
    await assert.rejects(run([{ uses: "acme/action@1" }]), /The runner does not know acme\/action@1/);
    await assert.rejects(
      run([{ uses: "actions/checkout@1", with: { lfs: true } }]),
      /does not know lfs of actions\/checkout@1/,
    );
    await assert.rejects(run([{ run: "x", shell: "fish" }]), /does not know the shell fish/);
    await assert.rejects(run([{ if: "secrets.S != ''", run: "x" }]), /There is no context secrets here/);
  });

  it("knows every action of the workflows but the one that only Pulumi Cloud needs", () => {
    const uses = globSync(".github/workflows/*.yml", { cwd: checkout }).flatMap((file) =>
      [...readFileSync(join(checkout, file), "utf8").matchAll(/uses: ([^. ]\S*)/g)].map(([, found = ""]) => found),
    );
    const unknown = uses.filter((each) => !isKnownAction(each)).map((each) => each.split("@")[0]);
    assert.deepEqual([...new Set(unknown)], ["pulumi/auth-actions"]);
  });

  it("reads outputs of one line and of several", async () => {
    const file = join(folder, "output");
    appendFileSync(file, "a=1=2\nb<<END\none\ntwo\nEND\nc=\n");
    assert.deepEqual(await assignments(file), { a: "1=2", b: "one\ntwo", c: "" });
    assert.deepEqual(await assignments(join(folder, "none")), {});
    appendFileSync(file, "d<<END\n");
    await assert.rejects(assignments(file), /d has no end END/);
  });
});
