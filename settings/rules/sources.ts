// Rules of the further sources of aks-gitops:flux, and of the Kustomizations that come from them.
import { FLUX_NAMESPACE } from "../../components/repository/names.ts";
import { sourceDisorders } from "../../components/repository/sources.ts";
import { own } from "../check.ts";
import type { Facts, Rule } from "./rule.ts";

const LINK = "https://fluxcd.io/flux/components/source/";

const sourcesOf = ({ draft: { flux } }: Facts) => (flux?.sources ?? []).map((each) => each ?? {});

/** Flux reads a source and its secrets beside the Kustomization that comes from it. */
const namespaceOf = ({ draft: { flux } }: Facts) => flux?.configuration?.namespace ?? FLUX_NAMESPACE;

export const sourceRules: readonly Rule[] = [
  {
    name: "sources-can-be-read",
    subject: "sources",
    severity: "error",
    remedy: "write the source as Flux takes it",
    link: LINK,
    check: (facts) => {
      const { charts, secrets } = facts.draft;
      // A stack file's secrets may be sealed as a whole.
      const isKnown = secrets !== undefined && !facts.sealed && !facts.faulty.has("aks-gitops:secrets");
      const beside = { charts: charts ?? [], secrets: isKnown ? secrets : undefined };
      return sourceDisorders(sourcesOf(facts), beside, namespaceOf(facts)).map(({ at, key, ...found }) => ({
        path: own("flux", "sources", at, key),
        item: at,
        ...found,
      }));
    },
  },
  {
    name: "kustomizations-come-from-a-source",
    subject: "kustomizations",
    severity: "error",
    remedy: "name one of flux.sources, or leave it out for the repository",
    link: "https://fluxcd.io/flux/components/kustomize/kustomizations/#source-reference",
    check: (facts) => {
      const names = sourcesOf(facts).map(({ name }) => name);
      return (facts.draft.flux?.kustomizations ?? []).flatMap((each, at) =>
        each?.source === undefined || names.includes(each.source)
          ? []
          : [
              {
                path: own("flux", "kustomizations", at, "source"),
                item: at,
                value: each.source,
                problem: `is no source of this stack in namespace ${namespaceOf(facts)}`,
              },
            ],
      );
    },
  },
];
