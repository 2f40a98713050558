// ClusterAccess: how to reach an AKS cluster's API server, without credentials.

import { parse, stringify } from "yaml";
import { type Context, type Properties, type ResourceHandler, UNKNOWN } from "../../plugin/handler.ts";
import { armIdOf, checkForm, type Form } from "../../plugin/inputs.ts";
import { armGet, azure, type Cloud } from "./cloud.ts";

const FORM: Form = { required: { clusterId: armIdOf("Microsoft.ContainerService/managedClusters") } };

const API_VERSION = "2025-09-01";

/** The Entra application of every AKS API server (https://aka.ms/kubelogin). */
export const AKS_SERVER_ID = "6dae42f8-4368-4678-94ff-3960e28e3630";

/** The handler of `gitops:index:ClusterAccess` in a cloud. */
export function clusterAccessIn(cloud: Cloud): ResourceHandler {
  return {
    check: async (inputs) => ({ inputs, failures: checkForm(inputs, FORM) }),
    async diff({ inputs: old }, next) {
      const isSame = String(old.clusterId).toLowerCase() === String(next.clusterId).toLowerCase();
      return { changes: !isSame, replaces: isSame ? [] : ["clusterId"] };
    },
    preview: async (inputs) => ({ ...inputs, endpoint: UNKNOWN, certificateAuthority: UNKNOWN, kubeconfig: UNKNOWN }),
    async create(inputs, context) {
      const clusterId = String(inputs.clusterId);
      return { id: clusterId, state: await list(cloud, clusterId, context) };
    },
    read: (id, inputs, state, context) => read(cloud, id, inputs, state, context),
  };
}

/** The handler of `gitops:index:ClusterAccess`. */
export const clusterAccess: ResourceHandler = clusterAccessIn(azure);

interface Cluster {
  readonly properties?: { readonly fqdn?: string; readonly privateFQDN?: string };
}

/**
 * What is known stays as long as the cluster has the same address: reading needs no right to list credentials then, and
 * a kubeconfig never changes by itself.
 */
async function read(cloud: Cloud, id: string, inputs: Properties, state: Properties, context: Context) {
  const cluster = await armGet<Cluster>(cloud, id, API_VERSION, context.signal);
  if (cluster === undefined) return undefined;
  const { fqdn, privateFQDN } = cluster.properties ?? {};
  const host = URL.parse(String(state.endpoint))?.hostname;
  if (host !== undefined && [fqdn, privateFQDN].includes(host)) return { id, inputs, state };
  return { id, inputs: { clusterId: id }, state: await list(cloud, id, context) };
}

interface Credentials {
  readonly kubeconfigs?: readonly { readonly value?: string }[];
}

/** @throws Error when ARM refuses or gives no kubeconfig with an endpoint and an authority. */
async function list(cloud: Cloud, clusterId: string, { signal }: Context): Promise<Properties> {
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
