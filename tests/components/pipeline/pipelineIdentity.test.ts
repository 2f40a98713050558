import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { PipelineIdentity, type PipelineIdentityArgs } from "../../../components/index.ts";
import { assigned, deploy, resolved } from "../deployment.ts";
import { refused } from "../refused.ts";

const GROUP = "6f1f2b6e-1111-4e0a-9c60-000000000001";
const SUBSCRIPTION = "c0ffee00-6a1d-4b52-8d35-2f7a9e4b1c02";
const SCOPE = `/subscriptions/${SUBSCRIPTION}`;
const HUB = `${SCOPE}/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub`;
const GITHUB = "https://token.actions.githubusercontent.com";
const PULUMI = "https://api.pulumi.com/oidc";
const EXCHANGE = "api://AzureADTokenExchange";
const BASE: PipelineIdentityArgs = { stack: "prod", scope: SCOPE, github: { owner: "acme", repository: "platform" } };

const pipeline = (args: Partial<PipelineIdentityArgs> = {}) =>
  deploy(() => new PipelineIdentity("ci", { ...BASE, ...args }));

type Deployed = Awaited<ReturnType<typeof pipeline>>;

/** Issuer, subject and audience of an identity's credentials, in their order. */
function trusted({ resources }: Deployed, who: "reader" | "deployer"): unknown[][] {
  return resources
    .filter(({ type, name }) => type.endsWith("FederatedIdentityCredential") && name.startsWith(`ci-${who}-`))
    .map(({ inputs }) => [inputs.issuer, inputs.subject, ...(inputs.audiences as string[])]);
}

