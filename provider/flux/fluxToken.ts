// The token that Flux reads the repository with: where it comes from, and when it takes another one's place.

import { createHash } from "node:crypto";
import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import type { KubernetesApi, ObjectRef } from "../../net/kubernetesApi.ts";
import { ROOT_SOURCE, unready } from "./fluxCluster.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A token and the name of its environment variable. */
export interface GivenToken {
  readonly variable: "FLUX_GIT_TOKEN" | "GITHUB_TOKEN";
  readonly token: string;
}

/** The environment's token: `FLUX_GIT_TOKEN`, which is for Flux alone, else `GITHUB_TOKEN`. */
export function givenToken(environment: Environment): GivenToken | undefined {
  for (const variable of ["FLUX_GIT_TOKEN", "GITHUB_TOKEN"] as const) {
    const token = environment[variable];
    if (token) return { variable, token };
  }
  return undefined;
}

/** Tells tokens apart without telling them. */
export function fingerprint(token: string): string {
  return createHash("sha256").update(`flux-system ${token}`).digest("hex").slice(0, 16);
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
): Promise<{ readonly token: string; readonly isKept: boolean }> {
  const given = givenToken(environment);
  if (given?.variable === "FLUX_GIT_TOKEN") return { token: given.token, isKept: false };
  const working = await workingToken(api, url);
  if (working !== undefined) return { token: working, isKept: true };
  if (given !== undefined) return { token: given.token, isKept: false };
  throw new Error(
    `Flux needs a token that reads ${url}: set FLUX_GIT_TOKEN (for Flux alone, best read-only) or GITHUB_TOKEN`,
  );
}

const SECRET: ObjectRef = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: FLUX_SYSTEM, namespace: FLUX_SYSTEM },
};

/** The cluster's token, if Flux reads this very repository with it. */
async function workingToken(api: KubernetesApi, url: string): Promise<string | undefined> {
  const [source, secret] = await Promise.all([api.get(ROOT_SOURCE), api.get(SECRET)]);
  if (source === undefined || unready(source) !== undefined) return undefined;
  const password = (secret?.data as { password?: string } | undefined)?.password;
  if (!password || (source.spec as { url?: string }).url !== url) return undefined;
  return Buffer.from(password, "base64").toString();
}

/**
 * The Secret that Flux signs in with. In `data`, not `stringData`: so a server-side apply takes away what another way of
 * signing in had put there.
 */
export function signInSecret(texts: Readonly<Record<string, string>>): ObjectRef & { readonly data: object } {
  const entries = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  return { ...SECRET, data: Object.fromEntries(entries) };
}
