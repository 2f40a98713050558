// A mirror under the real engine, in a simulated Azure: a source that wants to know who asks, an update that is killed in the
// midst of many imports, and another stack that takes all of it from the first one's registry.
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { ArmService } from "../../../rehearsal/cloud/arm/service.ts";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import { Entra } from "../../../rehearsal/cloud/entra/service.ts";
import { digestOf, MEDIA } from "../../../rehearsal/cloud/registry/protocol.ts";
import { ContainerRegistries } from "../../../rehearsal/cloud/registry/service.ts";
import { UpstreamRegistries } from "../../../rehearsal/cloud/registry/upstream.ts";
import { imageContent } from "../../../rehearsal/content/image.ts";
import { artifact } from "../../rehearsal/cloud/registry/support.ts";
import {
  ENGINE_TIMEOUT,
  type EngineEnvironment,
  engineEnvironment,
  ROOT,
  runPulumi,
  succeed,
  throughDoor,
  writeProject,
} from "../../support/engine.ts";
import { processesOf } from "../../support/processes.ts";

const TENANT_ID = "6f1f2b6e-0000-4e0a-9c60-00000000aaaa";
const SUBSCRIPTION = "c0ffee00-6a1d-4b52-8d35-2f7a9e4b1c02";
const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-acme`;
const registryId = (name: string) => `${GROUP}/providers/Microsoft.ContainerRegistry/registries/${name}`;
const PASSWORD = "Xq7-secret-of-the-source";
const WRONG = "Zz9-no-password-of-the-source";

const IMAGES = Array.from({ length: 40 }, (_, number) => imageContent(`ghcr.io/acme/app${number}:1.0.0`));
const [SIGNED] = IMAGES;
assert.ok(SIGNED);
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const payload = Buffer.from(JSON.stringify({ critical: { image: { "docker-manifest-digest": SIGNED.digest } } }));
const signature = artifact("signature", {
  layers: [
    {
      mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
      digest: digestOf(payload),
      size: payload.length,
      annotations: { "dev.cosignproject.cosign/signature": sign("sha256", payload, privateKey).toString("base64") },
    },
  ],
});
const SIGNATURE_TAG = `${SIGNED.digest.replace(":", "-")}.sig`;
const sbom = artifact("bill of materials", { subject: { mediaType: MEDIA.ociIndex, digest: SIGNED.digest, size: 1 } });

const LOCK = {
  charts: [],
  images: IMAGES.map((image) => ({
    source: `ghcr.io/${image.repository}:1.0.0`,
    digest: image.digest,
    repository: `ghcr.io/${image.repository}`,
    tag: "1.0.0",
    ...(image === SIGNED && { attached: [{ digest: signature.digest, tag: SIGNATURE_TAG }, { digest: sbom.digest }] }),
  })),
};
const SOURCES = [
  { from: `ghcr.io/${SIGNED.repository}`, publicKey: publicKey.export({ type: "spki", format: "pem" }) },
];

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { HelmMirror } from ${JSON.stringify(join(ROOT, "components/index.ts"))};
const config = new pulumi.Config();
const registry = pulumi.getStack() === "prod" ? "acmeprod" : "acmedev";
const password = config.getSecret("password");
const { images } = new HelmMirror("mirror", {
  lock: ${JSON.stringify(LOCK)},
  sources: ${JSON.stringify(SOURCES)},
  registryId: ${JSON.stringify(registryId(""))} + registry,
  importServer: registry + ".azurecr.io",
  promoteFrom: config.get("promoteFrom"),
  ...(password ? { credentials: { "ghcr.io": { username: "acme", password } } } : {}),
});
export const mirrored = pulumi.all(images);
`;

