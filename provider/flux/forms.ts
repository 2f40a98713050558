// Forms of the inputs of what drives Flux.

import * as z from "zod";
import { LOG_LEVELS } from "../../flux/installOptions.ts";
import { type Properties, UNKNOWN } from "../../plugin/handler.ts";
import { flag, matching, someText } from "../../plugin/schema.ts";

/** Plain HTTP would tell everybody on the way the token. */
export const endpoint = matching(
  /^(https:\/\/[^\s/@]+|http:\/\/127\.0\.0\.1(:\d+)?)$/,
  "an API server's URL: https://<host>:443",
);

export const kubeContext = z
  .string()
  .min(1)
  .describe(
    "The context of the machine's kubeconfig whose user signs in. Default: the caller's Entra token, as AKS takes it.",
  )
  .meta({ fault: "is no name of a kubeconfig's context" });

export const readyMinutes = z.number().positive().meta({ fault: "is no number of minutes above 0" });

export const fluxVersion = matching(/^\d+\.\d+\.\d+$/, "a version of Flux without v: 2.9.4");

export const manifests = matching(/^[0-9a-f]{64}$/, "a hex SHA-256");

/** How Flux's controllers are installed. */
export const install = z
  .strictObject(
    {
      tolerationKeys: z
        .array(z.string().min(1), { error: "is no list of keys" })
        .describe("Keys of taints that the controllers' pods tolerate, whatever the taint's value. Default: none.")
        .exactOptional(),
      clusterDomain: someText.describe("The cluster's own DNS domain. Default: `cluster.local`.").exactOptional(),
      networkPolicy: flag
        .describe("Whether other namespaces are kept from the controllers by network policies. Default: true.")
        .exactOptional(),
      logLevel: z
        .enum(LOG_LEVELS, { error: `is none of ${LOG_LEVELS.join(", ")}` })
        .describe("How much the controllers log. Default: `info`.")
        .exactOptional(),
      watchAllNamespaces: flag
        .describe("Whether Flux's objects of all namespaces count, and not only those of its own. Default: true.")
        .exactOptional(),
    },
    { error: "must be a map" },
  )
  .describe("How Flux's controllers are installed; what is left out is as the flux CLI has it.")
  .meta({ id: "FluxInstallOptions" });

/**
 * An object of texts that are all needed and of which no fault tells a value, for some are secret.
 * @param one in words, with its article: `a key`.
 */
export function secretParts<P extends Readonly<Record<string, z.ZodString>>>(
  parts: P,
  { id, description, one }: { readonly id: string; readonly description: string; readonly one: string },
) {
  const names = Object.keys(parts);
  const fault = (value: unknown): string => {
    const given = (typeof value === "object" && value !== null ? value : {}) as Properties;
    const isGiven = (name: string) => given[name] === UNKNOWN || parts[name]?.safeParse(given[name]).success;
    const missing = names.filter((name) => !isGiven(name));
    if (missing.length > 0) return `lacks ${missing.join(", ")}: ${one} needs each of them, as texts`;
    const foreign = Object.keys(given).filter((name) => !names.includes(name));
    return `holds ${foreign.join(", ")}; ${one} has ${names.join(", ")} alone`;
  };
  return z.strictObject(parts).describe(description).meta({ id, hidden: true, fault });
}

export const kustomizations = z.array(z.string()).min(1).meta({ fault: "is no list of names" });

/** What a look found wrong, in the state of what waits for Flux. */
export const wrong = z
  .array(z.string())
  .describe("What was found missing, suspended or failed, each with its reason; none when all was well.")
  .exactOptional();

export const names = z.array(z.string()).meta({ fault: "is no list of names" });

export const configurationId = matching(
  /^\/subscriptions\/[^?#]+\/providers\/Microsoft\.KubernetesConfiguration\/fluxConfigurations\/[^/?#]+$/i,
  "the ARM id of a Flux configuration: <cluster's ARM id>/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/<name>",
);
