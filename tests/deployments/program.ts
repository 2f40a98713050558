// The configuration of deployments/ in tests, and the stacks' own files beside it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "mocha";
import { stringify } from "yaml";
import { DeploymentsError, type DeploymentsSettings, parseDeployments } from "../../deployments/settings/parse.ts";
import type { Fault } from "../../settings/errors.ts";

export const TENANT = "6f1f2b6e-4444-4e0a-9c60-000000000001";
export const SUBSCRIPTION = "6f1f2b6e-3333-4e0a-9c60-000000000001";
export const CLIENTS = {
  deployer: "6f1f2b6e-5555-4e0a-9c60-000000000001",
  reader: "6f1f2b6e-5555-4e0a-9c60-000000000002",
};
export const TOKEN = "a-token-that-nobody-sees";
export const HOOK = "https://hooks.example.com/services/T0/B0/very-secret";

/** What a stack's own file says at the least; a cluster for development. */
const OWN = {
  "azure-native:location": "westeurope",
  "azure-native:tenantId": TENANT,
  "azure-native:subscriptionId": SUBSCRIPTION,
  "github:owner": "acme",
  "aks-gitops:deployers": "6f1f2b6e-1111-4e0a-9c60-000000000001",
  "aks-gitops:cluster": { sku: "Free" },
  "aks-gitops:flux": { repository: "https://github.com/acme/fleet" },
};

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A folder with the files of stacks; what is said of one comes over the least that it needs. */
export function programOf(stacks: Readonly<Record<string, Record<string, unknown>>>): string {
  const folder = mkdtempSync(join(tmpdir(), "deployments-"));
  folders.push(folder);
  writeFileSync(join(folder, "Pulumi.yaml"), "name: aks-gitops\nruntime: nodejs\n");
  for (const [stack, config] of Object.entries(stacks))
    writeFileSync(join(folder, `Pulumi.${stack}.yaml`), stringify({ config: { ...OWN, ...config } }));
  return folder;
}

export interface Case {
  /** By name, without the namespace. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The stacks' own files. @default one of `dev` */
  readonly own?: Readonly<Record<string, Record<string, unknown>>>;
  /** @default tokens and notifications */
  readonly secrets?: readonly string[];
}

const MINIMUM = { organization: "acme", repository: "acme/aks-gitops", stacks: { dev: { updates: "push" } } };

/** The settings of a configuration. */
export function read({
  config = {},
  own = { dev: {} },
  secrets = ["tokens", "notifications"],
}: Case = {}): Promise<DeploymentsSettings> {
  const values = Object.entries({ ...MINIMUM, ...config }).map(([key, value]) => [
    `aks-gitops-deployments:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return parseDeployments({
    stack: "main",
    config: Object.fromEntries(values),
    secretKeys: secrets.map((key) => `aks-gitops-deployments:${key}`),
    folder: programOf(own),
  });
}

/** What a configuration is refused with. */
export async function refusal(given: Case): Promise<DeploymentsError> {
  const settings = await read(given).catch((error: unknown) => error);
  if (settings instanceof DeploymentsError) return settings;
  throw settings instanceof Error ? settings : new Error("nothing was refused");
}

/** Its faults in short: key without the namespace, and the problem. */
export async function faults(given: Case): Promise<[string, string][]> {
  return (await refusal(given)).faults.map(({ key, problem }: Fault) => [
    key.replace("aks-gitops-deployments:", ""),
    problem,
  ]);
}
