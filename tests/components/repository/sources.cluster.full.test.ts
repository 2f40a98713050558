// Every way that docs/sources.md has of reading a source, by the real source-controller: as the program writes sources and
// their Secrets, each at its host, all Ready at once; and what is told where the credential is a wrong one.
import { strict as assert } from "node:assert";
import { createHash, createSign, generateKeyPairSync } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "mocha";
import { type Source, sourceFiles } from "../../../components/repository/sources.ts";
import { identityPatches } from "../../../flux/bootstrap.ts";
import { dockerConfig } from "../../../flux/dockerConfig.ts";
import { publicKeyOf } from "../../../net/sshKey.ts";
import { unsettledIn, wrongIn } from "../../../provider/flux/fluxHealth.ts";
import { BlobStorage } from "../../../rehearsal/cloud/blob/service.ts";
import { AzureDevOps } from "../../../rehearsal/cloud/devops/service.ts";
import { serveGit } from "../../../rehearsal/cloud/git/http.ts";
import { MEDIA } from "../../../rehearsal/cloud/registry/protocol.ts";
import { ContainerRegistries } from "../../../rehearsal/cloud/registry/service.ts";
import { putImage, type UpstreamImage } from "../../../rehearsal/cloud/registry/upstream.ts";
import type { Service } from "../../../rehearsal/cloud/types.ts";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { gzip, tar } from "../../../rehearsal/content/archive.ts";
import { FakeCloud, person, ROLES, registryResource } from "../../rehearsal/cloud/registry/support.ts";
import { CLUSTER_TIMEOUT, eventually, type TestCluster, testClusterForFlux } from "../../support/cluster.ts";
import { findSshd, gitUserProblem, type SshServer, startSshServer } from "../../support/sshServer.ts";

const FILES = { "config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop, namespace: default}\n" };

const ACR = "fleet.azurecr.io";
const ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/acme";

/** A source with its Secret, if it has one. */
interface Case {
  readonly source: Source;
  readonly secret?: Readonly<Record<string, string>> | undefined;
}

/** A way to read, the same with a wrong credential, and what is told of that. */
interface Way extends Case {
  readonly wrong: Case;
  /** What lets Flux read; the problem stands before it. */
  readonly remedy: string;
  /** What is told where it is the repository that all comes from. */
  readonly asRepository?: RegExp;
}

const lacking = gitUserProblem();
const unless = lacking === undefined ? "" : ` (left out: it needs ${lacking})`;

