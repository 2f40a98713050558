// How a bootstrapped Flux signs in to its repository: over HTTPS with a token, or over SSH with a key.

import * as z from "zod";
import { hostOf } from "../../net/gitAddress.ts";
import { gitHubApi } from "../../net/gitHubApi.ts";
import type { KubernetesApi, ObjectRef } from "../../net/kubernetesApi.ts";
import { type CheckFailure, UNKNOWN } from "../../plugin/handler.ts";
import type { Unknowable } from "../../plugin/schema.ts";
import { chosenToken, fingerprint, type KnownToken, signInSecret } from "./fluxToken.ts";
import { secretParts } from "./forms.ts";

/** A repository's URL. Never told where it is wrong: it may have a token in it. */
export const repositoryUrl = z
  .string()
  .regex(/^(https:\/\/[^\s@]+|ssh:\/\/[^\s@:]+@[^\s@]+)$/)
  .meta({
    hidden: true,
    fault:
      "is no repository's URL without a password: https://<host>/<owner>/<name> or ssh://git@<host>/<owner>/<name>",
  });

const keyPart = z.string().min(1);

/** A key pair that reads the repository. */
export const sshKey = secretParts(
  {
    privateKey: keyPart.describe("PEM; give it as a secret, then it is encrypted in the state.").meta({ secret: true }),
    publicKey: keyPart.describe("As OpenSSH writes it."),
    knownHosts: keyPart.describe("The host's keys, as lines of a known_hosts file."),
  },
  { id: "SshKey", description: "A key pair that reads the repository over SSH.", one: "a key" },
);

type SshKey = z.output<typeof sshKey>;

/** A GitHub App that reads the repository. */
export const githubApp = secretParts(
  {
    id: keyPart.describe("Its id."),
    installation: keyPart.describe("The id of its installation, or the account that it is installed in."),
    privateKey: keyPart.describe("PEM; give it as a secret, then it is encrypted in the state.").meta({ secret: true }),
  },
  { id: "ReadingApp", description: "A GitHub App that reads the repository.", one: "a GitHub App" },
);

type ReadingApp = z.output<typeof githubApp>;

/** What says how to sign in. */
export interface SignInInputs {
  readonly url: string;
  readonly sshKey?: SshKey;
  readonly githubApp?: ReadingApp;
  readonly username?: string;
  readonly provider?: "azure" | "github";
  /** What is read in place of the repository. */
  readonly artifact?: object;
}

/** The faults of a URL's scheme and a key that do not go together. */
export function checkSignIn({
  url,
  sshKey,
  githubApp,
  provider,
  artifact,
}: {
  readonly url: Unknowable<string>;
  readonly sshKey?: Unknowable<SshKey>;
  readonly githubApp?: Unknowable<ReadingApp>;
  readonly provider?: Unknowable<"azure" | "github">;
  readonly artifact?: Unknowable<object>;
}): CheckFailure[] {
  if (artifact !== undefined)
    return Object.entries({ sshKey, githubApp, provider }).flatMap(([property, value]) =>
      value === undefined
        ? []
        : [{ property, reason: "signs in to the repository, and an artifact is read in place of it: leave one out" }],
    );
  if (url === UNKNOWN || sshKey === UNKNOWN || provider === UNKNOWN) return [];
  if ((provider === "github") !== (githubApp !== undefined))
    return [{ property: "githubApp", reason: "belongs to provider github, and that to it: give both, or none" }];
  if (provider === "github" && (sshKey !== undefined || !url.startsWith("https:")))
    return [{ property: "provider", reason: `signs in to GitHub over HTTPS, without a key of SSH, and not to ${url}` }];
  if (provider === "azure" && (sshKey !== undefined || hostOf(url) !== "dev.azure.com"))
    return [
      { property: "provider", reason: `signs in to https://dev.azure.com alone, without a key, and not to ${url}` },
    ];
  const isSsh = url.startsWith("ssh:");
  if (isSsh === (sshKey !== undefined)) return [];
  const reason = isSsh
    ? `is missing: ${url} is read with a key. Give one, or write the URL with https://`
    : `is for ssh://, but ${url} is read with a token. Leave it out, or write the URL with ssh://git@`;
  return [{ property: "sshKey", reason }];
}

/** How Flux shall sign in. */
export interface SignIn {
  /** The Secret `flux-system`, under the names that bootstrap gives; none where the cluster's own stays. */
  readonly secret: ObjectRef | undefined;
  /** What the state keeps of it beside the inputs. */
  readonly state: { readonly tokenFingerprint?: string };
}

/** @throws Error where there is neither an identity, nor a key, nor a token. */
export async function chosenSignIn(
  environment: Readonly<Record<string, string | undefined>>,
  api: KubernetesApi,
  { url, sshKey, githubApp, username = "git", provider, artifact }: SignInInputs,
  known: KnownToken = {},
): Promise<SignIn> {
  if (provider === "azure" || artifact !== undefined) return { secret: undefined, state: {} };
  if (githubApp !== undefined) return { secret: signInSecret(appTexts(url, githubApp)), state: {} };
  if (sshKey !== undefined) {
    const { privateKey, publicKey, knownHosts } = sshKey;
    const texts = { identity: privateKey, "identity.pub": publicKey, known_hosts: knownHosts };
    return { secret: signInSecret(texts), state: {} };
  }
  const { token, isKept } = await chosenToken(environment, api, url, { ...known, username });
  const secret = isKept ? undefined : signInSecret({ username, password: token });
  return { secret, state: { tokenFingerprint: fingerprint(token) } };
}

/** What a Secret tells Flux of a GitHub App: https://fluxcd.io/flux/components/source/gitrepositories/#github */
function appTexts(url: string, { id, installation, privateKey }: ReadingApp): Record<string, string> {
  const isId = /^\d+$/.test(installation);
  return {
    githubAppID: id,
    [isId ? "githubAppInstallationID" : "githubAppInstallationOwner"]: installation,
    githubAppPrivateKey: privateKey,
    ...(hostOf(url) === "github.com" ? {} : { githubAppBaseURL: gitHubApi(url) }),
  };
}
