// The stand-in for Pulumi's azuread: applications with their secrets and federated credentials, service principals, and
// members of groups.

import type { Properties, Provider, ResourceHandler } from "../../../plugin/handler.ts";
import { claimsOf, EntraTokens, entraClient } from "../shared/entra.ts";
import { sdkVersion } from "../shared/values.ts";
import { application } from "./application.ts";
import { applicationPassword } from "./applicationPassword.ts";
import { federatedCredential } from "./federatedCredential.ts";
import { Graph } from "./graph.ts";
import { groupMember } from "./groupMember.ts";
import { servicePrincipal } from "./servicePrincipal.ts";

interface Session {
  readonly graph: Graph;
  clientConfig(): Promise<Properties>;
}

let session: Session | undefined;

function current(): Session {
  if (session === undefined) throw new Error("azuread was not configured");
  return session;
}

const graph = () => current().graph;

const resources = new Map<string, ResourceHandler>([
  ["azuread:index/application:Application", application(graph)],
  [
    "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential",
    federatedCredential(graph),
  ],
  ["azuread:index/applicationPassword:ApplicationPassword", applicationPassword(graph)],
  ["azuread:index/groupMember:GroupMember", groupMember(graph)],
  ["azuread:index/servicePrincipal:ServicePrincipal", servicePrincipal(graph)],
]);

function open(config: Properties): Session {
  const client = entraClient(config);
  const tokens = new EntraTokens(client);
  return {
    graph: new Graph(tokens),
    async clientConfig() {
      const claims = claimsOf(await tokens.token("https://graph.microsoft.com/.default"));
      const clientId = claims.appId ?? client.clientId;
      const tenantId = claims.tenantId ?? client.tenantId;
      const objectId = claims.objectId ?? "";
      return { clientId, objectId, tenantId, id: `${tenantId}-${clientId}-${objectId}` };
    },
  };
}

export const azuread: Provider = {
  name: "azuread",
  version: sdkVersion("azuread"),
  async configure(config) {
    session = open(config);
  },
  resource: (token) => resources.get(token),
  async invoke(token) {
    if (token !== "azuread:index/getClientConfig:getClientConfig") {
      throw new Error(`the stand-in for azuread has no function ${token}`);
    }
    return current().clientConfig();
  },
};
