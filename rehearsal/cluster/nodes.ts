// The cluster's nodes, and how kwok plays their kubelets.

export interface NodeOptions {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
}

/** Seconds after which a node without a sign of life is NotReady; kwok renews the leases. */
export const LEASE_DURATION = 40;

const capacity = { cpu: "4", memory: "16Gi", pods: "110", "ephemeral-storage": "128Gi" };

/** A node that kwok will bring to life. */
export function node({ name, labels = {}, taints = [] }: NodeOptions): object {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        ...labels,
      },
    },
    spec: { taints },
    status: { capacity, allocatable: capacity, nodeInfo: { operatingSystem: "linux", architecture: "amd64" } },
  };
}

const stage = (name: string, kind: string, matchExpressions: object[], next: object, delay?: object) => ({
  apiVersion: "kwok.x-k8s.io/v1alpha1",
  kind: "Stage",
  metadata: { name },
  spec: { resourceRef: { apiGroup: "v1", kind }, selector: { matchExpressions }, next, ...(delay && { delay }) },
});

const where = (key: string, operator: string, ...values: string[]) => ({
  key,
  operator,
  ...(values.length > 0 && { values }),
});

const IS_READY = '.status.conditions.[] | select( .type == "Ready" ) | .status';

const NODE_CONDITIONS = `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
`;

const NODE_START = `${NODE_CONDITIONS}
addresses:
- type: InternalIP
  address: {{ NodeIP | Quote }}
- type: Hostname
  address: {{ NodeName | Quote }}
phase: Running
`;

const POD_START = `
{{ $now := Now }}
{{ $ready := list "PodReadyToStartContainers" "Initialized" "ContainersReady" "Ready" }}
conditions:
{{ range $ready }}
- type: {{ . }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
{{ range .spec.readinessGates }}
- type: {{ .conditionType | Quote }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  restartCount: 0
  state:
    {{ if eq .restartPolicy "Always" }}
    running: { startedAt: {{ $now | Quote }} }
    {{ else }}
    terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} }
    {{ end }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  started: true
  restartCount: 0
  state:
    running: { startedAt: {{ $now | Quote }} }
{{ end }}
{{ with PodIPsWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
podIP: {{ index . 0 | Quote }}
podIPs: [ { ip: {{ index . 0 | Quote }} } ]
{{ end }}
phase: Running
startTime: {{ $now | Quote }}
`;

const JOB_DONE = `
{{ $now := Now }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  restartCount: 0
  state:
    terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} }
{{ end }}
phase: Succeeded
`;

/** An address of TEST-NET-3 (RFC 5737): nobody has it, and nobody but Azure's cloud provider would give a real one. */
const LOAD_BALANCED = `
loadBalancer:
  ingress:
    - ip: 203.0.113.10
`;

/** kwok's rules (https://kwok.sigs.k8s.io/docs/user/stages-configuration/): nodes stay ready, pods run as soon as they have a node, and services get their address. */
export const stages: readonly object[] = [
  stage("node-starts", "Node", [where(IS_READY, "NotIn", "True")], { statusTemplate: NODE_START }),
  stage(
    "node-lives",
    "Node",
    [where(".status.phase", "In", "Running"), where(IS_READY, "In", "True")],
    { statusTemplate: NODE_CONDITIONS },
    { durationMilliseconds: 300_000, jitterDurationMilliseconds: 310_000 },
  ),
  stage(
    "pod-starts",
    "Pod",
    [where(".metadata.deletionTimestamp", "DoesNotExist"), where(".status.phase", "In", "Pending")],
    { statusTemplate: POD_START },
  ),
  stage(
    "job-completes",
    "Pod",
    [
      where(".metadata.deletionTimestamp", "DoesNotExist"),
      where(".status.phase", "In", "Running"),
      where(".metadata.ownerReferences.[].kind", "In", "Job"),
    ],
    { statusTemplate: JOB_DONE },
  ),
  stage(
    "load-balancer-has-an-address",
    "Service",
    [
      where(".metadata.deletionTimestamp", "DoesNotExist"),
      where(".spec.type", "In", "LoadBalancer"),
      where(".status.loadBalancer.ingress", "DoesNotExist"),
    ],
    { statusTemplate: LOAD_BALANCED },
  ),
  stage("pod-ends", "Pod", [where(".metadata.deletionTimestamp", "Exists")], { delete: true }),
];
