// Runs the program itself, index.ts, against Pulumi's mocks.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { saidOptions } from "../../flux/installOptions.ts";
import { chartSettings, isSupported, type Lock, lockedRelease, pinnedMinor } from "../../mirror/lock.ts";
import type { Settings } from "../../settings/settings.ts";
import { SECRETS, settingsOf } from "../settings/settingsOf.ts";
import { setEnvironment } from "../support/environment.ts";
import { type Deployment, deploy, type Maker } from "./deployment.ts";
import { LOCK } from "./lock.ts";

/** The lock of settings whose charts and images are all in LOCK. */
export function lockOf(settings: Settings): Lock {
  const minor = pinnedMinor(settings);
  const rendered = minor === undefined || isSupported(minor) ? {} : { kubernetes: minor };
  const charts = LOCK.charts.flatMap((locked) => {
    const chart = settings.charts.find((one) => lockedRelease(one)(locked) || one.name === locked.name);
    if (chart === undefined) return [];
    return [{ ...locked, ...rendered, settings: chartSettings({ ...chart, version: locked.version }, settings) }];
  });
  const { mode, version, imageAutomation, imagePullSecret } = settings.flux;
  const said = saidOptions(settings.flux.install);
  const options = {
    ...(imageAutomation && { imageAutomation }),
    ...(imagePullSecret && { imagePullSecret }),
    ...(said && { install: said }),
  };
  // No image of Flux is mirrored here.
  const flux = mode === "bootstrap" ? { flux: { version, ...options, manifests: "f".repeat(64), images: [] } } : {};
  const used = new Set([...settings.images, ...charts.flatMap(({ images }) => images)]);
  const images = LOCK.images.filter(({ source }) => used.has(source));
  return { ...LOCK, charts, images, ...flux };
}

/** Who runs the program. */
const SIGN_IN = { ARM_CLIENT_ID: "client", ARM_TENANT_ID: "tenant", ARM_CLIENT_SECRET: "secret" };

let runs = 0;

/**
 * Runs the program as the stack `test`, with a configuration and the lock that fits it.
 * @param config the program's own settings, by name.
 * @param maker what makes the resources, instead of the mocks.
 */
export async function run(
  config: Record<string, unknown>,
  maker?: Maker,
): Promise<Deployment<Record<string, unknown>>> {
  const folder = await mkdtemp(join(tmpdir(), "aks-gitops-"));
  const previous = process.cwd();
  let restore = () => {};
  try {
    await writeFile(join(folder, "mirror.test.lock.json"), JSON.stringify(lockOf(settingsOf(config))));
    process.chdir(folder);
    restore = setEnvironment(SIGN_IN);
    runs += 1;
    // Another address, so that the program runs again.
    const program = `../../index.ts?run=${runs}`;
    return await deploy(
      async () => {
        const own = Object.entries(config).map(([key, value]) => [
          `aks-gitops:${key}`,
          typeof value === "string" ? value : JSON.stringify(value),
        ]);
        pulumi.runtime.setAllConfig(
          { "azure-native:location": "westeurope", "github:owner": "acme", ...Object.fromEntries(own) },
          SECRETS.filter((key) => own.some(([name]) => name === key)),
        );
        return { ...(await import(program)) } as Record<string, unknown>;
      },
      false,
      maker,
    );
  } finally {
    process.chdir(previous);
    restore();
    pulumi.runtime.setAllConfig({});
    await rm(folder, { recursive: true });
  }
}
