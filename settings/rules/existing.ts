// Rules of what is there already: whoever owns it decides how it is made.
import { isMap } from "../../net/values.ts";
import { NAMESPACE, own } from "../check.ts";
import { each, type Facts, type Rule, whole } from "./rule.ts";

/** Settings that say how something is made, by the setting that names one which is there. */
const MAKING = {
  registry: { existing: ["name", "sku", "auditLogs"] },
  sops: {
    existingVault: ["vault", "purgeProtection", "auditLogs"],
    existingKey: ["vault", "purgeProtection", "auditLogs", "existingVault", "keyName", "editors", "encrypters"],
  },
} as const;

/** The settings that say nothing, each beside what makes it so; defaults are none of them. */
function meaningless({ config }: Facts) {
  return Object.entries(MAKING).flatMap(([section, settings]) => {
    const given = config[`${NAMESPACE}:${section}`];
    if (!isMap(given)) return [];
    const isGiven = (name: string) => given[name] !== undefined && given[name] !== null;
    const named = Object.entries<readonly string[]>(settings).filter(([existing]) => isGiven(existing));
    const found = named.flatMap(([existing, others]) =>
      others.filter(isGiven).map((name) => ({ section, existing, name, value: given[name] })),
    );
    return found.filter(({ name }, index) => found.findIndex((one) => one.name === name) === index);
  });
}

export const existingRules: readonly Rule[] = [
  {
    name: "existing-things-are-their-owners",
    subject: "existing",
    severity: "error",
    remedy: "remove it",
    link: "https://www.pulumi.com/docs/iac/concepts/resources/get/",
    check: each(meaningless, ({ section, existing, name, value }) => ({
      path: own(section, name),
      value,
      problem: `says nothing beside ${section}.${existing}, whose owner decides it`,
      remedy: `remove it, or remove ${section}.${existing}`,
    })),
  },
  {
    name: "existing-group-is-in-the-subscription",
    subject: "existing",
    severity: "error",
    remedy: "name a group of the subscription, or change azure-native:subscriptionId",
    link: "https://www.pulumi.com/registry/packages/azure-native/installation-configuration/",
    check: whole(({ draft: { resourceGroup }, config }) => {
      const subscription = config["azure-native:subscriptionId"];
      if (typeof subscription !== "string" || !resourceGroup?.startsWith("/")) return undefined;
      if (resourceGroup.split("/")[2]?.toLowerCase() === subscription.toLowerCase()) return undefined;
      return {
        path: own("resourceGroup"),
        value: resourceGroup,
        problem: `is in another subscription than azure-native:subscriptionId ${subscription}, in which everything is made`,
      };
    }),
  },
];
