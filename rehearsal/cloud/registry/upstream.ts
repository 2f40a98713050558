// The public registries that images come from: anonymous pull, each with its own way to a token; repositories that only a
// user may read; registries that keep nothing and send on to another one. Nobody pushes.

import type { CloudRequest, CloudResponse, Service } from "../types.ts";
import { ServiceError } from "../types.ts";
import { distribution, type Guard, type Need } from "./distribution.ts";
import { answering, registryError } from "./protocol.ts";
import { RegistryStore } from "./store.ts";
import { parseScopes, TokenMint } from "./tokens.ts";

/** An image or artifact as an upstream registry holds it. */
export interface UpstreamImage {
  /** The registry as references name it, for example `docker.io`. */
  readonly registry: string;
  /** The full repository, for example `library/busybox`. */
  readonly repository: string;
  /** Tags of the last manifest; none for what is only found by digest or as a referrer. */
  readonly tags: readonly string[];
  readonly blobs: readonly Buffer[];
  /** Children first, the one that the tags point at last. */
  readonly manifests: readonly { readonly mediaType: string; readonly body: Buffer }[];
}

/** Puts an image into a registry; a tag that exists moves. */
export function putImage(store: RegistryStore, { repository, blobs, manifests, tags }: UpstreamImage): void {
  for (const blob of blobs) store.putBlob(repository, blob);
  for (const [index, { body, mediaType }] of manifests.entries()) {
    store.putManifest(repository, body, mediaType);
    if (index < manifests.length - 1) continue;
    for (const tag of tags) store.putManifest(repository, body, mediaType, tag);
  }
}

interface Flavour {
  /** Every host name of the registry; the first one speaks `/v2/`. */
  readonly hosts: readonly string[];
  /** Where tokens are had; without it the registry asks for none. */
  readonly realm?: string;
  readonly service?: string;
  /** The registry that everything is sent on to. */
  readonly sendsTo?: string;
}

/** What signs in at a registry. */
export interface UpstreamLogin {
  readonly username: string;
  readonly password: string;
}

/** Repositories that only one user may read. */
interface Restriction {
  readonly registry: string;
  /** The repository, or what its name begins with up to a slash. */
  readonly path: string;
  readonly login: UpstreamLogin;
}

/** What Azure finds at a source: its content, or why it may not have it. */
export type Source = { readonly store: RegistryStore } | { readonly refusal: "limited" | "unauthorized" };

/** The registries there are, by the name that references use. */
const FLAVOURS: Readonly<Record<string, Flavour>> = {
  "docker.io": {
    hosts: ["registry-1.docker.io", "index.docker.io", "auth.docker.io"],
    realm: "https://auth.docker.io/token",
    service: "registry.docker.io",
  },
  "ghcr.io": { hosts: ["ghcr.io"], realm: "https://ghcr.io/token", service: "ghcr.io" },
  "quay.io": { hosts: ["quay.io"], realm: "https://quay.io/v2/auth", service: "quay.io" },
  "gcr.io": { hosts: ["gcr.io"], realm: "https://gcr.io/v2/token", service: "gcr.io" },
  "mcr.microsoft.com": { hosts: ["mcr.microsoft.com"] },
  "registry.k8s.io": { hosts: ["registry.k8s.io"] },
  "lscr.io": { hosts: ["lscr.io"], sendsTo: "ghcr.io" },
  "cr.fluentbit.io": { hosts: ["cr.fluentbit.io"], sendsTo: "ghcr.io" },
  "reg.kyverno.io": { hosts: ["reg.kyverno.io"], sendsTo: "ghcr.io" },
};
/** Seconds that a token of an upstream registry lasts. */
const LIFETIME = 300;

/** The name that references use for a registry's host, for example `docker.io` for `registry-1.docker.io`; undefined for an unknown host. */
export function upstreamName(host: string): string | undefined {
  return Object.keys(FLAVOURS).find((name) => name === host || FLAVOURS[name]?.hosts.includes(host));
}

