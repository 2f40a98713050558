// How to reach an AKS cluster's API server, without credentials.

import { parse, stringify } from "yaml";
import type { Context } from "../../plugin/handler.ts";
import type { Cloud } from "./cloud.ts";
import { kubeloginArgs } from "./kubelogin.ts";

const API_VERSION = "2025-09-01";

/** The Entra application of every AKS API server (https://aka.ms/kubelogin). */
export const AKS_SERVER_ID = "6dae42f8-4368-4678-94ff-3960e28e3630";

/** The way to an API server; it holds no credential. */
export interface ClusterAccess {
  /** The API server's URL. */
  readonly endpoint: string;
  /** The API server's certificate authority: PEM, base64. */
  readonly certificateAuthority: string;
  /** A kubeconfig (YAML) that gets its tokens through kubelogin. */
  readonly kubeconfig: string;
}

/** The addresses that a cluster answers at. */
export interface Addresses {
  readonly fqdn?: string;
  readonly privateFQDN?: string;
}

/**
 * What is known stays as long as the cluster has the same address: reading needs no right to list credentials then, and
 * a kubeconfig never changes by itself.
 * @param known what a state has of it, which may be nothing.
 */
export async function accessTo(
  cloud: Cloud,
  clusterId: string,
  { fqdn, privateFQDN }: Addresses,
  known: Partial<ClusterAccess>,
  context: Context,
): Promise<ClusterAccess> {
  const { endpoint, certificateAuthority, kubeconfig } = known;
  const host = endpoint && URL.parse(endpoint)?.hostname;
  if (endpoint && certificateAuthority && kubeconfig && host && [fqdn, privateFQDN].includes(host))
    return { endpoint, certificateAuthority, kubeconfig };
  return list(cloud, clusterId, context);
}

interface Credentials {
  readonly kubeconfigs?: readonly { readonly value?: string }[];
}

/** @throws Error when ARM refuses or gives no kubeconfig with an endpoint and an authority. */
async function list(cloud: Cloud, clusterId: string, { signal }: Context): Promise<ClusterAccess> {
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
  return { endpoint, certificateAuthority, kubeconfig: kubeconfig(name, endpoint, certificateAuthority) };
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
    args: kubeloginArgs(AKS_SERVER_ID, server),
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
