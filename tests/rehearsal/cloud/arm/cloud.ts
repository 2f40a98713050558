// A subscription of the simulated ARM with a directory of plain maps; everything takes a few milliseconds.
import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import { parseId } from "../../../../rehearsal/cloud/arm/ids.ts";
import type { ArmOptions } from "../../../../rehearsal/cloud/arm/service.ts";
import { ArmService } from "../../../../rehearsal/cloud/arm/service.ts";
import { definitionOf } from "../../../../rehearsal/cloud/arm/types/index.ts";
import { type Caller, type Directory, type Principal, ServiceError } from "../../../../rehearsal/cloud/types.ts";
import { type Answer, ask } from "../request.ts";

export const SUBSCRIPTION_ID = "11111111-2222-4333-8444-555555555555";
export const TENANT_ID = "99999999-2222-4333-8444-555555555555";
export const ROOT = `/subscriptions/${SUBSCRIPTION_ID}`;
export const GROUP = `${ROOT}/resourceGroups/rg`;
export const version = (type: string): string => definitionOf(type)?.version ?? "";

/** A directory whose tokens are object ids. */
export class PlainDirectory implements Directory {
  readonly tenantId = TENANT_ID;
  readonly principals = new Map<string, Principal>();
  readonly groups = new Map<string, string[]>();

  add(kind: Principal["kind"], displayName: string, groups: string[] = []): Principal {
    const objectId = randomUUID();
    const principal = {
      objectId,
      kind,
      displayName,
      ...(kind === "ServicePrincipal" ? { clientId: randomUUID() } : {}),
    };
    this.principals.set(objectId, principal);
    this.groups.set(objectId, groups);
    return principal;
  }

  find(objectId: string): Principal | undefined {
    return this.principals.get(objectId);
  }

  findByClientId(clientId: string): Principal | undefined {
    return [...this.principals.values()].find((principal) => principal.clientId === clientId);
  }

  groupsOf(objectId: string): readonly string[] {
    return this.groups.get(objectId) ?? [];
  }

  addManagedIdentity(displayName: string, identityId: string): Principal {
    const principal = { ...this.add("ServicePrincipal", displayName), identityId };
    this.principals.set(principal.objectId, principal);
    return principal;
  }

  remove(objectId: string): void {
    this.principals.delete(objectId);
  }

  authenticate(authorization: string | undefined, audience: string): Caller {
    const [, objectId = "", granted] = /^Bearer ([^@]+)@(.+)$/.exec(authorization ?? "") ?? [];
    const principal = this.find(objectId);
    if (principal === undefined || granted !== audience)
      throw new ServiceError(
        { status: 401, body: { error: { code: "InvalidAuthenticationToken", message: "bad" } } },
        "bad",
      );
    return { principal, groups: this.groups.get(objectId) ?? [] };
  }
}

export interface Call {
  readonly as?: Principal;
  readonly query?: string;
  readonly version?: string;
  readonly audience?: string;
}

export class Cloud {
  readonly directory = new PlainDirectory();
  readonly recorded: { method: string; url: string; body?: unknown }[] = [];
  readonly arm: ArmService;
  readonly owner: Principal;

  constructor(options: Partial<ArmOptions> = {}) {
    this.arm = new ArmService({
      subscriptionId: SUBSCRIPTION_ID,
      tenantId: TENANT_ID,
      directory: this.directory,
      record: (line) => this.recorded.push(line),
      duration: () => 10,
      ...options,
    });
    const owners = this.directory.add("Group", "owners");
    this.owner = this.directory.add("ServicePrincipal", "deployer", [owners.objectId]);
    this.arm.assignRole(owners.objectId, "Owner", ROOT);
  }

  /** One request; the API version is the type's own. */
  call(
    method: string,
    path: string,
    body?: object,
    { as = this.owner, query = "", ...more }: Call = {},
  ): Promise<Answer> {
    const type = parseId(path)?.type ?? parseId(path.split("/").slice(0, -1).join("/"))?.type ?? "";
    const api = more.version ?? (version(type) || "2022-04-01");
    const audience = more.audience ?? "https://management.azure.com";
    return ask(this.arm.service, method, `https://management.azure.com${path}?api-version=${api}${query}`, {
      headers: { authorization: `Bearer ${as.objectId}@${audience}` },
      ...(body === undefined ? {} : { body }),
    });
  }

  /** A PUT that must be accepted, waited for; answers with a GET. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of any shape.
  async make(path: string, body: object, call: Call = {}): Promise<any> {
    const answer = await this.call("PUT", path, body, call);
    assert.ok(answer.status === 200 || answer.status === 201, JSON.stringify(answer.body));
    await this.finish(answer);
    let made = (await this.call("GET", path)).body;
    // A vault whose name becomes known; with a clock that stands still it does not.
    for (let look = 0; look < 20 && made.properties?.provisioningState === "RegisteringDns"; look++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      made = (await this.call("GET", path)).body;
    }
    return made;
  }

  /** A DELETE that must be accepted, waited for. */
  async unmake(path: string): Promise<void> {
    const answer = await this.call("DELETE", path);
    assert.ok([200, 202, 204].includes(answer.status), JSON.stringify(answer.body));
    await this.finish(answer);
  }

  /** Polls an operation to its end. @returns its last status. */
  async finish(answer: Answer): Promise<string> {
    const headers = { authorization: `Bearer ${this.owner.objectId}@https://management.azure.com` };
    const { "azure-asyncoperation": operation, location } = answer.headers;
    if (operation === undefined && answer.status === 202 && location !== undefined) {
      for (;;) if ((await ask(this.arm.service, "GET", location, { headers })).status !== 202) return "Succeeded";
    }
    if (operation === undefined) return "Succeeded";
    for (;;) {
      const { body } = await ask(this.arm.service, "GET", operation, { headers });
      if (["Succeeded", "Failed"].includes(body.status)) return body.status;
    }
  }

  /** What a PUT is refused with: status and code. */
  async refused(path: string, body: object, call: Call = {}): Promise<[status: number, code: string, message: string]> {
    return outcome(await this.call("PUT", path, body, call));
  }
}

export const outcome = (answer: Answer): [status: number, code: string, message: string] => [
  answer.status,
  answer.body?.error?.code,
  answer.body?.error?.message,
];

export const id = (type: string, name: string): string => `${GROUP}/providers/${type}/${name}`;
export const LOCATION = "westeurope";

/** A cloud with a resource group. */
export async function newCloud(options: Partial<ArmOptions> = {}): Promise<Cloud> {
  const cloud = new Cloud(options);
  await cloud.make(GROUP, { location: LOCATION });
  return cloud;
}
