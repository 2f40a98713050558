// Two stacks and a person with the real git, who all push to one branch at once: nothing is lost, and nobody's bytes change.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { parse } from "yaml";
import type { Existing, Properties } from "../../../plugin/handler.ts";
import { setEnvironment } from "../../support/environment.ts";
import { gitCommits } from "../../support/gitCommits.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";

const TOKEN = "ghp_wonderfulToken0815";
const ROUNDS = 50;
/** What the stacks share with people, in people's own way of writing. */
const SHARED = "clusters/kustomization.yaml";
const THEIRS = `# Ours: ask in #platform\nkind:   Kustomization\nresources: # in order\n  - people.yaml   # first\n`;
const RULES = `# Whose keys\ncreation_rules:\n  - path_regex: ^people/\n    pgp: "FEED"\n`;

const run = promisify(execFile);

describe("two stacks and a person who commit at once", () => {
  let server: GitServer;
  let clone: string;
  let restore: () => void;

  const personal = () => ({
    ...process.env,
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.extraHeader",
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`person:${TOKEN}`).toString("base64")}`,
    ...{ GIT_AUTHOR_NAME: "Person", GIT_AUTHOR_EMAIL: "person@acme.example" },
    ...{ GIT_COMMITTER_NAME: "Person", GIT_COMMITTER_EMAIL: "person@acme.example" },
  });
  const git = (...args: string[]) => run("git", ["-C", clone, ...args], { env: personal() });

  before(async () => {
    server = await startGitServer(TOKEN);
    restore = setEnvironment({ GIT_TOKEN: TOKEN, GITHUB_TOKEN: undefined });
    await server.commit("main", { [SHARED]: THEIRS, ".sops.yaml": RULES, "people/log.txt": "" });
    clone = mkdtempSync(join(tmpdir(), "person-"));
    await run("git", ["clone", "--quiet", server.url, clone], { env: personal() });
  });
  after(async () => {
    restore();
    await server.close();
    rmSync(clone, { recursive: true });
  });

  /** A stack's wish in a round: files that change, some that come and go, entries and a rule in files of everybody's. */
  const wish = (stack: string, round: number): Properties => ({
    files: {
      [`clusters/${stack}/version.yaml`]: `round: ${round}\n`,
      [`clusters/${stack}/${round % 2 === 0 ? "even" : "odd"}.yaml`]: `stack: ${stack}\n`,
    },
    kustomizations: { [SHARED]: { resources: [stack, ...(round % 2 === 0 ? [`${stack}-even`] : [])] } },
    sopsRules: [{ path_regex: `^clusters/${stack}/`, azure_keyvault: `https://kv/keys/${stack}/${round}` }],
  });
  /** As somebody does who is told "fetch first": takes what is new, and tries again. */
  const person = async (round: number): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      await git("fetch", "--quiet", "origin", "main");
      await git("reset", "--quiet", "--hard", "origin/main");
      appendFileSync(join(clone, "people/log.txt"), `round ${round}\n`);
      const own = join(clone, `people/${round}/notes.md`);
      mkdirSync(dirname(own), { recursive: true });
      writeFileSync(own, `Round ${round},\r\nwith ends of lines of our own  \n`);
      await git("add", "--all");
      await git("commit", "--quiet", "--message", `Round ${round}`);
      try {
        await git("push", "--quiet", "origin", "HEAD:main");
        return;
      } catch (error) {
        if (attempt === 30) throw error;
      }
    }
  };

  it(`lose nothing in ${ROUNDS} rounds`, async () => {
    const stacks = ["dev", "prod"];
    const existing = new Map<string, Existing>();
    const next = async (stack: string, round: number) => {
      const commits = gitCommits(() => server.url, stack);
      const before = existing.get(stack);
      const inputs = wish(stack, round);
      existing.set(stack, before === undefined ? await commits.create(inputs) : await commits.update(before, inputs));
    };
    for (let round = 1; round <= ROUNDS; round += 1)
      await Promise.all([...stacks.map((stack) => next(stack, round)), person(round)]);

    const at = (path: string) => server.git(["cat-file", "blob", `main:${path}`]);
    // One commit each a round, on top of the first.
    assert.equal(Number(await server.git(["rev-list", "--count", "main"])), 1 + 3 * ROUNDS);
    await server.git(["fsck", "--strict"]);
    const authors = (await server.git(["log", "--format=%an %s", "main"])).split("\n");
    for (const stack of stacks)
      assert.equal(authors.filter((line) => line.endsWith(`Update stack ${stack}`)).length, ROUNDS, stack);
    const paths = (await server.git(["ls-tree", "-r", "--name-only", "main"])).split("\n");
    const notes = Array.from({ length: ROUNDS }, (_, at) => `people/${at + 1}/notes.md`);
    assert.deepEqual(
      paths.sort(),
      [
        ...[".sops.yaml", SHARED, "people/log.txt", ...notes],
        ...stacks.flatMap((stack) => [`clusters/${stack}/even.yaml`, `clusters/${stack}/version.yaml`]),
      ].sort(),
    );
    // The person's own, byte for byte.
    await git("fetch", "--quiet", "origin", "main");
    await git("reset", "--quiet", "--hard", "origin/main");
    const local = (path: string) => readFileSync(join(clone, path), "utf8");
    assert.equal(local("people/log.txt"), Array.from({ length: ROUNDS }, (_, at) => `round ${at + 1}\n`).join(""));
    for (const [at, path] of notes.entries())
      assert.equal(local(path), `Round ${at + 1},\r\nwith ends of lines of our own  \n`);
    // What all of them write to: people's lines as they were, and each stack's last wish.
    const shared = local(SHARED);
    assert.ok(shared.startsWith(THEIRS), shared);
    assert.deepEqual(parse(shared).resources.sort(), ["dev", "dev-even", "people.yaml", "prod", "prod-even"]);
    const rules = local(".sops.yaml");
    for (const line of RULES.split("\n")) assert.ok(rules.includes(line), line);
    assert.deepEqual(
      parse(rules)
        .creation_rules.map((rule: Record<string, string>) => rule.azure_keyvault ?? rule.pgp)
        .sort(),
      ["FEED", ...stacks.map((stack) => `https://kv/keys/${stack}/${ROUNDS}`)].sort(),
    );
    for (const stack of stacks) assert.equal(await at(`clusters/${stack}/version.yaml`), `round: ${ROUNDS}`);
  }).timeout(600_000);
});
