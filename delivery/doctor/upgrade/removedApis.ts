// The API versions that Kubernetes serves no more, by the minor that let go of them; alpha versions come and go and are none.

/** Where the table is from, and when it was read. */
export const SOURCE = {
  url: "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
  read: "2026-11",
} as const;

/** An API version of some kinds. */
export interface RemovedApi {
  /** The first minor, `1.<minor>`, that does not serve it. */
  readonly minor: number;
  readonly apiVersion: string;
  readonly kinds: readonly string[];
  /** What to write instead; undefined where nothing takes its place. */
  readonly instead?: string;
}

const FLOW_CONTROL = ["FlowSchema", "PriorityLevelConfiguration"];

/** In the order of minors. */
export const REMOVED_APIS: readonly RemovedApi[] = [
  {
    minor: 16,
    apiVersion: "extensions/v1beta1",
    kinds: ["DaemonSet", "Deployment", "ReplicaSet"],
    instead: "apps/v1",
  },
  { minor: 16, apiVersion: "extensions/v1beta1", kinds: ["NetworkPolicy"], instead: "networking.k8s.io/v1" },
  { minor: 16, apiVersion: "extensions/v1beta1", kinds: ["PodSecurityPolicy"] },
  {
    minor: 16,
    apiVersion: "apps/v1beta1",
    kinds: ["Deployment", "ReplicaSet", "StatefulSet"],
    instead: "apps/v1",
  },
  {
    minor: 16,
    apiVersion: "apps/v1beta2",
    kinds: ["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
    instead: "apps/v1",
  },
  {
    minor: 22,
    apiVersion: "admissionregistration.k8s.io/v1beta1",
    kinds: ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
    instead: "admissionregistration.k8s.io/v1",
  },
  {
    minor: 22,
    apiVersion: "apiextensions.k8s.io/v1beta1",
    kinds: ["CustomResourceDefinition"],
    instead: "apiextensions.k8s.io/v1",
  },
  {
    minor: 22,
    apiVersion: "apiregistration.k8s.io/v1beta1",
    kinds: ["APIService"],
    instead: "apiregistration.k8s.io/v1",
  },
  {
    minor: 22,
    apiVersion: "authentication.k8s.io/v1beta1",
    kinds: ["TokenReview"],
    instead: "authentication.k8s.io/v1",
  },
  {
    minor: 22,
    apiVersion: "authorization.k8s.io/v1beta1",
    kinds: ["LocalSubjectAccessReview", "SelfSubjectAccessReview", "SubjectAccessReview"],
    instead: "authorization.k8s.io/v1",
  },
  {
    minor: 22,
    apiVersion: "certificates.k8s.io/v1beta1",
    kinds: ["CertificateSigningRequest"],
    instead: "certificates.k8s.io/v1",
  },
  { minor: 22, apiVersion: "coordination.k8s.io/v1beta1", kinds: ["Lease"], instead: "coordination.k8s.io/v1" },
  { minor: 22, apiVersion: "extensions/v1beta1", kinds: ["Ingress"], instead: "networking.k8s.io/v1" },
  {
    minor: 22,
    apiVersion: "networking.k8s.io/v1beta1",
    kinds: ["Ingress", "IngressClass"],
    instead: "networking.k8s.io/v1",
  },
  {
    minor: 22,
    apiVersion: "rbac.authorization.k8s.io/v1beta1",
    kinds: ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    instead: "rbac.authorization.k8s.io/v1",
  },
  { minor: 22, apiVersion: "scheduling.k8s.io/v1beta1", kinds: ["PriorityClass"], instead: "scheduling.k8s.io/v1" },
  {
    minor: 22,
    apiVersion: "storage.k8s.io/v1beta1",
    kinds: ["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
    instead: "storage.k8s.io/v1",
  },
  { minor: 25, apiVersion: "batch/v1beta1", kinds: ["CronJob"], instead: "batch/v1" },
  { minor: 25, apiVersion: "discovery.k8s.io/v1beta1", kinds: ["EndpointSlice"], instead: "discovery.k8s.io/v1" },
  { minor: 25, apiVersion: "events.k8s.io/v1beta1", kinds: ["Event"], instead: "events.k8s.io/v1" },
  { minor: 25, apiVersion: "autoscaling/v2beta1", kinds: ["HorizontalPodAutoscaler"], instead: "autoscaling/v2" },
  { minor: 25, apiVersion: "policy/v1beta1", kinds: ["PodDisruptionBudget"], instead: "policy/v1" },
  { minor: 25, apiVersion: "policy/v1beta1", kinds: ["PodSecurityPolicy"] },
  { minor: 25, apiVersion: "node.k8s.io/v1beta1", kinds: ["RuntimeClass"], instead: "node.k8s.io/v1" },
  {
    minor: 26,
    apiVersion: "flowcontrol.apiserver.k8s.io/v1beta1",
    kinds: FLOW_CONTROL,
    instead: "flowcontrol.apiserver.k8s.io/v1",
  },
  { minor: 26, apiVersion: "autoscaling/v2beta2", kinds: ["HorizontalPodAutoscaler"], instead: "autoscaling/v2" },
  { minor: 27, apiVersion: "storage.k8s.io/v1beta1", kinds: ["CSIStorageCapacity"], instead: "storage.k8s.io/v1" },
  {
    minor: 29,
    apiVersion: "flowcontrol.apiserver.k8s.io/v1beta2",
    kinds: FLOW_CONTROL,
    instead: "flowcontrol.apiserver.k8s.io/v1",
  },
  {
    minor: 32,
    apiVersion: "flowcontrol.apiserver.k8s.io/v1beta3",
    kinds: FLOW_CONTROL,
    instead: "flowcontrol.apiserver.k8s.io/v1",
  },
];
