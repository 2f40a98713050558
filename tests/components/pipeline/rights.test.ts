// What the two identities of a stack may, against the simulated Azure.
import { strict as assert } from "node:assert";
import { before, describe, it } from "mocha";
import type { GitHubJob } from "../../../rehearsal/cloud/issuers/gitHubJobs.ts";
import { KeyVault } from "../../../rehearsal/cloud/keyvault/service.ts";
import { ContainerRegistries } from "../../../rehearsal/cloud/registry/service.ts";
import { UpstreamRegistries } from "../../../rehearsal/cloud/registry/upstream.ts";
import { ask } from "../../rehearsal/cloud/request.ts";
import { type ArmRequest, armRequests } from "../armRequests.ts";
import { PipelineWorld } from "./world.ts";

// Those of armRequests.
const SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a";
const TENANT_ID = "00000000-0000-0000-0000-00000000000b";
const SCOPE = `/subscriptions/${SUBSCRIPTION}`;
const [PROD, DEV] = ["6f1f2b6e-1111-4e0a-9c60-000000000001", "6f1f2b6e-1111-4e0a-9c60-000000000002"];
const HUB = `${SCOPE}/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub`;
const EXCHANGE = "api://AzureADTokenExchange";
const EVERYTHING = {
  ...{ deployers: PROD, flux: { repository: "https://github.com/acme/fleet" } },
  cluster: {
    userPools: [{ name: "apps", maxCount: 3 }],
    access: [{ group: PROD, role: "Writer", namespaces: ["team-a"] }],
    ...{ metrics: true, alerts: { emails: ["platform@acme.example"] } },
  },
  registry: { sku: "Premium", private: true },
  ...{ runner: { inside: { vnet: HUB } }, images: ["ghcr.io/stefanprodan/podinfo:6.14.1"] },
};
const JOB: GitHubJob = {
  ...{ repository: "acme/platform", repositoryId: 11, ownerId: 7, subjectHasIds: false },
  ...{ event: "push", ref: "refs/heads/main" },
};

