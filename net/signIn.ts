// How the environment signs in to Azure: one decision for the plugin, for azure-native, which makes it by itself, and for
// kubelogin, which is told. The order is azure-native's (pulumi-azure-native, provider/pkg/provider/auth_azidentity.go).

import { cloudOf } from "./azureCloud.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The ways to sign in. */
export type Way =
  | "default"
  | "certificate"
  | "secret"
  | "federated"
  | "managedIdentity"
  /** The login of the Azure CLI. */
  | "az";

/** How an environment signs in; no credential is in here. */
export interface SignIn {
  readonly way: Way;
  /** What kubelogin is to sign in by: the value of AAD_LOGIN_METHOD, or what it does without that. */
  readonly kubelogin: "azurecli" | "spn" | "workloadidentity" | "msi";
  /** Of the way `federated`: where another issuer's token comes from; undefined where nothing gives one. */
  readonly token?: "value" | "file" | "request" | undefined;
}

const KUBELOGIN: Readonly<Record<Way, SignIn["kubelogin"]>> = {
  default: "azurecli",
  certificate: "spn",
  secret: "spn",
  federated: "workloadidentity",
  managedIdentity: "msi",
  az: "azurecli",
};

/** A variable of azure-native, or the one of Azure's SDKs where that is not set. */
export const signInVariable = (environment: Environment, name: string): string | undefined =>
  environment[`ARM_${name}`] || environment[`AZURE_${name}`] || undefined;

/** Where the token of another issuer comes from. */
function tokenOf(environment: Environment): SignIn["token"] {
  if (environment.ARM_OIDC_TOKEN) return "value";
  if (environment.ARM_OIDC_TOKEN_FILE_PATH || environment.AZURE_FEDERATED_TOKEN_FILE) return "file";
  const { url, bearer } = tokenRequest(environment);
  return url && bearer ? "request" : undefined;
}

/** Where a workflow fetches its token, and with what. */
export function tokenRequest(environment: Environment) {
  return {
    url: environment.ARM_OIDC_REQUEST_URL || environment.ACTIONS_ID_TOKEN_REQUEST_URL,
    bearer: environment.ARM_OIDC_REQUEST_TOKEN || environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN,
  };
}

function wayOf(environment: Environment): Way {
  if (isTrue(environment.ARM_USE_DEFAULT_AZURE_CREDENTIAL)) return "default";
  if (signInVariable(environment, "CLIENT_CERTIFICATE_PATH")) return "certificate";
  if (signInVariable(environment, "CLIENT_SECRET")) return "secret";
  if (isTrue(environment.ARM_USE_OIDC) || environment.AZURE_FEDERATED_TOKEN_FILE) return "federated";
  return isTrue(environment.ARM_USE_MSI) ? "managedIdentity" : "az";
}

/** How an environment signs in. */
export function signInOf(environment: Environment): SignIn {
  const way = wayOf(environment);
  if (way !== "federated") return { way, kubelogin: KUBELOGIN[way] };
  const token = tokenOf(environment);
  // It reads no token from a variable; where one stands there, in Azure Pipelines, az has a login too.
  return { way, token, kubelogin: token === "value" ? "azurecli" : KUBELOGIN[way] };
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(1|true)$/i.test(value);
}

/** What keeps an environment from signing in, or from signing in to all as the same. */
export interface SignInFault {
  /** The variable, or the tool. */
  readonly key: string;
  /** What is wrong, as a phrase that follows the key; without any value. */
  readonly problem: string;
  /** What to do. */
  readonly remedy: string;
  /** error: something cannot sign in. warning: it does, but maybe not as was meant. */
  readonly severity: "error" | "warning";
}

/**
 * Everything about the sign-in that azure-native, the plugin or Azure would say later, each in other words, or never.
 * @param hasProgram whether a program is on PATH.
 */
