// The stand-in for Pulumi's kubernetes: objects of any kind by server-side apply on a real API server.

import { existsSync, readFileSync } from "node:fs";
import { type Properties, type Provider, UNKNOWN } from "../../../provider/handler.ts";
import { KubernetesApi } from "../../../provider/kubernetesApi.ts";
import { sdkVersion, text } from "../shared/values.ts";
import { apiServerOf } from "./kubeconfig.ts";
import { objectHandler } from "./objects.ts";

let server: ReturnType<typeof apiServerOf> | undefined;

/** The kubeconfig's text: given, in a file that is named, or in that of KUBECONFIG; undefined while it is not known. */
function kubeconfigOf(config: Properties): string | undefined {
  if (config.kubeconfig === UNKNOWN) return undefined;
  const given = text(config.kubeconfig) || process.env.KUBECONFIG;
  if (!given) throw new Error("the stand-in for kubernetes needs a kubeconfig: give the provider one");
  return existsSync(given) ? readFileSync(given, "utf8") : given;
}

export const kubernetes: Provider = {
  name: "kubernetes",
  version: sdkVersion("kubernetes"),
  async configure(config) {
    if (config.enableServerSideApply === false || config.enableServerSideApply === "false")
      throw new Error("the stand-in for kubernetes knows server-side apply alone");
    const found = kubeconfigOf(config);
    server = found === undefined ? undefined : apiServerOf(found, text(config.context));
  },
  resource(token) {
    const isKind = /^kubernetes:[a-z0-9.]+\/v\d\w*:[A-Z]\w*$/.test(token);
    if (!isKind) return undefined;
    return objectHandler(token, (signal) => {
      if (server === undefined) return undefined;
      return { api: new KubernetesApi(server, signal), namespace: server.namespace };
    });
  },
};
