// The real `flux bootstrap` as the judge of what is written to Git and installed: after it has run with the same options,
// the branch has no commit more, and nothing in the cluster is another.
import { strict as assert } from "node:assert";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { parse } from "yaml";
import { BOOTSTRAP_ENTRIES, BOOTSTRAP_FILES, gotkSync, identityComponent } from "../../flux/bootstrap.ts";
import { type InstallOptions, installArgs } from "../../flux/installOptions.ts";
import { fluxManifests, gotkComponents } from "../../flux/manifests.ts";
import { parseRepositoryUrl, sshUrl, writtenUrl } from "../../net/gitAddress.ts";
import { CLOCK } from "../../net/retry.ts";
import { publicKeyOf } from "../../net/sshKey.ts";
import type { Existing, Properties } from "../../plugin/handler.ts";
import { fluxInstallIn } from "../../provider/flux/fluxInstall.ts";
import { mergeKustomization } from "../../provider/git/kustomizationFile.ts";
import { serveGit } from "../../rehearsal/cloud/git/http.ts";
import type { Service } from "../../rehearsal/cloud/types.ts";
import type { KubeObject } from "../../rehearsal/cluster/api.ts";
import { CLUSTER_ID, FakeCloud } from "../provider/fakeCloud.ts";
import { CLUSTER_TIMEOUT, eventually, type TestCluster, testClusterForFlux } from "../support/cluster.ts";
import { IDENTITY } from "../support/fluxInstallation.ts";
import { findSshd, gitUserProblem, type SshServer, startSshServer } from "../support/sshServer.ts";

const VERSION = "2.9.4";

/** What the settings say, as far as bootstrap has it too. */
interface Options {
  readonly repository: string;
  readonly auth: "token" | "sshKey";
  readonly username?: string;
  readonly branch?: string;
  readonly path?: string;
  readonly interval?: string;
  readonly recurseSubmodules?: boolean;
  readonly loginServer?: string;
  readonly imageAutomation?: boolean;
  readonly imagePullSecret?: string;
  /** Whether the program makes that Secret too: for all of the registry, and not for Flux's images alone as bootstrap's is. */
  readonly isPullSecretMade?: boolean;
  readonly install?: InstallOptions;
  /** Whether the controllers act as an identity of Azure. */
  readonly hasIdentity?: boolean;
}

const GITHUB = { repository: "https://github.com/acme/parity.git", auth: "token" } as const;
const GITHUB_SSH = { repository: "https://github.com/acme/parity", auth: "sshKey" } as const;
const DEVOPS_SSH = { repository: "ssh://git@ssh.dev.azure.com/v3/acme/platform/fleet", auth: "sshKey" } as const;
const HOST = { repository: "https://git.acme.example/platform/fleet", auth: "token" } as const;
const HOST_SSH = { repository: "ssh://git@git.acme.example:2222/platform/fleet.git", auth: "sshKey" } as const;

/** All that there is, in one. */
const ALL = {
  ...{ branch: "weu", path: "platform/clusters/weu", interval: "1h", recurseSubmodules: true, hasIdentity: true },
  ...{ imageAutomation: true, imagePullSecret: "acr-pull", loginServer: "contoso.azurecr.io" },
  install: {
    ...{ tolerationKeys: ["CriticalAddonsOnly"], clusterDomain: "cluster.internal", networkPolicy: false },
    ...({ logLevel: "error", watchAllNamespaces: false } as const),
  },
} as const;

/**
 * Those that are installed one after the other, and then bootstrapped once more. None takes away what one before it gave the
 * controllers: what bootstrap has applied by itself stays its own, whatever Git says later.
 */
