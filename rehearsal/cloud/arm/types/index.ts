// Every resource type that the simulated ARM knows.
import type { TypeDefinition } from "../schema.ts";
import { containerRegistryTypes } from "./containerRegistry.ts";
import { containerServiceTypes } from "./containerService.ts";
import { kubernetesConfigurationTypes } from "./kubernetesConfiguration.ts";
import { metricsTypes } from "./metrics.ts";
import { monitorTypes } from "./monitor.ts";
import { networkTypes } from "./network.ts";
import { policyTypes } from "./policy.ts";
import { endpointTypes } from "./privateEndpoints.ts";
import { identityTypes, resourceTypes } from "./resources.ts";
import { authorizationTypes, keyVaultTypes } from "./security.ts";

export const definitions: readonly TypeDefinition[] = [
  ...resourceTypes,
  ...identityTypes,
  ...networkTypes,
  ...endpointTypes,
  ...authorizationTypes,
  ...policyTypes,
  ...keyVaultTypes,
  ...containerRegistryTypes,
  ...monitorTypes,
  ...metricsTypes,
  ...containerServiceTypes,
  ...kubernetesConfigurationTypes,
];

const byType = new Map(definitions.map((definition) => [definition.type.toLowerCase(), definition]));

/** The definition of a type, compared without case. */
export const definitionOf = (type: string): TypeDefinition | undefined => byType.get(type.toLowerCase());
