import { getClientConfigOutput } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import type * as pulumi from "@pulumi/pulumi";
import { existing } from "./shared/existing.ts";
import { decideNames } from "./shared/names.ts";
import { newFirst } from "./shared/newFirst.ts";
import type { Tags } from "./shared/tags.ts";

/** What a stack's resource group is to be. */
export interface StackGroupArgs {
  /** Name or ARM id of one that is there already, in the subscription of azure-native; it is never changed or deleted. */
  readonly existing?: string | undefined;
  /** Azure's region; of one that is made. */
  readonly location: string;
  /** Tags of one that is made. @default none */
  readonly tags?: Tags | undefined;
}

/** The resource group of a stack, and all that it is made of. */
export interface StackGroup {
  readonly resourceGroup: ResourceGroup;
  readonly parts: readonly pulumi.Resource[];
}

/** The resource group that a stack's resources are in: its own, or one that is there already. */
export function stackGroup(name: string, args: StackGroupArgs): StackGroup {
  const { location, tags } = args;
  if (args.existing !== undefined) {
    const resourceGroup = ResourceGroup.get(name, existingId(args.existing));
    return { resourceGroup, parts: [resourceGroup] };
  }
  const names = decideNames(name, {}, { location });
  const resourceGroup = new ResourceGroup(
    name,
    { resourceGroupName: names.of(name), location, ...(tags && { tags: { ...tags } }) },
    newFirst({}),
  );
  return { resourceGroup, parts: [names.digits, resourceGroup] };
}

function existingId(given: string): pulumi.Output<string> {
  return getClientConfigOutput().apply(({ subscriptionId }) =>
    existing(
      "resourceGroup",
      given.startsWith("/") ? given : `/subscriptions/${subscriptionId}/resourceGroups/${given}`,
      { subscriptionId },
    ),
  );
}
