import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword.js";
import {
  BOOTSTRAP_ENTRIES,
  BOOTSTRAP_FILES,
  gotkSync,
  identityComponent,
  type WorkloadIdentity,
} from "../../flux/bootstrap.ts";
import type { LockedFlux } from "../../mirror/lock.ts";
import { EncryptedSecret } from "../../provider/sdk/encryptedSecret.ts";
import { type GitAccessArgs, GitCommit } from "../../provider/sdk/gitCommit.ts";
import { KeyInUse } from "../../provider/sdk/keyInUse.ts";
import { FLUX, SECRET } from "../defaults.ts";
import type { PullCredentials } from "../registry/pullCredentials.ts";
import { ownedFiles, type RepositoryOptions, secretPath, seedFiles, sopsRule } from "../repository/files.ts";
import { clusterFolder, PULL_SECRET } from "../repository/names.ts";
import { after } from "../shared/after.ts";
import { newFirst } from "../shared/newFirst.ts";
import type { ContentArgs, SecretArgs } from "./contentArgs.ts";
import type { CommitArgs } from "./fluxBootstrapArgs.ts";

/** A Flux that is committed as `flux bootstrap` would commit it. */
export interface Bootstrapped {
  /** What the Flux is. */
  readonly flux: LockedFlux;
  /** The repository's address as Flux reads it. */
  readonly fluxUrl: string;
  /** `azure`: the controllers' identity reads the repository, at Azure DevOps. @default none: a Secret signs in */
  readonly provider?: "azure" | undefined;
  /** Whether Flux's image controllers run too. */
  readonly imageAutomation: boolean;
  /** The identity that its controllers act as. */
  readonly identity: { readonly clientId: pulumi.Input<string>; readonly tenantId: pulumi.Input<string> };
}

/** What a stack keeps in which repository. */
export interface RepositoryContentArgs extends ContentArgs {
  /** The repository's address, when it is there. */
  readonly url: pulumi.Input<string>;
  /** How the repository is reached, where the environment's own ways do not do. @default with GIT_TOKEN or GIT_SSH_KEY */
  readonly gitAccess?: GitAccessArgs | undefined;
  /** In whose name is committed, and signed with what. @default the program's, unsigned */
  readonly commit?: Pick<CommitArgs, "author" | "committer" | "signingKey"> | undefined;
  /** A Flux that is committed too. @default none: the cluster's extension brings it */
  readonly bootstrap?: Bootstrapped | undefined;
}

/** A secret to encrypt, its values known to the engine. */
interface PlainSecret {
  readonly name: string;
  readonly namespace: string;
  readonly type: string;
  readonly stringData: Readonly<Record<string, pulumi.Input<string>>>;
}

/** What a stack keeps in the GitOps repository: encrypted secrets, and all files in one commit. */
export class RepositoryContent extends pulumi.ComponentResource {
  /** The commit that holds it. */
  readonly commit: GitCommit;

  constructor(name: string, args: RepositoryContentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:RepositoryContent", name, {}, opts);
    const { stack, path = clusterFolder(stack), lock, charts = [], demo, kustomizations, sources, bootstrap } = args;
    const pullSecrets = pullSecret(args.pullCredentials);
    // A bootstrapped Flux is given it straight.
    const inGit = bootstrap ? [] : pullSecrets;
    const secrets = [...this.#generate(name, args.secrets ?? []), ...inGit];
    const encrypted = secrets.map((secret) => [secretPath(stack, secret), this.#encrypt(name, secret, args)] as const);
    const pulls = bootstrap && pullSecrets.length > 0 ? { pullSecret: PULL_SECRET.name } : {};
    const content = { stack, path, lock, charts, demo, kustomizations, sources, secrets, ...pulls };
    const loginServer = after(args.loginServer, ...(args.contents ?? []));
    const owned = renderFiles(content, loginServer);
    const access = args.gitAccess ? { access: args.gitAccess } : {};
    const { files: gotk = {}, ...entries } = bootstrap ? bootstrapFiles({ ...args, path }, bootstrap, loginServer) : {};
    this.commit = new GitCommit(
      name,
      {
        url: args.url,
        ...access,
        branch: args.branch ?? FLUX.branch,
        files: { ...owned, ...gotk, ...Object.fromEntries(encrypted) },
        ...entries,
        ...manner(args.commit),
        seeds: seedFiles(content),
        sopsRules: [{ ...sopsRule(content), azure_keyvault: args.keyUrl }],
        message: `Update stack ${stack}`,
      },
      { parent: this },
    );
    new KeyInUse(
      name,
      {
        url: args.url,
        ...access,
        branch: args.branch ?? FLUX.branch,
        keyUrl: after(args.keyUrl, ...(args.keyUsers ?? [])),
        ownFiles: encrypted.map(([path]) => path),
      },
      { parent: this },
    );
    this.registerOutputs({ commit: this.commit.commit });
  }

  #generate(name: string, secrets: readonly SecretArgs[]): PlainSecret[] {
    return secrets.map((secret) => {
      const values: Record<string, pulumi.Input<string>> = {};
      for (const [key, value] of Object.entries(secret.data ?? SECRET.data)) values[key] = pulumi.secret(value);
      for (const key of secret.generate ?? SECRET.generate)
        values[key] = new RandomPassword(
          `${name}-${secret.namespace}-${secret.name}-${key}`,
          { length: 32, special: false },
          newFirst({ parent: this }),
        ).result;
      const { type = SECRET.type } = secret;
      return { name: secret.name, namespace: secret.namespace, type, stringData: values };
    });
  }

  #encrypt(name: string, secret: PlainSecret, args: RepositoryContentArgs): pulumi.Output<string> {
    const { publicKey, keyUrl, readableKeyUrl = keyUrl } = args;
    const inputs = { ...secret, keyUrl: readableKeyUrl, ...(publicKey ? { publicKey } : {}) };
    return new EncryptedSecret(`${name}-${secret.namespace}-${secret.name}`, inputs, { parent: this }).content;
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

/** What `flux bootstrap` would commit, and the component that gives the controllers their identity. */
function bootstrapFiles(
  { path, branch = FLUX.branch }: RepositoryContentArgs & { readonly path: string },
  { flux, fluxUrl, provider, imageAutomation, identity }: Bootstrapped,
  loginServer: pulumi.Output<string>,
) {
  const { version, manifests } = flux;
  // The identity is a component: `output` would leave its properties as they are.
  const component = pulumi
    .output({ clientId: identity.clientId, tenantId: identity.tenantId })
    .apply((known: WorkloadIdentity) => identityComponent(known, imageAutomation, provider));
  return {
    files: {
      [`${path}/${BOOTSTRAP_FILES.sync}`]: gotkSync({ url: fluxUrl, branch, path }),
      [`${path}/${BOOTSTRAP_FILES.identity}`]: component,
    },
    fluxComponents: {
      [`${path}/${BOOTSTRAP_FILES.components}`]: { version, imageAutomation, manifests, loginServer },
    },
    kustomizations: { [`${path}/${BOOTSTRAP_FILES.kustomization}`]: BOOTSTRAP_ENTRIES },
  };
}

function manner({ author, committer, signingKey }: CommitArgs = {}) {
  return {
    ...(author === undefined ? {} : { author }),
    ...(committer === undefined ? {} : { committer }),
    ...(signingKey === undefined ? {} : { signingKey }),
  };
}

function pullSecret(credentials: PullCredentials | undefined): PlainSecret[] {
  return credentials ? [{ ...PULL_SECRET, type: "Opaque", stringData: { ...credentials } }] : [];
}