(lacking === undefined ? describe : describe.skip)(`every way to read a source${unless}`, () => {
  let all: TestCluster;
  let ssh: SshServer;
  let ways: readonly Way[];

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    all = await testClusterForFlux("sources");
    await all.runFlux("install");
    const gitHub = await all.gitHub.createRepository("acme", "shop", { files: FILES });
    await all.gitHub.createRepository("acme", "vault", { files: FILES });
    const root = join(all.folder, "ssh-sources");
    for (const path of ["acme/shop", "v3/acme/platform/shop", "acme/shop.git", "platform/shop.git"]) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await symlink(gitHub.folder, join(root, path));
    }
    ssh = await startSshServer(findSshd() ?? "", { root, asGit: true });
    const hosts = ["github.com", "ssh.dev.azure.com", "gitlab.com", "bitbucket.org", "gitlab.acme.example"];
    for (const target of [...hosts.map((host) => `${host}:22`), "git.acme.example:2222", "gitea.acme.example:2222"])
      all.socks.lead(target, ssh.port);
    const identity = await actAsIdentity(all);
    ways = [
      ...(await gitWays(all, ssh)),
      ...(await devOpsWays(all, ssh, identity)),
      ...registryWays(all, identity),
      bucketWay(all, identity),
    ];
    const cases = ways.flatMap(({ wrong, ...right }) => [right, wrong]);
    for (const { source, secret } of cases)
      if (secret !== undefined) await applySecret(all, source.secret ?? source.verify ?? "", secret);
    const file = join(all.folder, "sources.yaml");
    await writeFile(file, Object.values(sourceFiles(cases.map(({ source }) => source))).join("---\n"));
    await all.kubectl(["apply", "--server-side", "--validate=strict", "-f", file]);
  });
  after(() => ssh?.close());

  const found = async ({ kind, name }: Source) => {
    const kinds = kind.replace(/y$/, "ie").toLowerCase();
    const path = `/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/${kinds}s/${name}`;
    return (await all.cluster.api.get(path)) as Parameters<typeof unsettledIn>[1][number] & KubeObject;
  };
  /** A source's object, when the controller has made up its mind. */
  const decided = (source: Source) =>
    eventually(async () => {
      const object = await found(source);
      const conditions: { type: string; status: string; reason: string }[] = object.status?.conditions ?? [];
      const ready = conditions.find(({ type }) => type === "Ready");
      return ready !== undefined && ready.status !== "Unknown" ? object : undefined;
    });

  it("reads each at its host, all at once", async function () {
    this.timeout(120_000);
    const wrong = await Promise.all(
      ways.map(async ({ source }) => {
        const object = await decided(source);
        return wrongIn(() => object, [object]).map(({ problem }) => `${source.name}: ${problem}`);
      }),
    );
    assert.deepEqual(wrong.flat(), []);
    for (const { source } of ways) assert.ok((await found(source)).status?.artifact?.revision, source.name);
  });

  it("says of each wrong credential which right is missing, where, and which setting has it", async function () {
    this.timeout(120_000);
    const told = await Promise.all(
      ways.map(async ({ wrong: { source } }) => {
        const object = await decided(source);
        const [first] = wrongIn(() => object, [object]);
        return [source.name, first?.problem.split("; ").at(-1)];
      }),
    );
    assert.deepEqual(
      told,
      ways.map(({ wrong, remedy }) => [wrong.source.name, remedy]),
    );
  });

  it("says it in the settings' words where the source is the repository that all comes from", async () => {
    for (const { wrong, asRepository } of ways) {
      if (asRepository === undefined) continue;
      const object = await decided(wrong.source);
      const { labels: _, ...metadata } = object.metadata;
      const repository = { ...object, metadata: { ...metadata, name: "flux-system" } };
      const [first] = unsettledIn(() => repository, []);
      assert.match(first?.problem ?? "", asRepository, wrong.source.name);
    }
  });
});

async function applySecret({ cluster: { api } }: TestCluster, name: string, stringData: object): Promise<void> {
  const type = ".dockerconfigjson" in stringData ? "kubernetes.io/dockerconfigjson" : "Opaque";
  const object = { apiVersion: "v1", kind: "Secret", metadata: { name }, type, stringData };
  await api.apply(`/api/v1/namespaces/flux-system/secrets/${name}`, object);
}

/** Lets source-controller act as an identity, as the program's component does. @returns the identity's object id. */
async function actAsIdentity({ cluster, entra, issuer }: TestCluster): Promise<string> {
  const { objectId, clientId = "" } = entra.addManagedIdentity("flux", "/subscriptions/s/identities/flux");
  const subject = "system:serviceaccount:flux-system:source-controller";
  const credential = { issuer, subject, audiences: ["api://AzureADTokenExchange"] };
  entra.federate({
    arm: { federatedCredentials: () => [credential] },
    issuerKeys: async (asked) => (asked === issuer ? cluster.serviceAccountKeys() : undefined),
  });
  const { serviceAccount, deployment } = identityPatches({ clientId, tenantId: entra.tenantId });
  const [core, apps] = ["/api/v1", "/apis/apps/v1"].map((api) => `${api}/namespaces/flux-system`);
  const merge = (path: string, { metadata, ...rest }: { metadata: object }) =>
    cluster.api.send("PATCH", path, { ...rest, metadata: { ...metadata, name: "source-controller" } }, MERGE);
  await merge(`${core}/serviceaccounts/source-controller`, serviceAccount);
  await merge(`${apps}/deployments/source-controller`, deployment);
  return objectId;
}

const MERGE = "application/merge-patch+json";

const git = (name: string, url: string, more: Partial<Source> = {}): Source => ({
  ...{ name, kind: "GitRepository", url, branch: "main" },
  ...more,
});

/** A way with a Secret, and the same with another. */
function bySecret(
  source: Source,
  right: Readonly<Record<string, string>>,
  wrong: Readonly<Record<string, string>>,
  told: Pick<Way, "remedy" | "asRepository">,
): Way {
  const named = (name: string) => ({ ...source, name, secret: `${name}-secret` });
  return {
    ...{ source: named(source.name), secret: right, ...told },
    wrong: { source: named(`${source.name}-wrong`), secret: wrong },
  };
}

