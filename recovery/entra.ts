// What a killed `up` was making in Entra: the state does not know it, so nothing can lean on it, and it is taken back.
// azuread makes an application under a name that passes, and a password without one that anybody decides
// (https://github.com/hashicorp/terraform-provider-azuread, internal/services/applications), so a tag tells whose it is.

import { cloudOf } from "../net/azureCloud.ts";
import { send } from "../net/http.ts";
import { credential } from "../provider/azure/armClient.ts";
import type { StackState } from "./pending.ts";

/** Microsoft Graph, as far as it counts here. */
export interface Graph {
  /**
   * @param path below `/v1.0`, with a slash in front.
   * @returns the body; undefined where there is none, and for what is not there.
   */
  send(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<unknown>;
}

/** What is in the directory and in no state. */
export interface Stray {
  /** As people call it. */
  readonly what: string;
  /** The request that takes it away. */
  readonly removal: readonly [method: "POST" | "DELETE", path: string, body?: object];
}

/** The first part of the tag that an application has of its stack. */
const TAG = "aks-gitops:";

type Inputs = Readonly<Record<string, unknown>>;
type Entity = Readonly<Record<string, unknown>> & { readonly id: string };

/** What azuread was making when the engine died, has made and told nobody. */
export async function strays({ deployment }: StackState, graph: Graph): Promise<Stray[]> {
  const known = new Set((deployment.resources ?? []).flatMap(({ id }) => id ?? []));
  const pending = (deployment.pending_operations ?? []).filter(({ type }) => type === "creating");
  const found: Stray[] = [];
  for (const { resource } of pending) {
    const find = FINDERS[resource.type];
    if (find !== undefined) found.push(...(await find(resource.inputs ?? {}, known, graph)));
  }
  return found;
}

type Find = (inputs: Inputs, known: ReadonlySet<string>, graph: Graph) => Promise<Stray[]>;

/** By type: what was made from such inputs, but for what the state knows. */
const FINDERS: Readonly<Record<string, Find>> = {
  "azuread:index/application:Application": async ({ tags }, known, graph) => {
    const tag = Array.isArray(tags) ? tags.find((one) => String(one).startsWith(TAG)) : undefined;
    if (tag === undefined) return [];
    return strayOf("application", "/applications", `tags/any(t:t eq '${quoted(tag)}')`, known, graph);
  },
  "azuread:index/servicePrincipal:ServicePrincipal": async ({ clientId }, known, graph) =>
    typeof clientId === "string"
      ? strayOf("service principal", "/servicePrincipals", `appId eq '${quoted(clientId)}'`, known, graph)
      : [],
  "azuread:index/applicationPassword:ApplicationPassword": async ({ applicationId, displayName }, known, graph) => {
    const path = String(applicationId);
    if (!/^\/applications\/[^/]+$/.test(path)) return [];
    const application = (await graph.send("GET", path)) as { passwordCredentials?: Inputs[] } | undefined;
    const object = path.split("/").at(-1);
    return (application?.passwordCredentials ?? [])
      .filter((one) => one.displayName === displayName && !known.has(`${object}/password/${one.keyId}`))
      .map(({ keyId }) => ({
        what: `password ${keyId} of application ${object}`,
        removal: ["POST", `${path}/removePassword`, { keyId }] as const,
      }));
  },
};

async function strayOf(
  what: string,
  set: string,
  filter: string,
  known: ReadonlySet<string>,
  graph: Graph,
): Promise<Stray[]> {
  const answer = (await graph.send("GET", `${set}?$filter=${encodeURIComponent(filter)}`)) as { value?: Entity[] };
  return (answer?.value ?? [])
    .filter(({ id }) => !known.has(`${set}/${id}`))
    .map(({ id }) => ({ what: `${what} ${id}`, removal: ["DELETE", `${set}/${id}`] as const }));
}

const quoted = (value: unknown) => String(value).replaceAll("'", "''");

/** Microsoft Graph with the sign-in of the environment. @throws Error in Graph's words where it refuses. */
export function graphOf(environment: Readonly<Record<string, string | undefined>>): Graph {
  const { graph } = cloudOf(environment);
  return {
    async send(method, path, body) {
      const token = await credential().getToken(`${graph}/.default`);
      const headers = { authorization: `Bearer ${token?.token}`, "content-type": "application/json" };
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const answer = await send(`${graph}/v1.0${path}`, init, { repeatable: method !== "POST" });
      if (answer.status === 404) return undefined;
      const text = answer.body.toString();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return text === "" ? undefined : JSON.parse(text);
    },
  };
}
