import type { Kustomization } from "../../../components/repository/kustomizations.ts";

/** A Kustomization that says something of every property, but leaves wait to its health checks. */
export const EVERY_PROPERTY: Kustomization = {
  name: "web",
  path: "team/web",
  dependsOn: ["infrastructure"],
  prune: false,
  interval: "5m0s",
  retryInterval: "30s",
  timeout: "1m30s",
  decryption: false,
  suspend: true,
  force: true,
  targetNamespace: "web",
  serviceAccountName: "web",
  deletionPolicy: "Orphan",
  healthChecks: [{ apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "web" }],
  healthCheckExprs: [
    {
      apiVersion: "example.com/v1",
      kind: "Database",
      current: "status.phase == 'Ready'",
      inProgress: "status.phase == 'Pending'",
      failed: "status.phase == 'Failed'",
    },
  ],
  postBuild: {
    substitute: { replicas: "5" },
    substituteFrom: [{ kind: "ConfigMap", name: "cluster-settings", optional: true }],
  },
  patches: [
    { patch: "- op: remove\n  path: /spec/replicas\n", target: { kind: "Deployment", labelSelector: "app=web" } },
  ],
  images: [{ name: "ghcr.io/acme/web", newName: "acme.azurecr.io/web", newTag: "1.2.3" }],
};
