// The form of an entry of `aks-gitops:flux.kustomizations`, in Flux's words:
// https://fluxcd.io/flux/components/kustomize/kustomizations/
import { KUSTOMIZATION } from "../../components/defaults.ts";
import { defaulted, flag, list, map, oneOf, optional, record, setting, text } from "../form.ts";
import { folderOrRoot, label } from "./parts.ts";

/** A duration as Flux writes it. */
export const duration = (value: string) =>
  defaulted(text(/^(\d+(\.\d+)?(ms|s|m|h))+$/, "write a duration as Flux does, in quotes, for example 10m0s"), value);

const word = (what: string) => text(/^\S+$/, `write ${what}`);
const kind = () => setting(word("a kind as Kubernetes names it, for example Deployment"), "Its kind.", "Deployment");
const apiVersion = () => setting(word("an API version, for example apps/v1"), "Its API version.", "apps/v1");
const expression = () => text(undefined, "write a CEL expression, for example status.ready == true");

const VARIABLE = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const VARIABLE_REMEDY = "write letters, digits and '_', no digit first, as Flux wants a variable's name";

const healthCheck = map({
  apiVersion: apiVersion(),
  kind: kind(),
  name: setting(word("an object's name"), "Its name.", "ingress-nginx-controller"),
  namespace: setting(optional(label()), "Its namespace. Default: none.", "ingress-nginx"),
});

const healthCheckExpr = map({
  apiVersion: apiVersion(),
  kind: kind(),
  current: setting(expression(), "When an object is as it should be.", "status.phase == 'Ready'"),
  inProgress: setting(optional(expression()), "When it is on its way. Default: while current is not true."),
  failed: setting(optional(expression()), "When it failed. Default: never."),
});

const substituteFrom = map({
  kind: setting(oneOf("ConfigMap", "Secret"), "What holds them."),
  name: setting(label(), "Its name in Flux's namespace.", "cluster-settings"),
  optional: setting(defaulted(flag, false), "Whether it may be missing."),
});

const postBuild = map({
  substitute: setting(
    optional(record(VARIABLE, VARIABLE_REMEDY, text(/^.*$/s, "write the value in quotes"))),
    "Values by variable. They are committed as they are. Default: none.",
    { replicas: "5" },
  ),
  substituteFrom: setting(
    optional(list(substituteFrom)),
    "ConfigMaps and Secrets of Flux's namespace with further values. Default: none.",
  ),
});

/** Which objects. */
export const target = map({
  group: setting(optional(word("an API group, for example apps")), "Their API group. Default: any."),
  version: setting(optional(word("a version, for example v1")), "Their API version. Default: any."),
  kind: setting(optional(word("a kind, for example Deployment")), "Their kind, as a regular expression. Default: any."),
  namespace: setting(optional(word("a namespace")), "Their namespace, as a regular expression. Default: any."),
  name: setting(optional(word("a name")), "Their name, as a regular expression. Default: any."),
  labelSelector: setting(optional(text(undefined, "write labels: app=web")), "Their labels. Default: any.", "app=web"),
  annotationSelector: setting(
    optional(text(undefined, "write annotations: team=web")),
    "Their annotations. Default: any.",
  ),
});

const patch = map({
  patch: setting(
    text(undefined, "write the patch as a block of YAML"),
    "A strategic merge patch or a JSON 6902 patch, as YAML. It is committed as it is.",
  ),
  target: setting(optional(target), "Which objects. Default: the one that a strategic merge patch names."),
});

const image = map({
  name: setting(word("an image's name"), "The image as the files name it.", "ghcr.io/stefanprodan/podinfo"),
  mirrored: setting(
    optional(word("an image of aks-gitops:images")),
    "An image of aks-gitops:images instead: the stack's registry has it, and its digest is run. Alone. Default: none.",
    "ghcr.io/stefanprodan/podinfo:6.14.1",
  ),
  newName: setting(
    optional(word("an image's name")),
    "Its name instead; {registry} is the stack's own registry. With nothing beside it the files' tags stay, which image " +
      "automation may write. Default: the same.",
    "{registry}/ghcr.io/stefanprodan/podinfo",
  ),
  newTag: setting(optional(word("a tag in quotes")), "Its tag instead. Default: the same.", "6.14.1"),
  digest: setting(
    optional(text(/^sha256:[0-9a-f]{64}$/, "write sha256: and 64 hexadecimal digits")),
    "Its digest instead. Default: none.",
  ),
});

/** A Flux Kustomization. */
export const kustomization = map({
  name: setting(label(), "Its name; it stands in <name>.yaml of the cluster's folder.", "apps"),
  path: setting(
    folderOrRoot("apps/overlays/prod"),
    "The folder that it applies, from its source's root; a further source's root itself is a dot. One within another's is " +
      "left out by a kustomization.yaml of that one.",
    "apps/overlays/prod",
  ),
  source: setting(
    optional(label()),
    "The source that its folder is in, one of flux.sources. Default: the repository.",
    "shop",
  ),
  dependsOn: setting(optional(list(label())), "Which Kustomizations have to be Ready first. Default: infrastructure.", [
    "infrastructure",
  ]),
  prune: setting(
    defaulted(flag, KUSTOMIZATION.prune),
    "Whether objects go from the cluster when they go from the files.",
  ),
  wait: setting(
    optional(flag),
    "Whether it is Ready only when all its objects are. Default: true, and false with healthChecks.",
  ),
  interval: setting(duration(KUSTOMIZATION.interval), "How often the cluster is brought back to what the files say."),
  retryInterval: setting(duration(KUSTOMIZATION.retryInterval), "How soon it is tried again after a failure."),
  timeout: setting(duration(KUSTOMIZATION.timeout), "How long applying and waiting may take."),
  decryption: setting(
    defaulted(flag, KUSTOMIZATION.decryption),
    "Whether files that SOPS encrypted are decrypted; `sops` encrypts below its path with the stack's key.",
  ),
  suspend: setting(defaulted(flag, KUSTOMIZATION.suspend), "Whether Flux leaves it alone."),
  force: setting(defaulted(flag, KUSTOMIZATION.force), "Whether objects are made anew where they cannot be changed."),
  targetNamespace: setting(optional(label()), "The namespace that all its objects go into. Default: the files say it."),
  serviceAccountName: setting(
    optional(label()),
    "The service account of Flux's namespace that it acts as. Default: Flux's own.",
  ),
  deletionPolicy: setting(
    optional(oneOf("MirrorPrune", "Delete", "WaitForTermination", "Orphan")),
    "What becomes of its objects when it is deleted. Default: as prune says.",
  ),
  healthChecks: setting(
    optional(list(healthCheck)),
    "Objects whose health decides; with wait: true all do. Default: none.",
  ),
  healthCheckExprs: setting(
    optional(list(healthCheckExpr)),
    "How the health of further kinds is told, in CEL. Default: none.",
  ),
  postBuild: setting(optional(postBuild), "What variables in the files are replaced with. Default: nothing."),
  patches: setting(optional(list(patch)), "Patches of what the files hold. Default: none."),
  images: setting(optional(list(image)), "Images of the files, and what stands in their place. Default: none."),
});
