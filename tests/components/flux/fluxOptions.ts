import type { RepositoryOptions } from "../../../components/repository/files.ts";
import { LOCK } from "../lock.ts";

/** A stack with a chart, secrets and the demo application. */
export const OPTIONS: RepositoryOptions = {
  stack: "prod",
  loginServer: "acme.azurecr.io",
  charts: [
    {
      name: "kured",
      namespace: "baseline",
      values: { tolerations: [{ key: "CriticalAddonsOnly", operator: "Exists" }] },
    },
  ],
  lock: LOCK,
  secrets: [
    { name: "demo-credentials", namespace: "demo" },
    { name: "flux-helm-acr-credentials", namespace: "flux-system" },
  ],
  demo: { image: "ghcr.io/stefanprodan/podinfo:6.14.1", replicas: 5 },
};
