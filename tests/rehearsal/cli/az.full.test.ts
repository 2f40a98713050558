// The real az as a judge of the simulated Azure. It is used where it is on PATH: `pip install azure-cli==2.91.0`.
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { signInAz } from "../../../rehearsal/cli/azSignIn.ts";
import { type CloudProcess, startCloud } from "../../../rehearsal/cli/cloudProcess.ts";
import { type Ran, run } from "../../../rehearsal/run.ts";
import { checkout, environment, makeFolders, pathsOf } from "../../../rehearsal/session.ts";
import { setEnvironment } from "../../support/environment.ts";

const hasAz = spawnSync("az", ["version"], { stdio: "ignore" }).status === 0;
/** One that a rehearsal of prod has upstream. */
const IMAGE = "ghcr.io/stefanprodan/podinfo:6.14.1";

describe("the real az against the simulated Azure", function () {
  if (!hasAz) {
    it.skip("needs az on PATH: pip install azure-cli==2.91.0");
    return;
  }
  this.timeout(900_000);
  const root = mkdtempSync(join(tmpdir(), "az-"));
  let cloud: CloudProcess;
  let env: Record<string, string>;
  let restore = () => {};

  before(async () => {
    restore = setEnvironment({ AKS_GITOPS_REHEARSALS: root });
    const paths = pathsOf("prod");
    await makeFolders(paths);
    cloud = await startCloud("prod", paths);
    await signInAz(paths, cloud.cloud, "deployer");
    env = { ...environment({ paths, cloud: cloud.cloud }), AZURE_CORE_ONLY_SHOW_ERRORS: "1", HOME: root };
  });

  after(async () => {
    await cloud?.stop();
    restore();
    rmSync(root, { recursive: true, force: true });
  });

  const az = (...args: string[]): Promise<Ran> => run("az", args, { cwd: root, env });

  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape.
  async function answer(...args: string[]): Promise<any> {
    const { code, stdout, stderr } = await az(...args, "--output", "json");
    assert.equal(code, 0, `az ${args.join(" ")}\n${stderr}`);
    return stdout.trim() === "" ? undefined : JSON.parse(stdout);
  }

  async function refusal(...args: string[]): Promise<string> {
    const { code, stderr } = await az(...args);
    assert.notEqual(code, 0, `az ${args.join(" ")} was not refused`);
    return stderr.trim();
  }

  it("is signed in as the rehearsal's deployer, and finds its subscription", async () => {
    const { id, user } = await answer("account", "show");
    assert.deepEqual([id, user.name], [cloud.cloud.subscriptionId, cloud.cloud.identities.deployer.clientId]);
    assert.equal((await answer("account", "get-access-token")).tenant, cloud.cloud.tenantId);
    assert.match(
      await refusal("ad", "signed-in-user", "show"),
      /\/me request is only valid with delegated authentication/,
    );
  });

  it("goes the way by hand, step by step", async () => {
    const script = join(checkout, "benchmarks/byHand.sh");
    const { code, stdout, stderr } = await run(script, ["demo", "westeurope", IMAGE], { cwd: root, env });
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    console.log(stdout.trim().replaceAll(/^/gm, "      "));
    assert.match(stdout, /https:\/\/kv-demo\.vault\.azure\.net\/keys\/sops-key\/[0-9a-f]{32}/);
    const made: { type: string; name: string }[] = await answer("resource", "list", "-g", "rg-demo");
    assert.deepEqual(made.map(({ type, name }) => `${type.split("/").at(-1)} ${name}`).sort(), [
      "managedClusters aks-demo",
      "registries acrdemo",
      "userAssignedIdentities id-demo-decryptor",
      "vaults kv-demo",
    ]);
    assert.deepEqual(await answer("acr", "repository", "list", "-n", "acrdemo"), ["stefanprodan/podinfo"]);
    const roles: { roleDefinitionName: string }[] = await answer("role", "assignment", "list", "--all");
    const names = roles.map(({ roleDefinitionName }) => roleDefinitionName);
    for (const role of ["AcrPull", "Key Vault Crypto User"])
      assert.ok(names.includes(role), `${role} is not among ${names.join(", ")}`);
  });

  it("lists what was asked for and nothing else", async () => {
    const names = async (...args: string[]) => (await answer(...args)).map(({ name }: { name: string }) => name);
    assert.deepEqual(await names("keyvault", "list"), ["kv-demo"]);
    assert.deepEqual(await names("resource", "list", "--resource-type", "Microsoft.ContainerRegistry/registries"), [
      "acrdemo",
    ]);
    assert.deepEqual(await names("resource", "list", "--tag", "team=platform"), []);
    assert.deepEqual(await names("identity", "list", "-g", "rg-demo"), ["id-demo-decryptor"]);
    assert.deepEqual(await names("aks", "list"), ["aks-demo"]);
    assert.deepEqual(await names("aks", "nodepool", "list", "-g", "rg-demo", "--cluster-name", "aks-demo"), [
      "nodepool1",
    ]);
    assert.equal((await answer("ad", "sp", "list", "--display-name", "sp-demo-acrpull")).length, 1);
    const registry = await answer(
      "resource",
      "show",
      "-g",
      "rg-demo",
      "-n",
      "acrdemo",
      "--resource-type",
      "Microsoft.ContainerRegistry/registries",
    );
    assert.equal(registry.properties.loginServer, "acrdemo.azurecr.io");
    assert.equal((await answer("acr", "login", "-n", "acrdemo", "--expose-token")).loginServer, "acrdemo.azurecr.io");
  });

  it("changes a cluster with what it has read of it", async () => {
    const name = ["-g", "rg-demo", "-n", "aks-demo"];
    await answer("aks", "update", ...name, "--tier", "standard");
    assert.equal((await answer("aks", "show", ...name)).sku.tier, "Standard");
  });

  it("is refused in Azure's words", async () => {
    assert.match(
      await refusal(
        "keyvault",
        "set-policy",
        "-n",
        "kv-demo",
        "-g",
        "rg-demo",
        "--object-id",
        cloud.cloud.tenantId,
        "--key-permissions",
        "encrypt",
      ),
      /Cannot set policies to a vault with '--enable-rbac-authorization' specified/,
    );
    assert.match(
      await refusal("acr", "import", "-n", "acrdemo", "--source", "ghcr.io/nobody/nothing:1"),
      /Unable to find manifest digest/,
    );
    assert.match(
      await refusal("aks", "show", "-g", "rg-demo", "-n", "none"),
      /\(ResourceNotFound\) The Resource 'Microsoft\.ContainerService\/managedClusters\/none'/,
    );
    assert.equal((await answer("acr", "check-name", "-n", "acrdemo")).nameAvailable, false);
  });

  it("takes all of it away again, and purges the vault", async () => {
    const scope = (await answer("group", "show", "-n", "rg-demo")).id;
    const [{ principalId }] = await answer("identity", "list", "-g", "rg-demo");
    await answer("role", "assignment", "create", "--role", "AcrPull", "--assignee", principalId, "--scope", scope);
    await answer("role", "assignment", "delete", "--role", "AcrPull", "--assignee", principalId, "--scope", scope);
    assert.deepEqual(await answer("role", "assignment", "list", "--assignee", principalId, "--scope", scope), []);
    await answer(
      "resource",
      "delete",
      "-g",
      "rg-demo",
      "-n",
      "id-demo-decryptor",
      "--resource-type",
      "Microsoft.ManagedIdentity/userAssignedIdentities",
    );
    await answer("group", "delete", "-n", "rg-demo", "--yes");
    assert.equal(await answer("group", "exists", "-n", "rg-demo"), false);
    const deleted = await answer("keyvault", "list-deleted");
    assert.deepEqual(
      deleted.map(({ name }: { name: string }) => name),
      ["kv-demo"],
    );
    await answer("keyvault", "purge", "-n", "kv-demo");
    assert.deepEqual(await answer("keyvault", "list-deleted"), []);
  });
});
