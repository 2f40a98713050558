// gotk-components.yaml by what it is made from: a quarter of a megabyte that belongs into neither state nor diff.

import type { InstallOptions } from "../../flux/installOptions.ts";
import { fluxManifests, gotkComponents } from "../../flux/manifests.ts";

/** What a gotk-components.yaml is made from. */
export interface FluxComponents {
  /** Flux's version, without `v`. */
  readonly version: string;
  readonly imageAutomation: boolean;
  /** The Secret that the controllers' images are pulled with; none where the nodes may pull. */
  readonly imagePullSecret?: string;
  /** How they are installed; as the flux CLI does by itself where it is left out. */
  readonly install?: InstallOptions;
  /** Hex SHA-256 of the version's manifests, the registry left open. */
  readonly manifests: string;
  /** The registry with Flux's images below `ghcr.io/fluxcd`. */
  readonly loginServer: string;
}

/** The file's text. @throws Error when the manifests are others than those of the hash. */
export async function componentsText(
  { version, imageAutomation, imagePullSecret, install, manifests, loginServer }: FluxComponents,
  manifestsOf: typeof fluxManifests = fluxManifests,
): Promise<string> {
  const found = await manifestsOf({ version, imageAutomation, imagePullSecret, install });
  if (found.sha256 === manifests) return gotkComponents(found, loginServer);
  throw new Error(
    `the manifests of Flux ${version} have SHA-256 ${found.sha256}, not ${manifests} as the lock has it: ` +
      "run `npm run mirror -- update` for the stack and look at what changed",
  );
}
