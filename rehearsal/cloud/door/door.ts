// The one door to the simulated cloud: a forward proxy on loopback that ends TLS itself, so that unmodified clients use
// the real host names. A port of it stands for a place in the network.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { type CloudRequest, type CloudResponse, type Place, type Service, ServiceError } from "../types.ts";
import type { Authority } from "./authority.ts";

const BODY_LIMIT = 256 * 1024 * 1024;

/** Usual addresses of the places: a documentation address (RFC 5737) outside, addresses of the VNet's ranges inside. */
export const addresses: Readonly<Record<Place, string>> = {
  outside: "203.0.113.10",
  inside: "10.60.0.4",
  cluster: "10.60.0.5",
};

export interface RouteOptions {
  /** Whether the name of a host below a wildcard resolves; without it every such name does. */
  readonly exists?: (host: string) => boolean;
  /** Why a caller gets no connection to a host: its name does not resolve there, or nothing leads to its address. */
  readonly noWay?: (tunnel: Tunnel) => string | undefined;
}

interface Route extends RouteOptions {
  readonly service: Service;
}

/** Where a tunnel leads, and from where. */
export interface Tunnel {
  readonly host: string;
  readonly place: Place;
  readonly address: string;
}

/** The port of 127.0.0.1 that a tunnel leads to, or the word why it leads nowhere. */
export type Lead = (tunnel: Tunnel) => number | string;

/** Brings requests to the services by host name. */
export class Door {
  /** Told of every exception that is not a ServiceError; its caller gets a 500. */
  onError?: (error: unknown, request: CloudRequest) => void;
  /** Told of every request and its answer. */
  onRequest?: (request: CloudRequest, response: CloudResponse) => void;
  readonly #authority: Authority;
  readonly #routes = new Map<string, Route>();
  readonly #leads = new Map<string, Lead>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #tunnels = new WeakMap<Socket, Tunnel>();
  /** Speaks HTTP inside the tunnels; it never listens itself. */
  readonly #inner: Server;

  constructor(authority: Authority) {
    this.#authority = authority;
    this.#inner = createServer((request, response) => void this.#answer(request, response));
    // Longer than clients keep idle connections: an idle one closed here would fail a request just being sent.
    this.#inner.keepAliveTimeout = 120_000;
    this.#inner.requestTimeout = 0;
  }

  /**
   * Gives a host to a service.
   * @param hostPattern a host, or `*.` and a domain for every host directly below it; an exact host wins.
   */
  route(hostPattern: string, service: Service, options: RouteOptions = {}): void {
    this.#routes.set(hostPattern.toLowerCase(), { ...options, service });
  }

  /**
   * Leads the connections to a host to a port as they are, for a server that ends TLS itself.
   * @param hostPattern as of `route`, whose exact hosts win.
   */
  lead(hostPattern: string, lead: Lead): void {
    this.#leads.set(hostPattern.toLowerCase(), lead);
  }

