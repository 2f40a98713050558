// The Secrets with which those in the cluster sign in that have no identity; no commit is needed to renew one.

import { stringify } from "yaml";
import * as z from "zod";
import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import { dockerConfig } from "../../flux/dockerConfig.ts";
import type { KubernetesApi, ObjectRef } from "../../net/kubernetesApi.ts";
import { someText } from "../../plugin/schema.ts";
import { secretParts } from "./forms.ts";

/** By the field manager a Secret is known that was made here. */
const MANAGER = "aks-gitops";

const part = z.string().min(1);

const name = part.describe("The Secret's name.");

/** The Secret's name in Flux's namespace, and what is in it. */
export const pullSecret = secretParts(
  {
    name,
    username: part.describe("Who pulls."),
    password: part.describe("Give it as a secret, then it is encrypted in the state.").meta({ secret: true }),
  },
  { id: "PullSecret", description: "A Secret in Flux's namespace that signs in to a registry.", one: "a pull secret" },
);

/** The same, of what decrypts: https://fluxcd.io/flux/components/kustomize/kustomizations/#azure-key-vault-secret-entry */
export const decryptSecret = secretParts(
  {
    name,
    tenantId: part.describe("The tenant of who decrypts."),
    clientId: part.describe("Its client id."),
    clientSecret: part.describe("Give it as a secret, then it is encrypted in the state.").meta({ secret: true }),
  },
  {
    id: "DecryptSecret",
    description: "A Secret in Flux's namespace that signs in to a Key Vault, for SOPS.",
    one: "a decryption secret",
  },
);

/** What signs in to the registry of the artifact that all comes from, or tells who signed it: it cannot come from there. */
export const artifactSecret = z
  .strictObject(
    {
      name: someText.describe("The Secret's name."),
      type: someText.describe("Its type as Kubernetes names it."),
      data: z
        .record(z.string().min(1), z.string())
        .describe("Values by key; give them as secrets, then they are encrypted in the state.")
        .meta({ secret: true, fault: "is no map of texts" }),
    },
    { error: "must be a map" },
  )
  .describe("A Secret in Flux's namespace that the artifact is read with.")
  .meta({ id: "ArtifactSecret", hidden: true });

/** Which Secrets a FluxInstall keeps. */
export interface SecretInputs {
  readonly loginServer: string;
  readonly artifactSecrets?: readonly z.output<typeof artifactSecret>[];
  readonly pullSecret?: z.output<typeof pullSecret>;
  readonly imagePullSecret?: string;
  readonly decryptSecret?: z.output<typeof decryptSecret>;
}

type Named = { readonly [K in "pullSecret" | "decryptSecret"]?: { readonly name: string } } & {
  readonly imagePullSecret?: string;
  readonly artifactSecrets?: readonly { readonly name: string }[];
};

/** Which they are. */
export function secretRefs({ pullSecret, imagePullSecret, decryptSecret, artifactSecrets = [] }: Named): ObjectRef[] {
  const names = [pullSecret?.name, imagePullSecret, decryptSecret?.name, ...artifactSecrets.map(({ name }) => name)];
  return names.filter((one) => one !== undefined).map(secretRef);
}

function secretRef(name: string): ObjectRef {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: FLUX_SYSTEM } };
}

function secrets({ loginServer, pullSecret, imagePullSecret, decryptSecret, artifactSecrets = [] }: SecretInputs) {
  const made: { name: string; type: string; data: Readonly<Record<string, string>> }[] = [...artifactSecrets];
  if (pullSecret !== undefined) {
    const { name, username, password } = pullSecret;
    made.push({ name, type: "Opaque", data: { username, password } });
  }
  if (imagePullSecret !== undefined && pullSecret !== undefined) {
    const config = dockerConfig(loginServer, pullSecret.username, pullSecret.password);
    made.push({ name: imagePullSecret, type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": config } });
  }
  if (decryptSecret !== undefined) {
    const { name, ...azure } = decryptSecret;
    made.push({ name, type: "Opaque", data: { "sops.azure-kv": stringify(azure) } });
  }
  return made;
}

/** Makes the Secrets as they shall be, and takes away those that were made before under another name. */
export async function applySecrets(
  api: KubernetesApi,
  wanted: SecretInputs,
  before: SecretInputs | undefined,
): Promise<void> {
  for (const { name, type, data } of secrets(wanted)) {
    const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
    const secret = { ...secretRef(name), type, data: Object.fromEntries(encoded) };
    await api.apply(secret, { fieldManager: MANAGER, force: true });
  }
  const kept = secretRefs(wanted).map(({ metadata }) => metadata.name);
  for (const ref of secretRefs(before ?? {})) {
    if (kept.includes(ref.metadata.name)) continue;
    const found = await api.metadataOf(ref);
    const { managedFields = [] } = (found?.metadata ?? {}) as { managedFields?: readonly { manager?: string }[] };
    // Somebody else's may have its name by now.
    if (managedFields.some(({ manager }) => manager === MANAGER)) await api.delete(ref);
  }
}
