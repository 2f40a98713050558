import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword.js";
import {
  BOOTSTRAP_ENTRIES,
  BOOTSTRAP_FILES,
  gotkSync,
  identityComponent,
  type WorkloadIdentity,
} from "../../flux/bootstrap.ts";
import type { Lock, LockedFlux } from "../../mirror/lock.ts";
import { EncryptedSecret } from "../../provider/sdk/encryptedSecret.ts";
import { GitCommit } from "../../provider/sdk/gitCommit.ts";
import { PULL_SECRET } from "../../settings/rules.ts";
import type { SecretText, Settings } from "../../settings/settings.ts";
import { ownedFiles, type RepositoryOptions, secretPath, seedFiles, sopsRule } from "../repository/files.ts";
import { after } from "../shared/after.ts";
import { sshUrl } from "./deployKey.ts";

/** User name and password of one who may pull. */
export interface PullCredentials {
  readonly username: pulumi.Input<string>;
  readonly password: pulumi.Input<string>;
}

/** A secret to encrypt, its values known to the engine. */
interface PlainSecret {
  readonly name: string;
  readonly namespace: string;
  readonly type: string;
  readonly stringData: Readonly<Record<string, pulumi.Input<string>>>;
}

export interface RepositoryContentArgs {
  readonly settings: Pick<Settings, "stack" | "flux" | "charts" | "demo" | "secrets" | "sops" | "gitToken">;
  readonly lock: Lock;
  /** The repository's address, when it is there. */
  readonly url: pulumi.Input<string>;
  /** The registry's login server, when the cluster may pull from it. */
  readonly loginServer: pulumi.Input<string>;
  /** URL of the key that SOPS encrypts with. */
  readonly keyUrl: pulumi.Input<string>;
  /** The same, when the key's public part can be read. */
  readonly readableKeyUrl: pulumi.Input<string>;
  /** Credentials that pull from the registry, to be a secret in Flux's namespace; default none. */
  readonly pullCredentials?: PullCredentials | undefined;
  /** The identity of a bootstrapped Flux, written into the repository with it. */
  readonly identity: { readonly clientId: pulumi.Input<string>; readonly tenantId: pulumi.Input<string> };
  /** Charts and images that have to be in the registry before the cluster may read about them. */
  readonly contents: readonly pulumi.Resource[];
}

/** What a stack keeps in the GitOps repository: encrypted secrets, and all files in one commit. */
export class RepositoryContent extends pulumi.ComponentResource {
  /** The commit that holds it. */
  readonly commit: GitCommit;

  constructor(name: string, args: RepositoryContentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:RepositoryContent", name, {}, opts);
    const { stack, flux } = args.settings;
    const isBootstrap = flux.mode === "bootstrap";
    const pullSecrets = pullSecret(args.pullCredentials);
    // A bootstrapped Flux is given it straight.
    const inGit = isBootstrap ? [] : pullSecrets;
    const secrets = [...this.generated(name, args.settings.secrets), ...inGit];
    const encrypted = secrets.map((secret) => [secretPath(stack, secret), this.encrypt(name, secret, args)] as const);
    const pulls = isBootstrap && pullSecrets.length > 0 ? { pullSecret: PULL_SECRET.name } : {};
    const content = { ...args.settings, lock: args.lock, secrets, ...pulls };
    const loginServer = after(args.loginServer, ...args.contents);
    const owned = renderFiles(content, loginServer);
    const { files: gotk = {}, ...bootstrap } = isBootstrap ? bootstrapFiles(args, loginServer) : {};
    this.commit = new GitCommit(
      name,
      {
        url: args.url,
        branch: flux.branch,
        files: { ...owned, ...gotk, ...Object.fromEntries(encrypted) },
        ...bootstrap,
        seeds: seedFiles(content),
        sopsRules: [{ ...sopsRule(stack), azure_keyvault: args.keyUrl }],
        message: `Update stack ${stack}`,
      },
      { parent: this },
    );
    this.registerOutputs({ commit: this.commit.commit });
  }

  private generated(name: string, secrets: Settings["secrets"]): PlainSecret[] {
    return secrets.map((secret) => {
      const values: Record<string, pulumi.Input<string>> = {};
      for (const [key, value] of Object.entries(secret.data)) values[key] = pulumi.secret(opened(value));
      for (const key of secret.generate)
        values[key] = new RandomPassword(
          `${name}-${secret.namespace}-${secret.name}-${key}`,
          { length: 32, special: false },
          { parent: this },
        ).result;
      return { name: secret.name, namespace: secret.namespace, type: secret.type, stringData: values };
    });
  }

  private encrypt(
    name: string,
    secret: PlainSecret,
    { settings, readableKeyUrl }: RepositoryContentArgs,
  ): pulumi.Output<string> {
    const { publicKey } = settings.sops;
    const args = { ...secret, keyUrl: readableKeyUrl, ...(publicKey ? { publicKey } : {}) };
    return new EncryptedSecret(`${name}-${secret.namespace}-${secret.name}`, args, { parent: this }).content;
  }
}

/** Files whose paths are known even while the registry's name is not, so that a preview shows which ones change. */
function renderFiles(
  content: Omit<RepositoryOptions, "loginServer">,
  loginServer: pulumi.Output<string>,
): Record<string, pulumi.Output<string>> {
  const files = loginServer.apply((server) => ownedFiles({ ...content, loginServer: server }));
  const paths = Object.keys(ownedFiles({ ...content, loginServer: "" }));
  return Object.fromEntries(paths.map((path) => [path, files.apply((texts) => texts[path] ?? "")]));
}

/** The Flux of a lock. @throws Error when the lock has none; a lock that fits the settings of a bootstrap has one. */
export function lockedFlux({ flux }: Pick<Lock, "flux">): LockedFlux {
  if (flux) return flux;
  throw new Error("the lock has no Flux, so nothing says which one to bootstrap");
}

/** The repository's address as a bootstrapped Flux reads it. */
export function fluxUrl(flux: Settings["flux"]): string {
  return flux.auth === "deployKey" ? sshUrl(flux) : flux.repository;
}

/** What `flux bootstrap` would commit, and the component that gives the controllers their identity. */
function bootstrapFiles({ settings, lock, identity }: RepositoryContentArgs, loginServer: pulumi.Output<string>) {
  const { branch, path, imageAutomation } = settings.flux;
  const { version, manifests } = lockedFlux(lock);
  // The identity is a component: `output` would leave its properties as they are.
  const component = pulumi
    .output({ clientId: identity.clientId, tenantId: identity.tenantId })
    .apply((known: WorkloadIdentity) => identityComponent(known, imageAutomation));
  return {
    files: {
      [`${path}/${BOOTSTRAP_FILES.sync}`]: gotkSync({ url: fluxUrl(settings.flux), branch, path }),
      [`${path}/${BOOTSTRAP_FILES.identity}`]: component,
    },
    fluxComponents: {
      [`${path}/${BOOTSTRAP_FILES.components}`]: { version, imageAutomation, manifests, loginServer },
    },
    kustomizations: { [`${path}/${BOOTSTRAP_FILES.kustomization}`]: BOOTSTRAP_ENTRIES },
  };
}

function pullSecret(credentials: PullCredentials | undefined): PlainSecret[] {
  return credentials ? [{ ...PULL_SECRET, type: "Opaque", stringData: { ...credentials } }] : [];
}

function opened(value: SecretText): pulumi.Input<string> {
  if (typeof value === "object" && "secure" in value)
    throw new Error("a secret is still sealed: only Pulumi itself opens what a stack file encrypts");
  return value;
}
