// Guards of container registries.
import type { RegistryArgs } from "@pulumi/azure-native/containerregistry/registry.js";
import { hasZones } from "../../settings/regions.ts";
import { found, type Given, type Guard, regionOf, type Seen } from "../guard.ts";

const LEARN = "https://learn.microsoft.com/azure";
const kinds = ["registry"] as const;

const registry = ({ props }: Seen) => props as Given<RegistryArgs>;

export const registryGuards: readonly Guard[] = [
  {
    name: "registry-has-no-admin-user",
    description: "A registry has no user whose password may do everything in it and never ends.",
    level: "mandatory",
    remedy:
      "set adminUserEnabled: false and give roles; for what cannot sign in to Entra, aks-gitops:registry.pullPrincipal: true",
    link: `${LEARN}/container-registry/container-registry-authentication#admin-account`,
    kinds,
    find: (seen) => found(registry(seen).adminUserEnabled === true && "The registry's admin user is enabled"),
  },
  {
    name: "registry-asks-who-pulls",
    description: "Nobody pulls from a registry without signing in.",
    level: "mandatory",
    remedy: "set anonymousPullEnabled: false, or leave it out",
    link: `${LEARN}/container-registry/anonymous-pull-access`,
    kinds,
    find: (seen) => found(registry(seen).anonymousPullEnabled === true && "Everybody may pull from the registry"),
  },
  {
    name: "registry-is-closed",
    description: "A registry of production is reached by private endpoints, or from listed addresses only.",
    level: "mandatory",
    production: true,
    remedy: "write aks-gitops:registry: { sku: Premium, private: true }",
    link: `${LEARN}/container-registry/container-registry-private-link`,
    kinds,
    find: (seen) => {
      const { publicNetworkAccess, networkRuleSet } = registry(seen);
      if (publicNetworkAccess === "Disabled") return [];
      return found(networkRuleSet?.defaultAction !== "Deny" && "The registry is open to every address");
    },
  },
  {
    name: "registry-spans-zones",
    description: "A registry of production is in a region where Azure spreads it over zones, which it does by itself.",
    level: "advisory",
    production: true,
    remedy: "choose a region with zones (azure-native:location), or keep in mind that pulls stop with the data centre",
    link: `${LEARN}/container-registry/zone-redundancy`,
    kinds,
    find: (seen) => {
      const region = regionOf(registry(seen).location);
      return found(region !== undefined && !hasZones(region) && `The registry's region ${region} has no zones`);
    },
  },
];
