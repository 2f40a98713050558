// The Secret with a registry's password, for those in the cluster that pull with one; no commit is needed to renew it.

import * as z from "zod";
import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import type { KubernetesApi, ObjectRef } from "../../net/kubernetesApi.ts";
import { secretParts } from "./forms.ts";

/** By the field manager a Secret is known that was made here. */
const MANAGER = "aks-gitops";

const part = z.string().min(1);

/** The Secret's name in Flux's namespace, and what is in it. */
export const pullSecret = secretParts(
  {
    name: part.describe("The Secret's name."),
    username: part.describe("Who pulls."),
    password: part.describe("Give it as a secret, then it is encrypted in the state.").meta({ secret: true }),
  },
  { id: "PullSecret", description: "A Secret in Flux's namespace that signs in to a registry.", one: "a pull secret" },
);

type PullSecret = z.output<typeof pullSecret>;

/** Which Secret it is. */
export function pullSecretRef({ name }: Pick<PullSecret, "name">): ObjectRef {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: FLUX_SYSTEM } };
}

/** Makes the Secret as it shall be, and takes away the one that was made before under another name. */
export async function applyPullSecret(
  api: KubernetesApi,
  wanted: PullSecret | undefined,
  before: PullSecret | undefined,
): Promise<void> {
  if (wanted !== undefined) {
    const { username, password } = wanted;
    const entries = Object.entries({ username, password }).map(([key, text]) => [
      key,
      Buffer.from(text).toString("base64"),
    ]);
    const secret = { ...pullSecretRef(wanted), data: Object.fromEntries(entries) };
    await api.apply(secret, { fieldManager: MANAGER, force: true });
  }
  if (before === undefined || before.name === wanted?.name) return;
  const found = await api.metadataOf(pullSecretRef(before));
  const { managedFields = [] } = (found?.metadata ?? {}) as { managedFields?: readonly { manager?: string }[] };
  // Somebody else's may have its name by now.
  if (managedFields.some(({ manager }) => manager === MANAGER)) await api.delete(pullSecretRef(before));
}
