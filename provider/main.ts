// The plugin `gitops`: its resources by type token, served to the engine.

import { useProxy } from "../net/proxy.ts";
import type { ResourceHandler } from "../plugin/handler.ts";
import { serve } from "../plugin/server.ts";
import { clusterAccess } from "./azure/clusterAccess.ts";
import { systemPool } from "./azure/systemPool.ts";
import { fluxInstall } from "./flux/fluxInstall.ts";
import { fluxReady } from "./flux/fluxReady.ts";
import { gitCommit } from "./git/gitCommit.ts";
import { chartMirror } from "./mirror/chartMirror.ts";
import { imageImport } from "./mirror/imageImport.ts";
import { encryptedSecret } from "./secret/encryptedSecret.ts";

useProxy();

const resources = new Map<string, ResourceHandler>([
  ["gitops:index:ChartMirror", chartMirror],
  ["gitops:index:ClusterAccess", clusterAccess],
  ["gitops:index:EncryptedSecret", encryptedSecret],
  ["gitops:index:FluxInstall", fluxInstall],
  ["gitops:index:FluxReady", fluxReady],
  ["gitops:index:GitCommit", gitCommit],
  ["gitops:index:ImageImport", imageImport],
  ["gitops:index:SystemPool", systemPool],
]);

await serve({ name: "gitops", version: "0.1.0", resource: (token) => resources.get(token) });
