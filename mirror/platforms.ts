// What images run on, and what the nodes are that they run on.
import { isMap } from "../net/values.ts";
import { isArm64 } from "../net/vmSize.ts";
import type { Registry } from "./chartLookup.ts";
import type { Lock, LockedImage, Pools } from "./lock.ts";

const AMD64 = "linux/amd64";
const ARM64 = "linux/arm64";

const CONFIGS = ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

const all = ({ systemPool, userPools = [] }: Pools) => [
  ...(systemPool ? [{ name: "system", vmSize: systemPool.vmSize }] : []),
  ...userPools,
];

/** Whether some nodes are arm64. @param pools none where they are not known. */
export const hasArm64 = (pools: Pools = {}): boolean => all(pools).some(({ vmSize }) => isArm64(vmSize));

/** Whether some nodes are amd64, as all are taken to be that are not known. */
function hasAmd64(pools: Pools = {}): boolean {
  const known = all(pools);
  return known.length === 0 || known.some(({ vmSize }) => !isArm64(vmSize));
}

/**
 * What an image runs on, such as `linux/amd64`.
 * @returns undefined where it does not tell: what is no image, or whose configuration is not to be had.
 */
export async function platformsOf(
  repository: string,
  digest: string,
  registry: Registry,
): Promise<readonly string[] | undefined> {
  const found = await registry.manifest(repository, digest);
  const body: unknown = found && JSON.parse(found.body.toString("utf8"));
  if (!isMap(body)) return undefined;
  const platforms = Array.isArray(body.manifests)
    ? body.manifests.filter(isMap).flatMap(({ platform }) => (isMap(platform) ? [platform] : []))
    : await platformOfConfig(repository, body.config, registry);
  const names = platforms
    .filter(({ os, architecture }) => os && architecture)
    .map(({ os, architecture }) => `${os}/${architecture}`)
    // Attestations are listed beside the images, for a platform that there is not.
    .filter((platform) => platform !== "unknown/unknown");
  return names.length === 0 ? undefined : [...new Set(names)];
}

/** A manifest of one platform leaves it to its configuration. */
async function platformOfConfig(repository: string, config: unknown, registry: Registry) {
  if (!isMap(config) || !CONFIGS.includes(String(config.mediaType))) return [];
  try {
    const body: unknown = JSON.parse((await registry.blob(repository, String(config.digest))).toString("utf8"));
    return isMap(body) ? [body] : [];
  } catch {
    // Blobs may come from a host that a firewall keeps away; nothing but a warning is lost.
    return [];
  }
}

/** What a lock says of an image's platforms: nothing where it runs on what Azure's nodes may be. */
export function noted(platforms: readonly string[] | undefined): Pick<LockedImage, "platforms"> {
  const isCommon = platforms === undefined || [AMD64, ARM64].every((one) => platforms.includes(one));
  return isCommon ? {} : { platforms };
}

/** What is wrong with an image that is new, where the nodes are what they usually are. */
export function amd64Warning(platforms: readonly string[] | undefined, pools: Pools | undefined): string | undefined {
  if (platforms === undefined || platforms.includes(AMD64) || !hasAmd64(pools)) return undefined;
  return `no ${AMD64}, only ${platforms.join(", ")}`;
}

/** A sentence for each image that does not run on the nodes of a pool whose size is arm64. */
export function arm64Warnings({ images, charts, flux }: Lock, pools: Pools | undefined): string[] {
  if (pools === undefined || !hasArm64(pools)) return [];
  const arm64 = all(pools).filter(({ vmSize }) => isArm64(vmSize));
  const where = `the nodes of ${arm64.map(({ name, vmSize }) => `pool ${name} (${vmSize})`).join(" and ")} are arm64`;
  const elsewhere = hasAmd64(pools) ? "have its pods select nodes by kubernetes.io/arch: amd64, " : "";
  return images.flatMap(({ source, platforms }) => {
    if (platforms === undefined || platforms.includes(ARM64)) return [];
    const users = [
      ...charts.filter((chart) => chart.images.includes(source)).map(({ name, release = name }) => `chart ${release}`),
      ...(flux?.images.includes(source) ? ["Flux"] : []),
    ];
    const by = users.length === 0 ? "" : ` (${users.join(", ")})`;
    return [
      `${source}${by} has no ${ARM64}, only ${platforms.join(", ")}, and ${where}: it does not start there. Give another ` +
        `vmSize, ${elsewhere}or take an image that has it.`,
    ];
  });
}
