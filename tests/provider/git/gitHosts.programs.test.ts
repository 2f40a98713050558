// GitCommit on Git hosts of any kind: over HTTPS with named credentials, over SSH with keys, and what it says where a right
// is missing.
import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { publicKeyOf } from "../../../net/sshKey.ts";
import type { Context, Properties } from "../../../plugin/handler.ts";
import { gitCommit } from "../../../provider/git/gitCommit.ts";
import { ProtectedBranch, pushError, remoteError } from "../../../provider/git/gitError.ts";
import { setEnvironment } from "../../support/environment.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";
import { findSshd, type SshServer, startSshServer } from "../../support/sshServer.ts";

const TOKEN = "wonderfulToken0815";

const context = (): Context => ({
  urn: "urn:pulumi:prod::aks-gitops::gitops:index:GitCommit::fleet",
  type: "gitops:index:GitCommit",
  name: "fleet",
  preview: false,
  signal: new AbortController().signal,
  log: () => {},
});

const create = (inputs: Properties) =>
  gitCommit.create(
    { branch: "main", message: "Update clusters/prod", files: { "a.yaml": "a\n" }, ...inputs },
    context(),
  );

describe("GitCommit over HTTPS", () => {
  let server: GitServer;
  let restore: () => void;
  beforeEach(async () => {
    server = await startGitServer(TOKEN);
    restore = setEnvironment({ GIT_TOKEN: "wrong", GITHUB_TOKEN: undefined, FLEET_TOKEN: TOKEN });
  });
  afterEach(async () => {
    restore();
    await server.close();
  });

  it("signs in with the variable that is named, under the user name that the host wants", async () => {
    const access = { credential: "FLEET_TOKEN", username: "x-token-auth" };
    const { state } = await create({ url: server.url, access });
    assert.equal(await server.git(["rev-parse", "main"]), state.commit);
    assert.ok(server.users.includes("x-token-auth"));
    assert.ok(!server.users.includes("x-access-token"));
  });

  it("rotates by another variable, without a commit", async () => {
    const given = { url: server.url, branch: "main", message: "m", files: { "a.yaml": "a\n" } };
    const old = { ...given, access: { credential: "FLEET_TOKEN" } };
    const existing = { ...(await gitCommit.create(old, context())), inputs: old };
    process.env.NEXT_TOKEN = TOKEN;
    try {
      const next = { ...given, access: { credential: "NEXT_TOKEN" } };
      assert.equal((await gitCommit.diff?.(existing, next, context()))?.changes, true);
      const state = await gitCommit.update?.(existing, next, context());
      assert.equal(state?.commit, existing.state.commit);
      assert.deepEqual(state?.access, next.access);
    } finally {
      delete process.env.NEXT_TOKEN;
    }
  });

  it("asks for the variable that is named, and for no GitHub token on another host", async () => {
    await assert.rejects(
      create({ url: server.url, access: { credential: "NO_TOKEN" } }),
      /asks for a credential: set NO_TOKEN:/,
    );
  });
});

/** What a failed git says of a host, and what is made of it. */
const told = (url: string, action: "read" | "push", output: string, token?: string) =>
  remoteError({
    ...{ action, url, branch: "main", output, access: {} },
    credential: token === undefined ? undefined : { variable: "GIT_TOKEN", token, username: "git" },
  }).message;

