// azuread:Application, as far as a service principal with a password needs one.

import type { Existing, Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { type Fields, missing, present } from "../shared/values.ts";
import { Graph } from "./graph.ts";

/** Arguments that Graph takes under the same name. */
const SAME = [
  "description",
  "displayName",
  "identifierUris",
  "notes",
  "serviceManagementReference",
  "signInAudience",
  "tags",
];
const DEFAULTS = { signInAudience: "AzureADMyOrg" };
/** Others cannot be sent yet; to leave one out in silence would be a lie. */
const KNOWN = new Set([...SAME, "owners", "preventDuplicateNames"]);

/** The object id within a resource id such as `/applications/<object id>`. */
export function objectIdOf(id: unknown): string {
  return String(id).split("/").at(-1) ?? "";
}

export function application(graph: () => Graph): ResourceHandler {
  return {
    async check(news) {
      const inputs: Fields = { ...DEFAULTS, ...present(news) };
      const failures = [...unknownArguments(inputs, KNOWN, "Application"), ...missing(inputs, ["displayName"])];
      return { inputs, failures };
    },
    async create(inputs, { signal }) {
      if (inputs.preventDuplicateNames === true) await refuseDuplicate(graph(), inputs.displayName, signal);
      const body = (await graph().send("POST", "/applications", bodyOf(inputs, true), signal)) ?? {};
      return { id: `/applications/${String(body.id)}`, state: stateOf(inputs, body) };
    },
    async read(id, inputs, state, { signal }) {
      const body = await graph().send("GET", `/applications/${objectIdOf(id)}`, undefined, signal);
      if (body === undefined) return undefined;
      const names = Object.keys(inputs).length === 0 ? SAME : SAME.filter((name) => name in inputs);
      const seen = present(Object.fromEntries(names.map((name) => [name, body[name]])));
      return { id, inputs: { ...inputs, ...seen }, state: { ...state, ...stateOf({ ...inputs, ...seen }, body) } };
    },
    async update(existing: Existing, inputs, { signal }) {
      const path = `/applications/${objectIdOf(existing.id)}`;
      await graph().send("PATCH", path, bodyOf(inputs, false), signal);
      return stateOf(inputs, (await graph().send("GET", path, undefined, signal)) ?? {});
    },
    async delete(existing: Existing, { signal }) {
      await graph().send("DELETE", `/applications/${objectIdOf(existing.id)}`, undefined, signal);
    },
  };
}

/** Arguments that a stand-in does not know. */
export function unknownArguments(inputs: Properties, known: ReadonlySet<string>, type: string) {
  return Object.keys(inputs)
    .filter((name) => !known.has(name) && !name.startsWith("__"))
    .map((property) => ({ property, reason: `the stand-in for azuread does not know ${property} of ${type}` }));
}

async function refuseDuplicate(graph: Graph, displayName: unknown, signal: AbortSignal): Promise<void> {
  const filter = encodeURIComponent(`displayName eq '${String(displayName).replaceAll("'", "''")}'`);
  const found = await graph.send("GET", `/applications?$filter=${filter}`, undefined, signal);
  if (!Array.isArray(found?.value) || found.value.length === 0) return;
  throw new Error(`an application named ${JSON.stringify(displayName)} exists, and preventDuplicateNames is set`);
}

function bodyOf(inputs: Properties, creating: boolean): Fields {
  const fields = present(Object.fromEntries(SAME.map((name) => [name, inputs[name]])));
  if (creating && Array.isArray(inputs.owners)) fields["owners@odata.bind"] = inputs.owners.map(Graph.reference);
  return fields;
}

function stateOf(inputs: Properties, body: Fields): Fields {
  return present({
    ...inputs,
    clientId: body.appId,
    objectId: body.id,
    publisherDomain: body.publisherDomain ?? "",
    disabledByMicrosoft: body.disabledByMicrosoftStatus ?? "",
    appRoleIds: {},
    oauth2PermissionScopeIds: {},
    logoUrl: "",
  });
}