describe("the identities of two stacks", () => {
  let world: PipelineWorld;
  let requests: readonly ArmRequest[];

  before(async () => {
    world = await PipelineWorld.create({ tenantId: TENANT_ID, subscriptionId: SUBSCRIPTION });
    const { entra } = world;
    for (const [stack, group] of [
      ["prod", PROD],
      ["dev", DEV],
    ] as const) {
      entra.addGroup(group, `deployers of ${stack}`);
      await world.make(stack, {
        ...{ stack, scope: SCOPE, deployers: group },
        github: { owner: "acme", repository: "platform", ownerId: 7, repositoryId: 11 },
        pulumiDeployments: { organization: "acme", project: "aks-gitops" },
        azureDevOps: { deploySubject: `/eid1/sc/${stack}/deploy`, previewSubject: `/eid1/sc/${stack}/preview` },
      });
    }
    requests = await armRequests(EVERYTHING);
  });

  const may = (client: string, action: string, scope: string, kind: "control" | "data" = "control") => {
    const principal = world.principal(world.clientOf(client));
    return world.arm.allows({ principal, groups: world.entra.groupsOf(principal.objectId) }, action, scope, kind);
  };
  const send = (client: string, method: string, path: string, body?: object) =>
    world.send(world.clientOf(client), method, path, body);

  it("are signed in by tokens of exactly their repository, environment, event, operation and connection", async () => {
    const { issuers } = world;
    const job = (more: Partial<GitHubJob>) => world.signsIn(issuers.gitHub.token({ ...JOB, ...more }, EXCHANGE));
    assert.deepEqual(await job({ environment: "prod" }), ["prod-deployer"]);
    assert.deepEqual(await job({ environment: "dev" }), ["dev-deployer"]);
    assert.deepEqual(await job({ environment: "prod", subjectHasIds: true }), ["prod-deployer"]);
    assert.deepEqual(await job({ environment: "prod-preview", event: "merge_group" }), ["prod-reader"]);
    assert.deepEqual(await job({ event: "pull_request" }), ["prod-reader", "dev-reader"]);
    assert.deepEqual(await job({ event: "pull_request", subjectHasIds: true }), ["prod-reader", "dev-reader"]);
    assert.deepEqual(await job({}), []);
    assert.deepEqual(await job({ ref: "refs/heads/evil" }), []);
    assert.deepEqual(await job({ environment: "prod", repository: "acme/fork" }), []);
    assert.deepEqual(await job({ environment: "prod", subjectHasIds: true, repositoryId: 12 }), []);
    assert.deepEqual(await job({ environment: "prod", subjectHasIds: true, ownerId: 8 }), []);
    const run = (operation: "preview" | "update" | "refresh" | "destroy", stack = "prod", project = "aks-gitops") =>
      world.signsIn(issuers.deployment({ organization: "acme", project, stack, operation }));
    assert.deepEqual(await run("preview"), ["prod-reader"]);
    for (const operation of ["update", "refresh", "destroy"] as const)
      assert.deepEqual(await run(operation), ["prod-deployer"]);
    assert.deepEqual(await run("update", "dev"), ["dev-deployer"]);
    assert.deepEqual(await run("update", "staging"), []);
    assert.deepEqual(await run("update", "prod", "other"), []);
    assert.deepEqual(await world.signsIn(issuers.connection("/eid1/sc/prod/deploy")), ["prod-deployer"]);
    assert.deepEqual(await world.signsIn(issuers.connection("/eid1/sc/prod/preview")), ["prod-reader"]);
    assert.deepEqual(await world.signsIn(issuers.connection("/eid1/sc/prod/other")), []);
  });

  it("write nothing of what an update writes to Azure where they read", async () => {
    assert.ok(requests.length > 30);
    for (const { url, body } of requests) {
      const answers = [
        await send("prod-reader", "PUT", url, body),
        await send("prod-reader", "PATCH", url, { tags: {} }),
        await send("prod-reader", "DELETE", url),
      ];
      assert.deepEqual(
        answers.map((answer) => [answer.status, answer.body.error.code]),
        Array(3).fill([403, "AuthorizationFailed"]),
        url,
      );
    }
    assert.deepEqual(
      world.arm.all().filter((resource) => !resource.type.endsWith("roleAssignments")),
      [],
    );
  });

  it("may write all of it where they deploy, role assignments too, without being an owner", async () => {
    const refused: string[] = [];
    for (const { url, body } of requests) {
      const { status, body: answer } = await send("prod-deployer", "PUT", url, body);
      if (status === 401 || status === 403) refused.push(`${url}: ${answer.error.message}`);
    }
    assert.deepEqual(refused, []);
    assert.ok(requests.some(({ url }) => url.includes("/roleAssignments/")));
    const owner = `${SCOPE}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635`;
    const { objectId } = world.principal(world.clientOf("prod-deployer"));
    const path = `${SCOPE}/providers/Microsoft.Authorization/roleAssignments/6f1f2b6e-3333-4e0a-9c60-000000000001`;
    const properties = { roleDefinitionId: owner, principalId: objectId, principalType: "ServicePrincipal" };
    const { status } = await send("prod-deployer", "PUT", `${path}?api-version=2022-04-01`, { properties });
    assert.equal(status, 403);
  });

  describe("and their secrets", () => {
    const GROUP_ID = `${SCOPE}/resourceGroups/rg-prod`;
    const VAULT = `${GROUP_ID}/providers/Microsoft.KeyVault/vaults/kv-prod`;
    const REGISTRY = `${GROUP_ID}/providers/Microsoft.ContainerRegistry/registries/acrprod`;
    const KEY = `${VAULT}/keys/sops`;
    const PUT = "?api-version=";
    let keyVault: KeyVault;
    let registries: ContainerRegistries;
    let keyUrl: string;

    before(async () => {
      const { arm, entra } = world;
      keyVault = new KeyVault({ arm, directory: entra });
      registries = new ContainerRegistries({
        ...{ arm, directory: entra, upstream: new UpstreamRegistries() },
        ...{ passwordValid: () => undefined, groupsOf: (objectId: string) => entra.groupsOf(objectId) },
      });
      arm.extend(keyVault.extension);
      arm.extend(registries.extension);
      const made = async (path: string, version: string, body: object) => {
        const { status, body: answer } = await world.sendAsPerson("PUT", `${path}${PUT}${version}`, body);
        assert.ok(status < 300, JSON.stringify(answer));
      };
      const [location, family] = ["westeurope", "A"];
      for (const group of [GROUP_ID, GROUP_ID.replace("prod", "dev")]) await made(group, "2021-04-01", { location });
      await made(VAULT, "2023-07-01", {
        location,
        properties: { tenantId: TENANT_ID, sku: { family, name: "standard" }, enableRbacAuthorization: true },
      });
      await made(REGISTRY, "2023-07-01", { location, sku: { name: "Standard" } });
      await made(KEY, "2023-07-01", { properties: { kty: "RSA", keySize: 2048 } });
      // As SopsKeyVault and ContainerRegistry give them to the deployers of their stack.
      arm.assignRole(PROD, "Key Vault Crypto User", VAULT);
      arm.assignRole(PROD, "AcrPush", REGISTRY);
      keyUrl = String(arm.get(KEY)?.properties.keyUriWithVersion);
    });

    /** The status of a request to the vault. */
    const vault = async (client: string, method: string, url: string, body?: object) => {
      const headers = { authorization: `Bearer ${world.token(world.clientOf(client), "https://vault.azure.net")}` };
      return (await ask(keyVault.service, method, `${url}?api-version=7.4`, { headers, ...(body && { body }) })).status;
    };
    /** What the registry's token allows in a repository, of what was asked for. */
    const granted = async (client: string, actions: string) => {
      const exchange = (path: string, fields: Record<string, string>) =>
        ask(registries.service, "POST", `https://acrprod.azurecr.io/oauth2/${path}`, {
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams({ service: "acrprod.azurecr.io", tenant: TENANT_ID, ...fields }),
        });
      const entraToken = world.token(world.clientOf(client), "https://containerregistry.azure.net");
      const { body: first } = await exchange("exchange", { grant_type: "access_token", access_token: entraToken });
      const { body } = await exchange("token", {
        ...{ grant_type: "refresh_token", refresh_token: first.refresh_token, scope: `repository:charts/x:${actions}` },
      });
      const { access } = JSON.parse(Buffer.from(String(body.access_token).split(".")[1] ?? "", "base64url").toString());
      return (access as { actions: string[] }[]).flatMap((one) => one.actions);
    };

    it("open to the deployers of their own stack alone, and to no reader", async () => {
      const cipher = { alg: "RSA-OAEP-256", value: Buffer.alloc(256, 1).toString("base64url") };
      const decrypt = (client: string) => vault(client, "POST", `${keyUrl}/decrypt`, cipher);
      // The bytes are no cipher text: who may decrypt learns so, others are refused before.
      assert.equal(await decrypt("prod-deployer"), 400);
      for (const other of ["dev-deployer", "dev-reader", "prod-reader"]) assert.equal(await decrypt(other), 403, other);
      assert.equal(await vault("prod-reader", "GET", keyUrl), 403);
      assert.equal(await vault("prod-reader", "POST", `${keyUrl}/encrypt`, cipher), 403);
      const secret = "Microsoft.KeyVault/vaults/secrets/getSecret/action";
      for (const client of ["prod-reader", "dev-reader", "dev-deployer"])
        assert.equal(may(client, secret, VAULT, "data"), false, client);
    });

    it("are not to be had, and nothing to be pushed, imported or applied, where an identity reads", async () => {
      assert.deepEqual(await granted("prod-deployer", "pull,push"), ["pull", "push"]);
      for (const reader of ["prod-reader", "dev-reader"])
        assert.deepEqual(await granted(reader, "pull,push,delete"), ["pull"], reader);
      const cluster = `${GROUP_ID}/providers/Microsoft.ContainerService/managedClusters/aks`;
      const posts = [
        [`${REGISTRY}/importImage`, "2023-07-01"],
        [`${REGISTRY}/listCredentials`, "2023-07-01"],
        [`${cluster}/listClusterUserCredential`, "2025-08-01"],
        [`${cluster}/listClusterAdminCredential`, "2025-08-01"],
        [`${cluster}/runCommand`, "2025-08-01"],
      ];
      for (const [path = "", version] of posts) {
        const { status } = await send("prod-reader", "POST", `${path}${PUT}${version}`, {});
        assert.equal(status, 403, path);
      }
      for (const action of ["namespaces/write", "pods/write", "secrets/read"])
        for (const reader of ["prod-reader", "dev-reader"])
          assert.equal(
            may(reader, `Microsoft.ContainerService/managedClusters/${action}`, cluster, "data"),
            false,
            action,
          );
    });

    it("stay shut to the other stack's deployer, Azure and all, where each has a resource group for its scope", async () => {
      const entra = world.entra;
      for (const [stack, group] of [
        ["blue", PROD],
        ["green", DEV],
      ] as const)
        await world.make(stack, {
          ...{ stack, scope: `${SCOPE}/resourceGroups/rg-${stack === "blue" ? "prod" : "dev"}`, deployers: group },
          github: { owner: "acme", repository: "platform" },
        });
      assert.ok(entra.applications().some(({ displayName }) => displayName === "green-deployer"));
      for (const action of ["read", "write", "delete"]) {
        assert.equal(may("blue-deployer", `Microsoft.KeyVault/vaults/${action}`, VAULT), true, action);
        assert.equal(may("green-deployer", `Microsoft.KeyVault/vaults/${action}`, VAULT), false, action);
      }
      assert.equal(may("green-reader", "Microsoft.KeyVault/vaults/read", VAULT), false);
      assert.equal(may("green-reader", "Microsoft.ContainerRegistry/registries/pull/read", REGISTRY), false);
      const assignment = "6f1f2b6e-3333-4e0a-9c60-000000000002";
      const path = `${VAULT}/providers/Microsoft.Authorization/roleAssignments/${assignment}?api-version=2022-04-01`;
      const properties = {
        roleDefinitionId: `${SCOPE}/providers/Microsoft.Authorization/roleDefinitions/12338af0-0e69-4776-bea7-57ae8d297424`,
        principalId: world.principal(world.clientOf("green-deployer")).objectId,
        principalType: "ServicePrincipal",
      };
      assert.equal((await send("green-deployer", "PUT", path, { properties })).status, 403);
      assert.equal((await send("blue-deployer", "PUT", path, { properties })).status, 201);
    });
  });
});
