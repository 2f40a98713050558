// The current context of a kubeconfig, as client-go reads it: where the API server is, and how to sign in.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parseDocument } from "yaml";
import type { ApiServer } from "../../../net/kubernetesApi.ts";
import { isFields } from "../shared/values.ts";

interface Exec {
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly apiVersion: string;
  readonly installHint?: string;
}

interface User {
  readonly token?: string;
  readonly exec?: Exec;
}

interface Kubeconfig {
  readonly clusters?: readonly {
    readonly name: string;
    readonly cluster: { readonly server: string; readonly "certificate-authority-data"?: string };
  }[];
  readonly users?: readonly { readonly name: string; readonly user: User }[];
  readonly contexts?: readonly {
    readonly name: string;
    readonly context: { readonly cluster: string; readonly user: string; readonly namespace?: string };
  }[];
  readonly "current-context"?: string;
}

/** What an exec plugin prints. */
interface ExecCredential {
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string };
}

/** What is understood of a cluster, a user and an exec plugin; client-go knows more. */
const CLUSTER = ["server", "certificate-authority-data"];
const USER = ["exec", "token"];
const EXEC = ["apiVersion", "command", "args", "env", "installHint", "interactiveMode"];
const EXEC_VERSIONS = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/** A token is asked for anew this many milliseconds before it ends. */
const RENEW_BEFORE = 60_000;

/**
 * The API server of a kubeconfig's text.
 * @param context the context's name; default: the current one.
 * @throws Error naming what the kubeconfig lacks, or has and is not known here.
 */
export function apiServerOf(text: string, context?: string): ApiServer & { readonly namespace: string } {
  const config = parsed(text);
  const name = context ?? config["current-context"];
  const chosen = config.contexts?.find((one) => one.name === name)?.context;
  const cluster = config.clusters?.find((one) => one.name === chosen?.cluster)?.cluster;
  const user = config.users?.find((one) => one.name === chosen?.user)?.user;
  if (!chosen || !cluster || !user)
    throw new Error(`the kubeconfig has no context ${name || "at all"} with cluster and user`);
  refuseOthers(`cluster ${chosen.cluster}`, cluster, CLUSTER);
  refuseOthers(`user ${chosen.user}`, user, USER);
  const authority = cluster["certificate-authority-data"];
  return {
    endpoint: cluster.server,
    authority: authority && Buffer.from(authority, "base64").toString(),
    token: tokenOf(user),
    namespace: chosen.namespace || "default",
  };
}

/** The parser's own words would repeat what it read, tokens too. */
function parsed(text: string): Kubeconfig {
  const document = parseDocument(text);
  const config: unknown = document.errors.length > 0 ? undefined : document.toJS();
  if (!isFields(config)) throw new Error("the kubeconfig is neither a file that is there nor a kubeconfig's YAML");
  return config;
}

function refuseOthers(what: string, given: object, known: readonly string[]): void {
  const others = Object.entries(given).filter(([key, value]) => value && !known.includes(key));
  if (others.length === 0) return;
  const names = others.map(([key]) => key).join(", ");
  throw new Error(`the kubeconfig's ${what} has ${names}; the stand-in for kubernetes knows ${known.join(", ")} alone`);
}

function tokenOf({ exec, token }: User): (() => Promise<string>) | undefined {
  if (!exec) return token ? async () => token : undefined;
  refuseOthers(`exec plugin ${exec.command}`, exec, EXEC);
  if (!EXEC_VERSIONS.includes(exec.apiVersion))
    throw new Error(
      `exec plugin ${exec.command}: apiVersion ${exec.apiVersion} is none of ${EXEC_VERSIONS.join(", ")}`,
    );
  return execToken(exec);
}

/** Runs the plugin when there is no token, or one that is about to end. */
function execToken(exec: Exec): () => Promise<string> {
  let known: { readonly token: string; readonly ends: number } | undefined;
  return async () => {
    if (known && known.ends - RENEW_BEFORE > Date.now()) return known.token;
    const { status } = await run(exec);
    if (!status?.token) throw new Error(`${exec.command} gave no token`);
    const ends = status.expirationTimestamp ? Date.parse(status.expirationTimestamp) : Number.POSITIVE_INFINITY;
    known = { token: status.token, ends };
    return known.token;
  };
}

async function run({ command, args, env, apiVersion, installHint }: Exec): Promise<ExecCredential> {
  const more = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
  const info = JSON.stringify({ apiVersion, kind: "ExecCredential", spec: { interactive: false } });
  try {
    const { stdout } = await promisify(execFile)(command, [...(args ?? [])], {
      env: { ...process.env, ...more, KUBERNETES_EXEC_INFO: info },
    });
    return JSON.parse(stdout) as ExecCredential;
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    if (code === "ENOENT") throw new Error(`exec: executable ${command} not found: ${installHint ?? ""}`);
    throw new Error(`getting credentials: exec: executable ${command} failed: ${stderr?.trim() ?? ""}`);
  }
}
