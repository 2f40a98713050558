import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { pathsOf } from "../../deployments/paths.ts";
import { parseDeployments } from "../../deployments/settings/parse.ts";
import { type Case, CLIENTS, faults, HOOK, read, refusal, SUBSCRIPTION, TENANT, TOKEN } from "./program.ts";

const checkout = resolve(import.meta.dirname, "../..");
const HUB = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub";
const PROD = { "aks-gitops:cluster": { sku: "Standard" } };

/** One stack, `dev` or with a cluster for production `prod`. */
const dev = (stack: object, more: object = {}): Case => ({
  config: { stacks: { dev: { updates: "push", ...stack } }, ...more },
});
const prod = (stack: object, more: object = {}): Case => ({
  config: { stacks: { prod: stack }, ...more },
  own: { prod: PROD },
});

describe("the settings of deployments", () => {
  it("are filled in from their defaults and from the stacks' own files", async () => {
    const { stacks, ...common } = await read();
    assert.equal(common.branch, "main");
    assert.match(common.image, /^pulumi\/pulumi-nodejs-24:3\.\d+\.\d+$/);
    const [{ own, ...stack } = { own: undefined }] = stacks;
    assert.equal(own?.project, "aks-gitops");
    const said = Object.entries(stack).filter(([, value]) => value !== undefined);
    assert.deepEqual(Object.fromEntries(said), {
      name: "dev",
      updates: "push",
      branch: "main",
      previews: "reader",
      tags: [],
      production: false,
      tenantId: TENANT,
      subscriptionId: SUBSCRIPTION,
      tokens: {},
    });
  });

  it("know production by the tier of the stack's cluster, unless they say otherwise", async () => {
    const [stack] = (await read(prod({ updates: "tag" }))).stacks;
    assert.deepEqual([stack?.production, stack?.tags], [true, ["v*"]]);
    assert.equal((await read(prod({ updates: "push", production: false }))).stacks[0]?.production, false);
  });

  it("are as the file that ships with them says", async () => {
    const { config } = parse(readFileSync(join(checkout, "deployments/Pulumi.main.yaml"), "utf8"));
    // The one thing that it leaves to a person is a secret.
    config["aks-gitops-deployments:tokens"] = { dev: { fluxGit: TOKEN } };
    const secretKeys = ["aks-gitops-deployments:tokens"];
    const { stacks } = await parseDeployments({ stack: "main", config, secretKeys, folder: checkout });
    const said = stacks.map(({ name, updates, production, agentPool }) => [name, updates, production, agentPool]);
    assert.deepEqual(said, [
      ["dev", "push", false, undefined],
      ["prod", "tag", true, "hub"],
    ]);
  });

  it("are refused with all faults at once, each with its key, value and remedy", async () => {
    const { message } = await refusal({
      config: {
        organization: undefined,
        repository: "https://github.com/acme/aks-gitops",
        branch: "refs/heads/main",
        image: "pulumi/pulumi:latest",
        stacks: { dev: { update: "push", updates: "sometimes", drift: { cron: "daily" }, tags: [] } },
      },
    });
    assert.equal(
      message,
      [
        "7 faults in the configuration of stack main (deployments/Pulumi.main.yaml):",
        "",
        "  aks-gitops-deployments:organization is missing",
        "    remedy  write the organisation as Pulumi Cloud shows it",
        "",
        "  aks-gitops-deployments:repository does not have the right form",
        "    value   https://github.com/acme/aks-gitops",
        "    remedy  write owner/name, and for Azure DevOps what Pulumi Cloud shows",
        "",
        "  aks-gitops-deployments:branch does not have the right form",
        "    value   refs/heads/main",
        "    remedy  write a branch without refs/heads/, for example main",
        "",
        "  aks-gitops-deployments:image says no version",
        "    value   pulumi/pulumi:latest",
        "    remedy  write it with its version, better with its digest too: pulumi/pulumi-nodejs-24:3.259.0@sha256:...",
        "",
        "  aks-gitops-deployments:stacks.dev.update is not a known key",
        "    value   push",
        "    remedy  did you mean updates? known keys are updates, tags, branch, previews, production, agentPool, drift, rotation, tenantId, subscriptionId, identity, gitHub, azureDevOps",
        "",
        "  aks-gitops-deployments:stacks.dev.updates is not a known word",
        "    value   sometimes",
        "    remedy  write one of push, tag, run",
        "",
        "  aks-gitops-deployments:stacks.dev.drift.cron does not have the right form",
        "    value   daily",
        '    remedy  write five fields of numbers, in UTC: minute, hour, day, month, day of the week; for example "0 4 * * *"',
      ].join("\n"),
    );
  });

  it("name the stacks that there are where one has no file, and the faults of a file that has some", async () => {
    const config = { stacks: { dev: { updates: "push" }, staging: { updates: "push" } } };
    assert.match((await refusal({ config })).message, /no Pulumi\.staging\.yaml; there are dev\./);
    const { message } = await refusal({ own: { dev: { "aks-gitops:flux": {} } } });
    assert.match(message, /1 fault in the configuration of stack dev.*\n\n {2}aks-gitops:flux\.repository is missing/);
  });
});