export function signInFaults(environment: Environment, hasProgram: (name: string) => boolean): SignInFault[] {
  const signIn = signInOf(environment);
  return [
    ...switches(environment),
    ...unseen(environment, signIn),
    ...incomplete(environment, signIn),
    ...ambiguous(environment, signIn),
    ...(signIn.way === "az" && !hasProgram("az")
      ? [
          error(
            "az",
            "is not on PATH, and no variable names another way to sign in to Azure",
            "install the Azure CLI (https://aka.ms/azure-cli) and run `az login`, or set ARM_CLIENT_ID, ARM_TENANT_ID and " +
              "ARM_SUBSCRIPTION_ID with ARM_CLIENT_SECRET, ARM_CLIENT_CERTIFICATE_PATH or ARM_USE_OIDC=true",
          ),
        ]
      : []),
  ];
}

const error = (key: string, problem: string, remedy: string): SignInFault => ({
  ...{ key, problem, remedy },
  severity: "error",
});

const SWITCHES = ["ARM_USE_OIDC", "ARM_USE_MSI", "ARM_USE_DEFAULT_AZURE_CREDENTIAL"];

/** azure-native takes one spelling alone. */
function switches(environment: Environment): SignInFault[] {
  return SWITCHES.filter((name) => isTrue(environment[name]) && environment[name] !== "true").map((name) =>
    error(name, "is on, but not for azure-native, which takes nothing but true", `set ${name}=true`),
  );
}

/** Of these the plugin takes the second where the first is missing; azure-native does not. */
const PAIRS = [
  ["ARM_CLIENT_ID", "AZURE_CLIENT_ID"],
  ["ARM_TENANT_ID", "AZURE_TENANT_ID"],
  ["ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET"],
  ["ARM_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"],
  ["ARM_OIDC_TOKEN_FILE_PATH", "AZURE_FEDERATED_TOKEN_FILE"],
  ["ACTIONS_ID_TOKEN_REQUEST_URL", "ARM_OIDC_REQUEST_URL"],
  ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ARM_OIDC_REQUEST_TOKEN"],
] as const;

