// Rules of charts and of the secrets in the repository.

import { FLUX_NAMESPACE, PULL_SECRET, releaseName } from "../../components/repository/names.ts";
import { releaseDisorders } from "../../components/repository/order.ts";
import {
  sharedNamespace,
  shareResources,
  type Taken,
  takenNamespace,
  takenRelease,
  takenSecret,
} from "../../components/repository/taken.ts";
import { ownPath } from "../../net/registry/ownRegistry.ts";
import { isMap } from "../../net/values.ts";
import { isExact } from "../../net/versionRange.ts";
import { NAMESPACE, own, type Path } from "../check.ts";
import { isSealed } from "../words.ts";
import { type Draft, each, type Facts, type Finding, type Rule, whole } from "./rule.ts";

const chartsOf = ({ draft }: Facts) =>
  (draft.charts ?? []).map((chart, index) => ({ ...chart, index, path: own("charts", index) }));

const secretsOf = ({ draft }: Facts) =>
  (draft.secrets ?? []).map((secret, index) => ({ ...secret, index, path: own("secrets", index) }));

/** The paths of `{secure: ...}` in a stack file's values. */
function sealedIn(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => sealedIn(item, [...path, index]));
  if (isSealed(value)) return [path];
  return isMap(value) ? Object.entries(value).flatMap(([key, item]) => sealedIn(item, [...path, key])) : [];
}

type ValuesReference = NonNullable<NonNullable<ReturnType<typeof chartsOf>[number]["valuesFrom"]>[number]>;

/** What a release asks of a secret of the stack that does not give it; what nobody lists may be there all the same. */
function missingValues(
  { kind, name, valuesKey = "values.yaml", optional }: ValuesReference,
  path: Path,
  { secrets = [], flux }: Draft,
): Finding | undefined {
  const namespace = flux?.configuration?.namespace ?? FLUX_NAMESPACE;
  const namesakes = secrets.filter((secret) => kind === "Secret" && name !== undefined && secret?.name === name);
  const [first] = namesakes;
  if (first === undefined) return undefined;
  const found = namesakes.find((secret) => secret?.namespace === namespace);
  if (found === undefined)
    return {
      path: [...path, "name"],
      value: name,
      problem: `is a secret of namespace ${first.namespace ?? ""}, and Flux reads a release's values in ${namespace} alone`,
      remedy: `give the secret the namespace ${namespace}`,
    };
  const keys = [...Object.keys(found.data ?? {}), ...(found.generate ?? [])];
  if (optional || keys.includes(valuesKey)) return undefined;
  return {
    path: [...path, "valuesKey"],
    value: valuesKey,
    problem: `is no key of the secret ${namespace}/${name}`,
    remedy: `name one of ${keys.join(", ")}`,
  };
}

/** What a name that is taken is found to be. */
const finding = (path: Path, value: unknown, taken: Taken | undefined) => taken && { path, value, ...taken };

/** Why no node asks for a reboot; each of these channels turns the nodes' own unattended upgrades off. */
const IDLE = {
  NodeImage: "AKS replaces nodes instead of rebooting them",
  SecurityPatch: "AKS patches nodes while they run, or replaces them, and no node updates itself",
  None: "no node updates itself",
} as const;