const INSTALLED: readonly (readonly [string, Options])[] = [
  ["GitHub by token", { ...GITHUB, hasIdentity: true }],
  [
    "Azure DevOps over SSH, with a branch that YAML takes for a number",
    { ...DEVOPS_SSH, branch: "1.10", hasIdentity: true },
  ],
  [
    "another host by token, with a user name",
    { ...HOST, username: "gitlab+deploy-token-7", path: "flux", hasIdentity: true },
  ],
  ["another host over SSH, at a port", { ...HOST_SSH, hasIdentity: true }],
  ["GitHub by key, with all that there is", { ...GITHUB_SSH, ...ALL }],
  ["Azure DevOps over SSH, with all that there is", { ...DEVOPS_SSH, ...ALL }],
  [
    "GitHub by token, with all that there is and a pull secret of the program's own",
    { ...GITHUB, ...ALL, path: "clusters/dev", isPullSecretMade: true },
  ],
];

/** Those that are committed alone: of the folder that is installed last, and with its Secret. */
const COMMITTED: readonly (readonly [string, Options])[] = [
  ["GitHub by key", { ...GITHUB_SSH, hasIdentity: true }],
  ["GitHub by key, with another branch", { ...GITHUB_SSH, branch: "release/v1" }],
  ["the image controllers", { ...GITHUB_SSH, imageAutomation: true }],
  ["a pull secret that somebody else makes", { ...GITHUB_SSH, imagePullSecret: "acr-pull" }],
  ["another registry", { ...DEVOPS_SSH, loginServer: "contoso.azurecr.io" }],
  ["one taint that is tolerated", { ...DEVOPS_SSH, install: { tolerationKeys: ["CriticalAddonsOnly"] } }],
  ["two taints", { ...DEVOPS_SSH, install: { tolerationKeys: ["CriticalAddonsOnly", "acme.example/system"] } }],
  ["no network policies", { ...DEVOPS_SSH, install: { networkPolicy: false } }],
  ["debug logs", { ...DEVOPS_SSH, install: { logLevel: "debug" } }],
  ["one namespace that is watched", { ...HOST_SSH, install: { watchAllNamespaces: false } }],
  ["another DNS domain", { ...HOST_SSH, install: { clusterDomain: "cluster.internal" } }],
  ["what is the default, said", { ...HOST_SSH, install: { networkPolicy: true, logLevel: "info" } }],
  ["an interval of five minutes", { ...HOST_SSH, interval: "5m" }],
  ["an interval of ninety seconds", { ...DEVOPS_SSH, interval: "90s" }],
];

