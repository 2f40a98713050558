// The real kubelogin signs in with the arguments of the kubeconfig, each way, to the simulated Entra.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { signInOf } from "../../../net/signIn.ts";
import { AKS_SERVER_ID } from "../../../provider/azure/clusterAccess.ts";
import { kubeloginArgs } from "../../../provider/azure/kubelogin.ts";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import type { ClientCredential } from "../../../rehearsal/cloud/entra/directory.ts";
import { parseJwt, signJwt } from "../../../rehearsal/cloud/entra/jwt.ts";
import { Entra } from "../../../rehearsal/cloud/entra/service.ts";
import { findTool } from "../../../tools/findTool.ts";

const TENANT_ID = "5b6f3f4e-0d6a-4f0f-9a55-000000000001";
const ISSUER = "https://token.actions.githubusercontent.com";
const SUBJECT = "repo:acme/fleet:ref:refs/heads/main";

describe("the kubeconfig with the real kubelogin", () => {
  let folder: string;
  let kubelogin: string;
  let door: Door;
  let entra: Entra;
  let client: ClientCredential;
  let base: Record<string, string>;

  before(async () => {
    [kubelogin, folder] = await Promise.all([findTool("kubelogin"), mkdtemp(join(tmpdir(), "kubelogin-"))]);
    const authority = await Authority.create();
    await writeFile(join(folder, "authority.pem"), authority.pem);
    entra = await Entra.create({ tenantId: TENANT_ID });
    client = entra.addClient("ci");
    door = new Door(authority);
    door.route("login.microsoftonline.com", entra.service);
    base = {
      PATH: [folder, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
      HOME: folder,
      HTTPS_PROXY: `http://127.0.0.1:${await door.listen("outside")}`,
      SSL_CERT_FILE: join(folder, "authority.pem"),
    };
  });
  after(async () => {
    await door.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Asks for a token as kubectl does. @returns the claims of the token. */
  async function ask(environment: Record<string, string>): Promise<Readonly<Record<string, unknown>> | undefined> {
    const method = signInOf(environment).kubelogin;
    const env = { ...base, ...environment, ...(method === "azurecli" ? {} : { AAD_LOGIN_METHOD: method }) };
    const args = kubeloginArgs(AKS_SERVER_ID, "https://dev-1234.hcp.westeurope.azmk8s.io:443");
    const { stdout } = await promisify(execFile)(kubelogin, args, { env });
    const { kind, status } = JSON.parse(stdout) as { kind: string; status: { token: string } };
    assert.equal(kind, "ExecCredential");
    return parseJwt(status.token)?.claims;
  }

  it("signs a service principal in with azure-native's variables", async () => {
    const { clientId, clientSecret, objectId } = client;
    const claims = await ask({
      ...{ ARM_CLIENT_ID: clientId, ARM_CLIENT_SECRET: clientSecret, ARM_TENANT_ID: TENANT_ID },
      // They go unseen by azure-native, and by kubelogin too.
      ...{ AZURE_CLIENT_ID: "another", AZURE_CLIENT_SECRET: "another" },
    });
    assert.deepEqual([claims?.aud, claims?.oid], [AKS_SERVER_ID, objectId]);
  });

  it("says in Entra's words why a secret is refused", async () => {
    const { clientId } = entra.addClient("newcomer");
    await assert.rejects(
      ask({ ARM_CLIENT_ID: clientId, ARM_CLIENT_SECRET: "wrong", ARM_TENANT_ID: TENANT_ID }),
      /failed to get token: .*AADSTS7000215/s,
    );
  });

  it("signs a GitHub workflow in by its federated token, fetched and from a file", async () => {
    const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { clientId, objectId } = entra.addManagedIdentity("deploy", "/id/of/deploy");
    const credential = { issuer: ISSUER, subject: SUBJECT, audiences: ["api://AzureADTokenExchange"] };
    entra.federate({
      arm: { federatedCredentials: (id) => (id === "/id/of/deploy" ? [credential] : []) },
      issuerKeys: async () => [{ ...keys.publicKey.export({ format: "jwk" }), kid: "k1" }],
    });
    const now = Math.floor(Date.now() / 1000);
    const assertion = (audience: string | null) =>
      signJwt({ kid: "k1" }, { iss: ISSUER, sub: SUBJECT, aud: audience, nbf: now, exp: now + 600 }, keys.privateKey);
    door.route("token.actions.githubusercontent.com", async ({ headers, url }) => ({
      status: headers.authorization?.toLowerCase() === "bearer workflow" ? 200 : 401,
      body: { value: assertion(url.searchParams.get("audience")) },
    }));
    const principal = { ARM_CLIENT_ID: `${clientId}`, ARM_TENANT_ID: TENANT_ID, ARM_USE_OIDC: "true" };
    const fetched = await ask({
      ...principal,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${ISSUER}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "workflow",
    });
    assert.equal(fetched?.oid, objectId);
    const file = join(folder, "token");
    await writeFile(file, assertion("api://AzureADTokenExchange"));
    const pod = { ARM_OIDC_TOKEN_FILE_PATH: file, AZURE_FEDERATED_TOKEN_FILE: file };
    assert.equal((await ask({ ...principal, ...pod }))?.oid, objectId);
  });

  it("takes the login of az where nothing is said", async () => {
    const { issuer } = entra;
    const person = entra.find(client.objectId);
    assert.ok(person);
    const token = issuer.issue(person, AKS_SERVER_ID, "1", []);
    const answer = {
      accessToken: token,
      expiresOn: "2099-01-01 00:00:00.000000",
      expires_on: 4_070_908_800,
      tokenType: "Bearer",
    };
    const az = join(folder, "az");
    await writeFile(az, `#!/bin/sh\necho "$@" > ${folder}/asked\necho '${JSON.stringify(answer)}'\n`, { mode: 0o755 });
    assert.equal((await ask({}))?.oid, client.objectId);
  });
});
