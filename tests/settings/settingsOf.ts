import { parseSettings, type Settings } from "../../settings/settings.ts";

/** Settings that stand in a stack file as secrets. */
export const SECRETS = ["aks-gitops:gitToken"];

/** Settings of the stack `test`: what is said here, the rest by default. */
export function settingsOf(config: Record<string, unknown> = {}): Settings {
  const own = Object.entries(config).map(([key, value]) => [`aks-gitops:${key}`, value]);
  return parseSettings({
    project: "aks-gitops",
    stack: "test",
    config: {
      "azure-native:location": "westeurope",
      "github:owner": "acme",
      "aks-gitops:deployers": "6f1f2b6e-1111-4e0a-9c60-000000000001",
      "aks-gitops:flux": { repository: "https://github.com/acme/fleet" },
      ...Object.fromEntries(own),
    },
    secretKeys: SECRETS.filter((key) => own.some(([name]) => name === key)),
  });
}

/** A digest of one letter. */
export const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
