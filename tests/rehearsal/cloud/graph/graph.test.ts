import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { Entra } from "../../../../rehearsal/cloud/entra/service.ts";
import { Graph } from "../../../../rehearsal/cloud/graph/service.ts";
import type { Answer } from "../request.ts";
import { callerOf, callGraph } from "./caller.ts";

const TENANT_ID = "6f1f2b6e-0000-4e0a-9c60-00000000aaaa";
const GROUP = "6f1f2b6e-1111-4e0a-9c60-000000000001";

describe("Microsoft Graph", () => {
  let entra: Entra;
  let graph: Graph;
  let authorization: string;

  beforeEach(async () => {
    entra = await Entra.create({ tenantId: TENANT_ID });
    graph = new Graph(entra);
    entra.addGroup(GROUP, "deployers");
    authorization = caller("Application.ReadWrite.All", "Group.Read.All");
  });

  const caller = (...permissions: string[]) => callerOf(entra, ...permissions);
  const call = (method: string, path: string, body?: object, as = authorization) =>
    callGraph(graph, as, method, path, body);

  const fault = ({ status, body }: Answer) => `${status} ${body.error.code}: ${body.error.message}`;

  it("creates, shows, changes, finds and deletes an application", async () => {
    const created = await call("POST", "/applications", { displayName: "puller", tags: ["a"] });
    assert.equal(created.status, 201);
    const { id, appId } = created.body;
    assert.equal((await call("PATCH", `/applications/${id}`, { displayName: "new", notes: "n" })).status, 204);
    const shown = await call("GET", `/applications/${id}`);
    assert.equal(shown.body["@odata.context"], "https://graph.microsoft.com/v1.0/$metadata#applications/$entity");
    const { displayName, notes, tags, signInAudience, passwordCredentials } = shown.body;
    assert.deepEqual(
      { appId: shown.body.appId, displayName, notes, tags, signInAudience, passwordCredentials },
      { appId, displayName: "new", notes: "n", tags: ["a"], signInAudience: "AzureADMyOrg", passwordCredentials: [] },
    );
    const filter = encodeURIComponent(`appId eq '${appId}' and displayName eq 'new'`);
    const found = await call("GET", `/applications?$filter=${filter}&$select=id`);
    assert.deepEqual(found.body.value, [{ id }]);
    assert.equal((await call("GET", `/applications(appId='${appId}')`)).body.id, id);
    assert.equal((await call("DELETE", `/applications/${id}`)).status, 204);
    assert.match(fault(await call("GET", `/applications/${id}`)), /^404 Request_ResourceNotFound: Resource '/);
    const deleted = await call("GET", "/directory/deletedItems/microsoft.graph.application");
    assert.deepEqual(
      deleted.body.value.map((item: { id: string }) => item.id),
      [id],
    );
    assert.equal((await call("DELETE", `/directory/deletedItems/${id}`)).status, 204);
    assert.equal((await call("GET", `/directory/deletedItems/${id}`)).status, 404);
  });

  it("finds by the beginning of a name and by one of several names, and looks objects up by their ids", async () => {
    const { body: application } = await call("POST", "/applications", {
      displayName: "Puller one",
      keyCredentials: [],
    });
    const { body: principal } = await call("POST", "/servicePrincipals", { appId: application.appId });
    const found = async (filter: string) => {
      const { body } = await call("GET", `/servicePrincipals?$filter=${encodeURIComponent(filter)}`);
      return body.value.map((one: { id: string }) => one.id);
    };
    assert.deepEqual(await found("startswith(displayName,'puller')"), [principal.id]);
    assert.deepEqual(await found("startswith(displayName,'one')"), []);
    assert.deepEqual(await found(`servicePrincipalNames/any(c:c eq '${application.appId}')`), [principal.id]);
    const refused = await call("GET", `/servicePrincipals?$filter=${encodeURIComponent("endswith(displayName,'e')")}`);
    assert.equal(
      fault(refused),
      "400 Request_UnsupportedQuery: Unsupported filter clause 'endswith(displayName,'e')'.",
    );
    const { body } = await call("POST", "/directoryObjects/getByIds", { ids: [GROUP, principal.id, TENANT_ID] });
    assert.deepEqual(
      body.value.map((one: { "@odata.type": string; displayName: string }) => [one["@odata.type"], one.displayName]),
      [
        ["#microsoft.graph.group", "deployers"],
        ["#microsoft.graph.servicePrincipal", "Puller one"],
      ],
    );
  });

  it("tells which groups of a list hold an object, through other groups too", async () => {
    const { body: application } = await call("POST", "/applications", { displayName: "member" });
    const { body: principal } = await call("POST", "/servicePrincipals", { appId: application.appId });
    const outer = "6f1f2b6e-1111-4e0a-9c60-0000000000f1";
    entra.addGroup(outer, "all deployers");
    entra.addMember(outer, GROUP);
    entra.addMember(GROUP, principal.id);
    const path = `/servicePrincipals/${principal.id}/checkMemberObjects`;
    const { body } = await call("POST", path, { ids: [outer, GROUP, TENANT_ID] });
    assert.deepEqual(body.value, [outer, GROUP]);
    const many = await call("POST", path, { ids: Array.from({ length: 21 }, () => GROUP) });
    assert.equal(many.status, 400);
  });

  const bodies: [string, object, string][] = [
    ["an unknown property", { displayName: "x", colour: "red" }, "Invalid property 'colour'."],
    ["a read-only property", { displayName: "x", appId: "1" }, "Property 'appId' is read-only and cannot be set."],
    ["a missing name", {}, "A value is required for property 'displayName' of resource 'Application'."],
    [
      "a wrong type",
      { displayName: "x", tags: "a" },
      "Invalid value specified for property 'tags' of resource 'Application'.",
    ],
    [
      "a wrong value",
      { displayName: "x", signInAudience: "All" },
      "Invalid value specified for property 'signInAudience' of resource 'Application'.",
    ],
  ];
  for (const [what, body, message] of bodies) {
    it(`refuses ${what}`, async () => {
      assert.equal(fault(await call("POST", "/applications", body)), `400 Request_BadRequest: ${message}`);
    });
  }

  it("refuses an identifier URI that another application has", async () => {
    const body = { displayName: "x", identifierUris: ["api://x"] };
    const { id } = (await call("POST", "/applications", body)).body;
    assert.match(fault(await call("POST", "/applications", body)), /^400 Request_MultipleObjectsWithSameKeyValue: /);
    assert.equal((await call("PATCH", `/applications/${id}`, { identifierUris: ["api://x"] })).status, 204);
  });

  it("makes a secret that signs in until it is removed, and never shows it again", async () => {
    const { id, appId } = (await call("POST", "/applications", { displayName: "x" })).body;
    const endDateTime = "2099-01-01T00:00:00Z";
    const added = await call("POST", `/applications/${id}/addPassword`, {
      passwordCredential: { displayName: "first", endDateTime },
    });
    assert.equal(added.status, 200);
    const { keyId, secretText, hint } = added.body;
    assert.equal(added.body.endDateTime, endDateTime);
    assert.equal(hint, secretText.slice(0, 3));
    assert.equal(entra.secret(appId, secretText)?.keyId, keyId);
    const shown = JSON.stringify((await call("GET", `/applications/${id}`)).body);
    assert.ok(shown.includes(keyId));
    assert.ok(!shown.includes(secretText));
    assert.ok(!shown.includes("hash"));
    assert.equal((await call("POST", `/applications/${id}/removePassword`, { keyId })).status, 204);
    assert.equal(entra.secret(appId, secretText), undefined);
    assert.equal(
      fault(await call("POST", `/applications/${id}/removePassword`, { keyId })),
      "400 Request_BadRequest: No password credential found with keyId.",
    );
    const wrong = await call("POST", `/applications/${id}/addPassword`, {
      passwordCredential: { endDateTime: "soon" },
    });
    assert.match(fault(wrong), /^400 Request_BadRequest: Cannot convert the literal 'soon'/);
  });

  it("gives an application one service principal", async () => {
    const { appId } = (await call("POST", "/applications", { displayName: "x" })).body;
    const created = await call("POST", "/servicePrincipals", { appId, tags: ["t"] });
    assert.equal(created.status, 201);
    assert.deepEqual(created.body.tags, ["t"]);
    assert.equal(entra.findByClientId(appId)?.objectId, created.body.id);
    assert.match(fault(await call("POST", "/servicePrincipals", { appId })), /^409 .*name .* is already in use\.$/);
    assert.match(
      fault(await call("POST", "/servicePrincipals", { appId: "0" })),
      /does not reference a valid application/,
    );
    assert.equal((await call("PATCH", `/servicePrincipals/${created.body.id}`, { notes: "n" })).status, 204);
    const filter = encodeURIComponent(`appId eq '${appId}'`);
    const [found] = (await call("GET", `/servicePrincipals?$filter=${filter}`)).body.value;
    assert.deepEqual([found.id, found.notes, found.tags], [created.body.id, "n", ["t"]]);
    assert.equal((await call("DELETE", `/servicePrincipals/${created.body.id}`)).status, 204);
    assert.equal(entra.findByClientId(appId), undefined);
  });

  it("lets nobody do what no permission covers", async () => {
    const nobody = caller();
    const reader = caller("Application.Read.All");
    const owner = caller("Application.ReadWrite.OwnedBy");
    const { id, appId } = (await call("POST", "/applications", { displayName: "x" })).body;
    const word = "403 Authorization_RequestDenied: Insufficient privileges to complete the operation.";
    assert.equal(fault(await call("GET", "/applications", undefined, nobody)), word);
    assert.equal(fault(await call("POST", "/applications", { displayName: "y" }, reader)), word);
    assert.equal((await call("GET", `/applications/${id}`, undefined, reader)).status, 200);
    assert.equal(fault(await call("DELETE", `/applications/${id}`, undefined, reader)), word);
    assert.equal(fault(await call("GET", `/groups/${GROUP}`, undefined, reader)), word);
    // The owner manages its own application alone.
    assert.equal(fault(await call("POST", `/applications/${id}/addPassword`, {}, owner)), word);
    assert.equal(fault(await call("POST", "/servicePrincipals", { appId }, owner)), word);
    const own = (await call("POST", "/applications", { displayName: "own" }, owner)).body;
    assert.equal((await call("POST", "/servicePrincipals", { appId: own.appId }, owner)).status, 201);
    assert.equal((await call("DELETE", `/applications/${own.id}`, undefined, owner)).status, 204);
  });

  it("looks up groups, and knows no /me for applications", async () => {
    const { body } = await call("GET", `/groups/${GROUP}`);
    assert.deepEqual([body.id, body.displayName, body.securityEnabled], [GROUP, "deployers", true]);
    assert.equal((await call("GET", `/groups/${TENANT_ID}`)).status, 404);
    const me = "400 BadRequest: /me request is only valid with delegated authentication flow.";
    assert.equal(fault(await call("GET", "/me")), me);
  });

  it("refuses missing and foreign tokens, unknown segments, methods and query options", async () => {
    const word = (text: string) => `401 InvalidAuthenticationToken: ${text}`;
    assert.equal(fault(await call("GET", "/applications", undefined, "")), word("Access token is empty."));
    const principal = entra.find(entra.addClient("x").objectId);
    const foreign = principal ? entra.issuer.issue(principal, "https://vault.azure.net", "1", []) : "";
    assert.equal(
      fault(await call("GET", "/applications", undefined, `Bearer ${foreign}`)),
      word("Access token validation failure. Invalid audience."),
    );
    assert.match(fault(await call("GET", "/devices")), /^400 BadRequest: Resource not found for the segment 'devices'/);
    assert.equal((await call("PUT", "/applications/x")).status, 404);
    assert.equal((await call("PUT", "/applications")).status, 405);
    assert.match(fault(await call("GET", "/applications?$filter=tags%20eq%20'x'")), /^400 Request_UnsupportedQuery: /);
    assert.match(fault(await call("GET", "/applications?$orderby=x")), /^400 Request_UnsupportedQuery: /);
  });
});
