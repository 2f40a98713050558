// Flux installed by FluxInstall into the run's cluster, which these tests have to themselves: they are about flux-system.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { parse } from "yaml";
import { BOOTSTRAP_ENTRIES, BOOTSTRAP_FILES, gotkSync, identityComponent } from "../../flux/bootstrap.ts";
import { fluxManifests, gotkComponents } from "../../flux/manifests.ts";
import { CLOCK } from "../../net/retry.ts";
import type { Context, Existing, Properties, ResourceHandler } from "../../plugin/handler.ts";
import type { FluxWorld } from "../../provider/flux/fluxCluster.ts";
import { fluxInstallIn } from "../../provider/flux/fluxInstall.ts";
import { fluxReadyIn } from "../../provider/flux/fluxReady.ts";
import { mergeKustomization } from "../../provider/git/kustomizationFile.ts";
import { CLUSTER_ID, FakeCloud } from "../provider/fakeCloud.ts";
import { type TestCluster, testClusterForFlux } from "./cluster.ts";

export const PATH = "clusters/dev";
export const LOGIN_SERVER = "acme.azurecr.io";
export const IDENTITY = { clientId: "11111111-2222-3333-4444-555555555555", tenantId: "5b6f3f4e-0d6a-4f0f-9a55-0001" };

const VERSION = "2.9.4";
const FLEET = "acme/fleet";

export interface FluxInstallation {
  readonly all: TestCluster;
  readonly cloud: FakeCloud;
  /** Messages of the last operations. */
  readonly logs: string[];
  readonly context: Context;
  readonly world: FluxWorld;
  /** Of FluxInstall. */
  readonly inputs: Properties;
  /** A token that reads the repository. */
  newToken(): string;
  /** The handlers where the environment is this one. */
  install(environment?: Record<string, string>, more?: Partial<FluxWorld>): ResourceHandler;
  ready(more?: Partial<FluxWorld>): ResourceHandler;
  /** Flux in the cluster: installs it unless it is there. */
  installed(): Promise<Existing>;
  /** Commits to main; null removes a file. @returns the new head. */
  commit(files: Readonly<Record<string, string | null>>): Promise<string>;
  head(): Promise<string>;
}

let prepared: Promise<FluxInstallation> | undefined;

/** The run's cluster, and a repository that FluxInstall may hand it over to; the same for all who ask. */
export async function fluxInstallation(): Promise<FluxInstallation> {
  const all = await testClusterForFlux("FluxInstall");
  prepared ??= prepare(all);
  return prepared;
}

async function prepare(all: TestCluster): Promise<FluxInstallation> {
  const manifests = await fluxManifests({ version: VERSION, imageAutomation: false });
  const sync = { url: `https://github.com/${FLEET}.git`, branch: "main", path: PATH };
  const files = {
    [BOOTSTRAP_FILES.components]: gotkComponents(manifests, LOGIN_SERVER),
    [BOOTSTRAP_FILES.sync]: gotkSync(sync),
    [BOOTSTRAP_FILES.kustomization]:
      mergeKustomization("", undefined, { previous: {}, wanted: BOOTSTRAP_ENTRIES }) ?? "",
    [BOOTSTRAP_FILES.identity]: identityComponent(IDENTITY, false),
  };
  const inFolder = Object.entries(files).map(([file, text]) => [`${PATH}/${file}`, text]);
  const { folder } = await all.gitHub.createRepository("acme", "fleet", { files: Object.fromEntries(inFolder) });
  const git = gitIn(folder);
  const { users } = parse(await readFile(all.cluster.adminKubeconfig, "utf8"));
  const logs: string[] = [];
  const cloud = new FakeCloud();
  const world: FluxWorld = {
    cloud,
    token: async () => users[0].user.token,
    manifests: fluxManifests,
    environment: {},
    poll: 200,
    patience: 60_000,
    clock: CLOCK,
  };
  const context: Context = { ...cloud.context, log: (severity, message) => logs.push(`${severity}: ${message}`) };
  const inputs = {
    ...sync,
    ...IDENTITY,
    clusterId: CLUSTER_ID,
    endpoint: all.cluster.endpoint,
    certificateAuthority: Buffer.from(all.cluster.certificateAuthority).toString("base64"),
    version: VERSION,
    imageAutomation: false,
    manifests: manifests.sha256,
    loginServer: LOGIN_SERVER,
    readyMinutes: 2,
  };
  const newToken = () => all.gitHub.addToken({ repositories: { [FLEET]: "read" } });
  const first = newToken();
  let current: Existing | undefined;
  const install: FluxInstallation["install"] = (environment = { GITHUB_TOKEN: first }, more = {}) =>
    fluxInstallIn({ ...world, environment, ...more });
  return {
    ...{ all, cloud, logs, context, world, inputs, newToken, install },
    ready: (more) => fluxReadyIn({ ...world, ...more }),
    async installed() {
      const found = current && (await install().read?.(current.id, inputs, current.state, context));
      current = found ?? { ...(await install().create(inputs, context)), inputs };
      return current;
    },
    head: () => git(["rev-parse", "main"]),
    async commit(changes) {
      const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
      const lines = Object.entries(changes).map(([path, text]) =>
        text === null ? `D ${path}\n` : `M 100644 inline ${path}\n${data(text)}`,
      );
      const header = `commit refs/heads/main\ncommitter S <s@example.com> 1700000000 +0000\n${data("Change")}`;
      await git(["fast-import", "--quiet"], `${header}from refs/heads/main^0\n${lines.join("")}`);
      return git(["rev-parse", "main"]);
    },
  };
}

function gitIn(folder: string) {
  return async (args: readonly string[], input?: string) => {
    const running = promisify(execFile)("git", ["-C", folder, ...args]);
    running.child.stdin?.end(input);
    return (await running).stdout.trim();
  };
}
