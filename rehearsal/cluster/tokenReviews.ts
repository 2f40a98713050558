// Who a token belongs to, for tokens that the API server did not make: the webhook that AKS has for Entra's tokens.
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Somebody as the API server knows them. */
export interface ClusterUser {
  /** AKS: the object id of an application, the user principal name of a person. */
  readonly username: string;
  /** AKS: the object ids of the groups. */
  readonly groups: readonly string[];
}

/** Whose token this is; undefined where it is nobody's. */
export type Authenticate = (token: string) => ClusterUser | undefined | Promise<ClusterUser | undefined>;

/** Answers TokenReviews (authentication.k8s.io/v1) on loopback. */
export class TokenReviews {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(authenticate: Authenticate): Promise<TokenReviews> {
    const server = createServer(async (request, response) => {
      const status = await review(request, authenticate).catch((error: Error) => ({
        authenticated: false,
        error: error.message,
      }));
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", status }));
    });
    server.keepAliveTimeout = 120_000;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new TokenReviews(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function review(request: IncomingMessage, authenticate: Authenticate): Promise<object> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { spec } = JSON.parse(Buffer.concat(chunks).toString()) as { spec: { token: string } };
  const user = await authenticate(spec.token);
  return user === undefined ? { authenticated: false } : { authenticated: true, user };
}
