import type { Kustomization } from "../../../components/repository/kustomizations.ts";
import type { Source } from "../../../components/repository/sources.ts";

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

/** Further sources that have, together, every property. */
export const SOURCES: readonly Source[] = [
  {
    ...({ name: "shop", kind: "GitRepository", url: "ssh://git@git.acme.example:2222/shop.git" } as const),
    ...{ branch: "main", commit: "a".repeat(40), secret: "shop-git" },
  },
  {
    ...({ name: "web", kind: "GitRepository", url: "https://dev.azure.com/acme/platform/_git/web" } as const),
    ...({ semver: ">=1.0.0 <2.0.0", provider: "azure", interval: "1m0s" } as const),
  },
  {
    ...({ name: "release", kind: "OCIRepository", url: "oci://ghcr.io/acme/manifests" } as const),
    ...{ tag: "v1", digest: `sha256:${"b".repeat(64)}`, secret: "ghcr", verify: "cosign" },
  },
  {
    ...({ name: "data", kind: "Bucket", url: "https://acme.blob.core.windows.net" } as const),
    ...({ bucketName: "manifests", provider: "azure" } as const),
  },
];
