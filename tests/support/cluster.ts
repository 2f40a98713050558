// The rehearsal's cluster for tests: one for all of a run, started when the first test asks for it.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { after } from "mocha";
import { Authority } from "../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../rehearsal/cloud/door/door.ts";
import type { ClientCredential } from "../../rehearsal/cloud/entra/directory.ts";
import { Entra } from "../../rehearsal/cloud/entra/service.ts";
import { GitHub } from "../../rehearsal/cloud/github/service.ts";
import { aksUsers } from "../../rehearsal/cluster/aksUsers.ts";
import { Cluster } from "../../rehearsal/cluster/cluster.ts";
import { CLUSTER_TOOLS, type ClusterTool } from "../../tools/catalogue.ts";
import { findTool, findTools } from "../../tools/findTool.ts";
import { FakeArm } from "../rehearsal/cloud/fakeArm.ts";
import { type SocksProxy, startSocksProxy } from "./socks.ts";

/** How long the first caller may wait where the tools must be built, in milliseconds; for a hook's timeout. */
export const CLUSTER_TIMEOUT = 1_800_000;

const TENANT_ID = "5b6f3f4e-0d6a-4f0f-9a55-7e1f6c2d0a01";
const CLUSTER_ID = `/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/test`;
const FQDN = "test-0a1b2c3d.hcp.westeurope.azmk8s.io";

export interface TestCluster {
  readonly cluster: Cluster;
  readonly tools: Readonly<Record<ClusterTool, string>>;
  readonly flux: string;
  readonly folder: string;
  readonly issuer: string;
  readonly fqdn: string;
  readonly entra: Entra;
  readonly gitHub: GitHub;
  readonly door: Door;
  /** By which Flux reaches Git hosts over SSH. */
  readonly socks: SocksProxy;
  /** What the cluster had to say. */
  readonly lines: string[];
  /** In the group of the cluster's administrators. */
  readonly admin: ClientCredential;
  /** A role assignment in Azure makes it a reader of the cluster. */
  readonly viewer: ClientCredential;
  /** In the tenant, without any right. */
  readonly stranger: ClientCredential;
  /** The environment of a command that is run as somebody; default: as `admin`. */
  environment(as?: ClientCredential): Record<string, string>;
  /** Runs kubectl; returns what it wrote, or throws with it. */
  kubectl(args: readonly string[], as?: ClientCredential): Promise<string>;
  /** Runs the flux CLI with all rights. */
  runFlux(...args: string[]): Promise<string>;
}

let started: Promise<TestCluster> | undefined;
/** Whose Flux may be in the cluster. */
let owner: string | undefined;

/** The run's cluster. Tests share it, so each keeps to namespaces of its own. */
export function testCluster(): Promise<TestCluster> {
  started ??= start();
  return started;
}

/**
 * The run's cluster for tests that have its one namespace flux-system to themselves, until others ask for it; what the
 * ones before left behind is gone then.
 * @param who says whose it is: the same ones find again what they left.
 */
export async function testClusterForFlux(who: string): Promise<TestCluster> {
  const all = await testCluster();
  if (owner !== undefined && owner !== who) await reset(all);
  owner = who;
  await all.cluster.startFlux();
  return all;
}

/** The run's cluster with Flux: installed by the real CLI, its controllers running. */
export async function testClusterWithFlux(): Promise<TestCluster> {
  const all = await testClusterForFlux("the CLI");
  await all.runFlux("install");
  return all;
}

/** Takes Flux and every namespace out that the cluster did not begin with. */
async function reset({ cluster: { api }, runFlux }: TestCluster): Promise<void> {
  const own = ["default", "kube-node-lease", "kube-public", "kube-system"];
  const others = async () =>
    (await api.list("/api/v1/namespaces")).map(({ metadata }) => metadata.name).filter((name) => !own.includes(name));
  // Flux's own objects hold a namespace until the CLI lets them go.
  if ((await others()).includes("flux-system")) await runFlux("uninstall", "--silent");
  for (const name of await others()) await api.send("DELETE", `/api/v1/namespaces/${name}`);
  await eventually(async () => ((await others()).length === 0 ? true : undefined));
}

