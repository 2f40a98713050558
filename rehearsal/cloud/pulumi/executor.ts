// What Pulumi Deployments does with a deployment: a clean clone, the commands of the settings, the operation. The paths of
// its container are folders here, and the state is in the backend that the environment names, not in Pulumi Cloud.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CloudStack } from "./service.ts";
import type { OperationContext, Settings } from "./settings.ts";

/** Operations whose token is documented; what a drift run's subject says is not. */
export const OPERATIONS = ["preview", "update", "refresh", "destroy"] as const;
export type RunOperation = (typeof OPERATIONS)[number];

/** A deployment that is to run. */
export interface DeploymentRun extends CloudStack {
  readonly id: string;
  /** Counts the stack's deployments. */
  readonly version: number;
  readonly operation: RunOperation;
  /** `owner/name` of the program's repository. */
  readonly repository: string;
  readonly commit: string;
  /** The tag that started it, if one did. */
  readonly tag?: string | undefined;
  readonly settings: Settings;
}

/** One step of it. */
export interface Step {
  readonly name: string;
  readonly output: string;
  readonly code: number;
}

export interface ExecutorOptions {
  /** Below it each deployment has a folder, which stays. */
  readonly root: string;
  /** Runs a command and gives all that it printed. */
  readonly run: (
    command: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly env: Record<string, string> },
  ) => Promise<{ readonly code: number; readonly output: string }>;
  /** What every process of a deployment has in its environment: no credentials of anybody's. */
  readonly environment: Readonly<Record<string, string>>;
  /** The token of a deployment for other clouds. */
  readonly oidcToken: (run: CloudStack & { readonly operation: RunOperation }) => string;
  /** The token that Pulumi's GitHub App gives a deployment. */
  readonly gitHubToken: () => string;
  /** The token for Pulumi Cloud. */
  readonly accessToken: (stack: CloudStack) => string;
  /** Opens a variable of settings. */
  readonly open: (value: string | { readonly ciphertext: string }) => string;
}

const COMMANDS: Readonly<Record<RunOperation, readonly string[]>> = {
  preview: ["preview"],
  update: ["up", "--yes", "--skip-preview"],
  refresh: ["refresh", "--yes", "--skip-preview"],
  destroy: ["destroy", "--yes", "--skip-preview"],
};

/** Runs a deployment to its end, or to its first step that fails. */
export async function execute(deployment: DeploymentRun, options: ExecutorOptions): Promise<readonly Step[]> {
  const { settings, operation } = deployment;
  const folder = join(options.root, deployment.id);
  const mounted = join(folder, "mnt/pulumi");
  const source = join(folder, "deployment");
  const passedOn = join(folder, "PULUMI_ENV");
  await mkdir(mounted, { recursive: true });
  await writeFile(passedOn, "");
  const token = options.oidcToken(deployment);
  await writeFile(join(mounted, "pulumi.oidc"), token, { mode: 0o600 });
  // The container's own paths.
  const placed = (text: string) => text.replaceAll("/mnt/pulumi", mounted).replaceAll("/PULUMI_ENV", passedOn);
  const variables = variablesOf(deployment, token, options);
  const given = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, placed(value)]));
  const environment = async () => ({
    ...options.environment,
    ...given,
    ...parseVariables(await readFile(passedOn, "utf8")),
  });

  const context: OperationContext = settings.operationContext ?? {};
  const cwd = join(source, settings.sourceContext?.git?.repoDir ?? "");
  const shell = (command: string) => ["sh", "-c", placed(command)] as const;
  const install =
    context.options?.skipInstallDependencies === true ? [] : [["Download dependencies", shell("npm install")]];
  const todo = [
    ...(install as [string, readonly string[]][]),
    ...(context.preRunCommands ?? []).map((command): [string, readonly string[]] => [command, shell(command)]),
    [
      `pulumi ${operation}`,
      ["pulumi", "--non-interactive", "--color=never", ...COMMANDS[operation], "--stack", deployment.stack],
    ] as [string, readonly string[]],
  ];
  const steps = [await getSource(deployment, source, options)];
  for (const [name, [command = "", ...args]] of todo) {
    if (steps.at(-1)?.code !== 0) break;
    steps.push({ name, ...(await options.run(command, args, { cwd, env: await environment() })) });
  }
  return steps;
}

/** A clone with nothing in it but what is in the repository. */
async function getSource(
  { repository, commit }: DeploymentRun,
  source: string,
  { run, root, environment, gitHubToken }: ExecutorOptions,
): Promise<Step> {
  const signIn = Buffer.from(`x-access-token:${gitHubToken()}`).toString("base64");
  const env = {
    ...environment,
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.https://github.com/.extraHeader",
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${signIn}`,
  };
  const clone = ["clone", "--quiet", "--no-checkout", `https://github.com/${repository}.git`, source];
  const cloned = await run("git", clone, { cwd: root, env });
  if (cloned.code !== 0) return { name: "Get source", ...cloned };
  return {
    name: "Get source",
    ...(await run("git", ["checkout", "--quiet", "--detach", commit], { cwd: source, env })),
  };
}

/**
 * The variables of a deployment; those of the settings come last.
 * https://www.pulumi.com/docs/deployments/concepts/settings/environment-variables/
 */
function variablesOf(deployment: DeploymentRun, token: string, options: ExecutorOptions): Record<string, string> {
  const { organization, project, stack, operation, id, version, tag, settings } = deployment;
  const { oidc, environmentVariables = {} } = settings.operationContext ?? {};
  const own = Object.entries(environmentVariables).map(([name, value]) => [name, options.open(value)]);
  return {
    GITHUB_TOKEN: options.gitHubToken(),
    PULUMI_ACCESS_TOKEN: options.accessToken(deployment),
    PULUMI_OIDC_TOKEN: token,
    PULUMI_CI_SYSTEM: "Pulumi Deployments",
    PULUMI_CI_BUILD_ID: id,
    PULUMI_CI_BUILD_NUMBER: String(version),
    PULUMI_CI_BUILD_URL: `https://app.pulumi.com/${organization}/${project}/${stack}/deployments/${version}`,
    PULUMI_CI_ORGANIZATION: organization,
    PULUMI_CI_PROJECT: project,
    PULUMI_CI_STACK: stack,
    PULUMI_CI_OPERATION: operation,
    ...(tag !== undefined && { PULUMI_CI_TAG_NAME: tag }),
    ...(oidc?.azure && {
      ARM_CLIENT_ID: oidc.azure.clientId,
      ARM_TENANT_ID: oidc.azure.tenantId,
      ARM_SUBSCRIPTION_ID: oidc.azure.subscriptionId,
    }),
    ...Object.fromEntries(own),
  };
}

/** What pre-run commands pass on, a variable a line. */
function parseVariables(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line.includes("="));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}
