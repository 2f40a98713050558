import * as pulumi from "@pulumi/pulumi";

export interface GetExistingArgs {
  /** Its ARM id, in any letters. */
  readonly id: string;
  /** Whether a private endpoint shall lead to it. @default false */
  readonly privateEndpoint?: boolean;
  /** Public networks in CIDR notation from which it is to be reached. @default none that are known */
  readonly callers?: readonly string[];
  /** The tenant of those who are to use it. @default any */
  readonly tenantId?: string;
  /** The only subscription that it may be in. @default any */
  readonly subscriptionId?: string;
}

export interface GetExistingResult {
  /** Its ARM id in Azure's own letters. */
  readonly id: string;
  /** What keeps it from being used, each with its remedy. */
  readonly faults: readonly string[];
  /** What may keep some from reaching it. */
  readonly warnings: readonly string[];
}

/**
 * Looks at a resource group, registry, vault, key or log workspace that is there already, and says what keeps it from being
 * used. It needs Reader there and changes nothing.
 */
export function getExisting(args: GetExistingArgs, opts?: pulumi.InvokeOptions): Promise<GetExistingResult> {
  return pulumi.runtime.invoke("gitops:index:getExisting", { ...args }, opts ?? {}) as Promise<GetExistingResult>;
}