/** Everything that bootstrap may touch. */
const OBJECTS = [
  ...["secrets", "serviceaccounts", "services", "resourcequotas"].map((kind) => inFlux("/api/v1", kind)),
  inFlux("/apis/apps/v1", "deployments"),
  inFlux("/apis/networking.k8s.io/v1", "networkpolicies"),
  inFlux("/apis/source.toolkit.fluxcd.io/v1", "gitrepositories"),
  inFlux("/apis/kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
  ...["/api/v1/namespaces", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"],
  ...["clusterroles", "clusterrolebindings"].map((kind) => `/apis/rbac.authorization.k8s.io/v1/${kind}`),
];

function inFlux(api: string, kind: string): string {
  return `${api}/namespaces/flux-system/${kind}`;
}

const lacking = gitUserProblem();

const unless = lacking === undefined ? "" : ` (left out: it needs ${lacking})`;

(lacking === undefined ? describe : describe.skip)(`After FluxInstall the real flux bootstrap${unless}`, () => {
  let all: TestCluster;
  let ssh: SshServer;
  let bare: string;
  let agent: ChildProcess | undefined;
  /** What the CLI is run with beside what it needs in any cluster. */
  let surroundings: Record<string, string>;
  /** Reads over SSH, as Flux. */
  let key: { privateKey: string; publicKey: string; knownHosts: string };
  let token: string;
  let existing: Existing | undefined;
  const cloud = new FakeCloud();
  const { context } = cloud;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    all = await testClusterForFlux("parity");
    ({ folder: bare } = await all.gitHub.createRepository("acme", "parity"));
    token = all.gitHub.addToken({ repositories: { "acme/parity": "write" } });
    all.door.route("git.acme.example", gitHost(all.folder, token));
    // The same repository, where each host has it.
    const root = join(all.folder, "ssh-hosts");
    for (const path of ["v3/acme/platform/fleet", "platform/fleet.git", "acme/parity"]) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await symlink(bare, join(root, path));
    }
    ssh = await startSshServer(findSshd() ?? "", { root, asGit: true });
    for (const target of ["ssh.dev.azure.com:22", "github.com:22", "git.acme.example:2222"])
      all.socks.lead(target, ssh.port);
    const hosts = ["ssh.dev.azure.com", "github.com", "[git.acme.example]:2222"];
    const knownHosts = hosts.map((host) => `${host} ${ssh.hostKey}\n`).join("");
    const privateKey = await ssh.addKey("read", "rsa");
    key = { privateKey, publicKey: publicKeyOf(privateKey).line, knownHosts };
    const [socket, known, own] = ["agent", "known_hosts", "own_key"].map((name) => join(all.folder, name)) as [
      ...[string, string, string],
    ];
    await writeFile(known, knownHosts);
    await writeFile(own, await ssh.addKey("write"), { mode: 0o600 });
    agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    surroundings = {
      ...{ SSH_AUTH_SOCK: socket, SSH_KNOWN_HOSTS: known, ALL_PROXY: all.socks.url, GITHUB_TOKEN: token },
      KUBECONFIG: all.cluster.adminKubeconfig,
    };
    await eventually(async () => (existsSync(socket) ? true : undefined));
    await allow(all, COMMITTER);
    await run("ssh-add", ["-q", own], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  });
  after(async () => {
    agent?.kill();
    await ssh?.close();
  });

  const git = async (args: readonly string[], input?: string) => {
    const running = run("git", ["-C", bare, ...args], { maxBuffer: 1 << 26 });
    running.child.stdin?.end(input);
    return (await running).stdout.trim();
  };

  /** All that FluxInstall and bootstrap write, but what the controllers say of it. */
  const objects = async () => {
    const lists: KubeObject[][] = await Promise.all(OBJECTS.map((path) => all.cluster.api.list(path)));
    return lists.flatMap((list, at) =>
      list.map(({ status: _, apiVersion: __, kind: ___, metadata, ...content }) => {
        const { name, uid, generation, labels, annotations } = metadata as KubeObject["metadata"] & {
          generation?: number;
        };
        return { path: `${OBJECTS[at]}/${name}`, uid, generation, labels, annotations, ...content };
      }),
    );
  };

  /** Commits what the program would, to a branch's end. */
  const committed = async (options: Options) => {
    const { branch = "main", path = "clusters/dev" } = options;
    const { inputs, files } = await installation(options);
    await commit(git, branch, path, files);
    return { inputs, branch, head: await git(["rev-parse", branch]) };
  };
  const flux = (args: readonly string[]) =>
    run(all.flux, args, { env: { ...all.environment(), ...surroundings }, maxBuffer: 1 << 26 });

  const installed = async (inputs: Properties) => {
    const install = fluxInstallIn({
      ...{ cloud, token: adminToken, manifests: fluxManifests, clock: CLOCK, poll: 200, patience: 60_000 },
      environment: { FLUX_GIT_TOKEN: token },
    });
    const wanted = { ...inputs, ...clusterOf(all) };
    existing =
      existing === undefined
        ? { ...(await install.create(wanted, context)), inputs: wanted }
        : { ...existing, inputs: wanted, state: (await install.update?.(existing, wanted, context)) ?? {} };
  };

  it("can take out of the cluster what the settings do not say any more", async function () {
    this.timeout(300_000);
    const said = async () => {
      const { spec, metadata } = (
        await all.cluster.api.get(`${inFlux("/apis/apps/v1", "deployments")}/source-controller`)
      ).spec.template;
      const { tolerations, imagePullSecrets } = spec;
      const source = await all.cluster.api.get(
        `${inFlux("/apis/source.toolkit.fluxcd.io/v1", "gitrepositories")}/flux-system`,
      );
      const { recurseSubmodules } = source.spec;
      return [tolerations, imagePullSecrets, metadata.labels["azure.workload.identity/use"], recurseSubmodules];
    };
    await installed((await committed({ ...GITHUB, ...ALL })).inputs);
    assert.deepEqual(await said(), [
      [{ key: "CriticalAddonsOnly", operator: "Exists" }],
      [{ name: "acr-pull" }],
      "true",
      true,
    ]);
    await installed((await committed(GITHUB)).inputs);
    assert.deepEqual(await said(), [undefined, undefined, undefined, undefined]);
  });

  for (const [title, options] of INSTALLED)
    it(`finds nothing to do, in Git and in the cluster: ${title}`, async function () {
      this.timeout(300_000);
      const { inputs, branch, head } = await committed(options);
      await installed(inputs);
      const before = await objects();
      await flux(bootstrap(options, token));
      assert.equal(await git(["diff", head, branch]), "");
      assert.equal(await git(["rev-parse", branch]), head);
      assert.deepEqual(await objects(), before);
    });

  for (const [title, options] of COMMITTED)
    it(`finds nothing to commit: ${title}`, async function () {
      this.timeout(120_000);
      const { branch, head } = await committed(options);
      // It commits before it applies, which this user may not.
      const told = await flux([...bootstrap(options, token), `--as=${COMMITTER}`]).then(
        () => "it applied",
        (error: { stderr: string }) => error.stderr,
      );
      assert.equal(await git(["diff", head, branch]), "");
      assert.equal(await git(["rev-parse", branch]), head);
      for (const word of ["component manifests are up to date", "sync manifests are up to date", "applying sync"])
        assert.ok(told.includes(word), told);
      assert.match(told, new RegExp(`User "${COMMITTER}" cannot patch resource`));
    });

  const adminToken = async () => parse(await readFile(all.cluster.adminKubeconfig, "utf8")).users[0].user.token;

  /** A FluxInstall's inputs, and the files of the cluster's folder. */
  const installation = async (options: Options) => {
    const { repository, auth, username, branch = "main", path = "clusters/dev", interval, recurseSubmodules } = options;
    const { loginServer = "acme.azurecr.io", imageAutomation = false, imagePullSecret, install, hasIdentity } = options;
    const address = parseRepositoryUrl(repository);
    const url = auth === "sshKey" ? address && sshUrl(address) : writtenUrl(repository);
    assert.ok(url);
    const manifests = await fluxManifests({ version: VERSION, imageAutomation, imagePullSecret, install });
    const entries = hasIdentity ? BOOTSTRAP_ENTRIES : { resources: BOOTSTRAP_ENTRIES.resources };
    return {
      files: {
        [BOOTSTRAP_FILES.components]: gotkComponents(manifests, loginServer),
        [BOOTSTRAP_FILES.sync]: gotkSync({ url, branch, path, interval, recurseSubmodules }),
        [BOOTSTRAP_FILES.kustomization]: mergeKustomization("", undefined, { previous: {}, wanted: entries }) ?? "",
        ...(hasIdentity ? { [BOOTSTRAP_FILES.identity]: identityComponent(IDENTITY, imageAutomation) } : {}),
      },
      inputs: given({
        ...{ url, username, branch, path, interval, recurseSubmodules, install, imageAutomation, imagePullSecret },
        ...{ loginServer, version: VERSION, manifests: manifests.sha256, readyMinutes: 4 },
        ...(hasIdentity ? IDENTITY : {}),
        ...(auth === "sshKey" ? { sshKey: key } : {}),
        ...(options.isPullSecretMade ? { pullSecret: { name: "acr-credentials", ...PULLER } } : {}),
      }),
    };
  };
});

