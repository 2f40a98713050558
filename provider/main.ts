// The plugin `gitops`: its resources by type token, served to the engine.

import { chartMirror } from "./chartMirror.ts";
import { clusterAccess } from "./clusterAccess.ts";
import { encryptedSecret } from "./encryptedSecret.ts";
import { fluxInstall } from "./fluxInstall.ts";
import { fluxReady } from "./fluxReady.ts";
import { gitCommit } from "./gitCommit.ts";
import type { ResourceHandler } from "./handler.ts";
import { imageImport } from "./imageImport.ts";
import { serve } from "./server.ts";
import { systemPool } from "./systemPool.ts";

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