  /**
   * Opens a proxy port on loopback.
   * @param place where its callers stand.
   * @param address their address as services see it; default: that of `addresses`.
   * @returns the port.
   */
  async listen(place: Place, address: string = addresses[place]): Promise<number> {
    const server = createServer((request, response) => {
      request.resume();
      respond(response, refusal(403, `plain http:// is refused: ask for https (${request.url ?? ""})`), "GET");
    });
    server.on("connection", (socket) => this.#keep(socket));
    server.on("connect", (request, socket, head) => {
      this.#connect(request.url ?? "", { place, address }, socket as Socket, head);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Closes all ports and ends every connection. */
  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
    this.#servers.length = 0;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // A client that goes away is no event of the rehearsal.
    socket.on("error", () => socket.destroy());
  }

  #find(host: string): Route | undefined {
    return matching(this.#routes, host);
  }

  #connect(target: string, from: Omit<Tunnel, "host">, socket: Socket, head: Buffer): void {
    const [name = "", port] = target.toLowerCase().split(":");
    const route = this.#find(name);
    const lead = matching(this.#leads, name);
    const end = !route && port === "443" ? lead?.({ ...from, host: name }) : undefined;
    if (typeof end === "number") this.#pass(socket, head, end);
    else if (typeof end === "string") refuse(socket, 502, end);
    else if (!route) refuse(socket, 403, `${name} is not a host this rehearsal knows`);
    else if (port !== "443") refuse(socket, 403, `${target} is refused: only port 443 leads to ${name}`);
    else if (route.exists && !route.exists(name)) refuse(socket, 502, `lookup ${name}: no such host`);
    else {
      const tunnel = { ...from, host: name };
      const blocked = route.noWay?.(tunnel);
      if (blocked === undefined) this.#tunnel(socket, head, tunnel);
      else refuse(socket, 502, blocked);
    }
  }

  /** Joins a caller's connection with one to a port here. */
  #pass(socket: Socket, head: Buffer, port: number): void {
    const server = connect({ host: "127.0.0.1", port });
    this.#keep(server);
    const failed = (error: Error) => refuse(socket, 502, error.message);
    server.once("error", failed);
    server.once("connect", () => {
      // From here on the connection is its ends' own: a word in between would be taken for theirs.
      server.off("error", failed);
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      server.write(head);
      socket.pipe(server).pipe(socket);
      socket.once("close", () => server.destroy());
      server.once("close", () => socket.destroy());
    });
  }

  #tunnel(socket: Socket, head: Buffer, tunnel: Tunnel): void {
    this.#authority.context(tunnel.host).then(
      (secureContext) => {
        if (socket.destroyed) return;
        socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        if (head.length > 0) socket.unshift(head);
        const secure = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ["http/1.1"] });
        this.#tunnels.set(secure, tunnel);
        this.#keep(secure);
        this.#inner.emit("connection", secure);
      },
      (error: Error) => refuse(socket, 500, error.message),
    );
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    outgoing.on("error", () => outgoing.destroy());
    const method = incoming.method ?? "GET";
    try {
      const request = await this.#read(incoming);
      const response = "status" in request ? request : await this.#serve(request);
      if (response.status === 413) outgoing.shouldKeepAlive = false;
      respond(outgoing, response, method);
    } catch (error) {
      // The client broke off while its body was read, or an answer cannot be written: there is nobody left to tell.
      incoming.destroy(error as Error);
    }
  }

  /** @returns the request with its whole body, or the response to one that is not even looked at. */
  async #read(incoming: IncomingMessage): Promise<CloudRequest | CloudResponse> {
    const tunnel = this.#tunnels.get(incoming.socket);
    if (!tunnel) throw new Error("a connection outside any tunnel");
    const host = (incoming.headers.host ?? "").toLowerCase().replace(/:443$/, "");
    if (host !== tunnel.host) return refusal(421, `this connection leads to ${tunnel.host}, not to ${host}`);
    const body = await readBody(incoming);
    if (!body) return refusal(413, `the body is larger than ${BODY_LIMIT} bytes`);
    return {
      method: incoming.method ?? "GET",
      url: new URL(`https://${host}${incoming.url ?? "/"}`),
      headers: Object.fromEntries(
        Object.entries(incoming.headersDistinct).map(([key, values]) => [key, (values ?? []).join(", ")]),
      ),
      body,
      place: tunnel.place,
      address: tunnel.address,
    };
  }

  async #serve(request: CloudRequest): Promise<CloudResponse> {
    let response: CloudResponse;
    try {
      const route = this.#find(request.url.hostname);
      if (!route) throw new Error(`no service for ${request.url.hostname}`);
      response = await route.service(request);
    } catch (error) {
      if (error instanceof ServiceError) response = error.response;
      else {
        this.onError?.(error, request);
        response = refusal(500, `the rehearsal failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    this.onRequest?.(request, response);
    return response;
  }
}

/** What a table has for a host: by its name, else by the pattern of the domain above it. */
function matching<T>(table: ReadonlyMap<string, T>, host: string): T | undefined {
  return table.get(host) ?? table.get(host.replace(/^[^.]+/, "*"));
}

/** @returns undefined where the body is larger than the limit. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(incoming.headers["content-length"] ?? 0) > BODY_LIMIT) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function refusal(status: number, word: string): CloudResponse {
  return { status, headers: { "content-type": "text/plain" }, body: `${word}\n` };
}

function respond(outgoing: ServerResponse, response: CloudResponse, method: string): void {
  const { body } = response;
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(body === undefined || typeof body === "string" ? (body ?? "") : JSON.stringify(body));
  const headers = new Map(Object.entries(response.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value]));
  if (body !== undefined && typeof body === "object" && !Buffer.isBuffer(body) && !headers.has("content-type")) {
    headers.set("content-type", "application/json; charset=utf-8");
  }
  // A HEAD's answer may tell the length of a body that is not sent.
  const bodiless = response.status === 204 || response.status === 304;
  if (!bodiless && !(method === "HEAD" && headers.has("content-length"))) {
    headers.set("content-length", String(bytes.length));
  }
  outgoing.writeHead(response.status, Object.fromEntries(headers));
  outgoing.end(method === "HEAD" || bodiless ? undefined : bytes);
}

/** Answers a CONNECT. The word is the reason phrase too, which is what many clients show. */
function refuse(socket: Socket, status: number, word: string): void {
  const body = `${word}\n`;
  const head = [
    `HTTP/1.1 ${status} ${word}`,
    "Content-Type: text/plain",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
