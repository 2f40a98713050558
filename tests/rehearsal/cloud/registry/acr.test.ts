import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { digestOf, MEDIA } from "../../../../rehearsal/cloud/registry/protocol.ts";
import { type Answer, accessToken, artifact, ask, FakeCloud, ROLES, registryResource, TENANT } from "./support.ts";

const FLEET = "https://fleet.azurecr.io";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const CONFIG = { policies: { azureADAuthenticationAsArmPolicy: { status: "disabled" } } };

function claims(token: string): { access: unknown; aud: string } {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
}

async function exchange(cloud: FakeCloud, fields: Record<string, string>): Promise<Answer> {
  const body = `${new URLSearchParams({ grant_type: "access_token", service: "fleet.azurecr.io", tenant: TENANT, ...fields })}`;
  return ask(cloud.acr.service, "POST", `${FLEET}/oauth2/exchange`, { headers: FORM, body });
}

async function put(cloud: FakeCloud, token: string, made = artifact("layer")): Promise<Answer> {
  const authorization = `Bearer ${token}`;
  for (const blob of [made.config, made.layer]) {
    const url = `${FLEET}/v2/charts/kured/blobs/uploads/?digest=${digestOf(blob)}`;
    const answer = await ask(cloud.acr.service, "POST", url, { headers: { authorization }, body: blob });
    if (answer.status !== 201) return answer;
  }
  const headers = { authorization, "content-type": MEDIA.ociManifest };
  return ask(cloud.acr.service, "PUT", `${FLEET}/v2/charts/kured/manifests/6.1.0`, { headers, body: made.manifest });
}