const password = (username: string, word: string) => ({ username, password: word });

const AS_TOKEN = /; set FLUX_GIT_TOKEN to a token that reads the repository, and run `pulumi up`$/;
const AS_KEY = /; register the public half of the key at the host with the right to read, or give another one, and run/;

function byToken(source: Source, username: string, token: string): Way {
  const { host } = new URL(source.url);
  return bySecret(source, password(username, token), password(username, "expired"), {
    remedy: `give a token that may read the repository at ${host} as password of the secret ${source.name}-wrong-secret (aks-gitops:secrets)`,
    asRepository: AS_TOKEN,
  });
}

/** With a key that the host lets in, and with one that it does not know. */
async function byKey(source: Source, ssh: SshServer, type?: string): Promise<Way> {
  const { hostname, port, host } = new URL(source.url);
  const known_hosts = `${port === "" ? hostname : `[${hostname}]:${port}`} ${ssh.hostKey}\n`;
  const pair = (identity: string) => ({ identity, "identity.pub": publicKeyOf(identity).line, known_hosts });
  return bySecret(source, pair(await ssh.addKey("read", type)), pair(await ssh.makeKey(type)), {
    remedy: `let ${host} read the repository by the key of the secret ${source.name}-wrong-secret (aks-gitops:secrets), or give another key there`,
    asRepository: AS_KEY,
  });
}

async function gitWays(all: TestCluster, ssh: SshServer): Promise<Way[]> {
  const token = all.gitHub.addToken({ repositories: { "acme/shop": "read" } });
  const elsewhere = all.gitHub.addToken({ repositories: { "acme/vault": "read" } });
  for (const host of ["gitlab.com", "bitbucket.org", "git.acme.example"])
    all.door.route(host, gitHost(join(all.folder, "git"), USERS));
  const foreign = bySecret(
    git("github-other", "https://github.com/acme/shop"),
    password("git", token),
    password("git", elsewhere),
    {
      remedy:
        "give a token that may read the repository at github.com as password of the secret github-other-wrong-secret (aks-gitops:secrets)",
      asRepository: AS_TOKEN,
    },
  );
  const hostKey = await byKey(git("own-hostkey", "ssh://git@git.acme.example:2222/platform/shop.git"), ssh);
  const strange = ssh.hostKey.replace(
    /AAAA\S+/,
    "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
  );
  return [
    byToken(git("github-token", "https://github.com/acme/shop"), "git", token),
    foreign,
    await byKey(git("github-key", "ssh://git@github.com/acme/shop"), ssh),
    byToken(
      git("gitlab-token", "https://gitlab.com/acme/shop.git"),
      "gitlab+deploy-token-7",
      USERS["gitlab+deploy-token-7"],
    ),
    await byKey(git("gitlab-key", "ssh://git@gitlab.com/acme/shop.git"), ssh),
    // Deploy keys, of GitLab's and Gitea's own servers.
    await byKey(git("gitlab-deploy-key", "ssh://git@gitlab.acme.example/platform/shop.git"), ssh),
    await byKey(git("gitea-deploy-key", "ssh://git@gitea.acme.example:2222/platform/shop.git"), ssh),
    byToken(git("bitbucket-token", "https://bitbucket.org/acme/shop"), "x-token-auth", USERS["x-token-auth"]),
    byToken(git("own-token", "https://git.acme.example/acme/shop.git"), "flux", USERS.flux),
    await byKey(git("own-key", "ssh://git@git.acme.example:2222/platform/shop.git"), ssh),
    {
      ...hostKey,
      wrong: {
        ...hostKey.wrong,
        secret: { ...hostKey.secret, known_hosts: `[git.acme.example]:2222 ${strange}\n` },
      },
      remedy:
        "compare the keys of git.acme.example:2222 with those that it publishes, and give them as known_hosts of the secret own-hostkey-wrong-secret (aks-gitops:secrets)",
      asRepository: /; compare the host's keys with those that it publishes, give them as flux\.knownHosts, and run/,
    },
  ];
}

const USERS = { "gitlab+deploy-token-7": "gldt-1", "x-token-auth": "bb-1", flux: "hunter2" } as const;

