// A context of the machine's kubeconfig, as kubectl reads it: where the API server is, and how its user signs in.
// https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import type { ApiCredential } from "./kubernetesApi.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Fields = Readonly<Record<string, unknown>>;

/** An API server and who calls it. */
export interface KubeContext {
  /** The API server's URL: `https://<host>[:<port>]`. */
  readonly endpoint: string;
  /** The API server's authority: PEM, base64. */
  readonly certificateAuthority: string;
  /**
   * How the context's user signs in, asked for before each request; what a program gave is asked for again when it ends.
   * @throws Error naming the user where it has no way that is known, or its program fails; it shows no output.
   */
  readonly credential: () => Promise<ApiCredential>;
}

/** An entry with the folder that its files' paths start from. */
interface Entry {
  readonly fields: Fields;
  readonly folder: string;
}

/**
 * A context by its name, of the files that KUBECONFIG names, or else of ~/.kube/config; of two of one name the first counts.
 * @throws Error naming the context and the file where it is not there, or cannot be used from here.
 */
export async function kubeContext(name: string, environment: Environment = process.env): Promise<KubeContext> {
  const files = filesOf(environment);
  const found = (await Promise.all(files.map(entriesOf))).filter((one) => one !== undefined);
  const where = files.join(", ");
  if (found.length === 0)
    throw new Error(`there is no kubeconfig for context ${name} at ${where}: name its file in KUBECONFIG`);
  const find = (list: string, part: string, one: unknown): Entry => {
    const entry = found.flatMap((each) => each[list] ?? []).find(({ fields }) => fields.name === one);
    if (entry !== undefined) return { ...entry, fields: fieldsOf(entry.fields[part]) };
    const names = found.flatMap((each) => (each[list] ?? []).map(({ fields }) => String(fields.name)));
    throw new Error(
      `the kubeconfig (${where}) has no ${part} ${String(one)}; it has ${names.join(", ") || "none"}: ` +
        "name one of these, or the file that has it in KUBECONFIG",
    );
  };
  const context = find("contexts", "context", name).fields;
  const cluster = find("clusters", "cluster", context.cluster);
  const user = find("users", "user", context.user);
  const endpoint = endpointOf(name, cluster.fields);
  return {
    endpoint,
    certificateAuthority: await authorityOf(name, cluster),
    credential: credentialOf(String(context.user), user, environment),
  };
}

function filesOf({ KUBECONFIG, HOME }: Environment): string[] {
  const named = (KUBECONFIG ?? "").split(delimiter).filter(Boolean);
  return named.length > 0 ? named : [resolve(HOME ?? homedir(), ".kube", "config")];
}

/** The lists of a file; undefined where there is none, as kubectl passes it over. @throws Error where it is no YAML. */
async function entriesOf(file: string): Promise<Readonly<Record<string, readonly Entry[]>> | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new Error(`the kubeconfig ${file} cannot be read: ${error.code ?? error.message}`);
  });
  if (text === undefined) return undefined;
  let content: Fields;
  try {
    content = fieldsOf(parse(text));
  } catch {
    // The parser's words repeat the line, which may be a credential.
    throw new Error(`the kubeconfig ${file} is no YAML`);
  }
  const folder = dirname(resolve(file));
  const listOf = (name: string) => {
    const list = content[name];
    return (Array.isArray(list) ? list : []).map((one) => ({ fields: fieldsOf(one), folder }));
  };
  return { contexts: listOf("contexts"), clusters: listOf("clusters"), users: listOf("users") };
}

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const textOf = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

/** What would be passed over in silence otherwise, and lead somewhere else or past a check. */
const UNTAKEN = ["proxy-url", "tls-server-name", "insecure-skip-tls-verify"];

function endpointOf(context: string, cluster: Fields): string {
  const untaken = UNTAKEN.find((key) => cluster[key] !== undefined && cluster[key] !== false);
  if (untaken !== undefined)
    throw new Error(
      `the cluster of context ${context} has ${untaken}, which is not taken here: give the address that its certificate is for, and a proxy by HTTPS_PROXY`,
    );
  const server = textOf(cluster.server)?.replace(/\/$/, "") ?? "";
  if (!/^https:\/\/[^\s/@]+$/.test(server) && !/^http:\/\/127\.0\.0\.1(:\d+)?$/.test(server))
    throw new Error(`the server of context ${context} is no https://<host>[:<port>]: ${server || "it has none"}`);
  return server;
}