describe("what the settings of deployments refuse", () => {
  it("is production that a push deploys, or a schedule, or a pull request's code", async () => {
    const said = await faults(
      prod({
        updates: "push",
        previews: "deployer",
        rotation: "0 3 1 * *",
        drift: { cron: "0 4 * * *", remediate: true },
      }),
    );
    assert.deepEqual(said, [
      ["stacks.prod.updates", "lets every push deploy to production, and Pulumi Deployments asks nobody"],
      ["stacks.prod.previews", "lets whoever opens a pull request run code with the right to deploy to production"],
    ]);
    const scheduled = { rotation: "0 3 1 * *", drift: { cron: "0 4 * * *", remediate: true } };
    const problem = "is an update, and would deploy the head of main without anybody's word";
    for (const updates of ["tag", "run"])
      assert.deepEqual(await faults(prod({ updates, ...scheduled })), [
        ["stacks.prod.rotation", problem],
        ["stacks.prod.drift.remediate", problem],
      ]);
    await read(prod({ updates: "tag", branch: "release", ...scheduled }));
    await read(dev({ previews: "deployer", ...scheduled }));
  });

  it("is tags without updates by tag, and those that only take away", async () => {
    assert.deepEqual(await faults(dev({ tags: ["v*"] })), [
      ["stacks.dev.tags", "are patterns of tags, and with updates push none counts"],
    ]);
    assert.deepEqual(await faults(dev({ updates: "tag", tags: ["!*-rc*"] })), [
      ["stacks.dev.tags", "only take away, so that every other tag of the repository would update the stack"],
    ]);
  });

  it("is Pulumi's own runners where the stack's runner stands elsewhere", async () => {
    const own = (runner: unknown) => ({ dev: { "aks-gitops:runner": runner } });
    for (const runner of ["inside", { inside: { vnet: HUB } }])
      assert.deepEqual(await faults({ own: own(runner) }), [
        [
          "stacks.dev.agentPool",
          "is missing: Pulumi.dev.yaml says that the runner stands inside a network, and Pulumi's own runners do not",
        ],
      ]);
    assert.deepEqual(await faults({ own: own({ outside: { addresses: ["203.0.113.10/32"] } }) }), [
      [
        "stacks.dev.agentPool",
        "is missing: Pulumi.dev.yaml names the runner's addresses, and those of Pulumi's own runners are not known",
      ],
    ]);
    const pooled = dev({ agentPool: "hub" }, { agentPools: { hub: {} } });
    await read({ ...pooled, own: own("inside") });
    assert.deepEqual(await faults({ ...dev({ agentPool: "hab" }, { agentPools: { hub: {} } }), own: own("inside") }), [
      ["stacks.dev.agentPool", "is no pool of agentPools"],
    ]);
  });

  it("is tokens and addresses in plain text, which are never shown", async () => {
    const given: Case = {
      config: {
        tokens: { dev: { gitHub: TOKEN } },
        notifications: [{ name: "ops", format: "slack", url: HOOK }],
      },
      secrets: [],
    };
    const { message, faults: found } = await refusal(given);
    assert.deepEqual(
      found.map(({ key, value, problem }) => [key, value, problem]),
      ["tokens", "notifications"].map((key) => [`aks-gitops-deployments:${key}`, "[secret]", "stands in plain text"]),
    );
    assert.ok(!message.includes(TOKEN) && !message.includes("very-secret"), message);
    const wrong = { ...given, config: { notifications: [{ name: "ops", format: "mail", url: HOOK, secret: TOKEN }] } };
    const { message: other } = await refusal(wrong);
    assert.match(other, /notifications\[0\]\.format is not a known word/);
    assert.ok(!other.includes(TOKEN) && !other.includes("very-secret"), other);
    // Neither where the form of the secret itself is wrong.
    const { message: third } = await refusal({
      config: {
        tokens: { dev: { gitHub: `${TOKEN} ` } },
        notifications: [{ name: "ops", format: "slack", url: HOOK.replace("https", "http") }],
      },
      secrets: [],
    });
    assert.match(third, /tokens\.dev\.gitHub does not have the right form\n {4}value {3}\[secret\]/);
    assert.ok(!third.includes(TOKEN) && !third.includes("very-secret"), third);
  });

  it("is a bootstrapped Flux that would keep the token of a deployment", async () => {
    const own = { dev: { "aks-gitops:flux": { repository: "https://github.com/acme/fleet", mode: "bootstrap" } } };
    assert.deepEqual(await faults({ own }), [
      [
        "tokens.dev.fluxGit",
        "is missing: with flux.mode bootstrap Flux keeps the token, and the one of a deployment ends after an hour",
      ],
    ]);
    await read({ own, config: { tokens: { dev: { fluxGit: TOKEN } } } });
  });

  it("is identities of which one is missing, or that are both there and made", async () => {
    const identity = { deployer: CLIENTS.deployer };
    assert.deepEqual(await faults(dev({ identity, gitHub: {} })), [
      ["stacks.dev.identity.reader", "is missing, and with previews: reader it is the one that previews"],
      ["stacks.dev.gitHub", "is for identities that are made, and identity names some that are there"],
    ]);
    await read(dev({ identity, previews: "off" }));
    const nowhere = { dev: { "azure-native:tenantId": "", "azure-native:subscriptionId": "" } };
    assert.deepEqual(await faults({ own: nowhere }), [
      ["stacks.dev.tenantId", "is missing, and Pulumi.dev.yaml has no azure-native:tenantId"],
      ["stacks.dev.subscriptionId", "is missing, and Pulumi.dev.yaml has no azure-native:subscriptionId"],
    ]);
  });

  it("is stacks that are none", async () => {
    const notifications = [{ name: "ops", format: "slack", url: HOOK, stacks: ["dev", "test"] }];
    assert.deepEqual(await faults({ config: { tokens: { prod: { gitHub: TOKEN } }, notifications } }), [
      ["tokens.prod", "is no stack of stacks"],
      ["notifications[0].stacks[1]", "is no stack of stacks"],
    ]);
  });
});

