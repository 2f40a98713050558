// One rehearsal's place on disk, and the environment of every process that takes part in it.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Place } from "./cloud/types.ts";

/** The checkout that this file belongs to. */
export const checkout = resolve(import.meta.dirname, "..");

/** Where rehearsals live: `.rehearsal` of the checkout, or the folder that `AKS_GITOPS_REHEARSALS` names. */
const rehearsals = () => resolve(process.env.AKS_GITOPS_REHEARSALS ?? join(checkout, ".rehearsal"));

/** Where the stacks' files are: the checkout, an example's folder, or what else `AKS_GITOPS_STACKS` names. */
export const stackFiles = () => resolve(process.env.AKS_GITOPS_STACKS ?? checkout);

/** Who a command of a rehearsal may run as. */
export const identityNames = ["deployer", "reader", "editor", "encrypter", "administrator"] as const;
export type IdentityName = (typeof identityNames)[number];

/** Where a rehearsal keeps what it makes: its folder is `.rehearsal/<stack>/`. */
export interface Paths {
  readonly dir: string;
  /** The project as the engine sees it: links into the checkout, a stack file and a lock of its own. */
  readonly project: string;
  readonly pulumiHome: string;
  /** The file backend's folder. */
  readonly state: string;
  /** The bare repositories behind the simulated github.com. */
  readonly git: string;
  /** A clone of the GitOps repository, for `rehearse -- exec`. */
  readonly clone: string;
  /** The folder of the cluster that runs. */
  readonly cluster: string;
  /** Of that cluster: asks `kubelogin` for a token of Entra. */
  readonly kubeconfig: string;
  /** Where az keeps who is signed in: a folder an identity. */
  readonly azure: string;
  readonly daemonFile: string;
  readonly daemonLog: string;
  readonly authority: string;
  readonly armRequests: string;
  readonly report: string;
  readonly upLog: string;
}

export function pathsOf(stack: string): Paths {
  const dir = join(rehearsals(), stack);
  const below = (name: string) => join(dir, name);
  return {
    dir,
    project: below("project"),
    pulumiHome: below("pulumi-home"),
    state: below("state"),
    git: below("git"),
    clone: below("repository"),
    cluster: below("cluster"),
    kubeconfig: below("cluster/user.kubeconfig"),
    azure: below("azure"),
    daemonFile: below("cloud.json"),
    daemonLog: below("cloud.log"),
    authority: below("authority.pem"),
    armRequests: below("arm-requests.jsonl"),
    report: below("report.json"),
    upLog: below("up.log"),
  };
}

/** What somebody signs in with. */
export interface CloudIdentity {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly gitHubToken: string;
  /** A token for the Git host of the stack's repository, where that is not GitHub. */
  readonly gitToken?: string;
}

/** What a running cloud tells about itself in `cloud.json` (readable by its owner alone: it holds credentials). */
export interface CloudFile {
  readonly pid: number;
  readonly control: { readonly port: number; readonly token: string };
  readonly ports: Readonly<Record<Place, number>>;
  /** The folder of the stack's file. */
  readonly stackFiles: string;
  /** Where the stack's runner stands. */
  readonly runner: Place;
  readonly tenantId: string;
  readonly subscriptionId: string;
  /** The passphrase of the rehearsal's own state. */
  readonly passphrase: string;
  readonly identities: Readonly<Record<IdentityName, CloudIdentity>>;
}

/** The cloud of a stack's rehearsal, or undefined where none runs. */
export function runningCloud(stack: string): CloudFile | undefined {
  const { daemonFile } = pathsOf(stack);
  if (!existsSync(daemonFile)) return undefined;
  const file = JSON.parse(readFileSync(daemonFile, "utf8")) as CloudFile;
  try {
    process.kill(file.pid, 0);
    return file;
  } catch {
    return undefined;
  }
}

/** The stacks whose rehearsal is kept and runs. */
export async function runningStacks(): Promise<string[]> {
  if (!existsSync(rehearsals())) return [];
  return (await readdir(rehearsals())).filter((stack) => runningCloud(stack) !== undefined).sort();
}

/** How long a cloud may take to answer, in milliseconds. */
const ANSWER_LIMIT = 120_000;

