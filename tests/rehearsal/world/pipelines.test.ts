// A job of GitHub's signs in to the rehearsal's Entra as it does for real: at the real hosts, with the real client.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import { pathsOf } from "../../../rehearsal/session.ts";
import { makeServices, route, type Services } from "../../../rehearsal/world/services.ts";

const TENANT_ID = "5b6f3f4e-0d6a-4f0f-9a55-000000000001";
const ids = { tenantId: TENANT_ID, subscriptionId: "c0ffee00-6a1d-4b52-8d35-000000000002" };
const GITHUB = "https://token.actions.githubusercontent.com";

/** Prints the client that signed in, or Entra's refusal, and the issuers' names by discovery. */
const PROGRAM = `
import { ClientAssertionCredential } from "@azure/identity";
const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token, TENANT, CLIENT } = process.env;
const json = async (address, headers = {}) => (await fetch(address, { headers })).json();
const assertion = async () =>
  (await json(url + "&audience=api://AzureADTokenExchange", { authorization: "Bearer " + token })).value;
const credential = new ClientAssertionCredential(TENANT, CLIENT, assertion);
const signIn = credential.getToken("https://management.azure.com/.default").then(
  ({ token }) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).appid,
  ({ message }) => /AADSTS\\d+/.exec(message)?.[0] ?? message,
);
const issuers = [];
for (const issuer of ["${GITHUB}", "https://api.pulumi.com/oidc", "https://login.microsoftonline.com/" + TENANT + "/v2.0"]) {
  const { issuer: name, jwks_uri } = await json(issuer + "/.well-known/openid-configuration");
  issuers.push([name, (await json(jwks_uri)).keys.length]);
}
console.log(JSON.stringify({ signIn: await signIn, issuers }));
`;

describe("a pipeline in a rehearsal", () => {
  let folder: string;
  let door: Door;
  let services: Services;
  let env: NodeJS.ProcessEnv;
  let clientId: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pipelines-"));
    const authority = await Authority.create();
    await writeFile(join(folder, "authority.pem"), authority.pem);
    services = await makeServices(ids, pathsOf(join("test", "pipelines")), () => {});
    door = new Door(authority);
    route(door, services);
    const port = await door.listen("outside");
    env = {
      ...{ PATH: process.env.PATH, HTTPS_PROXY: `http://127.0.0.1:${port}`, NODE_USE_ENV_PROXY: "1" },
      ...{ NODE_EXTRA_CA_CERTS: join(folder, "authority.pem"), TENANT: TENANT_ID },
    };
    const application = services.entra.addApplication({ displayName: "ci" });
    clientId = application.clientId;
    services.entra.addServicePrincipal(clientId);
    application.federatedCredentials.push({
      ...{ id: "1", name: "github", description: null, issuer: GITHUB },
      ...{ subject: "repo:acme/platform:environment:prod", audiences: ["api://AzureADTokenExchange"] },
    });
  });

  after(async () => {
    await door.close();
    await rm(folder, { recursive: true });
  });

  async function job(environment: string) {
    const started = services.issuers.gitHub.start({
      ...{ repository: "acme/platform", repositoryId: 11, ownerId: 7, subjectHasIds: false },
      ...{ event: "push", ref: "refs/heads/main", environment },
    });
    const all = { ...env, ...started, CLIENT: clientId };
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", PROGRAM], {
      env: all,
    });
    return JSON.parse(stdout);
  }

  it("signs in with its own token, by an issuer that tells its keys", async () => {
    assert.deepEqual(await job("prod"), {
      signIn: clientId,
      issuers: [
        [GITHUB, 1],
        ["https://api.pulumi.com/oidc", 1],
        [`https://login.microsoftonline.com/${TENANT_ID}/v2.0`, 1],
      ],
    });
  });

  it("is refused with the token of another environment", async () => {
    assert.equal((await job("prod2")).signIn, "AADSTS700213");
  });
});
