// The form of `aks-gitops:cluster`.
import { SURGE } from "../../components/cluster/addresses.ts";
import { EMAIL, LABEL, LABEL_VALUE, TAINT } from "../../components/cluster/names.ts";
import { CLUSTER, POD_SECURITY, POOL, USER_POOL } from "../../components/defaults.ts";
import { IPV4_ADDRESS } from "../../net/cidr.ts";
import { KUBERNETES_VERSION } from "../../net/kubernetesVersion.ts";
import {
  defaulted,
  flag,
  integer,
  list,
  map,
  oneOf,
  optional,
  record,
  refined,
  section,
  setting,
  text,
  wordOr,
} from "../form.ts";
import { subnets, zones } from "./network.ts";
import { armId, cidr, groups, label, objectId } from "./parts.ts";

const count = integer(1, 1000);

const pool = {
  vmSize: setting(
    defaulted(
      text(/^Standard_[A-Za-z0-9_-]+$/, "write a size as Azure spells it, for example Standard_D4ds_v5"),
      POOL.vmSize,
    ),
    "The nodes' size, as Azure spells it. Of one with an Arm processor (p) each image without linux/arm64 is warned of.",
    "Standard_D4ds_v5",
    "Standard_D8ds_v5",
  ),
  osDiskType: setting(
    optional(oneOf("Managed", "Ephemeral")),
    "The nodes' system disk; never changes. Default: Ephemeral where the size's local disk has room for it.",
  ),
  zones: setting(
    defaulted(list(oneOf("1", "2", "3")), [...POOL.zones]),
    "Availability zones that the nodes are spread over, in quotes.",
    ["1", "2", "3"],
  ),
  minCount: setting(defaulted(count, POOL.minCount), "Fewest nodes that the autoscaler leaves."),
  maxCount: setting(defaulted(count, POOL.maxCount), "Most nodes that the autoscaler starts."),
  enableAutoScaling: setting(
    defaulted(flag, POOL.enableAutoScaling),
    "Whether AKS counts the nodes between minCount and maxCount; without that there are minCount.",
  ),
  osDiskSizeGB: setting(
    optional(integer(30, 2048)),
    "Size of the nodes' system disk in GiB; never changes. Default: what AKS chooses.",
  ),
  nodeLabels: setting(
    defaulted(
      record(
        LABEL,
        "write a label's name as Kubernetes takes it, and none of kubernetes.azure.com, for example team",
        text(LABEL_VALUE, "write at most 63 letters, digits and ._-, a letter or digit first and last"),
      ),
      { ...POOL.nodeLabels },
    ),
    "Labels of the nodes.",
    { team: "platform" },
  ),
  maxSurge: setting(
    defaulted(text(SURGE, 'write a number or a percentage in quotes, for example "1" or "33%"'), POOL.maxSurge),
    "How many nodes an upgrade adds for a while: a number or a percentage of the pool's, in quotes.",
    "50%",
  ),
  drainTimeoutInMinutes: setting(
    defaulted(integer(1, 1440), POOL.drainTimeoutInMinutes),
    "How long an upgrade waits for pods to leave a node, in minutes.",
  ),
};

type Window = (typeof CLUSTER.maintenance)["autoUpgrade" | "nodeOSUpgrade"];

const day = oneOf("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday");
const time = text(/^([01]\d|2[0-3]):[0-5]\d$/, 'write hours and minutes in quotes, for example "01:00"');
const hours = integer(4, 24);

const window = ({ dayOfWeek, startTime, durationHours }: Window, what: string) =>
  setting(
    section({
      dayOfWeek: setting(defaulted(day, dayOfWeek), "The day of the week."),
      startTime: setting(
        defaulted(time, startTime),
        "Hours and minutes, in quotes, at maintenance.utcOffset.",
        "01:00",
      ),
      durationHours: setting(defaulted(hours, durationHours), "Hours; Azure needs at least 4."),
    }),
    what,
  );

const { network, maintenance } = CLUSTER;

/** A version of Kubernetes as a person writes it. */
export const kubernetesVersion = text(
  KUBERNETES_VERSION,
  'write a minor version in quotes, for example "1.34", or a patch, for example "1.34.1"',
);

