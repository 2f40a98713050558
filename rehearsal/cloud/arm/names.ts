// Whether a name that is unique in all of Azure is still free.
import type { CloudRequest } from "../types.ts";
import type { World } from "./behaviour.ts";
import { armError, badContent } from "./errors.ts";
import { same } from "./ids.ts";
import { definitionOf } from "./types/index.ts";

/** Types whose names are, with the words for one that is taken. */
const unique: Readonly<Record<string, (name: string) => string>> = {
  "Microsoft.ContainerRegistry/registries": (name) => `The registry ${name} is already in use.`,
  "Microsoft.KeyVault/vaults": () =>
    "The vault name is already in use. Vault names are globally unique so it is possible that the name is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged after being placed in a recoverable state.",
};

/** The answer to POST checkNameAvailability of a namespace. */
export function nameAvailability(world: World, namespace: string, request: CloudRequest): object {
  const { name, type } = readQuestion(request);
  const known = Object.keys(unique).find((one) => same(one, type) && same(one.split("/")[0] ?? "", namespace));
  if (known === undefined)
    throw armError(400, "InvalidRequest", `The resource type '${type}' has no names that could be checked.`);
  const pattern = definitionOf(known)?.name;
  if (pattern !== undefined && !pattern.test(name))
    return { nameAvailable: false, reason: "Invalid", message: `The name '${name}' does not match ${pattern.source}.` };
  const isTaken =
    world.store.list(known).some((one) => same(one.name, name)) ||
    (known === "Microsoft.KeyVault/vaults" && world.deletedVaults.has(name.toLowerCase()));
  return isTaken
    ? { nameAvailable: false, reason: "AlreadyExists", message: unique[known]?.(name) }
    : { nameAvailable: true };
}

function readQuestion(request: CloudRequest): { name: string; type: string } {
  const { name, type } = JSON.parse(request.body.toString() || "{}") as Record<string, unknown>;
  if (typeof name !== "string" || typeof type !== "string")
    throw badContent("Required property 'name' or 'type' not found in JSON. Path ''");
  return { name, type };
}
