// How a bootstrapped Flux signs in to its repository: over HTTPS with a token, or over SSH with a key.

import type { KubernetesApi, ObjectRef } from "../../net/kubernetesApi.ts";
import { type CheckFailure, type Properties, UNKNOWN } from "../../plugin/handler.ts";
import type { Rule } from "../../plugin/inputs.ts";
import { chosenToken, fingerprint, signInSecret } from "./fluxToken.ts";

const KEY_PARTS = ["privateKey", "publicKey", "knownHosts"] as const;

/** A key pair that reads the repository: PEM, a line as OpenSSH writes it, and lines of a known_hosts file. */
type SshKey = Readonly<Record<(typeof KEY_PARTS)[number], string>>;

/** Never tells a wrong value: it may have a token in it. */
export const isRepositoryUrl: Rule = (value) =>
  typeof value === "string" && /^(https:\/\/[^\s@]+|ssh:\/\/[^\s@:]+@[^\s@]+)$/.test(value)
    ? undefined
    : "is no repository's URL without a password: https://<host>/<owner>/<name> or ssh://git@<host>/<owner>/<name>";

/** Never tells a value: one of them is the private key. */
export const isSshKey: Rule = (value) => {
  const parts = (typeof value === "object" && value !== null ? value : {}) as Properties;
  const isGiven = (part: unknown) => part === UNKNOWN || (typeof part === "string" && part !== "");
  const missing = KEY_PARTS.filter((name) => !isGiven(parts[name]));
  const foreign = Object.keys(parts).filter((name) => !(KEY_PARTS as readonly string[]).includes(name));
  if (missing.length > 0) return `lacks ${missing.join(", ")}: a key needs each of them, as texts`;
  return foreign.length > 0 ? `holds ${foreign.join(", ")}; a key has ${KEY_PARTS.join(", ")} alone` : undefined;
};

/** The faults of a URL's scheme and a key that do not go together. */
export function checkSignIn({ url, sshKey }: Properties): CheckFailure[] {
  if (typeof url !== "string" || isRepositoryUrl(url) !== undefined || sshKey === UNKNOWN) return [];
  const isSsh = url.startsWith("ssh:");
  if (isSsh === (sshKey !== undefined && sshKey !== null)) return [];
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
  readonly state: Properties;
}

/** @throws Error where there is neither a key nor a token. */
export async function chosenSignIn(
  environment: Readonly<Record<string, string | undefined>>,
  api: KubernetesApi,
  { url, sshKey }: Properties,
): Promise<SignIn> {
  if (sshKey !== undefined) {
    const { privateKey, publicKey, knownHosts } = sshKey as SshKey;
    const texts = { identity: privateKey, "identity.pub": publicKey, known_hosts: knownHosts };
    return { secret: signInSecret(texts), state: {} };
  }
  const { token, isKept } = await chosenToken(environment, api, String(url));
  const secret = isKept ? undefined : signInSecret({ username: "git", password: token });
  return { secret, state: { tokenFingerprint: fingerprint(token) } };
}