/** A Git host over HTTPS that knows users by their names. */
function gitHost(folder: string, users: Readonly<Record<string, string>>): Service {
  return async (request) => {
    const credentials = (request.headers.authorization ?? "").split(" ")[1] ?? "";
    const [user = "", word] = Buffer.from(credentials, "base64").toString().split(":");
    if (users[user] === undefined || users[user] !== word)
      return { status: 401, headers: { "www-authenticate": 'Basic realm="git"' } };
    const rest = /^\/acme\/shop(?:\.git)?(\/.*)$/.exec(request.url.pathname)?.[1];
    if (rest === undefined) return { status: 404 };
    return serveGit(request, { root: folder, path: `/acme/shop.git${rest}`, user });
  };
}

async function devOpsWays(all: TestCluster, ssh: SshServer, identity: string): Promise<Way[]> {
  const authenticate = (given: string | undefined, audience: string) => all.entra.authenticate(given, audience);
  const devOps = new AzureDevOps("acme", { root: join(all.folder, "devops"), authenticate });
  await devOps.createGitRepository("platform", "shop", { files: FILES });
  await devOps.createGitRepository("secrets", "shop", { files: FILES });
  const right = { "platform/shop": "read" } as const;
  devOps.git?.addUser({ displayName: "flux", objectId: identity, repositories: right });
  const token = devOps.git?.addUser({ displayName: "Ada", repositories: right }) ?? "";
  all.door.route("dev.azure.com", devOps.service);
  const url = "https://dev.azure.com/acme/platform/_git/shop";
  return [
    byToken(git("devops-token", url), "git", token),
    await byKey(git("devops-key", "ssh://git@ssh.dev.azure.com/v3/acme/platform/shop"), ssh, "rsa"),
    {
      source: git("devops-identity", url, { provider: "azure" }),
      wrong: {
        source: git("devops-identity-wrong", url.replace("platform", "secrets"), { provider: "azure" }),
      },
      remedy:
        "add the service principal of Flux's identity to the organisation acme of Azure DevOps, and to the Readers of its project secrets",
      asRepository: /; add the service principal of Flux's identity to the organisation, and to the Readers of the/,
    },
  ];
}

const digestOf = (body: Buffer) => `sha256:${createHash("sha256").update(body).digest("hex")}`;

/** What `flux push artifact` makes of a folder. */
function artifact(registry: string, repository: string): UpstreamImage {
  const files = Object.entries(FILES).map(([path, text]) => ({ path, body: Buffer.from(text) }));
  const [config, layer] = [Buffer.from("{}"), gzip(tar(files))];
  return image(registry, repository, "v1", config, "application/vnd.cncf.flux.config.v1+json", [
    { mediaType: "application/vnd.cncf.flux.content.v1.tar+gzip", body: layer },
  ]);
}

function image(
  registry: string,
  repository: string,
  tag: string,
  config: Buffer,
  configType: string,
  layers: readonly { mediaType: string; body: Buffer; annotations?: Record<string, string> }[],
): UpstreamImage {
  const described = (mediaType: string, body: Buffer, more = {}) => ({
    ...{ mediaType, digest: digestOf(body), size: body.length },
    ...more,
  });
  const manifest = {
    ...{ schemaVersion: 2, mediaType: MEDIA.ociManifest, config: described(configType, config) },
    layers: layers.map(({ mediaType, body, annotations }) =>
      described(mediaType, body, annotations && { annotations }),
    ),
  };
  const body = Buffer.from(JSON.stringify(manifest));
  const blobs = [config, ...layers.map((layer) => layer.body)];
  return { registry, repository, tags: [tag], blobs, manifests: [{ mediaType: MEDIA.ociManifest, body }] };
}

