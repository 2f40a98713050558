// Rules of the Kustomizations of aks-gitops:flux.

import { DEMO } from "../../components/repository/names.ts";
import {
  clusterDisorder,
  defaultKustomizations,
  demoDisorder,
  disorders,
  furtherDisorders,
} from "../../components/repository/order.ts";
import { takenNamespace } from "../../components/repository/taken.ts";
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
      return disorders(facts.stack, all, facts.draft.flux?.path, facts.draft.flux?.configuration?.name).map(
        ({ at, key, ...finding }) => ({
          path: own("flux", "kustomizations", at, key),
          item: at,
          ...finding,
        }),
      );
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
    name: "mirrored-images-are-there",
    subject: "kustomizations",
    severity: "error",
    remedy: "name an image of aks-gitops:images",
    link: "https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/",
    check: (facts) => {
      const { images, demo } = facts.draft;
      const known = new Set([...(images ?? []), demo?.image]);
      return (kustomizationsOf(facts) ?? []).flatMap(({ images: listed = [] }, at) =>
        listed.flatMap((image, index) => {
          const { mirrored, newName, newTag, digest } = image ?? {};
          if (mirrored === undefined) return [];
          const path = own("flux", "kustomizations", at, "images", index, "mirrored");
          const found = { path, item: at, value: mirrored };
          if (!known.has(mirrored) && !facts.faulty.has("aks-gitops:images"))
            return [{ ...found, problem: "is none of aks-gitops:images, so the registry does not have it" }];
          return [newName, newTag, digest].some((other) => other !== undefined)
            ? [{ ...found, problem: "says name and digest already", remedy: "leave newName, newTag and digest out" }]
            : [];
        }),
      );
    },
  },
  {
    name: "the-extension-alone-has-a-configuration",
    subject: "flux",
    severity: "error",
    remedy: "leave it out, or write mode: extension",
    link: "https://learn.microsoft.com/azure/azure-arc/kubernetes/conceptual-gitops-flux2",
    check: ({ draft: { flux } }) =>
      flux?.mode !== "bootstrap"
        ? []
        : (["configuration", "configurations", "extensionVersion"] as const).flatMap((key) =>
            flux[key] === undefined
              ? []
              : [{ path: own("flux", key), problem: "is of the AKS extension, but Flux is bootstrapped" }],
          ),
  },
  {
    name: "bootstrap-alone-installs-flux",
    subject: "flux",
    severity: "error",
    remedy: "leave it out, or write mode: bootstrap",
    link: "https://fluxcd.io/flux/cmd/flux_bootstrap/",
    check: ({ draft: { flux } }) =>
      flux?.mode !== "extension"
        ? []
        : (["install", "interval", "recurseSubmodules"] as const).flatMap((key) =>
            flux[key] === undefined
              ? []
              : [{ path: own("flux", key), problem: "is of a bootstrapped Flux, but the AKS extension brings it" }],
          ),
  },
  {
    name: "the-configuration-takes-nobodys-namespace",
    subject: "flux",
    severity: "error",
    remedy: "choose a namespace of its own",
    link: "https://learn.microsoft.com/azure/aks/integrations",
    check: whole(({ draft: { flux } }) => {
      const namespace = flux?.configuration?.namespace;
      const taken = takenNamespace(namespace);
      return taken && { path: own("flux", "configuration", "namespace"), value: namespace, ...taken };
    }),
  },
  {
    name: "configurations-do-not-fight",
    subject: "flux configurations",
    severity: "error",
    remedy: "give each a name, a namespace and a folder of its own",
    link: "https://learn.microsoft.com/azure/azure-arc/kubernetes/conceptual-gitops-flux2",
    check: ({ draft: { flux }, stack }) => {
      const all = (flux?.configurations ?? []).map((each) => each ?? {});
      if (stack === undefined) return [];
      const beside = flux?.kustomizations?.map((each) => each ?? {}) ?? defaultKustomizations(stack);
      const place = { cluster: flux?.path, own: flux?.configuration?.name };
      return furtherDisorders(stack, all, beside, place).map(({ at, key, ...finding }) => ({
        path: own("flux", "configurations", at, key),
        item: at,
        ...finding,
      }));
    },
  },
  {
    name: "flux-may-write-where-it-has-to",
    subject: "flux",
    severity: "error",
    remedy: "write scope: cluster, or leave charts, secrets and the demo of other namespaces out",
    link: "https://learn.microsoft.com/azure/azure-arc/kubernetes/conceptual-gitops-flux2",
    check: whole(({ draft: { flux, charts = [], secrets = [], demo } }) => {
      const { scope, namespace } = flux?.configuration ?? {};
      if (scope !== "namespace") return undefined;
      const all = [...charts, ...secrets, ...(demo ? [{ namespace: DEMO }] : [])];
      const other = all.find((each) => each?.namespace !== undefined && each.namespace !== namespace);
      return (
        other && {
          path: own("flux", "configuration", "scope"),
          value: scope,
          problem: `lets Flux write in ${namespace} alone, but there is something to go into namespace ${other.namespace}`,
        }
      );
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
