// azuread:ApplicationFederatedIdentityCredential.

import type { Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { type Fields, missing, present } from "../shared/values.ts";
import { objectIdOf } from "./application.ts";
import type { Graph } from "./graph.ts";

const REQUIRED = ["applicationId", "audiences", "displayName", "issuer", "subject"];

/** Another application or name is another credential; the rest can change. */
export function federatedCredential(graph: () => Graph): ResourceHandler {
  return {
    async check(news) {
      const inputs = present(news);
      return { inputs, failures: missing(inputs, REQUIRED) };
    },
    async diff(existing, inputs) {
      const changed = [...REQUIRED, "description"].filter(
        (name) => JSON.stringify(existing.inputs[name]) !== JSON.stringify(inputs[name]),
      );
      const replaces = changed.filter((name) => name === "applicationId" || name === "displayName");
      return { changes: changed.length > 0, replaces };
    },
    async create(inputs, { signal }) {
      const application = objectIdOf(inputs.applicationId);
      const path = `/applications/${application}/federatedIdentityCredentials`;
      const made = (await graph().send("POST", path, bodyOf(inputs), signal)) ?? {};
      const id = `${application}/federatedIdentityCredential/${String(made.id)}`;
      return { id, state: { ...inputs, credentialId: made.id } };
    },
    async read(id, inputs, state, { signal }) {
      const body = await graph().send("GET", pathOf(id), undefined, signal);
      if (body === undefined) return undefined;
      const { name, issuer, subject, audiences, description } = body;
      const applicationId = inputs.applicationId ?? `/applications/${id.split("/")[0]}`;
      const seen = present({ applicationId, displayName: name, issuer, subject, audiences, description });
      return { id, inputs: seen, state: { ...state, ...seen, credentialId: body.id } };
    },
    async update(existing, inputs, { signal }) {
      await graph().send("PATCH", pathOf(existing.id), bodyOf(inputs), signal);
      return { ...inputs, credentialId: existing.state.credentialId };
    },
    async delete(existing, { signal }) {
      await graph().send("DELETE", pathOf(existing.id), undefined, signal);
    },
  };
}

function pathOf(id: string): string {
  const [application, , credential] = id.split("/");
  return `/applications/${application}/federatedIdentityCredentials/${credential}`;
}

function bodyOf({ displayName, issuer, subject, audiences, description }: Properties): Fields {
  return present({ name: displayName, issuer, subject, audiences, description });
}
