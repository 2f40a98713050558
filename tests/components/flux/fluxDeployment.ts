import * as pulumi from "@pulumi/pulumi";
import { FluxBootstrap } from "../../../components/flux/fluxBootstrap.ts";
import type { FluxBootstrapArgs } from "../../../components/flux/fluxBootstrapArgs.ts";
import { type Deployment, deploy, type Registration } from "../deployment.ts";
import { LOCK } from "../lock.ts";

/** Content of a stack with a chart, the demo application and a secret. */
export const CONFIG = {
  charts: [{ name: "kured", namespace: "baseline" }],
  demo: { image: "ghcr.io/stefanprodan/podinfo:6.14.1", replicas: 5 },
  secrets: [{ name: "demo-credentials", namespace: "demo", generate: ["password"], data: { username: "admin" } }],
};

export const KEY_URL = "https://kv.vault.azure.net/keys/sops/v1";
export const CLUSTER_ID =
  "/subscriptions/s/resourceGroups/group/providers/Microsoft.ContainerService/managedClusters/aks";

/** Something that others have to wait for. */
class Requirement extends pulumi.CustomResource {
  constructor(name: string) {
    super("test:index:Requirement", name);
  }
}

/** As FluxIdentity gives it: a component, whose properties nobody but their reader resolves. */
class Identity extends pulumi.ComponentResource {
  readonly clientId = pulumi.output("client");
  readonly tenantId = pulumi.output("tenant");
  readonly requirements = [new Requirement("federated")];
  constructor() {
    super("test:index:Identity", "identity");
  }
}

/**
 * Runs FluxBootstrap as `flux`, into the cluster `aks`, for the stack `test` and the repository
 * https://github.com/acme/fleet.
 * @param args more of its arguments.
 * @param more the pull principal's password, and the token that Flux reads the repository with.
 */
export function deployFlux(
  args: Partial<FluxBootstrapArgs> = {},
  more: { password?: string; gitToken?: string } = {},
): Promise<Deployment<FluxBootstrap>> {
  const { password, gitToken } = more;
  return deploy(
    () =>
      new FluxBootstrap("flux", {
        ...fluxArgs(),
        ...(gitToken ? { gitToken: pulumi.secret(gitToken) } : {}),
        ...(password ? { pullCredentials: { username: "puller", password: pulumi.secret(password) } } : {}),
        ...args,
      }),
  );
}

/** Arguments that every mode takes; only within a deployment. */
export function fluxArgs(): FluxBootstrapArgs {
  return {
    resourceGroupName: "group",
    clusterName: "aks",
    access: {
      clusterId: pulumi.output(CLUSTER_ID),
      endpoint: pulumi.output("https://aks.example:443"),
      certificateAuthority: pulumi.output("QVVUSE9SSVRZ"),
    },
    deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
    repository: "https://github.com/acme/fleet",
    stack: "test",
    lock: { ...LOCK, flux: { version: "2.9.4", manifests: "f".repeat(64), images: [] } },
    ...CONFIG,
    loginServer: "acme.azurecr.io",
    keyUrl: KEY_URL,
    readableKeyUrl: KEY_URL,
    contents: [new Requirement("mirrored")],
    identity: new Identity(),
  };
}

/** The files that a GitCommit owns. */
export function filesOf({ inputs }: Registration): Record<string, string> {
  return inputs.files as Record<string, string>;
}
