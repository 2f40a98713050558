// The form of an entry of `aks-gitops:flux.sources`, in Flux's words: https://fluxcd.io/flux/components/source/

import { SOURCE } from "../../components/defaults.ts";
import { SOURCE_KINDS } from "../../components/repository/sources.ts";
import { defaulted, map, oneOf, optional, setting, text } from "../form.ts";
import { label } from "./parts.ts";

const word = (what: string) => text(/^\S+$/, `write ${what}`);

/** A further source. */
export const source = map({
  name: setting(label(), "Its name; kustomizations[].source names it.", "shop"),
  kind: setting(oneOf(...SOURCE_KINDS), "What it is, as Flux names it."),
  url: setting(
    word(
      "its address, for example https://github.com/acme/shop, oci://ghcr.io/acme/shop or https://acme.blob.core.windows.net",
    ),
    "Where it is, without any credential: https:// or ssh:// of a GitRepository, oci:// of an OCIRepository without tag and " +
      "digest, https://<account>.blob.core.windows.net of a Bucket.",
    "https://github.com/acme/shop",
    "oci://acme.azurecr.io/manifests/shop",
  ),
  branch: setting(optional(word("a branch")), "The branch of a GitRepository. Default: none.", "main"),
  tag: setting(
    optional(word("a tag in quotes")),
    "The tag of a GitRepository or an OCIRepository. Default: none.",
    "v1.2.3",
  ),
  semver: setting(
    optional(text(undefined, "write a range of versions in quotes, for example '>=1.0.0 <2.0.0'")),
    "A range of versions, of which the newest tag is taken. Default: none.",
    ">=1.0.0 <2.0.0",
  ),
  commit: setting(
    optional(text(/^[0-9a-f]{40}([0-9a-f]{24})?$/, "write the whole SHA of a commit")),
    "The commit of a GitRepository; with a branch, one of it. Default: none.",
  ),
  digest: setting(
    optional(text(/^sha256:[0-9a-f]{64}$/, "write sha256: and 64 hexadecimal digits")),
    "The digest of an OCIRepository's artifact. Default: none.",
  ),
  bucketName: setting(optional(word("a container's name")), "The container of a Bucket. Default: none.", "manifests"),
  provider: setting(
    optional(oneOf("azure")),
    "azure: the identity of Flux's controllers signs in; give it the right to read: AcrPull of another registry, Storage " +
      "Blob Data Reader of a container, Readers of an Azure DevOps project. Default: none.",
  ),
  secret: setting(
    optional(label()),
    "The secret that signs in, one of aks-gitops:secrets in Flux's namespace: username and password, or identity and " +
      "known_hosts of a GitRepository; kubernetes.io/dockerconfigjson of an OCIRepository. Default: none, everybody may read it.",
    "shop-git",
  ),
  verify: setting(
    optional(label()),
    "The secret with the public keys of cosign (<name>.pub) that have to have signed an OCIRepository's artifact, one of " +
      "aks-gitops:secrets in Flux's namespace. Default: none.",
    "shop-cosign",
  ),
  interval: setting(
    defaulted(
      text(/^(\d+(\.\d+)?(ms|s|m|h))+$/, "write a duration as Flux does, in quotes, for example 5m0s"),
      SOURCE.interval,
    ),
    "How often it is looked at.",
  ),
});
