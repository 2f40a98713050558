// What a run needs, looked at before anything is touched, so that all that is missing is told at once.

import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { takesGitHubToken } from "../../net/gitAddress.ts";
import { credentialVariables, findCredential, type GitSignIn } from "../../net/gitCredential.ts";
import { signInFaults, signInOf } from "../../net/signIn.ts";
import { isMap } from "../../net/values.ts";
import { describeFaults, describeWarning, type Fault } from "../../settings/errors.ts";
import { readStackFile, readYaml } from "../../settings/stackFile.ts";
import { azSubscriptions } from "../azProfile.ts";
import type { Environment } from "./system.ts";

const CLOUD = "https://api.pulumi.com";

/** A stack's file, as far as a run has to know it. */
interface StackFile {
  readonly subscriptionId: unknown;
  readonly repository: unknown;
  /** How it is signed in to, where that is said. */
  readonly commit: GitSignIn;
  /** Whether its Flux keeps the token that an update gives it. */
  readonly keepsToken: boolean;
  /** Which passphrase or key seals its secrets. */
  readonly sealedBy: "passphrase" | "key" | undefined;
}

export interface Needs {
  readonly environment: Environment;
  /** The folder of Pulumi.yaml. */
  readonly project: string;
  readonly stack: string;
  /** Whether nobody is there who could sign in with a browser, or type a password. */
  readonly isPipeline: boolean;
  /** Whether something is changed, and not looked at alone. */
  readonly isUpdate: boolean;
  /** Whether a program is on PATH. */
  readonly hasProgram: (name: string) => boolean;
}

/** What keeps a run from beginning, in words; undefined where nothing does. And what may not do what was meant. */
export interface Missing {
  readonly faults: string | undefined;
  readonly warnings: readonly string[];
}

/** What a run needs and does not have. */
export interface Lacking {
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
  /** What is wrong with the stack's file as a whole, in words of its own. */
  readonly file: string | undefined;
}

