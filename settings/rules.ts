// What settings have to do with each other, as one table: the combinations that Azure, Kubernetes or this program would
// refuse later, and those that work but miss their aim. They are asked of a draft, so that a fault of the form hides no
// other.
import type { Faults } from "./check.ts";
import type { Fault } from "./errors.ts";
import { clusterRules } from "./rules/cluster.ts";
import { configurationRules } from "./rules/configuration.ts";
import { chartRules, demoRules, secretRules } from "./rules/content.ts";
import { existingRules } from "./rules/existing.ts";
import { kustomizationRules } from "./rules/kustomizations.ts";
import { networkRules, networkWarnings } from "./rules/network.ts";
import { otherClusterRules } from "./rules/otherCluster.ts";
import { reachRules, runnerWarnings, signInRules } from "./rules/reach.ts";
import type { Facts, Rule } from "./rules/rule.ts";
import { sourceRules } from "./rules/sources.ts";
import { upgradeRules } from "./rules/upgrades.ts";

export type { Draft, Facts, Finding, Rule } from "./rules/rule.ts";

/** Every rule between settings, in the order in which faults are told. */
export const RULES: readonly Rule[] = [
  ...configurationRules,
  ...clusterRules,
  ...upgradeRules,
  ...networkRules,
  ...existingRules,
  ...otherClusterRules,
  ...reachRules,
  ...runnerWarnings,
  ...kustomizationRules,
  ...sourceRules,
  ...networkWarnings,
  ...chartRules,
  ...secretRules,
  ...demoRules,
  ...signInRules,
];

/** What the rules of a severity find, as faults. */
export function applyRules(facts: Facts, severity: Rule["severity"], faults: Faults, from = RULES): Fault[] {
  const rules = from.filter((rule) => rule.severity === severity);
  const subjects = [...new Set(rules.map(({ subject }) => subject))];
  return subjects.flatMap((subject) =>
    rules
      .filter((rule) => rule.subject === subject)
      .flatMap((rule) => rule.check(facts).map((found) => ({ rule, found })))
      .sort((a, b) => (a.found.item ?? 0) - (b.found.item ?? 0))
      .map(({ rule, found: { path, value, problem, remedy = rule.remedy } }) => ({
        ...faults.at(path, value, problem, remedy),
        rule: rule.name,
      })),
  );
}