const run = promisify(execFile);

/** May read everything, and write Flux's Secret alone. */
const COMMITTER = "parity-committer";

const PULLER = { username: "puller", password: "a/b+c==" };

const given = (inputs: Properties): Properties =>
  Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== undefined));

async function allow({ cluster: { api } }: TestCluster, name: string): Promise<void> {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const [apiVersion, metadata] = ["rbac.authorization.k8s.io/v1", { name }];
  const rules = [
    { apiGroups: ["*"], resources: ["*"], verbs: ["get", "list", "watch"] },
    { apiGroups: [""], resources: ["secrets"], verbs: ["update"] },
  ];
  await api.apply(`${rbac}/clusterroles/${name}`, { apiVersion, kind: "ClusterRole", metadata, rules });
  await api.apply(`${rbac}/clusterrolebindings/${name}`, {
    ...{ apiVersion, kind: "ClusterRoleBinding", metadata },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name }],
  });
}

const clusterOf = ({ cluster }: TestCluster) => ({
  clusterId: CLUSTER_ID,
  endpoint: cluster.endpoint,
  certificateAuthority: Buffer.from(cluster.certificateAuthority).toString("base64"),
});

/** The arguments of the real CLI that ask for the same. */
function bootstrap(options: Options, token: string): string[] {
  const { repository, auth, username, branch = "main", path = "clusters/dev", interval, recurseSubmodules } = options;
  const { loginServer = "acme.azurecr.io", imageAutomation, imagePullSecret, install } = options;
  const isGitHub = repository.startsWith("https://github.com/");
  const [byToken, password] = [auth === "token" ? ["--token-auth"] : [], [`--password=${token}`]];
  return [
    ...[
      "bootstrap",
      ...(isGitHub ? ["github", "--owner=acme", "--repository=parity"] : ["git", `--url=${repository}`]),
    ],
    ...byToken,
    ...(auth === "token" && !isGitHub ? password : []),
    ...(isGitHub ? [] : ["--silent"]),
    ...(username === undefined ? [] : [`--username=${username}`]),
    ...[`--branch=${branch}`, `--path=${path}`, `--registry=${loginServer}/ghcr.io/fluxcd`],
    ...(interval === undefined ? [] : [`--interval=${interval}`]),
    ...(recurseSubmodules ? ["--recurse-submodules"] : []),
    ...(imageAutomation ? ["--components-extra=image-reflector-controller,image-automation-controller"] : []),
    ...(imagePullSecret === undefined ? [] : [`--image-pull-secret=${imagePullSecret}`]),
    ...installArgs(install),
  ];
}

