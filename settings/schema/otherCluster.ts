// The form of `aks-gitops:otherCluster`.
import { defaulted, map, optional, setting, text } from "../form.ts";
import { label } from "./parts.ts";

/** A cluster that is not AKS. */
export const otherCluster = setting(
  optional(
    map({
      context: setting(
        text(/^\S.*$/, "write the name of a context, as `kubectl config get-contexts` lists it"),
        "The context of the kubeconfig (KUBECONFIG, else ~/.kube/config) whose user installs Flux; it needs the ClusterRole " +
          "cluster-admin. Its credential is asked for when it is needed, and stands in no state.",
        "factory",
      ),
      issuer: setting(
        optional(
          text(
            /^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/,
            "write the issuer of the cluster's service account tokens, for example https://oidc.acme.com/factory",
          ),
        ),
        "The issuer of the cluster's service account tokens, where Entra reaches its public keys and Azure's workload " +
          "identity webhook runs in the cluster: Flux then acts as an identity. Default: it signs in with the passwords of " +
          "service principals.",
        "https://oidc.acme.com/factory",
      ),
      imagePullSecret: setting(
        defaulted(label(), "acr-pull"),
        "The name of the Secrets that images are pulled with: Flux's own, and one in each namespace of charts and demo, " +
          "where the service account default has it. A chart whose pods have another account names it in its values.",
      ),
    }),
  ),
  "A cluster that is not AKS, for example with Azure Arc, on premises or in another cloud: registry, vault and repository " +
    "are made for it, and Flux is bootstrapped into it. Default: an AKS cluster is made, as aks-gitops:cluster says.",
);
