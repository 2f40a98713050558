// A small HTTP server on the loopback interface: one function answers, every request is kept.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface LoopbackRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface LoopbackAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
}

export interface Loopback {
  readonly origin: string;
  readonly requests: LoopbackRequest[];
  close(): Promise<void>;
}

/** Serves until it is closed. A function that throws is answered with 599, which no client expects. */
export async function listen(
  answer: (request: LoopbackRequest) => LoopbackAnswer | Promise<LoopbackAnswer>,
): Promise<Loopback> {
  const requests: LoopbackRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const path = incoming.url ?? "/";
    const url = new URL(path, "http://loopback");
    const request = {
      method: incoming.method ?? "",
      path,
      url,
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    requests.push(request);
    try {
      const { status = 200, headers = {}, body = "" } = await answer(request);
      const isRaw = typeof body === "string" || Buffer.isBuffer(body);
      outgoing.writeHead(status, { ...(isRaw ? {} : { "content-type": "application/json" }), ...headers });
      outgoing.end(isRaw ? body : JSON.stringify(body));
    } catch (error) {
      outgoing.writeHead(599).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
