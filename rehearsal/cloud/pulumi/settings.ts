// Deployment settings of a stack, in the words of Pulumi Cloud's API
// (pulumi-pulumiservice, provider/pkg/cloud/spec.json: DeploymentSettingsRequest).
import { randomBytes } from "node:crypto";
import { fault } from "./faults.ts";
import { check, isObject, type Json, type Shape } from "./shape.ts";

/** What a stack's settings say, as far as a deployment follows them. */
export interface Settings {
  readonly sourceContext?: { readonly git?: { readonly branch?: string; readonly repoDir?: string } };
  readonly vcs?: Vcs;
  readonly executorContext?: { readonly executorImage?: { readonly reference: string } };
  readonly operationContext?: OperationContext;
  readonly agentPoolID?: string;
  readonly cacheOptions?: { readonly enable: boolean };
}

export interface Vcs {
  readonly provider: string;
  readonly repository?: string;
  readonly deployCommits?: boolean;
  readonly deployTags?: boolean;
  readonly tagFilters?: readonly string[];
  readonly previewPullRequests?: boolean;
  readonly paths?: readonly string[];
}

export interface OperationContext {
  readonly oidc?: {
    readonly azure?: { readonly clientId: string; readonly tenantId: string; readonly subscriptionId: string };
  };
  readonly preRunCommands?: readonly string[];
  readonly environmentVariables?: Readonly<Record<string, string | { readonly ciphertext: string }>>;
  readonly options?: { readonly skipInstallDependencies?: boolean; readonly skipIntermediateDeployments?: boolean };
}

const VCS: Shape = {
  fields: {
    provider: { oneOf: ["github", "gitlab", "azure_devops", "bitbucket", "custom"] },
    repository: "string",
    deployCommits: "boolean",
    deployTags: "boolean",
    tagFilters: { list: "string" },
    previewPullRequests: "boolean",
    pullRequestTemplate: "boolean",
    deployPullRequest: "integer",
    paths: { list: "string" },
    installationId: "string",
    reviewStackLabels: { list: "string" },
  },
  required: ["provider"],
};

const SHAPE: Shape = {
  fields: {
    tag: "string",
    agentPoolID: "string",
    cacheOptions: { fields: { enable: "boolean" } },
    executorContext: {
      fields: {
        executorImage: { fields: { reference: "string" }, required: ["reference"] },
        executorRootPath: "string",
      },
    },
    sourceContext: {
      fields: { git: { fields: { repoUrl: "string", branch: "string", commit: "string", repoDir: "string" } } },
    },
    vcs: VCS,
    operationContext: {
      fields: {
        oidc: {
          fields: { azure: { fields: { clientId: "string", tenantId: "string", subscriptionId: "string" } } },
        },
        preRunCommands: { list: "string" },
        environmentVariables: { map: "secret" },
        options: {
          fields: {
            skipInstallDependencies: "boolean",
            skipIntermediateDeployments: "boolean",
            deleteAfterDestroy: "boolean",
            remediateIfDriftDetected: "boolean",
            shell: "string",
          },
        },
      },
    },
  },
};

/** Keeps secrets as ciphertext that nothing but this opens. */
export class Vault {
  readonly #opened = new Map<string, string>();

  seal(value: string): { readonly ciphertext: string } {
    const ciphertext = randomBytes(24).toString("base64");
    this.#opened.set(ciphertext, value);
    return { ciphertext };
  }

  /** @throws Error for what was not sealed here. */
  open(value: string | { readonly ciphertext: string }): string {
    if (typeof value === "string") return value;
    const opened = this.#opened.get(value.ciphertext);
    if (opened === undefined) throw new Error("a ciphertext that this vault did not make");
    return opened;
  }
}

/**
 * What settings become of a PUT.
 * @throws ServiceError 400 in the service's words.
 */
export function replaced(body: unknown, vault: Vault): Json {
  check(body, SHAPE, "");
  return sealed(validated(body as Json), vault);
}

/** What settings become of a POST, which merges: null takes away, objects are merged but for `vcs`, all else is replaced. */
export function patched(before: Json, body: unknown, vault: Vault): Json {
  check(body, SHAPE, "", true);
  return sealed(validated(merged(before, body as Json)), vault);
}

function merged(before: Json, patch: Json): Json {
  const result: Json = { ...before };
  for (const [name, value] of Object.entries(patch)) {
    const there = result[name];
    if (value === null) delete result[name];
    else if (isObject(value) && isObject(there) && name !== "vcs") result[name] = merged(there, value);
    else result[name] = value;
  }
  return result;
}

function validated(settings: Json): Json {
  const { vcs, sourceContext } = settings as Settings & Json;
  if (vcs?.deployCommits === true && vcs.deployTags === true)
    throw fault(400, "Bad Request: vcs.deployCommits and vcs.deployTags cannot both be enabled");
  if (vcs?.provider !== undefined && !vcs.repository) throw fault(400, "Bad Request: vcs.repository is required");
  const git = sourceContext?.git as Json | undefined;
  if (git?.branch && git.commit)
    throw fault(400, "Bad Request: sourceContext.git.branch and sourceContext.git.commit are mutually exclusive");
  if (git && !git.branch && !git.commit)
    throw fault(400, "Bad Request: one of sourceContext.git.branch and sourceContext.git.commit is required");
  return settings;
}

function sealed(settings: Json, vault: Vault): Json {
  const operation = settings.operationContext as Json | undefined;
  if (!isObject(operation?.environmentVariables)) return settings;
  const variables = Object.entries(operation.environmentVariables).map(([name, value]) => [
    name,
    isObject(value) && typeof value.secret === "string" ? vault.seal(value.secret) : value,
  ]);
  return {
    ...settings,
    operationContext: { ...operation, environmentVariables: Object.fromEntries(variables) },
  };
}
