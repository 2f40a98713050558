// What a stack's state says of resources whose making was cut off, and the state in which they are the stack's own.

import { armIdOf } from "./armIds.ts";

/** A resource in a stack's state, as far as it counts here. */
export interface KeptResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly delete?: boolean;
  readonly [more: string]: unknown;
}

/** What `pulumi stack export` prints. */
export interface StackState {
  readonly version: number;
  readonly deployment: {
    readonly resources?: readonly KeptResource[];
    readonly pending_operations?: readonly { readonly type: string; readonly resource: KeptResource }[];
    readonly [more: string]: unknown;
  };
}

/** A resource that azure-native was making when the engine died; it may be in Azure or not. */
export interface Unfinished {
  readonly urn: string;
  readonly id: string;
  readonly apiVersion: string;
  readonly resource: KeptResource;
}

/**
 * What azure-native was making. Others are left out: the plugin of this project takes over what is there, what `random` and
 * `tls` draw is in the state alone, and what azuread was making is taken back.
 */
export function unfinished({ deployment }: StackState, subscriptionId: string): Unfinished[] {
  return (deployment.pending_operations ?? [])
    .filter(({ type }) => type === "creating")
    .flatMap(({ resource }) => {
      const { urn, type, inputs = {} } = resource;
      const id = armIdOf(type, inputs, subscriptionId);
      const apiVersion = inputs.azureApiVersion;
      return id === undefined || typeof apiVersion !== "string" ? [] : [{ urn, id, apiVersion, resource }];
    });
}

/**
 * The state in which some of them are the stack's, with an error of their making: the next `pulumi up` writes each anew,
 * whatever became of it, and reads what it is. An old one in whose place it was made is the next `up`'s to delete. No
 * operation is pending in it.
 */
export function adopted({ deployment, ...more }: StackState, found: readonly Unfinished[]): StackState {
  const resources = [...(deployment.resources ?? [])];
  for (const { urn, id, resource } of found) {
    const { outputs = {}, ...rest } = resource;
    const own = { ...rest, id, outputs, initErrors: ["the update that made it was cut off"] };
    const at = resources.findIndex((one) => one.urn === urn && one.delete !== true);
    const before = resources[at];
    if (before === undefined) resources.push(own);
    else resources.splice(at, 1, own, { ...before, delete: true });
  }
  return { ...more, deployment: { ...deployment, resources, pending_operations: [] } };
}
