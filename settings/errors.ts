// Faults of a configuration, and the error that lists them.

/** One fault of the configuration, or one warning. */
export interface Fault {
  /** Where: `aks-gitops:cluster.network.vnet`. */
  readonly key: string;
  /** What stands there, without what may be a credential; `[secret]` for a secret, undefined where nothing does. */
  readonly value: unknown;
  /** What is wrong, as a phrase that follows the key. */
  readonly problem: string;
  /** What to do. */
  readonly remedy: string;
  /** The name of the rule that found it; absent where the form alone is wrong. */
  readonly rule?: string | undefined;
}

/** A configuration with faults; the message lists all of them. */
export class SettingsError extends Error {
  readonly faults: readonly Fault[];
  constructor(stack: string, faults: readonly Fault[]) {
    super(describeFaults(`the configuration of stack ${stack} (Pulumi.${stack}.yaml)`, faults));
    this.name = "SettingsError";
    this.faults = faults;
  }
}

/** A warning in one line. */
export function describeWarning({ key, problem, remedy }: Fault): string {
  return `${key} ${problem}. ${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}.`;
}

/** All faults of a file, each with key, value and remedy. */
export function describeFaults(where: string, faults: readonly Fault[]): string {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const lines = faults.flatMap(({ key, value, problem, remedy }) => [
    "",
    `  ${key} ${problem}`,
    ...(value === undefined ? [] : [`    value   ${typeof value === "string" ? value : JSON.stringify(value)}`]),
    `    remedy  ${remedy}`,
  ]);
  return [`${count} in ${where}:`, ...lines].join("\n");
}
