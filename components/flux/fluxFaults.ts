// What FluxBootstrap refuses by itself, since the compiler does not see it and Azure, Git or Flux say it late.

import { DURATION } from "../../flux/duration.ts";
import { DOMAIN, TAINT_KEY } from "../../flux/installOptions.ts";
import { lockedRelease } from "../../mirror/lock.ts";
import { ownPath } from "../../net/registry/ownRegistry.ts";
import { FLUX, SECRET } from "../defaults.ts";
import { artifactDisorders } from "../repository/artifact.ts";
import type { Chart } from "../repository/files.ts";
import { kustomizationsOf } from "../repository/kustomizations.ts";
import { clusterFolder, FLUX_NAMESPACE, PULL_SECRET, releaseName } from "../repository/names.ts";
import {
  clusterDisorder,
  demoDisorder,
  disorders,
  FOLDER,
  furtherDisorders,
  releaseDisorders,
} from "../repository/order.ts";
import {
  SECRET_KEY,
  SECRET_KEY_WORDS,
  SECRET_NAME,
  SECRET_NAME_WORDS,
  typeDisorders,
} from "../repository/secretTypes.ts";
import { sourceDisorders } from "../repository/sources.ts";
import {
  shareResources,
  type Taken,
  takenNamespace,
  takenRelease,
  takenSecret,
  takenStack,
} from "../repository/taken.ts";
import { type Fault, notObjectId, unlike } from "../shared/faults.ts";
import type { SecretArgs } from "./contentArgs.ts";
import type { FluxBootstrapArgs } from "./fluxBootstrapArgs.ts";
import { authOf, commitDisorders, repositoryDisorder, signInDisorders } from "./signIn.ts";

/** Everything about the arguments that cannot work. */
export function fluxFaults(args: FluxBootstrapArgs): Fault[] {
  return [
    ...repositoryFaults(args),
    ...artifactDisorders(args).map(({ key, ...fault }) => ({ argument: key.join("."), ...fault })),
    ...notObjectId("deployers", args.deployers),
    ...waitFaults(args),
    ...modeFaults(args),
    ...placeFaults(args),
    ...lockFaults(args),
    ...takenFaults(args),
    ...releaseFaults(args),
    ...kustomizationFaults(args),
    ...sourceFaults(args),
    ...secretFaults(args),
    ...configurationFaults(args),
  ];
}

