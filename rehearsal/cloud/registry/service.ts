// Azure Container Registry: the data plane of NAME.azurecr.io, and what its control plane needs of it.

import type { ArmExtension, ArmResource, CloudRequest, CloudResponse, Place, Service } from "../types.ts";
import { ServiceError } from "../types.ts";
import { type AccessOptions, RegistryAccess } from "./access.ts";
import { distribution } from "./distribution.ts";
import { Importer } from "./import.ts";
import { answering, registryError } from "./protocol.ts";
import { RegistryStore } from "./store.ts";
import { putImage, type UpstreamImage, type UpstreamRegistries } from "./upstream.ts";

const TYPE = "Microsoft.ContainerRegistry/registries";

export interface ContainerRegistriesOptions extends AccessOptions {
  /** Where images are imported from. */
  readonly upstream: Pick<UpstreamRegistries, "source">;
  /** Milliseconds that an import of several manifests takes; 0 when left out. */
  readonly importDelay?: number;
  /** Seconds between two looks at a running import; 1 when left out. */
  readonly retryAfter?: number;
}

/** What others push into a registry, by its login server. */
export type Pushed = (loginServer: string) => Promise<readonly UpstreamImage[]>;

/** Every Azure container registry of the subscription; which there are is ARM's knowledge. */
export class ContainerRegistries {
  readonly #options: ContainerRegistriesOptions;
  readonly #access: RegistryAccess;
  readonly #importer: Importer;
  readonly #stores = new Map<string, RegistryStore>();
  #pushed: Pushed = async () => [];

  constructor(options: ContainerRegistriesOptions) {
    this.#options = options;
    this.#access = new RegistryAccess(options);
    this.#importer = new Importer({
      arm: options.arm,
      registryStore: (registry) => this.store(registry),
      upstreamSource: (...given) => options.upstream.source(...given),
      mayPull: (caller, registry) => this.#access.allows(caller, registry, "pull"),
      byPassword: (clientId, secret) => this.#access.byPassword(clientId, secret),
      ...(options.importDelay !== undefined && { importDelay: options.importDelay }),
      ...(options.retryAfter !== undefined && { retryAfter: options.retryAfter }),
    });
  }

  /**
   * Lets the next imports of several manifests hang: their operations never end.
   * @param done whether they copy all the same.
   */
  hang(imports: number, done: boolean): void {
    this.#importer.hang(imports, done);
  }

  /** Whether a host is a registry's login server; any other name does not resolve. */
  exists(host: string): boolean {
    return this.#registry(host) !== undefined;
  }

  /** Why a caller gets no connection to a host; see Arm.noWay. */
  noWay(host: string, place: Place): string | undefined {
    const registry = this.#registry(host);
    return registry && this.#options.arm.noWay(registry, host, place);
  }

  /** Lets others push: into every registry that is there, and into each as soon as it is made. */
  async push(pushed: Pushed): Promise<void> {
    this.#pushed = pushed;
    for (const registry of this.#options.arm.list(TYPE)) await this.#fill(registry);
  }

  async #fill(registry: ArmResource): Promise<void> {
    const images = await this.#pushed(String(registry.properties.loginServer));
    for (const image of images) putImage(this.store(registry), image);
  }

  /** The content of a registry, for looking at it after a run. */
  store(registry: Pick<ArmResource, "id">): RegistryStore {
    const key = registry.id.toLowerCase();
    const store = this.#stores.get(key) ?? new RegistryStore();
    this.#stores.set(key, store);
    return store;
  }

  /** The data plane. */
  readonly service: Service = (request) => answering(request, () => this.#answer(request));

  /** What ARM calls: creation, deletion and importImage. */
  readonly extension: ArmExtension = {
    type: TYPE,
    created: async (resource) => {
      resource.properties.loginServer ??= `${resource.name.toLowerCase()}.azurecr.io`;
      await this.#fill(resource);
    },
    deleted: async (resource) => {
      this.#stores.delete(resource.id.toLowerCase());
    },
    actions: {
      importImage: async (resource, body, caller) => this.#importer.start(resource, body, caller),
    },
  };

  /**
   * Answers the polling of an import, to be asked by ARM.
   * @returns undefined for anything else, ARM's own operations among it.
   * @throws ServiceError 401 without a token for ARM.
   */
  operationResult(request: CloudRequest): CloudResponse | undefined {
    const result = this.#importer.operationResult(request);
    if (result) this.#options.directory.authenticate(request.headers.authorization, "https://management.azure.com");
    return result;
  }

  #registry(host: string): ArmResource | undefined {
    return this.#options.arm
      .list(TYPE)
      .find(({ properties }) => String(properties.loginServer).toLowerCase() === host.toLowerCase());
  }

  #answer(request: CloudRequest): CloudResponse {
    const registry = this.#registry(request.url.hostname);
    if (!registry)
      throw new ServiceError({ status: 404 }, `no container registry has the login server ${request.url.hostname}`);
    if (this.#options.arm.unreachable(registry, request) !== undefined) {
      const words = `client with IP '${request.address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.`;
      throw registryError("DENIED", words);
    }
    const oauth = this.#access.oauth(registry, request);
    return oauth ?? distribution(this.store(registry), request, this.#access.guard(registry, request));
  }
}
