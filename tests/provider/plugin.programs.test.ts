import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import {
  ENGINE_TIMEOUT,
  type EngineEnvironment,
  engineEnvironment,
  ROOT,
  runPulumi,
  succeed,
  writeProject,
} from "../support/engine.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { ChartMirror } from "${ROOT}provider/sdk/chartMirror.ts";
import { ImageImport } from "${ROOT}provider/sdk/imageImport.ts";
import { ManagedCluster } from "${ROOT}provider/sdk/managedCluster.ts";
const config = new pulumi.Config();
const registry = {
  registryId: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acme",
  loginServer: "acme.azurecr.io",
};
const hex = "ab".repeat(32);
const chart = new ChartMirror("chart", {
  ...registry, repository: "charts/kured", version: "6.1.0", url: "https://example.com/kured-6.1.0.tgz",
  sha256: hex, created: "2026-01-31T12:00:00Z", manifest: "sha256:" + hex,
});
export const chartReference = chart.reference;
if (!config.getBoolean("chartOnly")) {
  const image = new ImageImport("image", {
    ...registry, source: "ghcr.io/kubereboot/kured:1.23.0", repository: "ghcr.io/kubereboot/kured", tag: "1.23.0",
    digest: config.get("digest") ?? "sha256:" + hex,
  });
  const cluster = new ManagedCluster("cluster", {
    resourceGroupId: "/subscriptions/s/resourceGroups/g", name: "prod", location: "westeurope",
    sku: { name: "Base", tier: "Standard" }, identity: { type: "SystemAssigned" },
    properties: { dnsPrefix: "prod" }, systemPool: { name: "system" } as never,
  });
  new ImageImport("later", {
    ...registry, source: "ghcr.io/a/b:1", repository: cluster.endpoint, digest: "sha256:" + hex,
  });
}
`;

describe("the plugin gitops under the real engine", () => {
  let engine: EngineEnvironment;
  let project: string;
  let proxy: Server;
  let env: Record<string, string>;
  const connections: string[] = [];

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    // A proxy that notes where a client wants to go and lets nobody through.
    proxy = createServer().on("connect", ({ url }, socket) => {
      connections.push(url ?? "");
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const { NODE_USE_ENV_PROXY: _, ...rest } = engine.env;
    const { port } = proxy.address() as AddressInfo;
    env = { ...rest, HTTPS_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: "127.0.0.1,localhost" };
    project = await writeProject(
      engine.directory,
      "gitops",
      { "index.ts": PROGRAM },
      { gitops: join(ROOT, "provider") },
    );
    await succeed(project, ["stack", "init", "dev"], env);
  });

  after(async () => {
    proxy?.close();
    await engine?.close();
  });

  it("previews without talking to any service, with inputs that are not known yet", async () => {
    const output = await succeed(project, ["preview", "--diff"], env);
    assert.match(output, /chartReference: "oci:\/\/acme\.azurecr\.io\/charts\/kured:6\.1\.0"/);
    assert.match(output, /repository : \[unknown\]/);
    assert.match(output, /\+ 5 to create/);
    assert.deepEqual(connections, []);
  });

  it("has a schema that the engine's own check takes, with every resource in it", async () => {
    const executable = join(ROOT, "provider/pulumi-resource-gitops");
    await succeed(project, ["schema", "check", executable], env);
    const { resources } = JSON.parse(await succeed(project, ["package", "get-schema", executable], env)) as {
      resources: Record<string, { requiredInputs: string[]; inputProperties: Record<string, object> }>;
    };
    const names =
      "AcceptedPassword AgentPool ChartMirror EncryptedSecret FluxConfigurationReady FluxInstall FluxReady GitCommit ImageImport KeyInUse ManagedCluster NatGateway NetworkPeering VaultKey ZoneLink";
    assert.deepEqual(
      Object.keys(resources).sort(),
      names.split(" ").map((name) => `gitops:index:${name}`),
    );
    const { requiredInputs, inputProperties } = resources["gitops:index:ImageImport"] ?? {};
    assert.deepEqual(requiredInputs, ["registryId", "loginServer", "source", "digest", "repository"]);
    assert.deepEqual(inputProperties?.registryId, {
      type: "string",
      description: "The target registry's ARM id. Another one makes another import.",
      willReplaceOnChanges: true,
    });
  });

  it("imports files by the id that stands in the state, and says nothing of faults", async () => {
    const repository = join(engine.directory, "fleet");
    const git = (...args: string[]) =>
      execFileSync("git", ["-C", repository, ...args])
        .toString()
        .trim();
    mkdirSync(repository);
    git("init", "--quiet", "--initial-branch=main");
    writeFileSync(join(repository, "a.yaml"), "a\n");
    git("add", ".");
    git("-c", "user.name=me", "-c", "user.email=", "commit", "--quiet", "--message=Start");
    const id = `file://${repository}#main`;
    const args = ["import", "gitops:index:GitCommit", "fleet", id, "--yes", "--generate-code=false", "--protect=false"];
    const { code, stdout, stderr } = await runPulumi(project, args, env);
    assert.equal(code, 0, stdout + stderr);
    assert.doesNotMatch(stdout + stderr, /warning/);
    const { deployment } = JSON.parse(await succeed(project, ["stack", "export"], env)) as {
      deployment: { resources: { urn: string; type: string; id?: string; outputs?: object }[] };
    };
    const found = deployment.resources.find(({ type }) => type === "gitops:index:GitCommit");
    assert.equal(found?.id, id);
    assert.deepEqual(found?.outputs, {
      url: `file://${repository}`,
      branch: "main",
      message: "Start",
      files: {},
      commit: git("rev-parse", "main"),
    });
    await succeed(project, ["state", "delete", found?.urn ?? "", "--yes"], env);
  });

  it("keeps what Node compiled of it, for a quicker start", async () => {
    const kept = join(ROOT, "node_modules/.cache/gitops");
    // Other tests' plugins write there meanwhile.
    rmSync(kept, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    // The tests themselves keep theirs elsewhere.
    const { NODE_COMPILE_CACHE: _, ...users } = env;
    await succeed(project, ["schema", "check", join(ROOT, "provider/pulumi-resource-gitops")], users);
    const files = readdirSync(kept, { recursive: true });
    assert.ok(files.length > 100, `${files.length} files`);
  });

  it("names the property that has a fault", async () => {
    const { code, stdout, stderr } = await runPulumi(project, ["preview", "--config", "digest=latest"], env);
    assert.notEqual(code, 0);
    assert.match(
      stdout + stderr,
      /property digest value .*latest.*has a problem: "latest" is not a digest: sha256:<64 hex digits/,
    );
  });

  it("goes through a user's proxy without further settings, and says what it could not reach", async () => {
    const args = ["up", "--yes", "--skip-preview", "--config", "chartOnly=true"];
    const { code, stdout, stderr } = await runPulumi(project, args, env);
    assert.notEqual(code, 0);
    assert.deepEqual([...new Set(connections)], ["acme.azurecr.io:443"]);
    assert.match(stdout + stderr, /error: the chart cannot be pushed: acme\.azurecr\.io cannot be reached: .*firewall/);
  });
});