/** Looks at all that a run needs. */
export async function lacking(options: Needs): Promise<Lacking> {
  // An organisation and a project are no part of the file's name.
  const needs = { ...options, stack: options.stack.replace(/^.*\//, "") };
  const signIn = signInFaults(needs.environment, needs.hasProgram).map((each) => ({ ...each, value: undefined }));
  const faults: Fault[] = signIn.filter(({ severity }) => severity === "error");
  let wrong: string | undefined;
  try {
    const file = await stackFile(needs);
    faults.push(...subscription(needs, file), ...secrets(needs, file), ...git(needs, file), ...flux(needs, file));
  } catch (error) {
    // A whole word of its own: of the file that is missing or wrong.
    wrong = (error as Error).message;
  }
  faults.push(...(await login(needs)), ...(await backend(needs).catch(() => [])));
  return { faults, file: wrong, warnings: signIn.filter(({ severity }) => severity === "warning") };
}

/** Says what a run lacks. @param more faults that were found elsewhere. */
export async function missing(options: Needs, more: readonly Fault[] = []): Promise<Missing> {
  const { faults, file, warnings } = await lacking(options);
  const all = [...faults, ...more];
  const words = file === undefined ? [] : [file];
  if (all.length > 0) words.push(describeFaults("what this run needs (docs/delivery/ci.md)", all));
  return { faults: words.length > 0 ? words.join("\n\n") : undefined, warnings: warnings.map(describeWarning) };
}

/** A fault that has no value to show. */
export const fault = (key: string, problem: string, remedy: string): Fault => ({
  key,
  value: undefined,
  problem,
  remedy,
});

async function stackFile({ project, stack }: Needs): Promise<StackFile> {
  const { project: name, config } = await readStackFile(project, stack);
  const { secretsprovider, encryptionsalt } = (await readYaml(join(project, `Pulumi.${stack}.yaml`))) ?? {};
  const found = config[`${name}:flux`];
  const flux = isMap(found) ? found : {};
  const provider = typeof secretsprovider === "string" ? secretsprovider : "";
  return {
    subscriptionId: config["azure-native:subscriptionId"],
    repository: flux.repository,
    commit: isMap(flux.commit) ? signInIn(flux.commit) : {},
    keepsToken: flux.mode === "bootstrap" && flux.artifact === undefined && (flux.auth ?? "token") === "token",
    sealedBy: provider.includes("://") ? "key" : provider === "passphrase" || encryptionsalt ? "passphrase" : undefined,
  };
}

const signInIn = ({ credential, githubApp }: Readonly<Record<string, unknown>>): GitSignIn => ({
  ...(typeof credential === "string" && { credential }),
  ...(isMap(githubApp) && { githubApp }),
});

/** Whether az, where its login counts, has one. */
async function login({ environment, hasProgram, isPipeline }: Needs): Promise<Fault[]> {
  if (signInOf(environment).way !== "az" || !hasProgram("az")) return [];
  if ((await azSubscriptions(environment)).length > 0) return [];
  if (!isPipeline) return [fault("az", "has no login, and no variable names another way to sign in", "run `az login`")];
  return [
    fault(
      "ARM_CLIENT_ID",
      "is not set, and az has no login",
      `set ARM_CLIENT_ID, ARM_TENANT_ID and ARM_SUBSCRIPTION_ID to the pipeline's identity${howOf(environment)}`,
    ),
  ];
}

/** What else an identity without a secret needs there. */
function howOf({ GITHUB_ACTIONS, TF_BUILD }: Environment): string {
  if (GITHUB_ACTIONS) return ", and give the job `permissions: { id-token: write, contents: read }`";
  return TF_BUILD ? ", or run in the task AzureCLI@2 with addSpnToEnvironment: true, which tells the first two" : "";
}

function subscription({ environment }: Needs, { subscriptionId }: StackFile): Fault[] {
  // az has one that it is set to.
  if (signInOf(environment).way === "az" || environment.ARM_SUBSCRIPTION_ID || subscriptionId) return [];
  return [
    fault(
      "ARM_SUBSCRIPTION_ID",
      "is not set, and the stack's file has no azure-native:subscriptionId",
      "set one of the two to the subscription's id",
    ),
  ];
}

function secrets({ environment, stack }: Needs, { sealedBy }: StackFile): Fault[] {
  // Set to nothing it is a passphrase, too.
  const has = environment.PULUMI_CONFIG_PASSPHRASE !== undefined || environment.PULUMI_CONFIG_PASSPHRASE_FILE;
  if (sealedBy !== "passphrase" || has) return [];
  return [
    fault(
      "PULUMI_CONFIG_PASSPHRASE",
      `is not set, and seals the secrets in Pulumi.${stack}.yaml`,
      "set it from a secret of the pipeline, or seal with a key: pulumi stack change-secrets-provider " +
        `"azurekeyvault://VAULT.vault.azure.net/keys/KEY" --stack ${stack}`,
    ),
  ];
}

const KEY_REMEDY = "set it to the GitHub App's private key in PEM, from a secret of the pipeline";

function git({ environment, isPipeline }: Needs, { repository, commit }: StackFile): Fault[] {
  if (!isPipeline || typeof repository !== "string" || !repository.startsWith("https://")) return [];
  if (findCredential(repository, commit, environment) !== undefined) return [];
  const [variable, other] = credentialVariables(repository, commit, environment);
  const nor = other === undefined ? "" : `, nor is ${other}`;
  const by = (["githubApp", "credential"] as const).find((name) => commit[name] !== undefined);
  const withIt = by === undefined ? "" : ` with it (flux.commit.${by})`;
  const remedy = "set it to a token that may write there; that of a workflow may only in its own repository";
  const problem = `is not set${nor}, and the program writes to ${repository}${withIt}`;
  return [fault(variable, problem, by === "githubApp" ? KEY_REMEDY : remedy)];
}

/**
 * How a token begins that GitHub gives to an App, as a job's is: it ends with the job, or within the hour.
 * https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
 */
const OF_AN_HOUR = /^ghs_/;

function flux({ environment, isUpdate }: Needs, { repository, keepsToken }: StackFile): Fault[] {
  const isHttps = typeof repository === "string" && repository.startsWith("https://");
  if (!isUpdate || !keepsToken || !isHttps || environment.FLUX_GIT_TOKEN) return [];
  // Elsewhere Flux is given no such token.
  const isGiven = takesGitHubToken(repository, environment);
  if (!isGiven || !OF_AN_HOUR.test(environment.GITHUB_TOKEN ?? "")) return [];
  return [
    fault(
      "FLUX_GIT_TOKEN",
      "is not set, and a bootstrapped Flux would keep GITHUB_TOKEN, which ends with the job or within the hour",
      "set it to a token for Flux alone that stays and reads the repository, from a secret of the pipeline; or let Flux " +
        "have a deploy key, flux.auth: deployKey",
    ),
  ];
}

/** Where the state is, and whether that lets this run in. */
async function backend({ environment, project }: Needs): Promise<Fault[]> {
  const { url, current } = await backendOf(environment, project);
  if (url === undefined || /^https?:/.test(url)) {
    const cloud = url ?? CLOUD;
    if (environment.PULUMI_ACCESS_TOKEN || current === cloud) return [];
    return [
      fault(
        "PULUMI_ACCESS_TOKEN",
        `is not set, and the state is kept at ${cloud}`,
        "set it from a secret of the pipeline, or keep the state yourself: " +
          'PULUMI_BACKEND_URL="azblob://CONTAINER?storage_account=NAME"',
      ),
    ];
  }
  if (!url.startsWith("azblob:")) return [];
  const named = new URL(url).searchParams.get("storage_account");
  const { AZURE_STORAGE_ACCOUNT, AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGEBLOB_CONNECTIONSTRING } = environment;
  if (named || AZURE_STORAGE_ACCOUNT || AZURE_STORAGE_CONNECTION_STRING || AZURE_STORAGEBLOB_CONNECTIONSTRING)
    return [];
  return [
    fault(
      "PULUMI_BACKEND_URL",
      `names a container but no storage account: ${url.replace(/\?.*/, "")}`,
      `write it as ${url.replace(/\?.*/, "")}?storage_account=NAME`,
    ),
  ];
}

/** The backend as pulumi finds it: the environment, the project, then the one that somebody logged in to. */
async function backendOf(environment: Environment, project: string): Promise<{ url?: string; current?: string }> {
  const home = environment.PULUMI_HOME || join(homedir(), ".pulumi");
  const credentials = await readFile(join(environment.PULUMI_CREDENTIALS_PATH || home, "credentials.json"), "utf8")
    .then((text) => JSON.parse(text) as { current?: unknown })
    .catch(() => ({ current: undefined }));
  const current = typeof credentials.current === "string" ? credentials.current : undefined;
  const { backend: named } = (await readYaml(join(project, "Pulumi.yaml"))) ?? {};
  const ofProject = isMap(named) && typeof named.url === "string" ? named.url : undefined;
  const url = environment.PULUMI_BACKEND_URL || ofProject || current;
  return { ...(url && { url }), ...(current && { current }) };
}
