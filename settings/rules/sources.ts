// Rules of the further sources of aks-gitops:flux, and of the Kustomizations that come from them.
import { artifactDisorders } from "../../components/repository/artifact.ts";
import { FLUX_NAMESPACE } from "../../components/repository/names.ts";
import { sourceDisorders } from "../../components/repository/sources.ts";
import { own } from "../check.ts";
import type { Facts, Rule } from "./rule.ts";

const LINK = "https://fluxcd.io/flux/components/source/";

const sourcesOf = ({ draft: { flux } }: Facts) => (flux?.sources ?? []).map((each) => each ?? {});

/** Flux reads a source and its secrets beside the Kustomization that comes from it. */
const namespaceOf = ({ draft: { flux } }: Facts) => flux?.configuration?.namespace ?? FLUX_NAMESPACE;

/** The stack's secrets; a stack file's may be sealed as a whole. */
function secretsOf({ draft: { secrets }, sealed, faulty }: Facts) {
  return secrets !== undefined && !sealed && !faulty.has("aks-gitops:secrets") ? secrets : undefined;
}

export const sourceRules: readonly Rule[] = [
  {
    name: "artifact-can-be-read",
    subject: "artifact",
    severity: "error",
    remedy: "write the artifact as Flux takes it",
    link: "https://fluxcd.io/flux/components/source/ocirepositories/",
    check: (facts) =>
      artifactDisorders({ ...facts.draft.flux, secrets: secretsOf(facts) }).map(({ key, ...found }) => ({
        path: own("flux", ...key),
        ...found,
      })),
  },
  {
    name: "sources-can-be-read",
    subject: "sources",
    severity: "error",
    remedy: "write the source as Flux takes it",
    link: LINK,
    check: (facts) => {
      const beside = { charts: facts.draft.charts ?? [], secrets: secretsOf(facts) };
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
