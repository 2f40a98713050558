// The stand-in for Pulumi's kubernetes: objects of any kind on a real API server, changed by server-side apply.

import { existsSync, readFileSync } from "node:fs";
import { KubernetesApi } from "../../../net/kubernetesApi.ts";
import { type Properties, type Provider, UNKNOWN } from "../../../plugin/handler.ts";
import { present, sdkVersion, text } from "../shared/values.ts";
import { apiServerOf } from "./kubeconfig.ts";
import { type ObjectOptions, objectHandler } from "./objects.ts";

let server: ReturnType<typeof apiServerOf> | undefined;
let options: ObjectOptions = { mutable: new Set(), force: false, upsert: false };

/** The provider's settings that are followed; the first two of the last line change nothing here. */
const KNOWN = new Set([
  ...["kubeconfig", "context", "namespace", "enableServerSideApply"],
  ...["enableSecretMutable", "enableConfigMapMutable", "enablePatchForce", "upsertExistingObjects"],
  ...["suppressDeprecationWarnings", "suppressHelmHookWarnings", "version"],
]);

/** The kubeconfig's text: given, in a file that is named, or in that of KUBECONFIG; undefined while it is not known. */
function kubeconfigOf(config: Properties): string | undefined {
  if (config.kubeconfig === UNKNOWN) return undefined;
  const given = text(config.kubeconfig) || process.env.KUBECONFIG;
  if (!given) throw new Error("the stand-in for kubernetes needs a kubeconfig: give the provider one");
  return existsSync(given) ? readFileSync(given, "utf8") : given;
}

function optionsOf(config: Properties): ObjectOptions {
  const unknown = Object.keys(present(config)).filter((key) => !KNOWN.has(key));
  if (unknown.length > 0)
    throw new Error(`the stand-in for kubernetes does not know the setting ${unknown.join(", ")}`);
  const is = (key: string) => String(config[key]) === "true";
  if (String(config.enableServerSideApply) === "false")
    throw new Error("the stand-in for kubernetes knows server-side apply alone: leave enableServerSideApply true");
  const mutable = ["Secret", "ConfigMap"].filter((kind) => is(`enable${kind}Mutable`));
  return { mutable: new Set(mutable), force: is("enablePatchForce"), upsert: is("upsertExistingObjects") };
}

/** Why a type of the official provider has no handler here; undefined for one that has. */
function reasonAgainst(token: string): string | undefined {
  const [, module = "", kind = ""] = /^kubernetes:([a-z0-9.-]+\/v\d\w*):([A-Z]\w*)$/.exec(token) ?? [];
  if (kind === "" || /^(helm\.sh|kustomize|yaml)\//.test(module)) return "objects of the API server alone";
  // ResourceQuotaList is one of these, IPAddress is none.
  if (/(List|Patch)$/.test(kind)) return "whole objects alone: no lists, no patches";
  return undefined;
}

export const kubernetes: Provider = {
  name: "kubernetes",
  version: sdkVersion("kubernetes"),
  async configure(config) {
    options = optionsOf(config);
    const found = kubeconfigOf(config);
    if (found === undefined) return;
    const opened = apiServerOf(found, text(config.context));
    server = { ...opened, namespace: text(config.namespace) || opened.namespace };
  },
  resource(token) {
    const reason = reasonAgainst(token);
    if (reason !== undefined) throw new Error(`${token}: the stand-in for kubernetes knows ${reason}`);
    return objectHandler(token, options, (signal) => {
      if (server === undefined) return undefined;
      return { api: new KubernetesApi(server, signal), namespace: server.namespace };
    });
  },
};
