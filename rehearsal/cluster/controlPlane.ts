// The programs of the control plane and their arguments.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { ClusterTool } from "../../tools/catalogue.ts";
import { type Credentials, kubeconfig, type Part } from "./credentials.ts";
import { LEASE_DURATION, stages } from "./nodes.ts";
import { freePorts } from "./ports.ts";

export interface ControlPlaneOptions {
  /** The cluster's folder. */
  readonly folder: string;
  readonly tools: Readonly<Record<ClusterTool, string>>;
  readonly credentials: Credentials;
  /** The issuer of service account tokens. */
  readonly issuer: string;
  /** CIDRs of services and pods. */
  readonly services: string;
  readonly pods: string;
  /** Where the API server asks whose token one is; without, it knows its own tokens alone. */
  readonly tokenReviews?: string;
}

/** A program that is still to be started. */
export interface Command {
  readonly name: ClusterTool;
  readonly path: string;
  readonly args: readonly string[];
}

export interface ControlPlane {
  /** The API server's port on 127.0.0.1. */
  readonly port: number;
  /** etcd and the API server: they may start together. */
  readonly base: readonly Command[];
  /** Those that need an API server that answers. */
  readonly rest: readonly Command[];
}

/** Writes the files of the control plane's programs and says how to start them. */
export async function controlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { folder, tools, credentials } = options;
  const [port = 0, etcdPort = 0, peerPort = 0] = await freePorts(3);
  const server = `https://127.0.0.1:${port}`;
  const command = (name: ClusterTool, args: readonly string[]): Command => ({ name, path: tools[name], args });
  const write = async (name: string, content: string) => {
    const file = join(folder, name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  };
  const configOf = (part: Part) =>
    write(
      `${part.replace("system:", "")}.kubeconfig`,
      kubeconfig({
        server,
        certificateAuthority: credentials.certificateAuthority,
        user: { token: credentials.tokens[part] },
      }),
    );
  const reviews =
    options.tokenReviews === undefined
      ? undefined
      : await write("token-reviews.kubeconfig", kubeconfig({ server: options.tokenReviews, user: {} }));
  const data = join(folder, "etcd");
  await mkdir(data, { recursive: true, mode: 0o700 });
  return {
    port,
    base: [
      command("etcd", etcdArgs(data, etcdPort, peerPort)),
      command("kube-apiserver", apiServerArgs(options, port, etcdPort, reviews)),
    ],
    rest: [
      command("kube-controller-manager", [
        `--kubeconfig=${await configOf("system:kube-controller-manager")}`,
        `--root-ca-file=${credentials.files.authority}`,
        `--service-account-private-key-file=${credentials.files.serviceAccountKey}`,
        "--leader-elect=false",
        "--secure-port=0",
      ]),
      command("kube-scheduler", [
        `--kubeconfig=${await configOf("system:kube-scheduler")}`,
        "--leader-elect=false",
        "--secure-port=0",
      ]),
      command("kwok", [
        `--kubeconfig=${await configOf("kwok")}`,
        `--config=${await write("stages.yaml", stages.map((stage) => stringify(stage)).join("---\n"))}`,
        "--manage-all-nodes",
        `--node-lease-duration-seconds=${LEASE_DURATION}`,
        `--cidr=${options.pods}`,
        "--node-ip=10.60.0.5",
      ]),
    ],
  };
}

function etcdArgs(data: string, port: number, peerPort: number): string[] {
  const client = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  return [
    "--name=rehearsal",
    `--data-dir=${data}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=rehearsal=${peer}`,
    // The data need not outlive the machine.
    "--unsafe-no-fsync",
    "--log-level=warn",
  ];
}

function apiServerArgs(
  { folder, credentials: { files }, issuer, services }: ControlPlaneOptions,
  port: number,
  etcdPort: number,
  tokenReviews: string | undefined,
): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--cert-dir=${folder}`,
    `--tls-cert-file=${files.certificate}`,
    `--tls-private-key-file=${files.key}`,
    `--service-cluster-ip-range=${services}`,
    // The Service `kubernetes` may not have an endpoint on loopback, and nothing in the rehearsal has a use for it.
    "--endpoint-reconciler-type=none",
    "--authorization-mode=Node,RBAC",
    "--anonymous-auth=false",
    `--token-auth-file=${files.tokens}`,
    ...(tokenReviews === undefined
      ? []
      : [
          `--authentication-token-webhook-config-file=${tokenReviews}`,
          "--authentication-token-webhook-version=v1",
          // Who loses a group in the rehearsal loses its rights soon.
          "--authentication-token-webhook-cache-ttl=5s",
        ]),
    `--service-account-issuer=${issuer}`,
    `--api-audiences=${issuer}`,
    `--service-account-key-file=${files.serviceAccountKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    "--service-account-extend-token-expiration=false",
    "--allow-privileged=true",
    "--profiling=false",
  ];
}
