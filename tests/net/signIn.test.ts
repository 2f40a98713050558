import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { pipelineSignIn, signInFaults, signInOf } from "../../net/signIn.ts";

type Environment = Readonly<Record<string, string>>;

const PRINCIPAL = { ARM_CLIENT_ID: "c", ARM_TENANT_ID: "t" };
const FEDERATED = { ...PRINCIPAL, ARM_USE_OIDC: "true" };
const GITHUB = { ACTIONS_ID_TOKEN_REQUEST_URL: "https://token", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "bearer" };

describe("the way to sign in to Azure", () => {
  const ways: readonly [
    what: string,
    environment: Environment,
    way: string,
    kubelogin: string,
    token?: string | undefined,
  ][] = [
    ["az login where nothing is said", {}, "az", "azurecli"],
    ["az login where only names are said", PRINCIPAL, "az", "azurecli"],
    ["a secret", { ...PRINCIPAL, ARM_CLIENT_SECRET: "s" }, "secret", "spn"],
    [
      "a certificate before a secret",
      { ...PRINCIPAL, ARM_CLIENT_CERTIFICATE_PATH: "/x.pem", ARM_CLIENT_SECRET: "s" },
      "certificate",
      "spn",
    ],
    ["a secret before a federated token", { ...FEDERATED, ...GITHUB, ARM_CLIENT_SECRET: "s" }, "secret", "spn"],
    ["the token of a GitHub workflow", { ...FEDERATED, ...GITHUB }, "federated", "workloadidentity", "request"],
    ["a token in a file", { ...FEDERATED, ARM_OIDC_TOKEN_FILE_PATH: "/t" }, "federated", "workloadidentity", "file"],
    ["a token in a variable", { ...FEDERATED, ARM_OIDC_TOKEN: "x" }, "federated", "azurecli", "value"],
    ["a federated token that nothing gives", FEDERATED, "federated", "workloadidentity", undefined],
    ["a pod's token", { AZURE_FEDERATED_TOKEN_FILE: "/t" }, "federated", "workloadidentity", "file"],
    ["a managed identity", { ARM_USE_MSI: "true" }, "managedIdentity", "msi"],
    [
      "a federated token before a managed identity",
      { ...FEDERATED, ...GITHUB, ARM_USE_MSI: "true" },
      "federated",
      "workloadidentity",
      "request",
    ],
    [
      "what Azure's SDKs find, before all else",
      { ...PRINCIPAL, ARM_CLIENT_SECRET: "s", ARM_USE_DEFAULT_AZURE_CREDENTIAL: "true" },
      "default",
      "azurecli",
    ],
  ];
  for (const [what, environment, way, kubelogin, token] of ways)
    it(`is ${what}`, () => {
      const { token: found, ...rest } = signInOf(environment);
      assert.deepEqual([rest, found], [{ way, kubelogin }, token]);
    });
});

