// `npm run doctor` itself, against the simulated services of a rehearsal that has made nothing yet, through their door.
import { strict as assert } from "node:assert";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { parse, stringify } from "yaml";
import { type Ran, run } from "../../../rehearsal/run.ts";
import { environment, type IdentityName, makeFolders, pathsOf } from "../../../rehearsal/session.ts";
import { settingsOf } from "../../../rehearsal/settings.ts";
import { World } from "../../../rehearsal/world/world.ts";
import { lockOf } from "../../components/programRun.ts";
import { ROOT } from "../../support/engine.ts";
import { setEnvironment } from "../../support/environment.ts";

const MAIN = join(ROOT, "delivery/doctor/main.ts");

describe("npm run doctor", () => {
  let root: string;
  let restore: () => void;
  let world: World;

  const doctor = (as: IdentityName, ...args: string[]): Promise<Ran> => {
    const paths = pathsOf("prod");
    const env = environment({ paths, cloud: world.cloud, as });
    return run(process.execPath, [MAIN, "--stack", "prod", "--project", paths.project, ...args], { cwd: root, env });
  };

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "doctor-"));
    restore = setEnvironment({ AKS_GITOPS_REHEARSALS: root });
    const paths = pathsOf("prod");
    await makeFolders(paths);
    world = await World.create("prod", paths);
    const { config } = parse(await readFile(join(ROOT, "Pulumi.prod.yaml"), "utf8"));
    const write = (name: string, text: string) => writeFile(join(paths.project, name), text);
    await write("Pulumi.yaml", stringify({ name: "aks-gitops", main: join(ROOT, "index.ts") }));
    await write("Pulumi.prod.yaml", stringify({ config: { ...config, "aks-gitops:gitToken": { secure: "sealed" } } }));
    await write("mirror.prod.lock.json", JSON.stringify(lockOf(await settingsOf("prod"))));
  });

  after(async () => {
    await world.close();
    restore();
    await rm(root, { recursive: true, force: true });
  });

  it("finds nothing that would stop the deployer, and ends with 0", async () => {
    const { code, stdout, stderr } = await doctor("deployer");
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /\n {2}defaults +ok\n/);
    assert.match(stdout, /^Stack prod: nothing that was looked at would stop an update\b/m);
    assert.doesNotMatch(stdout, /not looked at:/);
  });

  it("tells a reader all that it may not do, as data, and ends with 1", async () => {
    const { code, stdout, stderr } = await doctor("reader", "--json");
    assert.equal(code, 1, stdout + stderr);
    const { checks, errors } = JSON.parse(stdout) as {
      errors: number;
      checks: { name: string; findings: { severity: string; key: string; remedy: string }[] }[];
    };
    const stopping = checks.filter(({ findings }) => findings.some(({ severity }) => severity === "error"));
    assert.deepEqual(
      stopping.map(({ name }) => name),
      ["rights", "github"],
    );
    const all = checks.flatMap(({ findings }) => findings);
    assert.equal(all.filter(({ severity }) => severity === "error").length, errors);
    for (const { key, remedy } of all) assert.ok(key !== "" && remedy !== "");
  });

  it("shows how it is used where it is called wrong", async () => {
    const { code, stderr } = await run(process.execPath, [MAIN, "--stak", "prod"], {
      cwd: root,
      env: process.env as Record<string, string>,
    });
    assert.equal(code, 2);
    assert.match(stderr, /--stak[\s\S]*npm run doctor -- --stack STACK/);
  });
});
