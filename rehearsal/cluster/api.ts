// A client of the cluster's API server.
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";

/** An object of the API, as far as it is looked at here. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    /** Another one for an object that was deleted and made again. */
    readonly uid?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: the rest differs by kind, and the API server checks it.
  readonly [key: string]: any;
}

/** An answer that is no success. */
export class ApiError extends Error {
  readonly status: number;
  /** @param message what the API server says. */
  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

export interface ApiOptions {
  readonly port: number;
  /** The API server's authority as PEM. */
  readonly certificateAuthority: string;
  readonly token: string;
}

export class ClusterApi {
  readonly #options: ApiOptions;
  // An agent of its own: no proxy of the environment stands between.
  readonly #agent: Agent;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#agent = new Agent({ ca: options.certificateAuthority, keepAlive: true });
  }

  /** @throws ApiError with the API server's own words where the object is missing or must not be read. */
  get<T = KubeObject>(path: string): Promise<T> {
    return this.send<T>("GET", path);
  }

  /** The items of a list. */
  async list(path: string): Promise<KubeObject[]> {
    return (await this.get<{ items: KubeObject[] }>(path)).items;
  }

  create<T = KubeObject>(path: string, body: object): Promise<T> {
    return this.send<T>("POST", path, body);
  }

  /** Server-side apply of an object at its path. */
  apply(path: string, body: object): Promise<KubeObject> {
    const query = "fieldManager=aks-gitops-rehearsal&force=true";
    return this.send("PATCH", `${path}?${query}`, body, "application/apply-patch+yaml");
  }

  /** Sends a request; `body` goes as JSON. */
  async send<T>(method: string, path: string, body?: object, contentType = "application/json"): Promise<T> {
    const { status, text } = await this.raw(method, path, body, contentType);
    if (status >= 200 && status < 300) return JSON.parse(text) as T;
    throw new ApiError(status, messageOf(text) ?? `${method} ${path} was answered with ${status}`);
  }

  /** Status and text of any answer. @throws Error where the server cannot be reached. */
  raw(method: string, path: string, body?: object, contentType?: string): Promise<{ status: number; text: string }> {
    const { port, token } = this.#options;
    const headers = {
      authorization: `Bearer ${token}`,
      accept: "application/json, */*",
      ...(body === undefined ? {} : { "content-type": contentType }),
    };
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port, method, path, headers, agent: this.#agent };
      const sent = request(options, (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message;
  } catch {
    return undefined;
  }
}
