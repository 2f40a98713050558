import { strict as assert } from "node:assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { missing } from "../../../delivery/ci/checks.ts";

describe("what a run needs", () => {
  let project: string;
  before(async () => {
    project = await mkdtemp(join(tmpdir(), "needs-"));
    // As az writes it.
    await writeFile(join(project, "azureProfile.json"), '\ufeff{"subscriptions": [{"id": "s"}]}');
  });
  after(() => rm(project, { recursive: true }));

  /** What is missing, a line each, where az signs in and the state is in a folder, but for what is said. */
  async function lacks(
    environment: Record<string, string>,
    { stack = "config: {}\n", more = "", isPipeline = true, isUpdate = false, name = "prod" } = {},
  ) {
    await writeFile(join(project, "Pulumi.yaml"), `name: aks-gitops\n${more}`);
    await writeFile(join(project, "Pulumi.prod.yaml"), stack);
    const all = {
      PULUMI_HOME: project,
      PULUMI_BACKEND_URL: "file:///state",
      AZURE_CONFIG_DIR: project,
      ...environment,
    };
    const needs = { environment: all, project, stack: name, isPipeline, isUpdate, hasProgram: () => true };
    const { faults = "" } = await missing(needs);
    return [...faults.matchAll(/^ {2}(\S.*)$/gm)].map(([, line]) => line);
  }

  it("is nothing more where all is there, also of a stack by its whole name", async () => {
    assert.deepEqual(await lacks({}), []);
    assert.deepEqual(await lacks({}, { name: "acme/aks-gitops/prod" }), []);
  });

  it("is a token of Pulumi Cloud, unless somebody has logged in, wherever it is named", async () => {
    const token = (at: string) => [`PULUMI_ACCESS_TOKEN is not set, and the state is kept at ${at}`];
    const cloud = { PULUMI_BACKEND_URL: "" };
    assert.deepEqual(await lacks(cloud), token("https://api.pulumi.com"));
    assert.deepEqual(await lacks({ ...cloud, PULUMI_ACCESS_TOKEN: "pul-x" }), []);
    const own = "backend: { url: https://pulumi.acme.example }\n";
    assert.deepEqual(await lacks(cloud, { more: own }), token("https://pulumi.acme.example"));
    assert.deepEqual(await lacks({ PULUMI_BACKEND_URL: "https://other" }, { more: own }), token("https://other"));
    await writeFile(join(project, "credentials.json"), JSON.stringify({ current: "https://api.pulumi.com" }));
    assert.deepEqual(await lacks(cloud), []);
    await writeFile(join(project, "credentials.json"), JSON.stringify({ current: "file:///elsewhere" }));
    assert.deepEqual(await lacks(cloud), []);
    await rm(join(project, "credentials.json"));
  });

  it("is a login of az where it counts, which a runner's own az has not", async () => {
    const nobody = { AZURE_CONFIG_DIR: join(project, "nobody") };
    assert.deepEqual(await lacks(nobody), ["ARM_CLIENT_ID is not set, and az has no login"]);
    assert.deepEqual(await lacks(nobody, { isPipeline: false }), [
      "az has no login, and no variable names another way to sign in",
    ]);
    const secret = { ARM_CLIENT_ID: "c", ARM_TENANT_ID: "t", ARM_CLIENT_SECRET: "s", ARM_SUBSCRIPTION_ID: "s" };
    assert.deepEqual(await lacks({ ...nobody, ...secret }), []);
  });

  it("is the storage account of a container", async () => {
    const fault = ["PULUMI_BACKEND_URL names a container but no storage account: azblob://state"];
    assert.deepEqual(await lacks({ PULUMI_BACKEND_URL: "azblob://state" }), fault);
    assert.deepEqual(await lacks({ PULUMI_BACKEND_URL: "azblob://state?storage_account=acme" }), []);
    assert.deepEqual(await lacks({ PULUMI_BACKEND_URL: "azblob://state", AZURE_STORAGE_ACCOUNT: "acme" }), []);
  });

  it("is the passphrase that seals the stack's secrets, but no key", async () => {
    const fault = ["PULUMI_CONFIG_PASSPHRASE is not set, and seals the secrets in Pulumi.prod.yaml"];
    assert.deepEqual(await lacks({}, { stack: "encryptionsalt: v1:x\n" }), fault);
    assert.deepEqual(await lacks({}, { stack: "secretsprovider: passphrase\n" }), fault);
    assert.deepEqual(await lacks({ PULUMI_CONFIG_PASSPHRASE: "" }, { stack: "encryptionsalt: v1:x\n" }), []);
    assert.deepEqual(await lacks({ PULUMI_CONFIG_PASSPHRASE_FILE: "/x" }, { stack: "encryptionsalt: v1:x\n" }), []);
    const key = "secretsprovider: azurekeyvault://acme.vault.azure.net/keys/pulumi\nencryptedkey: x\n";
    assert.deepEqual(await lacks({}, { stack: key }), []);
  });

  it("is a subscription where az does not tell one", async () => {
    const secret = { ARM_CLIENT_ID: "c", ARM_TENANT_ID: "t", ARM_CLIENT_SECRET: "s" };
    const fault = ["ARM_SUBSCRIPTION_ID is not set, and the stack's file has no azure-native:subscriptionId"];
    assert.deepEqual(await lacks(secret), fault);
    assert.deepEqual(await lacks(secret, { stack: "config: { azure-native:subscriptionId: s }\n" }), []);
    assert.deepEqual(await lacks({ ...secret, ARM_SUBSCRIPTION_ID: "s" }), []);
  });

  it("is a token for the GitOps repository over HTTPS, where nobody can be asked", async () => {
    const stack = (repository: string) => `config:\n  aks-gitops:flux: { repository: "${repository}" }\n`;
    const fault = [
      "GIT_TOKEN is not set, nor is GITHUB_TOKEN, and the program writes to https://github.com/acme/fleet",
    ];
    const https = stack("https://github.com/acme/fleet");
    assert.deepEqual(await lacks({}, { stack: https }), fault);
    assert.deepEqual(await lacks({ GIT_TOKEN: "x" }, { stack: https }), []);
    assert.deepEqual(await lacks({}, { stack: https, isPipeline: false }), []);
    assert.deepEqual(await lacks({}, { stack: stack("ssh://git@github.com/acme/fleet") }), []);
    const other = "GIT_TOKEN is not set, and the program writes to https://gitlab.com/acme/fleet";
    assert.deepEqual(await lacks({ GITHUB_TOKEN: "x" }, { stack: stack("https://gitlab.com/acme/fleet") }), [other]);
    const named = https.replace(" }", ", commit: { credential: FLEET_TOKEN } }");
    assert.deepEqual(await lacks({ GIT_TOKEN: "x" }, { stack: named }), [
      "FLEET_TOKEN is not set, and the program writes to https://github.com/acme/fleet with it (flux.commit.credential)",
    ]);
    assert.deepEqual(await lacks({ FLEET_TOKEN: "x" }, { stack: named }), []);
    const ofApp = https.replace(" }", ", commit: { githubApp: { id: 12345 } } }");
    assert.deepEqual(await lacks({ GIT_TOKEN: "x" }, { stack: ofApp }), [
      "GITHUB_APP_KEY is not set, and the program writes to https://github.com/acme/fleet with it (flux.commit.githubApp)",
    ]);
    assert.deepEqual(await lacks({ GITHUB_APP_KEY: "x" }, { stack: ofApp }), []);
  });

  it("is a token of Flux's own for an update, where a bootstrapped Flux would keep one that ends within the hour", async () => {
    const stack = (flux: string) =>
      `config:\n  aks-gitops:flux: { repository: https://github.com/acme/fleet, ${flux} }\n`;
    const job = { GITHUB_TOKEN: "ghs_ofTheJob" };
    const bootstrap = { stack: stack("mode: bootstrap"), isUpdate: true };
    assert.deepEqual(await lacks(job, bootstrap), [
      "FLUX_GIT_TOKEN is not set, and a bootstrapped Flux would keep GITHUB_TOKEN, which ends with the job or within the hour",
    ]);
    assert.deepEqual(await lacks({ ...job, FLUX_GIT_TOKEN: "github_pat_flux" }, bootstrap), []);
    assert.deepEqual(await lacks({ GITHUB_TOKEN: "ghp_stays" }, bootstrap), []);
    assert.deepEqual(await lacks(job, { ...bootstrap, isUpdate: false }), []);
    // No such token is given to Flux at another host, nor over SSH.
    for (const repository of ["https://gitlab.com/acme/fleet", "ssh://git@github.com/acme/fleet"]) {
      const elsewhere = bootstrap.stack.replace("https://github.com/acme/fleet", repository);
      assert.deepEqual(await lacks({ ...job, GIT_TOKEN: "x" }, { ...bootstrap, stack: elsewhere }), []);
    }
    const artifact = 'mode: bootstrap, artifact: { url: "oci://{registry}/fleet" }';
    for (const flux of ["mode: extension", "mode: bootstrap, auth: deployKey", artifact])
      assert.deepEqual(await lacks(job, { stack: stack(flux), isUpdate: true }), []);
  });

  it("is a file that can be read, told in one with the rest", async () => {
    await writeFile(join(project, "Pulumi.prod.yaml"), "config: [\n");
    const environment = { PULUMI_HOME: project, ARM_CLIENT_SECRET: "s" };
    const needs = { environment, project, stack: "prod", isPipeline: true, isUpdate: false, hasProgram: () => true };
    const { faults = "" } = await missing(needs);
    assert.match(
      faults,
      /^\S+Pulumi\.prod\.yaml, line \d+, column \d+ is no YAML: .*\n\n3 faults in what this run needs/,
    );
  });
});