describe("Azure Container Registry: sign-in", () => {
  it("exists exactly where ARM has a registry with that login server", async () => {
    const cloud = new FakeCloud();
    assert.deepEqual([cloud.acr.exists("fleet.azurecr.io"), cloud.acr.exists("other.azurecr.io")], [true, false]);
    assert.equal((await ask(cloud.acr.service, "GET", "https://other.azurecr.io/v2/")).status, 404);
  });

  it("challenges callers without a token, naming realm, service and scope", async () => {
    const { acr } = new FakeCloud();
    const base = await ask(acr.service, "GET", `${FLEET}/v2/`);
    assert.equal(base.status, 401);
    const bearer = 'Bearer realm="https://fleet.azurecr.io/oauth2/token",service="fleet.azurecr.io"';
    assert.equal(base.headers["www-authenticate"], bearer);
    const tags = await ask(acr.service, "GET", `${FLEET}/v2/charts/kured/tags/list`);
    assert.equal(tags.headers["www-authenticate"], `${bearer},scope="repository:charts/kured:metadata_read"`);
    assert.deepEqual(tags.json.errors[0].detail, [
      { Type: "repository", Name: "charts/kured", Action: "metadata_read" },
    ]);
    const upload = await ask(acr.service, "POST", `${FLEET}/v2/charts/kured/blobs/uploads/`);
    assert.equal(upload.headers["www-authenticate"], `${bearer},scope="repository:charts/kured:pull,push"`);
  });

  it("takes no token that is forged, or that was made to get tokens", async () => {
    const cloud = new FakeCloud();
    cloud.roles.set("puller", ROLES.AcrPull);
    const genuine = await accessToken(cloud, "puller", "repository:a:pull");
    const [header, , signature] = genuine.split(".");
    const payload = { ...claims(genuine), access: [{ type: "repository", name: "a", actions: ["push"] }] };
    const forged = `${header}.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.${signature}`;
    const refresh = (await exchange(cloud, { access_token: "https://containerregistry.azure.net|puller" })).json
      .refresh_token;
    for (const token of [forged, refresh, "a.b.c", "none"]) {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await ask(cloud.acr.service, "GET", `${FLEET}/v2/`, { headers });
      assert.equal(answer.status, 401);
      assert.match(answer.headers["www-authenticate"] ?? "", /error="invalid_token"$/);
    }
  });

  it("exchanges Entra tokens for the registry's and for ARM's audience, and no others", async () => {
    const cloud = new FakeCloud();
    cloud.roles.set("puller", ROLES.AcrPull);
    assert.equal((await exchange(cloud, { access_token: "https://containerregistry.azure.net|puller" })).status, 200);
    assert.equal((await exchange(cloud, { access_token: "https://management.azure.com|puller" })).status, 200);
    assert.equal((await exchange(cloud, { access_token: "https://vault.azure.net|puller" })).status, 401);
    assert.equal((await exchange(cloud, { access_token: "https://containerregistry.azure.net|nobody" })).status, 401);
    const wrong = { access_token: "https://containerregistry.azure.net|puller" };
    assert.equal((await exchange(cloud, { ...wrong, tenant: "another" })).status, 400);
    assert.equal((await exchange(cloud, { ...wrong, service: "other.azurecr.io" })).status, 400);
  });

  it("refuses ARM's audience where the registry's policy is against it", async () => {
    const cloud = new FakeCloud({}, [registryResource("Fleet", CONFIG)]);
    cloud.roles.set("puller", ROLES.AcrPull);
    assert.equal((await exchange(cloud, { access_token: "https://management.azure.com|puller" })).status, 401);
    assert.equal((await exchange(cloud, { access_token: "https://containerregistry.azure.net|puller" })).status, 200);
  });

  it("grants only what roles allow, and names it in the token", async () => {
    const cloud = new FakeCloud();
    cloud.roles.set("puller", ROLES.AcrPull);
    const token = await accessToken(cloud, "puller", "repository:charts/kured:pull,push,delete");
    assert.deepEqual(claims(token).access, [{ type: "repository", name: "charts/kured", actions: ["pull"] }]);
    const refused = await put(cloud, token);
    assert.equal(refused.status, 401);
    assert.match(
      refused.headers["www-authenticate"] ?? "",
      /scope="repository:charts\/kured:pull,push",error="insufficient_scope"$/,
    );
  });

  it("lets AcrPush push and read, but not delete", async () => {
    const cloud = new FakeCloud();
    cloud.roles.set("pusher", ROLES.AcrPush);
    const token = await accessToken(cloud, "pusher", "repository:charts/kured:pull,push,delete");
    assert.equal((await put(cloud, token)).status, 201);
    const headers = { authorization: `Bearer ${token}` };
    const tags = await ask(cloud.acr.service, "GET", `${FLEET}/v2/charts/kured/tags/list`, { headers });
    assert.deepEqual(tags.json, { name: "charts/kured", tags: ["6.1.0"] });
    const removal = await ask(cloud.acr.service, "DELETE", `${FLEET}/v2/charts/kured/manifests/6.1.0`, { headers });
    assert.equal(removal.status, 401);
    cloud.roles.set("cleaner", ROLES.AcrDelete);
    const cleaner = `Bearer ${await accessToken(cloud, "cleaner", "repository:charts/kured:delete")}`;
    const url = `${FLEET}/v2/charts/kured/manifests/6.1.0`;
    assert.equal((await ask(cloud.acr.service, "DELETE", url, { headers: { authorization: cleaner } })).status, 202);
  });

  it("holds a token to its repository and its registry", async () => {
    const cloud = new FakeCloud({}, [registryResource("Fleet"), registryResource("other")]);
    cloud.roles.set("pusher", ROLES.AcrPush);
    const authorization = `Bearer ${await accessToken(cloud, "pusher", "repository:a:pull,push")}`;
    const start = (url: string) => ask(cloud.acr.service, "POST", url, { headers: { authorization } });
    assert.equal((await start(`${FLEET}/v2/a/blobs/uploads/`)).status, 202);
    assert.equal((await start(`${FLEET}/v2/b/blobs/uploads/`)).status, 401);
    assert.equal((await start("https://other.azurecr.io/v2/a/blobs/uploads/")).status, 401);
  });

  it("gives a token for all repositories as far as roles allow, and none where each has permissions of its own", async () => {
    const cloud = new FakeCloud({}, [registryResource("Fleet"), registryResource("other")]);
    cloud.roles.set("puller", ROLES.AcrPull);
    const token = await accessToken(cloud, "puller", "repository:*:pull,push");
    assert.deepEqual(claims(token).access, [{ type: "repository", name: "*", actions: ["pull"] }]);
    const authorization = `Bearer ${token}`;
    const status = async (method: string, url: string) =>
      (await ask(cloud.acr.service, method, url, { headers: { authorization } })).status;
    assert.equal(await status("GET", `${FLEET}/v2/a/manifests/1`), 404);
    assert.equal(await status("GET", `${FLEET}/v2/b/c/manifests/1`), 404);
    assert.equal(await status("POST", `${FLEET}/v2/a/blobs/uploads/`), 401);
    assert.equal(await status("GET", `${FLEET}/v2/_catalog`), 401);
    assert.equal(await status("GET", "https://other.azurecr.io/v2/a/manifests/1"), 401);

    const abac = registryResource("Fleet", { roleAssignmentMode: "AbacRepositoryPermissions" });
    const strict = new FakeCloud({}, [abac]);
    strict.roles.set("reader", ROLES.RepositoryReader);
    const both = await accessToken(strict, "reader", "repository:*:pull repository:a:pull");
    assert.deepEqual(claims(both).access, [{ type: "repository", name: "a", actions: ["pull"] }]);
    const headers = { authorization: `Bearer ${await accessToken(strict, "reader", "repository:*:pull")}` };
    const refused = await ask(strict.acr.service, "HEAD", `${FLEET}/v2/a/manifests/1`, { headers });
    assert.equal(refused.status, 401);
    assert.match(refused.headers["www-authenticate"] ?? "", /scope="repository:a:pull",error="insufficient_scope"$/);
  });

  it("lets access tokens end after 75 minutes and refresh tokens after three hours", async () => {
    const cloud = new FakeCloud();
    cloud.roles.set("puller", ROLES.AcrPull);
    const authorization = `Bearer ${await accessToken(cloud, "puller", "repository:a:pull")}`;
    const base = () => ask(cloud.acr.service, "GET", `${FLEET}/v2/`, { headers: { authorization } });
    const refresh = (await exchange(cloud, { access_token: "https://containerregistry.azure.net|puller" })).json
      .refresh_token;
    const body = `${new URLSearchParams({ grant_type: "refresh_token", service: "fleet.azurecr.io", scope: "repository:a:pull", refresh_token: refresh })}`;
    const renew = () => ask(cloud.acr.service, "POST", `${FLEET}/oauth2/token`, { headers: FORM, body });
    cloud.now += 75 * 60_000 - 1000;
    assert.equal((await base()).status, 200);
    cloud.now += 1000;
    assert.equal((await base()).status, 401);
    assert.equal((await renew()).status, 200);
    cloud.now += 105 * 60_000;
    assert.equal((await renew()).status, 401);
  });

  it("takes a service principal's secret, and a refresh token as password of the null user, but no admin user", async () => {
    const cloud = new FakeCloud();
    cloud.roles.set("helm", ROLES.AcrPull);
    const token = (user: string, password: string) => {
      const headers = { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
      return ask(cloud.acr.service, "GET", `${FLEET}/oauth2/token?service=fleet.azurecr.io&scope=repository:a:pull`, {
        headers,
      });
    };
    const granted = await token("helm", "secret of helm");
    assert.deepEqual(claims(granted.json.access_token).access, [{ type: "repository", name: "a", actions: ["pull"] }]);
    const refresh = (await exchange(cloud, { access_token: "https://containerregistry.azure.net|helm" })).json
      .refresh_token;
    assert.equal((await token("00000000-0000-0000-0000-000000000000", refresh)).status, 200);
    assert.equal((await token("helm", "wrong")).status, 401);
    assert.equal((await token("fleet", "admin password")).status, 401);
    const none = await ask(
      cloud.acr.service,
      "GET",
      `${FLEET}/oauth2/token?service=fleet.azurecr.io&scope=repository:a:pull`,
    );
    assert.equal(none.status, 401);
  });

  it("looks at data actions alone where the registry has repository permissions", async () => {
    const abac = registryResource("Fleet", { roleAssignmentMode: "AbacRepositoryPermissions" });
    const cloud = new FakeCloud({}, [abac]);
    cloud.roles.set("classic", ROLES.AcrPull);
    cloud.roles.set("modern", ROLES.RepositoryReader);
    const token = await accessToken(cloud, "modern", "repository:a:pull registry:catalog:*");
    assert.deepEqual(claims(token).access, [{ type: "repository", name: "a", actions: ["pull"] }]);
    assert.equal((await exchange(cloud, { access_token: "https://containerregistry.azure.net|classic" })).status, 401);
  });
});

describe("Azure Container Registry: network and life", () => {
  it("turns away callers from places that do not reach it, before it asks who they are", async () => {
    const cloud = new FakeCloud();
    cloud.shut.add("outside");
    for (const path of ["/v2/", "/oauth2/token"]) {
      const answer = await ask(cloud.acr.service, "GET", FLEET + path);
      assert.equal(answer.status, 403);
      const message =
        "client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.";
      assert.deepEqual(answer.json, { errors: [{ code: "DENIED", message }] });
    }
    assert.equal((await ask(cloud.acr.service, "GET", `${FLEET}/v2/`, { place: "inside" })).status, 401);
  });

  it("gets its login server when it is created, and loses its content when it is deleted", async () => {
    const cloud = new FakeCloud();
    const fresh = { ...registryResource("NewOne"), properties: {} as Record<string, unknown> };
    await cloud.acr.extension.created?.(fresh);
    assert.equal(fresh.properties.loginServer, "newone.azurecr.io");
    const [fleet] = cloud.registries;
    assert.ok(fleet);
    cloud.acr.store(fleet).putManifest("a", artifact("x").manifest, MEDIA.ociManifest, "1");
    assert.deepEqual(cloud.acr.store(fleet).names(), ["a"]);
    await cloud.acr.extension.deleted?.(fleet);
    assert.deepEqual(cloud.acr.store(fleet).names(), []);
  });
});
