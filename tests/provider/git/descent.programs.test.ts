import { strict as assert } from "node:assert";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { GitBranch } from "../../../provider/git/git.ts";
import { setEnvironment } from "../../support/environment.ts";
import { type GitServer, startGitServer } from "../../support/gitServer.ts";

const TOKEN = "ghp_wonderfulToken0815";

describe("what descends from a commit", () => {
  let server: GitServer;
  let branch: GitBranch;
  let restore: () => void;
  const commits: string[] = [];

  const on = (parent: string, ...more: string[]) =>
    server.git([
      ...["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit-tree", `${parent}^{tree}`],
      ...["-p", parent, ...more.flatMap((one) => ["-p", one]), "-m", "x"],
    ]);

  before(async () => {
    restore = setEnvironment({ GIT_TOKEN: undefined, GITHUB_TOKEN: TOKEN });
    server = await startGitServer(TOKEN);
    for (const text of ["one", "two", "three"]) commits.push(await server.commit("main", { "a.txt": text }));
  });
  after(async () => {
    restore();
    await server.close();
  });
  beforeEach(async () => {
    branch = await GitBranch.open(server.url, "main", new AbortController().signal);
  });
  afterEach(() => branch.close());

  it("is what git says, merged branches included, and nothing that stands beside it", async () => {
    const [one = "", two = "", three = ""] = commits;
    const before = await branch.descent(two);
    assert.deepEqual([[...before.later], [...before.earlier]], [[two, three], [one]]);
    // Begun before, it is no descendant, though it came to the branch later.
    const aside = await on(one);
    const merged = await on(three, aside);
    await server.git(["update-ref", "refs/heads/main", merged]);
    const { later, earlier } = await branch.descent(two);
    assert.deepEqual(later, new Set([two, three, merged]));
    assert.deepEqual(earlier, new Set([one]));
    assert.deepEqual(await branch.descent(aside), { later: new Set([aside, merged]), earlier: new Set([one]) });
  });

  it("is the commit alone where the branch has it no more", async () => {
    const gone = "f".repeat(40);
    assert.deepEqual(await branch.descent(gone), { later: new Set([gone]), earlier: new Set() });
  });

  it("is found behind hundreds of newer commits", async () => {
    const [one = ""] = commits;
    const lines = Array.from(
      { length: 300 },
      (_, at) =>
        `commit refs/heads/main\ncommitter Ann <ann@example.com> ${1_900_000_000 + at} +0000\ndata 1\nx\n` +
        `${at === 0 ? "from refs/heads/main^0\n" : ""}\n`,
    );
    await server.git(["fast-import", "--quiet"], lines.join(""));
    const head = await server.git(["rev-parse", "refs/heads/main"]);
    const { later } = await branch.descent(one);
    assert.ok(later.has(head));
    assert.ok(later.size > 300);
  });
});
