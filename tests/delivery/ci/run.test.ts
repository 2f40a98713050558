import { strict as assert } from "node:assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "mocha";
import { gitHubActions } from "../../../delivery/ci/gitHub.ts";
import { type Means, type RunOptions, run } from "../../../delivery/ci/run.ts";
import { marker, renderReview } from "../../../delivery/review/render.ts";
import type { makeReview, Review } from "../../../delivery/review/review.ts";
import type { PullRequest } from "../../../rehearsal/cloud/github/model.ts";
import { step } from "../review/events.ts";
import { recorded, reviewed } from "../review/recorded.ts";
import { type OnGitHub, onGitHub } from "./onGitHub.ts";

const SECRET = "ghs_secretOfTheWorkflow";
const MARKER = "<!-- aks-gitops review aks-gitops/prod -->";

describe("a run of npm run ci", () => {
  let platform: OnGitHub;
  let folder: string;
  let pull: PullRequest;
  let workflow: string;
  let readOnly: string;

  before(async () => {
    platform = await onGitHub("platform");
    folder = platform.folder;
    [workflow, readOnly] = [platform.tokens.workflow, platform.tokens.fork];
    await writeFile(join(folder, "Pulumi.yaml"), "name: aks-gitops\nruntime: nodejs\n");
    await writeFile(
      join(folder, "Pulumi.prod.yaml"),
      "config:\n  aks-gitops:flux: { repository: https://github.com/acme/fleet }\n",
    );
  });
  after(() => platform.close());
  beforeEach(() => {
    pull = platform.gitHub.openPullRequest(platform.repository, "Change");
  });

  interface Case {
    readonly operation?: RunOptions["operation"];
    readonly stack?: string;
    readonly variables?: Readonly<Record<string, string | undefined>>;
    /** Whose the head of the pull request is; null for a push. */
    readonly head?: string | null;
    readonly made?: Review | typeof makeReview;
    readonly means?: Partial<Means>;
    readonly run?: number;
  }

  /** Runs in a workflow, and gives all that it said. */
  async function ci({ operation = "preview", stack = "prod", head = "acme/platform", ...rest }: Case) {
    const { variables, made, means, run: number = 1 } = rest;
    const event =
      head === null
        ? {}
        : { pull_request: { number: pull.number, head: { sha: "f00dface", repo: { full_name: head } } } };
    const [events, summary] = [join(folder, "event.json"), join(folder, `summary-${pull.number}-${number}.md`)];
    await writeFile(events, JSON.stringify(event));
    const environment: NodeJS.ProcessEnv = {
      ...{
        GITHUB_ACTIONS: "true",
        GITHUB_EVENT_PATH: events,
        GITHUB_REPOSITORY: "acme/platform",
        GITHUB_SHA: "merged",
      },
      ...{ GITHUB_RUN_ID: String(number), GITHUB_RUN_ATTEMPT: "1", GITHUB_STEP_SUMMARY: summary },
      ...{ GITHUB_API_URL: platform.origin, COMMENT_TOKEN: workflow, GITHUB_TOKEN: SECRET, PATH: "/bin" },
      ...{ ARM_CLIENT_ID: "c", ARM_TENANT_ID: "t", ARM_CLIENT_SECRET: "secretOfAzure", ARM_SUBSCRIPTION_ID: "s" },
      ...{ PULUMI_BACKEND_URL: "file:///state", PULUMI_HOME: folder },
      ...variables,
    };
    const log: string[] = [];
    const asked: unknown[] = [];
    const status = await run(
      { operation, stack, project: folder },
      {
        environment,
        system: await gitHubActions(environment),
        review: {
          renderReview,
          marker,
          makeReview: async (options) => {
            const { onOutput, ...others } = options;
            asked.push(others);
            if (typeof made === "function") return made(options);
            onOutput?.("Previewing update (prod)");
            return made ?? reviewed(recorded("unchanged"));
          },
        },
        write: (text) => log.push(text),
        hasProgram: () => true,
        findEngine: async () => ["/engine"],
        projectName: async () => "aks-gitops",
        outputs: async () => ({}),
        ...means,
      },
    );
    return {
      ...{ status, environment, asked },
      log: log.join(""),
      summary: await readFile(summary, "utf8").catch(() => ""),
      comments: pull.comments.map(({ body }) => body),
    };
  }

  const failing = (message: string) => async (): Promise<Review> => {
    throw new Error(message);
  };

  it("tells of a preview in the log, the summary and a comment, which the next one changes", async () => {
    const first = await ci({ made: reviewed(recorded("cluster")) });
    assert.equal(first.status, 0);
    assert.deepEqual(first.asked, [{ stack: "prod", project: folder, operation: "preview", commit: "f00dface" }]);
    assert.equal(first.environment.PATH, "/engine:/bin");
    const [comment = ""] = first.comments;
    const lines = comment.split("\n");
    assert.equal(lines[0], MARKER);
    assert.match(lines[1] ?? "", /^<!-- run 1\.1 [0-9a-f]{16} -->$/);
    assert.equal(lines[2], "### ⚠️ `prod`: the cluster `aks-prod` is replaced, and 8 more");
    const text = renderReview(reviewed(recorded("cluster")), "text").trimEnd();
    const url = `https://github.com/acme/platform/pull/${pull.number}#issuecomment-${pull.comments[0]?.id}`;
    const note = `Comment on pull request #${pull.number}: ${url}`;
    assert.equal(
      first.log,
      [
        "::group::pulumi preview --stack prod",
        "Previewing update (prod)",
        "::endgroup::",
        text,
        `::warning::${text.split("\n")[0]}`,
        note,
        "",
      ].join("\n"),
    );
    assert.equal(
      first.summary,
      `${renderReview(reviewed(recorded("cluster")), "markdown", 1_000_000).trimEnd()}\n\n${note}\n`,
    );

    const second = await ci({ made: reviewed(recorded("unchanged")), run: 2 });
    assert.equal(second.comments.length, 1);
    assert.match(second.comments[0] ?? "", /^<!-- .* -->\n<!-- run 2\.1 .* -->\n✅ `prod`: nothing changes\. /);
    assert.doesNotMatch(second.log, /::(error|warning)::/);
  });

  it("fails, and overwrites the comment, where the preview fails", async () => {
    await ci({ made: reviewed(recorded("cluster")) });
    const { status, log, comments, summary } = await ci({ made: reviewed(recorded("failed")), run: 2 });
    assert.equal(status, 1);
    assert.equal(comments.length, 1);
    assert.match(comments[0] ?? "", /\n### ❌ `prod`: the preview failed\n/);
    assert.match(summary, /### ❌ `prod`: the preview failed/);
    assert.match(log, /^::error::❌ prod: the preview failed%0Amirror\.prod\.lock\.json does not fit the settings /m);
  });

  it("fails where a mandatory policy refuses the change, with what it says", async () => {
    const { status, log, comments } = await ci({ made: reviewed(recorded("policy")) });
    assert.equal(status, 1);
    assert.match(comments[0] ?? "", /\n### ⛔ `prod`: stopped by mandatory policies, /);
    assert.match(log, /^::error::⛔ prod: stopped by mandatory policies, \d+ findings?%0A\S/m);
  });

  it("overwrites the comment where it cannot begin, with all that is missing at once", async () => {
    await ci({ made: reviewed(recorded("cluster")) });
    const { status, asked, log, comments } = await ci({
      run: 2,
      variables: {
        ARM_CLIENT_SECRET: undefined,
        ARM_USE_OIDC: "true",
        ARM_SUBSCRIPTION_ID: undefined,
        GITHUB_TOKEN: undefined,
        PULUMI_BACKEND_URL: undefined,
      },
      means: {
        findEngine: async () => {
          throw new Error("nothing fits");
        },
      },
    });
    assert.equal(status, 1);
    assert.deepEqual(asked, []);
    const reason = `It could not begin, and nothing was touched. 5 faults in what this run needs (docs/delivery/ci.md):

  ARM_USE_OIDC is set, but nothing gives the token of another issuer
    remedy  give the job \`permissions: { id-token: write, contents: read }\`: only then GitHub sets ACTIONS_ID_TOKEN_REQUEST_URL

  ARM_SUBSCRIPTION_ID is not set, and the stack's file has no azure-native:subscriptionId
    remedy  set one of the two to the subscription's id

  GIT_TOKEN is not set, nor is GITHUB_TOKEN, and the program writes to https://github.com/acme/fleet
    remedy  set it to a token that may write there; that of a workflow may only in its own repository

  PULUMI_ACCESS_TOKEN is not set, and the state is kept at https://api.pulumi.com
    remedy  set it from a secret of the pipeline, or keep the state yourself: PULUMI_BACKEND_URL="azblob://CONTAINER?storage_account=NAME"

  pulumi cannot be run: nothing fits
    remedy  install it, or put it on PATH`;
    assert.equal(comments.length, 1);
    assert.ok(comments[0]?.includes(`#### Why the preview failed\n\n\`\`\`text\n${reason}\n\`\`\``), comments[0]);
    assert.ok(log.includes(reason.split("\n").at(-1) ?? ""));
  });

  it("says what there is where there is no such stack, and in pulumi's words where it has no state", async () => {
    const none = await ci({ stack: "qa" });
    assert.equal(none.status, 1);
    assert.match(
      none.log,
      /holds no Pulumi\.qa\.yaml; there are prod\. Run `pulumi stack init qa`, or correct --stack\./,
    );
    const { status, comments } = await ci({ made: failing("There is no stack prod. Make it: pulumi stack init prod") });
    assert.equal(status, 1);
    assert.match(
      comments.at(-1) ?? "",
      /It could not begin, and nothing was touched\. There is no stack prod\. Make it: /,
    );
  });

  it("leaves the comment of a newer run as it is", async () => {
    await ci({ made: reviewed(recorded("cluster")), run: 8 });
    const { status, log, comments } = await ci({ run: 7 });
    assert.equal(status, 0);
    assert.match(comments[0] ?? "", /the cluster `aks-prod` is replaced/);
    assert.match(
      log,
      new RegExp(`^The comment on pull request #${pull.number} is by a newer run, 8: it stays as it is\\.$`, "m"),
    );
  });

  it("does not fail where its token may not comment, and says so", async () => {
    const { status, log, summary, comments } = await ci({ variables: { COMMENT_TOKEN: readOnly } });
    assert.equal(status, 0);
    assert.deepEqual(comments, []);
    const word = `No comment on pull request #${pull.number}: GitHub answers POST .* with 403 .*pull-requests: write }`;
    assert.match(log, new RegExp(`^${word}`, "m"));
    assert.match(summary, new RegExp(`^${word}`, "m"));
  });

  it("reviews a fork's change where it can, without a comment", async () => {
    const { status, log } = await ci({ head: "mallory/platform", variables: { COMMENT_TOKEN: readOnly } });
    assert.equal(status, 0);
    assert.match(
      log,
      new RegExp(`^No comment on pull request #${pull.number}: it comes from a fork, whose runs may not\\.$`, "m"),
    );
  });

  it("notes that there is no preview of a fork's change where its run has no sign-in, and does not fail", async () => {
    const { status, log, summary, asked } = await ci({
      head: "mallory/platform",
      variables: { COMMENT_TOKEN: readOnly, ARM_CLIENT_SECRET: "", ARM_USE_OIDC: "true", GITHUB_TOKEN: readOnly },
    });
    assert.deepEqual([status, asked], [0, []]);
    assert.match(
      summary,
      /^No preview of prod: this pull request comes from a fork, and GitHub Actions gives a fork's runs/,
    );
    assert.match(log, /^::warning::No preview of prod: this pull request comes from a fork/m);
  });

  it("tells of an update what it did, with the outputs that people read", async () => {
    const { status, asked, log, summary } = await ci({
      ...{ operation: "up", head: null, made: { ...reviewed(recorded("chart")), operation: "up" } },
      means: {
        outputs: async () => ({
          clusterName: "aks-prod",
          repository: { url: "https://github.com/acme/fleet" },
          kubeconfig: "[secret]",
          clusterId: "/subscriptions/s/resourceGroups/g",
          long: "x".repeat(201),
          lines: "a\nb",
        }),
      },
    });
    assert.equal(status, 0);
    assert.deepEqual(asked, [{ stack: "prod", project: folder, operation: "up", commit: "merged" }]);
    const tail = '- clusterName: `aks-prod`\n- repository: `{"url":"https://github.com/acme/fleet"}`\n';
    assert.ok(log.endsWith(`\nOutputs\n-------\n\n${tail}`), log.slice(-300));
    assert.ok(summary.endsWith(`\n#### Outputs\n\n${tail}`), summary.slice(-300));
    assert.match(log, /^::group::pulumi up --stack prod$/m);
  });

  it("says what to do after an update that failed, by what the engine said", async () => {
    const failed = { ...reviewed(recorded("failed")), operation: "up" as const };
    const advised = async (line: string) => {
      const made: typeof makeReview = async ({ onOutput }) => {
        onOutput?.(line);
        return failed;
      };
      const { status, log } = await ci({ operation: "up", head: null, made });
      assert.equal(status, 1);
      return /^What to do\n-+\n\n(.*)$/m.exec(log)?.[1];
    };
    const recover = "`pulumi cancel --stack prod`, then `npm run recover -- --stack prod`, then run this again";
    const held = `Another update holds the stack: wait until it has ended, and run this again. If it was killed: ${recover}.`;
    assert.equal(
      await advised("error: the stack is currently locked by 1 lock(s). Either wait for the other ..."),
      held,
    );
    assert.equal(await advised("error: [409] Conflict: Another update is currently in progress."), held);
    assert.equal(
      await advised("error: cannot create already existing resource '/subscriptions/..'"),
      `An earlier update was killed and left work behind. ${recover}.`,
    );
    assert.equal(
      await advised("error: something else"),
      "Nothing is rolled back: what was made stays, and the next `up` goes on from there. Mend the cause and run this " +
        `again. If the run was killed: ${recover}.`,
    );
  });

  it("fails where something has drifted, says what and what to do, and leaves a pull request's comment alone", async () => {
    const events = step("update", "azure-native:containerregistry:Registry", "acr", {
      old: { adminUserEnabled: true },
      new: { adminUserEnabled: false },
      diff: { adminUserEnabled: "update" },
    });
    const made = reviewed({ events, resources: [] }, { operation: "drift" });
    const { status, asked, log, summary, comments } = await ci({ operation: "drift", made });
    assert.equal(status, 1);
    assert.deepEqual(asked, [{ stack: "prod", project: folder, operation: "drift", commit: "f00dface" }]);
    assert.deepEqual(comments, []);
    const title = "⚠️ prod: drifted, 1 resource is not as the stack says";
    assert.ok(log.includes(`\n${title}\n`), log);
    assert.match(log, /^::group::pulumi preview --refresh --stack prod$/m);
    assert.ok(log.includes(`\n::error::${title}\n`), log);
    assert.ok(
      summary.endsWith(
        "\n#### What to do\n\n`pulumi up --refresh --stack prod` puts it back as the stack says, by what is listed above. " +
          "Where the difference is meant to stay, write it into the stack's settings first.\n",
      ),
      summary,
    );
    const none = reviewed(recorded("unchanged"), { operation: "drift" });
    const quiet = await ci({ operation: "drift", head: null, made: none });
    assert.equal(quiet.status, 0);
    assert.match(quiet.log, /^✅ prod: nothing has drifted\. 3 unchanged\. /m);
    assert.doesNotMatch(quiet.log, /What to do|::(error|warning)::/);
    const failed = await ci({ operation: "drift", made: reviewed(recorded("failed"), { operation: "drift" }) });
    assert.equal(failed.status, 1);
    assert.match(failed.log, /^❌ prod: the look for drift failed$/m);
    assert.doesNotMatch(failed.log, /What to do/);
  });

  it("lets neither a secret nor a command of a line into log, summary and comment", async () => {
    const made: typeof makeReview = async ({ onOutput }) => {
      onOutput?.(`using ${SECRET} and secretOfAzure`);
      onOutput?.("::set-output name=x::y\r::add-path::/tmp");
      throw new Error(`the token ${SECRET} is wrong\n::error::injected`);
    };
    const { log, summary, comments } = await ci({ made });
    for (const text of [log, summary, ...comments]) {
      assert.doesNotMatch(text, /secretOfTheWorkflow|secretOfAzure/);
      assert.match(text, /the token \[hidden\] is wrong/);
    }
    assert.match(log, /^using \[hidden\] and \[hidden\]\n\\::set-output name=x::y\n\\::add-path::\/tmp$/m);
    const commands = log.split("\n").filter((line) => /^\s*::/.test(line));
    assert.deepEqual(commands, [
      "::group::pulumi preview --stack prod",
      "::endgroup::",
      "::error::❌ prod: the preview failed%0AIt could not begin, and nothing was touched. the token [hidden] is wrong",
    ]);
  });

  it("lets the engine end what it has begun where the run is ended", async () => {
    const ended = new AbortController();
    const made: typeof makeReview = async ({ signal }) => {
      ended.abort();
      assert.equal(signal?.aborted, true);
      return { ...reviewed(recorded("failed")), operation: "up" };
    };
    const { status, log } = await ci({ operation: "up", head: null, made, means: { signal: ended.signal } });
    assert.equal(status, 1);
    assert.match(log, /^What to do$/m);
  });

  it("keeps a comment within its limit, whatever it holds", async () => {
    const many = reviewed(recorded("cluster"));
    const failures = Array.from({ length: 4000 }, (_, at) => ({ text: `failure ${at} ${"ü".repeat(60)}` }));
    const { comments, status } = await ci({ made: { ...many, verdict: "failed", failures } });
    assert.equal(status, 1);
    assert.equal(comments.length, 1);
    assert.ok(Buffer.byteLength(comments[0] ?? "") <= 65_536);
  });
});