async function authorityOf(context: string, { fields, folder }: Entry): Promise<string> {
  const authority = await partOf(fields, "certificate-authority", folder);
  if (authority === undefined)
    throw new Error(
      `the cluster of context ${context} has no certificate-authority-data and no certificate-authority: add the authority of its API server`,
    );
  return Buffer.from(authority).toString("base64");
}

/** What stands in a file of its own, or as base64 under `<key>-data`, which counts where both are there. */
async function partOf(fields: Fields, key: string, folder: string): Promise<string | undefined> {
  const data = textOf(fields[`${key}-data`]);
  if (data !== undefined) return Buffer.from(data, "base64").toString();
  const file = textOf(fields[key]);
  if (file === undefined) return undefined;
  return readFile(resolve(folder, file), "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${key} of the kubeconfig, ${file}, cannot be read: ${error.code ?? error.message}`);
  });
}

function credentialOf(name: string, { fields, folder }: Entry, environment: Environment): KubeContext["credential"] {
  const exec =
    fields.exec === undefined ? undefined : new ExecCredential(name, fieldsOf(fields.exec), folder, environment);
  return async () => {
    const cert = await partOf(fields, "client-certificate", folder);
    const key = await partOf(fields, "client-key", folder);
    const certificate = cert !== undefined && key !== undefined ? { certificate: { cert, key } } : {};
    // As client-go has it: a file that is renewed counts before the text beside it.
    const tokenFile = textOf(fields.tokenFile);
    const token =
      tokenFile === undefined ? textOf(fields.token) : (await readFile(resolve(folder, tokenFile), "utf8")).trim();
    if (token !== undefined) return { ...certificate, token };
    if ("certificate" in certificate) return certificate;
    if (exec !== undefined) return exec.get();
    throw new Error(
      `user ${name} of the kubeconfig has none of token, tokenFile, client-certificate with client-key, and exec: ` +
        "give it one of these (a user name with a password, and auth-provider, are not taken)",
    );
  };
}

/** A credential ends before its time: a request that is on its way shall still arrive. In milliseconds. */
const RESERVE = 60_000;

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
class ExecCredential {
  readonly #user: string;
  readonly #exec: Fields;
  readonly #folder: string;
  readonly #environment: Environment;
  #kept: Promise<ApiCredential & { readonly end?: number }> | undefined;

  constructor(user: string, exec: Fields, folder: string, environment: Environment) {
    this.#user = user;
    this.#exec = exec;
    this.#folder = folder;
    this.#environment = environment;
  }

  async get(): Promise<ApiCredential> {
    const kept = await this.#kept?.catch(() => undefined);
    if (kept === undefined || (kept.end !== undefined && kept.end - RESERVE < Date.now())) this.#kept = this.#run();
    const { end: _, ...credential } = await (this.#kept as Promise<ApiCredential & { readonly end?: number }>);
    return credential;
  }

  async #run(): Promise<ApiCredential & { readonly end?: number }> {
    const { command, args, env, apiVersion, installHint } = this.#exec;
    const path = textOf(command) ?? "";
    const given = (Array.isArray(env) ? env : []).map(fieldsOf).map(({ name, value }) => [String(name), String(value)]);
    const info = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
    const failed = (why: string) =>
      new Error(`${path}, which signs user ${this.#user} of the kubeconfig in, ${why}: run it by hand to see more`);
    const { stdout } = await promisify(execFile)(
      // A path with a slash starts at the kubeconfig's folder.
      path.includes("/") ? resolve(this.#folder, path) : path,
      (Array.isArray(args) ? args : []).map(String),
      {
        env: { ...this.#environment, ...Object.fromEntries(given), KUBERNETES_EXEC_INFO: JSON.stringify(info) },
        timeout: 60_000,
      },
    ).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") throw failed(`is not there. ${textOf(installHint) ?? "Put it on PATH"}`);
      throw failed("failed");
    });
    let status: Fields;
    try {
      status = fieldsOf(fieldsOf(JSON.parse(stdout)).status);
    } catch {
      throw failed("printed no ExecCredential");
    }
    const [token, cert, key] = [status.token, status.clientCertificateData, status.clientKeyData].map(textOf);
    if (token === undefined && (cert === undefined || key === undefined))
      throw failed("gave neither token nor certificate");
    const end = Date.parse(textOf(status.expirationTimestamp) ?? "");
    return {
      ...(token === undefined ? {} : { token }),
      ...(cert === undefined || key === undefined ? {} : { certificate: { cert, key } }),
      ...(Number.isNaN(end) ? {} : { end }),
    };
  }
}
