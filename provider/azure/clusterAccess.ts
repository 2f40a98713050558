// ClusterAccess: how to reach an AKS cluster's API server, without credentials.

import { parse, stringify } from "yaml";
import * as z from "zod";
import { type Context, UNKNOWN } from "../../plugin/handler.ts";
import {
  handlerOf,
  type Inputs,
  type Known,
  resourceSchema,
  type SchemaHandler,
  type State,
} from "../../plugin/schema.ts";
import { armGet, azure, type Cloud } from "./cloud.ts";
import * as forms from "./forms.ts";
import { sameName } from "./names.ts";

/** The schema of `gitops:index:ClusterAccess`. */
export const CLUSTER_ACCESS = resourceSchema({
  token: "gitops:index:ClusterAccess",
  description:
    "How to reach an AKS cluster's API server. It holds no credential and stays the same as long as the cluster does; " +
    "only making it needs the right to list the cluster's user credential.\n\n" +
    "Imported into a stack by the cluster's ARM id.",
  inputs: {
    clusterId: forms.clusterId
      .describe("The AKS cluster's ARM id. Another one makes another resource.")
      .meta({ replaceOnChanges: true }),
  },
  outputs: {
    endpoint: z.string().describe("The API server's URL."),
    certificateAuthority: z.string().describe("The API server's certificate authority: PEM, base64."),
    kubeconfig: z.string().describe("A kubeconfig (YAML) that gets its tokens through kubelogin."),
  },
});

type ClusterAccessInputs = Inputs<typeof CLUSTER_ACCESS>;
type ClusterAccessState = State<typeof CLUSTER_ACCESS>;

const API_VERSION = "2025-09-01";

/** The Entra application of every AKS API server (https://aka.ms/kubelogin). */
export const AKS_SERVER_ID = "6dae42f8-4368-4678-94ff-3960e28e3630";

/** The handler of `gitops:index:ClusterAccess` in a cloud. */
export function clusterAccessIn(cloud: Cloud): SchemaHandler {
  return handlerOf(CLUSTER_ACCESS, {
    async diff({ inputs: old }, { clusterId }) {
      const isSame = sameName(old.clusterId, clusterId);
      return { changes: !isSame, replaces: isSame ? [] : ["clusterId"] };
    },
    preview: async (inputs) => ({ ...inputs, endpoint: UNKNOWN, certificateAuthority: UNKNOWN, kubeconfig: UNKNOWN }),
    async create({ clusterId }, context) {
      return { id: clusterId, state: await list(cloud, clusterId, context) };
    },
    read: (id, known, context) => read(cloud, id, known, context),
  });
}

/** The handler of `gitops:index:ClusterAccess`. */
export const clusterAccess = clusterAccessIn(azure);

interface Cluster {
  readonly properties?: { readonly fqdn?: string; readonly privateFQDN?: string };
}

/**
 * What is known stays as long as the cluster has the same address: reading needs no right to list credentials then, and
 * a kubeconfig never changes by itself.
 */
async function read(
  cloud: Cloud,
  id: string,
  known: Known<ClusterAccessInputs, ClusterAccessState> | undefined,
  context: Context,
) {
  const cluster = await armGet<Cluster>(cloud, id, API_VERSION, context.signal);
  if (cluster === undefined) return undefined;
  const { fqdn, privateFQDN } = cluster.properties ?? {};
  const host = known && URL.parse(known.state.endpoint)?.hostname;
  if (known && host && [fqdn, privateFQDN].includes(host)) return known;
  return { id, inputs: { clusterId: id }, state: await list(cloud, id, context) };
}

interface Credentials {
  readonly kubeconfigs?: readonly { readonly value?: string }[];
}

/** @throws Error when ARM refuses or gives no kubeconfig with an endpoint and an authority. */
async function list(cloud: Cloud, clusterId: string, { signal }: Context): Promise<ClusterAccessState> {
  const path = `${clusterId}/listClusterUserCredential`;
  const answer = await cloud.arm().request<Credentials>("POST", path, API_VERSION, undefined, { signal });
  const encoded = answer?.kubeconfigs?.[0]?.value ?? "";
  const config = parseYaml(Buffer.from(encoded, "base64").toString()) as {
    clusters?: { cluster?: { server?: string; "certificate-authority-data"?: string } }[];
  } | null;
  const cluster = config?.clusters?.[0]?.cluster;
  const endpoint = cluster?.server;
  const certificateAuthority = cluster?.["certificate-authority-data"];
  if (!endpoint || !certificateAuthority) throw new Error(`${path}: the answer has no endpoint with its authority`);
  const name = clusterId.slice(clusterId.lastIndexOf("/") + 1);
  return { clusterId, endpoint, certificateAuthority, kubeconfig: kubeconfig(name, endpoint, certificateAuthority) };
}

/** What the answer holds besides, a credential perhaps, must not get into an error's message. */
function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return null;
  }
}

/** A kubeconfig that gets a token through kubelogin: the Azure CLI's login, or what AAD_LOGIN_METHOD says. */
function kubeconfig(name: string, server: string, authority: string): string {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1beta1",
    command: "kubelogin",
    args: ["get-token", "--login", "azurecli", "--server-id", AKS_SERVER_ID],
    interactiveMode: "IfAvailable",
    installHint: "kubelogin is not installed: `az aks install-cli`, or see https://aka.ms/kubelogin",
  };
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name, cluster: { server, "certificate-authority-data": authority } }],
      users: [{ name, user: { exec } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      "current-context": name,
    },
    { lineWidth: 0 },
  );
}
