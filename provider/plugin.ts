// The plugin `gitops`: its resources and functions by token, served to the engine.

import type { ResourceHandler } from "../plugin/handler.ts";
import { packageSchema } from "../plugin/packageSchema.ts";
import { serve } from "../plugin/server.ts";
import { agentPool } from "./azure/agentPool.ts";
import { getExisting } from "./azure/getExisting.ts";
import { managedCluster } from "./azure/managedCluster.ts";
import { natGateway } from "./azure/natGateway.ts";
import { networkPeering } from "./azure/networkPeering.ts";
import { vaultKey } from "./azure/vaultKey.ts";
import { zoneLink } from "./azure/zoneLink.ts";
import { fluxConfigurationReady } from "./flux/fluxConfigurationReady.ts";
import { fluxInstall } from "./flux/fluxInstall.ts";
import { fluxReady } from "./flux/fluxReady.ts";
import { getForeignImages } from "./git/foreignImages.ts";
import { gitCommit } from "./git/gitCommit.ts";
import { chartMirror } from "./mirror/chartMirror.ts";
import { imageImport } from "./mirror/imageImport.ts";
import { acceptedPassword } from "./secret/acceptedPassword.ts";
import { encryptedSecret } from "./secret/encryptedSecret.ts";
import { keyInUse } from "./secret/keyInUse.ts";

const ABOUT = {
  name: "gitops",
  version: "0.1.0",
  description:
    "What runs an AKS cluster by GitOps and that no other provider has: mirrored images and charts, Git commits, Flux.",
};

const handlers = [
  acceptedPassword,
  agentPool,
  chartMirror,
  encryptedSecret,
  fluxConfigurationReady,
  fluxInstall,
  fluxReady,
  gitCommit,
  imageImport,
  keyInUse,
  managedCluster,
  natGateway,
  networkPeering,
  vaultKey,
  zoneLink,
];

const functions = [getExisting, getForeignImages];

const resources = new Map<string, ResourceHandler>(handlers.map((handler) => [handler.schema.token, handler]));

/** A resource of earlier versions that states may still list; it has nothing in Azure, and its deletion does nothing. */
resources.set("gitops:index:ClusterAccess", {
  create: async () => {
    throw new Error("there is no ClusterAccess any more: what it gave, ManagedCluster gives");
  },
});

await serve({
  ...ABOUT,
  schema: () =>
    packageSchema(
      ABOUT,
      handlers.map(({ schema }) => schema),
      functions.map(({ schema }) => schema),
    ),
  resource: (token) => resources.get(token),
  async invoke(token, args) {
    const called = functions.find(({ schema }) => schema.token === token);
    if (called === undefined) throw new Error(`there is no function ${token}`);
    return called.call(args);
  },
});
