// Fakes of ARM and Entra, and ways to ask a service: directly, or over HTTP on loopback.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf, MEDIA } from "../../../../rehearsal/cloud/registry/protocol.ts";
import { ContainerRegistries, type ContainerRegistriesOptions } from "../../../../rehearsal/cloud/registry/service.ts";
import { UpstreamRegistries } from "../../../../rehearsal/cloud/registry/upstream.ts";
import {
  type Arm,
  type ArmResource,
  type Caller,
  type CloudRequest,
  type CloudResponse,
  type Directory,
  type Place,
  type Service,
  ServiceError,
} from "../../../../rehearsal/cloud/types.ts";

export interface Ask {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly place?: Place;
}

/** A request as the door would bring it. */
export function request(
  method: string,
  url: string,
  { headers = {}, body = "", place = "outside" }: Ask = {},
): CloudRequest {
  const address = place === "outside" ? "203.0.113.7" : "10.60.17.9";
  return { method, url: new URL(url), headers, body: Buffer.from(body), place, address };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly json: any;
}

/** Asks a service and unpacks its answer. */
export async function ask(service: Service, method: string, url: string, more: Ask = {}): Promise<Answer> {
  const response = await service(request(method, url, more));
  const body = bytes(response);
  const json =
    body.length > 0 && /^[{[]/.test(body.toString("utf8", 0, 1)) ? JSON.parse(body.toString("utf8")) : undefined;
  return { status: response.status, headers: response.headers ?? {}, body, json };
}

function bytes({ body = "" }: CloudResponse): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

/** Serves one host of a service on loopback; the realm of its challenges leads back here. */
export async function serve(service: Service, host: string): Promise<{ address: string; close: () => Promise<void> }> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(
      Object.entries(incoming.headersDistinct).map(([key, values = []]) => [key, values.join(", ")]),
    );
    const body = Buffer.concat(chunks);
    const response = await service(
      request(incoming.method ?? "GET", `https://${host}${incoming.url}`, { headers, body }),
    );
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    outgoing.statusCode = response.status;
    for (const [name, value] of Object.entries(response.headers ?? {}))
      outgoing.setHeader(
        name,
        name === "www-authenticate" ? value.replace(/realm="https:\/\/[^/]+/, `realm="${origin}`) : value,
      );
    if (typeof response.body === "object" && !Buffer.isBuffer(response.body))
      outgoing.setHeader("content-type", "application/json");
    outgoing.end(incoming.method === "HEAD" ? undefined : bytes(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

export const TENANT = "72f988bf-0000-0000-0000-000000000001";
const SUBSCRIPTION = "11111111-2222-3333-4444-555555555555";
/** The action names of the roles that matter here. */
export const ROLES = {
  AcrPull: ["Microsoft.ContainerRegistry/registries/pull/read"],
  AcrPush: ["Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"],
  AcrDelete: ["Microsoft.ContainerRegistry/registries/artifacts/delete"],
  RepositoryReader: [
    "data:Microsoft.ContainerRegistry/registries/repositories/content/read",
    "data:Microsoft.ContainerRegistry/registries/repositories/metadata/read",
  ],
} as const;

export function registryResource(name: string, properties: Record<string, unknown> = {}): ArmResource {
  const id = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/${name}`;
  const loginServer = `${name.toLowerCase()}.azurecr.io`;
  return {
    id,
    name,
    type: "Microsoft.ContainerRegistry/registries",
    location: "West Europe",
    properties: { loginServer, ...properties },
  };
}

/** One cloud: a list of registries, and who has which role everywhere in it. */
export class FakeCloud {
  readonly registries: ArmResource[];
  /** Object id to role actions; `data:` marks data actions. */
  readonly roles = new Map<string, readonly string[]>();
  /** Places from which no registry is reached. */
  readonly shut = new Set<Place>();
  readonly upstream: UpstreamRegistries;
  readonly acr: ContainerRegistries;
  /** Milliseconds since 1970. */
  now = Date.parse("2026-05-01T00:00:00Z");

  constructor(options: Partial<ContainerRegistriesOptions> = {}, registries = [registryResource("Fleet")]) {
    this.registries = registries;
    this.upstream = new UpstreamRegistries([], () => this.now);
    const now = (): number => this.now;
    const passwordValid = (id: string, secret: string) =>
      secret === `secret of ${id}` ? person(id).principal : undefined;
    this.acr = new ContainerRegistries({
      arm: this.arm(),
      directory: directory(),
      upstream: this.upstream,
      passwordValid,
      now,
      ...options,
    });
  }

  arm(): Arm {
    return {
      subscriptionId: SUBSCRIPTION,
      get: (id) => this.registries.find((registry) => registry.id.toLowerCase() === id.toLowerCase()),
      list: (type) => (type.toLowerCase() === "microsoft.containerregistry/registries" ? this.registries : []),
      adopt: () => {},
      federatedCredentials: () => [],
      allows: (caller, action, scope, kind) =>
        this.registries.some(({ id }) => id === scope) &&
        (this.roles.get(caller.principal.objectId) ?? []).includes(kind === "data" ? `data:${action}` : action),
      unreachable: (_, { place }) => (this.shut.has(place) ? "public network access is disabled" : undefined),
      noWay: () => undefined,
    };
  }
}

/** Somebody with this object id. */
export function person(objectId: string): Caller {
  return { principal: { objectId, kind: "ServicePrincipal", displayName: objectId, clientId: objectId }, groups: [] };
}

/** Entra's tokens here are `<audience>|<object id>`. */
function directory(): Directory {
  return {
    tenantId: TENANT,
    find: (objectId) => person(objectId).principal,
    findByClientId: (clientId) => person(clientId).principal,
    groupsOf: () => [],
    addManagedIdentity: (displayName) => person(displayName).principal,
    remove: () => undefined,
    authenticate: (authorization, audience) => {
      const [given, objectId] = (authorization ?? "").replace("Bearer ", "").split("|");
      if (given !== audience || !objectId) throw new ServiceError({ status: 401 }, "invalid token");
      return person(objectId);
    },
  };
}

/** The way of an Entra token to a registry's access token: exchange, then token. */
export async function accessToken(
  cloud: FakeCloud,
  objectId: string,
  scope: string,
  host = "fleet.azurecr.io",
): Promise<string> {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const entra = `https://containerregistry.azure.net|${objectId}`;
  const exchange = new URLSearchParams({
    grant_type: "access_token",
    service: host,
    tenant: TENANT,
    access_token: entra,
  });
  const refresh = await ask(cloud.acr.service, "POST", `https://${host}/oauth2/exchange`, {
    headers,
    body: `${exchange}`,
  });
  const grant = new URLSearchParams({
    grant_type: "refresh_token",
    service: host,
    scope,
    refresh_token: refresh.json.refresh_token,
  });
  return (await ask(cloud.acr.service, "POST", `https://${host}/oauth2/token`, { headers, body: `${grant}` })).json
    .access_token;
}

/** An artifact of one manifest: its parts, ready to be pushed. */
export function artifact(
  text: string,
  more: Record<string, unknown> = {},
): { config: Buffer; layer: Buffer; manifest: Buffer; digest: string } {
  const config = Buffer.from("{}");
  const layer = Buffer.from(text);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA.ociManifest,
      config: { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(config), size: config.length },
      layers: [{ mediaType: "application/octet-stream", digest: digestOf(layer), size: layer.length }],
      ...more,
    }),
  );
  return { config, layer, manifest, digest: digestOf(manifest) };
}
