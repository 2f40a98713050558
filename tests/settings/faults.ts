import { strict as assert } from "node:assert";
import { describeWarning } from "../../settings/errors.ts";
import { examineSettings } from "../../settings/parse.ts";
import { type Fault, parseSettings, SettingsError } from "../../settings/settings.ts";

/** The object id of some group. */
export const GROUP = "6f1f2b6e-1111-4e0a-9c60-000000000001";
/** The least that a configuration needs. */
export const MINIMUM = {
  "azure-native:location": "westeurope",
  "github:owner": "acme",
  "aks-gitops:deployers": GROUP,
  "aks-gitops:flux": { repository: "https://github.com/acme/fleet" },
};

/** What there is beside a configuration. */
export interface More {
  readonly stack?: string;
  readonly secretKeys?: string[];
  /** Where other stacks' files stand. */
  readonly folder?: string;
}

/** The settings of a configuration. */
export function read(config: Record<string, unknown>, more: More = {}) {
  return parseSettings({ project: "aks-gitops", stack: "test", config: { ...MINIMUM, ...config }, ...more });
}

/** The warnings of a configuration, each in a line. */
export function warnings(
  config: Record<string, unknown>,
  more: { project?: string; secretKeys?: string[] } = {},
): string[] {
  const source = { project: "aks-gitops", stack: "test", config: { ...MINIMUM, ...config }, ...more };
  return examineSettings(source).warnings.map(describeWarning);
}

/** The faults of a configuration. */
export function faults(config: Record<string, unknown>, more: More = {}): readonly Fault[] {
  try {
    read(config, more);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
  return [];
}

/** Its one fault in short. */
export function fault(config: Record<string, unknown>, more: More = {}): [string, unknown, string] {
  const found = faults(config, more);
  assert.equal(found.length, 1, JSON.stringify(found, undefined, 1));
  const [{ key, value, problem, remedy } = { key: "", value: "", problem: "", remedy: "" }] = found;
  assert.notEqual(remedy, "");
  return [key, value, problem];
}
