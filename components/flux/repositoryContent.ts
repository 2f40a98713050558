import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword.js";
import {
  BOOTSTRAP_ENTRIES,
  BOOTSTRAP_FILES,
  FLUX_SYSTEM,
  gotkSync,
  identityComponent,
  type WorkloadIdentity,
} from "../../flux/bootstrap.ts";
import { dockerConfig } from "../../flux/dockerConfig.ts";
import { type InstallOptions, saidOptions } from "../../flux/installOptions.ts";
import type { LockedFlux } from "../../mirror/lock.ts";
import { EncryptedSecret } from "../../provider/sdk/encryptedSecret.ts";
import { type GitAccessArgs, GitCommit, type PullRequestArgs } from "../../provider/sdk/gitCommit.ts";
import { KeyInUse } from "../../provider/sdk/keyInUse.ts";
import { FLUX, SECRET } from "../defaults.ts";
import type { PullCredentials } from "../registry/pullCredentials.ts";
import { type Artifact, isOfArtifact, rootArtifact } from "../repository/artifact.ts";
import {
  markedImage,
  ownedFiles,
  pullingNamespaces,
  type RepositoryOptions,
  secretPath,
  seedFiles,
  sopsRule,
} from "../repository/files.ts";
import { kustomizationsOf } from "../repository/kustomizations.ts";
import { type Configuration, clusterFolder, DECRYPT_SECRET, INFRASTRUCTURE, PULL_SECRET } from "../repository/names.ts";
import { nestedFolders } from "../repository/order.ts";
import { after } from "../shared/after.ts";
import { newFirst } from "../shared/newFirst.ts";
import type { ContentArgs, SecretArgs } from "./contentArgs.ts";
import type { CommitArgs } from "./fluxBootstrapArgs.ts";
import { warnOfPeopleImages } from "./peopleImages.ts";

/** A Flux that is committed as `flux bootstrap` would commit it. */
export interface Bootstrapped {
  /** What the Flux is. */
  readonly flux: LockedFlux;
  /** The repository's address as Flux reads it. */
  readonly fluxUrl: string;
  /**
   * `azure`: the controllers' identity reads the repository, at Azure DevOps; `github`: a GitHub App does.
   * @default none: a Secret signs in
   */
  readonly provider?: "azure" | "github" | undefined;
  /** Whether Flux's image controllers run too. */
  readonly imageAutomation: boolean;
  /** How its controllers are installed. @default as the flux CLI does by itself */
  readonly install?: InstallOptions | undefined;
  /** How often it looks into the repository, as a duration of Flux. @default "1m0s" */
  readonly interval?: string | undefined;
  /** Whether it reads the repository's submodules too. @default false */
  readonly recurseSubmodules?: boolean | undefined;
  /** What it reads in place of the repository. @default none */
  readonly artifact?: Artifact | undefined;
  /** The identity that its controllers act as. @default none */
  readonly identity?: { readonly clientId: pulumi.Input<string>; readonly tenantId: pulumi.Input<string> } | undefined;
}

