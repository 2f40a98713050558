// How a Flux controller runs as a process of this machine: what its Deployment says, with loopback for the cluster's net.
import { join } from "node:path";
import type { KubeObject } from "./api.ts";

/** The controllers that can run as processes. */
export const fluxControllers = [
  "source-controller",
  "kustomize-controller",
  "helm-controller",
  "notification-controller",
] as const;
export type FluxController = (typeof fluxControllers)[number];

/** Where one controller listens on 127.0.0.1. */
export interface ControllerPorts {
  readonly metrics: number;
  readonly health: number;
  /** source-controller: artifacts; notification-controller: events. */
  readonly main: number;
  /** notification-controller: webhooks of receivers. */
  readonly receivers: number;
}

/** What a controller's Deployment and service account ask for. */
export interface ControllerPlan {
  readonly serviceAccount: string;
  readonly args: readonly string[];
  /** Variables with a plain value. */
  readonly env: Readonly<Record<string, string>>;
  /** What the workload identity webhook would inject; undefined where it would not look at the pod. */
  readonly identity?: { readonly clientId?: string; readonly tenantId?: string };
}

const PREFIX = "azure.workload.identity";

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly { name: string; value?: string; valueFrom?: { fieldRef?: { fieldPath: string } } }[];
}

/**
 * Reads a controller's Deployment.
 * @param accounts the service accounts of its namespace.
 * @returns undefined where none of its pods is ready, so that the controller does not run.
 */
export function controllerPlan(deployment: KubeObject, accounts: readonly KubeObject[]): ControllerPlan | undefined {
  if (!(deployment.status?.readyReplicas > 0)) return undefined;
  const { metadata, spec } = deployment.spec.template;
  const containers = spec.containers as readonly Container[];
  const container = containers.find(({ name }) => name === "manager") ?? containers[0];
  const serviceAccount: string = spec.serviceAccountName ?? "default";
  const account = accounts.find((each) => each.metadata.name === serviceAccount);
  // Without its service account a Deployment gets no new pod.
  if (container === undefined || account === undefined) return undefined;
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (value !== undefined) env[name] = value;
    // Limits of memory and processors are the container's, and do not hold for a process here.
    if (valueFrom?.fieldRef?.fieldPath === "metadata.namespace") env[name] = deployment.metadata.namespace ?? "";
  }
  const args = (container.args ?? []).map((arg) => arg.replace(/\$\((\w+)\)/g, (whole, name) => env[name] ?? whole));
  const injected = metadata?.labels?.[`${PREFIX}/use`] === "true";
  const clientId = account.metadata.annotations?.[`${PREFIX}/client-id`];
  const tenantId = account.metadata.annotations?.[`${PREFIX}/tenant-id`];
  return {
    serviceAccount,
    args,
    env,
    ...(injected && { identity: { ...(clientId && { clientId }), ...(tenantId && { tenantId }) } }),
  };
}

/**
 * A controller's arguments with every address on loopback.
 * @param storage the folder of source-controller's artifacts.
 * @param events the URL of notification-controller's event address.
 */
export function controllerArgs(
  name: FluxController,
  args: readonly string[],
  ports: ControllerPorts,
  { storage, events }: { readonly storage: string; readonly events: string },
): string[] {
  const own: Record<string, string> = {
    "metrics-addr": `127.0.0.1:${ports.metrics}`,
    "health-addr": `127.0.0.1:${ports.health}`,
  };
  const main = `127.0.0.1:${ports.main}`;
  if (name === "source-controller")
    Object.assign(own, { "storage-path": storage, "storage-addr": main, "storage-adv-addr": main });
  if (name === "notification-controller")
    Object.assign(own, { "events-addr": main, receiverAddr: `127.0.0.1:${ports.receivers}` });
  else if (args.some((arg) => /^--events-addr=./.test(arg))) own["events-addr"] = events;
  const kept = args.filter((arg) => {
    const flag = /^--?([^=]+)/.exec(arg)?.[1] ?? "";
    // One process is its own leader; a lease of one that was killed would only make the next one wait.
    return !(flag in own) && flag !== "enable-leader-election";
  });
  return [...kept, ...Object.entries(own).map(([flag, value]) => `--${flag}=${value}`)];
}

/** Where a controller's process runs. */
export interface Surroundings {
  /** Its folder. */
  readonly folder: string;
  readonly kubeconfig: string;
  readonly namespace: string;
  /** The port of the rehearsal's proxy for the cluster's place. */
  readonly proxyPort: number;
  /** The URL of a SOCKS proxy that leads to Git hosts over SSH; without, none is reached that way. */
  readonly socks?: string | undefined;
  /** The rehearsal's authority, a PEM file. */
  readonly authority: string;
  /** The cluster's tenant: what the webhook takes where the service account names none. */
  readonly tenantId: string;
  readonly federatedTokenFile: string;
}

/** A controller's environment: its Deployment's, what the workload identity webhook injects, and the way to the cloud. */
export function controllerEnvironment(plan: ControllerPlan, at: Surroundings): Record<string, string> {
  const injected =
    plan.identity === undefined
      ? {}
      : {
          ...(plan.identity.clientId !== undefined && { AZURE_CLIENT_ID: plan.identity.clientId }),
          AZURE_TENANT_ID: plan.identity.tenantId ?? at.tenantId,
          AZURE_FEDERATED_TOKEN_FILE: at.federatedTokenFile,
          AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com/",
        };
  return {
    // The webhook leaves variables alone that the pod has.
    ...injected,
    ...plan.env,
    RUNTIME_NAMESPACE: at.namespace,
    KUBECONFIG: at.kubeconfig,
    TMPDIR: join(at.folder, "tmp"),
    TUF_ROOT: join(at.folder, "tuf"),
    HTTPS_PROXY: `http://127.0.0.1:${at.proxyPort}`,
    // Nothing goes past the door: what asks for plain http, as for a node's metadata, is refused there.
    HTTP_PROXY: `http://127.0.0.1:${at.proxyPort}`,
    ...(at.socks === undefined ? {} : { ALL_PROXY: at.socks }),
    NO_PROXY: "127.0.0.1,localhost",
    SSL_CERT_FILE: at.authority,
  };
}
