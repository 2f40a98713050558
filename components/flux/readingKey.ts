import * as pulumi from "@pulumi/pulumi";
import { sshUrl } from "../../net/gitAddress.ts";
import { publicKeyOf } from "../../net/sshKey.ts";
import { createDeployKey, type KeyPair } from "./deployKey.ts";
import type { FluxParts, FluxWanted } from "./fluxParts.ts";
import { hostKeys, keyProblem } from "./signIn.ts";

/** A key that reads the repository over SSH. */
export interface ReadingKey extends KeyPair {
  /** The repository as it is read with the key; in the form that `flux bootstrap` writes. */
  readonly url: string;
  /** The host's own keys, as lines of a known_hosts file. */
  readonly knownHosts: string;
}

/** Whether Flux reads the repository over SSH. */
export const readsBySsh = ({ auth, artifact }: Pick<FluxWanted, "auth" | "artifact">): boolean =>
  artifact === undefined && (auth === "deployKey" || auth === "sshKey");

/** The key that Flux reads the repository with: one that is made and added to it, or one that a person registered. */
export function readingKey(parts: FluxParts): ReadingKey {
  const { args } = parts;
  // Both are there, or they would have been refused.
  const url = sshUrl(args.address, args.githubHost) ?? "";
  const knownHosts = hostKeys(url, args) ?? "";
  const pair = args.auth === "deployKey" ? createDeployKey(parts) : registeredKey(args, url);
  return { url, ...pair, knownHosts };
}

function registeredKey({ gitKey = "" }: FluxWanted, url: string): KeyPair {
  const privateKey = pulumi.secret(gitKey).apply((key) => {
    const problem = keyProblem(key, url);
    if (problem !== undefined) throw new pulumi.RunError(`gitKey, with which Flux reads ${url}, ${problem}`);
    return `${key.trim()}\n`;
  });
  // A public key is for everybody to see.
  return { privateKey, publicKey: pulumi.unsecret(privateKey.apply((key) => publicKeyOf(key).line)) };
}