/** What a stack keeps in which repository. */
export interface RepositoryContentArgs extends ContentArgs {
  /** The repository's address, when it is there. */
  readonly url: pulumi.Input<string>;
  /** The extension's configuration that Flux's objects belong to. @default flux-system */
  readonly configuration?: Configuration | undefined;
  /** Folders that the extension's further configurations apply. @default none */
  readonly configurations?: readonly { readonly path: string }[] | undefined;
  /** How the repository is reached, where the environment's own ways do not do. @default with GIT_TOKEN or GIT_SSH_KEY */
  readonly gitAccess?: GitAccessArgs | undefined;
  /** How a pull request is made where the branch takes no push. @default none is */
  readonly pullRequest?: PullRequestArgs | undefined;
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
    const {
      stack,
      path = clusterFolder(stack),
      lock,
      charts = [],
      demo,
      kustomizations,
      sources,
      configuration,
      start,
      bootstrap,
    } = args;
    const pullSecrets = pullSecret(args.pullCredentials);
    // A bootstrapped Flux is given it straight.
    const inGit = bootstrap ? [] : pullSecrets;
    const { artifact } = bootstrap ?? {};
    // Likewise what the artifact is read with, which could not come from there.
    const own = (args.secrets ?? []).filter((secret) => !isOfArtifact(artifact, secret));
    const secrets = [...this.#generate(name, own), ...inGit, ...imagePullSecrets(args)];
    const encrypted = secrets.map((secret) => [secretPath(stack, secret), this.#encrypt(name, secret, args)] as const);
    const pulls = bootstrap && pullSecrets.length > 0 ? { pullSecret: PULL_SECRET.name } : {};
    const { imagePullSecret } = args;
    const decrypts = args.decryptCredentials ? { decryptSecret: DECRYPT_SECRET } : {};
    const content = {
      stack,
      path,
      lock,
      charts,
      demo,
      kustomizations,
      sources,
      configuration,
      start,
      secrets,
      artifact,
      imagePullSecret,
      ...pulls,
      ...decrypts,
    };
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
        ...(args.pullRequest && { pullRequest: args.pullRequest }),
        ...placed(content, path, args),
        seeds: renderSeeds(content, loginServer),
        sopsRules: [{ ...sopsRule(content), azure_keyvault: args.keyUrl }],
        message: `Update stack ${stack}`,
      },
      { parent: this },
    );
    const branch = args.branch ?? FLUX.branch;
    warnOfPeopleImages({ ...args, artifact, path, branch, access: args.gitAccess }, this.commit);
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

/** What the commit is told of where files stand: those of the cluster's folder, and folders within each other. */
function placed(
  content: Pick<RepositoryOptions, "stack" | "kustomizations">,
  path: string,
  { bootstrap, configurations = [] }: Pick<RepositoryContentArgs, "bootstrap" | "configurations">,
) {
  const names = kustomizationsOf(content).map(({ name }) => `${name}.yaml`);
  const resources = [...(bootstrap ? [FLUX_SYSTEM] : []), `${INFRASTRUCTURE}.yaml`, ...names];
  const apart = nestedFolders([...kustomizationsOf(content), ...configurations]);
  return {
    // Where people have one there, Flux applies what it lists and nothing else of the folder.
    listed: { [`${path}/kustomization.yaml`]: { resources } },
    ...(Object.keys(apart).length > 0 ? { apart } : {}),
  };
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

/** The seeds; a marked image is known when the registry is. */
function renderSeeds(
  content: Omit<RepositoryOptions, "loginServer">,
  loginServer: pulumi.Output<string>,
): Record<string, pulumi.Input<string>> {
  const rendered = (server: string) => seedFiles(content, markedImage({ ...content, loginServer: server }));
  const known = rendered("");
  if (content.demo?.imagePolicy === undefined) return known;
  const texts = loginServer.apply(rendered);
  return Object.fromEntries(Object.keys(known).map((path) => [path, texts.apply((all) => all[path] ?? "")]));
}

/** What `flux bootstrap` would commit, and the component that gives the controllers their identity. */
function bootstrapFiles(
  { path, branch = FLUX.branch, imagePullSecret }: RepositoryContentArgs & { readonly path: string },
  { flux, fluxUrl, provider, artifact, imageAutomation, install, interval, recurseSubmodules, identity }: Bootstrapped,
  loginServer: pulumi.Output<string>,
) {
  const { version, manifests } = flux;
  // The identity is a component: `output` would leave its properties as they are.
  const component = identity
    ? pulumi
        .output({ clientId: identity.clientId, tenantId: identity.tenantId })
        .apply((known: WorkloadIdentity) => identityComponent(known, imageAutomation, provider))
    : provider && identityComponent(undefined, imageAutomation, provider);
  const options = saidOptions(install);
  const own = {
    ...(imagePullSecret === undefined ? {} : { imagePullSecret }),
    ...(options ? { install: options } : {}),
  };
  const sync = { url: fluxUrl, branch, path, interval, recurseSubmodules };
  const pullers = { hasIdentity: identity !== undefined, imagePullSecret };
  return {
    files: {
      [`${path}/${BOOTSTRAP_FILES.sync}`]:
        artifact === undefined
          ? gotkSync(sync)
          : loginServer.apply((server) =>
              gotkSync({ ...sync, artifact: rootArtifact(artifact, { ...pullers, loginServer: server }) }),
            ),
      ...(component && { [`${path}/${BOOTSTRAP_FILES.identity}`]: component }),
    },
    fluxComponents: {
      [`${path}/${BOOTSTRAP_FILES.components}`]: { version, imageAutomation, ...own, manifests, loginServer },
    },
    kustomizations: {
      [`${path}/${BOOTSTRAP_FILES.kustomization}`]: component
        ? BOOTSTRAP_ENTRIES
        : { resources: BOOTSTRAP_ENTRIES.resources },
    },
  };
}

function manner({ author, committer, signingKey }: CommitArgs = {}) {
  return {
    ...(author === undefined ? {} : { author }),
    ...(committer === undefined ? {} : { committer }),
    ...(signingKey === undefined ? {} : { signingKey }),
  };
}

/** One for every namespace that something of the stack runs in. */
function imagePullSecrets({
  imagePullSecret,
  pullCredentials,
  loginServer,
  ...content
}: RepositoryContentArgs): PlainSecret[] {
  if (imagePullSecret === undefined || pullCredentials === undefined) return [];
  const { username, password } = pullCredentials;
  const config = pulumi
    .secret(pulumi.all([loginServer, username, password]))
    .apply(([server, user, word]) => dockerConfig(server, user, word));
  return pullingNamespaces(content).map((namespace) => ({
    ...{ name: imagePullSecret, namespace, type: "kubernetes.io/dockerconfigjson" },
    stringData: { ".dockerconfigjson": config },
  }));
}

function pullSecret(credentials: PullCredentials | undefined): PlainSecret[] {
  return credentials ? [{ ...PULL_SECRET, type: "Opaque", stringData: { ...credentials } }] : [];
}
