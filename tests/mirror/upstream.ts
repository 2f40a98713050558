// The simulated upstream for tests of mirror/: registries and chart repositories behind the one door, and the command
// run against them as a person would run it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { Lock } from "../../mirror/lock.ts";
import { Authority } from "../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../rehearsal/cloud/door/door.ts";
import { ChartRepositories, type ChartRepository } from "../../rehearsal/cloud/registry/charts.ts";
import { type UpstreamImage, UpstreamRegistries } from "../../rehearsal/cloud/registry/upstream.ts";

const MAIN = fileURLToPath(new URL("../../mirror/main.ts", import.meta.url));

export interface Upstream {
  readonly folder: string;
  /** Host and path of every request. */
  readonly requests: string[];
  /** What the world holds from now on. */
  publish(content: {
    images?: readonly UpstreamImage[];
    repositories?: readonly ChartRepository[];
    /** What the registries do beside. */
    also?: (registries: UpstreamRegistries) => void;
  }): Promise<void>;
  /** Serves one path as it is given. */
  serve(host: string, body: string): void;
  /** Writes the stack file `Pulumi.prod.yaml` with these charts and images, and what it says of the cluster. */
  settings(charts: readonly object[], images?: readonly string[], cluster?: object): Promise<void>;
  /** `npm run mirror -- update --stack prod`, another command, or of another list, with a PATH that may lack Helm. */
  update(options?: {
    command?: string;
    env?: Record<string, string>;
    list?: readonly string[];
    args?: readonly string[];
    path?: string;
    /** Where it is run. */
    cwd?: string;
  }): Promise<{ code: number; stdout: string; stderr: string }>;
  lock(): Promise<Lock>;
  close(): Promise<void>;
}

export async function upstream(): Promise<Upstream> {
  const folder = await mkdtemp(join(tmpdir(), "aks-gitops-mirror-"));
  const authority = await Authority.create();
  await writeFile(join(folder, "authority.pem"), authority.pem);
  await writeFile(join(folder, "Pulumi.yaml"), "name: aks-gitops\nruntime: nodejs\n");
  const door = new Door(authority);
  const requests: string[] = [];
  door.onRequest = ({ url }) => requests.push(`${url.host}${url.pathname}`);
  const proxy = `http://127.0.0.1:${await door.listen("outside")}`;
  return {
    folder,
    requests,
    async publish({ images = [], repositories = [], also }) {
      const registries = new UpstreamRegistries(images);
      also?.(registries);
      for (const host of registries.hosts) door.route(host, registries.service);
      const charts = await ChartRepositories.of(repositories);
      for (const host of charts.hosts) door.route(host, charts.service);
    },
    serve: (host, body) => door.route(host, async () => ({ status: 200, body })),
    async settings(charts, images = [], cluster = {}) {
      const config = {
        "azure-native:location": "westeurope",
        "github:owner": "acme",
        "aks-gitops:deployers": "6f1f2b6e-1111-4e0a-9c60-000000000001",
        "aks-gitops:cluster": { adminGroups: ["6f1f2b6e-1111-4e0a-9c60-000000000002"], ...cluster },
        "aks-gitops:flux": { repository: "https://github.com/acme/fleet" },
        "aks-gitops:charts": charts,
        "aks-gitops:images": images,
      };
      await writeFile(join(folder, "Pulumi.prod.yaml"), stringify({ config }));
    },
    async update({
      command = "update",
      env: more = {},
      list = ["--stack", "prod", "--project", folder],
      args = [],
      path = process.env.PATH ?? "",
      cwd = process.cwd(),
    } = {}) {
      const env = {
        PATH: path,
        HOME: process.env.HOME,
        AKS_GITOPS_CACHE: path === process.env.PATH ? process.env.AKS_GITOPS_CACHE : join(folder, "cache"),
        HTTPS_PROXY: proxy,
        NODE_EXTRA_CA_CERTS: join(folder, "authority.pem"),
        // Not the sign-ins of whoever runs the tests.
        DOCKER_CONFIG: join(folder, "docker"),
        ...more,
      };
      const all = [MAIN, command, ...list, ...args];
      const child = spawn(process.execPath, all, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
      const output = { stdout: "", stderr: "" };
      for (const name of ["stdout", "stderr"] as const) {
        child[name].setEncoding("utf8").on("data", (text: string) => {
          output[name] += text;
        });
      }
      const [code] = (await once(child, "close")) as [number];
      return { code, ...output };
    },
    lock: async () => JSON.parse(await readFile(join(folder, "mirror.prod.lock.json"), "utf8")) as Lock,
    async close() {
      await door.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
