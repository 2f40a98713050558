import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, it } from "mocha";
import { Authority } from "../../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../../rehearsal/cloud/door/door.ts";
import type { ClientCredential } from "../../../../rehearsal/cloud/entra/directory.ts";
import { parseJwt, signJwt } from "../../../../rehearsal/cloud/entra/jwt.ts";
import { Entra } from "../../../../rehearsal/cloud/entra/service.ts";
import { type FederatedCredential, ServiceError } from "../../../../rehearsal/cloud/types.ts";
import { type Answer, ask } from "../request.ts";

const TENANT_ID = "6f1f2b6e-0000-4e0a-9c60-00000000aaaa";
const LOGIN = "https://login.microsoftonline.com";
const ARM = "https://management.azure.com";

describe("Entra", () => {
  let now: Date;
  let entra: Entra;
  let client: ClientCredential;

  beforeEach(async () => {
    now = new Date("2026-05-01T12:00:00Z");
    entra = await Entra.create({ tenantId: TENANT_ID, now: () => now });
    client = entra.addClient("deployer");
  });

  function token(changes: Record<string, string | undefined> = {}, path = `/${TENANT_ID}/oauth2/v2.0/token`) {
    const form = new URLSearchParams();
    const fields = {
      grant_type: "client_credentials",
      client_id: client.clientId,
      client_secret: client.clientSecret,
      scope: `${ARM}/.default`,
      ...changes,
    };
    for (const [key, value] of Object.entries(fields)) if (value !== undefined) form.set(key, value);
    return ask(entra.service, "POST", LOGIN + path, { body: form });
  }

  /** The faults of `authenticate`. */
  function refused(authorization: string | undefined, audience: string): Answer {
    try {
      entra.authenticate(authorization, audience);
    } catch (error) {
      if (error instanceof ServiceError) return error.response as Answer;
      throw error;
    }
    throw new Error("it was not refused");
  }

  it("issues a token with Azure's claims for a secret, and knows its bearer and the groups around it", async () => {
    entra.addGroup("g1", "deployers");
    entra.addGroup("g2", "everybody");
    entra.addMember("g1", client.objectId);
    entra.addMember("g2", "g1");
    const { status, body } = await token();
    assert.equal(status, 200);
    assert.equal(body.token_type, "Bearer");
    assert.equal(body.expires_in, 3599);
    const seconds = now.getTime() / 1000;
    const { aud, iss, oid, tid, appid, idtyp, iat, exp } = parseJwt(body.access_token)?.claims ?? {};
    assert.deepEqual(
      { aud, iss, oid, tid, appid, idtyp, iat, exp },
      {
        aud: ARM,
        iss: `https://sts.windows.net/${TENANT_ID}/`,
        oid: client.objectId,
        tid: TENANT_ID,
        appid: client.clientId,
        idtyp: "app",
        iat: seconds,
        exp: seconds + 3600,
      },
    );
    const caller = entra.authenticate(`Bearer ${body.access_token}`, ARM);
    assert.equal(caller.principal.displayName, "deployer");
    assert.deepEqual(caller.groups, ["g1", "g2"]);
  });

  it("takes both names of Resource Manager, with the slash that SDKs add, for one audience", async () => {
    const { body } = await token({ scope: "https://management.core.windows.net//.default" });
    assert.equal(parseJwt(body.access_token)?.claims.aud, "https://management.core.windows.net/");
    assert.equal(entra.authenticate(`Bearer ${body.access_token}`, ARM).principal.objectId, client.objectId);
  });

  it("takes OpenID Connect's scopes beside the resource, as MSAL for Go sends them", async () => {
    assert.equal((await token({ scope: `${ARM}/.default openid offline_access profile` })).status, 200);
  });

  it("serves the first version's endpoint with resource and text numbers", async () => {
    const { status, body } = await token(
      { scope: undefined, resource: "https://vault.azure.net" },
      `/${TENANT_ID}/oauth2/token`,
    );
    assert.equal(status, 200);
    assert.equal(body.expires_in, "3599");
    assert.equal(body.resource, "https://vault.azure.net");
  });

  it("accepts a secret by Basic authentication", async () => {
    const basic = Buffer.from(`${client.clientId}:${encodeURIComponent(client.clientSecret)}`).toString("base64");
    const answer = await ask(entra.service, "POST", `${LOGIN}/${TENANT_ID}/oauth2/v2.0/token`, {
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ grant_type: "client_credentials", scope: `${ARM}/.default` }),
    });
    assert.equal(answer.status, 200);
  });

  it("refuses in Entra's words and shape", async () => {
    const answer = await ask(entra.service, "POST", `${LOGIN}/${TENANT_ID}/oauth2/v2.0/token`, {
      headers: { "client-request-id": "c0ffee" },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: client.clientId,
        client_secret: "wrong",
        scope: `${ARM}/.default`,
      }),
    });
    assert.equal(answer.status, 401);
    assert.deepEqual(Object.keys(answer.body), [
      "error",
      "error_description",
      "error_codes",
      "timestamp",
      "trace_id",
      "correlation_id",
      "error_uri",
    ]);
    assert.equal(answer.body.error, "invalid_client");
    assert.match(
      answer.body.error_description,
      /^AADSTS7000215: Invalid client secret provided\. .* Correlation ID: c0ffee /,
    );
    assert.deepEqual(answer.body.error_codes, [7000215]);
    assert.equal(answer.body.correlation_id, "c0ffee");
  });

  const faults: [string, Record<string, string | undefined>, string | undefined, number, string, number][] = [
    ["an unknown tenant", {}, "/no-such-tenant/oauth2/v2.0/token", 400, "invalid_request", 90002],
    ["an unknown client", { client_id: "nobody" }, undefined, 400, "unauthorized_client", 700016],
    ["no secret", { client_secret: undefined }, undefined, 401, "invalid_client", 7000218],
    ["no scope", { scope: undefined }, undefined, 400, "invalid_request", 900144],
    ["a scope that is not .default", { scope: `${ARM}/user_impersonation` }, undefined, 400, "invalid_scope", 1002012],
    [
      "two scopes",
      { scope: `${ARM}/.default https://vault.azure.net/.default` },
      undefined,
      400,
      "invalid_scope",
      1002012,
    ],
    ["an unknown resource", { scope: "https://example.com/.default" }, undefined, 400, "invalid_resource", 500011],
    ["another grant", { grant_type: "password" }, undefined, 400, "unsupported_grant_type", 70003],
    [
      "no JWT as assertion",
      { client_assertion: "x", client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" },
      undefined,
      401,
      "invalid_client",
      50027,
    ],
  ];
  for (const [what, changes, path, status, error, code] of faults) {
    it(`refuses ${what} with AADSTS${code}`, async () => {
      const answer = await token(changes, path);
      assert.equal(answer.status, status);
      assert.equal(answer.body.error, error);
      assert.deepEqual(answer.body.error_codes, [code]);
    });
  }

  it("refuses an expired secret, and an application without service principal", async () => {
    const application = entra.addApplication({ displayName: "old" });
    const { secretText } = entra.addSecret(application.objectId, { endDateTime: "2026-05-01T12:00:01Z" });
    const changes = { client_id: application.clientId, client_secret: secretText };
    assert.deepEqual((await token(changes)).body.error_codes, [7000229]);
    entra.addServicePrincipal(application.clientId);
    assert.equal((await token(changes)).status, 200);
    now = new Date("2026-05-01T12:00:01Z");
    assert.deepEqual((await token(changes)).body.error_codes, [7000222]);
  });

  it("takes a new secret after a while", async () => {
    entra = await Entra.create({ tenantId: TENANT_ID, now: () => now, secretDelay: 18_000 });
    const application = entra.addApplication({ displayName: "new" });
    entra.addServicePrincipal(application.clientId);
    const { secretText } = entra.addSecret(application.objectId);
    const changes = { client_id: application.clientId, client_secret: secretText };
    assert.deepEqual((await token(changes)).body.error_codes, [7000215]);
    now = new Date(now.getTime() + 18_000);
    assert.equal((await token(changes)).status, 200);
  });

  it("does not know a deleted application any more", async () => {
    entra.deleteApplication(entra.applicationByClientId(client.clientId)?.objectId ?? "");
    assert.deepEqual((await token()).body.error_codes, [700016]);
    assert.equal(entra.find(client.objectId), undefined);
    assert.deepEqual(
      entra.deletedApplications().map(({ clientId }) => clientId),
      [client.clientId],
    );
  });

  it("refuses a bearer token that is missing, forged, expired, for somebody else or of somebody who is gone", async () => {
    const { body } = await token();
    const bearer = `Bearer ${body.access_token}`;
    const code = (answer: Answer) => `${answer.status} ${answer.body.error.code}`;
    assert.equal(code(refused(undefined, ARM)), "401 AuthenticationFailed");
    assert.equal(code(refused("Basic abc", ARM)), "401 AuthenticationFailed");
    assert.equal(code(refused("Bearer abc", ARM)), "401 InvalidAuthenticationToken");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const forged = signJwt({ kid: entra.issuer.jwk.kid }, { ...parseJwt(body.access_token)?.claims }, privateKey);
    assert.equal(code(refused(`Bearer ${forged}`, ARM)), "401 InvalidAuthenticationToken");
    assert.equal(code(refused(bearer, "https://vault.azure.net")), "401 InvalidAuthenticationTokenAudience");
    const plain = `Bearer ${body.access_token.replace(/[^.]+$/, "")}`;
    assert.equal(code(refused(plain, ARM)), "401 InvalidAuthenticationToken");
    now = new Date("2026-05-01T13:00:00Z");
    const expired = refused(bearer, ARM);
    assert.equal(code(expired), "401 ExpiredAuthenticationToken");
    assert.match(expired.headers["www-authenticate"] ?? "", /error="invalid_token"/);
    now = new Date("2026-05-01T12:30:00Z");
    entra.remove(client.objectId);
    assert.equal(code(refused(bearer, ARM)), "401 InvalidAuthenticationToken");
  });

  describe("with federated credentials", () => {
    const issuer = "https://westeurope.oic.prod-aks.azure.com/tenant/cluster/";
    const subject = "system:serviceaccount:flux-system:kustomize-controller";
    const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const others = generateKeyPairSync("rsa", { modulusLength: 2048 });
    let credentials: FederatedCredential[];
    let clientId: string;
    let reachable: boolean;

    beforeEach(() => {
      credentials = [{ issuer, subject, audiences: ["api://AzureADTokenExchange"] }];
      reachable = true;
      clientId = entra.addManagedIdentity("flux", "/id/of/flux").clientId ?? "";
      entra.federate({
        arm: { federatedCredentials: (id) => (id === "/id/of/flux" ? credentials : []) },
        issuerKeys: async (asked) =>
          reachable && asked === issuer ? [{ ...keys.publicKey.export({ format: "jwk" }), kid: "k1" }] : undefined,
      });
    });

    function exchange(claims: Record<string, unknown> = {}, header = { kid: "k1" }, key = keys.privateKey) {
      const seconds = now.getTime() / 1000;
      const all = {
        iss: issuer,
        sub: subject,
        aud: ["api://AzureADTokenExchange"],
        nbf: seconds,
        exp: seconds + 600,
        ...claims,
      };
      return token({
        client_id: clientId,
        client_secret: undefined,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: signJwt(header, all, key),
        scope: "https://vault.azure.net/.default",
      });
    }

    it("signs the managed identity in whose credential matches exactly", async () => {
      const { status, body } = await exchange();
      assert.equal(status, 200);
      const caller = entra.authenticate(`Bearer ${body.access_token}`, "https://vault.azure.net");
      assert.equal(caller.principal.identityId, "/id/of/flux");
    });

    it("names what does not match: issuer, subject or audience", async () => {
      const codes = async (claims: Record<string, unknown>) => (await exchange(claims)).body.error_codes;
      assert.deepEqual(await codes({ iss: issuer.slice(0, -1) }), [700211]);
      assert.deepEqual(await codes({ sub: subject.toUpperCase() }), [700213]);
      assert.deepEqual(await codes({ aud: "https://kubernetes.default.svc" }), [700212]);
      assert.match((await exchange({ sub: "x" })).body.error_description, /^AADSTS700213: .* assertion subject 'x'\./);
      credentials = [];
      assert.deepEqual(await codes({}), [70025]);
    });

    it("refuses an expired or early assertion, a wrong signature, an unknown key and an issuer out of reach", async () => {
      const seconds = now.getTime() / 1000;
      assert.deepEqual((await exchange({ exp: seconds - 301 })).body.error_codes, [700024]);
      assert.deepEqual((await exchange({ nbf: seconds + 301 })).body.error_codes, [700024]);
      assert.deepEqual((await exchange({}, { kid: "k1" }, others.privateKey)).body.error_codes, [50013]);
      assert.deepEqual((await exchange({}, { kid: "k2" })).body.error_codes, [7000272]);
      reachable = false;
      assert.deepEqual((await exchange()).body.error_codes, [501661]);
    });

    it("looks at no more than 20 credentials", async () => {
      const other = { issuer, subject: "other", audiences: ["api://AzureADTokenExchange"] };
      credentials = [...Array.from({ length: 20 }, () => other), ...credentials];
      assert.deepEqual((await exchange()).body.error_codes, [700213]);
    });
  });

  it("serves @azure/identity unmodified", async () => {
    const folder = await mkdtemp(join(tmpdir(), "entra-"));
    const authority = await Authority.create();
    await writeFile(join(folder, "authority.pem"), authority.pem);
    const real = await Entra.create({ tenantId: TENANT_ID });
    const { clientId, clientSecret } = real.addClient("deployer");
    const door = new Door(authority);
    door.route("login.microsoftonline.com", real.service);
    const port = await door.listen("outside");
    const program = `
      import { ClientSecretCredential } from "@azure/identity";
      const ask = async (secret) =>
        new ClientSecretCredential(${JSON.stringify(TENANT_ID)}, ${JSON.stringify(clientId)}, secret).getToken("${ARM}/.default");
      console.log((await ask(process.env.SECRET)).token);
      await ask("wrong").catch((error) => console.log(error.message));`;
    try {
      const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
        env: {
          SECRET: clientSecret,
          HTTPS_PROXY: `http://127.0.0.1:${port}`,
          NODE_EXTRA_CA_CERTS: join(folder, "authority.pem"),
        },
      });
      const [first = "", ...rest] = stdout.split("\n");
      assert.equal(real.authenticate(`Bearer ${first}`, ARM).principal.clientId, clientId);
      assert.match(rest.join("\n"), /AADSTS7000215: Invalid client secret provided/);
    } finally {
      await door.close();
      await rm(folder, { recursive: true });
    }
  });
});
