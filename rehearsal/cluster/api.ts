// The rehearsal's way to its own cluster: requests by path, sent once, since its faults are to be seen.
import { Agent } from "node:https";
import {
  contentOf,
  type KubernetesAnswer,
  KubernetesApi,
  type KubeObject as NetKubeObject,
} from "../../net/kubernetesApi.ts";

/** An object of the API, as far as it is looked at here. */
export interface KubeObject extends NetKubeObject {
  readonly metadata: NetKubeObject["metadata"] & {
    /** Another one for an object that was deleted and made again. */
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: the rest differs by kind, and the API server checks it.
  readonly [key: string]: any;
}

export interface ApiOptions {
  readonly port: number;
  /** The API server's authority as PEM. */
  readonly certificateAuthority: string;
  readonly token: string;
}

export class ClusterApi {
  readonly #api: KubernetesApi;
  // An agent of its own: no proxy of the environment stands between.
  readonly #agent: Agent;

  constructor({ port, certificateAuthority, token }: ApiOptions) {
    this.#agent = new Agent({ ca: certificateAuthority, keepAlive: true });
    const server = { endpoint: `https://127.0.0.1:${port}`, credential: async () => ({ token }), agent: this.#agent };
    this.#api = new KubernetesApi(server, new AbortController().signal);
  }

  /** @throws KubernetesError with the API server's own words where the object is missing or must not be read. */
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
  async send<T>(method: string, path: string, body?: object, contentType?: string): Promise<T> {
    return contentOf(method, path, await this.#api.ask(method, path, body, contentType)) as T;
  }

  /** Any answer, whatever its status. @throws UnreachableError where the server gives none. */
  raw(method: string, path: string): Promise<KubernetesAnswer> {
    return this.#api.ask(method, path);
  }

  close(): void {
    this.#agent.destroy();
  }
}
