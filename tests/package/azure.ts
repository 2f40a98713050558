// As much of the simulated Azure as the components without Flux need, with the upstream of a mirror file: the strict
// ARM, Entra and registries, and no control plane behind a cluster.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MirrorList } from "../../mirror/lock.ts";
import { ArmService } from "../../rehearsal/cloud/arm/service.ts";
import { Authority } from "../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../rehearsal/cloud/door/door.ts";
import { Entra } from "../../rehearsal/cloud/entra/service.ts";
import { ChartRepositories } from "../../rehearsal/cloud/registry/charts.ts";
import { ContainerRegistries } from "../../rehearsal/cloud/registry/service.ts";
import { UpstreamRegistries } from "../../rehearsal/cloud/registry/upstream.ts";
import { upstreamContent } from "../../rehearsal/content/upstream.ts";

const ids = {
  tenantId: "5b6f3f4e-0d6a-4f0f-9a55-000000000001",
  subscriptionId: "c0ffee00-6a1d-4b52-8d35-000000000002",
};

export interface Azure {
  readonly arm: ArmService;
  readonly registries: ContainerRegistries;
  /** The variables of one who may do everything in the subscription. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Starts it.
 * @param folder where the file of its authority goes.
 * @param list what the upstream has.
 */
export async function startAzure(folder: string, list: MirrorList): Promise<Azure> {
  const directory = await Entra.create({ tenantId: ids.tenantId });
  const arm = new ArmService({ ...ids, directory });
  const { images, repositories } = await upstreamContent(list);
  const upstream = new UpstreamRegistries(images);
  const registries = new ContainerRegistries({
    ...{ arm, directory, upstream },
    passwordValid: () => undefined,
    groupsOf: (objectId) => directory.groupsOf(objectId),
  });
  arm.extend(registries.extension);
  const deployer = directory.addClient("deployer", []);
  arm.assignRole(deployer.objectId, "Owner", `/subscriptions/${ids.subscriptionId}`);

  const authority = await Authority.create();
  const authorityFile = join(folder, "authority.pem");
  await writeFile(authorityFile, authority.pem);
  const door = new Door(authority);
  door.route("management.azure.com", async (request) => registries.operationResult(request) ?? arm.service(request));
  door.route("login.microsoftonline.com", directory.service);
  door.route("*.azurecr.io", registries.service, { exists: (host) => registries.exists(host) });
  for (const host of upstream.hosts) door.route(host, upstream.service);
  const charts = await ChartRepositories.of(repositories);
  for (const host of charts.hosts) door.route(host, charts.service);
  const proxy = `http://127.0.0.1:${await door.listen("outside")}`;
  return {
    ...{ arm, registries },
    env: {
      ARM_TENANT_ID: ids.tenantId,
      ARM_SUBSCRIPTION_ID: ids.subscriptionId,
      ARM_CLIENT_ID: deployer.clientId,
      ARM_CLIENT_SECRET: deployer.clientSecret,
      HTTPS_PROXY: proxy,
      HTTP_PROXY: proxy,
      NO_PROXY: "127.0.0.1,localhost",
      // The stand-ins of Pulumi's providers ask for it.
      NODE_USE_ENV_PROXY: "1",
      NODE_EXTRA_CA_CERTS: authorityFile,
    },
    close: () => door.close(),
  };
}
