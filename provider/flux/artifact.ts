// An artifact that the cluster reads in place of the repository: a pipeline pushes it from there, after each commit.

import * as z from "zod";
import { rootKind } from "../../flux/bootstrap.ts";
import { type KubeObject, type KubernetesApi, nameOf, type ObjectRef } from "../../net/kubernetesApi.ts";
import type { Clock } from "../../net/retry.ts";
import { matching, someText } from "../../plugin/schema.ts";
import { gitAccess } from "../git/gitAccess.ts";
import { type Problem, requestReconcile, rootSource, statusOf } from "./fluxCluster.ts";
import type { Root } from "./fluxHealth.ts";
import { type DescentOf, Past } from "./past.ts";

const address = matching(
  /^oci:\/\/[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+$/,
  "an artifact's address without tag and digest: oci://<host>/<repository>",
);

/** The artifact as Flux reads it. */
export const rootArtifact = z
  .strictObject(
    {
      url: address.describe("Where it is: `oci://<host>/<repository>`."),
      tag: someText.describe("Its tag. Default: semver tells.").exactOptional(),
      semver: someText
        .describe("A range of versions, of which the newest tag is taken. Default: none.")
        .exactOptional(),
      provider: z
        .enum(["azure"], { error: "is no provider: azure is the one" })
        .describe("`azure`: the identity of Flux's controllers pulls. Default: none.")
        .exactOptional(),
      secret: someText.describe("The Secret of Flux's namespace that signs in. Default: none.").exactOptional(),
      verify: someText
        .describe("The Secret of Flux's namespace with the cosign keys that have to have signed it. Default: none.")
        .exactOptional(),
    },
    { error: "must be a map" },
  )
  .describe("An artifact that Flux reads in place of the repository.")
  .meta({ id: "RootArtifact" });

export type RootArtifact = z.output<typeof rootArtifact>;

/** The same, as what waits for a commit of it knows it. */
export const pushedArtifact = z
  .strictObject(
    {
      url: address.describe("Where it is: `oci://<host>/<repository>`."),
      tag: someText.describe("The tag that is pushed.").exactOptional(),
      source: someText.describe(
        "The URL of the repository that it is pushed from, without credentials: git is asked for what descends from the " +
          "commit where the artifact is of another one.",
      ),
      branch: someText.describe("The branch that is pushed."),
      access: gitAccess
        .describe("How the repository is signed in to, where the environment's own ways do not do.")
        .exactOptional(),
    },
    { error: "must be a map" },
  )
  .describe("An artifact that a pipeline pushes from the repository.")
  .meta({ id: "PushedArtifact", hidden: true });

export type PushedArtifact = z.output<typeof pushedArtifact>;

/** What the command that pushes is made of. */
export type Pushed = Pick<PushedArtifact, "url" | "tag" | "source" | "branch">;

/** The command that pushes a commit from a checkout of it. @param commit default: the one that is checked out. */
export function pushCommand({ url, tag = "<version>", source, branch }: Pushed, commit = "$(git rev-parse HEAD)") {
  return `flux push artifact ${url}:${tag} --path=. --source=${source} --revision=${branch}@sha1:${commit}`;
}

/** The annotation of a manifest by which `flux push artifact --revision` is known; Flux keeps it with the artifact. */
const REVISION = "org.opencontainers.image.revision";

/** The commit that a source's artifact was pushed from. @returns undefined where it names none. */
function commitOf(source: KubeObject): string | undefined {
  const { metadata } = (statusOf(source).artifact ?? {}) as { metadata?: Readonly<Record<string, string>> };
  return /(?:^|[:/])([0-9a-f]{40}|[0-9a-f]{64})$/.exec(metadata?.[REVISION] ?? "")?.[1];
}

/** What a registry says of an artifact, or a tag of it, that nobody has pushed yet. */
const NOT_THERE = /MANIFEST_UNKNOWN|NAME_UNKNOWN|404 Not Found|no match found for semver/i;

/** The remedy where nothing was pushed yet, or the folder that the cluster reads is not in what was pushed. */
function remedyOf(pushed: Pushed, commit?: string): NonNullable<Root["remedy"]> {
  return ({ kind }, problem) => {
    const lacks = kind === "Kustomization" ? /path not found/i : NOT_THERE;
    if (!lacks.test(problem)) return undefined;
    const what = commit === undefined ? "the repository" : `commit ${commit}`;
    return `nobody has pushed ${what} there yet, which the pipeline does: \`${pushCommand(pushed, commit)}\``;
  };
}

/** The source that everything comes from, where it has to be whatever was pushed. */
export function rootOf(artifact: Pick<Pushed, "url" | "tag"> | undefined, from: Omit<Pushed, "url" | "tag">): Root {
  const ref = rootSource(artifact);
  return artifact === undefined ? { ref } : { ref, remedy: remedyOf({ ...artifact, ...from }) };
}

/**
 * The source that everything comes from, where it has to have come to a commit or one that descends from it: of an artifact
 * its annotations tell, while a Git repository looks at the branch itself.
 */
export function rootAt(
  artifact: PushedArtifact | undefined,
  commit: string,
  descent: DescentOf,
  signal: AbortSignal,
): Root {
  const ref = rootSource(artifact);
  if (artifact === undefined) return { ref };
  const { source: url, branch, access } = artifact;
  const past = new Past(descent, { url, branch, commit, ...(access && { access }) }, signal);
  let fault: string | undefined;
  return {
    ref,
    remedy: remedyOf(artifact, commit),
    async learn(source) {
      fault = await past.learn(commitOf(source));
    },
    behind(source) {
      const found = commitOf(source);
      if (found !== undefined && past.ageOf(found) === "later") return undefined;
      const held = found === undefined ? "no commit by name" : `commit ${found}`;
      const unseen = fault === undefined ? "" : `, and whether that descends from it is not to be seen: ${fault}`;
      return (
        `holds ${held}, not ${commit} yet${unseen}; the pipeline has not pushed it: ` +
        `\`${pushCommand(artifact, commit)}\``
      );
    },
  };
}

/** A registry tells Flux nothing of a push, so it is asked to look again this often, in milliseconds. */
const AGAIN = 15_000;

/** Has Flux look into the registry again and again, as long as it is the artifact that is waited for. */
export function lookingAgain({ clock }: { readonly clock: Clock }, api: KubernetesApi, ref: ObjectRef) {
  if (ref.kind !== rootKind({})) return async () => {};
  let last = clock.now();
  return async (problems: readonly Problem[]): Promise<void> => {
    const isWrong = problems.some((problem) => nameOf(problem.ref) === nameOf(ref) && problem.nature !== "held");
    if (!isWrong || clock.now() - last < AGAIN) return;
    last = clock.now();
    await requestReconcile(api, ref);
  };
}
