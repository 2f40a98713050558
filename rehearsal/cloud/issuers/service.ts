// The issuers of pipelines' tokens: GitHub, Pulumi Cloud, and Azure DevOps, whose issuer is the tenant itself.
import type { Jwk } from "../entra/jwt.ts";
import type { TokenIssuer } from "../entra/tokens.ts";
import type { CloudRequest, CloudResponse } from "../types.ts";
import { GitHubJobs } from "./gitHubJobs.ts";
import { OidcIssuer } from "./oidcIssuer.ts";

/** A run of Pulumi Deployments, as far as its token tells of it. */
export interface DeploymentRun {
  readonly organization: string;
  readonly project: string;
  readonly stack: string;
  readonly operation: "preview" | "update" | "refresh" | "destroy";
}

export interface IssuersOptions {
  readonly tenantId: string;
  /** What signs for the tenant. */
  readonly tenant: Pick<TokenIssuer, "jwk" | "sign">;
  /** The time; default: now. */
  readonly now?: () => Date;
}

export class Issuers {
  readonly gitHub: GitHubJobs;
  /** Pulumi Cloud's. */
  readonly pulumi: OidcIssuer;
  readonly #options: IssuersOptions;

  private constructor(gitHub: GitHubJobs, pulumi: OidcIssuer, options: IssuersOptions) {
    this.gitHub = gitHub;
    this.pulumi = pulumi;
    this.#options = options;
  }

  static async create(options: IssuersOptions): Promise<Issuers> {
    const { now } = options;
    const pulumi = OidcIssuer.create("https://api.pulumi.com/oidc", now);
    return new Issuers(await GitHubJobs.create(now), await pulumi, options);
  }

  /** The token of a run of Pulumi Deployments, as its file `/mnt/pulumi/pulumi.oidc` holds it. @param audience default: the organisation. */
  deployment({ organization, project, stack, operation }: DeploymentRun, audience = organization): string {
    const sub = `pulumi:deploy:org:${organization}:project:${project}:stack:${stack}:operation:${operation}:scope:write`;
    return this.pulumi.sign({ sub, aud: audience, organization, project, stack, operation, scope: "write" }, 7200);
  }

  /** The token of a service connection of Azure DevOps, which the tenant itself signs. @param subject the connection's, `/eid1/c/pub/...`. */
  connection(subject: string, audience = "api://AzureADTokenExchange"): string {
    return this.#options.tenant.sign({ sub: subject, aud: audience, iss: this.#tenantIssuer });
  }

  get #tenantIssuer(): string {
    return `https://login.microsoftonline.com/${this.#options.tenantId}/v2.0`;
  }

  /** The public keys of an issuer; undefined for one that is none of these. */
  readonly keysOf = async (issuer: string): Promise<readonly Jwk[] | undefined> => {
    if (issuer === this.#tenantIssuer) return [this.#options.tenant.jwk];
    return [this.gitHub.issuer, this.pulumi].find(({ url }) => url === issuer)?.keys;
  };

  /** Answers for the hosts of the issuers; undefined where the address is none of theirs. */
  answer(request: Pick<CloudRequest, "method" | "url">): CloudResponse | undefined {
    return this.gitHub.issuer.answer(request) ?? this.pulumi.answer(request);
  }
}
