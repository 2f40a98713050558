// The GitOps repository of a rehearsal: there from the beginning, or made by the stack, or not made although it should be.
import { strict as assert } from "node:assert";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { LOCK_VERSION, lockName } from "../../../mirror/lock.ts";
import { commitTime, handOver, isAfter, updateClone } from "../../../rehearsal/cli/clone.ts";
import { signInAndAuthor } from "../../../rehearsal/cli/gitSettings.ts";
import { Phases } from "../../../rehearsal/cli/phases.ts";
import { makeReport, summary } from "../../../rehearsal/cli/report.ts";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import { run } from "../../../rehearsal/run.ts";
import { type CloudFile, environment, type IdentityName, type Paths, pathsOf } from "../../../rehearsal/session.ts";
import type { Inspection } from "../../../rehearsal/world/inspection.ts";
import { people } from "../../../rehearsal/world/people.ts";
import { makeServices, route, type Services } from "../../../rehearsal/world/services.ts";
import { settingsOf } from "../../settings/settingsOf.ts";
import { type Loopback, listen } from "../../support/loopback.ts";
import { ask } from "../cloud/request.ts";

const ids = {
  tenantId: "5b6f3f4e-0d6a-4f0f-9a55-000000000001",
  subscriptionId: "c0ffee00-6a1d-4b52-8d35-000000000002",
};
const url = "https://github.com/acme/fleet";

/** What an inspection finds where an update failed at its beginning. */
const nothing: Inspection = {
  at: "2026-11-26T08:00:00.000Z",
  resources: [],
  softDeletedVaults: [],
  registries: [],
  keys: [],
  federatedServiceAccounts: [],
  extensions: [],
  configurations: [],
};

