import type * as pulumi from "@pulumi/pulumi";
import { kubeContext } from "../../net/kubeconfig.ts";

/** How to reach a cluster's API server; without credentials. One of clusterId and kubeContext says who calls. */
export interface ApiAccess {
  /** The ARM id of an AKS cluster, which takes the caller's Entra token. @default none */
  readonly clusterId?: pulumi.Input<string> | undefined;
  /** The context of the machine's kubeconfig whose user calls, where the cluster is not AKS. @default none */
  readonly kubeContext?: string | undefined;
  /** `https://host:port` of the API server. */
  readonly endpoint: pulumi.Input<string>;
  /** The certificate authority of the API server: PEM, base64. */
  readonly certificateAuthority: pulumi.Input<string>;
}

/**
 * The way to a cluster that is not AKS: by a context of the kubeconfig that KUBECONFIG names, or else of ~/.kube/config.
 * Its credential is asked for where it is needed, and stands in no state.
 * @throws Error naming the context and the file where it is not there, or cannot be used from here.
 */
export async function kubeconfigAccess(context: string): Promise<ApiAccess> {
  const { endpoint, certificateAuthority } = await kubeContext(context);
  return { kubeContext: context, endpoint, certificateAuthority };
}