/** Commits the files of the cluster's folder to a branch as its only content. */
async function commit(
  git: (args: readonly string[], input?: string) => Promise<string>,
  branch: string,
  path: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const parent = await git(["rev-parse", "--verify", "--quiet", `refs/heads/${branch}`]).catch(() => "");
  const lines = Object.entries(files).map(([file, text]) => `M 100644 inline ${path}/${file}\n${data(text)}`);
  const head = `commit refs/heads/${branch}\ncommitter S <s@example.com> 1700000000 +0000\n${data("Change")}`;
  const from = parent === "" ? "" : `from ${parent}\ndeleteall\n`;
  await git(["fast-import", "--quiet", "--force"], `${head}${from}${lines.join("")}`);
}

/** A Git host over HTTPS that lets in by a password, whoever it is. */
function gitHost(folder: string, token: string): Service {
  return async (request) => {
    const credentials = (request.headers.authorization ?? "").split(" ")[1] ?? "";
    const [user = "", password] = Buffer.from(credentials, "base64").toString().split(":");
    const rest = /^\/platform\/fleet(\/.*)$/.exec(request.url.pathname)?.[1];
    if (password !== token) return { status: 401, headers: { "www-authenticate": 'Basic realm="git"' } };
    if (rest === undefined) return { status: 404 };
    return serveGit(request, { root: join(folder, "git"), path: `/acme/parity.git${rest}`, user });
  };
}
