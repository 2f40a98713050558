// Rules of subnets and private DNS zones that are there.
import { networkOf, sameId } from "../../components/cluster/names.ts";
import { isMap } from "../../net/values.ts";
import { NAMESPACE, own } from "../check.ts";
import { each, type Facts, type Rule, whole } from "./rule.ts";

const LEARN = "https://learn.microsoft.com/azure";

/** The subnets that are given, by name. */
const subnetsOf = ({ draft }: Facts) =>
  Object.entries(draft.cluster?.network?.subnets ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value, path: own("cluster", "network", "subnets", name) }],
  );

/** The settings of networks that are made, of those that stand in the file. */
const addressesOf = ({ draft, config }: Facts) => {
  const cluster = config[`${NAMESPACE}:cluster`];
  const network = isMap(cluster) && isMap(cluster.network) ? cluster.network : {};
  if (draft.cluster?.network?.subnets === undefined) return [];
  return ["vnet", "nodes", "apiServer", "endpoints"].flatMap((name) =>
    network[name] === undefined || network[name] === null ? [] : [{ name, value: network[name] }],
  );
};

export const networkRules: readonly Rule[] = [
  {
    name: "subnets-take-the-place-of-networks",
    subject: "subnets",
    severity: "error",
    remedy: "leave it out, or leave subnets out for a network that is made",
    link: `${LEARN}/aks/configure-azure-cni`,
    check: each(addressesOf, ({ name, value }) => ({
      path: own("cluster", "network", name),
      value,
      problem: "is of a network that is made, and with subnets none is",
    })),
  },
  {
    name: "subnets-are-those-that-are-needed",
    subject: "subnets",
    severity: "error",
    remedy: "write the ARM id of a subnet of the same virtual network",
    link: `${LEARN}/aks/api-server-vnet-integration`,
    check: ({ draft: { cluster, registry } }) => {
      const subnets = cluster?.network?.subnets;
      if (subnets === undefined) return [];
      return [
        ...(cluster?.private && subnets.apiServer === undefined
          ? [
              {
                path: own("cluster", "network", "subnets", "apiServer"),
                problem: "is missing: a private API server needs it",
              },
            ]
          : []),
        ...(registry?.private && subnets.endpoints === undefined
          ? [
              {
                path: own("cluster", "network", "subnets", "endpoints"),
                problem: "is missing: a private registry and vault need it",
              },
            ]
          : []),
      ];
    },
  },
  {
    name: "subnets-are-of-one-network",
    subject: "subnets",
    severity: "error",
    remedy: "write subnets of one virtual network",
    link: `${LEARN}/aks/api-server-vnet-integration`,
    check: each(subnetsOf, ({ value, path }, { draft }) => {
      const nodes = draft.cluster?.network?.subnets?.nodes;
      return nodes === undefined || sameId(networkOf(value), networkOf(nodes))
        ? undefined
        : { path, value, problem: "lies in another virtual network than the nodes' subnet" };
    }),
  },
  {
    name: "subnets-are-of-the-subscription",
    subject: "subnets",
    severity: "error",
    remedy: "write subnets of the subscription that the stack is made in",
    link: `${LEARN}/private-link/private-endpoint-overview`,
    check: each(subnetsOf, ({ value, path }, { config }) => {
      const subscription = config["azure-native:subscriptionId"];
      return typeof subscription !== "string" || sameId(value.split("/")[2] ?? "", subscription)
        ? undefined
        : { path, value, problem: `is not of azure-native:subscriptionId ${subscription}` };
    }),
  },
  {
    name: "api-server-has-its-subnet-for-itself",
    subject: "subnets",
    severity: "error",
    remedy: "write another subnet",
    link: `${LEARN}/aks/api-server-vnet-integration`,
    check: each(subnetsOf, ({ name, value, path }, _facts, all) => {
      const apiServer = all.find((other) => other.name === "apiServer");
      return name !== "apiServer" && apiServer && sameId(value, apiServer.value)
        ? { path, value, problem: "is the API server's, in which nothing else may stand" }
        : undefined;
    }),
  },
  {
    name: "subnets-have-their-own-routes",
    subject: "subnets",
    severity: "error",
    remedy: "write routeTableId, the table that the nodes' subnet has",
    link: `${LEARN}/aks/egress-udr`,
    check: whole(({ draft: { cluster } }) => {
      const egress = cluster?.egress;
      if (cluster?.network?.subnets === undefined || typeof egress !== "object") return undefined;
      const value = egress.firewall;
      return value === undefined
        ? undefined
        : {
            path: own("cluster", "egress", "firewall"),
            value,
            problem: "needs a route table that is made, and the nodes' subnet has its owner's",
          };
    }),
  },
  {
    name: "api-server-zone-is-for-a-private-one",
    subject: "zones",
    severity: "error",
    remedy: "leave it out, or set private: true",
    link: `${LEARN}/aks/private-clusters`,
    check: whole(({ draft: { cluster } }) => {
      const value = cluster?.network?.zones?.apiServer;
      return value !== undefined && cluster?.private === false
        ? { path: own("cluster", "network", "zones", "apiServer"), value, problem: "is for a private API server" }
        : undefined;
    }),
  },
  {
    name: "api-server-zone-is-of-the-region",
    subject: "zones",
    severity: "error",
    remedy: "write the id of a zone of the stack's region",
    link: `${LEARN}/aks/api-server-vnet-integration`,
    check: whole(({ draft: { cluster }, location }) => {
      const value = cluster?.network?.zones?.apiServer;
      if (value === undefined || value === "own" || location === undefined) return undefined;
      return value.endsWith(`private.${location}.azmk8s.io`)
        ? undefined
        : {
            path: own("cluster", "network", "zones", "apiServer"),
            value,
            problem: `is not a zone of ${location}, where AKS takes [<subzone>.]private.${location}.azmk8s.io alone`,
          };
    }),
  },
];

/** What whoever has a network that is there does, as the program does not. */
export const networkWarnings: readonly Rule[] = [
  {
    name: "runner-is-routed-by-the-networks-owner",
    subject: "runner warnings",
    severity: "warning",
    remedy:
      "have both peerings there, each Connected, before the first `pulumi up`; or run in the network of the subnets itself",
    link: `${LEARN}/virtual-network/virtual-network-peering-overview`,
    check: whole(({ draft: { cluster, runner } }) => {
      const nodes = cluster?.network?.subnets?.nodes;
      const value = typeof runner === "object" ? runner.inside?.vnet : undefined;
      return nodes === undefined || value === undefined || sameId(networkOf(nodes), value)
        ? undefined
        : {
            path: own("runner", "inside", "vnet"),
            value,
            problem:
              "is not peered by this stack: cluster.network.subnets are of a network that is there, and not changed",
          };
    }),
  },
];