describe("a rehearsal's GitOps repository", () => {
  const folder = mkdtempSync(join(tmpdir(), "repository-"));
  let control: Loopback;
  const doors: Door[] = [];

  before(async () => {
    control = await listen(({ path }) => ({ body: path === "/flux" ? { objects: [] } : nothing }));
  });

  after(async () => {
    for (const door of doors) await door.close();
    await control.close();
    rmSync(folder, { recursive: true });
  });

  /** What takes part where a stack's settings say whether it makes its repository. */
  async function world(name: string, createRepository: boolean, repository = url) {
    const below = Object.entries(pathsOf("test")).map(([key, path]) => [
      key,
      path.replace(pathsOf("test").dir, join(folder, name)),
    ]);
    const paths = Object.fromEntries(below) as Paths;
    mkdirSync(paths.project, { recursive: true });
    const authority = await Authority.create();
    writeFileSync(paths.authority, authority.pem);
    const services: Services = await makeServices(ids, paths, () => {});
    const settings = settingsOf({
      flux: { repository, createRepository, ...(repository === url ? {} : { mode: "bootstrap" }) },
    });
    const identities = await people(services, settings, ids.subscriptionId);
    const door = new Door(authority);
    doors.push(door);
    route(door, services);
    const outside = await door.listen("outside");
    const cloud: CloudFile = {
      ...ids,
      pid: process.pid,
      control: { port: Number(new URL(control.origin).port), token: "test" },
      ports: { outside, inside: outside, cluster: outside },
      runner: "outside",
      stackFiles: folder,
      passphrase: "test",
      identities,
    };
    return { paths, cloud, settings, gitHub: services.gitHub };
  }

  const post = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, body: { name: "fleet" } });
  const repositories = "https://api.github.com/orgs/acme/repos";

  it("is there from the beginning where the stack does not make it, and nobody may make another", async () => {
    const { gitHub, cloud, paths } = await world("found", false);
    assert.equal(gitHub.find("acme", "fleet")?.private, true);
    assert.match(JSON.stringify(await updateClone(paths, cloud, url, "main")), /^\{"commit":"[0-9a-f]{40}"\}$/);
    const { deployer } = cloud.identities;
    assert.equal((await ask(gitHub.api, "POST", repositories, post(deployer.gitHubToken))).status, 404);
  });

  it("is left to the stack that makes it, with a token that may", async () => {
    const { gitHub, cloud, paths } = await world("made", true);
    const { deployer, reader } = cloud.identities;
    assert.deepEqual(gitHub.repositories, []);
    assert.deepEqual(await updateClone(paths, cloud, url, "main"), { missing: `there is no GitOps repository ${url}` });

    assert.equal((await ask(gitHub.api, "POST", repositories, post(reader.gitHubToken))).status, 403);
    assert.equal((await ask(gitHub.api, "POST", repositories, post(deployer.gitHubToken))).status, 201);
    assert.deepEqual(await updateClone(paths, cloud, url, "main"), {
      missing: `the GitOps repository ${url} has no branch main`,
    });

    const script = `git init -q -b main made && cd made && git -c user.name=A -c user.email=a@b commit -q --allow-empty -m First
      git push -q "https://x:$GITHUB_TOKEN@github.com/acme/fleet" main && git rev-parse HEAD`;
    const pushed = await run("bash", ["--norc", "-euc", script], {
      cwd: paths.dir,
      env: environment({ paths, cloud }),
    });
    assert.equal(pushed.code, 0, pushed.stderr);
    const asReader = { ...cloud, identities: { ...cloud.identities, deployer: reader } };
    assert.deepEqual(await updateClone(paths, asReader, url, "main"), { commit: pushed.stdout.trim() });
  });

  it("is gone on with by another stack's rehearsal, as the first one left it", async () => {
    const [first, second] = [await world("first", false), await world("second", false)];
    const place = { repository: url, branch: "main" };
    // Where there is no clone yet the second begins anew.
    await handOver(first.paths, place, second.paths, second.cloud);
    await updateClone(first.paths, first.cloud, url, "main");
    const script = `git -c user.name=A -c user.email=a@b commit -q --allow-empty -m Left
      git push -q "https://x:$GITHUB_TOKEN@github.com/acme/fleet" HEAD:main`;
    const env = environment(first);
    const pushed = await run("bash", ["--norc", "-euc", script], { cwd: first.paths.clone, env });
    assert.equal(pushed.code, 0, pushed.stderr);
    const left = await updateClone(first.paths, first.cloud, url, "main");
    await handOver(first.paths, place, second.paths, second.cloud);
    assert.deepEqual(await updateClone(second.paths, second.cloud, url, "main"), left);
    assert.ok("commit" in left);
  });

  describe("in the clone of somebody who works in it", () => {
    let cloud: CloudFile;
    let paths: Paths;
    let home: string;

    before(async () => {
      ({ cloud, paths } = await world("worked-in", false));
      await updateClone(paths, cloud, url, "main");
      home = join(paths.dir, "home");
      mkdirSync(home);
    });

    /** What commands print in the clone, as `rehearse exec` runs them. */
    async function exec(as: IdentityName, script: string) {
      const env = { ...environment({ paths, cloud, as }), HOME: home, XDG_CONFIG_HOME: home };
      const settings = await signInAndAuthor(as, paths.clone, env);
      return run("bash", ["--norc", "-euc", script], { cwd: paths.clone, env: { ...env, ...settings } });
    }

    const commit = (file: string) => `echo ${file} > ${file}; git add ${file}; git commit -qm "Add ${file}"`;

    it("takes plain commits and pushes of the identity, by its name where git knows no other", async () => {
      const pushed = await exec(
        "deployer",
        `${commit("one")}; git push -q; git pull -q; git log -1 --format='%an <%ae>'`,
      );
      assert.deepEqual(pushed, { code: 0, stdout: "rehearsal deployer <deployer@rehearsal.invalid>\n", stderr: "" });
      writeFileSync(join(home, ".gitconfig"), "[user]\n  name = Ada\n  email = ada@acme.test\n");
      const hers = await exec("deployer", `${commit("two")}; git push -q; git log -1 --format='%an <%ae>'`);
      assert.deepEqual(hers, { code: 0, stdout: "Ada <ada@acme.test>\n", stderr: "" });
      const remote = await exec("reader", "git ls-remote origin main; git rev-parse HEAD");
      const [listed, head] = remote.stdout.split("\n");
      assert.equal(listed, `${head}\trefs/heads/main`, remote.stderr);
    });

    it("refuses the push of one who may only read", async () => {
      const refused = await exec("reader", `${commit("three")}; git push -q`);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /403/);
    });

    it("keeps the token out of the clone, and from the user's own credential helpers", async () => {
      writeFileSync(join(home, ".gitconfig"), "[credential]\n  helper = store\n");
      const { gitHubToken } = cloud.identities.deployer;
      assert.equal((await exec("deployer", "git fetch -q; git config --list")).stdout.includes(gitHubToken), false);
      for (const folder of [home, paths.clone])
        for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
          if (entry.isFile())
            assert.ok(!readFileSync(join(entry.parentPath, entry.name)).includes(gitHubToken), entry.name);
      assert.equal(existsSync(join(home, ".git-credentials")), false);
    });
  });

  it("is at Azure DevOps where the settings say so: who deploys commits there, and all others read", async () => {
    const devOps = "https://dev.azure.com/acme/My%20Platform/_git/fleet";
    const { paths, cloud } = await world("devops", false, devOps);
    assert.ok("commit" in (await updateClone(paths, cloud, devOps, "main")));
    const push = async (as: IdentityName) => {
      const env = environment({ paths, cloud, as });
      const settings = await signInAndAuthor(as, paths.clone, env);
      const script = "git commit -q --allow-empty -m Next && git push -q origin main";
      return run("bash", ["--norc", "-euc", script], { cwd: paths.clone, env: { ...env, ...settings } });
    };
    assert.equal((await push("deployer")).code, 0);
    const refused = await push("reader");
    assert.match(refused.stderr, /TF401027: You need the Git 'GenericContribute' permission/);
    const { GIT_TOKEN, FLUX_GIT_TOKEN } = environment({ paths, cloud });
    const { deployer, reader } = cloud.identities;
    assert.deepEqual([GIT_TOKEN, FLUX_GIT_TOKEN], [deployer.gitToken, reader.gitToken]);
  });

  it("is nowhere else: another host is told to be none of a rehearsal's", async () => {
    await assert.rejects(
      world("elsewhere", false, "https://gitlab.com/acme/fleet.git"),
      /^Error: a rehearsal has no https:\/\/gitlab\.com\/acme\/fleet\.git: it serves https:\/\/github\.com and/,
    );
  });

  it("is a fault of the summary where the stack did not come to make it", async () => {
    const { paths, cloud, settings } = await world("failed", true);
    const lock = { version: LOCK_VERSION, charts: [], images: [] };
    writeFileSync(join(paths.project, lockName("test")), JSON.stringify(lock));
    const faults = ["pulumi up ended with 255"];
    const phases = new Phases(() => {});
    const report = await makeReport({ stack: "test", settings, paths, cloud, phases, print: () => {}, faults });
    assert.equal(report.repository.commit, "");
    assert.deepEqual(report.faults.slice(0, 2), [...faults, `there is no GitOps repository ${url}`]);
    const page = summary(report);
    assert.match(page, /^Committed\n {2}https:\/\/github\.com\/acme\/fleet +branch main +clusters\/test +MISSING$/m);
    const asked = control.requests.map(({ method, path }) => `${method} ${path}`);
    assert.ok(asked.includes("POST /content"), "the cloud hears of the settings, even where the lock fits");
    assert.match(page, /^FAULTS\n {2}pulumi up ended with 255\n {2}there is no GitOps repository https:/m);
  });

  it("is a fault of the summary where it cannot be asked for", async () => {
    const { paths, cloud, settings } = await world("closed", false);
    const lock = { version: LOCK_VERSION, charts: [], images: [] };
    writeFileSync(join(paths.project, lockName("test")), JSON.stringify(lock));
    await doors.pop()?.close();
    const phases = new Phases(() => {});
    const { repository, faults } = await makeReport({ stack: "test", settings, paths, cloud, phases, print: () => {} });
    assert.deepEqual([repository.commit, repository.time], ["", ""]);
    assert.match(
      faults[0] ?? "",
      /^the GitOps repository https:\/\/github\.com\/acme\/fleet cannot be read: .*unable to access/,
    );
  });

  it("says of a commit whether it comes after another, also of one that was pushed since", async () => {
    const { paths, cloud } = await world("ordered", false);
    const first = await updateClone(paths, cloud, url, "main");
    assert.ok("commit" in first);
    const script = `git clone -q "https://x:$GITHUB_TOKEN@github.com/acme/fleet" other && cd other
      git -c user.name=A -c user.email=a@b commit -q --allow-empty -m Next && git push -q origin main && git rev-parse HEAD`;
    const { stdout, stderr } = await run("bash", ["--norc", "-euc", script], {
      cwd: paths.dir,
      env: environment({ paths, cloud }),
    });
    const next = stdout.trim();
    assert.match(next, /^[0-9a-f]{40}$/, stderr);
    assert.equal(await isAfter(paths, cloud, "main", first.commit, next), true);
    assert.equal(await isAfter(paths, cloud, "main", next, first.commit), false);
    assert.equal(await isAfter(paths, cloud, "main", first.commit, "0".repeat(40)), false);
    assert.ok(Math.abs(Date.now() - Date.parse(await commitTime(paths, cloud, next))) < 300_000);
  });

  it("is told in git's words where it cannot be asked for", async () => {
    const { paths, cloud } = await world("shut", false);
    await doors.pop()?.close();
    await assert.rejects(
      updateClone(paths, cloud, url, "main"),
      /^Error: git clone .* ended with 128:\n.*unable to access/s,
    );
  });
});
