// The artifact that a cluster reads in place of the repository, from which a pipeline pushes it: what it is, and why some
// cannot be. Plain data in, data out.
import type { RootArtifact } from "../../flux/bootstrap.ts";
import { ownPath, REGISTRY_PLACEHOLDER } from "../../net/registry/ownRegistry.ts";
import { ARTIFACT, FLUX } from "../defaults.ts";
import { FLUX_NAMESPACE } from "./names.ts";
import { formDisorders } from "./sources.ts";

/** An artifact that the cluster reads in place of the repository. */
export interface Artifact {
  /** Where it is: `oci://{registry}/<repository>` in the stack's own registry, or `oci://<host>/<repository>`. */
  readonly url: string;
  /** Its tag. @default "latest" */
  readonly tag?: string | undefined;
  /** A range of versions, of which the newest tag is taken. @default none */
  readonly semver?: string | undefined;
  /** `azure`: the identity of Flux's controllers signs in, as it does to the stack's own registry. @default none */
  readonly provider?: "azure" | undefined;
  /**
   * The Secret of Flux's namespace that signs in, one of the stack's: Flux is given it straight, and it is in no file.
   * @default none: everybody may read it
   */
  readonly secret?: string | undefined;
  /** The Secret of Flux's namespace with the cosign keys that have to have signed it, given likewise. @default none */
  readonly verify?: string | undefined;
}

/** Who pulls from the stack's own registry. */
export interface Pullers {
  /** Its login server. */
  readonly loginServer: string;
  /** Whether Flux's controllers act as an identity. */
  readonly hasIdentity: boolean;
  /** The Secret with which images are pulled where nobody has an identity. */
  readonly imagePullSecret: string | undefined;
}

const refOf = ({ tag = ARTIFACT.tag, semver }: Artifact) => (semver === undefined ? { tag } : { semver });

/** An artifact as Flux reads it, the stack's own registry by its name. */
export function rootArtifact(artifact: Artifact, { loginServer, hasIdentity, imagePullSecret }: Pullers): RootArtifact {
  const { url, provider, secret, verify } = artifact;
  const path = ownPath(url);
  const own = hasIdentity ? { provider: "azure" as const } : imagePullSecret ? { secret: imagePullSecret } : {};
  const given = { ...(provider === undefined ? {} : { provider }), ...(secret === undefined ? {} : { secret }) };
  return {
    url: path === undefined ? url : `oci://${loginServer}/${path}`,
    ...refOf(artifact),
    ...(path === undefined ? given : own),
    ...(verify === undefined ? {} : { verify }),
  };
}

/** Whether a Secret is what the artifact is read with: then it cannot come from there. */
export const isOfArtifact = (
  artifact: Artifact | undefined,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): boolean => namespace === FLUX_NAMESPACE && [artifact?.secret, artifact?.verify].includes(name);

/** What decides about an artifact; what is faulty or absent may be undefined. */
export interface ArtifactOptions {
  readonly artifact?: { readonly [K in keyof Artifact]?: Artifact[K] | undefined } | undefined;
  readonly mode?: "extension" | "bootstrap" | undefined;
  readonly auth?: unknown;
  readonly githubApp?: unknown;
  readonly username?: string | undefined;
  readonly recurseSubmodules?: boolean | undefined;
  /** The stack's secrets; undefined where they are not to be read. */
  readonly secrets?:
    | readonly (
        | {
            readonly name?: string | undefined;
            readonly namespace?: string | undefined;
            readonly generate?: readonly unknown[] | undefined;
          }
        | undefined
      )[]
    | undefined;
}

/** Why an artifact, or what stands beside it, cannot be as it is. */
export interface ArtifactDisorder {
  readonly key: readonly [string] | readonly ["artifact", keyof Artifact];
  /** Left out where it may hold a credential. */
  readonly value?: unknown;
  /** As a phrase that follows the property. */
  readonly problem: string;
  readonly remedy: string;
}

const URL_REMEDY =
  `write oci://${REGISTRY_PLACEHOLDER}/<repository> for one in the stack's own registry, or oci://<host>/<repository>, ` +
  "without tag and digest";

/** Everything about an artifact that Flux, or what brings Flux, would not take. */
export function artifactDisorders(options: ArtifactOptions): ArtifactDisorder[] {
  const { artifact, mode = FLUX.mode, secrets } = options;
  if (artifact === undefined) return [];
  if (mode === "extension")
    return [
      {
        key: ["artifact"],
        problem: "cannot be said to the extension: its API 2023-05-01 knows no OCIRepository",
        remedy: "write mode: bootstrap, or leave it out",
      },
    ];
  const { url, tag = artifact.semver === undefined ? ARTIFACT.tag : undefined, ...given } = artifact;
  const path = ownPath(url);
  // To Flux it is a registry of Azure as any other.
  const own = path === undefined ? {} : { url: `oci://registry.azurecr.io/${path}`, secret: undefined };
  const form = formDisorders({ ...given, url, tag, ...own, kind: "OCIRepository" }, secrets);
  return [
    ...form.map(({ key, remedy, ...fault }) => ({
      ...fault,
      key: ["artifact", key as keyof Artifact] as const,
      remedy: key === "url" ? URL_REMEDY : remedy,
    })),
    ...(path !== undefined && given.secret !== undefined
      ? [
          {
            key: ["artifact", "secret"] as const,
            value: given.secret,
            problem: "signs in to the stack's own registry, to which Flux signs in by itself",
            remedy: "leave it out",
          },
        ]
      : []),
    ...randomDisorders(options),
    ...idleDisorders(options),
  ];
}

/** Secrets whose values nobody can know beforehand. */
function randomDisorders({ artifact = {}, secrets = [] }: ArtifactOptions): ArtifactDisorder[] {
  return (["secret", "verify"] as const).flatMap((key) => {
    const name = artifact[key];
    const found = secrets.find((one) => one?.name === name && one?.namespace === FLUX_NAMESPACE);
    if (name === undefined || (found?.generate ?? []).length === 0) return [];
    const problem = "has random values (generate), which the registry does not know";
    return [{ key: ["artifact", key], value: name, problem, remedy: "give its values as data" }];
  });
}

/** What says how the repository is read, which nobody does then. */
function idleDisorders({ auth, githubApp, username, recurseSubmodules }: ArtifactOptions): ArtifactDisorder[] {
  const signsIn = { auth, githubApp, username: username === FLUX.username ? undefined : username };
  return [
    ...Object.entries(signsIn)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ({
        ...{ key: [key] as const, value },
        problem: "says how Flux signs in to the repository, and it reads flux.artifact",
        remedy: "leave it out",
      })),
    ...(recurseSubmodules
      ? [
          {
            ...{ key: ["recurseSubmodules"] as const, value: true },
            problem: "reads the repository's submodules, and Flux reads flux.artifact",
            remedy: "leave it out, and let the pipeline check them out before it pushes",
          },
        ]
      : []),
  ];
}
