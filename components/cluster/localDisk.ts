// What a size of virtual machines has for an ephemeral system disk; no Pulumi in here. A size that is not known is left to
// Azure, which tells what it has: `az vm list-skus` (CachedDiskBytes, MaxResourceVolumeMB).
import { parseVmSize } from "../../net/vmSize.ts";

/** GiB of a system disk that AKS makes on a local one where nobody says how large it is to be. */
const SYSTEM_DISK = 128;

/** The cache in GiB of the sizes whose number is not that of their processors. */
const DSV2: Readonly<Record<string, number>> = {
  ...{ 1: 43, 2: 86, 3: 172, 4: 344, 5: 688 },
  ...{ 11: 72, 12: 144, 13: 288, 14: 576, 15: 720 },
};

/**
 * GiB of the cache or the temporary disk, the larger one, of a size: AKS takes the one that the system disk fits on. NVMe
 * disks count as none. https://learn.microsoft.com/azure/virtual-machines/sizes/overview
 * @returns undefined where it is not known.
 */
export function localDisk(vmSize: string): number | undefined {
  const size = parseVmSize(vmSize);
  if (size === undefined) return undefined;
  const { family: kind, digits, features, accelerator, version } = size;
  const count = Number(digits);
  const has = (feature: string) => features.includes(feature);
  if (accelerator !== undefined) {
    if (/^V710$/i.test(accelerator)) return 0;
    return /^A100$/i.test(accelerator) && kind === "NC" ? Math.floor((count * 64) / 24) : undefined;
  }
  if (kind === "B" || kind === "A") return 0;
  if (kind === "DS" && version === 2) return DSV2[digits];
  if (kind === "L" && version < 4) return 10 * count;
  if (kind === "F" && version < 3) return has("s") ? (version === 2 ? 16 : 12) * count : undefined;
  if (version >= 6) return /^(DC?|EC?|F|L)$/.test(kind) ? 0 : undefined;
  if (/^(D|E)$/.test(kind) && version === 3) return has("s") ? 25 * count : undefined;
  if (!/^(DC?|EC?)$/.test(kind) || version < 4) return undefined;
  if (has("d")) return 37.5 * count;
  return version === 4 && has("a") ? 25 * count : 0;
}

/**
 * Why a size cannot have its system disk on a local one; undefined where it can, or nobody knows.
 * @param osDiskSizeGB how large the system disk is to be, in GiB.
 */
export function ephemeralProblem(vmSize: string, osDiskSizeGB: number = SYSTEM_DISK): string | undefined {
  const disk = localDisk(vmSize);
  if (disk === undefined || disk >= osDiskSizeGB) return undefined;
  const room = disk === 0 ? "no local disk that counts" : `a local disk of ${disk} GiB`;
  return `does not go with ${vmSize}, which has ${room}, and the nodes' system takes ${osDiskSizeGB} GiB`;
}

/** Whether a size has one processor: AKS takes none with fewer than two. */
export const hasOneProcessor = (vmSize: string): boolean => /^Standard_[A-Z]+[01](?!\d)/i.test(vmSize);
