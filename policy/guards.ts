// All guard rails of the pack, in the order in which they are told.
import type { Guard } from "./guard.ts";
import { clusterGuards } from "./guards/cluster.ts";
import { credentialGuards } from "./guards/credentials.ts";
import { imageGuards } from "./guards/images.ts";
import { registryGuards } from "./guards/registry.ts";
import { roleGuards } from "./guards/roles.ts";
import { tagGuards } from "./guards/tags.ts";
import { vaultGuards } from "./guards/vault.ts";

export const GUARDS: readonly Guard[] = [
  ...clusterGuards,
  ...registryGuards,
  ...vaultGuards,
  ...imageGuards,
  ...credentialGuards,
  ...roleGuards,
  ...tagGuards,
];
