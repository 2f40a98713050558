// Identities of pipelines as the component makes them, in a simulated Azure and Entra without an engine.
import { PipelineIdentity, type PipelineIdentityArgs } from "../../../components/index.ts";
import { ArmService } from "../../../rehearsal/cloud/arm/service.ts";
import { Entra } from "../../../rehearsal/cloud/entra/service.ts";
import { Issuers } from "../../../rehearsal/cloud/issuers/service.ts";
import type { Principal } from "../../../rehearsal/cloud/types.ts";
import { type Answer, ask } from "../../rehearsal/cloud/request.ts";
import { deploy, type Maker } from "../deployment.ts";

export const ARM = "https://management.azure.com";

export class PipelineWorld {
  readonly entra: Entra;
  readonly arm: ArmService;
  readonly issuers: Issuers;
  readonly #person: string;

  private constructor(entra: Entra, arm: ArmService, issuers: Issuers) {
    this.entra = entra;
    this.arm = arm;
    this.issuers = issuers;
    const person = entra.addClient("person");
    arm.assignRole(person.objectId, "Owner", `/subscriptions/${arm.subscriptionId}`);
    this.#person = person.clientId;
  }

  static async create(ids: { readonly tenantId: string; readonly subscriptionId: string }): Promise<PipelineWorld> {
    const entra = await Entra.create({ tenantId: ids.tenantId });
    const issuers = await Issuers.create({ tenantId: ids.tenantId, tenant: entra.issuer });
    const arm = new ArmService({ ...ids, directory: entra, duration: () => 1 });
    entra.federate({ arm, issuerKeys: issuers.keysOf });
    return new PipelineWorld(entra, arm, issuers);
  }

  /** Makes the identities of a stack as a person's `pulumi up` does. */
  async make(name: string, args: PipelineIdentityArgs): Promise<void> {
    const failures: unknown[] = [];
    const maker: Maker = {
      tenantId: this.entra.tenantId,
      make: (type, resource, inputs) =>
        this.#make(type.split(":").at(-1) ?? "", resource, inputs as Record<string, string>).catch((error: unknown) => {
          failures.push(error);
          throw error;
        }),
    };
    await deploy(() => new PipelineIdentity(name, args), false, maker);
    if (failures.length > 0) throw failures[0];
  }

  async #make(type: string, name: string, inputs: Record<string, string>) {
    const { displayName = "", subject = "", issuer = "", audiences, clientId = "", roleAssignmentName } = inputs;
    if (type === "Application") {
      const made = this.entra.addApplication({ displayName });
      return { id: `/applications/${made.objectId}`, state: { clientId: made.clientId } };
    }
    if (type === "ServicePrincipal") {
      const { objectId } = this.entra.addServicePrincipal(clientId);
      return { id: objectId, state: { objectId, applicationTenantId: this.entra.tenantId } };
    }
    if (type === "ApplicationFederatedIdentityCredential") {
      const application = this.entra.application(inputs.applicationId?.split("/").at(-1) ?? "");
      const credential = { ...{ id: name, name: displayName, issuer, subject, description: null } };
      application?.federatedCredentials.push({ ...credential, audiences: audiences as unknown as string[] });
      return { id: name, state: {} };
    }
    if (type === "GroupMember") {
      this.entra.addMember(inputs.groupObjectId ?? "", inputs.memberObjectId ?? "");
      return { id: name, state: {} };
    }
    if (type !== "RoleAssignment") return undefined;
    const { scope, roleAssignmentName: _, ...properties } = inputs;
    const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/${roleAssignmentName}`;
    const answer = await this.sendAsPerson("PUT", `${id}?api-version=2022-04-01`, { properties });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return { id, state: {} };
  }

  /** Asks ARM as who owns the subscription. */
  sendAsPerson(method: string, path: string, body?: object): Promise<Answer> {
    return this.send(this.#person, method, path, body);
  }

  /** Asks ARM with a token of a client. */
  send(clientId: string, method: string, path: string, body?: object): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.token(clientId, ARM)}` };
    return ask(this.arm.service, method, `${ARM}${path}`, { headers, ...(body && { body }) });
  }

  /** An access token as Entra gives it to a client that has signed in. */
  token(clientId: string, audience: string): string {
    return this.entra.issuer.issue(this.principal(clientId), audience, "2", []);
  }

  principal(clientId: string): Principal {
    const principal = this.entra.findByClientId(clientId);
    if (!principal) throw new Error(`there is no client ${clientId}`);
    return principal;
  }

  /** The client id of an application by its name. */
  clientOf(displayName: string): string {
    const found = this.entra.applications().find((application) => application.displayName === displayName);
    if (!found) throw new Error(`there is no application ${displayName}`);
    return found.clientId;
  }

  /** Whom a token of a pipeline signs in, of all applications there are: their names. */
  async signsIn(assertion: string): Promise<string[]> {
    const { tenantId } = this.entra;
    const url = `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`;
    const signedIn: string[] = [];
    for (const { clientId, displayName } of this.entra.applications()) {
      const body = new URLSearchParams({
        ...{ grant_type: "client_credentials", client_id: clientId, scope: `${ARM}/.default` },
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: assertion,
      });
      if ((await ask(this.entra.service, "POST", url, { body })).status === 200) signedIn.push(displayName);
    }
    return signedIn;
  }
}
