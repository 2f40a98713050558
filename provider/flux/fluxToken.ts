// The token that Flux reads the repository with: where it comes from, and when it takes another one's place.

import { createHash } from "node:crypto";
import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import { takesGitHubToken } from "../../net/gitAddress.ts";
import type { KubernetesApi, ObjectRef } from "../../net/kubernetesApi.ts";
import { ROOT_SOURCE, statusOf, unready } from "./fluxCluster.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A token and the name of its environment variable. */
export interface GivenToken {
  readonly variable: "FLUX_GIT_TOKEN" | "GITHUB_TOKEN";
  readonly token: string;
}

/** The environment's token: `FLUX_GIT_TOKEN`, which is for Flux alone, else on GitHub `GITHUB_TOKEN`. */
export function givenToken(environment: Environment, url: string): GivenToken | undefined {
  for (const variable of variablesOf(environment, url)) {
    const token = environment[variable];
    if (token) return { variable, token };
  }
  return undefined;
}

function variablesOf(environment: Environment, url: string): readonly GivenToken["variable"][] {
  return takesGitHubToken(url, environment) ? ["FLUX_GIT_TOKEN", "GITHUB_TOKEN"] : ["FLUX_GIT_TOKEN"];
}

/** Tells tokens apart without telling them. */
export function fingerprint(token: string): string {
  return createHash("sha256").update(`flux-system ${token}`).digest("hex").slice(0, 16);
}

/** What is known of the token that Flux has. */
export interface KnownToken {
  /** Its {@link fingerprint}. */
  readonly tokenFingerprint?: string | undefined;
  /** Whether its Secret is about to go, so that it has to be written anew. */
  readonly isEnding?: boolean | undefined;
  /** The user name that shall stand beside it; another one has its Secret written anew. @default "git" */
  readonly username?: string | undefined;
}

/**
 * The token that Flux shall have. One that works stays, unless somebody gives FLUX_GIT_TOKEN: GITHUB_TOKEN is whoever's
 * runs this, and people and CI would replace each other's.
 * @throws Error when there is none.
 */
export async function chosenToken(
  environment: Environment,
  api: KubernetesApi,
  url: string,
  known: KnownToken,
): Promise<{ readonly token: string; readonly isKept: boolean }> {
  const given = givenToken(environment, url);
  if (given?.variable === "FLUX_GIT_TOKEN") return { token: given.token, isKept: false };
  const working = await workingToken(api, url, known);
  if (working !== undefined) return { token: working.token, isKept: !known.isEnding && working.isNamed };
  if (given !== undefined) return { token: given.token, isKept: false };
  throw new Error(
    `Flux needs a token that reads ${url}: set FLUX_GIT_TOKEN (for Flux alone, best read-only)${
      takesGitHubToken(url, environment) ? " or GITHUB_TOKEN" : ""
    }`,
  );
}

/** The Secret that Flux signs in with. */
export const SIGN_IN: ObjectRef = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: FLUX_SYSTEM, namespace: FLUX_SYSTEM },
};

/** The cluster's token, if Flux reads this very repository with it, or did so before its GitRepository was deleted. */
async function workingToken(
  api: KubernetesApi,
  url: string,
  { tokenFingerprint, username = "git" }: KnownToken,
): Promise<{ readonly token: string; readonly isNamed: boolean } | undefined> {
  const [source, secret] = await Promise.all([api.get(ROOT_SOURCE), api.get(SIGN_IN)]);
  const data = (secret?.data ?? {}) as { password?: string; username?: string };
  if (!data.password) return undefined;
  const textOf = (value = "") => Buffer.from(value, "base64").toString();
  const token = textOf(data.password);
  const found = { token, isNamed: username === "git" || textOf(data.username) === username };
  const isKnown = fingerprint(token) === tokenFingerprint;
  if (source === undefined) return isKnown ? found : undefined;
  if ((source.spec as { url?: string }).url !== url) return undefined;
  // One that an uninstall suspended says no more than that it worked before.
  const worked = statusOf(source).conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  return unready(source) === undefined || (isKnown && worked) ? found : undefined;
}

/**
 * The Secret that Flux signs in with. In `data`, not `stringData`: so a server-side apply takes away what another way of
 * signing in had put there.
 */
export function signInSecret(texts: Readonly<Record<string, string>>): ObjectRef & { readonly data: object } {
  const entries = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  return { ...SIGN_IN, data: Object.fromEntries(entries) };
}
