// Deleting a resource with everything below it.
import type { ArmResource } from "../types.ts";
import type { World } from "./behaviour.ts";
import { same } from "./ids.ts";
import { behaviourOf } from "./rules/index.ts";

const VAULT_TYPE = "Microsoft.KeyVault/vaults";

/** What goes when a resource goes: its content first, newest first, then itself. */
export async function removeAll(
  world: World,
  resource: ArmResource,
  deleted: (resource: ArmResource) => Promise<void>,
): Promise<void> {
  // A vault is only put aside with its keys, so their data plane keeps them until the purge.
  const aside = same(resource.type, VAULT_TYPE);
  const vaults = world.store.below(resource.id).filter(({ type }) => same(type, VAULT_TYPE));
  for (const vault of vaults) await removeAll(world, vault, deleted);
  const below = world.store.below(resource.id).reverse();
  if (aside) behaviourOf(resource.type).gone?.(resource, world);
  world.store.remove(resource.id);
  for (const one of below) {
    if (world.store.get(one.id) === undefined) continue;
    world.store.remove(one.id);
    behaviourOf(one.type).gone?.(one, world);
    if (!aside) await deleted(one);
  }
  if (aside) return;
  behaviourOf(resource.type).gone?.(resource, world);
  await deleted(resource);
}

/** Purges a soft-deleted vault for good. */
export async function purge(
  world: World,
  name: string,
  deleted: (resource: ArmResource) => Promise<void>,
): Promise<void> {
  const found = world.deletedVaults.get(name.toLowerCase());
  if (found === undefined) return;
  world.deletedVaults.delete(name.toLowerCase());
  for (const content of found.contents) await deleted(content);
  await deleted(found.vault);
}
