import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { Environments } from "../../../../rehearsal/cloud/github/environments.ts";
import type { Repository } from "../../../../rehearsal/cloud/github/model.ts";
import { type Answer, ask } from "../request.ts";

const REPOSITORY: Repository = {
  ...{ id: 11, owner: "acme", name: "platform", private: true, protectedBranches: [], folder: "" },
  ...{ createdAt: "2026-01-01T00:00:00Z", deployKeys: [], settings: {}, pullRequests: [] },
};

describe("simulated GitHub: environments", () => {
  let environments: Environments;
  let demanded: string[];

  beforeEach(() => {
    environments = new Environments();
    demanded = [];
  });

  const call = (method: string, path: string, body?: object): Promise<Answer> =>
    ask(
      async (request) =>
        environments.answer({ request, repository: REPOSITORY, path, demand: (right) => demanded.push(right) }),
      method,
      `https://api.github.com/repos/acme/platform/${path}`,
      body ? { body } : {},
    );
  const policy = { protected_branches: false, custom_branch_policies: true };

  it("are made and changed by one call, shown with the rules that hold, and deleted", async () => {
    const reviewers = [{ type: "Team", id: 3 }];
    const made = await call("PUT", "environments/prod", { reviewers, prevent_self_review: true });
    assert.equal(made.status, 200);
    const { id, name, can_admins_bypass, deployment_branch_policy, protection_rules } = made.body;
    assert.deepEqual([name, can_admins_bypass, deployment_branch_policy], ["prod", true, null]);
    assert.deepEqual(
      protection_rules.map(({ id: _, node_id, ...rule }: Record<string, unknown>) => rule),
      [
        {
          type: "required_reviewers",
          prevent_self_review: true,
          reviewers: [{ type: "Team", reviewer: { id: 3 } }],
        },
      ],
    );
    const changed = await call("PUT", "environments/Prod", {
      ...{ wait_timer: 10, reviewers: null, can_admins_bypass: false, deployment_branch_policy: policy },
    });
    assert.deepEqual([changed.body.id, changed.body.name, changed.body.can_admins_bypass], [id, "prod", false]);
    assert.deepEqual(
      changed.body.protection_rules.map(({ type }: { type: string }) => type),
      ["wait_timer", "branch_policy"],
    );
    assert.deepEqual((await call("GET", "environments/prod")).body, changed.body);
    assert.equal((await call("GET", "environments")).body.total_count, 1);
    assert.equal((await call("DELETE", "environments/prod")).status, 204);
    assert.equal((await call("GET", "environments/prod")).status, 404);
    assert.deepEqual(demanded, ["admin", "admin", "admin"]);
  });

  it("refuse seven reviewers, a reviewer that is none, and a policy of both kinds or none", async () => {
    const status = async (body: object) => (await call("PUT", "environments/prod", body)).status;
    const user = (id: number) => ({ type: "User", id });
    assert.equal(await status({ reviewers: Array.from({ length: 7 }, (_, index) => user(index + 1)) }), 422);
    assert.equal(await status({ reviewers: [{ type: "Robot", id: 1 }] }), 422);
    const same = { protected_branches: true, custom_branch_policies: true };
    assert.equal(await status({ deployment_branch_policy: same }), 422);
    assert.equal(await status({ wait_timer: 50_000 }), 422);
    assert.equal(environments.of(REPOSITORY).size, 0);
  });

  it("have patterns of branches and tags where their policy says so", async () => {
    const below = "environments/prod/deployment-branch-policies";
    await call("PUT", "environments/prod", {});
    assert.equal((await call("POST", below, { name: "main" })).status, 404);
    await call("PUT", "environments/prod", { deployment_branch_policy: policy });
    const { body: main } = await call("POST", below, { name: "main" });
    assert.deepEqual([main.name, main.type], ["main", "branch"]);
    await call("POST", below, { name: "v*", type: "tag" });
    assert.equal((await call("POST", below, { name: "main", type: "branch" })).status, 303);
    assert.equal((await call("POST", below, { name: "main", type: "commit" })).status, 422);
    assert.equal((await call("PUT", `${below}/${main.id}`, { name: "release/*" })).body.name, "release/*");
    const { body } = await call("GET", below);
    assert.deepEqual(
      body.branch_policies.map(({ name, type }: { name: string; type: string }) => `${type} ${name}`),
      ["branch release/*", "tag v*"],
    );
    assert.equal((await call("DELETE", `${below}/${main.id}`)).status, 204);
    assert.equal((await call("GET", `${below}/${main.id}`)).status, 404);
    await call("PUT", "environments/prod", {});
    assert.deepEqual(environments.of(REPOSITORY).get("prod")?.patterns, []);
  });

  it("have variables, each name once, for those who write", async () => {
    const below = "environments/prod/variables";
    assert.equal((await call("POST", below, { name: "A", value: "1" })).status, 404);
    await call("PUT", "environments/prod", {});
    demanded = [];
    assert.equal((await call("POST", below, { name: "azure_client_id", value: "1" })).status, 201);
    assert.equal((await call("POST", below, { name: "AZURE_CLIENT_ID", value: "2" })).status, 409);
    assert.equal((await call("POST", below, { name: "GITHUB_X", value: "2" })).status, 422);
    const { body } = await call("GET", `${below}/AZURE_CLIENT_ID`);
    assert.deepEqual([body.name, body.value], ["AZURE_CLIENT_ID", "1"]);
    assert.equal((await call("PATCH", `${below}/AZURE_CLIENT_ID`, { value: "3" })).status, 204);
    assert.equal(environments.of(REPOSITORY).get("prod")?.variables.get("AZURE_CLIENT_ID")?.value, "3");
    await call("PUT", "environments/prod", { wait_timer: 1 });
    assert.equal((await call("GET", below)).body.total_count, 1);
    assert.equal((await call("DELETE", `${below}/AZURE_CLIENT_ID`)).status, 204);
    assert.equal((await call("GET", `${below}/AZURE_CLIENT_ID`)).status, 404);
    assert.deepEqual([...new Set(demanded)], ["write", "admin"]);
  });
});
