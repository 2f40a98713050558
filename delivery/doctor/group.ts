// What a stack has in Azure already.

import type { Settings } from "../../settings/types.ts";
import type { Azure } from "./azure.ts";

type Stack = Pick<Settings, "project" | "stack" | "resourceGroup">;

/** The id of the stack's resource group, as far as it is there: the one that the settings name, or one that it made. */
export async function groupOf(azure: Azure, { project, stack, resourceGroup }: Stack): Promise<string | undefined> {
  if (resourceGroup !== undefined) {
    const id = resourceGroup.startsWith("/") ? resourceGroup : `${azure.root}/resourceGroups/${resourceGroup}`;
    return (await azure.find(id, "2021-04-01")) === undefined ? undefined : id;
  }
  // components/shared/names.ts: the logical name and eight hex digits.
  const name = new RegExp(`^${project}-${stack}[0-9a-f]{8}$`, "i");
  const groups = await azure.list(`${azure.root}/resourceGroups`, "2021-04-01");
  const id = groups.find((group) => name.test(String(group.name)))?.id;
  return typeof id === "string" ? id : undefined;
}

/** A resource as a list shows it. */
export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

/** What the stack's group holds of some types. */
export async function resourcesOf(azure: Azure, group: string, types: readonly string[]): Promise<readonly Listed[]> {
  const wanted = new Set(types.map((type) => type.toLowerCase()));
  const all = await azure.list<Listed>(`${group}/resources`, "2021-04-01");
  return all.filter(({ type }) => wanted.has(type.toLowerCase()));
}
