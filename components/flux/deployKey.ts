import { RepositoryDeployKey } from "@pulumi/github/repositoryDeployKey.js";
import * as pulumi from "@pulumi/pulumi";
import { PrivateKey } from "@pulumi/tls/privateKey.js";
import { sshUrl } from "../repository/repositoryUrl.ts";
import { after } from "../shared/after.ts";
import { newFirst } from "../shared/newFirst.ts";
import type { FluxParts } from "./fluxParts.ts";
import { GITHUB_KNOWN_HOSTS } from "./githubHostKeys.ts";

/** A key that reads the repository over SSH. */
export interface DeployKey {
  /** The repository as it is read with the key; in the form that `flux bootstrap` writes. */
  readonly url: string;
  /** The private key in PEM, a secret; arrives when GitHub knows the key. */
  readonly privateKey: pulumi.Output<string>;
  /** As OpenSSH writes it. */
  readonly publicKey: pulumi.Output<string>;
  /** GitHub's own keys, as lines of a known_hosts file. */
  readonly knownHosts: string;
}

/** Lets the cluster read the repository, and nothing more; the key's title is the one that `flux bootstrap` gives. */
export function createDeployKey({ name, args, repository, parent }: FluxParts): DeployKey {
  const { address, branch, path } = args;
  const pair = new PrivateKey(name, { algorithm: "ECDSA", ecdsaCurve: "P384" }, newFirst({ parent }));
  const deployKey = new RepositoryDeployKey(
    name,
    {
      repository,
      title: `flux-system-${branch}-flux-system-./${path}`,
      key: pair.publicKeyOpenssh.apply((key) => key.trim()),
      readOnly: true,
    },
    newFirst({ parent }),
  );
  return {
    url: sshUrl(address),
    privateKey: pulumi.secret(after(pair.privateKeyPem, deployKey)),
    publicKey: pair.publicKeyOpenssh,
    knownHosts: GITHUB_KNOWN_HOSTS,
  };
}
