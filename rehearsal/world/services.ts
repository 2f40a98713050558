// The simulated services of one rehearsal, wired to each other and to the door.

import { join } from "node:path";
import { fluxManifests } from "../../flux/manifests.ts";
import type { Settings } from "../../settings/settings.ts";
import { ArmService } from "../cloud/arm/service.ts";
import { AzureDevOps } from "../cloud/devops/service.ts";
import type { Door } from "../cloud/door/door.ts";
import { Entra } from "../cloud/entra/service.ts";
import { GitHub } from "../cloud/github/service.ts";
import { Graph } from "../cloud/graph/service.ts";
import { GITHUB_ISSUER_HOST, GITHUB_JOBS_HOST } from "../cloud/issuers/gitHubJobs.ts";
import { Issuers } from "../cloud/issuers/service.ts";
import { KeyVault } from "../cloud/keyvault/service.ts";
import { PulumiCloud } from "../cloud/pulumi/service.ts";
import { ChartRepositories } from "../cloud/registry/charts.ts";
import { ContainerRegistries } from "../cloud/registry/service.ts";
import { UpstreamRegistries } from "../cloud/registry/upstream.ts";
import { pushedContent } from "../content/pushed.ts";
import { upstreamContent } from "../content/upstream.ts";
import type { Paths } from "../session.ts";
import { Clusters } from "./clusters.ts";
import type { Company } from "./company.ts";

/** The simulated services, as far as they know each other. */
export interface Services {
  readonly arm: ArmService;
  readonly entra: Entra;
  readonly graph: Graph;
  readonly keyVault: KeyVault;
  readonly registries: ContainerRegistries;
  readonly upstream: UpstreamRegistries;
  readonly charts: ChartRepositories;
  readonly gitHub: GitHub;
  readonly devOps: AzureDevOps;
  readonly clusters: Clusters;
  /** What signs the tokens of pipelines. */
  readonly issuers: Issuers;
  readonly pulumi: PulumiCloud;
}

/**
 * How long what is new has no effect yet, in milliseconds: of the real minutes, and the seconds of a password, enough to
 * meet what does not wait.
 */
export const TAKES_EFFECT = { roleDelay: 1000, federationDelay: 1000, secretDelay: 1000 };

/**
 * Makes all services of a tenant and subscription, and of what the company has; `record` gets every ARM request.
 * @param organization the company's at Azure DevOps.
 */
export async function makeServices(
  ids: { tenantId: string; subscriptionId: string },
  paths: Paths,
  record: (line: object) => void,
  company?: Pick<Company, "hub" | "subscriptions">,
  organization = "acme",
): Promise<Services> {
  const { secretDelay, ...delays } = TAKES_EFFECT;
  const entra = await Entra.create({ tenantId: ids.tenantId, secretDelay });
  const { tenantId } = ids;
  const clusters = new Clusters({ folder: paths.cluster, tenantId, authority: paths.authority });
  const arm = new ArmService({
    ...ids,
    ...delays,
    ...(company && { otherSubscriptions: company.subscriptions, runnerNetwork: company.hub.id }),
    directory: entra,
    record,
    ...clusters.settings,
  });
  const issuers = await Issuers.create({ tenantId, tenant: entra.issuer });
  const issuerKeys = async (issuer: string) => (await issuers.keysOf(issuer)) ?? clusters.issuerKeys(issuer);
  entra.federate({ arm, issuerKeys });
  const upstream = new UpstreamRegistries();
  const registries = new ContainerRegistries({
    arm,
    directory: entra,
    upstream,
    passwordValid: (clientId, secret) => entra.byPassword(clientId, secret),
    groupsOf: (objectId) => entra.groupsOf(objectId),
    importDelay: 300,
  });
  const keyVault = new KeyVault({ arm, directory: entra });
  arm.extend(registries.extension);
  arm.extend(keyVault.extension);
  return {
    arm,
    entra,
    graph: new Graph(entra),
    keyVault,
    registries,
    upstream,
    charts: new ChartRepositories(),
    gitHub: new GitHub({ root: paths.git }),
    devOps: new AzureDevOps(organization, {
      root: join(paths.git, "dev.azure.com"),
      authenticate: (authorization, audience) => entra.authenticate(authorization, audience),
    }),
    clusters,
    issuers,
    pulumi: new PulumiCloud(),
  };
}

/** Gives every host of the services to the door. */
export function route(
  door: Door,
  { arm, entra, graph, keyVault, registries, upstream, gitHub, devOps, issuers, pulumi }: Services,
): void {
  door.route("management.azure.com", async (request) => registries.operationResult(request) ?? arm.service(request));
  door.route("login.microsoftonline.com", entra.service);
  door.route("graph.microsoft.com", graph.service);
  door.route("*.vault.azure.net", keyVault.service, {
    exists: (host) => keyVault.exists(host),
    noWay: ({ host, place }) => keyVault.noWay(host, place),
  });
  door.route("*.azurecr.io", registries.service, {
    exists: (host) => registries.exists(host),
    noWay: ({ host, place }) => registries.noWay(host, place),
  });
  door.route("api.github.com", gitHub.api);
  door.route("github.com", gitHub.git);
  door.route("dev.azure.com", devOps.service);
  door.route(GITHUB_JOBS_HOST, issuers.gitHub.service);
  door.route(GITHUB_ISSUER_HOST, async (request) => issuers.answer(request) ?? { status: 404, body: "" });
  // Its keys are below its API.
  door.route("api.pulumi.com", async (request) => issuers.answer(request) ?? pulumi.service(request));
  for (const host of upstream.hosts) door.route(host, upstream.service);
}

/**
 * Adds what the settings ask for to the upstream registries and chart repositories, and what others have pushed to the
 * stack's own registry; what was there before stays.
 */
export async function addContent(door: Door, services: Services, settings: Settings): Promise<void> {
  const { upstream, charts, registries } = services;
  const { flux } = settings;
  const extraImages = flux.mode === "bootstrap" ? (await fluxManifests(flux)).images : [];
  const content = await upstreamContent(settings, { extraImages });
  for (const image of content.images) upstream.add(image);
  for (const repository of content.repositories) await charts.add(repository);
  for (const host of charts.hosts) door.route(host, charts.service);
  await registries.push((loginServer) => pushedContent(settings.charts, loginServer));
}