describe("a refusal", () => {
  const DEVOPS = "https://dev.azure.com/acme/platform/_git/fleet";
  const cases: [string, string, "read" | "push", string, RegExp][] = [
    [
      ...(["of Azure DevOps, of a push", DEVOPS, "push"] as const),
      "remote: TF401027: You need the Git 'GenericContribute' permission to perform this action.\nfatal: unable to access: The requested URL returned error: 403",
      /^the token in GIT_TOKEN may not push to .* \(in Azure DevOps: Code, read & write; the permission Contribute\): remote: TF401027/,
    ],
    [
      ...(["of Azure DevOps, of an expired token", DEVOPS, "read"] as const),
      `fatal: Authentication failed for '${DEVOPS}/'`,
      /does not accept the token in GIT_TOKEN: it may have expired/,
    ],
    [
      ...(["of Azure DevOps, which shows its page for people", DEVOPS, "read"] as const),
      "fatal: unable to update url base from redirection:\n  asked for: x\n   redirect: https://spsprodweu1.vssps.visualstudio.com/_signin",
      /does not accept the token in GIT_TOKEN/,
    ],
    [
      ...(["of GitLab, of a push", "https://gitlab.com/acme/fleet.git", "push"] as const),
      "remote: You are not allowed to push code to this project.\nfatal: unable to access: The requested URL returned error: 403",
      /may not push to .* \(in GitLab: write_repository, the role Developer\)/,
    ],
    [
      ...(["of GitLab, of reading", "https://gitlab.com/acme/fleet.git", "read"] as const),
      "remote: The project you were looking for could not be found or you don't have permission to view it.\nfatal: repository not found",
      /^there is no repository .*, or the token in GIT_TOKEN may not see it/,
    ],
    [
      ...(["of a host over SSH, of a deploy key", "ssh://git@gitlab.com/acme/fleet.git", "push"] as const),
      "remote: ERROR: This deploy key does not have write access to this project.\nfatal: Could not read from remote repository.",
      /^the key in GIT_TOKEN may not push to/,
    ],
  ];
  for (const [what, url, action, output, message] of cases)
    it(`${what}, says which right is missing`, () => assert.match(told(url, action, output, "hunter2"), message));

  const push = (url: string, reason: string, lines: readonly string[] = []) =>
    pushError({
      ...{ action: "push", url, branch: "main", access: {} },
      output: [
        ...lines.map((line) => `remote: ${line}`),
        `!\trefs/heads/x:refs/heads/main\t[remote rejected] (${reason})`,
      ].join("\n"),
      credential: { variable: "GIT_TOKEN", token: "hunter2", username: "git" },
    });
  const GITHUB = "https://github.com/acme/fleet";
  const DECLINED = "push declined due to repository rule violations";
  const GH013 = "error: GH013: Repository rule violations found for refs/heads/main.";
  const wanted: [string, Error, "GitHub" | "Azure DevOps" | undefined][] = [
    ["a pull request", push(GITHUB, DECLINED, [GH013, "", "- Changes must be made through a pull request."]), "GitHub"],
    [
      "a check, which runs on pull requests",
      push(GITHUB, "protected branch hook declined", [
        "error: GH006: Protected branch update failed for refs/heads/main.",
        '- Required status check "build" is expected.',
      ]),
      "GitHub",
    ],
    ["its merge queue", push(GITHUB, DECLINED, [GH013, "- Changes must be made through the merge queue"]), "GitHub"],
    [
      "a policy of Azure DevOps'",
      push(DEVOPS, "TF402455: Pushes to this branch are not permitted; you must use"),
      "Azure DevOps",
    ],
    ["signatures alone", push(GITHUB, DECLINED, [GH013, "- Commits must have verified signatures."]), undefined],
    [
      "the same over SSH",
      push("ssh://git@github.com/acme/fleet", DECLINED, [GH013, "- through a pull request."]),
      undefined,
    ],
    [
      "a rule of GitLab's",
      push("https://gitlab.com/acme/fleet", "pre-receive hook declined", [
        "GitLab: You are not allowed to push code to protected branches on this project.",
      ]),
      undefined,
    ],
  ];
  for (const [what, error, host] of wanted)
    it(`of a push that wants ${what} is ${host ? "one for a pull request" : "none for a pull request"}`, () => {
      assert.equal(error instanceof ProtectedBranch ? error.host : undefined, host);
      assert.equal(/let it take pull requests \(flux\.commit\.pullRequest\)/.test(error.message), host !== undefined);
      assert.match(error.message, /refuses a push to branch main/);
    });

  it("never shows the token", () => {
    assert.doesNotMatch(told(DEVOPS, "read", "fatal: hunter2 is wrong", "hunter2"), /hunter2/);
  });

  it("on another host asks for GIT_TOKEN alone", () => {
    const output = "fatal: could not read Username for 'https://gitlab.com': terminal prompts disabled";
    assert.match(told("https://gitlab.com/acme/fleet", "read", output), /asks for a credential: set GIT_TOKEN:/);
    assert.match(told("https://github.com/acme/fleet", "read", output), /set GIT_TOKEN or GITHUB_TOKEN:/);
  });
});

const sshd = findSshd();

