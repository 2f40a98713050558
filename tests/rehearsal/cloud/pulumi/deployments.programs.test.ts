import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, it } from "mocha";
import { GitHub } from "../../../../rehearsal/cloud/github/service.ts";
import { type Deployment, Deployments } from "../../../../rehearsal/cloud/pulumi/deployments.ts";
import type { GitHubEvent } from "../../../../rehearsal/cloud/pulumi/events.ts";
import { PulumiCloud } from "../../../../rehearsal/cloud/pulumi/service.ts";
import { ask } from "../request.ts";

const REPOSITORY = "acme/aks-gitops";
const CLIENTS = { deployer: "the-deployer", reader: "the-reader" };
const AS_READER = `if [ "$PULUMI_CI_OPERATION" = preview ]; then echo "ARM_CLIENT_ID=${CLIENTS.reader}" >> /PULUMI_ENV; fi`;

/** What deployments/ writes for a stack, in short. */
const settings = (vcs: object, more: object = {}) => ({
  sourceContext: { git: { branch: "refs/heads/main" } },
  vcs: { provider: "github", repository: REPOSITORY, ...vcs },
  operationContext: {
    oidc: { azure: { clientId: CLIENTS.deployer, tenantId: "tenant", subscriptionId: "subscription" } },
    preRunCommands: ["npm ci", AS_READER],
    environmentVariables: {
      ARM_USE_OIDC: "true",
      ARM_OIDC_TOKEN_FILE_PATH: "/mnt/pulumi/pulumi.oidc",
      FLUX_GIT_TOKEN: { secret: "hidden" },
    },
    options: { skipInstallDependencies: true, ...more },
  },
});
const DEV = settings({ deployCommits: true, previewPullRequests: true, paths: ["Pulumi.dev.yaml", "components/**"] });
const PROD = settings({ deployTags: true, tagFilters: ["v*"], previewPullRequests: true, paths: ["Pulumi.prod.yaml"] });

interface Ran {
  readonly cwd: string;
  readonly env: Record<string, string>;
  readonly command: string;
  /** The token's file as it was then. */
  readonly token: string;
}

