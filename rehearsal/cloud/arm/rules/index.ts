// The behaviour of every resource type.
import type { Behaviour } from "../behaviour.ts";
import { authorizationRules } from "./authorization.ts";
import { clusterRules } from "./cluster.ts";
import { dataRules } from "./data.ts";
import { endpointRules } from "./endpoints.ts";
import { fluxRules } from "./flux.ts";
import { identityRules } from "./identity.ts";
import { metricsRules } from "./metrics.ts";
import { networkRules } from "./network.ts";
import { policyRules } from "./policy.ts";

const rules = new Map(
  Object.entries({
    ...identityRules,
    ...authorizationRules,
    ...policyRules,
    ...networkRules,
    ...endpointRules,
    ...dataRules,
    ...metricsRules,
    ...clusterRules,
    ...fluxRules,
  }).map(([type, behaviour]) => [type.toLowerCase(), behaviour]),
);

/** The rules of a type; none beyond its schema where there are none. */
export const behaviourOf = (type: string): Behaviour => rules.get(type.toLowerCase()) ?? {};
