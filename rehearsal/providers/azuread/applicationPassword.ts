// azuread:ApplicationPassword: a client secret that Entra makes and tells once.

import { type Existing, type Properties, type ResourceHandler, Secret } from "../../../plugin/handler.ts";
import { type Fields, isFields, missing, present, text } from "../shared/values.ts";
import { objectIdOf } from "./application.ts";
import type { Graph } from "./graph.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Any change makes a new password. */
export function applicationPassword(graph: () => Graph): ResourceHandler {
  return {
    async check(news) {
      const inputs = present(news);
      const failures = missing(inputs, ["applicationId"]);
      const relative = text(inputs.endDateRelative);
      if (relative !== undefined && milliseconds(relative) === undefined) {
        const reason = `endDateRelative is ${relative}; it must be a duration such as 240h or 2400h30m`;
        failures.push({ property: "endDateRelative", reason });
      }
      return { inputs, failures };
    },
    async create(inputs, { signal }) {
      const application = objectIdOf(inputs.applicationId);
      const passwordCredential = credentialOf(inputs);
      const path = `/applications/${application}/addPassword`;
      const made = (await graph().send("POST", path, { passwordCredential }, signal)) ?? {};
      const state = { ...inputs, ...outputsOf(made), value: new Secret(made.secretText) };
      return { id: `${application}/password/${String(made.keyId)}`, state };
    },
    async read(id, inputs, state, { signal }) {
      const [application, , keyId] = id.split("/");
      const body = await graph().send("GET", `/applications/${application}`, undefined, signal);
      const credentials = Array.isArray(body?.passwordCredentials) ? body.passwordCredentials : [];
      const found: unknown = credentials.find((credential) => isFields(credential) && credential.keyId === keyId);
      if (!isFields(found)) return undefined;
      return { id, inputs, state: { ...state, ...outputsOf(found) } };
    },
    async delete(existing: Existing, { signal }) {
      const [application, , keyId] = existing.id.split("/");
      const path = `/applications/${application}`;
      // With the application its passwords are gone.
      if ((await graph().send("GET", path, undefined, signal)) === undefined) return;
      await graph().send("POST", `${path}/removePassword`, { keyId }, signal);
    },
  };
}

function credentialOf(inputs: Properties): Fields {
  const start = text(inputs.startDate);
  const relative = text(inputs.endDateRelative);
  const from = start === undefined ? Date.now() : Date.parse(start);
  const span = relative === undefined ? undefined : milliseconds(relative);
  const end = span === undefined ? inputs.endDate : new Date(from + span).toISOString();
  return present({ displayName: inputs.displayName, startDateTime: start, endDateTime: end });
}

function outputsOf(credential: Fields): Fields {
  const { keyId, displayName, startDateTime, endDateTime } = credential;
  return present({ keyId, displayName, startDate: startDateTime, endDate: endDateTime });
}

/** A duration as Go writes it, `2400h30m`; undefined for anything else. */
function milliseconds(duration: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(duration)) return undefined;
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);
}
