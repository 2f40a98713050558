// What a killed update has made in Entra, against the simulated Microsoft Graph.
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Graph, strays } from "../../recovery/entra.ts";
import type { KeptResource, StackState } from "../../recovery/pending.ts";
import { Entra } from "../../rehearsal/cloud/entra/service.ts";
import { Graph as SimulatedGraph } from "../../rehearsal/cloud/graph/service.ts";
import { deploy } from "../components/deployment.ts";
import { EVERYTHING } from "../components/everything.ts";
import { ask } from "../rehearsal/cloud/request.ts";

const TYPES = {
  application: "azuread:index/application:Application",
  principal: "azuread:index/servicePrincipal:ServicePrincipal",
  password: "azuread:index/applicationPassword:ApplicationPassword",
} as const;
const TAG = "aks-gitops:acr-prod-pull-0a1b2c3d";

describe("what an update that was killed was making in Entra", () => {
  let graph: Graph;

  beforeEach(async () => {
    const entra = await Entra.create({ tenantId: "6f1f2b6e-0000-4e0a-9c60-00000000aaaa" });
    const service = new SimulatedGraph(entra);
    const { objectId } = entra.addClient("deployer");
    entra.grantGraph(objectId, "Application.ReadWrite.All");
    const principal = entra.find(objectId);
    assert.ok(principal);
    const token = entra.issuer.issue(principal, "https://graph.microsoft.com", "1", ["Application.ReadWrite.All"]);
    graph = {
      async send(method, path, body) {
        const answer = await ask(service.service, method, `https://graph.microsoft.com/v1.0${path}`, {
          headers: { authorization: `Bearer ${token}` },
          ...(body ? { body } : {}),
        });
        assert.ok(answer.status < 300 || answer.status === 404, JSON.stringify(answer.body));
        return answer.status === 404 ? undefined : answer.body;
      },
    };
  });

  const make = async (path: string, body: object) => (await graph.send("POST", path, body)) as Record<string, string>;
  const application = () => make("/applications", { displayName: "TERRAFORM_UPDATE_1", tags: [TAG] });
  const state = (type: keyof typeof TYPES, inputs: object, ids: readonly string[]): StackState => {
    const kept = (id: string): KeptResource => ({ urn: `urn:${id}`, type: TYPES[type], id });
    const pending = { urn: "urn", type: TYPES[type], inputs: { ...inputs } };
    return {
      version: 3,
      deployment: { resources: ids.map(kept), pending_operations: [{ type: "creating", resource: pending }] },
    };
  };
  /** Finds what no state knows, and takes it away. */
  async function takenBack(...given: Parameters<typeof state>): Promise<string[]> {
    const found = await strays(state(...given), graph);
    for (const { removal } of found) await graph.send(...removal);
    return found.map(({ what }) => what);
  }
  const idsOf = async (set: string, filter: string) =>
    (
      (await graph.send("GET", `${set}?$filter=${encodeURIComponent(filter)}`)) as { value: { id: string }[] }
    ).value.map(({ id }) => id);

  it("is an application of the stack's tag, whatever its name, but for the one that the state knows", async () => {
    const [old, stray] = [await application(), await application()];
    await make("/applications", { displayName: "acr-prod-pull", tags: ["aks-gitops:acr-prod-pull-ffffffff"] });
    const inputs = { displayName: "acr-prod-pull", tags: [TAG] };
    assert.deepEqual(await takenBack("application", inputs, [`/applications/${old.id}`]), [`application ${stray.id}`]);
    assert.deepEqual(await idsOf("/applications", `tags/any(t:t eq '${TAG}')`), [old.id]);
    assert.deepEqual(await takenBack("application", inputs, [`/applications/${old.id}`]), []);
  });

  it("is the service principal of its application", async () => {
    const { appId = "" } = await application();
    const { id } = await make("/servicePrincipals", { appId });
    assert.deepEqual(await takenBack("principal", { clientId: appId }, [`/servicePrincipals/${id}`]), []);
    assert.deepEqual(await takenBack("principal", { clientId: appId }, []), [`service principal ${id}`]);
    assert.deepEqual(await idsOf("/servicePrincipals", `appId eq '${appId}'`), []);
  });

  it("is a password of its application that the state does not know, and none that people have added", async () => {
    const { id } = await application();
    const add = (displayName: string) =>
      make(`/applications/${id}/addPassword`, { passwordCredential: { displayName } });
    const [kept, stray] = [await add("pull from the registry"), await add("pull from the registry")];
    const other = await add("by hand");
    const inputs = { applicationId: `/applications/${id}`, displayName: "pull from the registry" };
    assert.deepEqual(await takenBack("password", inputs, [`${id}/password/${kept.keyId}`]), [
      `password ${stray.keyId} of application ${id}`,
    ]);
    const { passwordCredentials } = (await graph.send("GET", `/applications/${id}`)) as {
      passwordCredentials: { keyId: string }[];
    };
    assert.deepEqual(passwordCredentials.map(({ keyId }) => keyId).sort(), [kept.keyId, other.keyId].sort());
  });

  it("is nothing where nothing was being made, or nothing of it is there", async () => {
    await application();
    const idle = state("application", { tags: [TAG] }, []);
    const operations = idle.deployment.pending_operations ?? [];
    const updating = operations.map((one) => ({ ...one, type: "updating" }));
    const { deployment } = idle;
    assert.deepEqual(await strays({ ...idle, deployment: { ...deployment, pending_operations: updating } }, graph), []);
    assert.deepEqual(await takenBack("application", { tags: ["of people's own"] }, []), []);
    const gone = { applicationId: "/applications/00000000-0000-0000-0000-00000000000a", displayName: "x" };
    assert.deepEqual(await takenBack("password", gone, []), []);
  });

  it("has the tag of its stack in the components, decided before it is made", async () => {
    const { find } = await deploy(() => EVERYTHING.PullPrincipal?.({}, {}));
    const { inputs, dependencies } = find("Application", "pull");
    assert.deepEqual(inputs.tags, ["aks-gitops:pull-abcd1234"]);
    assert.deepEqual(dependencies, ["RandomId::pull-names"]);
  });
});
