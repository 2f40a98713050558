// The world of one stack's rehearsal: its services, its people, and the door to them.
import { randomBytes } from "node:crypto";
import { createWriteStream, type WriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { Settings } from "../../settings/settings.ts";
import { Authority } from "../cloud/door/authority.ts";
import { Door } from "../cloud/door/door.ts";
import type { Place } from "../cloud/types.ts";
import { type FluxReference, fluxObjects, nameOf, requestReconcile } from "../cluster/fluxState.ts";
import { repositoryFiles } from "../examples.ts";
import { type CloudFile, type Paths, stackFiles } from "../session.ts";
import { settingsOf, stackFileOf } from "../settings.ts";
import { ArtifactPipeline, artifactFault } from "./artifactPipeline.ts";
import { companyOf } from "./company.ts";
import { DeploymentsWorld } from "./deployments.ts";
import { inspect } from "./inspect.ts";
import { answeringCluster, inspectFlux } from "./inspectCluster.ts";
import type { InspectedFlux, Inspection } from "./inspection.ts";
import { devOpsPlace, people } from "./people.ts";
import { Pipelines } from "./pipelines.ts";
import { addContent, makeServices, route, type Services } from "./services.ts";

const TENANT_ID = "5b6f3f4e-0d6a-4f0f-9a55-7e1f6c2d0a01";
const SUBSCRIPTION_ID = "c0ffee00-6a1d-4b52-8d35-2f7a9e4b1c02";

const configured = (value: unknown, fallback: string) => (typeof value === "string" ? value : fallback);

export class World {
  /** What other processes need to take part. */
  readonly cloud: Omit<CloudFile, "pid" | "control">;
  /** Where repositories and their pipelines live. */
  readonly pipelines: Pipelines;
  /** Pulumi Deployments, for whoever sets it up. */
  readonly deployments: DeploymentsWorld;
  readonly #stack: string;
  readonly #paths: Paths;
  readonly #door: Door;
  readonly #services: Services;
  readonly #requests: WriteStream;
  #artifact: ArtifactPipeline | undefined;

  private constructor(
    stack: string,
    paths: Paths,
    door: Door,
    services: Services,
    requests: WriteStream,
    cloud: World["cloud"],
  ) {
    this.#stack = stack;
    this.#paths = paths;
    this.#door = door;
    this.#services = services;
    this.#requests = requests;
    this.cloud = cloud;
    this.pipelines = new Pipelines(services, cloud.identities);
    this.deployments = new DeploymentsWorld(services, paths, cloud);
  }

  /** Builds the world that a stack's settings speak of, and opens its door. */
  static async create(stack: string, paths: Paths): Promise<World> {
    const settings = await settingsOf(stack);
    const { config } = await stackFileOf(stack);
    const ids = {
      tenantId: configured(config["azure-native:tenantId"], TENANT_ID),
      subscriptionId: configured(config["azure-native:subscriptionId"], SUBSCRIPTION_ID),
    };
    const authority = await Authority.create();
    await writeFile(paths.authority, authority.pem);
    const requests = createWriteStream(paths.armRequests, { flags: "a" });
    const company = companyOf(settings, ids.subscriptionId);
    const record = (line: object) => void requests.write(`${JSON.stringify(line)}\n`);
    const services = await makeServices(
      ids,
      paths,
      record,
      company,
      devOpsPlace(settings.flux.repository)?.organization,
    );
    const files = await repositoryFiles();
    const identities = await people(services, settings, ids.subscriptionId, files);
    services.arm.begin(company.resources);
    // Whoever deploys the stack owns nothing of what the company has elsewhere.
    for (const group of company.groups) services.arm.assignRole(settings.deployers, "Network Contributor", group);
    if (company.apiServerZone !== undefined)
      services.arm.assignRole(settings.deployers, "User Access Administrator", company.apiServerZone);
    const door = new Door(authority);
    door.onError = (error, request) =>
      process.stderr.write(`${request.method} ${request.url.href}: ${(error as Error).stack}\n`);
    route(door, services);
    await addContent(door, services, settings);
    const ports = {
      outside: await door.listen("outside"),
      inside: await door.listen("inside", company.hub.address),
      cluster: await door.listen("cluster"),
    } satisfies Record<Place, number>;
    services.clusters.join({ ...services, door, port: ports.cluster });
    if (settings.otherCluster !== undefined) await services.clusters.startOther(settings.otherCluster);
    const passphrase = randomBytes(24).toString("base64url");
    const world = new World(stack, paths, door, services, requests, {
      ...ids,
      ports,
      stackFiles: stackFiles(),
      runner: settings.runner,
      passphrase,
      identities,
    });
    world.#follow(settings);
    return world;
  }

  /** Begins to push the artifact of a stack that has one. */
  #follow(settings: Settings): void {
    if (settings.flux.artifact === undefined || artifactFault(settings) !== undefined) return;
    this.#artifact = new ArtifactPipeline(settings, this.#paths, this.cloud, () => {
      const [registry] = this.#services.arm.list("Microsoft.ContainerRegistry/registries");
      return registry && String(registry.properties.loginServer);
    });
    this.#artifact.start();
  }

  /** Adds what the rehearsal's settings ask of the upstream by now. */
  async addContent(): Promise<object> {
    await addContent(this.#door, this.#services, await settingsOf(this.#stack, this.#paths.project));
    return {};
  }

  async inspect(): Promise<Inspection> {
    return inspect(this.#services);
  }

  /** Lets Azure change by itself what it changes in the course of time. */
  async passTime(): Promise<object> {
    this.#services.arm.passTime();
    return {};
  }

  /** Flux's objects as they stand. */
  async inspectFlux(): Promise<InspectedFlux> {
    const api = await answeringCluster(this.#services);
    return { objects: typeof api === "object" ? await inspectFlux(api) : [] };
  }

  /** Asks Flux to reconcile objects now; those that are not there are left out. */
  async reconcile(references: readonly FluxReference[]): Promise<object> {
    // Nobody asks before the pipeline is through.
    await this.#artifact?.caughtUp();
    const api = await answeringCluster(this.#services);
    if (typeof api !== "object") return {};
    const names = new Set(references.map(nameOf));
    const found = (await fluxObjects(api)).filter((object) => names.has(nameOf(object)));
    await Promise.all(found.map((object) => requestReconcile(api, object)));
    return {};
  }

  async close(): Promise<void> {
    await this.#artifact?.close();
    await this.#services.clusters.close();
    await this.#door.close();
    await new Promise((resolve) => this.#requests.end(resolve));
  }
}
