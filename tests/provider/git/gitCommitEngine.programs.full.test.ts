// GitCommit and EncryptedSecret under the real engine, against a real Git host: replaced, interrupted, forgotten.

import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, describe, it } from "mocha";
import {
  ENGINE_TIMEOUT,
  type EngineEnvironment,
  engineEnvironment,
  ROOT,
  succeed,
  writeProject,
} from "../../support/engine.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";

const TOKEN = "ghp_wonderfulToken0815";
const PUBLIC_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .publicKey.export({ type: "spki", format: "pem" })
  .toString();
const SECRET = "prod/secrets/demo.yaml";

/** A commit of what commit.json says, and of one encrypted Secret; a preview looks at people's files where it says so. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { warnOfPeopleImages } from ${JSON.stringify(pathToFileURL(join(ROOT, "components/flux/peopleImages.ts")).href)};
const { secret, people, ...commit } = JSON.parse(readFileSync("commit.json", "utf8"));
const encrypted = new pulumi.CustomResource("gitops:index:EncryptedSecret", "demo", { ...secret, content: undefined });
const files = { ...commit.files, ${JSON.stringify(SECRET)}: encrypted.content };
const fleet = new pulumi.CustomResource("gitops:index:GitCommit", "fleet", { ...commit, files, commit: undefined });
if (people) warnOfPeopleImages({ stack: "prod", lock: { images: [] }, url: commit.url, branch: commit.branch }, fleet);
`;

describe("GitCommit under the real engine", () => {
  let engine: EngineEnvironment;
  let server: GitServer;
  let project: string;
  let env: Record<string, string>;

  const pulumi = (...args: string[]) => succeed(project, args, env);
  const up = (...options: string[]) => pulumi("up", "--yes", "--skip-preview", ...options);
  const URN = "urn:pulumi:prod::fleet::gitops:index:GitCommit::fleet";
  const SECRET_URN = "urn:pulumi:prod::fleet::gitops:index:EncryptedSecret::demo";
  const declare = async (more: object) => {
    const secret = {
      name: "demo",
      namespace: "demo",
      stringData: { password: "hush" },
      keyUrl: "https://prod-kv.vault.azure.net/keys/sops/0123456789abcdef0123456789abcdef",
      publicKey: PUBLIC_KEY,
    };
    const commit = { url: server.url, branch: "main", message: "Update stack prod", secret, ...more };
    await writeFile(join(project, "commit.json"), JSON.stringify(commit));
  };
  const paths = async (branch = "main") =>
    (await server.git(["ls-tree", "-r", "--name-only", branch])).split("\n").filter(Boolean);
  const show = (path: string, branch = "main") => server.git(["show", `${branch}:${path}`]);
  const head = () => server.git(["rev-parse", "main"]);
  const commits = async (): Promise<{ delete?: boolean }[]> => {
    const { deployment } = JSON.parse(await pulumi("stack", "export")) as {
      deployment: { resources?: { type: string; delete?: boolean }[] };
    };
    return (deployment.resources ?? []).filter(({ type }) => type === "gitops:index:GitCommit");
  };

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    server = await startGitServer(TOKEN);
    const { GIT_TOKEN: _, ...others } = engine.env;
    env = { ...others, GITHUB_TOKEN: TOKEN };
    project = await writeProject(
      engine.directory,
      "fleet",
      { "index.ts": PROGRAM, "commit.json": "{}" },
      { gitops: join(ROOT, "provider") },
    );
    await pulumi("stack", "init", "prod");
    await server.commit("main", { "README.md": "theirs\n" });
    await declare({ files: { "prod/a.yaml": "a\n" } });
    await up();
  });

  after(async () => {
    await server?.close();
    await engine?.close();
  });

  const ALL = ["README.md", "prod/a.yaml", SECRET];

  it("has a preview warn of images of other registries in people's files, while nothing changes", async () => {
    const files = { "prod/a.yaml": "a\n" };
    const pod = (image: string) => `kind: Pod\nmetadata: {name: web}\nspec: {containers: [{image: "${image}"}]}\n`;
    const before = await head();
    await server.commit("main", {
      "apps/prod/web.yaml": pod("ghcr.io/acme/web:1"),
      "apps/dev/web.yaml": pod("nginx:1"),
    });
    try {
      await declare({ files, people: true });
      const preview = await pulumi("preview", "--expect-no-changes");
      assert.match(
        preview,
        /apps\/prod\/web\.yaml: Pod web, spec\.containers\[0\]\.image: ghcr\.io\/acme\/web:1\n.* aks-gitops:images: \[ghcr/,
      );
      assert.doesNotMatch(preview, /nginx/);
      assert.doesNotMatch(await up(), /ghcr\.io/);
      await declare({ files });
      assert.doesNotMatch(await pulumi("preview", "--expect-no-changes"), /ghcr\.io/);
    } finally {
      await server.git(["update-ref", "refs/heads/main", before.trim()]);
    }
  });

  it("renews it with --replace, and its files stay where they are", async () => {
    const commit = await head();
    await up("--replace", URN);
    assert.equal(await head(), commit);
    assert.deepEqual(await paths(), ALL);
    assert.equal((await commits()).length, 1);
    await pulumi("preview", "--expect-no-changes");
  });

  it("renews both with --replace: the new ciphertext takes the old one's place", async () => {
    const ciphertext = await show(SECRET);
    await up("--replace", URN, "--replace", SECRET_URN);
    assert.deepEqual(await paths(), ALL);
    assert.notEqual(await show(SECRET), ciphertext);
  });

  it("renews the Secret alone: the commit is updated with its new ciphertext", async () => {
    const ciphertext = await show(SECRET);
    await up("--replace", SECRET_URN);
    assert.deepEqual(await paths(), ALL);
    assert.notEqual(await show(SECRET), ciphertext);
  });

  it("keeps its files when the engine is killed before what was replaced is deleted, and up goes on", async () => {
    const commit = await head();
    // The new one looks at the branch and fetches it; the third greeting is the old one's.
    let greetings = 0;
    const reached = new Promise<void>((resolve) => {
      server.interrupt = async ({ method }) => {
        if (method !== "GET" || ++greetings < 3) return undefined;
        resolve();
        return new Promise(() => {});
      };
    });
    const args = ["up", "--yes", "--skip-preview", "--non-interactive", "--replace", URN];
    const running = spawn("pulumi", args, { cwd: project, env, stdio: "ignore", detached: true });
    const exit = once(running, "exit");
    await reached;
    process.kill(-(running.pid ?? Number.NaN), "SIGKILL");
    await exit;
    server.interrupt = undefined;
    await pulumi("cancel", "--yes");
    assert.deepEqual(
      (await commits()).map((one) => one.delete ?? false),
      [false, true],
    );
    await up();
    assert.equal(await head(), commit);
    assert.deepEqual(await paths(), ALL);
    assert.equal((await commits()).length, 1);
  });

  it("takes over its files, the Secret's too, after its state was deleted", async () => {
    const ciphertext = await show(SECRET);
    await pulumi("state", "delete", URN, "--yes");
    const commit = await head();
    await up();
    assert.equal(await head(), commit);
    await pulumi("state", "delete", URN, "--yes");
    await pulumi("state", "delete", SECRET_URN, "--yes");
    await up();
    assert.deepEqual(await paths(), ALL);
    assert.notEqual(await show(SECRET), ciphertext);
  });

  it("shows in a refresh what was deleted in the repository, and up restores it", async () => {
    await server.commit("main", { "prod/a.yaml": null });
    await pulumi("refresh", "--yes", "--skip-preview");
    await up();
    assert.deepEqual(await paths(), ALL);
  });

  it("writes to another branch before it takes its files away from the old one", async () => {
    await server.commit("live", { "README.md": "theirs\n" });
    const refs: string[] = [];
    server.interrupt = async ({ method, path }) => {
      if (method === "POST" && path.endsWith("/git-receive-pack"))
        refs.push((await paths("live")).includes("prod/a.yaml") ? "live has it" : "only main has it");
      return undefined;
    };
    await declare({ branch: "live", files: { "prod/a.yaml": "a\n" } });
    await up();
    server.interrupt = undefined;
    assert.deepEqual(refs, ["only main has it", "live has it"]);
    assert.deepEqual(await paths("live"), ALL);
    assert.deepEqual(await paths(), ["README.md"]);
  });

  it("removes its files with destroy", async () => {
    await pulumi("destroy", "--yes", "--skip-preview");
    assert.deepEqual(await paths("live"), ["README.md"]);
  });
});