function repositoryFaults(args: FluxBootstrapArgs): Fault[] {
  const { repository, stack, branch } = args;
  // An address that is none may hold a credential, so it is not told.
  const disorders = [repositoryDisorder(repository) ?? []]
    .flat()
    .concat(signInDisorders({ ...args, version: args.lock.flux?.version }));
  return [
    ...disorders.map(({ key, ...fault }) => ({ argument: key, ...fault })),
    ...commitDisorders(args).map(({ key, ...fault }) => ({ argument: `commit.${key}`, ...fault })),
    ...minutesFaults(args.commit),
    ...unlike(
      "stack",
      stack,
      LABEL,
      "cannot be the name of folders",
      "give at most 63 lower-case letters, digits and hyphens, a letter or digit first and last",
    ),
    ...unlike(
      "branch",
      branch,
      /^(?![/.])(?!.*(\.\.|\/\/|@\{|\.lock$|\/$))[^\s~^:?*[\\]+$/,
      "is no branch",
      "give a branch as git names it, for example main",
    ),
  ];
}

function minutesFaults({ pullRequestMinutes = 1 }: FluxBootstrapArgs["commit"] = {}): Fault[] {
  if (Number.isInteger(pullRequestMinutes) && pullRequestMinutes >= 1 && pullRequestMinutes <= 1440) return [];
  const fault = { problem: "is no time to wait", remedy: "give whole minutes from 1 to 1440" };
  return [{ argument: "commit.pullRequestMinutes", value: pullRequestMinutes, ...fault }];
}

function waitFaults({ readyMinutes = FLUX.readyMinutes }: FluxBootstrapArgs): Fault[] {
  if (Number.isInteger(readyMinutes) && readyMinutes >= 1 && readyMinutes <= 120) return [];
  const problem = "is no time to wait";
  return [{ argument: "readyMinutes", value: readyMinutes, problem, remedy: "give whole minutes from 1 to 120" }];
}

function modeFaults(args: FluxBootstrapArgs): Fault[] {
  const { mode = FLUX.mode, gitToken, access, lock, configuration, configurations, extensionVersion } = args;
  const { install, interval, recurseSubmodules } = args;
  if (mode === "extension")
    return [
      ...(authOf(args) === "token" && gitToken === undefined
        ? [
            {
              argument: "gitToken",
              problem: "is missing: with auth token the extension's Flux signs in to the repository with it",
              remedy: "give a token that may read the repository, as a secret, or choose auth deployKey",
            },
          ]
        : []),
      ...Object.entries({ install, interval, recurseSubmodules })
        .filter(([, value]) => value !== undefined)
        .map(([argument]) => ({
          argument,
          problem: "is of a bootstrapped Flux, but the AKS extension brings it",
          remedy: "leave it out, or choose mode bootstrap",
        })),
    ];
  return [
    ...installFaults(args),
    ...Object.entries({ configuration, configurations, extensionVersion })
      .filter(([, value]) => value !== undefined)
      .map(([argument]) => ({
        argument,
        problem: "is of the AKS extension, but Flux is bootstrapped",
        remedy: "leave it out, or choose mode extension",
      })),
    ...(access === undefined
      ? [
          {
            argument: "access",
            problem: "is missing: mode bootstrap installs Flux through the cluster's API server",
            remedy: "give AksCluster's access, or choose mode extension",
          },
        ]
      : []),
    ...(lock.flux === undefined
      ? [
          {
            argument: "lock.flux",
            problem: "is missing, so nothing says which Flux to bootstrap",
            remedy: "resolve the lock anew for mode bootstrap, or choose mode extension",
          },
        ]
      : []),
  ];
}

function installFaults({ install = {}, interval }: FluxBootstrapArgs): Fault[] {
  const { tolerationKeys = [], clusterDomain } = install;
  return [
    ...tolerationKeys.flatMap((key, at) =>
      unlike(
        `install.tolerationKeys[${at}]`,
        key,
        TAINT_KEY,
        "is no key of a taint",
        "give one, for example CriticalAddonsOnly",
      ),
    ),
    ...unlike(
      "install.clusterDomain",
      clusterDomain,
      DOMAIN,
      "is no DNS domain",
      "give one without a dot at its end, for example cluster.local",
    ),
    ...unlike("interval", interval, DURATION, "is no duration of Flux", "give one, for example 5m0s"),
  ];
}

/** What is lacking of the cluster, and of what signs in there. */
function placeFaults(args: FluxBootstrapArgs): Fault[] {
  const { mode = FLUX.mode, resourceGroupName, clusterName, identity, access, pullCredentials } = args;
  const lacking = (argument: string, problem: string, remedy: string): Fault => ({ argument, problem, remedy });
  if (mode === "extension") {
    const needed = Object.entries({ resourceGroupName, clusterName, identity }).filter(
      ([, value]) => value === undefined,
    );
    const problem = "is missing: the extension runs in AKS alone, and its controllers act as an identity";
    const remedy = "give AksCluster's and FluxIdentity's, or choose mode bootstrap";
    return needed.map(([argument]) => lacking(argument, problem, remedy));
  }
  const { clusterId, kubeContext } = access ?? {};
  const isOne = access === undefined || (clusterId === undefined) !== (kubeContext === undefined);
  const nobody = "is missing: without identity nobody";
  const isAlone = identity === undefined;
  return [
    ...(isOne
      ? []
      : [lacking("access", "names no caller, or two", "give clusterId for AKS, or kubeContext for another cluster")]),
    ...(isAlone && args.decryptCredentials === undefined
      ? [lacking("decryptCredentials", `${nobody} decrypts for Flux`, "give DecryptPrincipal's, or an identity")]
      : []),
    ...((isAlone || args.imagePullSecret !== undefined) && pullCredentials === undefined
      ? [
          lacking(
            "pullCredentials",
            "is missing: nobody pulls with a password",
            "set ContainerRegistry's pullPrincipal",
          ),
        ]
      : []),
    ...unlike(
      "imagePullSecret",
      args.imagePullSecret,
      LABEL,
      "is no name of a secret",
      "give at most 63 lower-case letters, digits and hyphens, a letter or digit first and last",
    ),
  ];
}

function lockFaults({ charts = [], demo, kustomizations = [], lock }: FluxBootstrapArgs): Fault[] {
  const locked = charts.flatMap((chart, index) => (ownPath(chart.repository) === undefined ? [{ chart, index }] : []));
  const remedy = "resolve the lock anew with it, or leave it out";
  const unlocked = (argument: string, value: string, problem: string): Fault => ({ argument, value, problem, remedy });
  return [
    ...locked.flatMap(({ chart, index }) =>
      lock.charts.some(lockedRelease(chart))
        ? []
        : [
            chart.release === undefined
              ? unlocked(
                  `charts[${index}].name`,
                  chart.name,
                  "is no chart of the lock, so nothing says what to release",
                )
              : unlocked(
                  `charts[${index}].release`,
                  chart.release,
                  `is no release of the chart ${chart.name} in the lock, so nothing says what to release`,
                ),
          ],
    ),
    ...kustomizations.flatMap(({ images = [] }, at) =>
      images.flatMap(({ mirrored }, index) =>
        mirrored === undefined || lock.images.some(({ source }) => source === mirrored)
          ? []
          : [
              unlocked(
                `kustomizations[${at}].images[${index}].mirrored`,
                mirrored,
                "is no image of the lock, so nothing says which digest to run",
              ),
            ],
      ),
    ),
    ...(demo && !lock.images.some(({ source }) => source === demo.image)
      ? [unlocked("demo.image", demo.image, "is no image of the lock, so nothing says which digest to run")]
      : []),
  ];
}

/** What names that somebody else has. */
function takenFaults(args: FluxBootstrapArgs): Fault[] {
  const { stack, charts = [], secrets = [], demo, pullCredentials, configuration } = args;
  const fault = (argument: string, value: string, taken: Taken | undefined): Fault[] =>
    taken === undefined ? [] : [{ argument, value, ...taken }];
  return [
    ...fault("stack", stack, takenStack(stack)),
    ...charts.flatMap((chart, index) => [
      ...fault(releaseArgument(chart, index), releaseName(chart), takenRelease(chart, demo !== undefined)),
      ...fault(
        `charts[${index}].namespace`,
        chart.namespace,
        chart.namespace === FLUX_NAMESPACE ? FLUX_S_OWN : takenNamespace(chart.namespace),
      ),
    ]),
    ...secrets.flatMap((secret, index) => [
      ...fault(`secrets[${index}].name`, secret.name, takenSecret(secret, configuration)),
      ...fault(`secrets[${index}].namespace`, secret.namespace, takenNamespace(secret.namespace)),
      ...sameResources(secret, index, [...(pullCredentials ? [PULL_SECRET] : []), ...secrets.slice(0, index)]),
    ]),
  ];
}

function configurationFaults({
  stack,
  path,
  kustomizations,
  configuration,
  configurations = [],
}: FluxBootstrapArgs): Fault[] {
  const name = "give at most 63 lower-case letters, digits and hyphens, a letter or digit first and last";
  const beside = kustomizationsOf({ stack, kustomizations });
  const place = { cluster: path, own: configuration?.name };
  return [
    ...configurations.flatMap((each, at) => [
      ...unlike(`configurations[${at}].name`, each.name, LABEL, "is no name of a configuration", name),
      ...unlike(`configurations[${at}].namespace`, each.namespace, LABEL, "is no namespace", name),
      ...unlike(
        `configurations[${at}].path`,
        each.path,
        FOLDER,
        "is no folder of the repository",
        "give one, for example teams/a",
      ),
    ]),
    ...[takenNamespace(configuration?.namespace) ?? []].flat().map((taken) => ({
      ...{ argument: "configuration.namespace", value: configuration?.namespace },
      ...taken,
    })),
    ...furtherDisorders(stack, configurations, beside, place).map(({ at, key, ...fault }) => ({
      argument: `configurations[${at}].${key}`,
      ...fault,
    })),
  ];
}

/** Where a release gets its name from. */
const releaseArgument = ({ release }: Chart, index: number) =>
  `charts[${index}].${release === undefined ? "name" : "release"}`;

/** Releases that Flux would never bring about, or that would be one; of their further properties Flux itself judges. */
function releaseFaults({ charts = [] }: FluxBootstrapArgs): Fault[] {
  return [
    ...releaseDisorders(charts).map(({ at, key, ...fault }) => ({ argument: `charts[${at}].${key}`, ...fault })),
    ...charts.flatMap(({ repository, version }, index) =>
      ownPath(repository) !== undefined && version === undefined
        ? [
            {
              argument: `charts[${index}].version`,
              problem: "is missing: the lock knows no chart of the stack's own registry",
              remedy: "give one exact version, or a range with follow: true",
            },
          ]
        : [],
    ),
  ];
}

/** What would make Flux refuse a Kustomization, or two of them fight; of their further properties Flux itself judges. */
function kustomizationFaults(args: FluxBootstrapArgs): Fault[] {
  const { stack, path: cluster, kustomizations, demo, configuration } = args;
  const name = "give at most 63 lower-case letters, digits and hyphens, a letter or digit first and last";
  const path = "give a folder from the repository's root, for example apps/overlays/prod";
  const own = [
    ...unlike("path", cluster, FOLDER, "is no folder of the repository", "give one, for example clusters/prod"),
    ...[clusterDisorder(stack, cluster ?? clusterFolder(stack)) ?? []].flat().map((fault) => ({
      ...{ argument: "path", value: cluster },
      ...fault,
    })),
  ];
  if (kustomizations === undefined) return own;
  return [
    ...own,
    ...kustomizations.flatMap((each, index) => [
      ...unlike(`kustomizations[${index}].name`, each.name, LABEL, "is no name of a Kustomization", name),
      ...unlike(
        `kustomizations[${index}].path`,
        each.path === "." ? undefined : each.path,
        FOLDER,
        "is no folder of the repository",
        path,
      ),
    ]),
    ...disorders(stack, kustomizations, cluster, configuration?.name).map(({ at, key, ...fault }) => ({
      argument: `kustomizations[${at}].${key}`,
      ...fault,
    })),
    ...(demo
      ? [demoDisorder(stack, kustomizations) ?? []].flat().map((fault) => ({ argument: "demo", ...fault }))
      : []),
  ];
}

/** Sources that Flux would refuse, and Kustomizations of sources that there are not. */
function sourceFaults(args: FluxBootstrapArgs): Fault[] {
  const { sources = [], kustomizations = [], charts = [], secrets = [], configuration } = args;
  const names = sources.map(({ name }) => name);
  const remedy = "name one of sources, or leave it out for the repository";
  return [
    ...sourceDisorders(sources, { charts, secrets }, configuration?.namespace).map(({ at, key, ...fault }) => ({
      argument: `sources[${at}].${key}`,
      ...fault,
    })),
    ...kustomizations.flatMap(({ source }, at) =>
      source === undefined || names.includes(source)
        ? []
        : [{ argument: `kustomizations[${at}].source`, value: source, problem: "is no source of this stack", remedy }],
    ),
  ];
}

const FLUX_S_OWN: Taken = { problem: "belongs to Flux itself", remedy: "choose a namespace of the chart's own" };

/** Secrets whose resources would have the same name: the engine knows no two. */
function sameResources(secret: SecretArgs, index: number, others: readonly SecretArgs[]): Fault[] {
  const other = others.find((each) => shareResources(each, secret));
  if (other === undefined) return [];
  const problem = `cannot be told from secret ${other.namespace}/${other.name}: with their namespaces before them both are called the same`;
  return [{ argument: `secrets[${index}].name`, value: secret.name, problem, remedy: "choose another name" }];
}

// Kubernetes' names of objects that become a DNS label (RFC 1123).
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function secretFaults({ secrets = [], pullCredentials }: FluxBootstrapArgs): Fault[] {
  const remedy = "give at most 63 lower-case letters, digits and hyphens, a letter or digit first and last";
  const taken = new Set(pullCredentials ? [`${PULL_SECRET.namespace}/${PULL_SECRET.name}`] : []);
  return secrets.flatMap(({ name, namespace, type = SECRET.type, generate = [], data = {} }, index) => {
    const argument = `secrets[${index}]`;
    const isTaken = taken.has(`${namespace}/${name}`);
    taken.add(`${namespace}/${name}`);
    const problem = `is the name of another secret of namespace ${namespace}`;
    return [
      ...unlike(`${argument}.name`, name, SECRET_NAME, "is no name of a secret", `give ${SECRET_NAME_WORDS}`),
      ...unlike(`${argument}.namespace`, namespace, LABEL, "is no name of a namespace", remedy),
      ...(isTaken ? [{ argument: `${argument}.name`, value: name, problem, remedy: "choose another name" }] : []),
      ...keyFaults(argument, generate, data),
      ...typeDisorders({ type, generate, data }).map(({ at: [part, below], problem: reason, remedy: advice }) => ({
        argument: [argument, part].join(".") + (below === undefined ? "" : `[${JSON.stringify(below)}]`),
        problem: reason,
        remedy: advice,
      })),
    ];
  });
}

function keyFaults(secret: string, generate: readonly string[], data: Readonly<Record<string, unknown>>): Fault[] {
  const remedy = `give ${SECRET_KEY_WORDS}`;
  const isKey = SECRET_KEY;
  return [
    ...generate.flatMap((key, index) => unlike(`${secret}.generate[${index}]`, key, isKey, "is no key", remedy)),
    ...generate
      .filter((key, index) => key in data || generate.indexOf(key) < index)
      .map((value) => ({
        argument: `${secret}.generate`,
        value,
        problem: "is there twice",
        remedy: "give each key once, under generate or under data",
      })),
    ...Object.keys(data).flatMap((key) => unlike(`${secret}.data`, key, isKey, "has a key that is none", remedy)),
    ...Object.entries(data)
      .filter(([, value]) => isSealed(value))
      .map(([key]) => ({
        argument: `${secret}.data.${key}`,
        problem: "is still sealed",
        remedy: "give the text itself, as a secret: only Pulumi opens what a stack file encrypts",
      })),
  ];
}

/** A stack file's ciphertext, which only the engine opens. */
function isSealed(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).join() === "secure";
}