export const chartRules: readonly Rule[] = [
  {
    name: "releases-are-told-apart-and-wait-in-order",
    subject: "charts",
    severity: "error",
    remedy: "give each release a name of its own",
    link: "https://fluxcd.io/flux/components/helm/helmreleases/#dependencies",
    check: (facts) =>
      releaseDisorders(chartsOf(facts)).map(({ at, key, ...finding }) => ({
        path: own("charts", at, key),
        item: at,
        ...finding,
      })),
  },
  {
    name: "only-the-own-registry-is-followed",
    subject: "charts",
    severity: "error",
    remedy: "leave follow out: npm run mirror -- update takes the newest version within the range into the lock",
    link: "https://fluxcd.io/flux/components/source/ocirepositories/#semver-example",
    check: each(chartsOf, (chart) => {
      const { repository, version, follow, path } = chart;
      if (repository === undefined || version === undefined) return undefined;
      const isOwn = ownPath(repository) !== undefined;
      if (follow && !isOwn)
        return {
          path: [...path, "follow"],
          value: follow,
          problem:
            `of release ${releaseName(chart) ?? ""} would run versions that nobody has mirrored: neither they nor their ` +
            "images would be in the registry",
        };
      if (follow && isExact(version))
        return {
          path: [...path, "version"],
          value: version,
          problem: "is one exact version, and there is nothing to follow",
          remedy: "write a range, for example ~6.1, or leave follow out",
        };
      return isOwn && !follow && !isExact(version)
        ? {
            path: [...path, "version"],
            value: version,
            problem: "is a range, and the lock holds no chart of the stack's own registry",
            remedy: "write one exact version, or follow: true",
          }
        : undefined;
    }),
  },
  {
    name: "signed-charts-come-from-a-registry",
    subject: "charts",
    severity: "error",
    remedy: "leave verify out, or take the chart from an OCI registry: oci://<host>/<path>",
    link: "https://fluxcd.io/flux/components/source/ocirepositories/#verification",
    check: each(chartsOf, ({ repository, verify, path }) =>
      verify === undefined || repository === undefined || repository.startsWith("oci://")
        ? undefined
        : {
            path: [...path, "verify"],
            value: verify,
            problem: `is for charts of OCI registries: cosign signs nothing in a chart repository such as ${repository}`,
          },
    ),
  },
  {
    name: "public-keys-of-charts-are-in-flux-s-namespace",
    subject: "charts",
    severity: "error",
    remedy: "add it to aks-gitops:secrets",
    link: "https://fluxcd.io/flux/components/source/ocirepositories/#verification",
    check: each(chartsOf, ({ verify, path }, { draft, sealed, config }) => {
      // What is sealed as a whole nobody can look into here.
      if (verify === undefined || (sealed && config[`${NAMESPACE}:secrets`] === undefined)) return undefined;
      const namespace = draft.flux?.configuration?.namespace ?? FLUX_NAMESPACE;
      const isThere = (draft.secrets ?? []).some((one) => one?.name === verify && one.namespace === namespace);
      return isThere
        ? undefined
        : {
            path: [...path, "verify"],
            value: verify,
            problem: `is no secret of namespace ${namespace} that the stack has`,
            remedy: `add it to aks-gitops:secrets with namespace: ${namespace}`,
          };
    }),
  },
  {
    name: "values-come-from-flux-s-namespace",
    subject: "charts",
    severity: "error",
    remedy: "give the secret Flux's namespace",
    link: "https://fluxcd.io/flux/components/helm/helmreleases/#values-references",
    check: each(chartsOf, ({ valuesFrom = [], path }, { draft }) =>
      valuesFrom.flatMap((reference, index) =>
        reference === undefined ? [] : (missingValues(reference, [...path, "valuesFrom", index], draft) ?? []),
      ),
    ),
  },
  {
    name: "charts-leave-flux-alone",
    subject: "charts",
    severity: "error",
    remedy: "choose a namespace of the chart's own",
    link: "https://fluxcd.io/flux/installation/",
    check: each(chartsOf, ({ namespace, path }) =>
      namespace === FLUX_NAMESPACE
        ? { path: [...path, "namespace"], value: namespace, problem: "belongs to Flux itself" }
        : undefined,
    ),
  },
  {
    name: "charts-leave-system-namespaces-alone",
    subject: "charts",
    severity: "error",
    remedy: "choose a namespace of the chart's own",
    link: "https://learn.microsoft.com/azure/aks/integrations",
    check: each(chartsOf, ({ namespace, path }) =>
      finding([...path, "namespace"], namespace, takenNamespace(namespace)),
    ),
  },
  {
    name: "charts-have-names-of-their-own",
    subject: "charts",
    severity: "error",
    remedy: "leave the chart out",
    link: "https://fluxcd.io/flux/components/helm/helmreleases/",
    check: each(chartsOf, (chart, { draft }) =>
      finding(
        [...chart.path, chart.release === undefined ? "name" : "release"],
        releaseName(chart),
        takenRelease(chart, draft.demo !== undefined),
      ),
    ),
  },
  {
    name: "chart-values-hold-no-secret",
    subject: "charts",
    severity: "error",
    remedy: "put it into a secret under aks-gitops:secrets and let the chart refer to that",
    link: "https://www.pulumi.com/docs/iac/concepts/secrets/",
    check: each(chartsOf, ({ values, path }) =>
      sealedIn(values).map((below) => ({
        path: [...path, "values", ...below],
        value: "[secret]",
        problem: "is a secret, but a chart's values are committed as they are",
      })),
    ),
  },
  {
    name: "charts-stand-beside-the-system",
    subject: "chart warnings",
    severity: "warning",
    remedy: "choose a namespace of the chart's own",
    link: "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
    check: each(chartsOf, ({ namespace, path }) =>
      finding([...path, "namespace"], namespace, sharedNamespace(namespace)),
    ),
  },
  {
    name: "kured-has-reboots-to-do",
    subject: "chart warnings",
    severity: "warning",
    remedy: "leave kured out, or set nodeOSUpgradeChannel: Unmanaged",
    link: "https://learn.microsoft.com/azure/aks/node-updates-kured",
    check: whole(({ draft: { cluster, otherCluster, charts = [] } }) => {
      if (otherCluster !== undefined) return undefined;
      const kured = charts.findIndex((chart) => chart?.name === "kured");
      const channel = cluster?.nodeOSUpgradeChannel;
      return kured >= 0 && channel !== undefined && channel !== "Unmanaged"
        ? {
            path: own("charts", kured),
            problem:
              "releases kured, but it will find nothing to do: with " +
              `aks-gitops:cluster.nodeOSUpgradeChannel ${channel} ${IDLE[channel]}`,
          }
        : undefined;
    }),
  },
];

