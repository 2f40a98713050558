// Which subscription, namespaces, types and API versions there are.
import type { CloudRequest } from "../types.ts";
import { armError } from "./errors.ts";
import { GROUP_TYPE, same } from "./ids.ts";
import { regions } from "./locations.ts";
import type { TypeDefinition } from "./schema.ts";
import { readVersions, writeVersions } from "./types/apiVersions.ts";
import { definitionOf, definitions } from "./types/index.ts";

/** Namespaces without types of their own here that stacks register nevertheless. */
const others = ["Microsoft.Compute", "Microsoft.Kubernetes", "Microsoft.PolicyInsights"];

/** Always usable, without registration. */
const builtIn = ["Microsoft.Resources", "Microsoft.Authorization"];

/** @throws ServiceError 400 where a request has no api-version. */
export function versionOf(request: CloudRequest): string {
  const version = request.url.searchParams.get("api-version");
  if (version === null || version === "")
    throw armError(
      400,
      "MissingApiVersionParameter",
      "The api-version query parameter (?api-version=) is required for all requests.",
    );
  return version;
}

export class Providers {
  readonly #subscriptionIds: readonly [string, ...string[]];
  readonly #unregistered: Set<string>;

  /** @param subscriptionIds the one whose providers are asked for, and others that are there too. */
  constructor(subscriptionIds: readonly [string, ...string[]], unregistered: readonly string[]) {
    this.#subscriptionIds = subscriptionIds;
    this.#unregistered = new Set(unregistered.map((name) => name.toLowerCase()));
  }

  /** Every namespace, as Microsoft spells it. */
  namespaces(): string[] {
    return [...new Set([...definitions.map(({ type }) => type.split("/")[0] as string), ...others])].sort();
  }

  register(namespace: string): void {
    this.#unregistered.delete(namespace.toLowerCase());
  }

  /** A namespace as GET /providers shows it. */
  show(namespace: string): Record<string, unknown> {
    return {
      id: `/subscriptions/${this.#subscriptionIds[0]}/providers/${namespace}`,
      namespace,
      registrationState: this.#unregistered.has(namespace.toLowerCase()) ? "NotRegistered" : "Registered",
      registrationPolicy: builtIn.includes(namespace) ? "RegistrationFree" : "RegistrationRequired",
      resourceTypes: definitions
        .filter(({ type }) => same(type.split("/")[0] ?? "", namespace))
        .map((definition) => ({
          resourceType: definition.type.split("/").slice(1).join("/"),
          apiVersions: [...readVersions(definition)].reverse(),
          locations: regions,
        })),
    };
  }

  /** @throws ServiceError 404 where a path names a subscription that there is not. */
  checkSubscription(path: string): void {
    const [, id] = /^\/subscriptions\/([^/]+)/i.exec(path) ?? [];
    if (id !== undefined && !this.#subscriptionIds.some((known) => same(known, id)))
      throw armError(404, "SubscriptionNotFound", `The subscription '${id}' could not be found.`);
  }

  /** @throws ServiceError 409 where the namespace of a type is not registered. */
  checkRegistered(type: string): void {
    const [namespace = ""] = type.split("/");
    if (!this.#unregistered.has(namespace.toLowerCase())) return;
    const message = `The subscription is not registered to use namespace '${namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions.`;
    throw armError(409, "MissingSubscriptionRegistration", message, {
      details: [{ code: "MissingSubscriptionRegistration", target: namespace, message }],
    });
  }

  /**
   * @param writes whether the request is a PUT or PATCH: fewer versions have the body that the simulation checks.
   * @throws ServiceError for an unknown namespace, type or API version.
   */
  definition(type: string, version: string, writes = false): TypeDefinition {
    const found = definitionOf(type);
    const [namespace = "", ...rest] = type.split("/");
    if (found === undefined && !this.namespaces().some((known) => same(known, namespace)))
      throw armError(404, "InvalidResourceNamespace", `The resource namespace '${namespace}' is invalid.`);
    if (found === undefined)
      throw armError(
        404,
        "InvalidResourceType",
        `The resource type '${rest.join("/")}' could not be found in the namespace '${namespace}' for api version '${version}'. The supported api-versions are ''.`,
      );
    const versions = writes ? writeVersions(found) : readVersions(found);
    if (versions.includes(version)) return found;
    if (found.type === GROUP_TYPE)
      throw armError(
        400,
        "InvalidApiVersionParameter",
        `The api-version '${version}' is invalid. The supported versions are '${versions.toReversed().join(",")}'.`,
      );
    throw armError(
      400,
      "NoRegisteredProviderFound",
      `No registered resource provider found for location '${regions[0]}' and API version '${version}' for type '${rest.join("/")}'. The supported api-versions are '${versions.join(", ")}'. The supported locations are '${regions.join(", ")}'.`,
    );
  }
}
