// A cluster that reads an artifact in place of the repository: the real flux CLI pushes it into a registry of Azure, by the
// very commands that are told and documented, and the real controllers bring what is in it.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { before, describe, it } from "mocha";
import { parse } from "yaml";
import { BOOTSTRAP_ENTRIES, BOOTSTRAP_FILES, gotkSync, identityComponent } from "../../../flux/bootstrap.ts";
import { dockerConfig } from "../../../flux/dockerConfig.ts";
import { fluxManifests, gotkComponents } from "../../../flux/manifests.ts";
import { CLOCK } from "../../../net/retry.ts";
import { type Context, type Existing, PartialFailure, type Properties } from "../../../plugin/handler.ts";
import type { FluxWorld } from "../../../provider/flux/fluxCluster.ts";
import { fluxInstallIn } from "../../../provider/flux/fluxInstall.ts";
import { fluxReadyIn } from "../../../provider/flux/fluxReady.ts";
import { descent } from "../../../provider/flux/past.ts";
import { mergeKustomization } from "../../../provider/git/kustomizationFile.ts";
import { FakeCloud as Registries, ROLES, registryResource } from "../../rehearsal/cloud/registry/support.ts";
import { clockUntil } from "../../support/clock.ts";
import { CLUSTER_TIMEOUT, eventually, type TestCluster, testClusterForFlux } from "../../support/cluster.ts";
import { ROOT } from "../../support/engine.ts";
import { CLUSTER_ID, FakeCloud } from "../fakeCloud.ts";
import { configMap } from "./committed.ts";

const ACR = "acme.azurecr.io";
const PATH = "clusters/dev";
const REPOSITORY = "https://github.com/acme/pushed";
const ARTIFACT = { url: `oci://${ACR}/fleet`, tag: "latest", provider: "azure" } as const;
const SOURCE = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/ocirepositories/flux-system";
const VALUE = "/api/v1/namespaces/default/configmaps/pushed";
const REQUESTED_AT = "reconcile.fluxcd.io/requestedAt";

const apps = JSON.stringify({
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  kind: "Kustomization",
  metadata: { name: "apps", namespace: "flux-system" },
  spec: {
    ...{ interval: "10m", prune: true, path: "./apps" },
    sourceRef: { kind: "OCIRepository", name: "flux-system" },
  },
});

