// Every resource type that the stand-in for azure-native knows, by its token.

import type { ArmType } from "../armType.ts";
import { containerRegistry } from "./containerRegistry.ts";
import { containerService } from "./containerService.ts";
import { identity } from "./identity.ts";
import { keyVault } from "./keyVault.ts";
import { kubernetesConfiguration } from "./kubernetesConfiguration.ts";
import { monitoring } from "./monitoring.ts";
import { network } from "./network.ts";
import { privateDns } from "./privateDns.ts";
import { resources } from "./resources.ts";

export const armTypes: ReadonlyMap<string, ArmType> = new Map(
  [
    resources,
    network,
    privateDns,
    identity,
    monitoring,
    containerService,
    containerRegistry,
    keyVault,
    kubernetesConfiguration,
  ]
    .flat()
    .map((type) => [type.token, type]),
);
