import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { DeploymentsError, type DeploymentsSettings, parseDeployments } from "./parse.ts";

/** The folder of the program that is deployed. */
export const PROGRAM = resolve(import.meta.dirname, "../..");

/**
 * The settings of the stack that the engine runs.
 * @throws pulumi.RunError naming every fault, before anything is registered and without a stack trace.
 */
export async function readDeployments(): Promise<DeploymentsSettings> {
  const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };
  const config = pulumi.runtime.allConfig();
  const secretKeys = Object.keys(config).filter((key) => isConfigSecret(key));
  try {
    return await parseDeployments({ stack: pulumi.getStack(), config, secretKeys, folder: PROGRAM });
  } catch (error) {
    throw error instanceof DeploymentsError ? new pulumi.RunError(error.message) : error;
  }
}
