// What the tests of FluxReady commit, and where they find it in the cluster.
import { PATH } from "../../support/fluxInstallation.ts";

export const KUSTOMIZATIONS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";
export const SOURCE = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system";

/** A Flux Kustomization that tries again only when it is asked to. */
export const kustomization = (name: string, spec: object = {}) =>
  `${JSON.stringify({
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name, namespace: "flux-system" },
    spec: {
      ...{ interval: "10m", retryInterval: "10m", timeout: "3s", prune: true, path: `./${name}` },
      sourceRef: { kind: "GitRepository", name: "flux-system" },
      ...spec,
    },
  })}\n`;
export const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: default}\ndata: {value: "${value}"}\n`;
/** Where the root Kustomization finds an object. */
export const file = (name: string) => `${PATH}/${name}.yaml`;