(sshd === undefined ? describe.skip : describe)("GitCommit over SSH (needs sshd: Debian's openssh-server)", () => {
  let server: GitServer;
  let ssh: SshServer;
  let temporary: string;
  let restore: () => void;
  let url: string;
  let access: { knownHosts: string };
  before(async () => {
    ssh = await startSshServer(sshd ?? "");
  });
  after(() => ssh.close());
  beforeEach(async () => {
    server = await startGitServer(TOKEN);
    temporary = await mkdtemp(join(tmpdir(), "git-ssh-test-"));
    url = ssh.url(server.folder);
    access = { knownHosts: ssh.knownHosts };
    restore = setEnvironment({
      ...{ GIT_TOKEN: undefined, GITHUB_TOKEN: undefined, SSH_AUTH_SOCK: undefined, TMPDIR: temporary },
      ...{ GIT_SSH_KEY: await ssh.addKey("write"), GIT_SSH_COMMAND: undefined, PATH: process.env.PATH },
    });
  });
  afterEach(async () => {
    restore();
    await server.close();
    await rm(temporary, { recursive: true, force: true });
  });

  it("commits with the key in GIT_SSH_KEY, which no file and no argument keeps", async () => {
    const trace = join(temporary, "trace");
    await writeFile(
      join(temporary, "ssh"),
      `#!/bin/sh\necho "$@" >> '${trace}'\nenv >> '${trace}'\nfor one in "$@"; do case $one in IdentityFile=*) stat -c %a "\${one#*=}" >> '${trace}';; esac; done\nPATH='${process.env.PATH}' exec ssh "$@"\n`,
    );
    await chmod(join(temporary, "ssh"), 0o755);
    process.env.PATH = `${temporary}:${process.env.PATH}`;
    const { state } = await create({ url, access });
    assert.equal(await server.git(["rev-parse", "main"]), state.commit);
    const traced = await readFile(trace, "utf8");
    assert.match(traced, /^600$/m);
    assert.match(traced, /StrictHostKeyChecking=yes/);
    assert.doesNotMatch(traced, /PRIVATE KEY/);
    assert.deepEqual((await readdir(temporary)).sort(), ["ssh", "trace"]);
  });

  it("takes the key from the variable that is named, though its last line has no end", async () => {
    process.env.FLEET_KEY = (process.env.GIT_SSH_KEY ?? "").trim();
    delete process.env.GIT_SSH_KEY;
    try {
      await create({ url, access: { ...access, credential: "FLEET_KEY" } });
    } finally {
      delete process.env.FLEET_KEY;
    }
    assert.equal(await server.git(["show", "main:a.yaml"]), "a");
  });

  it("trusts no other host's key, and says how to learn the right one", async () => {
    const other = ssh.knownHosts.replace(
      /AAAA\S+/,
      "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
    );
    await assert.rejects(create({ url, access: { knownHosts: other } }), (error: Error) => {
      assert.match(
        error.message,
        /is not known by the key that it shows over SSH: compare what `ssh-keyscan -p \d+ 127\.0\.0\.1`/,
      );
      return true;
    });
  });

  it("says of a key that the host does not know that it has to be registered", async () => {
    process.env.GIT_SSH_KEY = await ssh.makeKey();
    await assert.rejects(
      create({ url, access }),
      /does not accept the key in GIT_SSH_KEY: register its public half there/,
    );
  });

  it("says of a key that may only read that it may not push", async () => {
    await server.commit("main", { "README.md": "r\n" });
    process.env.GIT_SSH_KEY = await ssh.addKey("read");
    await assert.rejects(create({ url, access }), (error: Error) => {
      assert.match(error.message, /^the key in GIT_SSH_KEY may not push to ssh:/);
      assert.match(error.message, /marked as read only/);
      return true;
    });
  });

  it("asks for a key where there is none", async () => {
    delete process.env.GIT_SSH_KEY;
    process.env.GIT_SSH_COMMAND = "ssh -o BatchMode=yes -o IdentityFile=none";
    await assert.rejects(create({ url, access }), /accepts no key that SSH has here: set GIT_SSH_KEY/);
  });

  it("says that there is no such repository, and that a key is none", async () => {
    await assert.rejects(create({ url: `${url}x`, access }), /^GitError: there is no repository ssh:/);
    process.env.GIT_SSH_KEY = "hunter2";
    await assert.rejects(create({ url, access }), (error: Error) => {
      assert.equal(error.message, "the key in GIT_SSH_KEY is no private key in PEM: give a private key in PEM");
      return true;
    });
  });
});

describe("GitCommit on a host that knows Git's first protocol alone, and gives nothing but whole branches", () => {
  let server: GitServer;
  let restore: () => void;
  before(async () => {
    server = await startGitServer(TOKEN, { plain: true });
    restore = setEnvironment({ GIT_TOKEN: TOKEN });
  });
  after(async () => {
    restore();
    await server.close();
  });

  it("commits, merges what others share with it, updates, and knows what it owns", async () => {
    await server.commit("main", {
      "README.md": "r\n",
      ".sops.yaml": "creation_rules:\n  - path_regex: x\n    age: age1\n",
    });
    await server.commit("main", { "README.md": "more\n" });
    const sopsRules = [{ path_regex: "^a", azure_keyvault: "https://kv.vault.azure.net/keys/sops/v1" }];
    const given = { url: server.url, branch: "main", message: "m", files: { "a.yaml": "a\n" }, sopsRules };
    const first = { ...(await gitCommit.create(given, context())), inputs: given };
    assert.match(
      await server.git(["show", "main:.sops.yaml"]),
      /path_regex: x\n {4}age: age1\n {2}- path_regex: \^a\n/,
    );
    const next = { ...given, files: { "a.yaml": "b\n", "b.yaml": "b\n" } };
    await gitCommit.update?.(first, next, context());
    assert.equal(await server.git(["show", "main:a.yaml"]), "b");
    const read = await gitCommit.read?.(first.id, next, { ...first.state, ...next }, context());
    assert.deepEqual(read?.inputs.files, next.files);
    // Without its state, what it committed itself is in nobody's way.
    await create({ url: server.url, files: { "a.yaml": "c\n" } });
    assert.equal(await server.git(["show", "main:a.yaml"]), "c");
  });
});

