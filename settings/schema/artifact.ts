// The form of `aks-gitops:flux.artifact`, in Flux's words: https://fluxcd.io/flux/components/source/ocirepositories/
import { ARTIFACT } from "../../components/defaults.ts";
import { map, oneOf, optional, setting, text } from "../form.ts";
import { label } from "./parts.ts";

/** What the cluster reads in place of the repository. */
export const artifact = map({
  url: setting(
    text(/^\S+$/, "write its address, for example oci://{registry}/fleet"),
    "Where it is, without tag and digest: oci://{registry}/<repository> is the stack's own registry, from which Flux pulls " +
      "as it pulls charts.",
    "oci://{registry}/fleet",
    "oci://ghcr.io/acme/fleet",
  ),
  tag: setting(
    optional(text(/^[\w][\w.-]{0,127}$/, "write a tag in quotes")),
    `Its tag. Default: ${ARTIFACT.tag}, and none with semver.`,
    "production",
  ),
  semver: setting(
    optional(text(undefined, "write a range of versions in quotes, for example '>=1.0.0 <2.0.0'")),
    "A range of versions, of which the newest tag is taken. Default: none.",
    ">=1.0.0 <2.0.0",
  ),
  provider: setting(
    optional(oneOf("azure")),
    "azure: the identity of Flux's controllers signs in to another registry of Azure, at which it needs AcrPull. Default: none.",
  ),
  secret: setting(
    optional(label()),
    "The secret that signs in to another host, one of aks-gitops:secrets in the namespace flux-system and of the type " +
      "kubernetes.io/dockerconfigjson. The cluster is given it straight, and it is in no file. Default: none, everybody may " +
      "read it.",
    "fleet-registry",
  ),
  verify: setting(
    optional(label()),
    "The secret with the public keys of cosign (<name>.pub) that have to have signed it, one of aks-gitops:secrets in the " +
      "namespace flux-system; given likewise. Default: none.",
    "fleet-cosign",
  ),
});
