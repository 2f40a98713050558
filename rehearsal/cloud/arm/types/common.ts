// Properties that many resource types share.
import { choice, flag, map, object, readOnly, reference, text } from "../schema.ts";

export const tags = map(text({ max: 256 }));
export const location = text({ min: 1 });
export const provisioningState = readOnly(text());
export const IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities";

/** `{id}` of another resource. */
export const subResource = (type: string, action?: string) => object("SubResource", { id: reference(type, action) });

/** The identities of a resource, by id. */
export const assignedIdentities = (valueName: string) =>
  map(
    object(valueName, { principalId: readOnly(text()), clientId: readOnly(text()) }),
    reference(IDENTITY_TYPE, "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"),
  );

export const switchable = (name: string) => object(name, { enabled: flag() });
export const enabledOrDisabled = choice("Enabled", "Disabled");