describe("a fault of the sign-in", () => {
  /** What is told of an environment on a machine with these programs: severity, key and problem. */
  const told = (environment: Environment, ...programs: string[]) =>
    signInFaults(environment, (name) => programs.includes(name)).map(
      ({ severity, key, problem }) => `${severity}: ${key} ${problem}`,
    );
  const remedy = (environment: Environment) => signInFaults(environment, () => true)[0]?.remedy ?? "";

  it("is none where all three see the same", () => {
    assert.deepEqual(told({}, "az"), []);
    for (const more of [
      { ARM_CLIENT_SECRET: "s" },
      { ARM_CLIENT_CERTIFICATE_PATH: "/x.pem" },
      { ARM_USE_OIDC: "true", ...GITHUB },
      { ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: "x" },
      { ARM_USE_OIDC: "true", AZURE_FEDERATED_TOKEN_FILE: "/t", ...GITHUB },
      { ARM_USE_OIDC: "true", ARM_OIDC_TOKEN_FILE_PATH: "/t", AZURE_FEDERATED_TOKEN_FILE: "/t", AZURE_CLIENT_ID: "c" },
      { ARM_USE_MSI: "true" },
    ])
      assert.deepEqual(told({ ...PRINCIPAL, ...more }), []);
  });

  it("is that az is missing where its login counts", () => {
    assert.deepEqual(told({}), ["error: az is not on PATH, and no variable names another way to sign in to Azure"]);
    assert.match(
      signInFaults({}, () => false)[0]?.remedy ?? "",
      /^install the Azure CLI .* and run `az login`, or set ARM_CLIENT_ID, /,
    );
  });

  it("is a credential without the names that belong to it", () => {
    assert.deepEqual(told({ ARM_CLIENT_SECRET: "s", ARM_TENANT_ID: "t" }), [
      "error: ARM_CLIENT_ID is missing beside the credential of a service principal",
    ]);
    assert.deepEqual(told({ ARM_USE_OIDC: "true", ...GITHUB }), [
      "error: ARM_CLIENT_ID is missing beside the credential of a service principal",
      "error: ARM_TENANT_ID is missing beside the credential of a service principal",
    ]);
  });

  it("is a federated token that nothing gives, with what helps where this runs", () => {
    assert.deepEqual(told(FEDERATED), ["error: ARM_USE_OIDC is set, but nothing gives the token of another issuer"]);
    assert.match(remedy({ ...FEDERATED, GITHUB_ACTIONS: "true" }), /^give the job `permissions: \{ id-token: write/);
    const pipeline = { ...FEDERATED, TF_BUILD: "True", SYSTEM_OIDCREQUESTURI: "https://dev.azure.com/x" };
    assert.match(remedy(pipeline), /^azure-native does not ask Azure Pipelines for one: .* ARM_OIDC_TOKEN=\$idToken/);
    assert.equal(remedy(FEDERATED), "set ARM_OIDC_TOKEN_FILE_PATH or ARM_OIDC_TOKEN");
  });

  it("is a variable that the plugin takes and azure-native does not look at", () => {
    const pod = { AZURE_CLIENT_ID: "c", AZURE_TENANT_ID: "t", AZURE_FEDERATED_TOKEN_FILE: "/t" };
    assert.deepEqual(told(pod), [
      "error: ARM_USE_OIDC is not set, and azure-native does not look at AZURE_FEDERATED_TOKEN_FILE",
      "error: ARM_CLIENT_ID is not set, and azure-native does not look at AZURE_CLIENT_ID",
      "error: ARM_TENANT_ID is not set, and azure-native does not look at AZURE_TENANT_ID",
      "error: ARM_OIDC_TOKEN_FILE_PATH is not set, and azure-native does not look at AZURE_FEDERATED_TOKEN_FILE",
    ]);
    assert.deepEqual(told({ ...PRINCIPAL, AZURE_CLIENT_SECRET: "s" }), [
      "error: ARM_CLIENT_SECRET is not set, and azure-native does not look at AZURE_CLIENT_SECRET",
    ]);
    assert.deepEqual(told({ ...FEDERATED, ARM_OIDC_REQUEST_URL: "https://token", ARM_OIDC_REQUEST_TOKEN: "bearer" }), [
      "error: ACTIONS_ID_TOKEN_REQUEST_URL is not set, and azure-native does not look at ARM_OIDC_REQUEST_URL",
      "error: ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set, and azure-native does not look at ARM_OIDC_REQUEST_TOKEN",
    ]);
  });

  it("is a switch that is on for the plugin alone", () => {
    const problem = "is on, but not for azure-native, which takes nothing but true";
    assert.deepEqual(told({ ...FEDERATED, ...GITHUB, ARM_USE_OIDC: "1" }), [`error: ARM_USE_OIDC ${problem}`]);
    assert.deepEqual(told({ ARM_USE_MSI: "True" }), [`error: ARM_USE_MSI ${problem}`]);
    assert.deepEqual(told({ ARM_USE_MSI: "false" }, "az"), []);
  });

  it("is only a warning where something is set and does not count", () => {
    assert.deepEqual(told({ ...FEDERATED, ...GITHUB, ARM_CLIENT_SECRET: "s" }), [
      "warning: ARM_USE_OIDC is set, but ARM_CLIENT_SECRET goes first",
    ]);
    assert.deepEqual(told(PRINCIPAL, "az"), [
      "warning: ARM_CLIENT_ID is set, but nothing that it signs in with, so that the login of az counts",
    ]);
    assert.deepEqual(told({ ...PRINCIPAL, ARM_CLIENT_SECRET: "s", AZURE_CLIENT_ID: "other" }), [
      "warning: ARM_CLIENT_ID is another one than AZURE_CLIENT_ID, which sops and Azure's SDKs sign in with",
    ]);
  });

  it("shows nothing of what a variable holds", () => {
    const hidden = {
      ARM_CLIENT_SECRET: "hush",
      AZURE_CLIENT_SECRET: "hush",
      ARM_OIDC_TOKEN: "hush",
      ARM_USE_OIDC: "yes",
    };
    for (const more of [{}, PRINCIPAL, { AZURE_CLIENT_ID: "hush", ARM_CLIENT_ID: "hush2" }])
      assert.equal(JSON.stringify(signInFaults({ ...hidden, ...more }, () => false)).includes("hush"), false);
  });
});

describe("the documentation of signing in", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/sign-in.md"), "utf8");
  const rows = [...page.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)]
    .map(([, ...cells]) => cells.map((cell) => cell.trim()))
    .filter(([where = ""]) => where !== "where it runs");

  it("says of each way what kubelogin is told, and gives variables that are enough for it", () => {
    assert.ok(rows.length >= 10);
    for (const [where = "", what = "", variables = "", kubelogin = ""] of rows) {
      const told = [...variables.matchAll(/`(\w+)(?:=([^`]*))?`/g)];
      const environment = Object.fromEntries(told.map(([, name, value]) => [name, value ?? "x"]));
      const runner = where.startsWith("GitHub") && environment.ARM_USE_OIDC ? GITHUB : {};
      const signIn = signInOf({ ...environment, ...runner });
      assert.equal(signIn.kubelogin, kubelogin.match(/`(\w+)`/)?.[1], `${where}: ${what}`);
      assert.deepEqual(
        signInFaults({ ...environment, ...runner }, (name) => name === "az"),
        [],
        `${where}: ${what}`,
      );
    }
  });

  it("has every way", () => {
    const ways = rows.map(
      ([, , variables = ""]) =>
        signInOf(
          Object.fromEntries(
            [...variables.matchAll(/`(\w+)(?:=([^`]*))?`/g)].map(([, name, value]) => [name, value ?? "x"]),
          ),
        ).way,
    );
    assert.deepEqual([...new Set(ways)].sort(), [
      "az",
      "certificate",
      "default",
      "federated",
      "managedIdentity",
      "secret",
    ]);
  });
});

describe("what a pipeline's environment lacks for all its programs to sign in", () => {
  const names = { AZURE_CLIENT_ID: "c", AZURE_TENANT_ID: "t" };
  const connection = {
    ...{ SYSTEM_OIDCREQUESTURI: "https://dev.azure.com/acme/oidctoken", SYSTEM_ACCESSTOKEN: "bearer" },
    ...{ AZURESUBSCRIPTION_CLIENT_ID: "c", AZURESUBSCRIPTION_TENANT_ID: "t" },
    AZURESUBSCRIPTION_SERVICE_CONNECTION_ID: "one",
  };
  /** All that a program sees afterwards, without what was there before. */
  const added = (environment: Environment) => {
    const { variables, ...rest } = pipelineSignIn(environment);
    const after = { ...environment, ...variables };
    assert.deepEqual(
      signInFaults(after, () => true),
      [],
    );
    const more = Object.entries(variables).filter(([name, value]) => environment[name] !== value);
    return { ...rest, variables: Object.fromEntries(more) };
  };

  it("is nothing for az, a managed identity, and what Azure's SDKs find", () => {
    for (const environment of [{}, { ARM_USE_MSI: "true" }, { ARM_USE_DEFAULT_AZURE_CREDENTIAL: "true" }])
      assert.deepEqual(pipelineSignIn(environment as Environment), { variables: {} });
  });

  it("is the other name of each variable of a service principal, whichever is there", () => {
    assert.deepEqual(added({ ...PRINCIPAL, ARM_CLIENT_SECRET: "s" }), {
      variables: { ...names, AZURE_CLIENT_SECRET: "s" },
    });
    assert.deepEqual(added({ ...names, AZURE_CLIENT_SECRET: "s" }), {
      variables: { ...PRINCIPAL, ARM_CLIENT_SECRET: "s" },
    });
    assert.deepEqual(added({ ...PRINCIPAL, ARM_CLIENT_CERTIFICATE_PATH: "/x", ARM_CLIENT_CERTIFICATE_PASSWORD: "p" }), {
      variables: { ...names, AZURE_CLIENT_CERTIFICATE_PATH: "/x", AZURE_CLIENT_CERTIFICATE_PASSWORD: "p" },
    });
  });

  it("is a file with the workflow's token on GitHub, where azure-native asks by itself", () => {
    const url = "https://token.example/id?api-version=2.0";
    const token = {
      ...{ from: "request", method: "GET", bearer: "bearer", member: "value" },
      url: `${url}&audience=api%3A%2F%2FAzureADTokenExchange`,
    };
    const gitHub = { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "bearer" };
    assert.deepEqual(added({ ...PRINCIPAL, ...gitHub }), { token, variables: { ...names, ARM_USE_OIDC: "true" } });
    assert.deepEqual(added({ ...names, ...gitHub, ARM_USE_OIDC: "1" }), {
      ...{ token, variables: { ...PRINCIPAL, ARM_USE_OIDC: "true" } },
    });
    // After azure/login nobody named a principal: then its login counts.
    assert.deepEqual(pipelineSignIn(gitHub), { variables: {} });
  });

  it("is the token of the service connection in Azure Pipelines, and a place to ask for it", () => {
    const token = {
      ...{ from: "request", method: "POST", bearer: "bearer", member: "oidcToken" },
      url: "https://dev.azure.com/acme/oidctoken?api-version=7.1&serviceConnectionId=one",
    };
    const spn = { idToken: "stale", servicePrincipalId: "c", tenantId: "t", ARM_OIDC_TOKEN: "stale" };
    const { variables, ...rest } = pipelineSignIn({ ...connection, ...spn });
    assert.deepEqual(rest, { token, asksFor: true });
    assert.deepEqual(variables, { ...PRINCIPAL, ...names, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: undefined });
  });

  it("is the one token of the task where the job may not ask for another", () => {
    const spn = { idToken: "x", servicePrincipalId: "c", tenantId: "t" };
    const token = { from: "value", value: "x" };
    assert.deepEqual(added({ ...spn, AZURESUBSCRIPTION_SERVICE_CONNECTION_ID: "one" }), {
      ...{ token, variables: { ...PRINCIPAL, ...names, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: "x" } },
    });
    assert.deepEqual(added({ ...FEDERATED, ARM_OIDC_TOKEN: "x" }), { token, variables: names });
    const secret = { servicePrincipalKey: "s", servicePrincipalId: "c", tenantId: "t" };
    assert.deepEqual(added(secret), {
      variables: { ...PRINCIPAL, ...names, ARM_CLIENT_SECRET: "s", AZURE_CLIENT_SECRET: "s" },
    });
  });

  it("is the other name of a token's file, as of a pod and of Pulumi Deployments", () => {
    assert.deepEqual(added({ ...names, AZURE_FEDERATED_TOKEN_FILE: "/t" }), {
      variables: { ...PRINCIPAL, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN_FILE_PATH: "/t" },
    });
    assert.deepEqual(added({ ...FEDERATED, ARM_OIDC_TOKEN_FILE_PATH: "/t" }), {
      variables: { ...names, AZURE_FEDERATED_TOKEN_FILE: "/t" },
    });
  });

  it("is Entra's host for what reads no ARM_ENVIRONMENT", () => {
    assert.deepEqual(added({ ...PRINCIPAL, ARM_CLIENT_SECRET: "s", ARM_ENVIRONMENT: "china" }), {
      variables: { ...names, AZURE_CLIENT_SECRET: "s", AZURE_AUTHORITY_HOST: "https://login.chinacloudapi.cn" },
    });
  });
});