describe("the simulated Pulumi Deployments", () => {
  let folder: string;
  let cloud: PulumiCloud;
  let deployments: Deployments;
  let bare: string;
  let base: string;
  let token: string;
  /** Every `pulumi` that was run. */
  let ran: Ran[];
  let refuse: (command: string) => boolean;

  const git = (...args: string[]) => exec("git", ["-C", bare, ...args], {});
  /** Commits files to a branch. */
  const commit = async (branch: string, files: Record<string, string>): Promise<string> => {
    const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
    const changes = Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\n${data(text)}`);
    const who = "committer Ann <ann@example.com> 1700000000 +0000\n";
    const from = `from refs/heads/main^0\n`;
    const stream = `commit refs/heads/${branch}\n${who}${data("Change")}${from}${changes.join("")}`;
    await exec("git", ["-C", bare, "fast-import", "--quiet", "--force"], {}, stream);
    return (await git("rev-parse", `refs/heads/${branch}`)).output.trim();
  };
  const push = (after: string, ...modified: string[]): GitHubEvent => ({
    event: "push",
    payload: {
      ref: "refs/heads/main",
      after,
      deleted: false,
      repository: { full_name: REPOSITORY },
      commits: [{ added: [], removed: [], modified }],
    },
  });
  const tag = (name: string, deleted = false): GitHubEvent => ({
    event: "push",
    payload: { ref: `refs/tags/${name}`, after: base, deleted, repository: { full_name: REPOSITORY }, commits: [] },
  });
  const pull = (head: string, action = "opened", from = REPOSITORY): GitHubEvent => ({
    event: "pull_request",
    payload: {
      action,
      number: 7,
      repository: { full_name: REPOSITORY },
      pull_request: { base: { ref: "main", sha: base }, head: { sha: head, repo: { full_name: from } } },
    },
  });
  const ended = async (started: readonly Deployment[]) => {
    while (started.some(({ status }) => status === "queued" || status === "running")) await sleep(5);
    return started.map(({ stack, operation, status }) => [stack, operation, status]);
  };
  const put = async (stack: string, body: object) => {
    const path = `https://api.pulumi.com/api/stacks/acme/aks-gitops/${stack}/deployments/settings`;
    const answer = await ask(cloud.service, "PUT", path, { headers: { authorization: `token ${token}` }, body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-deployments-"));
    const gitHub = new GitHub({ root: join(folder, "git") });
    const files = { "Pulumi.yaml": "name: aks-gitops\n", "Pulumi.dev.yaml": "config: {}\n" };
    bare = (await gitHub.createRepository("acme", "aks-gitops", { files })).folder;
    base = (await git("rev-parse", "refs/heads/main")).output.trim();
    cloud = new PulumiCloud();
    for (const stack of ["dev", "prod"]) cloud.addStack({ organization: "acme", project: "aks-gitops", stack });
    token = cloud.addToken(["acme"]);
    await put("dev", DEV);
    await put("prod", PROD);
    ran = [];
    refuse = () => false;
    writeFileSync(join(folder, "npm"), '#!/bin/sh\ntest "$1" = ci && echo installed\n', { mode: 0o755 });
    deployments = new Deployments({
      cloud,
      root: folder,
      repository: () => bare,
      head: async (_, branch) => (await git("rev-parse", `refs/heads/${branch}`)).output.trim(),
      environment: { PATH: [folder, process.env.PATH].join(delimiter) },
      oidcToken: ({ organization, stack, operation }) => `token of ${organization}/${stack} for ${operation}`,
      gitHubToken: () => "of-the-app",
      accessToken: ({ stack }) => `pul-${stack}`,
      open: (value) => cloud.open(value),
      run: async (command, args, { cwd, env }) => {
        const line = [command, ...args].join(" ");
        if (refuse(line)) return { code: 1, output: "refused\n" };
        if (command !== "pulumi")
          return exec(
            command,
            args.map((arg) => (arg.startsWith("https://github.com/") ? bare : arg)),
            { cwd, env },
          );
        const file = env.ARM_OIDC_TOKEN_FILE_PATH ?? "";
        ran.push({ cwd, env, command: line, token: await readFile(file, "utf8") });
        return { code: 0, output: "done\n" };
      },
    });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("previews a pull request as the reader, with the token of a preview, in a clean clone of its head", async () => {
    const head = await commit("feature", { "Pulumi.dev.yaml": "config: { a: b }\n" });
    const started = await deployments.receive(pull(head));
    assert.deepEqual(await ended(started), [["dev", "preview", "succeeded"]]);
    assert.deepEqual(
      started[0]?.steps.map(({ name, output, code }) => [name, output, code]),
      [
        ["Get source", "", 0],
        ["npm ci", "installed\n", 0],
        [AS_READER, "", 0],
        ["pulumi preview", "done\n", 0],
      ],
    );
    const [{ cwd, env, command, token: given } = assert.fail("nothing ran")] = ran;
    assert.equal(command, "pulumi --non-interactive --color=never preview --stack dev");
    assert.equal(given, "token of acme/dev for preview");
    assert.equal(await readFile(join(cwd, "Pulumi.dev.yaml"), "utf8"), "config: { a: b }\n");
    const { PATH: _, PULUMI_CI_BUILD_ID: id, ARM_OIDC_TOKEN_FILE_PATH: __, ...variables } = env;
    assert.match(id ?? "", /^[0-9a-f-]{36}$/);
    assert.deepEqual(variables, {
      ARM_CLIENT_ID: CLIENTS.reader,
      ARM_TENANT_ID: "tenant",
      ARM_SUBSCRIPTION_ID: "subscription",
      ARM_USE_OIDC: "true",
      FLUX_GIT_TOKEN: "hidden",
      GITHUB_TOKEN: "of-the-app",
      PULUMI_ACCESS_TOKEN: "pul-dev",
      PULUMI_OIDC_TOKEN: given,
      PULUMI_CI_SYSTEM: "Pulumi Deployments",
      PULUMI_CI_BUILD_NUMBER: "1",
      PULUMI_CI_BUILD_URL: "https://app.pulumi.com/acme/aks-gitops/dev/deployments/1",
      PULUMI_CI_ORGANIZATION: "acme",
      PULUMI_CI_PROJECT: "aks-gitops",
      PULUMI_CI_STACK: "dev",
      PULUMI_CI_OPERATION: "preview",
    });
  });

  it("updates after a push as the deployer, and those stacks alone that it touches", async () => {
    const after = await commit("main", { "Pulumi.dev.yaml": "config: { a: c }\n" });
    assert.deepEqual(await ended(await deployments.receive(push(after, "Pulumi.dev.yaml"))), [
      ["dev", "update", "succeeded"],
    ]);
    const [{ env, command, token: given } = assert.fail("nothing ran")] = ran;
    assert.equal(command, "pulumi --non-interactive --color=never up --yes --skip-preview --stack dev");
    assert.deepEqual([env.ARM_CLIENT_ID, given], [CLIENTS.deployer, "token of acme/dev for update"]);
    assert.deepEqual(await deployments.receive(push(after, "README.md", "Pulumi.prod.yaml")), []);
  });

  it("updates production by a tag alone, and tells its name", async () => {
    assert.deepEqual(await deployments.receive(tag("test")), []);
    assert.deepEqual(await deployments.receive(tag("v1.2.0", true)), []);
    assert.deepEqual(await ended(await deployments.receive(tag("v1.2.0"))), [["prod", "update", "succeeded"]]);
    assert.equal(ran[0]?.env.PULUMI_CI_TAG_NAME, "v1.2.0");
  });

  it("starts what somebody asks for, who may", async () => {
    cloud.onDeployment = (asked) => deployments.start(asked);
    const run = (body: object, authorization = `token ${token}`) =>
      ask(cloud.service, "POST", "https://api.pulumi.com/api/stacks/acme/aks-gitops/prod/deployments", {
        headers: { authorization },
        body,
      });
    assert.equal((await run({ operation: "update" }, "token wrong")).status, 401);
    assert.equal((await run({ operation: "up" })).status, 400);
    const { status, body } = await run({ operation: "update", inheritSettings: true });
    assert.equal(status, 202);
    const [started] = deployments.all;
    assert.deepEqual([started?.id, started?.commit], [body.id, base]);
    assert.deepEqual(await ended(deployments.all), [["prod", "update", "succeeded"]]);
    await assert.rejects(run({ operation: "detect-drift" }), /the token of detect-drift says is documented nowhere/);
  });

  it("ends with the first step that fails", async () => {
    refuse = (command) => command.includes("npm ci");
    const started = await deployments.receive(push(base, "Pulumi.dev.yaml"));
    assert.deepEqual(await ended(started), [["dev", "update", "failed"]]);
    assert.deepEqual(started[0]?.steps.at(-1), { name: "npm ci", code: 1, output: "refused\n" });
    assert.deepEqual(ran, []);
  });

  it("runs one deployment of a stack at a time, and skips what a later one overtakes where it is told to", async () => {
    const three = async () => {
      const one = await deployments.receive(push(base, "Pulumi.dev.yaml"));
      const two = await deployments.receive(push(base, "Pulumi.dev.yaml"));
      return ended([...one, ...two, ...(await deployments.receive(push(base, "Pulumi.dev.yaml")))]);
    };
    assert.deepEqual(
      (await three()).map(([, , status]) => status),
      ["succeeded", "succeeded", "succeeded"],
    );
    await put("dev", settings({ deployCommits: true }, { skipIntermediateDeployments: true }));
    assert.deepEqual(
      (await three()).map(([, , status]) => status),
      ["succeeded", "skipped", "succeeded"],
    );
  });

  it("does not say what it does not know: a fork's pull request", async () => {
    const head = await commit("feature", { "Pulumi.dev.yaml": "config: {}\n# other\n" });
    await assert.rejects(
      deployments.receive(pull(head, "opened", "mallory/aks-gitops")),
      /of a fork is documented nowhere/,
    );
    assert.deepEqual(await deployments.receive(pull(head, "closed")), []);
  });
});

function exec(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv },
  input?: string,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(command, args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}