describe("PipelineIdentity", () => {
  it("takes GitHub's tokens: of pull requests and the preview's environment to read, of the environment to deploy", async () => {
    const deployed = await pipeline();
    assert.deepEqual(trusted(deployed, "reader"), [
      [GITHUB, "repo:acme/platform:environment:prod-preview", EXCHANGE],
      [GITHUB, "repo:acme/platform:pull_request", EXCHANGE],
    ]);
    assert.deepEqual(trusted(deployed, "deployer"), [[GITHUB, "repo:acme/platform:environment:prod", EXCHANGE]]);
  });

  it("takes both forms of GitHub's subjects where the ids are given, and branches where they are named", async () => {
    const ids = { ownerId: 7, repositoryId: 11 };
    const deployed = await pipeline({
      github: { owner: "acme", repository: "platform", ...ids, branches: ["main", "a/b"], pullRequests: false },
    });
    const subjects = (who: "reader" | "deployer") => trusted(deployed, who).map(([, subject]) => subject);
    assert.deepEqual(subjects("reader"), [
      "repo:acme/platform:environment:prod-preview",
      "repo:acme@7/platform@11:environment:prod-preview",
    ]);
    assert.deepEqual(subjects("deployer"), [
      "repo:acme/platform:environment:prod",
      "repo:acme@7/platform@11:environment:prod",
      "repo:acme/platform:ref:refs/heads/main",
      "repo:acme@7/platform@11:ref:refs/heads/main",
      "repo:acme/platform:ref:refs/heads/a/b",
      "repo:acme@7/platform@11:ref:refs/heads/a/b",
    ]);
    const name = deployed.find("ApplicationFederatedIdentityCredential", "ci-deployer-github-branch-a-b-c14cdd-by-ids");
    assert.equal(name.inputs.displayName, "github-branch-a-b-c14cdd-by-ids");
  });

  it("takes the tokens of Pulumi Deployments by operation: previews to read, the others to deploy", async () => {
    const subject = (operation: string) =>
      `pulumi:deploy:org:acme:project:aks-gitops:stack:prod:operation:${operation}:scope:write`;
    const pulumiDeployments = { organization: "acme", project: "aks-gitops" };
    const own = (operations: string[]) => operations.map((operation) => [PULUMI, subject(operation), "acme"]);
    const apart = await pipeline({ github: undefined, pulumiDeployments });
    assert.deepEqual(trusted(apart, "reader"), own(["preview"]));
    assert.deepEqual(trusted(apart, "deployer"), own(["update", "refresh", "destroy"]));
    const one = await pipeline({
      github: undefined,
      pulumiDeployments: { ...pulumiDeployments, previewAs: "deployer" },
    });
    const drift = { ...pulumiDeployments, furtherOperations: ["detect-drift"] };
    assert.deepEqual(
      trusted(await pipeline({ github: undefined, pulumiDeployments: drift }), "deployer"),
      own(["update", "refresh", "destroy", "detect-drift"]),
    );
    assert.deepEqual(trusted(one, "reader"), []);
    assert.deepEqual(trusted(one, "deployer"), own(["preview", "update", "refresh", "destroy"]));
  });

  it("takes the tokens of Azure DevOps' connections, which the tenant issues, or who is named", async () => {
    const azureDevOps = {
      deploySubject: "/eid1/c/pub/t/a/sc/b/deploy",
      previewSubject: "/eid1/c/pub/t/a/sc/b/preview",
    };
    const tenants = await pipeline({ github: undefined, azureDevOps });
    const issuer = "https://login.microsoftonline.com/tenant/v2.0";
    assert.deepEqual(trusted(tenants, "reader"), [[issuer, azureDevOps.previewSubject, EXCHANGE]]);
    assert.deepEqual(trusted(tenants, "deployer"), [[issuer, azureDevOps.deploySubject, EXCHANGE]]);
    const old = { deploySubject: "sc://acme/p/prod", issuer: "https://vstoken.dev.azure.com/1" };
    const named = await pipeline({ github: undefined, azureDevOps: old });
    assert.deepEqual(trusted(named, "deployer"), [[old.issuer, old.deploySubject, EXCHANGE]]);
  });

  it("writes the credentials of an application one after the other", async () => {
    const { resources } = await pipeline({ pulumiDeployments: { organization: "acme", project: "p" } });
    for (const who of ["reader", "deployer"]) {
      const made = resources.filter(
        ({ type, name }) => type.endsWith("FederatedIdentityCredential") && name.startsWith(`ci-${who}-`),
      );
      assert.ok(made.length >= 3);
      for (const [index, { dependencies }] of made.entries()) {
        const before = made.slice(0, index).map(({ name }) => `ApplicationFederatedIdentityCredential::${name}`);
        const named = dependencies.filter((it) => it.startsWith("ApplicationFederatedIdentityCredential::"));
        assert.ok(index === 0 ? named.length === 0 : named.includes(before.at(-1) ?? ""), `${who} ${index}`);
      }
    }
  });

  it("reads with the role Reader and no other", async () => {
    const { resources, find } = await pipeline({ deployers: GROUP, hubNetworkId: HUB });
    const assignments = resources.filter(({ type }) => type.endsWith(":RoleAssignment"));
    assert.deepEqual(
      assignments
        .filter(({ dependencies }) => dependencies.includes("ServicePrincipal::ci-reader"))
        .map(({ name }) => name),
      ["ci-reader-read"],
    );
    assert.deepEqual(assigned(find("RoleAssignment", "ci-reader-read").inputs), {
      principalId: "service-principal",
      principalType: "ServicePrincipal",
      scope: SCOPE,
      roleDefinitionId: `${SCOPE}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7`,
    });
    const narrow = await pipeline({ readScope: `${SCOPE}/resourceGroups/aks-gitops-prod1234` });
    const { scope } = narrow.find("RoleAssignment", "ci-reader-read").inputs;
    assert.equal(scope, `${SCOPE}/resourceGroups/aks-gitops-prod1234`);
  });

  it("deploys as Contributor, assigns none but the components' roles and its own, and is no owner", async () => {
    const assignableRoles = [
      `${SCOPE}/providers/Microsoft.Authorization/roleDefinitions/6F1F2B6E-2222-4e0a-9c60-000000000002`,
    ];
    const { find, names } = await pipeline({ assignableRoles });
    assert.deepEqual(names("RoleAssignment"), ["ci-deployer-assign", "ci-deployer-contribute", "ci-reader-read"]);
    assert.deepEqual(names("GroupMember"), []);
    const { roleDefinitionId, condition } = find("RoleAssignment", "ci-deployer-contribute").inputs;
    assert.equal(String(roleDefinitionId).split("/").at(-1), "b24988ac-6180-42a0-ab88-20f7382dd24c");
    assert.equal(condition, undefined);
    const assign = find("RoleAssignment", "ci-deployer-assign").inputs;
    assert.equal(String(assign.roleDefinitionId).split("/").at(-1), "f58310d9-a9f6-439a-9e8d-f62e7b41a168");
    assert.equal(assign.conditionVersion, "2.0");
    const roles = [
      "12338af0-0e69-4776-bea7-57ae8d297424",
      "21090545-7ca7-4776-b22c-e363652d74d2",
      "3498e952-d568-435e-9b2c-8d77e338d7f7",
      "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
      "4d97b98b-1d4f-4787-a291-c67834d212e7",
      "577a9874-89fd-4f24-9dbd-b5034d0ad23a",
      "6f1f2b6e-2222-4e0a-9c60-000000000002",
      "7f6c6a51-bcf8-42ba-9220-52d62157d7db",
      "7f951dda-4ed3-4680-a7ca-43fe172d538d",
      "8311e382-0749-4cb8-b61a-304f252e45ec",
      "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb",
      "acdd72a7-3385-48ef-bd42-f606fba81ae7",
      "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
      "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
      "f1a07417-d97a-45cb-824c-7a7467783830",
    ].join(", ");
    const kinds = "'Group', 'ServicePrincipal'";
    assert.equal(
      assign.condition,
      "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR " +
        `(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${roles}} AND ` +
        `@Request[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {${kinds}})) AND ` +
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})) OR " +
        `(@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${roles}} AND ` +
        `@Resource[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {${kinds}}))`,
    );
  });

  it("joins the deployers and may peer with the hub, where they are named", async () => {
    const { find } = await pipeline({ deployers: GROUP, hubNetworkId: HUB });
    assert.deepEqual(find("GroupMember", "ci-deployer").inputs, {
      groupObjectId: GROUP,
      memberObjectId: "service-principal",
    });
    const { scope, roleDefinitionId } = find("RoleAssignment", "ci-deployer-hub").inputs;
    assert.equal(scope, HUB);
    assert.equal(String(roleDefinitionId).split("/").at(-1), "4d97b98b-1d4f-4787-a291-c67834d212e7");
  });

  it("reads and writes the state where it is kept in Azure, and decrypts the stack's secrets in it", async () => {
    const stateContainerId = `${SCOPE}/resourceGroups/state/providers/Microsoft.Storage/storageAccounts/acme/blobServices/default/containers/prod`;
    const secretsKeyId = `${SCOPE}/resourceGroups/state/providers/Microsoft.KeyVault/vaults/acme/keys/prod`;
    const { find } = await pipeline({ stateContainerId, secretsKeyId });
    const roleOn = (name: string) => {
      const { roleDefinitionId, scope } = find("RoleAssignment", name).inputs;
      return [String(roleDefinitionId).split("/").at(-1), scope];
    };
    assert.deepEqual(roleOn("ci-reader-state"), ["2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", stateContainerId]);
    assert.deepEqual(roleOn("ci-deployer-state"), ["ba92f5b4-2d11-453d-a403-e96b0029c9fe", stateContainerId]);
    for (const who of ["reader", "deployer"])
      assert.deepEqual(roleOn(`ci-${who}-secrets`), ["12338af0-0e69-4776-bea7-57ae8d297424", secretsKeyId]);
  });

  it("makes both environments: the deploying one takes main and no administrator's shortcut, the other one takes all", async () => {
    const { find, names } = await pipeline();
    assert.deepEqual(find("RepositoryEnvironment", "ci-deployer").inputs, {
      ...{ repository: "platform", environment: "prod", canAdminsBypass: false },
      deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
    });
    assert.deepEqual(find("RepositoryEnvironment", "ci-reader").inputs, {
      repository: "platform",
      environment: "prod-preview",
    });
    assert.deepEqual(names("RepositoryEnvironmentDeploymentPolicy"), ["ci-deployer-branch-main"]);
    const { inputs } = find("RepositoryEnvironmentDeploymentPolicy", "ci-deployer-branch-main");
    assert.deepEqual(inputs, { repository: "platform", environment: "prod", branchPattern: "main" });
  });

  it("trusts no environment before its rules are there", async () => {
    const { find } = await pipeline();
    const { dependencies } = find("ApplicationFederatedIdentityCredential", "ci-deployer-github-environment");
    for (const rule of [
      "RepositoryEnvironment::ci-deployer",
      "RepositoryEnvironmentDeploymentPolicy::ci-deployer-branch-main",
    ])
      assert.ok(dependencies.includes(rule), rule);
  });

  it("lets prod be deployed from tags, after an approval", async () => {
    const github = {
      owner: "acme",
      repository: "platform",
      deployTags: ["v*"],
      reviewerUsers: [4],
      reviewerTeams: [3],
    };
    const { find, names } = await pipeline({ github });
    const { reviewers, preventSelfReview } = find("RepositoryEnvironment", "ci-deployer").inputs;
    assert.deepEqual([reviewers, preventSelfReview], [[{ teams: [3], users: [4] }], true]);
    const [policy = "", ...others] = names("RepositoryEnvironmentDeploymentPolicy");
    assert.deepEqual(others, []);
    const { inputs } = find("RepositoryEnvironmentDeploymentPolicy", policy);
    assert.deepEqual(inputs, { repository: "platform", environment: "prod", tagPattern: "v*" });
    const alone = await pipeline({ github: { ...github, preventSelfReview: false, deployBranches: ["main"] } });
    assert.equal(alone.find("RepositoryEnvironment", "ci-deployer").inputs.preventSelfReview, false);
    assert.equal(alone.names("RepositoryEnvironmentDeploymentPolicy").length, 2);
  });

  it("tells the jobs of each environment what they sign in as", async () => {
    const variables = { PULUMI_BACKEND_URL: "azblob://state" };
    const { resources } = await deploy(
      () => new PipelineIdentity("ci", { ...BASE, github: { owner: "acme", repository: "platform", variables } }),
      false,
      {
        tenantId: "tenant",
        make: async (type, name) =>
          type.endsWith(":Application") ? { id: name, state: { clientId: `${name}-client` } } : undefined,
      },
    );
    const told = resources
      .filter(({ type }) => type.endsWith(":ActionsEnvironmentVariable"))
      .map(({ inputs }) => `${inputs.environment} ${inputs.variableName}=${inputs.value}`);
    assert.deepEqual(told.sort(), [
      "prod AZURE_CLIENT_ID=ci-deployer-client",
      `prod AZURE_SUBSCRIPTION_ID=${SUBSCRIPTION}`,
      "prod AZURE_TENANT_ID=tenant",
      "prod PULUMI_BACKEND_URL=azblob://state",
      "prod-preview AZURE_CLIENT_ID=ci-reader-client",
      `prod-preview AZURE_SUBSCRIPTION_ID=${SUBSCRIPTION}`,
      "prod-preview AZURE_TENANT_ID=tenant",
      "prod-preview PULUMI_BACKEND_URL=azblob://state",
    ]);
  });

  it("has no secret", async () => {
    const { resources, names } = await pipeline({ pulumiDeployments: { organization: "acme", project: "p" } });
    assert.deepEqual(names("ApplicationPassword"), []);
    assert.deepEqual(
      resources.flatMap(({ secrets }) => secrets),
      [],
    );
  });

  it("tells the client ids when the identities may sign in and work", async () => {
    const { result, find } = await deploy(() => {
      const made = new PipelineIdentity("ci", { ...BASE, deployers: GROUP });
      const scope = made.deployerClientId.apply(() => SCOPE);
      return { made, after: new PipelineIdentity("after", { ...BASE, scope }) };
    });
    const { readerClientId, deployerClientId, tenantId, subscriptionId } = result.made;
    assert.deepEqual(await Promise.all([readerClientId, deployerClientId, tenantId, subscriptionId].map(resolved)), [
      "application",
      "application",
      "tenant",
      SUBSCRIPTION,
    ]);
    const { dependencies } = find("RoleAssignment", "after-reader-read");
    assert.deepEqual(
      dependencies.filter((it) => it.includes("::ci-deployer")),
      [
        "Application::ci-deployer",
        "ApplicationFederatedIdentityCredential::ci-deployer-github-environment",
        "GroupMember::ci-deployer",
        "RoleAssignment::ci-deployer-assign",
        "RoleAssignment::ci-deployer-contribute",
      ],
    );
  });

  it("refuses what cannot work, all at once", async () => {
    const wrong: PipelineIdentityArgs = {
      stack: "acme/prod",
      scope: "my subscription",
      readScope: "/subscriptions/x",
      deployers: "the deployers",
      hubNetworkId: "vnet-hub",
      assignableRoles: ["Owner"],
      ...{ stateContainerId: "container", secretsKeyId: "https://acme.vault.azure.net/keys/prod" },
      github: {
        ...{ owner: "https://github.com/acme", repository: "acme/platform", ownerId: -1, environment: "p:r" },
        ...{ previewEnvironment: "P:r", branches: ["release/*"], deployBranches: [""], deployTags: [" "] },
        ...{ reviewerUsers: [1, 2, 3, 4], reviewerTeams: [5, 6, 0], variables: { azure: "", AZURE_CLIENT_ID: "" } },
      },
      pulumiDeployments: { organization: "acme corp", project: "a/b", furtherOperations: ["preview"] },
      azureDevOps: { deploySubject: "a b", previewSubject: "a b", issuer: "http://x" },
    };
    assert.deepEqual(await refused(() => new PipelineIdentity("ci", wrong)), [
      "stack is no name of a stack",
      "scope is no id of a subscription or resource group",
      "readScope is no id of a subscription or resource group",
      "deployers is no object id",
      "hubNetworkId is no id of a virtual network",
      "assignableRoles[0] is no role definition",
      "stateContainerId is no id of a blob container",
      "secretsKeyId is no id of a key",
      "github.owner is no owner of repositories",
      "github.repository is no name of a repository",
      "github.repositoryId is left out, and a subject has both ids",
      "github.ownerId is no id of GitHub's",
      "github.reviewerTeams[2] is no id of GitHub's",
      "github.environment is no name of an environment",
      "github.previewEnvironment is no name of an environment",
      "github.previewEnvironment is the environment that deploys",
      "github.branches[0] is no name of a branch",
      "github.deployBranches[0] is empty",
      "github.deployTags[0] is empty",
      "github.reviewerUsers, github.reviewerTeams are 7, and GitHub takes 6",
      "github.variables.azure has a name that GitHub does not keep",
      "github.variables.AZURE_CLIENT_ID is set by the component",
      "pulumiDeployments.organization is no name of an organization",
      "pulumiDeployments.project is no name of a project",
      "pulumiDeployments.furtherOperations[0] is no further operation",
      "azureDevOps.deploySubject is no subject",
      "azureDevOps.previewSubject is no subject",
      "azureDevOps.previewSubject is the subject of the connection that deploys",
      "azureDevOps.issuer is no issuer",
    ]);
  });

  it("refuses identities that nobody could use, a credential twice and more than Entra takes", async () => {
    const faults = (args: Partial<PipelineIdentityArgs>) =>
      refused(() => new PipelineIdentity("ci", { ...BASE, ...args }));
    assert.deepEqual(await faults({ github: undefined }), [
      "github, pulumiDeployments, azureDevOps are all left out, so nobody could sign in",
    ]);
    const github = { owner: "acme", repository: "platform" };
    assert.deepEqual(await faults({ github: { ...github, branches: ["main", "main"] } }), [
      "the deploying identity would have a federated credential twice, and Entra takes an issuer and subject once",
    ]);
    const branches = Array.from({ length: 20 }, (_, index) => `b${index}`);
    assert.deepEqual(await faults({ github: { ...github, branches } }), [
      "the deploying identity would have 21 federated credentials, and Entra takes 20",
    ]);
    assert.deepEqual(await faults({ github: { ...github, branches: branches.slice(1) } }), []);
  });
});
