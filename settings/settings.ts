// The room's face for the program itself. Tools, which have no engine, take parse.ts and stackFile.ts.
export { type Fault, SettingsError } from "./errors.ts";
export { parseSettings } from "./parse.ts";
export { readSettings } from "./read.ts";
export { checkSignIn } from "./signIn.ts";
export type {
  ChartSetting,
  ClusterSettings,
  DemoSetting,
  FluxSettings,
  RegistrySettings,
  SecretSetting,
  SecretText,
  Settings,
  SettingsSource,
  SopsSettings,
} from "./types.ts";
