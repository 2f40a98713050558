import { check, stops } from "../check.ts";
import { poolsOf } from "../pools.ts";
import { type Plan, UNKNOWN } from "../program.ts";

interface Offered {
  readonly version: string;
  readonly isPreview?: boolean;
  readonly capabilities?: { readonly supportPlan?: readonly string[] };
  readonly patchVersions?: Readonly<Record<string, unknown>>;
}

export const kubernetesVersion = check({
  name: "kubernetes-version",
  about: "whether AKS offers the version of Kubernetes in the region, where the stack asks for one",
  needs: ["azure", "plan", "settings"],
  find: async ({ azure, plan, settings: { location } }) => {
    const asked = versionsOf(plan);
    if (asked.length === 0) return [];
    const path = `${azure.root}/providers/Microsoft.ContainerService/locations/${location}/kubernetesVersions`;
    const { values } = (await azure.read(path, "2025-09-01")) as { values?: readonly Offered[] };
    const offered = (values ?? []).filter(({ isPreview }) => !isPreview);
    const isLongTerm = asked.some((one) => one.isLongTerm);
    const plans = isLongTerm ? "AKSLongTermSupport" : "KubernetesOfficial";
    const fitting = offered.filter(({ capabilities }) => capabilities?.supportPlan?.includes(plans) ?? true);
    return asked
      .filter(({ version }) => !fitting.some((one) => offers(one, version)))
      .map(({ key, version }) => {
        const names = fitting.map((one) => one.version).sort(byMinor);
        const longTerm = offered.some((one) => offers(one, version));
        const problem = longTerm
          ? `asks for a version that ${location} offers with long-term support alone`
          : `asks for a version that AKS does not offer in ${location}`;
        const remedy = `write one of ${names.join(", ")}${longTerm ? ", or sku Premium" : ""}`;
        return stops({ key, value: version, problem, remedy });
      });
  },
});

/** Which versions a plan asks for, and where. */
function versionsOf(plan: Plan): { key: string; version: string; isLongTerm: boolean }[] {
  const clusters = plan.resources.filter(({ type }) => type === "gitops:index:ManagedCluster");
  const properties = clusters.map(({ inputs }) => (inputs.properties ?? {}) as Readonly<Record<string, unknown>>);
  const isLongTerm = properties.some(({ supportPlan }) => supportPlan === "AKSLongTermSupport");
  return [
    ...properties.map(({ kubernetesVersion }) => ({ key: "the cluster", version: kubernetesVersion, isLongTerm })),
    ...poolsOf(plan).map(({ name, version }) => ({ key: `the pool ${name}`, version, isLongTerm })),
  ].flatMap(({ version, ...rest }) =>
    typeof version === "string" && version !== UNKNOWN ? [{ version, ...rest }] : [],
  );
}

const offers = ({ version, patchVersions = {} }: Offered, asked: string) =>
  version === asked || Object.hasOwn(patchVersions, asked);

const byMinor = (a: string, b: string) => Number(a.split(".")[1]) - Number(b.split(".")[1]);
