// Resource groups, user-assigned identities and their federated credentials.
import { type Behaviour, propertiesOf, type World } from "../behaviour.ts";
import { armError } from "../errors.ts";
import { GROUP_TYPE, key, same } from "../ids.ts";
import { IDENTITY_TYPE } from "../types/common.ts";

export const CREDENTIAL_TYPE = `${IDENTITY_TYPE}/federatedIdentityCredentials`;

/** https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations */
const MOST_CREDENTIALS = 20;

/** Makes the service principal of a managed identity and remembers when. */
export function newIdentity(world: World, displayName: string, identityId: string) {
  const principal = world.directory.addManagedIdentity(displayName, identityId);
  world.born.set(key(principal.objectId), world.settings.now());
  return principal;
}

/**
 * Whether Entra takes a federated credential already:
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
 */
export function isTaken({ settings, born }: World, credentialId: string): boolean {
  return settings.now() - (born.get(key(credentialId)) ?? 0) >= settings.federationDelay;
}

export const identityRules: Readonly<Record<string, Behaviour>> = {
  [GROUP_TYPE]: {
    answers: { deletion: "location" },
    accepted(resource) {
      resource.properties.provisioningState = "Succeeded";
    },
  },
  [IDENTITY_TYPE]: {
    answers: { location: (resource, isNew) => (isNew ? resource.id : undefined) },
    accepted(resource, { world, old }) {
      if (old !== undefined) return;
      const principal = newIdentity(world, resource.name, resource.id);
      Object.assign(resource.properties, {
        tenantId: world.tenantId,
        principalId: principal.objectId,
        clientId: principal.clientId,
      });
    },
    gone(resource, world) {
      world.directory.remove(String(resource.properties.principalId));
    },
  },
  [CREDENTIAL_TYPE]: {
    answers: {
      location: (resource, isNew) => (isNew ? resource.id : undefined),
      missing: ({ id }) => armError(404, "NotFound", `Resource '${id}' was not found.`),
    },
    exclusive: 100,
    conflict: (id) => ({
      status: 409,
      code: "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
      message: `Too many Federated Identity Credentials are written concurrently for the managed identity '${key(id.parent ?? "")}'. Concurrent Federated Identity Credentials writes under the same managed identity are not supported.`,
    }),
    check({ world, id, body }) {
      const others = world.store.below(id.parent ?? "").filter((one) => !same(one.id, id.id));
      const { issuer, subject, audiences } = propertiesOf(body);
      if (others.some(({ properties }) => properties.issuer === issuer && properties.subject === subject))
        throw armError(
          409,
          "IssuerAndSubjectCombinationAlreadyExists",
          "Issuer and subject combination already exists for this Managed Identity.",
        );
      if (others.length >= MOST_CREDENTIALS)
        throw armError(
          400,
          "FederatedIdentityCredentialLimitReached",
          `The managed identity '${id.parent}' has ${others.length} Federated Identity Credentials. No more than ${MOST_CREDENTIALS} are allowed.`,
        );
      if ((audiences as unknown[]).length !== 1)
        throw armError(400, "BadRequest", "The property 'audiences' must have exactly one value.");
      if (!URL.canParse(String(issuer)) || new URL(String(issuer)).protocol !== "https:")
        throw armError(400, "BadRequest", `The property 'issuer' must be an HTTPS URL, it is '${issuer}'.`);
    },
    accepted(resource, { world, old }) {
      const was = JSON.stringify(old?.properties);
      if (was !== JSON.stringify(resource.properties)) world.born.set(key(resource.id), world.settings.now());
    },
  },
};
