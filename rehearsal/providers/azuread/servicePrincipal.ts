// azuread:ServicePrincipal.

import type { Existing, Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { type Fields, isFields, missing, present } from "../shared/values.ts";
import { objectIdOf, unknownArguments } from "./application.ts";
import { Graph } from "./graph.ts";

/** Arguments by Graph's names of them. */
const FIELDS: Readonly<Record<string, string>> = {
  accountEnabled: "accountEnabled",
  alternativeNames: "alternativeNames",
  appRoleAssignmentRequired: "appRoleAssignmentRequired",
  description: "description",
  loginUrl: "loginUrl",
  notes: "notes",
  notificationEmailAddresses: "notificationEmailAddresses",
  preferredSingleSignOnMode: "preferredSingleSignOnMode",
  tags: "tags",
};
const DEFAULTS = { accountEnabled: true, appRoleAssignmentRequired: false };
const KNOWN = new Set([...Object.keys(FIELDS), "clientId", "owners", "useExisting"]);

/** Another application is another service principal: `clientId` replaces. */
export function servicePrincipal(graph: () => Graph): ResourceHandler {
  return {
    async check(news) {
      const inputs: Fields = { ...DEFAULTS, ...present(news) };
      const failures = [...unknownArguments(inputs, KNOWN, "ServicePrincipal"), ...missing(inputs, ["clientId"])];
      return { inputs, failures };
    },
    async diff(existing, inputs) {
      const changed = [...new Set([...Object.keys(existing.inputs), ...Object.keys(inputs)])].filter(
        (name) => JSON.stringify(existing.inputs[name]) !== JSON.stringify(inputs[name]),
      );
      return { changes: changed.length > 0, replaces: changed.filter((name) => name === "clientId") };
    },
    async create(inputs, { signal }) {
      const there = await existing(graph(), inputs.clientId, signal);
      if (there !== undefined && inputs.useExisting !== true) {
        throw new Error(
          `application ${String(inputs.clientId)} has the service principal ${String(there.id)}; import it or set useExisting`,
        );
      }
      const path = there === undefined ? "/servicePrincipals" : `/servicePrincipals/${String(there.id)}`;
      const sent = there === undefined ? creation(inputs) : bodyOf(inputs);
      const body = { ...there, ...(await graph().send(there === undefined ? "POST" : "PATCH", path, sent, signal)) };
      return { id: `/servicePrincipals/${String(body.id)}`, state: stateOf(inputs, body) };
    },
    async read(id, inputs, state, { signal }) {
      const body = await graph().send("GET", `/servicePrincipals/${objectIdOf(id)}`, undefined, signal);
      if (body === undefined) return undefined;
      const names = Object.keys(FIELDS).filter((name) => Object.keys(inputs).length === 0 || name in inputs);
      const seen = present(Object.fromEntries(names.map((name) => [name, body[FIELDS[name] ?? name]])));
      const now = { ...inputs, ...seen, clientId: body.appId };
      return { id, inputs: now, state: { ...state, ...stateOf(now, body) } };
    },
    async update(existing: Existing, inputs, { signal }) {
      const path = `/servicePrincipals/${objectIdOf(existing.id)}`;
      await graph().send("PATCH", path, bodyOf(inputs), signal);
      return stateOf(inputs, (await graph().send("GET", path, undefined, signal)) ?? {});
    },
    async delete(existing: Existing, { signal }) {
      await graph().send("DELETE", `/servicePrincipals/${objectIdOf(existing.id)}`, undefined, signal);
    },
  };
}

async function existing(graph: Graph, clientId: unknown, signal: AbortSignal): Promise<Fields | undefined> {
  const filter = encodeURIComponent(`appId eq '${String(clientId)}'`);
  const found = await graph.send("GET", `/servicePrincipals?$filter=${filter}`, undefined, signal);
  const first: unknown = Array.isArray(found?.value) ? found.value[0] : undefined;
  return isFields(first) ? first : undefined;
}

function creation(inputs: Properties): Fields {
  const owners = Array.isArray(inputs.owners) ? { "owners@odata.bind": inputs.owners.map(Graph.reference) } : {};
  return { appId: inputs.clientId, ...bodyOf(inputs), ...owners };
}

function bodyOf(inputs: Properties): Fields {
  return present(Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [field, inputs[name]])));
}

function stateOf(inputs: Properties, body: Fields): Fields {
  return present({
    ...inputs,
    clientId: body.appId ?? inputs.clientId,
    objectId: body.id,
    displayName: body.displayName,
    applicationTenantId: body.appOwnerOrganizationId,
    servicePrincipalNames: body.servicePrincipalNames,
    signInAudience: body.signInAudience,
    type: body.servicePrincipalType,
  });
}
