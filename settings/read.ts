import * as pulumi from "@pulumi/pulumi";
import { describeWarning, SettingsError } from "./errors.ts";
import { examineSettings } from "./parse.ts";
import type { SecretSetting, Settings } from "./types.ts";

/**
 * The settings of the stack that the engine runs; what may not do what was meant is logged as a warning.
 * @throws pulumi.RunError naming every fault, so that the engine shows them without a stack trace.
 */
export function readSettings(): Settings {
  const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };
  const config = pulumi.runtime.allConfig();
  try {
    const { settings, warnings } = examineSettings({
      project: pulumi.getProject(),
      stack: pulumi.getStack(),
      config,
      secretKeys: Object.keys(config).filter((key) => isConfigSecret(key)),
      folder: process.cwd(),
    });
    for (const warning of warnings) pulumi.log.warn(describeWarning(warning));
    const { gitToken, gitKey } = settings;
    const sealed = {
      ...(gitToken === undefined ? {} : { gitToken: pulumi.secret(gitToken as string) }),
      ...(gitKey === undefined ? {} : { gitKey: pulumi.secret(gitKey as string) }),
    };
    return Object.freeze({ ...settings, ...sealed, secrets: Object.freeze(settings.secrets.map(withSecretData)) });
  } catch (error) {
    throw error instanceof SettingsError ? new pulumi.RunError(error.message) : error;
  }
}

function withSecretData(secret: SecretSetting): SecretSetting {
  const data = Object.entries(secret.data).map(([key, value]) => [key, pulumi.secret(value as string)]);
  return Object.freeze({ ...secret, data: Object.freeze(Object.fromEntries(data)) });
}
