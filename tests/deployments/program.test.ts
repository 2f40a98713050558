// The program itself, deployments/index.ts: what it registers for the stacks that this project ships.
import { strict as assert } from "node:assert";
import * as pulumi from "@pulumi/pulumi";
import { before, describe, it } from "mocha";
import { type Deployment, resolved } from "../components/deployment.ts";
import { CLIENTS, HOOK, SUBSCRIPTION, TENANT, TOKEN } from "./program.ts";
import { run } from "./programRun.ts";

/** Of a GitOps repository that is not on GitHub. */
const OTHER_HOST = "a-token-of-another-host";

const CONFIG = {
  organization: "acme",
  repository: "acme/aks-gitops",
  gitHubIds: { owner: 12, repository: 34 },
  agentPools: { hub: { description: "in vnet-hub" } },
  stacks: {
    dev: {
      updates: "push",
      tenantId: TENANT,
      subscriptionId: SUBSCRIPTION,
      drift: { cron: "0 4 * * *" },
      rotation: "0 3 1 * *",
      gitHub: { reviewerTeams: [56] },
    },
    prod: {
      updates: "tag",
      tags: ["v*", "!*-rc*"],
      tenantId: TENANT,
      subscriptionId: SUBSCRIPTION,
      agentPool: "hub",
      identity: CLIENTS,
    },
  },
  tokens: { dev: { fluxGit: TOKEN, git: OTHER_HOST } },
  notifications: [{ name: "ops", format: "slack", url: HOOK, stacks: ["prod"] }],
};

