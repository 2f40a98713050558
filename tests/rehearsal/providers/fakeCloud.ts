// A cloud that is just enough for the providers' mechanics: it keeps what it is given and refuses nothing by itself.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import type { CloudRequest, CloudResponse, Service } from "../../../rehearsal/cloud/types.ts";
import { installProviders } from "../../../rehearsal/providers/install.ts";
import { type EngineEnvironment, engineEnvironment } from "../../support/engine.ts";

export const SUBSCRIPTION = "00000000-0000-0000-0000-00000000aaaa";
export const TENANT = "00000000-0000-0000-0000-00000000bbbb";
const CLIENT = "00000000-0000-0000-0000-00000000cccc";

export type Json = Record<string, unknown>;

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly apiVersion: string | null;
  readonly body: Json | undefined;
}

type Answer = (request: Sent) => CloudResponse | undefined;

export class FakeCloud {
  /** ARM's resources by their id in lower case. */
  readonly arm = new Map<string, Json>();
  readonly sent: Sent[] = [];
  /** Asked before anything else answers; for refusals and waiting. */
  intercept: Answer = () => undefined;
  /** Answers for api.github.com and graph.microsoft.com. */
  github: Answer = () => undefined;
  graph: Answer = () => undefined;
  readonly env: Record<string, string>;
  readonly engine: EngineEnvironment;
  readonly #door: Door;

  private constructor(engine: EngineEnvironment, door: Door) {
    this.engine = engine;
    this.#door = door;
    this.env = { ...engine.env };
  }

  /** @param arm what answers as Azure Resource Manager; default: the resources here. */
  static async start(arm?: Service): Promise<FakeCloud> {
    const engine = await engineEnvironment();
    const authority = await Authority.create();
    const door = new Door(authority);
    const cloud = new FakeCloud(engine, door);
    door.route("login.microsoftonline.com", async () => ({
      status: 200,
      body: { access_token: jwt(), token_type: "Bearer", expires_in: 3600 },
    }));
    door.route("management.azure.com", async (request) => {
      const sent = cloud.#record(request);
      return arm?.(request) ?? cloud.#armAnswer(sent);
    });
    door.route("api.github.com", async (request) => cloud.github(cloud.#record(request)) ?? notFound());
    door.route("graph.microsoft.com", async (request) => cloud.graph(cloud.#record(request)) ?? notFound());
    const port = await door.listen("outside");
    const authorityFile = join(engine.directory, "authority.pem");
    await writeFile(authorityFile, authority.pem);
    await installProviders(engine.env.PULUMI_HOME ?? "");
    Object.assign(cloud.env, {
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      NO_PROXY: "127.0.0.1,localhost",
      NODE_USE_ENV_PROXY: "1",
      NODE_EXTRA_CA_CERTS: authorityFile,
      ARM_CLIENT_ID: CLIENT,
      ARM_CLIENT_SECRET: "a secret",
      ARM_TENANT_ID: TENANT,
      ARM_SUBSCRIPTION_ID: SUBSCRIPTION,
      GITHUB_TOKEN: "a token",
    });
    return cloud;
  }

  async close(): Promise<void> {
    await this.#door.close();
    await this.engine.close();
  }

  /** The bodies of all PUTs by the last part of their path. */
  puts(): Map<string, Json> {
    const puts = this.sent.filter(({ method }) => method === "PUT");
    return new Map(puts.map(({ path, body }) => [path.split("/").at(-1) ?? "", body ?? {}]));
  }

  /** The key of the first resource whose id holds the text. */
  idOf(part: string): string {
    return [...this.arm.keys()].find((id) => id.includes(part)) ?? "";
  }

  #record(request: CloudRequest): Sent {
    const sent = {
      method: request.method,
      path: decodeURIComponent(request.url.pathname),
      apiVersion: request.url.searchParams.get("api-version"),
      body: request.body.length > 0 ? (JSON.parse(request.body.toString()) as Json) : undefined,
    };
    this.sent.push(sent);
    return sent;
  }

  #armAnswer(request: Sent): CloudResponse {
    const intercepted = this.intercept(request);
    if (intercepted !== undefined) return intercepted;
    const key = request.path.toLowerCase();
    const there = this.arm.get(key);
    if (request.method === "PUT") {
      const stored = resource(request.path, request.body ?? {});
      this.arm.set(key, stored);
      return { status: there === undefined ? 201 : 200, body: stored };
    }
    if (there === undefined) return notFound();
    if (request.method === "DELETE") this.arm.delete(key);
    return { status: 200, body: there };
  }
}

function notFound(): CloudResponse {
  return { status: 404, body: { error: { code: "ResourceNotFound", message: "The Resource was not found." } } };
}

/** A resource as ARM answers it, with the parts that it computes. */
function resource(path: string, body: Json): Json {
  const [namespace, ...steps] = (path.split("/providers/").at(-1) ?? "").split("/");
  const type = [namespace, ...steps.filter((_, at) => at % 2 === 0)].join("/");
  const name = path.split("/").at(-1);
  const properties = { ...(body.properties as Json), provisioningState: "Succeeded" } as Json;
  if (type === "Microsoft.KeyVault/vaults") properties.vaultUri = `https://${name}.vault.azure.net/`;
  if (Array.isArray(properties.subnets)) {
    properties.subnets = properties.subnets.map((subnet: Json) => ({
      ...subnet,
      id: `${path}/subnets/${String(subnet.name)}`,
      properties: { ...(subnet.properties as Json), provisioningState: "Succeeded", purpose: "None" },
    }));
  }
  if (type === "Microsoft.ContainerService/managedClusters") {
    properties.oidcIssuerProfile = { enabled: true, issuerURL: "https://issuer.example/" };
  }
  return { ...body, id: path, name, type, properties };
}

/** Unsigned: the providers only read its claims. */
function jwt(): string {
  const encode = (part: Json) => Buffer.from(JSON.stringify(part)).toString("base64url");
  return `${encode({ alg: "none" })}.${encode({ appid: CLIENT, oid: "the-object-id", tid: TENANT })}.`;
}