describe("an artifact in place of the repository", () => {
  let all: TestCluster;
  let world: FluxWorld;
  let context: Context;
  let inputs: Properties;
  let existing: Existing;
  let checkout: string;
  const logs: string[] = [];

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    all = await testClusterForFlux("an artifact");
    const identity = await registryFor(all);
    const manifests = await fluxManifests({ version: "2.9.4", imageAutomation: false });
    const sync = { url: REPOSITORY, branch: "main", path: PATH, artifact: ARTIFACT };
    const flux = {
      [BOOTSTRAP_FILES.components]: gotkComponents(manifests, ACR),
      [BOOTSTRAP_FILES.sync]: gotkSync(sync),
      [BOOTSTRAP_FILES.kustomization]:
        mergeKustomization("", undefined, { previous: {}, wanted: BOOTSTRAP_ENTRIES }) ?? "",
      [BOOTSTRAP_FILES.identity]: identityComponent(identity, false),
      "apps.yaml": apps,
    };
    const files = Object.fromEntries(Object.entries(flux).map(([file, text]) => [`${PATH}/${file}`, text]));
    const { folder } = await all.gitHub.createRepository("acme", "pushed", {
      files: { ...files, "apps/a.yaml": configMap("pushed", "1") },
    });
    checkout = await clone(all, folder);
    const { users } = parse(await readFile(all.cluster.adminKubeconfig, "utf8"));
    world = {
      ...{ cloud: new FakeCloud(), token: async () => users[0].user.token, manifests: fluxManifests, environment: {} },
      ...{ poll: 200, patience: 60_000, clock: CLOCK },
      descent: (_url, ...place) => descent(`file://${folder}`, ...place),
    };
    context = { ...new FakeCloud().context, log: (_severity, message) => logs.push(message) };
    inputs = {
      ...{ ...sync, ...identity, clusterId: CLUSTER_ID, endpoint: all.cluster.endpoint },
      certificateAuthority: Buffer.from(all.cluster.certificateAuthority).toString("base64"),
      ...{ version: "2.9.4", imageAutomation: false, manifests: manifests.sha256, loginServer: ACR, readyMinutes: 3 },
    };
  });

  const get = (path: string) => all.cluster.api.get(path);
  const git = async (...args: string[]) => (await promisify(execFile)("git", ["-C", checkout, ...args])).stdout.trim();
  /** Runs a command in the checkout as the pipeline does: signed in to the registry with what may push there. */
  const run = (command: string) =>
    promisify(execFile)("sh", ["-ec", command], {
      cwd: checkout,
      env: {
        ...all.environment(),
        PATH: [dirname(all.flux), process.env.PATH ?? ""].join(delimiter),
        DOCKER_CONFIG: join(all.folder, "pusher"),
      },
    });
  const change = async (value: string) => {
    await writeFile(join(checkout, "apps/a.yaml"), configMap("pushed", value));
    const who = ["-c", "user.name=Ada", "-c", "user.email=ada@acme.example"];
    await git(...who, "commit", "--quiet", "--all", "--message=Change");
    await git("push", "--quiet", "here", "HEAD:main");
    return git("rev-parse", "HEAD");
  };
  const readyInputs = (commit: string): Properties => {
    const { endpoint, certificateAuthority } = inputs;
    const { provider: _, ...artifact } = ARTIFACT;
    return {
      ...{ endpoint, certificateAuthority, commit, kustomizations: ["flux-system", "apps"], readyMinutes: 2 },
      artifact: { ...artifact, source: REPOSITORY, branch: "main" },
    };
  };
  const ready = (commit: string, more: Partial<FluxWorld> = {}) =>
    fluxReadyIn({ ...world, ...more }).create(readyInputs(commit), context);

  it("is waited for by an installation, which tells the command, and goes on when that was run", async function () {
    this.timeout(240_000);
    const installing = fluxInstallIn(world).create(inputs, context);
    installing.catch(() => {});
    const line = await eventually(async () => logs.find((message) => message.includes("flux push artifact")));
    assert.match(
      line,
      /^waiting for OCIRepository flux-system\/flux-system: .*; nobody has pushed the repository there yet/,
    );
    const [, command = ""] = /`(flux push artifact .*)`$/.exec(line) ?? [];
    await run(command);
    const { id, state } = await installing;
    existing = { id, inputs, state };
    await ready(await git("rev-parse", "HEAD"));
    assert.deepEqual((await get(VALUE)).data, { value: "1" });
    // Nothing of the repository itself is in the cluster.
    const git404 = await all.cluster.api.raw("GET", SOURCE.replace("oci", "git"));
    assert.equal(git404.status, 404);
  });

  it("is told to be stale until the pipeline has pushed the commit, as docs/sources.md says", async function () {
    this.timeout(240_000);
    const before = await git("rev-parse", "HEAD");
    const commit = await change("2");
    const asked = (await get(SOURCE)).metadata.annotations?.[REQUESTED_AT];
    const clock = clockUntil(async () => {
      const { metadata, status } = await get(SOURCE);
      const now = metadata.annotations?.[REQUESTED_AT];
      return now !== asked && status?.lastHandledReconcileAt === now;
    });
    const error = await ready(commit, { clock }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof PartialFailure, String(error));
    const told = `flux push artifact oci://${ACR}/fleet:latest --path=. --source=${REPOSITORY} --revision=main@sha1:${commit}`;
    assert.ok(
      error.reasons[0]?.endsWith(
        `OCIRepository flux-system/flux-system: holds commit ${before}, not ${commit} yet; ` +
          `the pipeline has not pushed it: \`${told}\``,
      ),
      error.reasons[0],
    );
    assert.deepEqual((await get(VALUE)).data, { value: "1" });
    await run(await documented());
    await ready(commit);
    assert.deepEqual((await get(VALUE)).data, { value: "2" });
    // The artifact is of a later commit than this one.
    await ready(before);
  });

  it("is found as it was made, and put back where somebody changed it", async function () {
    this.timeout(240_000);
    const install = fluxInstallIn(world);
    assert.deepEqual(await install.read?.(existing.id, inputs, existing.state, context), existing);
    const merge = (body: object) => all.cluster.api.send("PATCH", SOURCE, body, "application/merge-patch+json");
    await merge({ spec: { ref: { tag: "other" } } });
    // Another one, which has looked at nothing yet.
    const found = await fluxInstallIn(world).diff?.(existing, inputs, context);
    assert.deepEqual(found?.detailed, { missing: { kind: "update", inputDiff: false } });
    await install.update?.(existing, inputs, context);
    assert.deepEqual((await get(SOURCE)).spec.ref, { tag: "latest" });
  });

  it("is not taken where nobody has signed it whose key is asked for, and taken again where none is", async function () {
    this.timeout(240_000);
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const data = { "fleet.pub": publicKey.export({ type: "spki", format: "pem" }) as string };
    const signed = {
      ...{ ...inputs, artifact: { ...ARTIFACT, verify: "cosign" }, readyMinutes: 0.1 },
      artifactSecrets: [{ name: "cosign", type: "Opaque", data }],
    };
    const clock = clockUntil(async () => {
      const conditions: { type: string; reason: string }[] = (await get(SOURCE)).status?.conditions ?? [];
      return conditions.some(({ type, reason }) => type === "Ready" && reason === "VerificationError");
    });
    const failed = await fluxInstallIn({ ...world, clock })
      .update?.(existing, signed, context)
      .catch((thrown: unknown) => thrown);
    assert.ok(failed instanceof PartialFailure, String(failed));
    assert.match(
      failed.reasons[0] ?? "",
      /OCIRepository flux-system\/flux-system: VerificationError: .*; sign the artifact with a key whose public half is in the secret cosign /,
    );
    const before = { id: existing.id, inputs: signed, state: failed.state };
    await fluxInstallIn(world).update?.(before, inputs, context);
    assert.equal("verify" in (await get(SOURCE)).spec, false);
    const secret = await all.cluster.api.raw("GET", "/api/v1/namespaces/flux-system/secrets/cosign");
    assert.equal(secret.status, 404);
  });
});

