import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { Entra } from "../../../../rehearsal/cloud/entra/service.ts";
import { Graph } from "../../../../rehearsal/cloud/graph/service.ts";
import type { Answer } from "../request.ts";
import { callerOf, callGraph } from "./caller.ts";

const GROUP = "6f1f2b6e-1111-4e0a-9c60-000000000001";
const GITHUB = {
  name: "github",
  issuer: "https://token.actions.githubusercontent.com",
  subject: "repo:acme/platform:environment:prod",
  audiences: ["api://AzureADTokenExchange"],
};

describe("Microsoft Graph, for those who sign in without a secret", () => {
  let entra: Entra;
  let graph: Graph;
  let authorization: string;
  let application: string;

  beforeEach(async () => {
    entra = await Entra.create({ tenantId: "6f1f2b6e-0000-4e0a-9c60-00000000aaaa" });
    graph = new Graph(entra);
    entra.addGroup(GROUP, "deployers");
    authorization = caller("Application.ReadWrite.All", "GroupMember.ReadWrite.All");
    application = entra.addApplication({ displayName: "ci" }).objectId;
  });

  const caller = (...permissions: string[]) => callerOf(entra, ...permissions);
  const call = (method: string, path: string, body?: object, as = authorization) =>
    callGraph(graph, as, method, path, body);

  const below = () => `/applications/${application}/federatedIdentityCredentials`;
  const fault = ({ status, body }: Answer) => `${status} ${body.error.code}: ${body.error.message}`;

  it("makes, shows, changes and deletes a federated credential", async () => {
    const made = await call("POST", below(), GITHUB);
    assert.equal(made.status, 201);
    const { id } = made.body;
    const shown = await call("GET", `${below()}/${id}`);
    const { "@odata.context": context, ...rest } = shown.body;
    assert.equal(
      context,
      `https://graph.microsoft.com/v1.0/$metadata#applications('${application}')/federatedIdentityCredentials/$entity`,
    );
    assert.deepEqual(rest, { id, description: null, ...GITHUB });
    assert.equal((await call("GET", `${below()}/github`)).body.id, id);
    assert.equal((await call("PATCH", `${below()}/${id}`, { subject: "x", description: "d" })).status, 204);
    const list = await call("GET", below());
    assert.deepEqual(list.body.value, [{ id, ...GITHUB, subject: "x", description: "d" }]);
    assert.equal((await call("DELETE", `${below()}/${id}`)).status, 204);
    assert.match(fault(await call("GET", `${below()}/${id}`)), /^404 Request_ResourceNotFound: /);
    assert.match(fault(await call("DELETE", `${below()}/${id}`)), /^404 Request_ResourceNotFound: /);
  });

  it("takes a name once, an issuer and subject once, and twenty credentials", async () => {
    await call("POST", below(), GITHUB);
    assert.equal(
      fault(await call("POST", below(), { ...GITHUB, subject: "other" })),
      "409 Request_MultipleObjectsWithSameKeyValue: FederatedIdentityCredential with name github already exists.",
    );
    assert.match(
      fault(await call("POST", below(), { ...GITHUB, name: "other" })),
      /^400 InvalidFederatedIdentityCredentialValue: The combination of issuer and subject must be unique/,
    );
    entra.application(application)?.federatedCredentials.push(
      ...Array.from({ length: 18 }, (_, index) => {
        const one = `more-${index}`;
        return { ...GITHUB, id: one, name: one, subject: one, description: null };
      }),
    );
    assert.equal((await call("POST", below(), { ...GITHUB, name: "last", subject: "last" })).status, 201);
    assert.match(
      fault(await call("POST", below(), { ...GITHUB, name: "more", subject: "more" })),
      /^400 Request_BadRequest: No more than 20 federated identity credentials/,
    );
    assert.equal((await call("PATCH", `${below()}/last`, { subject: "changed" })).status, 204);
  });

  it("refuses two writes at once to one application, and none to two of them", async () => {
    const write = (name: string, path = below()) => call("POST", path, { ...GITHUB, name, subject: name });
    const [first, second] = await Promise.all([write("a"), write("b")]);
    assert.equal(first?.status, 201);
    assert.equal(
      fault(second as Answer),
      "409 Directory_ConcurrencyViolation: Error due to concurrent requests being made to the tenant. Please wait briefly and retry.",
    );
    assert.equal((await write("b")).status, 201);
    const other = entra.addApplication({ displayName: "other" }).objectId;
    const both = await Promise.all([write("c"), write("c", `/applications/${other}/federatedIdentityCredentials`)]);
    assert.deepEqual(
      both.map(({ status }) => status),
      [201, 201],
    );
  });

  it("refuses what is no credential", async () => {
    const refusal = async (change: object) =>
      fault(await call("POST", below(), { ...GITHUB, ...change })).split(":")[0];
    const invalid = "400 InvalidFederatedIdentityCredentialValue";
    assert.equal(await refusal({ name: "a/b" }), invalid);
    assert.equal(await refusal({ issuer: "http://token.example" }), invalid);
    assert.equal(await refusal({ audiences: [] }), invalid);
    assert.equal(await refusal({ audiences: ["a", "b"] }), invalid);
    assert.equal(await refusal({ subject: "x".repeat(601) }), invalid);
    assert.equal(await refusal({ subject: undefined }), "400 Request_BadRequest");
    assert.equal(await refusal({ claims: "x" }), "400 Request_BadRequest");
    await call("POST", below(), GITHUB);
    assert.equal(
      fault(await call("PATCH", `${below()}/github`, { name: "b" })).split(":")[0],
      "400 Request_BadRequest",
    );
  });

  it("lets nobody write who may not: the application's owner with OwnedBy, or who manages all", async () => {
    const reader = caller("Application.Read.All");
    assert.equal((await call("GET", below(), undefined, reader)).status, 200);
    const stranger = caller("Application.ReadWrite.OwnedBy");
    for (const as of [reader, stranger])
      assert.match(fault(await call("POST", below(), GITHUB, as)), /^403 Authorization_RequestDenied/);
    const own = await call("POST", "/applications", { displayName: "own" }, stranger);
    const path = `/applications/${own.body.id}/federatedIdentityCredentials`;
    assert.equal((await call("POST", path, GITHUB, stranger)).status, 201);
  });

  it("adds members to a group and takes them out, for those who manage members", async () => {
    const { objectId } = entra.addClient("ci");
    const reference = { "@odata.id": `https://graph.microsoft.com/v1.0/directoryObjects/${objectId}` };
    const members = `/groups/${GROUP}/members`;
    const reader = caller("GroupMember.Read.All");
    assert.match(fault(await call("POST", `${members}/$ref`, reference, reader)), /^403 Authorization_RequestDenied/);
    assert.equal((await call("POST", `${members}/$ref`, reference)).status, 204);
    assert.deepEqual(entra.groupsOf(objectId), [GROUP]);
    assert.match(fault(await call("POST", `${members}/$ref`, reference)), /^400 Request_BadRequest: One or more added/);
    const { body } = await call("GET", members, undefined, reader);
    assert.deepEqual(body.value, [
      { "@odata.type": "#microsoft.graph.servicePrincipal", id: objectId, displayName: "ci" },
    ]);
    assert.equal((await call("DELETE", `${members}/${objectId}/$ref`)).status, 204);
    assert.deepEqual(entra.groupsOf(objectId), []);
    assert.match(fault(await call("DELETE", `${members}/${objectId}/$ref`)), /^404 Request_ResourceNotFound/);
  });
});