/** Sends a request to a running cloud's control port. @throws Error in the cloud's words, or that it gives none. */
export async function control<T>(cloud: CloudFile, path: string, method = "GET", body?: object): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${cloud.control.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${cloud.control.token}` },
    signal: AbortSignal.timeout(ANSWER_LIMIT),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((cause: Error) => {
    const problem = cause.name === "TimeoutError" ? `was silent for ${ANSWER_LIMIT / 1000} s` : "does not answer";
    throw new Error(`The rehearsal's cloud (process ${cloud.pid}) ${problem}. End it: npm run rehearse -- stop`, {
      cause,
    });
  });
  if (response.ok) return (await response.json()) as T;
  // In the words of what went wrong there: mostly it is the user's to mend.
  throw new Error(((await response.json()) as { error: string }).error);
}

/** Variables that would let a real account, proxy or backend reach into a rehearsal. */
const FOREIGN =
  /^(AAD_|ARM_|AZURE_|FLUX_|KUBE|GITHUB_|GIT_|PULUMI_|HELM_|SOPS_|MSI_|IDENTITY_|(https?|all|no)_proxy$)/i;

/** The environment of a rehearsal's processes. */
export interface EnvironmentOptions {
  readonly paths: Paths;
  readonly cloud: Omit<CloudFile, "pid" | "control">;
  readonly as?: IdentityName;
  /** Who kubelogin signs in to the cluster; default: `as`. */
  readonly inCluster?: IdentityName;
  /** Folders to put in front of PATH (the tools found). */
  readonly path?: readonly string[];
}

export function environment({
  paths,
  cloud,
  as = "deployer",
  inCluster = as,
  path = [],
}: EnvironmentOptions): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !FOREIGN.test(entry[0]),
  );
  const { clientId, clientSecret, gitHubToken, gitToken } = cloud.identities[as];
  const { reader } = cloud.identities;
  return {
    ...Object.fromEntries(inherited),
    PATH: [dirname(process.execPath), ...path, process.env.PATH ?? ""].join(delimiter),
    HTTPS_PROXY: `http://127.0.0.1:${cloud.ports[cloud.runner]}`,
    HTTP_PROXY: `http://127.0.0.1:${cloud.ports[cloud.runner]}`,
    NO_PROXY: "127.0.0.1,localhost",
    NODE_USE_ENV_PROXY: "1",
    NODE_EXTRA_CA_CERTS: paths.authority,
    SSL_CERT_FILE: paths.authority,
    CURL_CA_BUNDLE: paths.authority,
    REQUESTS_CA_BUNDLE: paths.authority,
    GIT_SSL_CAINFO: paths.authority,
    GIT_TERMINAL_PROMPT: "0",
    // kubelogin's: https://azure.github.io/kubelogin/concepts/login-modes/sp.html
    AAD_LOGIN_METHOD: "spn",
    AAD_SERVICE_PRINCIPAL_CLIENT_ID: cloud.identities[inCluster].clientId,
    AAD_SERVICE_PRINCIPAL_CLIENT_SECRET: cloud.identities[inCluster].clientSecret,
    ARM_CLIENT_ID: clientId,
    ARM_CLIENT_SECRET: clientSecret,
    ARM_TENANT_ID: cloud.tenantId,
    ARM_SUBSCRIPTION_ID: cloud.subscriptionId,
    // az: never the user's own sign-in, and nothing of the rehearsal's goes out to Microsoft.
    AZURE_CONFIG_DIR: join(paths.azure, as),
    AZURE_CORE_COLLECT_TELEMETRY: "no",
    AZURE_EXTENSION_USE_DYNAMIC_INSTALL: "no",
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: clientSecret,
    AZURE_TENANT_ID: cloud.tenantId,
    AZURE_SUBSCRIPTION_ID: cloud.subscriptionId,
    GITHUB_TOKEN: gitHubToken,
    ...(gitToken === undefined ? {} : { GIT_TOKEN: gitToken }),
    // What Flux reads with may do no more than that.
    ...(as === "deployer" && reader.gitToken !== undefined ? { FLUX_GIT_TOKEN: reader.gitToken } : {}),
    KUBECONFIG: paths.kubeconfig,
    PULUMI_HOME: paths.pulumiHome,
    // Without the file's metadata, which a killed engine may leave half written: "failed to load checkpoint: EOF".
    PULUMI_BACKEND_URL: `file://${paths.state}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE: cloud.passphrase,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK: "true",
  };
}

/** Makes the folders that a rehearsal writes to. */
export async function makeFolders(paths: Paths): Promise<void> {
  for (const folder of [paths.project, paths.pulumiHome, paths.state, paths.git])
    await mkdir(folder, { recursive: true });
}