describe("a mirror under the real engine", () => {
  let engine: EngineEnvironment;
  let door: Door;
  let registries: ContainerRegistries;
  let arm: ArmService;
  let project: string;
  let env: Record<string, string>;
  /** What ARM was asked to import, in order: the registry, and what from where. */
  const imports: { readonly registry: string; readonly target: string; readonly source: Record<string, unknown> }[] =
    [];
  /** Hosts that were asked for anything, in order. */
  const asked: string[] = [];
  /** The processes of an update, as everybody on the machine sees them. */
  const ran = new Set<string>();
  /** All that was ever said. */
  let said = "";

  const now = ["--yes", "--skip-preview"];
  const pulumi = async (...args: string[]) => {
    const ran = await runPulumi(project, args, env);
    said += ran.stdout + ran.stderr;
    return ran;
  };
  const succeeds = async (...args: string[]) => {
    const { code, stdout, stderr } = await pulumi(...args);
    assert.equal(code, 0, `${args.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
  };
  const storeOf = (name: string) => registries.store(arm.get(registryId(name)) ?? assert.fail(`there is no ${name}`));
  /** What a registry holds: digests by `repository:tag`, and how many manifests. */
  const heldBy = (name: string) => {
    const store = storeOf(name);
    const all = store.names().flatMap((repository) => {
      const { tags, manifests } = store.open(repository);
      return [...tags].map(([tag, digest]) => `${repository}:${tag} ${digest} of ${manifests.size}`);
    });
    return all.sort();
  };
  const whole = () =>
    [
      ...IMAGES.map((image) => {
        const size = image.manifests.length + (image === SIGNED ? 2 : 0);
        return `ghcr.io/${image.repository}:1.0.0 ${image.digest} of ${size}`;
      }),
      `ghcr.io/${SIGNED.repository}:${SIGNATURE_TAG} ${signature.digest} of ${SIGNED.manifests.length + 2}`,
    ].sort();

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    const entra = await Entra.create({ tenantId: TENANT_ID });
    arm = new ArmService({
      tenantId: TENANT_ID,
      subscriptionId: SUBSCRIPTION,
      directory: entra,
      record: ({ method, url, body }) => {
        if (method !== "POST" || !url.includes("/importImage")) return;
        const {
          source,
          targetTags = [],
          untaggedTargetRepositories = [],
        } = body as Record<string, string[]> & {
          source: Record<string, unknown>;
        };
        const registry = /\/registries\/([^/]+)\//.exec(url)?.[1] ?? "";
        imports.push({ registry, target: [...targetTags, ...untaggedTargetRepositories].join(), source });
      },
    });
    const deployer = entra.addClient("deployer");
    const login = { username: "acme", password: PASSWORD };
    const upstream = new UpstreamRegistries(IMAGES);
    upstream.restrict("ghcr.io", "acme", login);
    for (const [{ config, layer, manifest }, tags] of [[sbom, []] as const, [signature, [SIGNATURE_TAG]] as const]) {
      const manifests = [{ mediaType: MEDIA.ociManifest, body: manifest }];
      const blobs = [config, layer, payload];
      upstream.add({ registry: "ghcr.io", repository: SIGNED.repository, tags, blobs, manifests });
    }
    registries = new ContainerRegistries({ arm, directory: entra, upstream, importDelay: 300 });
    arm.extend(registries.extension);
    const resource = (id: string, type: string, properties: Record<string, unknown>) => ({
      ...{ id, type, name: id.split("/").at(-1) ?? "", location: "westeurope", properties },
    });
    arm.begin([
      resource(GROUP, "Microsoft.Resources/resourceGroups", { provisioningState: "Succeeded" }),
      ...["acmedev", "acmeprod"].map((name) =>
        resource(registryId(name), "Microsoft.ContainerRegistry/registries", {
          ...{ provisioningState: "Succeeded", loginServer: `${name}.azurecr.io`, publicNetworkAccess: "Enabled" },
        }),
      ),
    ]);
    for (const role of ["AcrPush", "Container Registry Data Importer and Data Reader"])
      arm.assignRole(deployer.objectId, role, GROUP);

    const authority = await Authority.create();
    door = new Door(authority);
    door.onRequest = ({ url }) => asked.push(url.host);
    door.route("login.microsoftonline.com", entra.service);
    door.route("management.azure.com", async (request) => registries.operationResult(request) ?? arm.service(request));
    door.route("*.azurecr.io", registries.service, { exists: (host) => registries.exists(host) });
    for (const host of upstream.hosts) door.route(host, upstream.service);
    env = {
      ...(await throughDoor(engine, door, authority)),
      ARM_CLIENT_ID: deployer.clientId,
      ARM_CLIENT_SECRET: deployer.clientSecret,
      ARM_TENANT_ID: TENANT_ID,
      ARM_SUBSCRIPTION_ID: SUBSCRIPTION,
    };
    const plugins = { gitops: join(ROOT, "provider") };
    project = await writeProject(engine.directory, "acme", { "index.ts": PROGRAM }, plugins);
    await succeed(project, ["stack", "init", "prod"], env);
    await succeed(project, ["stack", "init", "dev"], env);
  });

  after(async () => {
    await door?.close();
    await engine?.close();
  });

  it("names host and setting where the source does not know the password, and shows none", async () => {
    await succeeds("config", "set", "--secret", "password", WRONG);
    const { code, stdout, stderr } = await pulumi("up", ...now);
    assert.notEqual(code, 0);
    assert.match(
      stdout + stderr,
      /importing ghcr\.io\/acme\/app\d+:1\.0\.0 .* Correct aks-gitops:imageSourceCredentials for ghcr\.io, or/,
    );
    assert.deepEqual(heldBy("acmedev"), []);
  });

  it("goes on where it was when the engine is killed in the midst of the imports", async () => {
    await succeeds("config", "set", "--secret", "password", PASSWORD);
    imports.length = 0;
    const child = spawn("pulumi", ["up", ...now, "--non-interactive"], { cwd: project, env, stdio: "ignore" });
    const closed = once(child, "close");
    while (imports.length < 12) {
      assert.equal(child.exitCode, null, "it ended before it was killed");
      for (const { args } of processesOf(engine.directory)) ran.add(args.join(" "));
      await sleep(20);
    }
    child.kill("SIGKILL");
    await closed;
    // What Azure has begun it ends.
    await sleep(2000);
    const there = heldBy("acmedev").length;
    assert.ok(there >= 5 && there < IMAGES.length, `${there} are there`);
    const before = new Set(heldBy("acmedev").map((one) => one.split(" ")[0]));
    await succeeds("cancel", "--yes");
    imports.length = 0;
    await succeeds("up", ...now);
    assert.deepEqual(heldBy("acmedev"), whole());
    assert.deepEqual(
      imports.filter(({ target }) => before.has(target)),
      [],
    );
    // Each of the rest once: the images that were missing, and what belongs to the signed one.
    const missing = whole().filter((one) => !before.has(one.split(" ")[0])).length;
    assert.equal(new Set(imports.map(({ target }) => target)).size, imports.length);
    assert.ok(imports.length >= missing && imports.length <= missing + 1, `${imports.length} for ${missing}`);
    imports.length = 0;
    await succeeds("up", ...now, "--expect-no-changes");
    assert.deepEqual(imports, []);
  });

  it("takes all from the other stack's registry by digest, signatures too, and asks the publisher for nothing", async () => {
    await succeeds("stack", "select", "prod");
    await succeeds("config", "set", "promoteFrom", registryId("acmedev"));
    asked.length = 0;
    await succeeds("up", ...now);
    assert.deepEqual(heldBy("acmeprod"), whole());
    assert.equal(asked.includes("ghcr.io"), false);
    assert.ok(asked.includes("acmedev.azurecr.io"), "the signature was looked for");
    assert.equal(imports.length, IMAGES.length + 2);
    for (const { registry, source } of imports) {
      assert.equal(registry, "acmeprod");
      assert.deepEqual(Object.keys(source).sort(), ["resourceId", "sourceImage"]);
      assert.equal(source.resourceId, registryId("acmedev"));
      assert.match(String(source.sourceImage), /^ghcr\.io\/acme\/app\d+@sha256:[0-9a-f]{64}$/);
    }
    assert.match(await succeeds("stack", "output", "--json"), /acmeprod\.azurecr\.io\/ghcr\.io\/acme\/app0@sha256:/);
  });

  it("has kept no password in plain text: neither in a state, a configuration or what was said, nor in a process' arguments", async () => {
    const args = ["up", ...now, "--refresh", "--stack", "dev", "--diff", "--debug"];
    await succeeds(...args);
    const files = readdirSync(engine.directory, { recursive: true, withFileTypes: true }).filter(
      (one) => one.isFile() && !one.parentPath.includes("node_modules"),
    );
    const states = files.filter(({ parentPath }) => parentPath.includes(join("backend", ".pulumi", "stacks")));
    assert.ok(states.some(({ name }) => name.startsWith("dev.json")));
    for (const { parentPath, name } of files) {
      const text = readFileSync(join(parentPath, name), "latin1");
      for (const secret of [PASSWORD, WRONG]) assert.equal(text.includes(secret), false, join(parentPath, name));
    }
    assert.match(said, /gitops:index:ImageImport/);
    assert.ok([...ran].some((line) => line.includes("provider/main.ts")));
    for (const secret of [PASSWORD, WRONG])
      for (const line of [...said.split("\n"), ...ran]) assert.equal(line.includes(secret), false, line);
  });
});