/** Which of the pairs a way reads. */
function readBy({ way, token }: SignIn): readonly string[] {
  const principal = ["ARM_CLIENT_ID", "ARM_TENANT_ID"];
  if (way === "certificate") return [...principal, "ARM_CLIENT_CERTIFICATE_PATH"];
  if (way === "secret") return [...principal, "ARM_CLIENT_SECRET"];
  if (way !== "federated") return [];
  if (token === "file") return [...principal, "ARM_OIDC_TOKEN_FILE_PATH"];
  return token === "request"
    ? [...principal, "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    : principal;
}

/** What the plugin would sign in with, and azure-native does not look at. */
function unseen(environment: Environment, signIn: SignIn): SignInFault[] {
  const read = readBy(signIn);
  // It asks GitHub by itself where it is given no file.
  const asks = Boolean(environment.ACTIONS_ID_TOKEN_REQUEST_URL && environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN);
  const unread = PAIRS.filter(([name]) => read.includes(name) && !(asks && name === "ARM_OIDC_TOKEN_FILE_PATH"));
  const hidden = unread
    .filter(([name, other]) => !environment[name] && environment[other])
    .map(([name, other]) =>
      error(name, `is not set, and azure-native does not look at ${other}`, `set ${name} to the same as ${other}`),
    );
  const isOff = signIn.way === "federated" && !isTrue(environment.ARM_USE_OIDC);
  return isOff
    ? [
        error(
          "ARM_USE_OIDC",
          "is not set, and azure-native does not look at AZURE_FEDERATED_TOKEN_FILE",
          "set ARM_USE_OIDC=true",
        ),
        ...hidden,
      ]
    : hidden;
}

function incomplete(environment: Environment, { way, token }: SignIn): SignInFault[] {
  if (!["certificate", "secret", "federated"].includes(way)) return [];
  const missing = ["CLIENT_ID", "TENANT_ID"]
    .filter((name) => !signInVariable(environment, name))
    .map((name) =>
      error(
        `ARM_${name}`,
        "is missing beside the credential of a service principal",
        "set it, or take the credential away and use `az login`",
      ),
    );
  const noToken = error(
    "ARM_USE_OIDC",
    "is set, but nothing gives the token of another issuer",
    tokenRemedy(environment),
  );
  return way === "federated" && token === undefined ? [...missing, noToken] : missing;
}

/** What gives a token where this runs. */
function tokenRemedy(environment: Environment): string {
  if (environment.GITHUB_ACTIONS)
    return "give the job `permissions: { id-token: write, contents: read }`: only then GitHub sets ACTIONS_ID_TOKEN_REQUEST_URL";
  if (environment.TF_BUILD || environment.SYSTEM_OIDCREQUESTURI)
    return (
      "azure-native does not ask Azure Pipelines for one: run in the task AzureCLI@2, either without ARM_USE_OIDC, by its login " +
      "(keepAzSessionActive: true), or with addSpnToEnvironment: true and ARM_OIDC_TOKEN=$idToken, " +
      "ARM_CLIENT_ID=$servicePrincipalId, ARM_TENANT_ID=$tenantId"
    );
  return "set ARM_OIDC_TOKEN_FILE_PATH or ARM_OIDC_TOKEN";
}

/** What is set and does not count. */
function ambiguous(environment: Environment, { way }: SignIn): SignInFault[] {
  const warning = (key: string, problem: string, remedy: string): SignInFault => ({
    ...{ key, problem, remedy },
    severity: "warning",
  });
  const isFirst = way === "certificate" || way === "secret";
  const first = way === "secret" ? "ARM_CLIENT_SECRET" : "ARM_CLIENT_CERTIFICATE_PATH";
  const differ = PAIRS.slice(0, 2).filter(
    ([name, other]) => environment[name] && environment[other] && environment[name] !== environment[other],
  );
  return [
    ...(isFirst && isTrue(environment.ARM_USE_OIDC)
      ? [warning("ARM_USE_OIDC", `is set, but ${first} goes first`, "unset the one that is not meant")]
      : []),
    ...(way === "az" && environment.ARM_CLIENT_ID
      ? [
          warning(
            "ARM_CLIENT_ID",
            "is set, but nothing that it signs in with, so that the login of az counts",
            "set ARM_USE_OIDC=true, ARM_CLIENT_SECRET or ARM_CLIENT_CERTIFICATE_PATH too, or unset it",
          ),
        ]
      : []),
    ...differ.map(([name, other]) =>
      warning(
        name,
        `is another one than ${other}, which sops and Azure's SDKs sign in with`,
        "give both the same value, or unset the one that is not meant",
      ),
    ),
  ];
}

/** Where a pipeline gets a token of its system, to be exchanged for one of Entra. */
export type PipelineToken =
  /** Asked for anew whenever one is needed. */
  | {
      readonly from: "request";
      readonly method: "GET" | "POST";
      readonly url: string;
      readonly bearer: string;
      /** The member of the answer that is the token. */
      readonly member: "value" | "oidcToken";
    }
  /** There is just this one. */
  | { readonly from: "value"; readonly value: string };

/** What a pipeline's environment lacks so that all programs of a run sign in, and as the same. */
export interface PipelineSignIn {
  /** Variables to set; undefined for one to take away. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /**
   * The token that has to be in the file of AZURE_FEDERATED_TOKEN_FILE; undefined where none is needed, or where a file
   * is there.
   */
  readonly token?: PipelineToken | undefined;
  /** Whether azure-native cannot ask for that token itself, and would keep the first one until it has ended. */
  readonly asksFor?: boolean;
}

/** What azure-native reads as ARM_*, and the rest, the engine's backend and its key among it, as AZURE_*. */
const SHARED = [
  "CLIENT_ID",
  "TENANT_ID",
  "CLIENT_SECRET",
  "CLIENT_CERTIFICATE_PATH",
  "CLIENT_CERTIFICATE_PASSWORD",
] as const;

/**
 * Translates what a pipeline's system gives into what each program reads: azure-native ARM_*, the backend azblob:// and
 * the key azurekeyvault:// AZURE_*, kubelogin and the plugin both. What is set stays.
 */
export function pipelineSignIn(environment: Environment): PipelineSignIn {
  const { way } = signInOf(environment);
  if (way === "default" || way === "managedIdentity") return { variables: {} };
  const ofSystem = way === "az" || way === "federated" ? federation(environment) : undefined;
  const given = { ...environment, ...ofSystem?.variables };
  if (signInOf(given).way === "az") return { variables: {} };
  const copies = SHARED.flatMap((name) => {
    const value = signInVariable(given, name);
    return [`ARM_${name}`, `AZURE_${name}`].flatMap((key) => (value && !given[key] ? [[key, value] as const] : []));
  });
  const host = environment.ARM_ENVIRONMENT && !environment.AZURE_AUTHORITY_HOST && cloudOf(environment).authority;
  const variables = {
    ...ofSystem?.variables,
    ...Object.fromEntries(copies),
    ...(host && { AZURE_AUTHORITY_HOST: host }),
  };
  return { ...ofSystem, variables };
}

/** The token that the system of a pipeline gives, and the names that come with it. */
function federation(environment: Environment): PipelineSignIn | undefined {
  const file = environment.ARM_OIDC_TOKEN_FILE_PATH || environment.AZURE_FEDERATED_TOKEN_FILE;
  if (file)
    return { variables: { ARM_USE_OIDC: "true", ARM_OIDC_TOKEN_FILE_PATH: file, AZURE_FEDERATED_TOKEN_FILE: file } };
  const azurePipelines = connection(environment);
  if (azurePipelines !== undefined) return azurePipelines;
  const { url, bearer } = tokenRequest(environment);
  if (url && bearer && signInVariable(environment, "CLIENT_ID"))
    return {
      variables: {
        ARM_USE_OIDC: "true",
        ACTIONS_ID_TOKEN_REQUEST_URL: url,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer,
      },
      token: { from: "request", method: "GET", url: withQuery(url, { audience: AUDIENCE }), bearer, member: "value" },
    };
  const value = environment.ARM_OIDC_TOKEN;
  return value ? { variables: { ARM_USE_OIDC: "true" }, token: { from: "value", value } } : undefined;
}

/** Whom Entra takes another issuer's token for. */
const AUDIENCE = "api://AzureADTokenExchange";

/** What the task AzureCLI@2 tells of its service connection. */
function connection(environment: Environment): PipelineSignIn | undefined {
  const names = {
    ARM_CLIENT_ID:
      environment.ARM_CLIENT_ID || environment.AZURESUBSCRIPTION_CLIENT_ID || environment.servicePrincipalId,
    ARM_TENANT_ID: environment.ARM_TENANT_ID || environment.AZURESUBSCRIPTION_TENANT_ID || environment.tenantId,
  };
  const { SYSTEM_OIDCREQUESTURI: url, SYSTEM_ACCESSTOKEN: bearer } = environment;
  const id = environment.AZURESUBSCRIPTION_SERVICE_CONNECTION_ID;
  if (url && bearer && id)
    return {
      // The one that stands there ends soon and would go before.
      variables: { ...names, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: undefined },
      token: {
        from: "request",
        method: "POST",
        url: withQuery(url, { "api-version": "7.1", serviceConnectionId: id }),
        bearer,
        member: "oidcToken",
      },
      asksFor: true,
    };
  const { idToken, servicePrincipalKey } = environment;
  if (idToken)
    return {
      variables: { ...names, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: idToken },
      token: { from: "value", value: idToken },
    };
  return servicePrincipalKey && environment.servicePrincipalId
    ? { variables: { ...names, ARM_CLIENT_SECRET: servicePrincipalKey } }
    : undefined;
}

function withQuery(url: string, parameters: Readonly<Record<string, string>>): string {
  const whole = new URL(url);
  for (const [name, value] of Object.entries(parameters)) whole.searchParams.set(name, value);
  return whole.href;
}