/** The cluster. */
export const cluster = setting(
  section({
    sku: setting(
      defaulted(oneOf("Free", "Standard", "Premium"), CLUSTER.sku),
      "The tier of AKS: Free has no SLA, Premium is for long-term support.",
    ),
    private: setting(defaulted(flag, CLUSTER.private), "Whether the API server has a private address only."),
    authorizedIpRanges: setting(
      defaulted(list(cidr), [...CLUSTER.authorizedIpRanges]),
      "Networks that reach a public API server; none means all.",
      ["203.0.113.0/24"],
    ),
    adminGroups: setting(
      defaulted(groups, [...CLUSTER.adminGroups]),
      "Object ids of Entra groups that administrate the cluster.",
    ),
    access: setting(
      defaulted(
        list(
          map({
            group: setting(objectId("an Entra group"), "Object id of an Entra group."),
            role: setting(
              oneOf("Reader", "Writer", "Admin", "ClusterAdmin"),
              "Azure's role for Kubernetes' objects: Reader sees most, no secrets; Writer changes them; Admin also gives " +
                "roles within a namespace; ClusterAdmin may everything.",
            ),
            namespaces: setting(
              optional(list(label())),
              "In which namespaces alone, which need not be there yet; not of ClusterAdmin. Default: in all.",
              ["team-a"],
            ),
          }),
        ),
        [...CLUSTER.access],
      ),
      "What further Entra groups may do in the cluster, by Azure's roles; each also gets the role to sign in.",
    ),
    identity: setting(
      optional(
        armId(
          "Microsoft.ManagedIdentity/userAssignedIdentities",
          "`az identity show --resource-group GROUP --name NAME --query id` tells it",
        ),
      ),
      "ARM id of a user-assigned identity that is there, for the control plane, in the stack's subscription. Its owner gave it " +
        "Network Contributor on network.subnets (with network.zones.apiServer on their network) and Private DNS Zone " +
        "Contributor on that zone: whoever runs `pulumi up` needs no right to assign roles there. Default: one is made.",
      "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-identities/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-aks-prod",
    ),
    network: setting(
      section({
        subnets,
        zones,
        vnet: setting(defaulted(cidr, network.vnet), "The virtual network.", network.vnet),
        nodes: setting(defaulted(cidr, network.nodes), "Subnet of the nodes, within vnet.", network.nodes),
        apiServer: setting(
          defaulted(cidr, network.apiServer),
          "Subnet of a private API server, within vnet.",
          network.apiServer,
        ),
        endpoints: setting(
          defaulted(cidr, network.endpoints),
          "Subnet of private endpoints, within vnet.",
          network.endpoints,
        ),
        pods: setting(
          defaulted(cidr, network.pods),
          "The overlay's addresses of pods; not routed outside the cluster.",
          network.pods,
        ),
        services: setting(defaulted(cidr, network.services), "Addresses of Kubernetes services.", network.services),
      }),
      "The cluster's networks: the addresses of one that is made, in CIDR notation, or the ids of subnets that are there.",
    ),
    egress: setting(
      defaulted(
        wordOr(
          oneOf("natGateway", "loadBalancer"),
          refined(
            map({
              firewall: setting(
                optional(text(IPV4_ADDRESS, "write the firewall's private IPv4 address, for example 10.50.1.4")),
                "The private address of a firewall in a network that the stack's is peered with; not with network.subnets.",
                "10.50.1.4",
              ),
              routeTableId: setting(
                optional(
                  armId(
                    "Microsoft.Network/routeTables",
                    "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Network/routeTables/<name>",
                  ),
                ),
                "ARM id of a route table that is there.",
              ),
            }),
            ({ firewall, routeTableId }) =>
              (firewall === undefined) === (routeTableId === undefined)
                ? { problem: "does not say one way", remedy: "write either firewall or routeTableId" }
                : undefined,
          ),
        ),
        CLUSTER.egress,
      ),
      "How the nodes' traffic leaves the network: by a NAT gateway with an address of its own, by a load balancer of AKS's " +
        "own, or by routes to a firewall; with network.subnets by the NAT gateway or route table that the nodes' subnet " +
        "has. Another way makes another cluster.",
    ),
    publicPorts: setting(
      defaulted(list(text(/^\d{1,5}(-\d{1,5})?$/, 'write a port or a range in quotes, for example "443"')), [
        ...CLUSTER.publicPorts,
      ]),
      "Ports on which everybody may reach public services of the cluster, in quotes; with network.subnets their owner says.",
      ["443"],
    ),
    nodeProvisioning: setting(
      defaulted(oneOf("Manual", "Auto"), CLUSTER.nodeProvisioning),
      "Auto: AKS makes nodes of whatever size pods wait for, beside the pools, in all of which enableAutoScaling is false " +
        "then; in a cluster that stands by a `pulumi up` of its own before.",
    ),
    systemPool: setting(section(pool), "The pool of AKS's own pods."),
    userPools: setting(
      defaulted(
        list(
          map({
            name: setting(
              text(
                /^[a-z][a-z0-9]{0,11}$/,
                "write 1 to 12 lower-case letters or digits, a letter first (AKS allows no more in a Linux pool's name)",
              ),
              "The pool's name; system is taken.",
              "apps",
            ),
            ...pool,
            minCount: setting(
              defaulted(integer(0, 1000), POOL.minCount),
              "Fewest nodes that the autoscaler leaves; of 0 the first pod that waits for one gets it in minutes.",
            ),
            nodeTaints: setting(
              defaulted(list(text(TAINT, "write <key>=<value>:<effect>, for example gpu=true:NoSchedule")), [
                ...USER_POOL.nodeTaints,
              ]),
              "Taints of the nodes.",
              ["gpu=true:NoSchedule"],
            ),
            scaleSetPriority: setting(
              defaulted(oneOf("Regular", "Spot"), USER_POOL.scaleSetPriority),
              "Spot nodes cost less and may be taken away at any moment; AKS taints them with " +
                "kubernetes.azure.com/scalesetpriority=spot:NoSchedule. Never changes.",
            ),
          }),
        ),
        [...CLUSTER.userPools],
      ),
      "Pools of the applications; without one they run on the system pool.",
    ),
    maintenance: setting(
      section({
        utcOffset: setting(
          defaulted(
            text(/^[+-](0\d|1[0-4]):[0-5]\d$/, 'write the offset in quotes, for example "+01:00"'),
            maintenance.utcOffset,
          ),
          "The windows' offset from UTC, in quotes.",
          "+01:00",
        ),
        autoUpgrade: window(maintenance.autoUpgrade, "When AKS upgrades Kubernetes, weekly."),
        nodeOSUpgrade: window(maintenance.nodeOSUpgrade, "When AKS upgrades the nodes' operating system, weekly."),
      }),
      "When AKS upgrades the control plane and the nodes.",
    ),
    kubernetesVersion: setting(
      optional(kubernetesVersion),
      "The version of Kubernetes, in quotes: a minor, whose patches AKS brings, or a patch. The next minor is an upgrade: " +
        "the control plane first, then the pools, one after the other; an earlier or a later one is refused. Default: " +
        "AKS's own choice, and then what upgradeChannel makes of it.",
      "1.34",
    ),
    upgradeAfter: setting(
      optional(
        text(
          /^[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?$/,
          "write the name of another stack of this project, for example dev",
        ),
      ),
      "The stack that goes first, for example dev: kubernetesVersion may not be ahead of the one in its file, which stands " +
        "beside this one. Default: none.",
      "dev",
    ),
    upgradeChannel: setting(
      optional(oneOf("none", "patch", "stable", "rapid", "node-image")),
      "Which versions of Kubernetes AKS upgrades to by itself; with kubernetesVersion none beyond it, and with none not " +
        "one. Default: stable; patch with sku Premium or with a minor as kubernetesVersion; none with a patch there.",
    ),
    nodeOSUpgradeChannel: setting(
      defaulted(oneOf("NodeImage", "SecurityPatch", "Unmanaged", "None"), CLUSTER.nodeOSUpgradeChannel),
      "How the nodes' operating system is kept current: by new images, by AKS's security patches, by itself each " +
        "night (Unmanaged: reboots are left to the likes of Kured), or not at all (None).",
    ),
    logWorkspaceId: setting(
      optional(
        armId(
          "Microsoft.OperationalInsights/workspaces",
          "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.OperationalInsights/workspaces/<name>",
        ),
      ),
      "ARM id of a Log Analytics workspace that is there already, for the control plane's logs and Defender; it is neither " +
        "changed nor deleted. Default: one is made.",
      "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/log-acme",
    ),
    metrics: setting(
      optional(flag),
      "Azure Monitor's managed Prometheus: whether the cluster's metrics are kept; Azure bills by sample. Default: on unless " +
        "sku is Free.",
    ),
    alerts: setting(
      section({
        emails: setting(
          defaulted(list(text(EMAIL, "write an address of mail: name@domain")), []),
          "Who is told by mail: of nodes and pods that are not as they should be, where metrics are kept, and with flux.mode " +
            "extension of a Flux that is not compliant. Default: nobody.",
          ["platform@acme.example"],
        ),
      }),
      "Who is told when something is wrong with the cluster.",
    ),
    podSecurity: setting(
      optional(
        map({
          initiative: setting(
            defaulted(oneOf("Baseline", "Restricted"), POD_SECURITY.initiative),
            "Baseline refuses what gets out of a pod (privilege, the host's namespaces and paths), Restricted much more.",
          ),
          effect: setting(
            defaulted(oneOf("Audit", "Deny"), POD_SECURITY.effect),
            "Audit names pods that are not as they should be, Deny lets none in.",
          ),
          excludedNamespaces: setting(
            defaulted(list(label()), [...POD_SECURITY.excludedNamespaces]),
            "Namespaces that are not looked at beside kube-system, gatekeeper-system and azure-arc, for what needs privilege.",
            ["baseline"],
          ),
        }),
      ),
      "Azure Policy's rules for pods, after Kubernetes' Pod Security Standards. Whoever runs `pulumi up` needs Resource Policy " +
        "Contributor for it. Default: none.",
    ),
    defender: setting(optional(flag), "Microsoft Defender for Containers. Default: on unless sku is Free."),
  }),
  "The cluster: tier, access, networks, pools and upgrades.",
);