export class UpstreamRegistries {
  readonly #stores = new Map(
    Object.keys(FLAVOURS)
      .filter((name) => FLAVOURS[name]?.sendsTo === undefined)
      .map((name) => [name, new RegistryStore()]),
  );
  readonly #restrictions: Restriction[] = [];
  readonly #mint: TokenMint;
  readonly #throttles = new Map<string, { left: number; retryAfter: number }>();

  /**
   * @param images what the registries hold; everything else is unknown to them.
   * @param now milliseconds since 1970; the clock when left out.
   * @throws Error for an image of a registry that is not simulated.
   */
  constructor(images: readonly UpstreamImage[] = [], now: () => number = Date.now) {
    this.#mint = new TokenMint("upstream", now);
    for (const image of images) this.add(image);
  }

  /** Every host name to route here. */
  get hosts(): string[] {
    return Object.values(FLAVOURS).flatMap(({ hosts }) => hosts);
  }

  /** Adds an image; a tag that exists moves. @throws Error for a registry that is not simulated. */
  add(image: UpstreamImage): void {
    const store = this.store(image.registry);
    if (!store) {
      const known = [...this.#stores.keys()].join(", ");
      throw new Error(`The rehearsal has no registry ${image.registry} (for ${image.repository}); it has ${known}.`);
    }
    putImage(store, image);
  }

  /** The content of a registry by any of its names, for imports on the server's side; undefined for an unknown host. */
  store(host: string): RegistryStore | undefined {
    const name = upstreamName(host) ?? "";
    return this.#stores.get(FLAVOURS[name]?.sendsTo ?? name);
  }

  /** Lets one user alone read a repository, or all whose names begin with a path. */
  restrict(registry: string, path: string, login: UpstreamLogin): void {
    this.#restrictions.push({ registry, path, login });
  }

  /** What an import on the server's side finds; undefined for an unknown host. */
  source(host: string, repository: string, login: UpstreamLogin | undefined): Source | undefined {
    const store = this.store(host);
    if (store === undefined) return undefined;
    const name = upstreamName(host) ?? "";
    const registry = FLAVOURS[name]?.sendsTo ?? name;
    if (this.#isThrottled(registry)) return { refusal: "limited" };
    return this.#mayRead(registry, repository, login) ? { store } : { refusal: "unauthorized" };
  }

  #mayRead(registry: string, repository: string, login: UpstreamLogin | undefined): boolean {
    const isKnown = login === undefined || this.#restrictions.some((one) => isOf(one, registry, login));
    return (
      isKnown &&
      this.#restrictions
        .filter(({ path }) => repository === path || repository.startsWith(`${path}/`))
        .every((one) => one.registry !== registry || (login !== undefined && isOf(one, registry, login)))
    );
  }

  /**
   * Answers the next requests to a registry with 429.
   * @param host any name of the registry.
   * @param requests how many.
   * @param retryAfter seconds, for the header Retry-After.
   */
  throttle(host: string, requests: number, retryAfter: number): void {
    this.#throttles.set(upstreamName(host) ?? host, { left: requests, retryAfter });
  }

  readonly service: Service = (request) => answering(request, () => this.#answer(request));

  #answer(request: CloudRequest): CloudResponse {
    const name = upstreamName(request.url.hostname) ?? "";
    const [flavour, store] = [FLAVOURS[name], this.#stores.get(name)];
    if (flavour?.sendsTo !== undefined) {
      const location = `https://${FLAVOURS[flavour.sendsTo]?.hosts[0]}${request.url.pathname}${request.url.search}`;
      return { status: 307, headers: { location } };
    }
    if (!flavour || !store)
      throw new ServiceError({ status: 404 }, `no registry has the host name ${request.url.hostname}`);
    this.#checkThrottle(name);
    const { origin, pathname } = request.url;
    if (
      flavour.realm &&
      new URL(flavour.realm).pathname === pathname &&
      new URL(flavour.realm).host === request.url.host
    )
      return this.#token(name, flavour, request);
    if (origin === "https://auth.docker.io") return { status: 404 };
    return distribution(store, request, this.#guard(flavour, request));
  }

  #isThrottled(name: string): boolean {
    const throttle = this.#throttles.get(name);
    if (!throttle || throttle.left <= 0) return false;
    throttle.left -= 1;
    return true;
  }

  #checkThrottle(name: string): void {
    if (!this.#isThrottled(name)) return;
    throw registryError("TOOMANYREQUESTS", "You have reached your unauthenticated pull rate limit.", undefined, {
      "retry-after": String(this.#throttles.get(name)?.retryAfter ?? 0),
    });
  }

  /** Tokens are for everybody, but for the repositories of one user, and for reading alone. */
  #token(name: string, flavour: Flavour, request: CloudRequest): CloudResponse {
    const scopes = parseScopes(request.url.searchParams.getAll("scope"));
    const service = request.url.searchParams.get("service");
    if (request.method !== "GET" || !scopes || (service !== null && service !== flavour.service))
      throw registryError("UNSUPPORTED", "only GET with the service and scopes of the challenge is supported");
    const login = loginOf(request.headers.authorization);
    if (login === "malformed" || scopes.some((scope) => !this.#mayRead(name, scope.name, login))) {
      const words = login === undefined ? "authentication required" : "incorrect username or password";
      throw registryError("UNAUTHORIZED", words);
    }
    const access = scopes.map((scope) => ({ ...scope, actions: scope.actions.filter((action) => action === "pull") }));
    const claims = { aud: flavour.service ?? "", sub: "", grant_type: "access_token", access } as const;
    const token = this.#mint.issue(claims, LIFETIME);
    return { status: 200, body: { token, access_token: token, expires_in: LIFETIME } };
  }

  #guard(flavour: Flavour, request: CloudRequest): Guard {
    const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const access = this.#mint.read(bearer, flavour.service ?? "", "access_token")?.access;
    const mayPull = (name: string): boolean =>
      !flavour.realm || (access ?? []).some((entry) => entry.name === name && entry.actions.includes("pull"));
    return {
      mayPull,
      require: (need) => {
        const reading = need.actions.every((action) => action === "pull" || action === "metadata_read");
        if (flavour.realm && access === undefined) throw challenge(flavour, need);
        if (!reading) throw registryError("DENIED", "requested access to the resource is denied");
        if (need.type === "repository" && !mayPull(need.name)) throw challenge(flavour, need);
      },
    };
  }
}

function isOf({ registry, login }: Restriction, name: string, given: UpstreamLogin): boolean {
  return registry === name && login.username === given.username && login.password === given.password;
}

/** Who asks, by the Authorization header; undefined without one. */
function loginOf(authorization: string | undefined): UpstreamLogin | "malformed" | undefined {
  if (authorization === undefined) return undefined;
  const [, encoded] = /^Basic (.+)$/i.exec(authorization) ?? [];
  const text = encoded === undefined ? "" : Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? "malformed" : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function challenge(flavour: Flavour, need: Need): ServiceError {
  // Public registries have one reading action only.
  const actions = need.actions.map((action) => (action === "metadata_read" ? "pull" : action)).join(",");
  const scope = need.type === "repository" ? `,scope="repository:${need.name}:${actions}"` : "";
  const header = `Bearer realm="${flavour.realm}",service="${flavour.service}"${scope}`;
  return registryError("UNAUTHORIZED", "authentication required", undefined, { "www-authenticate": header });
}