describe("a branch that wants signed commits of a company's address", () => {
  let server: GitServer;
  let restore: () => void;
  const author = { name: "Fleet", email: "fleet@acme.example" };
  // As GitHub answers, in the manner of fluxcd/flux#2902 and others.
  const HOOK = `#!/bin/sh
new=$3
bad=0
if ! git cat-file commit "$new" | grep -q '^gpgsig'; then
  echo "error: GH013: Repository rule violations found for refs/heads/main."
  echo "- Commits must have verified signatures."
  bad=1
fi
email=$(git log -1 --format=%ae "$new")
case $email in *@acme.example) ;; *) echo "- Author email must end with @acme.example, but is '$email'"; bad=1 ;; esac
exit $bad
`;
  beforeEach(async () => {
    server = await startGitServer(TOKEN);
    const hook = join(server.folder, "hooks", "update");
    await writeFile(hook, HOOK);
    await chmod(hook, 0o755);
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = privateKey.export({ type: "pkcs1", format: "pem" }) as string;
    restore = setEnvironment({ GIT_TOKEN: TOKEN, FLEET_SIGNING_KEY: key });
  });
  afterEach(async () => {
    restore();
    await server.close();
  });

  it("refuses others once, and what helps is said beside the host's own lines", async () => {
    await assert.rejects(create({ url: server.url }), (error: Error) => {
      assert.match(error.message, /its commits have to be signed: name a signing key \(flux\.commit\.signingKey\)/);
      assert.match(error.message, /name whose commits they are \(flux\.commit\.author\)/);
      assert.match(error.message, /bypass its rules, or choose another branch/);
      assert.match(error.message, /remote: error: GH013: .*; remote: - Commits must have verified signatures/);
      return true;
    });
    const pushes = server.requests.filter((request) => request.startsWith("POST") && request.includes("receive-pack"));
    assert.equal(pushes.length, 1);
  });

  it("takes those that are signed with a key of the environment, in the name that is given", async () => {
    const { state } = await create({ url: server.url, author, signingKey: "FLEET_SIGNING_KEY" });
    assert.equal(await server.git(["rev-parse", "main"]), state.commit);
    assert.equal(
      await server.git(["log", "-1", "--format=%an <%ae> %cn <%ce>%n%s", "main"]),
      "Fleet <fleet@acme.example> Fleet <fleet@acme.example>\nUpdate clusters/prod",
    );
    const allowed = join(server.folder, "allowed");
    await writeFile(allowed, `fleet@acme.example ${publicKeyOf(process.env.FLEET_SIGNING_KEY ?? "").line}\n`);
    const settings = ["-c", "gpg.format=ssh", "-c", `gpg.ssh.allowedSignersFile=${allowed}`];
    await server.git([...settings, "verify-commit", "main"]);
  });

  it("knows its own commits again though they bear another's name", async () => {
    const given = { url: server.url, author, committer: { name: "Bot", email: "bot@acme.example" } };
    const signed = { ...given, signingKey: "FLEET_SIGNING_KEY" };
    await create(signed);
    assert.equal(await server.git(["log", "-1", "--format=%cn", "main"]), "Bot");
    // Without its state, what it committed itself is in nobody's way.
    await create({ ...signed, files: { "a.yaml": "b\n" } });
    assert.equal(await server.git(["show", "main:a.yaml"]), "b");
  });

  it("is not tried where the key is missing, or is none", async () => {
    await assert.rejects(
      create({ url: server.url, author, signingKey: "NO_KEY" }),
      /^GitError: NO_KEY is not set, and commits/,
    );
    process.env.FLEET_SIGNING_KEY = "hunter2";
    await assert.rejects(create({ url: server.url, author, signingKey: "FLEET_SIGNING_KEY" }), (error: Error) => {
      assert.equal(error.message, "the key in FLEET_SIGNING_KEY is no private key in PEM: give a private key in PEM");
      return true;
    });
  });
});
