// Rules of the version of Kubernetes and who raises it.
import { channelFault, channelRemedy } from "../../components/cluster/addresses.ts";
import { compareVersions, minorVersion } from "../../net/kubernetesVersion.ts";
import { own } from "../check.ts";
import { type Rule, whole } from "./rule.ts";

const LEARN = "https://learn.microsoft.com/azure/aks";

const AFTER = own("cluster", "upgradeAfter");

export const upgradeRules: readonly Rule[] = [
  {
    name: "the-channel-keeps-the-version",
    subject: "upgrades",
    severity: "error",
    remedy: "write a channel that stays on kubernetesVersion, or leave that out",
    link: `${LEARN}/auto-upgrade-cluster`,
    check: whole(({ draft: { cluster } }) => {
      const { kubernetesVersion, upgradeChannel } = cluster ?? {};
      if (kubernetesVersion === undefined || upgradeChannel === undefined) return undefined;
      const problem = channelFault(kubernetesVersion, upgradeChannel);
      return problem === undefined
        ? undefined
        : {
            path: own("cluster", "upgradeChannel"),
            value: upgradeChannel,
            problem,
            remedy: `write ${channelRemedy(kubernetesVersion)}`,
          };
    }),
  },
  {
    name: "another-stack-goes-first",
    subject: "upgrades",
    severity: "error",
    remedy: "name a stack whose file stands beside this one's, or leave it out",
    link: `${LEARN}/upgrade-aks-cluster`,
    check: whole(({ draft: { cluster }, stack, pinnedIn }) => {
      const value = cluster?.upgradeAfter;
      if (value === undefined) return undefined;
      if (value === stack) return { path: AFTER, value, problem: "is this stack itself" };
      return pinnedIn?.(value) !== undefined || pinnedIn === undefined
        ? undefined
        : { path: AFTER, value, problem: `is no stack here: there is no Pulumi.${value}.yaml` };
    }),
  },
  {
    name: "no-version-is-ahead-of-the-stack-that-goes-first",
    subject: "upgrades",
    severity: "error",
    remedy: "upgrade the other stack first",
    link: `${LEARN}/upgrade-aks-cluster`,
    check: whole(({ draft: { cluster }, pinnedIn }) => {
      const { kubernetesVersion: value, upgradeAfter: first } = cluster ?? {};
      const other = first === undefined ? undefined : pinnedIn?.(first);
      if (value === undefined || typeof other !== "string" || compareVersions(value, other) <= 0) return undefined;
      return {
        path: own("cluster", "kubernetesVersion"),
        value,
        problem: `is ahead of ${other} in Pulumi.${first}.yaml, and upgradeAfter lets the stack ${first} go first`,
        remedy:
          `write it in Pulumi.${first}.yaml, run \`pulumi up --stack ${first}\`, and come back when all is well there; ` +
          `until then write "${other}"`,
      };
    }),
  },
  {
    name: "the-stack-that-goes-first-says-its-version",
    subject: "upgrade warnings",
    severity: "warning",
    remedy: "write kubernetesVersion in both files, or leave upgradeAfter out",
    link: `${LEARN}/upgrade-aks-cluster`,
    check: whole(({ draft: { cluster }, pinnedIn }) => {
      const { kubernetesVersion, upgradeAfter: first } = cluster ?? {};
      if (first === undefined) return undefined;
      const says = kubernetesVersion === undefined ? "this stack says" : "that one's file says";
      const isCompared = kubernetesVersion !== undefined && pinnedIn?.(first) !== null;
      return isCompared
        ? undefined
        : {
            path: AFTER,
            value: first,
            problem: `compares nothing: ${says} no kubernetesVersion, and AKS upgrades by upgradeChannel`,
            ...(kubernetesVersion !== undefined && {
              remedy: `write kubernetesVersion: "${minorVersion(kubernetesVersion)}" in Pulumi.${first}.yaml too, or leave upgradeAfter out`,
            }),
          };
    }),
  },
];
