// The names of Azure's sizes of virtual machines: https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions

/** What a name says of its size. */
export interface VmSize {
  /** In upper case: `D`, `NV`. */
  readonly family: string;
  /** The number after the family, as it is written: mostly the number of processors. */
  readonly digits: string;
  /** The letters after the number, in lower case: `d` has a local disk, `p` is an Arm processor. */
  readonly features: string;
  /** Such as `A100`. */
  readonly accelerator: string | undefined;
  /** The generation; 1 where none is said. */
  readonly version: number;
}

const SIZE = /^Standard_([A-Z]+)(\d+)(?:-\d+)?([a-z]*)(?:_(?!v\d+$)([A-Z]\w*?))?(?:_v(\d+))?$/i;

/** @returns undefined for a name of another form. */
export function parseVmSize(vmSize: string): VmSize | undefined {
  const found = SIZE.exec(vmSize);
  if (found === null) return undefined;
  const [, family = "", digits = "", features = "", accelerator, version = 1] = found;
  return {
    family: family.toUpperCase(),
    digits,
    features: features.toLowerCase(),
    accelerator,
    version: Number(version),
  };
}

/** Whether nodes of a size run programs for arm64 and no others. */
export function isArm64(vmSize: string): boolean {
  const { features = "", accelerator = "" } = parseVmSize(vmSize) ?? {};
  // Grace Blackwell's processors are Arm's too.
  return features.includes("p") || /GB\d+/i.test(accelerator);
}
