import type { Chart } from "../../../components/repository/files.ts";

/** A release of Kured's chart that says something of every property. */
export const EVERY_RELEASE: Chart = {
  name: "kured",
  release: "reboots",
  namespace: "baseline",
  values: { period: "1m" },
  dependsOn: ["cert-manager"],
  interval: "5m0s",
  timeout: "3m0s",
  suspend: true,
  serviceAccountName: "reboots",
  valuesFrom: [
    { kind: "ConfigMap", name: "reboots-values", optional: true },
    { kind: "Secret", name: "reboots-hooks", valuesKey: "slack", targetPath: "configuration.slackHookUrl" },
  ],
  install: { createNamespace: true, crds: "CreateReplace", remediation: { remediateLastFailure: true } },
  upgrade: {
    crds: "Skip",
    cleanupOnFail: true,
    remediation: { retries: -1, remediateLastFailure: false, strategy: "uninstall" },
  },
  driftDetection: {
    mode: "enabled",
    ignore: [{ paths: ["/spec/replicas"], target: { kind: "Deployment", labelSelector: "app=web" } }],
  },
};