/** What `cosign sign --key` puts beside an artifact: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
function signature(signed: UpstreamImage, privateKey: string): UpstreamImage {
  const digest = digestOf(signed.manifests[0]?.body ?? Buffer.alloc(0));
  const critical = {
    identity: { "docker-reference": `${signed.registry}/${signed.repository}` },
    image: { "docker-manifest-digest": digest },
    type: "cosign container image signature",
  };
  const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
  const signatureText = createSign("sha256").update(payload).sign(privateKey, "base64");
  const config = { architecture: "", os: "", config: {}, rootfs: { type: "layers", diff_ids: [digestOf(payload)] } };
  const tag = `${digest.replace(":", "-")}.sig`;
  const configType = "application/vnd.oci.image.config.v1+json";
  return image(signed.registry, signed.repository, tag, Buffer.from(JSON.stringify(config)), configType, [
    {
      ...{ mediaType: "application/vnd.dev.cosign.simplesigning.v1+json", body: payload },
      annotations: { "dev.cosignproject.cosign/signature": signatureText },
    },
  ]);
}

const cosignKey = () =>
  generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });

function registryWays(all: TestCluster, identity: string): Way[] {
  const registries = [registryResource("Fleet"), registryResource("Other")];
  const cloud: FakeCloud = new FakeCloud({ directory: all.entra }, registries);
  cloud.now = Date.now();
  cloud.roles.set("puller", ROLES.AcrPull);
  // AcrPull is at one registry alone.
  const arm = cloud.arm();
  const acr = new ContainerRegistries({
    arm: {
      ...arm,
      allows: (caller, action, scope, kind) =>
        arm.allows(caller, action, scope, kind) ||
        (caller.principal.objectId === identity && /\/fleet$/i.test(scope) && /\/pull\/read$/.test(action)),
    },
    directory: all.entra,
    upstream: cloud.upstream,
    passwordValid: (id, secret) => (secret === `secret of ${id}` ? person(id).principal : undefined),
  });
  for (const registry of registries)
    putImage(acr.store(registry), artifact(String(registry.properties.loginServer), "manifests/shop"));
  for (const host of [ACR, "other.azurecr.io"]) all.door.route(host, acr.service);
  const [own, strange] = [cosignKey(), cosignKey()];
  const signed = artifact("ghcr.io", "acme/shop");
  for (const each of [signed, signature(signed, own.privateKey)]) cloud.upstream.add(each);
  for (const host of cloud.upstream.hosts) all.door.route(host, cloud.upstream.service);
  const oci = (name: string, url: string, more: Partial<Source> = {}): Source => ({
    ...{ name, kind: "OCIRepository", url: `oci://${url}`, tag: "v1" },
    ...more,
  });
  const config = (word: string) => ({ ".dockerconfigjson": dockerConfig(ACR, "puller", word) });
  return [
    bySecret(oci("oci-secret", `${ACR}/manifests/shop`), config("secret of puller"), config("expired"), {
      remedy: `give credentials that may pull manifests/shop from ${ACR} as .dockerconfigjson of the secret oci-secret-wrong-secret (aks-gitops:secrets)`,
    }),
    {
      source: oci("oci-public", "ghcr.io/acme/shop"),
      wrong: { source: oci("oci-public-wrong", `${ACR}/manifests/shop`) },
      remedy: `name a secret that may pull manifests/shop from ${ACR} with the source oci-public-wrong (aks-gitops:flux.sources)`,
    },
    {
      source: oci("oci-identity", `${ACR}/manifests/shop`, { provider: "azure" }),
      wrong: { source: oci("oci-identity-wrong", "other.azurecr.io/manifests/shop", { provider: "azure" }) },
      remedy: "give Flux's identity the role AcrPull at the registry other.azurecr.io",
    },
    {
      source: oci("oci-signed", "ghcr.io/acme/shop", { verify: "oci-signed-keys" }),
      secret: { "shop.pub": own.publicKey },
      wrong: {
        source: oci("oci-signed-wrong", "ghcr.io/acme/shop", { verify: "oci-signed-wrong-keys" }),
        secret: { "shop.pub": strange.publicKey },
      },
      remedy:
        "sign the artifact with a key whose public half is in the secret oci-signed-wrong-keys (aks-gitops:secrets), or give that of who signed it there, as <name>.pub",
    },
  ];
}

function bucketWay({ door, entra }: TestCluster, identity: string): Way {
  const storage = new BlobStorage({
    accountId: (name) => (name === "acme" ? ACCOUNT : undefined),
    arm: {
      allows: ({ principal }, _action, scope) => principal.objectId === identity && scope.endsWith("/manifests"),
    },
    directory: entra,
  });
  for (const container of ["manifests", "secrets"]) storage.put("acme", container, FILES);
  door.route("*.blob.core.windows.net", storage.service);
  const url = "https://acme.blob.core.windows.net";
  const bucket = (name: string, bucketName: string): Source => ({
    ...{ name, kind: "Bucket", url, bucketName, provider: "azure" },
  });
  return {
    source: bucket("bucket", "manifests"),
    wrong: { source: bucket("bucket-wrong", "secrets") },
    remedy:
      "give Flux's identity the role Storage Blob Data Reader of the container secrets at acme.blob.core.windows.net",
  };
}