export const demoRules: readonly Rule[] = [
  {
    name: "a-marked-image-has-a-tag",
    subject: "demo",
    severity: "error",
    remedy: "name the image by its tag, or leave imagePolicy out",
    link: "https://fluxcd.io/flux/guides/image-update/",
    check: whole(({ draft: { demo } }) =>
      demo?.imagePolicy !== undefined && demo.image !== undefined && !/:[^/]*$/.test(demo.image.replace(/@.*$/, ""))
        ? { path: own("demo", "image"), value: demo.image, problem: "has no tag that an ImagePolicy could move on" }
        : undefined,
    ),
  },
  {
    name: "a-marked-image-is-moved-on",
    subject: "demo warnings",
    severity: "warning",
    remedy: "write flux.imageAutomation: true, or leave imagePolicy out",
    link: "https://fluxcd.io/flux/components/image/imageupdateautomations/",
    check: whole(({ draft: { demo, flux } }) =>
      demo?.imagePolicy !== undefined && flux?.imageAutomation === false
        ? {
            path: own("demo", "imagePolicy"),
            value: demo.imagePolicy,
            problem: "marks an image that nobody moves on: Flux's image controllers are not in the cluster",
          }
        : undefined,
    ),
  },
];

export const secretRules: readonly Rule[] = [
  {
    name: "secrets-have-names-of-their-own",
    subject: "secrets",
    severity: "error",
    remedy: "choose another name",
    link: "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
    check: each(secretsOf, ({ name, namespace, index, path }, { draft }, all) => {
      const isThis = (other: { name?: string | undefined; namespace?: string | undefined }) =>
        other.name === name && other.namespace === namespace;
      const isTaken =
        (draft.registry?.pullPrincipal && isThis(PULL_SECRET)) ||
        all.some((other) => other.index < index && isThis(other));
      return isTaken && name !== undefined && namespace !== undefined
        ? { path: [...path, "name"], value: name, problem: `is taken by another secret of namespace ${namespace}` }
        : undefined;
    }),
  },
  {
    name: "secrets-leave-flux-alone",
    subject: "secrets",
    severity: "error",
    remedy: "choose another name",
    link: "https://fluxcd.io/flux/components/source/gitrepositories/#secret-reference",
    check: each(secretsOf, (secret, { draft }) =>
      finding([...secret.path, "name"], secret.name, takenSecret(secret, draft.flux?.configuration)),
    ),
  },
  {
    name: "secrets-leave-system-namespaces-alone",
    subject: "secrets",
    severity: "error",
    remedy: "choose another namespace",
    link: "https://learn.microsoft.com/azure/aks/integrations",
    check: each(secretsOf, ({ namespace, path }) =>
      finding([...path, "namespace"], namespace, takenNamespace(namespace)),
    ),
  },
  {
    name: "secrets-are-told-apart",
    subject: "secrets",
    severity: "error",
    remedy: "choose another name",
    link: "https://www.pulumi.com/docs/iac/concepts/resources/names/",
    check: each(secretsOf, (secret, { draft }, all) => {
      const isWhole = ({ name, namespace }: Pick<typeof secret, "name" | "namespace">) =>
        name !== undefined && namespace !== undefined;
      const others = [...(draft.registry?.pullPrincipal ? [PULL_SECRET] : []), ...all.slice(0, secret.index)];
      const other = others.find((each) => isWhole(each) && shareResources(each, secret));
      return other && isWhole(secret)
        ? {
            path: [...secret.path, "name"],
            value: secret.name,
            problem: `cannot be told from secret ${other.namespace}/${other.name}: with their namespaces before them both are called the same`,
          }
        : undefined;
    }),
  },
  {
    name: "secrets-stand-beside-the-system",
    subject: "secret warnings",
    severity: "warning",
    remedy: "choose another namespace",
    link: "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
    check: each(secretsOf, ({ namespace, path }) =>
      finding([...path, "namespace"], namespace, sharedNamespace(namespace)),
    ),
  },
  {
    name: "secret-keys-are-given-once",
    subject: "secrets",
    severity: "error",
    remedy: "give each key once, under generate or under data",
    link: "https://kubernetes.io/docs/concepts/configuration/secret/",
    check: each(secretsOf, ({ generate = [], data = {}, path }) =>
      generate
        .filter((key, i) => key !== undefined && (Object.hasOwn(data, key) || generate.indexOf(key) < i))
        .map((key) => ({ path: [...path, "generate"], value: key, problem: "is there twice" })),
    ),
  },
  {
    name: "secrets-have-keys",
    subject: "secrets",
    severity: "error",
    remedy: "name keys under generate, or keys and values under data",
    link: "https://kubernetes.io/docs/concepts/configuration/secret/",
    check: each(secretsOf, ({ generate, data, path, index }, { config }) => {
      const all = config[`${NAMESPACE}:secrets`];
      const given = Array.isArray(all) && isMap(all[index]) ? all[index].data : undefined;
      // A key that cannot be one is told already, and is not in the draft.
      const hasFaulty = isMap(given) && Object.keys(given).length > 0;
      return generate && data && !hasFaulty && Object.keys(data).length + generate.length === 0
        ? { path, problem: "has no keys" }
        : undefined;
    }),
  },
];
