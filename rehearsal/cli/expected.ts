// What the settings of a stack promise of its cluster, whatever is found there.
import { pullingNamespaces } from "../../components/repository/files.ts";
import { readyNames } from "../../components/repository/kustomizations.ts";
import {
  CONFIGURATION,
  chartObjects,
  DECRYPT_SECRET,
  EXTENSION,
  FLUX_NAMESPACE,
  gitSecret,
  helmChart,
  PULL_SECRET,
  rootKustomization,
} from "../../components/repository/names.ts";
import { type FluxOptions, fluxControllers, fluxManifests } from "../../flux/manifests.ts";
import type { Settings } from "../../settings/settings.ts";
import { FLUX_VERSION } from "../cluster/extensionManifests.ts";
import type { FluxReference } from "../cluster/fluxState.ts";

/** What has to be there. */
export interface Expected {
  readonly mode: "extension" | "bootstrap";
  readonly namespaces: readonly string[];
  /** Of Flux's namespace. */
  readonly deployments: readonly string[];
  /** Whether its controllers act as an identity of Azure's; else they sign in with passwords. */
  readonly hasIdentity: boolean;
  /** Names of CustomResourceDefinitions. */
  readonly definitions: readonly string[];
  /** As `namespace/name`. */
  readonly secrets: readonly string[];
  /** What everything comes from. */
  readonly source: FluxReference;
  /** The Kustomizations, each after what it depends on. */
  readonly kustomizations: readonly FluxReference[];
  /** Releases, and where their charts come from. */
  readonly releases: readonly FluxReference[];
  /** Names in ARM; none where Flux is bootstrapped. */
  readonly extensions: readonly string[];
  readonly configurations: readonly string[];
}

/** What a stack's settings promise. @param definitions names of Flux's own (see {@link fluxDefinitions}). */
export function expectedOf(settings: Settings, definitions: readonly string[]): Expected {
  const { stack, charts, demo, secrets, registry, otherCluster } = settings;
  const { mode, imageAutomation, imagePullSecret, kustomizations, configuration, artifact } = settings.flux;
  const { name: source, namespace } = configuration ?? CONFIGURATION;
  const named = { name: source, namespace };
  const flux = (kind: string, name: string): FluxReference => ({ kind, namespace, name });
  const { pullPrincipal } = registry;
  const hasIdentity = otherCluster === undefined || otherCluster.issuer !== undefined;
  // The extension's Flux pulls as its identity, whoever else may pull with a password.
  const isByPassword = pullPrincipal && mode === "bootstrap";
  const { releases, sources } = chartObjects(charts, isByPassword);
  return {
    mode,
    namespaces: [...new Set([FLUX_NAMESPACE, namespace])],
    deployments: fluxControllers({ imageAutomation }),
    hasIdentity,
    definitions,
    secrets: [
      // With an artifact nobody in the cluster reads the repository.
      ...(artifact ? [] : [`${namespace}/${gitSecret(mode, named)}`]),
      ...(pullPrincipal ? [`${PULL_SECRET.namespace}/${PULL_SECRET.name}`] : []),
      ...(imagePullSecret === undefined
        ? []
        : [FLUX_NAMESPACE, ...pullingNamespaces({ charts, demo })].map((each) => `${each}/${imagePullSecret}`)),
      ...(hasIdentity ? [] : [`${FLUX_NAMESPACE}/${DECRYPT_SECRET}`]),
      ...secrets.map(({ namespace, name }) => `${namespace}/${name}`),
    ],
    source: flux(artifact ? "OCIRepository" : "GitRepository", source),
    kustomizations: [rootKustomization(mode, named), ...readyNames({ stack, kustomizations })].map((name) =>
      flux("Kustomization", name),
    ),
    releases: [
      ...releases.map((name) => flux("HelmRelease", name)),
      ...sources.map((source) => flux(...(source.split("/") as [string, string]))),
      ...(isByPassword ? releases.map((name) => flux("HelmChart", helmChart(name))) : []),
    ],
    extensions: mode === "extension" ? [EXTENSION] : [],
    configurations: mode === "extension" ? [source] : [],
  };
}

/** The names of the CustomResourceDefinitions of a stack's Flux. */
export async function fluxDefinitions({ flux }: Settings): Promise<string[]> {
  const options: FluxOptions = flux.mode === "extension" ? { version: FLUX_VERSION, imageAutomation: false } : flux;
  return definitionsIn((await fluxManifests(options)).text);
}

/** The names of the CustomResourceDefinitions in the output of `flux install --export`. */
export function definitionsIn(manifests: string): string[] {
  return manifests
    .split(/^---$/m)
    .filter((text) => /^kind: CustomResourceDefinition$/m.test(text))
    .map((text) => /^ {2}name: (\S+)$/m.exec(text)?.[1] ?? "");
}
