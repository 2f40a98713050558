import { Application } from "@pulumi/azuread/application.js";
import { ApplicationFederatedIdentityCredential } from "@pulumi/azuread/applicationFederatedIdentityCredential.js";
import { GroupMember } from "@pulumi/azuread/groupMember.js";
import { ServicePrincipal } from "@pulumi/azuread/servicePrincipal.js";
import * as pulumi from "@pulumi/pulumi";
import { after } from "../shared/after.ts";
import { refuse } from "../shared/faults.ts";
import { newFirst } from "../shared/newFirst.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import { type Credential, credentialsOf } from "./credentials.ts";
import { delegationCondition } from "./delegation.ts";
import { createEnvironments, tellJobs } from "./gitHubEnvironments.ts";
import { pipelineFaults } from "./pipelineFaults.ts";
import type { PipelineIdentityArgs } from "./pipelineIdentityArgs.ts";

/** The built-in roles of the identities themselves, which they assign to nobody. */
const ROLES = {
  contributor: "b24988ac-6180-42a0-ab88-20f7382dd24c",
  reader: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
  roleAdministrator: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
  blobReader: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
  policyContributor: "36243c78-bf99-498c-9df9-86d9f8d28608",
  blobContributor: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
} as const;

/** An application with its service principal. */
interface Identity {
  readonly application: Application;
  readonly principal: ServicePrincipal;
  readonly credentials: readonly pulumi.Resource[];
}

/**
 * What the pipelines of one stack sign in with, without any secret: an identity that reads, for previews, and one that
 * deploys. Entra takes for each the tokens of exactly the repository, environment, operation and so on that the arguments
 * name. Whoever runs a program with it makes applications, assigns roles and adds members to a group: a person's part.
 */
export class PipelineIdentity extends pulumi.ComponentResource {
  /** Client id of the identity that reads; arrives when it may. */
  readonly readerClientId: pulumi.Output<string>;
  /** Client id of the identity that deploys; arrives when it may. */
  readonly deployerClientId: pulumi.Output<string>;
  /** Object id of the reading identity's service principal, for roles of your own. */
  readonly readerPrincipalId: pulumi.Output<string>;
  /** Object id of the deploying identity's service principal. */
  readonly deployerPrincipalId: pulumi.Output<string>;
  /** The id of their Entra tenant. */
  readonly tenantId: pulumi.Output<string>;
  /** The id of the subscription that they work in. */
  readonly subscriptionId: pulumi.Output<string>;

  /** @throws pulumi.ResourceError naming every argument that cannot work. */
  constructor(name: string, args: PipelineIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:PipelineIdentity", name, {}, opts);
    refuse(this, name, pipelineFaults(args));
    const credentials = credentialsOf(args);
    const { github } = args;
    const environments = github && createEnvironments(name, args.stack, github, this);
    const reader = this.#createIdentity(`${name}-reader`, credentials.reader);
    // GitHub makes an environment that a job names, and without any rule: nobody is trusted before the rules are there.
    const deployer = this.#createIdentity(`${name}-deployer`, credentials.deployer, environments?.rules);
    const readerMay = this.#grantReader(name, args, reader.principal);
    const deployerMay = this.#grantDeployer(name, args, deployer.principal);
    this.readerClientId = after(reader.application.clientId, ...reader.credentials, ...readerMay);
    this.deployerClientId = after(deployer.application.clientId, ...deployer.credentials, ...deployerMay);
    this.readerPrincipalId = reader.principal.objectId;
    this.deployerPrincipalId = deployer.principal.objectId;
    this.tenantId = deployer.principal.applicationTenantId;
    this.subscriptionId = pulumi.output(args.scope).apply((scope) => scope.split("/")[2] ?? "");
    if (environments) tellJobs(name, github, environments, this, this);
    this.registerOutputs({
      readerClientId: this.readerClientId,
      deployerClientId: this.deployerClientId,
      tenantId: this.tenantId,
      subscriptionId: this.subscriptionId,
    });
  }

  #createIdentity(name: string, credentials: readonly Credential[], before: readonly pulumi.Resource[] = []): Identity {
    const child = newFirst({ parent: this });
    const application = new Application(name, { displayName: name }, child);
    const principal = new ServicePrincipal(name, { clientId: application.clientId }, child);
    const made: pulumi.Resource[] = [];
    for (const { name: displayName, issuer, subject, audience } of credentials)
      made.push(
        new ApplicationFederatedIdentityCredential(
          `${name}-${displayName}`,
          {
            // One after the other: Entra refuses concurrent writes to one application.
            applicationId: after(application.id, ...(made.length > 0 ? made.slice(-1) : before)),
            displayName,
            issuer:
              issuer ?? pulumi.interpolate`https://login.microsoftonline.com/${principal.applicationTenantId}/v2.0`,
            subject,
            audiences: [audience],
          },
          child,
        ),
      );
    return { application, principal, credentials: made };
  }

  // Reading says nothing of secrets: their values are no part of Azure's `read`, and no key can be used with it.
  #grantReader(name: string, args: PipelineIdentityArgs, principal: ServicePrincipal): pulumi.Resource[] {
    const { scope, readScope = scope } = args;
    const who = { principalId: principal.objectId, principalType: "ServicePrincipal" } as const;
    return [
      grant(`${name}-reader-read`, { ...who, role: ROLES.reader, scope: readScope }, { parent: this }),
      ...this.#grantState(`${name}-reader`, args, principal, ROLES.blobReader),
    ];
  }

  // A preview takes no lock: pulumi/pulumi, pkg/backend/diy/backend.go.
  #grantState(
    name: string,
    { stateContainerId, secretsKeyId }: PipelineIdentityArgs,
    principal: ServicePrincipal,
    role: string,
  ): pulumi.Resource[] {
    const who = { principalId: principal.objectId, principalType: "ServicePrincipal" } as const;
    const child = { parent: this };
    return [
      ...(stateContainerId === undefined
        ? []
        : [grant(`${name}-state`, { ...who, role, scope: stateContainerId }, child)]),
      ...(secretsKeyId === undefined
        ? []
        : [grant(`${name}-secrets`, { ...who, role: BUILT_IN.keyVaultCryptoUser, scope: secretsKeyId }, child)]),
    ];
  }

  // Contributor assigns no roles, and what the administrator of roles may assign is held down by the condition.
  #grantDeployer(name: string, args: PipelineIdentityArgs, principal: ServicePrincipal): pulumi.Resource[] {
    const { scope, deployers, hubNetworkId, assignableRoles = [], assignsPolicies = false } = args;
    const who = { principalId: principal.objectId, principalType: "ServicePrincipal" } as const;
    const child = { parent: this };
    const condition = delegationCondition(assignableRoles);
    const administrator = { ...who, role: ROLES.roleAdministrator, scope, condition };
    return [
      grant(`${name}-deployer-contribute`, { ...who, role: ROLES.contributor, scope }, child),
      grant(`${name}-deployer-assign`, administrator, child),
      ...(assignsPolicies
        ? [grant(`${name}-deployer-policies`, { ...who, role: ROLES.policyContributor, scope }, child)]
        : []),
      ...this.#grantState(`${name}-deployer`, args, principal, ROLES.blobContributor),
      ...(hubNetworkId === undefined
        ? []
        : [grant(`${name}-deployer-hub`, { ...who, role: BUILT_IN.networkContributor, scope: hubNetworkId }, child)]),
      ...(deployers === undefined
        ? []
        : [
            new GroupMember(
              `${name}-deployer`,
              { groupObjectId: deployers, memberObjectId: principal.objectId },
              newFirst(child),
            ),
          ]),
    ];
  }
}
