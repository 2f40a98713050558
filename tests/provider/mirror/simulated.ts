// The plugin's own clients against a simulated ARM, an Azure registry and an upstream registry, over HTTP; any one request
// may fail, and time passes only where somebody waits.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RegistryClient, type RegistryLogin } from "../../../net/registry/client.ts";
import type { Clock } from "../../../net/retry.ts";
import { ArmClient } from "../../../provider/azure/armClient.ts";
import type { Cloud } from "../../../provider/azure/cloud.ts";
import { type CloudResponse, ServiceError } from "../../../rehearsal/cloud/types.ts";
import { person, FakeCloud as Registries, ROLES, request } from "../../rehearsal/cloud/registry/support.ts";
import { FakeCloud } from "../fakeCloud.ts";

export const FAULTS = ["429", "500", "reset", "hang"] as const;
export type Fault = (typeof FAULTS)[number];

const TARGET = "fleet.azurecr.io";

export class SimulatedRegistry implements Cloud {
  readonly registries: Registries;
  /** Method and path of every request to ARM and the target, in order. */
  readonly requests: string[] = [];
  readonly messages: string[] = [];
  /** Bytes of all bodies, both ways, and the requests of the upstream registry among them. */
  readonly traffic = { bytes: 0, requests: 0 };
  /** The request of a number, from 1, fails so; what it asks for is done all the same, unless it is refused. */
  fault: { readonly request: number; readonly kind: Fault } | undefined;
  /** How long an answer is waited for, in milliseconds. */
  silence = 30_000;
  /** Milliseconds that were waited. */
  waited = 0;
  readonly #servers: Server[] = [];
  readonly #origins = new Map<string, string>();
  readonly #clients = new Map<string, RegistryClient>();
  #arm: ArmClient | undefined;

  constructor(options: ConstructorParameters<typeof Registries>[0] = {}) {
    this.registries = new Registries(options);
    this.registries.roles.set("deployer", ROLES.AcrPush);
  }

  static async start(options?: ConstructorParameters<typeof Registries>[0]): Promise<SimulatedRegistry> {
    const simulated = new SimulatedRegistry(options);
    for (const host of ["arm", TARGET, "ghcr.io"]) await simulated.#listen(host);
    return simulated;
  }

  /** The content of the target. */
  get target() {
    const [registry] = this.registries.registries;
    if (registry === undefined) throw new Error("there is no registry");
    return { id: registry.id, loginServer: TARGET, store: this.registries.acr.store(registry) };
  }

  readonly clock: Clock = {
    now: () => this.waited,
    pause: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      this.waited += milliseconds;
      // What the servers do meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };

  arm() {
    const credential = { getToken: async () => ({ token: "deployer", expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const endpoint = this.#origins.get("arm") ?? "";
    this.#arm ??= new ArmClient({ endpoint, credential, clock: this.clock, silence: this.silence });
    return this.#arm;
  }

  registry(host: string, login?: RegistryLogin): RegistryClient {
    const getToken = async () => ({
      token: "https://containerregistry.azure.net|deployer",
      expiresOnTimestamp: Date.now() + 3_600_000,
    });
    const key = `${host} ${login?.username}`;
    const known =
      this.#clients.get(key) ??
      new RegistryClient(host, {
        ...(login && { login }),
        credential: { getToken },
        endpoint: this.#origins.get(host) ?? "http://127.0.0.1:9",
        clock: this.clock,
        limits: { silence: this.silence, window: 5000, progress: 50_000, size: 1_000_000 },
      });
    this.#clients.set(key, known);
    return known;
  }

  /** Gives the target permissions of repositories (ABAC), and the deployer a role of that kind. */
  keepToRepositories(): void {
    for (const { properties } of this.registries.registries)
      properties.roleAssignmentMode = "AbacRepositoryPermissions";
    this.registries.roles.set("deployer", ROLES.RepositoryReader);
  }

  /** Every client is a new one, as those of a plugin that starts. */
  forgetTokens(): void {
    this.#clients.clear();
  }

  readonly context = {
    ...new FakeCloud().context,
    log: (severity: string, message: string) => {
      this.messages.push(`${severity}: ${message}`);
    },
  };

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async #listen(host: string): Promise<void> {
    const server = createServer((incoming, outgoing) => void this.#serve(host, incoming, outgoing));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#servers.push(server);
    this.#origins.set(host, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async #serve(host: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    this.traffic.requests++;
    for (const { length } of chunks) this.traffic.bytes += length;
    if (host !== "ghcr.io") this.requests.push(`${incoming.method} ${incoming.url?.replace(/\?.*/, "")}`);
    const fault = host !== "ghcr.io" && this.fault?.request === this.requests.length ? this.fault.kind : undefined;
    if (fault === "429") return void outgoing.writeHead(429, { "retry-after": "7" }).end();
    const response = await this.#answer(host, incoming, Buffer.concat(chunks));
    if (fault === "hang") return;
    if (fault === "reset") return void incoming.socket.destroy();
    if (fault === "500") return void outgoing.writeHead(500).end();
    const { body = "" } = response;
    for (const [name, value] of Object.entries(response.headers ?? {})) outgoing.setHeader(name, this.#local(value));
    outgoing.statusCode = response.status;
    const text = Buffer.isBuffer(body) || typeof body === "string" ? body : JSON.stringify(body);
    if (incoming.method !== "HEAD") this.traffic.bytes += Buffer.byteLength(text);
    outgoing.end(incoming.method === "HEAD" ? undefined : text);
  }

  /** Where a simulated host answers: `arm`, the target's login server, `ghcr.io`. */
  origin(host: string): string {
    return this.#origins.get(host) ?? "";
  }

  /** Addresses of the simulated hosts lead here. */
  #local(value: string): string {
    return value
      .replace(`https://${TARGET}`, this.#origins.get(TARGET) ?? "")
      .replace("https://ghcr.io", this.#origins.get("ghcr.io") ?? "")
      .replace("https://management.azure.com", this.#origins.get("arm") ?? "");
  }

  async #answer(host: string, { method = "GET", url = "/", headers }: IncomingMessage, body: Buffer) {
    const { acr, upstream, registries } = this.registries;
    const asked = request(method, `https://${host === "arm" ? "management.azure.com" : host}${url}`, {
      headers: headers as Record<string, string>,
      body,
    });
    if (host === "ghcr.io") return upstream.service(asked);
    if (host === TARGET) return acr.service(asked);
    const authorization = "Bearer https://management.azure.com|deployer";
    const polled = acr.operationResult({ ...asked, headers: { authorization } });
    if (polled !== undefined) return polled;
    const [registry] = registries;
    const action = acr.extension.actions?.importImage;
    if (registry === undefined || action === undefined) throw new Error("there is no import");
    return errorsToo(() => action(registry, JSON.parse(body.toString()), person("deployer")));
  }
}

async function errorsToo(work: () => Promise<CloudResponse> | CloudResponse): Promise<CloudResponse> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ServiceError) return error.response;
    throw error;
  }
}