/** The command of docs/sources.md, as its pipelines run it. */
async function documented(): Promise<string> {
  const text = await readFile(join(ROOT, "docs/sources.md"), "utf8");
  const [command = ""] = /^ +flux push artifact .*\\\n.*$/m.exec(text) ?? [];
  assert.match(command, /^ +flux push artifact oci:\/\/acme\.azurecr\.io\/fleet:latest /);
  return command;
}

/** A registry of Azure that Flux's identity pulls from, and a pipeline pushes to. @returns the identity. */
async function registryFor({ entra, cluster, issuer, door, folder }: TestCluster) {
  const { objectId, clientId = "" } = entra.addManagedIdentity("artifact", "/subscriptions/s/identities/artifact");
  const subject = "system:serviceaccount:flux-system:source-controller";
  const credential = { issuer, subject, audiences: ["api://AzureADTokenExchange"] };
  entra.federate({
    arm: { federatedCredentials: () => [credential] },
    issuerKeys: async (asked) => (asked === issuer ? cluster.serviceAccountKeys() : undefined),
  });
  const cloud = new Registries({ directory: entra }, [registryResource("Acme")]);
  cloud.now = Date.now();
  cloud.roles.set(objectId, ROLES.AcrPull);
  cloud.roles.set("pusher", ROLES.AcrPush);
  door.route(ACR, cloud.acr.service);
  await mkdir(join(folder, "pusher"), { recursive: true });
  await writeFile(join(folder, "pusher/config.json"), dockerConfig(ACR, "pusher", "secret of pusher"));
  return { clientId, tenantId: entra.tenantId };
}

/** A checkout as a pipeline has it; by `here` it pushes to the folder. */
async function clone({ folder: parent }: TestCluster, folder: string): Promise<string> {
  const checkout = join(parent, "checkout");
  const git = (...args: string[]) => promisify(execFile)("git", args);
  await git("clone", "--quiet", "--origin=here", folder, checkout);
  await git("-C", checkout, "remote", "add", "origin", REPOSITORY);
  return checkout;
}