describe("the program of deployments", () => {
  let deployment: Deployment<Record<string, unknown>>;
  before(async () => {
    deployment = await run(CONFIG);
  });

  it("settles how a stack is deployed that a push updates", () => {
    const { inputs, secrets } = deployment.find("Settings", "dev");
    const { operationContext, vcs, ...rest } = inputs as Record<string, Record<string, unknown>>;
    assert.deepEqual(rest, {
      orgName: "acme",
      projectName: "aks-gitops",
      stackName: "dev",
      sourceContext: { git: { branch: "refs/heads/main" } },
      executorContext: { executorImage: { reference: "pulumi/pulumi-nodejs-24:3.259.0" } },
      cacheOptions: { enable: true },
    });
    const { paths, ...triggers } = vcs ?? {};
    assert.deepEqual(triggers, {
      provider: "github",
      repository: "acme/aks-gitops",
      deployCommits: true,
      deployTags: false,
      tagFilters: [],
      previewPullRequests: true,
      pullRequestTemplate: false,
    });
    assert.ok((paths as string[]).includes("Pulumi.dev.yaml") && !(paths as string[]).includes("Pulumi.prod.yaml"));
    const { environmentVariables, preRunCommands, ...operation } = operationContext ?? {};
    assert.deepEqual(operation, {
      oidc: { azure: { clientId: "application", tenantId: TENANT, subscriptionId: SUBSCRIPTION } },
      options: { skipInstallDependencies: true, skipIntermediateDeployments: true },
    });
    const { PULUMI_OPTION_POLICY_PACK: _, ...variables } = environmentVariables as Record<string, unknown>;
    assert.deepEqual(variables, {
      ARM_USE_OIDC: "true",
      ARM_OIDC_TOKEN_FILE_PATH: "/mnt/pulumi/pulumi.oidc",
      GIT_TOKEN: { secret: OTHER_HOST },
      FLUX_GIT_TOKEN: { secret: TOKEN },
    });
    assert.deepEqual(preRunCommands, [
      "npm ci",
      'if [ "$PULUMI_CI_OPERATION" = preview ]; then echo "ARM_CLIENT_ID=application" >> /PULUMI_ENV; fi',
    ]);
    assert.deepEqual(secrets, ["operationContext"]);
  });

  it("settles how production is deployed: by a tag, and on runners of a pool", () => {
    const { inputs, secrets, replacementTrigger, deleteBeforeReplace } = deployment.find("Settings", "prod");
    const { vcs, agentPoolID, cacheOptions, operationContext } = inputs as Record<string, Record<string, unknown>>;
    assert.deepEqual([vcs?.deployCommits, vcs?.deployTags, vcs?.tagFilters], [false, true, ["v*", "!*-rc*"]]);
    assert.deepEqual([agentPoolID, cacheOptions], ["pool-1", { enable: false }]);
    assert.deepEqual(operationContext?.oidc, {
      azure: { clientId: CLIENTS.deployer, tenantId: TENANT, subscriptionId: SUBSCRIPTION },
    });
    const [, asReader = ""] = (operationContext?.preRunCommands ?? []) as string[];
    assert.match(asReader, RegExp(`ARM_CLIENT_ID=${CLIENTS.reader}"`));
    assert.deepEqual(secrets, []);
    // What an update would not take away.
    assert.deepEqual([replacementTrigger, deleteBeforeReplace], ['{"agentPool":true,"tokens":[]}', true]);
    const { replacementTrigger: other } = deployment.find("Settings", "dev");
    assert.equal(other, '{"agentPool":false,"tokens":["GIT_TOKEN","FLUX_GIT_TOKEN"]}');
    assert.deepEqual(deployment.find("AgentPool", "hub").inputs, {
      name: "hub",
      organizationName: "acme",
      description: "in vnet-hub",
    });
  });

  it("looks for differences and renews on schedule, once the settings are there", () => {
    const where = { organization: "acme", project: "aks-gitops", stack: "dev" };
    const [drift, rotation] = ["DriftSchedule", "DeploymentSchedule"].map((type) => deployment.find(type, "dev"));
    assert.deepEqual(drift?.inputs, { ...where, scheduleCron: "0 4 * * *", autoRemediate: false });
    assert.deepEqual(rotation?.inputs, { ...where, scheduleCron: "0 3 1 * *", pulumiOperation: "update" });
    for (const schedule of [drift, rotation]) assert.deepEqual(schedule?.dependencies, ["Settings::dev"]);
    assert.deepEqual([deployment.names("DriftSchedule"), deployment.names("DeploymentSchedule")], [["dev"], ["dev"]]);
  });

  it("tells of failures and drift where it is to, at an address that stays secret", () => {
    assert.deepEqual(deployment.names("Webhook"), ["prod-ops"]);
    const { inputs, secrets } = deployment.find("Webhook", "prod-ops");
    assert.deepEqual(inputs, {
      active: true,
      displayName: "ops",
      organizationName: "acme",
      projectName: "aks-gitops",
      stackName: "prod",
      format: "slack",
      payloadUrl: HOOK,
      filters: ["deployment_failed", "drift_detected", "drift_detection_failed"],
    });
    assert.deepEqual(secrets, ["payloadUrl"]);
  });

  it("makes the identities that its settings do not name, for this repository and these operations", () => {
    const { find, names } = deployment;
    assert.deepEqual(names("Application"), ["aks-gitops-dev-deployer", "aks-gitops-dev-reader"]);
    const subjects = names("ApplicationFederatedIdentityCredential").map(
      (name) => find("ApplicationFederatedIdentityCredential", name).inputs.subject,
    );
    const operation = (name: string) =>
      `pulumi:deploy:org:acme:project:aks-gitops:stack:dev:operation:${name}:scope:write`;
    for (const subject of [
      ...["preview", "update", "refresh", "destroy", "detect-drift"].map(operation),
      "repo:acme/aks-gitops:environment:dev",
      "repo:acme@12/aks-gitops@34:environment:dev",
    ])
      assert.ok(subjects.includes(subject), subject);
    assert.ok(!subjects.some((subject) => String(subject).includes("prod")));
    assert.ok(!subjects.includes(operation("remediate-drift")));
    const previews = names("ApplicationFederatedIdentityCredential").filter((name) => name.endsWith("-pulumi-preview"));
    assert.deepEqual(previews, ["aks-gitops-dev-reader-pulumi-preview"]);
    // The environments are in this repository's organisation, whoever owns the GitOps repository.
    assert.equal(find("github", "dev").inputs.owner, "acme");
    assert.deepEqual(
      names("RepositoryEnvironment").map((name) => find("RepositoryEnvironment", name).inputs.environment),
      ["dev", "dev-preview"],
    );
    for (const name of names("RepositoryEnvironment"))
      assert.equal(find("RepositoryEnvironment", name).provider, "github::dev");
  });

  it("gives out who the identities are, and the pools' tokens as a secret", async () => {
    const { identities, agentTokens } = deployment.result as Record<string, pulumi.Output<unknown>>;
    assert.deepEqual(await resolved(pulumi.output(identities)), {
      dev: { deployer: "application", reader: "application" },
      prod: { deployer: CLIENTS.deployer, reader: CLIENTS.reader },
    });
    assert.equal(await pulumi.isSecret(agentTokens as pulumi.Output<unknown>), true);
    assert.deepEqual(await resolved(agentTokens as pulumi.Output<unknown>), { hub: "pul-token" });
  });

  it("previews with nobody, or with who deploys, where it is told to", async () => {
    const dev = { updates: "push", tenantId: TENANT, subscriptionId: SUBSCRIPTION, identity: CLIENTS };
    for (const previews of ["off", "deployer"]) {
      const { find } = await run({ ...CONFIG, stacks: { ...CONFIG.stacks, dev: { ...dev, previews } } });
      const { vcs, operationContext } = find("Settings", "dev").inputs as Record<string, Record<string, unknown>>;
      assert.deepEqual([vcs?.previewPullRequests, operationContext?.preRunCommands], [previews !== "off", ["npm ci"]]);
    }
  });

  it("registers nothing where its settings have a fault", async () => {
    await assert.rejects(run({ ...CONFIG, agentPools: {} }), (error: Error) => {
      assert.match(error.message, /^1 fault in the configuration of stack test.*stacks\.prod\.agentPool is no pool/s);
      return error instanceof pulumi.RunError;
    });
  });
});
