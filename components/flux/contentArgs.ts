// What a stack keeps in the GitOps repository, whoever brings Flux.
import type * as pulumi from "@pulumi/pulumi";
import type { ImageRule } from "../../mirror/lock.ts";
import type { PullCredentials } from "../registry/pullCredentials.ts";
import type { Chart, Demo, RepositoryOptions } from "../repository/files.ts";
import type { Kustomization } from "../repository/kustomizations.ts";
import type { Source } from "../repository/sources.ts";
import type { DecryptCredentials } from "../vault/decryptPrincipal.ts";

/** A Kubernetes secret that is encrypted into the repository. */
export interface SecretArgs {
  /** Its name: at most 253 lower-case letters, digits, hyphens and dots. */
  readonly name: string;
  /** The namespace that it is in. */
  readonly namespace: string;
  /** Its type as Kubernetes names it. @default "Opaque" */
  readonly type?: string | undefined;
  /** Keys whose values are random, made once. @default none */
  readonly generate?: readonly string[] | undefined;
  /** Values by key. @default none */
  readonly data?: Readonly<Record<string, pulumi.Input<string>>> | undefined;
}

/** The content of a stack's folders in the GitOps repository. */
export interface ContentArgs {
  /** The stack's name, and that of its folders: `clusters/<stack>`, `infrastructure/<stack>`, `apps/<stack>`. */
  readonly stack: string;
  /** The folder that the cluster reconciles, from the repository's root: the program's alone. @default `clusters/<stack>` */
  readonly path?: string | undefined;
  /** The branch that is committed to and reconciled. @default "main" */
  readonly branch?: string | undefined;
  /**
   * Images that people's files may name from elsewhere, of all tags or with one: a preview warns of all others.
   * @default none
   */
  readonly acceptForeign?: readonly ImageRule[] | undefined;
  /** What charts and images were resolved to. */
  readonly lock: RepositoryOptions["lock"];
  /** Charts of the lock that are released. @default none */
  readonly charts?: readonly Chart[] | undefined;
  /** A small application to see that everything works, in the folder `apps/<stack>`. @default none */
  readonly demo?: Demo | undefined;
  /**
   * The stack's Flux Kustomizations beside `infrastructure`, which applies what the program itself writes.
   * @default one named apps, of the folder `apps/<stack>`
   */
  readonly kustomizations?: readonly Kustomization[] | undefined;
  /** Further sources that these may come from, beside the repository. @default none */
  readonly sources?: readonly Source[] | undefined;
  /**
   * What people begin with where their folders are empty. apps: `apps/<stack>`. overlays: a base and overlays for dev,
   * staging and prod of `apps/` and `infrastructure/` too, and a README of who owns what; `kustomizations` say which of
   * them the stack applies. @default "apps"
   */
  readonly start?: RepositoryOptions["start"];
  /** Kubernetes secrets that are encrypted into the repository. @default none */
  readonly secrets?: readonly SecretArgs[] | undefined;
  /** The registry's login server, when the cluster may pull from it. */
  readonly loginServer: pulumi.Input<string>;
  /** URL of the RSA key in Key Vault that SOPS encrypts with, version and all. */
  readonly keyUrl: pulumi.Input<string>;
  /** The same, when the key's public part can be read. @default keyUrl */
  readonly readableKeyUrl?: pulumi.Input<string> | undefined;
  /**
   * What people and Flux need to decrypt with the key, such as role assignments: where another key takes the key's place
   * they stay until no file needs the old one. @default none
   */
  readonly keyUsers?: readonly pulumi.Resource[] | undefined;
  /** The key's public part as PEM, for a runner that cannot reach the vault. @default none: it is read from the vault */
  readonly publicKey?: string | undefined;
  /** Credentials that pull from the registry. @default none: Flux's identity pulls */
  readonly pullCredentials?: PullCredentials | undefined;
  /**
   * Name of the Secrets, one a namespace of the stack's, with which images are pulled by pullCredentials; each namespace's
   * service account default has it. @default none: the nodes may pull
   */
  readonly imagePullSecret?: string | undefined;
  /** Who decrypts with the key for Flux. @default none: Flux's identity does */
  readonly decryptCredentials?: DecryptCredentials | undefined;
  /** Charts and images that have to be in the registry before the cluster may read about them. @default none */
  readonly contents?: readonly pulumi.Resource[] | undefined;
}
