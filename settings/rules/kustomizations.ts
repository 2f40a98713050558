// Rules of the Kustomizations of aks-gitops:flux.
import { clusterDisorder, demoDisorder, disorders } from "../../components/repository/order.ts";
import { own } from "../check.ts";
import { type Facts, type Rule, whole } from "./rule.ts";

const LINK = "https://fluxcd.io/flux/components/kustomize/kustomizations/";

/** The list; one that is missing or faulty as a whole has no order to look at. */
const kustomizationsOf = ({ draft: { flux } }: Facts) => flux?.kustomizations?.map((each) => each ?? {});

export const kustomizationRules: readonly Rule[] = [
  {
    name: "kustomizations-do-not-fight",
    subject: "kustomizations",
    severity: "error",
    remedy: "give each a name and a folder of its own",
    link: LINK,
    check: (facts) => {
      const all = kustomizationsOf(facts);
      if (all === undefined || facts.stack === undefined) return [];
      return disorders(facts.stack, all, facts.draft.flux?.path).map(({ at, key, ...finding }) => ({
        path: own("flux", "kustomizations", at, key),
        item: at,
        ...finding,
      }));
    },
  },
  {
    name: "the-cluster-has-a-folder-of-its-own",
    subject: "kustomizations",
    severity: "error",
    remedy: "leave path out",
    link: LINK,
    check: whole(({ draft: { flux }, stack }) => {
      const path = flux?.path;
      const found = path === undefined || stack === undefined ? undefined : clusterDisorder(stack, path);
      return found && { path: own("flux", "path"), value: path, ...found };
    }),
  },
  {
    name: "the-demo-is-applied",
    subject: "kustomizations",
    severity: "error",
    remedy: "leave the demo out",
    link: LINK,
    check: whole((facts) => {
      const all = kustomizationsOf(facts);
      const { draft, stack } = facts;
      if (all === undefined || stack === undefined || draft.demo === undefined) return undefined;
      const found = demoDisorder(stack, all);
      return found && { path: own("demo"), ...found };
    }),
  },
  {
    name: "health-checks-are-looked-at",
    subject: "kustomization warnings",
    severity: "warning",
    remedy: "leave wait out, or leave the health checks out",
    link: "https://fluxcd.io/flux/components/kustomize/kustomizations/#health-checks",
    check: (facts) =>
      (kustomizationsOf(facts) ?? []).flatMap(({ wait, healthChecks = [] }, at) =>
        wait === true && healthChecks.length > 0
          ? [
              {
                path: own("flux", "kustomizations", at, "healthChecks"),
                item: at,
                problem: "are not looked at: with wait: true Flux waits for all objects instead",
              },
            ]
          : [],
      ),
  },
];
