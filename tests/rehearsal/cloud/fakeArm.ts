// An Arm of plain maps: what tests need of ARM to try the services around it.
import type { Arm, ArmResource, CloudRequest } from "../../../rehearsal/cloud/types.ts";

export class FakeArm implements Arm {
  readonly subscriptionId = "00000000-0000-0000-0000-00000000000a";
  readonly resources = new Map<string, ArmResource>();
  /** `<object id> <action> <scope>` of everything that is allowed; the scope may be one above. */
  readonly allowed: string[] = [];
  /** Why nobody outside reaches a data plane; undefined where everybody does. */
  barrier: string | undefined;

  add(resource: ArmResource): ArmResource {
    this.resources.set(resource.id.toLowerCase(), resource);
    return resource;
  }

  get(id: string): ArmResource | undefined {
    return this.resources.get(id.toLowerCase());
  }

  list(type: string): ArmResource[] {
    return [...this.resources.values()].filter((resource) => resource.type.toLowerCase() === type.toLowerCase());
  }

  adopt(resource: ArmResource): void {
    this.add(resource);
  }

  federatedCredentials(): [] {
    return [];
  }

  allows(
    { principal }: Parameters<Arm["allows"]>[0],
    action: string,
    scope: string,
    kind: "control" | "data",
  ): boolean {
    return this.allowed.some((entry) => {
      const [who, what, where = ""] = entry.split(" ");
      return kind === "data" && who === principal.objectId && what === action && scope.startsWith(where);
    });
  }

  unreachable(_: ArmResource, { place }: Pick<CloudRequest, "place">): string | undefined {
    return place === "outside" ? this.barrier : undefined;
  }

  noWay(): undefined {
    return undefined;
  }
}