// At the root: after the last test of the run.
after(async () => {
  const running = await started?.catch(() => undefined);
  if (running === undefined) return;
  await running.cluster.stop();
  await running.door.close();
  await running.socks.close();
  await rm(running.folder, { recursive: true, force: true });
});

async function start(): Promise<TestCluster> {
  const [tools, flux, kubelogin, folder, socks] = await Promise.all([
    findTools(CLUSTER_TOOLS),
    findTool("flux"),
    findTool("kubelogin"),
    mkdtemp(join(tmpdir(), "aks-gitops-cluster-")),
    startSocksProxy(),
  ]);
  const authority = await Authority.create();
  const authorityFile = join(folder, "authority.pem");
  await writeFile(authorityFile, authority.pem);
  const [entra, arm, gitHub, door] = [
    await Entra.create({ tenantId: TENANT_ID }),
    new FakeArm(),
    new GitHub({ root: join(folder, "git") }),
    new Door(authority),
  ];
  const administrators = "6f1f2b6e-1111-4e0a-9c60-00000000000a";
  entra.addGroup(administrators, "administrators");
  const admin = entra.addClient("admin", [administrators]);
  const viewer = entra.addClient("viewer");
  const stranger = entra.addClient("stranger");
  arm.allowed.push(`${viewer.objectId} Microsoft.ContainerService/managedClusters/pods/read ${CLUSTER_ID}`);
  door.route("login.microsoftonline.com", entra.service);
  door.route("api.github.com", gitHub.api);
  door.route("github.com", gitHub.git);
  const port = await door.listen("cluster");
  const issuer = `https://westeurope.oic.prod-aks.azure.com/${TENANT_ID}/00000000-0000-0000-0000-00000000000b/`;
  const lines: string[] = [];
  const cluster = await Cluster.start({
    folder: join(folder, "cluster"),
    tools,
    issuer,
    tenantId: TENANT_ID,
    hosts: [FQDN],
    authenticate: aksUsers(entra, arm, CLUSTER_ID),
    adminGroups: [administrators],
    proxyPort: port,
    socks: socks.url,
    authority: authorityFile,
    log: (line) => lines.push(line),
  });
  door.lead(FQDN, ({ place }) => (place === "inside" ? `${FQDN} is not for those inside` : cluster.port));
  const environment = (as: ClientCredential = admin) => ({
    PATH: [dirname(kubelogin), dirname(process.execPath), process.env.PATH ?? ""].join(delimiter),
    HOME: folder,
    KUBECONFIG: cluster.userKubeconfig,
    HTTPS_PROXY: `http://127.0.0.1:${port}`,
    NO_PROXY: "127.0.0.1,localhost",
    NODE_USE_ENV_PROXY: "1",
    NODE_EXTRA_CA_CERTS: authorityFile,
    SSL_CERT_FILE: authorityFile,
    AAD_LOGIN_METHOD: "spn",
    AAD_SERVICE_PRINCIPAL_CLIENT_ID: as.clientId,
    AAD_SERVICE_PRINCIPAL_CLIENT_SECRET: as.clientSecret,
    AZURE_TENANT_ID: TENANT_ID,
  });
  const run = async (program: string, args: readonly string[], env: NodeJS.ProcessEnv) =>
    (await promisify(execFile)(program, args, { env, maxBuffer: 1 << 26 })).stdout;
  return {
    ...{
      cluster,
      tools,
      flux,
      folder,
      issuer,
      fqdn: FQDN,
      entra,
      gitHub,
      door,
      socks,
      lines,
      admin,
      viewer,
      stranger,
      environment,
    },
    kubectl: (args, as) => run(tools.kubectl, args, environment(as)),
    runFlux: (...args) => run(flux, args, { ...environment(), KUBECONFIG: cluster.adminKubeconfig }),
  };
}

/** Looks until a value is there; the test's own time limit ends a wait in vain. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
