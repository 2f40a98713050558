// Forms of the inputs of what drives Flux.

import * as z from "zod";
import { matching } from "../../plugin/schema.ts";

/** Plain HTTP would tell everybody on the way the token. */
export const endpoint = matching(
  /^(https:\/\/[^\s/@]+|http:\/\/127\.0\.0\.1(:\d+)?)$/,
  "an API server's URL: https://<host>:443",
);

export const readyMinutes = z.number().positive().meta({ fault: "is no number of minutes above 0" });

export const fluxVersion = matching(/^\d+\.\d+\.\d+$/, "a version of Flux without v: 2.9.4");

export const manifests = matching(/^[0-9a-f]{64}$/, "a hex SHA-256");

export const names = z.array(z.string()).meta({ fault: "is no list of names" });

export const configurationId = matching(
  /^\/subscriptions\/[^?#]+\/providers\/Microsoft\.KubernetesConfiguration\/fluxConfigurations\/[^/?#]+$/i,
  "the ARM id of a Flux configuration: <cluster's ARM id>/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/<name>",
);