describe("the paths of a stack", () => {
  it("are its file, its lock, and the rooms that the program and its plugin reach", () => {
    const rooms = new Set<string>();
    const seen = new Set<string>();
    const walk = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      rooms.add(file.split("/")[0] ?? "");
      const text = readFileSync(join(checkout, file), "utf8");
      for (const [, name = ""] of text.matchAll(/(?:from|import) *\(?"(\.[^"]+)"/g)) walk(join(file, "..", name));
    };
    walk("index.ts");
    walk("provider/main.ts");
    walk("tools/nodeVersion.cjs");
    const wanted = [...rooms].filter((room) => room !== "index.ts").map((room) => `${room}/**`);
    const paths = pathsOf("dev");
    assert.deepEqual(
      wanted.filter((path) => !paths.includes(path)),
      [],
    );
    assert.ok(rooms.size > 7, [...rooms].join());
    for (const file of ["Pulumi.dev.yaml", "mirror.dev.lock.json", "package-lock.json", "Pulumi.yaml", "index.ts"])
      assert.ok(paths.includes(file), file);
    assert.ok(!paths.some((path) => path.startsWith("!") || path.includes("prod")));
    const rest = readdirSync(checkout).filter((name) => paths.includes(`${name}/**`) && !rooms.has(name));
    assert.deepEqual(
      rest.filter((name) => name !== "policy"),
      [],
    );
  });
});
