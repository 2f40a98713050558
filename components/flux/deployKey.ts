import { RepositoryDeployKey } from "@pulumi/github/repositoryDeployKey.js";
import * as pulumi from "@pulumi/pulumi";
import { PrivateKey } from "@pulumi/tls/privateKey.js";
import { after } from "../shared/after.ts";
import { newFirst } from "../shared/newFirst.ts";
import type { FluxParts } from "./fluxParts.ts";

/** A key pair for SSH. */
export interface KeyPair {
  /** The private key in PEM, a secret; arrives when the host knows the key. */
  readonly privateKey: pulumi.Output<string>;
  /** As OpenSSH writes it. */
  readonly publicKey: pulumi.Output<string>;
}

/** Lets the cluster read the repository on GitHub, and nothing more; arrives when GitHub knows the key. The key's title is the one that `flux bootstrap` gives. */
export function createDeployKey({ name, args, repository, parent }: FluxParts): KeyPair {
  const { branch, path } = args;
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
    privateKey: pulumi.secret(after(pair.privateKeyPem, deployKey)),
    publicKey: pair.publicKeyOpenssh,
  };
}
