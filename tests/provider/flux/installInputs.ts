// A FluxInstall's inputs in tests.
import { CLUSTER_ID } from "../fakeCloud.ts";

/** All that it needs; nothing of it is anywhere. */
export const installInputs = (endpoint: string) => ({
  clusterId: CLUSTER_ID,
  endpoint,
  certificateAuthority: "Q0E=",
  version: "2.9.4",
  imageAutomation: false,
  manifests: "0".repeat(64),
  loginServer: "acme.azurecr.io",
  clientId: "c",
  tenantId: "t",
  url: "https://github.com/acme/fleet.git",
  branch: "main",
  path: "clusters/dev",
});
