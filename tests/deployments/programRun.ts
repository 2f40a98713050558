// Runs the program of deployments, deployments/index.ts, against Pulumi's mocks.
import * as pulumi from "@pulumi/pulumi";
import { type Deployment, deploy, type Maker } from "../components/deployment.ts";

let runs = 0;

/**
 * Runs the program with a configuration by name, in which tokens and notifications are secret.
 * @param maker what makes the resources, instead of the mocks.
 */
export function run(config: Record<string, unknown>, maker?: Maker): Promise<Deployment<Record<string, unknown>>> {
  runs += 1;
  // Another address, so that the program runs again.
  const program = `../../deployments/index.ts?run=${runs}`;
  const body = async () => {
    const key = (name: string) => `aks-gitops-deployments:${name}`;
    const values = Object.entries(config).map(([name, value]) => [
      key(name),
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    pulumi.runtime.setAllConfig(Object.fromEntries(values), ["tokens", "notifications"].map(key));
    return { ...(await import(program)) } as Record<string, unknown>;
  };
  return deploy(body, false, maker);
}
