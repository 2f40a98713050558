// The issuers of pipelines' tokens, and what Entra makes of their tokens.
import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, it } from "mocha";
import { parseJwt, signJwt } from "../../../../rehearsal/cloud/entra/jwt.ts";
import { Entra } from "../../../../rehearsal/cloud/entra/service.ts";
import type { GitHubJob } from "../../../../rehearsal/cloud/issuers/gitHubJobs.ts";
import { Issuers } from "../../../../rehearsal/cloud/issuers/service.ts";
import { ask } from "../request.ts";

const TENANT_ID = "6f1f2b6e-0000-4e0a-9c60-00000000aaaa";
const TENANT = `https://login.microsoftonline.com/${TENANT_ID}/v2.0`;
const EXCHANGE = "api://AzureADTokenExchange";
const JOB: GitHubJob = {
  ...{ repository: "acme/platform", repositoryId: 11, ownerId: 7, subjectHasIds: false },
  ...{ event: "push", ref: "refs/heads/main" },
};
const RUN = { organization: "acme", project: "aks-gitops", stack: "prod", operation: "update" } as const;

describe("the issuers of pipelines' tokens", () => {
  let entra: Entra;
  let issuers: Issuers;
  let now: Date;

  beforeEach(async () => {
    now = new Date();
    entra = await Entra.create({ tenantId: TENANT_ID, now: () => now });
    issuers = await Issuers.create({ tenantId: TENANT_ID, tenant: entra.issuer, now: () => now });
    entra.federate({ arm: { federatedCredentials: () => [] }, issuerKeys: issuers.keysOf });
  });

  const claims = (token: string) => parseJwt(token)?.claims ?? {};
  const get = (url: string, headers: Record<string, string> = {}) =>
    ask(async (request) => issuers.answer(request) ?? issuers.gitHub.service(request), "GET", url, { headers });

  it("tell their keys at their own addresses, by discovery", async () => {
    for (const [url, token] of [
      ["https://token.actions.githubusercontent.com", issuers.gitHub.token(JOB)],
      ["https://api.pulumi.com/oidc", issuers.deployment(RUN)],
    ] as const) {
      const { body } = await get(`${url}/.well-known/openid-configuration`);
      assert.equal(body.issuer, url);
      assert.equal(claims(token).iss, url);
      const keys = await get(body.jwks_uri);
      assert.equal(keys.body.keys[0].kid, parseJwt(token)?.header.kid);
      assert.equal(keys.body.keys[0].d, undefined);
    }
    const own = claims(issuers.connection("/eid1/c/pub/t/a/sc/b/c"));
    assert.deepEqual([own.iss, own.sub, own.aud], [TENANT, "/eid1/c/pub/t/a/sc/b/c", EXCHANGE]);
    assert.equal(issuers.answer({ method: "GET", url: new URL("https://api.pulumi.com/api/user") }), undefined);
    assert.equal(await issuers.keysOf("https://token.actions.githubusercontent.com/"), undefined);
  });

  it("give a job of GitHub's a token about its environment, else its pull request, else its ref", () => {
    const subject = (job: Partial<GitHubJob>) => claims(issuers.gitHub.token({ ...JOB, ...job })).sub;
    assert.equal(subject({}), "repo:acme/platform:ref:refs/heads/main");
    assert.equal(subject({ environment: "prod" }), "repo:acme/platform:environment:prod");
    assert.equal(subject({ environment: "a:b" }), "repo:acme/platform:environment:a%3Ab");
    assert.equal(subject({ event: "pull_request", ref: "refs/pull/4/merge" }), "repo:acme/platform:pull_request");
    assert.equal(subject({ event: "pull_request", environment: "p" }), "repo:acme/platform:environment:p");
    assert.equal(
      subject({ event: "merge_group", ref: "refs/heads/gh-readonly-queue/main/pr-4-0" }),
      "repo:acme/platform:ref:refs/heads/gh-readonly-queue/main/pr-4-0",
    );
    assert.equal(subject({ subjectHasIds: true, event: "pull_request" }), "repo:acme@7/platform@11:pull_request");
  });

  it("give GitHub's token to who asks as the job does, and none to a fork's pull request", async () => {
    const job = issuers.gitHub.start({ ...JOB, environment: "prod" });
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = "" } = job;
    const given = await get(`${url}&audience=${encodeURIComponent(EXCHANGE)}`, { authorization: `bearer ${token}` });
    assert.equal(given.status, 200);
    const { sub, aud, exp, repository_id, event_name } = claims(given.body.value);
    assert.deepEqual([sub, aud], ["repo:acme/platform:environment:prod", EXCHANGE]);
    assert.deepEqual([repository_id, event_name], ["11", "push"]);
    assert.equal(Number(exp), Math.floor(now.getTime() / 1000) + 300);
    const plain = await get(url, { authorization: `bearer ${token}` });
    assert.equal(claims(plain.body.value).aud, "https://github.com/acme");
    assert.equal((await get(url, { authorization: `bearer ${token.toUpperCase()}` })).status, 401);
    assert.equal((await get(url)).status, 401);
    assert.equal((await get(url.replace(/[0-9a-f]{32}/, "0".repeat(32)))).status, 404);
    assert.deepEqual(issuers.gitHub.start({ ...JOB, event: "pull_request", fromFork: true }), {});
  });

  describe("with Entra", () => {
    let clientId: string;

    beforeEach(() => {
      const application = entra.addApplication({ displayName: "ci" });
      clientId = application.clientId;
      entra.addServicePrincipal(clientId);
      const credential = (issuer: string, subject: string, audience = EXCHANGE) => ({
        ...{ id: subject, name: subject, issuer, subject, audiences: [audience], description: null },
      });
      application.federatedCredentials.push(
        credential("https://token.actions.githubusercontent.com", "repo:acme/platform:environment:prod"),
        credential("https://api.pulumi.com/oidc", String(claims(issuers.deployment(RUN)).sub), "acme"),
        credential(TENANT, "/eid1/c/pub/t/a/sc/b/deploy"),
      );
    });

    /** 200, or the code behind AADSTS. */
    async function exchange(assertion: string, client = clientId): Promise<number> {
      const body = new URLSearchParams({
        ...{ grant_type: "client_credentials", client_id: client, scope: "https://management.azure.com/.default" },
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: assertion,
      });
      const url = `https://login.microsoftonline.com/${TENANT_ID}/oauth2/v2.0/token`;
      const answer = await ask(entra.service, "POST", url, { body });
      if (answer.status !== 200) return answer.body.error_codes[0];
      assert.equal(
        entra.authenticate(`Bearer ${answer.body.access_token}`, "https://management.azure.com").principal.clientId,
        client,
      );
      return 200;
    }

    const gitHub = (job: Partial<GitHubJob> = {}, audience = EXCHANGE) =>
      exchange(issuers.gitHub.token({ ...JOB, environment: "prod", ...job }, audience));

    it("sign an application in with the token of exactly its repository, environment, operation and connection", async () => {
      assert.equal(await gitHub(), 200);
      assert.equal(await gitHub({ event: "workflow_dispatch", ref: "refs/tags/v1" }), 200);
      assert.equal(await exchange(issuers.deployment(RUN)), 200);
      assert.equal(await exchange(issuers.connection("/eid1/c/pub/t/a/sc/b/deploy")), 200);
    });

    it("do so with no other: AADSTS700213 for a subject, 700211 for an issuer, 700212 for an audience", async () => {
      assert.equal(await gitHub({ environment: "prod2" }), 700213);
      assert.equal(await gitHub({ environment: "Prod" }), 700213);
      assert.equal(await gitHub({ environment: undefined }), 700213);
      assert.equal(await gitHub({ environment: undefined, event: "pull_request" }), 700213);
      assert.equal(await gitHub({ repository: "acme/other" }), 700213);
      assert.equal(await gitHub({ repository: "evil/platform" }), 700213);
      assert.equal(await gitHub({ subjectHasIds: true }), 700213);
      assert.equal(await gitHub({}, "https://github.com/acme"), 700212);
      assert.equal(await exchange(issuers.deployment({ ...RUN, operation: "destroy" })), 700213);
      assert.equal(await exchange(issuers.deployment({ ...RUN, stack: "dev" })), 700213);
      assert.equal(await exchange(issuers.deployment({ ...RUN, organization: "evil" })), 700213);
      assert.equal(await exchange(issuers.deployment(RUN, "azure:acme")), 700212);
      assert.equal(await exchange(issuers.connection("/eid1/c/pub/t/a/sc/b/preview")), 700213);
      entra.applicationByClientId(clientId)?.federatedCredentials.splice(1);
      assert.equal(await exchange(issuers.deployment(RUN)), 700211);
      entra.applicationByClientId(clientId)?.federatedCredentials.splice(0);
      assert.equal(await gitHub(), 70025);
    });

    it("refuse a token that is old, that somebody else signed, or that is another issuer's", async () => {
      const token = issuers.gitHub.token({ ...JOB, environment: "prod" }, EXCHANGE);
      const forged = await Issuers.create({ tenantId: TENANT_ID, tenant: entra.issuer, now: () => now });
      const other = forged.gitHub.token({ ...JOB, environment: "prod" }, EXCHANGE);
      assert.equal(await exchange(other), 7000272);
      const { header, claims: said } = parseJwt(token) ?? {};
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      assert.equal(await exchange(signJwt({ ...header }, { ...said }, privateKey)), 50013);
      now = new Date(now.getTime() + 11 * 60_000);
      assert.equal(await exchange(token), 700024);
    });
  });
});
