// What the extension microsoft.flux brings into a cluster: the manifests of `flux install`, as its settings change them.
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "./api.ts";

/** The Flux that the extension brings: the one whose controllers the rehearsal has. */
export const FLUX_VERSION = "2.9.4";

/** `configurationSettings` of the extension. */
export type ExtensionSettings = Readonly<Record<string, string>>;

/** The namespace of the extension's controllers. */
export const FLUX_NAMESPACE = "flux-system";

/** The service account that Kustomizations and releases act as where tenants are kept apart. */
export const APPLIER = "flux-applier";

const extra = ["image-automation-controller", "image-reflector-controller"];
/** Those that Entra may know: they read registries, repositories and keys. */
const identified = ["source-controller", "kustomize-controller", ...extra];
/** Flags that keep tenants apart: https://fluxcd.io/flux/installation/configuration/multitenancy/ */
const tenancy: Readonly<Record<string, readonly string[]>> = {
  "kustomize-controller": [
    "--no-cross-namespace-refs=true",
    "--no-remote-bases=true",
    `--default-service-account=${APPLIER}`,
  ],
  "helm-controller": ["--no-cross-namespace-refs=true", `--default-service-account=${APPLIER}`],
  "notification-controller": ["--no-cross-namespace-refs=true"],
};

/** Settings `<controller>.<name>` that become flags, by name. */
const flags: Readonly<Record<string, string>> = {
  "log-level": "log-level",
  concurrent: "concurrent",
  "requeue-dependency": "requeue-dependency",
};

const isTrue = (value: string | undefined) => value?.toLowerCase() === "true";

interface Container {
  name: string;
  image: string;
  args: string[];
  resources?: Record<string, Record<string, string>>;
}

/**
 * The objects of the extension.
 * @param manifests the output of `flux install --export`.
 * @throws Error naming a setting that the rehearsal's cluster cannot follow.
 */
export function extensionObjects(manifests: string, settings: ExtensionSettings): KubeObject[] {
  refuse(settings);
  const all = parseAllDocuments(manifests).map((document) => document.toJS() as KubeObject | null);
  return all.flatMap((object) => {
    if (object === null || isDisabled(object, settings)) return [];
    if (object.kind === "Deployment") changeDeployment(object, settings);
    if (object.kind === "ServiceAccount") changeAccount(object, settings);
    return [object];
  });
}

function refuse(settings: ExtensionSettings): void {
  for (const [name, value] of Object.entries(settings)) {
    const [, controller = "", rest = ""] = /^([a-z-]+-controller)\.(.+)$/.exec(name) ?? [];
    if (extra.includes(controller) && !(rest === "enabled" && !isTrue(value)))
      throw new Error(
        `${name}: the rehearsal's cluster has no ${controller}; leave the image controllers out (aks-gitops:flux.imageAutomation: false) to rehearse the rest`,
      );
    const known =
      rest === ""
        ? /^(multiTenancy|workloadIdentity)\./.test(name)
        : rest in flags || /^(enabled$|resources\.)/.test(rest);
    // Turned off, it asks for nothing.
    if (!known && value.toLowerCase() !== "false")
      throw new Error(`${name}: the rehearsal's agent does not know how to follow this setting`);
  }
}

function isDisabled({ kind, metadata }: KubeObject, settings: ExtensionSettings): boolean {
  const controller = metadata.labels?.["app.kubernetes.io/component"] ?? metadata.name;
  const enabled = settings[`${controller}.enabled`];
  return (kind === "Deployment" || kind === "Service") && enabled !== undefined && !isTrue(enabled);
}

function changeDeployment(object: KubeObject, settings: ExtensionSettings): void {
  const { name } = object.metadata;
  const { template } = object.spec;
  const container = template.spec.containers[0] as Container;
  // The extension's images come from Microsoft's own registry, which needs no rights.
  container.image = container.image.replace(/^.*\//, "mcr.microsoft.com/oss/v2/fluxcd/");
  for (const [setting, flag] of Object.entries(flags)) {
    const value = settings[`${name}.${setting}`];
    if (value !== undefined) setFlag(container, `--${flag}=${value}`);
  }
  if (settings["multiTenancy.enforce"] === undefined || isTrue(settings["multiTenancy.enforce"]))
    for (const flag of tenancy[name] ?? []) setFlag(container, flag);
  for (const [key, value] of Object.entries(settings)) {
    const [, kind, resource] = new RegExp(`^${name}\\.resources\\.(limits|requests)\\.(.+)$`).exec(key) ?? [];
    if (kind === undefined || resource === undefined) continue;
    container.resources = { ...container.resources, [kind]: { ...container.resources?.[kind], [resource]: value } };
  }
  if (isTrue(settings["workloadIdentity.enable"]) && identified.includes(name))
    template.metadata.labels = { ...template.metadata.labels, "azure.workload.identity/use": "true" };
}

function setFlag(container: Container, flag: string): void {
  const start = flag.replace(/=.*/, "=");
  container.args = [...container.args.filter((arg) => !arg.startsWith(start)), flag];
}

function changeAccount(object: KubeObject, settings: ExtensionSettings): void {
  if (!isTrue(settings["workloadIdentity.enable"]) || !identified.includes(object.metadata.name)) return;
  const { "workloadIdentity.azureClientId": client, "workloadIdentity.azureTenantId": tenant } = settings;
  const annotations = {
    ...object.metadata.annotations,
    ...(client && { "azure.workload.identity/client-id": client }),
    ...(tenant && { "azure.workload.identity/tenant-id": tenant }),
  };
  Object.assign(object.metadata, { annotations });
}
