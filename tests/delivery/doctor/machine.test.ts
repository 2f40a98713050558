// What the doctor says of the machine, the environment and the stack's file, and how it says it.
import { strict as assert } from "node:assert";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, it } from "mocha";
import { type Check, check, stops, warns } from "../../../delivery/doctor/check.ts";
import { environment } from "../../../delivery/doctor/checks/environment.ts";
import { git } from "../../../delivery/doctor/checks/git.ts";
import { gitHub } from "../../../delivery/doctor/checks/gitHub.ts";
import { program } from "../../../delivery/doctor/checks/program.ts";
import { settings } from "../../../delivery/doctor/checks/settings.ts";
import { signIn } from "../../../delivery/doctor/checks/signIn.ts";
import { tools } from "../../../delivery/doctor/checks/tools.ts";
import { CHECKS } from "../../../delivery/doctor/checks.ts";
import { count, renderJson, renderText } from "../../../delivery/doctor/render.ts";
import { World, type WorldOptions } from "./world.ts";

describe("the doctor", () => {
  let world: World;
  afterEach(() => world.close());

  const begin = async (options: WorldOptions = {}) => {
    world = await World.create(options);
  };
  const finds = async (one: Check, expected: readonly object[]) =>
    assert.deepEqual(await world.findings(one), expected);

  it("tells every fault of the settings, and every warning", async () => {
    await begin({ config: { "aks-gitops:runner": "nowhere", "aks-gitops:deployers": undefined } });
    const found = await world.findings(settings);
    assert.deepEqual(
      found.map(({ severity, key, value, problem }) => [severity, key, value, problem]),
      [
        ["error", "aks-gitops:deployers", undefined, "is missing"],
        ["error", "aks-gitops:runner", "nowhere", "is not a known word"],
      ],
    );
    await world.write({
      config: { "aks-gitops:cluster": { sku: "Standard", private: true, nodeOSUpgradeChannel: "NodeImage" } },
    });
    const [warning] = await world.findings(settings);
    assert.equal(warning?.severity, "warning");
    assert.match(warning?.problem ?? "", /Kured|reboot/i);
  });

  it("tells a secret that the file should hold", async () => {
    await begin({ config: { "aks-gitops:gitToken": undefined } });
    const [finding, ...others] = await world.findings(settings);
    assert.deepEqual(others, []);
    assert.deepEqual(finding, {
      severity: "error",
      key: "aks-gitops:gitToken",
      value: undefined,
      problem: "is missing: with flux.auth token the extension's Flux signs in to the repository with it",
      remedy:
        "run `pulumi config set --secret aks-gitops:gitToken` and give it a token that may read the repository, or write flux.auth: deployKey",
    });
  });

  it("takes a list of secrets that is sealed as a whole", async () => {
    await begin({ config: { "aks-gitops:secrets": { secure: "ciphertext" } } });
    await finds(settings, []);
    await finds(program, []);
  });

  it("says that a stack's file is not there, in its own words", async () => {
    await begin();
    await rm(join(world.folder, "Pulumi.prod.yaml"));
    await finds(settings, [
      {
        severity: "error",
        key: "Pulumi.prod.yaml",
        value: undefined,
        problem: `cannot be read: ${world.folder} holds no Pulumi.prod.yaml; there is no stack's file at all`,
        remedy: "Run `pulumi stack init prod`, or correct --stack",
      },
    ]);
  });

  it("says that Node.js, pulumi and git do not fit", async () => {
    await begin();
    await finds(tools, []);
    world.node = "22.18.0";
    world.programs.set("pulumi", () => ({ code: 0, stdout: "v3.100.0\n", stderr: "" }));
    world.programs.delete("git");
    const pulumi =
      "install it (https://www.pulumi.com/docs/install), or put the folder of `npm run --silent tools -- pulumi` on PATH";
    await finds(tools, [
      {
        severity: "error",
        key: "node",
        value: "22.18.0",
        problem: "is older than 24, and does not run the program",
        remedy: 'install a newer one, or put the project\'s own first: PATH="$PWD/node_modules/.bin:$PATH"',
      },
      {
        severity: "error",
        key: "pulumi",
        value: "v3.100.0",
        problem: "is not of a version from 3.200.0 to below 4.0.0",
        remedy: pulumi,
      },
      {
        severity: "error",
        key: "git",
        value: undefined,
        problem: "is not on PATH, and the program writes the GitOps repository with it",
        remedy: "install it: https://git-scm.com/downloads",
      },
    ]);
    world.node = "24.1.0";
    world.programs.set("git", () => ({ code: 0, stdout: "", stderr: "" }));
    world.programs.delete("pulumi");
    await finds(tools, [
      {
        severity: "warning",
        key: "pulumi",
        value: undefined,
        problem: "is not on PATH; `npm run ci` finds one by itself, a person's `pulumi up` does not",
        remedy: pulumi,
      },
    ]);
  });

  it("says of a bootstrapped Flux that its program is downloaded first", async () => {
    await begin({ stack: "dev" });
    await finds(tools, []);
    world.cached.clear();
    await finds(tools, [
      {
        severity: "warning",
        key: "flux",
        value: "2.9.4",
        problem: "is neither on PATH nor in the cache: the update downloads it first, or builds it with Go",
        remedy: "run `npm run tools -- flux` before",
      },
    ]);
  });

  it("says what the environment lacks, as npm run ci does", async () => {
    await begin();
    await finds(environment, []);
    delete world.environment.ARM_TENANT_ID;
    delete world.environment.PULUMI_BACKEND_URL;
    const found = await world.findings(environment);
    assert.deepEqual(
      found.map(({ severity, key, remedy }) => [severity, key, remedy.split(",")[0]]),
      [
        ["error", "ARM_TENANT_ID", "set it"],
        ["error", "PULUMI_ACCESS_TOKEN", "set it from a secret of the pipeline"],
      ],
    );
  });

  it("says that the lock is missing, and that it does not fit", async () => {
    await begin({ unlocked: true });
    const [missing] = await world.findings(program);
    assert.deepEqual([missing?.severity, missing?.key], ["error", "mirror.prod.lock.json"]);
    assert.match(missing?.problem ?? "", /does not exist, so nothing says which digests to mirror$/);
    assert.equal(missing?.remedy, "run `npm run mirror -- update --stack prod`");
    await world.write();
    await finds(program, []);
  });

  it("says what the program says itself", async () => {
    await begin();
    await writeFile(join(world.folder, "other.ts"), 'throw new Error("the API server is not reached");\n');
    await writeFile(join(world.folder, "Pulumi.yaml"), "name: aks-gitops\nmain: other.ts\n");
    await finds(program, [
      {
        severity: "error",
        key: "the program",
        value: undefined,
        problem: "ends before anything is made: the API server is not reached",
        remedy: "do what it says",
      },
    ]);
  });

  it("says in Entra's words that it gives no token, and looks at nothing that needs one", async () => {
    await begin();
    world.refusal = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 0";
    await finds(signIn, [
      {
        severity: "error",
        key: "Azure",
        value: "secret",
        problem: "cannot be signed in to: AADSTS7000215: Invalid client secret provided.",
        remedy: "make a new secret, or correct ARM_CLIENT_ID and ARM_TENANT_ID (docs/sign-in.md)",
      },
    ]);
    const outcomes = await world.examine(CHECKS);
    const lacking = outcomes.filter(({ lacks }) => lacks?.includes("azure")).map((one) => one.check.name);
    assert.deepEqual(
      lacking,
      CHECKS.filter(({ needs }) => needs.includes("azure")).map(({ name }) => name),
    );
    assert.match(renderText("prod", outcomes), /\n {2}quota +not looked at: it needs a sign-in to Azure\n/);
  });

  it("sends nothing that changes anything", async () => {
    await begin({ stack: "dev", config: { "aks-gitops:sops": { vault: "kv-acme-dev" } } });
    world.environment.GITHUB_TOKEN = "token";
    await world.examine(CHECKS);
    const changing = world.sent.filter((line) => !line.startsWith("GET "));
    assert.notEqual(world.sent.length, changing.length);
    assert.deepEqual(
      changing.map((line) => line.split("/").at(-1)),
      // They take a body, and ask.
      changing.map(() => "").map((_, index) => ["checkMemberObjects", "checkNameAvailability"][index] ?? "no other"),
    );
  });

  it("says that git does not read a repository of another host, with the credential hidden", async () => {
    const repository = "https://git.acme.example/platform/fleet.git";
    await begin({ config: { "aks-gitops:flux": { repository, auth: "token" }, "github:owner": undefined } });
    world.environment.GIT_TOKEN = "the-token";
    let ran: { args: readonly string[]; environment: Readonly<Record<string, string | undefined>> } | undefined;
    world.programs.set("git", (args, environment) => {
      ran = { args, environment };
      return {
        code: 128,
        stdout: "",
        stderr: `remote: HTTP Basic: Access denied.\nfatal: Authentication failed for '${repository}/'\n`,
      };
    });
    await finds(git, [
      {
        severity: "error",
        key: "aks-gitops:flux.repository",
        value: repository,
        problem: `is not read with GIT_TOKEN: Authentication failed for '${repository}/'`,
        remedy: "correct the address, or give GIT_TOKEN the right to read and write there",
      },
    ]);
    assert.deepEqual(ran?.args, ["ls-remote", "--heads", repository]);
    const told = Object.entries(ran?.environment ?? {}).filter(([, value]) => value?.includes("the-token"));
    assert.deepEqual(told, [
      ["GIT_TOKEN", "the-token"],
      ["AKS_GITOPS_GIT_TOKEN", "the-token"],
    ]);
    world.programs.set("git", () => ({ code: 0, stdout: "", stderr: "" }));
    await finds(git, []);
    await finds(gitHub, []);
  });

  it("says over SSH which key it was that did not read", async () => {
    const repository = "ssh://git@gitlab.com/acme/fleet.git";
    await begin({
      config: {
        "aks-gitops:flux": { repository, auth: "sshKey" },
        "aks-gitops:gitToken": undefined,
        "aks-gitops:gitKey": { secure: "ciphertext" },
        "github:owner": undefined,
      },
    });
    let command = "";
    world.programs.set("git", (_, environment) => {
      command = environment.GIT_SSH_COMMAND ?? "";
      return {
        code: 128,
        stdout: "",
        stderr: "git@gitlab.com: Permission denied (publickey).\nfatal: Could not read\n",
      };
    });
    const [finding] = await world.findings(git);
    assert.equal(finding?.problem, "is not read with the keys that SSH has: Could not read");
    assert.match(command, /^ssh -o BatchMode=yes -o UserKnownHostsFile=\S+known_hosts -o StrictHostKeyChecking=yes$/);
    world.environment.GIT_SSH_KEY = "PRIVATE";
    const [other] = await world.findings(git);
    assert.equal(other?.problem, "is not read with GIT_SSH_KEY: Could not read");
    assert.match(command, /^ssh -i \S+\/key -o IdentitiesOnly=yes /);
    await finds(program, []);
  });

  it("says all of it as a table and as data, and what a check could not look at", async () => {
    await begin();
    const checks = [
      check({ name: "good", about: "a", find: () => [] }),
      check({
        name: "both",
        about: "b",
        find: () => [
          stops({ key: "a key", value: ["1"], problem: "is wrong", remedy: "right it" }),
          warns({ key: "another", problem: "is odd", remedy: "see to it" }),
        ],
      }),
      check({
        name: "broken",
        about: "c",
        find: () => {
          throw new Error("the wire was cut");
        },
      }),
    ];
    const outcomes = await world.examine(checks);
    assert.equal(
      renderText("prod", outcomes),
      `  good    ok
  both    1 would stop it, 1 warning
  broken  1 warning

Stack prod: 1 would stop an update, 2 warnings.

STOPS both: a key is wrong
      value   ["1"]
      remedy  right it

warns both: another is odd
      remedy  see to it

warns broken: broken could not look to the end: the wire was cut
      remedy  run it again; where the caller may not read, give it the role Reader on the subscription
`,
    );
    const data = JSON.parse(renderJson("prod", outcomes));
    assert.deepEqual([data.stack, data.errors, data.warnings], ["prod", 1, 2]);
    assert.deepEqual(data.checks[1], {
      ...{ name: "both", about: "b", looked: true },
      findings: [
        { severity: "error", key: "a key", value: ["1"], problem: "is wrong", remedy: "right it" },
        { severity: "warning", key: "another", problem: "is odd", remedy: "see to it" },
      ],
    });
    assert.equal(count(outcomes, "error"), 1);
  });
});
